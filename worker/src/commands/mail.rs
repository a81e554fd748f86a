//! Mail to registered players, and TELL to those who are on. Runs in a worker.

use super::{Arg, Command, Group, Parsed};
use crate::render::{Column, Counted, Pushed, Row, Screen, Shown, plural};
use ssmglobal_ipc::{
    Blocks, Broadcast, Broadcasted, Code, Failure, Kind, Mail, MailArrived, MailBlock, MailId, MailPage, MailRefused,
    MailReply, MailSend, MailSent, Party, Request, Tell, TellArrived, TellDelivered,
};
use std::fmt::{Result, Write};

const ID: Arg = Arg::int("id", 0, u64::MAX, "the mail's number, as the list shows it");
const BODY: Arg = Arg::text("body", "up to 4 KiB");
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
                Arg::text("subject", "one line").optional().keyword("SUBJECT"),
            ],
            example: "MAIL SEND bob SUBJECT \"Tonight\" See you at eight",
            returns: "`id`, `to`",
            codes: &[Code::NotFound, Code::Limit, Code::TooLong, Code::Invalid, Code::Denied],
            ..Command::request(Kind::MailSend, |parsed| {
                Ok(Request::MailSend(MailSend {
                    to: parsed.string("to")?,
                    body: parsed.string("body")?,
                    subject: parsed.opt_string("subject")?,
                }))
            })
        },
        Command {
            name: "MAIL LIST",
            summary: "List your mails, newest first",
            args: Arg::PAGE,
            example: "MAIL LIST",
            returns: PAGE,
            ..Command::request(Kind::MailList, |parsed| Ok(Request::MailList(parsed.page()?)))
        },
        Command {
            name: "MAIL READ",
            summary: "Read a mail",
            args: &[ID],
            example: "MAIL READ 12",
            returns: "`id`, `from`, `to`, `subject`, `body`, `at`",
            codes: &[Code::NotFound],
            ..Command::request(Kind::MailRead, |parsed| Ok(Request::MailRead(MailId { id: parsed.number("id")? })))
        },
        Command {
            name: "MAIL REPLY",
            summary: "Answer a mail",
            args: &[ID, BODY],
            example: "MAIL REPLY 12 I will be there",
            returns: "`id`, `to`",
            codes: &[Code::NotFound, Code::Limit, Code::TooLong, Code::Invalid, Code::Denied],
            ..Command::request(Kind::MailReply, |parsed| {
                Ok(Request::MailReply(MailReply { id: parsed.number("id")?, body: parsed.string("body")? }))
            })
        },
        Command {
            name: "MAIL FORWARD",
            summary: "Pass a mail on to another player",
            args: &[ID, Arg::word("to", "a registered player")],
            example: "MAIL FORWARD 12 carol",
            returns: "`id`, `to`",
            codes: &[Code::NotFound, Code::Limit, Code::TooLong, Code::Denied],
            ..Command::request(Kind::MailForward, |parsed| {
                let (id, to) = (parsed.number("id")?, parsed.string("to")?);
                Ok(Request::MailForward(ssmglobal_ipc::MailForward { id, to }))
            })
        },
        Command {
            name: "MAIL DELETE",
            summary: "Delete a mail",
            args: &[ID],
            done: "Mail deleted.",
            example: "MAIL DELETE 12",
            codes: &[Code::NotFound],
            ..Command::request(Kind::MailDelete, |parsed| Ok(Request::MailDelete(MailId { id: parsed.number("id")? })))
        },
        Command {
            name: "MAIL SENT",
            summary: "List the mails you sent, newest first",
            args: Arg::PAGE,
            example: "MAIL SENT",
            returns: PAGE,
            ..Command::request(Kind::MailListSent, |parsed| Ok(Request::MailListSent(parsed.page()?)))
        },
        Command {
            name: "MAIL BLOCK",
            summary: "Refuse mails and tells from somebody",
            args: &[Arg::word("player", "a player, or `server:NAME`")],
            done: "Blocked. MAIL UNBLOCK takes it back.",
            example: "MAIL BLOCK mallory",
            codes: &[Code::NotFound, Code::Limit, Code::Invalid],
            ..Command::request(Kind::MailBlock, |parsed| Ok(Request::MailBlock(block(parsed)?)))
        },
        Command {
            name: "MAIL UNBLOCK",
            summary: "Refuse them no longer",
            args: &[Arg::word("player", "a player, or `server:NAME`")],
            done: "No longer blocked.",
            example: "MAIL UNBLOCK mallory",
            codes: &[Code::NotFound],
            ..Command::request(Kind::MailUnblock, |parsed| Ok(Request::MailUnblock(block(parsed)?)))
        },
        Command {
            name: "MAIL BLOCKS",
            summary: "List whom you refuse",
            example: "MAIL BLOCKS",
            returns: "`players`",
            ..Command::request(Kind::MailBlocks, |_| Ok(Request::MailBlocks))
        },
        Command {
            name: "TELL",
            summary: "Say something to somebody who is on, anywhere",
            args: &[Arg::word("to", "a player who is on, or `visitor:NAME`"), Arg::text("body", "up to 2 KiB")],
            example: "TELL bob Are you there?",
            returns: "`to`",
            codes: &[Code::NotFound, Code::TooLong, Code::Invalid, Code::Denied, Code::Busy],
            ..Command::request(Kind::Tell, |parsed| {
                Ok(Request::Tell(Tell { to: parsed.string("to")?, body: parsed.string("body")? }))
            })
        },
        Command {
            name: "BROADCAST",
            summary: "Say something to everyone who is on",
            args: &[Arg::text("body", "up to 2 KiB")],
            example: "BROADCAST The network is down from eight to nine",
            returns: "`receivers`: how many connections it went to, those of worlds with players in them among them",
            codes: &[Code::TooLong, Code::Invalid, Code::Denied],
            ..Command::request(Kind::Broadcast, |parsed| {
                Ok(Request::Broadcast(Broadcast { body: parsed.string("body")? }))
            })
        },
    ],
};

fn block(parsed: &mut Parsed<'_>) -> std::result::Result<MailBlock, Failure> {
    Ok(MailBlock { player: Party::parse(&parsed.string("player")?) })
}

impl Shown for MailSent {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "Mail {} sent to {}.", self.id, self.to)
    }
}

impl Shown for MailPage {
    fn say(&self, f: &mut dyn Write, asked: Kind) -> Result {
        if asked == Kind::MailListSent {
            return match self.total {
                0 => f.write_str("You have sent no mail."),
                total => write!(f, "{} sent.", plural(total, "mail")),
            };
        }
        match self.total {
            0 => f.write_str("You have no mail."),
            total => write!(f, "{} of {} at the most, {} unread.", plural(total, "mail"), self.limit, self.unread),
        }
    }

    fn show(&self, screen: &mut Screen, asked: Kind) {
        let sent = asked == Kind::MailListSent;
        if self.mails.is_empty() {
            screen.hint("MAIL SEND player text writes one.");
            return;
        }
        let rows = self.mails.iter().map(|mail| {
            let whom = if sent { mail.to.clone() } else { mail.from.to_string() };
            let mark = if sent || mail.read { "" } else { "*" }.to_owned();
            let at = screen.minute(mail.at);
            Row::new([mark, mail.id.to_string(), whom, at, subject(&mail.subject).to_owned()]).bold(!sent && !mail.read)
        });
        let columns = [
            Column::mark("Unread"),
            Column::number("Id"),
            Column::name(if sent { "To" } else { "From" }),
            Column::detail("When"),
            Column::text("Subject"),
        ];
        screen.table(&columns, rows.collect());
        let shown = self.mails.len();
        let counted = Counted { shown, total: Some(self.total), what: "mails" };
        let command = format!("MAIL {} {shown}", if sent { "SENT" } else { "LIST" });
        screen.page(counted, &command, self.next.as_deref());
        if let (None, Some(first), false) = (&self.next, self.mails.first(), sent) {
            screen.hint(format!("* unread. MAIL READ {} shows the newest.", first.id));
        }
    }
}

impl Shown for Mail {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "Mail {} from {} to {}.", self.id, self.from, self.to)
    }

    /// With its own first line.
    fn show_all(&self, screen: &mut Screen, _: Kind) {
        screen.line(format!("Mail {} from {} to {}, {}", self.id, self.from, self.to, screen.moment(self.at)));
        if !self.subject.is_empty() {
            screen.heading(&self.subject);
        }
        screen.block(2, &self.body);
        if matches!(self.from, Party::Player(_)) {
            screen.hint(format!("MAIL REPLY {0} text answers, MAIL DELETE {0} deletes.", self.id));
        }
    }
}

impl Shown for Blocks {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        match self.players.len() {
            0 => f.write_str("You block nobody."),
            count => write!(f, "You block {}.", plural(count, "sender")),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        if self.players.is_empty() {
            screen.hint("MAIL BLOCK player refuses mails and tells from somebody.");
            return;
        }
        for player in &self.players {
            screen.line(format!("  {player}"));
        }
    }
}

impl Shown for TellDelivered {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "Told {}.", Party::parse(&self.to).for_people())
    }
}

impl Shown for Broadcasted {
    fn say(&self, f: &mut dyn Write, _: Kind) -> Result {
        write!(f, "Sent to {}.", plural(self.receivers, "connection"))
    }
}

impl Pushed for MailArrived {
    fn say(&self, f: &mut dyn Write) -> Result {
        write!(f, "{}: {} (MAIL READ {})", self.from, subject(&self.subject), self.id)
    }
}

impl Pushed for MailRefused {
    fn say(&self, f: &mut dyn Write) -> Result {
        write!(f, "{}: your mailbox is full (MAIL DELETE makes room)", self.from)
    }
}

impl Pushed for TellArrived {
    fn say(&self, f: &mut dyn Write) -> Result {
        write!(f, "{}: {}", self.from, self.body)
    }
}

fn subject(subject: &str) -> &str {
    if subject.is_empty() { "(no subject)" } else { subject }
}
