//! What the owner of a [`Telnet`] says about options that he decides about. Runs in the worker.

use crate::codes::{option, write_command, write_negotiation, write_subnegotiation};
use crate::event::Event;
use crate::mssp;
use crate::negotiation::{Party, Q};
use crate::relay::{Standing, is_for_the_owner, is_never_relayed};
use crate::role::{End, Role};
use crate::telnet::Telnet;

impl Telnet {
    /// Whether the owner decides about options from now on, since he stands between two others: for a server about those that
    /// it does not use itself, for a client about all but BINARY and the ECHO of the server.
    ///
    /// What was agreed on stays so when that ends. A proposal that waits for an answer is refused then.
    pub fn set_relaying(&mut self, on: bool, out: &mut Vec<u8>) {
        if on {
            self.relay.get_or_insert_default().on = true;
        } else if let Some(relay) = &mut self.relay {
            relay.on = false;
            let open = relay.proposed.list();
            for (party, option) in open {
                self.answer(party, option, false, out);
            }
        }
        self.parser.set_relaying(on, self.role() == Role::Client);
    }

    /// Whether the owner decides about options.
    #[must_use]
    pub fn is_relaying(&self) -> bool {
        self.relay.as_ref().is_some_and(|relay| relay.on)
    }

    /// A server [offers](Self::offer) all that it offers anyway, and besides what it has for a player: it asks for the facts
    /// of his client (NEW-ENVIRON with MNES), and offers to tell about itself (MSSP). Relays options from now on. Does so once.
    pub fn offer_all(&mut self, out: &mut Vec<u8>) {
        self.set_relaying(true, out);
        self.offer(out);
        if self.role() == Role::Server {
            self.ask(Party::Them, option::NEW_ENVIRON, true, out);
            self.ask(Party::Us, option::MSSP, true, out);
        }
    }

    /// The answer to [`Event::Wants`]. Does nothing if the peer does not propose that any more.
    pub fn answer(&mut self, party: Party, option: u8, yes: bool, out: &mut Vec<u8>) {
        if !self.relay.as_mut().is_some_and(|relay| relay.proposed.remove(party, option)) {
            return;
        }
        let granted = if yes { self.side_mut(party, option).and_then(|side| side.receive(true)) } else { None };
        match granted {
            Some(true) => {
                write_negotiation(out, party.said(true), option);
                self.turned_down.remove(party, option);
                self.refused.remove(party, option);
                self.follow(party.heard_as(true), option, true, out);
            }
            Some(false) => write_negotiation(out, party.said(false), option),
            None => self.refuse(party, option, out),
        }
    }

    /// Asks for an option to be in use, or not; [`Event::Agreed`] tells what became of it. If the peer proposes just that, it is
    /// the answer. Does nothing for an option that is never relayed, for one more than may be, or where options are not relayed.
    pub fn ask(&mut self, party: Party, option: u8, on: bool, out: &mut Vec<u8>) {
        if self.is_proposed(party, option) {
            return self.answer(party, option, on, out);
        }
        let echo = self.role() == Role::Server && (party, option) == (Party::Us, option::ECHO);
        if echo || is_never_relayed(option) || self.make_room(party, option).is_none() {
            return;
        }
        if let Some(yes) = self.side_mut(party, option).and_then(|side| side.ask(on)) {
            write_negotiation(out, party.said(yes), option);
        }
    }

    /// How an option stands for a party. A server's ECHO always stands [`Standing::Off`]: see
    /// [`hide_input`](Self::hide_input).
    #[must_use]
    pub fn standing(&self, party: Party, option: u8) -> Standing {
        match self.side(party, option).map(|side| side.q) {
            Some(Q::Yes) => Standing::On,
            Some(Q::WantYes | Q::WantNoOpposite) => Standing::Asked,
            _ if self.turned_down.contains(party, option) => Standing::Refused,
            _ => Standing::Off,
        }
    }

    /// Whether the peer has proposed this and is not answered yet.
    #[must_use]
    pub fn is_proposed(&self, party: Party, option: u8) -> bool {
        self.relay.as_ref().is_some_and(|relay| relay.proposed.contains(party, option))
    }

    /// What the peer has proposed and is not answered yet.
    pub(crate) fn proposed(&self) -> Vec<(Party, u8)> {
        self.relay.as_ref().map(|relay| relay.proposed.list()).unwrap_or_default()
    }

    /// Whether a server knows what its peer was to tell by an option that is in use.
    pub(crate) fn knows_facts(&self, option: u8) -> bool {
        match (option, &self.end) {
            (option::TTYPE, End::Server(server)) => server.types.is_settled(),
            (option::NEW_ENVIRON, End::Server(server)) => !server.awaits_environ,
            (option::NAWS, End::Server(_)) => self.terminal.width.is_some() || self.terminal.height.is_some(),
            _ => true,
        }
    }

    /// The body of the subnegotiation that the last event told of, at most 64 KiB.
    #[must_use]
    pub fn subnegotiation(&self) -> &[u8] {
        self.parser.subnegotiation().get(1..).unwrap_or_default()
    }

    /// Writes a subnegotiation.
    pub fn subnegotiate(option: u8, body: &[u8], out: &mut Vec<u8>) {
        write_subnegotiation(out, option, &[body]);
    }

    /// Writes a command without an option, as one that [`Event::Command`] told of.
    pub fn command(byte: u8, out: &mut Vec<u8>) {
        write_command(out, byte);
    }

    /// A server tells about itself, by names and values, where [`Event::WantsMssp`] has told that the peer wants it.
    /// Whatever is in them that MSSP does not allow is left out.
    pub fn mssp(&self, table: &[(&str, &str)], out: &mut Vec<u8>) {
        if self.standing(Party::Us, option::MSSP) == Standing::On {
            mssp::write(table, out);
        }
    }

    /// A server that may compress what it sends (MCCP2), or a client (MCCP3), begins to: what is written behind this is to go
    /// through a [`Deflater`](crate::Deflater). False, and nothing is written, if that was not agreed on.
    pub fn begin_compressing(&self, out: &mut Vec<u8>) -> bool {
        let (party, option) = match self.role() {
            Role::Server => (Party::Us, option::MCCP2),
            Role::Client => (Party::Them, option::MCCP3),
        };
        let agreed = self.standing(party, option) == Standing::On;
        if agreed {
            write_subnegotiation(out, option, &[]);
        }
        agreed
    }

    /// Whether this is a proposal that the owner decides about, or the end of one.
    pub(crate) fn is_proposal(&self, party: Party, option: u8) -> bool {
        self.is_relaying()
            && is_for_the_owner(self.role(), party, option)
            && self.side(party, option).is_none_or(|side| side.q == Q::No)
    }

    /// Takes over a proposal that the owner decides about, or the end of one.
    pub(crate) fn propose(&mut self, party: Party, option: u8, yes: bool, out: &mut Vec<u8>) -> Option<Event<'static>> {
        if !yes {
            let withdrawn = self.relay.as_mut().is_some_and(|relay| relay.proposed.remove(party, option));
            return withdrawn.then_some(Event::Agreed { party, option, on: false });
        }
        if self.make_room(party, option).is_none() {
            self.refuse(party, option, out);
            return None;
        }
        let may_grant = self.side(party, option).is_some_and(|side| side.may_grant());
        let new = self.relay.as_mut().is_some_and(|relay| relay.proposed.insert(party, option));
        let mssp = self.tells_mssp(party, option);
        if !may_grant || mssp {
            self.answer(party, option, true, out);
            return (mssp && may_grant).then_some(Event::WantsMssp);
        }
        new.then_some(Event::Wants { party, option })
    }

    /// Whether the peer says yes to what is in use already. A world does so that has started again behind an open connection;
    /// a player's program does not.
    pub(crate) fn has_forgotten(&self, party: Party, option: u8, yes: bool) -> bool {
        yes && self.is_relaying() && self.role() == Role::Client && self.standing(party, option) == Standing::On
    }

    /// Tells a peer that has forgotten it that an option is in use.
    pub(crate) fn confirm(&mut self, party: Party, option: u8) -> Option<bool> {
        let answer = self.side_mut(party, option)?.confirm();
        if answer.is_some() && option == option::CHARSET {
            self.charset.begin_anew();
        }
        answer
    }

    /// Whether a peer that agrees to this wants to know about the server.
    pub(crate) fn tells_mssp(&self, party: Party, option: u8) -> bool {
        let tells = match &self.end {
            End::Server(server) => server.tells || self.is_relaying(),
            End::Client(_) => false,
        };
        tells && (party, option) == (Party::Us, option::MSSP)
    }

    /// Whether what the peer has said has decided about an option, and how: it is in use now, or it is not. `told` if that is
    /// news though it was so before: something was open, or the peer was told again.
    pub(crate) fn settled(
        &mut self,
        party: Party,
        option: u8,
        yes: bool,
        before: Standing,
        told: bool,
    ) -> Option<bool> {
        if !self.side(party, option)?.is_settled() {
            return None;
        }
        let now = self.standing(party, option);
        if now == Standing::On {
            self.turned_down.remove(party, option);
        } else if !yes && matches!(before, Standing::Asked | Standing::On) {
            self.turned_down.insert(party, option);
        }
        (told || (before == Standing::On) != (now == Standing::On)).then_some(now == Standing::On)
    }

    /// A subnegotiation of an option that the machine does not use itself.
    pub(crate) fn relayed_subnegotiation(&self, option: u8) -> Option<Event<'static>> {
        let [ours, theirs] = [Party::Us, Party::Them].map(|party| self.standing(party, option) == Standing::On);
        match (self.role(), option) {
            (Role::Server, option::MCCP3) => ours.then_some(Event::Compressed),
            (Role::Client, option::MCCP2) => theirs.then_some(Event::Compressed),
            (_, option::MCCP2 | option::MCCP3) => None,
            _ => (ours || theirs).then_some(Event::Subnegotiation { option }),
        }
    }

    fn refuse(&mut self, party: Party, option: u8, out: &mut Vec<u8>) {
        if self.refused.insert(party, option) || self.refuses_again(party, option) {
            write_negotiation(out, party.said(false), option);
        }
    }

    /// Whether a peer that proposes what was refused is told so again. A world has forgotten it that has started again behind an
    /// open connection, and waits for an answer; as often as it may switch an option on.
    fn refuses_again(&mut self, party: Party, option: u8) -> bool {
        let world = self.is_relaying() && self.role() == Role::Client;
        world && self.side_mut(party, option).is_some_and(|side| side.confirm().is_some())
    }

    /// Sees to it that the option has a state, if it may have one.
    fn make_room(&mut self, party: Party, option: u8) -> Option<()> {
        if self.side(party, option).is_some() {
            return Some(());
        }
        self.relay.as_mut().and_then(|relay| relay.side_or_new(party, option)).map(|_| ())
    }
}
