//! What holds when the handler is killed at any moment: an OK is on disk, nothing is applied twice, and no client loses
//! its connection.

use crate::harness::{Backend, has};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::mpsc::channel;

/// Requests of each client.
const EACH: usize = 2500;

#[test]
fn every_request_is_done_once_and_answered_once_whatever_dies() {
    let mut backend = Backend::plan().config("mail.mailbox = 100000\n").start();
    for board in ["sum-0", "sum-1"] {
        backend.sum_board(board);
    }
    let mut keeper = backend.player("keeper");
    let names = ["runner-0", "runner-1", "writer-0", "writer-1"];
    let clients = names.map(|name| backend.player(name));
    let all = Mutex::new(HashMap::new());
    let (tell, answered) = channel();
    std::thread::scope(|scope| {
        for (name, mut client) in names.into_iter().zip(clients) {
            let (tell, all) = (tell.clone(), &all);
            scope.spawn(move || {
                let submit = |_| ("RECORD SUBMIT", json!({"board": name.replace("runner", "sum"), "score": 1}));
                let write = |number| ("MAIL SEND", json!({"to": "keeper", "body": format!("{name} {number}")}));
                let data = match name.starts_with("runner") {
                    true => client.drive_well(EACH, &tell, submit),
                    false => client.drive_well(EACH, &tell, write),
                };
                all.lock().unwrap().insert(name, data);
            });
        }
        drop(tell);
        backend.kill_handler_while_they_work(&answered, 8, 4 * EACH / 9);
    });
    let all = all.into_inner().unwrap();

    // The connection and the login have outlived all those handlers.
    assert_eq!(keeper.ok("WHOAMI", json!({}))["player"], "keeper");
    drop(keeper);
    backend.restart();

    for (board, name) in [("sum-0", "runner-0"), ("sum-1", "runner-1")] {
        // Each submit adds one: what it returned says how many were done before it.
        let scores: Vec<u64> = all[name].iter().filter_map(|data| data["score"].as_u64()).collect();
        assert!(scores.iter().copied().eq(1..=EACH as u64), "{name}: {scores:?}");
        let shown = backend.program().ok("RECORD SHOW", json!({"board": board, "player": name}));
        assert_eq!(shown["score"], EACH);
    }
    let kept = all_mail(&backend, "keeper");
    assert_eq!(kept.len(), 2 * EACH);
    for name in ["writer-0", "writer-1"] {
        // Each sender numbers his own letters: one after the other, none twice, none left out.
        let numbers: Vec<u64> = all[name].iter().filter_map(|data| data["id"].as_u64()).collect();
        assert!(numbers.iter().copied().eq(1..=EACH as u64), "{name}: {numbers:?}");
        for number in 0..EACH {
            let times = kept.values().filter(|body| **body == format!("{name} {number}")).count();
            assert_eq!(times, 1, "{name} {number} was acknowledged");
        }
    }
    // So does the receiver.
    assert!((1..=2 * EACH as u64).all(|number| kept.contains_key(&number)));
}

/// All mails of a player, by number.
fn all_mail(backend: &Backend, name: &str) -> HashMap<u64, String> {
    let mut program = backend.player_again(name);
    let pages = program.pages("MAIL LIST", json!({"limit": 100}));
    let rows = pages.iter().flat_map(|page| page["mails"].as_array().expect("a list"));
    let ids: Vec<u64> = rows.filter_map(|mail| mail["id"].as_u64()).collect();
    assert_eq!(pages[0]["total"], ids.len());
    let mut mails = HashMap::new();
    for part in ids.chunks(64) {
        for id in part {
            program.send_line(json!({"id": id, "cmd": "MAIL READ", "args": {"id": id}}).to_string());
        }
        for id in part {
            let reply = program.reply();
            assert_eq!(reply["id"], *id);
            mails.insert(*id, reply["data"]["body"].as_str().expect("a body").to_owned());
        }
    }
    mails
}

#[test]
fn mail_to_somebody_offline_is_read_after_a_restart_of_everything() {
    let mut backend = Backend::start();
    drop(backend.player("bob"));
    let mut alice = backend.player("alice");
    alice.ok("MAIL SEND", json!({"to": "bob", "body": "While you were out", "subject": "Hello"}));
    backend.restart();
    let mut bob = backend.terminal();
    let answer = bob.ask("LOGIN bob secret-of-bob");
    assert!(answer.contains('1') && answer.to_lowercase().contains("unread"), "{answer}");
    bob.says("MAIL READ 1").sees("While you were out");
}

#[test]
fn nobody_notices_the_death_of_the_handler() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    let mut stranger = backend.program();
    let mut arena = backend.game_server("arena");
    let mut desert = backend.game_server("desert");
    for server in [&mut arena, &mut desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let silent = backend.program();
    let session = bob.ok("WHOAMI", json!({}))["session"].clone();
    for round in 0..3 {
        backend.kill_handler();
        assert_eq!(bob.ok("MAIL LIST", json!({}))["total"], 0);
        assert_eq!(bob.ok("WHOAMI", json!({}))["session"], session);
        bob.ok("TELL", json!({"to": "alice", "body": format!("Did you feel {round}?")}));
        alice.expect(&format!("[tell] bob: Did you feel {round}?"));
        alice.answer();
        alice.says("WHOAMI").sees("alice");
        assert_eq!(stranger.ok("WHO", json!({}))["total"], 2);
        let body = format!("still here {round}");
        assert_eq!(desert.ok("RELAY SEND", json!({"channel": "lobby", "body": body}))["receivers"], 1);
        assert_eq!(arena.expect_event("relay")["body"], body);
    }
    for client in [&mut bob, &mut stranger] {
        client.expect_no_event("notice");
    }
    for server in [&mut arena, &mut desert] {
        server.expect_no_event("notice");
        server.expect_no_event("relay");
    }
    // The handler knows of everybody, also of those who have asked for nothing.
    let _silent = &silent;
    let status = backend.ctl(&["status"]);
    has(&status, json!({"clients": 6, "players_on": 2, "servers_on": 2}));
    assert_eq!(backend.ctl(&["sessions", "list"])["sessions"].as_array().map(Vec::len), Some(6));
}

#[test]
fn a_board_is_watched_on() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut bob = backend.player("bob");
    let mut stranger = backend.program();
    stranger.ok("RECORD WATCH", json!({"board": "sprint"}));
    backend.kill_handler();
    bob.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1}));
    let news = stranger.next();
    has(&news, json!({"event": "record", "player": "bob"}));
}

#[test]
fn a_handler_that_is_killed_again_and_again_comes_back_each_time() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    for version in 1..=5 {
        assert_eq!(alice.ok("SETTING SET", json!({"key": "k", "value": "v"}))["version"], version);
        backend.kill_handler();
    }
}
