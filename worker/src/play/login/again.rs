//! Typing a login once more, on a fresh connection. Runs in a worker; pure, but for the locked page.
//!
//! Where there is a ticket, that is said first: a line of ours by which the world learns from the handler who he is. What was
//! typed takes its place if the world does not take it.
//!
//! Until it is over, nothing of what the world says is for the player: his worker drops it. Then it is told what to show:
//! behind the words of success what followed them, and else all that the world has said.

use super::heard::Heard;
use super::page::Typed;
use super::{Login, QUIET, Verdict, asks_for_secret};
use crate::moment::Moment;
use crate::play::scrollback::Scrollback;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Secret, clean};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long it may take altogether.
const PATIENCE: Duration = Duration::from_secs(10);

/// A world that asks, but says nothing before it has heard something, is spoken to after so long.
const SILENT: Duration = Duration::from_secs(1);

/// A world that asks has asked nothing as long as its last line has an end: it is at work, as tbaMUD is that finds out what the client
/// is, and loses what it hears meanwhile. One that ends its questions too is answered after so long.
const UNASKED: Duration = Duration::from_secs(3);

/// All was said, and the world has asked for something more so long ago: that is nothing that we know.
const ASKS_MORE: Duration = Duration::from_secs(1);

/// One that takes a whole line is spoken to as soon as it has said anything, or after so long: it is served since it listens.
const SILENT_LINE: Duration = Duration::from_millis(50);

/// If it has offered telnet, and no word, something stands in front of it that listens before it does, as Evennia's Portal: what is said
/// before it is there is lost. It is spoken to after so long.
const FRONT: Duration = Duration::from_secs(30);

/// The world has said all that belongs to a success when it says nothing for so long: the player waits for it.
const BEHIND: Duration = Duration::from_millis(20);

/// How long after success lines are looked at that nobody needs to see again, if the world never falls quiet.
const SETTLED: Duration = Duration::from_secs(1);

/// What a world has to show for it that it takes a ticket it shows within so long.
const TICKET: Duration = Duration::from_secs(3);

/// Why a ticket was of no use: the world has said nothing that shows it.
const NOT_TAKEN: &str = "it has not shown that it takes your pass";

/// The most of one line that is kept to be shown, bytes; of a longer one its end.
const MOST_OF_A_LINE: usize = 4096;

/// The most of what stands behind success before it is shown, bytes.
const MOST_BEHIND: usize = 64 << 10;

/// The most of a world's words that become a reason, characters.
const MOST_OF_A_REASON: usize = 200;

/// What is to be done.
#[derive(PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Wait,
    /// Send this line, and its end.
    Say(Zeroizing<Vec<u8>>),
    /// Send this line, which is in UTF-8, and its end.
    Show(Secret),
    /// He is in. It is over.
    Done {
        /// To be shown.
        rest: Vec<u8>,
    },
    /// The world has refused it. It is over; he can go on by himself.
    Failed {
        /// Why, in the world's words or ours: one line, harmless to a terminal.
        reason: String,
        /// To be shown: the login screen, and what followed.
        text: Vec<u8>,
    },
    /// All was said that is kept, and the world asks for more. It is over; he can go on by himself.
    AsksMore {
        /// To be shown: all that it has said.
        text: Vec<u8>,
    },
    /// The world has neither taken nor refused it in time. It is over; he can go on by himself.
    TimedOut {
        /// To be shown: all that it has said, at most 64 KiB.
        text: Vec<u8>,
    },
}

/// Shows nothing of what is typed.
impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::Wait => f.write_str("Wait"),
            Step::Say(_) => f.write_str("Say(…)"),
            Step::Show(_) => f.write_str("Show(…)"),
            Step::Done { rest } => write!(f, "Done({:?})", String::from_utf8_lossy(rest)),
            Step::Failed { reason, text } => write!(f, "Failed({reason:?}, {:?})", String::from_utf8_lossy(text)),
            Step::AsksMore { text } => write!(f, "AsksMore({:?})", String::from_utf8_lossy(text)),
            Step::TimedOut { text } => write!(f, "TimedOut({:?})", String::from_utf8_lossy(text)),
        }
    }
}

/// The login that is being typed.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Again {
    begun: Moment,
    /// What is said in place of what was typed.
    ticket: Option<Ticket>,
    /// The number of lines that were said.
    said: usize,
    /// One of them was the answer to a question for a password.
    secret_said: bool,
    /// The world has said something since the last of them.
    answered: bool,
    /// The world has said something since it was last found to be quiet, and when.
    stirred: Option<Moment>,
    /// Since when the line stands there that the world has begun, behind the last of them.
    asks_since: Option<Moment>,
    /// The silence of one that says nothing was noticed.
    silence_noticed: bool,
    /// It has said a line that somebody needs to see.
    has_spoken: bool,
    /// It has offered telnet before it has said a word.
    fronted: bool,
    hides: bool,
    /// The line that the world has begun: as patterns see it, and as it came.
    heard: Heard,
    line: Vec<u8>,
    /// All that it has said.
    held: Scrollback,
    /// Success was seen, or is supposed: what stands behind it, and since when.
    behind: Option<Behind>,
}

/// A line that lets in once.
#[derive(Serialize, Deserialize)]
enum Ticket {
    /// It is to be said.
    Unsaid(Secret),
    /// It was, then.
    Said(Moment),
}

#[derive(Serialize, Deserialize)]
struct Behind {
    text: Vec<u8>,
    since: Moment,
}

impl Again {
    /// On a fresh connection, where this ticket comes before what is kept; none if there is neither.
    pub fn begin(login: &Login, ticket: Option<Secret>, now: Instant) -> Option<Again> {
        let ticket = ticket.map(Ticket::Unsaid);
        (ticket.is_some() || login.is_kept()).then(|| Again { begun: now.into(), ticket, ..Again::default() })
    }

    /// Whether it is by a ticket that he is let in.
    pub fn is_by_ticket(&self) -> bool {
        self.ticket.is_some()
    }

    /// The world offers telnet.
    pub fn has_offered(&mut self) {
        self.fronted |= self.said == 0 && !self.answered;
    }

    /// How long the world may be silent before it is spoken to.
    fn silent(&self, login: &Login) -> Duration {
        match (login.patterns.prompts, self.fronted) {
            (true, _) => SILENT,
            (false, true) => FRONT,
            (false, false) => SILENT_LINE,
        }
    }

    /// The line that is said at this place.
    fn line_at<'a>(&'a self, login: &'a Login, at: usize) -> Option<Typed<'a>> {
        match &self.ticket {
            Some(Ticket::Unsaid(ticket)) => Some(Typed { line: ticket.expose().as_bytes(), secret: false }),
            Some(Ticket::Said(_)) => None,
            None => login.kept(at),
        }
    }

    /// The world has said this; split anywhere.
    pub fn said(&mut self, login: &Login, text: &[u8], now: Instant) -> Step {
        if text.is_empty() {
            return Step::Wait;
        }
        self.held.said(text);
        self.answered = true;
        self.stirred = Some(now.into());
        self.asks_since = Some(now.into());
        let mut rest = text;
        while !rest.is_empty() {
            let (taken, ended) = self.heard.take(&mut rest);
            self.line.extend_from_slice(taken);
            let over = self.line.len().saturating_sub(MOST_OF_A_LINE);
            self.line.drain(..over);
            if !ended {
                break;
            }
            if !self.has_spoken && self.said == 0 && login.patterns.hides(&self.heard.line()) {
                // As long as there is nothing else it has not spoken.
                self.answered = !rest.is_empty();
                self.stirred = self.answered.then(|| now.into());
            } else {
                self.has_spoken = true;
            }
            if let Some(step) = self.line_ended(login, now) {
                return step;
            }
        }
        match &self.behind {
            // What comes behind shows whether it has worked.
            None if self.has_spoken
                && self.said == 0
                && !login.patterns.prompts
                && !login.patterns.success.is_empty() =>
            {
                self.next(login, now)
            }
            Some(behind) if behind.text.len() > MOST_BEHIND => self.done(),
            // Nothing is left out of what follows, and so nothing has to be waited for.
            Some(_) if login.patterns.hide.is_empty() && !login.patterns.success.is_empty() => self.done(),
            _ => Step::Wait,
        }
    }

    /// The world hides what is typed, or no longer.
    pub fn hides(&mut self, login: &Login, hides: bool, now: Instant) -> Step {
        self.hides = hides;
        if !hides && self.behind.is_none() {
            // What was asked is answered, also where the question came behind the answer.
            self.heard.clear();
            self.line.clear();
        }
        if !hides && self.answered && self.stirred.is_none() {
            // What was asked meanwhile is to be answered now.
            self.stirred = Some(now.into());
        }
        if !hides || self.behind.is_some() {
            return Step::Wait;
        }
        if let Some(Ticket::Said(_)) = self.ticket {
            return self.failed("it asks for a password");
        }
        if !login.patterns.prompts {
            return Step::Wait;
        }
        match self.line_at(login, self.said) {
            Some(next) if next.secret => self.say(login, now),
            _ if self.secret_said => self.failed("it asks for the password once more"),
            _ => Step::Wait,
        }
    }

    /// The world's prompt has ended.
    pub fn prompt_end(&mut self, login: &Login, now: Instant) -> Step {
        self.stirred = None;
        self.prompted(login, now)
    }

    /// When [`Again::quiet`] is to be called at the latest.
    pub fn deadline(&self, login: &Login) -> Instant {
        let silence =
            (self.said == 0 && !self.silence_noticed && !self.waits_for_quiet(login)).then(|| self.silent(login));
        let silence = silence.map(|silent| *self.begun + silent);
        let quiet = self.stirred.map(|at| *at + self.is_quiet_after(login));
        let settled = self.behind.as_ref().filter(|_| self.answered).map(|behind| *behind.since + SETTLED);
        let more = self.asks_more(login).map(|since| since + ASKS_MORE);
        [silence, quiet, settled, more, self.ticket_ends()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.ends())
            .min(self.ends())
    }

    /// When it is given up. What it takes until a world is there does not count.
    fn ends(&self) -> Instant {
        *self.begun + if self.fronted && self.said == 0 { FRONT + PATIENCE } else { PATIENCE }
    }

    /// Until when the world may show that it takes a ticket.
    fn ticket_ends(&self) -> Option<Instant> {
        match &self.ticket {
            Some(Ticket::Said(at)) if self.behind.is_none() || !self.answered => Some(**at + TICKET),
            _ => None,
        }
    }

    /// Time has passed.
    pub fn quiet(&mut self, login: &Login, now: Instant) -> Step {
        let settled = |behind: &Behind| now >= *behind.since + SETTLED;
        if self.answered && self.behind.as_ref().is_some_and(settled) {
            return self.done();
        }
        if self.stirred.is_some_and(|at| now >= *at + self.is_quiet_after(login)) {
            self.stirred = None;
            let step = self.prompted(login, now);
            if step != Step::Wait {
                return step;
            }
        }
        if self.ticket_ends().is_some_and(|at| now >= at) {
            return self.refused(login, NOT_TAKEN, now).unwrap_or(Step::Wait);
        }
        if self.said == 0
            && !self.silence_noticed
            && !self.waits_for_quiet(login)
            && now >= *self.begun + self.silent(login)
        {
            self.silence_noticed = true;
            let step = self.next(login, now);
            if step != Step::Wait {
                return step;
            }
        }
        if self.asks_more(login).is_some_and(|since| now >= since + ASKS_MORE) {
            return Step::AsksMore { text: self.give_up() };
        }
        if now < self.ends() {
            return Step::Wait;
        }
        match self.behind {
            Some(_) if self.answered => self.done(),
            _ => Step::TimedOut { text: self.give_up() },
        }
    }

    /// How many of the lines that are kept were said.
    pub fn said_lines(&self) -> usize {
        if self.is_by_ticket() { 0 } else { self.said }
    }

    /// Since when the world asks for something though all was said that is kept.
    fn asks_more(&self, login: &Login) -> Option<Instant> {
        let asks = login.patterns.prompts && !self.is_by_ticket() && self.behind.is_none() && !self.heard.is_empty();
        let all = self.said > 0 && login.kept(self.said).is_none();
        self.asks_since.filter(|_| asks && all).map(|since| *since)
    }

    /// It comes to nothing, as when the world has gone again: all that it has said.
    pub fn give_up(&mut self) -> Vec<u8> {
        self.held.take().text
    }

    fn is_quiet_after(&self, login: &Login) -> Duration {
        match self.behind {
            Some(_) => BEHIND,
            None if login.patterns.prompts && self.heard.is_empty() && !self.hides => UNASKED,
            None => QUIET,
        }
    }

    /// Whether the world is still talking, and is to end before it is asked something: one that asks may have much to say.
    fn waits_for_quiet(&self, login: &Login) -> bool {
        login.patterns.prompts && self.answered
    }

    /// A line of the world has ended.
    fn line_ended(&mut self, login: &Login, now: Instant) -> Option<Step> {
        let step = self.judge(login, now, true);
        self.heard.clear();
        self.line.clear();
        step
    }

    /// What the world has said last is a prompt.
    fn prompted(&mut self, login: &Login, now: Instant) -> Step {
        if let Some(step) = self.judge(login, now, false) {
            return step;
        }
        match self.behind {
            Some(_) if self.answered => self.done(),
            Some(_) => Step::Wait,
            None if self.answered => self.next(login, now),
            None => Step::Wait,
        }
    }

    /// Looks at the line that the world has begun or ended.
    fn judge(&mut self, login: &Login, now: Instant, ended: bool) -> Option<Step> {
        if self.said == 0 {
            return None;
        }
        let line = self.heard.line();
        // Without words of success it is supposed, and failure can still follow.
        let open = self.behind.is_none() || login.patterns.success.is_empty();
        let verdict = if open && !self.heard.is_empty() { login.patterns.verdict(&line) } else { None };
        match (verdict, &mut self.behind) {
            (Some(Verdict::Failure), _) => {
                let reason = line.into_owned();
                return self.refused(login, &reason, now);
            }
            (Some(Verdict::Success), None) => self.behind = Some(Behind { text: Vec::new(), since: now.into() }),
            (_, Some(behind)) if ended && !login.patterns.hides(&line) => behind.text.extend_from_slice(&self.line),
            _ => {}
        }
        None
    }

    /// Says the next line, if this is the question for it.
    fn next(&mut self, login: &Login, now: Instant) -> Step {
        let Some(next) = self.line_at(login, self.said) else { return Step::Wait };
        let asks = self.hides || asks_for_secret(&self.heard.line());
        if login.patterns.prompts && next.secret != asks { Step::Wait } else { self.say(login, now) }
    }

    fn say(&mut self, login: &Login, now: Instant) -> Step {
        let step = match self.ticket.take() {
            Some(Ticket::Unsaid(ticket)) => {
                self.ticket = Some(Ticket::Said(now.into()));
                Step::Show(ticket)
            }
            None => {
                let Some(next) = login.kept(self.said) else { return Step::Wait };
                self.secret_said |= next.secret;
                Step::Say(Zeroizing::new(next.line.to_vec()))
            }
            said => {
                self.ticket = said;
                return Step::Wait;
            }
        };
        if self.said == 0 && self.fronted {
            self.begun = now.into();
        }
        self.said += 1;
        (self.answered, self.stirred) = (false, None);
        self.heard.clear();
        self.line.clear();
        if login.patterns.success.is_empty() && self.line_at(login, self.said).is_none() {
            self.behind = Some(Behind { text: Vec::new(), since: now.into() });
        }
        step
    }

    /// The world does not take it. In place of a ticket what was typed is said, if there is any, now that the world has spoken.
    fn refused(&mut self, login: &Login, reason: &str, now: Instant) -> Option<Step> {
        if !self.is_by_ticket() || !login.is_kept() {
            return Some(self.failed(reason));
        }
        let (begun, stirred, held, hides) = (now.into(), Some(now.into()), std::mem::take(&mut self.held), self.hides);
        *self = Again { begun, stirred, held, hides, answered: true, ..Again::default() };
        None
    }

    fn done(&mut self) -> Step {
        let mut rest = self.behind.take().map(|behind| behind.text).unwrap_or_default();
        rest.append(&mut self.line);
        Step::Done { rest }
    }

    fn failed(&mut self, reason: &str) -> Step {
        let reason = clean(reason.trim()).chars().take(MOST_OF_A_REASON).collect();
        Step::Failed { reason, text: self.give_up() }
    }
}
