//! Which version a program of somebody else is of, where an older one is not let in. Used in every process; pure.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

use crate::value::{Field, Value};

/// One to four numbers with points between them, 65,535 at the most; what is left out is 0. Between processes and in the
/// database one number; in JSON and for people `4.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u64);

/// How many numbers there are.
const PARTS: u32 = 4;

/// It is written in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoVersion;

impl std::fmt::Display for NoVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a version is one to four numbers with points between them, as 4 or 4.2.1")
    }
}

impl std::error::Error for NoVersion {}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Version, NoVersion> {
        let mut number = 0;
        let mut parts = 0;
        for part in text.split('.') {
            parts += 1;
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            let part: u16 = part.parse().ok().filter(|_| digits).ok_or(NoVersion)?;
            number = number << 16 | u64::from(part);
            if parts > PARTS {
                return Err(NoVersion);
            }
        }
        Ok(Version(number << (16 * (PARTS - parts))))
    }
}

impl std::fmt::Display for Version {
    /// Without zeros at the end, but for the first number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, e, g, h, i] = self.0.to_be_bytes();
        let parts = [[a, b], [c, d], [e, g], [h, i]].map(u16::from_be_bytes);
        let shown = parts.iter().rposition(|part| *part > 0).map_or(1, |last| last + 1);
        for (index, part) in parts.iter().take(shown).enumerate() {
            let point = if index == 0 { "" } else { "." };
            write!(f, "{point}{part}")?;
        }
        Ok(())
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
        } else {
            u64::deserialize(deserializer).map(Version)
        }
    }
}

impl Field for Version {
    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.to_string()))
    }

    fn take(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_are_read_and_written() {
        for (text, shown) in
            [("4", "4"), ("4.2", "4.2"), ("0", "0"), ("4.0.0.0", "4"), ("0.0.1", "0.0.1"), ("004", "4")]
        {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), shown);
        }
        for text in ["", ".", "4.", ".4", "4..2", "65536", "1.2.3.4.5", "4.x", "+4", "-1", "v4", " 4", "4.2 "] {
            assert_eq!(text.parse::<Version>(), Err(NoVersion), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn they_are_ordered_number_by_number(one in any::<[u16; 4]>(), other in any::<[u16; 4]>()) {
            let of = |parts: [u16; 4]| -> Version { parts.map(|part| part.to_string()).join(".").parse().unwrap() };
            prop_assert_eq!(of(one).cmp(&of(other)), one.cmp(&other));
            prop_assert_eq!(of(one).to_string().parse::<Version>(), Ok(of(one)));
            let json = serde_json::to_string(&of(one)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Version>(&json).unwrap(), of(one));
        }
    }
}
