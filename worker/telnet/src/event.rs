//! What a [`Telnet`](crate::Telnet) tells its owner. Runs in the worker.

use std::fmt;

/// What came from the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event<'i> {
    /// Data without any telnet in it. One piece holds at most one line end, as its last bytes, so that the owner
    /// may stop after any line and go on later, or read the rest of the input without telnet.
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
        }
    }
}
