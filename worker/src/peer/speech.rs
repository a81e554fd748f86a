//! Bytes to lines, as the mode wants it: people may speak telnet and edit, programs do not. Who speaks something else
//! altogether is noticed here. Runs in a worker; pure.

use super::charset::Charsets;
use super::layer::{Layer, Opened};
use super::strangers::{Beginning, Protocol};
use crate::commands::MSSP_REQUEST;
use crate::render::{Charset, Look, Told};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::Mode;
use ssmglobal_telnet::{Agreed, Event, Line, LineReader, Party, Standing, Telnet, option};

/// What the bytes held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line, without its end.
    Line,
    /// A line over the limit; the rest of it is skipped.
    TooLong,
    /// A line that is not UTF-8, nor what is understood in its place.
    NotUtf8,
    /// A line that the terminal has cut in two, within a letter.
    Cut,
    /// A line of nothing but keys that are no letters, as arrows.
    Keys,
    /// No line, but a sign that the other side lives.
    Alive,
    /// No line, but a crawler's question what this is (MSSP): by its first line, if it is `plain`, or by telnet.
    Crawler {
        /// By a line.
        plain: bool,
    },
    /// It speaks this, which is not spoken here.
    Stranger(Protocol),
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Something for the layers above.
    Input(Input),
    /// All behind this is compressed.
    Compressed,
}

/// The layer: telnet, where it is spoken, and lines.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Speech {
    lines: LineReader,
    /// Only where there was a person, who may speak telnet.
    telnet: Option<Box<Telnet>>,
    people: bool,
    /// A person has been greeted: his keys and his characters are understood.
    human: bool,
    charsets: Charsets,
    /// Telnet is offered with the first line that ends as telnet's do.
    offers: bool,
    /// It was just offered, and the next prompt belongs to the line with which that was.
    offered: bool,
    /// The last line has ended with LF alone, and there was no telnet so far: nothing of telnet would be understood.
    bare: bool,
    /// The terminal has shown the end of a line, and not gone back to the first column.
    owes_return: bool,
    /// What the connection began with, where that is not to be a mode; until the first line is known.
    beginning: Option<Beginning>,
    /// Who speaks telnet may have what he gets and sends compressed. Made anew from the settings.
    #[serde(skip)]
    compresses: bool,
}

const CR: u8 = b'\r';

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
        self.human = mode == Mode::Human;
        self.lines.set_swallowing(self.human);
        self.lines.set_return_ends_line(self.people);
        self.lines.set_editing(self.people);
        self.lines.set_limit(limit);
        let tells = self.human;
        self.telnet.iter_mut().for_each(|telnet| {
            // An older program has said so at each event.
            telnet.set_offering(true);
            telnet.set_telling(tells);
        });
    }

    /// The telnet machine, which is silent until it is spoken to; to who speaks it, all is offered.
    pub fn telnet(&mut self) -> &mut Telnet {
        let (tells, compresses) = (self.human, self.compresses);
        self.telnet.get_or_insert_with(|| {
            let mut telnet = Box::<Telnet>::default();
            telnet.set_offering(true);
            telnet.set_telling(tells);
            telnet.set_compressing(compresses);
            telnet
        })
    }

    /// Whether who speaks telnet is offered that what he gets and sends is compressed.
    pub fn set_compressing(&mut self, on: bool) {
        self.compresses = on;
        self.telnet.iter_mut().for_each(|telnet| telnet.set_compressing(on));
    }

    /// Whether the other side wants what it gets compressed.
    pub fn wants_compressed(&self) -> bool {
        self.telnet.as_ref().is_some_and(|telnet| telnet.standing(Party::Us, option::MCCP2) == Standing::On)
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
        let usual = Look { charset: self.charsets.charset(self.utf8()), ..Look::default() };
        let Some(telnet) = &self.telnet else { return usual };
        let terminal = telnet.terminal();
        Look {
            width: terminal.width().unwrap_or(usual.width),
            height: terminal.height().unwrap_or(usual.height),
            colour: telnet.may_colour(),
            plain: terminal.screen_reader(),
            ..usual
        }
    }

    /// Of what the terminal has told something.
    pub fn told(&self) -> Told {
        let charset = self.utf8() != Agreed::Unknown || self.charsets.charset(Agreed::Unknown) != Charset::Utf8;
        let Some(terminal) = self.telnet.as_ref().map(|telnet| telnet.terminal()) else {
            return Told { charset, ..Told::default() };
        };
        Told {
            width: terminal.width().is_some(),
            height: terminal.height().is_some(),
            colour: terminal.mtts().is_some() || terminal.name().is_some(),
            charset,
            screen_reader: terminal.mtts().is_some(),
        }
    }

    /// What telnet has agreed on about UTF-8.
    fn utf8(&self) -> Agreed {
        self.telnet.as_ref().map_or(Agreed::Unknown, |telnet| telnet.terminal().utf8())
    }

    /// The person says which characters his terminal has; none for what it shows by itself.
    pub fn say_charset(&mut self, said: Option<Charset>) {
        self.charsets.say(said);
    }

    /// The characters that the terminal has shown to have, where they are others than was thought, since the last time.
    pub fn take_charset(&mut self) -> Option<Charset> {
        self.charsets.take_news()
    }

    /// Offers telnet, at a door for people: at once to who speaks it, and else with the first line that is not empty and ends
    /// with CR LF or CR NUL, as those of telnet do. Telnet clients wait for the other side to begin; `nc`, whose lines end
    /// with LF, would show what it is offered.
    pub fn offer_soon(&mut self) {
        self.offers = true;
    }

    /// Offers telnet at once, at a door for people that is to be found by crawlers.
    pub fn offer_now(&mut self, out: &mut Vec<u8>) {
        (self.offers, self.offered) = (false, true);
        self.offer(out);
    }

    /// Begins to negotiate, if that was not done.
    pub fn offer(&mut self, out: &mut Vec<u8>) {
        self.telnet().offer(out);
    }

    /// Asks the other side not to show what is typed, or to show it again. Who would show the question instead is not asked.
    pub fn hide_input(&mut self, hidden: bool, out: &mut Vec<u8>) {
        if !self.bare {
            self.telnet().hide_input(hidden, out);
        }
    }

    /// Marks the end of a prompt for clients that want that.
    pub fn prompt_end(&mut self, out: &mut Vec<u8>) {
        let offered = std::mem::take(&mut self.offered);
        let Some(telnet) = &self.telnet else { return };
        if offered && !telnet.speaks_telnet() {
            return Telnet::go_ahead(out);
        }
        telnet.prompt_end(out);
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
            Input::Keys => None,
            Input::Line if self.human && self.beginning.is_some() && line.eq_ignore_ascii_case(MSSP_REQUEST) => {
                self.beginning = None;
                return Input::Crawler { plain: true };
            }
            Input::Line => self.beginning.take().and_then(|_| Protocol::of_line(line)),
            Input::TooLong | Input::NotUtf8 | Input::Cut => {
                self.beginning.take().and_then(|beginning| beginning.of_unread_line())
            }
            Input::Alive | Input::Crawler { .. } | Input::Stranger(_) => None,
        };
        stranger.map_or(input, Input::Stranger)
    }

    fn next_heard(&mut self, bytes: &mut &[u8], line: &mut String, out: &mut Vec<u8>) -> Option<Heard> {
        if !self.people {
            return self.next_line(bytes, line).map(Heard::Input);
        }
        loop {
            match self.telnet().next(bytes, out)? {
                // At most one line: the telnet machine sees to that.
                Event::Data(mut data) => {
                    if let Some(input) = self.next_line(&mut data, line) {
                        return Some(Heard::Input(input));
                    }
                }
                Event::Interrupt => self.lines.interrupt(),
                Event::EraseCharacter => self.lines.erase_character(),
                Event::EraseLine => self.lines.erase_line(),
                // What only a client hears.
                Event::HideInput(_) | Event::PromptEnd => {}
                Event::Terminal => {}
                // Options are not relayed here.
                Event::Wants { .. } | Event::Agreed { .. } | Event::Subnegotiation { .. } | Event::Command(_) => {}
                Event::WantsMssp => return Some(Heard::Input(Input::Crawler { plain: false })),
                Event::Compressed => return Some(Heard::Compressed),
                Event::Alive => return Some(Heard::Input(Input::Alive)),
            }
        }
    }

    /// The next line, as what it means.
    fn next_line(&mut self, bytes: &mut &[u8], line: &mut String) -> Option<Input> {
        let utf8 = self.utf8();
        let input = match self.lines.next(bytes)? {
            Line::Text(text) if self.human => {
                self.charsets.read(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text), utf8, line);
                Input::Line
            }
            Line::Text(text) => {
                line.clear();
                line.push_str(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text));
                Input::Line
            }
            Line::NotUtf8(bytes) if self.human && self.charsets.read_bytes(bytes, utf8, line) => Input::Line,
            Line::NotUtf8(_) => Input::NotUtf8,
            Line::TooLong => Input::TooLong,
            Line::Cut => Input::Cut,
        };
        // One that is too long may not have ended yet.
        if self.people && input != Input::TooLong {
            self.line_has_ended();
        }
        // As UTF-8 it may be longer than it came.
        if input == Input::Line && line.len() > self.lines.limit() {
            return Some(Input::TooLong);
        }
        let only_keys = input == Input::Line && self.lines.had_keys() && line.trim().is_empty();
        Some(if only_keys { Input::Keys } else { input })
    }

    /// What the end of a person's line tells of his terminal.
    fn line_has_ended(&mut self) {
        let telnet = self.telnet.as_ref();
        self.bare = !self.lines.ended_with_return() && !telnet.is_some_and(|telnet| telnet.speaks_telnet());
        // Debian's telnet does no more for an LF then than to go down.
        self.owes_return = telnet.is_some_and(|telnet| telnet.sends_binary());
    }
}

impl Layer for Speech {
    /// The line that was found last.
    type Up = String;
    type Found = Heard;

    fn open(&mut self, input: &mut &[u8], up: &mut String, out: &mut Vec<u8>) -> Opened<Heard> {
        match self.next_heard(input, up, out) {
            Some(Heard::Input(found)) => {
                let found = self.judge(found, up);
                // Not before it is known that nobody else has come than people do.
                if self.offers && found == Input::Line && self.beginning.is_none() && self.lines.ended_with_return() {
                    self.offers = false;
                    self.offered = true;
                    self.offer(out);
                }
                Opened::Data(Heard::Input(found))
            }
            Some(Heard::Compressed) => Opened::Data(Heard::Compressed),
            None => Opened::More,
        }
    }

    fn seal(&mut self, out: &mut Vec<u8>, from: usize) {
        if let Some(first) = out.get(from).copied()
            && std::mem::take(&mut self.owes_return)
            && first != CR
        {
            out.insert(from, CR);
        }
        if let Some(telnet) = self.telnet.as_ref().filter(|_| self.people) {
            telnet.seal(out, from);
        }
    }

    fn close(&mut self, _out: &mut Vec<u8>) {
        // Neither telnet nor lines have a word for it.
    }

    fn is_quiet(&self) -> bool {
        let Speech {
            lines,
            telnet: _,
            people: _,
            human: _,
            charsets,
            offers: _,
            offered: _,
            bare: _,
            owes_return: _,
            beginning: _,
            compresses: _,
        } = self;
        // Telnet can be gone on with at any byte. Half a line could be half a password: it stays in this process.
        lines.is_quiet() && charsets.is_quiet()
    }
}
