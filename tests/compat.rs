//! What the original does on the wire, byte for byte: conversations that were recorded from it.

use crate::harness::{Backend, GREETING, WELCOME, Wire};
use serde_json::Value;

const CONVERSATIONS: &str = include_str!("compat/ssmglobal.jsonl");

const END: &str = "<EOF>";

struct Step {
    send: String,
    expect: String,
}

fn conversations() -> Vec<(String, Vec<Step>)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let step = |value: &Value| Step { send: text(&value["send"]), expect: text(&value["expect"]) };
    let lines = CONVERSATIONS.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let of = |line: Value| (text(&line["name"]), line["steps"].as_array().expect("steps").iter().map(step).collect());
    lines.map(of).collect()
}

fn expect(wire: &mut Wire, expected: &str) {
    match expected.strip_suffix(END) {
        Some(text) => {
            wire.expect(text);
            wire.expect_end();
        }
        None => wire.expect(expected),
    }
}

/// Plays the client; `send` decides in which pieces its words go out.
fn replay(backend: &Backend, steps: &[Step], send: impl Fn(&mut Wire, &str)) {
    let mut wire = Wire::to(backend.at());
    for step in steps {
        send(&mut wire, &step.send);
        expect(&mut wire, &step.expect);
    }
}

#[test]
fn every_conversation_is_as_it_was() {
    let backend = Backend::start();
    for (name, steps) in conversations() {
        eprintln!("{name}");
        replay(&backend, &steps, |wire, text| wire.send(text));
    }
}

#[test]
fn the_pieces_that_lines_arrive_in_make_no_difference() {
    let backend = Backend::plan().config("limits.clients_per_address = 4096\n").start();
    for (name, steps) in conversations() {
        let longest = steps.iter().map(|step| step.send.len()).max().unwrap_or(0);
        for cut in 1..longest {
            eprintln!("{name}, cut at {cut}");
            replay(&backend, &steps, |wire, text| {
                let (front, back) = text.split_at(cut.min(text.len()));
                wire.send(front);
                std::thread::yield_now();
                wire.send(back);
            });
        }
        eprintln!("{name}, byte by byte");
        replay(&backend, &steps, |wire, text| text.bytes().for_each(|byte| wire.send([byte])));
    }
}

#[test]
fn a_whole_conversation_may_be_sent_ahead() {
    let backend = Backend::start();
    for (name, steps) in conversations() {
        eprintln!("{name}");
        let mut wire = Wire::to(backend.at());
        wire.send(steps.iter().map(|step| step.send.as_str()).collect::<String>());
        expect(&mut wire, &steps.iter().map(|step| step.expect.as_str()).collect::<String>());
    }
}

#[test]
fn a_bare_line_feed_ends_a_line_too() {
    let backend = Backend::start();
    for (name, steps) in conversations() {
        eprintln!("{name}");
        replay(&backend, &steps, |wire, text| wire.send(text.replace("\r\n", "\n")));
    }
}

#[test]
fn mode_list_leaves_the_choice_open() {
    let backend = Backend::start();
    let mut wire = Wire::to(backend.at());
    wire.expect(GREETING);
    wire.send("MODE LIST\r\n");
    assert!(wire.line().contains("SERVER CLIENT HUMAN"));
    wire.send("MODE HUMAN\r\n");
    wire.expect(WELCOME);
}

#[test]
fn the_mode_can_be_changed_at_any_time() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    person.type_line("MODE CLIENT");
    assert_eq!(person.wire.line(), r#"{"state": "OK", "msg": "Mode: CLIENT"}"#);
    person.wire.send("{\"cmd\": \"MODE\", \"args\": \"HUMAN\"}\r\n");
    person.wire.expect(WELCOME);
    assert_eq!(person.ask("HW"), "Hello, world!\r\n");
}

#[test]
fn what_the_original_got_wrong_is_an_error_and_the_connection_lives() {
    let backend = Backend::start();
    let mut program = backend.program();
    for args in [r#""many""#, r#"["3", "4"]"#, "3", "true", "-1", r#"{"n": "x"}"#, r#"{"n": [3]}"#] {
        let reply = program.say(format!(r#"{{"cmd": "HW", "args": {args}}}"#));
        assert_eq!(reply["state"], "ERROR", "{args}: {reply}");
    }
    for args in [r#""2""#, "[2]", r#"["2"]"#, r#"{"n": 2}"#, r#"{"n": "2"}"#] {
        let reply = program.say(format!(r#"{{"cmd": "HW", "args": {args}}}"#));
        assert_eq!(reply["msg"], "Hello, world! Hello, world!", "{args}: {reply}");
    }
    for line in ["17", "[]", "null", "\"HW\"", "{}", r#"{"cmd": 5}"#, "{", "}{"] {
        assert_eq!(program.say(line)["state"], "ERROR", "{line}");
    }
    program.send_line("");
    assert_eq!(program.say(r#"{"cmd": "hw"}"#)["msg"], "Hello, world!");
    let mut person = backend.terminal();
    assert_eq!(person.ask(""), "");
    assert_eq!(person.ask("   "), "");
    for times in ["x", "-1", "0", "1 2"] {
        assert!(person.ask(&format!("HW {times}")).starts_with("ERROR: "), "{times}");
    }
    assert_eq!(person.ask("HW 100").lines().count(), 64);
}
