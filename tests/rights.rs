//! Rights that end while requests of their holder are under way: whatever comes behind the revoke is refused, also in the same packet,
//! and also what was asked before it and is decided after it.

use crate::harness::{Backend, Program};
use serde_json::{Value, json};

/// A backend with alice, who is an operator and owns the world Zoo, and bob, who owns Mars.
struct Scene {
    backend: Backend,
    alice: Program,
    bob: Program,
}

impl Scene {
    fn new() -> Scene {
        let backend = Backend::start();
        let [mut alice, bob] = ["alice", "bob"].map(|name| backend.player(name));
        backend.ctl(&["right", "grant", "alice", "operator"]);
        assert_eq!(alice.expect_event("rights")["rights"], json!(["operator"]));
        backend.world("Zoo", "alice");
        backend.world("Mars", "bob");
        Scene { backend, alice, bob }
    }
}

/// Asks all of them in one write; gives the code of each answer, or `OK`.
fn at_once(program: &mut Program, asked: &[(&str, Value)]) -> Vec<String> {
    let lines: String = asked.iter().map(|(cmd, args)| format!("{}\r\n", json!({"cmd": cmd, "args": args}))).collect();
    program.wire.send(lines);
    asked.iter().map(|_| outcome(&program.reply())).collect()
}

fn outcome(reply: &Value) -> String {
    reply["code"].as_str().or(reply["state"].as_str()).expect("a state").to_owned()
}

fn rights(backend: &Backend, player: &str) -> Value {
    backend.ctl(&["right", "list", player])["rights"].clone()
}

#[test]
fn an_operator_who_gives_his_right_up_has_it_no_more_behind_that() {
    let Scene { backend, mut alice, bob: _bob } = Scene::new();
    let revoke = ("RIGHT REVOKE", json!({"player": "alice", "right": "operator"}));
    let grant = ("RIGHT GRANT", json!({"player": "alice", "right": "operator"}));
    let set = ("UNIVERSE SET", json!({"key": "name", "value": "hacked"}));
    assert_eq!(at_once(&mut alice, &[revoke, set, grant]), ["OK", "denied", "denied"]);
    assert_eq!(rights(&backend, "alice"), json!([]));
    assert_eq!(alice.ok("UNIVERSE SHOW", json!({}))["name"], "ssmglobal");
}

#[test]
fn nothing_that_needs_a_right_is_done_behind_its_end() {
    let Scene { backend, mut alice, bob: _bob } = Scene::new();
    backend.ctl(&["universe", "set", "name", "ours"]);
    let needing = [
        ("WORLD ADD", json!({"name": "moon", "owner": "alice"})),
        ("WORLD CHANGE", json!({"name": "zoo", "users": 7})),
        ("WORLD CHANGE", json!({"name": "mars", "comment": "mine"})),
        ("WORLD DISABLE", json!({"name": "mars"})),
        ("WORLD ENABLE", json!({"name": "mars"})),
        ("WORLD PASSWORD", json!({"name": "mars"})),
        ("WORLD DELETE", json!({"name": "mars"})),
        ("RIGHT GRANT", json!({"player": "alice", "right": "property"})),
        ("RIGHT REVOKE", json!({"player": "alice", "right": "operator"})),
        ("PLAYER LIMIT", json!({"player": "bob", "minutes": 7})),
        ("UNIVERSE SET", json!({"key": "name", "value": "hacked"})),
        ("UNIVERSE RESET", json!({"key": "name"})),
        ("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": "hi"})),
        ("BROADCAST", json!({"body": "hi"})),
    ];
    let revoke = |right: &str| ("RIGHT REVOKE", json!({"player": "alice", "right": right}));
    let asked: Vec<(&str, Value)> = [revoke("operator")].into_iter().chain(needing).collect();
    let came = at_once(&mut alice, &asked);
    let expected = asked.iter().enumerate().map(|(at, _)| if at == 0 { "OK" } else { "denied" });
    assert_eq!(came, expected.collect::<Vec<_>>(), "{asked:?}");
    assert_eq!(alice.ok("UNIVERSE SHOW", json!({}))["name"], "ours");
    assert_eq!(backend.ctl(&["world", "show", "mars"])["licence"]["disabled"], Value::Null);
    // What is her own she goes on doing.
    let own = [
        revoke("operator"),
        ("WORLD CHANGE", json!({"name": "zoo", "comment": "Lions"})),
        ("WORLD PASSWORD", json!({"name": "zoo"})),
        ("PROPERTY SET", json!({"of": "alice", "name": "motto", "value": "hi"})),
    ];
    backend.ctl(&["right", "grant", "alice", "operator"]);
    assert_eq!(at_once(&mut alice, &own), ["OK"; 4]);

    // By other rights, and by such as are granted on the way.
    for right in ["property", "broadcast", "operator"] {
        backend.ctl(&["right", "grant", "alice", right]);
    }
    let motto = ("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": "hi"}));
    let by_property = [revoke("property"), motto.clone(), revoke("operator"), motto.clone()];
    assert_eq!(at_once(&mut alice, &by_property), ["OK", "OK", "OK", "denied"]);
    backend.ctl(&["right", "grant", "alice", "operator"]);
    let hi = ("BROADCAST", json!({"body": "hi"}));
    let grant = ("RIGHT GRANT", json!({"player": "alice", "right": "property"}));
    let broadcasts = [hi.clone(), revoke("broadcast"), hi, grant, revoke("property"), revoke("operator"), motto];
    assert_eq!(at_once(&mut alice, &broadcasts), ["OK", "OK", "denied", "OK", "OK", "OK", "denied"]);
}

#[test]
fn in_a_storm_of_requests_nothing_is_done_after_the_first_that_was_denied() {
    let Scene { backend, mut alice, bob: _bob } = Scene::new();
    for round in 0..5 {
        let mut lines = String::new();
        let mut asked = 0;
        for number in 0..100 {
            let requests = [
                json!({"cmd": "UNIVERSE SET", "args": {"key": "name", "value": format!("{round}-{number}")}}),
                json!({"cmd": "RIGHT GRANT", "args": {"player": "alice", "right": "operator"}}),
                json!({"cmd": "WORLD CHANGE", "args": {"name": "mars", "comment": format!("{round}-{number}")}}),
            ];
            asked += requests.len();
            requests.iter().for_each(|request| lines += &format!("{request}\r\n"));
        }
        alice.wire.send(lines);
        // Some were done already; the rest are anywhere on their way.
        let mut came: Vec<String> = (0..10).map(|_| outcome(&alice.reply())).collect();
        backend.ctl(&["right", "revoke", "alice", "operator"]);
        came.extend((10..asked).map(|_| outcome(&alice.reply())));
        let done = came.iter().take_while(|came| *came == "OK").count();
        assert!(came[done..].iter().all(|came| came == "denied"), "{came:?}");
        assert_eq!(rights(&backend, "alice"), json!([]), "nobody gives himself a right back");
        backend.ctl(&["right", "grant", "alice", "operator"]);
    }
}

#[test]
fn what_changes_nothing_is_no_news() {
    let Scene { backend: _backend, mut alice, mut bob } = Scene::new();
    let vip = || json!({"player": "bob", "right": "vip"});
    bob.ok("UNIVERSE WATCH", json!({}));
    alice.ok("RIGHT GRANT", vip());
    assert_eq!(bob.expect_event("rights")["rights"], json!(["vip"]));
    alice.ok("RIGHT GRANT", vip());
    bob.expect_no_event("rights");
    // In one transaction as well.
    let both = [("RIGHT REVOKE", vip()), ("RIGHT REVOKE", vip())];
    assert_eq!(at_once(&mut alice, &both), ["OK", "not_found"]);
    assert_eq!(bob.expect_event("rights")["rights"], json!([]));
    bob.expect_no_event("rights");
    let name = || json!({"key": "name", "value": "ours"});
    alice.ok("UNIVERSE RESET", json!({"key": "name"}));
    bob.expect_no_event("universe");
    alice.ok("UNIVERSE SET", name());
    assert_eq!(bob.expect_event("universe")["name"], "ours");
    alice.ok("UNIVERSE SET", name());
    bob.expect_no_event("universe");
}

#[test]
fn what_was_done_under_a_key_is_answered_as_it_was_and_nothing_else_is_done() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    for right in ["operator", "broadcast"] {
        backend.ctl(&["right", "grant", "alice", right]);
    }
    let asked = [
        ("UNIVERSE SET", json!({"key": "name", "value": "Ours"})),
        ("WORLD ADD", json!({"name": "Zoo", "owner": "alice"})),
        ("PLAYER LIMIT", json!({"player": "alice", "minutes": 90})),
        ("BROADCAST", json!({"body": "Soon."})),
    ];
    let ask = |alice: &mut Program, key: &str| -> Vec<Value> {
        let ask = |(cmd, args): &(&str, Value)| {
            alice.say(json!({"id": 1, "cmd": cmd, "key": format!("{key} {cmd}"), "args": args}).to_string())
        };
        asked.iter().map(ask).map(|reply| reply["code"].as_str().map_or(reply["state"].clone(), Value::from)).collect()
    };
    assert_eq!(ask(&mut alice, "once"), ["OK"; 4]);
    for right in ["operator", "broadcast"] {
        backend.ctl(&["right", "revoke", "alice", right]);
    }
    assert_eq!(ask(&mut alice, "once"), ["OK"; 4]);
    assert_eq!(ask(&mut alice, "again"), ["denied"; 4]);
}
