//! AUTH of game servers, and the relay between them. Runs in a worker.

use super::{Arg, Command, Group, Parsed};
use crate::render::{Column, Counted, Json, Pushed, Row, Screen, Shown, plural};
use serde::Serialize;
use ssmglobal_ipc::{
    Auth, Authed, Channels, Code, Failure, Kind, RelayJoin, RelayJoined, RelayLeave, RelayMessage, RelaySend,
    RelaySent, Request, json,
};
use std::fmt::{Result, Write};

pub(super) static GROUP: Group = Group {
    title: "Game servers",
    word: Some("RELAY"),
    commands: &[
        Command {
            name: "AUTH",
            summary: "Prove which game server this is",
            args: &[
                Arg::word("name", "as the operator added it"),
                Arg::secret("key", "Key: ", false, "as the operator was shown it"),
            ],
            example: "AUTH arena 4f3c2b1a",
            returns: "`server`",
            codes: &[Code::BadLogin, Code::Denied, Code::SlowDown],
            ..Command::request(Kind::Auth, |parsed| {
                Ok(Request::Auth(Auth { name: parsed.string("name")?, key: parsed.secret("key")? }))
            })
        },
        Command {
            name: "RELAY JOIN",
            summary: "Get what is sent to a channel",
            args: &[
                Arg::word("channel", "1-64 letters, digits, `_-.`"),
                Arg::int("since", 0, u64::MAX, "the last number seen: what came after it is sent first").optional(),
                Arg::int("epoch", 0, u64::MAX, "the epoch in which it was seen; the present one when left out")
                    .optional()
                    .keyword("EPOCH"),
            ],
            example: "RELAY JOIN lobby 41 EPOCH 1769890500000",
            returns: "`channel`, `epoch`, `number` (the newest), `missed` (asked for and gone; null where nobody knows), \
                      `waiting` (sent next)",
            codes: &[Code::Invalid, Code::Limit],
            ..Command::request(Kind::RelayJoin, join)
        },
        Command {
            name: "RELAY LEAVE",
            summary: "Get it no longer",
            args: &[Arg::word("channel", "which")],
            done: "Channel left.",
            example: "RELAY LEAVE lobby",
            codes: &[Code::NotFound],
            ..Command::request(Kind::RelayLeave, |parsed| {
                Ok(Request::RelayLeave(RelayLeave { channel: parsed.string("channel")? }))
            })
        },
        Command {
            name: "RELAY SEND",
            summary: "Send to all on a channel, or to one game server",
            args: &[
                Arg::text("body", "up to 16 KiB"),
                Arg::word("channel", "a channel").optional().keyword("CHANNEL"),
                Arg::word("to", "or a game server that is connected").optional().keyword("TO"),
            ],
            example: "RELAY SEND CHANNEL lobby round over",
            returns: "`channel`, `to`, `number`, `receivers`",
            codes: &[Code::NotFound, Code::TooLong, Code::Invalid, Code::Limit, Code::Busy],
            ..Command::request(Kind::RelaySend, send)
        },
        Command {
            name: "RELAY CHANNELS",
            summary: "List the channels",
            args: Arg::PAGE,
            example: "RELAY CHANNELS",
            returns: "`channels` (each with `channel`, `number`, `servers`), `total`, `next`",
            ..Command::request(Kind::RelayChannels, |parsed| Ok(Request::RelayChannels(parsed.page()?)))
        },
    ],
};

fn join(parsed: &mut Parsed<'_>) -> std::result::Result<Request, Failure> {
    let join = RelayJoin {
        channel: parsed.string("channel")?,
        since: parsed.opt_number("since")?,
        epoch: parsed.opt_number("epoch")?,
    };
    if join.epoch.is_some() && join.since.is_none() {
        return Err(parsed.usage_failure("An epoch says where since was seen: give since too."));
    }
    Ok(Request::RelayJoin(join))
}

fn send(parsed: &mut Parsed<'_>) -> std::result::Result<Request, Failure> {
    let send = RelaySend {
        body: parsed.string("body")?,
        channel: parsed.opt_string("channel")?,
        to: parsed.opt_string("to")?,
    };
    if send.channel.is_some() == send.to.is_some() {
        return Err(parsed.usage_failure("One of channel and to must be given, and not both."));
    }
    Ok(Request::RelaySend(send))
}

impl Shown for Authed {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "You are {}.", self.server)
    }
}

impl Shown for RelayJoined {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "Joined {} at number {}", self.channel, self.number)?;
        if self.waiting > 0 {
            write!(f, ", {} to come", plural(self.waiting, "message"))?;
        }
        match self.missed() {
            None => f.write_str(". How many are gone is not known: your number is of another epoch"),
            Some(0) => Ok(()),
            Some(missed) => write!(f, ", {} gone", plural(missed, "message")),
        }?;
        f.write_char('.')
    }

    /// Without what only the worker needs.
    fn data(&self, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Joined<'a> {
            channel: &'a str,
            epoch: u64,
            number: u64,
            missed: Option<u64>,
            waiting: u64,
        }

        let RelayJoined { channel, epoch, number, waiting, .. } = self;
        Joined { channel, epoch: *epoch, number: *number, missed: self.missed(), waiting: *waiting }.put(out);
    }
}

impl Shown for RelaySent {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match (&self.channel, &self.to) {
            (_, Some(to)) => write!(f, "Sent to {to}."),
            (Some(channel), None) => {
                write!(f, "Message {} sent to {} on {channel}.", self.number, plural(self.receivers, "server"))
            }
            (None, None) => write!(f, "Sent to {}.", plural(self.receivers, "server")),
        }
    }
}

impl Shown for Channels {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.channels.len() {
            0 => f.write_str("There are no channels."),
            count => write!(f, "{}.", plural(count, "channel")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        let rows = self
            .channels
            .iter()
            .map(|row| Row::new([row.channel.clone(), row.number.to_string(), row.servers.to_string()]));
        let columns = [Column::name("Channel"), Column::number("Number"), Column::number("Servers")];
        screen.table(&columns, rows.collect());
        let shown = self.channels.len();
        let counted = Counted { shown, total: self.total, what: "channels" };
        screen.page(counted, &format!("RELAY CHANNELS {shown}"), self.next.as_deref());
    }
}

impl Pushed for RelayMessage {
    /// It is for one server: those on channels come by a ring, with their epoch.
    fn line(&self, _: &str, out: &mut Vec<u8>) {
        json::put_relay(out, self, None);
    }

    fn say(&self, f: &mut dyn Write) -> Result {
        match &self.channel {
            Some(channel) => write!(f, "{channel} {} {}: {}", self.number, self.from, self.body),
            None => write!(f, "{}: {}", self.from, self.body),
        }
    }
}
