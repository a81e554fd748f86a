//! Mail to any registered player, and TELL to those who are on.

use crate::core::{Answer, Effect, Refusal, Seen, Work, read, refuse};
use crate::dispatch::Plan;
use crate::players::no_such_player;
use crate::server::{Server, next_page};
use ssmglobal_config::Settings as Config;
use ssmglobal_ipc::*;
use ssmglobal_store::{NewMail, Owner, PlayerId};

/// Bytes of a TELL.
const TELL: usize = 2048;

/// Senders that one player may block.
const BLOCKS: usize = 1000;

fn no_such_mail(id: u64) -> Failure {
    Failure::new(Code::NotFound, format!("There is no mail {id} in your box. MAIL LIST shows it."))
}

fn check_letter(config: &Config, body: &str, subject: &str) -> Result<(), Failure> {
    let (body_max, subject_max) = (config.mail.body, config.mail.subject);
    if body.is_empty() {
        return Err(Failure::new(Code::Invalid, "A mail needs a text."));
    }
    if body.len() > body_max {
        return Err(Failure::new(
            Code::TooLong,
            format!("A mail has at most {body_max} bytes; this one has {}.", body.len()),
        ));
    }
    if subject.len() > subject_max {
        return Err(Failure::new(Code::TooLong, format!("A subject has at most {subject_max} bytes.")));
    }
    if subject.chars().any(char::is_control) {
        return Err(Failure::new(Code::Invalid, "A subject is one line."));
    }
    Ok(())
}

/// Who writes, as the receiver will see it.
fn sender(server: &Server, slot: usize) -> Option<(Owner, Party)> {
    let session = server.session(slot)?;
    let (owner, name) = (session.owner()?, session.name()?.to_owned());
    Some((owner, if matches!(owner, Owner::Player(_)) { Party::Player(name) } else { Party::Server(name) }))
}

struct Letter {
    mail: NewMail,
    from: Party,
    to: String,
    mailbox: u32,
}

/// Checks the receiver's box and keeps the letter.
fn deliver(work: &mut Work<'_>, letter: &Letter) -> Result<Answer, Refusal> {
    let Letter { mail, from, to, mailbox } = letter;
    if work.tx.blocks(mail.to, mail.from)? {
        return refuse(Code::Denied, format!("{to} does not take mail from you."));
    }
    let (total, unread) = work.tx.mailbox(mail.to)?;
    if total >= *mailbox {
        return refuse(
            Code::Limit,
            format!("{to}'s mailbox is full ({mailbox} letters). Nothing was sent; try again later."),
        );
    }
    let id = work.tx.mail_add(&NewMail { at: work.now, ..mail.clone() }, *mailbox)?;
    let event = MailArrived { id, from: from.clone(), subject: mail.subject.clone(), unread: unread + 1 };
    work.effects.push(Effect::Push(mail.to, Event::Mail(event)));
    Ok(Answer::Reply(Reply::MailSent(MailSent { id, to: to.clone() })))
}

/// `MAIL SEND`.
pub fn send(server: &mut Server, slot: usize, _: u64, request: MailSend) -> Plan {
    let config = server.core.settings();
    let subject = request.subject.unwrap_or_default();
    if let Err(failure) = check_letter(&config, &request.body, &subject) {
        return failure.into();
    }
    let Some((owner, from)) = sender(server, slot) else { return Plan::Silent };
    let directory = read(&server.core.directory);
    let Some(id) = directory.find(&request.to) else { return no_such_player(&request.to).into() };
    let to = directory.name(id).to_owned();
    let mail = NewMail { from: owner, to: id, subject, body: request.body, at: Time::default() };
    let letter = Letter { mail, from, to, mailbox: config.mail.mailbox };
    Plan::Write(Box::new(move |work| deliver(work, &letter)))
}

/// `MAIL REPLY`.
pub fn reply(server: &mut Server, slot: usize, _: u64, request: MailReply) -> Plan {
    let config = server.core.settings();
    if let Err(failure) = check_letter(&config, &request.body, "") {
        return failure.into();
    }
    let Some((owner, from)) = sender(server, slot) else { return Plan::Silent };
    let Some(me) = server.session(slot).and_then(|session| session.player()) else { return Plan::Silent };
    let core = server.core.clone();
    Plan::Write(Box::new(move |work| {
        let Some(answered) = work.tx.mail(me, request.id)? else { return Err(no_such_mail(request.id).into()) };
        let Party::Player(writer) = &answered.from else {
            return refuse(Code::Denied, "That letter came from a game server, which has no mailbox.");
        };
        let directory = read(&core.directory);
        // To add something to a letter of one's own goes to who got it.
        let name = if directory.find(writer) == Some(me) { &answered.to } else { writer };
        let Some(id) = directory.find(name) else { return Err(no_such_player(name).into()) };
        let to = directory.name(id).to_owned();
        drop(directory);
        let subject = subject_of_reply(&answered.subject, config.mail.subject);
        let mail = NewMail { from: owner, to: id, subject, body: request.body.clone(), at: Time::default() };
        deliver(work, &Letter { mail, from: from.clone(), to, mailbox: config.mail.mailbox })
    }))
}

/// `Re: ` once, cut to the limit at a character's edge.
fn subject_of_reply(subject: &str, limit: usize) -> String {
    let mut answer = match subject.get(..3) {
        Some(start) if start.eq_ignore_ascii_case("re:") => subject.to_owned(),
        _ if subject.is_empty() => "Re: your mail".to_owned(),
        _ => format!("Re: {subject}"),
    };
    let mut end = limit.min(answer.len());
    while !answer.is_char_boundary(end) {
        end -= 1;
    }
    answer.truncate(end);
    answer
}

fn player(server: &Server, slot: usize) -> Option<PlayerId> {
    server.session(slot).and_then(|session| session.player())
}

/// `MAIL LIST`.
pub fn list(server: &mut Server, slot: usize, _: u64, page: Page) -> Plan {
    boxes(server, slot, &page, false)
}

/// `MAIL SENT`.
pub fn sent(server: &mut Server, slot: usize, _: u64, page: Page) -> Plan {
    boxes(server, slot, &page, true)
}

fn boxes(server: &mut Server, slot: usize, page: &Page, sent: bool) -> Plan {
    let limit = server.page_limit(page.limit);
    let mailbox = server.core.settings().mail.mailbox;
    let Some(me) = player(server, slot) else { return Plan::Silent };
    let after = match page.after.as_deref().map(str::parse) {
        None => None,
        Some(Ok(after)) => Some(after),
        Some(Err(_)) => return Failure::new(Code::Invalid, "after takes the number of a mail.").into(),
    };
    Plan::read(move |reader| {
        let (total, unread) = reader.mailbox(me)?;
        let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        let (mut mails, total, unread) = match sent {
            false => (reader.mails(me, after, most)?, total, unread),
            true => (reader.mails_sent(me, after, most)?, reader.sent_count(me)?, 0),
        };
        let next = next_page(&mut mails, limit, |row| row.id.to_string());
        Ok(Reply::MailPage(MailPage { mails, unread, total, limit: mailbox, next }))
    })
}

/// `MAIL READ`: reading marks, and a mark is a change.
pub fn read_one(server: &mut Server, slot: usize, _: u64, request: MailId) -> Plan {
    let Some(me) = player(server, slot) else { return Plan::Silent };
    Plan::Write(Box::new(move |work| {
        let Some(mail) = work.tx.mail(me, request.id)? else { return Err(no_such_mail(request.id).into()) };
        work.tx.mail_mark_read(me, request.id, work.now)?;
        Ok(Answer::Reply(Reply::Mail(mail)))
    }))
}

/// `MAIL DELETE`.
pub fn delete(server: &mut Server, slot: usize, _: u64, request: MailId) -> Plan {
    let Some(me) = player(server, slot) else { return Plan::Silent };
    Plan::Write(Box::new(move |work| match work.tx.mail_delete(me, request.id)? {
        true => Ok(Answer::Reply(Reply::Done(Done {}))),
        false => Err(no_such_mail(request.id).into()),
    }))
}

/// The sender that a block is about.
fn blocked_one(server: &Server, party: &Party) -> Result<Owner, Failure> {
    match party {
        Party::Player(name) => {
            read(&server.core.directory).find(name).map(Owner::Player).ok_or_else(|| no_such_player(name))
        }
        Party::Server(name) => server.core.server_named(name).map(|(id, _)| Owner::Server(id)),
    }
}

/// `MAIL BLOCK`.
pub fn block(server: &mut Server, slot: usize, _: u64, request: MailBlock) -> Plan {
    let from = match blocked_one(server, &request.player) {
        Ok(from) => from,
        Err(failure) => return failure.into(),
    };
    let Some(me) = player(server, slot) else { return Plan::Silent };
    Plan::Write(Box::new(move |work| {
        if work.tx.blocked(me)?.len() >= BLOCKS {
            return refuse(Code::Limit, format!("You block {BLOCKS} senders already. MAIL UNBLOCK one first."));
        }
        work.tx.block_add(me, from)?;
        Ok(Answer::Reply(Reply::Done(Done {})))
    }))
}

/// `MAIL UNBLOCK`.
pub fn unblock(server: &mut Server, slot: usize, _: u64, request: MailBlock) -> Plan {
    let from = match blocked_one(server, &request.player) {
        Ok(from) => from,
        Err(failure) => return failure.into(),
    };
    let Some(me) = player(server, slot) else { return Plan::Silent };
    Plan::Write(Box::new(move |work| match work.tx.block_remove(me, from)? {
        true => Ok(Answer::Reply(Reply::Done(Done {}))),
        false => refuse(Code::NotFound, "You do not block that sender."),
    }))
}

/// `MAIL BLOCKS`.
pub fn blocks(server: &mut Server, slot: usize, _: u64) -> Plan {
    let Some(me) = player(server, slot) else { return Plan::Silent };
    Plan::read(move |reader| Ok(Reply::Blocks(Blocks { players: reader.blocked(me)? })))
}

/// `TELL`.
pub fn tell(server: &mut Server, slot: usize, _: u64, request: Tell) -> Plan {
    if request.body.len() > TELL {
        return Failure::new(Code::TooLong, format!("A tell has at most {TELL} bytes. MAIL SEND takes more.")).into();
    }
    let Some((owner, from)) = sender(server, slot) else { return Plan::Silent };
    let directory = read(&server.core.directory);
    let Some(id) = directory.find(&request.to) else { return no_such_player(&request.to).into() };
    let to = directory.name(id).to_owned();
    drop(directory);
    if !server.hub.players.contains_key(&id) {
        return Failure::new(Code::NotFound, format!("{to} is not on. MAIL SEND {to} leaves a letter.")).into();
    }
    Plan::Read(Box::new(move |reader| {
        if reader.blocks(id, owner)? {
            return refuse(Code::Denied, format!("{to} does not listen to you."));
        }
        let event = TellArrived { from, body: request.body, at: Time::now() };
        Ok(Seen::Tell(id, Event::Tell(event), Reply::Told(Told { to }), None))
    }))
}
