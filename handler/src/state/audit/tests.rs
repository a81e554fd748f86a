//! Each event has its line, which nobody forges, and its row of the operators' page.

use super::*;
use ssmglobal_ipc::Kind;
use std::collections::HashSet;
use std::time::Duration;

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operating.md"));

/// Somebody who is logged in.
fn bob() -> Whose {
    Whose { session: 12, door: Some(0), who: Some("bob".into()), ..nobody() }
}

/// Somebody who is not.
fn nobody() -> Whose {
    Whose { session: 12, door: Some(0), ..Whose::at("203.0.113.7:35712".parse().unwrap()) }
}

/// Each event once, as it may be.
fn samples() -> Vec<(Whose, Happened)> {
    let (none, bobs) = (Whose::default, || Some("bob".to_owned()));
    let operator = || "operator".to_owned();
    vec![
        (nobody(), Happened::Connect { clients: 1, most: 4096 }),
        (bob(), Happened::Disconnect { reason: "quit", seconds: 61, clients: 0, most: 4096 }),
        (Whose { session: 0, ..nobody() }, Happened::Refused { reason: "blocked", seconds: Some(8) }),
        (
            Whose { address: bob().address, ..none() },
            Happened::Blocked { seconds: 10, reason: "too many failed logins (exit code 3)".into() },
        ),
        (nobody(), Happened::SentAway { protocol: "HTTP" }),
        (bob(), Happened::Register {}),
        (bob(), Happened::Login { failures: 2 }),
        (bob(), Happened::Password {}),
        (Whose { who: Some("visitor:zed".into()), ..bob() }, Happened::Visit {}),
        (nobody(), Happened::LoginFailed { command: Kind::Login, player: bobs(), failures: 2 }),
        (nobody(), Happened::LoginRefused { player: "bob".into(), reason: "disabled" }),
        (
            Whose { who: Some("arena".into()), ..bob() },
            Happened::CheckFailed { player: bobs(), from: Some([192, 0, 2, 9].into()) },
        ),
        (nobody(), Happened::WordFailed {}),
        (nobody(), Happened::SlowDown { command: Kind::Login, player: bobs(), seconds: 16 }),
        (bob(), Happened::Logout { reason: "asked" }),
        (Whose { who: Some("arena".into()), ..bob() }, Happened::KeyUsed {}),
        (nobody(), Happened::KeyRefused { server: Some("arena".into()), reason: "key" }),
        (bob(), Happened::Denied { command: Kind::WorldAdd, right: "operator" }),
        (Whose::named("Cave"), Happened::WorldDown { at: "127.0.0.1:2860".into(), players: 7 }),
        (Whose::named("Cave"), Happened::WorldUp { at: "127.0.0.1:2860".into(), seconds: 3, waiting: 7 }),
        (
            Whose::named("Cave"),
            Happened::Failover { from: "127.0.0.1:2860".into(), to: "10.1.2.3:2860".into(), by: "backend" },
        ),
        (bob(), Happened::Kick { by: operator(), reason: "Please do not flood.".into() }),
        (Whose::named("bob"), Happened::Disable { by: operator(), kind: "player" }),
        (Whose::named("bob"), Happened::Enable { by: operator(), kind: "player" }),
        (
            none(),
            Happened::Operator {
                by: operator(),
                result: "done".into(),
                act: Words("added the world Atlantis of bob".into()),
            },
        ),
    ]
}

#[test]
fn the_page_has_each_event_with_its_fields_and_a_line_as_it_is_written() {
    let samples = samples();
    let places: Vec<usize> = samples.iter().map(|(_, event)| event.place()).collect();
    assert_eq!(places, (0..Happened::ALL.len()).collect::<Vec<_>>(), "each once");
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| `event=") || line.starts_with("| `") && line.contains("`event="))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), samples.len());
    for ((whose, event), row) in samples.iter().zip(rows) {
        let about = event.described();
        let fields = about.fields.iter().filter(|field| **field != "act").map(|field| format!("`{field}`"));
        let fields = match fields.collect::<Vec<_>>().join(" ") {
            none if none.is_empty() => "–".to_owned(),
            fields => fields,
        };
        let line = format!("`{}`", line(whose, event, 0));
        assert_eq!(row[0], format!("`{}`", about.name), "{row:?}");
        assert_eq!((row[2], row[4]), (fields.as_str(), line.as_str()), "{row:?}");
        let most = if about.most == 0 { "–".to_owned() } else { about.most.to_string() };
        assert_eq!(row[3], most, "{}: lines of one address in a minute", about.name);
    }
}

#[test]
fn names_are_words_with_hyphens_and_differ() {
    let names: HashSet<&str> = Happened::ALL.iter().map(|event| event.name).collect();
    assert_eq!(names.len(), Happened::ALL.len());
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase())));
}

#[test]
fn what_comes_from_outside_forges_nothing() {
    let reason = "x\" event=login\naddress=192.0.2.1 \\\u{202e}\u{9b}2J";
    let who = "a b=\"c\"\nevent=login";
    let event = Happened::Kick { by: "operator".into(), reason: reason.into() };
    let line = line(&Whose { who: Some(who.into()), ..bob() }, &event, 3);
    assert!(!line.contains(ssmglobal_ipc::harmful), "{line:?}");
    // Out of quotes there is only what is ours.
    let mut outside = String::new();
    let (mut inside, mut escaped) = (false, false);
    for c in line.chars() {
        if c == '"' && !escaped {
            inside = !inside;
        } else if !inside {
            outside.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    let words = "event=kick address=203.0.113.7 port=35712 session=12 door=0 who= by=operator reason= left_out=3 msg=";
    assert_eq!((outside.as_str(), inside), (words, false), "{line}");
}

#[test]
fn an_empty_value_and_one_that_would_read_as_none_are_in_quotes() {
    let put = |text: &str| {
        let mut line = String::new();
        text.put("key", &mut line);
        line
    };
    assert_eq!(
        ["", "-", "Zoë", "visitor:zed", "a b"].map(put),
        [" key=\"\"", " key=\"-\"", " key=Zoë", " key=visitor:zed", " key=\"a b\""]
    );
    assert_eq!(command(Kind::MailSend), "MAIL SEND");
}

#[test]
fn one_event_that_is_repeated_takes_no_lines_from_another() {
    let (mut audit, now) = (Audit::default(), Instant::now());
    let failed = Happened::LoginFailed { command: Kind::Login, player: None, failures: 0 };
    let may = |audit: &mut Audit, event: &Happened, now| {
        let limit = audit.limits.get_mut(event.place()).unwrap();
        limit.may_log("203.0.113.7".parse().unwrap(), now)
    };
    for _ in 0..100 {
        audit.note(&nobody(), &failed, now);
    }
    assert_eq!(may(&mut audit, &failed, now), None);
    assert_eq!(may(&mut audit, &Happened::Login { failures: 0 }, now), Some(0));
    assert_eq!(may(&mut audit, &failed, now + Duration::from_secs(60)), Some(41));
}
