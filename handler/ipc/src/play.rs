//! Play: a player's worker is connected with a world by the handler, and tells it how that goes.
//!
//! The handler opens every connection to a world and passes it on as a descriptor: a worker can connect to nothing. What the two
//! say to each other from then on goes directly. All of this is the worker's own word, and holds for as long as its session: a
//! handler that comes next is told with [`PlayAt`].

use crate::growing::grown;
use crate::{Secret, Time};
use serde::{Deserialize, Serialize};

/// A worker wants a connection to a world for its client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayStart {
    /// The world's name.
    pub world: String,
    /// When the player first came to it: a world that is told his address is told this too.
    pub since: Time,
    /// The word by which he goes on where another connection of his has left; nothing: with a new one, or as the world's session
    /// mode says.
    pub word: Option<Secret>,
    /// His connection to it has ended before, with the world: he waits for it if it is down, whatever else is said to others.
    pub again: bool,
}

/// How a worker is connected with a world. Only ever appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlayHow {
    /// By a new connection, which is the descriptor.
    New,
    /// Not yet: the world is down. [`PlayReady`] tells when to ask again.
    Waits,
    /// Another worker leaves its connection to this one: the descriptor leads to it, and it sends connection and state.
    TakenOver,
    /// Another worker shares its connection: the descriptor leads to it, and is a world for this one.
    Shared,
}

/// The answer to [`PlayStart`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayStarted {
    /// The world's name as it is written.
    pub world: String,
    /// How it is played: JSON of `ssmglobal_config::play::Terms`, in which each program passes over what it does not know.
    pub terms: String,
    /// How the worker is connected.
    pub how: PlayHow,
    /// By this word the player goes on from another connection, should this one break.
    pub word: Secret,
    /// The line that logs him in to the world on this new connection, once and soon; nothing: he logs in as usual.
    pub ticket: Option<Secret>,
}

grown! { PlayStarted { world, terms, how, word } then { ticket } }

/// The connection to the world has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayEnded {
    /// The world.
    pub world: String,
}

/// Why it has. Only ever appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlayEnd {
    /// The world is there: the player has quit, or was thrown out.
    Quit,
    /// The world is down. [`PlayReady`] tells when it is back.
    Down,
}

/// The answer to [`PlayEnded`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayVerdict {
    /// The world.
    pub world: String,
    /// Why its connection has ended.
    pub end: PlayEnd,
}

/// How a player is at a world. Only ever appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlayState {
    /// He plays.
    Plays,
    /// He waits for it to be back.
    Waits,
    /// His own connection is broken; the worker keeps the one to the world.
    Alone,
}

/// For a handler that does not know: where this session plays. Also when that has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayAt {
    /// The world.
    pub world: String,
    /// How.
    pub state: PlayState,
    /// By this word the player goes on from another connection.
    pub word: Secret,
    /// When he last typed something, seconds ago: who types is brought back first.
    pub idle: u64,
}

/// The session plays nowhere any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayLeft {
    /// The world.
    pub world: String,
}

/// The world listens, and it is this session's turn: [`PlayStart`] is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayReady {
    /// The world.
    pub world: String,
}

/// What a worker is to do with its connection to a world. Only ever appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlayDo {
    /// Leave it to another worker of the same player: the descriptor leads to that one.
    HandOver,
    /// Share it with another worker: the descriptor leads to that one.
    Share,
    /// Give it up and ask for another: the world is at a better address again.
    Renew,
    /// Give it up: the world is not to be played any more, or not by him.
    Stop,
}

/// A word about a worker's connection to a world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayOrder {
    /// The world.
    pub world: String,
    /// What to do.
    pub what: PlayDo,
}

/// For the worker of a player who has logged in: a connection of his has broken while he played, and is kept for him.
/// [`PlayStart`] is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayReturn {
    /// The world.
    pub world: String,
}
