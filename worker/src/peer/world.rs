//! The connection to a world that the client plays: bytes in, bytes out. What they mean is not its matter. Runs in a worker.

use super::WORLD;
use super::compression::Compression;
use super::contact::{Contact, Looked};
use super::layer::{Layer, Opened};
use super::opening::Opening;
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
    /// Only of a world that compresses what it says.
    inward: Option<Box<Inward>>,
    /// What it has sent could not be understood, and nobody has asked for that yet.
    damaged: bool,
}

/// What comes compressed.
#[derive(Default)]
struct Inward {
    compression: Compression,
    /// What became of it last.
    said: Opening,
}

impl Inward {
    /// All that comes from here on is, which begins with this.
    fn begin(rest: &[u8]) -> Box<Inward> {
        let mut inward = Box::<Inward>::default();
        inward.compression.begin_inward(rest);
        inward
    }

    /// Makes the next piece of it; so much at once as is read of another world. Gives whether there was anything.
    fn read(&mut self, socket: &mut Socket) -> Opened {
        loop {
            if !self.compression.has_unread() {
                if !socket.is_readable() || !socket.read() {
                    return Opened::More;
                }
                self.compression.held().extend_from_slice(socket.unread());
                socket.leaves(0);
            }
            match self.compression.inflate(self.said.bytes()) {
                Opened::More => {}
                done => return done,
            }
        }
    }
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
        let (out, flushed) = (Outbox::default(), Flushed::All);
        Ok(WorldPeer { socket, out, contact, flushed, vanished: false, inward: None, damaged: false })
    }

    /// What waits for it, for one who goes on with it.
    pub fn kept(&self) -> &Outbox {
        &self.out
    }

    /// What it compresses, for one who goes on with it.
    pub fn compression(&self) -> Option<&Compression> {
        self.inward.as_ref().map(|inward| &inward.compression).filter(|compression| compression.is_inflating())
    }

    /// Goes on with what waits for it, and with what it compresses.
    pub fn with_kept(self, out: Outbox, compression: Option<Compression>) -> WorldPeer {
        let inward = compression.map(|compression| Box::new(Inward { compression, said: Opening::default() }));
        WorldPeer { out, inward, ..self }
    }

    /// Whether nothing was begun that only this process can go on with.
    pub fn is_quiet(&self) -> bool {
        !self.damaged && self.inward.as_ref().is_none_or(|inward| inward.compression.is_quiet())
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
        self.socket.is_readable() || self.inward.as_ref().is_some_and(|inward| inward.compression.has_unread())
    }

    /// Reads what it says next; gives whether there was anything.
    pub fn read(&mut self) -> bool {
        // A stream may end, and what comes behind it is as it was.
        if self.inward.as_ref().is_some_and(|inward| !inward.compression.is_inflating()) {
            self.inward = None;
        }
        let Some(inward) = &mut self.inward else { return self.socket.is_readable() && self.socket.read() };
        match inward.read(&mut self.socket) {
            Opened::Data(()) => true,
            Opened::Broken => {
                self.damaged = true;
                self.socket.close_reading();
                false
            }
            Opened::More | Opened::End | Opened::Closed => false,
        }
    }

    /// What was read last, and where what is said to it is appended.
    pub fn parts(&mut self) -> (&[u8], &mut Vec<u8>) {
        let said = self.inward.as_ref().map_or(self.socket.unread(), |inward| inward.said.rest());
        (said, self.out.bytes())
    }

    /// All of what was read last was looked at but so many bytes.
    pub fn leaves(&mut self, count: usize) {
        match &mut self.inward {
            Some(inward) => inward.said.leaves(count),
            None => self.socket.leaves(count),
        }
    }

    /// What was not looked at is compressed, and what comes behind that. A stream within a stream is damage: nothing of it is left
    /// that could be read.
    pub fn begin_inflating(&mut self) {
        let inward = Inward::begin(self.parts().0);
        self.socket.leaves(0);
        self.inward = Some(inward);
    }

    /// Whether what it has sent could not be understood; said once.
    pub fn take_damage(&mut self) -> bool {
        std::mem::take(&mut self.damaged)
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
