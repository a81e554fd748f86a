//! What is sent ahead without waiting: answers in order, whoever gives them, whatever comes behind.

use crate::harness::{Backend, GREETING, Wire};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

fn parsed(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn quit_comes_after_the_answers_to_what_was_asked_before() {
    let backend = Backend::start();
    let mut program = backend.player("alice");
    let mut text = String::new();
    for id in 1..=20 {
        text += &format!("{{\"id\": {id}, \"cmd\": \"SETTING SET\", \"args\": [\"k{id}\", \"v\"]}}\r\n");
    }
    program.wire.send(text + "{\"cmd\": \"QUIT\"}\r\n");
    let replies = parsed(&program.wire.rest());
    assert_eq!(replies.len(), 20, "answers are missing: {replies:?}");
    assert!(replies.iter().zip(1..).all(|(reply, id)| reply["id"] == id && reply["state"] == "OK"), "{replies:?}");
}

#[test]
fn who_has_said_everything_still_gets_the_answers() {
    let backend = Backend::start();
    let mut program = backend.player("alice");
    for id in 1..=50 {
        program.send_line(json!({"id": id, "cmd": "SETTING SET", "args": [format!("k{id}"), "v"]}).to_string());
    }
    program.wire.finish();
    assert_eq!(parsed(&program.wire.rest()).len(), 50);
    // Also with the last line not ended, which is no command then.
    let mut wire = Wire::to(backend.at());
    wire.send("MODE CLIENT\r\n{\"cmd\": \"WORLDS\"}\r\n{\"cmd\": \"HW\"}");
    wire.finish();
    wire.expect(GREETING);
    let replies = parsed(&wire.rest());
    assert_eq!(replies.len(), 2, "to MODE and to WORLDS: {replies:?}");
}

#[test]
fn the_end_is_seen_also_when_it_comes_together_with_the_last_line() {
    let backend = Backend::start();
    for (last, answers) in [("{\"cmd\": \"HW\"}\r\n", 1), ("{\"cmd\": \"WORLDS\"}\r\n", 1), ("\r\n", 0), ("half", 0)] {
        let mut program = backend.program();
        let worker = backend.only_worker();
        kill(worker.0, Signal::SIGSTOP).unwrap();
        program.wire.send(last);
        program.wire.finish();
        kill(worker.0, Signal::SIGCONT).unwrap();
        let replies = program.wire.rest();
        assert_eq!(replies.lines().count(), answers, "{last:?}: {replies}");
        backend.see_off(program.wire);
    }
}

#[test]
fn an_answer_is_in_the_language_of_its_question() {
    let backend = Backend::start();
    let mut program = backend.program();
    // It is linked to the handler from here on.
    program.ok("WHO", json!({}));
    program.wire.send("{\"id\": 7, \"cmd\": \"WHO\"}\r\n{\"cmd\": \"MODE\", \"args\": \"HUMAN\"}\r\nWHO\r\n");
    let reply: Value = serde_json::from_str(&program.wire.line()).expect("JSON for what was asked in JSON");
    assert_eq!(reply["id"], 7);
    assert!(program.wire.line().starts_with("Welcome"));
    program.wire.until("Nobody is on.");
}

#[test]
fn local_and_remote_answers_stay_in_order() {
    let backend = Backend::start();
    let mut program = backend.player("alice");
    let cmds = ["PING", "WORLDS", "HW", "SETTING LIST", "NOPE", "WHOAMI", "HELP", "RECORD BOARDS", "MODE", "MAIL LIST"];
    for id in 0..500 {
        program.send_line(format!("{{\"id\": {id}, \"cmd\": \"{}\"}}", cmds[id % cmds.len()]));
    }
    for id in 0..500 {
        let reply = program.reply();
        assert_eq!(reply["id"], id);
    }
}

#[test]
fn writes_and_reads_of_one_session_see_each_other() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    for round in 0..50 {
        let score = -round;
        alice.send_line(json!({"cmd": "SETTING SET", "args": ["k", round.to_string()]}).to_string());
        alice.send_line(json!({"cmd": "SETTING GET", "args": ["k"]}).to_string());
        alice.send_line(json!({"cmd": "RECORD SUBMIT", "args": {"board": "sprint", "score": score}}).to_string());
        alice.send_line(json!({"cmd": "RECORD SHOW", "args": ["sprint"]}).to_string());
        alice.send_line(json!({"cmd": "MAIL SEND", "args": ["alice", "x"]}).to_string());
        alice.send_line(json!({"cmd": "MAIL LIST", "args": {"limit": 1}}).to_string());
    }
    for round in 0..50 {
        let replies: Vec<Value> = (0..6).map(|_| alice.reply()).collect();
        assert_eq!(replies[1]["data"]["value"], round.to_string());
        assert_eq!(replies[3]["data"]["score"], -round);
        assert_eq!(replies[5]["data"]["mails"][0]["id"], replies[4]["data"]["id"]);
    }
}

#[test]
fn a_handler_that_stands_still_holds_up_only_what_needs_it() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut person = backend.while_the_handler_stands_still(|| {
        let mut person = backend.terminal();
        assert_eq!(person.ask("HW"), "Hello, world!\r\n");
        alice.send_line(r#"{"id": 1, "cmd": "SETTING SET", "args": ["k", "v"]}"#);
        alice.send_line(r#"{"id": 2, "cmd": "PING"}"#);
        person.type_line("WHO");
        person
    });
    assert_eq!(alice.reply()["id"], 1);
    assert_eq!(alice.reply()["id"], 2);
    person.expect("1 is on.");
}

#[test]
fn a_worker_that_dies_costs_one_client() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    kill(backend.worker_of("alice"), Signal::SIGKILL).unwrap();
    alice.wire.expect_end();
    backend.see_off(alice.wire);
    let who = bob.ok("WHO", json!({}));
    assert_eq!(who["total"], 1, "{who}");
    backend.player_again("alice");
}
