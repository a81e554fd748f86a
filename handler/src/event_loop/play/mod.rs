//! Connections of players to worlds: made here, and passed on to workers, who can connect to nothing. Part of the event loop.

mod preamble;
mod wires;

use super::EventLoop;
use crate::link::ReplyTo;
use crate::state::plays::{Played, Stay, Wish, digest};
use crate::state::session::SessionRef;
use ssmglobal_config::play::WorldAddress;
use ssmglobal_ipc::frame::put_reply;
use ssmglobal_ipc::{Code, Done, Failure, PlayEnd, PlayHow, PlayStarted, PlayState, PlayVerdict, Reply, Secret, Time};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use wires::{Became, Wires};

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(3);

/// A world that accepts a connection and does not end it within this time is there.
const STAYS: Duration = Duration::from_secs(1);

/// Who has asked for something, and gets the answer when it is known.
pub(super) struct Asker {
    at: SessionRef,
    to: ReplyTo,
    session: u64,
}

/// What a connection is for.
pub(super) enum Purpose {
    /// A player's.
    Player { asker: Asker, world: Played, since: Time },
    /// To see whether a world is there, whose connections have ended.
    Verdict { askers: Vec<Asker>, world: Played },
}

/// Connections to worlds that the handler has.
pub(super) struct Play {
    pub wires: Wires<Purpose>,
}

impl Play {
    /// None yet.
    pub fn new(first: usize) -> Play {
        Play { wires: Wires::new(first) }
    }
}

impl EventLoop {
    /// Does what a worker wants of a world, or notes what it says.
    pub(super) fn play_wish(&mut self, at: SessionRef, to: &ReplyTo, wish: Wish) {
        let Some(session) = self.state.live(at).map(|session| session.number) else { return };
        let asker = Asker { at, to: to.clone(), session };
        match wish {
            Wish::Start { world, since, .. } => self.play_start(asker, world, since),
            Wish::Ended { world } => self.play_ended(asker, world),
            Wish::At { world, state, word, idle } => {
                let typed = self.now.checked_sub(Duration::from_secs(idle)).unwrap_or(self.now);
                let known = self.tickets.word(session, &world.key).filter(|own| digest(own) == digest(&word));
                let known = known.is_some_and(|word| {
                    self.state.plays.put(session, &world.key, Stay { state, word: digest(&word), typed })
                });
                let msg = format!("You are not at {}. PLAY {0} first.", world.name);
                let reply = if known { Reply::Done(Done {}) } else { Reply::fail(Code::NotFound, msg) };
                self.batch.reply(to, &reply);
            }
            Wish::Left { key } => {
                self.state.plays.leave(session, &key);
                self.batch.reply(to, &Reply::Done(Done {}));
            }
        }
    }

    fn play_start(&mut self, asker: Asker, world: Played, since: Time) {
        let Some(address) = world.terms.play.first().cloned() else {
            return self.play_started(&asker, &world, PlayHow::Waits, None);
        };
        if !self.play.wires.has_room() {
            let msg = "Too many are on their way to worlds. Try again in a moment.";
            return self.batch.reply(&asker.to, &Failure::new(Code::Busy, msg).into());
        }
        let purpose = Purpose::Player { asker, world, since };
        self.play.wires.dial(&self.registry, &address, purpose, CONNECTING, self.now);
    }

    fn play_ended(&mut self, asker: Asker, world: Played) {
        let Some(address) = world.terms.play.first().cloned().filter(|_| self.play.wires.has_room()) else {
            return self.play_verdict(&asker, &world, PlayEnd::Down);
        };
        let purpose = Purpose::Verdict { askers: vec![asker], world };
        self.play.wires.dial(&self.registry, &address, purpose, CONNECTING, self.now);
    }

    /// How long to wait at the most before something is to be done about a connection to a world.
    pub(super) fn play_due(&self) -> Option<Duration> {
        if self.play.wires.has_news() {
            return Some(Duration::ZERO);
        }
        self.play.wires.next_due().map(|due| due.saturating_duration_since(Instant::now()))
    }

    /// Does what connections have come to.
    pub(super) fn play_on(&mut self) {
        self.play.wires.look_after(&self.registry, self.now);
        while let Some((number, became)) = self.play.wires.next_news() {
            match self.play.wires.get(number).map(|wire| &wire.purpose) {
                Some(Purpose::Player { .. }) => self.player_wire(number, became),
                Some(Purpose::Verdict { .. }) => self.verdict_wire(number, became),
                None => {}
            }
        }
    }

    fn player_wire(&mut self, number: usize, became: Became) {
        let Some((fd, Purpose::Player { asker, world, since })) = self.play.wires.take(&self.registry, number) else {
            return;
        };
        let from = self.state.live(asker.at).and_then(|session| session.address);
        let to = match world.terms.play.first() {
            Some(WorldAddress::At(at)) => Some(*at),
            _ => None,
        };
        let preamble = preamble::of_player(world.terms.real_address, from, to, since);
        let fd = fd.filter(|_| became == Became::Open).filter(|fd| {
            // A fresh socket has room for some hundred bytes. Where it has not, nothing is waited for.
            preamble.is_empty() || ssmglobal_sys::write_now(fd, &preamble).is_ok_and(|count| count == preamble.len())
        });
        let how = if fd.is_some() { PlayHow::New } else { PlayHow::Waits };
        self.play_started(&asker, &world, how, fd);
    }

    fn verdict_wire(&mut self, number: usize, became: Became) {
        let end = match became {
            Became::Open => return self.play.wires.give_time(number, STAYS, self.now),
            Became::Failed(_) | Became::Ended => PlayEnd::Down,
            Became::Spoke | Became::Late => PlayEnd::Quit,
        };
        let Some((_, Purpose::Verdict { askers, world })) = self.play.wires.take(&self.registry, number) else {
            return;
        };
        for asker in &askers {
            self.play_verdict(asker, &world, end);
        }
    }

    fn play_verdict(&mut self, asker: &Asker, world: &Played, end: PlayEnd) {
        let verdict = PlayVerdict { world: world.name.to_string(), end };
        self.batch.reply(&asker.to, &Reply::PlayVerdict(verdict));
    }

    fn play_started(&mut self, asker: &Asker, world: &Played, how: PlayHow, fd: Option<OwnedFd>) {
        let word = self.tickets.word(asker.session, &world.key).unwrap_or_else(|| Secret::new(""));
        let state = if how == PlayHow::Waits { PlayState::Waits } else { PlayState::Plays };
        self.state.plays.put(asker.session, &world.key, Stay { state, word: digest(&word), typed: self.now });
        let terms = serde_json::to_string(&world.terms.for_workers()).unwrap_or_default();
        let started = PlayStarted { world: world.name.to_string(), terms, how, word };
        let to = &asker.to;
        to.link.put_with_fds(|out| put_reply(out, to.number, &Reply::PlayStarted(started)), fd.into_iter().collect());
        self.batch.is_answered(to);
    }
}
