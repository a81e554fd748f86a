//! Rights of players, for operators. Runs in a worker.

use super::{Arg, Command, Group, Parsed};
use crate::render::{Pushed, Shown};
use ssmglobal_ipc::{Code, Failure, Kind, Request, RightOf, Rights, RightsOf};
use std::fmt::{Result, Write};

const PLAYER: Arg = Arg::word("player", "his name, in any case");

pub(super) static GROUP: Group = Group {
    title: "Rights",
    word: Some("RIGHT"),
    commands: &[
        Command {
            name: "RIGHT LIST",
            summary: "Show rights",
            args: &[Arg::word("player", "whose, for operators; yours when left out").optional()],
            example: "RIGHT LIST",
            returns: "`player`, `rights`",
            codes: &[Code::NotFound, Code::Denied],
            ..Command::request(Kind::RightList, |parsed| {
                Ok(Request::RightList(RightsOf { player: parsed.opt_string("player")? }))
            })
        },
        Command {
            name: "RIGHT GRANT",
            summary: "Let a player do more than others",
            args: &[
                PLAYER,
                Arg::word(
                    "right",
                    "build, broadcast, property, moderate, operator, vip, guest-of-honour, or a game's own as game.admin",
                ),
            ],
            done: "Granted, and in force.",
            example: "RIGHT GRANT bob vip",
            codes: &[Code::NotFound, Code::Denied, Code::Invalid, Code::Limit],
            ..Command::request(Kind::RightGrant, |parsed| Ok(Request::RightGrant(right(parsed)?)))
        },
        Command {
            name: "RIGHT REVOKE",
            summary: "Let him do that no longer",
            args: &[PLAYER, Arg::word("right", "which")],
            done: "Revoked, and over.",
            example: "RIGHT REVOKE bob vip",
            codes: &[Code::NotFound, Code::Denied],
            ..Command::request(Kind::RightRevoke, |parsed| Ok(Request::RightRevoke(right(parsed)?)))
        },
    ],
};

fn right(parsed: &mut Parsed<'_>) -> std::result::Result<RightOf, Failure> {
    Ok(RightOf { player: parsed.string("player")?, right: parsed.string("right")? })
}

impl Pushed for Rights {
    fn say(&self, f: &mut dyn Write) -> Result {
        match self.rights.is_empty() {
            true => f.write_str("You have no rights any more beyond those of every player."),
            false => write!(f, "You have these rights now: {}.", self.rights.join(", ")),
        }
    }
}

impl Shown for Rights {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.rights.is_empty() {
            true => write!(f, "{} has no rights beyond those of every player.", self.player),
            false => write!(f, "{} has {}.", self.player, self.rights.join(", ")),
        }
    }
}
