//! Players: registering, logging in, who is on. Runs in a worker.

use super::{Action, Arg, Command, Group, Who};
use crate::render::{Column, Row, Screen, idle, minute, plural};
use ssmglobal_ipc::{
    Code, Finger, Fingered, LoggedIn, Login, Page, Party, Password, Register, Request, Who as On, Whoami,
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
            who: Who::Person,
            example: "REGISTER alice correct-horse alice@example.org",
            returns: "`player`, `unread`, `last_login`",
            codes: &[Code::Exists, Code::Invalid, Code::TooLong, Code::Denied, Code::Busy],
            run: |parsed| {
                Ok(Action::Request(Request::Register(Register {
                    name: parsed.string("name")?,
                    password: parsed.secret("password")?,
                    email: parsed.opt_string("email")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "LOGIN",
            summary: "Log in",
            args: &[
                Arg::word("name", "your player's name, in any case"),
                Arg::secret("password", "Password: ", false, "a person who leaves it out is asked, without echo"),
            ],
            who: Who::Person,
            example: "LOGIN alice correct-horse",
            returns: "`player`, `unread`, `last_login`",
            codes: &[Code::BadLogin, Code::Denied, Code::SlowDown],
            run: |parsed| {
                Ok(Action::Request(Request::Login(Login {
                    name: parsed.string("name")?,
                    password: parsed.secret("password")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "LOGOUT",
            summary: "Log out and stay connected",
            who: Who::Player,
            done: "Logged out.",
            example: "LOGOUT",
            run: |_| Ok(Action::Request(Request::Logout)),
            ..Command::BASE
        },
        Command {
            name: "PASSWORD",
            summary: "Change your password",
            args: &[
                Arg::secret(
                    "old",
                    "Old password: ",
                    false,
                    "the present one; a person who leaves it out is asked, without echo",
                ),
                Arg::secret("new", "New password: ", true, "the one from now on; asked for in the same way"),
            ],
            who: Who::Player,
            done: "Password changed.",
            example: "PASSWORD correct-horse battery-staple",
            codes: &[Code::BadLogin, Code::Invalid, Code::TooLong, Code::SlowDown],
            run: |parsed| {
                Ok(Action::Request(Request::Password(Password {
                    old: parsed.secret("old")?,
                    new: parsed.secret("new")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "WHOAMI",
            summary: "Show who you are here",
            example: "WHOAMI",
            returns: "`session`, `player`, `server`, `address`, `mode`, `since`, `unread`",
            run: |_| Ok(Action::Request(Request::Whoami)),
            ..Command::BASE
        },
        Command {
            name: "WHO",
            summary: "List the players who are on",
            args: &[Arg::limit(), Arg::word("after", "`next` of the page before").optional()],
            example: "WHO 20",
            returns: "`players` (each with `player`, `where`, `idle` in seconds, `since`), `total`, `next`",
            run: |parsed| Ok(Action::Request(Request::Who(parsed.page()?))),
            ..Command::BASE
        },
        Command {
            name: "FINGER",
            summary: "Look a player up",
            args: &[Arg::word("player", "whom")],
            example: "FINGER bob",
            returns: "`player`, `registered`, `last_login`, `online`, `idle` in seconds, `records` (each with `board`, \
                      `score`, `unit`, `rank`)",
            codes: &[Code::NotFound],
            run: |parsed| Ok(Action::Request(Request::Finger(Finger { player: parsed.string("player")? }))),
            ..Command::BASE
        },
    ],
};

impl super::Parsed<'_> {
    /// `limit` and `after`, as all lists have them.
    pub(super) fn page(&mut self) -> std::result::Result<Page, ssmglobal_ipc::Failure> {
        Ok(Page { limit: self.opt_number("limit")?, after: self.opt_string("after")? })
    }
}

pub(crate) fn say_logged_in(f: &mut dyn Write, command: Option<&Command>, reply: &LoggedIn) -> Result {
    if command.is_some_and(|command| command.name == "REGISTER") {
        return write!(f, "Welcome, {}. You are registered and logged in.", reply.player);
    }
    write!(f, "Logged in as {}.", reply.player)?;
    if let Some(last) = reply.last_login {
        write!(f, " Last login: {} UTC.", minute(last))?;
    }
    match reply.unread {
        0 => Ok(()),
        unread => write!(f, " You have {}.", plural(unread, "unread mail")),
    }
}

pub(crate) fn say_whoami(f: &mut dyn Write, reply: &Whoami) -> Result {
    match (&reply.player, &reply.server) {
        (Some(player), _) => write!(f, "You are {player}, from {}.", reply.address),
        (None, Some(server)) => write!(f, "You are {}, from {}.", Party::Server(server.clone()), reply.address),
        (None, None) => write!(f, "You are not logged in, from {}.", reply.address),
    }
}

pub(crate) fn say_who(f: &mut dyn Write, reply: &On) -> Result {
    match reply.total {
        0 => f.write_str("Nobody is on."),
        1 => f.write_str("1 player is on."),
        total => write!(f, "{total} players are on."),
    }
}

pub(crate) fn say_fingered(f: &mut dyn Write, reply: &Fingered) -> Result {
    write!(f, "{} is {}, registered {}.", reply.player, whereabouts(reply), minute(reply.registered))
}

fn whereabouts(reply: &Fingered) -> String {
    match (reply.online, reply.idle, reply.last_login) {
        (true, Some(seconds), _) if seconds >= 60 => format!("on, idle {}", idle(seconds)),
        (true, ..) => "on".to_owned(),
        (false, _, Some(last)) => format!("not on, last seen {}", minute(last)),
        (false, ..) => "not on".to_owned(),
    }
}

pub(crate) fn show_logged_in(screen: &mut Screen<'_>, reply: &LoggedIn) {
    if reply.unread > 0 {
        screen.hint("MAIL LIST shows them.");
    }
}

pub(crate) fn show_whoami(screen: &mut Screen<'_>, reply: &Whoami) {
    screen.line(format!("Session {}, {}, since {} UTC.", reply.session, reply.mode.as_str(), minute(reply.since)));
    if reply.unread > 0 {
        screen.hint(format!("{}: MAIL LIST shows them.", plural(reply.unread, "unread mail")));
    }
    if reply.player.is_none() && reply.server.is_none() {
        screen.hint("LOGIN name, or REGISTER name to become a player.");
    }
}

pub(crate) fn show_who(screen: &mut Screen<'_>, reply: &On) {
    let rows = reply.players.iter().map(|row| {
        let idle = idle(row.idle);
        Row::new([row.player.clone(), row.place.clone(), idle, minute(row.since).to_string()])
    });
    let columns = [Column::left("Player").fixed(), Column::left("Where"), Column::right("Idle"), Column::left("Since")];
    screen.table(&columns, rows.collect());
    if let Some(next) = &reply.next {
        screen.more(format_args!("WHO {} {next}", reply.players.len()));
    }
}

pub(crate) fn show_fingered(screen: &mut Screen<'_>, reply: &Fingered) {
    if reply.records.is_empty() {
        screen.hint(format!("No records yet. TELL {0} or MAIL SEND {0} says hello.", reply.player));
        return;
    }
    let rows = reply
        .records
        .iter()
        .map(|row| Row::new([row.rank.to_string(), row.board.clone(), row.score.to_string(), row.unit.clone()]));
    let columns = [Column::right("Rank"), Column::left("Board"), Column::right("Score"), Column::left("Unit")];
    screen.table(&columns, rows.collect());
}
