//! The whole walk: an operator, two game servers and three players, in both ways of speaking, through everything that
//! the backend can do.

use crate::harness::{Backend, GameServer, Person, Program, has};
use serde_json::json;

#[test]
fn an_evening_with_two_servers_and_three_players() {
    let mut backend = Backend::start();
    backend.ctl(&["board", "define", "sprint", "--unit", "ms", "--better", "lower"]);
    backend.ctl(&["board", "define", "kills", "--unit", "points", "--better", "higher", "--operator", "sum"]);
    backend.board("puzzle");
    let mut arena = backend.game_server("arena");
    let mut desert = backend.game_server("desert");

    // Alice is a person, Bob and Carol use programs.
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    let mut carol = backend.player("carol");

    servers_show_themselves(&mut arena, &mut desert, &mut alice, &mut bob);
    records_are_set(&mut arena, &mut desert, &mut alice, &mut bob, &mut carol);
    people_talk(&mut arena, &mut alice, &mut bob, &mut carol);
    settings_are_kept(&mut arena, &mut alice, &mut bob, &mut carol);

    let (key, last) = servers_talk(&backend, arena, &mut desert);

    // The next morning everything that was promised is there.
    drop((alice, bob, carol, desert));
    backend.restart();
    let mut arena = GameServer::with_key(&backend, "arena", key);
    let data = arena.ok("RECORD TOP", json!({"board": "sprint"}));
    assert_eq!(data["records"][0]["player"], "bob");
    let data = arena.ok("RELAY JOIN", json!({"channel": "lobby", "since": last}));
    assert_eq!(data["waiting"], 0);
    let mut carol = backend.program();
    assert_eq!(carol.login("carol")["unread"], 1);
    assert_eq!(carol.ok("MAIL LIST", json!({}))["mails"][0]["subject"], "Tomorrow");
    assert_eq!(carol.ok("SETTING GET", json!({"key": "colour", "of": "bob"}))["value"], "green");
    let mut alice = backend.terminal();
    alice.says("LOGIN alice secret-of-alice").sees("alice").sees_no("ERROR");
}

fn servers_show_themselves(arena: &mut GameServer, desert: &mut GameServer, alice: &mut Person, bob: &mut Program) {
    arena.ok("STATUS SET", json!({"map": "harbour", "players": 3, "max": 16, "text": "friendly fire off"}));
    desert.ok("STATUS SET", json!({"map": "dunes", "players": 0, "max": 8}));
    let data = bob.ok("WORLDS", json!({}));
    assert_eq!(
        (&data["total"], &data["worlds"][0]["name"], &data["worlds"][1]["map"]),
        (&2.into(), &"arena".into(), &"dunes".into())
    );
    alice.says("WORLDS").sees("harbour").sees("3/16").sees("friendly fire off");
    let who = alice.ask("WHO");
    assert!(["alice", "bob", "carol"].iter().all(|name| who.contains(name)), "{who}");
    alice.says("FINGER BOB").sees("bob");
}

fn records_are_set(
    arena: &mut GameServer,
    desert: &mut GameServer,
    alice: &mut Person,
    bob: &mut Program,
    carol: &mut Program,
) {
    bob.ok("RECORD WATCH", json!({"board": "sprint"}));
    alice.says("RECORD WATCH sprint").sees_no("ERROR");
    let data = arena.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 12500, "player": "alice", "note": "dry"}));
    has(&data, json!({"rank": 1, "improved": true}));
    let event = bob.expect_event("record");
    has(&event, json!({"player": "alice", "score": 12500, "previous": null}));
    desert.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 12345, "player": "bob"}));
    assert_eq!(bob.expect_event("record")["previous"], "alice");
    let told = alice.expect("12345") + &alice.answer();
    assert!(told.contains("bob"), "{told}");
    // Not a first place: nobody is told.
    desert.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 13000, "player": "carol"}));
    bob.expect_no_event("record");

    arena.ok("RECORD SUBMIT", json!({"board": "kills", "score": 7, "player": "carol"}));
    assert_eq!(arena.ok("RECORD SUBMIT", json!({"board": "kills", "score": 5, "player": "carol"}))["score"], 12);
    assert_eq!(carol.ok("RECORD SUBMIT", json!({"board": "puzzle", "score": 99}))["rank"], 1);
    assert_eq!(carol.fails("RECORD SUBMIT", json!({"board": "sprint", "score": 1})), "denied");

    let table = alice.ask("TOP sprint");
    let places: Vec<usize> = ["bob", "alice", "carol"].iter().filter_map(|name| table.find(name)).collect();
    assert!(places.len() == 3 && places.is_sorted(), "{table}");
    let data = carol.ok("RECORD SHOW", json!({"board": "sprint"}));
    has(&data, json!({"rank": 3, "total": 3, "server": "desert"}));
    alice.says("SHOW sprint").sees("12500");
}

fn people_talk(arena: &mut GameServer, alice: &mut Person, bob: &mut Program, carol: &mut Program) {
    let answer = alice.ask("MAIL SEND bob SUBJECT \"Tonight\" See you at eight");
    assert!(answer.contains("sent to bob"), "{answer}");
    let event = bob.expect_event("mail");
    has(&event, json!({"from": "alice", "subject": "Tonight", "unread": 1}));
    let id = event["id"].clone();
    assert_eq!(bob.ok("MAIL READ", json!({"id": id}))["body"], "See you at eight");
    bob.ok("MAIL REPLY", json!({"id": id, "body": "I will be there"}));
    let told = alice.expect("[mail] ") + &alice.answer();
    assert!(told.contains("bob: Re: Tonight (MAIL READ "), "{told}");
    let number = told.split("MAIL READ ").nth(1).and_then(|rest| rest.split(')').next()).expect("a number").to_owned();
    alice.says(&format!("MAIL READ {number}")).sees("I will be there");

    alice.says("TELL carol Are you there?").sees("carol");
    let event = carol.expect_event("tell");
    has(&event, json!({"from": "alice", "body": "Are you there?"}));
    carol.ok("TELL", json!({"to": "alice", "body": "Yes"}));
    let told = alice.expect("[tell] carol: Yes\r\n") + &alice.answer();
    assert!(!told.contains("ERROR"), "{told}");

    arena.ok("MAIL SEND", json!({"to": "carol", "body": "You are invited.", "subject": "Cup"}));
    assert_eq!(carol.expect_event("mail")["from"], "server:arena");
    let id = carol.ok("MAIL LIST", json!({}))["mails"][0]["id"].clone();
    carol.ok("MAIL DELETE", json!({"id": id}));
    // For the next morning.
    bob.ok("MAIL SEND", json!({"to": "carol", "body": "Again?", "subject": "Tomorrow"}));
}

fn settings_are_kept(arena: &mut GameServer, alice: &mut Person, bob: &mut Program, carol: &mut Program) {
    alice.says("SETTING SET motto PUBLIC To the last").sees_no("ERROR");
    assert_eq!(carol.ok("SETTING GET", json!({"key": "motto", "of": "alice"}))["value"], "To the last");
    assert_eq!(bob.ok("SETTING SET", json!({"key": "colour", "value": "red"}))["version"], 1);
    assert_eq!(carol.fails("SETTING GET", json!({"key": "colour", "of": "bob"})), "not_found");
    let set = json!({"key": "colour", "value": "green", "version": 1, "public": true});
    assert_eq!(bob.ok("SETTING SET", set.clone())["version"], 2);
    let reply = bob.ask("SETTING SET", set);
    assert_eq!(reply["code"], "conflict");
    assert_eq!(reply["data"]["version"], 2);
    arena.ok("SETTING SET", json!({"key": "motd", "value": "welcome", "public": true}));
    assert_eq!(carol.ok("SETTING GET", json!({"key": "motd", "of": "server:arena"}))["value"], "welcome");
}

/// Gives the key of the arena, which leaves, and the number of the last message it had.
fn servers_talk(backend: &Backend, mut arena: GameServer, desert: &mut GameServer) -> (String, u64) {
    for server in [&mut arena, &mut *desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let data = desert.ok("RELAY SEND", json!({"body": "round over", "channel": "lobby"}));
    has(&data, json!({"number": 1, "receivers": 1}));
    let event = arena.expect_event("relay");
    has(&event, json!({"number": 1, "from": "server:desert", "body": "round over"}));
    arena.ok("RELAY SEND", json!({"body": "for you alone", "to": "desert"}));
    let event = desert.expect_event("relay");
    has(&event, json!({"channel": null, "body": "for you alone"}));

    // The arena goes away, misses two, and gets them when it is back.
    let key = arena.key.clone();

    drop(arena);
    for number in 2..=3 {
        desert.ok("RELAY SEND", json!({"body": format!("missed {number}"), "channel": "lobby"}));
    }
    let mut arena = GameServer::with_key(backend, "arena", key.clone());
    let data = arena.ok("RELAY JOIN", json!({"channel": "lobby", "since": 1}));
    has(&data, json!({"number": 3, "waiting": 2, "missed": 0}));
    for number in 2..=3 {
        let event = arena.expect_event("relay");
        has(&event, json!({"number": number, "body": format!("missed {number}")}));
    }
    (key, 3)
}
