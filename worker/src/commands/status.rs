//! The list of worlds: game servers that opted in. Runs in a worker.

use super::{Arg, Command, Group};
use crate::render::{Column, Counted, Row, Screen, Shown, plural};
use serde::Serialize;
use ssmglobal_ipc::{Code, Kind, Rating, Request, StatusSet, World, WorldMore, WorldStatus, Worlds, json};
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
            returns: "`worlds` (each with `name`, `address` (empty where there is a licence: ask to be let in), `map`, `players`, \
                      `max`, `text`, `at`, `status`, `rating`, `licensed`), `total`, `next`",
            ..Command::request(Kind::Worlds, |parsed| Ok(Request::Worlds(parsed.page()?)))
        },
        Command {
            name: "STATUS SET",
            summary: "Show this game server in WORLDS while it is connected",
            args: &[
                Arg::word("map", "what is played"),
                Arg::int("players", 0, u32::MAX as u64, "how many are on"),
                Arg::int("max", 0, u32::MAX as u64, "how many fit"),
                Arg::text("text", "free text").optional(),
                Arg::word("address", "where players connect to; the connection's own address when left out")
                    .optional()
                    .keyword("ADDRESS"),
            ],
            done: "Shown in WORLDS.",
            example: "STATUS SET harbour 3 16 friendly fire off",
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

/// A row of `WORLDS`, with what it has gained since.
#[derive(Serialize)]
struct WorldRow<'a> {
    #[serde(flatten)]
    world: &'a World,
    #[serde(flatten)]
    more: WorldMore,
}

#[derive(Serialize)]
struct WorldRows<'a> {
    worlds: Vec<WorldRow<'a>>,
    total: u32,
    next: &'a Option<String>,
}

fn rows(worlds: &Worlds) -> impl Iterator<Item = (&World, WorldMore)> {
    // From an older handler there is none.
    let more = worlds.more.iter().copied().chain(std::iter::repeat(WorldMore::default()));
    worlds.worlds.iter().zip(more)
}

impl Shown for Worlds {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.total {
            0 => f.write_str("No world is open."),
            1 => f.write_str("1 world is open."),
            total => write!(f, "{} are open.", plural(total, "world")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if self.worlds.is_empty() {
            screen.hint("Worlds appear here as soon as a game server publishes its status.");
            return;
        }
        let rows = rows(self).map(|(world, more)| {
            let players = format!("{}/{}", world.players, world.max);
            // As most are goes without saying.
            let status = if more.status == WorldStatus::Public { "" } else { more.status.as_str() }.to_owned();
            let rating = if more.rating == Rating::G { "" } else { more.rating.as_str() }.to_owned();
            let (name, map, address) = (world.name.clone(), world.map.clone(), world.address.clone());
            Row::new([name, map, players, status, rating, address, world.text.clone()])
        });
        let columns = [
            Column::name("World"),
            Column::text("Map"),
            Column::number("Players"),
            Column::detail("Status"),
            Column::detail("Rating"),
            Column::name("Address"),
            Column::text("Text"),
        ];
        screen.table(&columns, rows.collect());
        let shown = self.worlds.len();
        let counted = Counted { shown, total: Some(self.total), what: "worlds" };
        screen.page(counted, &format!("WORLDS {shown}"), self.next.as_deref());
    }

    fn data(&self, out: &mut Vec<u8>) {
        let worlds = rows(self).map(|(world, more)| WorldRow { world, more }).collect();
        json::put(out, &WorldRows { worlds, total: self.total, next: &self.next });
    }
}
