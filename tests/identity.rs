//! Who a session is, and how others see it, does not change with a death of the handler.

use crate::harness::{Backend, GameServer, Program, Wire, has, run};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use std::sync::mpsc::channel;

#[test]
fn who_somebody_is_changes_once_while_the_handler_dies() {
    let backend = Backend::start();
    let mut alice = backend.program();
    let secret = |name: &str| json!({"name": name, "password": format!("secret-of-{name}")});
    let reply = alice.ask_over_death(&backend, "REGISTER", &secret("alice"));
    assert_eq!(reply["state"], "OK", "{reply}");
    assert_eq!(reply["data"]["player"], "alice", "{reply}");
    let args = json!({"old": "secret-of-alice", "new": "new-secret"});
    assert_eq!(alice.ask_over_death(&backend, "PASSWORD", &args)["state"], "OK");
    assert_eq!(alice.ask_over_death(&backend, "LOGOUT", &json!({}))["state"], "OK");
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], Value::Null);
    let reply = alice.ask_over_death(&backend, "LOGIN", &json!({"name": "alice", "password": "new-secret"}));
    assert_eq!(reply["state"], "OK", "{reply}");
    assert_eq!(reply["data"]["player"], "alice", "{reply}");
    let shown = backend.ctl(&["player", "show", "alice"]);
    // The one before: who registers is in for the first time.
    assert_eq!(reply["data"]["last_login"], shown["registered"], "{shown}");
    assert_eq!(shown["times_on"], 2, "{shown}");
    let reply = alice.ask_over_death(&backend, "LOGIN", &json!({"name": "alice", "password": "wrong"}));
    assert_eq!(reply["code"], "bad_login");
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "alice");
    // HUMAN keeps the login, SERVER ends it.
    backend.over_the_death_of_the_handler(|| alice.send_line("{\"cmd\": \"MODE\", \"args\": \"SERVER\"}"));
    assert_eq!(alice.reply()["state"], "OK");
    // The worker has answered that by itself; what comes behind waits until the handler knows.
    assert_eq!(alice.fails("HW", json!({})), "not_logged_in");
    let who = backend.program().ok("WHO", json!({}));
    assert_eq!(who["total"], 0, "{who}");
    let key = backend.ctl(&["server", "add", "arena"])["key"].clone();
    let reply = alice.ask_over_death(&backend, "AUTH", &json!({"name": "arena", "key": key}));
    assert_eq!(reply["state"], "OK", "{reply}");
    assert_eq!(reply["data"]["server"], "arena", "{reply}");
    backend.kill_handler();
    assert_eq!(alice.ok("WHOAMI", json!({}))["server"], "arena");
    backend.over_the_death_of_the_handler(|| alice.send_line("{\"cmd\": \"MODE\", \"args\": \"CLIENT\"}"));
    assert_eq!(alice.reply()["state"], "OK");
    assert_eq!(alice.ok("WHOAMI", json!({}))["server"], Value::Null);
}

#[test]
fn logins_are_right_however_often_the_handler_dies_over_them() {
    let backend = Backend::start();
    let clients: Vec<Program> = (0..4).map(|_| backend.program()).collect();
    let (tell, answered) = channel();
    std::thread::scope(|scope| {
        for (thread, mut client) in clients.into_iter().enumerate() {
            let tell = tell.clone();
            scope.spawn(move || {
                for round in 0..25 {
                    let name = format!("p{thread}-{round}");
                    let args = json!({"name": name, "password": "first-secret"});
                    assert_eq!(client.ok("REGISTER", args.clone())["player"], *name);
                    client.ok("PASSWORD", json!({"old": "first-secret", "new": "second-secret"}));
                    client.ok("PASSWORD", json!({"old": "second-secret", "new": "first-secret"}));
                    client.ok("LOGOUT", json!({}));
                    let registered = client.ok("FINGER", json!({"player": name}))["registered"].clone();
                    assert_eq!(client.ok("LOGIN", args)["last_login"], registered);
                    assert_eq!(client.ok("WHOAMI", json!({}))["player"], *name);
                    let _ = tell.send(());
                }
            });
        }
        drop(tell);
        backend.kill_handler_while_they_work(&answered, 15, 6);
    });
    // Registered and logged in, each once.
    for name in (0..4).flat_map(|thread| [format!("p{thread}-0"), format!("p{thread}-12"), format!("p{thread}-24")]) {
        assert_eq!(backend.ctl(&["player", "show", &name])["times_on"], 2, "{name}");
    }
}

#[test]
fn lists_are_whole_and_times_are_old_right_after_a_death() {
    let backend = Backend::start();
    let mut players: Vec<Program> = (0..10).map(|n| backend.player(&format!("player-{n}"))).collect();
    let mut servers: Vec<GameServer> = (0..5).map(|n| backend.game_server(&format!("world-{n}"))).collect();
    for server in &mut servers {
        server.ok("STATUS SET", json!({"map": "m", "players": 0, "max": 1}));
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    servers[0].ok("RELAY SEND", json!({"channel": "lobby", "body": "x"}));
    let mut stranger = backend.program();
    let mut looked = |backend: &Backend| {
        let mut who = stranger.ok("WHO", json!({}));
        for row in who["players"].as_array_mut().unwrap() {
            row["idle"].take();
        }
        let sessions = backend.ctl(&["sessions", "list"]);
        let mut sessions: Vec<Value> = sessions.as_array().unwrap().clone();
        sessions.iter_mut().for_each(|row| drop(row["idle"].take()));
        let status = backend.ctl(&["status"]);
        let counts =
            ["clients", "players_on", "servers_on", "players", "linked", "since"].map(|name| status[name].clone());
        (
            who,
            stranger.ok("WORLDS", json!({})),
            servers[4].ok("RELAY CHANNELS", json!({})),
            sessions,
            counts[..5].to_vec(),
        )
    };
    let before = looked(&backend);
    for _ in 0..3 {
        backend.kill_handler_at_work();
        let after = looked(&backend);
        assert_eq!(after, before);
    }
    assert_eq!(servers[1].expect_event("relay")["number"], 1);
    for player in &mut players {
        player.expect_no_event("notice");
    }
}

#[test]
fn who_is_silent_stays_silent() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut arena = backend.game_server("arena");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    alice.ok("WHOAMI", json!({}));
    // The time itself is what is looked at.
    assert_eq!(alice.wire.listen(std::time::Duration::from_millis(1100)), "");
    backend.kill_handler_at_work();
    let rows = backend.ctl(&["sessions", "list"]);
    for row in rows.as_array().expect("a list") {
        assert!(row["idle"].as_u64().is_some_and(|idle| idle >= 1), "{row}");
    }
    let row = backend.program().ok("FINGER", json!({"player": "alice"}));
    assert!(row["idle"].as_u64().is_some_and(|idle| idle >= 1), "{row}");
}

#[test]
fn the_operator_sees_everybody_right_after_a_death() {
    let backend = Backend::start();
    let _players: Vec<Program> = (0..8).map(|n| backend.player(&format!("player-{n}"))).collect();
    for _ in 0..5 {
        backend.kill_handler_at_work();
        let status = backend.ctl(&["status"]);
        assert_eq!([&status["clients"], &status["linked"], &status["players_on"]], [8, 8, 8]);
    }
}

#[test]
fn who_is_logged_out_while_the_handler_is_down_stays_out() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    let mut arena = backend.game_server("arena");
    let workers = [backend.worker_of("bob"), backend.worker_of("arena")];
    // Neither hears of it from the handler that did it.
    workers.iter().for_each(|worker| kill(*worker, Signal::SIGSTOP).unwrap());
    backend.ctl(&["player", "disable", "bob", "--reason", "cheating"]);
    backend.ctl(&["server", "disable", "arena"]);
    backend.kill_handler_at_work();
    workers.iter().for_each(|worker| kill(*worker, Signal::SIGCONT).unwrap());
    for client in [&mut bob, &mut *arena] {
        client.expect_event("notice");
    }
    bob.expect_no_event("notice");
    assert_eq!(arena.fails("WHOAMI", json!({})), "not_logged_in");
    assert_eq!(backend.ctl(&["status"])["players_on"], 0);
    assert_eq!(bob.ok("WHOAMI", json!({}))["player"], Value::Null);
    assert_eq!(bob.fails("LOGIN", json!({"name": "bob", "password": "secret-of-bob"})), "denied");
    backend.ctl(&["player", "enable", "bob"]);
    backend.kill_handler();
    assert_eq!(bob.ok("WHOAMI", json!({}))["player"], Value::Null);
    bob.login("bob");
    backend.kill_handler();
    assert_eq!(bob.ok("WHOAMI", json!({}))["player"], "bob");
}

#[test]
fn what_somebody_asked_before_he_was_logged_out_is_refused_and_ends_nothing() {
    let backend = Backend::plan().config("limits.delay_notice_seconds = 1\n").start();
    let mut bob = backend.player("bob");
    let worker = backend.worker_of("bob");
    backend.over_the_death_of_the_handler(|| {
        for cmd in ["MAIL LIST", "MAIL SENT"] {
            bob.send_line(json!({"cmd": cmd}).to_string());
        }
        // Then they are on their way.
        bob.expect_event("notice");
        kill(worker, Signal::SIGSTOP).unwrap();
    });
    backend.ctl(&["player", "disable", "bob", "--reason", "cheating"]);
    kill(worker, Signal::SIGCONT).unwrap();
    for _ in 0..2 {
        assert_eq!(bob.reply()["code"], "not_logged_in");
    }
    assert_eq!(bob.ok("WHOAMI", json!({}))["player"], Value::Null);
}

#[test]
fn another_password_logs_everybody_out_but_who_has_set_it_and_a_letter_says_so() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut thief = Program::over(Wire::from("127.0.0.66", backend.at()), "CLIENT");
    thief.login("alice");
    let mut elsewhere = backend.terminal();
    elsewhere.says("LOGIN alice secret-of-alice").sees("Logged in as alice.");
    alice.ok("PASSWORD", json!({"old": "secret-of-alice", "new": "another-secret"}));
    let told = "Your password was changed on another connection.";
    assert!(thief.expect_event("notice")["msg"].as_str().is_some_and(|msg| msg.starts_with(told)));
    elsewhere.expect(told);
    assert_eq!(thief.fails("MAIL LIST", json!({})), "not_logged_in");
    assert_eq!(thief.fails("LOGIN", json!({"name": "alice", "password": "secret-of-alice"})), "bad_login");
    assert_eq!(alice.ok("WHO", json!({}))["players"].as_array().map(Vec::len), Some(1));
    let event = alice.expect_event("mail");
    has(&event, json!({"from": "the backend", "unread": 1}));
    let letter = alice.ok("MAIL READ", json!({"id": event["id"]}));
    has(&letter, json!({"from": "the backend", "subject": "Your password was changed"}));
    assert!(letter["body"].as_str().is_some_and(|body| body.contains("from 127.0.0.1.")), "{letter}");
    assert_eq!(alice.fails("MAIL REPLY", json!({"id": event["id"], "body": "It was me."})), "denied");
    alice.expect_no_event("notice");
    for _ in 0..2 {
        backend.kill_handler();
        assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "alice");
        assert_eq!(thief.ok("WHOAMI", json!({}))["player"], Value::Null);
    }
    thief.expect_no_event("notice");
    elsewhere.wire.send("LOGIN alice another-secret\r\n");
    elsewhere.expect("Logged in as alice.");
}

#[test]
fn a_password_that_the_operator_sets_logs_everybody_out() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let mut set = backend.ctl_command(&["player", "set-password", "alice"]);
    run(&mut set, b"battery-staple\n").succeeds();
    let told = "Your password was changed by the operator.";
    assert!(alice.expect_event("notice")["msg"].as_str().is_some_and(|msg| msg.starts_with(told)));
    assert_eq!(alice.fails("MAIL LIST", json!({})), "not_logged_in");
    alice.ok("LOGIN", json!({"name": "alice", "password": "battery-staple"}));
    let letter = alice.ok("MAIL LIST", json!({}))["mails"][0].clone();
    assert_eq!(letter["from"], "the backend");
    let letter = alice.ok("MAIL READ", json!({"id": letter["id"]}));
    assert!(letter["body"].as_str().is_some_and(|body| body.contains("by the operator")), "{letter}");
    assert_eq!(bob.ok("WHOAMI", json!({}))["player"], "bob");
    bob.expect_no_event("notice");
}

#[test]
fn another_key_puts_the_connections_of_a_game_server_out() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut desert = backend.game_server("desert");
    arena.ok("STATUS SET", json!({"map": "m", "players": 0, "max": 1}));
    let key = backend.ctl(&["server", "rotate-key", "arena"])["key"].clone();
    assert!(arena.expect_event("notice")["msg"].as_str().is_some_and(|msg| msg.contains("key")));
    assert_eq!(arena.fails("WORLDS", json!({})), "not_logged_in");
    assert_eq!(desert.ok("WORLDS", json!({}))["worlds"], json!([]));
    backend.kill_handler();
    let old = arena.key.clone();
    assert_eq!(arena.fails("AUTH", json!({"name": "arena", "key": old})), "bad_login");
    arena.ok("AUTH", json!({"name": "arena", "key": key}));
    assert_eq!(desert.ok("WHOAMI", json!({}))["server"], "desert");
    desert.expect_no_event("notice");
}

#[test]
fn who_is_on_by_an_old_password_is_out_also_if_the_handler_dies_before_he_hears_of_it() {
    let backend = Backend::start();
    let mut thief = backend.player("alice");
    let mut arena = backend.game_server("arena");
    let workers = [backend.worker_of("alice"), backend.worker_of("arena")];
    let mut alice = backend.player_again("alice");
    // Neither hears of it from the handler that did it.
    workers.iter().for_each(|worker| kill(*worker, Signal::SIGSTOP).unwrap());
    alice.ok("PASSWORD", json!({"old": "secret-of-alice", "new": "another-secret"}));
    backend.ctl(&["server", "rotate-key", "arena"]);
    backend.kill_handler_at_work();
    workers.iter().for_each(|worker| kill(*worker, Signal::SIGCONT).unwrap());
    for client in [&mut thief, &mut *arena] {
        client.expect_event("notice");
    }
    assert_eq!(thief.ok("WHOAMI", json!({}))["player"], Value::Null);
    assert_eq!(arena.fails("WHOAMI", json!({})), "not_logged_in");
    thief.expect_no_event("notice");
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "alice");
    alice.expect_no_event("notice");
}
