//! Rights of players in the store.

use crate::{PlayerId, Result};

/// Reading rights.
pub trait ReadRights {
    /// All that were granted, by player and right.
    fn rights(&self) -> Result<Vec<(PlayerId, String)>>;
}
