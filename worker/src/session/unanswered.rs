//! Requests that the handler was asked and has not answered: kept until it does, and asked again when it has died
//! meanwhile. Runs in a worker; pure.

use serde::{Deserialize, Serialize};
use ssmglobal_ipc::Request;
use std::collections::VecDeque;
use std::time::Instant;

/// Handlers that may die over one request. Should it be the request that kills them, that must end.
const DEATHS: u8 = 5;

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Open {
    /// Its number on the link.
    pub number: u64,
    /// What was asked.
    pub request: Request,
    /// The client's own key for it.
    pub key: Option<Box<str>>,
    /// When it was asked.
    pub at: Instant,
    /// Handlers that have died since, without any answer.
    deaths: u8,
}

/// All of them, in the order of their numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Unanswered {
    /// The smallest number that was not used yet.
    next: u64,
    /// Quiet is only who waits for nothing.
    #[serde(skip)]
    open: VecDeque<Open>,
}

impl Default for Unanswered {
    fn default() -> Unanswered {
        Unanswered { next: 1, open: VecDeque::new() }
    }
}

impl Unanswered {
    /// A number for something that is asked.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Goes on behind one that has used all smaller numbers.
    pub fn from(next: u64) -> Unanswered {
        Unanswered { next: next.max(1), open: VecDeque::new() }
    }

    /// Whether nothing waits for an answer.
    pub fn is_quiet(&self) -> bool {
        let Unanswered { next: _, open } = self;
        open.is_empty()
    }

    /// Whether a crawler waits for its answer.
    pub fn has_crawler(&self) -> bool {
        self.open.iter().any(|open| matches!(open.request, Request::Mssp(_)))
    }

    /// The smallest number that was not used yet.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Takes note of a request that is being asked.
    pub fn add(&mut self, number: u64, request: Request, key: Option<&str>, at: Instant) {
        self.open.push_back(Open { number, request, key: key.map(Into::into), at, deaths: 0 });
    }

    /// All answers up to this number have come.
    pub fn acked(&self) -> u64 {
        self.open.front().map_or(self.next, |first| first.number).saturating_sub(1)
    }

    /// An answer has come; gives what it answers.
    pub fn answered(&mut self, number: u64) -> Option<Open> {
        let index = self.open.binary_search_by_key(&number, |open| open.number).ok()?;
        self.open.remove(index)
    }

    /// When the oldest of them was asked.
    pub fn since(&self) -> Option<Instant> {
        self.open.front().map(|first| first.at)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Open> {
        self.open.iter()
    }

    /// A handler that served and answered nothing has died; gives the numbers of requests that are given up, because too
    /// many have.
    pub fn died(&mut self) -> Vec<u64> {
        self.open.iter_mut().for_each(|open| open.deaths += 1);
        self.give_up(|open| open.deaths >= DEATHS)
    }

    /// No handler can be asked any more; gives the numbers of all.
    pub fn lost(&mut self) -> Vec<u64> {
        self.give_up(|_| true)
    }

    fn give_up(&mut self, which: impl Fn(&Open) -> bool) -> Vec<u64> {
        let numbers = self.open.iter().filter(|open| which(open)).map(|open| open.number).collect();
        self.open.retain(|open| !which(open));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(count: u64) -> Unanswered {
        let mut open = Unanswered::default();
        for _ in 0..count {
            let number = open.number();
            open.add(number, Request::Whoami, None, Instant::now());
        }
        open
    }

    #[test]
    fn what_is_acknowledged_is_everything_before_the_oldest_that_is_open() {
        let mut open = with(3);
        assert_eq!((open.acked(), open.next()), (0, 4));
        assert_eq!(open.answered(2).map(|open| open.number), Some(2));
        assert_eq!(open.acked(), 0);
        open.answered(1);
        assert_eq!(open.acked(), 2);
        open.answered(3);
        assert_eq!(open.acked(), 3);
        assert!(open.answered(3).is_none() && open.since().is_none());
    }

    #[test]
    fn a_request_over_which_one_handler_after_the_other_dies_is_given_up() {
        let mut open = with(2);
        for _ in 1..DEATHS {
            assert_eq!(open.died(), [0; 0]);
        }
        let number = open.number();
        open.add(number, Request::Whoami, None, Instant::now());
        assert_eq!(open.died(), [1, 2]);
        assert_eq!(open.iter().map(|open| open.number).collect::<Vec<_>>(), [3]);
        assert_eq!(open.lost(), [3]);
    }
}
