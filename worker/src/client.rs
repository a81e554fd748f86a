//! The client's socket: reading into one buffer, writing out of one queue. Runs in a worker.

use mio::net::TcpStream;
use mio::{Registry, Token};
use ssmglobal_sys::Writable;
use std::io::{self, Read, Write};

/// Bytes that the first reads take: most clients never say more at once …
const FIRST_READ: usize = 1 << 10;

/// … and those do that fill it.
const READ: usize = 16 << 10;

/// Bytes that may wait before requests are taken more slowly.
const SLOW: usize = 64 << 10;

/// How a write has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing waits any more.
    All,
    /// The rest goes when the client reads.
    Some,
    /// The client has not read for too long: more waits than may.
    TooMuch,
    /// The client is gone.
    Gone,
}

/// The client.
#[derive(Debug)]
pub struct Client {
    /// For the event loop.
    pub stream: TcpStream,
    /// What goes out; append here.
    pub out: Vec<u8>,
    sent: usize,
    /// How much of `out` was given to the log.
    logged: usize,
    limit: usize,
    /// There may be something to read.
    pub readable: bool,
    /// It has closed its end; there may be something to read in front of that.
    pub ended: bool,
    /// It has closed its end, and all that it said was read.
    pub closed: bool,
    /// Something was written since this was last looked at.
    pub wrote: bool,
    buffer: Box<[u8]>,
    writable: Writable,
    reading: usize,
}

impl Client {
    /// Takes over the socket, which is non-blocking; `limit` bytes may wait for a client that does not read.
    pub fn new(stream: TcpStream, limit: usize) -> Client {
        let (out, buffer, writable) = (Vec::new(), Box::default(), Writable::default());
        Client {
            stream,
            out,
            sent: 0,
            logged: 0,
            limit,
            readable: false,
            ended: false,
            closed: false,
            wrote: false,
            buffer,
            writable,
            reading: FIRST_READ,
        }
    }

    /// It gets nothing more.
    pub fn forget(&mut self) {
        self.out.clear();
        (self.sent, self.logged) = (0, 0);
    }

    /// Whether so much waits to go out that no further request should be taken.
    pub fn is_slow(&self) -> bool {
        self.out.len() - self.sent > SLOW
    }

    /// What is in `out` and was not asked for yet, for the log.
    pub fn not_logged(&mut self) -> String {
        let fresh = self.out.get(self.logged..).unwrap_or_default();
        let text = String::from_utf8_lossy(fresh).into_owned();
        self.logged = self.out.len();
        text
    }

    /// Gives the buffer away for as long as it is worked on; see [`Client::put_back`].
    pub fn take_buffer(&mut self) -> Box<[u8]> {
        match self.buffer.is_empty() {
            true => vec![0; self.reading].into_boxed_slice(),
            false if self.buffer.len() < self.reading => vec![0; self.reading].into_boxed_slice(),
            false => std::mem::take(&mut self.buffer),
        }
    }

    /// Takes the buffer back.
    pub fn put_back(&mut self, buffer: Box<[u8]>) {
        self.buffer = buffer;
    }

    /// Reads once; 0 when there is nothing (any more), see `readable` and `closed`.
    pub fn read(&mut self, buffer: &mut [u8]) -> usize {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => {
                    self.closed = true;
                    self.readable = false;
                    return 0;
                }
                Ok(count) => {
                    // A read that was not full has emptied the socket; that the client has closed is seen by one more.
                    self.readable = count == buffer.len() || self.ended;
                    if count == buffer.len() {
                        self.reading = READ;
                    }
                    return count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.readable = false;
                    self.closed |= error.kind() != io::ErrorKind::WouldBlock;
                    return 0;
                }
            }
        }
    }

    /// Reads what has come and nobody will look at: the kernel answers what is left there with a reset, over which the
    /// client might not see the last words.
    pub fn pass_over_rest(&mut self) {
        const MOST: usize = 1 << 20;
        let (mut buffer, mut count) = (self.take_buffer(), 0);
        while self.readable && count < MOST {
            count += self.read(&mut buffer);
        }
    }

    /// Writes what waits. What does not fit goes when `registry` tells under `token` that there is room.
    pub fn flush(&mut self, registry: &Registry, token: Token) -> Sent {
        let sent = self.write();
        let waits = sent == Sent::Some;
        match self.writable.watch(waits, registry, &mut self.stream, token) {
            Ok(()) => sent,
            Err(_) => Sent::Gone,
        }
    }

    fn write(&mut self) -> Sent {
        while let Some(rest) = self.out.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => {
                    self.sent += count;
                    self.wrote = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let waiting = self.out.len() - self.sent;
                    // Only a multiple of the rest is worth moving it.
                    if self.sent > waiting {
                        self.out.drain(..self.sent);
                        self.logged = self.logged.saturating_sub(self.sent);
                        self.sent = 0;
                    }
                    return if waiting > self.limit { Sent::TooMuch } else { Sent::Some };
                }
                Err(_) => return Sent::Gone,
            }
        }
        self.out.clear();
        self.sent = 0;
        self.logged = 0;
        if self.out.capacity() > 2 * SLOW {
            self.out = Vec::new();
        }
        Sent::All
    }
}
