//! What clients get to see, letter by letter.

use super::parts::minute;
use super::{Asked, Charset, Clock, Look, clean, draw, human, idle, json, plural};
use crate::commands::{
    self, Action, Asks, Command, Local, Parsed, all, parse_first, parse_json, parse_words, reference,
};
use proptest::prelude::*;
use ssmglobal_ipc::*;
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

mod drawing;
mod events;
mod full;
mod lines;
mod pages;
mod samples;
mod screens;
mod senders;
use events::events;
use samples::{board, empty_replies, mails, person_replies, replies, submitted};

/// As the page has it.
const EPOCH: u64 = 1_769_890_500_000;

const USUAL: Look = Look {
    width: 80,
    height: 0,
    pager: true,
    colour: false,
    charset: Charset::Utf8,
    shell: false,
    in_world: false,
    plain: false,
};

fn s(text: &str) -> String {
    text.to_owned()
}

fn at() -> Time {
    Time(1_769_890_530_000)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn command(name: &str) -> &'static Command {
    all().find(|command| command.name == name).unwrap()
}

fn asked(name: &str) -> Asked {
    let command = command(name);
    let Asks::Request(kind, _) = command.asks else { panic!("{name} asks nobody") };
    Asked { kind, done: command.done }
}

fn as_json(id: Option<&str>, name: &str, reply: &Reply) -> String {
    let mut out = Vec::new();
    json::reply(&mut out, id, asked(name), reply);
    text(out)
}

fn as_text(name: &str, reply: &Reply, look: Look) -> String {
    let mut out = Vec::new();
    draw(&mut out, &human::reply(asked(name), reply, Clock::default()), look);
    text(out)
}

/// One line in, what the client gets out, as far as this crate answers without a handler.
fn answer(line: &str, state: State) -> String {
    let mut out = Vec::new();
    if state == State::Player {
        match parse_words(line, state).and_then(Parsed::action) {
            Ok(Action::Local(local)) => local.screens(state).for_each(|screen| draw(&mut out, &screen, USUAL)),
            Ok(Action::Request(_) | Action::Play(_)) => {}
            Err(failure) => draw(&mut out, &human::failure(&failure), USUAL),
        }
        return text(out);
    }
    let line = if state == State::New { parse_first(line) } else { parse_json(line) };
    match line.parsed.and_then(Parsed::action) {
        Ok(Action::Local(local)) => local.put(&mut out, line.id, state),
        Ok(Action::Request(_) | Action::Play(_)) => {}
        Err(failure) => json::failure(&mut out, line.id, &failure),
    }
    text(out)
}

#[test]
fn old_clients_get_what_the_original_said() {
    let first = |line| answer(line, State::New);
    assert_eq!(first("MODE CLIENT"), "{\"state\": \"OK\", \"msg\": \"Mode: CLIENT\"}\r\n");
    assert_eq!(first("{\"cmd\":\"MODE\",\"args\":\"CLIENT\"}"), "{\"state\": \"OK\", \"msg\": \"Mode: CLIENT\"}\r\n");
    assert_eq!(first("MODE LIST"), "{\"state\": \"OK\", \"msg\": \"SERVER CLIENT HUMAN\"}\r\n");
    assert_eq!(first("HELP"), "{\"state\": \"ERROR\", \"msg\": \"No mode set.\"}\r\n");
    assert_eq!(first("MODE FOO"), "{\"state\": \"ERROR\", \"msg\": \"Invalid mode: FOO\"}\r\n");
    let client = |line| answer(line, State::Anonymous);
    assert_eq!(
        client("{\"cmd\":\"HW\",\"args\":\"3\"}"),
        "{\"state\": \"OK\", \"msg\": \"Hello, world! Hello, world! Hello, world!\"}\r\n"
    );
    assert_eq!(client("{\"cmd\":\"HW\"}"), "{\"state\": \"OK\", \"msg\": \"Hello, world!\"}\r\n");
    assert_eq!(client("{\"cmd\":\"NOPE\"}"), "{\"state\": \"ERROR\", \"msg\": \"Command not found.\"}\r\n");
    assert_eq!(client("not json"), "{\"state\": \"ERROR\", \"msg\": \"Invalid JSON.\"}\r\n");
    assert_eq!(client("{\"cmd\":\"QUIT\"}"), "");
    let human = |line| answer(line, State::Player);
    assert_eq!(human("MODE human"), "Welcome to serversquared Modification Global Backend.\r\n");
    assert_eq!(human("HW 2"), "Hello, world!\r\nHello, world!\r\n");
    assert_eq!(human("hw"), "Hello, world!\r\n");
    assert_eq!(human("FOO"), "ERROR: Command not found.\r\n");
    assert_eq!(human("QUIT"), "");
}

#[test]
fn errors_have_a_code_and_the_id() {
    let client = |line| answer(line, State::Anonymous);
    assert_eq!(
        client("{\"id\": 7, \"cmd\":\"NOPE\"}"),
        "{\"state\": \"ERROR\", \"msg\": \"Command not found.\", \"id\": 7, \"code\": \"unknown_command\"}\r\n"
    );
    assert_eq!(
        client("{\"id\": \"a\", \"cmd\":}"),
        "{\"state\": \"ERROR\", \"msg\": \"Invalid JSON.\", \"id\": \"a\", \"code\": \"invalid_json\"}\r\n"
    );
    assert!(client("{\"cmd\":\"HW\",\"args\":\"x\"}").ends_with("\", \"code\": \"usage\"}\r\n"));
    let failure = Failure { version: Some(4), ..Failure::new(Code::Conflict, "Another \"wrote\".") };
    let reply = Reply::Failed(failure);
    assert_eq!(
        as_json(Some("1"), "SETTING SET", &reply),
        "{\"state\": \"ERROR\", \"msg\": \"Another \\\"wrote\\\".\", \"id\": 1, \"code\": \"conflict\", \"data\": {\"version\": 4}}\r\n"
    );
    let failure = Failure { retry_after: Some(30), ..Failure::new(Code::SlowDown, "Wait.") };
    assert!(
        as_json(None, "LOGIN", &Reply::Failed(failure))
            .ends_with("\"slow_down\", \"data\": {\"retry_after\": 30}}\r\n")
    );
}

#[test]
fn every_reply_is_one_json_object_with_the_documented_data() {
    assert_eq!(
        as_json(Some("7"), "RECORD SUBMIT", &submitted()),
        "{\"state\": \"OK\", \"msg\": \"alice has 12345 on sprint, rank 3 of 12.\", \"id\": 7, \"data\": {\"board\": \"sprint\", \
         \"player\": \"alice\", \"score\": 12345, \"rank\": 3, \"total\": 12, \"improved\": true}}\r\n"
    );
    for (name, reply) in replies() {
        let line = as_json(Some("\"x\""), name, &reply);
        assert!(line.ends_with("}\r\n") && line.matches('\n').count() == 1, "{line}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["state"], &value["id"]), (&"OK".into(), &"x".into()));
        assert!(value["msg"].as_str().unwrap().len() > 3, "{line}");
        let mut names = BTreeSet::new();
        collect(&value["data"], &mut names);
        let documented = command(name).returns.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(names, documented, "{name}");
    }
    assert!(!as_json(None, "LOGOUT", &Reply::Done(Done {})).contains("data"));
}

fn collect(value: &serde_json::Value, names: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                names.insert(name.clone());
                collect(value, names);
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

#[test]
fn events_are_as_the_page_says() {
    for (event, in_json, in_words) in events() {
        let mut out = Vec::new();
        json::event(&mut out, &event);
        assert_eq!(text(out), format!("{in_json}\r\n"));
        assert!(reference().contains(&format!("\n{in_json}\n")), "{in_json}");
        let mut out = Vec::new();
        draw(&mut out, &human::event(&event), Look { width: 200, ..USUAL });
        assert_eq!(text(out), format!("{in_words}\r\n"));
    }
    let (mut missed, mut numbered) = (Vec::new(), Vec::new());
    ssmglobal_ipc::json::put_missed(&mut missed, "lobby", EPOCH, Some(3));
    assert!(reference().contains(&text(missed)));
    let on_a_channel = RelayMessage {
        channel: Some(s("lobby")),
        number: 42,
        from: Party::Server(s("arena")),
        at: Time(1_769_890_500_000),
        body: s("round over"),
    };
    ssmglobal_ipc::json::put_relay(&mut numbered, &on_a_channel, Some(EPOCH));
    assert!(reference().contains(&text(numbered)));
}

#[test]
fn who_joins_a_channel_is_told_what_is_gone_or_that_nobody_knows() {
    let joined = RelayJoined {
        channel: s("lobby"),
        number: 42,
        missed: 1,
        waiting: 2,
        position: 99,
        epoch: EPOCH,
        behind: 40,
        unknown: false,
    };
    let told = |joined: RelayJoined| as_json(None, "RELAY JOIN", &Reply::RelayJoined(joined));
    assert_eq!(
        told(joined.clone()).trim_end(),
        "{\"state\": \"OK\", \"msg\": \"Joined lobby at number 42, 2 messages to come, 1 message gone.\", \
         \"data\": {\"channel\": \"lobby\", \"epoch\": 1769890500000, \"number\": 42, \"missed\": 1, \"waiting\": 2}}"
    );
    assert_eq!(
        told(RelayJoined { missed: 0, unknown: true, ..joined }).trim_end(),
        "{\"state\": \"OK\", \"msg\": \"Joined lobby at number 42, 2 messages to come. How many are gone is not known: \
         your number is of another epoch.\", \"data\": {\"channel\": \"lobby\", \"epoch\": 1769890500000, \"number\": 42, \
         \"missed\": null, \"waiting\": 2}}"
    );
}

#[test]
fn a_board_is_aligned_also_with_wide_letters() {
    let wanted = "sprint: 12 players.\r\n\
                  Rank  Player  Score (ms)  When              From\r\n\
                  \x20  9  alice            5  2026-01-31 20:15  server:arena\r\n\
                  \x20 10  日本語      123456  2026-01-31 20:15  server:arena\r\n\
                  2 of 12 players; TOP sprint 2 AFTER 10 goes on.\r\n\
                  Back: TOP sprint 2 BEFORE 9\r\n";
    assert_eq!(as_text("RECORD TOP", &board(), USUAL), wanted);
    let without = as_text("RECORD TOP", &board(), Look { charset: Charset::Ascii, ..USUAL });
    assert!(without.contains("\r\n\x20  9  alice               5  2026-01-31 20:15  server:arena\r\n"), "{without}");
    assert!(without.contains("\r\n\x20 10  Ri Ben Yu      123456  2026-01-31 20:15  server:arena\r\n"), "{without}");
}

#[test]
fn mails_are_marked_and_made_harmless() {
    let shown = as_text("MAIL LIST", &Reply::MailPage(mails()), USUAL);
    assert_eq!(
        shown,
        "30 mails of 100 at the most, 1 unread.\r\n\
         \x20  Id  From          When              Subject\r\n\
         *  42  alice         2026-01-31 20:15  Tonight \\x1b[31m\r\n\
         \x20   7  server:arena  2026-01-31 20:15  (no subject)\r\n\
         2 of 30 mails; MAIL LIST 2 AFTER 7 goes on.\r\n"
    );
    let (name, mail) = person_replies().into_iter().find(|(name, _)| *name == "MAIL READ").unwrap();
    assert_eq!(
        as_text(name, &mail, USUAL),
        "Mail 12 from alice to bob, 2026-01-31 20:15 UTC\r\nTonight\r\n  At eight?\r\n\r\n  Or    nine\\x1b]0;x\\x07\r\n\
         MAIL REPLY 12 text answers, MAIL DELETE 12 deletes.\r\n"
    );
}

#[test]
fn everything_fits_the_terminal() {
    let every: Vec<_> = replies().into_iter().chain(empty_replies()).collect();
    for width in [0, 1, 40, 60, 80, 132] {
        for (charset, colour) in [(Charset::Utf8, false), (Charset::Ascii, false), (Charset::Utf8, true)] {
            let look = Look { width, colour, charset, ..USUAL };
            for (name, reply) in &every {
                let shown = as_text(name, reply, look);
                assert!(shown.ends_with("\r\n"));
                assert!(charset == Charset::Utf8 || shown.is_ascii());
                assert!(colour || !shown.contains('\x1b'), "{shown}");
                for line in shown.lines().filter(|_| !colour) {
                    assert!(!line.ends_with(' '), "{line:?}");
                    let widest = if width == 0 { 80 } else { usize::from(width.max(20)) };
                    let line = line.replace('\t', "        ");
                    assert!(line.width() <= widest || !line.trim().contains(' '), "{width}: {line:?}");
                }
            }
        }
    }
    for (name, reply) in empty_replies() {
        assert_eq!(as_text(name, &reply, USUAL).lines().count(), 2, "{name} says what to do next");
    }
}

#[test]
fn help_is_grouped_and_explains() {
    let all_of_it = answer("HELP", State::Player);
    assert!(
        all_of_it
            .starts_with("Available commands:\r\nGeneral\r\n\tMODE              Choose how this connection speaks\r\n")
    );
    assert!(all_of_it.contains("\r\nMail\r\n\tMAIL SEND         Send a mail"));
    assert!(!all_of_it.contains("RELAY") && !all_of_it.contains("AUTH"));
    assert!(answer("HELP MAIL", State::Player).contains("\tMAIL BLOCKS   List whom you refuse\r\n"));
    assert!(answer("RELAY", State::Player).contains("\tRELAY JOIN "));
    assert_eq!(
        answer("HELP MAIL SEND", State::Player),
        "MAIL SEND <to> [SUBJECT subject] <body>\r\n\
         Send a mail to a player, on or not, anywhere.\r\n\
         \tto       a registered player\r\n\
         \tbody     up to 4 KiB\r\n\
         \tsubject  optional; one line; SUBJECT …\r\n\
         For: players who are logged in, and game servers after AUTH\r\n\
         Example: MAIL SEND bob SUBJECT \"Tonight\" See you at eight\r\n"
    );
    for width in [40, 80] {
        let mut out = Vec::new();
        let help = Local::Help(commands::HelpTopic::All);
        help.screens(State::Player).for_each(|screen| draw(&mut out, &screen, Look { width, ..USUAL }));
        let shown = text(out);
        let mut entries = shown.lines().filter(|line| line.starts_with('\t'));
        assert!(entries.all(|line| line.replace('\t', "        ").width() <= usize::from(width)));
    }
    let listed = |state| {
        let line: serde_json::Value = serde_json::from_str(&answer("{\"cmd\":\"HELP\"}", state)).unwrap();
        line["msg"].as_str().unwrap().to_owned()
    };
    assert!(listed(State::Anonymous).starts_with("MODE HELP HW PING STAY MORE QUIT REGISTER LOGIN "));
    assert!(listed(State::Server).contains("RELAY SEND") && !listed(State::Server).contains("LOGOUT"));
    let one = answer("{\"id\":1,\"cmd\":\"HELP\",\"args\":{\"command\":\"mail read\"}}", State::Anonymous);
    assert_eq!(
        one,
        "{\"state\": \"OK\", \"msg\": \"MAIL READ <id>\", \"id\": 1, \"data\": {\"usage\": \"MAIL READ <id>\", \"summary\": \"Read a mail\", \
         \"args\": [{\"name\": \"id\", \"kind\": \"number\", \"optional\": false, \"doc\": \"the mail's number, as the list shows it\"}], \
         \"who\": \"players who are logged in\", \"example\": \"MAIL READ 12\"}}\r\n"
    );
}

#[test]
fn colours_only_for_those_who_asked() {
    let colour = Look { colour: true, ..USUAL };
    let mut out = Vec::new();
    draw(&mut out, &human::failure(&Failure::new(Code::Invalid, "No \u{1b}[2J.")), colour);
    assert_eq!(text(out), "\x1b[31mERROR:\x1b[0m No \\x1b[2J.\r\n");
    let shown = as_text("MAIL LIST", &Reply::MailPage(mails()), colour);
    assert!(shown.contains("\x1b[1m*  42  alice"), "{shown}");
}

#[test]
fn harmful_characters_are_written_out() {
    assert!(matches!(clean("plain – 日本"), std::borrow::Cow::Borrowed(_)));
    assert_eq!(clean("a\x1b[0m\x07\x7f\u{9b}b\r\n\t\0"), "a\\x1b[0m\\x07\\x7f\\u{9b}b\\r\\n\\t\\x00");
    assert_eq!(clean("\u{202e}x\u{2066}\u{2069}\u{2028}\u{2029}"), "\\u{202e}x\\u{2066}\\u{2069}\\u{2028}\\u{2029}");
}

#[test]
fn small_parts() {
    assert_eq!([5, 65, 7300, 200_000].map(idle), ["5s", "1m", "2h", "2d"]);
    assert_eq!((plural(1u32, "mail").to_string(), plural(0u32, "mail").to_string()), (s("1 mail"), s("0 mails")));
    assert_eq!(minute(at()).to_string(), "2026-01-31 20:15");
    for odd in [i64::MIN, -1, i64::MAX] {
        assert!(!minute(Time(odd)).to_string().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn foreign_text_never_reaches_a_terminal_as_it_is(body in "(?s).{0,120}", width in 0u16..100) {
        let mail = Mail { id: 1, from: Party::Player(body.clone()), to: body.clone(), subject: body.clone(), body: body.clone(), at: at() };
        let mut page = mails();
        for mail in &mut page.mails {
            mail.subject.clone_from(&body);
        }
        for (name, reply) in [("MAIL READ", Reply::Mail(mail)), ("MAIL LIST", Reply::MailPage(page)), ("WHO", Reply::fail(Code::Invalid, body.clone()))] {
            let shown = as_text(name, &reply, Look { width, ..USUAL });
            let shown = shown.replace("\r\n", "");
            prop_assert!(matches!(clean(&shown), std::borrow::Cow::Borrowed(_)), "{:?}", shown);
            let line = as_json(None, name, &reply);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok());
        }
        prop_assert!(matches!(clean(&clean(&body)), std::borrow::Cow::Borrowed(_)));
        let line = as_json(None, "WHO", &Reply::fail(Code::Invalid, body.clone()));
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(line["msg"].as_str(), Some(&*body));
    }
}
