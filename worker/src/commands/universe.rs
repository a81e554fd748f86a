//! Settings of the universe: everybody sees them, operators set them. Runs in a worker.

use super::{Arg, Command, Group};
use crate::render::{Json, Pushed, Screen, Shown, unmarked};
use ssmglobal_ipc::{Code, Kind, Request, Universe, UniverseReset, UniverseSet, Version, json};
use std::fmt::{Result, Write};

const KEY: Arg = Arg::word(
    "key",
    "name, welcome, visitors, talk, registration, client, host, start, users, renames or licence: see `UNIVERSE SHOW`",
);

pub(super) static GROUP: Group = Group {
    title: "The universe",
    word: Some("UNIVERSE"),
    commands: &[
        Command {
            name: "UNIVERSE SHOW",
            summary: "Show what holds for all worlds together",
            example: "UNIVERSE SHOW",
            returns: SETTINGS,
            ..Command::request(Kind::UniverseShow, |_| Ok(Request::UniverseShow))
        },
        Command {
            name: "UNIVERSE SET",
            summary: "Change a setting of the universe",
            args: &[KEY, Arg::text("value", "a text, a version, true or false, a world (`start`; empty for none)")],
            done: "Set, and in force.",
            example: "UNIVERSE SET start atlantis",
            codes: &[Code::NotFound, Code::Denied, Code::Invalid],
            ..Command::request(Kind::UniverseSet, |parsed| {
                Ok(Request::UniverseSet(UniverseSet { key: parsed.string("key")?, value: parsed.written("value")? }))
            })
        },
        Command {
            name: "UNIVERSE RESET",
            summary: "Let a setting be as the config file says",
            args: &[KEY],
            done: "As the config file says, and in force.",
            example: "UNIVERSE RESET start",
            codes: &[Code::NotFound, Code::Denied],
            ..Command::request(Kind::UniverseReset, |parsed| {
                Ok(Request::UniverseReset(UniverseReset { key: parsed.string("key")? }))
            })
        },
        Command {
            name: "UNIVERSE WATCH",
            summary: "Be told when settings of the universe change",
            done: "You will be told when settings of the universe change.",
            example: "UNIVERSE WATCH",
            ..Command::request(Kind::UniverseWatch, |_| Ok(Request::UniverseWatch))
        },
        Command {
            name: "UNIVERSE UNWATCH",
            summary: "Stop watching the universe",
            done: "You are not told any more.",
            example: "UNIVERSE UNWATCH",
            ..Command::request(Kind::UniverseUnwatch, |_| Ok(Request::UniverseUnwatch))
        },
    ],
};

const SETTINGS: &str = "`name`, `welcome`, `visitors`, `talk`, `registration`, `client`, `host` (versions; \"0\" is any), `start` (a world, \
                        or null), `users`, `renames`, `licence`, `set` (which of them the operator has set)";

fn least(version: Version) -> String {
    if version == Version::default() { "any version".to_owned() } else { format!("version {version}") }
}

impl Shown for Universe {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "This is {}.", self.name)
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        let word = |yes: bool, one: &str, other: &str| if yes { one.to_owned() } else { other.to_owned() };
        let start = self.start.clone().unwrap_or_else(|| "none".to_owned());
        let rows = [
            ("Visitors", word(self.visitors, "allowed", "not allowed")),
            ("Visitors talk", word(self.talk, "yes", "no")),
            ("Registration", word(self.registration, "open", "closed")),
            ("Clients from", least(self.client)),
            ("Hosts from", least(self.host)),
            ("Start world", start),
            ("User list", word(self.users, "on", "off")),
            ("Changing names", word(self.renames, "allowed", "not allowed")),
            ("Worlds", word(self.licence, "only with a licence", "with a licence or without")),
        ];
        for (title, value) in rows {
            screen.line(format!("{title}: {value}"));
        }
        if !self.set.is_empty() {
            screen.line(format!("Set by the operator: {}", self.set.join(", ")));
        }
        screen.line("Welcome:");
        screen.marked_block(2, &self.welcome);
    }

    fn data(&self, out: &mut Vec<u8>) {
        json::put(out, &for_programs(self));
    }
}

/// Programs have no colours.
fn for_programs(universe: &Universe) -> Universe {
    Universe { welcome: unmarked(&universe.welcome), ..universe.clone() }
}

impl Pushed for Universe {
    fn say(&self, f: &mut dyn Write) -> Result {
        write!(f, "settings of {} have changed (UNIVERSE SHOW)", self.name)
    }

    fn line(&self, name: &str, out: &mut Vec<u8>) {
        for_programs(self).put_event(name, out);
    }
}
