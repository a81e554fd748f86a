//! The worker: the process for one client or one game server.
//!
//! Forked by the listener with its client's socket and the way to the front desk, and nothing else. It speaks telnet
//! and JSON, knows the table of commands, and asks the handler for everything that is kept. One thread, one event
//! loop; what it parses with ([`commands`], [`render`]) is pure.

#![forbid(unsafe_code)]

mod client;
pub mod commands;
mod input;
mod link;
mod queue;
mod relay;
pub mod render;
mod session;

use ssmglobal_config::{Door, Settings};
use ssmglobal_ipc::Mode;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};

/// Serves one client until it goes; `events` is room for what the event loop hears. Gives the process's exit code: 0, or 1 when the system refused something that it
/// cannot do without.
pub fn run(
    client: OwnedFd,
    address: SocketAddr,
    desk: BorrowedFd<'_>,
    mode: Mode,
    door: &Door,
    settings: &Settings,
    events: &mut mio::Events,
) -> i32 {
    match session::Session::start(client, address, desk, mode, door, settings).and_then(|mut session| session.serve(events)) {
        Ok(()) => 0,
        // Whoever reads the log sees the exit code; a client that is gone is no reason for one.
        Err(_) => 1,
    }
}
