//! After an upgrade idle workers let workers of the new program go on with their clients: nobody loses or gets twice what was
//! said to him, and is who he was.

use crate::harness::{Backend, GREETING, GameServer, Person, Program, Wire, program_of_version};
use serde_json::{Value, json};

/// Another version: as long as this one's, since it is written over it.
const OTHER: &str = "9.8.7";
const THIS: &str = env!("CARGO_PKG_VERSION");

fn upgrade_to(backend: &Backend, version: &str) {
    let path = backend.file(version);
    program_of_version(version, &path);
    let done = backend.ctl(&["upgrade", "--binary", path.to_str().expect("a path")]);
    assert_eq!(done["to"], version);
}

/// Process id and version of each worker, the oldest connection first.
fn workers(backend: &Backend) -> Vec<(i64, String)> {
    let list = backend.ctl(&["sessions", "list"]);
    let row = |row: &Value| (row["pid"].as_i64().unwrap(), row["version"].as_str().unwrap().to_owned());
    list.as_array().unwrap().iter().map(row).collect()
}

/// The versions alone.
fn versions(backend: &Backend) -> Vec<String> {
    workers(backend).into_iter().map(|(_, version)| version).collect()
}

/// Waits until so many clients have moved since.
fn wait_for_moves(backend: &Backend, mark: usize, count: usize) {
    let all = |text: &str| (text.matches(MOVED).count() >= count).then_some(());
    backend.log().find_after(mark, &format!("{count} moves"), all);
}

/// What the log says of each client that has moved.
const MOVED: &str = "goes on with the client of worker";

#[test]
fn idle_workers_are_followed_and_nobody_notices() {
    let backend = Backend::plan().config("limits.clients_per_address = 6\n").start();
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let mut anyone = Program::at(&backend);
    let mut alice = Person::at(&backend).register("alice");
    let mut bob = Program::registered(&backend, "bob");
    backend.board("race");
    bob.ok("RECORD WATCH", json!({"board": "race"}));
    let mut arena = GameServer::added(&backend, "arena");
    let mut desert = GameServer::added(&backend, "desert");
    for server in [&mut arena, &mut desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let session = bob.ok("WHOAMI", json!({}));
    let before = workers(&backend);
    for (round, version) in [OTHER, THIS, OTHER].into_iter().enumerate() {
        let mark = backend.log().mark();
        upgrade_to(&backend, version);
        wait_for_moves(&backend, mark, 6);
        assert_eq!(versions(&backend), [version; 6]);
        assert_eq!(backend.ctl(&["status"])["clients"], 6);
        assert!(Wire::to(backend.at()).rest().contains("Too many connections."));
        assert_eq!(bob.ok("WHOAMI", json!({})), session);
        bob.ok("TELL", json!({"to": "alice", "body": "still there?"}));
        alice.expect("still there?");
        alice.answer();
        assert!(alice.ask("TELL bob yes").contains("bob"));
        assert_eq!(bob.expect_event("tell")["body"], "yes");
        desert.ok("RELAY SEND", json!({"channel": "lobby", "body": round.to_string()}));
        assert_eq!(arena.expect_event("relay")["body"], round.to_string());
        anyone.ok("WHO", json!({}));
        anyone.fails("MAIL LIST", json!({}));
    }
    let after = workers(&backend);
    assert!(before.iter().all(|old| !after.contains(old)), "{before:?} {after:?}");
    silent.send("MODE CLIENT\r\n{\"cmd\": \"WHO\"}\r\n");
    silent.until("alice");
    assert!(!backend.log().text().contains("Disconnected"), "{}", backend.log().text());
    // Whoever has moved is one of the listener's own, whose end is noticed, and whom it may end.
    backend.see_off(silent);
    let pid = after[2].0.to_string();
    backend.ctl(&["sessions", "kick", &pid]);
    alice.wire.rest();
    backend.log().wait("Disconnected (4/");
    assert_eq!(backend.ctl(&["status"])["clients"], 4);
}
