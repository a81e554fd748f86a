//! The server's end: it offers what makes a door for people comfortable, and asks what their terminal is like. Runs in the
//! worker.

use serde::{Deserialize, Serialize};

use crate::charset::Charset;
use crate::codes::{self, Verb, option, write_command, write_negotiation};
use crate::echo::Echo;
use crate::environ;
use crate::event::Event;
use crate::negotiation::{Party, Side, sides};
use crate::terminal::{Terminal, TypeCycle};

/// What is said to "are you there?".
pub(crate) const HERE: &[u8] = b"\r\n[Yes]\r\n";

/// The options that only a server has, and how far its questions are.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Server {
    pub(crate) offered: bool,
    pub(crate) echo: Echo,
    pub(crate) our_eor: Side,
    pub(crate) our_mssp: Side,
    /// MSSP is offered with all else, and whoever asks for it may have it.
    pub(crate) tells: bool,
    pub(crate) their_naws: Side,
    pub(crate) their_ttype: Side,
    pub(crate) their_environ: Side,
    /// Streams are a matter of who reads and writes: without one that has them, neither of the two is known.
    pub(crate) compresses: bool,
    pub(crate) our_mccp2: Side,
    pub(crate) our_mccp3: Side,
    pub(crate) types: TypeCycle,
    /// The variables were asked for, and no answer has come.
    pub(crate) awaits_environ: bool,
    /// How many CR and LF have come since it last told something of itself.
    pub(crate) typed: u8,
}

/// Of whom so many CR and LF have come and no answer, none comes: it would stand before what he types. Some lines are typed, or
/// sent by his program, before he has the question.
const PATIENCE: u8 = 16;

impl Server {
    /// Text has come.
    pub(crate) fn has_typed(&mut self, text: &[u8]) {
        if self.awaits_terminal() {
            let ends = text.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).take(PATIENCE.into()).count();
            self.typed = self.typed.saturating_add(u8::try_from(ends).unwrap_or(PATIENCE));
        }
    }

    /// Whether an answer is under way that tells what the terminal is.
    pub(crate) fn awaits_terminal(&self) -> bool {
        self.typed < PATIENCE && (self.awaits_environ || !self.types.is_settled())
    }

    /// Offers everything, once; `binary` is what both ends have of BINARY.
    pub(crate) fn offer(&mut self, binary: [(&mut Side, Party); 2], charset: &mut Charset, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.offered, true) {
            return;
        }
        let offers = [
            (&mut self.their_naws, Party::Them, option::NAWS),
            (&mut self.their_ttype, Party::Them, option::TTYPE),
            (&mut self.our_eor, Party::Us, option::EOR),
            (&mut charset.ours, Party::Us, option::CHARSET),
        ];
        let binary = binary.into_iter().map(|(side, party)| (side, party, option::BINARY));
        let mssp = self.tells.then_some((&mut self.our_mssp, Party::Us, option::MSSP));
        let streams = [(&mut self.our_mccp2, option::MCCP2), (&mut self.our_mccp3, option::MCCP3)];
        let streams = streams.into_iter().filter(|_| self.compresses).map(|(side, option)| (side, Party::Us, option));
        for (side, party, option) in binary.chain(offers).chain(mssp).chain(streams) {
            if let Some(yes) = side.ask(true) {
                write_negotiation(out, party.said(yes), option);
            }
        }
    }

    /// Hides what is typed, or shows it again.
    pub(crate) fn hide_input(&mut self, hidden: bool, out: &mut Vec<u8>) {
        if let Some(yes) = self.echo.hide(hidden) {
            write_negotiation(out, Party::Us.said(yes), option::ECHO);
        }
    }

    /// Marks the end of a prompt as far as the peer wants that.
    pub(crate) fn prompt_end(&self, speaks_telnet: bool, our_sga: &Side, out: &mut Vec<u8>) {
        if self.our_eor.is_on() {
            write_command(out, codes::EOR);
        } else if speaks_telnet && !our_sga.is_on() {
            write_command(out, codes::GA);
        }
    }

    sides! {
        Party::Us, option::EOR => our_eor;
        Party::Us, option::MSSP => our_mssp;
        Party::Them, option::NAWS => their_naws;
        Party::Them, option::TTYPE => their_ttype;
        Party::Them, option::NEW_ENVIRON => their_environ;
        Party::Us, option::MCCP2 => our_mccp2;
        Party::Us, option::MCCP3 => our_mccp3;
    }

    /// What follows from a verb that was answered; `turned_on` if the option is in use by that. True if the terminal changed.
    pub(crate) fn negotiated(
        &mut self,
        verb: Verb,
        option: u8,
        turned_on: bool,
        terminal: &mut Terminal,
        out: &mut Vec<u8>,
    ) -> bool {
        match option {
            option::TTYPE if self.their_ttype.is_on() => self.types.start(out),
            option::NEW_ENVIRON if turned_on => {
                self.awaits_environ = true;
                environ::ask(out);
            }
            _ => {}
        }
        // A window whose size is not told any more is of none.
        (verb, option) == (Verb::Wont, option::NAWS) && terminal.forget_size()
    }

    /// Takes over a subnegotiation of an option that is in use or asked for. True if the terminal changed.
    pub(crate) fn subnegotiation(
        &mut self,
        option: u8,
        body: &[u8],
        terminal: &mut Terminal,
        out: &mut Vec<u8>,
    ) -> bool {
        if matches!(option, option::TTYPE | option::NEW_ENVIRON) {
            self.typed = 0;
        }
        match option {
            option::NAWS if self.their_naws.is_wanted() => terminal.set_size(body),
            option::TTYPE if self.their_ttype.is_wanted() => self.types.receive(body, terminal, out),
            option::NEW_ENVIRON if self.their_environ.is_wanted() => {
                let waited = std::mem::take(&mut self.awaits_environ);
                environ::receive(body, terminal) || waited
            }
            _ => false,
        }
    }
}

/// What a command of the peer means to a server.
pub(crate) fn command(byte: u8, out: &mut Vec<u8>) -> Option<Event<'static>> {
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
