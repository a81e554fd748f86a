//! Clients' own keys: for RELAY SEND and TELL, which leave nothing on disk but that, and that the first answer is the answer.

use crate::harness::{Backend, GameServer, Program, has};
use serde_json::{Value, json};

#[test]
fn a_message_is_sent_once_under_its_key() {
    let mut backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut desert = backend.game_server("desert");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    let (name, key) = ("desert", desert.key.clone());
    let message = || json!({"channel": "lobby", "body": "once"});
    let first = desert.ask_under("k", "RELAY SEND", &message());
    assert_eq!(first["state"], "OK", "{first}");
    assert_eq!(first["data"]["number"], 1, "{first}");
    assert_eq!(desert.ask_under("k", "RELAY SEND", &message()), first);
    let other = desert.ask_under("k", "RELAY SEND", &json!({"channel": "lobby", "body": "twice"}));
    assert_eq!(other["code"], "conflict", "{other}");
    drop(desert);
    let mut desert = GameServer::with_key(&backend, name, key.clone());
    assert_eq!(desert.ask_under("k", "RELAY SEND", &message()), first);
    backend.kill_handler();
    assert_eq!(desert.ask_under("k", "RELAY SEND", &message()), first);
    assert_eq!(arena.expect_event("relay")["body"], "once");
    arena.expect_no_event("relay");
    // Another server's key is another key.
    assert_eq!(arena.ask_under("k", "RELAY SEND", &message())["data"]["number"], 2);
    // To one server alone.
    let alone = || json!({"to": "arena", "body": "alone"});
    let first_alone = desert.ask_under("l", "RELAY SEND", &alone());
    assert_eq!(desert.ask_under("l", "RELAY SEND", &alone()), first_alone);
    assert_eq!(arena.expect_event("relay")["body"], "alone");
    arena.expect_no_event("relay");
    drop((arena, desert));
    backend.restart();
    let mut desert = GameServer::with_key(&backend, name, key);
    assert_eq!(desert.ask_under("k", "RELAY SEND", &message()), first);
}

#[test]
fn the_first_message_of_all_waits_for_its_number_to_be_saved_and_is_sent_once() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    // The channel is made with it, so that nothing has asked for numbers before; both are under way at once.
    let line = json!({"cmd": "RELAY SEND", "key": "k", "args": {"channel": "lobby", "body": "once"}}).to_string();
    arena.send_line(&line);
    arena.send_line(&line);
    let (first, second) = (arena.reply(), arena.reply());
    assert_eq!((&first["data"]["number"], &second), (&1.into(), &first));
    let data = arena.ok("RELAY JOIN", json!({"channel": "lobby", "since": 0}));
    has(&data, json!({"number": 1, "missed": 0}));
}

#[test]
fn a_tell_is_told_once_under_its_key() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let tell = || json!({"to": "alice", "body": "psst"});
    let first = bob.ask_under("k", "TELL", &tell());
    assert_eq!(first["state"], "OK", "{first}");
    backend.kill_handler();
    assert_eq!(bob.ask_under("k", "TELL", &tell()), first);
    let mut again = backend.player_again("bob");
    assert_eq!(again.ask_under("k", "TELL", &tell()), first);
    assert_eq!(again.ask_under("k", "TELL", &json!({"to": "alice", "body": "PSST"}))["code"], "conflict");
    assert_eq!(alice.expect_event("tell")["body"], "psst");
    alice.expect_no_event("tell");
    // What was refused may be tried again.
    let to_carol = || json!({"to": "carol", "body": "psst"});
    assert_eq!(bob.ask_under("m", "TELL", &to_carol())["code"], "not_found");
    let mut carol = backend.player("carol");
    assert_eq!(bob.ask_under("m", "TELL", &to_carol())["state"], "OK");
    assert_eq!(carol.expect_event("tell")["body"], "psst");
}

#[test]
fn what_is_repeated_is_answered_as_it_was_first_when_others_have_changed_everything_meanwhile() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut bob = backend.player("bob");
    let mut alice = backend.player("alice");
    bob.ok("MAIL SEND", json!({"to": "alice", "body": "hi"}));
    let asked = [
        ("RECORD SUBMIT", json!({"board": "sprint", "score": 50})),
        ("SETTING SET", json!({"key": "k", "value": "v"})),
        ("SETTING DELETE", json!({"key": "k"})),
        ("MAIL READ", json!({"id": 1})),
        ("MAIL REPLY", json!({"id": 1, "body": "hello"})),
        ("MAIL DELETE", json!({"id": 1})),
        ("MAIL SEND", json!({"to": "bob", "body": "again"})),
        ("MAIL BLOCK", json!({"player": "bob"})),
        ("MAIL UNBLOCK", json!({"player": "bob"})),
    ];
    let ask_all = |alice: &mut Program| {
        // All sent ahead, so that they share transactions.
        for (number, (cmd, args)) in asked.iter().enumerate() {
            let key = format!("k{number}");
            alice.send_line(json!({"id": number, "cmd": cmd, "key": key, "args": args}).to_string());
        }
        asked.iter().map(|_| alice.reply()).collect::<Vec<Value>>()
    };
    let first = ask_all(&mut alice);
    assert!(first.iter().all(|reply| reply["state"] == "OK"), "{first:?}");
    has(&first[0]["data"], json!({"rank": 1, "total": 1}));
    bob.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 10}));
    bob.ok("MAIL BLOCK", json!({"player": "alice"}));
    alice.ok("SETTING SET", json!({"key": "k", "value": "another"}));
    assert_eq!(ask_all(&mut alice), first);
    backend.ctl(&["board", "withdraw", "sprint", "bob", "--reason", "cheated"]);
    backend.ctl(&["board", "withdraw", "sprint", "alice", "--reason", "cheated"]);
    backend.kill_handler();
    let mut alice = backend.player_again("alice");
    assert_eq!(ask_all(&mut alice), first);
    assert_eq!(alice.fails("RECORD SHOW", json!({"board": "sprint"})), "not_found");
    assert_eq!(alice.ok("SETTING GET", json!({"key": "k"}))["value"], "another");
}

#[test]
fn what_was_done_is_answered_under_its_key_also_when_it_would_be_refused_by_now() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let submit = |score: i64| json!({"board": "sprint", "score": score});
    let first = alice.ask_under("k", "RECORD SUBMIT", &submit(50));
    let long = json!({"to": "bob", "body": "x".repeat(3000)});
    let sent = alice.ask_under("m", "MAIL SEND", &long.clone());
    assert_eq!(first["state"], "OK");
    assert_eq!(sent["state"], "OK");
    // From now on only game servers submit, and a mail is shorter.
    let words = ["--unit", "ms", "--better", "lower", "--submit", "servers"];
    backend.ctl(&[&["board", "define", "sprint"][..], &words].concat());
    let mark = backend.log().mark();
    backend.write_config("mail.body = 100\n");
    backend.signal(nix::sys::signal::Signal::SIGHUP);
    backend.log().wait_after(mark, "settings were read again");
    // The handler learns of it a little later than the listener; behind this answer it has.
    alice.ok("WHO", json!({}));
    assert_eq!(alice.ask_under("k", "RECORD SUBMIT", &submit(50)), first);
    assert_eq!(alice.ask_under("m", "MAIL SEND", &long.clone()), sent);
    assert_eq!(alice.ask_under("k", "RECORD SUBMIT", &submit(40))["code"], "conflict");
    // Without the key, under a new one, and under another's it is refused, and may be tried again.
    assert_eq!(alice.fails("RECORD SUBMIT", submit(50)), "denied");
    assert_eq!(alice.ask_under("l", "RECORD SUBMIT", &submit(50))["code"], "denied");
    assert_eq!(bob.ask_under("k", "RECORD SUBMIT", &submit(50))["code"], "denied");
    backend.board("sprint");
    assert_eq!(alice.ask_under("l", "RECORD SUBMIT", &submit(50))["data"]["improved"], false);
    assert_eq!(bob.ok("MAIL LIST", json!({}))["total"], 1);
}
