//! The last that a world has said, for a player whose own network broke: he sees it when he is back. Runs in a worker; pure.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::VecDeque;

/// How much is kept, bytes.
pub const MOST: usize = 64 << 10;

/// A ring of the last [`MOST`] bytes. It takes memory as it fills, and none before.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scrollback {
    #[serde(serialize_with = "put_away", deserialize_with = "taken_up")]
    bytes: VecDeque<u8>,
    /// How many made room, bytes.
    lost: u64,
}

/// What there is to show.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Bytes that are missing before it.
    pub missing: u64,
    /// It begins with a whole line, where anything is missing and a line ends in it.
    pub text: Vec<u8>,
}

/// Shows how much there is, not what: it is what a player reads.
impl std::fmt::Debug for Scrollback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrollback({} bytes, {} lost)", self.bytes.len(), self.lost)
    }
}

impl Scrollback {
    /// Appends what the world has said; the oldest makes room where there are more than [`MOST`] bytes.
    pub fn said(&mut self, text: &[u8]) {
        self.said_within(text, MOST);
    }

    /// The same with another bound.
    pub fn said_within(&mut self, text: &[u8], most: usize) {
        let kept = text.get(text.len().saturating_sub(most)..).unwrap_or_default();
        let room = (self.bytes.len() + kept.len()).saturating_sub(most);
        self.bytes.drain(..room.min(self.bytes.len()));
        let wanted = self.bytes.len() + kept.len();
        if wanted > self.bytes.capacity() {
            self.bytes.reserve_exact((2 * wanted).min(most) - self.bytes.len());
        }
        self.bytes.extend(kept);
        self.lost += (room + text.len() - kept.len()) as u64;
    }

    /// All but the last so many bytes is known, and so is what was lost before: the line in which they begin is the first one.
    pub fn keep_last(&mut self, count: u64) {
        let known = self.bytes.len() - usize::try_from(count).unwrap_or(usize::MAX).min(self.bytes.len());
        let begins = self.bytes.iter().take(known).rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.lost = count.saturating_sub(self.bytes.len() as u64);
        self.bytes.drain(..if count == 0 { known } else { begins });
    }

    /// The last bytes, so many at the most, of which all stay. They begin with a whole line, where anything is missing and a line
    /// ends in them.
    pub fn last(&self, count: u64) -> Vec<u8> {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.bytes.len());
        let mut text: Vec<u8> = self.bytes.iter().skip(self.bytes.len() - count).copied().collect();
        // What stands before may be another connection's.
        let is_whole = count == self.bytes.len() && self.lost == 0;
        text.drain(..if is_whole { 0 } else { first_line(&text) });
        text
    }

    /// What there is; none of it stays.
    pub fn take(&mut self) -> Shown {
        let Scrollback { bytes, lost } = std::mem::take(self);
        let mut text = Vec::from(bytes);
        let cut = if lost == 0 { 0 } else { first_line(&text) };
        text.drain(..cut);
        Shown { missing: lost + cut as u64, text }
    }
}

/// Where the first whole line begins; where there is none, the first whole letter.
fn first_line(text: &[u8]) -> usize {
    let letter = text.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    match memchr::memchr(b'\n', text) {
        // Behind the only end of a line there is nothing.
        Some(end) if end + 1 < text.len() => end + 1,
        _ => letter,
    }
}

fn put_away<S: Serializer>(bytes: &VecDeque<u8>, to: S) -> Result<S::Ok, S::Error> {
    let (first, second) = bytes.as_slices();
    crate::packed::serialize(&[first, second].concat(), to)
}

fn taken_up<'de, D: Deserializer<'de>>(from: D) -> Result<VecDeque<u8>, D::Error> {
    let mut bytes = crate::packed::deserialize(from)?;
    bytes.drain(..bytes.len().saturating_sub(MOST));
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pieces: &[&[u8]]) -> Scrollback {
        let mut scrollback = Scrollback::default();
        pieces.iter().for_each(|piece| scrollback.said(piece));
        scrollback
    }

    #[test]
    fn what_fits_is_all_there_and_shown_once() {
        let mut scrollback = of(&[b"Bob says \"hi\"\r", b"\nYou say \"ho\"\r\n", b"> "]);
        let text = b"Bob says \"hi\"\r\nYou say \"ho\"\r\n> ".to_vec();
        assert_eq!(scrollback.take(), Shown { missing: 0, text });
        assert!(scrollback.bytes.is_empty());
        assert_eq!(scrollback.take(), Shown::default());
    }

    #[test]
    fn of_more_the_last_whole_lines_are_there_and_the_rest_is_counted() {
        let line = b"a line of some length\r\n";
        let mut scrollback = Scrollback::default();
        (0..10_000).for_each(|_| scrollback.said(line));
        let shown = scrollback.take();
        assert!(shown.text.len() <= MOST && shown.text.len() > MOST - line.len());
        assert!(shown.text.starts_with(line) && shown.text.ends_with(line));
        assert_eq!(shown.missing + shown.text.len() as u64, 10_000 * line.len() as u64);
    }

    #[test]
    fn a_line_without_an_end_begins_with_a_whole_letter() {
        let mut scrollback = of(&["é".repeat(MOST).as_bytes(), b"x"]);
        let shown = scrollback.take();
        assert_eq!(shown.text.len(), MOST - 1);
        assert!(std::str::from_utf8(&shown.text).is_ok_and(|text| text.starts_with('é')));
        let mut ended = of(&[&vec![b'x'; MOST], b"\n"]);
        assert_eq!(ended.take().text.len(), MOST, "an end with nothing behind it is no reason to show nothing");
    }

    #[test]
    fn memory_is_taken_as_it_fills_and_no_more_than_there_is_a_use_for() {
        assert_eq!(Scrollback::default().bytes.capacity(), 0);
        let scrollback = of(&[&vec![b'x'; MOST], &vec![b'y'; 3 * MOST], b"z"]);
        assert_eq!(scrollback.bytes.len(), MOST);
        assert!(scrollback.bytes.capacity() <= MOST + 1);
        let moved = serde_json::to_string(&scrollback).unwrap();
        assert!(moved.len() < MOST * 3 / 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn split_anywhere_and_moved_it_is_the_same(
            lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..60),
            size in 1_usize..100_000,
        ) {
            let text = lines.join(&b'\n');
            let mut split = Scrollback::default();
            for piece in text.chunks(size) {
                split.said(piece);
            }
            let moved = serde_json::to_string(&split).unwrap();
            let mut split: Scrollback = serde_json::from_str(&moved).unwrap();
            let shown = split.take();
            prop_assert_eq!(&shown, &of(&[&text]).take());
            prop_assert!(text.ends_with(&shown.text));
            prop_assert_eq!(shown.missing as usize + shown.text.len(), text.len());
        }
    }
}
