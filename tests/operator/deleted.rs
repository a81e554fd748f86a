//! Boards and game servers that are deleted, or called otherwise.

use crate::harness::{Backend, Program, has};
use serde_json::json;

#[test]
fn a_board_is_cleared_and_its_watchers_know() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    alice.ok("RECORD WATCH", json!({"board": "sprint"}));
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 5}));
    alice.expect_event("record");
    assert_eq!(backend.operator(&["board", "reset", "sprint"]).code, 2, "nobody is asked");
    has(&backend.ctl(&["board", "reset", "SPRINT", "--yes"]), json!({"board": "sprint", "scores": 1}));
    assert_eq!(alice.expect_event("notice")["msg"], "All scores were taken off the board sprint.");
    for death in [false, true] {
        if death {
            backend.kill_handler();
        }
        assert_eq!(alice.ok("RECORD TOP", json!({"board": "sprint"}))["total"], 0);
        assert_eq!(alice.fails("RECORD SHOW", json!({"board": "sprint"})), "not_found");
    }
    // A worse one than before counts, and she is still told.
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 9}));
    assert!(alice.expect_event("record")["previous"].is_null());
    has(&backend.ctl(&["verify"]), json!({"ok": true, "records": 1}));
}

#[test]
fn a_board_is_called_otherwise_and_deleted() {
    let mut backend = Backend::start();
    backend.board("race");
    backend.board("lap");
    let mut alice = backend.player("alice");
    alice.ok("RECORD WATCH", json!({"board": "race"}));
    alice.ok("RECORD SUBMIT", json!({"board": "race", "score": 5}));
    alice.expect_event("record");
    assert_eq!(backend.ctl_fails(&["board", "rename", "race", "LAP"]), "exists");
    assert_eq!(backend.ctl_fails(&["board", "rename", "race", "a b"]), "invalid");
    backend.ctl(&["board", "rename", "race", "sprint"]);
    let told = alice.expect_event("notice");
    assert!(told["msg"].as_str().is_some_and(|msg| msg.contains("RECORD WATCH sprint")), "{told}");
    backend.kill_handler();
    assert_eq!(alice.fails("RECORD TOP", json!({"board": "race"})), "not_found");
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sprint"}))["score"], 5);
    // The name is free again, and is another board.
    backend.board("race");
    assert_eq!(alice.ok("RECORD TOP", json!({"board": "race"}))["total"], 0);
    backend.operator(&["board", "rename", "sprimt", "x"]).ends_with(1).complains("Did you mean sprint?");

    alice.ok("RECORD WATCH", json!({"board": "sprint"}));
    assert_eq!(backend.ctl(&["board", "delete", "sprint", "--yes"])["scores"], 1);
    assert_eq!(alice.expect_event("notice")["msg"], "The board sprint was deleted by the operator.");
    assert_eq!(alice.fails("RECORD SUBMIT", json!({"board": "sprint", "score": 1})), "not_found");
    assert_eq!(backend.ctl_fails(&["board", "delete", "sprint", "--yes"]), "not_found");
    backend.board("sprint");
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 7}));
    backend.restart();
    let mut alice = backend.player_again("alice");
    assert_eq!(alice.ok("RECORD TOP", json!({"board": "sprint"}))["total"], 1);
    has(&backend.ctl(&["verify"]), json!({"ok": true}));
}

#[test]
fn a_game_server_is_called_otherwise_while_it_is_connected() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut arena = backend.game_server("arena");
    let mut alice = backend.player("alice");
    arena.ok("STATUS SET", json!({"map": "Hall", "players": 1, "max": 9}));
    arena.ok("RELAY JOIN", json!({"channel": "chat"}));
    arena.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "alice"}));
    for (new, code) in [("alice", "exists"), ("a b", "invalid"), ("server:x", "invalid")] {
        assert_eq!(backend.ctl_fails(&["server", "rename", "arena", new]), code, "{new}");
    }
    assert_eq!(backend.ctl_fails(&["server", "rename", "nobody", "forum"]), "not_found");
    backend.ctl(&["server", "rename", "arena", "forum"]);
    let told = arena.expect_event("notice");
    assert!(told["msg"].as_str().is_some_and(|msg| msg.contains("AUTH forum")), "{told}");
    let mut worlds = |name: &str| {
        let worlds = alice.ok("WORLDS", json!({}));
        assert_eq!((&worlds["total"], &worlds["worlds"][0]["name"]), (&json!(1), &json!(name)), "{worlds}");
    };
    worlds("forum");
    arena.ok("STATUS SET", json!({"map": "Hall", "players": 2, "max": 9}));
    worlds("forum");
    for death in [false, true] {
        if death {
            backend.kill_handler();
        }
        assert_eq!(arena.ok("WHOAMI", json!({}))["server"], "forum");
        arena.ok("RELAY SEND", json!({"channel": "chat", "body": "hi"}));
    }
    worlds("forum");
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sprint"}))["server"], "forum");
    // The same key, under the new name.
    let auth =
        |name: &str| Program::in_mode(backend.at(), "SERVER").ask("AUTH", json!({"name": name, "key": arena.key}));
    assert_eq!(auth("arena")["code"], "bad_login");
    assert_eq!(auth("forum")["data"]["server"], "forum");
    backend.operator(&["server", "rename", "forun", "x"]).ends_with(1).complains("Did you mean forum?");
}

#[test]
fn a_game_server_that_is_deleted_is_out_and_its_scores_stay() {
    let mut backend = Backend::start();
    backend.board("sprint");
    let mut arena = backend.game_server("arena");
    let mut alice = backend.player("alice");
    arena.hosts("zoo", &backend.world("Zoo", "alice"));
    arena.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "alice"}));
    arena.ok("MAIL SEND", json!({"to": "alice", "subject": "s", "body": "b"}));
    arena.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    alice.expect_event("mail");
    assert_eq!(backend.operator(&["server", "delete", "arena"]).code, 2, "nobody is asked");
    backend.ctl(&["server", "delete", "ARENA", "--yes"]);
    assert_eq!(arena.expect_event("notice")["msg"], "This game server was deleted by the operator.");
    assert_eq!(arena.fails("RELAY JOIN", json!({"channel": "chat"})), "not_logged_in");
    let auth = json!({"name": "arena", "key": arena.key});
    for death in [false, true] {
        if death {
            backend.kill_handler();
        }
        assert_eq!(arena.fails("AUTH", auth.clone()), "bad_login");
        let stands = alice.ok("RECORD SHOW", json!({"board": "sprint"}));
        has(&stands, json!({"score": 1, "server": null}));
        assert_eq!(alice.ok("MAIL LIST", json!({}))["mails"], json!([]));
        has(&backend.ctl(&["world", "show", "zoo"]), json!({"host": null}));
    }
    assert_eq!(backend.ctl_fails(&["server", "delete", "arena", "--yes"]), "not_found");
    assert_eq!(backend.ctl(&["server", "list"])["servers"], json!([]));
    has(&backend.ctl(&["verify"]), json!({"ok": true}));
    // Its score can be withdrawn, and another one takes its name, which has nothing of it.
    backend.ctl(&["board", "withdraw", "sprint", "alice", "--reason", "cheated"]);
    let mut again = backend.game_server("arena");
    assert_eq!(again.fails("SETTING GET", json!({"key": "k"})), "not_found");
    backend.restart();
    has(&backend.ctl(&["verify"]), json!({"ok": true, "settings": 0}));
}
