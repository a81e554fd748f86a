//! The telnet machine: what the peer sends becomes data and events, and the answers it is owed. Runs in the worker.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::charset::Charset;
use crate::client::{self, Presented};
use crate::codes::{self, Verb, option, write_command, write_negotiation};
use crate::event::Event;
use crate::negotiation::{Party, Refused, Side};
use crate::parser::{Parser, Token};
use crate::role::{End, Role};
use crate::server;
use crate::terminal::Terminal;

/// One end of a telnet connection.
///
/// Sends nothing unless its owner calls for it or the peer sends a command. An answer is never answered, and whatever the
/// peer sends, the answers of a server are at most five times as long, those of a client eight times. Holds at most 512
/// bytes of what the peer sent.
///
/// Serialized, in a format that knows the names of fields, it is all that another program needs to go on from here, in the
/// middle of a word too. A field that is added needs a default that is right for a state without it.
/// [`TelnetBefore`](crate::TelnetBefore) is what programs have written that knew no names.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Telnet {
    pub(crate) parser: Parser,
    pub(crate) our_sga: Side,
    pub(crate) their_sga: Side,
    pub(crate) our_binary: Side,
    pub(crate) their_binary: Side,
    pub(crate) charset: Charset,
    pub(crate) refused: Refused,
    pub(crate) terminal: Terminal,
    pub(crate) offering: bool,
    pub(crate) end: End,
}

impl Telnet {
    /// A connection on which nothing was said yet. Allocates nothing.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self { end: End::new(role), ..Self::default() }
    }

    /// Which end this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.end.role()
    }

    /// The next event in `input`, from which it takes what it used; `None` when `input` is used up.
    ///
    /// Answers to the peer are appended to `out`.
    pub fn next<'i>(&mut self, input: &mut &'i [u8], out: &mut Vec<u8>) -> Option<Event<'i>> {
        loop {
            let event = match self.parser.next(input)? {
                Token::Data(bytes) => Some(Event::Data(bytes)),
                Token::Command(byte) => match self.role() {
                    Role::Server => server::command(byte, out),
                    Role::Client => client::command(byte, out),
                },
                Token::Negotiation(verb, option) => self.negotiate(verb, option, out),
                Token::Subnegotiation => self.subnegotiation(out).then_some(Event::Terminal),
            };
            if self.offering && self.speaks_telnet() {
                self.offer(out);
            }
            if event.is_some() {
                return event;
            }
        }
    }

    /// A server offers what makes a door for people comfortable: all eight bits of a byte, window size, terminal type, marked
    /// prompts and UTF-8. Does so once; later calls do nothing. A client offers nothing.
    pub fn offer(&mut self, out: &mut Vec<u8>) {
        if let End::Server(server) = &mut self.end {
            let binary = [(&mut self.their_binary, Party::Them), (&mut self.our_binary, Party::Us)];
            server.offer(binary, &mut self.charset, out);
        }
    }

    /// Whether a server [offers](Self::offer) all that as soon as the peer has sent any telnet command, behind the answer to it.
    pub fn set_offering(&mut self, on: bool) {
        self.offering = on;
    }

    /// Whether all that we send is taken as it is (BINARY): then some terminals that are shown a line feed do nothing else,
    /// and one that ends what was typed leaves what follows at the same column.
    #[must_use]
    pub fn sends_binary(&self) -> bool {
        self.our_binary.is_on()
    }

    /// A server asks the peer to hide what is typed, for a password, or to show it again. A client has nothing to hide.
    pub fn hide_input(&mut self, hidden: bool, out: &mut Vec<u8>) {
        if let End::Server(server) = &mut self.end {
            server.hide_input(hidden, out);
        }
    }

    /// Whether a client is to hide what is typed, as the last [`Event::HideInput`] said. What a server hides, the peer
    /// knows.
    #[must_use]
    pub fn hides_input(&self) -> bool {
        match &self.end {
            End::Server(_) => false,
            End::Client(client) => client.hides_input(),
        }
    }

    /// What a client tells the server from now on. A size that is new is told at once where sizes are wanted; the rest when
    /// it is asked for. A server presents nothing.
    pub fn present(&mut self, presented: Presented, out: &mut Vec<u8>) {
        if let End::Client(client) = &mut self.end {
            client.present(presented, out);
        }
    }

    /// Writes a command that does nothing, so that the connection is not quiet.
    pub fn keep_alive(out: &mut Vec<u8>) {
        write_command(out, codes::NOP);
    }

    /// Writes that a prompt is complete, for one who was offered telnet and has not answered yet: there are clients that show
    /// nothing of a line without an end before they are told so.
    pub fn go_ahead(out: &mut Vec<u8>) {
        write_command(out, codes::GA);
    }

    /// Whether the peer has sent any telnet command.
    #[must_use]
    pub fn speaks_telnet(&self) -> bool {
        self.parser.seen_command()
    }

    /// What is known about the peer's terminal.
    #[must_use]
    pub fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// Makes of the text that stands in `out` from `from` on what goes over the wire: as it is, or with IAC doubled.
    ///
    /// A server doubles it for who has sent a telnet command: others would see it twice. A client always does: a game
    /// server reads telnet from the first byte, whether it negotiates or not.
    pub fn seal(&self, out: &mut Vec<u8>, from: usize) {
        if self.speaks_telnet() || self.role() == Role::Client {
            codes::escape(out, from);
        }
    }

    /// A server appends what marks the end of a prompt: `IAC EOR` where agreed, else `IAC GA` unless the peer does not
    /// want it or has never sent a telnet command. A client has no prompts.
    pub fn prompt_end(&self, out: &mut Vec<u8>) {
        if let End::Server(server) = &self.end {
            server.prompt_end(self.speaks_telnet(), &self.our_sga, out);
        }
    }

    /// Whether all data that came was handed out: nothing is held that could still be data. A sequence that has begun and
    /// lacks its end could. After a CR nothing is held, though a NUL that follows belongs to it.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        // Every field by its name: whoever adds one decides here whether input waits in it.
        let Self {
            parser,
            our_sga: _,
            their_sga: _,
            our_binary: _,
            their_binary: _,
            charset: _,
            refused: _,
            terminal: _,
            offering: _,
            end: _,
        } = self;
        parser.is_quiet()
    }

    /// Bytes allocated for what the peer has sent: at most 512.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.parser.capacity()
    }

    fn negotiate(&mut self, verb: Verb, option: u8, out: &mut Vec<u8>) -> Option<Event<'static>> {
        let (party, yes) = Party::heard(verb);
        let answer = self.answer(party, option, yes);
        if let Some(yes) = answer {
            write_negotiation(out, party.said(yes), option);
        }
        match option {
            option::CHARSET => self.charset.request(self.end.stand(), out),
            option::BINARY => self.parser.set_binary(self.their_binary.is_on()),
            _ => {}
        }
        match &mut self.end {
            End::Server(server) => server.negotiated(verb, option, &mut self.terminal, out).then_some(Event::Terminal),
            End::Client(client) => client.negotiated(verb, option, answer, out),
        }
    }

    /// What the peer is answered that says yes or no to an option: yes, no or nothing.
    fn answer(&mut self, party: Party, option: u8, yes: bool) -> Option<bool> {
        if let (End::Server(server), Party::Us) = (&mut self.end, party) {
            match option {
                option::ECHO => return server.echo.receive(yes),
                // A mark, not a state: every one is answered. Clients discard output from an interrupt until it comes.
                option::TIMING_MARK => return yes.then_some(true),
                _ => {}
            }
        }
        match self.side(party, option) {
            Some(side) => side.receive(yes),
            None => self.refused.receive(party, option, yes).then_some(false),
        }
    }

    /// The state of a supported option.
    fn side(&mut self, party: Party, option: u8) -> Option<&mut Side> {
        match (party, option) {
            (Party::Us, option::SGA) => Some(&mut self.our_sga),
            (Party::Them, option::SGA) => Some(&mut self.their_sga),
            (Party::Us, option::BINARY) => Some(&mut self.our_binary),
            (Party::Them, option::BINARY) => Some(&mut self.their_binary),
            (_, option::CHARSET) => Some(self.charset.side(party)),
            _ => self.end.side(party, option),
        }
    }

    /// Takes over a subnegotiation. True if the terminal changed.
    fn subnegotiation(&mut self, out: &mut Vec<u8>) -> bool {
        let Some((&option, body)) = self.parser.subnegotiation().split_first() else { return false };
        if option == option::CHARSET {
            return self.charset.receive(body, self.end.stand(), &mut self.terminal, out);
        }
        match &mut self.end {
            End::Server(server) => server.subnegotiation(option, body, &mut self.terminal, out),
            End::Client(client) => {
                client.subnegotiation(option, body, out);
                false
            }
        }
    }
}

impl fmt::Debug for Telnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telnet")
            .field("role", &self.role())
            .field("speaks_telnet", &self.speaks_telnet())
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}
