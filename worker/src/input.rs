//! Bytes to lines, as the mode wants it: people may speak telnet and edit, programs do not. Runs in a worker; pure.

use crate::render::Look;
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
    /// No line, but a sign that the client lives.
    Alive,
}

/// The machine.
pub struct Reader {
    lines: LineReader,
    /// Only where somebody has spoken telnet, or is to.
    telnet: Option<Box<Telnet>>,
    people: bool,
}

const IAC: u8 = 0xff;

/// What some programs write before a text to say that it is UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl Reader {
    /// For a client that begins in `mode`; lines up to `limit` bytes.
    pub fn new(mode: Mode, limit: usize) -> Reader {
        let mut reader = Reader { lines: LineReader::new(), telnet: None, people: false };
        reader.lines.set_limit(limit);
        reader.set_mode(mode);
        reader
    }

    /// Another way of speaking begins.
    pub fn set_mode(&mut self, mode: Mode) {
        self.people = matches!(mode, Mode::Ask | Mode::Human);
        self.lines.set_return_ends_line(self.people);
        self.lines.set_editing(self.people);
    }

    /// Another limit for lines, bytes.
    pub fn set_limit(&mut self, limit: usize) {
        self.lines.set_limit(limit);
    }

    /// Whether a line has begun and not ended.
    pub fn is_partial(&self) -> bool {
        self.lines.is_partial()
    }

    /// See [`LineReader::after_return`].
    pub fn after_return(&self) -> bool {
        self.lines.after_return()
    }

    /// The machine, where telnet was spoken.
    pub fn telnet(&self) -> Option<&Telnet> {
        self.telnet.as_deref()
    }

    /// Whether the client has spoken telnet, and does so now.
    pub fn speaks_telnet(&self) -> bool {
        self.people && self.telnet.as_ref().is_some_and(|telnet| telnet.speaks_telnet())
    }

    /// Sends something that nobody sees, to one who speaks telnet.
    pub fn keep_alive(&self, out: &mut Vec<u8>) {
        if self.speaks_telnet() {
            Telnet::keep_alive(out);
        }
    }

    /// Goes on where another one was, between two lines.
    pub fn go_on(&mut self, mode: Mode, limit: usize, after_return: bool, telnet: Option<Box<Telnet>>) {
        self.set_mode(mode);
        self.set_limit(limit);
        self.lines.set_after_return(after_return);
        self.telnet = telnet;
    }

    /// The terminal's manners, as far as they are known. Nothing is drawn to be read aloud: the switch for that comes with SET
    /// SCREENREADER.
    pub fn look(&self) -> Look {
        let usual = Look::default();
        let Some(terminal) = self.telnet.as_ref().map(|telnet| telnet.terminal()) else { return usual };
        Look {
            width: terminal.width().unwrap_or(usual.width),
            colour: terminal.colour(),
            // Who has not spoken of it mostly does.
            utf8: terminal.utf8() != Agreed::No,
            shell: false,
            plain: false,
        }
    }

    /// Begins to negotiate: at a door for people.
    pub fn offer(&mut self, out: &mut Vec<u8>) {
        self.telnet.get_or_insert_default().offer(out);
    }

    /// Asks the client not to show what is typed, or to show it again.
    pub fn hide_input(&mut self, hidden: bool, out: &mut Vec<u8>) {
        self.telnet.get_or_insert_default().hide_input(hidden, out);
    }

    /// Marks the end of a prompt for clients that want that.
    pub fn prompt_end(&self, out: &mut Vec<u8>) {
        if let Some(telnet) = &self.telnet {
            telnet.prompt_end(out);
        }
    }

    /// The next thing in `bytes`, of which it takes what it used. A line goes to `line`, what telnet has to say to
    /// `out`.
    pub fn next_input(&mut self, bytes: &mut &[u8], line: &mut String, out: &mut Vec<u8>) -> Option<Input> {
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
                Event::Terminal => {}
                Event::Alive => return Some(Input::Alive),
            }
        }
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
