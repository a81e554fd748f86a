//! What the journal holds, put together again. Part of the event loop, at the start of a handler.

use super::rows::Found;
use super::{Entry, FLUSHED, Journal, Settled};
use crate::state::hosting::Hosting;
use crate::state::logins::{Ended, Login};
use crate::state::mirror_rows::{KeptMirror, UserRow, WorldRow};
use crate::state::online::{Seat, Stay};
use crate::state::passes::HeldPass;
use crate::state::visitors::Visitor;
use crate::state::worlds::{StatusId, World};
use ssmglobal_ipc::{Event, Time, growing};
use ssmglobal_store::{Principal, WorldId};
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
    /// The epoch of its numbers; 0 from an older handler.
    pub epoch: u64,
    /// The number in front of its first.
    pub begun: u64,
    /// Messages by number: who sent them, and their lines.
    pub kept: BTreeMap<u64, (String, String)>,
}

/// Somebody who is there, and his name.
pub type Present = (Principal, String, Stay);

/// What a handler has left to the next.
#[derive(Debug, Default)]
pub struct Recovered {
    /// All channels, by id.
    pub channels: Vec<KeptChannel>,
    /// Handlers that may not be dead yet: process ids, and when they were started.
    pub handlers: Vec<(i32, u64)>,
    /// Sessions that had a link.
    pub linked: HashSet<u64>,
    /// What is said of worlds, by the session that hosts them.
    pub worlds: HashMap<u64, Vec<(StatusId, World)>>,
    /// The last number of a world.
    pub last_world: u64,
    /// What requests came to, by session and number.
    pub done: HashMap<(u64, u64), Settled>,
    /// Up to when tickets of a session hold no longer.
    pub revoked: HashMap<u64, Time>,
    /// Up to which numbers answers to sessions' requests prove nothing any more.
    pub voided: HashMap<u64, u64>,
    /// What was done under a client's key that may not have come to the database yet.
    pub keyed: Vec<Settled>,
    /// Up to which row of kept answers everybody was told of the changes.
    pub news_delivered: i64,
    /// Passes, as they were one after the other: a later one may have taken the place of an earlier one.
    pub passes: Vec<HeldPass>,
    /// Who is on a game server or in a world, and his name, by what says so.
    pub stays: HashMap<Seat, Vec<Present>>,
    /// Visitors who were on, by their numbers.
    pub visitors: BTreeMap<u32, Visitor>,
    /// Worlds that have a licence and are hosted.
    pub hostings: BTreeMap<WorldId, Hosting>,
    /// What hosts of worlds are to hear that are away.
    pub host_backlog: BTreeMap<WorldId, Vec<Vec<u8>>>,
    /// Logins, by session.
    pub logins: HashMap<u64, Login>,
    /// Logins that have ended and may not be counted yet, by session and since when.
    pub ended: BTreeMap<(u64, Time), Ended>,
    /// Lists that clients mirror, if all of them is there.
    pub mirrors: (Option<KeptMirror<WorldRow>>, Option<KeptMirror<UserRow>>),
    /// Pushes that may not have left, by session, with their numbers.
    pub pushes: HashMap<u64, Vec<(u64, Event)>>,
}

impl Recovered {
    fn settled(&mut self, settled: Settled) {
        if settled.key.is_some() {
            self.keyed.push(settled.clone());
        }
        self.done.insert((settled.session, settled.request), settled);
    }
}

impl Journal {
    /// All that is of use to the next handler.
    pub fn recover(&self) -> Recovered {
        let mut found = Recovered::default();
        let mut channels: BTreeMap<u64, KeptChannel> = BTreeMap::new();
        let mut gone = Vec::new();
        let mut stays: HashMap<(Seat, Principal), (String, Stay)> = HashMap::new();
        let mut worlds: BTreeMap<u64, World> = BTreeMap::new();
        let mut rows = Found::default();
        let flushed = self.get(FLUSHED);
        for (position, entry) in self.entries() {
            let is_last = |entry: &Entry| entry.subject().is_some_and(|subject| self.is_last(&subject, position));
            match entry {
                Entry::Linked { session } => drop(found.linked.insert(session)),
                Entry::Channel { id, name, number } => {
                    let channel = channels.entry(id).or_default();
                    (channel.id, channel.name, channel.number) = (id, name, channel.number.max(number));
                }
                Entry::NoChannel { id } => gone.push(id),
                Entry::Epoch { id, epoch, begun } => {
                    let channel = channels.entry(id).or_default();
                    (channel.epoch, channel.begun) = (epoch, begun);
                }
                Entry::Message { id, number, from, line, answer } => {
                    let channel = channels.entry(id).or_default();
                    channel.number = channel.number.max(number);
                    channel.kept.insert(number, (from, line));
                    found.settled(answer);
                }
                Entry::Done(settled) => found.settled(settled),
                Entry::Push { session, event } if position >= flushed => {
                    if let Ok(event) = growing::get(&event) {
                        found.pushes.entry(session).or_default().push((position + 1, event));
                    }
                }
                Entry::Push { .. } => {}
                Entry::NewsDelivered { row } => found.news_delivered = row,
                Entry::World { id, said } => {
                    found.last_world = found.last_world.max(id);
                    worlds.insert(id, said.into());
                }
                Entry::NoWorld { id } => drop(worlds.remove(&id)),
                Entry::Revoked { session, upto } => drop(found.revoked.insert(session, upto)),
                Entry::Pass(pass) => found.passes.push(pass.into()),
                Entry::Held(pass) => found.passes.push(pass.into()),
                Entry::Stay { host, player, server, since } => {
                    let (seat, place) = (Seat::Session(host), server.into());
                    let stay = Stay { seat, place, since, identified: false };
                    stays.insert((seat, player.into()), (String::new(), stay));
                }
                Entry::NoStay { host, player } => {
                    stays.remove(&(Seat::Session(host), player.into()));
                }
                Entry::Here { seat, who, name, place, since, identified } => {
                    stays.insert((seat, who), (name, Stay { seat, place, since, identified }));
                }
                Entry::NotHere { seat, who } => drop(stays.remove(&(seat, who))),
                Entry::Voided { session, upto } => drop(found.voided.insert(session, upto)),
                Entry::Hosting { world, said } => drop(found.hostings.insert(world, said.into())),
                Entry::Visitor { id, said } => drop(found.visitors.insert(id, said.into())),
                Entry::NoVisitor { id } => drop(found.visitors.remove(&id)),
                Entry::NoHosting { world } => {
                    found.hostings.remove(&world);
                    found.host_backlog.remove(&world);
                }
                Entry::HostBacklog { world, event } => found.host_backlog.entry(world).or_default().push(event),
                Entry::HostBacklogDelivered { world } => drop(found.host_backlog.remove(&world)),
                Entry::Login { session, player, since, warned_of } => {
                    found.logins.insert(session, Login { who: player.into(), since, warned_of });
                }
                Entry::Visit { session, who, since, warned_of } => {
                    found.logins.insert(session, Login { who, since, warned_of });
                }
                Entry::VisitEnded { session } => drop(found.logins.remove(&session)),
                Entry::LoginEnded { session, player, since, lasted } => {
                    if found.logins.get(&session).is_some_and(|login| login.since == since) {
                        found.logins.remove(&session);
                    }
                    found.ended.insert((session, since), Ended { session, player, since, lasted });
                }
                Entry::LoginCounted { session, since } => drop(found.ended.remove(&(session, since))),
                Entry::Row { .. } | Entry::RowGone { .. } | Entry::RowsForgotten { .. } => {
                    if is_last(&entry) {
                        rows.take(entry);
                    }
                }
                Entry::Handler { pid, started } => found.handlers.push((pid, started)),
            }
        }
        if self.is_whole() {
            found.mirrors = rows.lists();
        }
        for ((seat, who), (name, stay)) in stays {
            found.stays.entry(seat).or_default().push((who, name, stay));
        }
        for id in gone {
            channels.remove(&id);
        }
        for (id, world) in worlds {
            found.worlds.entry(world.host).or_default().push((StatusId(id), world));
        }
        // Without its name there is only what was not needed any more.
        found.channels = channels.into_values().filter(|channel| !channel.name.is_empty()).collect();
        found
    }
}
