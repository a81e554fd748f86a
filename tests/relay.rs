//! Messages between game servers: channels with numbers, what was missed, one server alone.

use crate::harness::{Backend, GameServer, Program};
use serde_json::{Value, json};

fn send(server: &mut GameServer, body: &str) -> u64 {
    server.ok("RELAY SEND", json!({"body": body, "channel": "lobby"}))["number"].as_u64().expect("a number")
}

fn join(server: &mut GameServer, since: Option<u64>) -> Value {
    server.ok("RELAY JOIN", json!({"channel": "lobby", "since": since}))
}

/// Two servers on the same channel.
fn two(backend: &Backend) -> (GameServer, GameServer) {
    let (mut arena, mut desert) = (GameServer::added(backend, "arena"), GameServer::added(backend, "desert"));
    join(&mut arena, None);
    join(&mut desert, None);
    (arena, desert)
}

#[test]
fn everybody_else_gets_it_in_order() {
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let mut tundra = GameServer::added(&backend, "tundra");
    join(&mut tundra, None);
    for number in 1..=20 {
        let sender = if number % 2 == 0 { &mut arena } else { &mut desert };
        assert_eq!(send(sender, &format!("message {number}")), number);
    }
    for number in 1..=20 {
        let event = tundra.expect_event("relay");
        assert_eq!((&event["number"], &event["body"]), (&number.into(), &format!("message {number}").into()));
        assert_eq!((&event["channel"], &event["from"]), (&"lobby".into(), &["desert", "arena"][1 - number % 2].into()));
    }
    for number in (1..=20).step_by(2) {
        assert_eq!(arena.expect_event("relay")["number"], number);
    }
    arena.expect_no_event("relay");
}

#[test]
fn any_text_arrives_as_it_was() {
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let bodies = [
        "",
        "\"quoted\" \\ back",
        "line\r\nbreak\u{0}\u{1b}",
        "é 日本 \u{1f600}\u{2028}",
        &"x".repeat(16 << 10),
        &"é".repeat(8 << 10),
    ];
    for body in bodies {
        let reply = arena.ask("RELAY SEND", json!({"body": body, "channel": "lobby"}));
        if body.is_empty() && reply["state"] == "ERROR" {
            continue;
        }
        assert_eq!(reply["state"], "OK", "{reply}");
        assert_eq!(desert.expect_event("relay")["body"], body);
    }
}

#[test]
fn who_comes_back_gets_what_was_missed() {
    let backend = Backend::start();
    let (mut arena, desert) = two(&backend);
    send(&mut arena, "1");
    let key = desert.key.clone();
    drop(desert);
    (2..=50).for_each(|number| assert_eq!(send(&mut arena, &number.to_string()), number));
    let mut desert = GameServer::with_key(&backend, "desert", key);
    let data = join(&mut desert, Some(1));
    assert_eq!((&data["number"], &data["waiting"], &data["missed"]), (&50.into(), &49.into(), &0.into()));
    send(&mut arena, "51");
    for number in 2..=51 {
        let event = desert.expect_event("relay");
        assert_eq!((&event["number"], &event["body"]), (&number.into(), &number.to_string().into()));
    }
    desert.expect_no_event("relay");
}

#[test]
fn a_gap_is_told() {
    let backend = Backend::plan().config("relay.backlog = 5\n").start();
    let (mut arena, desert) = two(&backend);
    let key = desert.key.clone();
    drop(desert);
    (1..=20).for_each(|number| assert_eq!(send(&mut arena, &number.to_string()), number));
    let mut desert = GameServer::with_key(&backend, "desert", key);
    let data = join(&mut desert, Some(3));
    assert_eq!((&data["number"], &data["waiting"], &data["missed"]), (&20.into(), &5.into(), &12.into()));
    let numbers: Vec<Value> = (16..=20).map(|_| desert.expect_event("relay")["number"].clone()).collect();
    assert_eq!(numbers, [16, 17, 18, 19, 20]);
    desert.expect_no_event("relay");
    // Who has everything already gets nothing.
    desert.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    let data = join(&mut desert, Some(20));
    assert_eq!((&data["waiting"], &data["missed"]), (&0.into(), &0.into()));
    desert.expect_no_event("relay");
}

#[test]
fn after_a_restart_the_numbers_show_that_they_are_others() {
    let mut backend = Backend::start();
    let (mut arena, desert) = two(&backend);
    (1..=10).for_each(|number| assert_eq!(send(&mut arena, "x"), number));
    let (arena_key, desert_key) = (arena.key.clone(), desert.key.clone());
    drop((arena, desert));
    backend.restart();
    let mut arena = GameServer::with_key(&backend, "arena", arena_key);
    join(&mut arena, None);
    let last = (0..2).map(|_| send(&mut arena, "after the restart")).max().unwrap();
    let mut desert = GameServer::with_key(&backend, "desert", desert_key);
    let data = join(&mut desert, Some(10));
    let told = data["waiting"].as_u64().unwrap() + data["missed"].as_u64().unwrap();
    assert!(data["number"] == last && (last < 10 || told >= 2), "nobody can tell that something is missing: {data}");
}

#[test]
fn a_slow_reader_gets_everything_or_is_told_how_much_is_gone() {
    const MESSAGES: usize = 3000;
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let body = "x".repeat(4000);
    let line = json!({"cmd": "RELAY SEND", "args": {"body": body, "channel": "lobby"}}).to_string();
    for _ in 0..MESSAGES / 50 {
        for _ in 0..50 {
            arena.send_line(&line);
        }
        for _ in 0..50 {
            assert_eq!(arena.reply()["state"], "OK");
        }
    }
    let (mut last, mut got, mut missed) = (0, 0, 0);
    while last < MESSAGES as u64 {
        let event = desert.expect_event("relay");
        if let Some(count) = event["missed"].as_u64() {
            (last, missed) = (last + count, missed + count);
        } else {
            assert_eq!(event["number"], last + 1, "a gap that was not told");
            (last, got) = (last + 1, got + 1);
        }
    }
    assert_eq!(got + missed, MESSAGES as u64);
    desert.ok("PING", json!({}));
}

#[test]
fn to_one_server_alone() {
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let mut tundra = GameServer::added(&backend, "tundra");
    let data = arena.ok("RELAY SEND", json!({"body": "psst", "to": "DESERT"}));
    assert_eq!((&data["receivers"], &data["number"]), (&1.into(), &0.into()));
    let event = desert.expect_event("relay");
    assert_eq!((&event["channel"], &event["number"], &event["from"]), (&Value::Null, &0.into(), &"arena".into()));
    tundra.expect_no_event("relay");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "x", "to": "nobody"})), "not_found");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "x"})), "usage");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "x", "to": "desert", "channel": "lobby"})), "usage");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "x", "channel": "else where"})), "invalid");
    // A channel takes messages from those who do not listen to it, too.
    assert_eq!(arena.ok("RELAY SEND", json!({"body": "x", "channel": "elsewhere"}))["receivers"], 0);
    assert_eq!(tundra.ok("RELAY JOIN", json!({"channel": "elsewhere", "since": 0}))["waiting"], 1);
    assert_eq!(tundra.expect_event("relay")["body"], "x");
}

#[test]
fn joining_and_leaving() {
    let backend = Backend::plan().config("relay.joined_per_server = 2\nrelay.channels = 3\n").start();
    let mut arena = GameServer::added(&backend, "arena");
    for channel in ["Lobby", "LOBBY", "chat"] {
        arena.ok("RELAY JOIN", json!({"channel": channel}));
    }
    assert_eq!(arena.fails("RELAY JOIN", json!({"channel": "third"})), "limit");
    for bad in ["", "a b", "ä", &"x".repeat(65)] {
        let code = arena.fails("RELAY JOIN", json!({"channel": bad}));
        assert!(code == "invalid" || code == "usage", "{bad}: {code}");
    }
    let data = arena.ok("RELAY CHANNELS", json!({}));
    let rows: Vec<(&Value, &Value)> =
        data["channels"].as_array().unwrap().iter().map(|row| (&row["channel"], &row["servers"])).collect();
    assert!(rows.contains(&(&"Lobby".into(), &1.into())) && rows.contains(&(&"chat".into(), &1.into())), "{data}");
    arena.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    assert_eq!(arena.fails("RELAY LEAVE", json!({"channel": "lobby"})), "not_found");
    let mut desert = GameServer::added(&backend, "desert");
    desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
    desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "anyone?"}));
    arena.expect_no_event("relay");
    // Sent ahead, without waiting for the answers.
    arena.send_line(r#"{"cmd": "RELAY JOIN", "args": "lobby"}"#);
    arena.send_line(r#"{"cmd": "RELAY SEND", "args": "\"hi\" lobby"}"#);
    assert_eq!(arena.reply()["state"], "OK");
    assert_eq!(arena.reply()["state"], "OK");
    assert_eq!(desert.expect_event("relay")["body"], "hi");
}

#[test]
fn a_channel_that_failed_to_open_takes_no_place() {
    let backend = Backend::plan().config("relay.joined_per_server = 1\nrelay.channels = 2\n").start();
    let mut arena = GameServer::added(&backend, "arena");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    for number in 0..5 {
        assert_eq!(arena.fails("RELAY JOIN", json!({"channel": format!("more-{number}")})), "limit");
    }
    // A refused join must not have used up the channels of everybody else.
    let mut desert = GameServer::added(&backend, "desert");
    desert.ok("RELAY JOIN", json!({"channel": "second"}));
}

#[test]
fn keys_and_names() {
    let backend = Backend::start();
    let arena = GameServer::added(&backend, "arena");
    let mut stranger = Program::in_mode(backend.at(), "SERVER");
    for (name, key) in [("arena", "wrong"), ("nobody", &*arena.key), ("arena", "")] {
        let code = stranger.fails("AUTH", json!({"name": name, "key": key}));
        assert!(code == "bad_login" || (key.is_empty() && code == "usage"), "{name}: {code}");
    }
    // The same server may be connected twice; both get what is for it.
    let mut again = GameServer::with_key(&backend, "arena", arena.key.clone());
    let mut desert = GameServer::added(&backend, "desert");
    assert_eq!(desert.ok("RELAY SEND", json!({"body": "x", "to": "arena"}))["receivers"], 2);
    again.expect_event("relay");
    drop(arena);
    assert_eq!(again.fails("AUTH", json!({"name": "arena", "key": "x"})), "denied");
}
