//! What one layer has opened and the next one has not looked at yet. Runs in a worker; pure.

use serde::{Deserialize, Serialize};

/// Bytes, and how many of them were used.
#[derive(Default, Serialize, Deserialize)]
pub struct Opening {
    #[serde(with = "crate::packed")]
    bytes: Vec<u8>,
    used: usize,
}

impl Opening {
    /// What the first reads give, bytes: no more is kept by one who waits.
    const KEPT: usize = 1 << 10;

    /// Whether all of it was used.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// What was not used yet.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    /// Where more is appended.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// All of it was used but so many bytes.
    pub fn leaves(&mut self, count: usize) {
        self.used = self.bytes.len().saturating_sub(count);
        if count == 0 {
            self.clear();
        }
    }

    /// Nothing of it is used any more.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.used = 0;
        if self.bytes.capacity() > Opening::KEPT {
            self.bytes = Vec::new();
        }
    }
}
