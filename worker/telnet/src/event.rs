//! What a [`Telnet`](crate::Telnet) tells its owner. Runs in the worker.

use std::fmt;

use crate::negotiation::Party;

/// What came from the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event<'i> {
    /// Data without any telnet in it. One piece holds at most one line end, as its last bytes, so that the owner
    /// may stop after any line and go on later, or read the rest of the input without telnet. To a client that relays
    /// options it comes in pieces as large as they are.
    Data(&'i [u8]),
    /// The peer's interrupt key (IP, BRK or ABORT): the line being typed is given up. Only a server hears it.
    Interrupt,
    /// Erase the last character of the line being typed (EC). Only a server hears it.
    EraseCharacter,
    /// Erase the line being typed (EL). Only a server hears it.
    EraseLine,
    /// [`Telnet::terminal`](crate::Telnet::terminal) has news.
    Terminal,
    /// The peer shows that it lives, and wants nothing else (NOP, AYT).
    Alive,
    /// What is typed from here on is to be hidden, or shown again (ECHO). Only a client hears it.
    HideInput(bool),
    /// The data before this is a prompt (EOR, GA): nothing follows until something is typed. Only a client hears it.
    PromptEnd,
    /// The peer proposes an option that the owner decides about: he [answers](crate::Telnet::answer). Here, and in all that
    /// follows, only where options are [relayed](crate::Telnet::set_relaying).
    Wants {
        /// Who would perform it.
        party: Party,
        /// Its number, see [`crate::option`].
        option: u8,
    },
    /// An option has come into use, or is in use no more, or what was [asked](crate::Telnet::ask) for was refused; or a peer
    /// that had forgotten that an option is in use was told so again.
    Agreed {
        /// Who performs it.
        party: Party,
        /// Its number.
        option: u8,
        /// Whether it is in use now.
        on: bool,
    },
    /// A subnegotiation of an option that the owner decides about. Its body is
    /// [`Telnet::subnegotiation`](crate::Telnet::subnegotiation), until the next event is asked for.
    Subnegotiation {
        /// The option's number.
        option: u8,
    },
    /// A command without an option for which there is no other event. It was not answered; it can be
    /// [passed on](crate::Telnet::command).
    Command(u8),
    /// The peer wants to know about the server by [`Telnet::mssp`](crate::Telnet::mssp). Only a server hears it.
    WantsMssp,
    /// From here on the peer's bytes are compressed (MCCP2 from a server, MCCP3 from a client): what is left of the input
    /// belongs to an [`Inflater`](crate::Inflater).
    Compressed,
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
            Self::HideInput(hidden) => write!(f, "HideInput({hidden})"),
            Self::PromptEnd => f.write_str("PromptEnd"),
            Self::Wants { party, option } => write!(f, "Wants({party:?} {option})"),
            Self::Agreed { party, option, on } => write!(f, "Agreed({party:?} {option} {on})"),
            Self::Subnegotiation { option } => write!(f, "Subnegotiation({option})"),
            Self::Command(byte) => write!(f, "Command({byte})"),
            Self::WantsMssp => f.write_str("WantsMssp"),
            Self::Compressed => f.write_str("Compressed"),
        }
    }
}
