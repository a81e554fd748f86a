//! What a session can listen to, by number. By name it is [`ssmglobal_ipc::Topic`]. Used by all threads.

use serde::{Deserialize, Serialize};
use ssmglobal_config::Settings;
use ssmglobal_ipc::List;
use ssmglobal_store::{BoardId, Principal};

/// Boards that one session may watch, and holders of properties.
const WATCHES: usize = 100;

/// A relay channel's number; never used again, also not for one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId(pub u64);

/// What somebody listens to. Kept answers and the journal hold them: only ever appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Topic {
    /// New first places of a board.
    Board(BoardId),
    /// Messages on a relay channel.
    Channel(ChannelId),
    /// Settings of the universe.
    Universe,
    /// Properties of somebody.
    Properties(Principal),
    /// Changes of the list of worlds.
    Worlds,
    /// Changes of the list of users.
    Users,
}

impl From<List> for Topic {
    fn from(list: List) -> Topic {
        match list {
            List::Worlds => Topic::Worlds,
            List::Users => Topic::Users,
        }
    }
}

impl Topic {
    /// How many topics of its kind one session may listen to.
    pub fn most(self, settings: &Settings) -> usize {
        match self {
            Topic::Board(_) | Topic::Properties(_) => WATCHES,
            Topic::Channel(_) => settings.relay.joined_per_server,
            Topic::Universe | Topic::Worlds | Topic::Users => 1,
        }
    }

    /// The list that it is about.
    pub fn list(self) -> Option<List> {
        match self {
            Topic::Board(_) | Topic::Channel(_) | Topic::Universe | Topic::Properties(_) => None,
            Topic::Worlds => Some(List::Worlds),
            Topic::Users => Some(List::Users),
        }
    }

    /// Whether another topic is of the same kind.
    pub fn is_like(self, other: Topic) -> bool {
        match self {
            Topic::Board(_) => matches!(other, Topic::Board(_)),
            Topic::Channel(_) => matches!(other, Topic::Channel(_)),
            Topic::Universe => other == Topic::Universe,
            Topic::Properties(_) => matches!(other, Topic::Properties(_)),
            Topic::Worlds | Topic::Users => self == other,
        }
    }

    /// Whether who listens stops with what he has proved to be.
    pub fn ends_with_identity(self) -> bool {
        match self {
            // What somebody may read of it is looked at when it is told.
            Topic::Board(_) | Topic::Universe | Topic::Properties(_) => false,
            // What is seen of a list depends on who looks, which its epoch tells.
            Topic::Worlds | Topic::Users => false,
            Topic::Channel(_) => true,
        }
    }
}
