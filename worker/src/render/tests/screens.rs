//! Every screen as it was looked at: at 40, 60, 80 and 132 columns, and read aloud. `UPDATE=1 cargo test -p ssmglobal-worker`
//! writes the files in `screens` anew; look at the difference.

use super::super::{Clock, Look, Screen, draw, human};
use super::full::full_replies;
use super::samples::{empty_replies, replies};
use super::{USUAL, asked, events, s};
use crate::commands::{Action, Parsed, PreferenceRow, parse_words, preferences_shown};
use crate::render::Preferred;
use crate::render::screen::Block;
use ssmglobal_ipc::{KeptPreference, Preference, State};
use std::fmt::Write;
use std::path::Path;

/// How each file is drawn.
fn looks() -> [(&'static str, Look); 5] {
    let wide = |width| Look { width, ..USUAL };
    [("40", wide(40)), ("60", wide(60)), ("80", wide(80)), ("132", wide(132)), ("aloud", Look { plain: true, ..USUAL })]
}

/// What is shown after a line that needs no handler.
fn local(line: &str) -> Vec<Screen> {
    match parse_words(line, State::Player).and_then(Parsed::action) {
        Ok(Action::Local(local)) => local.screens(State::Player).collect(),
        Ok(Action::Request(_) | Action::Play(_)) => panic!("{line} asks the handler"),
        Err(failure) => vec![human::failure(&failure)],
    }
}

fn preferences() -> Screen {
    let mut preferred = Preferred::default();
    preferred.logged_in(&[KeptPreference { name: s("TIMEZONE"), value: s("America/Argentina/Buenos_Aires") }]);
    let row = |preference: Preference| {
        let (value, from) = preferred.state(preference, USUAL, Default::default());
        PreferenceRow { name: preference.name(), value, from }
    };
    preferences_shown(&Preference::ALL.map(row))
}

/// Every screen, with what was typed.
fn screens() -> Vec<(String, Vec<Screen>)> {
    let every = replies().into_iter().chain(full_replies()).chain(empty_replies());
    let answers = every.map(|(name, reply)| (s(name), vec![human::reply(asked(name), &reply, Clock::default())]));
    let lines = ["HELP", "HELP MAIL", "HELP MAIL SEND", "HELP WORLD ADD", "WORLD ADD", "SETTING SET", "MIAL", "FOO"];
    let local = lines.map(|line| (s(line), local(line)));
    let pushed = events().into_iter().map(|(event, ..)| (s("(pushed)"), vec![human::event(&event)]));
    answers.chain(local).chain([(s("SET"), vec![preferences()])]).chain(pushed).collect()
}

fn recorded(look: Look) -> String {
    let mut all = String::new();
    for (typed, screens) in screens() {
        let mut out = Vec::new();
        screens.iter().for_each(|screen| draw(&mut out, screen, look));
        let shown = String::from_utf8(out).unwrap().replace("\r\n", "\n");
        write!(all, "> {typed}\n{shown}\n").unwrap();
    }
    all
}

#[test]
fn every_screen_is_as_it_was_looked_at() {
    for (name, look) in looks() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/render/tests/screens/{name}.txt"));
        let now = recorded(look);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let was = std::fs::read_to_string(&path).unwrap_or_default();
        let difference = was.lines().zip(now.lines()).find(|(was, now)| was != now);
        assert!(was == now, "{}: {difference:?}: UPDATE=1 writes it anew", path.display());
    }
}

#[test]
fn every_table_is_among_them_with_names_and_numbers_as_long_as_they_get() {
    let has_table = |reply: &_, name| {
        let screen = human::reply(asked(name), reply, Clock::default());
        screen.blocks().iter().any(|block| matches!(block, Block::Table(_)))
    };
    let full: Vec<&str> = full_replies().into_iter().map(|(name, _)| name).collect();
    for (name, reply) in replies() {
        assert!(!has_table(&reply, name) || full.contains(&name), "{name} has a table and is not in full_replies");
    }
    assert!(full_replies().iter().all(|(name, reply)| has_table(reply, name)));
}
