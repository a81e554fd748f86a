//! Settings: versioned text of a player or a game server. Runs in a worker.

use super::{Arg, Command, Group};
use crate::render::{Column, Counted, Row, Screen, Shown, plural};
use ssmglobal_ipc::{Code, Kind, Request, Setting, SettingDelete, SettingGet, SettingSet, SettingVersion, Settings};
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
            ..Command::request(Kind::SettingGet, |parsed| {
                Ok(Request::SettingGet(SettingGet { key: parsed.string("key")?, of: parsed.opt_party("of")? }))
            })
        },
        Command {
            name: "SETTING SET",
            summary: "Write a setting",
            args: &[
                KEY,
                Arg::text("value", "up to 8 KiB"),
                Arg::int("version", 0, u64::MAX, "only if this is the present version; 0: only if there is none")
                    .optional()
                    .keyword("IF"),
                Arg::flag(
                    "public",
                    "PUBLIC",
                    "PRIVATE",
                    "whether others may read it; as it is when left out, at first private",
                ),
            ],
            example: "SETTING SET colour IF VERSION 3 PUBLIC dark red",
            returns: "`key`, `version`, `public`",
            codes: &[Code::Conflict, Code::Invalid, Code::TooLong, Code::Limit],
            ..Command::request(Kind::SettingSet, |parsed| {
                Ok(Request::SettingSet(SettingSet {
                    key: parsed.string("key")?,
                    value: parsed.string("value")?,
                    version: parsed.opt_number("version")?,
                    public: parsed.opt_flag("public")?,
                }))
            })
        },
        Command {
            name: "SETTING LIST",
            summary: "List your settings",
            args: Arg::PAGE,
            example: "SETTING LIST",
            returns: "`settings` (each with `key`, `version`, `public`, `bytes`, `at`), `total`, `next`",
            ..Command::request(Kind::SettingList, |parsed| Ok(Request::SettingList(parsed.page()?)))
        },
        Command {
            name: "SETTING DELETE",
            summary: "Delete a setting",
            args: &[
                KEY,
                Arg::int("version", 0, u64::MAX, "only if this is the present version").optional().keyword("IF"),
            ],
            done: "Setting deleted.",
            example: "SETTING DELETE colour",
            codes: &[Code::NotFound, Code::Conflict],
            ..Command::request(Kind::SettingDelete, |parsed| {
                Ok(Request::SettingDelete(SettingDelete {
                    key: parsed.string("key")?,
                    version: parsed.opt_number("version")?,
                }))
            })
        },
    ],
};

fn readable(public: bool) -> &'static str {
    if public { "public" } else { "private" }
}

impl Shown for Setting {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let Setting { of, key, version, public, .. } = self;
        write!(f, "{key} of {of}, version {version}, {}.", readable(*public))
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        screen.block(2, &self.value);
    }
}

impl Shown for SettingVersion {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "{} is now version {}, {}.", self.key, self.version, readable(self.public))
    }
}

impl Shown for Settings {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match (self.settings.len(), &self.next) {
            (0, _) => f.write_str("You have no settings."),
            (count, None) => write!(f, "{}.", plural(count, "setting")),
            (count, Some(_)) => write!(f, "{}, and there are more.", plural(count, "setting")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if self.settings.is_empty() {
            screen.hint("SETTING SET key value makes one.");
            return;
        }
        let rows = self.settings.iter().map(|row| {
            let (bytes, at) = (row.bytes.to_string(), screen.minute(row.at));
            Row::new([row.key.clone(), row.version.to_string(), bytes, readable(row.public).to_owned(), at])
        });
        let columns = [
            Column::name("Key"),
            Column::number("Version"),
            Column::number("Bytes"),
            Column::detail("Readable"),
            Column::detail("Changed"),
        ];
        screen.table(&columns, rows.collect());
        let shown = self.settings.len();
        let counted = Counted { shown, total: self.total, what: "settings" };
        screen.page(counted, &format!("SETTING LIST {shown}"), self.next.as_deref());
    }
}
