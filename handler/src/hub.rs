//! Who is on and who wants to hear what: players, watched boards, relay channels, worlds. Lives in the event loop.

use crate::core::SessionRef;
use hashbrown::HashMap;
use nix::sys::eventfd::{EfdFlags, EventFd};
use ssmglobal_ipc::World;
use ssmglobal_store::{BoardId, PlayerId};
use ssmglobal_sys::ring;
use std::collections::{BTreeMap, VecDeque};
use std::io;

/// Bytes of messages that all channels together keep for those who come back.
const KEPT: usize = 256 << 20;

/// A message that is kept for those who come back.
#[derive(Debug)]
pub struct Kept {
    /// Its number.
    pub number: u64,
    /// The game server that sent it.
    pub from: String,
    /// As game servers see it, without a line end.
    pub line: String,
}

/// One relay channel.
#[derive(Debug)]
pub struct Channel {
    /// As first joined.
    pub name: String,
    /// The newest message's number.
    pub number: u64,
    /// Where workers read from.
    pub ring: ring::Writer,
    /// Wakes them all.
    pub wake: EventFd,
    /// How many sessions have joined.
    pub members: u32,
    /// The last messages as lines, the newest last.
    pub kept: VecDeque<Kept>,
    /// Something was written and nobody woken yet.
    pub dirty: bool,
    /// When it was last joined or written to, as a number that grows.
    used: u64,
}

impl Channel {
    fn new(name: &str) -> io::Result<Channel> {
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
        let ring = ring::Writer::new()?;
        let (name, kept) = (name.to_owned(), VecDeque::new());
        Ok(Channel { name, number: 0, ring, wake, members: 0, kept, dirty: false, used: 0 })
    }

    /// Kept messages with numbers in `(after, upto]` that others than `reader` have sent.
    pub fn kept_for<'a>(&'a self, reader: &'a str, after: u64, upto: u64) -> impl Iterator<Item = &'a Kept> {
        let start = self.kept.partition_point(|kept| kept.number <= after);
        let range = self.kept.range(start..).take_while(move |kept| kept.number <= upto);
        range.filter(move |kept| !kept.from.eq_ignore_ascii_case(reader))
    }

    /// How many numbers in `(after, upto]` are gone.
    pub fn missed(&self, after: u64, upto: u64) -> u64 {
        let oldest = self.kept.front().map_or(self.number + 1, |kept| kept.number);
        oldest.min(upto + 1).saturating_sub(after + 1)
    }
}

/// Everything that is only in memory and about more than one session.
#[derive(Debug, Default)]
pub struct Hub {
    /// Sessions of each player that is on.
    pub players: HashMap<PlayerId, Vec<SessionRef>>,
    /// Players that are on, by folded name, for lists.
    pub names: BTreeMap<String, PlayerId>,
    /// Sessions of each game server, by lower-case name.
    pub servers: BTreeMap<String, Vec<SessionRef>>,
    /// Sessions that watch a board.
    pub watchers: HashMap<BoardId, Vec<SessionRef>>,
    /// Worlds that opted in, by lower-case name, with the session that told.
    pub worlds: BTreeMap<String, (SessionRef, World)>,
    channels: Vec<Channel>,
    channel_names: BTreeMap<String, usize>,
    kept: usize,
    uses: u64,
    /// Channels with messages that nobody was woken for.
    dirty: Vec<usize>,
}

impl Hub {
    /// The channel with this name, in any case.
    pub fn channel(&self, name: &str) -> Option<(usize, &Channel)> {
        let index = *self.channel_names.get(&name.to_ascii_lowercase())?;
        Some((index, self.channels.get(index)?))
    }

    /// The channel at this place.
    pub fn channel_at(&mut self, index: usize) -> Option<&mut Channel> {
        self.channels.get_mut(index)
    }

    /// Makes a channel. At `most` of them, the one that nobody is on and that was not used for longest makes room.
    /// Nothing when there is no such.
    ///
    /// # Errors
    /// The kernel's, when there is no memory or no descriptor left.
    pub fn add_channel(&mut self, name: &str, most: usize) -> io::Result<Option<usize>> {
        let channel = Channel::new(name)?;
        let index = if self.channels.len() < most {
            self.channels.push(channel);
            self.channels.len() - 1
        } else {
            let unused = self.channels.iter_mut().enumerate().filter(|(_, channel)| channel.members == 0);
            let Some((index, place)) = unused.min_by_key(|(_, channel)| channel.used) else { return Ok(None) };
            let old = std::mem::replace(place, channel);
            self.kept -= old.kept.iter().map(|kept| kept.line.len()).sum::<usize>();
            self.channel_names.remove(&old.name.to_ascii_lowercase());
            index
        };
        self.channel_names.insert(name.to_ascii_lowercase(), index);
        self.touch(index);
        Ok(Some(index))
    }

    /// The channel is in use now.
    pub fn touch(&mut self, index: usize) {
        self.uses += 1;
        if let Some(channel) = self.channels.get_mut(index) {
            channel.used = self.uses;
        }
    }

    /// All channels by name, behind `after`.
    pub fn channels_after(&self, after: Option<&str>) -> impl Iterator<Item = &Channel> {
        let after = after.map(str::to_ascii_lowercase);
        let from = after.as_deref().map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let range = self.channel_names.range::<str, _>((from, std::ops::Bound::Unbounded));
        range.filter_map(|(_, index)| self.channels.get(*index))
    }

    /// Sends a line, which has no line end, to a channel. It is kept as long as `backlog` and [`KEPT`] allow.
    pub fn publish(&mut self, index: usize, sender: u64, from: String, line: String, backlog: usize) {
        self.touch(index);
        let Some(channel) = self.channels.get_mut(index) else { return };
        channel.number += 1;
        channel.ring.push(sender, channel.number, line.as_bytes());
        if backlog > 0 {
            self.kept += line.len();
            channel.kept.push_back(Kept { number: channel.number, from, line });
        }
        while channel.kept.len() > backlog || (self.kept > KEPT && channel.kept.len() > 1) {
            self.kept -= channel.kept.pop_front().map_or(0, |kept| kept.line.len());
        }
        if !std::mem::replace(&mut channel.dirty, true) {
            self.dirty.push(index);
        }
    }

    /// Wakes the readers of all channels that were written to.
    pub fn wake_readers(&mut self) {
        for index in self.dirty.drain(..) {
            if let Some(channel) = self.channels.get_mut(index) {
                channel.dirty = false;
                // Only a counter at its end could refuse, after 2^64 messages.
                let _ = channel.wake.write(1);
            }
        }
    }

    /// Takes one session out of a list, and the list out of its map when nobody is left.
    pub fn leave<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<SessionRef>>, key: &K, session: SessionRef) {
        if let Some(list) = map.get_mut(key) {
            list.retain(|other| *other != session);
            if list.is_empty() {
                map.remove(key);
            }
        }
    }
}
