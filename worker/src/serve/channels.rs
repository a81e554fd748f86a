//! Relay channels: their rings, which come with the answers to RELAY JOIN, and what is fetched before a ring is read. Runs
//! in a worker.

use super::Worker;
use super::upward::Errand;
use mio::Token;
use ssmglobal_ipc::{List, RelayFetch, Reply, Request, Topic};
use std::os::fd::OwnedFd;

/// The two descriptors of a ring: its memory, and what wakes its readers.
pub(super) fn ring_of(fds: Vec<OwnedFd>) -> Option<(OwnedFd, OwnedFd)> {
    let mut fds = fds.into_iter();
    fds.next().zip(fds.next())
}

impl Worker<'_> {
    /// Asks for the rings of all channels, to go on behind what the client has.
    pub(super) fn rejoin(&mut self) {
        for join in self.subscriptions.pause() {
            let channel = join.channel.clone();
            let number = self.tell(&Request::RelayJoin(join));
            self.errands.add(number, Errand::Rejoin(channel));
        }
        self.ask_rings();
    }

    /// The client has joined a channel, or was refused.
    pub(super) fn on_joined(&mut self, reply: &Reply, since: Option<u64>, fds: Vec<OwnedFd>) {
        let Reply::RelayJoined(joined) = reply else { return };
        let registry = self.poll.registry();
        match ring_of(fds).map(|ring| self.subscriptions.join(joined, since, ring, registry)) {
            Some(Ok(fetch)) => self.read_behind(fetch),
            _ => {
                let msg = format!("Messages on {} cannot be received; RELAY LEAVE it and try again.", joined.channel);
                self.session.notice(self.client.stack(), msg);
            }
        }
    }

    /// A channel goes on where the link before this one has left it.
    pub(super) fn on_rejoined(&mut self, channel: String, reply: &Reply, fds: Vec<OwnedFd>) {
        let joined = if let Reply::RelayJoined(joined) = reply { Some(joined) } else { None };
        let (registry, stack) = (self.poll.registry(), self.client.stack());
        let mut rejoined = None;
        if let Some((joined, ring)) = joined.zip(ring_of(fds)) {
            stack.write(|out| rejoined = self.subscriptions.rejoin(joined, ring, registry, out).ok());
        }
        if let Some(fetch) = rejoined {
            return self.read_behind(fetch);
        }
        let msg = format!("You are not on the channel {channel} any more. RELAY JOIN it again.");
        // Not where the client has become nobody meanwhile: it has heard of that.
        if self.subscriptions.remove(&Topic::Channel(channel), registry) {
            self.session.notice(stack, msg);
        }
    }

    /// Kept messages are asked for before the ring is read.
    fn read_behind(&mut self, fetch: Option<RelayFetch>) {
        self.fetch(fetch);
        self.read_channels();
    }

    fn read_channels(&mut self) {
        let me = self.session.who();
        self.client.stack().write(|out| self.subscriptions.read_all(me, out));
    }

    fn fetch(&mut self, fetch: Option<RelayFetch>) {
        if let Some(fetch) = fetch {
            let channel = fetch.channel.clone();
            let number = self.tell(&Request::RelayFetch(fetch));
            self.errands.add(number, Errand::Fetch(channel));
        }
    }

    /// Kept messages have come.
    pub(super) fn on_fetched(&mut self, channel: &str, reply: &Reply) {
        let Reply::RelayFetched(fetched) = reply else { return };
        let mut next = None;
        self.client.stack().write(|out| next = self.subscriptions.fetched(channel, fetched, out));
        let done = next.is_none();
        self.fetch(next);
        if done {
            self.read_channels();
        }
    }

    /// There is something in a ring.
    pub(super) fn read_ring(&mut self, token: Token) {
        if self.client.stack().is_slow() {
            self.subscriptions.waits = true;
        } else if let Some(list) = self.subscriptions.list_of(token) {
            self.read_list(list);
        } else {
            let me = self.session.who();
            self.client.stack().write(|out| self.subscriptions.read(token, me, out));
        }
    }

    /// Any ring may have something new.
    pub(super) fn read_rings(&mut self) {
        self.read_channels();
        List::ALL.into_iter().for_each(|list| self.read_list(list));
    }
}
