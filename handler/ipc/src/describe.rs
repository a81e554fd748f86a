//! What there is to know of a request besides its payload. Each is described once, in the table of `request.rs`; what
//! worker, handler and tests have to know of it follows from there.

use crate::{State, States};

/// What there is to know of one request.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Which sessions may ask it. One that does all the same is broken or taken over, and ends.
    pub states: States,
    /// What the asker needs besides; without it he is refused.
    pub right: Right,
    /// What it does.
    pub does: Does,
    /// What it has to do with other sessions.
    pub others: Others,
    /// Whose word it is.
    pub asked_by: AskedBy,
}

/// A right that does not come from the session's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// None is needed.
    None,
    /// New players are taken, as the operator has set it.
    Registration,
    /// A player needs the right `operator`; the operator at his own socket has it.
    Operator,
    /// A player needs the right `broadcast`; the operator at his own socket has it.
    Broadcast,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Reads what is in memory.
    ReadsMemory,
    /// Reads what is kept.
    ReadsStore,
    /// Sets something of the session in memory: done twice is the same as once.
    SetsMemory,
    /// A change in memory that must not be done twice.
    Volatile,
    /// A change of what is kept.
    Durable,
    /// A change of what is kept that holds for this session: a client's key would tell another one that it was done, and it
    /// would not be so there.
    DurableHere,
    /// Proves who the session is, or changes by what that is proved; it is kept.
    Proves,
    /// Makes the session another one, in memory: done twice is the same as once.
    Becomes,
}

/// What a request has to do with other sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// Nothing at once. What others are told of its change is news, which waits by itself until all are back.
    Apart,
    /// The answer, or what it does, depends on who else is there, or is seen by them.
    Seen,
    /// Others are told something at once.
    Notified,
}

/// Whose word a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// The client's: it is not idle.
    Client,
    /// The worker's own.
    Worker,
}

/// Where requests of a session are worked on. Those of another lane wait until it is empty, so that a session sees its
/// own requests done in its own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// In the event loop, at once.
    Inline,
    /// With the writer, which keeps their order: any number at once.
    Write,
    /// Elsewhere: one at a time.
    Exclusive,
}

impl Description {
    /// Where it is worked on.
    pub const fn lane(&self) -> Lane {
        match self.does {
            Does::ReadsMemory | Does::SetsMemory | Does::Becomes => Lane::Inline,
            Does::Durable | Does::DurableHere => Lane::Write,
            Does::ReadsStore | Does::Volatile | Does::Proves => Lane::Exclusive,
        }
    }

    /// Whether doing it twice would not be the same as once: what it came to is kept until that is acknowledged, and is
    /// repeated to a session that asks again. It travels as [`Class::Change`](crate::frame::Class::Change).
    pub const fn is_kept(&self) -> bool {
        match self.does {
            Does::Volatile | Does::Durable | Does::DurableHere | Does::Proves => true,
            Does::ReadsMemory | Does::ReadsStore | Does::SetsMemory | Does::Becomes => false,
        }
    }

    /// Whether a client's own key holds for it.
    pub const fn takes_key(&self) -> bool {
        match self.does {
            Does::Volatile | Does::Durable => true,
            Does::ReadsMemory
            | Does::ReadsStore
            | Does::SetsMemory
            | Does::DurableHere
            | Does::Proves
            | Does::Becomes => false,
        }
    }

    /// Whether the session may be somebody else once it is answered: its worker asks nothing further before that.
    pub const fn is_barrier(&self) -> bool {
        match self.does {
            Does::Proves | Does::Becomes => true,
            Does::ReadsMemory
            | Does::ReadsStore
            | Does::SetsMemory
            | Does::Volatile
            | Does::Durable
            | Does::DurableHere => false,
        }
    }

    /// Whether it waits, after a death of the handler, until all sessions are back that were there.
    pub const fn waits_for_others(&self) -> bool {
        match self.others {
            Others::Seen | Others::Notified => true,
            Others::Apart => false,
        }
    }

    /// Whether only somebody may ask it who has proved who he is.
    pub const fn needs_principal(&self) -> bool {
        !self.states.has(State::New) && !self.states.has(State::Anonymous) && !self.states.has(State::Unproved)
    }
}
