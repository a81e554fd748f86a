//! How a worker begins a link, and how it proves to a further handler whose session it has.

use crate::{List, Mode, Party};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The first request on a link. The answer is [`Welcome`](crate::Welcome); what comes behind it is worked on when the
/// listener has confirmed the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The session's number, as the listener gave it.
    pub session: u64,
    /// How the client spoke before the first request that follows.
    pub mode: Mode,
    /// Requests that change something and have smaller numbers may have been done already.
    pub next: u64,
    /// The last one that came; none when no link of this session has come so far.
    pub ticket: Option<Ticket>,
    /// The number of the last push that came; 0 for none.
    pub last_push: u64,
    /// Seconds since the client's last request.
    pub idle: u64,
    /// What it listens to.
    pub subscriptions: Vec<Subscription>,
}

/// What a session can listen to, by name. Only ever appended to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Topic {
    /// New first places of a board.
    Board(String),
    /// Messages on a relay channel.
    Channel(String),
    /// Settings of the universe.
    Universe,
    /// Properties of somebody.
    Properties(Party),
    /// Changes of the list of worlds.
    Worlds,
    /// Changes of the list of users.
    Users,
}

impl Topic {
    /// Whether it is the same, without regard to case: that of ASCII in names of boards and channels, any in others.
    pub fn is(&self, other: &Topic) -> bool {
        match (self, other) {
            (Topic::Board(one), Topic::Board(other)) | (Topic::Channel(one), Topic::Channel(other)) => {
                one.eq_ignore_ascii_case(other)
            }
            (Topic::Universe, Topic::Universe) => true,
            (Topic::Properties(one), Topic::Properties(other)) => {
                one.to_string().to_lowercase() == other.to_string().to_lowercase()
            }
            (Topic::Worlds, Topic::Worlds) | (Topic::Users, Topic::Users) => true,
            (Topic::Board(_) | Topic::Channel(_) | Topic::Universe | Topic::Properties(_), _) => false,
            (Topic::Worlds | Topic::Users, _) => false,
        }
    }
}

impl From<List> for Topic {
    fn from(list: List) -> Topic {
        match list {
            List::Worlds => Topic::Worlds,
            List::Users => Topic::Users,
        }
    }
}

/// How far somebody has heard what goes on under a topic. Numbers of another epoch say nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Which sequence of numbers; 0 where that is not known.
    pub epoch: u64,
    /// The last number heard; 0 for none.
    pub number: u64,
}

/// Something that a session listens to, and how far it has heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// What it listens to.
    pub topic: Topic,
    /// How far it has heard; an epoch of 0 where that is not known.
    pub cursor: Position,
}

/// What only the handler can make and read: who a session is. Given at the session's beginning and whenever that
/// changes, it is worth something only together with the session's own worker. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Ticket(Vec<u8>);

impl Ticket {
    /// Takes over what the handler has sealed.
    pub fn new(sealed: Vec<u8>) -> Ticket {
        Ticket(sealed)
    }

    /// For the handler.
    pub fn sealed(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// What precedes the payload of a request that changes something, in its frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The answers to all requests up to this number have come: nobody will ask for them again.
    pub acked: u64,
    /// By which the client may repeat the request on another connection.
    pub key: Option<String>,
}
