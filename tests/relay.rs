//! Messages between game servers: channels with numbers, what was missed, one server alone.

mod deaths;
mod missed;
mod own;

use crate::harness::{Backend, GameServer, Program, has};
use serde_json::{Value, json};

fn send(server: &mut GameServer, body: &str) -> u64 {
    server.ok("RELAY SEND", json!({"body": body, "channel": "lobby"}))["number"].as_u64().expect("a number")
}

fn join(server: &mut GameServer, since: Option<u64>) -> Value {
    server.ok("RELAY JOIN", json!({"channel": "lobby", "since": since}))
}

/// Game servers of these names, who are on the channel.
fn on_lobby<const N: usize>(backend: &Backend, names: [&str; N]) -> [GameServer; N] {
    names.map(|name| {
        let mut server = backend.game_server(name);
        join(&mut server, None);
        server
    })
}

#[test]
fn everybody_else_gets_it_in_order() {
    let backend = Backend::start();
    let [mut arena, mut desert, mut tundra] = on_lobby(&backend, ["arena", "desert", "tundra"]);
    for number in 1..=20 {
        let sender = if number % 2 == 0 { &mut arena } else { &mut desert };
        assert_eq!(send(sender, &format!("message {number}")), number);
    }
    for number in 1..=20 {
        let event = tundra.expect_event("relay");
        has(&event, json!({"number": number, "body": format!("message {number}")}));
        has(
            &event,
            json!({"channel": "lobby", "from": if number % 2 == 0 { "server:arena" } else { "server:desert" }}),
        );
    }
    for number in (1..=20).step_by(2) {
        assert_eq!(arena.expect_event("relay")["number"], number);
    }
    arena.expect_no_event("relay");
}

#[test]
fn any_text_arrives_as_it_was() {
    let backend = Backend::start();
    let [mut arena, mut desert] = on_lobby(&backend, ["arena", "desert"]);
    let bodies = [
        "",
        "\"quoted\" \\ back",
        "line\r\nbreak\u{0}\u{1b}",
        "é 日本 \u{1f600}\u{2028}",
        &"x".repeat(16 << 10),
        &"é".repeat(8 << 10),
    ];
    for body in bodies {
        arena.ok("RELAY SEND", json!({"body": body, "channel": "lobby"}));
        assert_eq!(desert.expect_event("relay")["body"], body);
    }
}

#[test]
fn more_messages_than_the_mark_on_disk_allows_are_all_sent_in_their_order() {
    const MESSAGES: u64 = 3000;
    let backend = Backend::start();
    let [mut arena, mut desert] = on_lobby(&backend, ["arena", "desert"]);
    let line = json!({"cmd": "RELAY SEND", "args": {"body": "x", "channel": "lobby"}}).to_string();
    (0..MESSAGES).for_each(|_| arena.send_line(&line));
    for number in 1..=MESSAGES {
        assert_eq!(arena.reply()["data"]["number"], number);
    }
    for number in 1..=MESSAGES {
        assert_eq!(desert.expect_event("relay")["number"], number);
    }
}

#[test]
fn to_one_server_alone() {
    let backend = Backend::start();
    let [mut arena, mut desert] = on_lobby(&backend, ["arena", "desert"]);
    let mut tundra = backend.game_server("tundra");
    let data = arena.ok("RELAY SEND", json!({"body": "psst", "to": "DESERT"}));
    has(&data, json!({"receivers": 1, "number": 0}));
    let event = desert.expect_event("relay");
    has(&event, json!({"channel": null, "number": 0, "from": "server:arena"}));
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
    let mut arena = backend.game_server("arena");
    for channel in ["Lobby", "LOBBY", "chat"] {
        arena.ok("RELAY JOIN", json!({"channel": channel}));
    }
    assert_eq!(arena.fails("RELAY JOIN", json!({"channel": "third"})), "limit");
    // An empty word counts as left out.
    assert_eq!(arena.fails("RELAY JOIN", json!({"channel": ""})), "usage");
    for bad in ["a b", "ä", &"x".repeat(65)] {
        assert_eq!(arena.fails("RELAY JOIN", json!({"channel": bad})), "invalid", "{bad}");
    }
    let data = arena.ok("RELAY CHANNELS", json!({}));
    let rows: Vec<(&Value, &Value)> =
        data["channels"].as_array().unwrap().iter().map(|row| (&row["channel"], &row["servers"])).collect();
    assert!(rows.contains(&(&"Lobby".into(), &1.into())) && rows.contains(&(&"chat".into(), &1.into())), "{data}");
    arena.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    assert_eq!(arena.fails("RELAY LEAVE", json!({"channel": "lobby"})), "not_found");
    let mut desert = backend.game_server("desert");
    desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
    desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "anyone?"}));
    arena.expect_no_event("relay");
    // Sent ahead, without waiting for the answers.
    arena.send_line(r#"{"cmd": "RELAY JOIN", "args": "lobby"}"#);
    arena.send_line(r#"{"cmd": "RELAY SEND", "args": "CHANNEL lobby hi"}"#);
    assert_eq!(arena.reply()["state"], "OK");
    assert_eq!(arena.reply()["state"], "OK");
    assert_eq!(desert.expect_event("relay")["body"], "hi");
}

#[test]
fn a_channel_that_failed_to_open_takes_no_place() {
    let backend = Backend::plan().config("relay.joined_per_server = 1\nrelay.channels = 2\n").start();
    let mut arena = backend.game_server("arena");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    for number in 0..5 {
        assert_eq!(arena.fails("RELAY JOIN", json!({"channel": format!("more-{number}")})), "limit");
    }
    // A refused join must not have used up the channels of everybody else.
    let mut desert = backend.game_server("desert");
    desert.ok("RELAY JOIN", json!({"channel": "second"}));
}

#[test]
fn keys_and_names() {
    let backend = Backend::start();
    let arena = backend.game_server("arena");
    let mut stranger = Program::in_mode(backend.at(), "SERVER");
    for (name, key) in [("arena", "wrong"), ("nobody", &*arena.key)] {
        assert_eq!(stranger.fails("AUTH", json!({"name": name, "key": key})), "bad_login", "{name}");
    }
    assert_eq!(stranger.fails("AUTH", json!({"name": "arena", "key": ""})), "usage");
    // The same server may be connected twice; both get what is for it.
    let mut again = arena.again(&backend);
    let mut desert = backend.game_server("desert");
    assert_eq!(desert.ok("RELAY SEND", json!({"body": "x", "to": "arena"}))["receivers"], 2);
    again.expect_event("relay");
    drop(arena);
    assert_eq!(again.fails("AUTH", json!({"name": "arena", "key": "x"})), "denied");
}
