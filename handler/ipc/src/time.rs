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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The first and the last second that can be shown, whatever the time zone of who looks.
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_207_200;

    #[test]
    fn people_see_seconds() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (999, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_769_890_500_123, "2026-01-31T20:15:00Z"),
            (FIRST * 1000, "0001-01-01T00:00:00Z"),
            (LAST * 1000 + 999, "9999-12-30T22:00:00Z"),
            (i64::MAX, "-"),
            (i64::MIN, "-"),
        ] {
            assert_eq!(Time(milliseconds).to_string(), text);
            assert_eq!(serde_json::to_string(&Time(milliseconds)).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn strange_times_are_refused() {
        for text in [r#""-""#, r#""""#, r#""2026-02-30T00:00:00Z""#, r#""2026-01-31""#, "0", "null"] {
            assert!(serde_json::from_str::<Time>(text).is_err(), "{text}");
        }
        let local: Time = serde_json::from_str(r#""2026-01-31T21:15:00.5+01:00""#).unwrap();
        assert_eq!(local, Time(1_769_890_500_500));
    }

    #[test]
    fn seconds_between_two_moments() {
        assert_eq!(Time(1_000).seconds_until(Time(3_999)), 2);
        assert_eq!(Time(3_999).seconds_until(Time(1_000)), 0);
        assert_eq!(Time(i64::MIN).seconds_until(Time(i64::MAX)), i64::MAX as u64 / 1000);
        assert_eq!(Time(i64::MAX).seconds_until(Time(i64::MIN)), 0);
    }

    proptest! {
        #[test]
        fn between_processes_no_moment_is_lost(milliseconds in any::<i64>()) {
            let bytes = postcard::to_allocvec(&Time(milliseconds)).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Time>(&bytes), Ok(Time(milliseconds)));
        }

        #[test]
        fn in_json_no_second_is_lost(second in FIRST..=LAST) {
            let text = serde_json::to_string(&Time(second * 1000)).unwrap();
            prop_assert_eq!(text.len(), "\"2026-01-31T20:15:00Z\"".len());
            prop_assert_eq!(serde_json::from_str::<Time>(&text).unwrap(), Time(second * 1000));
        }
    }
}
