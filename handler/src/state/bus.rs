//! What has no disk and is told all the same: messages on relay channels, what is said of worlds, who comes and goes. Each is a
//! [`Stream`]: published once, and read since a position by whoever follows it, which for worlds and presence are the lists of
//! this handler. Lives in the event loop.
//!
//! A position is (epoch, number), apart from places in the ring. A channel has an epoch for as long as what it keeps is there:
//! its numbers outlive the handler, and the channel that is made when everything was stopped, or when one of the same name had
//! to make room, is another one. For worlds and presence each handler has an epoch of its own.
//!
//! No number is given to two messages of the same channel name, whatever was restarted: a new channel begins behind all that
//! were ever given, which the mark on disk tells (`numbers.rs`).

mod numbers;
mod stream;

pub use numbers::RelayNumbers;

pub use stream::{Since, Stream};

use super::journal::{Entry, Journal, KeptChannel, Settled};
use super::online::Presence;
use super::pages::behind;
use super::shared_ring::SharedRing;
use super::topic::ChannelId;
use super::worlds::WorldChange;
use hashbrown::HashMap;
use ssmglobal_ipc::{Party, Position, RelayMessage, RelaySent, Reply, Time, json};
use std::collections::BTreeMap;
use std::io;

/// Bytes of messages that all channels together keep for those who come back.
const KEPT: usize = 64 << 20;

/// A message that is kept for those who come back.
#[derive(Debug)]
pub struct KeptMessage {
    /// The game server that sent it.
    pub from: String,
    /// As game servers see it, without a line end.
    pub line: String,
}

/// A message to be.
#[derive(Debug)]
pub struct Outgoing {
    /// The channel that it goes to.
    pub channel: ChannelId,
    /// The game server that sends it.
    pub from: String,
    /// The text: one line.
    pub body: String,
    /// How many it goes to.
    pub receivers: u32,
}

/// One relay channel.
#[derive(Debug)]
pub struct Channel {
    /// Told apart from every other, also one of the same name.
    pub id: ChannelId,
    /// As first joined.
    pub name: String,
    /// Where workers read from.
    pub ring: SharedRing,
    messages: Stream<KeptMessage>,
    /// Something was written and nobody woken yet.
    dirty: bool,
    /// When it was last joined or written to, as a number that grows.
    used: u64,
    /// The number that the journal knows without the messages.
    noted: u64,
}

impl Channel {
    fn new(id: ChannelId, name: &str, messages: Stream<KeptMessage>) -> io::Result<Channel> {
        let ring = SharedRing::new()?;
        Ok(Channel { id, name: name.to_owned(), ring, messages, dirty: false, used: 0, noted: 0 })
    }

    /// Where it is now.
    pub fn position(&self) -> Position {
        self.messages.position()
    }

    /// The position that is meant by a number, and by the epoch that it was seen in, if that is said; nothing when it is of
    /// another epoch, or can only be.
    pub fn position_of(&self, number: u64, epoch: Option<u64>) -> Option<Position> {
        let (begun, now) = (self.messages.begun(), self.position());
        let present = match epoch {
            Some(epoch) => epoch == now.epoch,
            None => number == 0 || (begun.number..=now.number).contains(&number),
        };
        present.then(|| Position { epoch: now.epoch, number: number.max(begun.number) })
    }

    /// The position behind which is all that is kept.
    pub fn kept_behind(&self) -> Position {
        self.messages.kept_behind()
    }

    fn kept_bytes(&self) -> usize {
        self.messages.kept().map(|kept| kept.line.len()).sum()
    }
}

/// All streams.
#[derive(Debug)]
pub struct Bus {
    /// What is said of worlds.
    pub worlds: Stream<WorldChange>,
    /// Who comes and who goes.
    pub presence: Stream<Presence>,
    channels: HashMap<ChannelId, Channel>,
    by_name: BTreeMap<String, ChannelId>,
    last: u64,
    kept: usize,
    uses: u64,
    /// Which numbers may be given.
    pub numbers: RelayNumbers,
    /// Channels with messages that nobody was woken for.
    dirty: Vec<ChannelId>,
}

impl Bus {
    /// An empty one; numbers of worlds and presence begin under this epoch.
    pub fn new(epoch: u64) -> Bus {
        let start = Position { epoch, number: 0 };
        Bus {
            worlds: Stream::new(start),
            presence: Stream::new(start),
            channels: HashMap::new(),
            by_name: BTreeMap::new(),
            last: 0,
            kept: 0,
            uses: 0,
            numbers: RelayNumbers::default(),
            dirty: Vec::new(),
        }
    }

    /// The channel with this name, in any case.
    pub fn named(&self, name: &str) -> Option<&Channel> {
        self.channel(*self.by_name.get(&name.to_ascii_lowercase())?)
    }

    /// A channel by its id; nothing once it is gone.
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
        let mut old = None;
        if self.channels.len() >= most {
            let unused = self.channels.values().filter(|channel| !is_used(channel.id));
            let Some(unused) = unused.min_by_key(|channel| channel.used) else { return Ok(None) };
            self.numbers.ended(unused.position());
            old = Some(unused.id);
        }
        let channel = Channel::new(id, name, Stream::new(self.numbers.begin()))?;
        if let Some(old) = old {
            self.remove(old);
            unwritten.push(Entry::NoChannel { id: old.0 });
        }
        self.add(channel);
        unwritten.extend(self.note(id));
        unwritten.extend(self.note_epoch(id));
        Ok(Some(id))
    }

    fn add(&mut self, channel: Channel) {
        self.last = self.last.max(channel.id.0);
        self.numbers.given(channel.position());
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
        let skip = left.kept.len().saturating_sub(backlog);
        let kept = left.kept.into_iter().skip(skip);
        let kept = kept.map(|(number, (from, line))| (number, KeptMessage { from, line }));
        let messages = Stream::resumed(left.begun, Position { epoch: left.epoch, number: left.number }, kept);
        self.add(Channel::new(ChannelId(left.id), &left.name, messages)?);
        Ok(())
    }

    /// What the journal is to know of a channel without its messages, if it is still there.
    pub fn note(&mut self, id: ChannelId) -> Option<Entry> {
        let channel = self.channels.get_mut(&id)?;
        channel.noted = channel.position().number;
        Some(Entry::Channel { id: id.0, name: channel.name.clone(), number: channel.noted })
    }

    /// What the journal is to know of a channel's epoch, if it is still there.
    pub fn note_epoch(&self, id: ChannelId) -> Option<Entry> {
        let Position { epoch, number: begun } = self.channel(id)?.messages.begun();
        Some(Entry::Epoch { id: id.0, epoch, begun })
    }

    /// Whether the next message on a channel may have its number now; else the mark on disk has to be moved first. A channel
    /// that is gone takes none.
    pub fn may_publish(&self, id: ChannelId) -> bool {
        self.channel(id).is_none_or(|channel| self.numbers.allow(channel.position().number + 1))
    }

    /// Up to where the mark on disk is to be moved, if that is due.
    pub fn mark_wanted(&self) -> Option<u64> {
        if self.channels.is_empty() { None } else { self.numbers.wanted() }
    }

    /// Whether the journal knows without the messages that there was this number; nothing for a channel that is gone.
    pub fn is_noted(&self, id: ChannelId, number: u64) -> Option<bool> {
        self.channel(id).map(|channel| number <= channel.noted)
    }

    /// Whether a message is kept for those who come back.
    pub fn keeps(&self, id: ChannelId, number: u64) -> bool {
        let oldest = self.channel(id).and_then(|channel| channel.messages.oldest());
        oldest.is_some_and(|oldest| oldest <= number)
    }

    /// The channel is in use now.
    pub fn touch(&mut self, id: ChannelId) {
        self.uses += 1;
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.used = self.uses;
        }
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.channels.len()
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
        let number = channel.position().number + 1;
        let (name, at) = (Some(channel.name.clone()), Time::now());
        let message = RelayMessage { channel: name.clone(), number, from: Party::Server(from.clone()), at, body };
        let mut line = Vec::with_capacity(message.body.len() + 128);
        json::put_relay(&mut line, &message, Some(channel.position().epoch));
        // JSON of text is text.
        let line = String::from_utf8(line).unwrap_or_default();
        let answer = settle(&Reply::RelaySent(RelaySent { channel: name, to: None, number, receivers }));
        let entry = Entry::Message { id: id.0, number, from, line, answer };
        // First: who has seen the number must not see it again on another message.
        journal.append(&entry);
        let Entry::Message { from, line, answer, .. } = entry else { return None };
        channel.ring.push(answer.session, number, line.as_bytes());
        self.kept += line.len();
        let messages = &mut channel.messages;
        self.numbers.given(messages.publish(KeptMessage { from, line }));
        while messages.kept().len() > backlog || (self.kept > KEPT && messages.kept().len() > 1) {
            self.kept -= messages.let_go().map_or(0, |kept| kept.line.len());
        }
        if !std::mem::replace(&mut channel.dirty, true) {
            self.dirty.push(id);
        }
        Some(answer)
    }

    /// What came on a channel behind `after`, up to `upto`, that other game servers than `reader` have sent; nothing for a channel that is
    /// gone, or a position of another epoch.
    pub fn since<'a>(
        &'a self,
        id: ChannelId,
        reader: &'a str,
        after: Position,
        upto: u64,
    ) -> Option<Since<impl Iterator<Item = (u64, &'a KeptMessage)>>> {
        let Since { missed, kept } = self.channel(id)?.messages.since(after, upto)?;
        Some(Since { missed, kept: kept.filter(move |(_, kept)| !kept.from.eq_ignore_ascii_case(reader)) })
    }

    /// Wakes the readers of all channels that were written to.
    pub fn wake_readers(&mut self) {
        for id in self.dirty.drain(..) {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.dirty = false;
                channel.ring.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests;
