//! The numbers of telnet, written down a second time: what checks the backend shares nothing with it.

/// Interpret as command.
pub const IAC: u8 = 255;
/// Begins a subnegotiation.
pub const SB: u8 = 250;
/// Go ahead: a prompt ends here.
pub const GA: u8 = 249;
/// No operation.
pub const NOP: u8 = 241;
/// Ends a subnegotiation.
pub const SE: u8 = 240;
/// End of record: a prompt ends here.
pub const EOR_MARK: u8 = 239;

/// Options.
pub mod option {
    /// RFC 857.
    pub const ECHO: u8 = 1;
    /// Suppress go ahead, RFC 858.
    pub const SGA: u8 = 3;
    /// Terminal type, RFC 1091, and MTTS.
    pub const TTYPE: u8 = 24;
    /// End of record, RFC 885.
    pub const EOR: u8 = 25;
    /// Window size, RFC 1073.
    pub const NAWS: u8 = 31;
    /// RFC 1184.
    pub const LINEMODE: u8 = 34;
    /// RFC 1572, and MNES.
    pub const NEW_ENVIRON: u8 = 39;
    /// RFC 2066.
    pub const CHARSET: u8 = 42;
    /// Variables of a game.
    pub const MSDP: u8 = 69;
    /// What a game says about itself.
    pub const MSSP: u8 = 70;
    /// What the server sends is compressed.
    pub const MCCP2: u8 = 86;
    /// What the client sends is compressed.
    pub const MCCP3: u8 = 87;
    /// Sounds.
    pub const MSP: u8 = 90;
    /// Markup.
    pub const MXP: u8 = 91;
    /// The older messages of a game.
    pub const ATCP: u8 = 200;
    /// Messages of a game.
    pub const GMCP: u8 = 201;
}

/// In a subnegotiation of terminal type or environment: "this is it", or "accepted".
pub const IS: u8 = 0;
/// In a subnegotiation of terminal type, environment or character set: "tell me", or "choose one".
pub const SEND: u8 = 1;
/// In one of character set: "this one".
pub const ACCEPTED: u8 = 2;
/// In one of character set: "none of them".
pub const REJECTED: u8 = 3;

/// The four words of negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
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
    const ALL: [Verb; 4] = [Verb::Will, Verb::Wont, Verb::Do, Verb::Dont];

    /// The word of this byte.
    pub fn of(byte: u8) -> Option<Verb> {
        Verb::ALL.get(usize::from(byte).checked_sub(251)?).copied()
    }

    /// Its byte.
    pub fn byte(self) -> u8 {
        251 + self as u8
    }
}

/// `IAC verb option`.
pub fn negotiation(verb: Verb, option: u8) -> Vec<u8> {
    vec![IAC, verb.byte(), option]
}

/// `IAC SB option body IAC SE`.
pub fn subnegotiation(option: u8, body: &[u8]) -> Vec<u8> {
    [&[IAC, SB, option], &doubled(body)[..], &[IAC, SE]].concat()
}

/// Text, or a body, with every 255 doubled.
pub fn doubled(text: &[u8]) -> Vec<u8> {
    text.iter().flat_map(|byte| std::iter::repeat_n(*byte, if *byte == IAC { 2 } else { 1 })).collect()
}
