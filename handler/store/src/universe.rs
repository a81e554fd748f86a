//! Settings of the universe in the store.

use crate::Result;

/// Reading settings of the universe.
pub trait ReadUniverse {
    /// All that were set, by key; what was not is as the config file says.
    fn universe(&self) -> Result<Vec<(String, String)>>;
}
