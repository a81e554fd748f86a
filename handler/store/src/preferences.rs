//! Preferences of players in the store.

use crate::{PlayerId, Result};

/// Reading preferences.
pub trait ReadPreferences {
    /// What a player has set, name and value, by name.
    fn preferences(&self, player: PlayerId) -> Result<Vec<(String, String)>>;
}
