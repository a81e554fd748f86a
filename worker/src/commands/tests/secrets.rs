//! What is asked for without echo, and what the log never sees.

use super::{State, parse_words};
use crate::commands::{masked, masked_answer};

#[test]
fn a_command_shows_nothing_of_what_was_given() {
    let parsed = parse_words("LOGIN alice hunter2", State::Anonymous).unwrap();
    assert!(!format!("{parsed:?}").contains("hunter2"));
}

#[test]
fn the_log_never_shows_what_might_be_a_secret() {
    for line in [
        "LOGIN alice hunter2",
        "login alice \"hunter2\"",
        "LOGIN alice hunter2 hunter2",
        "LOGIN \"alice\"hunter2",
        "LOGIN hunter2",
        "LOGIN hunter2 alice",
        "LOGIN(alice,hunter2)",
        "LOGIN(a, hunter2)",
        "LOGIN:hunter2",
        "LOGIN,alice,hunter2",
        "/login alice hunter2",
        "login=hunter2",
        "REGISTER alice hunter2 a@b",
        "REGISTER alice secret hunter2",
        "REGISTER alice \"hunter2",
        "PASSWORD hunter2 hunter2",
        "PASSWORD hunter2",
        "AUTH arena hunter2",
        "AUTH hunter2",
        "AUTH hunter2 arena",
        "  auth\tarena  hunter2",
        "LOGN alice hunter2",
        "PASS hunter2",
        "MAIL hunter2 x",
        // A word alone, as after a failed LOGIN, and words that a command may have.
        "hunter2",
        "hunter2 ",
        "correct hunter2",
        "\u{feff}hunter2",
        "TOP hunter2",
        "FINGER hunter2",
        "WHO hunter2",
        "HW hunter2",
        "MODE hunter2",
        "HELP hunter2",
        "HELP LOGIN alice hunter2",
        "SETTING SET token hunter2",
        "TELL alice hunter2",
        r#"["LOGIN","alice","hunter2"]"#,
        r#"["LOGIN", "alice", "hunter2"]"#,
        r#""hunter2""#,
        r#"{"cmd":"LOGIN","args":{"name":"alice","password":"hunter2"}}"#,
        r#"{"cmd":"LOGIN","args":["alice","hunter2"]}"#,
        r#"{"cmd":"LOGIN","args":["hunter2"]}"#,
        r#"{"cmd":"AUTH","args":["hunter2"]}"#,
        r#"{"cmd":"AUTH","args":{"name":"hunter2"}}"#,
        r#"{"cmd":"AUTH","args":{"hunter2":"arena"}}"#,
        r#"{"cmd":"login","args":"alice hunter2"}"#,
        r#"{"cmd":"LOGIN","args":{"name":"alice","pasword":"hunter2"}}"#,
        r#"{"cmd":"LOGIN","args":["alice","hunter2"]"#,
        r#"{"cmd":"LOGIN","password":"hunter2"}"#,
        r#"{"cmd":"WHO","password":"hunter2"}"#,
        r#"{"cmd":"WHO","hunter2":1}"#,
        r#"{"cmd":"PING","id":"hunter2"}"#,
        r#"{"cmd":"PING","key":"hunter2"}"#,
        r#"{"cmd":"LOGN","args":["alice","hunter2"]}"#,
        r#"{"cmd":"hunter2"}"#,
        r#"{"cmd":"LOGIN alice hunter2"}"#,
        r#"{"cmd":"AUTH","args":["arena","hunter2"]} x"#,
        r#" {"password":"hunter2""#,
        r#"{"cmd":"WHO","args":{"key":"hunter2"}}"#,
        r#"{"cmd":"PASSWORD","args":{"old":"hunter2","new":5}}"#,
        r#"{"cmd":"LOGI\u004e","args":"alice hunter2"}"#,
        "\u{feff}{\"cmd\":\"LOGIN\",\"args\":[\"alice\",\"hunter2\"]}",
        "\u{feff}LOGIN alice hunter2",
    ] {
        let masked = masked(line);
        assert!(!masked.contains("hunter2") && masked.contains("***"), "{line} became {masked}");
    }
}

#[test]
fn the_log_shows_the_command_and_how_long_the_rest_is() {
    for (line, shown) in [
        ("LOGIN alice hunter2", "LOGIN ***(5) ***(7)"),
        ("AUTH hunter2", "AUTH ***(7)"),
        ("LOGIN(alice,hunter2)", "LOGIN ***(15)"),
        (r#"["LOGIN","alice","hunter2"]"#, "LOGIN ***(22)"),
        ("mail send bob hi", "MAIL SEND ***(3) ***(2)"),
        ("RECORD TPO sprint", "RECORD ***(10)"),
        ("hunter2", "***(7)"),
        ("hw  3", "HW 3"),
        ("LOGIN", "LOGIN"),
        ("MAIL", "MAIL"),
        ("mode human", "MODE human"),
        ("HELP mail send", "HELP mail send"),
        ("TOP sprint 10 AFTER 20", "RECORD TOP ***(6) 10 ***(2)"),
        ("\u{feff}{\"cmd\":\"HW\"}", r#"{"cmd":"HW"}"#),
        (r#"{"id":7,"cmd":"HW","args":{"n":3}}"#, r#"{"id":7,"cmd":"HW","args":{"n":3}}"#),
        (
            r#"{"id":1,"cmd":"LOGIN","args":["alice","hunter2"]}"#,
            r#"{"id": 1, "cmd": "LOGIN", "args": {"name": "***(5)", "password": "***(7)"}}"#,
        ),
        (
            r#"{"id":"x","cmd":"MAIL READ","args":{"id":12},"key":"k"}"#,
            r#"{"cmd": "MAIL READ", "args": {"id": 12}, ***}"#,
        ),
        (r#"{"cmd":"LOGIN alice hunter2"}"#, r#"{"cmd": "LOGIN", ***(29)}"#),
        (r#"{"cmd":"hunter2"}"#, "{***(17)}"),
    ] {
        assert_eq!(masked(line), shown, "{line}");
    }
}

#[test]
fn an_answer_brings_nothing_into_the_log_that_was_typed_or_written() {
    for (line, shown) in [
        ("ERROR: There is no player hunter2.", "ERROR: ***(27)"),
        ("\x1b[31mERROR:\x1b[0m Invalid mode: hunter2", "ERROR: ***(26)"),
        ("bob tells you: hunter2", "***(22)"),
        (r#"{"event": "hunter2", "a letter may": "begin so"}"#, "***(48)"),
    ] {
        assert_eq!(masked_answer(line, true), shown);
    }
    for (line, shown) in [
        (
            r#"{"state": "ERROR", "msg": "There is no \"hunter2\".", "id": 7, "code": "not_found"}"#,
            r#"{"state": "ERROR", "code": "not_found", ***(66)}"#,
        ),
        (r#"{"state": "ERROR", "msg": "Invalid mode: hunter2"}"#, r#"{"state": "ERROR", ***(33)}"#),
        (r#"{"state": "OK", "msg": "Pong.", "id": 7}"#, r#"{"state": "OK", ***(26)}"#),
        (r#"{"state": "OK", "msg": "x", "data": {"body": "hunter2"}}"#, r#"{"state": "OK", ***(42)}"#),
        (r#"{"event": "tell", "from": "bob", "body": "hunter2"}"#, r#"{"event": "tell", ***(35)}"#),
        ("hunter2", "***(7)"),
    ] {
        assert_eq!(masked_answer(line, false), shown);
    }
}

#[test]
fn of_every_argument_only_what_is_a_number_or_a_word_of_ours_reaches_the_log() {
    const WRITTEN: &str = "hunter2-hunter2";
    for command in crate::commands::all() {
        for (place, arg) in command.args.iter().enumerate() {
            let values = command.args.iter().take(place).map(|_| "7").chain([WRITTEN]).collect::<Vec<_>>().join(" ");
            let words = masked(&format!("{} {values}", command.name));
            let json = masked(&format!(r#"{{"cmd": "{}", "args": {{"{}": "{WRITTEN}"}}}}"#, command.name, arg.name));
            assert!(!words.contains(WRITTEN) && !json.contains(WRITTEN), "{words}\n{json}");
        }
    }
}
