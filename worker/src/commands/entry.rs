//! How a game server lets players in, and says who is there. Runs in a worker.

use super::{Arg, Command, Group, Parsed};
use crate::render::{Screen, Shown};
use ssmglobal_ipc::{
    Code, Failure, Kind, LoginCheck, Pass, PassGiven, PassRedeem, PassRedeemed, Present, Request, Visit,
};
use std::borrow::Cow;
use std::fmt::{Result, Write};

/// What a pass begins with.
const FRONT: &str = "pass-";

pub(super) static GROUP: Group = Group {
    title: "Letting players in",
    word: Some("PASS"),
    commands: &[
        Command {
            name: "PASS",
            summary: "Get a word that proves who you are to a game server",
            args: &[Arg::word("server", "the game server that you are going to")],
            example: "PASS arena",
            returns: "`pass` (good once, there only), `server`, `seconds`",
            codes: &[Code::NotFound, Code::Denied],
            ..Command::request(Kind::Pass, |parsed| Ok(Request::Pass(Pass { server: parsed.string("server")? })))
        },
        Command {
            name: "PASS REDEEM",
            summary: "Learn who shows this pass",
            args: &[
                Arg::secret("pass", "Pass: ", false, "as the player has shown it"),
                Arg::word("address", "where he comes from: must be where he was when he got it").optional(),
            ],
            example: "PASS REDEEM pass-k7m2-9qxf-3dpa 192.0.2.7",
            returns: "`player`, `number` (never another's)",
            codes: &[Code::NotFound, Code::Denied, Code::Invalid, Code::SlowDown],
            ..Command::request(Kind::PassRedeem, |parsed| {
                Ok(Request::PassRedeem(PassRedeem {
                    pass: parsed.secret("pass")?,
                    address: parsed.opt_string("address")?,
                }))
            })
        },
        Command {
            name: "LOGIN CHECK",
            summary: "Check a password that was typed at this game server",
            args: &[
                Arg::word("name", "the player's"),
                Arg::secret("password", "Password: ", false, "as he has typed it"),
                Arg::word("address", "where he comes from: tries are counted by that"),
            ],
            example: "LOGIN CHECK bob correct-horse 192.0.2.7",
            returns: "`player`, `number` (never another's)",
            codes: &[Code::BadLogin, Code::Denied, Code::Invalid, Code::SlowDown, Code::Busy],
            ..Command::request(Kind::LoginCheck, |parsed| {
                Ok(Request::LoginCheck(LoginCheck {
                    name: parsed.string("name")?,
                    password: parsed.secret("password")?,
                    address: parsed.string("address")?,
                }))
            })
        },
        Command {
            name: "ENTER",
            summary: "Say that a player is on this game server",
            args: &[Arg::word("player", "his name")],
            done: "Shown in WHO.",
            example: "ENTER bob",
            codes: &[Code::NotFound, Code::Denied, Code::Limit],
            ..Command::request(Kind::Enter, |parsed| Ok(Request::Enter(visit(parsed)?)))
        },
        Command {
            name: "LEAVE",
            summary: "Say that a player is not there any more",
            args: &[Arg::word("player", "his name")],
            done: "No longer shown in WHO.",
            example: "LEAVE bob",
            codes: &[Code::NotFound],
            ..Command::request(Kind::Leave, |parsed| Ok(Request::Leave(visit(parsed)?)))
        },
        Command {
            name: "PRESENT",
            summary: "Say who is on this game server, all at once",
            args: &[Arg::names("players", "with blanks between; nobody when left out").optional()],
            done: "Shown in WHO.",
            example: "PRESENT alice bob",
            codes: &[Code::NotFound, Code::Denied, Code::Limit],
            ..Command::request(Kind::Present, |parsed| {
                let names = parsed.opt_string("players")?.unwrap_or_default();
                let players = names.split_whitespace().map(str::to_owned).collect();
                Ok(Request::Present(Present { players }))
            })
        },
    ],
};

fn visit(parsed: &mut Parsed<'_>) -> std::result::Result<Visit, Failure> {
    Ok(Visit { player: parsed.string("player")? })
}

impl Shown for PassGiven {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "A pass for {}: it lets you in there once, within {} seconds.", self.server, self.seconds)
    }

    fn show(&self, screen: &mut Screen<'_>, _: Kind) {
        screen.line(self.pass.expose());
    }
}

impl Shown for PassRedeemed {
    fn say(&self, f: &mut dyn Write, asked: Kind) -> Result {
        let what = if asked == Kind::LoginCheck { "password" } else { "pass" };
        write!(f, "The {what} is {}'s.", self.player)
    }
}

/// A line that a client gets, as the log may hold it: the only secret that is ever answered with is a pass.
pub fn without_passes(line: &str) -> Cow<'_, str> {
    let Some(at) = line.find(FRONT) else { return Cow::Borrowed(line) };
    let (front, pass) = line.split_at(at);
    let rest = pass.trim_start_matches(|c: char| c == '-' || c.is_ascii_alphanumeric());
    Cow::Owned(format!("{front}{FRONT}***{}", without_passes(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pass_comes_into_the_log() {
        for (line, shown) in [
            ("nothing", "nothing"),
            ("{\"pass\": \"pass-k7m2-9qxf-3dpa\", \"seconds\": 60}", "{\"pass\": \"pass-***\", \"seconds\": 60}"),
            ("is pass-k7m2-9qxf-3dpa", "is pass-***"),
            ("pass-1 pass-k7m2-9qxf-3dpa", "pass-*** pass-***"),
            ("pass-é", "pass-***é"),
        ] {
            assert_eq!(without_passes(line), shown, "{line}");
        }
    }
}
