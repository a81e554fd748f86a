//! Playing: what stands between a player and a world. Two telnet machines, one towards each, and between them what is typed on
//! its way there and what is said on its way back. All that is known of it is one value, which moves to another process with its
//! client, at any byte. Runs in a worker; pure but for the page of memory that holds a login.

pub mod charset;
mod first;
mod gate;
mod inward;
mod kept;
pub mod line;
pub mod login;
pub mod names;
mod outward;
mod relogin;
mod scrollback;
pub mod sharing;
pub mod words;

use crate::moment::Moment;
use crate::peer::Stack;
use crate::peer::between::Between;
use charset::Converter;
use first::FirstLine;
use gate::{Escape, Gate};
use kept::Kept;
use login::{Again, Login, Watch};
use scrollback::Scrollback;
use serde::{Deserialize, Serialize};
use sharing::Sharers;
use ssmglobal_config::Door;
use ssmglobal_config::play::{Charset, RealAddress, Terms};
use ssmglobal_ipc::{PlayAt, PlayHow, PlayStart, PlayStarted, PlayState, Secret, Time};
use ssmglobal_sys::LockedPage;
use ssmglobal_telnet::{self as telnet, Bridge};
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// How long a line of the world may be without its end before it is taken for a prompt.
const PROMPT: Duration = Duration::from_millis(250);

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// A connection was asked for.
    #[default]
    Asks,
    /// There is one.
    Plays,
    /// It has ended, and the handler is asked why.
    Ended,
    /// The world is down.
    Waits,
}

/// What came of what the world has said.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Its line has ended: what has waited for that may be said.
    LineEnded,
    /// The player is told this.
    Says(String),
    /// It has told of itself, for the first time on this connection.
    Mssp,
    /// What it sends behind this is compressed.
    Compressed,
}

/// What came of what the player has typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// It went to the world, or is kept for it.
    Passed,
    /// The player is told this.
    Says(String),
    /// It is for us.
    Ours(String),
}

/// A client that plays, or is about to.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Play {
    world: String,
    terms: Terms,
    stage: Stage,
    /// What the door says.
    escape: String,
    clean: bool,
    /// By which it goes on from another connection: this one's.
    word: Option<Secret>,
    /// The player has seen it.
    word_shown: bool,
    /// He is to see it, as soon as he is in his world.
    word_due: bool,
    /// By which it goes on here, where another has left.
    resumes: Option<Secret>,
    /// Where the player comes from.
    address: String,
    /// When the player came first, milliseconds since 1970.
    since: i64,
    /// There was a connection before, which the world has lost.
    again: bool,
    /// The connection is another worker's, which shares it.
    is_guest: bool,
    /// Since when the client's own connection is gone; or, where others have shared the game, the last of those.
    alone: Option<Moment>,
    /// The client cannot come back: it is kept only for those who share it.
    only_shared: bool,
    bridge: Bridge,
    gate: Gate,
    /// What was typed and not looked at yet.
    #[serde(with = "crate::packed")]
    typed: Vec<u8>,
    /// How much of that was looked at, bytes.
    used: usize,
    /// The first line of who came straight here, as long as it may be a crawler's.
    first: FirstLine,
    /// A crawler has asked, by a line or not; it is taken in the same turn.
    #[serde(skip)]
    crawler: Option<bool>,
    /// The world has told of itself, and the handler was told of that.
    told_mssp: bool,
    kept: Kept,
    scrollback: Scrollback,
    /// Bytes that were shown since the connection has begun.
    shown: u64,
    sharers: Sharers,
    watch: Watch,
    logs_in: Option<Again>,
    /// He had a connection before the one that there is now.
    returns: bool,
    inward: Converter,
    outward: Converter,
    /// What is typed is not seen: the world has said so.
    hidden: bool,
    /// The world's prompt stands there without a mark: his terminal had not spoken telnet yet.
    unmarked: bool,
    /// The world has gone when it had asked for a password: what is typed next may be one.
    was_asked: bool,
    /// It has just gone while he was being logged in again, or was damaged.
    is_cut_off: bool,
    /// What the world has sent compressed could not be read: it is to send it as it is.
    is_plain: bool,
    /// How often the world has gone while he was being logged in again.
    broken: u8,
    /// When the world has last said something that did not end a line.
    #[serde(skip)]
    in_line_since: Option<Instant>,
    /// What lets him in on the connection that is being made. Whoever logs him in takes it as soon as there is one.
    #[serde(skip)]
    ticket: Option<Secret>,
    /// The login that has worked. Its page moves as a descriptor of its own.
    #[serde(skip)]
    login: Login,
    /// Telnet's proposals of the world that wait for the player's answer are refused then.
    #[serde(skip)]
    undecided_until: Option<Instant>,
}

impl Play {
    /// Of a client that came in by this door, from this address. With a word it goes on where another connection has left.
    pub fn new(world: String, door: &Door, address: IpAddr, resumes: Option<Secret>) -> Play {
        let since = Time::now().0;
        let mut gate = Gate::new(Escape::new(&door.escape).as_ref(), Charset::Utf8);
        gate.set_limit(door.line);
        let address = address.to_string();
        let (escape, word_due) = (door.escape.clone(), door.shows_word);
        Play { world, address, escape, clean: door.clean, word_due, resumes, since, gate, ..Play::default() }
    }

    /// The world's name.
    pub fn world(&self) -> &str {
        &self.world
    }

    /// Whether it is this one.
    pub fn is_world(&self, world: &str) -> bool {
        self.world.eq_ignore_ascii_case(world)
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether it is to go on where another connection has left.
    pub fn resumes(&self) -> bool {
        self.resumes.is_some()
    }

    /// What the handler is asked for a connection.
    pub fn asks(&mut self) -> PlayStart {
        self.stage = Stage::Asks;
        let (world, since) = (self.world.clone(), Time(self.since));
        // Who has shared a connection shares the next one too.
        let again = self.again && !self.is_guest;
        PlayStart { world, since, word: self.resumes.clone(), again }
    }

    /// Where the client plays, for a handler that does not know; nothing as long as that is not settled. Who waits for his world
    /// and has lost his own connection is both.
    pub fn places(&self, idle: u64) -> Vec<PlayAt> {
        let at_world = match self.stage {
            Stage::Plays => Some(PlayState::Plays),
            Stage::Waits => Some(PlayState::Waits),
            Stage::Asks | Stage::Ended => return Vec::new(),
        };
        let alone = self.alone.is_some().then_some(PlayState::Alone);
        let at_world = at_world.filter(|state| alone.is_none() || *state == PlayState::Waits);
        let place =
            |state| PlayAt { world: self.world.clone(), state, word: self.word.clone().unwrap_or_default(), idle };
        at_world.into_iter().chain(alone).map(place).collect()
    }

    /// The handler has said how it is played.
    pub fn started(&mut self, started: &PlayStarted) {
        started.world.clone_into(&mut self.world);
        if self.word.as_ref().is_some_and(|word| word.expose() != started.word.expose()) {
            self.word_due |= std::mem::take(&mut self.word_shown);
        }
        self.word = Some(started.word.clone());
        self.ticket.clone_from(&started.ticket);
        self.resumes = None;
        if let Ok(terms) = serde_json::from_str(&started.terms) {
            self.terms = terms;
        }
        match started.how {
            PlayHow::New => {
                self.is_guest = false;
                self.expect_login();
            }
            PlayHow::Waits => self.expect_login(),
            // What comes is for a player already.
            PlayHow::Shared => {
                self.is_guest = true;
                self.terms = Terms { sessions: self.terms.sessions, ..Terms::default() };
            }
            // His login comes too, and a process may lock no second page for it.
            PlayHow::TakenOver => {}
        }
    }

    /// There is a connection to the world, which may compress what it says if `compresses`. What is said to it is appended to
    /// `to_world`.
    pub fn connected(&mut self, compresses: bool, to: &mut Stack, to_world: &mut Vec<u8>, now: Instant) {
        self.stage = Stage::Plays;
        (self.hidden, self.shown, self.told_mssp, self.is_cut_off) = (false, 0, false, false);
        self.in_line_since = None;
        // Who has met with one break may meet with another.
        self.word_due |= self.again;
        if to.between().is_none() {
            to.play(Some(Between::new(self.clean)));
        }
        self.choose_characters(to);
        let terms = self.bridge_terms(compresses);
        to.relay(|to| {
            let bridge = &mut self.bridge;
            bridge.connect(to.telnet, to.out);
            bridge.present(terms, to.telnet, to.out, to_world);
            self.begin_login(to, to_world, now);
        });
        self.undecided_until = Some(now + UNDECIDED);
        self.again = true;
    }

    /// The connection to the world has ended.
    pub fn ended(&mut self, to: &mut Stack) {
        self.stage = Stage::Ended;
        match self.logs_in {
            Some(_) => self.broken = self.broken.saturating_add(1),
            None => (self.broken, self.was_asked) = (0, self.hidden || self.watch.asks_for_secret()),
        }
        self.is_cut_off |= self.logs_in.is_some();
        to.relay(|to| {
            self.end_text(to);
            self.bridge.leave(to.telnet, to.out);
            to.end_line();
        });
        self.gate.set_hidden(false);
        self.sharers.hides(false);
        (self.hidden, self.in_line_since, self.undecided_until) = (false, None, None);
    }

    /// Whether the player has waited for it.
    pub fn is_again(&self) -> bool {
        self.again
    }

    /// What the world has sent compressed cannot be read: its connection is to end, and he is to have another one, on which nothing
    /// is compressed.
    pub fn is_damaged(&mut self) {
        (self.is_plain, self.is_cut_off) = (true, true);
    }

    /// Whether the connection has ended though he has not quit, and he is to have another one.
    pub fn tries_again(&mut self) -> bool {
        std::mem::take(&mut self.is_cut_off)
    }

    /// The world is down. Gives what the player is told of that, once.
    pub fn waits(&mut self, to: &mut Stack) -> Option<String> {
        let known = std::mem::replace(&mut self.stage, Stage::Waits) == Stage::Waits;
        let began = self.again;
        self.again = true;
        // Between the lines of no world: our own prompt.
        to.play(None);
        (!known).then(|| match began {
            true => words::down(&self.world, &self.escape),
            false => words::not_there(&self.world, &self.escape),
        })
    }

    /// The word by which the player goes on from another connection, in a sentence.
    pub fn show_word(&mut self) -> Option<String> {
        let word = self.word.as_ref()?;
        self.word_shown = true;
        // Between the world's lines a command of ours begins with the escape.
        let escape = if self.stage == Stage::Plays { self.escape.as_str() } else { "" };
        Some(words::word(word.expose(), self.terms.grace_seconds, escape))
    }

    /// Whether the player is to be told that word now, though he has not asked. Where it is not known when he is in the world, he is
    /// from the beginning.
    pub fn owes_word(&self) -> bool {
        let is_inside = || self.watch.is_inside() || !self.has_login() || self.login.page().is_none();
        self.word_due
            && !self.word_shown
            && !self.clean
            // Where no line is for us he could not show it again.
            && !self.escape.is_empty()
            && self.stage == Stage::Plays
            && self.logs_in.is_none()
            && self.alone.is_none()
            && self.can_return(true)
            && is_inside()
    }

    /// What was typed for a world that is down is forgotten; gives how many lines.
    pub fn drop_kept(&mut self) -> usize {
        self.kept.take().len()
    }

    /// Whether the client's own connection is gone.
    pub fn is_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// The client's own connection has gone, and he has not got so many bytes of what was written. Whether the connection to the
    /// world is kept: for who can come back, because he is `known` or has a word, and for those who share it.
    pub fn stays_alone(&mut self, known: bool, lost: u64, to: &mut Stack) -> bool {
        let can_return = self.can_return(known);
        if !(can_return || self.is_shared()) || !matches!(self.stage, Stage::Plays | Stage::Waits) {
            return false;
        }
        (self.alone, self.only_shared) = (Some(Moment::now()), !can_return);
        self.scrollback.keep_last(lost + to.out().rest().len() as u64);
        to.out().clear();
        true
    }

    /// Whether a game is kept for a client that is `known` or not. Who shares one shares it again.
    fn can_return(&self, known: bool) -> bool {
        (known || self.word_shown) && self.terms.grace_seconds > 0 && !self.is_guest
    }

    /// Whether the time is over for which it is kept.
    pub fn is_over(&self, now: Instant) -> bool {
        self.grace_ends().is_some_and(|at| at <= now)
    }

    fn grace_ends(&self) -> Option<Instant> {
        let grace = if self.only_shared { 0 } else { self.terms.grace_seconds };
        self.alone.filter(|_| !self.is_shared()).map(|since| *since + Duration::from_secs(grace))
    }

    /// The page that holds the login, for one who goes on.
    pub fn page(&self) -> Option<BorrowedFd<'_>> {
        self.login.page().map(LockedPage::descriptor)
    }

    /// The page is another's now, who needs what it holds.
    pub fn leave_page(&mut self) {
        self.login.take_page().into_iter().for_each(LockedPage::leave);
    }

    /// It goes on for a client of another worker, which has asked for it: he is shown what he has missed.
    pub fn goes_on_here(&mut self, here: &Play, to: &mut Stack, to_world: &mut Vec<u8>, now: Instant) {
        here.escape.clone_into(&mut self.escape);
        here.address.clone_into(&mut self.address);
        let was_away = self.alone.take().is_some();
        self.word_due |= here.word_due || was_away || self.word_shown;
        (self.clean, self.word, self.word_shown) = (here.clean, here.word.clone(), false);
        self.only_shared = false;
        if self.stage != Stage::Plays {
            return;
        }
        if !was_away {
            self.scrollback.keep_last(ON_SCREEN);
        }
        to.play(Some(Between::new(self.clean)));
        self.choose_characters(to);
        self.undecided_until = Some(now + UNDECIDED);
        let missed = self.scrollback.take();
        to.relay(|to| {
            self.bridge.change_player(to.telnet, to.out, to_world);
            to.announce(&match was_away {
                true => words::missed(&self.world, missed.missing),
                false => words::goes_on(&self.world),
            });
            to.end_ours();
            let from = to.out.len();
            to.out.extend_from_slice(&missed.text);
            to.between.world_said(&missed.text);
            to.between.is_prompt();
            to.telnet.seal(to.out, from);
        });
    }

    /// Whether it is known where what is typed goes.
    pub fn is_settled(&self) -> bool {
        matches!(self.stage, Stage::Plays | Stage::Waits)
    }

    /// Whether nothing was begun that only this process can go on with.
    pub fn is_quiet(&self) -> bool {
        self.is_settled() && self.gate.is_quiet() && self.sharers.are_quiet()
    }

    /// When something is due although nothing happens.
    pub fn due_at(&self) -> Option<Instant> {
        let prompt = self.in_line_since.map(|since| since + PROMPT);
        let login = match &self.logs_in {
            Some(again) => Some(again.deadline(&self.login)),
            None => self.watch.deadline(&self.login),
        };
        prompt.into_iter().chain(login).chain(self.undecided_until).chain(self.grace_ends()).min()
    }

    /// Who has come may be a crawler: its first line tells.
    pub fn expect_crawler(&mut self) {
        self.first = FirstLine::begin();
    }

    /// Whether a crawler has asked since the last time, and if it did so by a line.
    pub fn take_crawler(&mut self) -> Option<bool> {
        self.crawler.take()
    }

    /// The world, and what it has told of itself on this connection.
    pub fn mssp(&self) -> Option<(&str, &telnet::Mssp)> {
        self.told_mssp.then(|| (self.world.as_str(), self.bridge.mssp()))
    }

    /// What the world is told besides what the player's terminal says.
    fn bridge_terms(&self, compresses: bool) -> telnet::Terms {
        let tells = self.terms.real_address == RealAddress::Mnes;
        let address = tells.then(|| self.address.as_str().into());
        let compression = compresses && !self.is_plain;
        telnet::Terms { charsets: names::offered(self.terms.charset), address, compression, mssp: true }
    }

    fn choose_characters(&mut self, to: &Stack) {
        let player = match to.look().charset {
            crate::render::Charset::Utf8 => Charset::Utf8,
            crate::render::Charset::Latin1 => Charset::Latin1,
            crate::render::Charset::Ascii => Charset::Ascii,
        };
        let world = self.bridge.charset().and_then(names::charset).unwrap_or(self.terms.charset);
        if (self.inward.from(), self.inward.to()) != (world, player) {
            self.inward = Converter::new(world, player);
            self.outward = Converter::new(player, world);
            self.gate.set_escape(Escape::new(&self.escape).as_ref(), player);
        }
    }
}

/// How much of what another connection has shown last is shown by one that goes on in its place, bytes.
const ON_SCREEN: u64 = 2 << 10;

/// How often in a row the world may go while a player is being logged in again, before he does it himself.
const MOST_BROKEN: u8 = 3;

/// How long a world's proposals may wait for the player's terminal.
const UNDECIDED: Duration = Duration::from_millis(500);
