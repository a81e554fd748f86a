//! The whole walk: an operator, two game servers and three players, in both ways of speaking, through everything that
//! the backend can do.

use crate::harness::{Backend, GameServer, Person, Program};
use serde_json::json;

#[test]
fn an_evening_with_two_servers_and_three_players() {
    let mut backend = Backend::start();
    backend.ctl(&["board", "define", "sprint", "--unit", "ms", "--better", "lower"]);
    backend.ctl(&["board", "define", "kills", "--unit", "points", "--better", "higher", "--operator", "sum"]);
    backend.board("puzzle");
    let mut arena = GameServer::added(&backend, "arena");
    let mut desert = GameServer::added(&backend, "desert");

    // Alice is a person, Bob and Carol use programs.
    let mut alice = Person::at(&backend).register("alice");
    let mut bob = Program::registered(&backend, "bob");
    let mut carol = Program::registered(&backend, "carol");

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
    let mut carol = Program::at(&backend);
    assert_eq!(carol.login("carol")["unread"], 1);
    assert_eq!(carol.ok("MAIL LIST", json!({}))["mails"][0]["subject"], "Tomorrow");
    assert_eq!(carol.ok("SETTING GET", json!({"key": "colour", "of": "bob"}))["value"], "green");
    let mut alice = Person::at(&backend);
    let answer = alice.ask("LOGIN alice secret-of-alice");
    assert!(answer.contains("alice") && !answer.contains("ERROR"), "{answer}");
}

fn servers_show_themselves(arena: &mut GameServer, desert: &mut GameServer, alice: &mut Person, bob: &mut Program) {
    arena.ok("STATUS SET", json!({"map": "harbour", "players": 3, "max": 16, "text": "friendly fire off"}));
    desert.ok("STATUS SET", json!({"map": "dunes", "players": 0, "max": 8}));
    let data = bob.ok("WORLDS", json!({}));
    assert_eq!(
        (&data["total"], &data["worlds"][0]["name"], &data["worlds"][1]["map"]),
        (&2.into(), &"arena".into(), &"dunes".into())
    );
    let table = alice.ask("WORLDS");
    assert!(table.contains("harbour") && table.contains("3/16") && table.contains("friendly fire off"), "{table}");
    let who = alice.ask("WHO");
    assert!(["alice", "bob", "carol"].iter().all(|name| who.contains(name)), "{who}");
    let finger = alice.ask("FINGER BOB");
    assert!(finger.contains("bob"), "{finger}");
}

fn records_are_set(
    arena: &mut GameServer,
    desert: &mut GameServer,
    alice: &mut Person,
    bob: &mut Program,
    carol: &mut Program,
) {
    bob.ok("RECORD WATCH", json!({"board": "sprint"}));
    assert!(!alice.ask("RECORD WATCH sprint").contains("ERROR"));
    let data = arena.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 12500, "player": "alice", "note": "dry"}));
    assert_eq!((&data["rank"], &data["improved"]), (&1.into(), &true.into()));
    let event = bob.expect_event("record");
    assert_eq!((&event["player"], &event["score"], &event["previous"]), (&"alice".into(), &12500.into(), &json!(null)));
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
    assert_eq!((&data["rank"], &data["total"], &data["server"]), (&3.into(), &3.into(), &"desert".into()));
    let shown = alice.ask("SHOW sprint");
    assert!(shown.contains("12500"), "{shown}");
}

fn people_talk(arena: &mut GameServer, alice: &mut Person, bob: &mut Program, carol: &mut Program) {
    let answer = alice.ask("MAIL SEND bob \"See you at eight\" Tonight");
    assert!(answer.contains("sent to bob"), "{answer}");
    let event = bob.expect_event("mail");
    assert_eq!((&event["from"], &event["subject"], &event["unread"]), (&"alice".into(), &"Tonight".into(), &1.into()));
    let id = event["id"].clone();
    assert_eq!(bob.ok("MAIL READ", json!({"id": id}))["body"], "See you at eight");
    bob.ok("MAIL REPLY", json!({"id": id, "body": "I will be there"}));
    let told = alice.expect("[mail] ") + &alice.answer();
    assert!(told.contains("bob: Re: Tonight (MAIL READ "), "{told}");
    let number = told.split("MAIL READ ").nth(1).and_then(|rest| rest.split(')').next()).expect("a number").to_owned();
    let letter = alice.ask(&format!("MAIL READ {number}"));
    assert!(letter.contains("I will be there"), "{letter}");

    assert!(alice.ask("TELL carol Are you there?").contains("carol"));
    let event = carol.expect_event("tell");
    assert_eq!((&event["from"], &event["body"]), (&"alice".into(), &"Are you there?".into()));
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
    let answer = alice.ask("SETTING SET motto \"To the last\" PUBLIC");
    assert!(!answer.contains("ERROR"), "{answer}");
    assert_eq!(carol.ok("SETTING GET", json!({"key": "motto", "of": "alice"}))["value"], "To the last");
    assert_eq!(bob.ok("SETTING SET", json!({"key": "colour", "value": "red"}))["version"], 1);
    assert_eq!(carol.fails("SETTING GET", json!({"key": "colour", "of": "bob"})), "not_found");
    let set = json!({"key": "colour", "value": "green", "version": 1, "public": true});
    assert_eq!(bob.ok("SETTING SET", set.clone())["version"], 2);
    let reply = bob.ask("SETTING SET", set);
    assert_eq!((&reply["code"], &reply["data"]["version"]), (&"conflict".into(), &2.into()));
    arena.ok("SETTING SET", json!({"key": "motd", "value": "welcome", "public": true}));
    assert_eq!(carol.ok("SETTING GET", json!({"key": "motd", "of": "server:arena"}))["value"], "welcome");
}

/// Gives the key of the arena, which leaves, and the number of the last message it had.
fn servers_talk(backend: &Backend, mut arena: GameServer, desert: &mut GameServer) -> (String, u64) {
    for server in [&mut arena, &mut *desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let data = desert.ok("RELAY SEND", json!({"body": "round over", "channel": "lobby"}));
    assert_eq!((&data["number"], &data["receivers"]), (&1.into(), &1.into()));
    let event = arena.expect_event("relay");
    assert_eq!((&event["number"], &event["from"], &event["body"]), (&1.into(), &"desert".into(), &"round over".into()));
    arena.ok("RELAY SEND", json!({"body": "for you alone", "to": "desert"}));
    let event = desert.expect_event("relay");
    assert_eq!((&event["channel"], &event["body"]), (&json!(null), &"for you alone".into()));

    // The arena goes away, misses two, and gets them when it is back.
    let key = arena.key.clone();

    drop(arena);
    for number in 2..=3 {
        desert.ok("RELAY SEND", json!({"body": format!("missed {number}"), "channel": "lobby"}));
    }
    let mut arena = GameServer::with_key(backend, "arena", key.clone());
    let data = arena.ok("RELAY JOIN", json!({"channel": "lobby", "since": 1}));
    assert_eq!((&data["number"], &data["waiting"], &data["missed"]), (&3.into(), &2.into(), &0.into()));
    for number in 2..=3 {
        let event = arena.expect_event("relay");
        assert_eq!((&event["number"], &event["body"]), (&number.into(), &format!("missed {number}").into()));
    }
    (key, 3)
}
