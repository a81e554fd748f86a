//! How a request goes on: what a capability returns, and the event loop does.

use super::Change;
use crate::state::bus::Outgoing;
use crate::state::throttle::Tried;
use crate::work::change::Refusal;
use crate::work::passwords::{Hashed, Hashing};
use crate::work::{Look, Seen, Volatile};
use ssmglobal_ipc::{Done, Failure, Mode, Open, Reply};
use ssmglobal_store::Reader;
use std::os::fd::OwnedFd;

/// How a request goes on.
pub enum Plan {
    /// It is done; this is the answer.
    Reply(Reply),
    /// It is done, and needs no answer.
    Nothing,
    /// It is done; the answer carries descriptors.
    WithDescriptors(Reply, Vec<OwnedFd>),
    /// The writer does it. Who tries to prove something by it is told whether that was good.
    Change(Change, Option<Box<Tried>>),
    /// A reader does it.
    Look(Look),
    /// A hashing thread does it, and then the writer.
    Hash(Hashing, Option<Box<Tried>>, Box<dyn FnOnce(Hashed) -> Result<Change, Failure> + Send>),
    /// A change in memory, with what others are told.
    Volatile(Volatile),
    /// A message is sent on a channel.
    Publish(Outgoing),
    /// The session begins at this handler.
    Open(Open),
    /// The session speaks in another way from now on.
    SetMode(Mode),
    /// The session is nobody any more.
    Logout,
    /// The worker lies: its session ends, because.
    Evict(String),
}

impl Plan {
    /// Done, and nothing more to say.
    pub fn done() -> Plan {
        Plan::Reply(Reply::Done(Done {}))
    }

    /// The writer does it.
    pub fn change(change: impl Into<Change>) -> Plan {
        Plan::Change(change.into(), None)
    }

    /// A reader finds the answer.
    pub fn read(look: impl FnOnce(&dyn Reader) -> Result<Reply, Refusal> + Send + 'static) -> Plan {
        Plan::Look(Box::new(move |reader| look(reader).map(Seen::Reply)))
    }

    /// A hashing thread does it, and then the writer.
    pub fn hash(
        hashing: Hashing,
        tried: Option<Box<Tried>>,
        then: impl FnOnce(Hashed) -> Result<Change, Failure> + Send + 'static,
    ) -> Plan {
        Plan::Hash(hashing, tried, Box::new(then))
    }
}

impl From<Failure> for Plan {
    fn from(failure: Failure) -> Plan {
        Plan::Reply(failure.into())
    }
}
