//! What waits to be written to a socket. Runs in a worker; pure.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The bytes, and how far they were written.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    written: usize,
}

impl Outbox {
    /// Bytes that may wait before further requests are taken more slowly.
    pub const SLOW: usize = 64 << 10;

    /// Where more is appended.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What was not written yet.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    /// Whether everything was written.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Whether so much waits that no further request should be taken.
    pub fn is_slow(&self) -> bool {
        self.rest().len() > Outbox::SLOW
    }

    /// So many bytes more were written.
    pub fn has_written(&mut self, count: usize) {
        self.written += count;
        if self.is_empty() {
            self.clear();
        }
    }

    /// The rest has to wait: what was written makes room, where that is worth moving the rest.
    pub fn compact(&mut self) {
        if self.written > self.rest().len() {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// What waits is not written any more.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.written = 0;
        if self.bytes.capacity() > 2 * Outbox::SLOW {
            self.bytes = Vec::new();
        }
    }
}

impl Serialize for Outbox {
    /// What was not written yet.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        crate::packed::serialize(self.rest(), to)
    }
}

impl<'de> Deserialize<'de> for Outbox {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Outbox, D::Error> {
        Ok(Outbox { bytes: crate::packed::deserialize(from)?, written: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_makes_room_when_it_is_the_larger_part() {
        let mut out = Outbox::default();
        out.bytes().extend_from_slice(b"abcdef");
        out.has_written(3);
        out.compact();
        assert_eq!((out.rest(), out.bytes.len()), (&b"def"[..], 6));
        out.has_written(1);
        out.compact();
        assert_eq!((out.rest(), out.bytes.len()), (&b"ef"[..], 2));
        assert!(!out.is_empty());
        out.has_written(2);
        assert!(out.is_empty() && out.bytes.is_empty());
    }

    #[test]
    fn a_lot_that_waits_is_slow_and_its_memory_is_given_back() {
        let mut out = Outbox::default();
        out.bytes().resize(Outbox::SLOW, b'x');
        assert!(!out.is_slow());
        out.bytes().resize(4 * Outbox::SLOW, b'x');
        assert!(out.is_slow());
        out.has_written(4 * Outbox::SLOW);
        assert!(!out.is_slow());
        assert_eq!(out.bytes.capacity(), 0);
    }
}
