//! The list of worlds: game servers that opted in.

use crate::growing::grown;
use crate::{Rating, Time, WorldStatus};
use serde::{Deserialize, Serialize};

/// `STATUS SET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSet {
    /// What is played there.
    pub map: String,
    /// How many are on it.
    pub players: u32,
    /// How many fit.
    pub max: u32,
    /// Free text.
    pub text: Option<String>,
    /// Where players connect to; the connection's own address when left out.
    pub address: Option<String>,
}

/// One row of `WORLDS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// The game server's name.
    pub name: String,
    /// Where players connect to.
    pub address: String,
    /// What is played there.
    pub map: String,
    /// How many are on it.
    pub players: u32,
    /// How many fit.
    pub max: u32,
    /// Free text, may be empty.
    pub text: String,
    /// When this was last told.
    pub at: Time,
}

/// What a row of `WORLDS` has gained since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldMore {
    /// How the world is.
    pub status: WorldStatus,
    /// For whom it is.
    pub rating: Rating,
    /// It has a licence: where it is, one learns by asking to be let in.
    pub licensed: bool,
}

/// The answer to `WORLDS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worlds {
    /// Sorted by name.
    pub worlds: Vec<World>,
    /// How many there are altogether.
    pub total: u32,
    /// Give this as `after` for the next page.
    pub next: Option<String>,
    /// Of each row, in the same order.
    pub more: Vec<WorldMore>,
}

grown! { Worlds { worlds, total, next } then { more } }
