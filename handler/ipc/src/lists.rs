//! Lists that clients mirror: all of a list once, then only what changes.
//!
//! Every change of a list has a serial. A position, epoch and serial, says how far somebody has come; what he sees of a list
//! depends on who he is, and where that is another thing the epoch is another one.

use crate::{Position, Rating, WorldStatus, growing};
use serde::{Deserialize, Serialize};

/// One of the lists. Only ever appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum List {
    /// Worlds that are open, or were within the last day.
    #[serde(rename = "worlds")]
    Worlds,
    /// Who is on.
    #[serde(rename = "users")]
    Users,
}

impl List {
    /// All of them.
    pub const ALL: [List; 2] = [List::Worlds, List::Users];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            List::Worlds => "worlds",
            List::Users => "users",
        }
    }

    /// Which is meant by a word, in any case.
    pub fn parse(word: &str) -> Option<List> {
        List::ALL.into_iter().find(|list| list.as_str().eq_ignore_ascii_case(word))
    }
}

/// `LIST WORLDS`, `LIST USERS`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRead {
    /// Behind which position; all of it when left out.
    pub after: Option<Position>,
    /// How many rows, and names of rows that are gone, at the most.
    pub limit: Option<u32>,
}

/// `LIST WATCH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListWatch {
    /// The list to watch.
    pub list: List,
    /// Behind which position; from now on when left out.
    pub after: Option<Position>,
}

/// `LIST UNWATCH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListUnwatch {
    /// The list that is not to be watched any more.
    pub list: List,
}

/// A worker wants to hear by its ring what everybody sees of a list that its client watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRing {
    /// The list that its client watches.
    pub list: List,
    /// How far it has heard.
    pub after: Position,
}

/// The answer to [`ListRing`]. With it come the ring and what wakes its readers, unless the client does not watch the
/// list, or sees something else than everybody: then it hears of it by the link, if at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRinged {
    /// The list that was asked for.
    pub list: List,
    /// Where in the ring to begin.
    pub position: u64,
}

/// A world. Its name is its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedWorld {
    /// As it is written.
    pub name: String,
    /// How it is.
    pub status: WorldStatus,
    /// How many are there.
    pub users: u32,
    /// How many fit.
    pub max: u32,
    /// For whom it is.
    pub rating: Rating,
    /// What it is about, may be empty.
    pub description: String,
    /// Everybody sees it; else its owner and operators.
    pub listed: bool,
}

/// How somebody is there. Only ever appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserState {
    /// He is connected, or a game server says that he is there.
    #[serde(rename = "on")]
    On,
}

/// Somebody who is on. His name is the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedUser {
    /// As registered; `visitor:NAME` for somebody who is not.
    pub name: String,
    /// His number, which never is another's.
    pub number: u32,
    /// The world or game server that he is in.
    pub world: Option<String>,
    /// How he is there.
    pub state: UserState,
    /// For operators only.
    pub more: Option<UserMore>,
}

/// Somebody who is on, as operators see him.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullUser {
    /// With what else only they see.
    pub user: ListedUser,
    /// What he has given as his e-mail address.
    pub email: Option<String>,
}

/// What only operators see of somebody who is on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMore {
    /// Where the oldest of his connections comes from; nothing when he has none here.
    pub address: Option<String>,
    /// His rights.
    pub rights: Vec<String>,
}

/// Rows of one of the lists. Only ever appended to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListRows {
    /// Of the list of worlds.
    Worlds(Vec<ListedWorld>),
    /// Of the list of users.
    Users(Vec<ListedUser>),
    /// Of the list of users, for an operator.
    UsersInFull(Vec<FullUser>),
}

impl ListRows {
    /// Of which list they are.
    pub fn list(&self) -> List {
        match self {
            ListRows::Worlds(_) => List::Worlds,
            ListRows::Users(_) | ListRows::UsersInFull(_) => List::Users,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            ListRows::Worlds(rows) => rows.len(),
            ListRows::Users(rows) => rows.len(),
            ListRows::UsersInFull(rows) => rows.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ListChanged {
    /// As it stands in a ring.
    pub fn packed(&self) -> Vec<u8> {
        let mut out = Vec::new();
        growing::put(&mut out, self);
        out
    }

    /// From a ring.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn unpacked(bytes: &[u8]) -> Result<ListChanged, growing::Unreadable> {
        growing::get(bytes)
    }
}

/// The answer to `LIST WORLDS` and `LIST USERS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Where to go on from.
    pub at: Position,
    /// There is more.
    pub more: bool,
    /// It is from the beginning: what the client has is to be forgotten.
    pub whole: bool,
    /// By their last change, the oldest first.
    pub rows: ListRows,
    /// Keys of rows that are there no longer.
    pub gone: Vec<String>,
}

/// The answer to `LIST WATCH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListWatched {
    /// The list that is watched now.
    pub list: List,
    /// From where on changes are told.
    pub at: Position,
}

/// A list that is watched has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListChanged {
    /// The serial that it follows on: who has another one asks again.
    pub from: u64,
    /// Where the watcher is then.
    pub at: Position,
    /// By their last change, the oldest first.
    pub rows: ListRows,
    /// Keys of rows that are there no longer.
    pub gone: Vec<String>,
}
