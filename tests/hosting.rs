//! How game servers host worlds that have a licence: what is refused and why, what reaches the host, and that no world blinks,
//! whatever becomes of connections and of parts of the backend.

mod away;

use crate::harness::{Backend, GameServer, Program, has};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

fn start(world: &str, password: &str) -> Value {
    json!({"world": world, "password": password, "port": 7777})
}

/// What the lists show.
fn shown(asker: &mut Program) -> Vec<Value> {
    asker.ok("WORLDS", json!({}))["worlds"].as_array().expect("a list").clone()
}

fn names(asker: &mut Program) -> Vec<String> {
    shown(asker).iter().map(|world| world["name"].as_str().expect("a name").to_owned()).collect()
}

/// A backend with bob, who looks at it, a game server, and the world Zoo.
struct Scene {
    backend: Backend,
    bob: Program,
    arena: GameServer,
    password: String,
}

impl Scene {
    fn new() -> Scene {
        Scene::with("")
    }

    fn with(config: &str) -> Scene {
        let backend = Backend::plan().config(config).start();
        let bob = backend.player("bob");
        let arena = backend.game_server("arena");
        let password = backend.world("Zoo", "bob");
        Scene { backend, bob, arena, password }
    }

    /// With the world hosted, and 17 users in it.
    fn hosted(config: &str) -> Scene {
        let mut scene = Scene::with(config);
        scene.arena.hosts("zoo", &scene.password);
        scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 17, "rating": "PG", "text": "Lions"}));
        scene
    }

    /// The same game server on a further connection.
    fn arena_again(&self) -> GameServer {
        self.arena.again(&self.backend)
    }

    fn licence(&self) -> Value {
        self.backend.ctl(&["world", "show", "zoo"])["licence"].clone()
    }
}

#[test]
fn each_world_is_accepted_or_refused_by_itself() {
    let mut scene = Scene::with("[worlds]\nhost_version = \"4.2\"");
    let (moon, mars) = (scene.backend.world("moon", "bob"), scene.backend.world("mars", "bob"));
    scene.backend.ctl(&["world", "disable", "mars", "--reason", "Not paid."]);
    let mut castle = scene.backend.game_server("castle");
    let of = |name: &str, password: &str, version: &str| json!({"world": name, "password": password, "port": 7, "version": version, "address": "play.example.org"});
    castle.ok("HOST START", of("moon", &moon, "4.2"));
    let arena = &mut scene.arena;
    // Sent ahead, all of them.
    let lines: Vec<String> = [
        of("nowhere", "x", "5"),
        of("zoo", "x", "5"),
        of("mars", &mars, "5"),
        of("moon", &moon, "5"),
        of("zoo", &scene.password, "4.1.9"),
        json!({"world": "zoo", "password": scene.password, "port": 7}),
        json!({"world": "zoo", "password": scene.password, "port": 7, "version": "5", "address": "two words"}),
        of("ZOO", &scene.password, "4.2.1"),
    ]
    .iter()
    .enumerate()
    .map(|(id, args)| json!({"cmd": "HOST START", "args": args, "id": id}).to_string())
    .collect();
    arena.send_line(lines.join("\r\n"));
    let codes: Vec<Value> = lines.iter().map(|_| arena.reply()["code"].clone()).collect();
    let refused = ["not_found", "bad_login", "disabled", "hosted_elsewhere", "too_old", "too_old", "invalid"];
    assert_eq!(codes[..7], refused.map(Value::from));
    assert_eq!(codes[7], Value::Null);
    assert_eq!(names(&mut scene.bob), ["moon", "Zoo"]);
    // When and from where is on disk.
    let licence = scene.licence();
    assert!(licence["last_started"].is_string(), "{licence}");
    assert!(licence["last_address"].as_str().is_some_and(|address| address.starts_with("127.")), "{licence}");
    assert_eq!(licence["host"], "arena");
}

#[test]
fn clients_are_only_sent_where_they_can_connect_to() {
    let mut scene = Scene::new();
    let at = |scene: &Scene, address: &str| json!({"world": "zoo", "password": scene.password, "port": 7, "address": address});
    for address in [
        "play.example.org:99",
        "[2001:db8::7]:99",
        "http://x/",
        "two words",
        "a..b",
        ".",
        "192.0.2",
        "300.1.2.3",
        "7777",
        "[192.0.2.7]",
        "[2001:db8::7",
        "2001:db8::7]",
        "fe80::1%eth0",
        "0.0.0.0",
        "::",
        "[]",
        "user@host",
        "*",
    ] {
        let args = at(&scene, address);
        let reply = scene.arena.ask("HOST START", args);
        assert_eq!(reply["code"], "invalid", "{address}: {reply}");
        assert!(reply["msg"].as_str().is_some_and(|msg| msg.contains("port is an argument of its own")), "{reply}");
    }
    for (address, shown) in [
        ("play.example.org", "play.example.org:7"),
        ("zoo", "zoo:7"),
        ("2.zoo-1.example.", "2.zoo-1.example.:7"),
        ("192.0.2.7", "192.0.2.7:7"),
        ("2001:DB8::7", "[2001:db8::7]:7"),
        ("[2001:db8::7]", "[2001:db8::7]:7"),
    ] {
        let args = at(&scene, address);
        assert_eq!(scene.arena.ok("HOST START", args)["address"], shown);
    }
    assert_eq!(scene.bob.ok("WORLD ENTER", json!({"world": "zoo"}))["address"], "2001:db8::7", "without brackets");
}

#[test]
fn what_the_host_says_is_shown_and_a_word_stops_it() {
    let mut scene = Scene::new();
    let data = scene.arena.hosts("zoo", &scene.password);
    assert_eq!(data["terms"]["users"], 50);
    assert_eq!(data["terms"]["world"], "Zoo");
    assert_eq!(data["resumed"], false);
    let own = scene.arena.wire.stream.local_addr().expect("an address").ip().to_string();
    assert_eq!(data["address"], format!("{own}:7777"));
    let row = |scene: &mut Scene| shown(&mut scene.bob)[0].clone();
    let first = row(&mut scene);
    has(&first, json!({"status": "public", "rating": "G", "players": 0, "max": 50, "licensed": true}));
    assert_eq!(first["address"], "", "where it is one learns by asking to be let in");
    let said =
        json!({"world": "zoo", "users": 17, "restricted": true, "rating": "pg13", "map": "reef", "text": "Lions"});
    scene.arena.ok("HOST SAY", said);
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 18}));
    let now = row(&mut scene);
    assert_eq!(
        (&now["status"], &now["rating"], &now["players"], &now["map"], &now["text"]),
        (&"restricted".into(), &"PG13".into(), &18.into(), &"reef".into(), &"Lions".into()),
        "what was left out stayed"
    );
    scene.arena.ok("HOST SAY", json!("zoo MAP \"\" TEXT \"\""));
    let cleared = row(&mut scene);
    has(&cleared, json!({"map": "", "text": ""}));
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "map": "reef", "text": "Lions"}));
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "map": ""}));
    assert_eq!((&row(&mut scene)["map"], &row(&mut scene)["text"]), (&"".into(), &"Lions".into()));
    assert_eq!(scene.bob.ok("WORLD SHOW", json!({"name": "zoo"}))["users"], 18);
    for (name, value, code) in [
        ("rating", json!("PG14"), "invalid"),
        ("users", json!(-1), "invalid"),
        ("restricted", json!("perhaps"), "usage"),
    ] {
        assert_eq!(scene.arena.fails("HOST SAY", json!({"world": "zoo", name: value})), code, "{name}");
    }
    let list = scene.arena.ok("HOST LIST", json!({}));
    assert_eq!(list["worlds"][0]["world"], "Zoo");
    assert_eq!(list["total"], 1);
    // Another connection hosts nothing, whatever it says.
    let mut other = scene.arena_again();
    assert_eq!(other.fails("HOST SAY", json!({"world": "zoo", "users": 1})), "denied");
    assert_eq!(other.fails("HOST STOP", json!({"world": "zoo"})), "denied");
    assert_eq!(names(&mut scene.bob), ["Zoo"], "it was not its own to stop");
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(names(&mut scene.bob), [""; 0]);
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(scene.arena.fails("HOST SAY", json!({"world": "zoo", "users": 1})), "denied");
    // It is free for anybody with the password at once.
    let mut castle = scene.backend.game_server("castle");
    castle.hosts("zoo", &scene.password);
}

#[test]
fn a_map_and_a_text_of_a_hosted_world_are_each_told_how_long_they_may_be() {
    let mut scene = Scene::hosted("");
    for (name, called, most) in [("map", "A map", 128), ("text", "A text", 1024)] {
        scene.arena.ok("HOST SAY", json!({"world": "zoo", name: "x".repeat(most)}));
        let refused = scene.arena.ask("HOST SAY", json!({"world": "zoo", name: "x".repeat(most + 1)}));
        let msg = format!("{called} has at most {most} bytes; this one has {}. Give a shorter one.", most + 1);
        has(&refused, json!({"code": "too_long", "msg": msg}));
    }
}

#[test]
fn changes_of_a_licence_reach_the_host_at_once() {
    let mut scene = Scene::hosted("");
    for (option, value, name, said) in [
        ("--users", Some("7"), "users", json!(7)),
        ("--size", Some("9"), "size", json!(9)),
        ("--no-visitors", None, "visitors", json!(false)),
        ("--voice", None, "voice", json!(true)),
        ("--plugins", None, "plugins", json!(true)),
        ("--client", Some("4.2"), "client", json!("4.2")),
    ] {
        let mut words = vec!["world", "change", "zoo", option];
        words.extend(value);
        scene.backend.ctl(&words);
        let event = scene.arena.expect_event("world_changed");
        assert_eq!((&event["world"], &event[name]), (&"Zoo".into(), &said), "{option}");
    }
    // What is not the host's affair does not reach it, and it goes on.
    scene.bob.ok("WORLD CHANGE", json!({"name": "zoo", "comment": "Tigers", "listed": false}));
    scene.arena.expect_no_event("world_changed");
    assert_eq!(names(&mut scene.bob), [""; 0], "hidden");
    assert_eq!(scene.bob.ok("WORLD SHOW", json!({"name": "zoo"}))["users"], 17, "and found by name");
    scene.bob.ok("WORLD CHANGE", json!({"name": "zoo", "listed": true}));
    assert_eq!(names(&mut scene.bob), ["Zoo"]);

    let stopped = |scene: &mut Scene, reason: &str| {
        let event = scene.arena.expect_event("world_stopped");
        has(&event, json!({"world": "Zoo", "reason": reason}));
        assert_eq!(names(&mut scene.bob), [""; 0]);
        event["msg"].as_str().expect("words").to_owned()
    };
    scene.backend.ctl(&["world", "disable", "zoo", "--reason", "Not paid."]);
    assert!(stopped(&mut scene, "disabled").contains("Not paid."));
    scene.backend.ctl(&["world", "enable", "zoo"]);
    scene.arena.hosts("zoo", &scene.password);
    let password = scene.bob.ok("WORLD PASSWORD", json!({"name": "zoo"}))["password"].clone();
    stopped(&mut scene, "password_changed");
    assert_eq!(scene.arena.fails("HOST START", start("zoo", &scene.password)), "bad_login");
    scene.arena.hosts("zoo", password.as_str().expect("a password"));
    scene.backend.ctl(&["world", "delete", "zoo"]);
    stopped(&mut scene, "deleted");
    assert_eq!(scene.arena.fails("HOST START", start("zoo", &scene.password)), "not_found");
}

/// The second that comes so many seconds after this one, as the operator writes it.
fn in_seconds(seconds: u64) -> (u64, String) {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs() + seconds;
    let time = ssmglobal_ipc::Time(i64::try_from(at).expect("a time") * 1000);
    (at, time.to_string())
}

#[test]
fn a_licence_ends_at_its_second() {
    let mut scene = Scene::hosted("");
    let (at, end) = in_seconds(2);
    scene.backend.ctl(&["world", "change", "zoo", "--expires", &end]);
    assert_eq!(scene.arena.expect_event("world_changed")["expires"], end);
    assert_eq!(names(&mut scene.bob), ["Zoo"]);
    // Also over a death of the handler that was to see to it.
    scene.backend.kill_handler();
    assert_eq!(scene.arena.expect_event("world_stopped")["reason"], "expired");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    assert!(now.as_secs() >= at, "too early");
    assert_eq!(names(&mut scene.bob), [""; 0]);
    assert_eq!(scene.arena.fails("HOST START", start("zoo", &scene.password)), "expired");
    scene.backend.ctl(&["world", "change", "zoo", "--expires", "never"]);
    scene.arena.hosts("zoo", &scene.password);
}

#[test]
fn a_licensed_name_is_not_shown_without_its_licence() {
    let mut scene = Scene::new();
    let mut zoo = scene.backend.game_server("zoo");
    let said = json!({"map": "m", "players": 1, "max": 2});
    assert_eq!(zoo.fails("STATUS SET", said.clone()), "denied");
    scene.arena.ok("STATUS SET", said.clone());
    assert_eq!(names(&mut scene.bob), ["arena"]);
    // Who was there first gives way to the licence, also of a name that only looks like his.
    scene.backend.world("Aren\u{430}", "bob");
    assert_eq!(names(&mut scene.bob), [""; 0]);
    assert_eq!(scene.arena.fails("STATUS SET", said.clone()), "denied");
    // With both kinds in one list, by name.
    let mut castle = scene.backend.game_server("castle");
    castle.ok("STATUS SET", said);
    castle.hosts("zoo", &scene.password);
    assert_eq!(names(&mut scene.bob), ["castle", "Zoo"]);
    let first = scene.bob.ok("WORLDS", json!({"limit": 1}));
    assert_eq!(first["worlds"][0]["licensed"], false);
    assert_eq!(first["total"], 2);
    let second = scene.bob.ok("WORLDS", json!({"limit": 1, "after": first["next"]}));
    assert_eq!(second["worlds"][0]["name"], "Zoo");
    assert_eq!(second["next"], Value::Null);
}

#[test]
fn a_universe_may_want_every_world_to_have_a_licence() {
    let mut scene = Scene::hosted("[worlds]\nlicence_required = true");
    assert_eq!(scene.arena.fails("STATUS SET", json!({"map": "m", "players": 1, "max": 2})), "denied");
    assert_eq!(names(&mut scene.bob), ["Zoo"]);
}

#[test]
fn a_host_has_many_worlds_on_one_connection() {
    let mut scene = Scene::new();
    let names = (0..40).map(|number| format!("world-{number:02}"));
    let all: Vec<(String, String)> = names.map(|name| (name.clone(), scene.backend.world(&name, "bob"))).collect();
    let lines: Vec<String> = all
        .iter()
        .map(|(name, password)| json!({"cmd": "HOST START", "args": start(name, password), "id": 1}).to_string())
        .collect();
    scene.arena.send_line(lines.join("\r\n"));
    for _ in &all {
        assert_eq!(scene.arena.reply()["state"], "OK");
    }
    let page = scene.arena.ok("HOST LIST", json!({"limit": 30}));
    assert_eq!((&page["total"], page["worlds"].as_array().map(Vec::len)), (&40.into(), Some(30)));
    let rest = scene.arena.ok("HOST LIST", json!({"after": page["next"]}));
    assert_eq!(rest["worlds"][0]["world"], "world-30");
    assert_eq!(rest["next"], Value::Null);
    let total = |asker: &mut Program| asker.ok("WORLDS", json!({}))["total"].clone();
    assert_eq!(total(&mut scene.bob), 40);
    // All of them come back at once.
    scene.backend.kill_handler();
    assert_eq!(total(&mut scene.bob), 40);
    let mut again = scene.arena_again();
    scene.backend.see_off(scene.arena.into_wire());
    again.send_line(lines.join("\r\n"));
    for _ in &all {
        assert_eq!(again.reply()["data"]["resumed"], true);
    }
    assert_eq!(total(&mut scene.bob), 40);
}
