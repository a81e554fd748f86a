//! Further connections of the player that see his game: what the world says goes to each of them in UTF-8, as from a telnet
//! server, and each types whole lines. Runs in the worker that has the connection to the world; pure.

use super::charset::{Charset, Converter};
use super::gate::{Gate, Passed};
use super::{ON_SCREEN, Play, Stage, words};
use crate::moment::Moment;
use crate::peer::Stack;
use crate::peer::outbox::Outbox;
use serde::{Deserialize, Serialize};
use ssmglobal_telnet::{Event, Telnet};
use std::time::{Duration, Instant};
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
mod tests;

/// How many there may be.
pub const MOST: usize = 8;

/// Bytes that may wait for one of them before the world is not read further.
pub const SLOW: usize = 32 << 10;

/// So long the others wait for one who does not read.
pub const PATIENCE: Duration = Duration::from_secs(2);

const IAC: u8 = 255;

/// Whether one who does not read is still waited for. What waits for him has a bound, and the time a limit: it begins when there
/// is too much, and ends when all of it was read.
#[derive(Debug, Default)]
pub struct Waited {
    since: Option<Instant>,
    given_up: bool,
}

impl Waited {
    /// It was tried to write: so much of `out` waits, of which more than `slow` bytes are too much.
    pub fn has_written(&mut self, out: &Outbox, slow: usize, now: Instant) {
        if out.is_empty() {
            *self = Waited::default();
        } else if out.rest().len() > slow {
            self.since.get_or_insert(now);
        }
    }

    /// When he is given up.
    pub fn due_at(&self) -> Option<Instant> {
        self.since.filter(|_| !self.given_up).map(|since| since + PATIENCE)
    }

    /// Gives him up, if it is time; gives whether it was.
    pub fn look(&mut self, now: Instant) -> bool {
        let is_due = self.due_at().is_some_and(|at| at <= now);
        self.given_up |= is_due;
        is_due
    }

    /// Whether he is given up.
    pub fn is_given_up(&self) -> bool {
        self.given_up
    }
}

/// One of them.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Sharer {
    /// Our end of telnet: the other worker is a client.
    telnet: Telnet,
    out: Outbox,
    /// Makes lines of what is typed. What was for us the other worker has kept for itself.
    gate: Gate,
    #[serde(with = "crate::packed")]
    typed: Vec<u8>,
    /// How much of that was looked at, bytes.
    used: usize,
}

/// A line, and whether it was typed without being seen. Wiped when dropped.
type Line = (Zeroizing<Vec<u8>>, bool);

impl Sharer {
    fn shows(&mut self, text: &[u8]) {
        // The other end reads telnet from the first byte, whether it has answered or not.
        for part in text.split_inclusive(|byte| *byte == IAC) {
            self.out.bytes().extend_from_slice(part);
            if part.last() == Some(&IAC) {
                self.out.bytes().push(IAC);
            }
        }
    }

    fn hides(&mut self, hidden: bool) {
        self.telnet.hide_input(hidden, self.out.bytes());
        self.gate.set_hidden(hidden);
    }

    fn prompts(&mut self) {
        self.telnet.prompt_end(self.out.bytes());
    }

    fn heard(&mut self, said: &[u8]) {
        let mut input = said;
        while let Some(event) = self.telnet.next(&mut input, self.out.bytes()) {
            if let Event::Data(text) = event {
                self.typed.extend_from_slice(text);
            }
        }
    }

    /// Takes a line; of one that is too long he is told.
    fn next_line(&mut self) -> Option<Line> {
        loop {
            let typed = self.typed.get(self.used..).unwrap_or_default();
            let mut rest = typed;
            let mut too_long = false;
            let found = match self.gate.next(&mut rest) {
                None => {
                    self.typed.zeroize();
                    self.used = 0;
                    return None;
                }
                Some(Passed::Line { line: Some(line), hidden, .. }) => Some((Zeroizing::new(line.to_vec()), hidden)),
                Some(Passed::Line { line: None, .. }) => {
                    too_long = true;
                    None
                }
                // The begin of a line that is too long: there is nothing else that passes before its end.
                Some(Passed::ToWorld(_) | Passed::ForUs(_) | Passed::TooLong) => None,
            };
            self.used += typed.len() - rest.len();
            if too_long {
                self.shows(format!("{}\r\n", words::TOO_LONG).as_bytes());
            }
            if found.is_some() {
                if self.used == self.typed.len() {
                    self.typed.zeroize();
                    self.used = 0;
                }
                return found;
            }
        }
    }
}

/// All of them.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sharers {
    all: Vec<Sharer>,
    /// From the world's characters.
    inward: Converter,
}

impl Sharers {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// One more, as the last, who is shown this first.
    fn add(&mut self, screen: &[u8], prompts: bool, hidden: bool) {
        let mut sharer = Sharer::default();
        sharer.telnet.offer(sharer.out.bytes());
        sharer.shows(screen);
        if prompts {
            sharer.prompts();
        }
        sharer.hides(hidden);
        self.all.push(sharer);
    }

    /// There are no more than so many.
    pub fn truncate(&mut self, count: usize) {
        self.all.truncate(count);
    }

    /// The world has said this, in these characters.
    pub(super) fn shows(&mut self, text: &[u8], from: Charset) {
        if self.all.is_empty() {
            return;
        }
        if (self.inward.from(), self.inward.to()) != (from, Charset::Utf8) {
            self.inward = Converter::new(from, Charset::Utf8);
        }
        let mut shown = Vec::with_capacity(text.len());
        self.inward.convert(text, &mut shown);
        self.all.iter_mut().for_each(|sharer| sharer.shows(&shown));
    }

    /// What the world has said last is a prompt.
    pub(super) fn prompts(&mut self) {
        self.all.iter_mut().for_each(Sharer::prompts);
    }

    /// What is typed is hidden from now on, or seen again.
    pub(super) fn hides(&mut self, hidden: bool) {
        self.all.iter_mut().for_each(|sharer| sharer.hides(hidden));
    }

    /// Whether none of them is in the middle of what is typed hidden.
    pub(super) fn are_quiet(&self) -> bool {
        self.all.iter().all(|sharer| sharer.gate.is_quiet())
    }

    /// One of them has said this.
    pub fn heard(&mut self, number: usize, said: &[u8]) {
        self.all.get_mut(number).into_iter().for_each(|sharer| sharer.heard(said));
    }

    /// Whether there is something that one of them has typed and that was not looked at.
    pub fn has_typed(&self, number: usize) -> bool {
        self.all.get(number).is_some_and(|sharer| !sharer.typed.is_empty())
    }

    /// What waits for one of them.
    pub fn out(&mut self, number: usize) -> Option<&mut Outbox> {
        self.all.get_mut(number).map(|sharer| &mut sharer.out)
    }
}

impl Play {
    /// Those who see the game besides its own client.
    pub fn sharers(&mut self) -> &mut Sharers {
        &mut self.sharers
    }

    /// Whether there are any.
    pub fn is_shared(&self) -> bool {
        !self.sharers.is_empty()
    }

    /// Whether one of them has typed something that was not looked at.
    pub fn has_shared(&self, number: usize) -> bool {
        self.sharers.has_typed(number)
    }

    /// One more connection sees the game from now on, and the end of what was said before. Gives whether it may.
    pub fn share(&mut self, to: &mut Stack) -> bool {
        if self.sharers.all.len() >= MOST || self.stage == Stage::Waits {
            return false;
        }
        let seen = self.scrollback.last(self.shown.min(ON_SCREEN));
        let mut screen = Vec::new();
        Converter::new(self.inward.to(), Charset::Utf8).convert(&seen, &mut screen);
        let in_line = to.between().is_some_and(|between| between.is_in_line());
        let prompts = !in_line && screen.last().is_some_and(|byte| *byte != b'\n');
        self.sharers.add(&screen, prompts, self.hidden);
        true
    }

    /// One of them does not see it any more. With the last of them the time begins for which the game is kept.
    pub fn unshare(&mut self, number: usize) {
        if number < self.sharers.all.len() {
            self.sharers.all.remove(number);
        }
        if self.sharers.is_empty() && self.alone.is_some() {
            self.alone = Some(Moment::now());
        }
    }

    /// None of them sees it any more.
    pub fn unshare_all(&mut self) {
        while self.is_shared() {
            self.unshare(self.sharers.all.len().saturating_sub(1));
        }
    }

    /// Whether their lines may go to the world: not while he is being logged in, nor in the middle of a line of another.
    pub fn takes_shared(&self) -> bool {
        self.stage == Stage::Plays && self.logs_in.is_none() && !self.gate.is_cut()
    }

    /// The next line of one of them goes to the world, as the player's own does; gives whether there was one.
    pub fn take_shared(&mut self, number: usize, to_world: &mut Vec<u8>, now: Instant) -> bool {
        let Some(sharer) = self.sharers.all.get_mut(number) else { return false };
        let Some((line, hidden)) = sharer.next_line() else { return false };
        let converted = |to: Charset| {
            let mut bytes = Zeroizing::new(Vec::with_capacity(line.len()));
            let mut converter = Converter::new(Charset::Utf8, to);
            converter.convert(&line, &mut bytes);
            converter.finish(&mut bytes);
            bytes
        };
        // A login is kept as the player's own terminal would have sent it.
        let typed = converted(self.outward.from());
        self.watch.typed(&mut self.login, &typed, hidden, now);
        let from = to_world.len();
        to_world.extend_from_slice(&converted(self.outward.to()));
        to_world.extend_from_slice(b"\r\n");
        self.bridge.seal_to_world(to_world, from);
        true
    }

    /// The client has left the game to those who share it.
    pub fn leaves_to_sharers(&mut self, known: bool) {
        self.only_shared = !self.can_return(known);
        self.alone = Some(Moment::now());
    }
}
