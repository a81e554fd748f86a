//! What a person is asked for when something of a command is missing, texts that he writes line by line, and answers that are
//! longer than his window.

use crate::harness::{Backend, MOVED, Person};
use serde_json::json;

/// Another version: as long as this one's, since it is written over it.
const OTHER: &str = "9.8.7";

/// Types a line, and waits for what is asked next.
fn types(person: &mut Person, line: &str, next: &str) -> String {
    person.type_line(line);
    person.expect(next)
}

#[test]
fn a_letter_outlives_the_handler_an_upgrade_and_the_listener() {
    let mut backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    types(&mut alice, "MAIL SEND bob SUBJECT \"Long\"", "1: ");
    types(&mut alice, "one", "2: ");
    backend.kill_handler();
    // The handler has nothing to do with it, and its death is not seen.
    types(&mut alice, "QUIT", "3: ");
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    backend.log().find_after(mark, "two moves", |text| (text.matches(MOVED).count() >= 2).then_some(()));
    assert_eq!(backend.versions(), [OTHER; 2]);
    bob.ok("TELL", json!({"to": "alice", "body": "are you there?"}));
    let seen = types(&mut alice, "  three", "4: ");
    assert!(!seen.contains("there?"), "{seen}");
    backend.kill_listener();
    backend.next_listener();
    types(&mut alice, "", "5: ");
    types(&mut alice, "~d 4", "4: ");
    let seen = types(&mut alice, ".", "sent to bob");
    assert!(seen.contains("[tell] bob: are you there?\r\n"), "{seen}");
    let id = bob.expect_event("mail")["id"].clone();
    let mail = bob.ok("MAIL READ", json!({"id": id}));
    assert_eq!([&mail["subject"], &mail["body"]], ["Long", "one\nQUIT\n  three"]);
}

#[test]
fn a_pasted_letter_runs_nothing_and_keeps_its_lines() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.person("bob");
    let letter = "Dear bob,\r\n\r\nQUIT\r\nLOGOUT\r\n\"Quoted\", he said.\r\n~ is a tilde\r\n";
    // In one piece, with what is to be done then.
    alice.wire.send(format!("mail send bob\r\n{}.\r\nWHOAMI\r\n", letter.replace("~ is", "~~ is")));
    let seen = alice.expect("You are alice");
    assert!(seen.contains("sent to bob") && !seen.contains("ERROR"), "{seen}");
    bob.expect("(MAIL READ 1)");
    bob.answer();
    let shown = "  Dear bob,\r\n\r\n  QUIT\r\n  LOGOUT\r\n  \"Quoted\", he said.\r\n  ~ is a tilde\r\n";
    bob.says("MAIL READ 1").sees(shown);
}

#[test]
fn what_is_left_out_is_asked_for_one_by_one() {
    let backend = Backend::start();
    backend.player("bob");
    let mut person = backend.terminal();
    types(&mut person, "register", "name: ");
    let seen = types(&mut person, "al ice", "name: ");
    assert!(seen.contains("name must be one word"), "{seen}");
    types(&mut person, "alice", "Password: ");
    let seen = types(&mut person, "x", "Password: ");
    assert!(seen.contains("ERROR: A password has"), "{seen}");
    types(&mut person, "secret-of-alice", "Again: ");
    types(&mut person, "secret-of-alice", "registered and logged in.");
    person.answer();
    let seen = types(&mut person, "mail read", "id: ");
    assert!(seen.contains("the mail's number"), "{seen}");
    types(&mut person, "twelve", "id: ");
    person.says("").sees("Nothing was typed, nothing was done.");
    types(&mut person, "setting set motto PUBLIC", "1: ");
    types(&mut person, "Be kind", "2: ");
    types(&mut person, "and brave", "3: ");
    person.says(".").sees("motto is now version 1, public.");
    person.says("setting get motto").sees("  Be kind\r\n  and brave\r\n");
    types(&mut person, "tell bob", "1: ");
    person.says("~q").sees("Given up.");
    types(&mut person, "tell bob", "1: ");
    person.says(".").sees("Nothing was written, nothing was done.").sees_no("kept");
}

#[test]
fn a_text_that_was_refused_is_not_lost() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    let mut alice = backend.person("alice");
    types(&mut alice, "mail send bbo", "1: ");
    types(&mut alice, "hard to write", "2: ");
    alice.says(".").sees("ERROR").sees("What you wrote is kept");
    let seen = types(&mut alice, "mail send bob", "2: ");
    assert!(seen.contains("1: hard to write\r\n"), "{seen}");
    alice.says(".").sees("sent to bob");
    let id = bob.expect_event("mail")["id"].clone();
    assert_eq!(bob.ok("MAIL READ", json!({"id": id}))["body"], "hard to write");
    let seen = types(&mut alice, "mail send bob", "1: ");
    assert!(!seen.contains("hard to write"), "{seen}");
}

#[test]
fn a_long_answer_stops_at_the_height_of_the_window_and_never_for_programs() {
    let backend = Backend::start();
    let names: Vec<String> = (10..40).map(|number| format!("board-{number}")).collect();
    names.iter().for_each(|name| backend.board(name));
    let mut alice = backend.person("alice");
    // The terminal tells its size: 80 columns, 8 lines.
    alice.wire.send(b"\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x08\xff\xf0");
    let page = types(&mut alice, "boards", "more: return, or q to end --");
    assert!(page.contains("board-10") && !page.contains("board-16"), "{page}");
    let next = types(&mut alice, "", "more: return, or q to end --");
    assert!(next.contains("board-16") && !next.contains("board-10"), "{next}");
    let answer = types(&mut alice, "whoami", "> ");
    assert!(answer.contains("You are alice") && !answer.contains("board-"), "{answer}");
    let next = types(&mut alice, "more", "more: return, or q to end --");
    assert!(!next.contains("board-16"), "{next}");
    assert!(!types(&mut alice, "q", "> ").contains("board"));
    types(&mut alice, "more", "There is nothing more to show.");
    let boards = backend.player("bob").ok("RECORD BOARDS", json!({"limit": 100}));
    assert_eq!(boards["boards"].as_array().map(Vec::len), Some(30));
}

#[test]
fn who_comes_from_elsewhere_is_understood_or_told_what_there_is() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    let mut person = backend.terminal();
    types(&mut person, "create alice", "Password: ");
    types(&mut person, "secret-of-alice", "Again: ");
    types(&mut person, "secret-of-alice", "registered and logged in.");
    person.answer();
    person.says("? mail").sees("MAIL SEND");
    person.says("look").sees("WORLDS").sees_no("not found");
    person.says("say hello").sees("TELL");
    person.says("\"hello").sees("TELL");
    person.says("@mail").sees("MAIL LIST");
    person.says("@who").sees("alice");
    person.says("page bob=hi there").sees("Told bob");
    assert_eq!(bob.expect_event("tell")["body"], "hi there");
    person.type_line("exit");
    person.wire.rest();
}
