//! The client's end, of a connection that was opened to a game server: it offers nothing, agrees to what it knows, and tells
//! what the server asks for. Runs in the worker.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::charset::Stand;
use crate::codes::{self, Verb, option, write_command, write_subnegotiation};
use crate::environ;
use crate::event::Event;
use crate::negotiation::{Party, Side, sides};
use crate::terminal::{IS, SEND, clean};

/// What a terminal type is called that is not known (RFC 1091).
const UNKNOWN: &str = "UNKNOWN";

/// How many questions for the terminal type, and for variables, are answered per connection: a server asks four times, and perhaps again after
/// each of its restarts. An answer is longer than its question.
const ANSWERS: u8 = 64;

/// What a [`Role::Client`](crate::Role::Client) tells a game server about its side when it is asked, as a server learns it as
/// a [`Terminal`](crate::Terminal).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Presented {
    /// Columns, where they are known.
    pub width: Option<u16>,
    /// Rows, where they are known.
    pub height: Option<u16>,
    /// The name of the client program. Of this and of the terminal type printable ASCII is told, 40 characters of it.
    pub client: Option<Box<str>>,
    /// The terminal type, as `XTERM-256COLOR`.
    pub name: Option<Box<str>>,
    /// The bits of the Mud Terminal Type Standard.
    pub mtts: Option<u32>,
    /// UTF-8 is understood. If not, no character set is agreed on, unless it is one of `charsets`.
    pub utf8: bool,
    /// The character sets that may be agreed on, the best one first. Where there is none, `utf8` counts.
    pub charsets: Box<[Box<str>]>,
    /// The version of the client program.
    pub version: Option<Box<str>>,
    /// The name of the character set that the terminal has.
    pub charset: Option<Box<str>>,
    /// The player's address, as the world is to know it.
    pub address: Option<Box<str>>,
}

impl Presented {
    /// What a variable of MNES holds, where it is known.
    pub(crate) fn variable(&self, name: &[u8]) -> Option<Box<str>> {
        let text = |text: &Option<Box<str>>| text.as_ref().map(|text| clean(text.as_bytes()));
        match name {
            b"CLIENT_NAME" => text(&self.client),
            b"CLIENT_VERSION" => text(&self.version),
            b"CHARSET" => text(&self.charset),
            b"MTTS" => self.mtts.map(|bits| bits.to_string().into()),
            b"TERMINAL_TYPE" => text(&self.name),
            b"IPADDRESS" => text(&self.address),
            _ => None,
        }
    }

    fn size(&self) -> [[u8; 2]; 2] {
        // RFC 1073: zero is for what is not known.
        [self.width, self.height].map(|length| length.unwrap_or(0).to_be_bytes())
    }

    /// What is at this place of the list of names, which ends with its last entry over and over.
    fn type_at(&self, place: u8) -> Cow<'static, str> {
        let cleaned = |name: &Option<Box<str>>| {
            let name = name.as_ref().map(|name| clean(name.as_bytes()))?;
            (!name.is_empty()).then(|| Cow::Owned(name.into_string()))
        };
        let list = [
            cleaned(&self.client),
            Some(cleaned(&self.name).unwrap_or(Cow::Borrowed(UNKNOWN))),
            self.mtts.map(|bits| Cow::Owned(format!("MTTS {bits}"))),
        ];
        list.into_iter().flatten().take(usize::from(place) + 1).last().unwrap_or(Cow::Borrowed(UNKNOWN))
    }
}

/// The options that only a client has, and what it tells.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Client {
    presented: Presented,
    their_echo: Side,
    their_eor: Side,
    our_naws: Side,
    our_ttype: Side,
    our_environ: Side,
    /// The server has said last that it echoes: what is typed is hidden. That counts, and not whether we have agreed: a
    /// server has no other way to say that a password comes.
    hidden: bool,
    /// The place in the list of names where the next question finds us.
    next_type: u8,
    types_told: u8,
    environ_told: u8,
}

impl Client {
    pub(crate) fn stand(&self) -> Stand<'_> {
        Stand { gives_way: true, takes_utf8: self.presented.utf8, takes: &self.presented.charsets }
    }

    pub(crate) fn hides_input(&self) -> bool {
        self.hidden
    }

    /// Takes over what is to be told, and tells what is new: a size, and the variables that were asked for.
    pub(crate) fn present(&mut self, presented: Presented, out: &mut Vec<u8>) {
        let before = std::mem::replace(&mut self.presented, presented);
        if before.size() != self.presented.size() && self.our_naws.is_on() {
            self.tell_size(out);
        }
        if self.environ_told > 0 && self.our_environ.is_on() {
            environ::tell_news(&before, &self.presented, out);
        }
    }

    sides! {
        Party::Them, option::ECHO => their_echo;
        Party::Them, option::EOR => their_eor;
        Party::Us, option::NAWS => our_naws;
        Party::Us, option::TTYPE => our_ttype;
        Party::Us, option::NEW_ENVIRON => our_environ;
    }

    /// What follows from a verb of the peer.
    pub(crate) fn heard(&mut self, verb: Verb, option: u8) -> Option<Event<'static>> {
        if option != option::ECHO || !matches!(verb, Verb::Will | Verb::Wont) {
            return None;
        }
        let hidden = verb == Verb::Will;
        let before = std::mem::replace(&mut self.hidden, hidden);
        (before != hidden).then_some(Event::HideInput(hidden))
    }

    /// An option of ours has come into use, or the server has forgotten that it is.
    pub(crate) fn turned_on(&mut self, option: u8, out: &mut Vec<u8>) {
        match option {
            option::NAWS => self.tell_size(out),
            option::TTYPE => self.next_type = 0,
            _ => {}
        }
    }

    /// Answers a question for the terminal type or for variables. Nothing else is asked.
    pub(crate) fn subnegotiation(&mut self, option: u8, body: &[u8], out: &mut Vec<u8>) {
        match (option, body) {
            (option::TTYPE, [SEND]) if self.our_ttype.is_wanted() && self.types_told < ANSWERS => {
                let name = self.presented.type_at(self.next_type);
                write_subnegotiation(out, option::TTYPE, &[&[IS], name.as_bytes()]);
                self.types_told += 1;
                self.next_type = self.next_type.saturating_add(1);
            }
            (option::NEW_ENVIRON, [SEND, names @ ..])
                if self.our_environ.is_wanted() && self.environ_told < ANSWERS =>
            {
                environ::tell(names, &self.presented, out);
                self.environ_told += 1;
            }
            _ => {}
        }
    }

    fn tell_size(&self, out: &mut Vec<u8>) {
        let [width, height] = self.presented.size();
        write_subnegotiation(out, option::NAWS, &[&width, &height]);
    }
}

/// What a command of the peer means to a client.
pub(crate) fn command(byte: u8, out: &mut Vec<u8>) -> Option<Event<'static>> {
    match byte {
        codes::GA | codes::EOR => Some(Event::PromptEnd),
        codes::AYT => {
            // A game would take words for something that was typed.
            write_command(out, codes::NOP);
            Some(Event::Alive)
        }
        codes::NOP => Some(Event::Alive),
        // The keys of a keyboard, which a server has not.
        _ => None,
    }
}
