//! Rights of players: words that allow more than others may.

use serde::{Deserialize, Serialize};

/// `RIGHT GRANT` and `RIGHT REVOKE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightOf {
    /// The player, in any case.
    pub player: String,
    /// The right.
    pub right: String,
}

/// `RIGHT LIST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsOf {
    /// Whose; the asker's own when left out.
    pub player: Option<String>,
}

/// The answer to `RIGHT LIST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// The player, as registered.
    pub player: String,
    /// By name.
    pub rights: Vec<String>,
}
