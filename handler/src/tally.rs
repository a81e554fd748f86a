//! How long answers took, counted by whoever has one ready: the event loop and the other threads. Cheap, since it is on the way of
//! every request: who answers many at once looks at the clock once.

use ssmglobal_ipc::numbers::{BUCKETS, Histogram, bucket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// From a request's arrival until its answer was ready.
#[derive(Debug)]
pub struct Tally {
    counts: [AtomicU64; BUCKETS],
    /// Microseconds.
    sum: AtomicU64,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { counts: [const { AtomicU64::new(0) }; BUCKETS], sum: AtomicU64::new(0) }
    }
}

impl Tally {
    /// So many took so long.
    fn add(&self, took: Duration, count: u64) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(counted) = self.counts.get(bucket(microseconds)) {
            counted.fetch_add(count, Ordering::Relaxed);
        }
        self.sum.fetch_add(microseconds.saturating_mul(count), Ordering::Relaxed);
    }

    /// All until now.
    pub fn histogram(&self) -> Histogram {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Histogram { counts, sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// Answers that are ready and not counted yet.
#[derive(Debug, Default)]
pub struct Ready {
    /// Since when, and how many in a row: those that came together were read together.
    runs: Vec<(Instant, u64)>,
}

impl Ready {
    /// One more, to what has come then.
    pub fn one(&mut self, since: Instant) {
        match self.runs.last_mut() {
            Some((then, count)) if *then == since => *count += 1,
            _ => self.runs.push((since, 1)),
        }
    }

    /// They are ready now.
    pub fn count(&mut self, tally: &Tally) {
        if self.runs.is_empty() {
            return;
        }
        let now = Instant::now();
        for (since, count) in self.runs.drain(..) {
            tally.add(now.saturating_duration_since(since), count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_counts_once_with_its_own_time() {
        let (tally, now) = (Tally::default(), Instant::now());
        let long_ago = now.checked_sub(Duration::from_secs(100)).unwrap();
        let mut ready = Ready::default();
        [long_ago, long_ago, now, long_ago].into_iter().for_each(|since| ready.one(since));
        ready.count(&tally);
        ready.count(&tally);
        let histogram = tally.histogram();
        assert_eq!((histogram.count(), histogram.counts.last().copied()), (4, Some(3)));
        assert!(histogram.sum >= 300_000_000, "{}", histogram.sum);
    }
}
