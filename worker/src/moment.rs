//! A point in time that a session takes along to another process: put away as how long ago it was. Runs in a worker.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Deref;
use std::time::{Duration, Instant};

/// When something was, by a clock that nobody sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Instant);

impl Moment {
    /// The present one.
    pub fn now() -> Moment {
        Moment(Instant::now())
    }
}

impl Default for Moment {
    fn default() -> Moment {
        Moment::now()
    }
}

impl From<Instant> for Moment {
    fn from(at: Instant) -> Moment {
        Moment(at)
    }
}

impl Deref for Moment {
    type Target = Instant;

    fn deref(&self) -> &Instant {
        &self.0
    }
}

impl Serialize for Moment {
    /// As milliseconds that have passed since.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Moment, D::Error> {
        Ok(Moment::ago(u64::deserialize(from)?))
    }
}

impl Moment {
    /// So many milliseconds ago; now, where that was before the machine was started.
    pub fn ago(milliseconds: u64) -> Moment {
        let now = Instant::now();
        Moment(now.checked_sub(Duration::from_millis(milliseconds)).unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_as_long_ago_as_it_was() {
        let before = Moment::ago(61_000);
        let written = serde_json::to_string(&before).unwrap();
        let read: Moment = serde_json::from_str(&written).unwrap();
        let apart = read.duration_since(*before).max(before.duration_since(*read));
        assert!(apart < Duration::from_secs(10), "{apart:?}");
        assert!(read.elapsed() >= Duration::from_secs(61));
        let long: Moment = serde_json::from_str("18446744073709551615").unwrap();
        assert!(long <= before, "nothing that can be written is out of reach");
    }
}
