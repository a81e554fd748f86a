//! The numbers of the telnet protocol and how commands are written. Runs in the worker.

use serde::{Deserialize, Serialize};

/// Interpret As Command: begins every command; doubled, it is the byte itself.
pub(crate) const IAC: u8 = 255;
/// Begins a subnegotiation.
pub(crate) const SB: u8 = 250;
/// Go ahead.
pub(crate) const GA: u8 = 249;
/// Erase line.
pub(crate) const EL: u8 = 248;
/// Erase character.
pub(crate) const EC: u8 = 247;
/// Are you there?
pub(crate) const AYT: u8 = 246;
/// Interrupt process.
pub(crate) const IP: u8 = 244;
/// The break key.
pub(crate) const BRK: u8 = 243;
/// No operation.
pub(crate) const NOP: u8 = 241;
/// Ends a subnegotiation.
pub(crate) const SE: u8 = 240;
/// End of record (RFC 885).
pub(crate) const EOR: u8 = 239;
/// Abort process (RFC 1184).
pub(crate) const ABORT: u8 = 238;
/// The lowest command there is: end of file (RFC 1184).
pub(crate) const FIRST_COMMAND: u8 = 236;

/// Options by their numbers.
pub mod option {
    /// All eight bits, RFC 856.
    pub const BINARY: u8 = 0;
    /// The server echoes: what is typed is not shown, RFC 857.
    pub const ECHO: u8 = 1;
    /// Suppress go ahead, RFC 858.
    pub const SGA: u8 = 3;
    /// RFC 860.
    pub const TIMING_MARK: u8 = 6;
    /// Terminal type, RFC 1091.
    pub const TTYPE: u8 = 24;
    /// End of record, RFC 885.
    pub const EOR: u8 = 25;
    /// Window size, RFC 1073.
    pub const NAWS: u8 = 31;
    /// Lines are edited by the client, RFC 1184.
    pub const LINEMODE: u8 = 34;
    /// RFC 2941. Never relayed: it is between two ends, and we are in the middle.
    pub const AUTHENTICATION: u8 = 37;
    /// RFC 2946. Never relayed: what follows would be no telnet.
    pub const ENCRYPT: u8 = 38;
    /// RFC 1572, with the variables of MNES, the Mud New-Environ Standard.
    pub const NEW_ENVIRON: u8 = 39;
    /// Character set, RFC 2066.
    pub const CHARSET: u8 = 42;
    /// Never relayed, as ENCRYPT.
    pub const START_TLS: u8 = 46;
    /// Mud Server Data Protocol.
    pub const MSDP: u8 = 69;
    /// Mud Server Status Protocol.
    pub const MSSP: u8 = 70;
    /// Mud Client Compression Protocol, version 1. Never relayed, and not spoken: its beginning is no telnet.
    pub const MCCP1: u8 = 85;
    /// Version 2: what the server sends is compressed.
    pub const MCCP2: u8 = 86;
    /// Version 3: what the client sends is compressed.
    pub const MCCP3: u8 = 87;
    /// Mud Sound Protocol.
    pub const MSP: u8 = 90;
    /// Mud eXtension Protocol.
    pub const MXP: u8 = 91;
    /// Achaea Telnet Client Protocol.
    pub const ATCP: u8 = 200;
    /// Generic Mud Communication Protocol.
    pub const GMCP: u8 = 201;
    /// Extended options, RFC 861. Never relayed: nobody has them.
    pub const EXTENDED: u8 = 255;
}

/// The four words of option negotiation. Only ever appended to: [`crate::TelnetBefore`] knows them by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verb {
    /// "I will", or "may I?"
    Will,
    /// "I will not."
    Wont,
    /// "Please do", or "yes, do."
    Do,
    /// "Do not."
    Dont,
}

impl Verb {
    /// The verb that this command byte is, if it is one.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            251 => Some(Self::Will),
            252 => Some(Self::Wont),
            253 => Some(Self::Do),
            254 => Some(Self::Dont),
            _ => None,
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Will => 251,
            Self::Wont => 252,
            Self::Do => 253,
            Self::Dont => 254,
        }
    }
}

/// Writes a command without an option.
pub(crate) fn write_command(out: &mut Vec<u8>, command: u8) {
    out.extend_from_slice(&[IAC, command]);
}

/// Writes `IAC verb option`.
pub(crate) fn write_negotiation(out: &mut Vec<u8>, verb: Verb, option: u8) {
    out.extend_from_slice(&[IAC, verb.byte(), option]);
}

/// Writes `IAC SB option body IAC SE`, with IAC doubled inside of the body, which is given in parts.
pub(crate) fn write_subnegotiation(out: &mut Vec<u8>, option: u8, body: &[&[u8]]) {
    out.extend_from_slice(&[IAC, SB, option]);
    body.iter().for_each(|part| write_escaped(out, part));
    out.extend_from_slice(&[IAC, SE]);
}

/// Doubles every IAC in what stands in `out` from `from` on.
pub(crate) fn escape(out: &mut Vec<u8>, from: usize) {
    let Some(first) = out.get(from..).and_then(|text| memchr::memchr(IAC, text)) else { return };
    let text = out.split_off(from + first);
    write_escaped(out, &text);
}

fn write_escaped(out: &mut Vec<u8>, data: &[u8]) {
    let mut rest = data;
    while let Some(at) = memchr::memchr(IAC, rest) {
        let (head, tail) = rest.split_at(at + 1);
        out.extend_from_slice(head);
        out.push(IAC);
        rest = tail;
    }
    out.extend_from_slice(rest);
}
