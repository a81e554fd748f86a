//! How long players may be on, for operators. Runs in a worker.

use super::{Arg, Command, Group};
use ssmglobal_ipc::{Code, Kind, PlayerLimit, Request};

pub(super) static GROUP: Group = Group {
    title: "Looking after players",
    word: Some("PLAYER"),
    commands: &[Command {
        name: "PLAYER LIMIT",
        summary: "Say how long one login of a player may last",
        args: &[
            Arg::word("player", "his name, in any case"),
            Arg::int("minutes", 1, 10_080, "1-10080, from the login on; left out, there is no bound").optional(),
        ],
        done: "Set; it holds at once, also for who is on.",
        example: "PLAYER LIMIT bob 90",
        codes: &[Code::NotFound, Code::Denied, Code::Invalid],
        ..Command::request(Kind::PlayerLimit, |parsed| {
            let (player, minutes) = (parsed.string("player")?, parsed.opt_number("minutes")?);
            Ok(Request::PlayerLimit(PlayerLimit { player, minutes }))
        })
    }],
};
