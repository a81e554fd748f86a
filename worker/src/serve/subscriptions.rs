//! What the client listens to, boards, properties and relay channels alike, and how far it has heard: the one list that every handler is
//! told of, and the worker that goes on with the session. Runs in a worker.
//!
//! News of a board and of properties come by themselves. Messages on a channel come from a ring in shared memory, which the answer to a RELAY
//! JOIN brings; those from before the join come from the handler. What everybody sees of a list comes from a ring as well, or over the
//! link: the position of the client tells what of it is new for him.

mod lists;
#[cfg(test)]
mod tests;

pub use lists::Novelty;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Position, RelayFetch, RelayFetched, RelayJoin, RelayJoined, Subscription, Topic, json};
use ssmglobal_sys::ring;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// Ring tokens count from here.
pub const FIRST_RING: usize = 32;

/// Where the messages on a channel come from.
#[derive(Debug)]
struct Ring {
    reader: ring::Reader,
    wake: OwnedFd,
    token: Token,
    /// Kept messages up to this number come before the ring's.
    upto: u64,
}

/// One thing that the client listens to.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// The cursor's number is the last one that the client has, or knows to be gone.
    subscription: Subscription,
    /// Of a channel or a list; a worker that goes on with one has to ask for it.
    #[serde(skip)]
    ring: Option<Ring>,
}

/// All that the client listens to.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscriptions {
    list: Vec<Entry>,
    /// Of the next ring; of this process's event loop.
    #[serde(skip)]
    next_token: usize,
    /// Room for what is read.
    #[serde(skip)]
    buffer: Vec<u8>,
    /// The client was too slow; the rings are looked at again when it has read. Quiet is only who waits for no client.
    #[serde(skip)]
    pub waits: bool,
}

/// Whether a client listens to it only as long as it is who it is.
fn ends_with_identity(topic: &Topic) -> bool {
    match topic {
        Topic::Board(_) | Topic::Universe | Topic::Properties(_) | Topic::Worlds | Topic::Users => false,
        Topic::Channel(_) => true,
    }
}

impl Subscriptions {
    /// All of them, each with how far the client has heard.
    pub fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.list.iter().map(|entry| &entry.subscription)
    }

    /// Whether the client listens to nothing.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The client listens to it from now on, if it does not already.
    pub fn add(&mut self, subscription: Subscription) {
        if !self.iter().any(|other| other.topic.is(&subscription.topic)) {
            self.list.push(Entry { subscription, ring: None });
        }
    }

    /// The client does not listen to it any more; gives whether it did.
    pub fn remove(&mut self, topic: &Topic, registry: &Registry) -> bool {
        let before = self.list.len();
        self.retain(|other| !other.is(topic), registry);
        self.list.len() < before
    }

    /// The client is another one now.
    pub fn lose_identity(&mut self, registry: &Registry) {
        self.retain(|topic| !ends_with_identity(topic), registry);
    }

    fn retain(&mut self, stays: impl Fn(&Topic) -> bool, registry: &Registry) {
        self.list.retain_mut(|entry| {
            let stays = stays(&entry.subscription.topic);
            if !stays {
                entry.replace_ring(None, registry);
            }
            stays
        });
    }

    /// Whether every channel goes on by its ring, and what was read from there is what the client has.
    pub fn is_quiet(&self) -> bool {
        let Subscriptions { list, next_token: _, buffer: _, waits } = self;
        !waits && list.iter().all(Entry::is_settled)
    }

    fn channel(&mut self, name: &str) -> Option<&mut Entry> {
        self.list.iter_mut().find(|entry| entry.channel().is_some_and(|other| other.eq_ignore_ascii_case(name)))
    }

    /// The handler has let the client on a channel. `since` is what the client said it has. Gives what to ask for before
    /// the ring is read, if anything.
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
        if self.channel(&reply.channel).is_some() {
            return Ok(None);
        }
        let ring = self.ring(reply.position, reply.number, fds, registry)?;
        let cursor = Position { epoch: reply.epoch, number: since.unwrap_or_default() };
        let subscription = Subscription { topic: Topic::Channel(reply.channel.clone()), cursor };
        let mut entry = Entry { subscription, ring: Some(ring) };
        let fetch = entry.go_on(reply);
        self.list.push(entry);
        Ok(fetch)
    }

    /// What to ask for the rings of all channels. They are silent until [`Subscriptions::rejoin`].
    pub fn pause(&mut self) -> Vec<RelayJoin> {
        let join = |entry: &mut Entry| {
            let channel = entry.channel()?.to_owned();
            if let Some(ring) = &mut entry.ring {
                ring.upto = u64::MAX;
            }
            let Position { epoch, number } = entry.subscription.cursor;
            Some(RelayJoin { channel, since: Some(number), epoch: Some(epoch) })
        };
        self.list.iter_mut().filter_map(join).collect()
    }

    /// A channel goes on by another ring. What the client has not got meanwhile is asked for, or told to be missing.
    ///
    /// # Errors
    /// As [`Subscriptions::join`]; the channel stays without a ring then.
    pub fn rejoin(
        &mut self,
        reply: &RelayJoined,
        fds: (OwnedFd, OwnedFd),
        registry: &Registry,
        out: &mut Vec<u8>,
    ) -> io::Result<Option<RelayFetch>> {
        if self.channel(&reply.channel).is_none() {
            return Ok(None);
        }
        let ring = self.ring(reply.position, reply.number, fds, registry)?;
        let Some(entry) = self.channel(&reply.channel) else { return Ok(None) };
        entry.replace_ring(Some(ring), registry);
        if reply.missed() != Some(0) {
            missed(out, &reply.channel, reply.epoch, reply.missed());
        }
        Ok(entry.go_on(reply))
    }

    fn ring(&mut self, position: u64, upto: u64, fds: (OwnedFd, OwnedFd), registry: &Registry) -> io::Result<Ring> {
        let (memory, wake) = fds;
        let reader = ring::Reader::new(&memory, position)?;
        let token = Token(FIRST_RING + self.next_token);
        self.next_token += 1;
        registry.register(&mut SourceFd(&wake.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Ring { reader, wake, token, upto })
    }

    /// Kept messages have come; appends their lines. Gives what to ask for next.
    pub fn fetched(&mut self, channel: &str, reply: &RelayFetched, out: &mut Vec<u8>) -> Option<RelayFetch> {
        let entry = self.channel(channel)?;
        if reply.missed > 0 {
            missed(out, channel, entry.subscription.cursor.epoch, Some(reply.missed));
        }
        let last = &mut entry.subscription.cursor.number;
        for (number, line) in &reply.lines {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
            *last = *number;
        }
        if let (true, Some(ring)) = (reply.lines.is_empty(), &entry.ring) {
            *last = ring.upto;
        }
        entry.fetch()
    }

    /// The channel of a token has something new. `me` is the game server, whose own messages are left out: those of other connections
    /// of its own as well, and so does the handler with what is fetched.
    pub fn read(&mut self, token: Token, me: &str, out: &mut Vec<u8>) {
        let is_it = |entry: &&mut Entry| entry.ring.as_ref().is_some_and(|ring| ring.token == token);
        if let Some(entry) = self.list.iter_mut().find(is_it) {
            entry.read(me, &mut self.buffer, out);
        }
    }

    /// Any channel may have something new.
    pub fn read_all(&mut self, me: &str, out: &mut Vec<u8>) {
        self.waits = false;
        for entry in &mut self.list {
            entry.read(me, &mut self.buffer, out);
        }
    }
}

impl Entry {
    fn channel(&self) -> Option<&str> {
        match &self.subscription.topic {
            Topic::Channel(name) => Some(name),
            Topic::Board(_) | Topic::Universe | Topic::Properties(_) | Topic::Worlds | Topic::Users => None,
        }
    }

    fn is_settled(&self) -> bool {
        match &self.ring {
            Some(ring) => self.subscription.cursor.number >= ring.upto,
            None => self.channel().is_none(),
        }
    }

    fn replace_ring(&mut self, ring: Option<Ring>, registry: &Registry) {
        if let Some(before) = std::mem::replace(&mut self.ring, ring) {
            // It is closed in the next moment anyway.
            let _ = registry.deregister(&mut SourceFd(&before.wake.as_raw_fd()));
        }
    }

    /// What is gone for good is behind the client, and so is everything if nothing waits.
    fn go_on(&mut self, reply: &RelayJoined) -> Option<RelayFetch> {
        let number = match reply.epoch {
            _ if reply.waiting == 0 => reply.number,
            // An older handler leaves it to be counted.
            0 if !reply.unknown => self.subscription.cursor.number.saturating_add(reply.missed),
            _ => reply.behind,
        };
        self.subscription.cursor = Position { epoch: reply.epoch, number };
        self.fetch()
    }

    /// What is still to be asked for.
    fn fetch(&self) -> Option<RelayFetch> {
        let (Position { epoch, number: after }, upto) = (self.subscription.cursor, self.ring.as_ref()?.upto);
        let channel = self.channel().filter(|_| after < upto)?.to_owned();
        Some(RelayFetch { channel, after, upto, epoch })
    }

    fn read(&mut self, me: &str, buffer: &mut Vec<u8>, out: &mut Vec<u8>) {
        let Subscription { topic: Topic::Channel(name), cursor } = &mut self.subscription else { return };
        let Some(ring) = self.ring.as_mut().filter(|ring| cursor.number >= ring.upto) else { return };
        ring.reader.read(buffer, |entry| {
            let gone = entry.number.saturating_sub(cursor.number.saturating_add(1));
            if gone > 0 {
                missed(out, name, cursor.epoch, Some(gone));
            }
            cursor.number = entry.number;
            if !json::is_relay_of(entry.text, me) {
                out.extend_from_slice(entry.text);
                out.extend_from_slice(b"\r\n");
            }
        });
    }
}

fn missed(out: &mut Vec<u8>, channel: &str, epoch: u64, count: Option<u64>) {
    json::put_missed(out, channel, epoch, count);
    out.extend_from_slice(b"\r\n");
}
