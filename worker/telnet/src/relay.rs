//! Options that the owner decides about, since they are a matter of two others between whom he stands. Runs in the worker.
//!
//! The machine keeps their state as it does for its own options (RFC 1143), says what has to be said, and holds a proposal of
//! the peer until the owner has answered it.

use serde::{Deserialize, Serialize};

use crate::codes::option;
use crate::negotiation::{Party, Side};
use crate::options::OptionSet;
use crate::role::Role;

/// Options without a name here that may be relayed, for each party. One more is refused.
const MOST_UNKNOWN: usize = 16;

/// The options that are known by name, and always have a place.
const NAMED: [u8; 9] = [
    option::LINEMODE,
    option::MSDP,
    option::MSSP,
    option::MCCP2,
    option::MCCP3,
    option::MSP,
    option::MXP,
    option::ATCP,
    option::GMCP,
];

/// How an option stands for one of the parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not in use, and the peer was not asked, or is not known to mind.
    Off,
    /// The peer was asked, and has not answered.
    Asked,
    /// In use.
    On,
    /// Not in use: the peer was asked and does not want it, or has switched it off.
    Refused,
}

/// The state of relayed options.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Relay {
    pub(crate) on: bool,
    us: Vec<(u8, Side)>,
    them: Vec<(u8, Side)>,
    /// What the peer has proposed and the owner has not answered.
    pub(crate) proposed: OptionSet,
}

impl Relay {
    /// The option's state, if it has one.
    pub(crate) fn side(&self, party: Party, option: u8) -> Option<&Side> {
        let sides = match party {
            Party::Us => &self.us,
            Party::Them => &self.them,
        };
        sides.iter().find(|(number, _)| *number == option).map(|(_, side)| side)
    }

    /// The same, to change it.
    pub(crate) fn side_mut(&mut self, party: Party, option: u8) -> Option<&mut Side> {
        self.sides(party).iter_mut().find(|(number, _)| *number == option).map(|(_, side)| side)
    }

    /// The option's state; none if no more options may be relayed.
    pub(crate) fn side_or_new(&mut self, party: Party, option: u8) -> Option<&mut Side> {
        let sides = self.sides(party);
        let at = match sides.iter().position(|(number, _)| *number == option) {
            Some(at) => at,
            None => {
                let unknown = sides.iter().filter(|(number, _)| !NAMED.contains(number)).count();
                if unknown == MOST_UNKNOWN && !NAMED.contains(&option) {
                    return None;
                }
                sides.push((option, Side::default()));
                sides.len() - 1
            }
        };
        sides.get_mut(at).map(|(_, side)| side)
    }

    fn sides(&mut self, party: Party) -> &mut Vec<(u8, Side)> {
        match party {
            Party::Us => &mut self.us,
            Party::Them => &mut self.them,
        }
    }
}

/// Whether this option is never relayed: it would be a matter of both ends without us, or is none that is still in use.
pub(crate) fn is_never_relayed(option: u8) -> bool {
    matches!(
        option,
        option::TIMING_MARK
            | option::AUTHENTICATION
            | option::ENCRYPT
            | option::START_TLS
            | option::MCCP1
            | option::EXTENDED
    )
}

/// Whether the owner of a machine of this role decides about the option, where options are relayed.
pub(crate) fn is_for_the_owner(role: Role, party: Party, option: u8) -> bool {
    if is_never_relayed(option) {
        return false;
    }
    match (role, party, option) {
        // All eight bits are a matter of each connection. A password is hidden whatever is answered.
        (_, _, option::BINARY) | (Role::Client, Party::Them, option::ECHO) => false,
        // A client's facts are those of somebody else, to whom the owner looks.
        (Role::Client, _, _) => true,
        // A server gets the facts itself.
        (Role::Server, _, option::SGA | option::CHARSET) => false,
        (Role::Server, Party::Us, option::ECHO | option::EOR) => false,
        // Each connection has streams of its own, or none.
        (Role::Server, _, option::MCCP2 | option::MCCP3) => false,
        (Role::Server, Party::Them, option::NAWS | option::TTYPE | option::NEW_ENVIRON) => false,
        (Role::Server, _, _) => true,
    }
}
