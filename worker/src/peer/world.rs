//! The connection to a world that the client plays: bytes in, bytes out. What they mean is not its matter. Runs in a worker.

use super::WORLD;
use super::contact::{Contact, Looked};
use super::outbox::Outbox;
use super::socket::{Flushed, Socket};
use mio::net::TcpStream;
use mio::{Interest, Registry};
use ssmglobal_config::Limits;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// One connection, made by the handler. TCP or a Unix socket: both are read and written alike.
pub struct WorldPeer {
    socket: Socket,
    out: Outbox,
    contact: Contact,
    flushed: Flushed,
    vanished: bool,
}

impl WorldPeer {
    /// Takes the connection over, and watches it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(fd: OwnedFd, limits: &Limits, registry: &Registry) -> io::Result<WorldPeer> {
        let mut socket = Socket::new(TcpStream::from_std(std::net::TcpStream::from(fd)), limits.queue);
        registry.register(socket.stream(), WORLD, Interest::READABLE)?;
        // Who comes later than the first bytes has missed the event of those.
        socket.has_event(true, false);
        let contact = Contact::default();
        Ok(WorldPeer { socket, out: Outbox::default(), contact, flushed: Flushed::All, vanished: false })
    }

    /// What waits for it, for one who goes on with it.
    pub fn kept(&self) -> &Outbox {
        &self.out
    }

    /// Goes on with what waits for it.
    pub fn with_kept(self, out: Outbox) -> WorldPeer {
        WorldPeer { out, ..self }
    }

    /// Its descriptor, for one who goes on with it.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_stream().as_fd()
    }

    /// The event loop has told of it.
    pub fn has_event(&mut self, event: &mio::event::Event) {
        self.socket.has_event(event.is_readable() || event.is_error(), event.is_read_closed() || event.is_error());
    }

    /// What waits for it.
    pub fn out(&mut self) -> &mut Outbox {
        &mut self.out
    }

    /// Whether so much waits for it that its player has to wait.
    pub fn is_slow(&self) -> bool {
        self.out.is_slow()
    }

    /// Whether it may have said something that was not looked at.
    pub fn may_have_said(&self) -> bool {
        self.socket.is_readable()
    }

    /// Reads what it says next; gives whether there was anything.
    pub fn read(&mut self) -> bool {
        self.socket.is_readable() && self.socket.read()
    }

    /// What was read last, and where what is said to it is appended.
    pub fn parts(&mut self) -> (&[u8], &mut Vec<u8>) {
        (self.socket.unread(), self.out.bytes())
    }

    /// Whether it has ended, and all that it said was read.
    pub fn is_over(&self) -> bool {
        self.socket.is_closed() || self.flushed == Flushed::Gone && !self.socket.is_readable() || self.vanished
    }

    /// Writes what waits.
    pub fn flush(&mut self, registry: &Registry, limits: &Limits) {
        let waited = self.out.rest().len();
        self.flushed = self.socket.flush(&mut self.out, registry, WORLD);
        if self.flushed == Flushed::Gone {
            // What it said before its end is still there.
            self.out.clear();
            self.socket.has_event(true, true);
        }
        if self.out.rest().len() < waited {
            self.contact.has_written(limits);
        }
    }

    /// When it is to be looked after.
    pub fn due_at(&self, limits: &Limits) -> Option<Instant> {
        self.contact.due_at(limits, false)
    }

    /// Looks whether its machine is still there, if it is time.
    pub fn look_after(&mut self, now: Instant, limits: &Limits) {
        if self.contact.look_after(self.socket.as_stream(), now, limits, false) == Looked::Vanished {
            self.vanished = true;
        }
    }

    /// Takes it out of the event loop.
    pub fn close(mut self, registry: &Registry) {
        // It is closed in the next moment anyway.
        let _ = registry.deregister(self.socket.stream());
    }
}
