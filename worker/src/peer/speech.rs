//! Bytes to lines, as the mode wants it: people may speak telnet and edit, programs do not. Who speaks something else
//! altogether is noticed here. Runs in a worker; pure.

use super::layer::{Layer, Opened};
use super::strangers::{Beginning, Protocol};
use crate::render::{Look, Told};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::Mode;
use ssmglobal_telnet::{Agreed, Event, Line, LineReader, Telnet};

/// What the bytes held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line, without its end.
    Line,
    /// A line over the limit; the rest of it is skipped.
    TooLong,
    /// A line that is not UTF-8.
    NotUtf8,
    /// No line, but a sign that the other side lives.
    Alive,
    /// It speaks this, which is not spoken here.
    Stranger(Protocol),
}

/// The layer: telnet, where it is spoken, and lines.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Speech {
    lines: LineReader,
    /// Only where somebody has spoken telnet, or is to.
    telnet: Option<Box<Telnet>>,
    people: bool,
    /// What the connection began with, where that is not to be a mode; until the first line is known.
    beginning: Option<Beginning>,
}

const IAC: u8 = 0xff;

/// What some programs write before a text to say that it is UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl Speech {
    /// For a client that begins in `mode`; lines up to `limit` bytes. `strangers` are looked out for.
    pub fn new(mode: Mode, limit: usize, strangers: bool) -> Speech {
        let mut speech = Speech { beginning: strangers.then(Beginning::default), ..Speech::default() };
        speech.listen(mode, limit);
        speech
    }

    /// Goes on where a program has left one that put its parts away one by one.
    pub fn of_parts(after_return: bool, telnet: Option<Telnet>, beginning: Option<Beginning>) -> Speech {
        let mut speech = Speech { telnet: telnet.map(Box::new), beginning, ..Speech::default() };
        speech.lines.set_after_return(after_return);
        speech
    }

    /// How lines are read from now on, and up to how many bytes.
    pub fn listen(&mut self, mode: Mode, limit: usize) {
        self.people = matches!(mode, Mode::Ask | Mode::Human);
        self.lines.set_return_ends_line(self.people);
        self.lines.set_editing(self.people);
        self.lines.set_limit(limit);
    }

    /// Whether a line has begun and not ended.
    pub fn is_partial(&self) -> bool {
        self.lines.is_partial()
    }

    /// Whether the other side has spoken telnet, and does so now.
    pub fn speaks_telnet(&self) -> bool {
        self.people && self.telnet.as_ref().is_some_and(|telnet| telnet.speaks_telnet())
    }

    /// The terminal's manners, as far as they are known.
    pub fn look(&self) -> Look {
        let usual = Look::default();
        let Some(terminal) = self.telnet.as_ref().map(|telnet| telnet.terminal()) else { return usual };
        Look {
            width: terminal.width().unwrap_or(usual.width),
            height: terminal.height().unwrap_or(usual.height),
            colour: terminal.colour(),
            // Who has not spoken of it mostly does.
            utf8: terminal.utf8() != Agreed::No,
            plain: terminal.screen_reader(),
            ..usual
        }
    }

    /// Of what the terminal has told something.
    pub fn told(&self) -> Told {
        let Some(terminal) = self.telnet.as_ref().map(|telnet| telnet.terminal()) else { return Told::default() };
        Told {
            width: terminal.width().is_some(),
            height: terminal.height().is_some(),
            colour: terminal.mtts().is_some() || terminal.name().is_some(),
            charset: terminal.utf8() != Agreed::Unknown,
            screen_reader: terminal.mtts().is_some(),
        }
    }

    /// Begins to negotiate: at a door for people.
    pub fn offer(&mut self, out: &mut Vec<u8>) {
        self.telnet.get_or_insert_default().offer(out);
    }

    /// Asks the other side not to show what is typed, or to show it again.
    pub fn hide_input(&mut self, hidden: bool, out: &mut Vec<u8>) {
        self.telnet.get_or_insert_default().hide_input(hidden, out);
    }

    /// Marks the end of a prompt for clients that want that.
    pub fn prompt_end(&self, out: &mut Vec<u8>) {
        if let Some(telnet) = &self.telnet {
            telnet.prompt_end(out);
        }
    }

    /// Sends something that nobody sees, to one who speaks telnet.
    pub fn keep_alive(&self, out: &mut Vec<u8>) {
        if self.speaks_telnet() {
            Telnet::keep_alive(out);
        }
    }

    /// Bytes have come, and were not opened yet: what they tell before the first line is whole.
    pub fn look_at(&mut self, bytes: &[u8]) -> Option<Protocol> {
        self.beginning.as_mut().and_then(|beginning| beginning.read(bytes))
    }

    /// What was found; a stranger's first line is none.
    fn judge(&mut self, input: Input, line: &str) -> Input {
        let stranger = match input {
            Input::Line if line.trim().is_empty() => None,
            Input::Line => self.beginning.take().and_then(|_| Protocol::of_line(line)),
            Input::TooLong | Input::NotUtf8 => self.beginning.take().and_then(|beginning| beginning.of_unread_line()),
            Input::Alive | Input::Stranger(_) => None,
        };
        stranger.map_or(input, Input::Stranger)
    }

    fn next_input(&mut self, bytes: &mut &[u8], line: &mut String, out: &mut Vec<u8>) -> Option<Input> {
        if self.people && self.telnet.is_none() && bytes.contains(&IAC) {
            self.telnet = Some(Box::default());
        }
        let Some(telnet) = self.telnet.as_mut().filter(|_| self.people) else {
            return next_line(&mut self.lines, bytes, line);
        };
        loop {
            let event = telnet.next(bytes, out);
            if telnet.speaks_telnet() {
                telnet.offer(out);
            }
            match event? {
                // At most one line: the telnet machine sees to that.
                Event::Data(mut data) => {
                    if let Some(input) = next_line(&mut self.lines, &mut data, line) {
                        return Some(input);
                    }
                }
                Event::Interrupt => self.lines.clear(),
                Event::EraseCharacter => self.lines.erase_character(),
                Event::EraseLine => self.lines.erase_line(),
                // What only a client hears.
                Event::HideInput(_) | Event::PromptEnd => {}
                Event::Terminal => {}
                Event::Alive => return Some(Input::Alive),
            }
        }
    }
}

impl Layer for Speech {
    /// The line that was found last.
    type Up = String;
    type Found = Input;

    fn open(&mut self, input: &mut &[u8], up: &mut String, out: &mut Vec<u8>) -> Opened<Input> {
        match self.next_input(input, up, out) {
            Some(found) => Opened::Data(self.judge(found, up)),
            None => Opened::More,
        }
    }

    fn seal(&mut self, out: &mut Vec<u8>, from: usize) {
        if let Some(telnet) = self.telnet.as_ref().filter(|_| self.people) {
            telnet.seal(out, from);
        }
    }

    fn close(&mut self, _out: &mut Vec<u8>) {
        // Neither telnet nor lines have a word for it.
    }

    fn is_quiet(&self) -> bool {
        let Speech { lines, telnet: _, people: _, beginning: _ } = self;
        // Telnet can be gone on with at any byte. Half a line could be half a password: it stays in this process.
        lines.is_quiet()
    }
}

fn next_line(lines: &mut LineReader, bytes: &mut &[u8], line: &mut String) -> Option<Input> {
    Some(match lines.next(bytes)? {
        Line::Text(text) => {
            line.clear();
            line.push_str(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text));
            Input::Line
        }
        Line::TooLong => Input::TooLong,
        Line::NotUtf8 => Input::NotUtf8,
    })
}
