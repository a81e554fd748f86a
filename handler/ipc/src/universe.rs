//! Settings of the universe: what holds for all worlds together, as the operator has it.

use crate::Version;
use serde::{Deserialize, Serialize};

/// The answer to `UNIVERSE SHOW`, and what whoever watches is told when anything of it has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Universe {
    /// What all worlds together are called.
    pub name: String,
    /// What a person reads first.
    pub welcome: String,
    /// Whether people may come who have not registered.
    pub visitors: bool,
    /// Whether those may talk.
    pub talk: bool,
    /// Whether new players are taken.
    pub registration: bool,
    /// The least version of a program that goes to a world; 0: any.
    pub client: Version,
    /// The least version of a program that hosts worlds; 0: any.
    pub host: Version,
    /// The world that `WORLD ENTER` leads to when none is named.
    pub start: Option<String>,
    /// Whether everybody may see who is on and where.
    pub users: bool,
    /// Whether players may change their names.
    pub renames: bool,
    /// Whether only worlds with a licence are shown.
    pub licence: bool,
    /// Which of these were set; the others are as the config file says.
    pub set: Vec<String>,
}

/// `UNIVERSE SET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniverseSet {
    /// What, as a [`Universe`] calls it.
    pub key: String,
    /// To what, as it was written.
    pub value: String,
}

/// `UNIVERSE RESET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniverseReset {
    /// What, as a [`Universe`] calls it.
    pub key: String,
}
