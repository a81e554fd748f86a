//! What the journal holds, put together again. Part of the event loop, at the start of a handler.

use super::{Entry, FLUSHED, Journal};
use crate::results::Outcome;
use ssmglobal_ipc::{Event, RelaySent, Reply, Time, World};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A relay channel as it was left.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeptChannel {
    /// Told apart from every other.
    pub id: u64,
    /// As first joined.
    pub name: String,
    /// The newest message's number.
    pub number: u64,
    /// Messages by number: who sent them, and their lines.
    pub kept: BTreeMap<u64, (String, String)>,
}

/// What a handler has left to the next.
#[derive(Debug, Default)]
pub struct Found {
    /// All channels, by id.
    pub channels: Vec<KeptChannel>,
    /// Sessions that had a link.
    pub linked: HashSet<u64>,
    /// What game servers say of themselves, by session.
    pub worlds: HashMap<u64, World>,
    /// What requests came to, by session and number.
    pub done: HashMap<(u64, u64), Outcome>,
    /// Up to when tickets of a session hold no longer.
    pub revoked: HashMap<u64, Time>,
    /// What may not have come to the database yet.
    pub keyed: Vec<Entry>,
    /// Up to which row of kept answers everybody was told of the changes.
    pub told: i64,
    /// Pushes that may not have left, by session, with their numbers.
    pub pushes: HashMap<u64, Vec<(u64, Event)>>,
}

impl Journal {
    /// All that is of use to the next handler.
    pub fn recover(&mut self) -> Found {
        let mut found = Found::default();
        let mut channels: BTreeMap<u64, KeptChannel> = BTreeMap::new();
        let (mut gone, mut sent) = (Vec::new(), Vec::new());
        let mut worlds: HashMap<String, (u64, World)> = HashMap::new();
        let flushed = self.get(FLUSHED);
        for (position, entry) in self.entries() {
            match entry {
                Entry::Linked { session } => drop(found.linked.insert(session)),
                Entry::Channel { id, name, number } => {
                    let channel = channels.entry(id).or_default();
                    (channel.id, channel.name, channel.number) = (id, name, channel.number.max(number));
                }
                Entry::NoChannel { id } => gone.push(id),
                Entry::Message { id, number, from, line, receivers, session, request } => {
                    let channel = channels.entry(id).or_default();
                    channel.number = channel.number.max(number);
                    channel.kept.insert(number, (from, line));
                    sent.push((id, (session, request), number, receivers));
                }
                Entry::Done { session, request, kind, payload } => {
                    found.done.insert((session, request), Outcome::Reply(kind, payload));
                }
                Entry::Push { session, event } if position >= flushed => {
                    if let Ok(event) = postcard::from_bytes(&event) {
                        found.pushes.entry(session).or_default().push((position + 1, event));
                    }
                }
                Entry::Push { .. } => {}
                Entry::Told { row } => found.told = row,
                Entry::World { session, world } => {
                    worlds.insert(world.name.to_ascii_lowercase(), (session, world));
                }
                Entry::Revoked { session, upto } => drop(found.revoked.insert(session, upto)),
                Entry::Keyed { .. } => found.keyed.push(entry),
                Entry::NoWorld { name } => drop(worlds.remove(&name.to_ascii_lowercase())),
            }
        }
        self.told = found.told;
        for (id, request, number, receivers) in sent {
            let channel = channels.get(&id).map(|channel| channel.name.clone());
            let reply = Reply::RelaySent(RelaySent { channel, to: None, number, receivers });
            found.done.insert(request, Outcome::reply(&reply));
        }
        for id in gone {
            channels.remove(&id);
        }
        found.worlds = worlds.into_values().collect();
        // Without its name there is only what was not needed any more.
        found.channels = channels.into_values().filter(|channel| !channel.name.is_empty()).collect();
        found
    }
}
