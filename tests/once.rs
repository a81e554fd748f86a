//! A client's own key: the same request under the same key is done once, over whatever connection it comes.

use crate::harness::{Backend, GameServer, Program, has};
use serde_json::{Value, json};

/// Two times the same, which must be answered the same; gives the answer.
fn twice(program: &mut Program, key: &str, cmd: &str, args: &Value) -> Value {
    let first = program.ask_under(key, cmd, args);
    assert_eq!(first["state"], "OK", "{cmd}: {first}");
    assert_eq!(program.ask_under(key, cmd, args), first, "{cmd}");
    first
}

/// What changes something for a player, each under a key of its own.
fn of_a_player() -> Vec<(&'static str, Value)> {
    vec![
        ("MAIL SEND", json!({"to": "bob", "body": "once", "subject": "s"})),
        ("MAIL READ", json!({"id": 1})),
        ("MAIL REPLY", json!({"id": 1, "body": "an answer"})),
        ("MAIL DELETE", json!({"id": 1})),
        ("MAIL BLOCK", json!({"player": "mallory"})),
        ("MAIL UNBLOCK", json!({"player": "mallory"})),
        ("SETTING SET", json!({"key": "k", "value": "v", "version": 0})),
        ("SETTING DELETE", json!({"key": "k"})),
        ("RECORD SUBMIT", json!({"board": "sum", "score": 5})),
        ("TELL", json!({"to": "bob", "body": "psst"})),
    ]
}

fn backend() -> Backend {
    let backend = Backend::start();
    backend.sum_board("sum");
    backend
}

#[test]
fn what_a_player_asks_under_a_key_is_done_once_whatever_is_restarted() {
    let mut backend = backend();
    drop(backend.player("mallory"));
    let mut bob = backend.player("bob");
    let mut alice = backend.player("alice");
    bob.ok("MAIL SEND", json!({"to": "alice", "body": "the first"}));
    let requests = of_a_player();
    let answers: Vec<Value> = requests.iter().map(|(cmd, args)| twice(&mut alice, cmd, cmd, args)).collect();
    let again = |alice: &mut Program| {
        for ((cmd, args), answer) in requests.iter().zip(&answers) {
            assert_eq!(alice.ask_under(cmd, cmd, args), *answer, "{cmd}");
        }
    };
    backend.kill_handler();
    again(&mut alice);
    drop(alice);
    again(&mut backend.player_again("alice"));
    for event in ["mail", "mail", "tell"] {
        bob.expect_event(event);
    }
    for event in ["mail", "tell"] {
        bob.expect_no_event(event);
    }
    drop(bob);
    backend.restart();
    let mut bob = backend.player_again("bob");
    let mut alice = backend.player_again("alice");
    again(&mut alice);
    assert_eq!(bob.ok("MAIL LIST", json!({}))["total"], 2);
    for event in ["mail", "tell"] {
        bob.expect_no_event(event);
    }
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sum", "player": "alice"}))["score"], 5);
    assert_eq!(alice.ok("MAIL LIST", json!({}))["total"], 0);
    assert_eq!(alice.fails("SETTING GET", json!({"key": "k"})), "not_found");
}

#[test]
fn what_a_game_server_asks_under_a_key_is_done_once() {
    let mut backend = backend();
    let mut bob = backend.player("bob");
    let (mut arena, mut desert) = (backend.game_server("arena"), backend.game_server("desert"));
    desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
    let requests = [
        ("MAIL SEND", json!({"to": "bob", "body": "once"})),
        ("SETTING SET", json!({"key": "k", "value": "v"})),
        ("RECORD SUBMIT", json!({"board": "sum", "score": 5, "player": "bob"})),
        ("RELAY SEND", json!({"channel": "lobby", "body": "once"})),
        ("RELAY SEND", json!({"to": "desert", "body": "once to you"})),
    ];
    let key_of = |place: usize| format!("key {place}");
    let mut answers = Vec::new();
    for (place, (cmd, args)) in requests.iter().enumerate() {
        answers.push(twice(&mut arena, &key_of(place), cmd, args));
    }
    let again = |arena: &mut Program| {
        for (place, (cmd, args)) in requests.iter().enumerate() {
            assert_eq!(arena.ask_under(&key_of(place), cmd, args), answers[place], "{cmd}");
        }
    };
    backend.kill_handler();
    again(&mut arena);
    let secret = arena.key.clone();
    drop(arena);
    again(&mut GameServer::with_key(&backend, "arena", secret.clone()));
    bob.expect_event("mail");
    bob.expect_no_event("mail");
    desert.expect_event("relay");
    desert.expect_event("relay");
    desert.expect_no_event("relay");
    drop((bob, desert));
    backend.restart();
    again(&mut GameServer::with_key(&backend, "arena", secret));
    let mut bob = backend.player_again("bob");
    assert_eq!(bob.ok("MAIL LIST", json!({}))["total"], 1);
    assert_eq!(bob.ok("RECORD SHOW", json!({"board": "sum", "player": "bob"}))["score"], 5);
}

#[test]
fn a_key_is_its_owners_and_for_one_content() {
    let backend = backend();
    let mut bob = backend.player("bob");
    let mut alice = backend.player("alice");
    let submit = |score: u32| json!({"board": "sum", "score": score});
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.ask_under("the key", "RECORD SUBMIT", &submit(5))["data"]["score"], 5);
    }
    let other = alice.ask_under("the key", "RECORD SUBMIT", &submit(6));
    has(&other, json!({"state": "ERROR", "code": "conflict"}));
    let other = alice.ask_under("the key", "SETTING SET", &json!({"key": "k", "value": "v"}));
    assert_eq!(other["code"], "conflict");
    // Another key is another request; so is none. Case matters.
    assert_eq!(alice.ask_under("The key", "RECORD SUBMIT", &submit(5))["data"]["score"], 10);
    assert_eq!(alice.ok("RECORD SUBMIT", submit(5))["score"], 15);
    assert_eq!(alice.ask_under("the key", "RECORD SUBMIT", &submit(5))["data"]["score"], 5);
    // The answer has the id of the request that it answers.
    let args = submit(5);
    let reply = alice.say(json!({"id": "x", "key": "the key", "cmd": "record submit", "args": args}).to_string());
    assert_eq!(reply["id"], "x");
    assert_eq!(reply["data"]["score"], 5);
    // What only reads has no use for one.
    for _ in 0..2 {
        let args = json!({"board": "sum", "player": "alice"});
        assert_eq!(alice.ask_under("the key", "RECORD SHOW", &args)["data"]["score"], 15);
    }
}

#[test]
fn what_was_refused_may_be_tried_again_under_its_key() {
    let backend = backend();
    let mut alice = backend.player("alice");
    let args = json!({"to": "bob", "body": "are you there?"});
    for _ in 0..2 {
        assert_eq!(alice.ask_under("k", "MAIL SEND", &args)["code"], "not_found");
    }
    let args_of_tell = json!({"to": "bob", "body": "are you there?"});
    assert_eq!(alice.ask_under("t", "TELL", &args_of_tell)["state"], "ERROR");
    let mut bob = backend.player("bob");
    twice(&mut alice, "k", "MAIL SEND", &args);
    twice(&mut alice, "t", "TELL", &args_of_tell);
    bob.expect_event("mail");
    bob.expect_event("tell");
    bob.expect_no_event("mail");
    bob.expect_no_event("tell");
    // Refused inside the transaction.
    let set = json!({"key": "k", "value": "v", "version": 7});
    assert_eq!(alice.ask_under("s", "SETTING SET", &set)["code"], "conflict");
    let set = json!({"key": "k", "value": "v"});
    twice(&mut alice, "s", "SETTING SET", &set);
}

#[test]
fn a_key_has_at_most_128_bytes() {
    let backend = backend();
    let mut alice = backend.player("alice");
    let args = json!({"board": "sum", "score": 1});
    for (key, fits) in
        [("x".repeat(128), true), ("x".repeat(129), false), ("é".repeat(64), true), (String::new(), true)]
    {
        let reply = alice.ask_under(&key, "RECORD SUBMIT", &args);
        assert_eq!(reply["state"] == "OK", fits, "{} bytes: {reply}", key.len());
        assert_eq!(reply["id"], 1);
    }
    for key in [json!(7), json!({}), json!([]), json!(true)] {
        let reply = alice.say(json!({"id": 1, "key": key, "cmd": "RECORD SUBMIT", "args": args}).to_string());
        assert_eq!(reply["code"], "invalid", "{reply}");
    }
    let score = alice.ok("RECORD SHOW", json!({"board": "sum", "player": "alice"}))["score"].clone();
    assert_eq!(score, 3);
}

#[test]
fn a_key_sent_again_while_the_first_is_under_way_is_done_once() {
    let backend = backend();
    let mut clients: Vec<Program> = vec![backend.player("alice")];
    clients.extend((0..3).map(|_| backend.player_again("alice")));
    for number in 0..50 {
        let args = json!({"board": "sum", "score": 1});
        let line = json!({"key": format!("k{number}"), "cmd": "RECORD SUBMIT", "args": args}).to_string();
        for client in &mut clients {
            client.send_line(&line);
            client.send_line(&line);
        }
    }
    for number in 1..=50 {
        for client in &mut clients {
            for _ in 0..2 {
                assert_eq!(client.reply()["data"]["score"], number);
            }
        }
    }
}
