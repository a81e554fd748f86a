//! After an upgrade idle workers let workers of the new program go on with their clients: nobody loses or gets twice what was
//! said to him, and is who he was.

use crate::harness::{Backend, GREETING, MOVED, Person, Program, Running, Wire, has, own_address};
use serde_json::json;

/// Another version: as long as this one's, since it is written over it.
pub const OTHER: &str = "9.8.7";
const THIS: &str = env!("CARGO_PKG_VERSION");

/// Waits until so many clients have moved since.
pub fn wait_for_moves(backend: &Backend, mark: usize, count: usize) {
    let all = |text: &str| (text.matches(MOVED).count() >= count).then_some(());
    backend.log().find_after(mark, &format!("{count} moves"), all);
}

#[test]
fn idle_workers_are_followed_and_nobody_notices() {
    let backend = Backend::plan().config("limits.clients_per_address = 6\n").start();
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let mut anyone = backend.program();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    backend.board("race");
    bob.ok("RECORD WATCH", json!({"board": "race"}));
    let mut arena = backend.game_server("arena");
    let mut desert = backend.game_server("desert");
    let epochs = [&mut arena, &mut desert]
        .map(|server| server.ok("RELAY JOIN", json!({"channel": "lobby"}))["epoch"].as_u64().expect("an epoch"));
    let session = bob.ok("WHOAMI", json!({}));
    let before = backend.workers();
    for (round, version) in [OTHER, THIS, OTHER].into_iter().enumerate() {
        let mark = backend.log().mark();
        backend.upgrade_to(version);
        wait_for_moves(&backend, mark, 6);
        assert_eq!(backend.versions(), [version; 6]);
        assert_eq!(backend.ctl(&["status"])["clients"], 6);
        assert!(Wire::to(backend.at()).rest().contains("Too many connections."));
        assert_eq!(bob.ok("WHOAMI", json!({})), session);
        bob.ok("TELL", json!({"to": "alice", "body": "still there?"}));
        alice.expect("still there?");
        alice.answer();
        alice.says("TELL bob yes").sees("bob");
        assert_eq!(bob.expect_event("tell")["body"], "yes");
        desert.ok("RELAY SEND", json!({"channel": "lobby", "body": round.to_string()}));
        let event = arena.expect_event("relay");
        has(&event, json!({"body": round.to_string(), "number": (round + 1)}));
        assert_eq!([event["epoch"].as_u64(); 2], epochs.map(Some), "it goes on where it was");
        anyone.ok("WHO", json!({}));
        anyone.fails("MAIL LIST", json!({}));
    }
    let after = backend.workers();
    assert!(before.iter().all(|old| !after.contains(old)), "{before:?} {after:?}");
    silent.send("MODE CLIENT\r\n{\"cmd\": \"WHO\"}\r\n");
    silent.until("alice");
    assert!(!backend.log().text().contains("Disconnected"), "{}", backend.log().text());
    // Whoever has moved is one of the listener's own, whose end is noticed, and whom it may end.
    backend.see_off(silent);
    let list = backend.ctl(&["sessions", "list"]);
    let row = list.as_array().and_then(|rows| rows.iter().find(|row| row["who"] == "alice")).expect("alice");
    backend.ctl(&["sessions", "kick", &row["pid"].to_string()]);
    alice.wire.rest();
    backend.log().wait("Disconnected (4/");
    assert_eq!(backend.ctl(&["status"])["clients"], 4);
}

#[test]
fn whoever_is_typing_is_left_alone_until_his_line_is_done() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    // One write: the answer tells that what stands behind the line has come too.
    alice.wire.send("WHO\r\nTELL bob half");
    alice.answer();
    bob.wire.send("{\"cmd\": \"WHO\"}\r\n{\"cmd\": ");
    bob.reply();
    let _idle = backend.program();
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 1);
    assert_eq!(backend.versions(), [THIS, THIS, OTHER]);
    alice.wire.send(" of it\r\n");
    alice.answer();
    bob.send_line("\"PING\"}");
    assert_eq!(bob.reply()["state"], "OK");
    wait_for_moves(&backend, mark, 3);
    assert_eq!(bob.expect_event("tell")["body"], "half of it");
    alice.says("WHOAMI").sees("alice");
    assert_eq!(backend.versions(), [OTHER; 3]);
}

#[test]
fn telnet_goes_on_as_it_was_agreed() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    // A window of 40 columns, and prompts marked by EOR.
    person.wire.send(b"\xff\xfb\x1f\xff\xfd\x19\xff\xfa\x1f\x00\x28\x00\x18\xff\xf0WHOAMI\r");
    let to_eor =
        |wire: &mut Wire| wire.take("a marked prompt", |came| came.ends_with(b"> \xff\xef").then_some(came.len()));
    assert!(
        to_eor(&mut person.wire).windows(3).any(|part| part == b"\xff\xfd\x1f"),
        "a window's size is not asked for"
    );
    let ask = |person: &mut Person| {
        person.wire.send("HELP TELL\r\n");
        to_eor(&mut person.wire)
    };
    // The LF belongs to the CR before; it would be an empty line, and one prompt more.
    person.wire.send("\n");
    let before = ask(&mut person);
    person.wire.send("WHOAMI\r");
    to_eor(&mut person.wire);
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 1);
    person.wire.send("\n");
    assert_eq!(ask(&mut person), before, "nothing is offered again, and the window is as wide as it was");
}

#[test]
fn who_has_said_nothing_yet_at_a_door_is_looked_at_after_a_move() {
    let plan = Backend::plan();
    let door = format!("[[door]]\naddress = \"{}:0\"\nmode = \"human\"\n", plan.address());
    let backend = plan.config(&door).start();
    let mut wires = [(); 3].map(|()| Wire::to(backend.doors()[1]));
    wires.iter_mut().for_each(|wire| drop(wire.until("> ")));
    wires[2].send("HW\r\n");
    wires[2].until("Hello, world!\r\n> ");
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 3);
    for wire in &mut wires[..2] {
        wire.send("GET / HTTP/1.1\r\n\r\n");
        assert!(wire.rest().starts_with("ERROR: This port is for people"));
    }
    wires[2].send("GET / HTTP/1.1\r\nHW\r\n");
    wires[2].until("Hello, world!\r\n> ");
}

#[test]
fn what_the_terminal_takes_is_known_after_a_move() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    arena.ok("STATUS SET", json!({"map": "zoë", "players": 1, "max": 2}));
    let mut person = backend.terminal();
    // CHARSET, and UTF-8 is rejected.
    person.wire.send(b"\xff\xfd\x2a\xff\xfa\x2a\x03\xff\xf0WORLDS\r\n");
    person.wire.until("zoe");
    person.wire.until("> ");
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 2);
    person.wire.send("WORLDS\r\n");
    person.wire.until("zoe");
}

#[test]
fn whoever_has_said_that_he_stays_stays_after_a_move() {
    let backend = Backend::plan().config("limits.anonymous_seconds = 3\n").start();
    let mut staying = backend.program();
    staying.ok("STAY", json!({}));
    for version in [OTHER, THIS] {
        let mark = backend.log().mark();
        backend.upgrade_to(version);
        wait_for_moves(&backend, mark, 1);
    }
    assert_eq!(backend.versions(), [THIS]);
    // Longer than any other may be silent.
    let said = backend.program().wire.rest();
    assert!(said.contains("STAY") && said.contains("No whole line came for 3 seconds"), "{said}");
    staying.expect_no_event("notice");
}

#[test]
fn relay_messages_that_are_sent_meanwhile_arrive_in_order_and_once() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut desert = backend.game_server("desert");
    for server in [&mut arena, &mut desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let path = backend.of_version(OTHER);
    let mark = backend.log().mark();
    let mut asked = Running::start(&mut backend.ctl_command(&["upgrade", "--binary", path.to_str().unwrap()]));
    let (mut sent, moved) =
        (0, || backend.log().text().get(mark..).is_some_and(|text| text.matches(MOVED).count() > 1));
    while !moved() {
        sent += 1;
        assert!(sent < 1_000_000, "they never move");
        desert.ok("RELAY SEND", json!({"channel": "lobby", "body": sent.to_string()}));
    }
    assert_eq!(asked.wait().and_then(|status| status.code()), Some(0));
    desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "last"}));
    for number in 1..=sent {
        assert_eq!(arena.expect_event("relay")["body"], number.to_string());
    }
    assert_eq!(arena.expect_event("relay")["body"], "last");
    arena.expect_no_event("relay");
    arena.expect_no_event("missed");
}

#[test]
fn what_somebody_listens_to_goes_with_him_to_other_workers_and_handlers() {
    let backend = Backend::start();
    backend.board("race");
    let (mut alice, mut bob) = (backend.player("alice"), backend.player("bob"));
    bob.ok("RECORD WATCH", json!({"board": "RACE"}));
    let (mut arena, mut desert) = (backend.game_server("arena"), backend.game_server("desert"));
    for server in [&mut arena, &mut desert] {
        server.ok("RECORD WATCH", json!({"board": "race"}));
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    for (round, version) in [OTHER, THIS].into_iter().enumerate() {
        let mark = backend.log().mark();
        backend.upgrade_to(version);
        wait_for_moves(&backend, mark, 4);
        for kill in [false, true] {
            if kill {
                backend.kill_handler();
            }
            // A better one each time, on a board where less is better.
            let score = 10 - 2 * round - usize::from(kill);
            alice.ok("RECORD SUBMIT", json!({"board": "race", "score": score}));
            desert.ok("RELAY SEND", json!({"channel": "lobby", "body": score.to_string()}));
            for watcher in [&mut bob, &mut arena] {
                assert_eq!(watcher.expect_event("record")["score"], score);
                watcher.expect_no_event("record");
            }
            assert_eq!(arena.expect_event("relay")["body"], score.to_string());
            arena.expect_no_event("relay");
            alice.expect_no_event("record");
        }
    }
    bob.ok("RECORD UNWATCH", json!({"board": "race"}));
    arena.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    arena.fails("RELAY LEAVE", json!({"channel": "lobby"}));
}

#[test]
fn whoever_asks_all_the_time_gets_every_answer_and_moves_when_he_pauses() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let path = backend.of_version(OTHER);
    let mark = backend.log().mark();
    let mut asked = Running::start(&mut backend.ctl_command(&["upgrade", "--binary", path.to_str().unwrap()]));
    let ask = |alice: &mut Program, number: u64| {
        alice.send_line(json!({"id": number, "cmd": "SETTING SET", "args": {"key": "k", "value": "v"}}).to_string());
    };
    (1..=20).for_each(|number| ask(&mut alice, number));
    let ready = || backend.log().text().get(mark..).is_some_and(|text| text.contains("upgraded from"));
    let (mut next, mut beyond) = (21, 0);
    while beyond < 500 {
        let reply = alice.reply();
        assert_eq!(reply["id"], next - 20, "{reply}");
        assert_eq!(reply["data"]["version"], next - 20, "{reply}");
        ask(&mut alice, next);
        next += 1;
        beyond += u32::from(ready());
    }
    for number in next - 20..next {
        assert_eq!(alice.reply()["data"]["version"], number);
    }
    assert_eq!(asked.wait().and_then(|status| status.code()), Some(0));
    wait_for_moves(&backend, mark, 1);
    assert_eq!(alice.ok("SETTING SET", json!({"key": "k", "value": "v"}))["version"], next);
}

#[test]
fn many_move_and_each_is_who_he_was() {
    let backend = Backend::plan().config("limits.clients_per_address = 1000\n").start();
    let mut names = Vec::new();
    let mut all: Vec<Program> = (0..300).map(|_| backend.program()).collect();
    for (number, program) in all.iter_mut().enumerate().step_by(10) {
        names.push(format!("p{number}"));
        program.ok("REGISTER", json!({"name": names.last(), "password": "secret-of-somebody"}));
    }
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 300);
    for (number, program) in all.iter_mut().enumerate().step_by(10) {
        assert_eq!(program.ok("WHOAMI", json!({}))["player"], format!("p{number}"));
    }
    assert_eq!(backend.ctl(&["status"])["clients"], 300);
    assert!(!backend.log().text().contains("Disconnected"));
    drop(all);
    backend.log().wait("Disconnected (0/");
}

#[test]
fn a_client_whose_door_is_gone_stays_where_it_is() {
    let door = format!("[[door]]\naddress = \"{}:0\"\nmode = \"client\"\n", own_address());
    let backend = Backend::plan().config(&door).start();
    let at = backend.doors()[1];
    let mut guest = Wire::to(at);
    guest.expect(GREETING);
    let mut alice = backend.player("alice");
    backend.write_config("");
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 1);
    guest.send("{\"cmd\": \"WHO\"}\r\n");
    guest.until("alice");
    alice.ok("PING", json!({}));
    assert_eq!(backend.versions(), [THIS, OTHER]);
    backend.see_off(guest);
}

#[test]
fn both_die_and_the_next_ones_know_who_has_moved() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 2);
    let there = backend.workers();
    backend.kill_handler();
    assert_eq!(backend.workers(), there);
    backend.kill_listener();
    alice.ok("PING", json!({}));
    // The one that a supervisor starts is of the version before: everybody moves back.
    backend.next_listener();
    wait_for_moves(&backend, 0, 2);
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "alice");
    assert_eq!((backend.versions(), backend.ctl(&["status"])["clients"].clone()), (vec![THIS.to_owned(); 2], 2.into()));
    backend.see_off(silent);
    backend.stop();
    assert!(alice.wire.rest().contains("The backend is going down."));
}
