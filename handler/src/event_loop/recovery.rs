//! After a death of the handler: what the one before has left, and the wait until all sessions are back that were here. Nothing that
//! sees or tells others is done before, so that nobody sees a list without somebody who never left, or is told that a neighbour
//! is not there. Part of the event loop.

use super::{DYING, EventLoop};
use crate::lock::{lock, read};
use crate::state::journal::{Entry, Present, Recovered, Settled};
use crate::state::logins::{Ended, Login};
use crate::state::mirror_rows::{KeptMirror, UserRow, WorldRow};
use crate::state::news::News;
use crate::state::online::Seat;
use crate::state::session::SessionRef;
use crate::state::worlds::{StatusId, World};
use mio::unix::SourceFd;
use mio::{Interest, Registry};
use nix::unistd::getpid;
use ssmglobal_ipc::{Event, Time};
use ssmglobal_store::Principal;
use ssmglobal_sys::{Process, started_at};
use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// Who is not back after this time is not waited for any longer. It begins when the handlers before this one are dead: as long as
/// the kernel has not closed a link, its worker knows of nothing.
const PATIENCE: Duration = Duration::from_millis(250);

/// The wait, and what was left.
pub struct Recovery {
    /// What the handler before this one has left, as far as it was not taken yet.
    found: Recovered,
    /// Sessions that are to come back before anything is answered.
    expected: HashSet<u64>,
    /// Handlers before this one that are not dead yet, by process id. On a machine with much to do that may take seconds.
    dying: Vec<(i32, Process)>,
    /// Until when they are waited for; nothing when that is over.
    until: Option<Instant>,
    /// It is known whom to wait for. Before, what was left is not taken over, and nobody could be told of an end.
    has_begun: bool,
    /// What the handler before this one has not told any more, and the row that it ends with.
    undelivered: (Vec<News>, i64),
    /// What is to be told when they are back, by the rows of its transactions.
    held_back: Vec<(i64, Vec<News>)>,
    /// Who has logged in again over the death, and who he was before: what follows from that for others waits as well.
    pub came_in: Vec<(SessionRef, Option<Principal>, Principal)>,
    /// Logins that it has ended, by session and since when: they are counted when it is known that it has not.
    uncounted: Vec<(u64, Time)>,
}

impl Recovery {
    /// Of what the journal holds.
    pub fn new(found: Recovered) -> Recovery {
        // Without a descriptor it is taken for dead, which it mostly is.
        let open = |(pid, started): &(i32, u64)| Some((*pid, Process::open_started(*pid, *started).ok()?));
        let dying = found.handlers.iter().filter_map(open).filter(|(_, process)| !process.has_ended()).collect();
        let (expected, until, held_back, uncounted) = (HashSet::new(), None, Vec::new(), Vec::new());
        let (undelivered, came_in) = ((Vec::new(), 0), Vec::new());
        Recovery { found, expected, dying, until, has_begun: false, undelivered, held_back, came_in, uncounted }
    }

    /// Lists that clients mirror.
    pub fn take_mirrors(&mut self) -> (Option<KeptMirror<WorldRow>>, Option<KeptMirror<UserRow>>) {
        std::mem::take(&mut self.found.mirrors)
    }

    /// Lets the event loop know when one of the handlers before this one is dead.
    ///
    /// # Errors
    /// The kernel's.
    pub fn watch_dying(&self, registry: &Registry) -> io::Result<()> {
        self.dying.iter().try_for_each(|(_, process)| {
            registry.register(&mut SourceFd(&process.as_raw_fd()), DYING, Interest::READABLE)
        })
    }

    /// A handler before this one is dead: its workers know now that their links have ended.
    pub fn one_is_dead(&mut self) {
        self.dying.retain(|(_, process)| !process.has_ended());
        if let Some(until) = self.until.as_mut().filter(|_| self.dying.is_empty()) {
            *until = Instant::now() + PATIENCE;
        }
    }

    /// Whether this is a handler before this one that is not dead yet.
    pub fn is_dying(&self, pid: i32) -> bool {
        self.dying.iter().any(|(other, _)| *other == pid)
    }

    /// Begins to wait for these sessions.
    fn expect(&mut self, sessions: HashSet<u64>) {
        self.until = (!sessions.is_empty()).then(|| Instant::now() + PATIENCE);
        (self.expected, self.has_begun) = (sessions, true);
    }

    /// Whether nobody is waited for any longer.
    fn is_over(&self, now: Instant) -> bool {
        self.expected.is_empty() || (self.dying.is_empty() && self.until.is_none_or(|until| now >= until))
    }

    /// What requests came to that left nothing on disk.
    pub fn take_done(&mut self) -> impl Iterator<Item = Settled> + use<> {
        std::mem::take(&mut self.found.done).into_values()
    }

    /// Whether sessions are waited for, or it is not known yet whether any are.
    pub fn is_on(&self) -> bool {
        !self.has_begun || self.until.is_some()
    }

    /// Whether anybody who was here is not back, however long that takes.
    pub fn misses_somebody(&self) -> bool {
        self.is_on() || !self.expected.is_empty()
    }

    /// How long to wait at the most; nothing as long as something else ends the wait.
    pub fn ends(&self) -> Option<Duration> {
        let until = self.until.filter(|_| self.dying.is_empty());
        until.map(|until| until.saturating_duration_since(Instant::now()))
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
        let pid = getpid().as_raw();
        if let Ok(started) = started_at(pid) {
            self.journal.append(&Entry::Handler { pid, started });
        }
        let backlog = self.shared.settings().relay.backlog;
        for channel in std::mem::take(&mut self.recovery.found.channels) {
            if let Err(error) = self.state.bus.restore(channel, backlog) {
                log::error!("a relay channel cannot be taken over: {error}");
            }
        }
        // Whoever is back until all are keeps what he has.
        self.state.departed.extend(read(&self.shared.memory.temporary_properties).keys());
        self.state.worlds.were_upto(StatusId(self.recovery.found.last_world));
        self.state.passes.restore(std::mem::take(&mut self.recovery.found.passes), Time::now());
        for (id, visitor) in std::mem::take(&mut self.recovery.found.visitors) {
            self.state.visitors.put(id, visitor);
        }
        for (world, events) in std::mem::take(&mut self.recovery.found.host_backlog) {
            events.into_iter().for_each(|event| self.state.host_backlog.put(world, event));
        }
        let hostings = std::mem::take(&mut self.recovery.found.hostings);
        self.take_over_hostings(hostings);
        for settled in std::mem::take(&mut self.recovery.found.keyed) {
            self.keep_key(&settled);
        }
        self.recovery.undelivered = {
            let mut kept = lock(&self.shared.kept);
            kept.were_upto(self.recovery.found.news_delivered);
            kept.news_delivered(self.recovery.found.news_delivered);
            (kept.undelivered(self.recovery.found.news_delivered), kept.newest())
        };
        let linked = std::mem::take(&mut self.recovery.found.linked);
        let here = self.workers.children.values().map(|client| client.session);
        let by_session = &self.workers.by_session;
        // The others came while the listener's word was read.
        let expected = here.filter(|session| linked.contains(session) && !by_session.contains_key(session));
        self.recovery.expect(expected.collect());
        if !self.recovery.is_on() {
            self.all_are_back();
        }
    }

    /// Goes on when all are back.
    pub(super) fn end_recovery(&mut self) {
        if !self.recovery.is_on() || !self.recovery.is_over(Instant::now()) {
            return;
        }
        if !self.recovery.expected.is_empty() {
            log::info!("{} sessions have not come back yet", self.recovery.expected.len());
        }
        self.recovery.until = None;
        self.all_are_back();
        for slot in self.state.slots() {
            self.resume(slot);
        }
        self.resume_operators();
    }

    /// What has waited until all are there who are to hear it.
    fn all_are_back(&mut self) {
        self.begin_lists();
        self.tell_undelivered();
        for (at, was, who) in std::mem::take(&mut self.recovery.came_in) {
            self.has_come_in(at, was, who);
        }
        self.were_closed();
    }

    /// Tells what the handler before this one has done and not come to tell, and what this one has held back.
    fn tell_undelivered(&mut self) {
        let (news, newest) = std::mem::take(&mut self.recovery.undelivered);
        if !news.is_empty() {
            self.deliver_news(newest, news);
        }
        for (row, news) in std::mem::take(&mut self.recovery.held_back) {
            self.deliver_news(row, news);
        }
        let left = std::mem::take(&mut self.recovery.uncounted);
        self.count_left(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn patience_begins_when_the_handlers_before_are_dead() {
        let mut before = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = before.id().cast_signed();
        let started = started_at(pid).unwrap();
        // One that is dead long since had the same number.
        let handlers = vec![(pid, started + 1), (pid, started)];
        let mut recovery = Recovery::new(Recovered { handlers, ..Recovered::default() });
        assert_eq!(recovery.dying.len(), 1);
        assert!(recovery.is_on(), "nobody is told of anything before what was left is taken over");
        recovery.expect([7].into());
        // However long it takes.
        assert!(recovery.is_on() && recovery.is_dying(pid) && recovery.ends().is_none());
        assert!(!recovery.is_over(Instant::now() + 100 * PATIENCE));
        before.kill().unwrap();
        before.wait().unwrap();
        let now = Instant::now();
        recovery.one_is_dead();
        assert!(!recovery.is_dying(pid) && recovery.ends().is_some_and(|wait| wait <= PATIENCE));
        assert!(!recovery.is_over(now) && recovery.is_over(Instant::now() + PATIENCE));
        // Whoever was waited for is back.
        recovery.returned(7);
        assert!(recovery.is_over(now));
    }
}
