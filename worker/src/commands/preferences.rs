//! SET: how somebody wants what he is shown. What was set is kept for a player; his worker is told with the answer to his
//! login. Runs in a worker.

use super::{Action, Arg, Command, Group, Local, Parsed};
use crate::render::{AUTO, Origin, Screen, Shown, checked, json};
use serde::Serialize;
use ssmglobal_ipc::{Code, Failure, Kind, Preference, PreferenceIs, PreferenceSet, Request, nearest};
use std::fmt::{Result, Write};

pub(super) static GROUP: Group = Group {
    title: "How you are shown things",
    word: None,
    commands: &[Command {
        name: "SET",
        summary: "Set how you are shown things, or see how it is set",
        args: &[
            Arg::word("name", "WIDTH, HEIGHT, COLOUR, CHARSET, TIMEZONE, PAGER or SCREENREADER; all when left out")
                .optional(),
            Arg::text(
                "value",
                "a number, ON or OFF, UTF-8, LATIN-1 or ASCII, or a time zone; AUTO: as your terminal says, or as usual",
            )
            .optional(),
        ],
        example: "SET WIDTH 60",
        returns: "`name`, `value` (null after AUTO), `kept` (whether it holds at your next login); without a value \
                  `preferences`, each with `name`, `value` and `from` (kept, here, terminal, usual). For people: what a \
                  program is answered in JSON stays the same",
        codes: &[Code::Invalid],
        ..Command::either(Kind::PreferenceSet, set)
    }],
};

fn set(parsed: &mut Parsed<'_>) -> std::result::Result<Action, Failure> {
    let Some(name) = parsed.opt_string("name")? else { return Ok(Action::Local(Local::Preferences(None))) };
    let preference = named(&name)?;
    let Some(typed) = parsed.opt_written("value") else {
        return Ok(Action::Local(Local::Preferences(Some(preference))));
    };
    let value = match typed.trim().eq_ignore_ascii_case(AUTO) {
        true => None,
        false => Some(checked(preference, &typed).map_err(|must| {
            let end = if must.ends_with('?') { "" } else { "." };
            Failure::new(Code::Invalid, format!("{} must be {must}{end}", preference.name()))
        })?),
    };
    Ok(Action::Request(Request::PreferenceSet(PreferenceSet { name: preference.name().to_owned(), value })))
}

/// The preference that a word names.
fn named(word: &str) -> std::result::Result<Preference, Failure> {
    let upper = word.to_uppercase();
    let spelled = if upper == "COLOR" { "COLOUR" } else { &upper };
    if let Some(preference) = Preference::named(spelled) {
        return Ok(preference);
    }
    let names = || Preference::ALL.iter().map(|preference| preference.name());
    let begins = || names().find(|name| upper.len() > 2 && name.starts_with(&upper));
    let msg = match nearest(word, names()).or_else(begins) {
        Some(near) => format!("There is nothing like that to set. Did you mean SET {near}?"),
        None => format!("There is nothing like that to set. There are {}.", names().collect::<Vec<_>>().join(", ")),
    };
    Err(Failure::new(Code::Invalid, msg))
}

impl Shown for PreferenceIs {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let PreferenceIs { name, value, kept } = self;
        match value {
            Some(value) if *kept => write!(f, "{name} is {value}, and stays so."),
            Some(value) => write!(f, "{name} is {value} on this connection."),
            None => write!(f, "{name} is what your terminal says, or what is usual."),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if !self.kept && self.value.is_some() {
            screen.hint("LOGIN or REGISTER first, and it is kept.");
        }
    }
}

/// One preference as it is.
#[derive(Serialize)]
pub struct PreferenceRow {
    /// Which.
    pub name: &'static str,
    /// What holds.
    pub value: String,
    /// Where that comes from.
    pub from: Origin,
}

#[derive(Serialize)]
struct Data<'a> {
    preferences: &'a [PreferenceRow],
}

/// Preferences as a person sees them.
pub fn preferences_shown(rows: &[PreferenceRow]) -> Screen {
    let mut screen = Screen::new();
    let facts = rows.iter().map(|row| {
        let from = match row.from {
            Origin::Kept => "you said",
            Origin::Here => "you said, on this connection",
            Origin::Terminal => "your terminal said",
            Origin::Usual => "usual",
        };
        (row.name, format!("{} ({from})", row.value))
    });
    screen.facts(&facts.collect::<Vec<_>>());
    let name = rows.first().map_or("WIDTH", |row| row.name);
    screen.hint(format!("SET {name} and a value changes it, SET {name} {AUTO} takes that back."));
    screen
}

/// Appends a program's answer.
pub fn put_preferences(out: &mut Vec<u8>, id: Option<&str>, rows: &[PreferenceRow]) {
    let say = |f: &mut dyn Write| {
        rows.iter().enumerate().try_for_each(|(index, row)| {
            write!(f, "{}{} is {}", if index == 0 { "" } else { ", " }, row.name, row.value)
        })?;
        f.write_str(".")
    };
    json::success(out, id, say, Some(&|out| ssmglobal_ipc::json::put(out, &Data { preferences: rows })));
}
