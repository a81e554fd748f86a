//! Telnet's grammar: separates data from commands, whatever the reads were. Runs in the worker.
//!
//! A sequence that lacks its end is given up where it cannot go on: at a line end, or at a byte more than it may have.
//! What comes from there on is data, so that at most the sequence is lost, and no line behind it.

use crate::buffer;
use crate::codes::{FIRST_COMMAND, IAC, SB, SE, Verb, option};
use serde::{Deserialize, Serialize};

/// Bytes of one subnegotiation that are kept, its option included. A longer one is discarded whole.
pub(crate) const SUBNEGOTIATION_LIMIT: usize = 512;

/// The same where options are relayed: a message of GMCP may be long.
pub(crate) const RELAYED_LIMIT: usize = 64 * 1024;

/// Bytes of a window's size.
const SIZE: usize = 4;

const CR: u8 = b'\r';
const LF: u8 = b'\n';
const NUL: u8 = 0;
const BACKSPACE: u8 = 8;

/// What stood in the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'i> {
    /// Data, unescaped. Contains at most one line end, and that as its last bytes; in a stream any number.
    Data(&'i [u8]),
    /// A command without an option.
    Command(u8),
    /// `IAC verb option`.
    Negotiation(Verb, u8),
    /// A whole subnegotiation; it can be read with [`Parser::subnegotiation`] until the next token.
    Subnegotiation,
}

/// Where in the grammar the input has ended. Only ever appended to: [`crate::TelnetBefore`] knows them by their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    #[default]
    Data,
    /// After CR at the end of a read: a NUL that follows belongs to it.
    Return,
    Iac,
    Verb(Verb),
    Sub,
    SubIac,
}

/// The parser: one state and the subnegotiation being collected.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Parser {
    pub(crate) state: State,
    #[serde(deserialize_with = "buffer::exact")]
    pub(crate) sub: Vec<u8>,
    pub(crate) sub_too_long: bool,
    pub(crate) seen_command: bool,
    /// A line has begun and not ended.
    pub(crate) in_line: bool,
    /// The peer sends binary (RFC 856): a CR is one, with nothing behind it that belongs to it.
    pub(crate) binary: bool,
    /// Subnegotiations may be long. From one who has shown that he speaks telnet they may have line ends in them.
    pub(crate) relaying: bool,
    /// Data is not for a reader of lines: it comes in pieces as large as they are, and a hole in it is not marked.
    pub(crate) streaming: bool,
}

impl Parser {
    /// The next token, or `None` when the input is used up.
    pub(crate) fn next<'i>(&mut self, input: &mut &'i [u8]) -> Option<Token<'i>> {
        if self.state == State::Data {
            // What was handed out has been read.
            buffer::free_long(&mut self.sub);
        }
        loop {
            let (&byte, rest) = input.split_first()?;
            let token = match self.state {
                State::Data if byte != IAC && self.streaming => return Some(Token::Data(self.take_stream(input))),
                State::Data if byte != IAC => return Some(Token::Data(self.take_data(input))),
                State::Data => {
                    *input = rest;
                    // A size that was whole has nothing to do with what begins here.
                    buffer::release(&mut self.sub);
                    self.state = State::Iac;
                    None
                }
                State::Return => {
                    if byte == NUL {
                        *input = rest;
                    }
                    self.state = State::Data;
                    None
                }
                State::Iac if byte == IAC || byte < FIRST_COMMAND => {
                    // A lone 0xFF begins no command: it is data, and so is what follows it. Swallowing the
                    // next byte could swallow a line end.
                    if byte == IAC {
                        *input = rest;
                    }
                    return Some(self.lone());
                }
                State::Iac => {
                    *input = rest;
                    self.command(byte)
                }
                // The options with these numbers are of an age without networks of ours: it is a line end.
                State::Verb(_) if is_line_end(byte) => self.give_up(),
                State::Verb(verb) => {
                    *input = rest;
                    self.state = State::Data;
                    self.seen_command = true;
                    Some(Token::Negotiation(verb, byte))
                }
                State::Sub => self.take_subnegotiation(input),
                State::SubIac => self.command_inside(byte, input),
            };
            if token.is_some() {
                return token;
            }
        }
    }

    /// Whether options are relayed from here on, and whether data is a stream then.
    pub(crate) fn set_relaying(&mut self, relaying: bool, streaming: bool) {
        self.relaying = relaying;
        self.streaming = relaying && streaming;
        self.in_line &= !self.streaming;
    }

    /// Whether the peer sends binary from here on.
    pub(crate) fn set_binary(&mut self, binary: bool) {
        self.binary = binary;
    }

    /// The option and the body of the subnegotiation that was just returned.
    pub(crate) fn subnegotiation(&self) -> &[u8] {
        &self.sub
    }

    /// Whether any whole command came: evidence that the peer speaks telnet.
    pub(crate) fn seen_command(&self) -> bool {
        self.seen_command
    }

    /// Whether nothing is held that could be data yet. A sequence without an end becomes data; a CR was handed out.
    pub(crate) fn is_quiet(&self) -> bool {
        let Self { state, sub: _, sub_too_long: _, seen_command: _, in_line: _, binary: _, relaying: _, streaming: _ } =
            self;
        match state {
            State::Data | State::Return => true,
            State::Iac | State::Verb(_) | State::Sub | State::SubIac => false,
        }
    }

    /// Bytes allocated.
    pub(crate) fn capacity(&self) -> usize {
        self.sub.capacity()
    }

    /// Takes data up to and with a line end, or up to an IAC.
    fn take_data<'i>(&mut self, input: &mut &'i [u8]) -> &'i [u8] {
        let all = *input;
        let Some(at) = memchr::memchr3(IAC, CR, LF, all) else {
            *input = &[];
            self.in_line = true;
            return all;
        };
        let (mut data, mut rest) = all.split_at(at);
        if rest.first() != Some(&IAC) {
            (data, rest) = all.split_at(at + 1);
        }
        if data.last() == Some(&CR) {
            match rest.first() {
                Some(&LF) => (data, rest) = all.split_at(at + 2),
                _ if self.binary => {}
                Some(&NUL) => rest = rest.get(1..).unwrap_or_default(),
                Some(_) => {}
                None => self.state = State::Return,
            }
        }
        *input = rest;
        self.in_line = !data.last().is_some_and(|last| is_line_end(*last));
        data
    }

    /// Takes data up to an IAC, or up to a NUL that belongs to the CR before it.
    fn take_stream<'i>(&mut self, input: &mut &'i [u8]) -> &'i [u8] {
        let all = *input;
        let (mut end, mut skipped) = (all.len(), 0);
        for at in memchr::memchr2_iter(IAC, NUL, all) {
            let after_return = at.checked_sub(1).and_then(|before| all.get(before)) == Some(&CR);
            match all.get(at) {
                Some(&IAC) => end = at,
                _ if after_return && !self.binary => (end, skipped) = (at, 1),
                _ => continue,
            }
            break;
        }
        let (data, rest) = all.split_at(end);
        if rest.is_empty() && data.last() == Some(&CR) && !self.binary {
            self.state = State::Return;
        }
        *input = rest.get(skipped..).unwrap_or_default();
        data
    }

    /// The byte after IAC, outside of a subnegotiation, when it is a command.
    fn command(&mut self, byte: u8) -> Option<Token<'static>> {
        self.state = State::Data;
        if let Some(verb) = Verb::from_byte(byte) {
            self.state = State::Verb(verb);
            return None;
        }
        if byte == SB {
            self.state = State::Sub;
            self.sub_too_long = false;
            buffer::release(&mut self.sub);
            return None;
        }
        self.seen_command = true;
        Some(Token::Command(byte))
    }

    /// The byte after IAC inside a subnegotiation.
    fn command_inside(&mut self, byte: u8, input: &mut &[u8]) -> Option<Token<'static>> {
        if byte < FIRST_COMMAND {
            // Clients are known that send a window of 255 columns without doubling: what follows is looked at by itself.
            self.state = State::Sub;
            return if self.may_go_on(IAC) { self.collect(&[IAC]) } else { self.give_up() };
        }
        *input = input.get(1..).unwrap_or_default();
        match byte {
            SE => self.end(),
            IAC if self.may_go_on(IAC) => {
                self.state = State::Sub;
                self.collect(&[IAC])
            }
            IAC => Some(self.lone()),
            // The sender has given the subnegotiation up.
            _ => self.command(byte),
        }
    }

    /// Takes what there is of a body, up to its end or to where it cannot go on.
    fn take_subnegotiation(&mut self, input: &mut &[u8]) -> Option<Token<'static>> {
        let all = *input;
        let is_size = !self.streaming && self.sub.first() == Some(&option::NAWS);
        // A size is short, and each of its bytes has its own rule.
        let at = if is_size { Some(0) } else { memchr::memchr3(IAC, CR, LF, all) };
        let (body, rest) = all.split_at(at.unwrap_or(all.len()));
        *input = rest;
        if !body.is_empty() {
            // Its first byte is the option, which decides how the others are read.
            let count = if self.sub.is_empty() && !self.sub_too_long { 1 } else { body.len() };
            let (body, _) = body.split_at(count);
            *input = all.get(count..).unwrap_or_default();
            return self.collect(body);
        }
        let (&byte, rest) = rest.split_first()?;
        if byte == IAC {
            *input = rest;
            self.state = State::SubIac;
            return None;
        }
        if self.may_go_on(byte) {
            *input = rest;
            return self.collect(&[byte]);
        }
        if byte == SE && self.sub.last() == Some(&IAC) {
            // A window of 255 rows without doubling: the second IAC was that of the end.
            *input = rest;
            return self.end();
        }
        self.give_up()
    }

    /// Whether this byte may be the next one of the subnegotiation: a size has four bytes, and among those a line end can
    /// only be a low one, since no window is so large, nor does text follow it; a name has none.
    fn may_go_on(&self, byte: u8) -> bool {
        match self.sub.as_slice() {
            [option::NAWS, _, low] if is_line_end(*low) && !self.streaming => byte < BACKSPACE,
            [option::NAWS, size @ ..] if !self.streaming => match size.len() {
                0 | 2 => !is_line_end(byte),
                length => length < SIZE,
            },
            _ => (self.relaying && self.seen_command) || !is_line_end(byte),
        }
    }

    /// The byte as data.
    fn lone(&mut self) -> Token<'static> {
        self.state = State::Data;
        self.in_line = !self.streaming;
        Token::Data(&[IAC])
    }

    fn end(&mut self) -> Option<Token<'static>> {
        self.state = State::Data;
        self.seen_command = true;
        (!self.sub_too_long).then_some(Token::Subnegotiation)
    }

    /// The sequence has no end; the next byte is data. A line that it stands in has a hole then: with an overlong NUL,
    /// which is no text whatever the characters are, it is not taken for another one.
    fn give_up(&mut self) -> Option<Token<'static>> {
        self.state = State::Data;
        let line_end = match self.sub.as_slice() {
            [option::NAWS, size @ ..] => size.iter().rev().find(|byte| is_line_end(**byte)).copied(),
            _ => None,
        };
        buffer::release(&mut self.sub);
        // What was taken for a part of a size was one.
        match line_end {
            Some(CR) => {
                self.state = State::Return;
                Some(Token::Data(if std::mem::take(&mut self.in_line) { b"\xc0\x80\r" } else { b"\r" }))
            }
            Some(_) => Some(Token::Data(if std::mem::take(&mut self.in_line) { b"\xc0\x80\n" } else { b"\n" })),
            None => self.in_line.then_some(Token::Data(b"\xc0\x80")),
        }
    }

    fn collect(&mut self, bytes: &[u8]) -> Option<Token<'static>> {
        let limit = if self.relaying { RELAYED_LIMIT } else { SUBNEGOTIATION_LIMIT };
        if self.sub_too_long || self.sub.len() + bytes.len() > limit {
            self.sub_too_long = true;
            buffer::release(&mut self.sub);
        } else {
            buffer::append(&mut self.sub, bytes, limit);
        }
        None
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, CR | LF)
}

#[cfg(test)]
mod tests;
