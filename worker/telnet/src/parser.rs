//! Telnet's grammar: separates data from commands, whatever the reads were. Runs in the worker.
//!
//! A sequence that lacks its end is given up where it cannot go on: at a line end, or at a byte more than it may have.
//! What comes from there on is data, so that at most the sequence is lost, and no line behind it.

use crate::buffer;
use crate::codes::{FIRST_COMMAND, IAC, SB, SE, Verb, option};
use serde::{Deserialize, Serialize};

/// Bytes of one subnegotiation that are kept, its option included. A longer one is discarded whole.
pub(crate) const SUBNEGOTIATION_LIMIT: usize = 512;

/// Bytes of a window's size.
const SIZE: usize = 4;

const CR: u8 = b'\r';
const LF: u8 = b'\n';
const NUL: u8 = 0;
const BACKSPACE: u8 = 8;

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
    /// A line has begun and not ended. Nobody goes on elsewhere in the middle of a line.
    #[serde(skip)]
    in_line: bool,
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
                Some(&NUL) => rest = rest.get(1..).unwrap_or_default(),
                Some(_) => {}
                None => self.state = State::Return,
            }
        }
        *input = rest;
        self.in_line = !data.last().is_some_and(|last| is_line_end(*last));
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
        let is_size = self.sub.first() == Some(&option::NAWS);
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
            [option::NAWS, _, low] if is_line_end(*low) => byte < BACKSPACE,
            [option::NAWS, size @ ..] => match size.len() {
                0 | 2 => !is_line_end(byte),
                length => length < SIZE,
            },
            _ => !is_line_end(byte),
        }
    }

    /// The byte as data.
    fn lone(&mut self) -> Token<'static> {
        self.state = State::Data;
        self.in_line = true;
        Token::Data(&[IAC])
    }

    fn end(&mut self) -> Option<Token<'static>> {
        self.state = State::Data;
        self.seen_command = true;
        (!self.sub_too_long).then_some(Token::Subnegotiation)
    }

    /// The sequence has no end; the next byte is data. A line that it stands in has a hole then: with a byte that is no text
    /// it is not taken for another one.
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
                Some(Token::Data(if std::mem::take(&mut self.in_line) { b"\xff\r" } else { b"\r" }))
            }
            Some(_) => Some(Token::Data(if std::mem::take(&mut self.in_line) { b"\xff\n" } else { b"\n" })),
            None => self.in_line.then_some(Token::Data(&[IAC])),
        }
    }

    fn collect(&mut self, bytes: &[u8]) -> Option<Token<'static>> {
        if self.sub_too_long || self.sub.len() + bytes.len() > SUBNEGOTIATION_LIMIT {
            self.sub_too_long = true;
            buffer::release(&mut self.sub);
        } else {
            buffer::append(&mut self.sub, bytes, SUBNEGOTIATION_LIMIT);
        }
        None
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, CR | LF)
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
    fn a_name_without_an_end_loses_no_line_behind_it() {
        for end in [&b"\r\n"[..], b"\n", b"\r"] {
            for body in
                [&b""[..], b"\x18", b"\x18\0xterm", b"\x18\0x\xff", b"\x2a\x02UTF-8", b"\xc9{}", b"\x18\0\xff\xff"]
            {
                let bytes = [b"\xff\xfa", body, end, b"HW", end].concat();
                let read = format!("{:?}", [end, b"HW", end].concat());
                assert_eq!(tokens(&[&bytes]), [read.as_str()], "{bytes:?}");
                assert_eq!(tokens(&bytes.chunks(1).collect::<Vec<_>>()), [read], "{bytes:?}");
            }
        }
    }

    #[test]
    fn a_size_without_an_end_loses_no_line_behind_it() {
        // Whole ones, cut ones, and ones that have taken the end for a 255 of theirs.
        let sizes: [&[u8]; 7] = [b"", b"\0", b"\0\x50", b"\0\x50\0", b"\0\x50\0\x18", b"\0\x50\0\xff\xff", b"\0\xff"];
        for size in sizes {
            for (end, shown) in [(&b"\r\n"[..], "13, 10"), (b"\n", "10"), (b"\r", "13")] {
                let bytes = [b"a\xff\xfa\x1f", size, end, b"HW", end].concat();
                for chunk in [1, bytes.len()] {
                    let found = tokens(&bytes.chunks(chunk).collect::<Vec<_>>()).concat();
                    assert_eq!(found, format!("[97, 255, {shown}, 72, 87, {shown}]"), "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn a_size_may_hold_the_bytes_of_a_line_end() {
        assert_eq!(tokens(&[b"\xff\xfa\x1f\0\r\0\n\xff\xf0"]), ["sub [31, 0, 13, 0, 10]"]);
        assert_eq!(tokens(&[b"\xff\xfa\x1f\0\n", b"\0\r\xff", b"\xf0"]), ["sub [31, 0, 10, 0, 13]"]);
    }

    #[test]
    fn a_line_with_a_hole_is_not_taken_for_another_one() {
        // 255 is no text: the line is refused.
        assert_eq!(tokens(&[b"pay \xff\xfa50\r\nHW\r\n"]), ["[112, 97, 121, 32, 255, 13, 10, 72, 87, 13, 10]"]);
        assert_eq!(tokens(&[b"\xff\xff\xff\xfa\n"]), ["[255, 255, 10]"]);
    }

    #[test]
    fn an_option_that_is_a_line_end_is_none() {
        assert_eq!(tokens(&[b"caf\xff\xfb\nHW\n"]), ["[99, 97, 102, 255, 10, 72, 87, 10]"]);
        assert_eq!(tokens(&[b"\xff\xfd", b"\r\nHW\r\n"]), ["[13, 10, 72, 87, 13, 10]"]);
    }

    #[test]
    fn two_bytes_in_a_text_are_no_evidence_of_telnet() {
        let mut parser = Parser::default();
        let mut input: &[u8] = b"\xff\xfa\r\n\xff\xfb\r\n";
        while parser.next(&mut input).is_some() {}
        assert!(!parser.seen_command());
    }

    #[test]
    fn a_command_aborts_a_subnegotiation() {
        assert_eq!(tokens(&[b"\xff\xfa\x18\x00xterm\xff\xfb\x1fhi"]), ["Will 31", "[104, 105]"]);
        assert_eq!(tokens(&[b"\xff\xfa\x18\x00x\xff\xfa\x1f\xff\xf0"]), ["sub [31]"]);
    }

    #[test]
    fn a_window_of_255_columns_or_rows_needs_no_doubling() {
        assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\xff\x00\x18\xff\xf0"]), ["sub [31, 0, 255, 0, 24]"]);
        assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\x50\x00\xff\xff\xf0HW"]), ["sub [31, 0, 80, 0, 255]", "[72, 87]"]);
        assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\xff\x00\xff\xff", b"\xf0"]), ["sub [31, 0, 255, 0, 255]"]);
        assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\x50\x00\xff\xff\xff\xf0"]), ["sub [31, 0, 80, 0, 255]"]);
    }
}
