//! How a request goes on: what a capability returns, and the event loop does.

use crate::state::bus::Outgoing;
use crate::state::names::Name;
use crate::state::plays::Wish;
use crate::state::throttle::Tried;
use crate::work::change::Refusal;
use crate::work::passwords::{Hashed, Hashing};
use crate::work::{Look, ReadOutcome, Volatile};
use ssmglobal_ipc::{Done, Failure, Mode, Open, Reply};
use ssmglobal_store::Reader;
use std::convert::Infallible;
use std::os::fd::OwnedFd;

/// What the outcome of hashing means.
pub type Then<C> = Box<dyn FnOnce(Hashed) -> Result<C, Failure> + Send>;

/// How a request goes on. `C` is what the capability can change of what is kept.
pub enum Plan<C = Infallible> {
    /// It is done; this is the answer.
    Reply(Reply),
    /// It is done, and needs no answer.
    Nothing,
    /// It is done; the answer carries descriptors.
    WithDescriptors(Reply, Vec<OwnedFd>),
    /// The writer does it. Who tries to prove something by it is told whether that was good.
    Change(C, Option<Box<Tried>>),
    /// A reader does it.
    Look(Look),
    /// A hashing thread does it, and then the writer.
    Hash(Hashing, Option<Box<Tried>>, Then<C>),
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
    /// The session is a visitor's of this name from now on.
    Visit(Name),
    /// A connection to a world is made, or something is noted of one.
    Play(Wish),
    /// The worker lies: its session ends, because.
    Evict(String),
}

impl<C> Plan<C> {
    /// Done, and nothing more to say.
    pub fn done() -> Plan<C> {
        Plan::Reply(Reply::Done(Done {}))
    }

    /// The writer does it.
    pub fn change(change: impl Into<C>) -> Plan<C> {
        Plan::Change(change.into(), None)
    }

    /// A reader finds the answer.
    pub fn read(look: impl FnOnce(&dyn Reader) -> Result<Reply, Refusal> + Send + 'static) -> Plan<C> {
        Plan::Look(Box::new(move |reader| look(reader).map(ReadOutcome::Reply)))
    }

    /// A hashing thread does it, and then the writer.
    pub fn hash(
        hashing: Hashing,
        tried: Option<Box<Tried>>,
        then: impl FnOnce(Hashed) -> Result<C, Failure> + Send + 'static,
    ) -> Plan<C> {
        Plan::Hash(hashing, tried, Box::new(then))
    }

    /// The same, where a change is one of many.
    pub fn lift<D: From<C> + 'static>(self) -> Plan<D>
    where
        C: 'static,
    {
        self.map(D::from)
    }

    /// The same with another change.
    pub fn map<D>(self, other: impl FnOnce(C) -> D + Send + 'static) -> Plan<D>
    where
        C: 'static,
    {
        match self {
            Plan::Change(change, tried) => Plan::Change(other(change), tried),
            Plan::Hash(hashing, tried, then) => {
                Plan::Hash(hashing, tried, Box::new(move |hashed| then(hashed).map(other)))
            }
            Plan::Reply(reply) => Plan::Reply(reply),
            Plan::Nothing => Plan::Nothing,
            Plan::WithDescriptors(reply, fds) => Plan::WithDescriptors(reply, fds),
            Plan::Look(look) => Plan::Look(look),
            Plan::Volatile(volatile) => Plan::Volatile(volatile),
            Plan::Publish(message) => Plan::Publish(message),
            Plan::Open(open) => Plan::Open(open),
            Plan::SetMode(mode) => Plan::SetMode(mode),
            Plan::Logout => Plan::Logout,
            Plan::Visit(name) => Plan::Visit(name),
            Plan::Play(wish) => Plan::Play(wish),
            Plan::Evict(why) => Plan::Evict(why),
        }
    }
}

impl<C> From<Failure> for Plan<C> {
    fn from(failure: Failure) -> Plan<C> {
        Plan::Reply(failure.into())
    }
}
