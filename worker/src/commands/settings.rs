//! Settings: versioned text of a player or a game server. Runs in a worker.

use super::{Action, Arg, Command, Group, Kind, Who};
use crate::render::{Column, Row, Screen, minute, plural};
use ssmglobal_ipc::{Code, Request, Setting, SettingDelete, SettingGet, SettingSet, SettingVersion, Settings};
use std::fmt::{Result, Write};

const KEY: Arg = Arg::word("key", "1-64 bytes without blanks");

pub(super) static GROUP: Group = Group {
    title: "Settings",
    word: Some("SETTING"),
    commands: &[
        Command {
            name: "SETTING GET",
            summary: "Read a setting",
            args: &[
                KEY,
                Arg::word("of", "whose, a player or `server:NAME`; yours when left out, another's only where public")
                    .optional()
                    .keyword("OF"),
            ],
            example: "SETTING GET colour",
            returns: "`of`, `key`, `value`, `version`, `public`, `at`",
            codes: &[Code::NotFound, Code::NotLoggedIn],
            run: |parsed| {
                Ok(Action::Request(Request::SettingGet(SettingGet {
                    key: parsed.string("key")?,
                    of: parsed.opt_party("of")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "SETTING SET",
            summary: "Write a setting",
            args: &[
                KEY,
                Arg::text("value", "up to 8 KiB; in words quoted if something follows"),
                Arg::int("version", 0, u64::MAX, "only if this is the present version; 0: only if there is none")
                    .optional()
                    .keyword("IF"),
                Arg {
                    kind: Kind::Flag { yes: "PUBLIC", no: "PRIVATE" },
                    ..Arg::word("public", "whether others may read it; as it is when left out, at first private")
                }
                .optional(),
            ],
            who: Who::PlayerOrServer,
            example: "SETTING SET colour \"dark red\" IF VERSION 3 PUBLIC",
            returns: "`key`, `version`, `public`",
            codes: &[Code::Conflict, Code::Invalid, Code::TooLong, Code::Limit],
            run: |parsed| {
                Ok(Action::Request(Request::SettingSet(SettingSet {
                    key: parsed.string("key")?,
                    value: parsed.string("value")?,
                    version: parsed.opt_number("version")?,
                    public: parsed.opt_flag("public")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "SETTING LIST",
            summary: "List your settings",
            args: &[Arg::limit(), Arg::word("after", "`next` of the page before").optional()],
            who: Who::PlayerOrServer,
            example: "SETTING LIST",
            returns: "`settings` (each with `key`, `version`, `public`, `bytes`, `at`), `next`",
            run: |parsed| Ok(Action::Request(Request::SettingList(parsed.page()?))),
            ..Command::BASE
        },
        Command {
            name: "SETTING DELETE",
            summary: "Delete a setting",
            args: &[
                KEY,
                Arg::int("version", 0, u64::MAX, "only if this is the present version").optional().keyword("IF"),
            ],
            who: Who::PlayerOrServer,
            done: "Setting deleted.",
            example: "SETTING DELETE colour",
            codes: &[Code::NotFound, Code::Conflict],
            run: |parsed| {
                Ok(Action::Request(Request::SettingDelete(SettingDelete {
                    key: parsed.string("key")?,
                    version: parsed.opt_number("version")?,
                })))
            },
            ..Command::BASE
        },
    ],
};

fn readable(public: bool) -> &'static str {
    if public { "public" } else { "private" }
}

pub(crate) fn say_setting(f: &mut dyn Write, reply: &Setting) -> Result {
    let Setting { of, key, version, public, .. } = reply;
    write!(f, "{key} of {of}, version {version}, {}.", readable(*public))
}

pub(crate) fn say_version(f: &mut dyn Write, reply: &SettingVersion) -> Result {
    write!(f, "{} is now version {}, {}.", reply.key, reply.version, readable(reply.public))
}

pub(crate) fn say_settings(f: &mut dyn Write, reply: &Settings) -> Result {
    match (reply.settings.len(), &reply.next) {
        (0, _) => f.write_str("You have no settings."),
        (count, None) => write!(f, "{}.", plural(count, "setting")),
        (count, Some(_)) => write!(f, "{}, and there are more.", plural(count, "setting")),
    }
}

pub(crate) fn show_setting(screen: &mut Screen<'_>, reply: &Setting) {
    screen.block(2, &reply.value);
}

pub(crate) fn show_settings(screen: &mut Screen<'_>, reply: &Settings) {
    if reply.settings.is_empty() {
        screen.hint("SETTING SET key value makes one.");
        return;
    }
    let rows = reply.settings.iter().map(|row| {
        let (bytes, at) = (row.bytes.to_string(), minute(row.at).to_string());
        Row::new([row.key.clone(), row.version.to_string(), bytes, readable(row.public).to_owned(), at])
    });
    let columns = [
        Column::left("Key"),
        Column::right("Version").fixed(),
        Column::right("Bytes").fixed(),
        Column::left("Readable").fixed(),
        Column::left("Changed"),
    ];
    screen.table(&columns, rows.collect());
    if let Some(next) = &reply.next {
        screen.more(format_args!("SETTING LIST {} {next}", reply.settings.len()));
    }
}
