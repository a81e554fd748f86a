//! The telnet machine: what the peer sends becomes data and events, and the answers it is owed. Runs in the worker.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::charset::Charset;
use crate::codes::{self, IAC, Verb, option, write_negotiation};
use crate::negotiation::{Echo, Party, Refused, Side};
use crate::parser::{Parser, Token};
use crate::terminal::{Terminal, TypeCycle};

/// What is said to "are you there?".
const HERE: &[u8] = b"\r\n[Yes]\r\n";

/// What came from the peer, for the owner of a [`Telnet`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event<'i> {
    /// Data without any telnet in it. One piece holds at most one line end, as its last bytes, so that the owner
    /// may stop after any line and go on later, or read the rest of the input without telnet.
    Data(&'i [u8]),
    /// The peer's interrupt key (IP, BRK or ABORT): the line being typed is given up.
    Interrupt,
    /// Erase the last character of the line being typed (EC).
    EraseCharacter,
    /// Erase the line being typed (EL).
    EraseLine,
    /// [`Telnet::terminal`] has news.
    Terminal,
    /// The peer shows that it lives, and wants nothing else (NOP, AYT).
    Alive,
}

/// Shows how long data is, not what: it may be a password.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(bytes) => write!(f, "Data({} bytes)", bytes.len()),
            Self::Interrupt => f.write_str("Interrupt"),
            Self::EraseCharacter => f.write_str("EraseCharacter"),
            Self::EraseLine => f.write_str("EraseLine"),
            Self::Terminal => f.write_str("Terminal"),
            Self::Alive => f.write_str("Alive"),
        }
    }
}

/// One end, the server's, of a telnet connection.
///
/// Sends nothing unless [`offer`](Self::offer) or [`hide_input`](Self::hide_input) is called or the peer sends a
/// command. Whatever the peer sends, the answers are at most five times as long, and an answer is never answered.
/// Holds at most 512 bytes of what the peer sent, none when idle.
///
/// Serialized it is part of what a worker leaves to one of another version, which must be able to read it: a field more is
/// another form, under a name of its own.
#[derive(Default, Serialize, Deserialize)]
pub struct Telnet {
    parser: Parser,
    offered: bool,
    echo: Echo,
    our_sga: Side,
    our_eor: Side,
    our_charset: Side,
    their_sga: Side,
    their_naws: Side,
    their_ttype: Side,
    their_charset: Side,
    refused: Refused,
    types: TypeCycle,
    charset: Charset,
    terminal: Terminal,
}

impl Telnet {
    /// A connection on which nothing was said yet. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next event in `input`, from which it takes what it used; `None` when `input` is used up.
    ///
    /// Answers to the peer are appended to `out`.
    pub fn next<'i>(&mut self, input: &mut &'i [u8], out: &mut Vec<u8>) -> Option<Event<'i>> {
        loop {
            let event = match self.parser.next(input)? {
                Token::Data(bytes) => Some(Event::Data(bytes)),
                Token::Command(byte) => command(byte, out),
                Token::Negotiation(verb, option) => {
                    self.negotiate(verb, option, out);
                    // A window whose size is not told any more is of none.
                    let gone = (verb, option) == (Verb::Wont, option::NAWS) && self.terminal.forget_size();
                    gone.then_some(Event::Terminal)
                }
                Token::Subnegotiation => self.subnegotiation(out).then_some(Event::Terminal),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// Offers what makes a door for people comfortable: window size, terminal type, marked prompts and UTF-8.
    /// Does so once; later calls do nothing.
    pub fn offer(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.offered, true) {
            return;
        }
        let offers = [
            (&mut self.their_naws, Verb::Do, option::NAWS),
            (&mut self.their_ttype, Verb::Do, option::TTYPE),
            (&mut self.our_eor, Verb::Will, option::EOR),
            (&mut self.our_charset, Verb::Will, option::CHARSET),
        ];
        for (side, verb, option) in offers {
            if side.ask() {
                write_negotiation(out, verb, option);
            }
        }
    }

    /// Asks the peer to hide what is typed, for a password, or to show it again.
    pub fn hide_input(&mut self, hidden: bool, out: &mut Vec<u8>) {
        if let Some(will) = self.echo.hide(hidden) {
            write_negotiation(out, answer(Party::Us, will), option::ECHO);
        }
    }

    /// Writes a command that does nothing, so that the connection is not quiet.
    pub fn keep_alive(out: &mut Vec<u8>) {
        out.extend_from_slice(&[codes::IAC, codes::NOP]);
    }

    /// Whether the peer has sent any telnet command. On the first, the owner may want to [`offer`](Self::offer).
    #[must_use]
    pub fn speaks_telnet(&self) -> bool {
        self.parser.seen_command()
    }

    /// What is known about the peer's terminal.
    #[must_use]
    pub fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// Appends data for the peer to `out`: as it is, or with IAC doubled if the peer speaks telnet.
    pub fn encode(&self, data: &[u8], out: &mut Vec<u8>) {
        if self.speaks_telnet() {
            codes::write_escaped(out, data);
        } else {
            out.extend_from_slice(data);
        }
    }

    /// Appends what marks the end of a prompt: `IAC EOR` where agreed, else `IAC GA` unless the peer does not
    /// want it or has never sent a telnet command.
    pub fn prompt_end(&self, out: &mut Vec<u8>) {
        if self.our_eor.is_on() {
            out.extend_from_slice(&[IAC, codes::EOR]);
        } else if self.speaks_telnet() && !self.our_sga.is_on() {
            out.extend_from_slice(&[IAC, codes::GA]);
        }
    }

    /// Bytes allocated for what the peer has sent: at most 512.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.parser.capacity()
    }

    fn negotiate(&mut self, verb: Verb, option: u8, out: &mut Vec<u8>) {
        let (party, yes) = match verb {
            Verb::Do => (Party::Us, true),
            Verb::Dont => (Party::Us, false),
            Verb::Will => (Party::Them, true),
            Verb::Wont => (Party::Them, false),
        };
        let reply = match (party, option) {
            (Party::Us, option::ECHO) => self.echo.receive(yes),
            // A mark, not a state: every one is answered. Clients discard output from an interrupt until it comes.
            (Party::Us, option::TIMING_MARK) => yes.then_some(true),
            _ => match self.side(party, option) {
                Some(side) => side.receive(yes),
                None => self.refused.receive(party, option, yes).then_some(false),
            },
        };
        if let Some(agreed) = reply {
            write_negotiation(out, answer(party, agreed), option);
        }
        if option == option::TTYPE && self.their_ttype.is_on() {
            self.types.start(out);
        }
        if option == option::CHARSET && self.our_charset.is_on() {
            self.charset.request(out);
        }
    }

    /// The state of a supported option.
    fn side(&mut self, party: Party, option: u8) -> Option<&mut Side> {
        match (party, option) {
            (Party::Us, option::SGA) => Some(&mut self.our_sga),
            (Party::Us, option::EOR) => Some(&mut self.our_eor),
            (Party::Us, option::CHARSET) => Some(&mut self.our_charset),
            (Party::Them, option::SGA) => Some(&mut self.their_sga),
            (Party::Them, option::NAWS) => Some(&mut self.their_naws),
            (Party::Them, option::TTYPE) => Some(&mut self.their_ttype),
            (Party::Them, option::CHARSET) => Some(&mut self.their_charset),
            _ => None,
        }
    }

    /// Takes over a subnegotiation of an option that is in use or asked for. True if the terminal changed.
    fn subnegotiation(&mut self, out: &mut Vec<u8>) -> bool {
        let Some((&option, body)) = self.parser.subnegotiation().split_first() else { return false };
        let terminal = &mut self.terminal;
        match option {
            option::NAWS if self.their_naws.is_wanted() => terminal.set_size(body),
            option::TTYPE if self.their_ttype.is_wanted() => self.types.receive(body, terminal, out),
            option::CHARSET if self.our_charset.is_wanted() || self.their_charset.is_wanted() => {
                self.charset.receive(body, terminal, out)
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Telnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telnet")
            .field("speaks_telnet", &self.speaks_telnet())
            .field("offered", &self.offered)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

/// The verb with which we agree to, or refuse, an option of this party.
fn answer(party: Party, agreed: bool) -> Verb {
    match (party, agreed) {
        (Party::Us, true) => Verb::Will,
        (Party::Us, false) => Verb::Wont,
        (Party::Them, true) => Verb::Do,
        (Party::Them, false) => Verb::Dont,
    }
}

fn command(byte: u8, out: &mut Vec<u8>) -> Option<Event<'static>> {
    match byte {
        codes::IP | codes::BRK | codes::ABORT => Some(Event::Interrupt),
        codes::EC => Some(Event::EraseCharacter),
        codes::EL => Some(Event::EraseLine),
        codes::AYT => {
            out.extend_from_slice(HERE);
            Some(Event::Alive)
        }
        codes::NOP => Some(Event::Alive),
        // GA, DM, AO and the rest ask nothing of a server that sends whole lines.
        _ => None,
    }
}
