//! Whom a worker is connected with: its client, in layers; a world that this one plays; those who share the game. Runs in a worker.

pub mod between;
pub mod charset;
pub mod compression;
pub mod contact;
pub mod layer;
mod opening;
pub mod outbox;
pub mod proxy;
mod sharer;
mod socket;
pub mod speech;
pub mod stack;
pub mod strangers;
#[cfg(test)]
mod tests;
pub mod transport;
mod world;

pub use sharer::SharerPeer;
pub use socket::Flushed;
pub use speech::Input;
pub use stack::Stack;
pub use world::WorldPeer;

use contact::{Contact, Looked};
use layer::Opened;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use serde::{Deserialize, Serialize};
use socket::Socket;
use ssmglobal_config::Limits;
use ssmglobal_telnet::{Event, Telnet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

/// The client.
pub const CLIENT: Token = Token(8);

/// The connection to a world.
pub const WORLD: Token = Token(CLIENT.0 + 1);

/// Tokens of those who share a game count from here.
pub const FIRST_SHARER: usize = WORLD.0 + 1;

/// What a worker that goes on with a client has to know of it, beside its socket.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Its layers.
    pub stack: Stack,
    /// Since when it is silent.
    pub contact: Contact,
}

impl Kept {
    /// Whether it is in the middle of a compressed stream, in which whoever goes on has to go on.
    pub fn is_compressing(&self) -> bool {
        self.stack.is_compressing()
    }
}

/// A worker's client.
pub struct Peer {
    socket: Socket,
    kept: Kept,
    /// How the last write has gone.
    flushed: Flushed,
    vanished: bool,
    /// What it has sent could not be understood, and nobody has asked for that yet.
    damaged: bool,
}

impl Peer {
    /// Takes the connection over, and watches it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(stream: TcpStream, kept: Kept, limits: &Limits, registry: &Registry) -> io::Result<Peer> {
        let mut socket = Socket::new(stream, limits.queue);
        registry.register(socket.stream(), CLIENT, Interest::READABLE)?;
        Ok(Peer { socket, kept, flushed: Flushed::All, vanished: false, damaged: false })
    }

    /// What is said to it.
    pub fn stack(&mut self) -> &mut Stack {
        &mut self.kept.stack
    }

    /// Its descriptor, for one who goes on with it.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_stream().as_fd()
    }

    /// What one who goes on with it has to know.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// When its last line came.
    pub fn last_line(&self) -> Instant {
        *self.kept.contact.last_line
    }

    /// When the last thing came, if that was in this turn.
    pub fn last_input(&self) -> Instant {
        self.kept.contact.last_input
    }

    /// The event loop has told of it.
    pub fn has_event(&mut self, event: &mio::event::Event) {
        self.socket.has_event(event.is_readable(), event.is_read_closed());
    }

    /// The next thing that it has said; a line goes to `line`. None when there is nothing more for now.
    pub fn next_input(&mut self, line: &mut String) -> Option<Input> {
        loop {
            let mut unread = self.socket.unread();
            let opened = self.kept.stack.open(&mut unread, line);
            let left = unread.len();
            self.socket.leaves(left);
            match opened {
                Opened::Data(input) => {
                    let now = Instant::now();
                    self.kept.contact.last_input = now;
                    if !matches!(input, Input::Alive | Input::Crawler { plain: false }) {
                        self.kept.contact.last_line = now.into();
                    }
                    return Some(input);
                }
                done @ (Opened::Closed | Opened::Broken) => {
                    self.close_reading(done);
                    return None;
                }
                Opened::End | Opened::More => {}
            }
            if !self.socket.is_readable() || !self.socket.read() {
                return None;
            }
        }
    }

    fn close_reading<Found: PartialEq>(&mut self, why: Opened<Found>) {
        self.damaged |= why == Opened::Broken;
        self.socket.close_reading();
    }

    /// Whether what it has sent could not be understood; said once.
    pub fn take_damage(&mut self) -> bool {
        std::mem::take(&mut self.damaged)
    }

    /// Its connection is ended at once, though this process goes on.
    pub fn shut(&mut self) {
        self.socket.shut();
    }

    /// Takes what it has said that plays a world: each event of telnet is given with its machine and what goes out to it. One read
    /// at the most; gives whether there was one, or a part of it.
    pub fn take_played(&mut self, each: impl FnMut(&mut Telnet, Event<'_>, &mut Vec<u8>)) -> bool {
        if !self.has_unread() && (!self.socket.is_readable() || !self.socket.read()) {
            return false;
        }
        let mut unread = self.socket.unread();
        let came = !unread.is_empty();
        let opened = self.kept.stack.open_playing(&mut unread, each);
        let left = unread.len();
        self.socket.leaves(left);
        if came {
            let now = Instant::now();
            self.kept.contact.last_input = now;
            self.kept.contact.last_line = now.into();
        }
        if matches!(opened, Opened::Closed | Opened::Broken) {
            self.close_reading(opened);
        }
        true
    }

    /// Whether it may have said something that was not looked at.
    pub fn may_have_said(&self) -> bool {
        self.socket.is_readable() || self.has_unread()
    }

    fn has_unread(&self) -> bool {
        self.kept.stack.has_unread() || !self.socket.unread().is_empty()
    }

    /// Whether it has closed its end, and all that it said was looked at.
    pub fn is_over(&self) -> bool {
        self.socket.is_closed() && !self.has_unread()
    }

    /// How the last write has gone.
    pub fn flushed(&self) -> Flushed {
        self.flushed
    }

    /// Writes what waits; see [`Peer::flushed`].
    pub fn flush(&mut self, registry: &Registry, limits: &Limits) {
        self.kept.stack.end_turn();
        let out = self.kept.stack.out();
        let waited = out.rest().len();
        self.flushed = self.socket.flush(out, registry, CLIENT);
        if out.rest().len() < waited {
            self.kept.contact.has_written(limits);
        }
    }

    /// Reads what nobody will look at, before the end.
    pub fn pass_over_rest(&mut self) {
        self.socket.pass_over_rest();
    }

    /// Ends the connection, while this process goes on: what was not written is not.
    ///
    /// # Errors
    /// The kernel's: it stands as before.
    pub fn hang_up(&mut self, registry: &Registry) -> io::Result<()> {
        self.kept.stack.out().clear();
        self.flushed = Flushed::All;
        self.socket.hang_up(registry)
    }

    /// Whether its machine does not answer any more.
    pub fn has_vanished(&self) -> bool {
        self.vanished
    }

    /// When it is to be looked after.
    pub fn due_at(&self, limits: &Limits) -> Option<Instant> {
        self.kept.contact.due_at(limits, self.kept.stack.speaks_telnet())
    }

    /// Looks after it, if it is time; gives whether it was.
    pub fn look_after(&mut self, now: Instant, limits: &Limits) -> bool {
        let telnet = self.kept.stack.speaks_telnet();
        let looked = self.kept.contact.look_after(self.socket.as_stream(), now, limits, telnet);
        match looked {
            Looked::NotDue | Looked::There => {}
            Looked::KeepAlive => self.kept.stack.signal(|speech, out| speech.keep_alive(out)),
            Looked::Vanished => {
                self.kept.stack.out().clear();
                self.vanished = true;
            }
        }
        looked != Looked::NotDue
    }

    /// Whether nothing was begun with it that only this process can go on with.
    pub fn is_quiet(&self) -> bool {
        let Peer { socket, kept: Kept { stack, contact: _ }, flushed: _, vanished, damaged } = self;
        stack.is_quiet() && socket.unread().is_empty() && !socket.is_closed() && !vanished && !damaged
    }
}
