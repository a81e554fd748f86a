//! Settings: versioned text that belongs to one player or one game server.

use crate::growing::grown;
use crate::{Party, Time};
use serde::{Deserialize, Serialize};

/// `SETTING GET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingGet {
    /// 1–64 bytes without blanks.
    pub key: String,
    /// Whose; one's own when left out. Another's only where public.
    pub of: Option<Party>,
}

/// `SETTING SET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingSet {
    /// 1–64 bytes without blanks.
    pub key: String,
    /// Text, 8 KiB at the most, unless the settings say otherwise.
    pub value: String,
    /// Only if this is the present version; 0: only if there is none yet.
    pub version: Option<u64>,
    /// Whether others may read it; left out, it stays as it is (a new one is private).
    pub public: Option<bool>,
}

/// `SETTING DELETE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingDelete {
    /// The setting's name.
    pub key: String,
    /// Only if this is the present version.
    pub version: Option<u64>,
}

/// The answer to `SETTING GET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The player or game server that has it.
    pub of: Party,
    /// The setting's name.
    pub key: String,
    /// The text.
    pub value: String,
    /// Grows with every change, also across a delete.
    pub version: u64,
    /// Whether others may read it.
    pub public: bool,
    /// When it was last changed.
    pub at: Time,
}

/// The answer to `SETTING SET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingVersion {
    /// The setting's name.
    pub key: String,
    /// The version that was written.
    pub version: u64,
    /// Whether others may read it.
    pub public: bool,
}

/// One row of `SETTING LIST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingRow {
    /// The setting's name.
    pub key: String,
    /// Its version.
    pub version: u64,
    /// Whether others may read it.
    pub public: bool,
    /// Length of the value in bytes.
    pub bytes: u32,
    /// When it was last changed.
    pub at: Time,
}

/// The answer to `SETTING LIST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Sorted by key.
    pub settings: Vec<SettingRow>,
    /// Give this as `after` for the next page.
    pub next: Option<String>,
    /// How many there are altogether; an older program does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
}

grown! { Settings { settings, next } then { total } }
