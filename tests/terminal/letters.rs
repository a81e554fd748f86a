//! Which characters a terminal has, and keys that are none, byte by byte; a screen reader.

use super::{IAC, TTYPE, ask, at_telnet, position, until};
use crate::harness::{Backend, GREETING, Person, WELCOME, Wire};
use crate::moving::{OTHER, wait_for_moves};
use serde_json::json;

const LATIN1: &str = "Your terminal seems to send Latin-1";

#[test]
fn a_terminal_that_sends_latin1_is_understood_and_answered_in_it_also_after_a_move() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    let mut alice = backend.person("alice");
    alice.wire.send(b"TELL bob caf\xe9\r\n");
    assert_eq!(bob.expect_event("tell")["body"], "café");
    let said = until(&mut alice.wire, b"Told bob.\r\n> ");
    assert_eq!(position(&said, b"[notice] Your terminal seems to send Latin-1"), Some(0), "before the answer");
    assert!(position(&said, b"\r\nTold bob.").is_some(), "and without a prompt between");
    let exchange = |alice: &mut Person, bob: &mut crate::harness::Program| {
        alice.wire.send(b"TELL bob zo\xeb \xfc\r\n");
        assert_eq!(bob.expect_event("tell")["body"], "zoë ü");
        until(&mut alice.wire, b"Told bob.\r\n> ");
        bob.ok("TELL", json!({"to": "alice", "body": "zoë, Łódź, 日本"}));
        let told = until(&mut alice.wire, b"Ri Ben\r\n> ");
        assert!(position(&told, b"[tell] bob: zo\xeb, L\xf3dz, Ri Ben\r\n").is_some(), "{told:?}");
        assert_eq!(position(&told, LATIN1.as_bytes()), None, "it is said once");
    };
    exchange(&mut alice, &mut bob);
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 2);
    exchange(&mut alice, &mut bob);
}

#[test]
fn utf8_that_was_damaged_is_refused_and_nothing_follows_from_it() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    for bytes in [&b"HW zo\xc3\xab \xc3\r\n"[..], b"HW \xc0\x80\r\n", b"HW \xed\xa0\x80\r\n"] {
        person.wire.send(bytes);
        assert_eq!(person.answer(), "ERROR: That line was not UTF-8.\r\n", "{bytes:x?}");
    }
    person.says("FINGER zoë").sees("zoë");
}

#[test]
fn a_line_of_utf8_shows_that_it_was_no_latin1() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    alice.wire.send(b"FINGER caf\xe9\r\n");
    until(&mut alice.wire, LATIN1.as_bytes());
    until(&mut alice.wire, b"> ");
    alice.type_line("TELL alice zoë");
    until(&mut alice.wire, "[tell] alice: zoë".as_bytes());
}

#[test]
fn before_a_mode_is_chosen_and_for_programs_nothing_is_understood_that_was_not() {
    let backend = Backend::start();
    for bytes in [&b"caf\xe9\r\n"[..], b"\x1b[AMODE HUMAN\r\n", b"\x1b[A\r\n"] {
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send(bytes);
        assert_eq!(wire.rest(), "{\"state\": \"ERROR\", \"msg\": \"No mode set.\"}\r\n", "{bytes:?}");
    }
    let mut program = backend.program();
    assert_eq!(program.say(b"{\"cmd\": \"HW\"} caf\xe9")["msg"], "That line was not UTF-8.");
    assert_eq!(program.say(b"\x1b[A{\"cmd\": \"HW\"}")["state"], "ERROR");
    program.ok("PING", json!({}));
}

#[test]
fn keys_that_are_no_letters_are_swallowed_however_they_come() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    for line in ["\x1b[AHW", "H\x1b[DW\x1b", "\x1b[200~HW\x1b[201~", "\x1bOAH\x1b[3~\x1b[1;5CW", "\x1bxHW\x1b[[A"] {
        for chunk in [1, 100] {
            let line = format!("{line}\r\n");
            line.as_bytes().chunks(chunk).for_each(|part| person.wire.send(part));
            assert_eq!(person.answer(), "Hello, world!\r\n", "{line:?} by {chunk}");
        }
    }
    // Nothing but keys is no command, and no answer where a password is asked for.
    person.says("\x1b[A").sees("Arrow keys do nothing here").sees_no("ERROR");
    person.type_line("REGISTER alice");
    until(&mut person.wire, b"Password: ");
    person.type_line("\x1b[A\x1b[A");
    let said = until(&mut person.wire, b"Password: ");
    assert!(position(&said, b"Arrow keys do nothing here.").is_some());
    person.type_line("secret-of-\x1b[Dalice");
    until(&mut person.wire, b"Again: ");
    person.type_line("secret-of-alice");
    until(&mut person.wire, b"registered and logged in");
}

#[test]
fn a_screen_reader_gets_no_tables() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    arena.ok("STATUS SET", json!({"map": "harbour", "players": 1, "max": 2}));
    let table = |bits: &str| {
        let mut answer = vec![IAC, 251, TTYPE];
        for name in ["READER", "XTERM", bits] {
            answer.extend([IAC, 250, TTYPE, 0]);
            answer.extend(name.bytes());
            answer.extend([IAC, 240]);
        }
        ask(&mut at_telnet(&backend, &answer), "WORLDS")
    };
    let (read, seen) = (table("MTTS 77"), table("MTTS 13"));
    assert!(read.contains("Map: harbour\r\n") && !read.contains('\u{1b}'), "{read}");
    assert!(!seen.contains("Map: harbour") && seen.contains('\u{1b}'), "{seen}");
}

#[test]
fn a_person_is_told_before_his_silence_ends_the_connection_and_return_keeps_it() {
    let backend = Backend::plan().config("limits.idle_seconds = 4\n").start();
    let mut wire = Wire::to(backend.at());
    wire.expect(GREETING);
    wire.send("MODE HUMAN\r\n");
    wire.expect(WELCOME);
    let told = "\r\n[notice] You have typed nothing for long: this connection ends in 1 second.\r\n  \
                Press return to keep it.\r\n> ";
    wire.expect(told);
    wire.send("\r\n");
    wire.expect("> ");
    wire.expect(told);
    let last = "\r\n[notice] No whole line came for 4 seconds; the connection is closed.\r\n> ";
    assert_eq!(wire.rest(), last);
}
