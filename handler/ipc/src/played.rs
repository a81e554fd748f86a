//! How worlds do that are played through us, as the operator sees it.

use crate::Time;
use crate::hosting::words;
use serde::{Deserialize, Serialize};

words! {
    /// Whether a world is there.
    PlayedState {
        /// Nobody has come to it yet.
        #[default]
        Unknown = "unknown",
        /// It is.
        Up = "up",
        /// It is not; who is there waits.
        Down = "down",
    }
}

/// A world that is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayedRow {
    /// Its name, as it is written.
    pub world: String,
    /// Whether it is there.
    pub state: PlayedState,
    /// Since when it is so.
    pub since: Option<Time>,
    /// The address that is used.
    pub address: String,
    /// The operator has chosen that.
    pub chosen: bool,
    /// All of its addresses, in order of preference.
    pub addresses: Vec<String>,
    /// How many play.
    pub playing: u32,
    /// How many wait for it.
    pub waiting: u32,
    /// How many games are kept for players whose own connections are broken.
    pub alone: u32,
}

/// How a world is played, for who looks at it in the backend's place: all but what its heartbeat says, which may be a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayedTerms {
    /// Its name, as it is written.
    pub world: String,
    /// Its kind, as the config writes it.
    pub kind: String,
    /// All that is set and follows from the kind, as JSON.
    pub terms: String,
    /// It has a licence: `ctl world play` can set what the file does not.
    pub licensed: bool,
    /// The keys that the config file sets.
    pub in_file: Vec<String>,
}
