//! How the backend does, in plain numbers: what the handler tells the operator's command and the worker of the metrics' door.
//! How they are shown, and called for Prometheus, is no business of this. Used in handler, worker and the operator's command;
//! pure.

use crate::ctl::Status;
use serde::{Deserialize, Serialize};

/// The bounds of a [`Histogram`]'s buckets, in microseconds, each inclusive: ten in a decade, from 10 µs to 10 s. What is
/// longer falls into one more bucket. Never changed: programs of other versions count on them.
pub const BOUNDS: [u64; 61] = [
    10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 125, 160, 200, 250, 320, 400, 500, 630, 800, 1_000, 1_250, 1_600,
    2_000, 2_500, 3_200, 4_000, 5_000, 6_300, 8_000, 10_000, 12_500, 16_000, 20_000, 25_000, 32_000, 40_000, 50_000,
    63_000, 80_000, 100_000, 125_000, 160_000, 200_000, 250_000, 320_000, 400_000, 500_000, 630_000, 800_000,
    1_000_000, 1_250_000, 1_600_000, 2_000_000, 2_500_000, 3_200_000, 4_000_000, 5_000_000, 6_300_000, 8_000_000,
    10_000_000,
];

/// How many buckets there are.
pub const BUCKETS: usize = BOUNDS.len() + 1;

/// The bucket of a time in microseconds.
pub fn bucket(microseconds: u64) -> usize {
    BOUNDS.partition_point(|bound| *bound < microseconds)
}

/// Times, counted by how long they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// How many fell into each bucket: [`BUCKETS`] numbers.
    pub counts: Vec<u64>,
    /// All of them together, in microseconds.
    pub sum: u64,
}

impl Histogram {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What has come since; `before` is what this was then. Nothing where it began anew meanwhile.
    pub fn since(&self, before: &Histogram) -> Histogram {
        let then = |index: usize| before.counts.get(index).copied().unwrap_or(0);
        let counts = self.counts.iter().enumerate().map(|(index, now)| now.saturating_sub(then(index))).collect();
        Histogram { counts, sum: self.sum.saturating_sub(before.sum) }
    }

    /// A time in microseconds that so many of a thousand do not exceed, as exactly as the buckets tell: a tenth of a decade.
    /// Nothing where there are none.
    pub fn quantile(&self, per_mille: u64) -> Option<u64> {
        let count = self.count();
        let wanted = (u128::from(count) * u128::from(per_mille)).div_ceil(1000).max(1);
        let mut seen = 0;
        for (index, in_it) in self.counts.iter().enumerate() {
            let before = seen;
            seen += u128::from(*in_it);
            if seen < wanted {
                continue;
            }
            let last = BOUNDS.last().copied().unwrap_or(0);
            let above = BOUNDS.get(index).copied().unwrap_or(last);
            let below = index.checked_sub(1).and_then(|index| BOUNDS.get(index)).copied().unwrap_or(0);
            // As if those in the bucket lay evenly in it.
            let part = u128::from(above - below) * (wanted - before) / u128::from((*in_it).max(1));
            return Some(below + u64::try_from(part).unwrap_or(0));
        }
        None
    }
}

/// What has come within the last minute, or since the handler's start where that was later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// How long that is.
    pub milliseconds: u64,
    /// Requests that were begun.
    pub requests: u64,
    /// Transactions that were committed.
    pub commits: u64,
    /// From a request's arrival until its answer was ready.
    pub answers: Histogram,
}

/// What waits in the handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queues {
    /// Jobs of the writer, with those that it is at.
    pub writer: u64,
    /// Jobs of the readers.
    pub readers: u64,
    /// Passwords to be hashed, with those that are just hashed.
    pub hashing: u64,
    /// Requests that wait for others of their own session.
    pub sessions: u64,
    /// Workers that do not take what they are told as fast as it comes.
    pub outboxes: u64,
    /// Bytes that wait for them.
    pub outbox_bytes: u64,
}

/// What the kernel says of the processes and of the disk; nothing where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Memory of the handler, bytes.
    pub handler_bytes: Option<u64>,
    /// Memory of the listener, bytes.
    pub listener_bytes: Option<u64>,
    /// What all workers have of their own, page tables among it, bytes: as many as there are times what some of them have.
    /// Where the handler may not look into them, without what they have changed in the memory that they began with.
    pub workers_bytes: Option<u64>,
    /// Processor time of the handler, milliseconds.
    pub handler_cpu_ms: Option<u64>,
    /// Descriptors that the handler has open.
    pub handler_fds: Option<u64>,
    /// And may have.
    pub handler_fds_max: Option<u64>,
    /// The write-ahead log beside the database, bytes; 0 while there is none.
    pub wal_bytes: u64,
    /// What the database's file system has left for the handler's user, bytes.
    pub disk_free_bytes: Option<u64>,
}

/// Lines of the log since the handler's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLines {
    /// By level: error, warn, info, debug, trace.
    pub written: [u64; 5],
    /// That were left out, because whoever reads the log was too slow.
    pub lost: u64,
}

/// Worlds that are counted apart, at the most: the first by name.
pub const WORLDS: usize = 256;

/// How a world does that is played through us. It does not say where that is: workers get to see this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldNumbers {
    /// Its name, as it is written.
    pub world: String,
    /// Whether it is there; nothing while nobody has come to it.
    pub up: Option<bool>,
    /// How many play.
    pub playing: u64,
    /// How many wait for it.
    pub waiting: u64,
    /// How many games are kept for players whose own connections are broken.
    pub alone: u64,
    /// How often it went down, since the handler's start.
    pub downs: u64,
    /// How often a player was connected with it again after it was down, since the handler's start.
    pub returns: u64,
}

/// How it all is, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// Who there is, and whether changes can be saved.
    pub status: Status,
    /// From a request's arrival until its answer was ready, since the handler's start.
    pub answers: Histogram,
    /// Within the last minute.
    pub recent: Recent,
    /// Requests since the handler's start, by the number of their kind; only those that there were.
    pub kinds: Vec<(u16, u64)>,
    /// Passwords and keys that were tried since the handler's start, and were good.
    pub proofs_good: u64,
    /// And were not.
    pub proofs_bad: u64,
    /// What waits.
    pub queues: Queues,
    /// What the kernel says.
    pub machine: Machine,
    /// What was logged.
    pub log: LogLines,
    /// Handlers that have died since the listener's start.
    pub deaths: u64,
    /// Worlds that are played through us, by name, [`WORLDS`] at the most. Travels behind all else: see
    /// [`Answer::put`](crate::ctl::Answer::put).
    #[serde(skip)]
    pub worlds: Vec<WorldNumbers>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(times: &[u64]) -> Histogram {
        let mut counts = vec![0; BUCKETS];
        times.iter().for_each(|time| counts[bucket(*time)] += 1);
        Histogram { counts, sum: times.iter().sum() }
    }

    #[test]
    fn bounds_rise_and_belong_to_the_bucket_below() {
        assert!(BOUNDS.is_sorted_by(|one, other| one < other));
        assert_eq!([0, 10, 11, 10_000_000, 10_000_001, u64::MAX].map(bucket), [0, 0, 1, 60, 61, 61]);
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!((of(&[]).quantile(500), Histogram::default().quantile(990)), (None, None));
    }

    #[test]
    fn what_is_longer_than_all_bounds_counts_as_the_last_one() {
        assert_eq!(of(&[60_000_000]).quantile(500), Some(10_000_000));
    }

    #[test]
    fn what_was_before_is_taken_off() {
        let (before, now) = (of(&[5, 700]), of(&[5, 700, 90_000]));
        assert_eq!(now.since(&before), of(&[90_000]));
        // It has begun anew.
        assert_eq!(before.since(&now).count(), 0);
    }

    proptest! {
        #[test]
        fn a_quantile_is_a_tenth_of_a_decade_off_at_the_most(
            mut times in prop::collection::vec(10u64..10_000_000, 1..200), per_mille in 1u64..1000,
        ) {
            let found = of(&times).quantile(per_mille).unwrap() as f64;
            times.sort_unstable();
            let exact = times[(times.len() as u64 * per_mille).div_ceil(1000).max(1) as usize - 1] as f64;
            prop_assert!(found >= exact * 0.75 && found <= exact * 1.34, "{found} is not {exact}");
        }
    }
}
