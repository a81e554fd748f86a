//! The hosts in Python and in Lua: each does the same.

use super::{LONG, Scene};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::Write;

/// A score that bob makes waits in the outbox.
const WAITS: &str = "outbox: RECORD SUBMIT waits";

/// It was answered.
const DONE: &str = "outbox: RECORD SUBMIT: ";

fn lets_in_who_has_a_pass(scene: &Scene) {
    assert!(scene.turned_away().starts_with("You cannot come in: "));
    let mut bob = scene.bob();
    assert_eq!(scene.where_bob_is(), json!(["Zoo"]));
    // He has no connection but the one to the world.
    let mut alice = scene.alice();
    alice.ok("TELL", json!({"to": "bob", "body": "Come home"}));
    bob.expect("[tell] alice: Come home\n");
    scene.backend.ctl(&["broadcast", "Soon"]);
    bob.expect("[broadcast] the backend: Soon\n");
    bob.send("How are you?\n");
    bob.expect("Bob: How are you?\n");
    // In a second time: that is one player, and the first one is not taken for him.
    let mut second = scene.bob();
    bob.until("second time.\n");
    bob.expect_end();
    assert_eq!(scene.where_bob_is(), json!(["Zoo"]));
    second.finish();
    second.expect_end();
    // What the host asks for somebody else now is behind what it has said of him.
    assert!(scene.turned_away().starts_with("You cannot come in: "));
    assert_eq!(scene.where_bob_is(), json!([]));
    // A visitor becomes a player in the world, and has rights there.
    let mut zed = scene.backend.program();
    zed.ok("VISITOR", json!({"name": "zed"}));
    let mut there = scene.enters(&mut zed, "visitor:zed");
    scene.until("event: guest_registered\n", || {
        zed.ok("REGISTER", json!({"name": "Zora", "password": "secret-of-Zora"}));
    });
    there.send("Hello\n");
    there.until("Zora: Hello\n");
    scene.until("event: guest_rights\n", || drop(scene.backend.ctl(&["right", "grant", "zora", "vip"])));
    scene.until("event: world_changed\n", || drop(scene.backend.ctl(&["world", "change", "zoo", "--users", "7"])));
    let text = scene.host.stdout.text() + &scene.host.stderr.text();
    assert!(scene.secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    scene.until("Zoo is closed", || drop(scene.backend.ctl(&["world", "disable", "zoo"])));
    there.rest();
}

fn counts_each_score_once(mut scene: Scene) {
    let mut bob = scene.bob();
    scene.until(DONE, || {
        scene.backend.over_the_death_of_the_handler(|| scene.until(WAITS, || bob.send("score 1\n")));
    });
    assert_eq!(scene.sum(), 1);
    // It is done, and only the host does not know.
    scene.way.lose("\"board\": \"sums\"");
    let mark = scene.host.stdout.mark();
    scene.until("no connection", || bob.send("score 10\n"));
    scene.host.stdout.wait_after(mark, "Zoo is open again");
    scene.host.stdout.wait_after(mark, DONE);
    assert_eq!((scene.sum(), scene.where_bob_is()), (11.into(), json!(["Zoo"])));
    // The whole backend goes, and knows of nobody afterwards.
    let mark = scene.host.stdout.mark();
    scene.backend.stop();
    scene.host.stdout.wait_after(mark, "no connection");
    scene.until(WAITS, || bob.send("score 100\n"));
    scene.backend.start_again();
    scene.host.stdout.wait_after(mark, "Zoo is open");
    scene.host.stdout.wait_after(mark, DONE);
    bob.until("Come again with a new pass");
    bob.rest();
    assert_eq!((scene.sum(), scene.where_bob_is()), (111.into(), json!([])));
    // The host goes as well.
    let mut bob = scene.bob();
    scene.backend.stop();
    scene.until(WAITS, || bob.send("score 1000\n"));
    scene.host.signal(Signal::SIGKILL);
    scene.host.wait();
    scene.backend.start_again();
    scene.host = Scene::start(&scene.backend, scene.name);
    scene.host.stdout.wait(DONE);
    assert_eq!(scene.sum(), 1111);
}

fn sends_what_is_behind_something_that_cannot_be_sent(scene: &Scene) {
    let mut bob = scene.bob();
    bob.send(b"score \xff\n");
    bob.until("UTF-8");
    bob.send(format!("mail bob {}\n", "\u{e9}".repeat(LONG)));
    bob.until("too long");
    // As JSON, each of them is six bytes.
    bob.send(format!("mail bob {}\n", "\u{1}".repeat(LONG)));
    bob.until("too long");
    scene.until(DONE, || bob.send("score 1\n"));
    assert_eq!((scene.sum(), scene.where_bob_is()), (1.into(), json!(["Zoo"])));
}

/// What an older program, or a person, has put into the outbox: the backend answers the first one without its id.
fn an_old_outbox() -> [Value; 2] {
    let body = "\u{e9}".repeat(5 * LONG);
    [
        json!({"key": "1", "cmd": "MAIL SEND", "args": {"to": "bob", "body": body, "subject": "From bob"}}),
        json!({"key": "2", "cmd": "RECORD SUBMIT", "args": {"board": "sums", "score": "10", "player": "bob"}}),
    ]
}

fn drops_what_is_refused_without_an_id(scene: &Scene) {
    scene.host.stdout.wait("outbox: MAIL SEND: ");
    scene.host.stdout.wait(DONE);
    assert_eq!(scene.sum(), 10);
}

/// Nobody stays at the door of a host who waits a second for a pass, whatever he says.
fn does_not_wait_for_a_pass(scene: &Scene) {
    let cries = "\u{e9}".repeat(LONG);
    for (said, told) in [(&b""[..], "pass"), (b"\xff\xfe\n", "UTF-8"), (b"pass-", "pass"), (cries.as_bytes(), "pass")] {
        let mut stranger = scene.at_the_door();
        stranger.send(said);
        let answer = stranger.rest();
        assert!(answer.contains(told), "{answer}");
    }
    let mut stranger = scene.at_the_door();
    stranger.send(format!("{cries}\n"));
    stranger.until("too long");
    stranger.rest();
    let mut stranger = scene.at_the_door();
    // It may be closed before all of this is there.
    let _ = stranger.stream.write_all(&[b'x'; 10 * LONG]);
    stranger.rest();
    assert!(scene.turned_away().starts_with("You cannot come in: "));
}

/// There is room for two.
fn has_room_for_so_many(scene: &Scene) {
    let mut bob = scene.bob();
    let mut silent = scene.at_the_door();
    let mut third = scene.at_the_door();
    assert!(third.rest().starts_with("There is no room"));
    bob.send("Hello\n");
    bob.expect("Bob: Hello\n");
    silent.finish();
    silent.rest();
    assert!(scene.turned_away().starts_with("You cannot come in: "));
}

#[test]
fn the_host_in_python_sends_what_is_behind_something_that_cannot_be_sent() {
    if let Some(scene) = Scene::new("host.py") {
        sends_what_is_behind_something_that_cannot_be_sent(&scene);
    }
}

#[test]
fn the_host_in_lua_sends_what_is_behind_something_that_cannot_be_sent() {
    if let Some(scene) = Scene::new("host.lua") {
        sends_what_is_behind_something_that_cannot_be_sent(&scene);
    }
}

#[test]
fn the_host_in_python_drops_what_is_refused_without_an_id() {
    if let Some(scene) = Scene::with("host.py", &json!({}), &an_old_outbox()) {
        drops_what_is_refused_without_an_id(&scene);
    }
}

#[test]
fn the_host_in_lua_drops_what_is_refused_without_an_id() {
    if let Some(scene) = Scene::with("host.lua", &json!({}), &an_old_outbox()) {
        drops_what_is_refused_without_an_id(&scene);
    }
}

#[test]
fn the_host_in_python_does_not_wait_for_a_pass() {
    if let Some(scene) = Scene::with("host.py", &json!({"pass_seconds": 1}), &[]) {
        does_not_wait_for_a_pass(&scene);
    }
}

#[test]
fn the_host_in_lua_does_not_wait_for_a_pass() {
    if let Some(scene) = Scene::with("host.lua", &json!({"pass_seconds": 1}), &[]) {
        does_not_wait_for_a_pass(&scene);
    }
}

#[test]
fn the_host_in_python_has_room_for_so_many() {
    if let Some(scene) = Scene::with("host.py", &json!({"guests": 2}), &[]) {
        has_room_for_so_many(&scene);
    }
}

#[test]
fn the_host_in_lua_has_room_for_so_many() {
    if let Some(scene) = Scene::with("host.lua", &json!({"guests": 2}), &[]) {
        has_room_for_so_many(&scene);
    }
}

#[test]
fn the_host_in_python_lets_in_who_has_a_pass() {
    if let Some(scene) = Scene::new("host.py") {
        lets_in_who_has_a_pass(&scene);
    }
}

#[test]
fn the_host_in_python_counts_each_score_once() {
    if let Some(scene) = Scene::new("host.py") {
        counts_each_score_once(scene);
    }
}

#[test]
fn the_host_in_lua_lets_in_who_has_a_pass() {
    if let Some(scene) = Scene::new("host.lua") {
        lets_in_who_has_a_pass(&scene);
    }
}

#[test]
fn the_host_in_lua_counts_each_score_once() {
    if let Some(scene) = Scene::new("host.lua") {
        counts_each_score_once(scene);
    }
}
