//! What the operator does to the whole: reads the settings again, ends it; and to who is connected.

use crate::harness::{Backend, GREETING, Wire, has, run};
use serde_json::{Value, json};

/// What `sessions list` says of whoever this is.
fn row_of(backend: &Backend, who: &str) -> Value {
    let sessions = backend.ctl(&["sessions", "list"])["sessions"].take();
    let row = sessions.as_array().expect("a list").iter().find(|row| row["who"] == who).cloned();
    row.unwrap_or_else(|| panic!("{who} is not in {sessions}"))
}

#[test]
fn reload_says_what_was_taken_and_what_is_wrong() {
    let backend = Backend::start();
    assert_eq!(backend.ctl(&["reload"])["changed"], json!([]));
    backend.write_config("limits.clients_per_address = 1\n");
    assert_eq!(backend.ctl(&["reload"])["changed"], json!(["limits.clients_per_address"]));
    // It holds when the command has ended.
    let _first = backend.program();
    assert!(Wire::to(backend.at()).rest().contains("Too many connections."));
    backend.write_config("limits.clients_per_address = 9\nlimits.clints = 3\n[log]\nlevel = \"loud\"\n");
    assert_eq!(backend.ctl_fails(&["reload"]), "invalid");
    let told = backend.operator(&["reload"]).ends_with(1);
    assert!(told.err.contains("limits.clints") && told.err.contains("loud") && told.out.is_empty(), "{told:?}");
    backend.log().wait("limits.clints");
    assert!(Wire::to(backend.at()).rest().contains("Too many connections."), "something of it was taken");
    // What takes a restart is told as well.
    backend.write_config("processes.sandbox = false\n");
    let told = backend.ctl(&["reload"]);
    let warnings = told["warnings"].as_array().expect("a list");
    assert!(warnings.iter().any(|it| it.as_str().is_some_and(|it| it.contains("take a restart"))), "{told}");
    backend.operator(&["reload"]).succeeds().prints("take a restart");
    backend.write_config("players.hash_threads = 7\n");
    let told = backend.ctl(&["reload"]);
    let threads = "players.hash_threads: another number takes a restart";
    assert_eq!((&told["changed"], &told["warnings"][1]), (&json!([]), &json!(threads)), "{told}");
}

#[test]
fn reload_is_no_success_where_a_door_cannot_be_opened_and_what_it_says_stays_to_be_done() {
    let backend = Backend::start();
    let taken = std::net::TcpListener::bind((backend.at().ip(), 0)).expect("a port");
    let at = taken.local_addr().expect("an address");
    backend.write_config(&format!("limits.clients_per_address = 9\nmetrics.address = \"{at}\"\n"));
    let told = backend.operator(&["reload"]).ends_with(1);
    assert!(told.err.contains("Not all was changed") && told.err.contains(&at.to_string()), "{told:?}");
    assert!(told.err.ends_with("Changed: limits.clients_per_address.\n"), "{told:?}");
    drop(taken);
    assert_eq!(backend.ctl(&["reload"])["changed"], json!(["metrics.address"]));
}

#[test]
fn stop_ends_everything_in_order_and_waits_for_the_end() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    let refused = backend.operator(&["stop"]).ends_with(2).complains("--yes");
    assert!(refused.out.is_empty(), "{refused:?}");
    alice.ok("PING", json!({}));
    let (listener, handler) = (backend.pid(), backend.handler());
    backend.operator(&["stop", "--yes"]).succeeds().prints("Everything has ended.");
    assert!(!std::path::Path::new(&format!("/proc/{handler}")).exists(), "the handler lives");
    assert_eq!(backend.wait(), Some(0), "listener {listener}");
    assert!(alice.wire.rest().contains("going down"));
    assert_eq!(backend.operator(&["status"]).code, 3);
    backend.start_again();
    assert_eq!(backend.player_again("alice").ok("SETTING GET", json!({"key": "k"}))["value"], "v");
    assert!(backend.ctl(&["stop", "--yes"]).is_null(), "there is nothing to say besides");
    assert_eq!(backend.wait(), Some(0));
}

#[test]
fn without_a_listener_nothing_is_reloaded_or_stopped_and_it_is_told() {
    let mut backend = Backend::start();
    backend.kill_listener();
    for words in [&["reload"][..], &["stop", "--yes"]] {
        assert_eq!(backend.ctl_fails(words), "unavailable", "{words:?}");
    }
    backend.next_listener();
    backend.ctl(&["reload"]);
}

#[test]
fn a_session_keeps_its_number_over_the_death_of_the_handler_and_an_upgrade() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let before = [row_of(&backend, "alice"), row_of(&backend, "bob")];
    assert_ne!(before[0]["session"], before[1]["session"]);
    backend.kill_handler();
    alice.ok("PING", json!({}));
    bob.ok("WHO", json!({}));
    alice.ok("WHO", json!({}));
    assert_eq!(row_of(&backend, "alice")["session"], before[0]["session"]);
    backend.upgrade_to("9.9.9");
    for _ in 0..2 {
        backend.log().wait("goes on with the client of worker");
    }
    alice.ok("WHO", json!({}));
    for (who, before) in ["alice", "bob"].into_iter().zip(&before) {
        let now = row_of(&backend, who);
        assert_eq!((&now["session"], &now["address"]), (&before["session"], &before["address"]));
    }
    let number = before[1]["session"].to_string();
    let ended = backend.ctl(&["sessions", "kick", &number, "--reason", "Time for bed."]);
    assert_eq!(ended["sessions"][0]["who"], "bob");
    assert!(bob.wire.rest().contains("Time for bed."));
    alice.ok("PING", json!({}));
}

#[test]
fn connections_are_ended_by_who_it_is_and_by_address() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut zed = backend.visitor("zed");
    let mut arena = backend.game_server("arena");
    let elsewhere = || {
        let mut wire = Wire::from("127.0.0.9", backend.at());
        wire.until(GREETING);
        wire
    };
    let (mut one, mut two) = (elsewhere(), elsewhere());
    let kick = |target: &str| backend.ctl(&["sessions", "kick", target, "--reason", "So long."])["sessions"].take();
    let count = |sessions: Value| sessions.as_array().map(Vec::len);
    assert_eq!(count(kick("127.0.0.9")), Some(2));
    for wire in [&mut one, &mut two] {
        assert!(wire.rest().contains("So long."));
    }
    let mut three = elsewhere();
    let address = three.stream.local_addr().expect("an address").to_string();
    assert_eq!(kick(&address)[0]["address"], address);
    assert!(three.rest().contains("So long."));
    assert_eq!(kick("ALICE")[0]["who"], "alice");
    assert_eq!(alice.expect_event("notice")["msg"], "So long.");
    assert_eq!(kick("visitor:Zed")[0]["who"], "visitor:zed");
    assert_eq!(zed.expect_event("notice")["msg"], "So long.");
    assert_eq!(kick("server:arena")[0]["who"], "arena");
    assert_eq!(arena.expect_event("notice")["msg"], "So long.");
    backend.log().wait("event=kick");
    backend.log().wait("So long.");
    for nobody in ["99", "nobody", "127.0.0.9", "127.0.0.9:1", "visitor:nobody", "alice"] {
        assert_eq!(backend.ctl_fails(&["sessions", "kick", nobody]), "not_found", "{nobody}");
    }
    backend.operator(&["sessions", "kick", "alcie"]).ends_with(1).complains("Did you mean alice?");
}

#[test]
fn players_are_made_and_found() {
    let backend = Backend::plan().config("players.registration = false\nplayers.reserved_names = \"admin\"\n").start();
    let add = |words: &[&str], input: &[u8]| {
        let words = [&["--json", "player", "add"][..], words].concat();
        run(&mut backend.ctl_command(&words), input)
    };
    let made = add(&["Alice", "--email", "a@example.org"], b"secret-of-alice\n").succeeds();
    assert_eq!(serde_json::from_str::<Value>(&made.out).unwrap()["data"]["player"], "Alice");
    add(&["alina", "--password-stdin"], b"secret-of-alina\n").succeeds();
    let refused = |words: &[&str], input: &[u8], code: &str| {
        let told = add(words, input).ends_with(1);
        assert_eq!(serde_json::from_str::<Value>(&told.out).unwrap()["code"], code, "{told:?}");
        assert!(!told.out.contains("secret"), "{told:?}");
    };
    refused(&["ALICE"], b"secret-of-alice\n", "exists");
    refused(&["bob"], b"short\n", "invalid");
    refused(&["bob"], b"", "invalid");
    refused(&["admin"], b"secret-of-admin\n", "invalid");
    refused(&["a b"], b"secret-of-admin\n", "invalid");
    backend.operator(&["player", "add", "bob", "secret-of-bob"]).ends_with(2);
    let shown = backend.ctl(&["player", "show", "alice"]);
    has(&shown, json!({"player": "Alice", "email": "a@example.org", "sessions": 0, "last_login": null, "times_on": 0}));
    backend.program().ok("LOGIN", json!({"name": "alice", "password": "secret-of-alice"}));
    let text = backend.log().text();
    assert!(!text.contains("secret-of"), "{text}");

    let find = |words: &[&str]| -> (Vec<String>, Value) {
        let page = backend.ctl(&[&["player", "search"][..], words].concat());
        let names = page["players"].as_array().expect("a list").iter();
        (names.map(|row| row["player"].as_str().expect("a name").to_owned()).collect(), page["next"].clone())
    };
    assert_eq!(find(&["ALI"]), (vec!["Alice".to_owned(), "alina".to_owned()], Value::Null));
    assert_eq!(find(&["*na"]).0, ["alina"]);
    assert_eq!(find(&["ali?e"]).0, ["Alice"]);
    assert_eq!(find(&["x"]).0, Vec::<String>::new());
    assert_eq!(find(&["a*", "--limit", "1"]), (vec!["Alice".to_owned()], json!("Alice")));
    assert_eq!(find(&["a*", "--limit", "1", "--after", "Alice"]), (vec!["alina".to_owned()], Value::Null));
    assert_eq!(backend.ctl_fails(&["player", "search", &"*a".repeat(20)]), "invalid");
    backend.operator(&["player", "show", "alcie"]).ends_with(1).complains("Did you mean Alice?");
}

#[test]
fn a_broadcast_needs_no_quotes() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    backend.operator(&["broadcast", "Down", "at", "eight"]).succeeds().prints("Sent to 1 connection.");
    assert_eq!(alice.expect_event("broadcast")["body"], "Down at eight");
}
