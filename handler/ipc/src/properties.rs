//! Properties: small values of players and worlds, kept for the worlds that use them.

use crate::hosting::words;
use crate::{Party, Time};
use base64ct::{Base64 as Alphabet, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

words! {
    /// Who may write, or read, a property.
    PropertyAccess {
        /// Whoever is logged in, and any game server; to read, anybody.
        Everyone = "everyone",
        /// The player himself, or whose world it is.
        #[default]
        Owner = "owner",
        /// Whoever hosts the world, or a world that the player is in.
        World = "world",
        /// Players with the right `property`.
        Property = "property",
    }
}

/// Bytes, which stand in JSON as base64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl Base64 {
    /// Reads base64, with its padding.
    pub fn parse(text: &str) -> Option<Base64> {
        Alphabet::decode_vec(text).ok().map(Base64)
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.serialize_str(&Alphabet::encode_string(&self.0)),
            false => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Base64, D::Error> {
        if !deserializer.is_human_readable() {
            return Vec::deserialize(deserializer).map(Base64);
        }
        let text = String::deserialize(deserializer)?;
        Base64::parse(&text).ok_or_else(|| serde::de::Error::custom("no base64"))
    }
}

/// What a property says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PropertyValue {
    /// A text.
    Text(String),
    /// Bytes that need not be one.
    Binary(Vec<u8>),
}

impl PropertyValue {
    /// How many bytes it has.
    pub fn size(&self) -> usize {
        match self {
            PropertyValue::Text(text) => text.len(),
            PropertyValue::Binary(bytes) => bytes.len(),
        }
    }

    /// As it is shown: either as a text or as bytes.
    pub fn shown(self) -> (Option<String>, Option<Base64>) {
        match self {
            PropertyValue::Text(text) => (Some(text), None),
            PropertyValue::Binary(bytes) => (None, Some(Base64(bytes))),
        }
    }
}

impl std::fmt::Debug for PropertyValue {
    /// How long it is: this goes to the log, and the value is not for everybody.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "***({})", self.size())
    }
}

/// How a property is used. What is left out stays as it is, or is as it is for a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyTerms {
    /// Whether FINGER shows it.
    pub finger: Option<bool>,
    /// Whether changes of it are told.
    pub push: Option<bool>,
    /// Whether it is kept; else it is there while its holder is on, or while the world is hosted.
    pub kept: Option<bool>,
    /// Who may write it.
    pub write: Option<PropertyAccess>,
    /// Who may read it.
    pub read: Option<PropertyAccess>,
}

/// `PROPERTY GET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyGet {
    /// Whose, a player or a world.
    pub of: Party,
    /// Which; all when there are none.
    pub names: Vec<String>,
    /// How many at the most; the handler clamps it.
    pub limit: Option<u32>,
    /// Behind this one.
    pub after: Option<String>,
}

/// `PROPERTY SET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertySet {
    /// Whose, a player or a world.
    pub of: Party,
    /// `1` to `255`, or 1–64 bytes without blanks.
    pub name: String,
    /// At most 4 KiB.
    pub value: PropertyValue,
    /// Only if this is the present version; 0: only if there is none yet.
    pub version: Option<u64>,
    /// How it is used.
    pub terms: PropertyTerms,
}

/// `PROPERTY DELETE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyDelete {
    /// Whose, a player or a world.
    pub of: Party,
    /// The property's name.
    pub name: String,
    /// Only if this is the present version.
    pub version: Option<u64>,
}

/// `PROPERTY WATCH` and `PROPERTY UNWATCH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyWatch {
    /// Whose, a player or a world.
    pub of: Party,
}

/// One property in [`Properties`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// The text, if it is one.
    pub value: Option<String>,
    /// The bytes, if it is no text.
    pub base64: Option<Base64>,
    /// Grows with every change, also across a delete.
    pub version: u64,
    /// Whether FINGER shows it.
    pub finger: bool,
    /// Whether changes of it are told.
    pub push: bool,
    /// Whether it is kept; else it is there while its holder is on, or while the world is hosted.
    pub kept: bool,
    /// Who may write it.
    pub write: PropertyAccess,
    /// Who may read it.
    pub read: PropertyAccess,
    /// When it was last changed.
    pub at: Time,
}

/// The answer to `PROPERTY GET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// The player or world that has them.
    pub of: Party,
    /// Those that the asker may read, the numbered ones first.
    pub properties: Vec<Property>,
    /// Give this as `after` for the next page.
    pub next: Option<String>,
}

/// The answer to `PROPERTY SET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyVersion {
    /// The player or world that has it.
    pub of: Party,
    /// The property's name.
    pub name: String,
    /// The version that was written.
    pub version: u64,
}

/// A property has another value, or is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyChanged {
    /// The player or world that has it.
    pub of: Party,
    /// The property's name.
    pub name: String,
    /// The text, if it is one.
    pub value: Option<String>,
    /// The bytes, if it is no text.
    pub base64: Option<Base64>,
    /// The version from now on.
    pub version: u64,
    /// It is gone.
    pub deleted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_base64_in_json_and_themselves_elsewhere() {
        let bytes = Base64(vec![0, 1, 255, 254]);
        assert_eq!(serde_json::to_string(&bytes).unwrap(), "\"AAH//g==\"");
        assert_eq!(serde_json::from_str::<Base64>("\"AAH//g==\"").unwrap(), bytes);
        let packed = postcard::to_allocvec(&bytes).unwrap();
        assert_eq!(packed, [4, 0, 1, 255, 254]);
        assert_eq!(postcard::from_bytes::<Base64>(&packed).unwrap(), bytes);
        for text in ["AAH//g", "AAH//g=", "AAH_-g==", "AAH//g== ", "A", "ä==="] {
            assert_eq!(Base64::parse(text), None, "{text}");
        }
        assert_eq!(Base64::parse(""), Some(Base64(Vec::new())));
    }

    #[test]
    fn what_a_property_says_is_in_no_log() {
        let shown = format!("{:?} {:?}", PropertyValue::Text("word".into()), PropertyValue::Binary(vec![7; 3]));
        assert_eq!(shown, "***(4) ***(3)");
    }
}
