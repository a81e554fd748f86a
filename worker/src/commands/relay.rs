//! AUTH of game servers, and the relay between them. Runs in a worker.

use super::{Action, Arg, Command, Group, Parsed, Who};
use crate::render::{Column, Row, Screen, plural};
use serde::Serialize;
use ssmglobal_ipc::{
    Auth, Authed, Channels, Code, Failure, RelayJoin, RelayJoined, RelayLeave, RelayMessage, RelaySend, RelaySent,
    Request,
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
            who: Who::Unproved,
            example: "AUTH arena 4f3c2b1a",
            returns: "`server`",
            codes: &[Code::BadLogin, Code::Denied, Code::SlowDown],
            run: |parsed| {
                Ok(Action::Request(Request::Auth(Auth { name: parsed.string("name")?, key: parsed.secret("key")? })))
            },
            ..Command::BASE
        },
        Command {
            name: "RELAY JOIN",
            summary: "Get what is sent to a channel",
            args: &[
                Arg::word("channel", "1-64 letters, digits, `_-.`"),
                Arg::int("since", 0, u64::MAX, "the last number seen: what came after it is sent first").optional(),
            ],
            who: Who::Server,
            example: "RELAY JOIN lobby 41",
            returns: "`channel`, `number` (the newest), `missed` (asked for and gone), `waiting` (sent next)",
            codes: &[Code::Invalid, Code::Limit],
            run: |parsed| {
                Ok(Action::Request(Request::RelayJoin(RelayJoin {
                    channel: parsed.string("channel")?,
                    since: parsed.opt_number("since")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "RELAY LEAVE",
            summary: "Get it no longer",
            args: &[Arg::word("channel", "which")],
            who: Who::Server,
            done: "Channel left.",
            example: "RELAY LEAVE lobby",
            codes: &[Code::NotFound],
            run: |parsed| Ok(Action::Request(Request::RelayLeave(RelayLeave { channel: parsed.string("channel")? }))),
            ..Command::BASE
        },
        Command {
            name: "RELAY SEND",
            summary: "Send to all on a channel, or to one game server",
            args: &[
                Arg::text("body", "up to 16 KiB; in words quoted"),
                Arg::word("channel", "a channel").optional(),
                Arg::word("to", "or a game server that is connected").optional().keyword("TO"),
            ],
            who: Who::Server,
            example: "RELAY SEND \"round over\" lobby",
            returns: "`channel`, `to`, `number`, `receivers`",
            codes: &[Code::NotFound, Code::TooLong, Code::Invalid, Code::Limit, Code::Busy],
            run: send,
            ..Command::BASE
        },
        Command {
            name: "RELAY CHANNELS",
            summary: "List the channels",
            args: &[Arg::limit(), Arg::word("after", "`next` of the page before").optional()],
            who: Who::Server,
            example: "RELAY CHANNELS",
            returns: "`channels` (each with `channel`, `number`, `servers`), `next`",
            run: |parsed| Ok(Action::Request(Request::RelayChannels(parsed.page()?))),
            ..Command::BASE
        },
    ],
};

fn send(parsed: &mut Parsed<'_>) -> std::result::Result<Action, Failure> {
    let send = RelaySend {
        body: parsed.string("body")?,
        channel: parsed.opt_string("channel")?,
        to: parsed.opt_string("to")?,
    };
    if send.channel.is_some() == send.to.is_some() {
        return Err(parsed.command.usage_failure(Some("One of channel and to must be given, and not both.")));
    }
    Ok(Action::Request(Request::RelaySend(send)))
}

/// [`RelayJoined`] without what only the worker needs.
#[derive(Serialize)]
pub(crate) struct Joined<'a> {
    channel: &'a str,
    number: u64,
    missed: u64,
    waiting: u64,
}

impl<'a> From<&'a RelayJoined> for Joined<'a> {
    fn from(reply: &'a RelayJoined) -> Joined<'a> {
        Joined { channel: &reply.channel, number: reply.number, missed: reply.missed, waiting: reply.waiting }
    }
}

pub(crate) fn say_authed(f: &mut dyn Write, reply: &Authed) -> Result {
    write!(f, "You are {}.", reply.server)
}

pub(crate) fn say_joined(f: &mut dyn Write, reply: &RelayJoined) -> Result {
    write!(f, "Joined {} at number {}", reply.channel, reply.number)?;
    if reply.waiting > 0 {
        write!(f, ", {} to come", plural(reply.waiting, "message"))?;
    }
    if reply.missed > 0 {
        write!(f, ", {} gone", plural(reply.missed, "message"))?;
    }
    f.write_char('.')
}

pub(crate) fn say_sent(f: &mut dyn Write, reply: &RelaySent) -> Result {
    match (&reply.channel, &reply.to) {
        (_, Some(to)) => write!(f, "Sent to {to}."),
        (Some(channel), None) => {
            write!(f, "Message {} sent to {} on {channel}.", reply.number, plural(reply.receivers, "server"))
        }
        (None, None) => write!(f, "Sent to {}.", plural(reply.receivers, "server")),
    }
}

pub(crate) fn say_channels(f: &mut dyn Write, reply: &Channels) -> Result {
    match reply.channels.len() {
        0 => f.write_str("There are no channels."),
        count => write!(f, "{}.", plural(count, "channel")),
    }
}

pub(crate) fn say_message(f: &mut dyn Write, event: &RelayMessage) -> Result {
    match &event.channel {
        Some(channel) => write!(f, "{channel} {} {}: {}", event.number, event.from, event.body),
        None => write!(f, "{}: {}", event.from, event.body),
    }
}

pub(crate) fn show_channels(screen: &mut Screen<'_>, reply: &Channels) {
    let rows = reply
        .channels
        .iter()
        .map(|row| Row::new([row.channel.clone(), row.number.to_string(), row.servers.to_string()]));
    let columns = [Column::left("Channel"), Column::right("Number").fixed(), Column::right("Servers").fixed()];
    screen.table(&columns, rows.collect());
    if let Some(next) = &reply.next {
        screen.more(format_args!("RELAY CHANNELS {} {next}", reply.channels.len()));
    }
}
