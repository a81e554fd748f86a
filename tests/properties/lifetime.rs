//! What properties outlive, and what those that are not kept end with.

use super::{ZOO, heard, pair, set, value};
use crate::harness::{GameServer, Zoo};
use serde_json::{Value, json};

#[test]
fn what_is_there_only_while_a_player_is_on_goes_with_him() {
    let mut scene = Zoo::open();
    let used = || json!({"kept": false, "push": true});
    scene.alice.ok("PROPERTY WATCH", json!({"of": "bob"}));
    assert_eq!(set(&mut scene.bob, "bob", "mood", "good", used()), "ok");
    assert_eq!(set(&mut scene.bob, "bob", "motto", "Be kind", Value::Null), "ok");
    heard(&mut scene.alice);
    // A death of the handler is no end of it, nor one of several connections, nor an own one where he is in a world.
    scene.backend.kill_handler();
    let mut second = scene.backend.player_again("Bob");
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
    scene.backend.operator(&["property", "set", "bob", "mood", "x", "--while-on"]).ends_with(1).complains("not on");
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
    let mut scene = Zoo::open();
    let used = || json!({"kept": false, "write": "world"});
    assert_eq!(set(&mut scene.arena, ZOO, "weather", "rain", used()), "ok");
    assert_eq!(set(&mut scene.arena, ZOO, "gate", "open", Value::Null), "ok");
    // Its host may come back.
    let key = scene.arena.key.clone();
    scene.backend.see_off(scene.arena.into_wire());
    scene.backend.kill_handler();
    assert_eq!(value(&mut scene.alice, ZOO, "weather"), "rain");
    let mut arena = GameServer::with_key(&scene.backend, "arena", key);
    arena.hosts("zoo", &scene.password);
    // Nor is an upgrade the end of it.
    scene.backend.upgrade_to("9.8.7");
    assert_eq!(value(&mut arena, ZOO, "weather"), "rain");
    arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(
        (value(&mut scene.alice, ZOO, "weather"), value(&mut scene.alice, ZOO, "gate")),
        pair("not_found", "open")
    );
    assert_eq!(set(&mut scene.bob, ZOO, "weather", "sun", json!({"kept": false})), "invalid");
    arena.hosts("zoo", &scene.password);
    assert_eq!(value(&mut arena, ZOO, "weather"), "not_found");
}

#[test]
fn properties_outlive_restarts_and_the_licence_and_nobody_is_on_after_one() {
    let mut scene = Zoo::open();
    assert_eq!(set(&mut scene.arena, ZOO, "gate", "open", Value::Null), "ok");
    assert_eq!(set(&mut scene.arena, ZOO, "weather", "rain", json!({"kept": false})), "ok");
    assert_eq!(set(&mut scene.bob, "bob", "motto", "Be kind", Value::Null), "ok");
    assert_eq!(set(&mut scene.bob, "bob", "mood", "good", json!({"kept": false})), "ok");
    // A death of the listener is no restart.
    scene.backend.kill_listener();
    scene.backend.next_listener();
    assert_eq!((value(&mut scene.alice, "bob", "mood"), value(&mut scene.alice, ZOO, "weather")), pair("good", "rain"));
    let Zoo { mut backend, bob, alice, arena, .. } = scene;
    for wire in [bob.wire, alice.wire, arena.into_wire()] {
        backend.see_off(wire);
    }
    backend.restart();
    let mut alice = backend.player_again("alice");
    assert_eq!((value(&mut alice, "bob", "motto"), value(&mut alice, ZOO, "gate")), pair("Be kind", "open"));
    assert_eq!((value(&mut alice, "bob", "mood"), value(&mut alice, ZOO, "weather")), pair("not_found", "not_found"));
    let mut bob = backend.player_again("Bob");
    assert_eq!(value(&mut bob, "bob", "mood"), "not_found", "although he is on again");
    // The licence goes, and comes again with all of it; where it is purged it does not.
    backend.ctl(&["world", "delete", "zoo"]);
    assert_eq!(value(&mut alice, ZOO, "gate"), "not_found");
    backend.world("zoo", "alice");
    assert_eq!(value(&mut alice, ZOO, "gate"), "open");
    assert_eq!(set(&mut alice, ZOO, "gate", "shut", Value::Null), "ok", "it is alice's now");
    backend.ctl(&["world", "delete", "zoo", "--purge"]);
    backend.world("zoo", "alice");
    assert_eq!(value(&mut alice, ZOO, "gate"), "not_found");
    assert_eq!(alice.ok("PROPERTY SET", json!({"of": ZOO, "name": "gate", "value": "x"}))["version"], 1);
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
}
