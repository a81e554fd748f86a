//! The line reader: bytes become lines of valid UTF-8 within a limit. Runs in the worker.

use std::fmt;

use memchr::{memchr, memchr2};
use serde::{Deserialize, Serialize};

use crate::buffer;
use crate::keys::{ESC, Key};

const NUL: u8 = 0;
const BACKSPACE: u8 = 0x08;
const LF: u8 = b'\n';
const CR: u8 = b'\r';
const CTRL_U: u8 = 0x15;
const CTRL_W: u8 = 0x17;
const DELETE: u8 = 0x7f;

/// One line, without its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line, perhaps empty. Never contains NUL or LF.
    Text(&'a str),
    /// A line was longer than the limit. Reported as soon as that is known; the rest of it is skipped.
    TooLong,
    /// A line was not UTF-8: what there was of it.
    NotUtf8(&'a [u8]),
    /// A line was [interrupted](LineReader::interrupt) in the middle of a character; the rest of it was skipped.
    Cut,
}

/// Shows how long a line is, not what it says: it may be a password.
impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::TooLong => f.write_str("TooLong"),
            Self::NotUtf8(bytes) => write!(f, "NotUtf8({} bytes)", bytes.len()),
            Self::Cut => f.write_str("Cut"),
        }
    }
}

/// Splits what arrives into lines, whatever the reads were.
///
/// A line ends with LF or CR LF; for people, see [`set_return_ends_line`](Self::set_return_ends_line), with CR as
/// well. NUL bytes are dropped. A line that lies whole in the input is borrowed from there; only what is left of a
/// read is copied, into a buffer that grows to at most one byte more than the limit (the CR of a longest line) and
/// is freed after a long line.
///
/// Serialized, in a format that knows the names of fields, it is all that another program needs to go on from here, in the
/// middle of a line too. A field that is added needs a default that is right for a state without it.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub struct LineReader {
    /// What there is of the line that has begun.
    #[serde(deserialize_with = "buffer::exact")]
    buf: Vec<u8>,
    limit: usize,
    return_ends_line: bool,
    editing: bool,
    swallowing: bool,
    /// Where in a key that is swallowed the line ends so far.
    key: Key,
    /// A key was swallowed in the line that has begun.
    has_keys: bool,
    /// The same of the line that was handed out last. Made anew, as that is.
    #[serde(skip)]
    had_keys: bool,
    /// The line that was handed out last has ended with a CR. Made anew, as that is.
    #[serde(skip)]
    ended_with_return: bool,
    /// The rest of a line that is too long, or cut, is being skipped.
    skipping: bool,
    /// The line that is being skipped was cut, which is not said yet.
    cut: bool,
    /// A CR ended the last line: LF or NUL after it belongs to it.
    after_return: bool,
    /// The line that was handed out last, where it is not borrowed from the input; dropped at the next call. Made anew:
    /// whoever it was handed to has used it, and it may be a password.
    #[serde(skip)]
    handed_out: Vec<u8>,
}

impl LineReader {
    /// Bytes that a line may have without its end, unless set otherwise.
    pub const DEFAULT_LIMIT: usize = 8192;

    /// A reader with the default limit, for programs: LF and CR LF end a line and nothing edits it.
    /// Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buf: Vec::new(),
            limit: Self::DEFAULT_LIMIT,
            return_ends_line: false,
            editing: false,
            swallowing: false,
            key: Key::None,
            has_keys: false,
            had_keys: false,
            ended_with_return: false,
            cut: false,
            skipping: false,
            after_return: false,
            handed_out: Vec::new(),
        }
    }

    /// Sets how many bytes a line may have, without its end.
    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// How many bytes a line may have, without its end.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether CR alone (or with NUL, as telnet sends the return key) ends a line too. CR LF is still one end.
    pub fn set_return_ends_line(&mut self, on: bool) {
        self.return_ends_line = on;
    }

    /// Whether the keys of a terminal in character mode edit the line: backspace and delete erase a character,
    /// control-W a word, control-U the line.
    pub fn set_editing(&mut self, on: bool) {
        self.editing = on;
    }

    /// Whether keys that are no characters are swallowed: arrows, Delete, letters with Alt, the marks around what is pasted.
    pub fn set_swallowing(&mut self, on: bool) {
        self.swallowing = on;
        if !on {
            self.key = Key::None;
        }
    }

    /// Whether a key was swallowed in the line that was handed out last.
    #[must_use]
    pub fn had_keys(&self) -> bool {
        self.had_keys
    }

    /// Whether the line that was handed out last has ended with CR, be there LF or NUL behind it, as telnet ends lines.
    #[must_use]
    pub fn ended_with_return(&self) -> bool {
        self.ended_with_return
    }

    /// The next line in `input`, from which it takes what it used; `None` when `input` is used up.
    ///
    /// The owner may stop after any line and come back later with the rest of `input`.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Line<'a>> {
        self.drop_handed_out();
        loop {
            self.finish_return(input);
            if input.is_empty() {
                return None;
            }
            let (part, ended) = self.take_part(input);
            if self.skipping {
                self.skipping = !ended;
                if ended && std::mem::take(&mut self.cut) {
                    return Some(Line::Cut);
                }
                continue;
            }
            let whole = ended && self.buf.is_empty() && self.is_plain(part);
            let fits = whole || self.append(part);
            if ended || !fits {
                self.had_keys = std::mem::take(&mut self.has_keys);
                self.key = Key::None;
            }
            if whole {
                return Some(self.judge(part));
            }
            if !fits {
                buffer::release(&mut self.buf);
                self.skipping = !ended;
                return Some(Line::TooLong);
            }
            if ended {
                std::mem::swap(&mut self.buf, &mut self.handed_out);
                return Some(self.judge(&self.handed_out));
            }
        }
    }

    /// Whether a line has begun and not ended.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.is_quiet()
    }

    /// Whether no line has begun: nothing of the input waits here. After a CR nothing does, though an LF or NUL that follows
    /// belongs to it.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        // Every field by its name: whoever adds one decides here whether input waits in it.
        let Self {
            buf,
            limit: _,
            return_ends_line: _,
            editing: _,
            swallowing: _,
            key,
            has_keys,
            had_keys: _,
            ended_with_return: _,
            skipping,
            cut: _,
            after_return: _,
            handed_out: _,
        } = self;
        buf.is_empty() && !skipping && *key == Key::None && !has_keys
    }

    /// Whether a CR has ended the last line, so that an LF or NUL may still come that belongs to it.
    #[must_use]
    pub fn after_return(&self) -> bool {
        self.after_return
    }

    /// Goes on behind another reader, where [`LineReader::after_return`] was this.
    pub fn set_after_return(&mut self, after_return: bool) {
        self.after_return = after_return;
    }

    /// Gives up the line that has begun, if any.
    pub fn clear(&mut self) {
        self.drop_handed_out();
        self.skipping = false;
        self.cut = false;
        self.key = Key::None;
        self.has_keys = false;
        buffer::release(&mut self.buf);
    }

    /// The peer's interrupt key: gives up the line that has begun. If that ends within a character, no person has pressed a key,
    /// but a terminal has taken a part of a letter for one: what follows is the rest of that line, and is skipped.
    pub fn interrupt(&mut self) {
        let cut = std::str::from_utf8(&self.buf).is_err_and(|error| error.error_len().is_none());
        let goes_on = self.skipping && self.cut;
        self.clear();
        self.skipping = cut || goes_on;
        self.cut = self.skipping;
    }

    /// Erases the last character of the line that has begun: one whole UTF-8 character, or one byte of what is not.
    pub fn erase_character(&mut self) {
        self.drop_handed_out();
        let mut at = self.buf.len().saturating_sub(1);
        let lowest = self.buf.len().saturating_sub(4);
        while at > lowest && self.buf.get(at).is_some_and(|byte| byte & 0xC0 == 0x80) {
            at -= 1;
        }
        let whole = self.buf.get(at..).is_some_and(|tail| std::str::from_utf8(tail).is_ok());
        self.buf.truncate(if whole { at } else { self.buf.len().saturating_sub(1) });
    }

    /// Erases the last word of the line that has begun, and the spaces after it.
    pub fn erase_word(&mut self) {
        self.drop_handed_out();
        let is_word = |byte: &u8| *byte != b' ' && *byte != b'\t';
        let word_end = self.buf.iter().rposition(is_word).map_or(0, |at| at + 1);
        self.buf.truncate(word_end);
        let word_start = self.buf.iter().rposition(|byte| !is_word(byte)).map_or(0, |at| at + 1);
        self.buf.truncate(word_start);
    }

    /// Erases the line that has begun. One that is already too long stays so.
    pub fn erase_line(&mut self) {
        self.drop_handed_out();
        self.buf.clear();
    }

    /// Bytes allocated: at most one more than the limit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buf.capacity() + self.handed_out.capacity()
    }

    /// The memory of the line that was handed out serves for the next one: none has begun since.
    fn drop_handed_out(&mut self) {
        if self.handed_out.capacity() > 0 {
            buffer::release(&mut self.handed_out);
            std::mem::swap(&mut self.buf, &mut self.handed_out);
        }
    }

    fn finish_return(&mut self, input: &mut &[u8]) {
        if !self.after_return {
            return;
        }
        if let Some((byte, rest)) = input.split_first() {
            self.after_return = false;
            if matches!(*byte, LF | NUL) {
                *input = rest;
            }
        }
    }

    /// Takes a line, or what there is of it, and its end. The flag says whether the end was there.
    fn take_part<'i>(&mut self, input: &mut &'i [u8]) -> (&'i [u8], bool) {
        let all = *input;
        let end = if self.return_ends_line { memchr2(LF, CR, all) } else { memchr(LF, all) };
        let Some(end) = end else {
            *input = &[];
            return (all, false);
        };
        let (part, rest) = all.split_at(end);
        self.after_return = rest.first() == Some(&CR);
        self.ended_with_return = self.after_return || part.last() == Some(&CR);
        *input = rest.get(1..).unwrap_or_default();
        self.finish_return(input);
        (part, true)
    }

    fn is_special(&self, byte: u8) -> bool {
        match byte {
            NUL => true,
            ESC => self.swallowing,
            BACKSPACE | DELETE | CTRL_U | CTRL_W => self.editing,
            _ => false,
        }
    }

    fn is_plain(&self, part: &[u8]) -> bool {
        if self.key != Key::None {
            return false;
        }
        if self.editing || self.swallowing {
            !part.iter().any(|byte| self.is_special(*byte))
        } else {
            memchr(NUL, part).is_none()
        }
    }

    /// Adds a part of a line to the buffer, obeying its editing keys. False if the line is now too long.
    fn append(&mut self, part: &[u8]) -> bool {
        let mut rest = part;
        while let Some((byte, tail)) = rest.split_first() {
            if self.key != Key::None {
                match self.key.take(*byte) {
                    Some(key) => (self.key, rest) = (key, tail),
                    None => self.key = Key::None,
                }
                continue;
            }
            let run = rest.iter().position(|byte| self.is_special(*byte)).unwrap_or(rest.len());
            let (run, tail) = rest.split_at(run);
            let length = self.buf.len().saturating_add(run.len());
            let spare_return =
                length == self.limit.saturating_add(1) && !self.return_ends_line && run.last() == Some(&CR);
            if !run.is_empty() && length > self.limit && !spare_return {
                return false;
            }
            buffer::append(&mut self.buf, run, self.limit.saturating_add(1));
            rest = match tail.split_first() {
                Some((key, tail)) => {
                    self.edit(*key);
                    tail
                }
                None => tail,
            };
        }
        true
    }

    fn edit(&mut self, key: u8) {
        match key {
            BACKSPACE | DELETE => self.erase_character(),
            CTRL_U => self.erase_line(),
            CTRL_W => self.erase_word(),
            ESC => (self.key, self.has_keys) = (Key::Escape, true),
            _ => {}
        }
    }

    /// What a whole line, without its LF, is.
    fn judge<'a>(&self, line: &'a [u8]) -> Line<'a> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > self.limit {
            return Line::TooLong;
        }
        std::str::from_utf8(line).map_or(Line::NotUtf8(line), Line::Text)
    }
}

impl Default for LineReader {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LineReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineReader")
            .field("limit", &self.limit)
            .field("is_partial", &self.is_partial())
            .finish_non_exhaustive()
    }
}
