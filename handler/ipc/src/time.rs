//! A moment, in every process.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01 UTC; between processes a number, in JSON and for people `2026-01-31T20:15:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl Time {
    /// The wall clock's present moment.
    pub fn now() -> Time {
        Time(Timestamp::now().as_millisecond())
    }

    /// Whole seconds from `self` to `later`; 0 when `later` is earlier.
    pub fn seconds_until(self, later: Time) -> u64 {
        u64::try_from(later.0.saturating_sub(self.0) / 1000).unwrap_or(0)
    }
}

impl std::fmt::Display for Time {
    /// With seconds, always UTC.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Timestamp::from_second(self.0.div_euclid(1000)) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => f.write_str("-"),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let time: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
            Ok(Time(time.as_millisecond()))
        } else {
            i64::deserialize(deserializer).map(Time)
        }
    }
}
