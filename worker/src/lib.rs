//! The worker: the process for one client or one game server.
//!
//! Forked by the listener with its client's socket and the way to the rendezvous, and nothing else. It speaks telnet
//! and JSON, knows the table of commands, and asks the handler for everything that is kept. One thread, one event
//! loop; what it parses with ([`commands`], [`render`]) is pure.

#![forbid(unsafe_code)]

pub mod commands;
mod given;
pub mod metrics;
mod moment;
mod naming;
pub mod panics;
pub mod peer;
pub mod play;
mod presenter;
pub mod render;
pub mod sandbox;
mod serve;
mod session;
mod wait;

pub use given::{Given, greeting, title, unnamed_title};
pub use serve::moved;
pub(crate) use ssmglobal_telnet::packed;

use mio::net::TcpStream;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use serve::Worker;
use ssmglobal_config::DoorMode;
use ssmglobal_ipc::{Mode, WorkerEnd};
use ssmglobal_sys::Signals;
use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

/// Serves one client until it goes. Gives how it ended, which is the process's exit code. The process is to end then:
/// nothing is tidied up that the kernel does by itself.
#[inline(always)]
pub fn run(mut given: Given<'_>) -> WorkerEnd {
    if given.door.mode == DoorMode::Metrics {
        return metrics::serve(given);
    }
    if let Some(door) = given.unnamed {
        return match naming::learn(&mut given, door) {
            Ok(to_move) => {
                given.begun = Instant::now();
                first_word(given, to_move)
            }
            Err(end) => end,
        };
    }
    if let Some(moved) = given.moved.take() {
        return follow(given, moved);
    }
    first_word(given, false)
}

/// Serves a client who is known, and has said nothing yet.
#[inline(always)]
fn first_word(given: Given<'_>, to_move: bool) -> WorkerEnd {
    let waits = given.mode == Mode::Ask && !to_move;
    if waits && !speaks(&given.client, given.signals, given.settings.limits.first_mode_seconds) {
        // The kernel tidies up.
        std::mem::forget(given);
        return WorkerEnd::GOOD;
    }
    begin(given, to_move)
}

/// Goes on with another worker's session. Not part of [`run`], as is [`begin`]: who waits for the first word is not to have
/// room on the stack for a session below him.
#[inline(never)]
fn follow(given: Given<'_>, moved: moved::Moved) -> WorkerEnd {
    ssmglobal_sys::no_backtraces();
    let Ok(worker) = Worker::follow(given, moved) else { return WorkerEnd::NOT_MOVED };
    serve(worker).unwrap_or(WorkerEnd::REFUSED)
}

#[inline(never)]
fn begin(given: Given<'_>, to_move: bool) -> WorkerEnd {
    // Not before: an idle worker touches no more memory than it must.
    ssmglobal_sys::no_backtraces();
    let worker = Worker::start(given, to_move);
    // Whoever reads the log sees it; a client that is gone is no reason for an error.
    worker.and_then(serve).unwrap_or(WorkerEnd::REFUSED)
}

fn serve(worker: Box<Worker<'_>>) -> io::Result<WorkerEnd> {
    // Never dropped: see `run`.
    let worker = Box::leak(worker);
    worker.serve().map(|()| worker.how_ended())
}

/// Does in the listener, before its first fork, what every worker would do once and would have pages of its own for: to look at
/// what this machine's processor can do.
pub fn warm_up() {
    let text = std::hint::black_box(
        &b"some text that is long enough for the ways that are fast, and for those that are not"[..],
    );
    let found = (
        memchr::memchr(b'?', text),
        memchr::memchr2(b'?', b'!', text),
        memchr::memchr3(b'?', b'!', b'#', text),
        memchr::memrchr(b'?', text),
    );
    std::hint::black_box(found);
}

/// Waits for the first word, or whatever else happens, without an event loop: most connections that are ever made are
/// scans, probes and players who wait. False when the client is gone without having said anything.
#[inline(always)]
fn speaks(client: &TcpStream, signals: &Signals, seconds: u64) -> bool {
    let timeout = match i32::try_from(seconds.saturating_mul(1000)) {
        Ok(milliseconds) if milliseconds > 0 => PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::NONE),
        _ => PollTimeout::NONE,
    };
    let mut waits = [PollFd::new(client.as_fd(), PollFlags::POLLIN), PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    if nix::poll::poll(&mut waits, timeout).is_err() {
        return true;
    }
    let readable = waits.first().and_then(PollFd::any).unwrap_or(false);
    !readable || ssmglobal_sys::has_said(client)
}
