//! Properties of players and worlds in the store.

use crate::{Principal, Result};
use ssmglobal_ipc::{PropertyAccess, PropertyValue, Time};

/// A property as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptProperty {
    /// What it says; nothing when it was deleted and only its version is remembered.
    pub value: Option<PropertyValue>,
    /// Grows with every change, also across a delete.
    pub version: u64,
    /// Whether FINGER shows it.
    pub finger: bool,
    /// Whether changes of it are told.
    pub push: bool,
    /// Whether it stays when its holder is not on, or his world is not hosted.
    pub kept: bool,
    /// Who may write it.
    pub write: PropertyAccess,
    /// Who may read it.
    pub read: PropertyAccess,
    /// When it was last changed.
    pub at: Time,
}

/// Reading properties.
pub trait ReadProperties {
    /// One, also one that was deleted.
    fn property(&self, holder: Principal, name: &str) -> Result<Option<KeptProperty>>;
    /// All of somebody that are not deleted, by name.
    fn properties(&self, holder: Principal) -> Result<Vec<(String, KeptProperty)>>;
    /// Those of them that FINGER shows.
    fn properties_for_finger(&self, holder: Principal) -> Result<Vec<(String, KeptProperty)>>;
    /// How many somebody has, deleted ones not counted.
    fn property_count(&self, holder: Principal) -> Result<u32>;
    /// The names of all that are there only while their holders are on.
    fn properties_while_on(&self) -> Result<Vec<(Principal, String)>>;
}
