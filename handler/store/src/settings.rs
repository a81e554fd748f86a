//! Settings in the store.

use crate::{Owner, Result};
use ssmglobal_ipc::{SettingRow, Time};

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

/// Reading settings.
pub trait ReadSettings {
    /// One setting, also one that was deleted.
    fn setting(&self, owner: Owner, key: &str) -> Result<Option<KeptSetting>>;
    /// Those that are not deleted, by key, behind `after`.
    fn settings(&self, owner: Owner, after: Option<&str>, limit: u32) -> Result<Vec<SettingRow>>;
    /// How many an owner has, deleted ones not counted.
    fn setting_count(&self, owner: Owner) -> Result<u32>;
}

/// Changing settings.
pub trait WriteSettings {
    /// Writes one, as new or over what is there (`setting.value` of `None` deletes it and keeps the version).
    fn setting_put(&mut self, owner: Owner, key: &str, setting: &KeptSetting) -> Result<()>;
}
