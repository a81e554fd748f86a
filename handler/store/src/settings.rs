//! Settings in the store.

use crate::{Principal, Result};
use ssmglobal_ipc::Time;

/// A setting as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSetting {
    /// The text; nothing when it was deleted and only its version is remembered.
    pub value: Option<String>,
    /// Grows with every change, also across a delete.
    pub version: u64,
    /// Whether others may read it.
    pub public: bool,
    /// When it was last changed.
    pub at: Time,
}

/// A setting in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// Its name.
    pub key: String,
    /// Its version.
    pub version: u64,
    /// Whether others may read it.
    pub public: bool,
    /// Length of the text in bytes.
    pub bytes: u32,
    /// When it was last changed.
    pub at: Time,
}

/// Reading settings.
pub trait ReadSettings {
    /// One setting, also one that was deleted.
    fn setting(&self, owner: Principal, key: &str) -> Result<Option<KeptSetting>>;
    /// Those that are not deleted, by key, behind `after`.
    fn settings(&self, owner: Principal, after: Option<&str>, limit: u32) -> Result<Vec<SettingRow>>;
    /// How many an owner has, deleted ones not counted.
    fn setting_count(&self, owner: Principal) -> Result<u32>;
}
