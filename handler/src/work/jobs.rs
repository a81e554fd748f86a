//! What the event loop gives to the other threads, and what they leave for it to do.

use super::change::Refusal;
use super::passwords::{Hashed, Hashing};
use crate::link::ReplyTo;
use crate::state::journal::{ClientKey, Entry};
use crate::state::news::News;
use crate::state::session::{Proof, SessionRef};
use crate::state::throttle::Tried;
use ssmglobal_ipc::{Failure, Kind, Reply, Request, Time, ctl};
use ssmglobal_store::{Principal, Reader};

/// Who waits for a job.
#[derive(Clone, Debug)]
pub enum Asker {
    /// A session.
    Session(SessionRef, ReplyTo),
    /// The operator's command, by its number in the event loop, with the answer when it is done.
    Operator(u64, Box<ctl::Answer>),
    /// The operator's command, which has asked what a session could have asked, by its number in the event loop.
    Console(u64),
    /// Nobody: it was done already, under this key, which waits for the database.
    Keyed(Principal, String),
    /// The event loop itself, for messages that wait for the relay's mark to be moved so far.
    Relay(u64),
    /// Nobody: the login of this session, since then, has ended and is counted.
    Login(u64, Time),
    /// The event loop itself, for what goes with somebody who is not on any more.
    Absent(Principal),
    /// Nobody: a world was stopped.
    Stopped,
}

/// A job for the writer.
#[derive(Debug)]
pub enum Write<C> {
    /// A change is to be decided and written.
    Change {
        /// Who waits for the answer.
        asker: Asker,
        /// What to do.
        change: C,
        /// The key that the client has given the request, if any.
        key: Option<Box<ClientKey>>,
        /// Whoever tries to prove something by it, to be told whether that was good.
        tried: Option<Box<Tried>>,
    },
    /// This session has ended, and all that it has asked stands before this.
    Gone(u64),
    /// The operator, by his number in the event loop, wants to know whether changes can be written.
    Probe(u64),
}

/// A change in memory that must not be done twice: what it comes to and what others are told of it are one.
#[derive(Debug)]
pub struct Volatile {
    /// What the asker is answered.
    pub reply: Reply,
    /// What others are told.
    pub news: Vec<News>,
    /// What the next handler has to know of it.
    pub entries: Vec<Entry>,
}

/// What a request that reads came to.
pub enum ReadOutcome {
    /// The answer.
    Reply(Reply),
    /// The answer to the operator.
    Answer(ctl::Answer),
    /// A change in memory that could be done now.
    Volatile(Volatile),
    /// The database does not know the key of this request.
    UnknownKey(Request),
}

/// A request that reads.
pub type Look = Box<dyn FnOnce(&dyn Reader) -> Result<ReadOutcome, Refusal> + Send>;

/// A job for the readers.
pub struct Read {
    /// Who waits for the answer.
    pub asker: Asker,
    /// What to do.
    pub look: Look,
    /// The key that the client has given the request, if any.
    pub key: Option<Box<ClientKey>>,
}

/// A job for the hashing threads.
pub struct Hash<C> {
    /// Who waits for the answer.
    pub asker: Asker,
    /// What to do.
    pub hashing: Hashing,
    /// Who tries, as it is counted.
    pub tried: Option<Box<Tried>>,
    /// What the outcome means.
    pub then: Box<dyn FnOnce(Hashed) -> Result<C, Failure> + Send>,
}

/// What other threads have left for the event loop to do.
#[derive(Debug)]
pub enum ToLoop {
    /// A session is somebody now; then the answer goes out.
    Proved {
        /// Which session.
        at: SessionRef,
        /// Where the answer goes.
        to: ReplyTo,
        /// Who it is.
        proof: Proof,
        /// The answer.
        reply: Reply,
    },
    /// A login was tried, and was good or not.
    Tried(Tried, bool),
    /// A session may not do what it has asked.
    Denied(SessionRef, Kind),
    /// What others are told of a transaction, and the row that it is kept in.
    News(i64, Vec<News>),
    /// A change in memory that could be done now.
    Volatile(SessionRef, ReplyTo, Volatile, Option<Box<ClientKey>>),
    /// A request is to be done, since its key is not known.
    UnknownKey(SessionRef, ReplyTo, Request, Box<ClientKey>),
    /// What was kept under this key is in the database.
    Keyed(Principal, String),
    /// The relay's mark was moved so far; nothing: it could not be moved.
    RelayMark(Option<u64>),
    /// What the login of this session, since then, has lasted cannot be counted.
    NotCounted(u64, Time),
    /// What was to go with somebody who is not on any more could not be deleted.
    NotDeleted(Principal),
    /// The answer to the operator's command.
    Operator(u64, ctl::Answer),
    /// What the operator wants to know of the database is known.
    Probed(u64),
}
