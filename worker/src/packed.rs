//! Bytes in the JSON of a session that moves: as a string in which each character is a byte, which is shorter than a list of
//! numbers. Wiped once written. Runs in a worker; pure.

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use zeroize::Zeroizing;

/// For `serde(with)`: writes bytes.
pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    let text: Zeroizing<String> = Zeroizing::new(bytes.iter().map(|byte| char::from(*byte)).collect());
    to.serialize_str(&text)
}

/// For `serde(with)`: reads them.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = Zeroizing::new(String::deserialize(from)?);
    text.chars().map(|character| u8::try_from(character).map_err(|_| D::Error::custom("no byte"))).collect()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Held(#[serde(with = "super")] Vec<u8>);

    #[test]
    fn all_bytes_come_back_and_nothing_else_is_taken_for_them() {
        let held = Held((0..=255).collect());
        let json = serde_json::to_string(&held).unwrap();
        assert_eq!(serde_json::from_str::<Held>(&json).unwrap(), held);
        assert!(serde_json::from_str::<Held>("\"\u{100}\"").is_err());
    }
}
