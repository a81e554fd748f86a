//! What others are told of a change. Made from rows in one place (`work/follow.rs`), or by a change that leaves no rows; told by
//! the event loop, by the next one if this one dies before.

use super::topic::Topic;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Event, PropertyAccess, PropertyChanged, Stop, Time, growing};
use ssmglobal_store::{PlayerId, Principal, ServerId, StartedBy, WorldId};

/// One thing that others are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// An event for all sessions that are meant.
    Tell {
        /// Whose sessions.
        to: Audience,
        /// What they are told.
        event: Event,
    },
    /// Whatever somebody has proved before holds no longer: all who are on by it are out.
    Out {
        /// The player or game server that is out.
        who: Principal,
        /// What his clients are told.
        reason: String,
    },
    /// A player has other rights.
    Rights {
        /// The player who has others.
        player: PlayerId,
    },
    /// A licence is another one, or gone.
    Licence {
        /// Of which world.
        world: WorldId,
        /// As it is written.
        name: String,
        /// Why whoever hosts the world does so no longer.
        stop: Option<Stop>,
        /// What is said to him is another thing now.
        terms: bool,
    },
    /// A world was started.
    Started {
        /// The world that was started.
        world: WorldId,
        /// The moment of the start.
        at: Time,
        /// The session that hosts it, and where clients find it.
        by: StartedBy,
    },
    /// Another number of minutes is permitted to a player.
    Limited {
        /// The player whose logins are bounded by it.
        player: PlayerId,
    },
    /// What a login has lasted is counted.
    Counted {
        /// The number of its session.
        session: u64,
        /// Since when it was.
        since: Time,
    },
    /// Settings of the universe are others. They are told as they are by then.
    Universe,
    /// A property has another value, or is gone.
    Property {
        /// The player or world that has it.
        holder: Principal,
        /// What is told.
        changed: PropertyChanged,
        /// Who may read it.
        read: PropertyAccess,
        /// All are told who it is for; else only whoever hosts the world that it is of.
        push: bool,
        /// The number of the session that has changed it, if one did.
        by: Option<u64>,
    },
    /// Whoever listens to something does so no longer.
    Unwatched {
        /// What it was.
        topic: Topic,
        /// What he is told.
        msg: String,
    },
    /// A game server has another name, the one that memory has by then.
    Renamed {
        /// The game server.
        who: Principal,
    },
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Audience {
    /// Somebody, wherever he is on.
    Principal(Principal),
    /// All who listen to something.
    Topic(Topic),
    /// Everybody, wherever he is.
    Everyone,
}

/// As it is kept beside the answers of its transaction. The event is as it goes to workers: the next handler says it letter
/// for letter. Only ever appended to.
#[derive(Serialize, Deserialize)]
enum KeptNews {
    Tell { to: Audience, event: Vec<u8> },
    Out { who: Principal, reason: String },
    Licence { world: WorldId, name: String, stop: Option<Stop>, terms: bool },
    Started { world: WorldId, at: Time, session: u64, server: ServerId, instance: String, address: String, port: u16 },
    Rights { player: PlayerId },
    Limited { player: PlayerId },
    Counted { session: u64, since: Time },
    Universe,
    Property { holder: Principal, changed: Vec<u8>, read: PropertyAccess, push: bool, by: Option<u64> },
    Unwatched { topic: Topic, msg: String },
    Renamed { who: Principal },
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
            News::Licence { world, name, stop, terms } => {
                KeptNews::Licence { world: *world, name: name.clone(), stop: *stop, terms: *terms }
            }
            News::Rights { player } => KeptNews::Rights { player: *player },
            News::Started { world, at, by } => {
                let (world, at) = (*world, *at);
                let StartedBy { session, server, instance, address, port } = by.clone();
                KeptNews::Started { world, at, session, server, instance, address, port }
            }
            News::Limited { player } => KeptNews::Limited { player: *player },
            News::Counted { session, since } => KeptNews::Counted { session: *session, since: *since },
            News::Universe => KeptNews::Universe,
            News::Unwatched { topic, msg } => KeptNews::Unwatched { topic: *topic, msg: msg.clone() },
            News::Renamed { who } => KeptNews::Renamed { who: *who },
            News::Property { holder, changed, read, push, by } => {
                let mut bytes = Vec::new();
                growing::put(&mut bytes, changed);
                KeptNews::Property { holder: *holder, changed: bytes, read: *read, push: *push, by: *by }
            }
        };
        growing::put(out, &kept);
    }

    /// Reads them; nothing of what only a newer program can tell.
    pub fn read(bytes: &[u8]) -> Option<News> {
        Some(match growing::get(bytes).ok()? {
            KeptNews::Tell { to, event } => News::Tell { to, event: growing::get(&event).ok()? },
            KeptNews::Out { who, reason } => News::Out { who, reason },
            KeptNews::Licence { world, name, stop, terms } => News::Licence { world, name, stop, terms },
            KeptNews::Rights { player } => News::Rights { player },
            KeptNews::Universe => News::Universe,
            KeptNews::Started { world, at, session, server, instance, address, port } => {
                News::Started { world, at, by: StartedBy { session, server, instance, address, port } }
            }
            KeptNews::Limited { player } => News::Limited { player },
            KeptNews::Counted { session, since } => News::Counted { session, since },
            KeptNews::Unwatched { topic, msg } => News::Unwatched { topic, msg },
            KeptNews::Renamed { who } => News::Renamed { who },
            KeptNews::Property { holder, changed, read, push, by } => {
                News::Property { holder, changed: growing::get(&changed).ok()?, read, push, by }
            }
        })
    }
}
