//! The way to another worker of the same player, whose client sees the game of this one's: one end of a socket pair. Runs in a
//! worker.

use super::outbox::Outbox;
use super::socket::{Flushed, Socket};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes that may wait whatever happens. Before that the world is not read further.
const LIMIT: usize = 256 << 10;

/// One of them. What waits for it is not here.
pub struct SharerPeer {
    socket: Socket,
    token: Token,
}

impl SharerPeer {
    /// Takes the descriptor over, and watches it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(fd: OwnedFd, token: Token, registry: &Registry) -> io::Result<SharerPeer> {
        // Read and written as any stream.
        let mut socket = Socket::new(TcpStream::from_std(std::net::TcpStream::from(fd)), LIMIT);
        registry.register(socket.stream(), token, Interest::READABLE)?;
        // Who comes later than the first bytes has missed the event of those.
        socket.has_event(true, false);
        Ok(SharerPeer { socket, token })
    }

    /// By which the event loop tells of it.
    pub fn token(&self) -> Token {
        self.token
    }

    /// Its descriptor, for one who goes on with it.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_stream().as_fd()
    }

    /// The event loop has told of it.
    pub fn has_event(&mut self, event: &mio::event::Event) {
        self.socket.has_event(event.is_readable() || event.is_error(), event.is_read_closed() || event.is_error());
    }

    /// Whether it may have said something that was not looked at.
    pub fn may_have_said(&self) -> bool {
        self.socket.is_readable()
    }

    /// What it says next.
    pub fn read(&mut self) -> Option<&[u8]> {
        (self.socket.is_readable() && self.socket.read()).then(|| self.socket.unread())
    }

    /// Whether it has ended, and all that it said was read.
    pub fn is_over(&self) -> bool {
        self.socket.is_closed()
    }

    /// Writes what waits for it.
    pub fn flush(&mut self, out: &mut Outbox, registry: &Registry) -> Flushed {
        let flushed = self.socket.flush(out, registry, self.token);
        if flushed == Flushed::Gone {
            // What it said before its end is still there.
            out.clear();
            self.socket.has_event(true, true);
        }
        flushed
    }

    /// Takes it out of the event loop.
    pub fn close(mut self, registry: &Registry) {
        // It is closed in the next moment anyway.
        let _ = registry.deregister(self.socket.stream());
    }
}
