//! What a worker has from its beginning on: what the listener leaves to it, and its name. Runs in the listener and in a
//! worker.

use crate::serve::moved::Moved;
use mio::net::TcpStream;
use ssmglobal_config::{Door, DoorMode, Settings};
use ssmglobal_ipc::Mode;
use ssmglobal_sys::{Prepared, Signals};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::time::Instant;

/// What the listener leaves to a worker.
pub struct Given<'a> {
    /// The client, non-blocking.
    pub client: TcpStream,
    /// Where it comes from.
    pub address: SocketAddr,
    /// When it was accepted; at a door behind a proxy, when its client was let in.
    pub begun: Instant,
    /// The session's number.
    pub session: u64,
    /// Where links are handed over to the handler.
    pub rendezvous: BorrowedFd<'a>,
    /// Where clients are handed over to workers of another program.
    pub moves: BorrowedFd<'a>,
    /// Hung up when neither a listener nor a handler is left.
    pub lifeline: BorrowedFd<'a>,
    /// SIGTERM and others, blocked.
    pub signals: &'a Signals,
    /// How the client speaks at first.
    pub mode: Mode,
    /// At a door behind a proxy: the door's number. Until the proxy has said who its client is, `address` is the proxy's, and there
    /// is no session.
    pub unnamed: Option<u32>,
    /// What a worker of another program has left, to go on with its client.
    pub moved: Option<Moved>,
    /// The door it came in by.
    pub door: &'a Door,
    /// As they were when it came.
    pub settings: &'a Settings,
}

/// What `ps` shows of a worker: for whom it is.
pub fn title(address: IpAddr, mode: Mode, who: &str) -> Prepared {
    let blank = if who.is_empty() { "" } else { " " };
    Prepared::new(format_args!("ssmglobal: worker {address} {}{blank}{who}", mode.as_str()))
}

/// The same, of a worker at a door behind a proxy that does not know yet for whom it is.
pub fn unnamed_title(proxy: IpAddr) -> Prepared {
    Prepared::new(format_args!("ssmglobal: worker {proxy} PROXY"))
}

/// What a client of a door for programs is told first: fixed bytes, so that nobody need wait for a worker that could make them.
const GREETING: &[u8] = b"{\"state\": \"OK\", \"msg\": \"CONNECTED serversquaredGlobal\"}\r\n";

/// What is said first at a door; people get theirs from the session, and HTTP has none.
pub fn greeting(mode: DoorMode) -> Option<&'static [u8]> {
    match mode {
        DoorMode::Ask | DoorMode::Client | DoorMode::Server => Some(GREETING),
        DoorMode::Human | DoorMode::Metrics => None,
    }
}
