//! Players: registering, logging in, who is on. Runs in a worker.

use super::properties::show_properties;
use super::{Arg, Command, Group};
use crate::render::{Clock, Column, Counted, Row, Screen, Shown, idle, plural};
use serde::Serialize;
use ssmglobal_ipc::{
    Code, Finger, FingerProperty, FingerRecord, Fingered, Kind, LoggedIn, Login, Party, Password, Register, Request,
    Time, Visiting, VisitorName, Who, Whoami, json,
};
use std::fmt::{Result, Write};

const NAME: &str = "2-20 letters, digits, `_-.`";

pub(super) static GROUP: Group = Group {
    title: "Players",
    word: None,
    commands: &[
        Command {
            name: "REGISTER",
            summary: "Become a player; you are logged in then",
            args: &[
                Arg::word("name", NAME),
                Arg::secret("password", "Password: ", true, "a person who leaves it out is asked, without echo"),
                Arg::word("email", "for the operator, shown to nobody else").optional(),
            ],
            example: "REGISTER alice correct-horse alice@example.org",
            returns: "`player`, `unread`, `last_login`, `mailbox_full`",
            codes: &[Code::Exists, Code::Invalid, Code::TooLong, Code::Denied, Code::SlowDown, Code::Busy],
            ..Command::request(Kind::Register, |parsed| {
                Ok(Request::Register(Register {
                    name: parsed.string("name")?,
                    password: parsed.secret("password")?,
                    email: parsed.opt_string("email")?,
                }))
            })
        },
        Command {
            name: "LOGIN",
            summary: "Log in",
            args: &[
                Arg::word("name", "your player's name, in any case"),
                Arg::secret("password", "Password: ", false, "a person who leaves it out is asked, without echo"),
            ],
            example: "LOGIN alice correct-horse",
            returns: "`player`, `unread`, `last_login`, `mailbox_full`",
            codes: &[Code::BadLogin, Code::Denied, Code::SlowDown],
            ..Command::request(Kind::Login, |parsed| {
                Ok(Request::Login(Login { name: parsed.string("name")?, password: parsed.secret("password")? }))
            })
        },
        Command {
            name: "VISITOR",
            summary: "Be on under a name without registering",
            args: &[Arg::word("name", "as a player's, and free of players, game servers and other visitors")],
            example: "VISITOR bob",
            returns: "`visitor`, as others write it: visitor:bob",
            codes: &[Code::Exists, Code::Invalid, Code::NoVisitors, Code::Busy, Code::AlreadyOn, Code::SlowDown],
            ..Command::request(Kind::Visitor, |parsed| {
                Ok(Request::Visitor(VisitorName { name: parsed.string("name")? }))
            })
        },
        Command {
            name: "LOGOUT",
            summary: "Log out and stay connected",
            done: "Logged out.",
            example: "LOGOUT",
            codes: &[Code::NotLoggedIn],
            ..Command::request(Kind::Logout, |_| Ok(Request::Logout))
        },
        Command {
            name: "PASSWORD",
            summary: "Change your password; logs out elsewhere",
            args: &[
                Arg::secret(
                    "old",
                    "Old password: ",
                    false,
                    "the present one; a person who leaves it out is asked, without echo",
                ),
                Arg::secret("new", "New password: ", true, "the one from now on; asked for in the same way"),
            ],
            done: "Password changed. Other connections of yours were logged out.",
            example: "PASSWORD correct-horse battery-staple",
            codes: &[Code::BadLogin, Code::Invalid, Code::TooLong, Code::SlowDown],
            ..Command::request(Kind::Password, |parsed| {
                Ok(Request::Password(Password { old: parsed.secret("old")?, new: parsed.secret("new")? }))
            })
        },
        Command {
            name: "WHOAMI",
            summary: "Show who you are here",
            example: "WHOAMI",
            returns: "`session`, `player`, `server`, `address`, `mode`, `since`, `unread`, `mailbox_full`, `rating` (up to which worlds let \
                      him in, as RATING has set it; null is any)",
            ..Command::request(Kind::Whoami, |_| Ok(Request::Whoami))
        },
        Command {
            name: "WHO",
            summary: "List who is on",
            args: Arg::PAGE,
            example: "WHO 20",
            returns: "`players` (each with `player` (of a visitor visitor:NAME), `where`, `idle` in seconds, `since`), `total`, \
                      `next`. Where: terminal, client, or \"on arena\" as that game server says",
            codes: &[Code::Denied],
            ..Command::request(Kind::Who, |parsed| Ok(Request::Who(parsed.page()?)))
        },
        Command {
            name: "FINGER",
            summary: "Look a player up",
            args: &[Arg::word("player", "whom")],
            example: "FINGER bob",
            returns: "`player`, `registered` (of a visitor null), `last_login`, `online`, `idle` in seconds, `records` (each with `board`, \
                      `score`, `unit`, `rank`), `worlds` (the game servers that he is on), `properties` (those that are shown \
                      here, the first 16 KiB of them, each with `name` and `value` or `base64`; PROPERTY GET has all)",
            codes: &[Code::NotFound],
            ..Command::request(Kind::Finger, |parsed| Ok(Request::Finger(Finger { player: parsed.string("player")? })))
        },
    ],
};

impl Shown for LoggedIn {
    fn say(&self, f: &mut dyn Write, asked: Kind) -> Result {
        self.say_by(f, asked, &Clock::default())
    }

    fn say_by(&self, f: &mut dyn Write, asked: Kind, clock: &Clock) -> Result {
        if asked == Kind::Register {
            return write!(f, "Welcome, {}. You are registered and logged in.", self.player);
        }
        write!(f, "Logged in as {}.", self.player)?;
        if let Some(last) = self.last_login {
            write!(f, " Last login: {}.", clock.moment(last))?;
        }
        match self.unread {
            0 => Ok(()),
            unread => write!(f, " You have {}.", plural(unread, "unread mail")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if self.unread > 0 {
            screen.hint("MAIL LIST shows them.");
        }
        show_full(self.mailbox_full, screen);
    }
}

/// Whose mailbox is full misses mails, and cannot know it from those that are there.
fn show_full(full: bool, screen: &mut Screen) {
    if full {
        screen.line("Your mailbox is full, further mail is refused: MAIL DELETE makes room.");
    }
}

impl Shown for Visiting {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "You are {}, a visitor, until you close this connection.", self.visitor.for_people())
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        screen.hint("REGISTER makes you a player, under any free name.");
    }
}

impl Shown for Whoami {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match (&self.player, &self.server) {
            (Some(player), _) => match Party::parse(player) {
                who @ Party::Visitor(_) => write!(f, "You are {}, a visitor, from {}.", who.for_people(), self.address),
                who => write!(f, "You are {who}, from {}.", self.address),
            },
            (None, Some(server)) => write!(f, "You are {}, from {}.", Party::Server(server.clone()), self.address),
            (None, None) => write!(f, "You are not logged in, from {}.", self.address),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        let since = screen.moment(self.since);
        screen.line(format!("Session {}, {}, since {since}.", self.session, self.mode.as_str()));
        if self.unread > 0 {
            screen.hint(format!("{}: MAIL LIST shows them.", plural(self.unread, "unread mail")));
        }
        show_full(self.mailbox_full, screen);
        if let Some(rating) = self.rating {
            screen.line(format!(
                "Worlds let you in that are rated {} at the most: RATING changes that.",
                rating.as_str()
            ));
        }
        if self.player.is_none() && self.server.is_none() {
            screen.hint("LOGIN name, or REGISTER name to become a player.");
        }
    }
}

impl Shown for Who {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.total {
            0 => f.write_str("Nobody is on."),
            1 => f.write_str("1 is on."),
            total => write!(f, "{total} are on."),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        let rows = self.players.iter().map(|row| {
            let (who, idle) = (Party::parse(&row.player).for_people(), idle(row.idle));
            Row::new([who, row.place.clone(), idle, screen.minute(row.since)])
        });
        let columns = [Column::name("Player"), Column::name("Where"), Column::number("Idle"), Column::detail("Since")];
        screen.table(&columns, rows.collect());
        // Who is on several times has several rows, one behind the other, and is one.
        let others = self
            .players
            .windows(2)
            .filter(|two| two.first().map(|row| &row.player) != two.last().map(|row| &row.player));
        let shown = others.count() + usize::from(!self.players.is_empty());
        let counted = Counted { shown, total: Some(self.total), what: "who are on" };
        screen.page(counted, &format!("WHO {}", self.players.len()), self.next.as_deref());
    }
}

/// What a program is told of a visitor: as of a player, but he has not registered.
#[derive(Serialize)]
struct VisitorData<'a> {
    player: &'a str,
    registered: Option<Time>,
    last_login: Option<Time>,
    online: bool,
    idle: Option<u64>,
    records: &'a [FingerRecord],
    worlds: &'a [String],
    properties: &'a [FingerProperty],
}

impl Shown for Fingered {
    fn say(&self, f: &mut dyn Write, asked: Kind) -> Result {
        self.say_by(f, asked, &Clock::default())
    }

    fn say_by(&self, f: &mut dyn Write, _: Kind, clock: &Clock) -> Result {
        let (who, whereabouts) = (Party::parse(&self.player), whereabouts(self, clock));
        match &who {
            Party::Visitor(_) => write!(f, "{} is a visitor, {whereabouts}.", who.for_people()),
            _ => write!(f, "{who} is {whereabouts}, registered {}.", clock.minute(self.registered)),
        }
    }

    fn data(&self, out: &mut Vec<u8>) {
        let Party::Visitor(_) = Party::parse(&self.player) else { return json::put(out, self) };
        let Fingered { player, registered: _, last_login, online, idle, records, worlds, properties } = self;
        let (registered, last_login, online, idle) = (None, *last_login, *online, *idle);
        json::put(out, &VisitorData { player, registered, last_login, online, idle, records, worlds, properties });
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if matches!(Party::parse(&self.player), Party::Visitor(_)) {
            screen.hint(format!("TELL {} says hello.", self.player));
            return;
        }
        show_properties(screen, &self.properties);
        if self.records.is_empty() {
            screen.hint(format!("No records yet. TELL {0} or MAIL SEND {0} says hello.", self.player));
            return;
        }
        let rows = self
            .records
            .iter()
            .map(|row| Row::new([row.rank.to_string(), row.board.clone(), row.score.to_string(), row.unit.clone()]));
        let columns = [Column::number("Rank"), Column::name("Board"), Column::number("Score"), Column::text("Unit")];
        screen.table(&columns, rows.collect());
    }
}

fn whereabouts(reply: &Fingered, clock: &Clock) -> String {
    let worlds = reply.worlds.join(" and ");
    match (reply.online, reply.idle, reply.last_login) {
        _ if !reply.worlds.is_empty() => format!("on {worlds}"),
        (true, Some(seconds), _) if seconds >= 60 => format!("on, idle {}", idle(seconds)),
        (true, ..) => "on".to_owned(),
        (false, _, Some(last)) => format!("not on, last seen {}", clock.minute(last)),
        (false, ..) => "not on".to_owned(),
    }
}
