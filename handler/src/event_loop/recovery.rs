//! After a death of the handler: what the one before has left, and the wait until all sessions are back that were here. Nothing that
//! sees or tells others is done before, so that nobody sees a list without somebody who never left, or is told that a neighbour
//! is not there. Part of the event loop.

use super::EventLoop;
use crate::lock::{lock, read};
use crate::state::journal::{Present, Recovered, Settled};
use crate::state::logins::{Ended, Login};
use crate::state::mirrored::{KeptMirror, UserRow, WorldRow};
use crate::state::news::News;
use crate::state::online::Seat;
use crate::state::worlds::{StatusId, World};
use ssmglobal_ipc::{Event, Time};
use ssmglobal_store::Principal;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Who is not back after this time is not waited for any longer.
const PATIENCE: Duration = Duration::from_millis(250);

/// The wait, and what was left.
pub struct Recovery {
    /// What the handler before this one has left, as far as it was not taken yet.
    found: Recovered,
    /// Sessions that are to come back before anything is answered.
    expected: HashSet<u64>,
    /// Until when they are waited for; nothing when that is over.
    until: Option<Instant>,
    /// What the handler before this one has not told any more, and the row that it ends with.
    untold: (Vec<News>, i64),
    /// What is to be told when they are back, by the rows of its transactions.
    held_back: Vec<(i64, Vec<News>)>,
    /// Logins that it has ended, by session and since when: they are counted when it is known that it has not.
    uncounted: Vec<(u64, Time)>,
}

impl Recovery {
    /// Of what the journal holds.
    pub fn new(found: Recovered) -> Recovery {
        let (untold, held_back, uncounted) = ((Vec::new(), 0), Vec::new(), Vec::new());
        Recovery { found, expected: HashSet::new(), until: None, untold, held_back, uncounted }
    }

    /// Lists that clients mirror.
    pub fn take_mirrors(&mut self) -> (Option<KeptMirror<WorldRow>>, Option<KeptMirror<UserRow>>) {
        std::mem::take(&mut self.found.mirrors)
    }

    /// What requests came to that left nothing on disk.
    pub fn take_done(&mut self) -> impl Iterator<Item = Settled> + use<> {
        std::mem::take(&mut self.found.done).into_values()
    }

    /// Whether sessions are waited for.
    pub fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// Whether anybody who was here is not back, however long that takes.
    pub fn misses_somebody(&self) -> bool {
        self.is_on() || !self.expected.is_empty()
    }

    /// How long to wait at the most.
    pub fn ends(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Up to when tickets of sessions hold no longer.
    pub fn take_revoked(&mut self) -> HashMap<u64, Time> {
        std::mem::take(&mut self.found.revoked)
    }

    /// Up to which numbers answers to sessions' requests prove nothing any more.
    pub fn take_voided(&mut self) -> HashMap<u64, u64> {
        std::mem::take(&mut self.found.voided)
    }

    /// Sessions that were logged in.
    pub fn take_logins(&mut self) -> impl Iterator<Item = (u64, Login)> + use<> {
        std::mem::take(&mut self.found.logins).into_iter()
    }

    /// Logins that have ended, which may be counted or not.
    pub fn take_ended(&mut self) -> impl Iterator<Item = Ended> + use<> {
        let ended = std::mem::take(&mut self.found.ended);
        self.uncounted = ended.keys().copied().collect();
        ended.into_values()
    }

    /// A session is back; gives the pushes that may not have left, with their numbers.
    pub fn returned(&mut self, session: u64) -> Vec<(u64, Event)> {
        self.expected.remove(&session);
        self.found.pushes.remove(&session).unwrap_or_default()
    }

    /// A session will not come back.
    pub fn is_gone(&mut self, session: u64) {
        self.expected.remove(&session);
    }

    /// Whether a session is waited for.
    pub fn expects(&self, session: u64) -> bool {
        self.expected.contains(&session)
    }

    /// Worlds that a session hosts: what it has said of them is still true.
    pub fn worlds_of(&mut self, session: u64) -> Vec<(StatusId, World)> {
        self.found.worlds.remove(&session).unwrap_or_default()
    }

    /// Who is there, as was said.
    pub fn stays_of(&mut self, seat: Seat) -> Vec<Present> {
        self.found.stays.remove(&seat).unwrap_or_default()
    }

    /// Whether a stay is still to be taken over.
    pub fn has_stay(&self, who: Principal, seat: Seat) -> bool {
        self.found.stays.get(&seat).is_some_and(|stays| stays.iter().any(|(other, ..)| *other == who))
    }

    /// Whether a world is still to be taken over.
    pub fn has_world(&self, id: StatusId) -> bool {
        self.found.worlds.values().flatten().any(|(other, _)| *other == id)
    }

    /// News that wait until all are back.
    pub fn hold_back(&mut self, row: i64, news: Vec<News>) {
        self.held_back.push((row, news));
    }
}

impl EventLoop {
    /// Takes over what was left, and begins to wait for those who were linked.
    pub(super) fn begin_recovery(&mut self) {
        let backlog = self.shared.settings().relay.backlog;
        for channel in std::mem::take(&mut self.recovery.found.channels) {
            if let Err(error) = self.state.bus.restore(channel, backlog) {
                log::error!("a relay channel cannot be taken over: {error}");
            }
        }
        // Whoever is back until all are keeps what he has.
        self.state.left.extend(read(&self.shared.memory.while_on).keys());
        self.state.worlds.were_upto(StatusId(self.recovery.found.last_world));
        self.state.passes.restore(std::mem::take(&mut self.recovery.found.passes), Time::now());
        for (id, visitor) in std::mem::take(&mut self.recovery.found.visitors) {
            self.state.visitors.put(id, visitor);
        }
        let hostings = std::mem::take(&mut self.recovery.found.hostings);
        self.take_over_hostings(hostings);
        for settled in std::mem::take(&mut self.recovery.found.keyed) {
            self.keep_key(&settled);
        }
        self.recovery.untold = {
            let mut kept = lock(&self.shared.kept);
            kept.were_upto(self.recovery.found.told);
            kept.told(self.recovery.found.told);
            (kept.untold(self.recovery.found.told), kept.newest())
        };
        let linked = std::mem::take(&mut self.recovery.found.linked);
        let here = self.workers.children.values().map(|client| client.session);
        let by_session = &self.workers.by_session;
        // The others came while the listener's word was read.
        self.recovery.expected =
            here.filter(|session| linked.contains(session) && !by_session.contains_key(session)).collect();
        self.recovery.until = (!self.recovery.expected.is_empty()).then(|| Instant::now() + PATIENCE);
        if !self.recovery.is_on() {
            self.begin_lists();
            self.tell_untold();
        }
    }

    /// Goes on when all are back.
    pub(super) fn end_recovery(&mut self) {
        let Some(until) = self.recovery.until else { return };
        if !self.recovery.expected.is_empty() && Instant::now() < until {
            return;
        }
        if !self.recovery.expected.is_empty() {
            log::info!("{} sessions have not come back yet", self.recovery.expected.len());
        }
        self.recovery.until = None;
        self.begin_lists();
        self.tell_untold();
        for slot in self.state.slots() {
            self.resume(slot);
        }
        self.resume_operators();
    }

    /// Tells what the handler before this one has done and not come to tell, and what this one has held back.
    fn tell_untold(&mut self) {
        let (news, newest) = std::mem::take(&mut self.recovery.untold);
        if !news.is_empty() {
            self.hear(newest, news);
        }
        for (row, news) in std::mem::take(&mut self.recovery.held_back) {
            self.hear(row, news);
        }
        let left = std::mem::take(&mut self.recovery.uncounted);
        self.count_left(left);
    }
}
