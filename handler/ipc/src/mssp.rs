//! MSSP, the Mud Server Status Protocol: by it crawlers learn what lists of games show of a network, or of a world.

use serde::{Deserialize, Serialize};

/// The most variables of a world's own table; what is beyond is left out.
pub const MSSP_VARIABLES: usize = 64;

/// The most bytes of such a table: all names and values, and one more for each; what is beyond is left out.
pub const MSSP_BYTES: usize = 8 * 1024;

/// What is a crawler to be told that has come in by this session's door?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mssp {
    /// It has asked by a line, and not by telnet: a note of the worker for itself, to which the handler does not look.
    pub plain: bool,
}

/// What is known by a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MsspVariable {
    /// The name, in capitals where MSSP has one for it.
    pub name: String,
    /// Its values: at least one.
    pub values: Vec<String>,
}

/// The answer to [`Mssp`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MsspTable {
    /// All of it, each name once.
    pub variables: Vec<MsspVariable>,
}

/// A world at which this session is has told this of itself. Its worker's word: one that lies spoils the table of that world, and of
/// no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MsspOf {
    /// The world.
    pub world: String,
    /// What it has told.
    pub variables: Vec<MsspVariable>,
}
