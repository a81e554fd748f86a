//! Who is on and who wants to hear what: players, watched boards, relay channels, worlds. Lives in the event loop.

use crate::core::SessionRef;
use crate::journal::{Entry, KeptChannel};
use crate::server::behind;
use hashbrown::HashMap;
use nix::sys::eventfd::{EfdFlags, EventFd};
use ssmglobal_ipc::World;
use ssmglobal_store::{BoardId, PlayerId};
use ssmglobal_sys::ring;
use std::collections::{BTreeMap, VecDeque};
use std::io;

/// Bytes of messages that all channels together keep for those who come back.
const KEPT: usize = 64 << 20;

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
    /// Told apart from every other, also one of the same name.
    pub id: u64,
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
    /// The number that the journal knows without the messages.
    noted: u64,
}

impl Channel {
    fn new(id: u64, name: &str) -> io::Result<Channel> {
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
        let ring = ring::Writer::new()?;
        let (name, kept) = (name.to_owned(), VecDeque::new());
        Ok(Channel { id, name, number: 0, ring, wake, members: 0, kept, dirty: false, used: 0, noted: 0 })
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
        oldest.min(upto.saturating_add(1)).saturating_sub(after.saturating_add(1))
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
    channel_ids: HashMap<u64, usize>,
    last_id: u64,
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
    /// Nothing when there is no such. What the journal is to know of it goes to `entries`.
    ///
    /// # Errors
    /// The kernel's, when there is no memory or no descriptor left.
    pub fn add_channel(&mut self, name: &str, most: usize, entries: &mut Vec<Entry>) -> io::Result<Option<usize>> {
        let channel = Channel::new(self.last_id + 1, name)?;
        let index = if self.channels.len() < most {
            self.channels.push(channel);
            self.channels.len() - 1
        } else {
            let unused = self.channels.iter_mut().enumerate().filter(|(_, channel)| channel.members == 0);
            let Some((index, place)) = unused.min_by_key(|(_, channel)| channel.used) else { return Ok(None) };
            let old = std::mem::replace(place, channel);
            self.kept -= old.kept.iter().map(|kept| kept.line.len()).sum::<usize>();
            self.channel_names.remove(&old.name.to_ascii_lowercase());
            self.channel_ids.remove(&old.id);
            entries.push(Entry::NoChannel { id: old.id });
            index
        };
        self.last_id += 1;
        self.channel_names.insert(name.to_ascii_lowercase(), index);
        self.channel_ids.insert(self.last_id, index);
        entries.push(Entry::Channel { id: self.last_id, name: name.to_owned(), number: 0 });
        self.touch(index);
        Ok(Some(index))
    }

    /// Takes over a channel as a handler before this one has left it; `backlog` as for [`Hub::publish`].
    ///
    /// # Errors
    /// As [`Hub::add_channel`].
    pub fn restore(&mut self, left: KeptChannel, backlog: usize) -> io::Result<()> {
        let mut channel = Channel::new(left.id, &left.name)?;
        channel.number = left.number;
        let skip = left.kept.len().saturating_sub(backlog);
        let kept = left.kept.into_iter().skip(skip);
        channel.kept = kept.map(|(number, (from, line))| Kept { number, from, line }).collect();
        self.kept += channel.kept.iter().map(|kept| kept.line.len()).sum::<usize>();
        let index = self.channels.len();
        self.channel_names.insert(left.name.to_ascii_lowercase(), index);
        self.channel_ids.insert(left.id, index);
        self.channels.push(channel);
        self.last_id = self.last_id.max(left.id);
        self.touch(index);
        Ok(())
    }

    fn with_id(&self, id: u64) -> Option<&Channel> {
        self.channels.get(*self.channel_ids.get(&id)?)
    }

    /// The name of the channel with this id.
    pub fn channel_name(&self, id: u64) -> Option<String> {
        self.with_id(id).map(|channel| channel.name.clone())
    }

    /// What the journal is to know of a channel without its messages, if it is still there.
    pub fn note(&mut self, id: u64) -> Option<Entry> {
        let channel = self.channels.get_mut(*self.channel_ids.get(&id)?)?;
        channel.noted = channel.number;
        Some(Entry::Channel { id, name: channel.name.clone(), number: channel.number })
    }

    /// Whether the journal knows without the messages that there was this number; nothing for a channel that is gone.
    pub fn is_noted(&self, id: u64, number: u64) -> Option<bool> {
        self.with_id(id).map(|channel| number <= channel.noted)
    }

    /// Whether a message is kept for those who come back.
    pub fn keeps(&self, id: u64, number: u64) -> bool {
        let oldest = self.with_id(id).and_then(|channel| channel.kept.front()).map(|kept| kept.number);
        oldest.is_some_and(|oldest| oldest <= number)
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
        let range = self.channel_names.range::<str, _>(behind(after.as_deref()));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(hub: &mut Hub, index: usize, from: &str, backlog: usize) {
        hub.publish(index, 9, from.to_owned(), format!("a line of {from}"), backlog);
    }

    fn kept_for(hub: &mut Hub, index: usize, reader: &str, after: u64, upto: u64) -> Vec<u64> {
        hub.channel_at(index).unwrap().kept_for(reader, after, upto).map(|kept| kept.number).collect()
    }

    fn missed(hub: &mut Hub, index: usize, after: u64, upto: u64) -> u64 {
        hub.channel_at(index).unwrap().missed(after, upto)
    }

    fn names(hub: &Hub, after: Option<&str>) -> Vec<String> {
        hub.channels_after(after).map(|channel| channel.name.clone()).collect()
    }

    #[test]
    fn a_channel_keeps_its_last_messages() {
        let mut hub = Hub::default();
        let chat = hub.add_channel("Chat", 4, &mut Vec::new()).unwrap().unwrap();
        assert_eq!(missed(&mut hub, chat, 0, 0), 0);
        for from in ["arena", "castle", "arena", "castle", "arena"] {
            publish(&mut hub, chat, from, 3);
        }
        assert_eq!(hub.channel_at(chat).unwrap().number, 5);
        assert_eq!(kept_for(&mut hub, chat, "other", 0, 5), [3, 4, 5]);
        assert_eq!(kept_for(&mut hub, chat, "other", 3, 4), [4]);
        assert_eq!(kept_for(&mut hub, chat, "other", 5, 5), [0; 0]);
        assert_eq!(kept_for(&mut hub, chat, "other", 9, 3), [0; 0]);
        assert_eq!(kept_for(&mut hub, chat, "ARENA", 0, 5), [4], "not one's own");
        for ((after, upto), gone) in
            [((0, 5), 2), ((1, 5), 1), ((2, 5), 0), ((0, 1), 1), ((1, 1), 0), ((4, 5), 0), ((5, 2), 0)]
        {
            assert_eq!(missed(&mut hub, chat, after, upto), gone, "({after}, {upto}]");
        }
        // A smaller backlog holds from the next message on.
        publish(&mut hub, chat, "arena", 1);
        assert_eq!(kept_for(&mut hub, chat, "other", 0, 6), [6]);
        assert_eq!(hub.kept, "a line of arena".len());
    }

    #[test]
    fn without_a_backlog_everything_older_is_missed() {
        let mut hub = Hub::default();
        let chat = hub.add_channel("chat", 4, &mut Vec::new()).unwrap().unwrap();
        for _ in 0..3 {
            publish(&mut hub, chat, "arena", 0);
        }
        assert_eq!(kept_for(&mut hub, chat, "castle", 0, 3), [0; 0]);
        assert_eq!(missed(&mut hub, chat, 0, 3), 3);
        assert_eq!(missed(&mut hub, chat, 2, 3), 1);
        assert_eq!(missed(&mut hub, chat, 3, 3), 0);
        assert_eq!(hub.kept, 0);
        // What was kept before goes with the next message.
        publish(&mut hub, chat, "arena", 2);
        publish(&mut hub, chat, "arena", 0);
        assert_eq!((kept_for(&mut hub, chat, "castle", 0, 5), hub.kept), (Vec::new(), 0));
    }

    #[test]
    fn where_all_channels_keep_too_much_the_busy_one_gives_way() {
        let mut hub = Hub::default();
        let chat = hub.add_channel("chat", 4, &mut Vec::new()).unwrap().unwrap();
        for _ in 0..3 {
            publish(&mut hub, chat, "arena", 100);
        }
        // As if others kept all that may be kept.
        hub.kept += KEPT;
        publish(&mut hub, chat, "arena", 100);
        assert_eq!(kept_for(&mut hub, chat, "castle", 0, 4), [4], "the newest stays in any case");
        assert_eq!(missed(&mut hub, chat, 0, 4), 3);
        assert_eq!(hub.kept, KEPT + "a line of arena".len());
    }

    #[test]
    fn every_message_is_in_the_ring_and_wakes_its_readers_once() {
        let mut hub = Hub::default();
        let chat = hub.add_channel("chat", 4, &mut Vec::new()).unwrap().unwrap();
        let quiet = hub.add_channel("quiet", 4, &mut Vec::new()).unwrap().unwrap();
        let channel = hub.channel_at(chat).unwrap();
        let mut reader = ring::Reader::new(channel.ring.fd(), channel.ring.position()).unwrap();
        hub.publish(chat, 7, "arena".into(), "one".into(), 0);
        hub.publish(chat, 8, "castle".into(), "two".into(), 0);
        hub.wake_readers();
        hub.wake_readers();
        let mut got = Vec::new();
        reader.read(&mut Vec::new(), |entry| got.push((entry.sender, entry.number, entry.text.to_vec())));
        assert_eq!(got, [(7, 1, b"one".to_vec()), (8, 2, b"two".to_vec())]);
        assert_eq!(hub.channel_at(chat).unwrap().wake.read(), Ok(1));
        assert_eq!(hub.channel_at(quiet).unwrap().wake.read(), Err(nix::errno::Errno::EAGAIN));
    }

    #[test]
    fn at_the_bound_the_channel_unused_for_longest_makes_room() {
        let mut hub = Hub::default();
        let [a, b, c] = ["A", "b", "C"].map(|name| hub.add_channel(name, 3, &mut Vec::new()).unwrap().unwrap());
        assert_eq!(names(&hub, None), ["A", "b", "C"]);
        assert_eq!(names(&hub, Some("B")), ["C"]);
        publish(&mut hub, a, "arena", 5);
        publish(&mut hub, b, "arena", 5);
        let kept = hub.kept;
        // `C` is the one that was unused for longest, but somebody is on it; then it is `A`.
        hub.channel_at(c).unwrap().members = 1;
        assert_eq!(hub.add_channel("d", 3, &mut Vec::new()).unwrap(), Some(a));
        assert!(hub.channel("a").is_none());
        assert_eq!(hub.kept, kept / 2);
        assert_eq!(names(&hub, None), ["b", "C", "d"]);
        let (index, channel) = hub.channel("D").unwrap();
        assert_eq!((index, &*channel.name, channel.number, channel.members), (a, "d", 0, 0));
        // Being made is being used, and so is being touched.
        assert_eq!(hub.add_channel("e", 3, &mut Vec::new()).unwrap(), Some(b));
        hub.touch(a);
        assert_eq!(hub.add_channel("f", 3, &mut Vec::new()).unwrap(), Some(b));
        for index in [a, b] {
            hub.channel_at(index).unwrap().members = 1;
        }
        assert_eq!(hub.add_channel("g", 3, &mut Vec::new()).unwrap(), None);
        assert_eq!(names(&hub, None), ["C", "d", "f"]);
        // What was waiting to be told goes to nobody else.
        publish(&mut hub, a, "arena", 1);
        hub.wake_readers();
        assert_eq!(hub.channel_at(a).unwrap().number, 1);
    }

    #[test]
    fn a_list_goes_with_its_last_session() {
        let (one, two) = (SessionRef { slot: 1, id: 10 }, SessionRef { slot: 1, id: 11 });
        let mut map = HashMap::from([(BoardId(1), vec![one, two])]);
        Hub::leave(&mut map, &BoardId(1), one);
        assert_eq!(map.get(&BoardId(1)), Some(&vec![two]));
        Hub::leave(&mut map, &BoardId(1), one);
        Hub::leave(&mut map, &BoardId(2), two);
        assert_eq!(map.len(), 1);
        Hub::leave(&mut map, &BoardId(1), two);
        assert!(map.is_empty());
    }
}
