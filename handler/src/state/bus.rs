//! What has no disk and is told all the same: messages on relay channels. One way in ([`Bus::publish`]) and one way back
//! ([`Bus::since`]), by positions that are apart from places in the ring. Lives in the event loop.
//!
//! A position is (epoch, number). Here there is one epoch, 0; where a bus lies outside of this process, another one says that
//! numbers from before mean nothing any more.

use super::journal::{Entry, Journal, KeptChannel, Settled};
use super::pages::behind;
use super::topic::ChannelId;
use hashbrown::HashMap;
use nix::sys::eventfd::{EfdFlags, EventFd};
use ssmglobal_ipc::{Position, RelayMessage, RelaySent, Reply, Time, json};
use ssmglobal_sys::ring;
use std::collections::{BTreeMap, VecDeque};
use std::io;

/// Bytes of messages that all channels together keep for those who come back.
const KEPT: usize = 64 << 20;

/// The one epoch that there is here.
const EPOCH: u64 = 0;

/// A message that is kept for those who come back.
#[derive(Debug)]
pub struct KeptMessage {
    /// Its number.
    pub number: u64,
    /// The game server that sent it.
    pub from: String,
    /// As game servers see it, without a line end.
    pub line: String,
}

/// A message to be.
#[derive(Debug)]
pub struct Outgoing {
    /// Where to.
    pub channel: ChannelId,
    /// The game server that sends it.
    pub from: String,
    /// What.
    pub body: String,
    /// How many it goes to.
    pub receivers: u32,
}

/// Messages behind a position.
pub struct Since<'a, I: Iterator<Item = &'a KeptMessage>> {
    /// How many numbers are gone.
    pub missed: u64,
    /// Those that are kept, but for the reader's own.
    pub kept: I,
}

/// One relay channel.
#[derive(Debug)]
pub struct Channel {
    /// Told apart from every other, also one of the same name.
    pub id: ChannelId,
    /// As first joined.
    pub name: String,
    /// Where workers read from.
    pub ring: ring::Writer,
    /// Wakes them all.
    pub wake: EventFd,
    /// The newest message's number.
    number: u64,
    /// The last messages as lines, the newest last.
    kept: VecDeque<KeptMessage>,
    /// Something was written and nobody woken yet.
    dirty: bool,
    /// When it was last joined or written to, as a number that grows.
    used: u64,
    /// The number that the journal knows without the messages.
    noted: u64,
}

impl Channel {
    fn new(id: ChannelId, name: &str) -> io::Result<Channel> {
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
        let ring = ring::Writer::new()?;
        let (name, kept) = (name.to_owned(), VecDeque::new());
        Ok(Channel { id, name, ring, wake, number: 0, kept, dirty: false, used: 0, noted: 0 })
    }

    /// Where it is now.
    pub fn position(&self) -> Position {
        Position { epoch: EPOCH, number: self.number }
    }

    /// How many numbers in `(after, upto]` are gone.
    fn missed(&self, after: u64, upto: u64) -> u64 {
        let oldest = self.kept.front().map_or(self.number + 1, |kept| kept.number);
        oldest.min(upto.saturating_add(1)).saturating_sub(after.saturating_add(1))
    }

    fn kept_bytes(&self) -> usize {
        self.kept.iter().map(|kept| kept.line.len()).sum()
    }
}

/// All channels.
#[derive(Debug, Default)]
pub struct Bus {
    channels: HashMap<ChannelId, Channel>,
    by_name: BTreeMap<String, ChannelId>,
    last: u64,
    kept: usize,
    uses: u64,
    /// Channels with messages that nobody was woken for.
    dirty: Vec<ChannelId>,
}

impl Bus {
    /// The channel with this name, in any case.
    pub fn named(&self, name: &str) -> Option<&Channel> {
        self.channel(*self.by_name.get(&name.to_ascii_lowercase())?)
    }

    /// One channel.
    pub fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.get(&id)
    }

    /// Makes a channel. At `most` of them, the one that nobody is on, as `is_used` says, and that was not used for longest
    /// makes room. Nothing when there is no such. What the journal is to know of it goes to `unwritten`.
    ///
    /// # Errors
    /// The kernel's, when there is no memory or no descriptor left.
    pub fn make(
        &mut self,
        unwritten: &mut Vec<Entry>,
        name: &str,
        most: usize,
        is_used: impl Fn(ChannelId) -> bool,
    ) -> io::Result<Option<ChannelId>> {
        let id = ChannelId(self.last + 1);
        let channel = Channel::new(id, name)?;
        if self.channels.len() >= most {
            let unused = self.channels.values().filter(|channel| !is_used(channel.id));
            let Some(old) = unused.min_by_key(|channel| channel.used).map(|channel| channel.id) else {
                return Ok(None);
            };
            self.remove(old);
            unwritten.push(Entry::NoChannel { id: old.0 });
        }
        unwritten.push(Entry::Channel { id: id.0, name: name.to_owned(), number: 0 });
        self.add(channel);
        Ok(Some(id))
    }

    fn add(&mut self, channel: Channel) {
        self.last = self.last.max(channel.id.0);
        self.kept += channel.kept_bytes();
        self.by_name.insert(channel.name.to_ascii_lowercase(), channel.id);
        let id = channel.id;
        self.channels.insert(id, channel);
        self.touch(id);
    }

    fn remove(&mut self, id: ChannelId) {
        if let Some(old) = self.channels.remove(&id) {
            self.kept -= old.kept_bytes();
            self.by_name.remove(&old.name.to_ascii_lowercase());
        }
    }

    /// Takes over a channel as a handler before this one has left it; `backlog` as for [`Bus::publish`].
    ///
    /// # Errors
    /// As [`Bus::make`].
    pub fn restore(&mut self, left: KeptChannel, backlog: usize) -> io::Result<()> {
        let mut channel = Channel::new(ChannelId(left.id), &left.name)?;
        channel.number = left.number;
        let skip = left.kept.len().saturating_sub(backlog);
        let kept = left.kept.into_iter().skip(skip);
        channel.kept = kept.map(|(number, (from, line))| KeptMessage { number, from, line }).collect();
        self.add(channel);
        Ok(())
    }

    /// What the journal is to know of a channel without its messages, if it is still there.
    pub fn note(&mut self, id: ChannelId) -> Option<Entry> {
        let channel = self.channels.get_mut(&id)?;
        channel.noted = channel.number;
        Some(Entry::Channel { id: id.0, name: channel.name.clone(), number: channel.number })
    }

    /// Whether the journal knows without the messages that there was this number; nothing for a channel that is gone.
    pub fn is_noted(&self, id: ChannelId, number: u64) -> Option<bool> {
        self.channel(id).map(|channel| number <= channel.noted)
    }

    /// Whether a message is kept for those who come back.
    pub fn keeps(&self, id: ChannelId, number: u64) -> bool {
        let oldest = self.channel(id).and_then(|channel| channel.kept.front()).map(|kept| kept.number);
        oldest.is_some_and(|oldest| oldest <= number)
    }

    /// The channel is in use now.
    pub fn touch(&mut self, id: ChannelId) {
        self.uses += 1;
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.used = self.uses;
        }
    }

    /// All channels by name, behind `after`.
    pub fn channels_after(&self, after: Option<&str>) -> impl Iterator<Item = &Channel> {
        let after = after.map(str::to_ascii_lowercase);
        let range = self.by_name.range::<str, _>(behind(after.as_deref()));
        range.filter_map(|(_, id)| self.channel(*id))
    }

    /// Sends a message, which `settle` makes an answer of; nothing for a channel that is gone. The message is kept as long as
    /// `backlog` and [`KEPT`] allow.
    pub fn publish(
        &mut self,
        journal: &mut Journal,
        message: Outgoing,
        backlog: usize,
        settle: impl FnOnce(&Reply) -> Settled,
    ) -> Option<Settled> {
        let Outgoing { channel: id, from, body, receivers } = message;
        self.touch(id);
        let channel = self.channels.get_mut(&id)?;
        let number = channel.number + 1;
        let (name, at) = (Some(channel.name.clone()), Time::now());
        let message = RelayMessage { channel: name.clone(), number, from, at, body };
        let mut line = Vec::with_capacity(message.body.len() + 128);
        json::put_relay(&mut line, &message);
        // JSON of text is text.
        let line = String::from_utf8(line).unwrap_or_default();
        let answer = settle(&Reply::RelaySent(RelaySent { channel: name, to: None, number, receivers }));
        let entry = Entry::Message { id: id.0, number, from: message.from, line, answer };
        // First: who has seen the number must not see it again on another message.
        journal.append(&entry);
        let Entry::Message { from, line, answer, .. } = entry else { return None };
        channel.number = number;
        channel.ring.push(answer.session, number, line.as_bytes());
        if backlog > 0 {
            self.kept += line.len();
            channel.kept.push_back(KeptMessage { number, from, line });
        }
        while channel.kept.len() > backlog || (self.kept > KEPT && channel.kept.len() > 1) {
            self.kept -= channel.kept.pop_front().map_or(0, |kept| kept.line.len());
        }
        if !std::mem::replace(&mut channel.dirty, true) {
            self.dirty.push(id);
        }
        Some(answer)
    }

    /// What came on a channel behind `after`, up to `upto`, that others than `reader` have sent; nothing for a channel that is
    /// gone, or a position of another epoch.
    pub fn since<'a>(
        &'a self,
        id: ChannelId,
        reader: &'a str,
        after: Position,
        upto: u64,
    ) -> Option<Since<'a, impl Iterator<Item = &'a KeptMessage>>> {
        let channel = self.channel(id).filter(|_| after.epoch == EPOCH)?;
        let upto = upto.min(channel.number);
        let start = channel.kept.partition_point(|kept| kept.number <= after.number);
        let range = channel.kept.range(start..).take_while(move |kept| kept.number <= upto);
        let kept = range.filter(move |kept| !kept.from.eq_ignore_ascii_case(reader));
        Some(Since { missed: channel.missed(after.number, upto), kept })
    }

    /// Wakes the readers of all channels that were written to.
    pub fn wake_readers(&mut self) {
        for id in self.dirty.drain(..) {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.dirty = false;
                // Only a counter at its end could refuse, after 2^64 messages.
                let _ = channel.wake.write(1);
            }
        }
    }
}

#[cfg(test)]
mod tests;
