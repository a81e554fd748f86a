//! What listener and handler say to each other, as control frames on a stream of their own.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// One forked worker, as the listener knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// Its process id.
    pub pid: i32,
    /// Its client.
    pub address: SocketAddr,
    /// When it was accepted.
    pub at: crate::Time,
}

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

/// From the listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHandler {
    /// Not sent any more; see [`ToHandler::Clients`].
    Snapshot {
        /// Their list.
        children: Vec<Child>,
        /// The bound.
        max: u32,
    },
    /// Not sent any more; see [`ToHandler::Joined`].
    Forked {
        /// Who.
        child: Child,
        /// How many there are now.
        count: u32,
        /// The bound.
        max: u32,
    },
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
        /// Its number.
        run: u64,
    },
    /// A connection was accepted and a worker forked.
    Joined {
        /// Who.
        client: Client,
        /// How many there are now.
        count: u32,
        /// The bound.
        max: u32,
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
}
