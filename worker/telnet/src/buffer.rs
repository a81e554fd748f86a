//! Byte buffers that grow on demand up to a bound and give long memory back. Runs in the worker.

use serde::{Deserialize, Deserializer};

/// What an emptied buffer may keep, in bytes: enough for an ordinary line, little enough for an idle process.
const KEEP: usize = 512;
/// The first allocation, in bytes.
const FIRST: usize = 64;

/// Appends `bytes`, with a capacity that doubles but never exceeds `bound` (or the contents, should they be larger).
pub(crate) fn append(buf: &mut Vec<u8>, bytes: &[u8], bound: usize) {
    let need = buf.len().saturating_add(bytes.len());
    if need > buf.capacity() {
        let roomy = buf.capacity().saturating_mul(2).max(FIRST).min(bound);
        buf.reserve_exact(roomy.max(need) - buf.len());
    }
    buf.extend_from_slice(bytes);
}

/// Empties the buffer; frees it if it had grown beyond what an idle process should hold.
pub(crate) fn release(buf: &mut Vec<u8>) {
    if buf.capacity() > KEEP {
        *buf = Vec::new();
    } else {
        buf.clear();
    }
}

/// Frees a buffer that has grown beyond what an idle process should hold.
pub(crate) fn free_long(buf: &mut Vec<u8>) {
    if buf.capacity() > KEEP {
        *buf = Vec::new();
    }
}

/// Reads a buffer that was put away. A reader of a format guesses how long it will be; this one gives the rest back, so that
/// the bound on memory holds here too.
pub(crate) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let mut buf = Vec::deserialize(deserializer)?;
    buf.shrink_to_fit();
    Ok(buf)
}
