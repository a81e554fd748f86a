//! A command with more arguments than any of ours.

use super::super::{json, words};
use super::{Action, Arg, ArgKind, Code, Command, Failure, Kind, Parsed, Request};
use serde_json::value::RawValue;
use ssmglobal_ipc::RelaySend;

const ARGS: &[Arg] = &[
    Arg::word("name", "…"),
    Arg::int("count", 0, 9, "…"),
    Arg { kind: ArgKind::Score, ..Arg::word("score", "…") },
    Arg::word("where", "…"),
    Arg::secret("old", "Old: ", false, "…"),
    Arg::secret("new", "New: ", true, "…"),
    Arg::text("note", "…").optional().keyword("NOTE"),
];

static SEVEN: Command = Command {
    name: "TRY SEVEN",
    args: ARGS,
    example: "TRY SEVEN a 1 -1 b c d",
    ..Command::request(Kind::RelaySend, |parsed| {
        let body = format!(
            "{} {} {} {} {:?} {:?} {:?}",
            parsed.string("name")?,
            parsed.number::<u8>("count")?,
            parsed.score("score")?,
            parsed.string("where")?,
            parsed.secret("old")?.expose(),
            parsed.secret("new")?.expose(),
            parsed.opt_string("note")?,
        );
        Ok(Request::RelaySend(RelaySend { body, channel: None, to: None }))
    })
};

fn made(action: Result<Action, Failure>) -> String {
    match action {
        Ok(Action::Request(Request::RelaySend(send))) => send.body,
        other => panic!("{other:?}"),
    }
}

fn in_words(line: &str) -> Result<Parsed<'_>, Failure> {
    let mut parsed = Parsed::new(&SEVEN);
    words::fill(&mut parsed, line)?;
    Ok(parsed)
}

fn in_json(args: &str) -> Result<Action, Failure> {
    let args = RawValue::from_string(args.to_owned()).unwrap();
    let mut parsed = Parsed::new(&SEVEN);
    json::fill(&mut parsed, &args)?;
    parsed.action()
}

#[test]
fn seven_arguments_are_as_good_as_five() {
    let wanted = "al 3 -7 here \"pw 1\" \"pw\" Some(\"all of it\")";
    let line = "al 3 -7 here \"pw 1\" pw NOTE all of it";
    assert_eq!(made(in_words(line).and_then(Parsed::action)), wanted);
    for args in [
        r#"["al", 3, -7, "here", "pw 1", "pw", "all of it"]"#.to_owned(),
        r#"{"note": "all of it", "new": "pw", "old": "pw 1", "where": "here", "score": "-7", "count": 3, "name": "al"}"#
            .to_owned(),
        serde_json::to_string(line).unwrap(),
    ] {
        assert_eq!(made(in_json(&args)), wanted, "{args}");
    }
    let code = |result: Result<Action, Failure>| result.unwrap_err().code;
    assert_eq!(code(in_json(r#"["al", 3, -7, "here", "a", "b", "c", "d"]"#)), Code::Usage);
    assert_eq!(
        made(in_words("al 3 -7 here a b \"c\" d").and_then(Parsed::action)),
        "al 3 -7 here \"a\" \"b\" Some(\"\\\"c\\\" d\")"
    );
    assert_eq!(code(in_words("al 3 -7 here a").and_then(Parsed::action)), Code::Usage);
}

#[test]
fn what_is_missing_is_known_in_its_order() {
    let mut parsed = in_words("al 3").unwrap().into_owned();
    for (name, typed) in [("score", "-7"), ("where", "here"), ("old", "a"), ("new", "b")] {
        let (index, arg) = parsed.missing().unwrap();
        assert_eq!(arg.name, name);
        parsed.answer(index, typed.to_owned()).unwrap();
    }
    assert!(parsed.missing().is_none());
    assert_eq!(made(parsed.action()), "al 3 -7 here \"a\" \"b\" None");
    let mut parsed = in_words("al").unwrap().into_owned();
    for wrong in ["x", "10", "-1", ""] {
        assert_eq!(parsed.answer(1, wrong.to_owned()).unwrap_err().code, Code::Invalid, "{wrong}");
        assert_eq!(parsed.missing().map(|(index, _)| index), Some(1));
    }
}
