//! What the operator does to players, boards and sessions.

use crate::harness::{Backend, Output, Program, has, run};
use serde_json::{Value, json};

#[test]
fn players() {
    let backend = Backend::start();
    let mut program = backend.program();
    for name in ["alice", "bob", "carol"] {
        program
            .ok("REGISTER", json!({"name": name, "password": "correct-horse", "email": format!("{name}@example.org")}));
    }
    let page = backend.ctl(&["player", "list", "--limit", "2"]);
    assert_eq!(page["players"][1]["player"], "bob");
    assert_eq!(page["next"], "bob");
    let page = backend.ctl(&["player", "list", "--after", "bob"]);
    assert_eq!((page["players"].as_array().map(Vec::len), &page["next"]), (Some(1), &Value::Null));
    let shown = backend.ctl(&["player", "show", "CAROL"]);
    has(&shown, json!({"email": "carol@example.org", "sessions": 1}));
    assert!(!shown.to_string().contains("argon2"), "{shown}");
    assert_eq!(backend.ctl_fails(&["player", "show", "nobody"]), "not_found");
}

#[test]
fn a_disabled_player_is_logged_out_and_stays_out() {
    let backend = Backend::start();
    let mut mallory = backend.person("mallory");
    let mut program = backend.player_again("mallory");
    backend.ctl(&["player", "disable", "mallory", "--reason", "Three warnings."]);
    mallory.expect("Three warnings.");
    program.expect_event("notice");
    assert_eq!(program.fails("MAIL LIST", json!({})), "not_logged_in");
    let reply = program.ask("LOGIN", json!({"name": "mallory", "password": "secret-of-mallory"}));
    assert_eq!(reply["code"], "denied");
    assert!(reply["msg"].as_str().is_some_and(|msg| msg.contains("Three warnings.")), "{reply}");
    // Who does not know the password does not learn of it either.
    assert_eq!(program.fails("LOGIN", json!({"name": "mallory", "password": "wrong-guess"})), "bad_login");
    assert_eq!(backend.ctl(&["player", "show", "mallory"])["disabled"], "Three warnings.");
    backend.ctl(&["player", "enable", "mallory"]);
    program.login("mallory");
    assert_eq!(backend.ctl_fails(&["player", "disable", "nobody"]), "not_found");
}

#[test]
fn a_disabled_player_keeps_his_scores_and_gets_nothing_new() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut mallory = backend.player("mallory");
    let mut alice = backend.player("alice");
    let mut arena = backend.game_server("arena");
    mallory.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 5}));
    mallory.ok("MAIL SEND", json!({"to": "alice", "body": "hello"}));
    backend.ctl(&["player", "disable", "mallory", "--reason", "Three warnings."]);
    let refused = |program: &mut Program, cmd: &str, args: Value| {
        let reply = program.ask(cmd, args);
        assert!(
            reply["code"] == "denied" && reply["msg"].to_string().contains("mallory is disabled"),
            "{cmd}: {reply}"
        );
    };
    refused(&mut arena, "RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "mallory"}));
    refused(&mut arena, "MAIL SEND", json!({"to": "mallory", "body": "hello"}));
    refused(&mut alice, "MAIL SEND", json!({"to": "mallory", "body": "hello"}));
    refused(&mut alice, "MAIL REPLY", json!({"id": 1, "body": "hello"}));
    refused(&mut alice, "MAIL FORWARD", json!({"id": 1, "to": "mallory"}));
    refused(&mut alice, "TELL", json!({"to": "mallory", "body": "hello"}));
    backend.kill_handler();
    refused(&mut arena, "RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "mallory"}));
    let show = json!({"board": "sprint", "player": "mallory"});
    assert_eq!(alice.ok("RECORD SHOW", show.clone())["score"], 5);
    backend.ctl(&["player", "enable", "mallory"]);
    arena.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "mallory"}));
    assert_eq!(alice.ok("RECORD SHOW", show)["score"], 1);
    alice.ok("MAIL SEND", json!({"to": "mallory", "body": "hello"}));
    assert_eq!(alice.fails("TELL", json!({"to": "mallory", "body": "hello"})), "not_found");
}

#[test]
fn a_password_is_set_from_standard_input() {
    let backend = Backend::start();
    drop(backend.player("alice"));
    let set = |name: &str, input: &[u8]| -> Output {
        run(&mut backend.ctl_command(&["--json", "player", "set-password", name]), input)
    };
    set("alice", b"battery-staple\n").succeeds();
    let mut alice = backend.program();
    assert_eq!(alice.fails("LOGIN", json!({"name": "alice", "password": "secret-of-alice"})), "bad_login");
    alice.ok("LOGIN", json!({"name": "alice", "password": "battery-staple"}));
    for (name, input) in [("alice", &b""[..]), ("alice", b"\n"), ("alice", b"short\n"), ("nobody", b"battery-staple\n")]
    {
        let output = set(name, input).ends_with(1);
        assert!(!output.out.contains("short\""), "{output:?}");
    }
    let words = ["player", "set-password", "alice", "on-the-command-line"];
    backend.operator(&words).ends_with(2);
}

#[test]
fn boards() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1}));
    bob.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 2}));
    let row = backend.ctl(&["board", "list"])["boards"][0].clone();
    has(&row, json!({"board": "sprint", "better": "lower", "total": 2}));
    // What stands on it would lose its meaning.
    let change = ["board", "define", "sprint", "--unit", "ms", "--better", "higher"];
    assert_eq!(backend.ctl_fails(&change), "denied");
    backend.ctl(&["board", "define", "sprint", "--unit", "s", "--better", "lower"]);
    assert_eq!(alice.fails("RECORD SUBMIT", json!({"board": "sprint", "score": 0})), "denied");

    backend.ctl(&["board", "withdraw", "sprint", "alice", "--reason", "cheated"]);
    assert_eq!(bob.ok("RECORD SHOW", json!({"board": "sprint"}))["rank"], 1);
    assert_eq!(bob.fails("RECORD SHOW", json!({"board": "sprint", "player": "alice"})), "not_found");
    let again = |player: &str| backend.ctl_fails(&["board", "withdraw", "sprint", player, "--reason", "x"]);
    assert_eq!((&*again("alice"), &*again("nobody")), ("not_found", "not_found"));
}

#[test]
fn what_was_withdrawn_stays_withdrawn() {
    let mut backend = Backend::start();
    backend.board("sprint");
    backend.player("alice").ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1}));
    backend.ctl(&["board", "withdraw", "sprint", "alice", "--reason", "cheated"]);
    backend.restart();
    let mut alice = backend.player_again("alice");
    assert_eq!(alice.ok("RECORD TOP", json!({"board": "sprint"}))["total"], 0);
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 5}));
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sprint"}))["score"], 5);
}

fn session_of(backend: &Backend, matches: impl Fn(&Value) -> bool) -> String {
    let sessions = backend.ctl(&["sessions", "list"])["sessions"].take();
    let found = sessions.as_array().unwrap().iter().find(|row| matches(row));
    found.unwrap_or_else(|| panic!("{sessions}"))["session"].to_string()
}

#[test]
fn sessions_are_listed_and_ended() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    let sessions = backend.ctl(&["sessions", "list"])["sessions"].take();
    let row = sessions.as_array().unwrap().iter().find(|row| row["who"] == "alice").unwrap();
    assert_eq!(
        (&row["mode"], row["address"].as_str().map(|it| it.starts_with("127.0.0.1:"))),
        (&"HUMAN".into(), Some(true))
    );
    let session = row["session"].to_string();
    backend.ctl(&["sessions", "kick", &session, "--reason", "Time for bed."]);
    alice.expect("Time for bed.");
    alice.wire.rest();
    bob.ok("PING", json!({}));
    assert_eq!(backend.ctl_fails(&["sessions", "kick", "99"]), "not_found");
    assert_eq!(bob.ok("WHO", json!({}))["total"], 1);
}

#[test]
fn who_has_not_asked_for_anything_yet_is_told_why_as_well() {
    let backend = Backend::start();
    let mut silent = backend.program();
    let session = session_of(&backend, |_| true);
    backend.ctl(&["sessions", "kick", &session, "--reason", "Time for bed."]);
    let said = silent.wire.rest();
    assert!(!said.contains("going down"), "it is told that the backend ends, which it does not: {said}");
    assert!(said.contains("Time for bed."), "{said}");
}
