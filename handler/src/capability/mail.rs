//! Mail to any registered player.

use super::{Call, Me, Plan, check_length};
use crate::state::memory::{Memory, party};
use crate::state::pages::{next_page, one_more};
use crate::work::change::{Decide, Decided, Facts, Refusal, Stamp, changes, refuse, still_there};
use ssmglobal_config::Settings as Config;
use ssmglobal_ipc::*;
use ssmglobal_store::{Letter, LetterRow, NewLetter, PlayerId, Principal, PrincipalKind, Row, Sequence};

/// Senders that one player may block.
const BLOCKS: usize = 1000;

/// Of a full mailbox its owner is told once in this time for each sender, milliseconds.
const REFUSALS_EVERY: i64 = 24 * 60 * 60 * 1000;

/// And of so many senders.
const REFUSALS: u32 = 100;

changes! {
    /// Changes of letters and of who may write.
    MailChange: Send, Respond, Forward, Read, Delete, Block, Unblock
}

fn no_such_mail(id: u64) -> Failure {
    Failure::new(Code::NotFound, format!("There is no mail {id} in your box. MAIL LIST shows it."))
}

fn check_letter(config: &Config, body: &str, subject: &str) -> Result<(), Failure> {
    let (body_max, subject_max) = (config.mail.body, config.mail.subject);
    if body.is_empty() {
        return Err(Failure::new(Code::Invalid, "A mail needs a text."));
    }
    check_length("A mail", body.len(), body_max)?;
    check_length("A subject", subject.len(), subject_max)?;
    if subject.chars().any(char::is_control) {
        return Err(Failure::new(Code::Invalid, "A subject is one line."));
    }
    Ok(())
}

/// A letter is written.
#[derive(Clone, Debug)]
pub struct Send {
    /// Who writes.
    pub from: Principal,
    /// Who gets it.
    pub to: PlayerId,
    /// One line, checked.
    pub subject: String,
    /// The text, checked.
    pub body: String,
    /// How many letters a mailbox holds.
    pub mailbox: u32,
}

impl Decide for Send {
    /// Checks the receiver's box and keeps the letter.
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let Send { from, to, mailbox, .. } = *self;
        // Before a number is given for it.
        still_there(facts, from.as_server())?;
        let name = facts.name(to.into());
        if facts.is_disabled(to)? {
            return refuse(Code::Denied, format!("{name} is disabled and gets no mail."));
        }
        if facts.blocks(to, from)? {
            return refuse(Code::Denied, format!("{name} does not take mail from you."));
        }
        let (total, unread) = facts.mailbox(to)?;
        if total >= mailbox {
            let msg = format!("{name}'s mailbox is full ({mailbox} letters). Nothing was sent; try again later.");
            return self.refuse_full(facts, stamp, Failure::new(Code::Limit, msg));
        }
        let (in_sent, let_go) = match from.as_player() {
            Some(sender) => {
                let in_sent = mailbox > 0;
                (in_sent, (facts.sent_count(sender)? + u32::from(in_sent)).saturating_sub(mailbox))
            }
            None => (false, 0),
        };
        let to_number = facts.next_number(Sequence::Letters(to.into()))?;
        let from_number = match from == to.into() {
            true => to_number,
            false => facts.next_number(Sequence::Letters(from))?,
        };
        let letter = NewLetter {
            from,
            from_number,
            in_sent,
            let_go,
            to,
            to_number,
            unread: unread + 1,
            subject: self.subject.clone(),
            body: self.body.clone(),
            at: stamp.now,
        };
        let reply = Reply::MailSent(MailSent { id: from_number, to: name });
        Ok(Decided::new(vec![Row::Letter(letter)], reply))
    }
}

impl Send {
    /// The receiver's box is full: he is told so, now and then.
    fn refuse_full(&self, facts: &mut dyn Facts, stamp: Stamp, failure: Failure) -> Result<Decided, Refusal> {
        let Send { from, to: player, mailbox, .. } = *self;
        let (at, before) = (stamp.now, Time(stamp.now.0.saturating_sub(REFUSALS_EVERY)));
        let knows = facts.refused(player, from)?.is_some_and(|at| at >= before);
        if from == player.into() || knows || facts.refused_count(player, before)? >= REFUSALS {
            return Err(failure.into());
        }
        Ok(Decided::new(vec![Row::LetterRefused { player, from, mailbox, at, before }], failure.into()))
    }
}

/// Letters of the backend that go into a box that is full.
const SPARE: u32 = 10;

/// A letter that the backend itself writes, about what concerns the receiver alone; nothing when his box is more than full.
pub fn from_backend(
    facts: &mut dyn Facts,
    stamp: Stamp,
    to: PlayerId,
    mailbox: u32,
    (subject, body): (&str, String),
) -> Result<Option<Row>, Refusal> {
    let (total, unread) = facts.mailbox(to)?;
    if total >= mailbox.saturating_add(SPARE) {
        return Ok(None);
    }
    let from = Principal::BACKEND;
    let (to_number, from_number) =
        (facts.next_number(Sequence::Letters(to.into()))?, facts.next_number(Sequence::Letters(from))?);
    let (in_sent, let_go, unread, subject, at) = (false, 0, unread + 1, subject.to_owned(), stamp.now);
    Ok(Some(Row::Letter(NewLetter { from, from_number, in_sent, let_go, to, to_number, unread, subject, body, at })))
}

/// `MAIL SEND`.
pub fn send(call: Call<'_>, me: Me<Principal>, request: MailSend) -> Plan<MailChange> {
    let config = call.settings;
    let subject = request.subject.unwrap_or_default();
    if let Err(failure) = check_letter(config, &request.body, &subject) {
        return failure.into();
    }
    match call.memory.player_id(&request.to) {
        Ok(to) => {
            let mailbox = config.mail.mailbox;
            Plan::change(Send { from: me.id, to, subject, body: request.body, mailbox })
        }
        Err(failure) => failure.into(),
    }
}

/// A letter is answered.
#[derive(Clone, Debug)]
pub struct Respond {
    /// Who answers.
    pub me: PlayerId,
    /// Which, by its number in his mailbox.
    pub number: u64,
    /// The text, checked.
    pub body: String,
    /// Bytes of a subject.
    pub subject: usize,
    /// How many letters a mailbox holds.
    pub mailbox: u32,
}

impl Decide for Respond {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let Respond { me, number, subject: limit, mailbox, .. } = *self;
        let Some(answered) = facts.letter(me, number)? else { return Err(no_such_mail(number).into()) };
        let Some(writer) = answered.from.as_player() else {
            let from = if answered.from == Principal::BACKEND { "the backend" } else { "a game server" };
            return refuse(Code::Denied, format!("That letter came from {from}, which has no mailbox."));
        };
        // To add something to a letter of one's own goes to who got it.
        let to = if writer == me { answered.to } else { writer };
        let subject = subject_of("Re:", "Re: your mail", &answered.subject, limit);
        Send { from: me.into(), to, subject, body: self.body.clone(), mailbox }.decide(facts, stamp)
    }
}

/// `MAIL REPLY`.
pub fn reply(call: Call<'_>, me: Me<PlayerId>, request: MailReply) -> Plan<MailChange> {
    let config = call.settings;
    if let Err(failure) = check_letter(config, &request.body, "") {
        return failure.into();
    }
    let (number, subject, mailbox) = (request.id, config.mail.subject, config.mail.mailbox);
    Plan::change(Respond { me: me.id, number, body: request.body, subject, mailbox })
}

/// A letter is passed on.
#[derive(Clone, Debug)]
pub struct Forward {
    /// Who passes it on.
    pub me: PlayerId,
    /// Which, by its number in his mailbox.
    pub number: u64,
    /// Who gets it.
    pub to: PlayerId,
    /// Bytes of a text, with the line that says whose it was; bytes of a subject.
    pub limits: (usize, usize),
    /// How many letters a mailbox holds.
    pub mailbox: u32,
}

impl Decide for Forward {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let Forward { me, number, to, limits, mailbox } = *self;
        let Some(letter) = facts.letter(me, number)? else { return Err(no_such_mail(number).into()) };
        let body = format!("{} wrote on {}:\n\n{}", facts.name(letter.from), letter.at, letter.body);
        if body.len() > limits.0 {
            return refuse(Code::TooLong, "That letter was passed on so often that it is too long by now.");
        }
        let subject = subject_of("Fwd:", "Fwd: a mail", &letter.subject, limits.1);
        Send { from: me.into(), to, subject, body, mailbox }.decide(facts, stamp)
    }
}

/// `MAIL FORWARD`.
pub fn forward(call: Call<'_>, me: Me<PlayerId>, request: MailForward) -> Plan<MailChange> {
    /// Bytes of the lines that say whose a letter was, over all the times that it is passed on.
    const ROOM: usize = 512;
    let config = &call.settings.mail;
    let limits = (config.body + ROOM, config.subject);
    match call.memory.player_id(&request.to) {
        Ok(to) => Plan::change(Forward { me: me.id, number: request.id, to, limits, mailbox: config.mailbox }),
        Err(failure) => failure.into(),
    }
}

/// A mark like `Re:` once in front of a subject, cut to the limit at a character's edge.
fn subject_of(mark: &str, none: &str, subject: &str, limit: usize) -> String {
    let mut marked = match subject.get(..mark.len()) {
        Some(start) if start.eq_ignore_ascii_case(mark) => subject.to_owned(),
        _ if subject.is_empty() => none.to_owned(),
        _ => format!("{mark} {subject}"),
    };
    let mut end = limit.min(marked.len());
    while !marked.is_char_boundary(end) {
        end -= 1;
    }
    marked.truncate(end);
    marked
}

/// `MAIL LIST`.
pub fn list(call: Call<'_>, me: Me<PlayerId>, page: Page) -> Plan<MailChange> {
    boxes(&call, me.id, &page, false)
}

/// `MAIL SENT`.
pub fn sent(call: Call<'_>, me: Me<PlayerId>, page: Page) -> Plan<MailChange> {
    boxes(&call, me.id, &page, true)
}

fn boxes(call: &Call<'_>, me: PlayerId, page: &Page, sent: bool) -> Plan<MailChange> {
    let limit = call.page_limit(page.limit);
    let mailbox = call.settings.mail.mailbox;
    let after = match page.after.as_deref().map(str::parse) {
        None => None,
        Some(Ok(after)) => Some(after),
        Some(Err(_)) => return Failure::new(Code::Invalid, "after takes the number of a mail.").into(),
    };
    let memory = call.memory.clone();
    Plan::read(move |reader| {
        let (total, unread) = reader.mailbox(me)?;
        let most = one_more(limit);
        let (mut letters, total, unread) = match sent {
            false => (reader.letters(me, after, most)?, total, unread),
            true => (reader.letters_sent(me, after, most)?, reader.sent_count(me)?, 0),
        };
        let next = next_page(&mut letters, limit, |row| row.number.to_string());
        let mails = letters.into_iter().map(|row| shown_row(&memory, row)).collect();
        Ok(Reply::MailPage(MailPage { mails, unread, total, limit: mailbox, next }))
    })
}

fn shown_row(memory: &Memory, row: LetterRow) -> MailRow {
    let (from, to) = (memory.party(row.from), memory.name(row.to.into()).unwrap_or_default());
    MailRow { id: row.number, from, to, subject: row.subject, at: row.at, read: row.read }
}

/// A letter is read, which marks it.
#[derive(Clone, Debug)]
pub struct Read {
    /// The owner of the mailbox.
    pub me: PlayerId,
    /// Its number in his mailbox.
    pub number: u64,
}

impl Decide for Read {
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal> {
        let Read { me, number } = *self;
        let Some(letter) = facts.letter(me, number)? else { return Err(no_such_mail(number).into()) };
        let Letter { from, to, subject, body, at, .. } = letter;
        let from = party(from, facts.name(from));
        let mail = Mail { id: number, from, to: facts.name(to.into()), subject, body, at };
        Ok(Decided::new(vec![Row::LetterRead { player: me, number, at: stamp.now }], Reply::Mail(mail)))
    }
}

/// `MAIL READ`.
pub fn read(_: Call<'_>, me: Me<PlayerId>, request: MailId) -> Plan<MailChange> {
    Plan::change(Read { me: me.id, number: request.id })
}

/// Somebody lets go of a letter.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The owner of the mailbox.
    pub me: PlayerId,
    /// Its number in his mailbox.
    pub number: u64,
}

impl Decide for Delete {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Delete { me, number } = *self;
        match facts.letter(me, number)? {
            Some(_) => Ok(Decided::done(Row::LetterGone { player: me, number })),
            None => Err(no_such_mail(number).into()),
        }
    }
}

/// `MAIL DELETE`.
pub fn delete(_: Call<'_>, me: Me<PlayerId>, request: MailId) -> Plan<MailChange> {
    Plan::change(Delete { me: me.id, number: request.id })
}

/// A sender is refused.
#[derive(Clone, Debug)]
pub struct Block {
    /// The player who wants to hear nothing of him.
    pub me: PlayerId,
    /// The sender whose letters are refused from now on.
    pub from: Principal,
}

impl Decide for Block {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Block { me, from } = *self;
        if facts.blocked(me)?.len() >= BLOCKS {
            return refuse(Code::Limit, format!("You block {BLOCKS} senders already. MAIL UNBLOCK one first."));
        }
        Ok(Decided::done(Row::Blocked { player: me, from }))
    }
}

/// `MAIL BLOCK`.
pub fn block(call: Call<'_>, me: Me<PlayerId>, request: MailBlock) -> Plan<MailChange> {
    match call.memory.named(&request.player) {
        Ok(from) if from.kind == PrincipalKind::World => {
            Failure::new(Code::NotFound, "Worlds send no letters: there is nothing to block.").into()
        }
        Ok(from) => Plan::change(Block { me: me.id, from }),
        Err(failure) => failure.into(),
    }
}

/// A sender is refused no longer.
#[derive(Clone, Debug)]
pub struct Unblock {
    /// The player who has blocked him.
    pub me: PlayerId,
    /// The sender whose letters are taken again.
    pub from: Principal,
}

impl Decide for Unblock {
    fn decide(&self, facts: &mut dyn Facts, _: Stamp) -> Result<Decided, Refusal> {
        let Unblock { me, from } = *self;
        match facts.blocks(me, from)? {
            true => Ok(Decided::done(Row::Unblocked { player: me, from })),
            false => refuse(Code::NotFound, "You do not block that sender."),
        }
    }
}

/// `MAIL UNBLOCK`.
pub fn unblock(call: Call<'_>, me: Me<PlayerId>, request: MailBlock) -> Plan<MailChange> {
    match call.memory.named(&request.player) {
        Ok(from) => Plan::change(Unblock { me: me.id, from }),
        Err(failure) => failure.into(),
    }
}

/// `MAIL BLOCKS`.
pub fn blocks(call: Call<'_>, me: Me<PlayerId>) -> Plan<MailChange> {
    let memory = call.memory.clone();
    Plan::read(move |reader| {
        let mut players: Vec<Party> = reader.blocked(me.id)?.into_iter().map(|from| memory.party(from)).collect();
        players.sort_by_cached_key(|party| match party {
            Party::Player(name) => (crate::state::names::fold(name), false),
            Party::Server(name) | Party::Visitor(name) => (name.to_ascii_lowercase(), true),
            Party::World(name) => (crate::state::names::fold(name), true),
            Party::Backend => (String::new(), true),
        });
        Ok(Reply::Blocks(Blocks { players }))
    })
}
