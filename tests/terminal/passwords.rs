//! Passwords that are asked for: without echo, again where it was no line, and how to give up.

use super::{WILL_ECHO, WONT_ECHO, position, until};
use crate::harness::{Backend, Person};
use serde_json::json;

#[test]
fn a_password_is_asked_for_without_echo() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    person.type_line("REGISTER alice");
    let asked = until(&mut person.wire, b": ");
    assert_eq!(position(&asked, WILL_ECHO), Some(0), "{asked:?}");
    assert!(position(&asked, b"assword").is_some());
    person.type_line("secret-of-alice");
    // Once more, because a slip would lock her out.
    let asked = until(&mut person.wire, b": ");
    assert!(position(&asked, WONT_ECHO).is_none(), "the second one would be seen: {asked:?}");
    person.type_line("secret-of-alice");
    let shown = until(&mut person.wire, WONT_ECHO);
    assert!(position(&shown, b"secret").is_none());
    let answer = person.expect("> ");
    assert!(answer.contains("registered and logged in"), "{answer}");
    assert!(!answer.contains("secret"), "{answer}");

    person.type_line("LOGIN alice");
    until(&mut person.wire, b"assword");
    until(&mut person.wire, b": ");
    person.type_line("wrong-guess");
    until(&mut person.wire, WONT_ECHO);
    assert!(person.expect("> ").contains("ERROR"));
    // The old one, the new one, and the new one again.
    person.type_line("PASSWORD");
    for password in ["secret-of-alice", "battery-staple", "battery-staple"] {
        until(&mut person.wire, b": ");
        person.type_line(password);
    }
    until(&mut person.wire, WONT_ECHO);
    let answer = person.expect("> ");
    assert!(!answer.contains("ERROR"), "{answer}");
    backend.program().ok("LOGIN", json!({"name": "alice", "password": "battery-staple"}));
}

#[test]
fn two_that_differ_change_nothing_and_the_echo_comes_back() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    person.type_line("REGISTER alice");
    for password in ["secret-of-alice", "secret-of-alicf"] {
        until(&mut person.wire, b": ");
        person.type_line(password);
    }
    until(&mut person.wire, WONT_ECHO);
    assert!(person.expect("> ").contains("ERROR"));
    person.says("FINGER alice").sees("ERROR");
    assert_eq!(person.ask("HW"), "Hello, world!\r\n");
}

#[test]
fn nothing_typed_is_how_to_give_up() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    person.type_line("REGISTER alice");
    until(&mut person.wire, b": ");
    person.type_line("");
    until(&mut person.wire, WONT_ECHO);
    assert!(person.expect("> ").contains("ERROR"));
    assert_eq!(person.ask("HW"), "Hello, world!\r\n");
}

/// Types something that is no line at a password prompt; gives what is said up to the question that stands again.
fn no_line(person: &mut Person, bytes: &[u8], question: &str) {
    person.wire.send(bytes);
    let said = String::from_utf8_lossy(&until(&mut person.wire, question.as_bytes())).into_owned();
    assert!(said.contains("ERROR: That line was ") && said.contains("Type it again"), "{said:?}");
    assert!(!said.contains("\r\n> ") && position(said.as_bytes(), WONT_ECHO).is_none(), "{said:?}");
}

#[test]
fn a_line_that_is_none_is_asked_for_again_where_a_password_is_asked_for() {
    let backend = Backend::start();
    let too_long = [vec![b'x'; 9000], b"\r\n".to_vec()].concat();
    let lines = [&b"caf\xc3\xa9 \xc3\r\n"[..], &too_long];
    let mut person = backend.terminal();
    let answers = |person: &mut Person, line: &str, questions: &[(&str, &str)]| {
        person.type_line(line);
        for (question, answer) in questions {
            until(&mut person.wire, question.as_bytes());
            for bytes in lines {
                no_line(person, bytes, question);
            }
            person.type_line(answer);
        }
        until(&mut person.wire, WONT_ECHO);
        let said = person.expect("> ");
        assert!(!said.contains("ERROR"), "{said}");
    };
    answers(&mut person, "REGISTER alice", &[("Password: ", "secret-of-alice"), ("Again: ", "secret-of-alice")]);
    person.ask("LOGOUT");
    answers(&mut person, "LOGIN alice", &[("Password: ", "secret-of-alice")]);
    let new = "battery-staple";
    answers(
        &mut person,
        "PASSWORD",
        &[("Old password: ", "secret-of-alice"), ("New password: ", new), ("Again: ", new)],
    );
    backend.program().ok("LOGIN", json!({"name": "alice", "password": new}));
    // Nothing is how to give up then, too.
    person.type_line("PASSWORD");
    until(&mut person.wire, b"Old password: ");
    no_line(&mut person, lines[0], "Old password: ");
    person.type_line("");
    until(&mut person.wire, WONT_ECHO);
    assert!(person.expect("> ").contains("ERROR: Nothing was typed"));
    assert_eq!(person.ask("HW"), "Hello, world!\r\n");
}

#[test]
fn a_password_is_asked_for_behind_the_answers_that_are_still_to_come() {
    let backend = Backend::start();
    let mut person = backend.person("alice");
    person.ask("LOGOUT");
    backend.over_the_death_of_the_handler(|| {
        person.wire.send("WHO\r\nHW\r\nLOGIN alice\r\ncaf\u{e9}\r\n");
        // Answered at once by its worker: what was sent before is with the handler.
        let mut other = backend.terminal();
        other.ask("HW");
    });
    let came = until(&mut person.wire, b"Password: ");
    let text = String::from_utf8_lossy(&came).into_owned();
    let places = ["is on", "Hello, world!", "Password: "].map(|part| text.find(part));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text:?}");
    assert!(
        position(&came, WILL_ECHO).is_some_and(|echo| echo > position(&came, b"Hello").unwrap_or_default()),
        "{text:?}"
    );
    until(&mut person.wire, WONT_ECHO);
    assert!(person.expect("> ").contains("ERROR"));
    assert_eq!(person.ask("HW"), "Hello, world!\r\n");
}

#[test]
fn what_arrives_while_a_password_is_typed_leaves_the_question_standing() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    alice.type_line("PASSWORD");
    until(&mut alice.wire, b": ");
    bob.ok("TELL", json!({"to": "alice", "body": "hello"}));
    let told = until(&mut alice.wire, b"bob: hello\r\n");
    assert!(position(&told, WONT_ECHO).is_none());
    until(&mut alice.wire, b": ");
    alice.type_line("secret-of-alice");
    until(&mut alice.wire, b": ");
    alice.type_line("battery-staple");
    until(&mut alice.wire, b": ");
    alice.type_line("battery-staple");
    until(&mut alice.wire, WONT_ECHO);
    assert!(!alice.expect("> ").contains("ERROR"));
}
