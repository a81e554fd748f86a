//! The client's socket: reading into one buffer, writing out of one queue. Runs in a worker.

use mio::net::TcpStream;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

/// Bytes that one read takes.
const READ: usize = 8 << 10;

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
    limit: usize,
    /// There may be something to read.
    pub readable: bool,
    /// It has closed its end.
    pub closed: bool,
    buffer: Box<[u8]>,
}

impl Client {
    /// Takes over the socket; `limit` bytes may wait for a client that does not read.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(fd: OwnedFd, limit: usize) -> io::Result<Client> {
        let stream = std::net::TcpStream::from(fd);
        stream.set_nonblocking(true)?;
        // A client that is gone already is seen at the first read.
        let _ = stream.set_nodelay(true);
        let stream = TcpStream::from_std(stream);
        let (out, buffer) = (Vec::new(), Box::default());
        Ok(Client { stream, out, sent: 0, limit, readable: false, closed: false, buffer })
    }

    /// Whether so much waits to go out that no further request should be taken.
    pub fn is_slow(&self) -> bool {
        self.out.len() - self.sent > SLOW
    }

    /// Gives the buffer away for as long as it is worked on; see [`Client::put_back`].
    pub fn take_buffer(&mut self) -> Box<[u8]> {
        match self.buffer.is_empty() {
            true => vec![0; READ].into_boxed_slice(),
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
                    // A read that was not full has emptied the socket, except when the client has closed, which is
                    // then to be seen by one more.
                    self.readable = count == buffer.len() || self.closed;
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

    /// Writes what waits.
    pub fn flush(&mut self) -> Sent {
        while let Some(rest) = self.out.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let waiting = self.out.len() - self.sent;
                    // Only a multiple of the rest is worth moving it.
                    if self.sent > waiting {
                        self.out.drain(..self.sent);
                        self.sent = 0;
                    }
                    return if waiting > self.limit { Sent::TooMuch } else { Sent::Some };
                }
                Err(_) => return Sent::Gone,
            }
        }
        self.out.clear();
        self.sent = 0;
        if self.out.capacity() > 2 * SLOW {
            self.out = Vec::new();
        }
        Sent::All
    }
}
