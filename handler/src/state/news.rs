//! What others are told of a change. Made from rows in one place (`work/follow.rs`), or by a change that leaves no rows; told by
//! the event loop, by the next one if this one dies before.

use super::topic::Topic;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Event, growing};
use ssmglobal_store::Principal;

/// One piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// An event for all sessions that are meant.
    Tell {
        /// Whose sessions.
        to: Audience,
        /// What.
        event: Event,
    },
    /// Whatever somebody has proved before holds no longer: all who are on by it are out.
    Out {
        /// Who.
        who: Principal,
        /// What his clients are told.
        reason: String,
    },
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Audience {
    /// Somebody, wherever he is on.
    Principal(Principal),
    /// All who listen to something.
    Topic(Topic),
}

/// As it is kept beside the answers of its transaction. The event is as it goes to workers: the next handler says it letter
/// for letter. Only ever appended to.
#[derive(Serialize, Deserialize)]
enum KeptNews {
    Tell { to: Audience, event: Vec<u8> },
    Out { who: Principal, reason: String },
}

impl News {
    /// Appends the bytes that are kept.
    pub fn put(&self, out: &mut Vec<u8>) {
        let kept = match self {
            News::Tell { to, event } => {
                let mut bytes = Vec::new();
                growing::put(&mut bytes, event);
                KeptNews::Tell { to: *to, event: bytes }
            }
            News::Out { who, reason } => KeptNews::Out { who: *who, reason: reason.clone() },
        };
        growing::put(out, &kept);
    }

    /// Reads them; nothing of what only a newer program can tell.
    pub fn read(bytes: &[u8]) -> Option<News> {
        Some(match growing::get(bytes).ok()? {
            KeptNews::Tell { to, event } => News::Tell { to, event: growing::get(&event).ok()? },
            KeptNews::Out { who, reason } => News::Out { who, reason },
        })
    }
}
