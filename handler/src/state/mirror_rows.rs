//! What a row is of each list that clients mirror, and what a handler leaves of a list. Pure; lives in the event loop.

use super::mirror::{Note, Weigh};
use ssmglobal_ipc::{Rating, Time, WorldStatus};
use ssmglobal_store::{Principal, WorldId};

/// A world, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldRow {
    /// Its licence; nothing for a game server that shows itself.
    pub licence: Option<WorldId>,
    /// How it is.
    pub status: WorldStatus,
    /// How many are there.
    pub users: u32,
    /// How many fit.
    pub max: u32,
    /// For whom it is.
    pub rating: Rating,
    /// What it is about.
    pub description: String,
    /// Since when it is stopped.
    pub stopped: Option<Time>,
}

/// Somebody who is on, by his name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// The player or visitor.
    pub who: Principal,
    /// The world or game server that he is in.
    pub place: Option<Principal>,
}

impl Weigh for WorldRow {
    fn weight(&self) -> usize {
        self.description.len() + 32
    }
}

impl Weigh for UserRow {
    fn weight(&self) -> usize {
        // With the name of a place, addresses and some rights.
        512
    }
}

/// What a handler has left of one list.
#[derive(Debug)]
pub struct KeptMirror<R> {
    /// The epoch, whoever looks.
    pub epoch: u64,
    /// The last words.
    pub notes: Vec<Note<R>>,
}
