//! The line that the world has begun, as patterns see it: without colours and whatever else steers a terminal. Runs in a worker;
//! pure.

use crate::play::line::{Byte, Escape};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The most of a line that patterns see, bytes.
const MOST: usize = 1024;

/// The line so far.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Heard {
    line: Vec<u8>,
    escape: Escape,
}

impl Heard {
    /// Takes from `text` up to the end of a line, or all; gives what was taken and whether the line has ended.
    pub fn take<'i>(&mut self, text: &mut &'i [u8]) -> (&'i [u8], bool) {
        let end = memchr::memchr(b'\n', text);
        let (taken, rest) = text.split_at(end.map_or(text.len(), |end| end + 1));
        *text = rest;
        for byte in taken {
            let shown = self.escape.take(*byte) == Byte::Text && (*byte == b'\t' || !byte.is_ascii_control());
            if shown && self.line.len() < MOST {
                self.line.push(*byte);
            }
        }
        (taken, end.is_some())
    }

    /// What there is of the line.
    pub fn line(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.line)
    }

    /// Nothing that could be seen.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// What comes next begins a line.
    pub fn clear(&mut self) {
        self.line.clear();
    }
}
