//! What a session can listen to, by number. By name it is [`ssmglobal_ipc::Topic`]. Used by all threads.

use serde::{Deserialize, Serialize};
use ssmglobal_config::Settings;
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
}

impl Topic {
    /// How many topics of its kind one session may listen to.
    pub fn most(self, settings: &Settings) -> usize {
        match self {
            Topic::Board(_) | Topic::Properties(_) => WATCHES,
            Topic::Channel(_) => settings.relay.joined_per_server,
            Topic::Universe => 1,
        }
    }

    /// Whether another topic is of the same kind.
    pub fn is_like(self, other: Topic) -> bool {
        match self {
            Topic::Board(_) => matches!(other, Topic::Board(_)),
            Topic::Channel(_) => matches!(other, Topic::Channel(_)),
            Topic::Universe => other == Topic::Universe,
            Topic::Properties(_) => matches!(other, Topic::Properties(_)),
        }
    }

    /// Whether who listens stops with what he has proved to be.
    pub fn ends_with_identity(self) -> bool {
        match self {
            // What somebody may read of it is looked at when it is told.
            Topic::Board(_) | Topic::Universe | Topic::Properties(_) => false,
            Topic::Channel(_) => true,
        }
    }
}
