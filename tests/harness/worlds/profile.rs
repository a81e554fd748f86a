//! The clients that a strict client can be: which options they take, and what they say of themselves.

use super::codes::option::{
    ATCP, CHARSET, ECHO, EOR, GMCP, MCCP2, MCCP3, MSDP, MSP, MSSP, MXP, NAWS, NEW_ENVIRON, SGA, TTYPE,
};

/// How a client reads bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Any letter.
    Utf8,
    /// One byte a letter, as in ISO 8859-1.
    Latin1,
    /// Nothing above 126.
    Ascii,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What it does, when it is asked to.
    pub does: &'static [u8],
    /// What it lets the server do.
    pub lets: &'static [u8],
    /// The names of its terminal, one after the other.
    pub terminals: &'static [&'static str],
    /// What it tells of its environment.
    pub environment: &'static [(&'static str, &'static str)],
    /// How it reads bytes.
    pub letters: Letters,
    /// Whether nothing but text may come: no colours, no bell.
    pub bare: bool,
    /// Whether a single byte of telnet is a fault.
    pub no_telnet: bool,
    /// Its window.
    pub window: (u16, u16),
    /// Whether options may be offered again that are agreed on already.
    pub lets_offer_again: bool,
    /// Whether it tells nothing of its terminal but the first name before it is to.
    pub tells_late: bool,
}

impl Profile {
    /// Tintin++.
    pub fn tintin() -> Profile {
        Profile {
            does: &[TTYPE, NAWS, NEW_ENVIRON, CHARSET, SGA],
            lets: &[ECHO, SGA, EOR, CHARSET, MCCP2, MCCP3],
            terminals: &["TINTIN++", "XTERM-256COLOR", "MTTS 271"],
            environment: &[
                ("CLIENT_NAME", "TINTIN++"),
                ("CLIENT_VERSION", "2.02.20"),
                ("MTTS", "271"),
                ("TERMINAL_TYPE", "XTERM-256COLOR"),
            ],
            ..Profile::speaking()
        }
    }

    /// TinyFugue 5.
    pub fn tf5() -> Profile {
        Profile { does: &[TTYPE, NAWS], lets: &[ECHO, EOR, MCCP2], terminals: &["TF"], ..Profile::speaking() }
    }

    /// The telnet of a Unix system.
    pub fn telnet() -> Profile {
        Profile {
            does: &[TTYPE, NAWS, NEW_ENVIRON, SGA],
            lets: &[ECHO, SGA],
            terminals: &["XTERM"],
            ..Profile::speaking()
        }
    }

    /// A graphical client with all that is sent beside the text, as a screen reader uses it.
    pub fn screen_reader() -> Profile {
        Profile {
            does: &[TTYPE, NAWS, NEW_ENVIRON, CHARSET, SGA],
            lets: &[ECHO, SGA, EOR, CHARSET, MCCP2, MSDP, MSSP, MSP, MXP, ATCP, GMCP],
            terminals: &["MUDLET", "ANSI-256COLOR", "MTTS 333"],
            environment: &[("CLIENT_NAME", "MUDLET"), ("MTTS", "333"), ("SCREEN_READER", "1")],
            bare: true,
            ..Profile::speaking()
        }
    }

    /// A bare connection.
    pub fn none() -> Profile {
        Profile {
            does: &[],
            lets: &[],
            terminals: &[],
            environment: &[],
            letters: Letters::Utf8,
            bare: true,
            no_telnet: true,
            window: (80, 24),
            lets_offer_again: false,
            tells_late: false,
        }
    }

    /// What all have in common that speak telnet.
    fn speaking() -> Profile {
        Profile { bare: false, no_telnet: false, ..Profile::none() }
    }

    /// Reads bytes so.
    pub fn reading(self, letters: Letters) -> Profile {
        Profile { letters, ..self }
    }

    /// Tells nothing of its terminal but the first name before [`StrictClient::tells_on`](super::StrictClient::tells_on).
    pub fn telling_late(self) -> Profile {
        Profile { tells_late: true, ..self }
    }

    /// Has a window of this size.
    pub fn sized(self, width: u16, height: u16) -> Profile {
        Profile { window: (width, height), ..self }
    }

    /// Takes it that options are offered again that are agreed on, as worlds do after a warm restart.
    pub fn letting_offer_again(self) -> Profile {
        Profile { lets_offer_again: true, ..self }
    }
}
