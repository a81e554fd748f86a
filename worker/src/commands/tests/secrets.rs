//! What is asked for without echo, and what the log never sees.

use super::{State, masked, parse_words, words};
use ssmglobal_ipc::Code;

#[test]
fn what_is_missing_is_asked_for() {
    let start = |line: &str| parse_words(line, State::Anonymous).unwrap().into_owned();
    let mut register = start("REGISTER alice");
    for (prompt, typed) in [("Password: ", "pw"), ("Again: ", "pw")] {
        assert_eq!(register.prompt(), Some(prompt));
        register.answer(typed.to_owned()).unwrap();
    }
    assert_eq!(register.prompt(), None);
    assert_eq!(register.action(), words("REGISTER alice pw"));

    let mut password = start("PASSWORD");
    for (prompt, typed) in [("Old password: ", "a"), ("New password: ", "b"), ("Again: ", "b")] {
        assert_eq!(password.prompt(), Some(prompt));
        password.answer(typed.to_owned()).unwrap();
    }
    assert_eq!(password.action(), words("PASSWORD a b"));

    let mut login = start("LOGIN alice");
    assert_eq!(login.prompt(), Some("Password: "));
    login.answer("x y".to_owned()).unwrap();
    assert_eq!((login.prompt(), login.action()), (None, words("LOGIN alice \"x y\"")));

    let mut differs = start("PASSWORD a");
    assert_eq!(differs.prompt(), Some("New password: "));
    differs.answer("b".to_owned()).unwrap();
    assert_eq!(differs.answer("c".to_owned()).unwrap_err().code, Code::Invalid);
    assert_eq!(start("LOGIN alice").answer(String::new()).unwrap_err().code, Code::Invalid);

    for nothing in ["LOGIN", "LOGIN a b", "MAIL SEND bob", "WHO"] {
        assert_eq!(start(nothing).prompt(), None, "{nothing}");
    }
    assert!(!format!("{:?}", start("LOGIN alice hunter2")).contains("hunter2"));
}

#[test]
fn secrets_are_masked() {
    for line in [
        "LOGIN alice hunter2",
        "login alice \"hunter2\"",
        "LOGIN alice hunter2 hunter2",
        "LOGIN \"alice\"hunter2",
        "REGISTER alice hunter2 a@b",
        "REGISTER alice \"hunter2",
        "PASSWORD hunter2 hunter2",
        "PASSWORD hunter2",
        "AUTH arena hunter2",
        "  auth\tarena  hunter2",
        "LOGN alice hunter2",
        "PASS hunter2",
        "MAIL hunter2 x",
        r#"{"cmd":"LOGIN","args":{"name":"alice","password":"hunter2"}}"#,
        r#"{"cmd":"LOGIN","args":["alice","hunter2"]}"#,
        r#"{"cmd":"login","args":"alice hunter2"}"#,
        r#"{"cmd":"LOGIN","args":{"name":"alice","pasword":"hunter2"}}"#,
        r#"{"cmd":"LOGIN","args":["alice","hunter2"}"#,
        r#"{"cmd":"LOGIN","password":"hunter2"}"#,
        r#"{"cmd":"WHO","password":"hunter2"}"#,
        r#"{"cmd":"LOGN","args":["alice","hunter2"]}"#,
        r#"{"cmd":"LOGIN alice hunter2"}"#,
        r#"{"cmd":"AUTH","args":["arena","hunter2"]} x"#,
        r#" {"password":"hunter2""#,
        r#"{"cmd":"WHO","args":{"key":"hunter2"}}"#,
        r#"{"cmd":"PASSWORD","args":{"old":"hunter2","new":5}}"#,
        r#"{"cmd":"LOGI\u004e","args":"alice hunter2"}"#,
    ] {
        let masked = masked(line);
        assert!(!masked.contains("hunter2") && masked.contains("***"), "{line} became {masked}");
    }
    assert_eq!(masked("LOGIN alice hunter2"), "LOGIN alice ***");
    assert_eq!(
        masked(r#"{"id":1,"cmd":"LOGIN","args":["alice","hunter2"]}"#),
        r#"{"cmd": "LOGIN", "args": {"name": "alice", "password": "***"}}"#
    );
    for line in
        ["MAIL SEND bob hi", "FOO", "HW 3", "LOGIN", r#"{"id":7,"cmd":"MAIL SEND","args":{"to":"bob","body":"hi"}}"#]
    {
        assert_eq!(masked(line), line);
    }
}
