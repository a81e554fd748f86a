//! How long a login may last.

use serde::{Deserialize, Serialize};

/// `PLAYER LIMIT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayerLimit {
    /// The player, in any case.
    pub player: String,
    /// How many minutes one login of his may last, 1–10,080; nothing: as long as he likes.
    pub minutes: Option<u32>,
}
