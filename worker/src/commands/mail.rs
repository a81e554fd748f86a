//! Mail to registered players, and TELL to those who are on. Runs in a worker.

use super::{Action, Arg, Command, Group, Who};
use crate::render::{Column, Row, Screen, minute, plural};
use ssmglobal_ipc::{
    Blocks, Code, Mail, MailArrived, MailBlock, MailId, MailPage, MailReply, MailSend, MailSent, Party, Request, Tell,
    TellArrived, Told,
};
use std::fmt::{Result, Write};

const ID: Arg = Arg::int("id", 0, u64::MAX, "the mail's number, as the list shows it");
const BODY: Arg = Arg::text("body", "up to 4 KiB");
const AFTER: Arg = Arg::word("after", "`next` of the page before").optional();
const PAGE: &str =
    "`mails` (each with `id`, `from`, `to`, `subject`, `at`, `read`), `unread`, `total`, `limit`, `next`";

pub(super) static GROUP: Group = Group {
    title: "Mail",
    word: Some("MAIL"),
    commands: &[
        Command {
            name: "MAIL SEND",
            summary: "Send a mail to a player, on or not, anywhere",
            args: &[
                Arg::word("to", "a registered player"),
                BODY,
                Arg::text("subject", "one line; in words behind a quoted body").optional(),
            ],
            who: Who::PlayerOrServer,
            example: "MAIL SEND bob See you at eight",
            returns: "`id`, `to`",
            codes: &[Code::NotFound, Code::Limit, Code::TooLong, Code::Invalid, Code::Denied],
            run: |parsed| {
                Ok(Action::Request(Request::MailSend(MailSend {
                    to: parsed.string("to")?,
                    body: parsed.string("body")?,
                    subject: parsed.opt_string("subject")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "MAIL LIST",
            summary: "List your mails, newest first",
            args: &[Arg::limit(), AFTER],
            who: Who::Player,
            example: "MAIL LIST",
            returns: PAGE,
            run: |parsed| Ok(Action::Request(Request::MailList(parsed.page()?))),
            ..Command::BASE
        },
        Command {
            name: "MAIL READ",
            summary: "Read a mail",
            args: &[ID],
            who: Who::Player,
            example: "MAIL READ 12",
            returns: "`id`, `from`, `to`, `subject`, `body`, `at`",
            codes: &[Code::NotFound],
            run: |parsed| Ok(Action::Request(Request::MailRead(MailId { id: parsed.number("id")? }))),
            ..Command::BASE
        },
        Command {
            name: "MAIL REPLY",
            summary: "Answer a mail",
            args: &[ID, BODY],
            who: Who::Player,
            example: "MAIL REPLY 12 I will be there",
            returns: "`id`, `to`",
            codes: &[Code::NotFound, Code::Limit, Code::TooLong, Code::Invalid, Code::Denied],
            run: |parsed| {
                Ok(Action::Request(Request::MailReply(MailReply {
                    id: parsed.number("id")?,
                    body: parsed.string("body")?,
                })))
            },
            ..Command::BASE
        },
        Command {
            name: "MAIL DELETE",
            summary: "Delete a mail",
            args: &[ID],
            who: Who::Player,
            done: "Mail deleted.",
            example: "MAIL DELETE 12",
            codes: &[Code::NotFound],
            run: |parsed| Ok(Action::Request(Request::MailDelete(MailId { id: parsed.number("id")? }))),
            ..Command::BASE
        },
        Command {
            name: "MAIL SENT",
            summary: "List the mails you sent, newest first",
            args: &[Arg::limit(), AFTER],
            who: Who::Player,
            example: "MAIL SENT",
            returns: PAGE,
            run: |parsed| Ok(Action::Request(Request::MailSent(parsed.page()?))),
            ..Command::BASE
        },
        Command {
            name: "MAIL BLOCK",
            summary: "Refuse mails and tells from somebody",
            args: &[Arg::word("player", "a player, or `server:NAME`")],
            who: Who::Player,
            done: "Blocked. MAIL UNBLOCK takes it back.",
            example: "MAIL BLOCK mallory",
            codes: &[Code::NotFound, Code::Limit, Code::Invalid],
            run: |parsed| Ok(Action::Request(Request::MailBlock(block(parsed)?))),
            ..Command::BASE
        },
        Command {
            name: "MAIL UNBLOCK",
            summary: "Refuse them no longer",
            args: &[Arg::word("player", "a player, or `server:NAME`")],
            who: Who::Player,
            done: "No longer blocked.",
            example: "MAIL UNBLOCK mallory",
            codes: &[Code::NotFound],
            run: |parsed| Ok(Action::Request(Request::MailUnblock(block(parsed)?))),
            ..Command::BASE
        },
        Command {
            name: "MAIL BLOCKS",
            summary: "List whom you refuse",
            who: Who::Player,
            example: "MAIL BLOCKS",
            returns: "`players`",
            run: |_| Ok(Action::Request(Request::MailBlocks)),
            ..Command::BASE
        },
        Command {
            name: "TELL",
            summary: "Say something to a player who is on, anywhere",
            args: &[Arg::word("to", "a player who is on"), Arg::text("body", "one line")],
            who: Who::Player,
            example: "TELL bob Are you there?",
            returns: "`to`",
            codes: &[Code::NotFound, Code::TooLong, Code::Invalid, Code::Denied, Code::Busy],
            run: |parsed| {
                Ok(Action::Request(Request::Tell(Tell { to: parsed.string("to")?, body: parsed.string("body")? })))
            },
            ..Command::BASE
        },
    ],
};

fn block(parsed: &mut super::Parsed<'_>) -> std::result::Result<MailBlock, ssmglobal_ipc::Failure> {
    Ok(MailBlock { player: Party::parse(&parsed.string("player")?) })
}

pub(crate) fn say_sent(f: &mut dyn Write, reply: &MailSent) -> Result {
    write!(f, "Mail {} sent to {}.", reply.id, reply.to)
}

pub(crate) fn say_page(f: &mut dyn Write, command: Option<&Command>, reply: &MailPage) -> Result {
    if is_sent(command) {
        return match reply.total {
            0 => f.write_str("You have sent no mail."),
            total => write!(f, "{} sent.", plural(total, "mail")),
        };
    }
    match reply.total {
        0 => f.write_str("You have no mail."),
        total => write!(f, "{} of {} at the most, {} unread.", plural(total, "mail"), reply.limit, reply.unread),
    }
}

pub(crate) fn say_mail(f: &mut dyn Write, reply: &Mail) -> Result {
    write!(f, "Mail {} from {} to {}.", reply.id, reply.from, reply.to)
}

pub(crate) fn say_blocks(f: &mut dyn Write, reply: &Blocks) -> Result {
    match reply.players.len() {
        0 => f.write_str("You block nobody."),
        count => write!(f, "You block {}.", plural(count, "sender")),
    }
}

pub(crate) fn say_told(f: &mut dyn Write, reply: &Told) -> Result {
    write!(f, "Told {}.", reply.to)
}

pub(crate) fn say_arrived(f: &mut dyn Write, event: &MailArrived) -> Result {
    write!(f, "{}: {} (MAIL READ {})", event.from, subject(&event.subject), event.id)
}

pub(crate) fn say_tell(f: &mut dyn Write, event: &TellArrived) -> Result {
    write!(f, "{}: {}", event.from, event.body)
}

fn is_sent(command: Option<&Command>) -> bool {
    command.is_some_and(|command| command.name == "MAIL SENT")
}

fn subject(subject: &str) -> &str {
    if subject.is_empty() { "(no subject)" } else { subject }
}

pub(crate) fn show_page(screen: &mut Screen<'_>, command: Option<&Command>, reply: &MailPage) {
    let sent = is_sent(command);
    if reply.mails.is_empty() {
        screen.hint("MAIL SEND player text writes one.");
        return;
    }
    let rows = reply.mails.iter().map(|mail| {
        let whom = if sent { mail.to.clone() } else { mail.from.to_string() };
        let mark = if sent || mail.read { "" } else { "*" }.to_owned();
        let at = minute(mail.at).to_string();
        Row::new([mark, mail.id.to_string(), whom, at, subject(&mail.subject).to_owned()]).bold(!sent && !mail.read)
    });
    let columns = [
        Column::left("").fixed(),
        Column::right("Id").fixed(),
        Column::left(if sent { "To" } else { "From" }),
        Column::left("When").fixed(),
        Column::left("Subject"),
    ];
    screen.table(&columns, rows.collect());
    let count = reply.mails.len();
    match (&reply.next, reply.mails.first()) {
        (Some(next), _) => screen.more(format_args!("MAIL {} {count} {next}", if sent { "SENT" } else { "LIST" })),
        (None, Some(first)) if !sent => screen.hint(format!("* unread. MAIL READ {} shows the newest.", first.id)),
        _ => {}
    }
}

pub(crate) fn show_mail(screen: &mut Screen<'_>, reply: &Mail) {
    screen.line(format!("Mail {} from {} to {}, {} UTC", reply.id, reply.from, reply.to, minute(reply.at)));
    if !reply.subject.is_empty() {
        screen.heading(&reply.subject);
    }
    screen.block(2, &reply.body);
    if matches!(reply.from, Party::Player(_)) {
        screen.hint(format!("MAIL REPLY {0} text answers, MAIL DELETE {0} deletes.", reply.id));
    }
}

pub(crate) fn show_blocks(screen: &mut Screen<'_>, reply: &Blocks) {
    if reply.players.is_empty() {
        screen.hint("MAIL BLOCK player refuses mails and tells from somebody.");
        return;
    }
    for player in &reply.players {
        screen.line(format!("  {player}"));
    }
}
