//! What is due of a world, and when: which of its addresses is tried, whose turn it is. Lives in the event loop; pure, the clock comes
//! from outside.

use super::{Act, Health, World};
use ssmglobal_config::play::FailBack;
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// A world that listens again is left to the first who has waited for so long, should nothing be heard of it: it may end what it
/// accepts.
const TRIAL: Duration = Duration::from_millis(250);

/// Who was called and has not come in this time is called again.
const CALLED: Duration = Duration::from_secs(10);

/// Nobody's turn is put off to be made up for later than this.
const BURST: Duration = Duration::from_millis(20);

/// Sessions that are called at once, at the most.
const AT_ONCE: usize = 256;

impl World {
    /// These sessions are to ask for another connection, one after the other.
    pub fn renew(&mut self, sessions: impl IntoIterator<Item = u64>) {
        self.renewing.extend(sessions);
    }

    /// Calls the first of those who wait.
    pub(super) fn call(&mut self, most: usize, now: Instant) {
        for _ in 0..most {
            let Some((_, session)) = self.waiting.pop_first() else { return };
            self.called.insert(session, now + CALLED);
            self.expected.push_back((now + CALLED, session));
            self.acts.push(Act::Call(session));
        }
    }

    fn step(&self) -> Duration {
        Duration::from_secs(1) / self.terms.rate.max(1)
    }

    /// Which addresses are tried again and again.
    fn probed(&self, now: Instant) -> Vec<usize> {
        let all = 0..self.places.len();
        match self.health {
            Health::Down(_) if self.count_waiting() == 0 && !self.is_watched => Vec::new(),
            Health::Down(_) if self.may_fail_over(now) => all.collect(),
            Health::Down(_) => vec![self.in_use],
            _ if self.by_hand || self.terms.failback == FailBack::Never => Vec::new(),
            // Whether a better one is there again.
            _ => (0..self.in_use).collect(),
        }
    }

    /// An address is not tried any more: what has come of it was said before.
    pub fn tried(&mut self, place: usize, now: Instant) {
        if let Some(it) = self.places.get_mut(place) {
            it.is_tried = false;
            it.next = now + it.pause(now);
        }
    }

    /// Does what is due, and gives what there is to do.
    pub fn take_acts(&mut self, now: Instant) -> Vec<Act> {
        if let Health::Trial { since, .. } = self.health
            && now >= since + TRIAL
        {
            let place = self.in_use;
            self.accepted(place, true, now);
        }
        for place in self.probed(now) {
            if let Some(it) = self.places.get_mut(place).filter(|it| !it.is_tried && it.next <= now) {
                it.is_tried = true;
                self.acts.push(Act::Probe(place));
            }
        }
        while let Some((until, session)) = self.expected.front().copied().filter(|(until, _)| *until <= now) {
            self.expected.pop_front();
            if self.called.get(&session) == Some(&until) {
                self.called.remove(&session);
                self.waiting.extend(self.typed.get(&session).map(|typed| (Reverse(*typed), session)));
            }
        }
        if let Health::Up(_) = self.health {
            self.call_due(now);
        }
        std::mem::take(&mut self.acts)
    }

    fn call_due(&mut self, now: Instant) {
        self.next_call = self.next_call.max(now.checked_sub(BURST).unwrap_or(now));
        for _ in 0..AT_ONCE {
            if self.next_call > now || (self.waiting.is_empty() && self.renewing.is_empty()) {
                return;
            }
            self.next_call += self.step();
            match self.renewing.pop_front() {
                Some(session) if self.waiting.is_empty() => self.acts.push(Act::Renew(session)),
                other => {
                    other.into_iter().for_each(|session| self.renewing.push_front(session));
                    self.call(1, now);
                }
            }
        }
    }

    /// When something is to be done next.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        if !self.acts.is_empty() {
            return Some(now);
        }
        let is_down = matches!(self.health, Health::Down(_));
        let failover = self.places.get(self.in_use).and_then(|place| place.failing);
        let failover = failover.filter(|_| is_down && !self.by_hand && self.count_waiting() > 0);
        let failover = failover.map(|since| since + Duration::from_secs(self.terms.failover_seconds));
        let trial = match self.health {
            Health::Trial { since, .. } => Some(since + TRIAL),
            _ => None,
        };
        let up = matches!(self.health, Health::Up(_));
        let turn = (up && !(self.waiting.is_empty() && self.renewing.is_empty())).then_some(self.next_call);
        let probes = self.probed(now).into_iter().filter_map(|place| self.places.get(place));
        let probes = probes.filter(|it| !it.is_tried).map(|it| it.next);
        let late = self.expected.front().map(|(until, _)| *until);
        let due = probes.chain(trial).chain(turn).chain(late).chain(failover.filter(|at| *at > now));
        due.min()
    }
}
