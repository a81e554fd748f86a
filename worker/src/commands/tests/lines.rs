//! Lines: ids, quotes, short names, slips of the pen, the first line; and whatever else somebody may type.

use super::super::*;
use super::*;
use proptest::prelude::*;

#[test]
fn nesting_is_bounded() {
    for depth in [50, 100, 127, 128, 129, 4000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(code(json(&format!("{{\"cmd\":\"HW\",\"args\":{deep}}}"))), Code::Usage);
        assert!(json(&format!("{{\"x\":{deep},\"cmd\":\"HW\"}}")).is_ok());
        assert_eq!(code(json(&deep)), Code::InvalidJson);
        assert_eq!(code(json(&"[".repeat(depth))), Code::InvalidJson);
        assert_eq!(code(json(&"{\"a\":".repeat(depth))), Code::InvalidJson);
        assert_eq!(code(json(&format!("{{\"cmd\":\"HW\",\"id\":{deep}}}"))), Code::Invalid);
    }
}

#[test]
fn ids_are_repeated_letter_for_letter() {
    for id in ["7", "-1.50e3", "\"a\\u0041\"", "\"\"", "123456789012345678901234567890"] {
        assert_eq!(parse_json(&format!("{{\"cmd\":\"HW\",\"id\": {id} }}")).id, Some(id));
        assert_eq!(parse_json(&format!("{{\"id\":{id},\"cmd\":\"NOPE\"}}")).id, Some(id));
        let broken = format!("{{\"id\":{id},\"cmd\":");
        let line = parse_json(&broken);
        assert_eq!((line.id, line.parsed.unwrap_err().code), (Some(id), Code::InvalidJson));
    }
    assert_eq!(parse_json(r#"{"cmd":"HW","id":null}"#).id, None);
    assert!(parse_json(r#"{"cmd":"HW","id":null}"#).parsed.is_ok());
    let longest = format!("\"{}\"", "x".repeat(128));
    assert_eq!(parse_json(&format!("{{\"cmd\":\"HW\",\"id\":{longest}}}")).id, Some(&*longest));
    for id in ["true", "[]", "{}", &format!("\"{}\"", "x".repeat(129))] {
        let line = format!("{{\"cmd\":\"HW\",\"id\":{id}}}");
        let line = parse_json(&line);
        assert_eq!((line.id, line.parsed.unwrap_err().code), (None, Code::Invalid));
    }
    assert_eq!(parse_json(r#"{"cmd":"HW","key":"once"}"#).key.as_deref(), Some("once"));
    assert_eq!(parse_json(r#"{"cmd":"HW","key":5}"#).parsed.unwrap_err().code, Code::Invalid);
    assert!(parse_json(r#"{"cmd":"HW","other":[{"x":1}]}"#).parsed.is_ok());
}

#[test]
fn a_text_is_the_rest_of_the_line_and_options_stand_before_it() {
    let body = |line: &str| match request(line) {
        Request::MailSend(send) => (send.body, send.subject),
        other => panic!("{other:?}"),
    };
    assert_eq!(body("MAIL SEND bob it's  \"here\"  "), ("it's  \"here\"".into(), None));
    let quoted = r#""Quoted" said bob, and left \"#;
    assert_eq!(body(&format!("mail send bob {quoted}")), (quoted.into(), None));
    assert_eq!(
        body(r#"MAIL SEND "bob" SUBJECT "To \"night\" \\" See you"#),
        ("See you".into(), some(r#"To "night" \"#))
    );
    assert_eq!(body("mail send bob subject \"Tonight\" See you"), ("See you".into(), some("Tonight")));
    assert_eq!(body("MAIL SEND bob SUBJECT Tonight See you"), ("See you".into(), some("Tonight")));
    assert_eq!(body("MAIL SEND bob Subject matters"), ("Subject matters".into(), None));
    assert_eq!(body("MAIL SEND bob See you SUBJECT x"), ("See you SUBJECT x".into(), None));
    assert_eq!(body(r#"MAIL SEND bob "unclosed"#), ("\"unclosed".into(), None));
    assert_eq!(body(r#"MAIL SEND bob """#), (String::new(), None));
    assert_eq!(body("MAIL SEND bob 你好 – ok"), ("你好 – ok".into(), None));
    let set = |line: &str| match request(line) {
        Request::SettingSet(set) => (set.value, set.version, set.public),
        other => panic!("{other:?}"),
    };
    assert_eq!(set("SETTING SET k red IF VERSION 3"), ("red IF VERSION 3".into(), None, None));
    assert_eq!(set("setting set k IF version 3 PUBLIC red"), ("red".into(), Some(3), Some(true)));
    assert_eq!(set("SETTING SET k PRIVATE IF 0 red"), ("red".into(), Some(0), Some(false)));
    assert_eq!(set("SETTING SET k Public holidays"), ("Public holidays".into(), None, None));
    assert_eq!(set("SETTING SET k if 3 come, open"), ("if 3 come, open".into(), None, None));
    assert_eq!(set("SETTING SET k IF YOU SEE THIS"), ("IF YOU SEE THIS".into(), None, None));
    assert_eq!(set(r#"SETTING SET k {"a": "b"}"#), (r#"{"a": "b"}"#.into(), None, None));
    let submit = |line: &str| match request(line) {
        Request::RecordSubmit(submit) => (submit.player, submit.note),
        other => panic!("{other:?}"),
    };
    assert_eq!(submit("RECORD SUBMIT sprint 5 well done"), (None, some("well done")));
    assert_eq!(submit("RECORD SUBMIT sprint 5 PLAYER bob well \"done\""), (some("bob"), some("well \"done\"")));
    let disable = |line: &str| match request(line) {
        Request::WorldDisable(disable) => disable.reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(disable("WORLD DISABLE zoo REASON \"not paid\""), some("not paid"));
    assert_eq!(disable("WORLD DISABLE zoo reason \"not\" paid"), some("\"not\" paid"));
    let present = |line: &str| match request(line) {
        Request::Present(present) => (present.players.join(" "), present.world),
        other => panic!("{other:?}"),
    };
    assert_eq!(present("PRESENT alice bob WORLD zoo"), ("alice bob".into(), some("zoo")));
    assert_eq!(present("PRESENT \"alice bob\" world zoo"), ("alice bob".into(), some("zoo")));
    assert_eq!(present("PRESENT WORLD zoo alice bob"), ("alice bob".into(), some("zoo")));
    assert_eq!(present("PRESENT alice  world"), ("alice world".into(), None), "nothing stands behind it");
    let (after, before) = (some("3"), some("20"));
    let top = RecordTop { board: "sprint".into(), limit: Some(5), after, before };
    assert_eq!(request("TOP sprint BEFORE 20 AFTER 3 5"), Request::RecordTop(top));
}

#[test]
fn short_names_and_first_words() {
    for (short, long) in [
        ("BOARDS", "RECORD BOARDS"),
        ("top sprint 5", "RECORD TOP sprint 5"),
        ("AROUND s", "RECORD AROUND s"),
        ("SHOW sprint bob", "RECORD SHOW sprint bob"),
    ] {
        assert_eq!(words(short), words(long));
    }
    assert_eq!(code(json(r#"{"cmd":"BOARDS"}"#)), Code::UnknownCommand);
    for word in ["MAIL", "record", "SETTING", "RELAY", "STATUS"] {
        assert!(matches!(words(word), Ok(Action::Local(Local::Help(HelpTopic::Group(_))))), "{word}");
        assert_eq!(words(word), words(&format!("HELP {word}")));
    }
    assert!(
        matches!(words("HELP mail  send"), Ok(Action::Local(Local::Help(HelpTopic::Command(c)))) if c.name == "MAIL SEND")
    );
    assert!(
        matches!(words("HELP top"), Ok(Action::Local(Local::Help(HelpTopic::Command(c)))) if c.name == "RECORD TOP")
    );
    assert!(
        matches!(words("HELP players"), Ok(Action::Local(Local::Help(HelpTopic::Group(g)))) if g.title == "Players")
    );
    assert_eq!(words("HELP"), Ok(Action::Local(Local::Help(HelpTopic::All))));
    assert_eq!(words("HELP MIAL").unwrap_err().msg, "There is no such command. Did you mean HELP MAIL?");
    assert_eq!(code(words("HELP xyzzy plugh")), Code::NotFound);
}

#[test]
fn hello_is_counted() {
    let times = |line: &str| words(line);
    assert_eq!(times("HW"), Ok(Action::Local(Local::Hello(1))));
    assert_eq!(times("hw 64"), Ok(Action::Local(Local::Hello(64))));
    assert_eq!(times("HW 65"), times("HW 18446744073709551615"));
    assert_eq!(json(r#"{"cmd":"HW","args":"3"}"#), Ok(Action::Local(Local::Hello(3))));
    assert_eq!(json(r#"{"cmd":"HW","args":[3]}"#), Ok(Action::Local(Local::Hello(3))));
}

#[test]
fn a_near_command_is_proposed_and_a_far_one_is_not() {
    let msg = |line: &str| words(line).unwrap_err().msg;
    for far in ["FOO", "X", "NOPE", "xyzzy", "HX", "123", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "\u{1b}[31m", "ßßß", "RELAXY"]
    {
        assert_eq!(msg(far), "Command not found.", "{far}");
    }
    for (typed, meant) in [
        ("MIAL", "MAIL"),
        ("MAIL SNED bob hi", "MAIL SEND"),
        ("mali send bob hi", "MAIL SEND"),
        ("LGOIN a b", "LOGIN"),
        ("regster alice", "REGISTER"),
        ("BORDS", "BOARDS"),
        ("WORDLS", "WORLDS"),
        ("QUITT", "QUIT"),
    ] {
        assert_eq!(msg(typed), format!("Command not found. Did you mean {meant}?"));
    }
    assert_eq!(msg("MAIL xyzzy"), "Command not found. HELP MAIL lists what there is.");
    // What a person cannot use is not proposed to a person.
    assert_eq!(msg("RELYA"), "Command not found.");
    assert_eq!(parse_words("RELYA", State::Server).unwrap_err().msg, "Command not found. Did you mean RELAY?");
    for cmd in ["NOPE", "MIAL", "MAIL", "MAIL SNED", "", "HW 3"] {
        assert_eq!(
            json(&format!("{{\"cmd\":\"{cmd}\"}}")),
            Err(Failure::new(Code::UnknownCommand, "Command not found."))
        );
    }
}

#[test]
fn the_first_line_chooses_a_mode() {
    let chosen = |line: &str| {
        let line = parse_first(line);
        (line.id.map(str::to_owned), line.parsed.and_then(Parsed::action))
    };
    let set = |mode| Ok(Action::Local(Local::Mode(ModeChoice::Set(mode))));
    assert_eq!(chosen("MODE human"), (None, set(Mode::Human)));
    assert_eq!(chosen("mode SERVER"), (None, set(Mode::Server)));
    assert_eq!(chosen(r#"{"cmd":"MODE","args":"CLIENT","id":1}"#), (some("1"), set(Mode::Client)));
    assert_eq!(chosen(r#"{"cmd":"MODE","args":{"mode":"Client"}}"#), (None, set(Mode::Client)));
    assert_eq!(chosen("MODE LIST"), (None, Ok(Action::Local(Local::Mode(ModeChoice::List)))));
    assert_eq!(chosen("MODE FOO").1.unwrap_err().msg, "Invalid mode: FOO");
    for line in [
        "HELP",
        "QUIT",
        "FOO",
        "GET / HTTP/1.1",
        "{",
        "{\"cmd\":\"HW\"}",
        "{\"cmd\":\"X\"}",
        "[1]",
        "MAIL",
        "\u{16}\u{3}",
    ] {
        assert_eq!(chosen(line).1, Err(no_mode()), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_panics(line in "\\PC{0,80}|[ \"\\\\{}\\[\\]:,a-zA-Z0-9\\t]{0,80}", length in 0usize..40) {
        for line in [line.clone(), format!("MAIL SEND {line}"), format!("SETTING SET k \"v\" {line}"), format!("{{\"cmd\":{line}")] {
            for state in [State::New, State::Player, State::Server] {
                let _ = parse_words(&line, state).and_then(|parsed| { let _ = parsed.missing(); parsed.action() });
            }
            let _ = parse_json(&line).parsed.and_then(Parsed::action);
            let _ = parse_first(&line).parsed.and_then(Parsed::action);
            let _ = masked(&line);
        }
        for whole in [r#"{"id": 7, "cmd": "MAIL SEND", "args": {"to": "bob", "body": "hi"}}"#, "SETTING SET k \"dark red\" IF 3"] {
            let part = whole.get(..length).unwrap_or(whole);
            let _ = (json(part), words(part), masked(part));
        }
    }

    #[test]
    fn args_of_any_shape_do_not_panic(index in 0usize..41, args in "(\\[|\\{|\")([0-9a-z\", :\\\\.\\-\\[\\]{}]{0,40})(\\]|\\}|\")") {
        let name = all().nth(index % all().count()).unwrap().name;
        let _ = json(&format!("{{\"cmd\":\"{name}\",\"args\":{args}}}"));
    }

    #[test]
    fn what_is_quoted_comes_back(body in "\\PC{0,60}") {
        let quoted = body.replace('\\', "\\\\").replace('"', "\\\"");
        let subject = Some(body.clone()).filter(|subject| !subject.is_empty());
        prop_assert_eq!(request(&format!("MAIL SEND bob SUBJECT \"{quoted}\" x")), Request::MailSend(MailSend { to: "bob".into(), body: "x".into(), subject: Some(subject.unwrap_or_default()) }));
        let text = format!("x {body}");
        let text = text.trim_end_matches([' ', '\t']);
        prop_assert_eq!(request(&format!("MAIL SEND bob {text}")), Request::MailSend(MailSend { to: "bob".into(), body: text.into(), subject: None }));
        let line = format!("{{\"cmd\":\"MAIL SEND\",\"args\":[\"bob\",{}]}}", serde_json::to_string(&body).unwrap());
        prop_assert_eq!(json(&line), Ok(Action::Request(Request::MailSend(MailSend { to: "bob".into(), body, subject: None }))));
    }
}
