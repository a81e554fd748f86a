//! Keys that are no characters: what a terminal sends for an arrow, for Delete, for a letter with Alt. Runs in the worker.
//!
//! They begin with ESC. Where a line is read whole, they mean nothing in it, and are swallowed whole: however they were split,
//! and never beyond the end of the line.

use serde::{Deserialize, Serialize};

pub(crate) const ESC: u8 = 0x1b;

/// Bytes that the parameters of a key may have; what follows more of them is text.
const LONGEST: u8 = 32;

/// Where in a key the input has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Key {
    /// In none.
    #[default]
    None,
    /// Behind ESC. A character that follows is one with Alt.
    Escape,
    /// Behind `ESC [` (CSI), and so many bytes more: parameters, and then one byte that ends it.
    Parameters(u8),
    /// One byte more, as behind `ESC O` (SS3), and behind `ESC [ [` of the Linux console.
    Last,
    /// Behind ESC in a character of UTF-8 that lacks so many bytes.
    Letter(u8),
}

impl Key {
    /// Takes a byte: where we are behind it. None if it belongs to no key: the one before is over, and this is text.
    pub(crate) fn take(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Escape, ESC) => Some(Self::Escape),
            (Self::Escape, b'[') => Some(Self::Parameters(0)),
            (Self::Parameters(0), b'[') | (Self::Escape, b'O') => Some(Self::Last),
            (Self::Parameters(length), b' '..=b'?') if length < LONGEST => Some(Self::Parameters(length + 1)),
            (Self::Parameters(length), b'@'..=b'~') if length < LONGEST => Some(Self::None),
            (Self::Escape | Self::Last, b' '..=b'~') => Some(Self::None),
            (Self::Escape, 0xc2..=0xdf) => Some(Self::Letter(1)),
            (Self::Escape, 0xe0..=0xef) => Some(Self::Letter(2)),
            (Self::Escape, 0xf0..=0xf4) => Some(Self::Letter(3)),
            (Self::Letter(lacks), 0x80..=0xbf) => Some(if lacks > 1 { Self::Letter(lacks - 1) } else { Self::None }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of these bytes, behind ESC, belongs to the key.
    fn taken(bytes: &[u8]) -> usize {
        let mut key = Key::Escape;
        for (at, byte) in bytes.iter().enumerate() {
            match key.take(*byte) {
                Some(Key::None) => return at + 1,
                Some(next) => key = next,
                None => return at,
            }
        }
        bytes.len()
    }

    #[test]
    fn keys_are_taken_whole_and_nothing_behind_them() {
        for key in [
            &b"[A"[..],
            b"[1;5C",
            b"[3~",
            b"[200~",
            b"[[A",
            b"[<35;12;9M",
            b"OP",
            b"f",
            b"\x1b[A",
            "ü".as_bytes(),
            "日".as_bytes(),
            "😀".as_bytes(),
        ] {
            assert_eq!(taken(&[key, b"text"].concat()), key.len(), "{key:?}");
        }
    }

    #[test]
    fn what_belongs_to_no_key_is_left() {
        for (bytes, belongs) in [
            (&b"\x7fx"[..], 0),
            (b"\r", 0),
            (b"\x01", 0),
            (b"[1\r", 2),
            (b"[\xc3\xa9", 1),
            (b"O\xe9", 1),
            (b"\xe9t", 1),
            (b"\xc3\xc3\xa9", 1),
        ] {
            assert_eq!(taken(bytes), belongs, "{bytes:?}");
        }
    }

    #[test]
    fn parameters_without_an_end_are_given_up() {
        let endless = [&b"["[..], &[b'1'; 100]].concat();
        assert_eq!(taken(&endless), 1 + usize::from(LONGEST));
    }
}
