//! The client's end, of a connection that was opened to a game server: it offers nothing, agrees to what it knows, and tells
//! what the server asks for. Runs in the worker.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::codes::{self, Verb, option, write_command, write_subnegotiation};
use crate::event::Event;
use crate::negotiation::{Party, Side};
use crate::terminal::{IS, SEND, clean};

/// What a terminal type is called that is not known (RFC 1091).
const UNKNOWN: &str = "UNKNOWN";

/// How many questions for the terminal type are answered per connection: a server asks four times, and perhaps again after
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
    /// UTF-8 is understood. If not, no character set is agreed on.
    pub utf8: bool,
}

impl Presented {
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
    /// The server has said last that it echoes: what is typed is hidden. That counts, and not whether we have agreed: a
    /// server has no other way to say that a password comes.
    hidden: bool,
    /// The place in the list of names where the next question finds us.
    next_type: u8,
    types_told: u8,
}

impl Client {
    pub(crate) fn takes_utf8(&self) -> bool {
        self.presented.utf8
    }

    pub(crate) fn hides_input(&self) -> bool {
        self.hidden
    }

    /// Takes over what is to be told, and tells a size that is new.
    pub(crate) fn present(&mut self, presented: Presented, out: &mut Vec<u8>) {
        let before = std::mem::replace(&mut self.presented, presented);
        if before.size() != self.presented.size() && self.our_naws.is_on() {
            self.tell_size(out);
        }
    }

    pub(crate) fn side(&mut self, party: Party, option: u8) -> Option<&mut Side> {
        match (party, option) {
            (Party::Them, option::ECHO) => Some(&mut self.their_echo),
            (Party::Them, option::EOR) => Some(&mut self.their_eor),
            (Party::Us, option::NAWS) => Some(&mut self.our_naws),
            (Party::Us, option::TTYPE) => Some(&mut self.our_ttype),
            _ => None,
        }
    }

    /// What follows from a verb that was answered, with `answer` if it needed one.
    pub(crate) fn negotiated(
        &mut self,
        verb: Verb,
        option: u8,
        answer: Option<bool>,
        out: &mut Vec<u8>,
    ) -> Option<Event<'static>> {
        match (verb, option) {
            (Verb::Will | Verb::Wont, option::ECHO) => {
                let hidden = verb == Verb::Will;
                let before = std::mem::replace(&mut self.hidden, hidden);
                return (before != hidden).then_some(Event::HideInput(hidden));
            }
            (Verb::Do, option::NAWS) if answer == Some(true) => self.tell_size(out),
            (Verb::Do, option::TTYPE) if answer == Some(true) => self.next_type = 0,
            _ => {}
        }
        None
    }

    /// Answers a question for the terminal type. Nothing else is asked.
    pub(crate) fn subnegotiation(&mut self, option: u8, body: &[u8], out: &mut Vec<u8>) {
        let asked = option == option::TTYPE && body == [SEND];
        if asked && self.our_ttype.is_wanted() && self.types_told < ANSWERS {
            let name = self.presented.type_at(self.next_type);
            write_subnegotiation(out, option::TTYPE, &[&[IS], name.as_bytes()]);
            self.types_told += 1;
            self.next_type = self.next_type.saturating_add(1);
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
