//! Who hears of a change of a property, and that it is done and told once.

use super::{ZOO, delete, heard, pair, set};
use crate::harness::Zoo;
use serde_json::{Value, json};

#[test]
fn a_change_reaches_each_once_who_may_read_it() {
    let mut scene = Zoo::open();
    let (mut second, mut nobody) = (scene.backend.player_again("Bob"), scene.backend.program());
    let mut castle = scene.backend.game_server("castle");
    scene.bob_enters();
    for watcher in [&mut scene.alice, &mut nobody, &mut castle, &mut second, &mut scene.arena] {
        watcher.ok("PROPERTY WATCH", json!({"of": "bob"}));
        watcher.ok("PROPERTY WATCH", json!({"of": "BOB"}));
    }
    let change =
        |scene: &mut Zoo, value: &str, more: Value| assert_eq!(set(&mut scene.bob, "bob", "motto", value, more), "ok");
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
    let mut scene = Zoo::open();
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
fn a_change_is_done_once_over_the_death_of_the_handler_and_under_its_key() {
    let mut scene = Zoo::open();
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
