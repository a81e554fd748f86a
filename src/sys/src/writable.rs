//! Asking the kernel to tell when a socket can be written to, but only while something waits to be written. Asked for
//! always, it would wake a process each time the other end has read something.

use mio::event::Source;
use mio::{Interest, Registry, Token};
use nix::libc;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};

/// Whether one socket, registered for reading, is watched for writing as well at the moment.
#[derive(Debug, Default)]
pub struct Writable {
    watched: bool,
}

impl Writable {
    /// Watches for writing, or no longer. Costs a system call only when that changes.
    ///
    /// # Errors
    /// The kernel's.
    pub fn watch(&mut self, on: bool, registry: &Registry, source: &mut impl Source, token: Token) -> io::Result<()> {
        if self.watched == on {
            return Ok(());
        }
        self.watched = on;
        let interest = if on { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        registry.reregister(source, token, interest)
    }
}

/// Watches a socket that many processes write to for room, in `epoll` under `token`: of all who watch it so, each message
/// that is taken out wakes one. Who was woken and has written deregisters it.
///
/// # Errors
/// The kernel's.
pub fn watch_in_turn(epoll: &impl AsRawFd, socket: impl AsFd, token: usize) -> io::Result<()> {
    let events = libc::EPOLLOUT | libc::EPOLLET | libc::EPOLLEXCLUSIVE;
    let mut event = libc::epoll_event { events: events.cast_unsigned(), u64: token as u64 };
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: both descriptors are open for as long as the call takes, and the event is read only.
    let result = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, socket, &raw mut event) };
    nix::errno::Errno::result(result).map(drop).map_err(io::Error::from)
}

/// Writes what waits, as far as there is room; what went is taken out of `out`.
///
/// # Errors
/// The stream's; a full one is none.
pub fn write_out(stream: &mut impl Write, out: &mut Vec<u8>) -> io::Result<()> {
    let (sent, result) = write_some(stream, out);
    out.drain(..sent);
    result
}

/// Writes this as far as there is room; gives how much went, and the stream's error, which a full one is not.
pub fn write_some(stream: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut sent = 0;
    loop {
        let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) else { return (sent, Ok(())) };
        match stream.write(rest) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (sent, Ok(())),
            Err(error) => return (sent, Err(error)),
        }
    }
}
