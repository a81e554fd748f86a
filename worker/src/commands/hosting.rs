//! How a game server hosts worlds that have a licence. Runs in a worker.

use super::entry::rating;
use super::{Arg, Command, Group};
use crate::render::{Column, Counted, Pushed, Row, Screen, Shown, plural};
use ssmglobal_ipc::{Code, HostSay, HostStart, HostStop, HostTerms, Hosted, HostedList, Kind, Request, WorldStopped};
use std::fmt::{Result, Write};

const WORLD: Arg = Arg::word("world", "its name, in any case");

pub(super) static GROUP: Group = Group {
    title: "Hosting worlds",
    word: Some("HOST"),
    commands: &[
        Command {
            name: "HOST START",
            summary: "Host a world that has a licence, from now on",
            args: &[
                WORLD,
                Arg::secret("password", "Hosting password: ", false, "its hosting password"),
                Arg::int("port", 1, 65535, "the port that clients connect to"),
                Arg::word(
                    "address",
                    "where clients connect to, a name or an address without a port; where this connection comes from \
                     when left out",
                )
                .optional()
                .keyword("AT"),
                Arg::word("instance", "by which several programs with one key are told apart, 32 bytes")
                    .optional()
                    .keyword("INSTANCE"),
                Arg::word("version", "of the program that hosts, as 4 or 4.2").optional().keyword("VERSION"),
            ],
            example: "HOST START atlantis 4k7w-hosting-password 7777 AT play.example.org",
            returns: "`terms` (`world`, `number`, `users`, `size`, `visitors`, `voice`, `plugins`, `client`, `expires`), \
                      `address`, `since`, `resumed` (it ran already and goes on as it was)",
            codes: &[
                Code::NotFound,
                Code::BadLogin,
                Code::Disabled,
                Code::Expired,
                Code::Elsewhere,
                Code::TooOld,
                Code::Limit,
                Code::SlowDown,
                Code::Invalid,
                Code::TooLong,
            ],
            ..Command::request(Kind::HostStart, |parsed| {
                Ok(Request::HostStart(HostStart {
                    world: parsed.string("world")?,
                    password: parsed.secret("password")?,
                    port: parsed.number("port")?,
                    address: parsed.opt_string("address")?,
                    instance: parsed.opt_string("instance")?,
                    version: parsed.opt_parsed("version")?,
                }))
            })
        },
        Command {
            name: "HOST SAY",
            summary: "Say how a world is; what is left out stays as it was",
            args: &[
                WORLD,
                Arg::int("users", 0, u32::MAX as u64, "how many are there").optional(),
                Arg::flag("restricted", "RESTRICTED", "PUBLIC", "whether not everybody may enter"),
                Arg::word("rating", "G, PG, PG13, R or X").optional().keyword("RATING"),
                Arg::word("map", "what is played; \"\" takes it away").optional().keyword("MAP"),
                Arg::text("text", "free text; \"\" takes it away").optional().keyword("TEXT"),
                Arg::flag(
                    "closings",
                    "CLOSINGS",
                    "NO-CLOSINGS",
                    "whether it wants to hear when somebody in it closes his last connection",
                ),
            ],
            done: "Said.",
            example: "HOST SAY atlantis 17 PUBLIC RATING PG TEXT \"The gates are open\"",
            codes: &[Code::NotFound, Code::Denied, Code::Invalid, Code::TooLong],
            ..Command::request(Kind::HostSay, |parsed| {
                Ok(Request::HostSay(HostSay {
                    world: parsed.string("world")?,
                    users: parsed.opt_number("users")?,
                    restricted: parsed.opt_flag("restricted")?,
                    rating: rating(parsed)?,
                    map: parsed.opt_text("map")?,
                    text: parsed.opt_text("text")?,
                    closings: parsed.opt_flag("closings")?,
                }))
            })
        },
        Command {
            name: "HOST STOP",
            summary: "Host a world no longer",
            args: &[WORLD],
            done: "This connection hosts it no longer.",
            example: "HOST STOP atlantis",
            codes: &[Code::NotFound],
            ..Command::request(Kind::HostStop, |parsed| {
                Ok(Request::HostStop(HostStop { world: parsed.string("world")? }))
            })
        },
        Command {
            name: "HOST LIST",
            summary: "List the worlds that this connection hosts",
            args: Arg::PAGE,
            example: "HOST LIST",
            returns: "`worlds` (each with `world`, `status`, `users`, `max`, `address`, `since`), `total`, `next`",
            ..Command::request(Kind::HostList, |parsed| Ok(Request::HostList(parsed.page()?)))
        },
    ],
};

impl Shown for Hosted {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let (world, address) = (&self.terms.world, &self.address);
        match self.resumed {
            true => write!(f, "{world} goes on as it was; clients are sent to {address}."),
            false => write!(f, "{world} is hosted here; clients are sent to {address}."),
        }
    }
}

impl Shown for HostedList {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.total {
            0 => f.write_str("This connection hosts no world."),
            total => write!(f, "This connection hosts {}.", plural(total, "world")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if self.worlds.is_empty() {
            screen.hint("HOST START name password port begins.");
            return;
        }
        let rows = self.worlds.iter().map(|world| {
            let users = format!("{}/{}", world.users, world.max);
            let (name, status) = (world.world.clone(), world.status.as_str().to_owned());
            Row::new([name, status, users, world.address.clone(), screen.minute(world.since)])
        });
        let columns = [
            Column::name("World"),
            Column::detail("Status"),
            Column::number("Users"),
            Column::name("Address"),
            Column::detail("Since"),
        ];
        screen.table(&columns, rows.collect());
        let shown = self.worlds.len();
        let counted = Counted { shown, total: Some(self.total), what: "worlds" };
        screen.page(counted, &format!("HOST LIST {shown}"), self.next.as_deref());
    }
}

impl Pushed for WorldStopped {
    fn say(&self, f: &mut dyn Write) -> Result {
        write!(f, "{}: {}", self.world, self.msg)
    }
}

impl Pushed for HostTerms {
    fn say(&self, f: &mut dyn Write) -> Result {
        let HostTerms { world, users, size, .. } = self;
        write!(f, "{world}: the licence says {users} users and size {size} from now on.")
    }
}
