//! How often one and the same takes something over from itself: two programs that do it again and again have the same name and do not
//! know of each other. Lives in the event loop; the clock comes from outside.

use super::window::Window;
use hashbrown::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// So often within [`LENGTH`].
const MOST: u32 = 5;

/// The time in which [`MOST`] are counted.
const LENGTH: Duration = Duration::from_secs(60);

/// Of so many it is counted. Beyond that the count begins anew.
const COUNTED: usize = 10_000;

/// Counts of takeovers.
#[derive(Debug)]
pub struct Takeovers<K> {
    counts: HashMap<K, Window>,
}

impl<K> Default for Takeovers<K> {
    fn default() -> Takeovers<K> {
        Takeovers { counts: HashMap::new() }
    }
}

impl<K: Hash + Eq + Copy> Takeovers<K> {
    /// How long to wait before the next one.
    pub fn wait(&self, key: K, now: Instant) -> Duration {
        self.counts.get(&key).map_or(Duration::ZERO, |window| window.wait(now, MOST, LENGTH))
    }

    /// Counts one more takeover.
    pub fn add(&mut self, key: K, now: Instant) {
        if self.counts.len() >= COUNTED && !self.counts.contains_key(&key) {
            self.counts.retain(|_, window| now.saturating_duration_since(window.began()) < LENGTH);
            if self.counts.len() >= COUNTED {
                self.counts.clear();
            }
        }
        self.counts.entry(key).or_insert_with(|| Window::new(now)).add(now, LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_take_over_from_each_other_are_slowed_down() {
        let (mut takeovers, now) = (Takeovers::default(), Instant::now());
        for second in 0..5 {
            let now = now + Duration::from_secs(second);
            assert_eq!(takeovers.wait('a', now), Duration::ZERO);
            takeovers.add('a', now);
        }
        let later = now + Duration::from_secs(20);
        assert_eq!((takeovers.wait('a', later), takeovers.wait('b', later)), (Duration::from_secs(40), Duration::ZERO));
        assert_eq!(takeovers.wait('a', now + LENGTH), Duration::ZERO);
    }
}
