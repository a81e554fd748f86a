//! What a server has missed: numbers, epochs, gaps.

use super::{join, on_lobby, send};
use crate::harness::{Backend, GameServer, has};
use serde_json::{Value, json};

#[test]
fn who_comes_back_gets_what_was_missed() {
    let backend = Backend::start();
    let [mut arena, desert] = on_lobby(&backend, ["arena", "desert"]);
    send(&mut arena, "1");
    let key = desert.key.clone();
    drop(desert);
    (2..=50).for_each(|number| assert_eq!(send(&mut arena, &number.to_string()), number));
    let mut desert = GameServer::with_key(&backend, "desert", key);
    let data = join(&mut desert, Some(1));
    has(&data, json!({"number": 50, "waiting": 49, "missed": 0}));
    send(&mut arena, "51");
    for number in 2..=51 {
        let event = desert.expect_event("relay");
        has(&event, json!({"number": number, "body": number.to_string()}));
    }
    desert.expect_no_event("relay");
}

#[test]
fn a_gap_is_told() {
    let backend = Backend::plan().config("relay.backlog = 5\n").start();
    let [mut arena, desert] = on_lobby(&backend, ["arena", "desert"]);
    let key = desert.key.clone();
    drop(desert);
    (1..=20).for_each(|number| assert_eq!(send(&mut arena, &number.to_string()), number));
    let mut desert = GameServer::with_key(&backend, "desert", key);
    let data = join(&mut desert, Some(3));
    has(&data, json!({"number": 20, "waiting": 5, "missed": 12}));
    let numbers: Vec<Value> = (16..=20).map(|_| desert.expect_event("relay")["number"].clone()).collect();
    assert_eq!(numbers, [16, 17, 18, 19, 20]);
    desert.expect_no_event("relay");
    // Who has everything already gets nothing.
    desert.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    let data = join(&mut desert, Some(20));
    has(&data, json!({"waiting": 0, "missed": 0}));
    desert.expect_no_event("relay");
}

/// Joins with what was seen before, and in which epoch.
fn join_again(server: &mut GameServer, seen: &Value, epoch: &Value) -> Value {
    server.ok("RELAY JOIN", json!({"channel": "lobby", "since": seen, "epoch": epoch}))
}

#[test]
fn after_a_restart_numbers_go_on_and_who_comes_back_learns_that_something_may_be_gone() {
    let mut backend = Backend::start();
    let [mut arena, mut desert] = on_lobby(&backend, ["arena", "desert"]);
    (1..=10).for_each(|number| assert_eq!(send(&mut arena, "x"), number));
    let seen = (1..=5).map(|_| desert.expect_event("relay")).last().unwrap();
    let (arena_key, desert_key) = (arena.key.clone(), desert.key.clone());
    drop((arena, desert));
    backend.restart();
    let mut arena = GameServer::with_key(&backend, "arena", arena_key);
    join(&mut arena, None);
    let numbers = ["first", "second"].map(|body| send(&mut arena, body));
    assert!(numbers[0] > 10 && numbers[1] == numbers[0] + 1, "{numbers:?}");
    // Whether the epoch is said or not, which it is not by older programs.
    for epoch in [&seen["epoch"], &Value::Null] {
        let mut desert = GameServer::with_key(&backend, "desert", desert_key.clone());
        let data = join_again(&mut desert, &seen["number"], epoch);
        has(&data, json!({"missed": null, "waiting": 2}));
        assert!(data["epoch"].as_u64() > seen["epoch"].as_u64(), "{data}");
        for (number, body) in numbers.into_iter().zip(["first", "second"]) {
            let event = desert.expect_event("relay");
            has(&event, json!({"number": number, "body": body}));
            assert_eq!(event["epoch"], data["epoch"]);
        }
        desert.expect_no_event("relay");
    }
    // In the present epoch it is known what came since, and 0 is nobody's number.
    let mut desert = GameServer::with_key(&backend, "desert", desert_key);
    let present = join(&mut desert, Some(0));
    has(&present, json!({"missed": 0, "waiting": 2}));
    assert_eq!(desert.expect_event("relay")["body"], "first");
    assert_eq!(desert.expect_event("relay")["body"], "second");
    desert.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    let data = join_again(&mut desert, &numbers[0].into(), &present["epoch"]);
    has(&data, json!({"missed": 0, "waiting": 1}));
    assert_eq!(desert.expect_event("relay")["body"], "second");
}

#[test]
fn a_channel_that_made_room_goes_on_with_its_numbers_in_another_epoch() {
    let backend = Backend::plan().config("relay.channels = 1\n").start();
    let mut arena = backend.game_server("arena");
    let first = join(&mut arena, None);
    (1..=7).for_each(|number| assert_eq!(send(&mut arena, "x"), number));
    arena.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    arena.ok("RELAY SEND", json!({"channel": "other", "body": "x"}));
    let mut desert = backend.game_server("desert");
    let second = join_again(&mut desert, &5.into(), &first["epoch"]);
    has(&second, json!({"missed": null, "waiting": 0}));
    assert_ne!(first["epoch"], second["epoch"]);
    assert!(send(&mut arena, "again") > 7);
    let event = desert.expect_event("relay");
    has(&event, json!({"epoch": second["epoch"], "body": "again"}));
}

#[test]
fn the_epoch_stays_when_the_handler_dies() {
    let backend = Backend::start();
    let [mut arena, mut desert] = on_lobby(&backend, ["arena", "desert"]);
    assert_eq!(send(&mut arena, "before"), 1);
    let before = desert.expect_event("relay");
    backend.kill_handler();
    assert_eq!(send(&mut arena, "behind"), 2);
    let behind = desert.expect_event("relay");
    has(&behind, json!({"number": 2, "epoch": before["epoch"]}));
    let mut tundra = backend.game_server("tundra");
    let data = join_again(&mut tundra, &1.into(), &before["epoch"]);
    has(&data, json!({"epoch": before["epoch"], "missed": 0, "waiting": 1}));
    assert_eq!(tundra.expect_event("relay")["body"], "behind");
}

#[test]
fn a_slow_reader_gets_everything_or_is_told_how_much_is_gone() {
    const MESSAGES: usize = 3000;
    let backend = Backend::start();
    let [mut arena, mut desert] = on_lobby(&backend, ["arena", "desert"]);
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
