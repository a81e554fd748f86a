//! Bytes in the JSON of a session that moves: as base64, whose length has a bound whatever they are, which a list of numbers or a
//! string of escapes has not. Wiped once written. Runs in a worker; pure.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serializer, de::Error};
use zeroize::Zeroizing;

/// For `serde(with)`: writes bytes.
pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&Zeroizing::new(Base64::encode_string(bytes)))
}

/// For `serde(with)`: reads them.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = Zeroizing::new(String::deserialize(from)?);
    Base64::decode_vec(&text).map_err(|_| D::Error::custom("no base64"))
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
