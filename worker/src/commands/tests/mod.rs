//! Every command in every form gives the same request; every slip gives a clear error; nothing panics.

use super::reference::json_example;
use super::*;
use proptest::prelude::*;
use ssmglobal_ipc::*;
use std::collections::HashSet;

mod every;
mod many;
mod secrets;
mod who;

pub(crate) fn words(line: &str) -> Result<Action, Failure> {
    parse_words(line, State::Player).and_then(Parsed::action)
}

pub(crate) fn json(line: &str) -> Result<Action, Failure> {
    parse_json(line).parsed.and_then(Parsed::action)
}

fn request(line: &str) -> Request {
    match words(line) {
        Ok(Action::Request(request)) => request,
        other => panic!("{line}: {other:?}"),
    }
}

fn code(result: Result<Action, Failure>) -> Code {
    match result {
        Err(failure) => failure.code,
        Ok(action) => panic!("{action:?}"),
    }
}

fn command(name: &str) -> &'static Command {
    all().find(|command| command.name == name).unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn every_form_gives_the_same_request() {
    let every = every::requests();
    for (name, args, wanted) in &every {
        let values: Vec<&str> = args.iter().map(|(_, value)| *value).collect();
        let members: Vec<String> = args.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        let line = values.join(" ");
        let string = serde_json::to_string(&line).unwrap();
        let forms = [
            format!("{{\"cmd\": \"{name}\", \"args\": {{{}}}}}", members.join(",")),
            format!("{{\"args\": [{}], \"cmd\": \"{}\"}}", values.join(", "), name.to_lowercase()),
            format!("{{\"cmd\": \" {} \", \"args\": {string}}}", name.replace(' ', "   ")),
        ];
        for form in forms {
            assert_eq!(json(&form), Ok(Action::Request(wanted.clone())), "{form}");
        }
        for line in [format!("{name} {line}"), format!("  {}   {line}  ", name.to_lowercase().replace(' ', "\t "))] {
            // By somebody who may.
            let who =
                State::ALL.into_iter().rev().find(|state| permitted(command(name), *state, "bob").is_ok()).unwrap();
            let asked = parse_words(&line, who).and_then(Parsed::action);
            assert_eq!(asked, Ok(Action::Request(wanted.clone())), "{line}");
        }
    }
    let tested: HashSet<&str> = every.iter().map(|(name, ..)| *name).collect();
    let local = ["MODE", "HELP", "HW", "PING", "STAY", "QUIT"];
    for command in all() {
        assert!(tested.contains(command.name) != local.contains(&command.name), "{}", command.name);
    }
}

#[test]
fn numbers_and_strings_stand_for_each_other_where_that_is_clear() {
    let wanted = request("MAIL READ 12");
    for value in ["12", "\"12\"", "12.0", "1.2e1"] {
        assert_eq!(
            json(&format!("{{\"cmd\":\"MAIL READ\",\"args\":{{\"id\":{value}}}}}")),
            Ok(Action::Request(wanted.clone()))
        );
    }
    let wanted = request("TELL bob 42");
    assert_eq!(json(r#"{"cmd":"TELL","args":["bob",42]}"#), Ok(Action::Request(wanted)));
    let wanted = request("SETTING SET k \"v\" PRIVATE");
    for value in ["false", "\"false\"", "0", "\"private\""] {
        let line = format!("{{\"cmd\":\"SETTING SET\",\"args\":{{\"key\":\"k\",\"value\":\"v\",\"public\":{value}}}}}");
        assert_eq!(json(&line), Ok(Action::Request(wanted.clone())));
    }
    // A setting of the universe is what its key says.
    let set =
        |value: &str| json(&format!("{{\"cmd\":\"UNIVERSE SET\",\"args\":{{\"key\":\"users\",\"value\":{value}}}}}"));
    assert_eq!(set("false"), set("\"false\""));
    assert_eq!(set("4.2"), words("UNIVERSE SET users 4.2"));
    assert_eq!(set("\"\""), words("UNIVERSE SET users \"\""), "and may be empty");
    // Without a name it is the start world.
    assert_eq!(words("WORLD ENTER VERSION 4"), json(r#"{"cmd":"WORLD ENTER","args":{"world":"","version":"4"}}"#));
    assert_eq!(json(r#"{"cmd":"WHO","args":{"limit":null,"after":null}}"#), json(r#"{"cmd":"WHO"}"#));
    assert_eq!(json(r#"{"cmd":"WHO","args":null}"#), json(r#"{"cmd":"WHO","args":[]}"#));
}

#[test]
fn what_does_not_fit_is_usage_or_invalid() {
    let usage = [
        "MAIL SEND",
        "MAIL SEND bob",
        "MAIL READ",
        "MAIL READ twelve",
        "MAIL READ 12 13",
        "LOGIN",
        "FINGER",
        "FINGER \"\"",
        "RECORD SUBMIT sprint",
        "RECORD SUBMIT sprint 1.5",
        "RECORD SUBMIT sprint x",
        "LOGIN a b c",
        "QUIT now",
        "SETTING SET k \"v",
        "SETTING SET k \"v\"x",
        "SETTING SET k \"v\" IF",
        "SETTING SET k \"v\" IF VERSION",
        "SETTING SET k \"v\" IF x",
        "SETTING SET k \"v\" 1 maybe",
        "RELAY SEND \"x\"",
        "RELAY SEND \"x\" a b",
        "MODE",
        "HW x",
        "STATUS SET m 1",
        "HW \"\"",
        "SETTING SET k \"v\" IF \"\"",
        "RELAY JOIN lobby \"\"",
        "RELAY JOIN lobby EPOCH 5",
        "RECORD SUBMIT sprint 0.99999999999999999999",
    ];
    for line in usage {
        assert_eq!(code(words(line)), Code::Usage, "{line}");
    }
    let usage = [
        r#"{"cmd":"WHO","args":5}"#,
        r#"{"cmd":"WHO","args":true}"#,
        r#"{"cmd":"WHO","args":[[]]}"#,
        r#"{"cmd":"WHO","args":{"limit":{}}}"#,
        r#"{"cmd":"WHO","args":{"limit":true}}"#,
        r#"{"cmd":"TELL","args":["bob",true]}"#,
        r#"{"cmd":"TELL","args":{"to":"a","to":"b","body":"x"}}"#,
        r#"{"cmd":"QUIT","args":["x"]}"#,
        r#"{"cmd":"FINGER","args":{"player":null}}"#,
        r#"{"cmd":"HW","args":["x"]}"#,
        r#"{"cmd":"HW","args":1.5}"#,
        r#"{"cmd":"HW","args":[1.5]}"#,
        r#"{"cmd":"HW","args":[1e-400]}"#,
        r#"{"cmd":"HW","args":[0.99999999999999999999]}"#,
        r#"{"cmd":"HW","args":["0.99999999999999999999"]}"#,
    ];
    for line in usage {
        assert_eq!(code(json(line)), Code::Usage, "{line}");
    }
    let invalid = [
        "HW 0",
        "WHO 0",
        "HW -1",
        "MAIL READ 18446744073709551616",
        "RECORD SUBMIT b 9223372036854775808",
        "STATUS SET m 1 4294967296",
        "RECORD SUBMIT b 1e400",
        "HW 0.0",
    ];
    for line in invalid {
        assert_eq!(code(words(line)), Code::Invalid, "{line}");
    }
    let invalid = [
        r#"{"cmd":"HW","args":[1e400]}"#,
        r#"{"cmd":"HW","args":[-1e400]}"#,
        r#"{"cmd":"MAIL READ","args":[18446744073709551615.5e1]}"#,
        r#"{"cmd":"RECORD SUBMIT","args":["b",9223372036854775808.0]}"#,
        r#"{"cmd":"RECORD SUBMIT","args":["b",-1e19]}"#,
        r#"{"cmd":"WHO","args":[4294967296.0]}"#,
    ];
    for line in invalid {
        assert_eq!(code(json(line)), Code::Invalid, "{line}");
    }
    let invalid_json = [
        "not json",
        "[]",
        "5",
        "\"HW\"",
        "{}",
        "{\"cmd\":5}",
        "{\"cmd\":\"HW\"} x",
        "{\"cmd\":\"HW\"",
        "{\"cmd\":\"HW\",}",
        "",
        "{\"cmd\":\"HW\",\"cmd\":\"HW\"}",
        "{\"cmd\":\"\\ud800\"}",
        "{\"cmd\":\"TELL\",\"args\":[\"\\ud800\"]}",
    ];
    for line in invalid_json {
        assert_eq!(json(line), Err(Failure::new(Code::InvalidJson, "Invalid JSON.")), "{line}");
    }
    assert_eq!(words("MODE foo"), Err(Failure::new(Code::NoMode, "Invalid mode: foo")));
}

/// Commands with an argument of these kinds, as JSON where that argument has this value and the others one that fits.
fn with(value: &str, is: impl Fn(ArgKind) -> bool) -> Vec<(String, bool)> {
    let mut lines = Vec::new();
    for (name, args, _) in every::requests() {
        let command = all().find(|command| command.name == name).unwrap();
        for arg in command.args.iter().filter(|arg| is(arg.kind)) {
            // What is optional is left out, unless this one is.
            let given =
                args.iter().filter(|(other, _)| command.args.iter().any(|arg| arg.name == *other && !arg.optional));
            let mut members: Vec<String> = given
                .filter(|(other, _)| *other != arg.name)
                .map(|(other, value)| format!("\"{other}\":{value}"))
                .collect();
            members.push(format!("\"{}\":{value}", arg.name));
            // An epoch belongs to a number.
            members.extend((arg.name == "epoch" && name.starts_with("RELAY")).then(|| "\"since\":1".to_owned()));
            let channel = name == "RELAY SEND";
            members.extend(channel.then(|| "\"channel\":\"lobby\"".to_owned()));
            let line = format!("{{\"cmd\":\"{name}\",\"args\":{{{}}}}}", members.join(","));
            lines.push((line, arg.optional));
        }
    }
    lines
}

#[test]
fn every_number_is_exact_or_refused_and_an_empty_one_is_none() {
    let is_number = |kind| matches!(kind, ArgKind::Int { .. } | ArgKind::Score);
    for value in ["\"\"", "0.99999999999999999999", "1e-400", "1.5", "\"1.5\"", "\" 1\"", "true"] {
        let lines = with(value, is_number);
        assert!(lines.len() >= 12 && lines.iter().any(|(_, optional)| *optional));
        for (line, _) in lines {
            assert_eq!(code(json(&line)), Code::Usage, "{line}");
        }
    }
    // Written in another way it is the same number.
    let is_large = |kind| matches!(kind, ArgKind::Int { max: 0xffff_ffff.., .. } | ArgKind::Score);
    type Is = fn(ArgKind) -> bool;
    let (number, large): (Is, Is) = (is_number, is_large);
    for (value, plain, is) in [
        ("7.0", "7", number),
        ("70e-1", "7", number),
        ("\"7.0\"", "7", number),
        ("4294967295.000", "4294967295", large),
    ] {
        for ((line, _), (same, _)) in with(value, is).into_iter().zip(with(plain, is)) {
            assert!(json(&same).is_ok(), "{same}");
            assert_eq!(json(&line), json(&same), "{line}");
        }
    }
    for value in ["1e400", "-1e400", "\"99999999999999999999\""] {
        for (line, _) in with(value, is_number) {
            assert_eq!(code(json(&line)), Code::Invalid, "{line}");
        }
    }
    // Nor is a truth value empty.
    for (line, _) in with("\"\"", |kind| matches!(kind, ArgKind::Flag { .. })) {
        assert_eq!(code(json(&line)), Code::Usage, "{line}");
    }
    let large = json(r#"{"cmd":"RECORD SUBMIT","args":["b",9007199254740993.0]}"#);
    assert_eq!(large, json(r#"{"cmd":"RECORD SUBMIT","args":["b",9007199254740993]}"#));
    assert!(
        matches!(large, Ok(Action::Request(Request::RecordSubmit(submit))) if submit.score == 9_007_199_254_740_993)
    );
    let exact = json(r#"{"cmd":"RECORD SUBMIT","args":["b",1e18]}"#);
    assert!(matches!(exact, Ok(Action::Request(Request::RecordSubmit(submit))) if submit.score == 10i64.pow(18)));
}

#[test]
fn every_command_refuses_what_it_does_not_know() {
    for command in all() {
        let line = format!("{{\"cmd\":\"{}\",\"args\":{{\"nonsense\":1}}}}", command.name);
        let Err(failure) = json(&line) else { panic!("{line}") };
        assert_eq!(failure.code, Code::Usage);
        assert!(failure.msg.contains("nonsense") && failure.msg.contains(&command.usage()), "{}", failure.msg);
        let args = vec!["\"1\""; command.args.len() + 1].join(",");
        let too_many = format!("{{\"cmd\":\"{}\",\"args\":[{args}]}}", command.name);
        assert_eq!(code(json(&too_many)), Code::Usage);
    }
    let failure = json(r#"{"cmd":"MAIL SEND","args":{"to":"bob","boddy":"hi"}}"#).unwrap_err();
    assert_eq!(
        failure.msg,
        "There is no argument \"boddy\". Did you mean body? \
         Usage: MAIL SEND <to> <body> [subject] (for example: MAIL SEND bob See you at eight)"
    );
}

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
fn texts_take_the_rest_of_the_line_or_a_quoted_part() {
    let body = |line: &str| match request(line) {
        Request::MailSend(send) => (send.body, send.subject),
        other => panic!("{other:?}"),
    };
    assert_eq!(body("MAIL SEND bob it's  \"here\"  "), ("it's  \"here\"".into(), None));
    assert_eq!(body(r#"MAIL SEND bob "a \"b\" \\ \n""#), (r#"a "b" \ \n"#.into(), None));
    assert_eq!(body(r#"MAIL SEND bob "a" tonight at eight"#), ("a".into(), some("tonight at eight")));
    assert_eq!(body(r#"MAIL SEND "bob" "a" "b""#), ("a".into(), some("b")));
    assert_eq!(body(r#"MAIL SEND bob """#), (String::new(), None));
    assert_eq!(body("MAIL SEND bob 你好 – ok"), ("你好 – ok".into(), None));
    let set = |line: &str| match request(line) {
        Request::SettingSet(set) => (set.value, set.version, set.public),
        other => panic!("{other:?}"),
    };
    assert_eq!(set("SETTING SET k red IF VERSION 3"), ("red IF VERSION 3".into(), None, None));
    assert_eq!(set("setting set k \"red\" if version 3 public"), ("red".into(), Some(3), Some(true)));
    assert_eq!(set("SETTING SET k \"red\" PRIVATE IF 0"), ("red".into(), Some(0), Some(false)));
    assert_eq!(set("SETTING SET k \"red\" 4 true"), ("red".into(), Some(4), Some(true)));
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

#[test]
fn who_may_what() {
    let states = [State::New, State::Anonymous, State::Player, State::Unproved, State::Server];
    let may = |name: &str| {
        let allowed = |state: &State| permitted(command(name), *state, "bob").is_ok();
        states.iter().map(|state| if allowed(state) { 'x' } else { '-' }).collect::<String>()
    };
    let codes = |name: &str, state| permitted(command(name), state, "bob").unwrap_err();
    for c in all() {
        let wanted = match c.name {
            "MODE" => "xxxxx",
            "QUIT" => "-xxxx",
            "AUTH" => "---x-",
            "REGISTER" | "LOGIN" | "TELL" | "WORLD ENTER" => "-xx--",
            "VISITOR" => "-x---",
            "LOGOUT" => "-xx--",
            "PASSWORD" | "PASS" | "RATING" | "BROADCAST" => "--x--",
            "HELP" | "HW" | "PING" | "STAY" | "WHOAMI" | "WHO" | "FINGER" | "WORLDS" | "WORLD SHOW" => "-xx-x",
            "UNIVERSE SHOW" | "UNIVERSE WATCH" | "UNIVERSE UNWATCH" => "-xx-x",
            "MAIL SEND" | "RECORD SUBMIT" => "--x-x",
            "SETTING SET" | "SETTING LIST" | "SETTING DELETE" | "PROPERTY SET" | "PROPERTY DELETE" => "--x-x",
            name if name.starts_with("PROPERTY") => "-xx-x",
            name if name.starts_with("RECORD") || name.starts_with("LIST") || name == "SETTING GET" => "-xx-x",
            name if ["MAIL", "WORLD", "RIGHT", "PLAYER", "UNIVERSE"].iter().any(|group| name.starts_with(group)) => {
                "--x--"
            }
            _ => "----x",
        };
        assert_eq!(may(c.name), wanted, "{}", c.name);
        if c.name != "MODE" {
            assert_eq!(codes(c.name, State::New), no_mode());
        }
    }
    let failure = codes("MAIL LIST", State::Anonymous);
    assert_eq!((failure.code, &*failure.msg), (Code::NotLoggedIn, "Log in first: LOGIN name, or REGISTER name."));
    let failure = codes("HW", State::Unproved);
    assert_eq!((failure.code, &*failure.msg), (Code::NotLoggedIn, "Prove who you are first: AUTH name key."));
    assert_eq!(codes("RELAY JOIN", State::Player).msg, "Only a game server can do that.");
    assert_eq!(codes("RELAY JOIN", State::Anonymous).code, Code::Denied);
    assert_eq!(codes("MAIL LIST", State::Server).msg, "Only a player can do that.");
    assert_eq!(codes("AUTH", State::Player).code, Code::Denied);
    assert_eq!(codes("AUTH", State::Server).msg, "You have proved who you are already.");
}

#[test]
fn examples_work_in_both_forms() {
    for command in all() {
        let in_words = parse_words(command.example, State::Server).unwrap();
        assert_eq!(in_words.command.name, command.name);
        let in_words = in_words.action();
        assert!(in_words.is_ok(), "{}: {in_words:?}", command.name);
        let example = json_example(command);
        assert_eq!(json(&example), in_words, "{example}");
    }
}

#[test]
fn the_table_is_in_order() {
    let mut names = HashSet::new();
    for group in GROUPS {
        for command in group.commands {
            assert!(names.insert(command.name) && command.alias.is_none_or(|alias| names.insert(alias)));
            assert_eq!(command.name, command.name.to_uppercase());
            assert!(!command.summary.is_empty() && !command.summary.ends_with('.') && command.summary.len() <= 54);
            assert!(command.args.iter().is_sorted_by_key(|arg| arg.optional), "required ones first: {}", command.name);
            let of_its_group = |first| group.word == Some(first) || all().any(|other| other.name == first);
            assert!(command.name.split_once(' ').is_none_or(|(first, _)| of_its_group(first)));
        }
    }
}

/// The page stands beside the crate; a crate that only borrows these files looks elsewhere.
fn page() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md")
}

#[test]
fn the_reference_page_is_current() {
    let wanted = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(page(), &wanted).unwrap();
    }
    let current = std::fs::read_to_string(page()).unwrap_or_default();
    assert!(current == wanted, "docs/protocol.md is not what the table says; run the tests once with UPDATE=1");
    assert!(!wanted.contains("{{"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_panics(line in "\\PC{0,80}|[ \"\\\\{}\\[\\]:,a-zA-Z0-9\\t]{0,80}", length in 0usize..40) {
        for line in [line.clone(), format!("MAIL SEND {line}"), format!("SETTING SET k \"v\" {line}"), format!("{{\"cmd\":{line}")] {
            for state in [State::New, State::Player, State::Server] {
                let _ = parse_words(&line, state).and_then(|parsed| { let _ = parsed.prompt(); parsed.action() });
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
        prop_assert_eq!(request(&format!("MAIL SEND bob \"{quoted}\"")), Request::MailSend(MailSend { to: "bob".into(), body: body.clone(), subject: None }));
        let line = format!("{{\"cmd\":\"MAIL SEND\",\"args\":[\"bob\",{}]}}", serde_json::to_string(&body).unwrap());
        prop_assert_eq!(json(&line), Ok(Action::Request(Request::MailSend(MailSend { to: "bob".into(), body, subject: None }))));
    }
}
