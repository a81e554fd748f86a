//! Which options are in use on each side, as the other side has them. Runs in the worker.
//!
//! Nothing is remembered about questions: how things stand on both sides tells what is to be said. So it does not matter in
//! which order the two of them speak, and nothing is said twice.

use super::{Bridge, other, presented};
use crate::codes::option;
use crate::negotiation::Party;
use crate::relay::{Standing, is_for_the_owner};
use crate::role::Role;
use crate::telnet::Telnet;

/// What a world is answered that wants an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Yes,
    No,
    /// That is not known yet.
    Wait,
    /// The player is to be asked.
    Ask,
}

/// How often one side is asked for what the other one wants, for each connection to a world. Two that contradict themselves
/// would go on for ever.
const QUESTIONS: u16 = 512;

/// Options that the player's machine uses itself: they stay as they are when a world goes.
fn is_ours(party: Party, option: u8) -> bool {
    match option {
        option::BINARY | option::CHARSET | option::MSSP | option::MCCP2 | option::MCCP3 => true,
        option::EOR => party == Party::Us,
        option::NAWS | option::TTYPE | option::NEW_ENVIRON => party == Party::Them,
        _ => false,
    }
}

impl Bridge {
    /// Says what is to be said, to either side, by how things stand.
    pub(super) fn settle(&mut self, player: &mut Telnet, to_player: &mut Vec<u8>, to_world: &mut Vec<u8>) {
        if !self.connected {
            for (party, option) in self.for_the_world(player) {
                player.answer(party, option, false, to_player);
            }
            return;
        }
        self.follow_player(player, to_player, to_world);
        self.present_player(player, to_world);
        if player.speaks_telnet() {
            player.hide_input(self.world.hides_input(), to_player);
        }
        for (party, option) in self.world.proposed() {
            match self.decide(player, party, option, to_player) {
                Decision::Yes => self.answer_world(party, option, true, to_world),
                Decision::No => self.answer_world(party, option, false, to_world),
                Decision::Wait | Decision::Ask => {}
            }
        }
        for (party, option) in self.for_the_world(player) {
            self.answer_player(player, party, option, to_player, to_world);
        }
        self.follow_world(player, to_player);
    }

    /// The player's facts as they are now.
    pub(super) fn present_player(&mut self, player: &Telnet, to_world: &mut Vec<u8>) {
        self.world.present(presented(player, &self.terms), to_world);
    }

    /// The world has agreed to an option, or not, or was told again that it is in use.
    pub(super) fn world_agreed(&mut self, party: Party, option: u8, on: bool, to_world: &mut Vec<u8>) {
        if !is_for_the_owner(Role::Client, party, option) {
            return;
        }
        if on {
            self.wanted.insert(party, option);
            self.greet(party, option, to_world);
        } else {
            self.wanted.remove(party, option);
        }
    }

    pub(super) fn answer_world(&mut self, party: Party, option: u8, yes: bool, to_world: &mut Vec<u8>) {
        self.world.answer(party, option, yes, to_world);
        if yes {
            self.greet(party, option, to_world);
        }
    }

    /// The options that the player proposes and that are the world's to decide.
    pub(super) fn for_the_world(&self, player: &Telnet) -> Vec<(Party, u8)> {
        let mut proposed = player.proposed();
        proposed.retain(|(party, option)| !is_ours(*party, *option));
        proposed
    }

    /// Switches off at the player what was switched on for a world that is gone.
    pub(super) fn switch_off(&mut self, player: &mut Telnet, to_player: &mut Vec<u8>) {
        for (party, option) in self.switched_on.list() {
            if option != option::GMCP {
                self.switched_on.remove(party, option);
                player.ask(party, option, false, to_player);
            }
        }
        for (party, option) in self.for_the_world(player) {
            player.answer(party, option, false, to_player);
        }
    }

    /// What a world that has GMCP is to know of the player's program.
    fn greet(&mut self, party: Party, option: u8, to_world: &mut Vec<u8>) {
        if (party, option) == (Party::Them, option::GMCP) {
            for message in self.gmcp.messages() {
                Telnet::subnegotiate(option::GMCP, &message, to_world);
            }
        }
    }

    /// What the world is answered that wants this. Asks the player if need be.
    fn decide(&mut self, player: &mut Telnet, party: Party, option: u8, to_player: &mut Vec<u8>) -> Decision {
        let theirs = other(party);
        match self.judge(player, party, option) {
            Decision::Ask if !self.may_ask() => Decision::No,
            Decision::Ask => {
                player.ask(theirs, option, true, to_player);
                match player.standing(theirs, option) {
                    // There is no room for one more.
                    Standing::Off | Standing::Refused => Decision::No,
                    Standing::Asked | Standing::On => {
                        if !is_ours(theirs, option) {
                            self.switched_on.insert(theirs, option);
                        }
                        self.judge(player, party, option)
                    }
                }
            }
            decision => decision,
        }
    }

    /// Whether one of the two may be asked once more.
    fn may_ask(&mut self) -> bool {
        self.asked = self.asked.saturating_add(1);
        self.asked <= QUESTIONS
    }

    /// The same, by how things stand.
    fn judge(&self, player: &Telnet, party: Party, option: u8) -> Decision {
        let yes_or_no = |yes| if yes { Decision::Yes } else { Decision::No };
        let asked_for = player.standing(Party::Us, option::MSSP) == Standing::On;
        match (party, option) {
            (_, option::CHARSET) => yes_or_no(!self.terms.charsets.is_empty()),
            (Party::Them, option::MCCP2) => yes_or_no(self.terms.compression),
            (Party::Them, option::MSSP) => yes_or_no(self.terms.mssp || asked_for),
            (_, option::MCCP2 | option::MCCP3 | option::MSSP) => Decision::No,
            // The address is the owner's, whatever the player's program has.
            (Party::Us, option::NEW_ENVIRON) if self.terms.address.is_some() => Decision::Yes,
            _ => match player.standing(other(party), option) {
                Standing::On if party == Party::Us && !player.knows_facts(option) => Decision::Wait,
                Standing::On => Decision::Yes,
                Standing::Refused => Decision::No,
                Standing::Asked => Decision::Wait,
                Standing::Off if player.speaks_telnet() => Decision::Ask,
                Standing::Off => {
                    if self.gave_up {
                        Decision::No
                    } else {
                        Decision::Wait
                    }
                }
            },
        }
    }

    /// Answers what the player proposes, or asks the world for it.
    fn answer_player(
        &mut self,
        player: &mut Telnet,
        party: Party,
        option: u8,
        to_player: &mut Vec<u8>,
        to_world: &mut Vec<u8>,
    ) {
        let theirs = other(party);
        if self.world.speaks_telnet() && self.world.standing(theirs, option) == Standing::Off && self.may_ask() {
            self.world.ask(theirs, option, true, to_world);
        }
        match self.world.standing(theirs, option) {
            Standing::On => {
                self.switched_on.insert(party, option);
                player.answer(party, option, true, to_player);
            }
            Standing::Refused => player.answer(party, option, false, to_player),
            Standing::Asked => {}
            // It speaks no telnet yet, or has no room for one more.
            Standing::Off if self.world.speaks_telnet() || self.gave_up => {
                player.answer(party, option, false, to_player);
            }
            Standing::Off => {}
        }
    }

    /// What the player has switched off the world loses, and what he has now it gets that had wanted it.
    fn follow_player(&mut self, player: &mut Telnet, to_player: &mut Vec<u8>, to_world: &mut Vec<u8>) {
        for (party, option) in self.wanted.list() {
            match self.world.standing(party, option) {
                Standing::On if self.judge(player, party, option) == Decision::No => {
                    self.world.ask(party, option, false, to_world);
                }
                Standing::Off if !self.world.is_proposed(party, option) => {
                    if self.decide(player, party, option, to_player) == Decision::Yes && self.may_ask() {
                        self.world.ask(party, option, true, to_world);
                    }
                }
                Standing::On | Standing::Off | Standing::Asked | Standing::Refused => {}
            }
        }
    }

    /// What the world does not want any more the player loses that had it for the world.
    fn follow_world(&mut self, player: &mut Telnet, to_player: &mut Vec<u8>) {
        for (party, option) in self.switched_on.list() {
            let theirs = other(party);
            let kept = option == option::GMCP && self.world.standing(theirs, option) == Standing::Off;
            if !kept && !self.wanted.contains(theirs, option) {
                self.switched_on.remove(party, option);
                player.ask(party, option, false, to_player);
            }
        }
    }
}
