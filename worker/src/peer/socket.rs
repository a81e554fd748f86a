//! A peer's socket: reading into one buffer, writing out of one queue. Runs in a worker.

use super::outbox::Outbox;
use mio::net::TcpStream;
use mio::{Registry, Token};
use ssmglobal_sys::Writable;
use std::io::{self, Read, Write};

/// Bytes that the first reads take: most clients never say more at once …
const FIRST_READ: usize = 1 << 10;

/// … and those do that fill it.
const READ: usize = 16 << 10;

/// How a write has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// Nothing waits any more.
    All,
    /// The rest goes when the other side reads.
    Part,
    /// The other side has not read for too long: more waits than may.
    TooMuch,
    /// The other side is gone.
    Gone,
}

/// The socket.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// The most bytes that may wait for one who does not read.
    limit: usize,
    readable: bool,
    ended: bool,
    closed: bool,
    buffer: Box<[u8]>,
    /// Where in the buffer stands what was read and not used yet.
    unread: std::ops::Range<usize>,
    writable: Writable,
    reading: usize,
}

impl Socket {
    /// Takes over a socket, which is non-blocking; `limit` bytes may wait for one who does not read.
    pub fn new(stream: TcpStream, limit: usize) -> Socket {
        Socket {
            stream,
            limit,
            readable: false,
            ended: false,
            closed: false,
            buffer: Box::default(),
            unread: 0..0,
            writable: Writable::default(),
            reading: FIRST_READ,
        }
    }

    /// For the kernel, and the event loop.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// For the kernel.
    pub fn as_stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The event loop has told of it: there may be something to read, and the other side may have closed its end behind that.
    pub fn has_event(&mut self, readable: bool, ended: bool) {
        self.readable |= readable;
        self.ended |= ended;
    }

    /// Whether there may be something to read.
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// Whether the other side has closed its end, and all that it said was read.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Nothing further is read: the other side has said, in the words of a layer, that it is done.
    pub fn close_reading(&mut self) {
        (self.closed, self.readable, self.unread) = (true, false, 0..0);
    }

    /// Ends the connection.
    pub fn shut(&mut self) {
        // It may have ended already.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// What was read and not used.
    pub fn unread(&self) -> &[u8] {
        self.buffer.get(self.unread.clone()).unwrap_or_default()
    }

    /// All of it was used but so many bytes.
    pub fn leaves(&mut self, count: usize) {
        self.unread.start = self.unread.end.saturating_sub(count);
    }

    /// Reads once, when all that was read before is used. False when there is nothing (any more): see
    /// [`Socket::is_readable`] and [`Socket::is_closed`].
    pub fn read(&mut self) -> bool {
        if self.buffer.len() < self.reading {
            self.buffer = vec![0; self.reading].into_boxed_slice();
        }
        loop {
            match self.stream.read(&mut self.buffer) {
                Ok(0) => {
                    self.closed = true;
                    self.readable = false;
                    return false;
                }
                Ok(count) => {
                    let full = count == self.buffer.len();
                    // A read that was not full has emptied the socket; that the other side has closed is seen by one more.
                    self.readable = full || self.ended;
                    if full {
                        self.reading = READ;
                    }
                    self.unread = 0..count;
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.readable = false;
                    self.closed |= error.kind() != io::ErrorKind::WouldBlock;
                    return false;
                }
            }
        }
    }

    /// Reads what has come and nobody will look at: the kernel answers what is left there with a reset, over which the
    /// other side might not see the last words.
    pub fn pass_over_rest(&mut self) {
        const MOST: usize = 1 << 20;
        let mut count = 0;
        while self.readable && count < MOST && self.read() {
            count += self.unread().len();
        }
        self.unread = 0..0;
    }

    /// Closes the socket, in whose place one stands that is closed. What was said before is on its way.
    ///
    /// # Errors
    /// The kernel's: nothing has changed.
    pub fn hang_up(&mut self, registry: &Registry) -> io::Result<()> {
        let (closed, _) = ssmglobal_sys::link_pair()?;
        self.pass_over_rest();
        registry.deregister(&mut self.stream)?;
        self.stream = TcpStream::from_std(std::net::TcpStream::from(closed));
        self.writable = Writable::default();
        self.close_reading();
        Ok(())
    }

    /// Writes what waits. What does not fit goes when `registry` tells under `token` that there is room.
    pub fn flush(&mut self, out: &mut Outbox, registry: &Registry, token: Token) -> Flushed {
        let flushed = self.write(out);
        match self.writable.watch(flushed == Flushed::Part, registry, &mut self.stream, token) {
            Ok(()) => flushed,
            Err(_) => Flushed::Gone,
        }
    }

    fn write(&mut self, out: &mut Outbox) -> Flushed {
        while !out.is_empty() {
            match self.stream.write(out.rest()) {
                Ok(count) => out.has_written(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    out.compact();
                    return if out.rest().len() > self.limit { Flushed::TooMuch } else { Flushed::Part };
                }
                Err(_) => return Flushed::Gone,
            }
        }
        Flushed::All
    }
}
