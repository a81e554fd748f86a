//! Properties of players and worlds: who writes and reads them, who hears of a change, and what they outlive.

use crate::harness::{Backend, GameServer, Person, Program, program_of_version, run};
use serde_json::{Value, json};

/// A backend with bob, whose world Zoo is, alice, and a game server that hosts it.
struct Scene {
    backend: Backend,
    bob: Program,
    alice: Program,
    arena: GameServer,
    password: String,
}

const ZOO: &str = "world:zoo";

fn hosted(arena: &mut GameServer, world: &str, password: &str) {
    arena.ok("HOST START", json!({"world": world, "password": password, "port": 7777}));
}

fn added(backend: &Backend, world: &str, owner: &str) -> String {
    backend.ctl(&["world", "add", world, owner])["password"].as_str().expect("a password").to_owned()
}

impl Scene {
    fn new() -> Scene {
        let backend = Backend::start();
        let (bob, alice) = (Program::registered(&backend, "Bob"), Program::registered(&backend, "alice"));
        let mut arena = GameServer::added(&backend, "arena");
        let password = added(&backend, "Zoo", "bob");
        hosted(&mut arena, "zoo", &password);
        Scene { backend, bob, alice, arena, password }
    }

    /// Bob goes into the world.
    fn bob_enters(&mut self) {
        let pass = self.bob.ok("WORLD ENTER", json!({"world": "zoo"}))["pass"].clone();
        self.arena.ok("PASS REDEEM", json!({"pass": pass, "world": "zoo"}));
        self.arena.ok("ENTER", json!({"player": "bob", "world": "zoo"}));
    }

    /// Bob closes his connection; in its place is one of nobody.
    fn bob_closes(&mut self) {
        let nobody = Program::at(&self.backend);
        self.backend.see_off(std::mem::replace(&mut self.bob, nobody).wire);
    }
}

/// Writes a text; `more` says how it is used.
fn set(asker: &mut Program, of: &str, name: &str, value: &str, more: Value) -> String {
    let mut args = json!({"of": of, "name": name, "value": value});
    let all = args.as_object_mut().expect("an object");
    all.extend(more.as_object().cloned().unwrap_or_default());
    outcome(asker.ask("PROPERTY SET", args))
}

fn delete(asker: &mut Program, of: &str, name: &str) -> String {
    outcome(asker.ask("PROPERTY DELETE", json!({"of": of, "name": name})))
}

fn outcome(reply: Value) -> String {
    reply["code"].as_str().unwrap_or("ok").to_owned()
}

fn got(asker: &mut Program, of: &str, names: Value) -> Vec<Value> {
    asker.ok("PROPERTY GET", json!({"of": of, "names": names}))["properties"].as_array().expect("a list").clone()
}

/// What it says, or why it cannot be read.
fn value(asker: &mut Program, of: &str, name: &str) -> String {
    let reply = asker.ask("PROPERTY GET", json!({"of": of, "names": name}));
    let value = reply["data"]["properties"][0]["value"].as_str().map(str::to_owned);
    value.unwrap_or_else(|| outcome(reply))
}

fn names(properties: &[Value]) -> Vec<&str> {
    properties.iter().map(|property| property["name"].as_str().expect("a name")).collect()
}

/// The name and what it says of the next event.
fn heard(asker: &mut Program) -> (String, String) {
    let event = asker.expect_event("property");
    let text = |name: &str| event[name].as_str().unwrap_or("gone").to_owned();
    (format!("{} {}", text("of"), text("name")), text("value"))
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn a_property_is_a_text_or_bytes_with_a_version() {
    let mut scene = Scene::new();
    let bob = &mut scene.bob;
    let first = bob.ok("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": "Be kind", "version": 0}));
    assert_eq!(first, json!({"of": "Bob", "name": "motto", "version": 1}));
    let again = bob.ask("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": "x", "version": 0}));
    assert_eq!((&again["code"], &again["data"]["version"]), (&"conflict".into(), &1.into()));
    bob.ok("PROPERTY SET", json!({"of": "bob", "name": 12, "base64": "AAH/gA==", "finger": true, "read": "OWNER"}));
    bob.ok("PROPERTY SET", json!({"of": "BOB", "name": 7, "value": ""}));
    let all = got(bob, "bob", Value::Null);
    assert_eq!(names(&all), ["7", "12", "motto"], "numbers first");
    let mut bytes = all[1].clone();
    bytes.as_object_mut().expect("an object").remove("at");
    let wanted = json!({
        "name": "12", "value": null, "base64": "AAH/gA==", "version": 1, "finger": true, "push": false, "kept": true,
        "write": "owner", "read": "owner",
    });
    assert_eq!(bytes, wanted);
    assert_eq!(
        (&all[2]["value"], &all[2]["base64"], &all[2]["read"]),
        (&"Be kind".into(), &Value::Null, &"everyone".into())
    );
    // Several at once; those that are not there are not among them.
    assert_eq!(names(&got(bob, "bob", json!([12, "motto", "nothing"]))), ["12", "motto"]);
    assert_eq!(names(&got(bob, "bob", json!("motto 7"))), ["7", "motto"]);
    assert_eq!(value(bob, "bob", "nothing"), "not_found");
    // Another version of it, which goes and comes again.
    let old = json!({"of": "bob", "name": "motto", "version": 7});
    assert_eq!(bob.ask("PROPERTY DELETE", old)["data"]["version"], 1);
    bob.ok("PROPERTY DELETE", json!({"of": "bob", "name": "motto", "version": 1}));
    assert_eq!((value(bob, "bob", "motto"), delete(bob, "bob", "motto")), pair("not_found", "not_found"));
    assert_eq!(bob.ok("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": "x"}))["version"], 3);
}

#[test]
fn what_a_property_may_be_has_bounds() {
    let mut scene = Scene::new();
    let bob = &mut scene.bob;
    let longest = "x".repeat(64);
    for name in ["1", "255", "a", "7a", "Zoë", &longest] {
        assert_eq!(set(bob, "bob", name, "x", Value::Null), "ok", "{name}");
    }
    let longer = format!("{longest}x");
    for name in ["0", "256", "007", "1000", "two words", "a\tb", &longer] {
        assert_eq!(set(bob, "bob", name, "x", Value::Null), "invalid", "{name}");
    }
    assert_eq!(set(bob, "bob", "1", &"x".repeat(4096), Value::Null), "ok");
    assert_eq!(set(bob, "bob", "1", &"x".repeat(4097), Value::Null), "too_long");
    for (of, code) in
        [("server:arena", "invalid"), ("the backend", "invalid"), ("nobody", "not_found"), ("world:moon", "not_found")]
    {
        assert_eq!(set(bob, of, "1", "x", Value::Null), code, "{of}");
        assert_eq!(bob.fails("PROPERTY GET", json!({"of": of})), code, "{of}");
        assert_eq!(bob.fails("PROPERTY WATCH", json!({"of": of})), code, "{of}");
    }
    assert_eq!(set(bob, "bob", "1", "x", json!({"write": "nobody"})), "invalid");
    // So many, which come in pages where they are long.
    for number in 6..256 {
        assert_eq!(set(bob, "bob", &format!("p{number}"), &"x".repeat(1024), Value::Null), "ok", "{number}");
    }
    assert_eq!(set(bob, "bob", "more", "x", Value::Null), "limit");
    let (mut after, mut found) = (Value::Null, 0);
    loop {
        let page = bob.ok("PROPERTY GET", json!({"of": "bob", "after": after}));
        found += page["properties"].as_array().expect("a list").len();
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(found, 256);
    let page = bob.ok("PROPERTY GET", json!({"of": "bob", "limit": 2, "after": "1"}));
    assert_eq!(
        (names(page["properties"].as_array().expect("a list")), &page["next"]),
        (vec!["255", "7a"], &"7a".into())
    );
}

/// Everybody who may ask, by one letter each.
struct All {
    scene: Scene,
    castle: GameServer,
    carol: Program,
    dave: Program,
    nobody: Program,
}

impl All {
    fn new() -> All {
        let scene = Scene::new();
        let castle = GameServer::added(&scene.backend, "castle");
        let (carol, dave) = (Program::registered(&scene.backend, "carol"), Program::registered(&scene.backend, "dave"));
        scene.backend.ctl(&["right", "grant", "carol", "property"]);
        scene.backend.ctl(&["right", "grant", "dave", "operator"]);
        let nobody = Program::at(&scene.backend);
        All { scene, castle, carol, dave, nobody }
    }

    /// The letters of those for whom this is done: Bob, alice, arena, castle, carol (property), dave (operator), nobody.
    fn who(&mut self, mut may: impl FnMut(&mut Program) -> bool) -> String {
        let All { scene, castle, carol, dave, nobody } = self;
        let all: [(&mut Program, char); 7] = [
            (&mut scene.bob, 'B'),
            (&mut scene.alice, 'a'),
            (&mut scene.arena, 'r'),
            (castle, 'c'),
            (carol, 'p'),
            (dave, 'o'),
            (nobody, 'n'),
        ];
        all.into_iter().filter_map(|(program, letter)| may(program).then_some(letter)).collect()
    }
}

#[test]
fn who_may_write_and_read_stands_in_it() {
    let mut all = All::new();
    all.scene.bob_enters();
    for (word, writers, readers) in [
        ("everyone", "Barcpo", "Barcpon"),
        ("owner", "Bpo", "Bpo"),
        ("world", "rpo", "Brpo"),
        ("property", "po", "Bpo"),
    ] {
        for of in ["bob", ZOO] {
            let used = json!({"write": word, "read": word});
            assert_eq!(set(&mut all.carol, of, "x", "new", used), "ok");
            assert_eq!(all.who(|asker| value(asker, of, "x") == "new"), readers, "{word} reads of {of}");
            assert_eq!(all.who(|asker| !got(asker, of, Value::Null).is_empty()), readers, "{word} lists of {of}");
            assert_eq!(
                all.who(|asker| set(asker, of, "x", "new", Value::Null) == "ok"),
                writers,
                "{word} writes of {of}"
            );
            // So may the operator at his own socket.
            all.scene.backend.ctl(&["property", "set", of, "x", "operator"]);
            assert_eq!(all.scene.backend.ctl(&["property", "get", of, "x"])["properties"][0]["value"], "operator");
            // The owner deletes it, whoever may write it.
            assert_eq!(delete(&mut all.scene.bob, of, "x"), "ok");
        }
    }
    // Nobody else makes one, whoever may write it then.
    let used = json!({"write": "everyone"});
    for of in ["bob", ZOO] {
        let makers =
            all.who(|asker| set(asker, of, "x", "new", used.clone()) == "ok" && delete(asker, of, "x") == "ok");
        assert_eq!(makers, "Brpo", "makes one of {of}");
    }
    // Who writes because everyone may does not say how it is used.
    assert_eq!(set(&mut all.scene.bob, "bob", "x", "new", used.clone()), "ok");
    assert_eq!(set(&mut all.scene.alice, "bob", "x", "newer", used), "ok");
    assert_eq!(set(&mut all.scene.alice, "bob", "x", "newer", json!({"write": "owner"})), "denied");
    assert_eq!(delete(&mut all.scene.alice, "bob", "x"), "ok");
    // A right holds at once, and no longer than it is granted.
    all.scene.backend.ctl(&["right", "revoke", "carol", "property"]);
    assert_eq!(set(&mut all.carol, "bob", "x", "new", Value::Null), "denied");
}

#[test]
fn a_world_is_whoever_hosts_it_on_that_connection_and_those_in_it_are_its_own() {
    let mut scene = Scene::new();
    let used = json!({"write": "world", "read": "world"});
    let writes = |asker: &mut Program, of: &str| set(asker, of, "seat", "left", used.clone());
    let mut again = GameServer::with_key(&scene.backend, "arena", scene.arena.key.clone());
    assert_eq!((writes(&mut again, ZOO), writes(&mut scene.arena, ZOO)), pair("denied", "ok"), "another connection");
    assert_eq!(writes(&mut scene.arena, "bob"), "denied", "he is not there");
    scene.bob_enters();
    assert_eq!((writes(&mut again, "bob"), writes(&mut scene.arena, "bob")), pair("denied", "ok"));
    assert_eq!(writes(&mut scene.arena, "alice"), "denied");
    assert_eq!(value(&mut scene.arena, "bob", "seat"), "left");
    // Also when he has no connection of his own, and over a death of the handler.
    scene.bob_closes();
    scene.backend.kill_handler();
    assert_eq!((writes(&mut scene.arena, "bob"), writes(&mut scene.arena, ZOO)), pair("ok", "ok"));
    scene.arena.ok("LEAVE", json!({"player": "bob", "world": "zoo"}));
    assert_eq!((writes(&mut scene.arena, "bob"), value(&mut scene.arena, "bob", "seat")), pair("denied", "not_found"));
    // On a game server it is its word alone until he has shown a pass there.
    again.ok("ENTER", json!({"player": "alice"}));
    assert_eq!(writes(&mut again, "alice"), "denied");
    let pass = scene.alice.ok("PASS", json!({"server": "arena"}))["pass"].clone();
    again.ok("PASS REDEEM", json!({"pass": pass}));
    again.ok("ENTER", json!({"player": "alice"}));
    assert_eq!((writes(&mut scene.arena, "alice"), writes(&mut again, "alice")), pair("denied", "ok"));
    // Whoever hosts it no longer is nobody to it.
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(writes(&mut scene.arena, ZOO), "denied");
    // With another owner it is his.
    scene.backend.ctl(&["world", "change", "zoo", "--owner", "alice"]);
    assert_eq!(set(&mut scene.alice, ZOO, "gate", "shut", Value::Null), "ok");
    scene.bob.login("Bob");
    assert_eq!(set(&mut scene.bob, ZOO, "gate", "open", Value::Null), "denied");
}

#[test]
fn a_change_reaches_each_once_who_may_read_it() {
    let mut scene = Scene::new();
    let (mut second, mut nobody) = (Program::logged_in(&scene.backend, "Bob"), Program::at(&scene.backend));
    let mut castle = GameServer::added(&scene.backend, "castle");
    scene.bob_enters();
    for watcher in [&mut scene.alice, &mut nobody, &mut castle, &mut second, &mut scene.arena] {
        watcher.ok("PROPERTY WATCH", json!({"of": "bob"}));
        watcher.ok("PROPERTY WATCH", json!({"of": "BOB"}));
    }
    let change = |scene: &mut Scene, value: &str, more: Value| {
        assert_eq!(set(&mut scene.bob, "bob", "motto", value, more), "ok")
    };
    // Nobody hears of it that is not pushed.
    change(&mut scene, "first", Value::Null);
    scene.alice.expect_no_event("property");
    change(&mut scene, "second", json!({"push": true}));
    let wanted = json!({
        "event": "property", "of": "Bob", "name": "motto", "value": "second", "base64": null, "version": 2, "deleted": false,
    });
    for hears in [&mut scene.alice, &mut nobody, &mut castle, &mut second, &mut scene.arena, &mut scene.bob] {
        assert_eq!(hears.expect_event("property"), wanted);
        hears.expect_no_event("property");
    }
    // Those who may read it: himself, and the world that he is in.
    change(&mut scene, "third", json!({"read": "world"}));
    for hears in [&mut second, &mut scene.arena, &mut scene.bob] {
        assert_eq!(heard(hears), pair("Bob motto", "third"));
    }
    for silent in [&mut scene.alice, &mut nobody, &mut castle] {
        silent.expect_no_event("property");
    }
    change(&mut scene, "fourth", json!({"read": "everyone"}));
    for watcher in [&mut scene.alice, &mut nobody] {
        assert_eq!(heard(watcher), pair("Bob motto", "fourth"));
        watcher.ok("PROPERTY UNWATCH", json!({"of": "bob"}));
    }
    // Who watches goes on with that over a death of the handler, and who does not, does not.
    scene.backend.kill_handler();
    assert_eq!(delete(&mut scene.bob, "bob", "motto"), "ok");
    for hears in [&mut castle, &mut second, &mut scene.arena, &mut scene.bob] {
        let event = std::iter::repeat_with(|| hears.expect_event("property")).find(|event| event["deleted"] == true);
        assert_eq!(event.map(|event| event["version"].clone()), Some(5.into()));
    }
    scene.alice.expect_no_event("property");
    nobody.expect_no_event("property");
    assert_eq!(set(&mut scene.bob, "bob", "pic", "", json!({"value": null, "base64": "AAH/", "push": true})), "ok");
    assert_eq!(castle.expect_event("property")["base64"], "AAH/");
}

#[test]
fn what_others_change_of_a_world_reaches_its_host_at_once() {
    let mut scene = Scene::new();
    assert_eq!(set(&mut scene.arena, ZOO, "gate", "open", json!({"write": "world"})), "ok");
    scene.arena.expect_no_event("property");
    assert_eq!(set(&mut scene.bob, ZOO, "notice", "Feeding at three", Value::Null), "ok");
    assert_eq!(heard(&mut scene.arena), pair("world:Zoo notice", "Feeding at three"));
    scene.backend.ctl(&["property", "set", ZOO, "gate", "shut"]);
    assert_eq!(heard(&mut scene.arena), pair("world:Zoo gate", "shut"));
    scene.backend.ctl(&["property", "delete", ZOO, "gate"]);
    assert_eq!(heard(&mut scene.arena), pair("world:Zoo gate", "gone"));
    // Not of what is not for it to read, and not of players.
    assert_eq!(set(&mut scene.bob, ZOO, "secret", "x", json!({"read": "owner"})), "ok");
    scene.bob_enters();
    assert_eq!(set(&mut scene.bob, "bob", "motto", "x", Value::Null), "ok");
    scene.arena.expect_no_event("property");
    // What one handler has written and not told, the next one tells, once.
    let args = json!({"of": ZOO, "name": "notice", "value": "Feeding at four"});
    assert_eq!(scene.bob.ask_over_death(&scene.backend, "PROPERTY SET", &args)["data"]["version"], 2);
    assert_eq!(heard(&mut scene.arena), pair("world:Zoo notice", "Feeding at four"));
    scene.arena.expect_no_event("property");
}

#[test]
fn finger_shows_those_that_are_meant_for_it_also_of_who_is_not_on() {
    let mut scene = Scene::new();
    let shown = |asker: &mut Program| asker.ok("FINGER", json!({"player": "bob"}))["properties"].clone();
    assert_eq!(shown(&mut scene.alice), json!([]));
    for (name, more) in
        [("motto", json!({"finger": true})), ("hidden", json!({"finger": true, "read": "owner"})), ("quiet", json!({}))]
    {
        assert_eq!(set(&mut scene.bob, "bob", name, "Be kind", more), "ok");
    }
    assert_eq!(set(&mut scene.bob, "bob", "3", "", json!({"value": null, "base64": "AAH/", "finger": true})), "ok");
    let (three, motto) = (
        json!({"name": "3", "value": null, "base64": "AAH/"}),
        json!({"name": "motto", "value": "Be kind", "base64": null}),
    );
    assert_eq!(shown(&mut scene.alice), json!([three, motto]));
    let hidden = json!({"name": "hidden", "value": "Be kind", "base64": null});
    assert_eq!(shown(&mut scene.bob), json!([three, hidden, motto]));
    scene.bob_closes();
    assert_eq!(shown(&mut scene.bob), json!([three, motto]), "nobody asks now");
    let mut person = Person::at(&scene.backend).register("pat");
    let finger = person.ask("FINGER bob");
    assert!(
        finger.contains("motto: Be kind") && finger.contains("3: (3 bytes)") && finger.contains("not on"),
        "{finger}"
    );
}

#[test]
fn world_show_shows_those_of_a_world_to_whoever_may_read_them() {
    let Scene { backend, mut bob, mut alice, mut arena, .. } = Scene::new();
    let mut nobody = Program::at(&backend);
    let shown = |asker: &mut Program| -> Vec<String> {
        let shown = asker.ok("WORLD SHOW", json!({"name": "zoo"}));
        names(shown["properties"].as_array().expect("a list")).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(shown(&mut nobody), [""; 0]);
    backend.ctl(&["property", "set", "world:Zoo", "gate", "Closed", "--finger"]);
    set(&mut bob, ZOO, "plan", "secret", json!({"finger": true, "read": "owner"}));
    set(&mut bob, ZOO, "7", "seven", json!({"finger": true, "read": "world"}));
    set(&mut bob, ZOO, "hidden", "not here", json!({}));
    assert_eq!(shown(&mut nobody), ["gate"]);
    assert_eq!(
        (shown(&mut alice), shown(&mut bob)),
        (vec!["gate".to_owned()], vec!["7".into(), "gate".into(), "plan".into()])
    );
    assert_eq!(shown(&mut arena), ["7", "gate"], "it hosts the world");
    assert_eq!(backend.ctl(&["world", "show", "zoo"])["properties"].as_array().map(Vec::len), Some(3));
    let gate = &nobody.ok("WORLD SHOW", json!({"name": "zoo"}))["properties"][0];
    assert_eq!(*gate, json!({"name": "gate", "value": "Closed", "base64": null}));
    let mut person = Person::at(&backend);
    assert!(person.ask("world show zoo").contains("gate: Closed"));
    // What is fingered may be a world.
    let text = person.ask("finger world:zoo");
    assert!(text.contains("Zoo is a world, no player: WORLD SHOW Zoo tells of it."), "{text}");
    assert!(person.ask("finger world:nowhere").contains("There is no world nowhere."));
}

#[test]
fn finger_shows_so_many_as_fit_and_get_has_all() {
    let Scene { mut bob, backend: _backend, .. } = Scene::new();
    for number in 1..=6 {
        set(&mut bob, "bob", &number.to_string(), &"x".repeat(4096), json!({"finger": true}));
    }
    let shown = bob.ok("FINGER", json!({"player": "bob"}))["properties"].clone();
    assert_eq!(names(shown.as_array().expect("a list")), ["1", "2", "3", "4"]);
    assert_eq!(got(&mut bob, "bob", json!([])).len(), 6);
}

#[test]
fn what_was_never_there_is_not_gone() {
    let Scene { mut bob, backend: _backend, .. } = Scene::new();
    fn why(bob: &mut Program, cmd: &str, args: Value) -> String {
        let reply = bob.ask(cmd, args);
        assert_eq!((&reply["code"], &reply["data"]["version"]), (&json!("conflict"), &json!(0)), "{reply}");
        reply["msg"].as_str().expect("a sentence").to_owned()
    }
    for end in [".", " any more."] {
        let (property, setting) = (format!("There is no such property{end}"), format!("There is no such setting{end}"));
        let args = json!({"of": "bob", "name": "a", "value": "x", "version": 3});
        assert_eq!(why(&mut bob, "PROPERTY SET", args), property);
        assert_eq!(why(&mut bob, "PROPERTY DELETE", json!({"of": "bob", "name": "a", "version": 3})), property);
        assert_eq!(why(&mut bob, "SETTING SET", json!({"key": "a", "value": "x", "version": 3})), setting);
        bob.ok("PROPERTY SET", json!({"of": "bob", "name": "a", "value": "x"}));
        bob.ok("PROPERTY DELETE", json!({"of": "bob", "name": "a"}));
        bob.ok("SETTING SET", json!({"key": "a", "value": "x"}));
        bob.ok("SETTING DELETE", json!({"key": "a"}));
    }
}

#[test]
fn what_is_there_only_while_a_player_is_on_goes_with_him() {
    let mut scene = Scene::new();
    let used = || json!({"kept": false, "push": true});
    scene.alice.ok("PROPERTY WATCH", json!({"of": "bob"}));
    assert_eq!(set(&mut scene.bob, "bob", "mood", "good", used()), "ok");
    assert_eq!(set(&mut scene.bob, "bob", "motto", "Be kind", Value::Null), "ok");
    heard(&mut scene.alice);
    // A death of the handler is no end of it, nor one of several connections, nor an own one where he is in a world.
    scene.backend.kill_handler();
    let mut second = Program::logged_in(&scene.backend, "Bob");
    scene.bob_enters();
    scene.bob_closes();
    second.ok("LOGOUT", json!({}));
    assert_eq!(value(&mut scene.alice, "bob", "mood"), "good");
    scene.backend.kill_handler();
    assert_eq!(value(&mut scene.alice, "bob", "mood"), "good");
    scene.alice.expect_no_event("property");
    scene.arena.ok("LEAVE", json!({"player": "bob", "world": "zoo"}));
    assert_eq!(
        (value(&mut scene.alice, "bob", "mood"), heard(&mut scene.alice)),
        ("not_found".into(), pair("Bob mood", "gone"))
    );
    assert_eq!(value(&mut scene.alice, "bob", "motto"), "Be kind");
    // Who is not on has none, whoever writes it.
    let reply = run(&mut scene.backend.ctl_command(&["property", "set", "bob", "mood", "x", "--while-on"]), b"");
    assert!(reply.code == 1 && reply.err.contains("not on"), "{reply:?}");
    // It is gone for good, and its version is not.
    scene.bob.login("Bob");
    assert_eq!(value(&mut scene.bob, "bob", "mood"), "not_found");
    let args = json!({"of": "bob", "name": "mood", "value": "bad", "kept": false, "push": true, "version": 0});
    assert_eq!(scene.bob.ok("PROPERTY SET", args)["version"], 3);
    assert_eq!(heard(&mut scene.alice), pair("Bob mood", "bad"));
    scene.bob.ok("LOGOUT", json!({}));
    assert_eq!(heard(&mut scene.alice), pair("Bob mood", "gone"));
}

#[test]
fn what_is_there_only_while_a_world_is_hosted_goes_with_that() {
    let mut scene = Scene::new();
    let used = || json!({"kept": false, "write": "world"});
    assert_eq!(set(&mut scene.arena, ZOO, "weather", "rain", used()), "ok");
    assert_eq!(set(&mut scene.arena, ZOO, "gate", "open", Value::Null), "ok");
    // Its host may come back.
    let key = scene.arena.key.clone();
    scene.backend.see_off(scene.arena.into_wire());
    scene.backend.kill_handler();
    assert_eq!(value(&mut scene.alice, ZOO, "weather"), "rain");
    let mut arena = GameServer::with_key(&scene.backend, "arena", key);
    hosted(&mut arena, "zoo", &scene.password);
    // Nor is an upgrade the end of it.
    let path = scene.backend.file("other");
    program_of_version("9.8.7", &path);
    scene.backend.ctl(&["upgrade", "--binary", path.to_str().expect("a path")]);
    assert_eq!(value(&mut arena, ZOO, "weather"), "rain");
    arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(
        (value(&mut scene.alice, ZOO, "weather"), value(&mut scene.alice, ZOO, "gate")),
        pair("not_found", "open")
    );
    assert_eq!(set(&mut scene.bob, ZOO, "weather", "sun", json!({"kept": false})), "invalid");
    hosted(&mut arena, "zoo", &scene.password);
    assert_eq!(value(&mut arena, ZOO, "weather"), "not_found");
}

#[test]
fn properties_outlive_restarts_and_the_licence_and_nobody_is_on_after_one() {
    let mut scene = Scene::new();
    assert_eq!(set(&mut scene.arena, ZOO, "gate", "open", Value::Null), "ok");
    assert_eq!(set(&mut scene.arena, ZOO, "weather", "rain", json!({"kept": false})), "ok");
    assert_eq!(set(&mut scene.bob, "bob", "motto", "Be kind", Value::Null), "ok");
    assert_eq!(set(&mut scene.bob, "bob", "mood", "good", json!({"kept": false})), "ok");
    // A death of the listener is no restart.
    scene.backend.kill_listener();
    scene.backend.next_listener();
    assert_eq!((value(&mut scene.alice, "bob", "mood"), value(&mut scene.alice, ZOO, "weather")), pair("good", "rain"));
    let Scene { mut backend, bob, alice, arena, .. } = scene;
    for wire in [bob.wire, alice.wire, arena.into_wire()] {
        backend.see_off(wire);
    }
    backend.restart();
    let mut alice = Program::logged_in(&backend, "alice");
    assert_eq!((value(&mut alice, "bob", "motto"), value(&mut alice, ZOO, "gate")), pair("Be kind", "open"));
    assert_eq!((value(&mut alice, "bob", "mood"), value(&mut alice, ZOO, "weather")), pair("not_found", "not_found"));
    let mut bob = Program::logged_in(&backend, "Bob");
    assert_eq!(value(&mut bob, "bob", "mood"), "not_found", "although he is on again");
    // The licence goes, and comes again with all of it; where it is purged it does not.
    backend.ctl(&["world", "delete", "zoo"]);
    assert_eq!(value(&mut alice, ZOO, "gate"), "not_found");
    added(&backend, "zoo", "alice");
    assert_eq!(value(&mut alice, ZOO, "gate"), "open");
    assert_eq!(set(&mut alice, ZOO, "gate", "shut", Value::Null), "ok", "it is alice's now");
    backend.ctl(&["world", "delete", "zoo", "--purge"]);
    added(&backend, "zoo", "alice");
    assert_eq!(value(&mut alice, ZOO, "gate"), "not_found");
    assert_eq!(alice.ok("PROPERTY SET", json!({"of": ZOO, "name": "gate", "value": "x"}))["version"], 1);
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
}

#[test]
fn a_change_is_done_once_over_the_death_of_the_handler_and_under_its_key() {
    let mut scene = Scene::new();
    for version in 0..3 {
        let args = json!({"of": "bob", "name": "motto", "value": "x", "version": version});
        let reply = scene.bob.ask_over_death(&scene.backend, "PROPERTY SET", &args);
        assert_eq!(reply["data"]["version"], version + 1, "{reply}");
    }
    let args = json!({"of": "bob", "name": "motto", "version": 3});
    assert_eq!(scene.bob.ask_over_death(&scene.backend, "PROPERTY DELETE", &args)["state"], "OK");
    let keyed = r#"{"cmd": "PROPERTY SET", "args": {"of": "bob", "name": "motto", "value": "y"}, "key": "k"}"#;
    assert_eq!(scene.bob.say(keyed)["data"]["version"], 5);
    scene.backend.kill_handler();
    assert_eq!(scene.bob.say(keyed)["data"]["version"], 5);
    // Many at once, each in its turn.
    let lines: Vec<String> = (0..50)
        .map(|id| {
            json!({"cmd": "PROPERTY SET", "args": {"of": "bob", "name": "motto", "value": "z"}, "id": id}).to_string()
        })
        .collect();
    scene.bob.send_line(lines.join("\r\n"));
    for version in 6..56 {
        assert_eq!(scene.bob.reply()["data"]["version"], version);
    }
}

#[test]
fn a_person_and_the_operator_say_it_in_words() {
    let backend = Backend::start();
    let mut bob = Person::at(&backend).register("bob");
    assert!(bob.ask("PROPERTY GET bob").contains("There are no properties of bob for you."));
    // What he hears of his own changes may come behind the answer, and in front of the next one.
    let mut says = |line: &str, texts: &[&str]| {
        bob.type_line(line);
        texts.iter().for_each(|text| drop(bob.expect(text)));
    };
    says("property set bob motto \"Be kind\" finger push", &["motto of bob is now version 1."]);
    let shown = ["motto: Be kind", "version 1, finger, push, write owner, read everyone"];
    says("PROPERTY GET bob motto", &shown);
    says("PROPERTY SET bob 7 all the rest IF VERSION 3", &["7 of bob is now version 1."]);
    says("PROPERTY GET bob 7", &["7: all the rest IF VERSION 3"]);
    says("PROPERTY DELETE bob 7 IF VERSION 1", &["Property deleted."]);
    // All of it is the value.
    says("PROPERTY SET bob motto x WRITE nobody", &["motto of bob is now version 2."]);
    let ctl = |words: &[&str]| run(&mut backend.ctl_command(words), b"");
    let set =
        ctl(&["property", "set", "bob", "motto", "Be brave", "--version", "2", "--no-push", "--write", "property"]);
    assert!(set.out.contains("motto of bob is now version 3."), "{set:?}");
    assert_eq!(ctl(&["property", "set", "bob", "motto", "x", "--version", "2"]).code, 1);
    says("PROPERTY SET bob motto x", &["ERROR: Only who has the right property may write this property."]);
    assert!(ctl(&["property", "set", "bob", "pic", "", "--base64", "AAH/"]).out.contains("version 1"));
    let got = ctl(&["property", "get", "bob", "motto pic"]);
    assert!(got.out.contains("motto: Be brave") && got.out.contains("pic: (3 bytes)"), "{got:?}");
    assert!(ctl(&["property", "delete", "bob", "motto"]).out.contains("Property deleted."));
    // What was asked is in the log, and not what the values are.
    let log = backend.log().text();
    assert!(log.contains("PropertySet") && !log.contains("Be brave"), "{log}");
}

#[test]
fn elsewhere_a_world_may_be_named_and_has_nothing() {
    let mut scene = Scene::new();
    assert_eq!(scene.alice.fails("SETTING GET", json!({"key": "k", "of": ZOO})), "not_found");
    assert_eq!(scene.alice.fails("SETTING GET", json!({"key": "k", "of": "world:moon"})), "not_found");
    assert_eq!(scene.alice.fails("MAIL BLOCK", json!({"player": ZOO})), "not_found");
}
