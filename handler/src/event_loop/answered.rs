//! What is known of sessions as long as they are there, whatever becomes of their links, because they may ask again: the answers to
//! changes in memory, who has answers on disk, and what is not answered yet. Part of the event loop.

use crate::flight::Flight;
use crate::state::journal::Settled;
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;
use std::sync::Arc;

/// Answers that may be asked for again.
#[derive(Debug, Default)]
pub struct Answered {
    /// To changes in memory, by session, in the order of their numbers.
    in_memory: HashMap<u64, VecDeque<Settled>>,
    /// Sessions that have asked for a change at this handler.
    changed: HashSet<u64>,
    /// What is not answered yet, by session.
    flights: HashMap<u64, Arc<Flight>>,
}

impl Answered {
    /// Those of a handler before this one.
    pub fn new(done: impl IntoIterator<Item = Settled>) -> Answered {
        let mut answered = Answered::default();
        done.into_iter().for_each(|settled| answered.add(settled));
        answered
    }

    /// One more answer.
    pub fn add(&mut self, settled: Settled) {
        let answers = self.in_memory.entry(settled.session).or_default();
        // A sound worker's come in order.
        let at = answers.partition_point(|other| other.request < settled.request);
        answers.insert(at, settled);
    }

    /// What a session's request came to.
    pub fn find(&self, session: u64, request: u64) -> Option<&Settled> {
        let settled = self.in_memory.get(&session)?;
        let at = settled.binary_search_by_key(&request, |settled| settled.request).ok()?;
        settled.get(at)
    }

    /// What a session has in flight.
    pub fn flight(&mut self, session: u64) -> Arc<Flight> {
        self.flights.entry(session).or_default().clone()
    }

    /// A session asks for a change.
    pub fn changes(&mut self, session: u64) {
        self.changed.insert(session);
    }

    /// A session has the answers up to this number.
    pub fn acknowledged(&mut self, session: u64, upto: u64) {
        let Some(settled) = self.in_memory.get_mut(&session) else { return };
        while settled.front().is_some_and(|first| first.request <= upto) {
            settled.pop_front();
        }
    }

    /// Only these sessions are still there.
    pub fn retain(&mut self, living: &std::collections::HashSet<u64>) {
        self.in_memory.retain(|session, _| living.contains(session));
        self.changed.retain(|session| living.contains(session));
        self.flights.retain(|session, _| living.contains(session));
    }

    /// A session has ended; gives whether it may have answers on disk.
    pub fn forget(&mut self, session: u64) -> bool {
        self.in_memory.remove(&session);
        self.flights.remove(&session);
        self.changed.remove(&session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_ipc::{Done, Reply};

    #[test]
    fn an_answer_is_there_until_it_is_acknowledged_or_its_session_ends() {
        let done = |session, request| Settled::new(session, request, &Reply::Done(Done {}), None);
        let mut answered = Answered::new([done(1, 4), done(2, 4), done(3, 4)]);
        answered.retain(&[1, 2].into());
        answered.add(done(1, 7));
        answered.changes(1);
        let there = |answered: &Answered| -> Vec<bool> {
            [(1, 4), (1, 7), (2, 4), (3, 4)].map(|(session, number)| answered.find(session, number).is_some()).into()
        };
        assert_eq!(there(&answered), [true, true, true, false]);
        answered.acknowledged(1, 6);
        assert_eq!(there(&answered), [false, true, true, false]);
        assert!(answered.forget(1) && !answered.forget(2));
        assert_eq!(there(&answered), [false; 4]);
    }
}
