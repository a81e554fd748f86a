//! What is counted in the event loop: requests by their kind, and what the last minute was like. Part of the event loop.
//!
//! No timer does this: whatever is to be counted begins a turn, and a turn that begins long enough after the last mark makes
//! one.

use super::EventLoop;
use ssmglobal_ipc::Kind;
use ssmglobal_ipc::numbers::{Histogram, Recent};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How far back "recent" goes, in whole steps.
const MINUTE: Duration = Duration::from_secs(60);

/// Time between two marks.
const STEP: Duration = Duration::from_secs(10);

/// All counts as they were once.
#[derive(Clone, Debug)]
struct Mark {
    at: Instant,
    requests: u64,
    commits: u64,
    answers: Histogram,
}

/// What was counted.
#[derive(Debug)]
pub struct Counts {
    /// Requests that were begun.
    pub requests: u64,
    /// By the number of their kind.
    kinds: Vec<u64>,
    /// Passwords and keys that were good, and that were not.
    pub proofs: [u64; 2],
    /// Oldest first; never empty.
    marks: VecDeque<Mark>,
}

impl Counts {
    /// Nothing was counted yet.
    pub fn new(now: Instant) -> Counts {
        let kinds = Kind::ALL.last().map_or(0, |last| *last as usize + 1);
        let first = Mark { at: now, requests: 0, commits: 0, answers: Histogram::default() };
        Counts { requests: 0, kinds: vec![0; kinds], proofs: [0; 2], marks: [first].into() }
    }

    /// A request is begun.
    pub fn request(&mut self, kind: Kind) {
        self.requests += 1;
        if let Some(count) = self.kinds.get_mut(kind as usize) {
            *count += 1;
        }
    }

    /// A password or a key was tried.
    pub fn tried(&mut self, good: bool) {
        let [good_ones, bad_ones] = &mut self.proofs;
        *(if good { good_ones } else { bad_ones }) += 1;
    }

    /// Requests by the number of their kind; only those that there were.
    pub fn by_kind(&self) -> Vec<(u16, u64)> {
        let counted = |kind: &Kind| Some((*kind as u16, self.kinds.get(*kind as usize).copied()?));
        Kind::ALL.iter().filter_map(counted).filter(|(_, count)| *count > 0).collect()
    }

    fn is_due(&self, now: Instant) -> bool {
        self.marks.back().is_none_or(|last| now.saturating_duration_since(last.at) >= STEP)
    }

    fn mark(&mut self, now: Instant, commits: u64, answers: Histogram) {
        let last = self.marks.back().map_or(now, |last| last.at);
        // What has come since the last mark came within a step of it: what comes later makes a mark first.
        let mark = Mark { at: now.min(last + STEP), requests: self.requests, commits, answers };
        if mark.at < now {
            self.marks.push_back(mark.clone());
        }
        self.marks.push_back(Mark { at: now, ..mark });
        while self.marks.get(1).is_some_and(|second| now.saturating_duration_since(second.at) >= MINUTE) {
            self.marks.pop_front();
        }
    }

    /// What has come within the last minute.
    fn recent(&self, now: Instant, commits: u64, answers: &Histogram) -> Recent {
        let is_old = |mark: &&Mark| now.saturating_duration_since(mark.at) >= MINUTE;
        let Some(base) = self.marks.iter().rev().find(is_old).or(self.marks.front()) else { return Recent::default() };
        let time = now.saturating_duration_since(base.at).min(MINUTE + STEP);
        Recent {
            milliseconds: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            requests: self.requests - base.requests,
            commits: commits.saturating_sub(base.commits),
            answers: answers.since(&base.answers),
        }
    }
}

impl EventLoop {
    /// Looks at the clock for all that comes in this turn.
    pub(super) fn begin_turn(&mut self) {
        self.now = Instant::now();
        if self.counts.is_due(self.now) {
            let commits = self.shared.commits.load(Ordering::Relaxed);
            self.counts.mark(self.now, commits, self.shared.tally.histogram());
        }
    }

    /// All answers until now, and what the last minute was like.
    pub(super) fn answers(&self) -> (Histogram, Recent) {
        let (answers, commits) = (self.shared.tally.histogram(), self.shared.commits.load(Ordering::Relaxed));
        let recent = self.counts.recent(self.now, commits, &answers);
        (answers, recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests, so many at the beginning of each of these seconds.
    fn counted(seconds: &[(u64, u64)], until: u64) -> (u64, u64) {
        let start = Instant::now();
        let at = |second: u64| start + Duration::from_secs(second);
        let mut counts = Counts::new(start);
        let turn = |counts: &mut Counts, now| {
            if counts.is_due(now) {
                counts.mark(now, 0, Histogram::default());
            }
        };
        for (second, requests) in seconds {
            turn(&mut counts, at(*second));
            (0..*requests).for_each(|_| counts.request(Kind::Who));
        }
        turn(&mut counts, at(until));
        let recent = counts.recent(at(until), 0, &Histogram::default());
        assert!(counts.marks.len() < 16, "{}", counts.marks.len());
        (recent.requests, recent.milliseconds)
    }

    #[test]
    fn a_handler_that_has_just_started_counts_from_its_start() {
        assert_eq!(counted(&[(0, 4), (2, 6)], 5), (10, 5_000));
    }

    #[test]
    fn only_the_last_minute_counts() {
        let steady: Vec<(u64, u64)> = (0..1000).map(|second| (second, 3)).collect();
        assert_eq!(counted(&steady, 1000), (180, 60_000));
    }

    #[test]
    fn what_came_before_a_long_silence_does_not_count() {
        assert_eq!(counted(&[(0, 5), (9, 5)], 600), (0, 70_000));
        assert_eq!(counted(&[(0, 5), (9, 5), (590, 7)], 600), (7, 70_000));
    }

    #[test]
    fn each_kind_is_counted_by_its_number() {
        let mut counts = Counts::new(Instant::now());
        [Kind::Who, Kind::SetMode, Kind::Who].into_iter().for_each(|kind| counts.request(kind));
        assert_eq!(counts.by_kind(), [(1, 1), (15, 2)]);
        let all: Vec<u16> = Kind::ALL.iter().map(|kind| *kind as u16).collect();
        Kind::ALL.iter().for_each(|kind| counts.request(*kind));
        assert_eq!(counts.by_kind().into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(), all);
    }
}
