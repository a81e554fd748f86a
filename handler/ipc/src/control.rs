//! What listener and handler say to each other, as control frames on a stream of their own.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// The number of the door where programs of the operator's read numbers. Whoever comes in there is no client, and is not counted
/// as one.
pub const METRICS_DOOR: u32 = u32::MAX;

/// One client and the worker that it has now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The worker's process id.
    pub pid: i32,
    /// The session's number; a worker that takes a session over has the same.
    pub session: u64,
    /// The door it came in by.
    pub door: u32,
    /// Where it comes from.
    pub address: SocketAddr,
    /// When it was accepted.
    pub at: crate::Time,
}

/// A network from which nothing is taken for a while, since something from there went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The address; of IPv6 the network of 64 bits.
    pub network: IpAddr,
    /// Seconds from now on.
    pub seconds: u64,
    /// How the worker has ended that this is for, as its exit code or the negated signal that killed it.
    pub status: i32,
}

/// Why nobody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotLetIn {
    /// The door, or the server, has as many clients as it may have.
    Full,
    /// Too many of this address are there.
    Address,
    /// Nothing is taken from there for so many seconds more.
    Blocked(u64),
    /// The door is behind a proxy, and it is none.
    NoProxy,
    /// It is a proxy, and has not said for whom it comes.
    NoHeader,
}

/// A worker that another listener has forked, and this one has taken over: it is not its child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptedWorker {
    /// Its process id.
    pub pid: i32,
    /// When its process was started, in ticks since the machine was: with the id it names a process for good.
    pub started: u64,
}

/// From the listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHandler {
    /// A worker has ended.
    Exited {
        /// Its process id.
        pid: i32,
        /// Its exit code, or the negated signal that killed it.
        status: i32,
        /// How many are left.
        count: u32,
        /// The bound.
        max: u32,
    },
    /// A line for the log.
    Log {
        /// 1 error … 5 trace.
        level: u8,
        /// The text.
        text: String,
    },
    /// The settings: first of all to every handler, and again whenever they were read again.
    Reload {
        /// The settings, encoded by their own crate.
        settings: Vec<u8>,
    },
    /// The workers have ended, or been ended: save what waits, and end.
    Stop,
    /// All clients that there are, after a start of the handler or when messages had to be left out.
    Clients {
        /// Their list.
        clients: Vec<Client>,
        /// The bound.
        max: u32,
    },
    /// Behind the settings, to every handler: which run of the backend this is. Numbers of sessions are given once in it. A
    /// listener that goes on where another has ended goes on with its run.
    Run {
        /// Its number: the time at which it began, in milliseconds.
        run: u64,
    },
    /// A connection was accepted and a worker forked.
    Joined {
        /// The client, with the process id of its new worker.
        client: Client,
        /// How many there are now.
        count: u32,
        /// The bound.
        max: u32,
    },
    /// What the next listener needs, should this one die: to be kept as it is and given to the one that adopts the handler,
    /// in place of what was kept before. Descriptors come with the first byte.
    Keep {
        /// The beginning of a [state](crate::handover).
        state: Vec<u8>,
        /// How many descriptors belong to it; one more is where the log goes from now on.
        descriptors: u32,
    },
    /// The kernel does not tell the listener of the ends of these workers: the handler is to watch them, and to say
    /// [`ToListener::Gone`].
    Watch {
        /// Their list.
        workers: Vec<AdoptedWorker>,
    },
    /// Which versions of the program workers were forked from.
    Versions {
        /// Their names; the first is that of all workers that are not listed, and of all that are still to come.
        versions: Vec<String>,
        /// Process ids, and the place of their version.
        others: Vec<(i32, u32)>,
    },
    /// A worker has handed its client and its session, with the link if it had one, to another, and has ended.
    Moved {
        /// Its process id.
        from: i32,
        /// The client, with the worker that it has now, which was forked from the first of the versions.
        client: Client,
    },
    /// How many handlers have died since the listener's start: to every handler, behind the run.
    Deaths {
        /// So many.
        count: u64,
    },
    /// A connection was refused, for the log.
    Refused {
        /// Where it came from.
        address: SocketAddr,
        /// The door that it came to.
        door: u32,
        /// Why.
        why: NotLetIn,
    },
    /// A network has to wait from now on, for the log.
    Blocked(Blocked),
    /// All that have to wait, as the operator has asked; the longest waits where there are too many to tell.
    AllBlocked {
        /// Who has asked.
        asker: u64,
        /// Their list.
        blocked: Vec<Blocked>,
    },
    /// So many were let in again.
    LetIn {
        /// Who has asked for it.
        asker: u64,
        /// How many.
        count: u32,
    },
    /// The operator's [`ToListener::Reload`] is done; the settings have come before this.
    Reloaded {
        /// The number of his connection.
        operator: u64,
        /// What is wrong with the settings, a line each; when there is anything, nothing has changed.
        wrong: Vec<String>,
        /// What has come of it.
        reloaded: crate::ctl::Reloaded,
    },
}

/// From the handler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToListener {
    /// The database is open; requests are served from now on.
    Ready,
    /// Let this worker link up: there is something to tell it, and it has no link.
    Wake {
        /// Its process id.
        pid: i32,
    },
    /// The handler cannot start and a further try is of no use (a database that is not one, is damaged or too new; a path too
    /// long for a socket).
    Fatal {
        /// Why, for the person at the terminal.
        msg: String,
    },
    /// A worker that was to be watched has ended.
    Gone {
        /// Its process id.
        pid: i32,
    },
    /// The operator wants another program to take over. The stream to him comes with the first byte; the listener answers
    /// on it.
    Upgrade {
        /// An absolute path; the file that the listener was started from when left out.
        program: Option<String>,
    },
    /// A worker was found that a listener before this one has forked and could not tell of any more.
    Found {
        /// Whom it serves.
        client: Client,
        /// When its process was started, in ticks since the machine was.
        started: u64,
    },
    /// What people read first at doors that have no words of their own: before [`ToListener::Ready`], and whenever it changes.
    Welcome {
        /// The text; as the settings have it when left out.
        text: Option<String>,
    },
    /// The operator wants to know who has to wait: [`ToHandler::AllBlocked`] answers.
    WhoIsBlocked {
        /// Who asks; comes back with the answer.
        asker: u64,
    },
    /// The operator wants them to wait no longer: [`ToHandler::LetIn`] answers.
    LetIn {
        /// Who asks; comes back with the answer.
        asker: u64,
        /// Whom; everybody when left out.
        address: Option<IpAddr>,
    },
    /// The operator wants the settings read again.
    Reload {
        /// The number of his connection, for the answer.
        operator: u64,
    },
    /// The operator wants everything to end.
    Stop,
}
