//! Relay channels: their rings, which come with the answers to RELAY JOIN, and what is fetched before a ring is read. Runs
//! in a worker.

use super::Session;
use mio::Token;
use ssmglobal_ipc::{Event, List, Notice, RelayFetch, RelayFetched, Reply, Request, Topic};
use std::os::fd::OwnedFd;

/// A ring's memory, and what wakes its readers, if these are the descriptors of one.
pub(super) fn ring_of(fds: Vec<OwnedFd>) -> Option<(OwnedFd, OwnedFd)> {
    <[OwnedFd; 2]>::try_from(fds).ok().map(Into::into)
}

impl Session<'_> {
    /// Asks for the rings of all channels, to go on behind what the client has.
    pub(super) fn rejoin(&mut self) {
        for join in self.subscriptions.pause() {
            let channel = join.channel.clone();
            let number = self.tell(&Request::RelayJoin(join));
            self.rejoins.push((number, channel));
        }
        self.ask_rings();
    }

    /// The client has joined a channel, or was refused.
    pub(super) fn on_joined(&mut self, reply: &Reply, since: Option<u64>, fds: Vec<OwnedFd>) {
        let Reply::RelayJoined(joined) = reply else { return };
        match ring_of(fds).map(|fds| self.subscriptions.join(joined, since, fds, self.poll.registry())) {
            Some(Ok(fetch)) => self.read_behind(fetch),
            _ => {
                let msg = format!("Messages on {} cannot be received; RELAY LEAVE it and try again.", joined.channel);
                self.show_event(&Event::Notice(Notice { msg }));
            }
        }
    }

    /// A channel goes on where the link before this one has left it.
    pub(super) fn on_rejoined(&mut self, channel: String, reply: &Reply, fds: Vec<OwnedFd>) {
        let joined = if let Reply::RelayJoined(joined) = reply { Some(joined).zip(ring_of(fds)) } else { None };
        let (registry, out) = (self.poll.registry(), &mut self.client.out);
        match joined.map(|(joined, fds)| self.subscriptions.rejoin(joined, fds, registry, out)) {
            Some(Ok(fetch)) => self.read_behind(fetch),
            _ => {
                let msg = format!("You are not on the channel {channel} any more. RELAY JOIN it again.");
                // Not where the client has become nobody meanwhile: it has heard of that.
                if self.subscriptions.remove(&Topic::Channel(channel), registry) {
                    self.show_event(&Event::Notice(Notice { msg }));
                }
            }
        }
    }

    /// Kept messages are asked for before the ring is read.
    fn read_behind(&mut self, fetch: Option<RelayFetch>) {
        self.fetch(fetch);
        self.subscriptions.read_all(self.session, &mut self.client.out);
    }

    fn fetch(&mut self, fetch: Option<RelayFetch>) {
        if let Some(fetch) = fetch {
            let channel = fetch.channel.clone();
            let number = self.tell(&Request::RelayFetch(fetch));
            self.fetches.push((number, channel));
        }
    }

    /// Kept messages have come.
    pub(super) fn on_fetched(&mut self, number: u64, fetched: &RelayFetched) {
        let Some(index) = self.fetches.iter().position(|(other, _)| *other == number) else { return };
        let (_, channel) = self.fetches.swap_remove(index);
        let next = self.subscriptions.fetched(&channel, fetched, &mut self.client.out);
        let done = next.is_none();
        self.fetch(next);
        if done {
            self.subscriptions.read_all(self.session, &mut self.client.out);
        }
    }

    /// There is something in a ring.
    pub(super) fn read_ring(&mut self, token: Token) {
        if self.client.is_slow() {
            self.subscriptions.waits = true;
        } else if let Some(list) = self.subscriptions.list_of(token) {
            self.read_list(list);
        } else {
            self.subscriptions.read(token, self.session, &mut self.client.out);
        }
    }

    /// Any ring may have something new.
    pub(super) fn read_rings(&mut self) {
        self.subscriptions.read_all(self.session, &mut self.client.out);
        List::ALL.into_iter().for_each(|list| self.read_list(list));
    }
}
