//! The list of worlds: game servers that opted in. Runs in a worker.

use super::{Arg, Command, Group};
use crate::render::{Column, Row, Screen, Shown, plural};
use ssmglobal_ipc::{Code, Kind, Request, StatusSet, Worlds};
use std::fmt::{Result, Write};

pub(super) static GROUP: Group = Group {
    title: "Worlds",
    word: Some("STATUS"),
    commands: &[
        Command {
            name: "WORLDS",
            summary: "List the worlds that are open",
            args: Arg::PAGE,
            example: "WORLDS",
            returns: "`worlds` (each with `name`, `address`, `map`, `players`, `max`, `text`, `at`), `total`, `next`",
            ..Command::request(Kind::Worlds, |parsed| Ok(Request::Worlds(parsed.page()?)))
        },
        Command {
            name: "STATUS SET",
            summary: "Show this game server in WORLDS while it is connected",
            args: &[
                Arg::word("map", "what is played"),
                Arg::int("players", 0, u32::MAX as u64, "how many are on"),
                Arg::int("max", 0, u32::MAX as u64, "how many fit"),
                Arg::text("text", "free text; in words quoted if something follows").optional(),
                Arg::word("address", "where players connect to; the connection's own address when left out").optional(),
            ],
            done: "Shown in WORLDS.",
            example: "STATUS SET harbour 3 16 \"friendly fire off\"",
            codes: &[Code::Invalid, Code::TooLong],
            ..Command::request(Kind::StatusSet, |parsed| {
                Ok(Request::StatusSet(StatusSet {
                    map: parsed.string("map")?,
                    players: parsed.number("players")?,
                    max: parsed.number("max")?,
                    text: parsed.opt_string("text")?,
                    address: parsed.opt_string("address")?,
                }))
            })
        },
        Command {
            name: "STATUS CLEAR",
            summary: "Show it no longer",
            done: "No longer shown in WORLDS.",
            example: "STATUS CLEAR",
            ..Command::request(Kind::StatusClear, |_| Ok(Request::StatusClear))
        },
    ],
};

impl Shown for Worlds {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.total {
            0 => f.write_str("No world is open."),
            1 => f.write_str("1 world is open."),
            total => write!(f, "{} are open.", plural(total, "world")),
        }
    }

    fn show(&self, screen: &mut Screen<'_>, _: Kind) {
        if self.worlds.is_empty() {
            screen.hint("Worlds appear here as soon as a game server publishes its status.");
            return;
        }
        let rows = self.worlds.iter().map(|world| {
            let players = format!("{}/{}", world.players, world.max);
            Row::new([world.name.clone(), world.map.clone(), players, world.address.clone(), world.text.clone()])
        });
        let columns = [
            Column::left("World"),
            Column::left("Map"),
            Column::right("Players").fixed(),
            Column::left("Address"),
            Column::left("Text"),
        ];
        screen.table(&columns, rows.collect());
        if let Some(next) = &self.next {
            screen.more(format_args!("WORLDS {} {next}", self.worlds.len()));
        }
    }
}
