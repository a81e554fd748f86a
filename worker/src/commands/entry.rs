//! How a game server lets players in, and says who is there. Runs in a worker.

use super::{Arg, Command, Group, Parsed};
use crate::render::{Pushed, Screen, Shown, said};
use serde::Serialize;
use ssmglobal_ipc::{
    Code, Event, Failure, ForGuest, ForGuests, GuestClosed, GuestOut, GuestRegistered, GuestRights, Kind, LoginCheck,
    Party, Pass, PassGiven, PassRedeem, PassRedeemed, Present, Rating, RatingLimit, Request, Visit, WorldEnter,
    WorldEntered, json,
};
use std::fmt::{Result, Write};

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
                Arg::word("world", "the world that he came to, where there are several").optional().keyword("WORLD"),
            ],
            example: "PASS REDEEM pass-k7m2-9qxf-3dpa 192.0.2.7",
            returns: WHO_HE_IS,
            codes: &[
                Code::NotFound,
                Code::Used,
                Code::Expired,
                Code::OtherPlace,
                Code::OtherAddress,
                Code::Denied,
                Code::Invalid,
                Code::SlowDown,
            ],
            ..Command::request(Kind::PassRedeem, |parsed| {
                Ok(Request::PassRedeem(PassRedeem {
                    pass: parsed.secret("pass")?,
                    address: parsed.opt_string("address")?,
                    world: parsed.opt_string("world")?,
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
            returns: WHO_HE_IS,
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
            args: &[Arg::word("player", "his name, or the pass that he has shown"), IN_WORLD],
            done: "Shown in WHO.",
            example: "ENTER bob",
            codes: &[Code::NotFound, Code::Denied, Code::Limit],
            ..Command::request(Kind::Enter, |parsed| Ok(Request::Enter(visit(parsed)?)))
        },
        Command {
            name: "LEAVE",
            summary: "Say that a player is not there any more",
            args: &[Arg::word("player", "his name, or the pass that he has shown"), IN_WORLD],
            done: "No longer shown in WHO.",
            example: "LEAVE bob",
            codes: &[Code::NotFound],
            ..Command::request(Kind::Leave, |parsed| Ok(Request::Leave(visit(parsed)?)))
        },
        Command {
            name: "PRESENT",
            summary: "Say who is on this game server, all at once",
            args: &[Arg::names("players", "with blanks between; nobody when left out").optional(), IN_WORLD],
            done: "Shown in WHO.",
            example: "PRESENT alice bob",
            codes: &[Code::NotFound, Code::Denied, Code::Limit],
            ..Command::request(Kind::Present, |parsed| {
                let names = parsed.opt_string("players")?.unwrap_or_default();
                let players = names.split_whitespace().map(str::to_owned).collect();
                Ok(Request::Present(Present { players, world: parsed.opt_string("world")? }))
            })
        },
        Command {
            name: "RATING",
            summary: "Say up to which rating worlds let you in",
            args: &[Arg::word("rating", "G, PG, PG13, R or X; any when left out").optional()],
            done: "Worlds beyond that do not let you in. WHOAMI shows it.",
            done_for: |request| match request {
                Request::RatingLimit(RatingLimit { rating: None }) => Some("Worlds of any rating let you in now."),
                _ => None,
            },
            example: "RATING PG13",
            codes: &[Code::Invalid],
            ..Command::request(Kind::RatingLimit, |parsed| {
                Ok(Request::RatingLimit(RatingLimit { rating: rating(parsed)? }))
            })
        },
    ],
};

/// What a game server learns.
const WHO_HE_IS: &str = "`player`, `number` (never another's), `kind` (player, visitor, bot), `rights`, `world` (null where \
                         it was for a game server), `language`, `charset`, `since` (when he came on; null where he is not)";

const IN_WORLD: Arg =
    Arg::word("world", "the world that he is in; left out, the game server itself").optional().keyword("WORLD");

/// The way into a world; it stands with what else there is to say of worlds.
pub(super) const WORLD_ENTER: Command = Command {
    name: "WORLD ENTER",
    summary: "Be let into a world: where it is, and a pass",
    args: &[
        Arg::word("world", "its name, in any case; left out, the start world").optional(),
        Arg::word("version", "of the program that is to go there, as 4 or 4.2").optional().keyword("VERSION"),
        Arg::word("language", "what you speak, for the world").optional().keyword("LANGUAGE"),
        Arg::word("charset", "in which letters").optional().keyword("CHARSET"),
    ],
    example: "WORLD ENTER atlantis VERSION 4.2 LANGUAGE en",
    returns: "`world`, `number`, `address`, `port`, `pass` (good once, there only), `seconds`",
    codes: &[
        Code::NotFound,
        Code::NotRunning,
        Code::NoVisitors,
        Code::TooOld,
        Code::Full,
        Code::Rated,
        Code::Invalid,
        Code::TooLong,
        Code::Busy,
    ],
    ..Command::request(Kind::WorldEnter, |parsed| {
        Ok(Request::WorldEnter(WorldEnter {
            world: parsed.opt_string("world")?.unwrap_or_default(),
            version: parsed.opt_parsed("version")?,
            language: parsed.opt_string("language")?,
            charset: parsed.opt_string("charset")?,
        }))
    })
};

/// An optional rating, by its word.
pub(super) fn rating(parsed: &mut Parsed<'_>) -> std::result::Result<Option<Rating>, Failure> {
    let word = parsed.opt_string("rating")?;
    let unknown = || Failure::new(Code::Invalid, "A rating is G, PG, PG13, R or X.");
    word.map(|word| Rating::parse(&word).ok_or_else(unknown)).transpose()
}

fn visit(parsed: &mut Parsed<'_>) -> std::result::Result<Visit, Failure> {
    Ok(Visit { player: parsed.string("player")?, world: parsed.opt_string("world")? })
}

impl Shown for PassGiven {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "A pass for {}: it lets you in there once, within {} seconds.", self.server, self.seconds)
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        screen.line(self.pass.expose());
    }
}

impl Shown for WorldEntered {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        let WorldEntered { world, address, port, seconds, .. } = self;
        let (open, close) = if address.contains(':') { ("[", "]") } else { ("", "") };
        write!(
            f,
            "{world} is at {open}{address}{close}:{port}; the pass lets you in there once, within {seconds} seconds."
        )
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        screen.line(self.pass.expose());
    }
}

impl Pushed for GuestClosed {
    fn say(&self, f: &mut dyn Write) -> Result {
        write!(f, "{} has closed his last connection; he is in {}.", self.player, self.world)
    }
}

/// What is for guests, in words.
fn say_for(to: &[Party], event: &Event, f: &mut dyn Write) -> Result {
    let (mut inner, to) = (String::new(), to.iter().map(Party::for_people));
    said(event, &mut inner)?;
    write!(f, "for {}: {inner}", to.collect::<Vec<_>>().join(", "))
}

/// As for the guest himself, with whom it is for and where he is.
fn put_for(to: &impl Serialize, world: &Option<String>, event: &Event, name: &str, out: &mut Vec<u8>) {
    let mut inner = Vec::new();
    crate::render::pushed_line(event, &mut inner);
    out.extend_from_slice(b"{\"event\": ");
    json::put(out, name);
    out.extend_from_slice(b", \"to\": ");
    json::put(out, to);
    out.extend_from_slice(b", \"world\": ");
    json::put(out, world);
    // What stands behind the name of the event.
    let rest = inner.iter().position(|byte| *byte == b',').and_then(|at| inner.get(at..));
    out.extend_from_slice(rest.unwrap_or(b"}"));
}

impl Pushed for ForGuest {
    fn say(&self, f: &mut dyn Write) -> Result {
        say_for(std::slice::from_ref(&self.to), &self.event, f)
    }

    fn line(&self, name: &str, out: &mut Vec<u8>) {
        put_for(&self.to, &self.world, &self.event, name, out);
    }
}

impl Pushed for ForGuests {
    fn say(&self, f: &mut dyn Write) -> Result {
        say_for(&self.to, &self.event, f)
    }

    fn line(&self, name: &str, out: &mut Vec<u8>) {
        put_for(&self.to, &self.world, &self.event, name, out);
    }
}

impl Pushed for GuestOut {
    fn say(&self, f: &mut dyn Write) -> Result {
        match &self.world {
            Some(world) => write!(f, "{} may not be in {world} any more: {}", self.player.for_people(), self.msg),
            None => write!(f, "{} may not be here any more: {}", self.player.for_people(), self.msg),
        }
    }
}

impl Pushed for GuestRegistered {
    fn say(&self, f: &mut dyn Write) -> Result {
        write!(f, "{} has registered as {}, and stays.", self.visitor.for_people(), self.player)
    }
}

impl Pushed for GuestRights {
    fn say(&self, f: &mut dyn Write) -> Result {
        match self.rights.is_empty() {
            true => write!(f, "{} has no rights any more beyond those of every player.", self.player),
            false => write!(f, "{} has these rights now: {}.", self.player, self.rights.join(", ")),
        }
    }
}

impl Shown for PassRedeemed {
    fn say(&self, f: &mut dyn Write, asked: Kind) -> Result {
        let what = if asked == Kind::LoginCheck { "password" } else { "pass" };
        write!(f, "The {what} is {}'s.", self.player)
    }
}
