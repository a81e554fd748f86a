//! What a player types on its way to the world, and what of it is for us. Runs in a worker; pure.
//!
//! A line that begins with the escape, usually `//`, is for us. One that begins with the escape twice goes to the world without
//! the first. While the input is hidden nothing is for us: it is a password. Where the world wants every key at once nothing
//! is for us either: to wait for a second key would hold up the first.
//!
//! Whatever ends a line (CR LF, LF, CR NUL, CR) goes to the world as CR LF. All other bytes go as they came.

use super::charset::{Charset, Converter};
use memchr::memchr2;
use serde::{Deserialize, Serialize};
use ssmglobal_telnet::{Line, LineReader};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
mod tests;

/// Bytes that a line may have to be passed on as a whole, unless set otherwise.
pub const LIMIT: usize = 8192;

/// The lowest limit, bytes: the escape twice has room.
const LOWEST_LIMIT: usize = 64;

/// The most characters of an escape.
const LONGEST_ESCAPE: usize = 3;

/// What an emptied buffer may keep, bytes.
const KEEP: usize = 512;

const END: &[u8] = b"\r\n";

/// When what is typed goes to the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// When its line is whole.
    #[default]
    Line,
    /// At once: the world shows what is typed (ECHO) and goes ahead by itself (SGA), and it is not for a password.
    Character,
}

/// What begins a line that is for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escape(String);

impl Escape {
    /// Of 1 to 3 characters that can be seen; none of any others.
    pub fn new(text: &str) -> Option<Escape> {
        let sound = (1..=LONGEST_ESCAPE).contains(&text.chars().count())
            && !text.chars().any(|c| c.is_whitespace() || ssmglobal_ipc::harmful(c));
        sound.then(|| Escape(text.to_owned()))
    }
}

impl Default for Escape {
    fn default() -> Escape {
        Escape("//".to_owned())
    }
}

/// What has come through.
#[derive(PartialEq, Eq)]
pub enum Passed<'a> {
    /// For the world: a piece of a line.
    ToWorld(&'a [u8]),
    /// For the world: the rest of a line, with its end.
    Line {
        /// What is to be sent.
        rest: &'a [u8],
        /// The whole line, without its end, for whoever watches; none of one over the limit.
        line: Option<&'a [u8]>,
        /// It, or a part of it, was typed while the input was hidden.
        hidden: bool,
    },
    /// For us: a line without the escape, as text that was edited by the keys in it.
    ForUs(String),
    /// A line for us was over the limit; the rest of it is skipped.
    TooLong,
}

/// Shows how much there is, not what: it may be a password.
impl fmt::Debug for Passed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Passed::ToWorld(bytes) => write!(f, "ToWorld({} bytes)", bytes.len()),
            Passed::Line { rest, hidden, .. } => write!(f, "Line({} bytes, hidden: {hidden})", rest.len()),
            Passed::ForUs(text) => write!(f, "ForUs({} bytes)", text.len()),
            Passed::TooLong => f.write_str("TooLong"),
        }
    }
}

/// The way from the player to the world.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub struct Gate {
    /// The line that has begun, or what there is of it since a part went because of its length.
    line: Zeroizing<Vec<u8>>,
    /// How many bytes of that have gone to the world.
    sent: usize,
    /// A part of the line has gone and is not in `line` any more.
    cut: bool,
    /// The line goes to the world whatever it begins with: it has begun where every key goes at once.
    passing: bool,
    /// A part of it was typed while the input was hidden.
    was_hidden: bool,
    /// The rest of a line for us that is too long is being skipped.
    skipping: bool,
    /// A CR ended the last line: LF or NUL after it belongs to it.
    after_return: bool,
    mode: Mode,
    hidden: bool,
    /// The next line is for us whatever it begins with. Made anew with each call.
    #[serde(skip)]
    ours: bool,
    /// The escape, as the player's bytes; empty where there is none.
    escape: Vec<u8>,
    charset: Charset,
    limit: usize,
    /// What was handed out last; wiped at the next call. Made anew: whoever it was handed to has used it.
    #[serde(skip)]
    handed_out: Zeroizing<Vec<u8>>,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate {
            line: Zeroizing::default(),
            sent: 0,
            cut: false,
            passing: false,
            was_hidden: false,
            skipping: false,
            after_return: false,
            mode: Mode::Line,
            hidden: false,
            ours: false,
            escape: Vec::new(),
            charset: Charset::Utf8,
            limit: LIMIT,
            handed_out: Zeroizing::default(),
        }
    }
}

/// Shows nothing of what is typed.
impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("mode", &self.mode).field("hidden", &self.hidden).finish_non_exhaustive()
    }
}

impl Gate {
    /// With this escape, or none; the player's bytes are of `charset`.
    pub fn new(escape: Option<&Escape>, charset: Charset) -> Gate {
        let mut gate = Gate::default();
        gate.set_escape(escape, charset);
        gate
    }

    /// Which escape, if any, and which characters the player's bytes are from now on.
    pub fn set_escape(&mut self, escape: Option<&Escape>, charset: Charset) {
        self.charset = charset;
        self.escape.clear();
        if let Some(Escape(text)) = escape {
            Converter::new(Charset::Utf8, charset).convert(text.as_bytes(), &mut self.escape);
        }
    }

    /// How many bytes a line may have to be passed on as a whole.
    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes.max(LOWEST_LIMIT);
    }

    /// When what is typed goes on. What waits for the end of its line goes with the next call of [`Gate::next`], but for a line
    /// that is for us already.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        if mode == Mode::Character && !self.line.is_empty() && !self.is_for_us() {
            self.passing = true;
        }
    }

    /// Whether the next line that ends is for us, whatever it begins with.
    pub fn set_ours(&mut self, ours: bool) {
        self.ours = ours;
    }

    /// Whether what is typed is not shown from now on: nothing is for us then.
    pub fn set_hidden(&mut self, hidden: bool) {
        self.hidden = hidden;
        // What was typed ahead of the question is the answer to it.
        self.was_hidden |= hidden && !self.line.is_empty();
    }

    /// Whether a part of a line has gone to the world because of its length, and its end has not.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether nothing that was typed hidden waits here: a worker that moves had better wait for the rest of a password than take
    /// half of it along.
    pub fn is_quiet(&self) -> bool {
        // Every field by its name: whoever adds one decides here whether a secret waits in it.
        let Gate {
            line,
            sent: _,
            cut: _,
            passing: _,
            was_hidden,
            skipping: _,
            after_return: _,
            mode: _,
            hidden: _,
            escape: _,
            charset: _,
            limit: _,
            ours: _,
            handed_out: _,
        } = self;
        line.is_empty() || !was_hidden
    }

    /// What comes through next of `input`, from which it takes what it used; `None` when that is used up and nothing is left to
    /// pass on. The owner may stop after any of it, and change what is set.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Passed<'_>> {
        wipe(&mut self.handed_out);
        loop {
            self.finish_return(input);
            if input.is_empty() {
                return self.pass_on();
            }
            self.passing |= self.mode == Mode::Character && self.line.is_empty() && !self.ours;
            let ended = self.take_part(input);
            if self.skipping {
                self.skip(ended);
            } else if ended {
                return Some(self.end());
            } else if !input.is_empty() {
                // More follows than there is room for.
                return Some(self.overflow());
            }
        }
    }

    fn finish_return(&mut self, input: &mut &[u8]) {
        if let Some((byte, rest)) = input.split_first().filter(|_| self.after_return) {
            self.after_return = false;
            if matches!(*byte, b'\n' | 0) {
                *input = rest;
            }
        }
    }

    /// Takes a line, or what there is of it and has room, and its end. Gives whether the end was there.
    fn take_part(&mut self, input: &mut &[u8]) -> bool {
        let end = memchr2(b'\r', b'\n', input);
        let room = self.limit.saturating_sub(self.line.len());
        let (part, rest) = input.split_at(end.unwrap_or(input.len()).min(room));
        append(&mut self.line, part);
        self.was_hidden |= self.hidden;
        *input = rest;
        match rest.split_first() {
            Some((byte @ (b'\r' | b'\n'), rest)) => {
                self.after_return = *byte == b'\r';
                *input = rest;
                true
            }
            _ => false,
        }
    }

    fn skip(&mut self, ended: bool) {
        wipe(&mut self.line);
        if ended {
            self.begin();
        }
    }

    fn begin(&mut self) {
        wipe(&mut self.line);
        (self.sent, self.cut, self.passing, self.was_hidden, self.skipping) = (0, false, false, false, false);
    }

    /// Whether what there is of the line begins with the escape, and nothing of it has gone.
    fn is_escaped(&self) -> bool {
        !self.escape.is_empty()
            && !self.passing
            && !self.cut
            && self.sent == 0
            && !self.was_hidden
            && self.line.starts_with(&self.escape)
    }

    /// Whether it does so twice.
    fn is_doubled(&self) -> bool {
        self.is_escaped() && self.line.get(self.escape.len()..).is_some_and(|rest| rest.starts_with(&self.escape))
    }

    fn is_for_us(&self) -> bool {
        self.is_escaped() && !self.is_doubled()
    }

    /// Of a line that goes to the world: where that begins which was not sent.
    fn unsent(&self) -> usize {
        if self.is_doubled() { self.escape.len() } else { self.sent }
    }

    /// Sends what there is of a line, where every key goes at once.
    fn pass_on(&mut self) -> Option<Passed<'_>> {
        if !self.passing || self.skipping || self.sent >= self.line.len() {
            return None;
        }
        let from = std::mem::replace(&mut self.sent, self.line.len());
        self.line.get(from..).map(Passed::ToWorld)
    }

    /// The line has ended.
    fn end(&mut self) -> Passed<'_> {
        if self.ours || self.is_for_us() {
            let escape = if self.is_for_us() { self.escape.len() } else { 0 };
            let text = self.line.get(escape..).map(|line| cleaned(line, self.charset)).unwrap_or_default();
            self.begin();
            return Passed::ForUs(text);
        }
        append(&mut self.line, END);
        let (from, hidden, cut) = (self.unsent(), self.was_hidden, self.cut);
        let begins = if self.sent == 0 { from } else { 0 };
        std::mem::swap(&mut self.line, &mut self.handed_out);
        self.begin();
        let rest = self.handed_out.get(from..).unwrap_or_default();
        let line = self.handed_out.get(begins..self.handed_out.len().saturating_sub(END.len()));
        Passed::Line { rest, line: line.filter(|_| !cut), hidden }
    }

    /// The line is too long to wait for its end.
    fn overflow(&mut self) -> Passed<'_> {
        if self.is_for_us() {
            self.skipping = true;
            wipe(&mut self.line);
            return Passed::TooLong;
        }
        let from = self.unsent();
        std::mem::swap(&mut self.line, &mut self.handed_out);
        (self.sent, self.cut) = (0, true);
        Passed::ToWorld(self.handed_out.get(from..).unwrap_or_default())
    }
}

/// A line for us, as text: of what the player's terminal sends, edited by the keys in it.
fn cleaned(line: &[u8], charset: Charset) -> String {
    let (mut converter, mut text) = (Converter::new(charset, Charset::Utf8), Vec::new());
    converter.convert(line, &mut text);
    converter.finish(&mut text);
    text.push(b'\n');
    let mut reader = LineReader::new();
    reader.set_limit(text.len());
    reader.set_editing(true);
    reader.set_swallowing(true);
    match reader.next(&mut text.as_slice()) {
        Some(Line::Text(text)) => text.to_owned(),
        Some(Line::NotUtf8(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(Line::TooLong | Line::Cut) | None => String::new(),
    }
}

/// Appends bytes; where that takes other memory, what was in the old one is wiped.
fn append(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let need = buffer.len() + bytes.len();
    if need > buffer.capacity() {
        let mut larger = Vec::with_capacity(need.max(2 * buffer.capacity()).max(64));
        larger.extend_from_slice(buffer);
        buffer.zeroize();
        *buffer = larger;
    }
    buffer.extend_from_slice(bytes);
}

/// Empties it, and gives much memory back.
fn wipe(buffer: &mut Vec<u8>) {
    buffer.zeroize();
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
}
