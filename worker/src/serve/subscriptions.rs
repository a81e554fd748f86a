//! What the client listens to, boards, properties and relay channels alike, and how far it has heard: the one list that every handler is
//! told of, and the worker that goes on with the session. Runs in a worker.
//!
//! News of a board and of properties come by themselves. Messages on a channel come from a ring in shared memory, which the answer to a RELAY
//! JOIN brings; those from before the join come from the handler. What everybody sees of a list comes from a ring as well, or over the
//! link: the position of the client tells what of it is new for him.

mod lists;

pub use lists::Novelty;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Position, RelayFetch, RelayFetched, RelayJoin, RelayJoined, Subscription, Topic, json};
use ssmglobal_sys::ring;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// Ring tokens count from here.
pub const FIRST_RING: usize = 16;

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

    /// The channel of a token has something new. `me` is this session, whose own messages are left out.
    pub fn read(&mut self, token: Token, me: u64, out: &mut Vec<u8>) {
        let is_it = |entry: &&mut Entry| entry.ring.as_ref().is_some_and(|ring| ring.token == token);
        if let Some(entry) = self.list.iter_mut().find(is_it) {
            entry.read(me, &mut self.buffer, out);
        }
    }

    /// Any channel may have something new.
    pub fn read_all(&mut self, me: u64, out: &mut Vec<u8>) {
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

    fn read(&mut self, me: u64, buffer: &mut Vec<u8>, out: &mut Vec<u8>) {
        let Subscription { topic: Topic::Channel(name), cursor } = &mut self.subscription else { return };
        let Some(ring) = self.ring.as_mut().filter(|ring| cursor.number >= ring.upto) else { return };
        ring.reader.read(buffer, |entry| {
            let gone = entry.number.saturating_sub(cursor.number.saturating_add(1));
            if gone > 0 {
                missed(out, name, cursor.epoch, Some(gone));
            }
            cursor.number = entry.number;
            if entry.sender != me {
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

#[cfg(test)]
mod tests {
    use super::*;
    use mio::Poll;
    use ssmglobal_ipc::List;
    use std::os::unix::net::UnixStream;

    fn board(name: &str) -> Subscription {
        Subscription { topic: Topic::Board(name.into()), cursor: Position::default() }
    }

    fn channel(name: &str, number: u64) -> Subscription {
        Subscription { topic: Topic::Channel(name.into()), cursor: Position { epoch: 5, number } }
    }

    fn of(holder: &str) -> Subscription {
        let topic = Topic::Properties(ssmglobal_ipc::Party::parse(holder));
        Subscription { topic, cursor: Position::default() }
    }

    fn list(subscriptions: &Subscriptions) -> Vec<Subscription> {
        subscriptions.iter().cloned().collect()
    }

    /// A handler's end of a channel.
    struct Channel {
        writer: ring::Writer,
        epoch: u64,
        number: u64,
        _wake: Vec<UnixStream>,
    }

    impl Channel {
        fn at(epoch: u64, number: u64) -> Channel {
            Channel { writer: ring::Writer::new().unwrap(), epoch, number, _wake: Vec::new() }
        }

        fn send(&mut self, sender: u64) {
            self.number += 1;
            assert!(self.writer.push(sender, self.number, format!("message {}", self.number).as_bytes()));
        }

        /// The answer to whoever is told that so many are missed, behind a number.
        fn joined(&mut self, behind: u64, missed: u64, waiting: u64) -> (RelayJoined, (OwnedFd, OwnedFd)) {
            let (ours, theirs) = UnixStream::pair().unwrap();
            self._wake.push(ours);
            let fds = (self.writer.fd().try_clone_to_owned().unwrap(), theirs.into());
            let (channel, position) = ("Lobby".to_owned(), self.writer.position());
            let Channel { epoch, number, .. } = *self;
            let unknown = false;
            (RelayJoined { channel, number, missed, waiting, position, epoch, behind, unknown }, fds)
        }
    }

    #[test]
    fn everything_is_there_once_in_any_case_and_ends_with_whom_it_belongs_to() {
        let (poll, mut all) = (Poll::new().unwrap(), Subscriptions::default());
        for subscription in
            [board("Sprint"), channel("sprint", 7), board("SPRINT"), board("other"), of("Zoë"), of("ZOË")]
        {
            all.add(subscription);
        }
        assert_eq!(list(&all), [board("Sprint"), channel("sprint", 7), board("other"), of("Zoë")]);
        assert!(!all.is_quiet(), "a channel without its ring");
        assert!(!all.remove(&Topic::Channel("other".into()), poll.registry()));
        assert!(!all.remove(&of("world:Zoë").topic, poll.registry()));
        assert!(all.remove(&Topic::Board("OTHER".into()), poll.registry()));
        all.lose_identity(poll.registry());
        assert_eq!(list(&all), [board("Sprint"), of("Zoë")]);
        assert!(all.is_quiet() && all.pause().is_empty());
    }

    #[test]
    fn how_far_a_list_has_come_is_known_where_it_is_watched() {
        let (poll, mut all) = (Poll::new().unwrap(), Subscriptions::default());
        let at = |number| Position { epoch: 7, number };
        all.came_to(List::Users, at(3));
        assert!(all.is_empty());
        let subscription = |topic, number| Subscription { topic, cursor: at(number) };
        all.add(subscription(Topic::Worlds, 1));
        all.add(subscription(Topic::Users, 1));
        all.came_to(List::Users, at(3));
        all.lose_identity(poll.registry());
        assert_eq!(list(&all), [subscription(Topic::Worlds, 1), subscription(Topic::Users, 3)]);
        assert!(all.is_quiet() && all.pause().is_empty());
    }

    #[test]
    fn a_channel_goes_on_by_another_ring_behind_what_the_client_has() {
        let (poll, mut all, mut out) = (Poll::new().unwrap(), Subscriptions::default(), Vec::new());
        let registry = poll.registry();
        let said = |out: &mut Vec<u8>| String::from_utf8(std::mem::take(out)).unwrap();
        let mut first = Channel::at(5, 4);
        let (joined, fds) = first.joined(2, 1, 2);
        let fetch = all.join(&joined, Some(1), fds, registry).unwrap().unwrap();
        assert_eq!((&*fetch.channel, fetch.epoch, fetch.after, fetch.upto), ("Lobby", 5, 2, 4));
        first.send(9);
        all.read_all(1, &mut out);
        assert_eq!(said(&mut out), "", "what was kept comes first");
        let lines = vec![(3, "three".to_owned()), (4, "four".to_owned())];
        assert!(all.fetched("Lobby", &RelayFetched { lines, missed: 0 }, &mut out).is_none());
        first.send(1);
        all.read_all(1, &mut out);
        assert_eq!(said(&mut out), "three\r\nfour\r\nmessage 5\r\n");
        assert_eq!(list(&all), [channel("Lobby", 6)]);

        // The next handler goes on with its numbers.
        let asked = all.pause();
        assert_eq!(asked, [RelayJoin { channel: "Lobby".into(), since: Some(6), epoch: Some(5) }]);
        first.send(9);
        all.read_all(1, &mut out);
        assert_eq!((said(&mut out).as_str(), all.is_quiet()), ("", false));
        let mut second = Channel::at(5, 9);
        let (joined, fds) = second.joined(9, 3, 0);
        assert!(all.rejoin(&joined, fds, registry, &mut out).unwrap().is_none());
        second.send(9);
        all.read_all(1, &mut out);
        let missed = "{\"event\": \"relay\", \"channel\": \"Lobby\", \"epoch\": 5, \"missed\": 3}";
        assert_eq!(said(&mut out), format!("{missed}\r\nmessage 10\r\n"));
        assert_eq!((list(&all), all.is_quiet()), (vec![channel("Lobby", 10)], true));

        // So does a worker that has only the list, and one that is asked to leave is on it until then.
        let mut next = Subscriptions::default();
        list(&all).into_iter().for_each(|subscription| next.add(subscription));
        assert_eq!(next.pause(), [RelayJoin { channel: "Lobby".into(), since: Some(10), epoch: Some(5) }]);
        let (joined, fds) = second.joined(10, 0, 0);
        assert!(next.rejoin(&joined, fds, registry, &mut out).unwrap().is_none());
        second.send(9);
        next.read_all(1, &mut out);
        assert_eq!(said(&mut out), "message 11\r\n");
        assert!(next.remove(&Topic::Channel("LOBBY".into()), registry));
        let (joined, fds) = second.joined(11, 0, 0);
        assert!(next.rejoin(&joined, fds, registry, &mut out).unwrap().is_none());
        assert!(list(&next).is_empty() && out.is_empty());
    }

    #[test]
    fn a_channel_that_was_made_anew_is_told_from_the_one_before() {
        let (poll, mut all, mut out) = (Poll::new().unwrap(), Subscriptions::default(), Vec::new());
        let registry = poll.registry();
        all.add(channel("Lobby", 1006));
        // The next handler knows nothing of it, and has a longer story of its own already.
        let mut anew = Channel::at(6, 2009);
        let (joined, fds) = anew.joined(2007, 0, 2);
        let joined = RelayJoined { unknown: true, ..joined };
        let fetch = all.rejoin(&joined, fds, registry, &mut out).unwrap().unwrap();
        assert_eq!((fetch.epoch, fetch.after, fetch.upto), (6, 2007, 2009));
        let lines = vec![(2008, "eight".to_owned()), (2009, "nine".to_owned())];
        assert!(all.fetched("Lobby", &RelayFetched { lines, missed: 0 }, &mut out).is_none());
        let missed = "{\"event\": \"relay\", \"channel\": \"Lobby\", \"epoch\": 6, \"missed\": null}";
        assert_eq!(String::from_utf8(out).unwrap(), format!("{missed}\r\neight\r\nnine\r\n"));
        let cursor = Position { epoch: 6, number: 2009 };
        assert_eq!(list(&all), [Subscription { topic: Topic::Channel("Lobby".into()), cursor }]);
        // Where nothing is kept there is nothing to ask for.
        let mut empty = Channel::at(7, 3000);
        let (joined, fds) = empty.joined(3000, 0, 0);
        let joined = RelayJoined { unknown: true, ..joined };
        assert!(all.rejoin(&joined, fds, registry, &mut Vec::new()).unwrap().is_none());
        assert_eq!(list(&all)[0].cursor, Position { epoch: 7, number: 3000 });
    }

    #[test]
    fn an_older_handler_knows_no_epochs() {
        let (poll, mut all) = (Poll::new().unwrap(), Subscriptions::default());
        let mut old = Channel::at(0, 4);
        let (joined, fds) = old.joined(0, 1, 2);
        let fetch = all.join(&joined, Some(1), fds, poll.registry()).unwrap().unwrap();
        assert_eq!((fetch.epoch, fetch.after, fetch.upto), (0, 2, 4));
    }
}
