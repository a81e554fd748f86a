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
    /// Channels that the worker before this one was on, with the last number that the client has: they go on with
    /// [`Relay::rejoin`].
    expected: Vec<(String, u64)>,
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
        let last = match since {
            Some(since) if reply.waiting > 0 => since + reply.missed,
            _ => reply.number,
        };
        let ring = ring::Reader::new(&memory, reply.position)?;
        let (name, upto) = (reply.channel.clone(), reply.number);
        let joined = Joined { name, ring, wake, token: Token(0), last, upto };
        let fetch = joined.fetch();
        self.add(joined, registry).map(|()| fetch)
    }

    /// Goes on with a channel of the worker before this one.
    pub fn expect(&mut self, name: String, last: u64) {
        self.expected.push((name, last));
    }

    /// Whether every channel goes on by its ring, and what was read from there is what the client has.
    pub fn is_settled(&self) -> bool {
        !self.waits && self.expected.is_empty() && self.joined.iter().all(|joined| joined.last >= joined.upto)
    }

    /// All channels, each with the last number that the client has.
    pub fn channels(&self) -> impl Iterator<Item = (&str, u64)> {
        let expected = self.expected.iter().map(|(name, last)| (name.as_str(), *last));
        self.joined.iter().map(|joined| (joined.name.as_str(), joined.last)).chain(expected)
    }

    /// All channels, each with the last number that the client has.
    /// They are silent until [`Relay::rejoin`].
    pub fn pause(&mut self) -> Vec<(String, u64)> {
        self.joined.iter_mut().for_each(|joined| joined.upto = u64::MAX);
        self.channels().map(|(name, last)| (name.to_owned(), last)).collect()
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
        if let Some(index) = self.expected.iter().position(|(name, _)| *name == reply.channel) {
            let (name, last) = self.expected.swap_remove(index);
            let ring = ring::Reader::new(&memory, reply.position)?;
            let mut joined = Joined { name, ring, wake, token: Token(0), last, upto: last };
            let fetch = joined.go_on(reply, out);
            return self.add(joined, registry).map(|()| fetch);
        }
        let Some(joined) = self.joined.iter_mut().find(|joined| joined.name == reply.channel) else { return Ok(None) };
        joined.ring = ring::Reader::new(&memory, reply.position)?;
        registry.register(&mut SourceFd(&wake.as_raw_fd()), joined.token, Interest::READABLE)?;
        // It is closed in the next moment anyway.
        let _ = registry.deregister(&mut SourceFd(&joined.wake.as_raw_fd()));
        joined.wake = wake;
        Ok(joined.go_on(reply, out))
    }

    fn add(&mut self, mut joined: Joined, registry: &Registry) -> io::Result<()> {
        joined.token = Token(FIRST_RING + self.next_token);
        self.next_token += 1;
        registry.register(&mut SourceFd(&joined.wake.as_raw_fd()), joined.token, Interest::READABLE)?;
        self.joined.push(joined);
        Ok(())
    }

    /// The session has left a channel, by the name it was joined by, in any case; gives whether it was on it.
    pub fn leave(&mut self, name: &str, registry: &Registry) -> bool {
        let before = self.joined.len() + self.expected.len();
        self.expected.retain(|(expected, _)| !expected.eq_ignore_ascii_case(name));
        self.joined.retain(|joined| {
            let stays = !joined.name.eq_ignore_ascii_case(name);
            if !stays {
                // It is closed in the next moment anyway.
                let _ = registry.deregister(&mut SourceFd(&joined.wake.as_raw_fd()));
            }
            stays
        });
        self.joined.len() + self.expected.len() < before
    }

    /// Out of all channels.
    pub fn leave_all(&mut self, registry: &Registry) {
        self.expected.clear();
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
    /// Another ring takes the place of the one before. What the client has not got meanwhile is asked for, or told to be
    /// missing.
    fn go_on(&mut self, reply: &RelayJoined, out: &mut Vec<u8>) -> Option<RelayFetch> {
        if reply.missed > 0 {
            missed(out, &self.name, reply.missed);
            self.last += reply.missed;
        }
        if reply.waiting == 0 {
            self.last = reply.number;
        }
        self.upto = reply.number;
        self.fetch()
    }

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
