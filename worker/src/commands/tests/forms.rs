//! The same request in words and in JSON; numbers, names and texts in every form; what does not fit.

use super::super::*;
use super::*;

#[test]
fn every_form_gives_the_same_request() {
    let every = every::requests();
    for (name, args, wanted) in &every {
        let values: Vec<&str> = args.iter().map(|(_, value)| *value).collect();
        let members: Vec<String> = args.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        let line = typed(command(name), args);
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
    let local = ["MODE", "HELP", "HW", "PING", "STAY", "MORE", "QUIT", "PLAY", "RESUME", "DROP"];
    for command in all() {
        assert!(tested.contains(command.name) != local.contains(&command.name), "{}", command.name);
    }
}

/// The arguments as they are typed: what stands behind the text comes as an option in front of it, and the text is as it is.
fn typed(command: &Command, args: &[(&str, &str)]) -> String {
    let of = |name: &str| command.args.iter().find(|arg| arg.name == name).unwrap();
    let text = args.iter().position(|(name, _)| of(name).is_text());
    let behind_text = |index: usize| args[..index].iter().any(|(name, _)| of(name).kind == ArgKind::Text);
    let word = |index: usize, (name, value): (&str, &str)| match (of(name).kind, of(name).keyword) {
        (ArgKind::Flag { yes, no }, _) if behind_text(index) => (if value == "true" { yes } else { no }).to_owned(),
        (_, Some(keyword)) if text.is_some() => format!("{keyword} {value}"),
        _ => value.to_owned(),
    };
    let words = args.iter().enumerate().filter(|(index, _)| Some(*index) != text);
    let mut words: Vec<String> = words.map(|(index, arg)| word(index, *arg)).collect();
    words.extend(text.map(|text| serde_json::from_str::<String>(args[text].1).unwrap()));
    words.join(" ")
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
    let wanted = request("SETTING SET k PRIVATE v");
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
        "MAIL SEND bob SUBJECT",
        "MAIL SEND bob SUBJECT \"open",
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
        "SETTING SET k IF VERSION 3",
        "SETTING DELETE k IF",
        "SETTING DELETE k IF VERSION",
        "SETTING DELETE k IF x",
        "FINGER \"bob",
        "FINGER \"bob\"x",
        "RELAY SEND x",
        "RELAY SEND CHANNEL a TO b x",
        "MODE",
        "HW x",
        "STATUS SET m 1",
        "HW \"\"",
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
    for line in ["{}", "{\"cmd\":5}", "{\"cmd\":null}", "{\"command\":\"HW\"}"] {
        let Err(failure) = json(line) else { panic!("{line}") };
        assert_eq!(failure.code, Code::InvalidJson);
        assert!(failure.msg.starts_with("cmd must be a string"), "{}", failure.msg);
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
fn an_error_names_the_argument_and_shows_an_example_in_the_form_that_was_used() {
    let msg = |result: Result<Action, Failure>| result.unwrap_err().msg;
    for (line, begins) in [
        (r#"{"cmd":"RECORD SUBMIT","args":{"board":"b"}}"#, "score is missing."),
        (r#"{"cmd":"RECORD SUBMIT","args":{"board":"b","score":"x"}}"#, "score must be a whole number."),
        (r#"{"cmd":"TELL","args":"bob"}"#, "body is missing."),
        (r#"{"cmd":"TELL","args":{"to":["bob"]}}"#, "to must be a string, a number, true or false."),
        (r#"{"cmd":"MAIL SEND","args":{"two":"bob"}}"#, "There is no argument \"two\". Did you mean to?"),
    ] {
        let msg = msg(json(line));
        assert!(msg.starts_with(begins) && msg.contains(" For example: {\"cmd\": "), "{msg}");
    }
    let words = msg(words("RECORD SUBMIT b"));
    assert_eq!(
        words,
        "score is missing. Usage: RECORD SUBMIT <board> <score> [PLAYER player] [note] (for example: RECORD SUBMIT sprint 12345)"
    );
}

#[test]
fn what_may_be_left_out_behind_a_text_has_a_keyword() {
    for command in all() {
        let texts = command.args.iter().filter(|arg| arg.is_text()).count();
        let mut behind = command.args.iter().skip_while(|arg| !arg.is_text()).skip(1);
        let is_option = |arg: &Arg| arg.optional && (arg.keyword.is_some() || matches!(arg.kind, ArgKind::Flag { .. }));
        assert!(texts <= 1 && behind.all(is_option), "{}", command.name);
    }
}

#[test]
fn every_command_refuses_what_it_does_not_know() {
    for command in all() {
        let line = format!("{{\"cmd\":\"{}\",\"args\":{{\"nonsense\":1}}}}", command.name);
        let Err(failure) = json(&line) else { panic!("{line}") };
        assert_eq!(failure.code, Code::Usage);
        assert!(failure.msg.contains("nonsense") && failure.msg.contains(&json_example(command)), "{}", failure.msg);
        let args = vec!["\"1\""; command.args.len() + 1].join(",");
        let too_many = format!("{{\"cmd\":\"{}\",\"args\":[{args}]}}", command.name);
        assert_eq!(code(json(&too_many)), Code::Usage);
    }
    let failure = json(r#"{"cmd":"MAIL SEND","args":{"to":"bob","boddy":"hi"}}"#).unwrap_err();
    assert_eq!(
        failure.msg,
        "There is no argument \"boddy\". Did you mean body? \
         For example: {\"cmd\": \"MAIL SEND\", \"args\": {\"to\": \"bob\", \"body\": \"See you at eight\", \"subject\": \"Tonight\"}}"
    );
}
