//! Relay channels that this game server has joined: messages come from a ring in shared memory, those from before the
//! join from the handler. Runs in a worker.

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use ssmglobal_ipc::{RelayFetch, RelayFetched, RelayJoined, json};
use ssmglobal_sys::ring;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// One channel.
#[derive(Debug)]
struct Joined {
    name: String,
    ring: ring::Reader,
    wake: OwnedFd,
    token: Token,
    /// The last number that the client has, or knows to be gone.
    last: u64,
    /// Kept messages up to this number come before the ring's.
    upto: u64,
}

/// All channels of this session.
#[derive(Debug, Default)]
pub struct Relay {
    joined: Vec<Joined>,
    next_token: usize,
    buffer: Vec<u8>,
    /// The client was too slow; the rings are looked at again when it has read.
    pub waits: bool,
}

/// Ring tokens count from here.
pub const FIRST_RING: usize = 16;

impl Relay {
    /// The handler has let this session on a channel. `since` is what the client said it has. Gives what to ask for
    /// before the ring is read, if anything.
    ///
    /// # Errors
    /// The kernel's, or descriptors that are not a ring; the channel is not joined then.
    pub fn join(
        &mut self,
        reply: &RelayJoined,
        since: Option<u64>,
        fds: (OwnedFd, OwnedFd),
        registry: &Registry,
    ) -> io::Result<Option<RelayFetch>> {
        let (memory, wake) = fds;
        if self.joined.iter().any(|joined| joined.name == reply.channel) {
            return Ok(None);
        }
        let ring = ring::Reader::new(&memory, reply.position)?;
        let token = Token(FIRST_RING + self.next_token);
        self.next_token += 1;
        registry.register(&mut SourceFd(&wake.as_raw_fd()), token, Interest::READABLE)?;
        let last = match since {
            Some(since) if reply.waiting > 0 => since + reply.missed,
            _ => reply.number,
        };
        let (name, upto) = (reply.channel.clone(), reply.number);
        self.joined.push(Joined { name, ring, wake, token, last, upto });
        Ok(self.joined.last().and_then(Joined::fetch))
    }

    /// All channels, each with the last number that the client has.
    /// They are silent until [`Relay::rejoin`].
    pub fn pause(&mut self) -> Vec<(String, u64)> {
        let channels = self.joined.iter_mut().map(|joined| {
            joined.upto = u64::MAX;
            (joined.name.clone(), joined.last)
        });
        channels.collect()
    }

    /// A channel goes on by another ring. What the client has not got meanwhile is asked for, or told to be missing.
    ///
    /// # Errors
    /// As [`Relay::join`].
    pub fn rejoin(
        &mut self,
        reply: &RelayJoined,
        fds: (OwnedFd, OwnedFd),
        registry: &Registry,
        out: &mut Vec<u8>,
    ) -> io::Result<Option<RelayFetch>> {
        let (memory, wake) = fds;
        let Some(joined) = self.joined.iter_mut().find(|joined| joined.name == reply.channel) else { return Ok(None) };
        joined.ring = ring::Reader::new(&memory, reply.position)?;
        registry.register(&mut SourceFd(&wake.as_raw_fd()), joined.token, Interest::READABLE)?;
        // It is closed in the next moment anyway.
        let _ = registry.deregister(&mut SourceFd(&joined.wake.as_raw_fd()));
        joined.wake = wake;
        if reply.missed > 0 {
            missed(out, &joined.name, reply.missed);
            joined.last += reply.missed;
        }
        if reply.waiting == 0 {
            joined.last = reply.number;
        }
        joined.upto = reply.number;
        Ok(joined.fetch())
    }

    /// The session has left a channel, by the name it was joined by, in any case; gives whether it was on it.
    pub fn leave(&mut self, name: &str, registry: &Registry) -> bool {
        let before = self.joined.len();
        self.joined.retain(|joined| {
            let stays = !joined.name.eq_ignore_ascii_case(name);
            if !stays {
                // It is closed in the next moment anyway.
                let _ = registry.deregister(&mut SourceFd(&joined.wake.as_raw_fd()));
            }
            stays
        });
        self.joined.len() < before
    }

    /// Out of all channels.
    pub fn leave_all(&mut self, registry: &Registry) {
        for joined in self.joined.drain(..) {
            let _ = registry.deregister(&mut SourceFd(&joined.wake.as_raw_fd()));
        }
    }

    /// Kept messages have come; appends their lines. Gives what to ask for next.
    pub fn fetched(&mut self, channel: &str, reply: &RelayFetched, out: &mut Vec<u8>) -> Option<RelayFetch> {
        let joined = self.joined.iter_mut().find(|joined| joined.name == channel)?;
        if reply.missed > 0 {
            missed(out, &joined.name, reply.missed);
        }
        for (number, line) in &reply.lines {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
            joined.last = *number;
        }
        if reply.lines.is_empty() {
            joined.last = joined.upto;
        }
        joined.fetch()
    }

    /// The channel of a token has something new.
    pub fn read(&mut self, token: Token, me: u64, out: &mut Vec<u8>) {
        let buffer = &mut self.buffer;
        if let Some(joined) = self.joined.iter_mut().find(|joined| joined.token == token) {
            joined.read(me, buffer, out);
        }
    }

    /// Any channel may have something new.
    pub fn read_all(&mut self, me: u64, out: &mut Vec<u8>) {
        self.waits = false;
        for joined in &mut self.joined {
            joined.read(me, &mut self.buffer, out);
        }
    }
}

impl Joined {
    /// What is still to be asked for.
    fn fetch(&self) -> Option<RelayFetch> {
        let (after, upto) = (self.last, self.upto);
        (after < upto).then(|| RelayFetch { channel: self.name.clone(), after, upto })
    }

    fn read(&mut self, me: u64, buffer: &mut Vec<u8>, out: &mut Vec<u8>) {
        if self.last < self.upto {
            return;
        }
        let (name, last) = (&self.name, &mut self.last);
        self.ring.read(buffer, |entry| {
            let gone = entry.number.saturating_sub(*last + 1);
            if gone > 0 {
                missed(out, name, gone);
            }
            *last = entry.number;
            if entry.sender != me {
                out.extend_from_slice(entry.text);
                out.extend_from_slice(b"\r\n");
            }
        });
    }
}

fn missed(out: &mut Vec<u8>, channel: &str, count: u64) {
    json::put_missed(out, channel, count);
    out.extend_from_slice(b"\r\n");
}
