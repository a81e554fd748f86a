//! How programs write requests: ids, arguments in every form, and what is no request.

use crate::harness::{Backend, has};
use serde_json::json;

#[test]
fn an_id_is_repeated_letter_for_letter() {
    let backend = Backend::start();
    let mut program = backend.program();
    let longest = format!("\"{}\"", "x".repeat(100));
    for id in
        ["7", "-1", "1.50", "1e3", "123456789012345678901234567890", "\"a\"", "\"\\u00e9\\n\"", "\"\"", "0", &longest]
    {
        for cmd in ["HW", "WORLDS", "NOPE", "MAIL LIST"] {
            program.send_line(format!("{{\"cmd\": \"{cmd}\", \"id\": {id}}}"));
            let line = program.wire.line();
            assert!(line.contains(&format!("\"id\": {id}")), "{id}: {line}");
        }
    }
    for id in ["[1]", "{}", "true", &format!("\"{}\"", "x".repeat(200))] {
        let reply = program.say(format!("{{\"cmd\": \"HW\", \"id\": {id}}}"));
        assert_eq!(reply["state"], "ERROR", "{id}: {reply}");
        assert_eq!(reply["code"], "invalid", "{id}: {reply}");
    }
}

#[test]
fn old_clients_get_the_three_old_errors_as_they_were() {
    let backend = Backend::start();
    let mut program = backend.program();
    program.send_line("{\"cmd\": \"NOPE\"}");
    program.wire.expect("{\"state\": \"ERROR\", \"msg\": \"Command not found.\"}\r\n");
    program.send_line("{\"cmd\": \"NOPE\", \"id\": 1}");
    assert!(program.wire.line().ends_with("\"id\": 1, \"code\": \"unknown_command\"}"));
    program.send_line("nonsense");
    program.wire.expect("{\"state\": \"ERROR\", \"msg\": \"Invalid JSON.\"}\r\n");
}

#[test]
fn arguments_in_every_form() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let forms = [
        r#"{"cmd": "SETTING SET", "args": {"key": "k", "value": "dark red", "public": true}}"#,
        r#"{"cmd": "setting set", "args": ["k", "dark red", null, true]}"#,
        r#"{"cmd": "Setting  Set", "args": "k PUBLIC dark red"}"#,
        r#"{"args": {"public": "true", "value": "dark red", "key": "k", "version": null}, "cmd": "SETTING SET"}"#,
    ];
    for form in forms {
        let reply = alice.say(form);
        assert_eq!(reply["state"], "OK", "{form}: {reply}");
        let data = alice.ok("SETTING GET", json!(["k"]));
        has(&data, json!({"value": "dark red", "public": true}));
        alice.ok("SETTING SET", json!({"key": "k", "value": "blue", "public": false}));
    }
    let bad = [
        json!({"key": "k"}),
        json!({"key": "k", "value": "v", "colour": 1}),
        json!({"key": ["k"], "value": "v"}),
        json!({"key": {"k": 1}, "value": "v"}),
        json!(["k", "v", 1, true, 5, 6]),
        json!({"key": "k", "value": "v", "version": 1.5}),
        json!({"key": "k", "value": "v", "public": "perhaps"}),
    ];
    for args in bad {
        assert_eq!(alice.fails("SETTING SET", args.clone()), "usage", "{args}");
    }
    // What fits and is out of range is something else.
    assert_eq!(alice.fails("SETTING SET", json!({"key": "k", "value": "v", "version": -1})), "invalid");
    assert_eq!(alice.ok("SETTING GET", json!(["k"]))["value"], "blue");
}

#[test]
fn what_is_no_request() {
    let backend = Backend::start();
    let mut program = backend.program();
    let lines = [
        r#"{"cmd": "HW"} {"cmd": "HW"}"#,
        r#"{"cmd": "HW",}"#,
        r#"{'cmd': 'HW'}"#,
        r#"{"cmd": "\ud800"}"#,
        r#"{"cmd": "HW", "args": {"n": "\ud800"}}"#,
        r#"{"cmd": ["HW"]}"#,
        r#"{"cmd": "MAIL SEND", "args": {"to": "a", "to": "b", "body": "c"}}"#,
        r#"{"cmd": "HW", "args": {"n": 1e400}}"#,
        r#"{"cmd": "HW", "args": {"n": 99999999999999999999}}"#,
        // A mark in front of a line is passed over, and no other.
        "{\u{feff}\"cmd\": \"HW\"}",
        "\u{feff}\u{feff}{\"cmd\": \"HW\"}",
    ];
    for line in lines {
        assert_eq!(program.say(line)["state"], "ERROR", "{line}");
    }
    program.ok("PING", json!({}));
}

#[test]
fn what_is_written_for_json_can_be_read_as_json() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let all: String =
        (0..0x300).filter_map(char::from_u32).chain("\u{2028}\u{2029}\u{fffe}\u{10ffff}".chars()).collect();
    for part in [&all, "\\\"\\u0000", "</script>"] {
        alice.ok("SETTING SET", json!({"key": "k", "value": part}));
        assert_eq!(alice.ok("SETTING GET", json!({"key": "k"}))["value"], part);
        let id = alice.ok("MAIL SEND", json!({"to": "alice", "body": part}))["id"].clone();
        assert_eq!(alice.ok("MAIL READ", json!({"id": id}))["body"], part);
        let line = part.replace(['\r', '\n'], "");
        alice.ok("TELL", json!({"to": "alice", "body": line}));
        assert_eq!(alice.expect_event("tell")["body"], line);
    }
}

#[test]
fn a_number_is_exact_or_refused_and_an_empty_version_is_no_condition_left_out() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    let mut submit = |score: &str| {
        alice.say(format!(r#"{{"cmd": "RECORD SUBMIT", "args": {{"board": "sprint", "score": {score}}}}}"#))
    };
    for (score, counts) in [
        ("1e18", 1_000_000_000_000_000_000_i64),
        ("9007199254740993.0", 9_007_199_254_740_993),
        ("-9223372036854775807.00", -9_223_372_036_854_775_807),
        ("\"-9223372036854775808.0\"", i64::MIN),
    ] {
        assert_eq!(submit(score)["data"]["score"], counts, "{score}");
    }
    for (score, code) in
        [("0.99999999999999999999", "usage"), ("1e-400", "usage"), ("\"\"", "usage"), ("1e19", "invalid")]
    {
        assert_eq!(submit(score)["code"], code, "{score}");
    }
    alice.ok("SETTING SET", json!({"key": "k", "value": "before"}));
    for args in [
        json!({"key": "k", "value": "after", "version": ""}),
        json!({"key": "k", "value": "after", "public": ""}),
        json!({"key": "k", "version": 1}),
    ] {
        assert_eq!(alice.fails("SETTING SET", args.clone()), "usage", "{args}");
    }
    assert_eq!(alice.fails("SETTING DELETE", json!({"key": "k", "version": ""})), "usage");
    assert_eq!(alice.ok("SETTING GET", json!({"key": "k"}))["value"], "before");
    alice.ok("SETTING SET", json!({"key": "k", "value": "after", "version": 1.0}));
}
