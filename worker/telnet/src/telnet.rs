//! The telnet machine: what the peer sends becomes data and events, and the answers it is owed. Runs in the worker.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::charset::Charset;
use crate::client::{self, Presented};
use crate::codes::{self, Verb, option, write_command, write_negotiation};
use crate::event::Event;
use crate::negotiation::{Party, Side, sides};
use crate::options::OptionSet;
use crate::parser::{Parser, Token};
use crate::relay::Relay;
use crate::role::{End, Role};
use crate::server;
use crate::terminal::Terminal;

/// One end of a telnet connection.
///
/// Sends nothing unless its owner calls for it or the peer sends a command. An answer is never answered, and whatever the
/// peer sends, the answers of a server are at most five times as long, those of a client eight times. Holds at most 512
/// bytes of what the peer sent. Where options are [relayed](Self::set_relaying) that is 64 KiB, and answers may be longer,
/// for a time: facts are told at most 64 times.
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
    pub(crate) refused: OptionSet,
    /// What the peer was asked and does not want, or has switched off.
    pub(crate) turned_down: OptionSet,
    pub(crate) terminal: Terminal,
    pub(crate) offering: bool,
    pub(crate) end: End,
    /// Only where options are relayed, or were.
    pub(crate) relay: Option<Box<Relay>>,
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
                Token::Data(bytes) => {
                    if let End::Server(server) = &mut self.end {
                        server.has_typed(bytes);
                    }
                    Some(Event::Data(bytes))
                }
                Token::Command(byte) => match self.role() {
                    role if self.is_relaying() => Some(relayed_command(role, byte)),
                    Role::Server => server::command(byte, out),
                    Role::Client => client::command(byte, out),
                },
                Token::Negotiation(verb, option) => self.negotiate(verb, option, out),
                Token::Subnegotiation => self.subnegotiated(out),
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

    /// Whether a server tells about itself who asks for that (MSSP), also where options are not relayed: [`Event::WantsMssp`] and
    /// [`mssp`](Self::mssp). It is among what is [offered](Self::offer) from now on.
    pub fn set_telling(&mut self, on: bool) {
        if let End::Server(server) = &mut self.end {
            server.tells = on;
        }
    }

    /// Whether a server compresses (MCCP2) and takes what is compressed (MCCP3): its owner has the streams. Then it
    /// [offers](Self::offer) both with the rest. If not, the peer is told so as with any option that is not known.
    pub fn set_compressing(&mut self, on: bool) {
        if let End::Server(server) = &mut self.end {
            server.compresses = on;
        }
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

    /// Whether a server may draw in colours for the peer. Of one who is still telling what his terminal is it is not known yet whether
    /// it reads aloud; its first name may be that of a program that has colours elsewhere.
    #[must_use]
    pub fn may_colour(&self) -> bool {
        let awaits = matches!(&self.end, End::Server(server) if server.awaits_terminal());
        self.terminal.colour() && (self.terminal.mtts().is_some() || !awaits)
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
            turned_down: _,
            terminal: _,
            offering: _,
            end: _,
            relay: _,
        } = self;
        parser.is_quiet()
    }

    /// Bytes allocated for what the peer has sent: at most 512, or 64 KiB where options are relayed.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.parser.capacity()
    }

    fn negotiate(&mut self, verb: Verb, option: u8, out: &mut Vec<u8>) -> Option<Event<'static>> {
        let (party, yes) = Party::heard(verb);
        if self.is_proposal(party, option) {
            return self.propose(party, option, yes, out);
        }
        let before = self.standing(party, option);
        let open = self.side(party, option).is_some_and(|side| !side.is_settled());
        let forgotten = self.has_forgotten(party, option, yes);
        let answer = if forgotten { self.confirm(party, option) } else { self.answer_to(party, option, yes) };
        if let Some(yes) = answer {
            write_negotiation(out, party.said(yes), option);
        }
        let told = open || (forgotten && answer.is_some());
        let news = self.settled(party, option, yes, before, told);
        let terminal = self.follow(verb, option, news == Some(true), out);
        match news {
            // That is said on its own, whatever was agreed on.
            _ if matches!(terminal, Some(Event::HideInput(_))) => terminal,
            Some(true) if self.tells_mssp(party, option) => Some(Event::WantsMssp),
            Some(on) if self.is_relaying() => Some(Event::Agreed { party, option, on }),
            _ => terminal,
        }
    }

    /// Does what follows from a verb that was answered. `turned_on` if the option has come into use by that.
    pub(crate) fn follow(
        &mut self,
        verb: Verb,
        option: u8,
        turned_on: bool,
        out: &mut Vec<u8>,
    ) -> Option<Event<'static>> {
        match option {
            option::CHARSET => self.charset.request(self.end.stand(), out),
            option::BINARY => self.parser.set_binary(self.their_binary.is_on()),
            _ => {}
        }
        match &mut self.end {
            End::Server(server) => {
                server.negotiated(verb, option, turned_on, &mut self.terminal, out).then_some(Event::Terminal)
            }
            End::Client(client) => {
                if turned_on && verb == Verb::Do {
                    client.turned_on(option, out);
                }
                client.heard(verb, option)
            }
        }
    }

    /// What the peer is answered that says yes or no to an option: yes, no or nothing.
    fn answer_to(&mut self, party: Party, option: u8, yes: bool) -> Option<bool> {
        if let (End::Server(server), Party::Us) = (&mut self.end, party) {
            match option {
                option::ECHO => return server.echo.receive(yes),
                // A mark, not a state: every one is answered. Clients discard output from an interrupt until it comes.
                option::TIMING_MARK => return yes.then_some(true),
                _ => {}
            }
        }
        match self.side_mut(party, option) {
            Some(side) => side.receive(yes),
            None => (yes && self.refused.insert(party, option)).then_some(false),
        }
    }

    sides! {
        Party::Us, option::SGA => our_sga;
        Party::Them, option::SGA => their_sga;
        Party::Us, option::BINARY => our_binary;
        Party::Them, option::BINARY => their_binary;
    }

    /// The state of an option that is supported, or relayed.
    pub(crate) fn side(&self, party: Party, option: u8) -> Option<&Side> {
        if self.is_as_ever(option) {
            return None;
        }
        let own = self.own_side(party, option).or_else(|| self.charset.own_side(party, option));
        let own = own.or_else(|| self.end.side(party, option));
        own.or_else(|| self.relay.as_ref().and_then(|relay| relay.side(party, option)))
    }

    /// The same, to change it.
    pub(crate) fn side_mut(&mut self, party: Party, option: u8) -> Option<&mut Side> {
        if self.is_as_ever(option) {
            return None;
        }
        match option {
            option::SGA | option::BINARY => self.own_side_mut(party, option),
            option::CHARSET => self.charset.own_side_mut(party, option),
            _ => match self.end.side_mut(party, option) {
                Some(side) => Some(side),
                None => self.relay.as_mut().and_then(|relay| relay.side_mut(party, option)),
            },
        }
    }

    /// Whether the option is none here: where options were never relayed, sessions are as they always were; and a server whose
    /// owner has no streams does not compress.
    fn is_as_ever(&self, option: u8) -> bool {
        match (option, &self.end) {
            (option::MSSP, End::Server(server)) => !server.tells && self.relay.is_none(),
            (option::MCCP2 | option::MCCP3, End::Server(server)) => !server.compresses,
            (option, _) => option == option::NEW_ENVIRON && self.relay.is_none(),
        }
    }

    /// Takes over a subnegotiation.
    fn subnegotiated(&mut self, out: &mut Vec<u8>) -> Option<Event<'static>> {
        let (&option, body) = self.parser.subnegotiation().split_first()?;
        let terminal = match (option, &mut self.end) {
            (option::CHARSET, _) => self.charset.receive(body, self.end.stand(), &mut self.terminal, out),
            (option::NAWS | option::TTYPE | option::NEW_ENVIRON, End::Server(server)) => {
                server.subnegotiation(option, body, &mut self.terminal, out)
            }
            (option::NAWS | option::TTYPE | option::NEW_ENVIRON, End::Client(client)) => {
                client.subnegotiation(option, body, out);
                false
            }
            _ => return self.relayed_subnegotiation(option),
        };
        terminal.then_some(Event::Terminal)
    }
}

/// What a command of the peer means where options are relayed: it is not for us.
fn relayed_command(role: Role, byte: u8) -> Event<'static> {
    match (role, byte) {
        (_, codes::NOP) => Event::Alive,
        (Role::Server, codes::IP) => Event::Interrupt,
        (Role::Server, codes::EC) => Event::EraseCharacter,
        (Role::Server, codes::EL) => Event::EraseLine,
        (Role::Client, codes::GA | codes::EOR) => Event::PromptEnd,
        _ => Event::Command(byte),
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
