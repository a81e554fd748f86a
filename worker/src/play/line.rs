//! Where in a line the world's output stands: a notice of ours goes between lines, and what stood there, mostly a prompt, is
//! shown again behind it. Runs in a worker; pure.

use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};

/// The most of a line that is kept to be shown again, bytes; of a longer one its end.
const MOST: usize = 512;

/// The most of the colours that are on, bytes; of more the last ones.
const MOST_COLOURS: usize = 128;

/// The longest sequence that can be one of colours, bytes.
const LONGEST: usize = 64;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// Where in a sequence that steers a terminal the text stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Escape {
    /// In none.
    #[default]
    None,
    /// Behind ESC, and what may stand between it and the last byte of a short sequence.
    Begun,
    /// In a control sequence, as those of colours are.
    Control,
    /// In a string, such as a window's title.
    String,
    /// In one that may be about to end.
    StringEnd,
}

/// What a byte of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Byte {
    /// Text, or a control character by itself.
    Text,
    /// A part of a sequence.
    Part,
    /// The last one of a control sequence.
    Final,
}

impl Escape {
    /// The next byte of the text.
    pub(super) fn take(&mut self, byte: u8) -> Byte {
        let (next, what) = match (*self, byte) {
            // A line's end is one whatever has begun before, and a new sequence ends what there was.
            (Escape::None, ESC) | (Escape::Begun | Escape::Control, ESC) => (Escape::Begun, Byte::Part),
            (Escape::None, _) | (_, b'\n' | b'\r') => (Escape::None, Byte::Text),
            (Escape::Begun, b'[') => (Escape::Control, Byte::Part),
            (Escape::Begun, b']' | b'P' | b'X' | b'^' | b'_') => (Escape::String, Byte::Part),
            (Escape::Begun, b' '..=b'/') => (Escape::Begun, Byte::Part),
            (Escape::Begun, _) => (Escape::None, Byte::Part),
            (Escape::Control, b'@'..=b'~') => (Escape::None, Byte::Final),
            (Escape::Control, _) => (Escape::Control, Byte::Part),
            (Escape::String | Escape::StringEnd, ESC) => (Escape::StringEnd, Byte::Part),
            (Escape::String, BEL) | (Escape::StringEnd, b'\\') => (Escape::None, Byte::Part),
            (Escape::String | Escape::StringEnd, _) => (Escape::String, Byte::Part),
        };
        *self = next;
        what
    }
}

/// Where the output stands.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// The line so far, with the colours that were on when it began; no other sequences.
    line: Vec<u8>,
    /// The colours that are on, as what has set them.
    colours: Vec<u8>,
    /// The sequence that has begun, while it may be one of colours.
    sequence: Vec<u8>,
    escape: Escape,
    /// Something stands in the line.
    begun: bool,
    /// A CR has come: the line's end, or it is written over.
    returned: bool,
    /// Bytes of a UTF-8 letter that are still to come, as its first one says.
    lacking: u8,
}

impl Line {
    /// What the world has said; split anywhere.
    pub fn said(&mut self, text: &[u8]) {
        let (whole, rest) = text.split_at(memrchr(b'\n', text).map_or(0, |at| at + 1));
        if !whole.is_empty() {
            self.pass(whole);
        }
        rest.iter().for_each(|byte| self.byte(*byte));
    }

    /// Whether the next byte begins a line: a notice may be put here without a line's end before it.
    pub fn at_line_start(&self) -> bool {
        !self.begun
    }

    /// Whether nothing may be put here: the text stands in a letter or in a sequence.
    pub fn is_inside(&self) -> bool {
        self.escape != Escape::None || self.lacking > 0
    }

    /// What is to be shown again behind a notice: the line that has begun, or its end, with its colours; at a line's start the
    /// colours that are on.
    pub fn partial(&self) -> &[u8] {
        self.line.get(cut(&self.line, MOST)..).unwrap_or_default()
    }

    /// Lines that have ended: of these only the colours matter.
    fn pass(&mut self, lines: &[u8]) {
        let mut rest = lines;
        loop {
            if self.escape == Escape::None {
                let Some(at) = memchr(ESC, rest) else { break };
                rest = rest.get(at..).unwrap_or_default();
            }
            let Some((byte, behind)) = rest.split_first() else { break };
            self.byte(*byte);
            rest = behind;
        }
        self.begin();
    }

    fn byte(&mut self, byte: u8) {
        match self.escape.take(byte) {
            Byte::Text => self.text(byte),
            Byte::Part => {
                if byte == ESC {
                    self.sequence.clear();
                }
                if self.sequence.len() < LONGEST {
                    self.sequence.push(byte);
                }
            }
            Byte::Final => {
                if byte == b'm' && self.sequence.len() < LONGEST {
                    self.sequence.push(byte);
                    self.colour();
                }
                self.sequence.clear();
            }
        }
        if self.escape == Escape::None {
            self.sequence.clear();
        }
    }

    fn text(&mut self, byte: u8) {
        match byte {
            b'\n' => return self.begin(),
            b'\r' => {
                self.returned = true;
                self.lacking = 0;
                return;
            }
            b'\t' => {}
            // It leaves nothing in the line.
            ..b' ' | 0x7f => return,
            _ => {}
        }
        if self.returned {
            self.begin();
        }
        self.lacking = match byte {
            0x80..=0xbf => self.lacking.saturating_sub(1),
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => 0,
        };
        self.begun = true;
        self.append(&[byte]);
    }

    fn begin(&mut self) {
        (self.begun, self.returned, self.lacking) = (false, false, 0);
        self.line.clear();
        self.line.extend_from_slice(&self.colours);
    }

    fn colour(&mut self) {
        let sequence = std::mem::take(&mut self.sequence);
        if matches!(sequence.as_slice(), b"\x1b[m" | b"\x1b[0m") {
            self.colours.clear();
        } else {
            // One that sets all anew, as most do, makes those before it pointless.
            if sequence.starts_with(b"\x1b[0;") {
                self.colours.clear();
            }
            self.colours.extend_from_slice(&sequence);
            let from = cut(&self.colours, MOST_COLOURS);
            self.colours.drain(..from);
        }
        self.append(&sequence);
    }

    fn append(&mut self, bytes: &[u8]) {
        self.line.extend_from_slice(bytes);
        // Not at every byte.
        if self.line.len() >= 2 * MOST {
            let from = cut(&self.line, MOST);
            self.line.drain(..from);
        }
    }
}

/// Where text with sequences of colours may be cut so that `most` bytes at its end are left, or some fewer: not in a letter and
/// not in a sequence.
fn cut(text: &[u8], most: usize) -> usize {
    let from = text.len().saturating_sub(most);
    if from == 0 {
        return 0;
    }
    let (before, behind) = text.split_at(from);
    let begun = before.iter().rposition(|byte| *byte == ESC).and_then(|at| before.get(at..));
    let skipped = match begun.filter(|sequence| !sequence.contains(&b'm')) {
        Some(_) => behind.iter().position(|byte| *byte == b'm').map_or(behind.len(), |at| at + 1),
        None => behind.iter().take_while(|byte| **byte & 0xc0 == 0x80).count(),
    };
    from + skipped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(said: &[u8]) -> Line {
        let mut line = Line::default();
        line.said(said);
        line
    }

    #[test]
    fn whether_a_line_has_begun_is_what_is_seen_of_it() {
        for (said, at_start) in [
            (&b""[..], true),
            (b"a line\r\n", true),
            (b"a line\n\r", true),
            (b"a line\r\n\x1b[0m", true),
            (b"a line\r\n\x07\0", true),
            (b"> ", false),
            (b"a line\r\n>", false),
            (b"written over\r", false),
            (b"\r\n\x1b]2;a title\x07", true),
            (b"\r\n\x1b]2;a title\x1b\\\x1b(B\x1b[2J", true),
            (b"\t", false),
        ] {
            assert_eq!(line(said).at_line_start(), at_start, "{}", said.escape_ascii());
        }
    }

    #[test]
    fn a_prompt_is_shown_again_with_its_colours_and_without_what_moves_the_cursor() {
        for (said, partial) in [
            (&b"Welcome\r\n\x1b[1;32mHP:10\x1b[0m> "[..], &b"\x1b[1;32mHP:10\x1b[0m> "[..]),
            (b"\x1b[33mall is yellow\r\nName: ", b"\x1b[33mName: "),
            (b"\x1b[33mall is yellow\x1b[m\r\nName: ", b"Name: "),
            (b"\x1b[1m\x1b[0;31mred\r\n> ", b"\x1b[0;31m> "),
            (b"\x1b[2J\x1b[H> \x1b[K", b"> "),
            (b"10%\r20%", b"20%"),
            (b"\x1b[35m10%\r\x1b[0m20%", b"20%"),
            (b"\x1b]0;title\x07> ", b"> "),
            ("Имя: ".as_bytes(), "Имя: ".as_bytes()),
        ] {
            assert_eq!(
                line(said).partial().escape_ascii().to_string(),
                partial.escape_ascii().to_string(),
                "{}",
                said.escape_ascii()
            );
        }
    }

    #[test]
    fn nothing_is_put_into_a_letter_or_a_sequence() {
        for said in [&b"\xd0"[..], b"> \x1b", b"> \x1b[1;3", b"\x1b]0;ti", b"\xf0\x9f\x98"] {
            assert!(line(said).is_inside(), "{}", said.escape_ascii());
        }
        for said in [&b"> "[..], "é".as_bytes(), b"\xe9t", b"\xe9\r\n", b"\x1b[1;3\r\n"] {
            assert!(!line(said).is_inside(), "{}", said.escape_ascii());
        }
    }

    #[test]
    fn of_a_long_line_the_end_is_kept_cut_between_letters_and_sequences() {
        for (piece, count) in [("é", 1000), ("日本", 1000), ("\x1b[31mx", 1000), ("x", 10_000)] {
            let mut long = piece.repeat(count);
            for prompt in ["", "> ", "?> "] {
                long.push_str(prompt);
                let line = line(long.as_bytes());
                let partial = std::str::from_utf8(line.partial()).unwrap();
                assert!(partial.len() <= MOST && partial.len() > MOST - 16, "{}", partial.len());
                assert!(long.ends_with(partial));
                assert!(!partial.starts_with(['[', '3', '1', 'm']), "{partial:?}");
            }
        }
        let colours = "\x1b[1m\x1b[35m".repeat(1000);
        assert!(line(format!("{colours}\r\n").as_bytes()).partial().len() <= MOST_COLOURS);
        assert!(line(&[b"\x1b[".to_vec(), vec![b'1'; 100_000]].concat()).sequence.len() <= LONGEST);
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        const KNOWN: &[&str] = &[
            "word",
            "\r\n",
            "\n",
            "\r",
            "\x1b[1;31m",
            "\x1b[0m",
            "\x1b[",
            "\x1b]",
            "\x1b",
            "\x07",
            "é",
            "日",
            "m",
            "\x1b[2J",
        ];
        prop_oneof![
            prop::sample::select(KNOWN).prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..3),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn split_anywhere_it_is_the_same(pieces in prop::collection::vec(piece(), 0..60)) {
            let text = pieces.concat();
            let whole = line(&text);
            for at in 0..=text.len() {
                let (first, second) = text.split_at(at);
                let moved = serde_json::to_string(&line(first)).unwrap();
                let mut split: Line = serde_json::from_str(&moved).unwrap();
                split.said(second);
                prop_assert_eq!(&split, &whole);
            }
            prop_assert!(whole.partial().len() <= MOST);
        }
    }
}
