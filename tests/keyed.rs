//! Clients' own keys for RELAY SEND and TELL, which leave nothing on disk but that.

use crate::harness::{Backend, GameServer, Program};
use serde_json::{Value, json};

/// Asks under a key of the client's own.
fn keyed(program: &mut Program, key: &str, cmd: &str, args: Value) -> Value {
    program.send_line(json!({"cmd": cmd, "key": key, "args": args}).to_string());
    program.reply()
}

#[test]
fn a_message_is_sent_once_under_its_key() {
    let mut backend = Backend::start();
    let mut arena = GameServer::added(&backend, "arena");
    let mut desert = GameServer::added(&backend, "desert");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    let (name, key) = ("desert", desert.key.clone());
    let message = || json!({"channel": "lobby", "body": "once"});
    let first = keyed(&mut desert, "k", "RELAY SEND", message());
    assert_eq!((&first["state"], &first["data"]["number"]), (&"OK".into(), &1.into()), "{first}");
    assert_eq!(keyed(&mut desert, "k", "RELAY SEND", message()), first);
    let other = keyed(&mut desert, "k", "RELAY SEND", json!({"channel": "lobby", "body": "twice"}));
    assert_eq!(other["code"], "conflict", "{other}");
    drop(desert);
    let mut desert = GameServer::with_key(&backend, name, key.clone());
    assert_eq!(keyed(&mut desert, "k", "RELAY SEND", message()), first);
    backend.kill_handler();
    assert_eq!(keyed(&mut desert, "k", "RELAY SEND", message()), first);
    assert_eq!(arena.expect_event("relay")["body"], "once");
    arena.expect_no_event("relay");
    // Another server's key is another key.
    assert_eq!(keyed(&mut arena, "k", "RELAY SEND", message())["data"]["number"], 2);
    // To one server alone.
    let alone = || json!({"to": "arena", "body": "alone"});
    let first_alone = keyed(&mut desert, "l", "RELAY SEND", alone());
    assert_eq!(keyed(&mut desert, "l", "RELAY SEND", alone()), first_alone);
    assert_eq!(arena.expect_event("relay")["body"], "alone");
    arena.expect_no_event("relay");
    drop((arena, desert));
    backend.restart();
    let mut desert = GameServer::with_key(&backend, name, key);
    assert_eq!(keyed(&mut desert, "k", "RELAY SEND", message()), first);
}

#[test]
fn the_first_message_of_all_waits_for_its_number_to_be_saved_and_is_sent_once() {
    let backend = Backend::start();
    let mut arena = GameServer::added(&backend, "arena");
    // The channel is made with it, so that nothing has asked for numbers before; both are under way at once.
    let line = json!({"cmd": "RELAY SEND", "key": "k", "args": {"channel": "lobby", "body": "once"}}).to_string();
    arena.send_line(&line);
    arena.send_line(&line);
    let (first, second) = (arena.reply(), arena.reply());
    assert_eq!((&first["data"]["number"], &second), (&1.into(), &first));
    let data = arena.ok("RELAY JOIN", json!({"channel": "lobby", "since": 0}));
    assert_eq!((&data["number"], &data["missed"]), (&1.into(), &0.into()));
}

#[test]
fn a_tell_is_told_once_under_its_key() {
    let backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    let mut bob = Program::registered(&backend, "bob");
    let tell = || json!({"to": "alice", "body": "psst"});
    let first = keyed(&mut bob, "k", "TELL", tell());
    assert_eq!(first["state"], "OK", "{first}");
    backend.kill_handler();
    assert_eq!(keyed(&mut bob, "k", "TELL", tell()), first);
    let mut again = Program::logged_in(&backend, "bob");
    assert_eq!(keyed(&mut again, "k", "TELL", tell()), first);
    assert_eq!(keyed(&mut again, "k", "TELL", json!({"to": "alice", "body": "PSST"}))["code"], "conflict");
    assert_eq!(alice.expect_event("tell")["body"], "psst");
    alice.expect_no_event("tell");
    // What was refused may be tried again.
    let to_carol = || json!({"to": "carol", "body": "psst"});
    assert_eq!(keyed(&mut bob, "m", "TELL", to_carol())["code"], "not_found");
    let mut carol = Program::registered(&backend, "carol");
    assert_eq!(keyed(&mut bob, "m", "TELL", to_carol())["state"], "OK");
    assert_eq!(carol.expect_event("tell")["body"], "psst");
}
