//! One connection of a world: its negotiation, its lines, what waits to be sent.

use super::bytes::{Incoming, Outgoing, Token};
use super::codes::option::{CHARSET, ECHO, EOR, MCCP2, MCCP3, MSSP, MXP, NEW_ENVIRON, SGA, TTYPE};
use super::codes::{EOR_MARK, GA, IAC, SEND, doubled, negotiation, subnegotiation};
use super::kind::{Kind, Stage};
use super::options::{End, Options, Outcome};
use super::record::{Preamble, Record, Told};
use mio::net::{TcpStream, UnixStream};
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

/// How much of what is printed without end is kept.
const FULL: usize = 64 << 10;

/// A connection's socket.
pub enum Socket {
    /// Over the network.
    Tcp(TcpStream),
    /// Of this machine.
    Unix(UnixStream),
}

impl Socket {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buffer),
            Socket::Unix(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(bytes),
            Socket::Unix(stream) => stream.write(bytes),
        }
    }
}

/// One connection.
pub struct Player {
    /// Its socket.
    pub socket: Socket,
    /// Where it is on the way into the world.
    pub stage: Stage,
    /// Nothing is read from here any more.
    hung: bool,
    /// It is closed as soon as all is sent.
    pub closing: bool,
    /// Whether what stands in front of everything was read.
    pub begun: bool,
    kind: Kind,
    number: usize,
    record: Arc<Record>,
    preamble: Preamble,
    before: Vec<u8>,
    incoming: Incoming,
    outgoing: Outgoing,
    options: Options,
    extra: Vec<u8>,
    line: Vec<u8>,
    terminals: Vec<Vec<u8>>,
    unsent: Vec<u8>,
    /// What waits for the end of what was said by half.
    held: Option<Vec<u8>>,
    spam: std::ops::Range<u64>,
}

impl Player {
    /// A new one; `extra` are options that this end offers besides those of its kind.
    pub fn new(socket: Socket, kind: Kind, preamble: Preamble, extra: &[u8], record: &Arc<Record>) -> Player {
        Player {
            socket,
            stage: Stage::New,
            hung: false,
            closing: false,
            begun: false,
            kind,
            number: record.begin(),
            record: record.clone(),
            preamble,
            before: Vec::new(),
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            options: Options::default(),
            extra: extra.to_vec(),
            line: Vec::new(),
            terminals: Vec::new(),
            unsent: Vec::new(),
            held: None,
            spam: 0..0,
        }
    }

    /// Whether it hears nothing any more.
    pub fn is_deaf(&self) -> bool {
        self.closing || self.hung
    }

    /// Its place among all.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Who plays here.
    pub fn name(&self) -> Option<&str> {
        if let Stage::Playing(name) = &self.stage { Some(name) } else { None }
    }

    /// Text.
    pub fn say(&mut self, text: &[u8]) {
        self.raw(&doubled(text));
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        let bytes = self.outgoing.put(bytes);
        self.held.as_mut().unwrap_or(&mut self.unsent).extend(bytes);
    }

    /// Bytes as they are, though all else is compressed.
    pub fn raw_behind_all(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Half of what text becomes when it is compressed. The other half waits, and all that comes behind it.
    pub fn begin_to_say(&mut self, text: &[u8]) {
        let mut bytes = self.outgoing.put(&doubled(text));
        self.held = Some(bytes.split_off(bytes.len() / 2));
        self.unsent.extend(bytes);
    }

    /// The other half.
    pub fn end_saying(&mut self) {
        self.unsent.extend(self.held.take().unwrap_or_default());
    }

    /// What is compressed ends, though it stays agreed on.
    pub fn end_stream(&mut self) {
        let end = self.outgoing.end_compression();
        self.unsent.extend(end);
    }

    /// Text whose end is marked, where that was agreed on.
    pub fn prompt(&mut self, text: &[u8]) {
        self.say(text);
        if self.options.is_on(End::Ours, EOR) {
            self.raw(&[IAC, EOR_MARK]);
        } else if !self.options.is_on(End::Ours, SGA) {
            self.raw(&[IAC, GA]);
        }
    }

    /// Prints so many lines.
    pub fn print(&mut self, lines: u64) {
        self.spam = 0..lines;
    }

    /// Whether the world echoes from now on, so that nobody else does.
    pub fn hide(&mut self, hidden: bool) {
        self.ask(End::Ours, ECHO, hidden);
    }

    /// Offers all that its kind offers.
    pub fn offer(&mut self, offers: &[(End, u8)]) {
        for (end, option) in offers {
            self.ask(*end, *option, true);
        }
    }

    /// Offers what was set for this world besides.
    pub fn offer_extra(&mut self) {
        for option in self.extra.clone() {
            self.ask(End::Ours, option, true);
        }
    }

    /// Forgets all that was agreed on, as the program does that takes a connection over.
    pub fn forget(&mut self) {
        self.end_stream();
        self.options = self.options.forgotten();
        self.terminals.clear();
    }

    /// Asks for an option of an end, or for the end of it.
    pub fn ask(&mut self, end: End, option: u8, on: bool) {
        if let Some(verb) = self.options.ask(end, option, on) {
            self.raw(&negotiation(verb, option));
        }
    }

    /// Sends as much as goes; gives whether the connection still stands.
    pub fn flush(&mut self) -> bool {
        loop {
            while self.unsent.len() < FULL
                && let Some(number) = self.spam.next()
            {
                let line = format!("line {} of {}\r\n", number + 1, self.spam.end);
                self.say(line.as_bytes());
            }
            if self.unsent.is_empty() {
                return !self.closing;
            }
            match self.socket.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
    }

    /// Reads all that has come: whole lines, and whether the connection still stands.
    pub fn read(&mut self) -> (Vec<Vec<u8>>, bool) {
        let (mut lines, mut buffer) = (Vec::new(), [0; 16 << 10]);
        while !self.hung {
            match self.socket.read(&mut buffer) {
                Ok(0) => return (lines, false),
                Ok(count) => {
                    if let Err(fault) = self.take(&buffer[..count], &mut lines) {
                        self.record.blame(self.number, &fault);
                        return (lines, false);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return (lines, false),
            }
        }
        (lines, true)
    }

    fn take(&mut self, bytes: &[u8], lines: &mut Vec<Vec<u8>>) -> Result<(), String> {
        if self.begun {
            self.incoming.feed(bytes)?;
        } else {
            self.before.extend_from_slice(bytes);
            let Some(length) = self.preamble.length(&self.before)? else { return Ok(()) };
            let rest = self.before.split_off(length);
            if length > 0 {
                self.record.note(self.number, Told::Preamble(std::mem::take(&mut self.before)));
            }
            self.begun = true;
            self.incoming.feed(&rest)?;
        }
        while let Some(token) = self.incoming.next()? {
            match token {
                Token::Text(text) => self.text(&text, lines),
                Token::Command(command) => self.record.note(self.number, Told::Command(command)),
                Token::Negotiation(verb, option) => {
                    let offered = |end: End, option: u8| {
                        self.kind.offers().iter().chain(self.kind.offers_later()).any(|offer| *offer == (end, option))
                    };
                    match self.options.hear(verb, option, offered) {
                        Outcome::Fault(fault) => return Err(fault),
                        Outcome::Late => {}
                        Outcome::Refused(answer) => self.raw(&negotiation(answer, option)),
                        Outcome::Became(end, on, answer) => {
                            if let Some(answer) = answer {
                                self.raw(&negotiation(answer, option));
                            }
                            self.record.note(self.number, Told::Agreed(end, option, on));
                            self.became(end, option, on);
                        }
                    }
                }
                Token::Sub(option, _) if !self.options.was_known(option) => {
                    return Err(format!("a subnegotiation of {option}, which was not agreed on"));
                }
                Token::Sub(MCCP3, _) => {
                    self.record.note(self.number, Told::Sub(MCCP3, Vec::new()));
                    self.incoming.compressed_from_here()?;
                }
                Token::Sub(option, body) => self.subnegotiation(option, body),
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &[u8], lines: &mut Vec<Vec<u8>>) {
        self.line.extend_from_slice(text);
        while let Some(at) = self.line.iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = self.line.drain(..=at).collect();
            line.truncate(line.len() - if line.ends_with(b"\r\n") { 2 } else { 1 });
            // Before anybody sees it: what comes behind it is not read.
            self.hung |= line == b"hang" && self.name().is_some();
            self.record.note(self.number, Told::Line(line.clone()));
            lines.push(line);
        }
    }

    /// What follows from what is agreed on now.
    fn became(&mut self, end: End, option: u8, on: bool) {
        match (end, option, on) {
            (End::Theirs, TTYPE, true) => self.raw(&subnegotiation(TTYPE, &[SEND])),
            (End::Theirs, NEW_ENVIRON, true) => self.raw(&subnegotiation(NEW_ENVIRON, &[SEND, 0, 3])),
            (End::Theirs, SGA, true) if self.kind == Kind::Mush => self.ask(End::Ours, SGA, true),
            (End::Ours, CHARSET, true) => {
                self.raw(&subnegotiation(CHARSET, b"\x01;UTF-8;ISO-8859-1;US-ASCII"));
            }
            (End::Ours, MSSP, true) => {
                let body = b"\x01NAME\x02A world of the tests\x01PLAYERS\x023\x01UPTIME\x021767600000\x01PORT\x022860";
                self.raw(&subnegotiation(MSSP, body));
            }
            (End::Ours, MXP, true) => self.raw(&subnegotiation(MXP, b"")),
            (End::Ours, MCCP2, true) => {
                self.raw(&subnegotiation(MCCP2, b""));
                self.outgoing.compress();
            }
            (End::Ours, MCCP2, false) => self.end_stream(),
            _ => {}
        }
    }

    fn subnegotiation(&mut self, option: u8, body: Vec<u8>) {
        self.record.note(self.number, Told::Sub(option, body.clone()));
        // The same name twice is the last one.
        if option == TTYPE && self.terminals.last() != Some(&body) && self.terminals.len() < 5 {
            self.terminals.push(body);
            self.raw(&subnegotiation(TTYPE, &[SEND]));
        }
    }
}
