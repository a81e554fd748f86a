//! What the store knows of the relay: a mark ahead of all numbers that its messages have had.

use crate::Result;

/// Reading up to where relay messages may have numbers.
pub trait ReadRelay {
    /// The mark; 0 while no message was sent. A message has a larger number than this one only when the mark was moved first.
    fn relay_mark(&self) -> Result<u64>;
}
