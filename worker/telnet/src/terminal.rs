//! What the peer has told about its terminal: window size, type, MTTS bits, UTF-8. Runs in the worker.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

use crate::codes::{option, write_subnegotiation};

/// TTYPE: what follows is a name.
pub(crate) const IS: u8 = 0;
/// TTYPE: the next name is to be told.
pub(crate) const SEND: u8 = 1;

/// Columns a window may have; others are moved to the nearest.
const WIDTHS: RangeInclusive<u16> = 20..=500;
/// Rows a window may have.
const HEIGHTS: RangeInclusive<u16> = 2..=500;
/// Characters of a name that are kept; RFC 1091 allows 40.
const NAME_LIMIT: usize = 40;
/// How often the type is asked for: client, terminal type, MTTS bits.
const QUESTIONS: u8 = 3;

/// It stands between the player and the world: what it tells, it was told.
pub(crate) const MTTS_PROXY: u32 = 128;

const MTTS_ANSI: u32 = 1;
pub(crate) const MTTS_UTF8: u32 = 4;
const MTTS_256_COLOURS: u32 = 8;
const MTTS_SCREEN_READER: u32 = 64;
const MTTS_TRUECOLOUR: u32 = 256;

/// Beginnings of the terminal types (and of the names MUD clients give as theirs) that have colour.
const COLOURFUL: [&str; 19] = [
    "alacritty",
    "ansi",
    "cmud",
    "cygwin",
    "foot",
    "gnome",
    "kitty",
    "konsole",
    "linux",
    "mudlet",
    "mushclient",
    "putty",
    "rxvt",
    "screen",
    "tintin",
    "tmux",
    "wezterm",
    "xterm",
    "zmud",
];

/// What was agreed on about something. Only ever appended to: [`crate::TelnetBefore`] knows them by their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Agreed {
    /// It was not spoken of.
    #[default]
    Unknown,
    /// Both do it.
    Yes,
    /// One of the two does not want it.
    No,
}

/// A summary of the peer's terminal. What was not told is `None` or [`Agreed::Unknown`].
///
/// A game server has no terminal: in the role of its client only [`utf8`](Self::utf8) and [`charset`](Self::charset) are
/// told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terminal {
    pub(crate) width: Option<u16>,
    pub(crate) height: Option<u16>,
    pub(crate) client: Option<Box<str>>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) mtts: Option<u32>,
    pub(crate) charset_utf8: Agreed,
    /// The name that was agreed on by CHARSET.
    pub(crate) charset_name: Option<Box<str>>,
    /// The one that was told by NEW-ENVIRON.
    pub(crate) charset_told: Option<Box<str>>,
    pub(crate) version: Option<Box<str>>,
}

impl Terminal {
    /// Columns, within 20 and 500.
    #[must_use]
    pub fn width(&self) -> Option<u16> {
        self.width
    }

    /// Rows, within 2 and 500.
    #[must_use]
    pub fn height(&self) -> Option<u16> {
        self.height
    }

    /// The name of the client program, where it speaks MTTS. Printable ASCII, at most 40 characters.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The terminal type, as sent (`XTERM-256COLOR`). Printable ASCII, at most 40 characters.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The bits of the Mud Terminal Type Standard.
    #[must_use]
    pub fn mtts(&self) -> Option<u32> {
        self.mtts
    }

    /// The version of the client program, where it speaks MNES. Printable ASCII, at most 40 characters.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The name of its character set: the one that was agreed on by CHARSET, else the one that it has told in MNES.
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        self.charset_name.as_deref().or(self.charset_told.as_deref())
    }

    /// Whether it takes UTF-8: as CHARSET has settled it, else as it has told in MNES, else by its MTTS bits.
    #[must_use]
    pub fn utf8(&self) -> Agreed {
        let yes_or_no = |yes| if yes { Agreed::Yes } else { Agreed::No };
        match (self.charset_utf8, &self.charset_told, self.mtts) {
            (Agreed::Unknown, Some(name), _) => yes_or_no(is_utf8(name.as_bytes())),
            (Agreed::Unknown, None, Some(_)) => yes_or_no(self.has_bit(MTTS_UTF8)),
            (settled, ..) => settled,
        }
    }

    /// Understands ANSI colours: by its MTTS bits or, where it has none, by its terminal type. Who has told neither does not.
    #[must_use]
    pub fn colour(&self) -> bool {
        match self.mtts {
            Some(_) => self.has_bit(MTTS_ANSI | MTTS_256_COLOURS | MTTS_TRUECOLOUR),
            None => self.name().is_some_and(is_colourful),
        }
    }

    /// Said by MTTS that a screen reader reads it aloud: better without drawn tables.
    #[must_use]
    pub fn screen_reader(&self) -> bool {
        self.has_bit(MTTS_SCREEN_READER)
    }

    fn has_bit(&self, bits: u32) -> bool {
        self.mtts.is_some_and(|mtts| mtts & bits != 0)
    }

    /// Takes over the body of a NAWS subnegotiation. True if anything changed.
    pub(crate) fn set_size(&mut self, body: &[u8]) -> bool {
        let &[w1, w0, h1, h0] = body else { return false };
        let size = (dimension([w1, w0], WIDTHS), dimension([h1, h0], HEIGHTS));
        let changed = size != (self.width, self.height);
        (self.width, self.height) = size;
        changed
    }

    /// The window's size is not told any more. True if anything changed.
    pub(crate) fn forget_size(&mut self) -> bool {
        let known = self.width.is_some() || self.height.is_some();
        (self.width, self.height) = (None, None);
        known
    }

    /// Takes over the outcome of a CHARSET subnegotiation. True if it changed.
    pub(crate) fn settle_utf8(&mut self, outcome: Agreed) -> bool {
        std::mem::replace(&mut self.charset_utf8, outcome) != outcome
    }

    /// Takes over which character set was agreed on. True if that is news.
    pub(crate) fn settle_charset(&mut self, name: &[u8]) -> bool {
        let outcome = if is_utf8(name) { Agreed::Yes } else { Agreed::No };
        let name = Some(clean(name));
        let renamed = self.charset_name != name;
        self.charset_name = name;
        self.settle_utf8(outcome) || renamed
    }

    /// The peer has offered sets of which none is taken, and nothing was agreed on so far. True if that is news.
    pub(crate) fn lacks_utf8(&mut self) -> bool {
        self.charset_utf8 == Agreed::Unknown && self.settle_utf8(Agreed::No)
    }
}

/// A number of columns or rows; zero means that the peer does not know.
fn dimension(bytes: [u8; 2], bounds: RangeInclusive<u16>) -> Option<u16> {
    match u16::from_be_bytes(bytes) {
        0 => None,
        n => Some(n.clamp(*bounds.start(), *bounds.end())),
    }
}

fn is_colourful(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("color") || COLOURFUL.iter().any(|beginning| name.starts_with(beginning))
}

/// The questions for the terminal type: asked at most three times per connection, fewer when an answer repeats.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TypeCycle {
    pub(crate) asked: u8,
    pub(crate) awaiting: bool,
    pub(crate) second: Option<Box<str>>,
}

impl TypeCycle {
    /// The option came into use: asks the first question, once.
    pub(crate) fn start(&mut self, out: &mut Vec<u8>) {
        if self.asked == 0 {
            self.ask(out);
        }
    }

    /// Takes over the body of a TTYPE subnegotiation; what was not asked for is ignored. True if anything changed.
    pub(crate) fn receive(&mut self, body: &[u8], terminal: &mut Terminal, out: &mut Vec<u8>) -> bool {
        let Some((&IS, text)) = body.split_first() else { return false };
        if !std::mem::take(&mut self.awaiting) {
            return false;
        }
        let answer = clean(text);
        if let Some(bits) = mtts_bits(&answer) {
            terminal.mtts = Some(bits);
            if let Some(second) = self.second.take() {
                terminal.client = terminal.name.replace(second);
            }
            return true;
        }
        match self.asked {
            1 => {
                self.ask(out);
                if answer.is_empty() {
                    return false;
                }
                terminal.name = Some(answer);
                true
            }
            2 if !terminal.name().is_some_and(|first| first.eq_ignore_ascii_case(&answer)) => {
                self.second = Some(answer);
                self.ask(out);
                false
            }
            _ => {
                self.second = None;
                false
            }
        }
    }

    /// No answer is waited for.
    pub(crate) fn is_settled(&self) -> bool {
        !self.awaiting
    }

    fn ask(&mut self, out: &mut Vec<u8>) {
        if self.asked < QUESTIONS {
            self.asked += 1;
            self.awaiting = true;
            write_subnegotiation(out, option::TTYPE, &[&[SEND]]);
        }
    }
}

/// A name that may be shown: printable ASCII within the limit.
pub(crate) fn clean(text: &[u8]) -> Box<str> {
    let printable = text.iter().filter(|byte| matches!(byte, b' '..=b'~'));
    let name: String = printable.take(NAME_LIMIT).map(|&byte| char::from(byte)).collect();
    name.trim().into()
}

pub(crate) fn is_utf8(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"UTF-8") || name.eq_ignore_ascii_case(b"UTF8")
}

fn mtts_bits(answer: &str) -> Option<u32> {
    let (word, bits) = answer.split_once(' ')?;
    word.eq_ignore_ascii_case("MTTS").then(|| bits.trim().parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a client give these answers and returns the terminal and the number of questions.
    fn ask(answers: &[&str]) -> (Terminal, usize) {
        let (mut cycle, mut terminal, mut out) = (TypeCycle::default(), Terminal::default(), Vec::new());
        cycle.start(&mut out);
        for answer in answers {
            let body = [&[IS], answer.as_bytes()].concat();
            cycle.receive(&body, &mut terminal, &mut out);
        }
        (terminal, out.len() / 6)
    }

    #[test]
    fn the_cycle_of_a_mud_client() {
        let (terminal, questions) = ask(&["TINTIN++", "XTERM-256COLOR", "MTTS 269"]);
        assert_eq!(questions, 3);
        assert_eq!(terminal.client(), Some("TINTIN++"));
        assert_eq!(terminal.name(), Some("XTERM-256COLOR"));
        assert_eq!(terminal.mtts(), Some(269));
        assert!(terminal.utf8() == Agreed::Yes && terminal.colour() && !terminal.screen_reader());
    }

    #[test]
    fn a_repeated_answer_ends_the_questions() {
        let (terminal, questions) = ask(&["XTERM", "xterm", "MTTS 64"]);
        assert_eq!(questions, 2);
        assert_eq!((terminal.name(), terminal.client(), terminal.mtts()), (Some("XTERM"), None, None));
    }

    #[test]
    fn a_list_of_types_counts_by_its_first() {
        let (terminal, questions) = ask(&["XTERM", "VT220", "VT100", "VT52"]);
        assert_eq!(questions, 3);
        assert_eq!((terminal.name(), terminal.client()), (Some("XTERM"), None));
    }

    #[test]
    fn mtts_bits_decide_before_the_name() {
        let (terminal, _) = ask(&["Blind", "XTERM-256COLOR", "MTTS 68"]);
        assert!(!terminal.colour() && terminal.utf8() == Agreed::Yes && terminal.screen_reader());
    }

    #[test]
    fn what_was_settled_by_charset_counts_before_the_mtts_bits() {
        let (mut terminal, _) = ask(&["Client", "XTERM", "MTTS 5"]);
        assert_eq!(terminal.utf8(), Agreed::Yes);
        assert!(terminal.settle_utf8(Agreed::No) && !terminal.settle_utf8(Agreed::No));
        assert_eq!(terminal.utf8(), Agreed::No);
        let (mut terminal, _) = ask(&["Client", "XTERM", "MTTS 1"]);
        assert_eq!(terminal.utf8(), Agreed::No);
        assert!(terminal.settle_utf8(Agreed::Yes));
        assert_eq!(terminal.utf8(), Agreed::Yes);
        assert!(!terminal.lacks_utf8());
        assert_eq!(Terminal::default().utf8(), Agreed::Unknown);
    }

    #[test]
    fn what_was_not_asked_is_ignored() {
        let (mut cycle, mut terminal, mut out) = (TypeCycle::default(), Terminal::default(), Vec::new());
        assert!(!cycle.receive(b"\0XTERM", &mut terminal, &mut out));
        assert_eq!((terminal, out), (Terminal::default(), vec![]));
    }

    #[test]
    fn names_are_harmless_and_short() {
        let (terminal, _) = ask(&["\x1b[31mx\u{e9}\r\n"]);
        assert_eq!(terminal.name(), Some("[31mx"));
        let (terminal, _) = ask(&["x".repeat(500).as_str()]);
        assert_eq!(terminal.name().map(str::len), Some(NAME_LIMIT));
    }

    #[test]
    fn window_sizes() {
        let mut terminal = Terminal::default();
        assert!(terminal.set_size(&[0, 132, 0, 43]));
        assert!(!terminal.set_size(&[0, 132, 0, 43]));
        assert_eq!((terminal.width(), terminal.height()), (Some(132), Some(43)));
        assert!(terminal.set_size(&[0, 0, 0, 0]));
        assert_eq!((terminal.width(), terminal.height()), (None, None));
        assert!(terminal.set_size(&[255, 255, 0, 1]));
        assert_eq!((terminal.width(), terminal.height()), (Some(500), Some(2)));
        assert!(!terminal.set_size(&[0, 80, 0]));
    }

    #[test]
    fn colour_by_terminal_type() {
        for name in ["xterm", "XTERM-256COLOR", "linux", "screen.xterm", "tmux-256color", "ANSI", "vt100-color"] {
            assert!(ask(&[name]).0.colour(), "{name}");
        }
        for name in ["vt100", "VT220", "dumb", "unknown", ""] {
            assert!(!ask(&[name]).0.colour(), "{name}");
        }
    }
}
