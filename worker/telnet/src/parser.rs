//! Telnet's grammar: separates data from commands, whatever the reads were. Runs in the worker.

use crate::buffer;
use crate::codes::{FIRST_COMMAND, IAC, SB, SE, Verb};
use serde::{Deserialize, Serialize};

/// Bytes of one subnegotiation that are kept, its option included. A longer one is discarded whole.
pub(crate) const SUBNEGOTIATION_LIMIT: usize = 512;

const CR: u8 = b'\r';
const LF: u8 = b'\n';
const NUL: u8 = 0;

/// What stood in the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'i> {
    /// Data, unescaped. Contains at most one line end, and that as its last bytes.
    Data(&'i [u8]),
    /// A command without an option.
    Command(u8),
    /// `IAC verb option`.
    Negotiation(Verb, u8),
    /// A whole subnegotiation; it can be read with [`Parser::subnegotiation`] until the next token.
    Subnegotiation,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum State {
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
pub(crate) struct Parser {
    state: State,
    sub: Vec<u8>,
    sub_too_long: bool,
    seen_command: bool,
}

impl Parser {
    /// The next token, or `None` when the input is used up.
    pub(crate) fn next<'i>(&mut self, input: &mut &'i [u8]) -> Option<Token<'i>> {
        loop {
            let (&byte, rest) = input.split_first()?;
            let token = match self.state {
                State::Data if byte != IAC => return Some(Token::Data(self.take_data(input))),
                State::Data => {
                    *input = rest;
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
                    self.state = State::Data;
                    return Some(Token::Data(&[IAC]));
                }
                State::Iac => {
                    *input = rest;
                    self.command(byte)
                }
                State::Verb(verb) => {
                    *input = rest;
                    self.state = State::Data;
                    self.seen_command = true;
                    Some(Token::Negotiation(verb, byte))
                }
                State::Sub => {
                    self.take_subnegotiation(input);
                    None
                }
                State::SubIac => {
                    *input = rest;
                    self.command_inside(byte)
                }
            };
            if token.is_some() {
                return token;
            }
        }
    }

    /// The option and the body of the subnegotiation that was just returned.
    pub(crate) fn subnegotiation(&self) -> &[u8] {
        &self.sub
    }

    /// Whether any whole command came: evidence that the peer speaks telnet.
    pub(crate) fn seen_command(&self) -> bool {
        self.seen_command
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
            return all;
        };
        let (mut data, mut rest) = all.split_at(at);
        if rest.first() != Some(&IAC) {
            (data, rest) = all.split_at(at + 1);
        }
        if data.last() == Some(&CR) {
            match rest.first() {
                Some(&LF) => (data, rest) = all.split_at(at + 2),
                Some(&NUL) => rest = rest.get(1..).unwrap_or_default(),
                Some(_) => {}
                None => self.state = State::Return,
            }
        }
        *input = rest;
        data
    }

    /// The byte after IAC, outside of a subnegotiation, when it is a command.
    fn command(&mut self, byte: u8) -> Option<Token<'static>> {
        self.state = State::Data;
        if let Some(verb) = Verb::from_byte(byte) {
            self.state = State::Verb(verb);
            return None;
        }
        self.seen_command = true;
        if byte == SB {
            self.state = State::Sub;
            self.sub_too_long = false;
            buffer::release(&mut self.sub);
            return None;
        }
        Some(Token::Command(byte))
    }

    /// The byte after IAC inside a subnegotiation.
    fn command_inside(&mut self, byte: u8) -> Option<Token<'static>> {
        match byte {
            SE => {
                self.state = State::Data;
                (!self.sub_too_long).then_some(Token::Subnegotiation)
            }
            IAC => {
                self.state = State::Sub;
                self.collect(&[IAC]);
                None
            }
            // Clients are known that send a window of 255 columns without doubling.
            0..FIRST_COMMAND => {
                self.state = State::Sub;
                self.collect(&[IAC, byte]);
                None
            }
            // The sender has given the subnegotiation up.
            _ => self.command(byte),
        }
    }

    fn take_subnegotiation(&mut self, input: &mut &[u8]) {
        let at = memchr::memchr(IAC, input);
        let (body, rest) = input.split_at(at.unwrap_or(input.len()));
        self.collect(body);
        *input = rest.get(1..).unwrap_or_default();
        if at.is_some() {
            self.state = State::SubIac;
        }
    }

    fn collect(&mut self, bytes: &[u8]) {
        if self.sub_too_long || self.sub.len() + bytes.len() > SUBNEGOTIATION_LIMIT {
            self.sub_too_long = true;
            buffer::release(&mut self.sub);
        } else {
            buffer::append(&mut self.sub, bytes, SUBNEGOTIATION_LIMIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens as text, with neighbouring data joined.
    fn tokens(reads: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut found = Vec::new();
        let mut data = Vec::new();
        for read in reads {
            let mut input = *read;
            while let Some(token) = parser.next(&mut input) {
                let text = match token {
                    Token::Data(bytes) => {
                        data.extend_from_slice(bytes);
                        continue;
                    }
                    Token::Command(byte) => format!("command {byte}"),
                    Token::Negotiation(verb, option) => format!("{verb:?} {option}"),
                    Token::Subnegotiation => format!("sub {:?}", parser.subnegotiation()),
                };
                if !data.is_empty() {
                    found.push(format!("{:?}", std::mem::take(&mut data)));
                }
                found.push(text);
            }
        }
        if !data.is_empty() {
            found.push(format!("{data:?}"));
        }
        found
    }

    #[test]
    fn data_and_commands_are_separated() {
        assert_eq!(tokens(&[b"a\xff\xfd\x1fb\xff\xf6"]), ["[97]", "Do 31", "[98]", "command 246"]);
    }

    #[test]
    fn doubled_iac_is_one_byte_and_no_command() {
        let mut parser = Parser::default();
        let mut input: &[u8] = b"\xff\xff";
        assert_eq!(parser.next(&mut input), Some(Token::Data(&[IAC])));
        assert_eq!(parser.next(&mut input), None);
        assert!(!parser.seen_command());
    }

    #[test]
    fn lone_iac_is_data_and_swallows_nothing() {
        assert_eq!(tokens(&[b"\xff\n"]), ["[255, 10]"]);
        assert_eq!(tokens(&[b"\xff", b"\n"]), ["[255, 10]"]);
    }

    #[test]
    fn iac_may_be_split_anywhere() {
        let sub: &[&[u8]] = &[b"\xff", b"\xfa", b"\x1f", b"\x00", b"\xff", b"\xff", b"\x00\x18\xff", b"\xf0"];
        assert_eq!(tokens(sub), ["sub [31, 0, 255, 0, 24]"]);
        assert_eq!(tokens(&[b"\xff", b"\xfb", b"\x18"]), ["Will 24"]);
    }

    #[test]
    fn return_nul_is_a_return() {
        assert_eq!(tokens(&[b"a\r\0b"]), ["[97, 13, 98]"]);
        assert_eq!(tokens(&[b"a\r", b"\0b"]), ["[97, 13, 98]"]);
        assert_eq!(tokens(&[b"a\0b"]), ["[97, 0, 98]"]);
    }

    #[test]
    fn a_piece_of_data_ends_with_its_line() {
        let mut parser = Parser::default();
        let mut input: &[u8] = b"one\r\ntwo\nthree\rfour";
        for piece in [&b"one\r\n"[..], b"two\n", b"three\r", b"four"] {
            assert_eq!(parser.next(&mut input), Some(Token::Data(piece)));
        }
    }

    #[test]
    fn a_subnegotiation_of_the_limit_is_kept_and_a_longer_one_is_not() {
        for (length, kept) in [(SUBNEGOTIATION_LIMIT, 1), (SUBNEGOTIATION_LIMIT + 1, 0)] {
            let bytes = [b"\xff\xfa".to_vec(), vec![b'x'; length], b"\xff\xf0".to_vec()].concat();
            assert_eq!(tokens(&[&bytes]).len(), kept);
        }
    }

    #[test]
    fn an_endless_subnegotiation_takes_no_memory() {
        let mut parser = Parser::default();
        let mut input: &[u8] = b"\xff\xfa\x18";
        parser.next(&mut input);
        for _ in 0..1000 {
            let mut input: &[u8] = &[b'x'; 1000];
            assert_eq!(parser.next(&mut input), None);
            assert!(parser.capacity() <= SUBNEGOTIATION_LIMIT);
        }
        let mut input: &[u8] = b"\xff\xf0ok";
        assert_eq!(parser.next(&mut input), Some(Token::Data(b"ok")));
    }

    #[test]
    fn a_command_aborts_a_subnegotiation() {
        assert_eq!(tokens(&[b"\xff\xfa\x18\x00xterm\xff\xfb\x1fhi"]), ["Will 31", "[104, 105]"]);
        assert_eq!(tokens(&[b"\xff\xfa\x18\x00x\xff\xfa\x1f\xff\xf0"]), ["sub [31]"]);
    }

    #[test]
    fn a_window_of_255_columns_needs_no_doubling() {
        assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\xff\x00\x18\xff\xf0"]), ["sub [31, 0, 255, 0, 24]"]);
    }
}
