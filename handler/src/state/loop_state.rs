//! All that the event loop knows of more than one session and that capabilities may see and change.

use super::attempts::Attempts;
use super::audit::Audit;
use super::bus::Bus;
use super::bus::Stream;
use super::host_backlog::HostBacklog;
use super::hosting::{Hosting, Hostings, Known};
use super::journal::{Entry, KeptVisitor};
use super::logins::Logins;
use super::memory::{Memory, party};
use super::mirrored::Mirrors;
use super::mssp::Mssp;
use super::names::Name;
use super::online::{Online, Presence, Seat, Stay};
use super::passes::Passes;
use super::per_list::PerList;
use super::plays::Plays;
use super::registrations::Registrations;
use super::session::{Identity, Session, SessionRef};
use super::shared_ring::ListRing;
use super::takeovers::Takeovers;
use super::throttle::Throttle;
use super::topic::{ChannelId, Topic};
use super::visitors::{Visitors, principal};
use super::worlds::{StatusId, World, WorldChange, Worlds};
use ssmglobal_ipc::{Party, Position, Time};
use ssmglobal_store::{KeptLicence, PlayerId, Principal, PrincipalKind, WorldId};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

/// All of it.
pub struct State {
    /// Sessions by their slots.
    sessions: Vec<Option<Box<Session>>>,
    free: Vec<usize>,
    last: u64,
    /// Who is on and who listens to what.
    pub online: Online,
    /// Channels with their messages.
    pub bus: Bus,
    /// What game servers say of worlds of their own names.
    pub worlds: Worlds,
    /// Who hosts which world that has a licence.
    pub hosted: Hostings,
    /// Who is on and has not registered.
    pub visitors: Visitors,
    /// How often players were taken over.
    pub player_takeovers: Takeovers<PlayerId>,
    /// How often games of players were, where one is played by one connection.
    pub play_takeovers: Takeovers<PlayerId>,
    /// How often visitors were.
    pub visitor_takeovers: Takeovers<u32>,
    /// Since when sessions are logged in.
    pub logins: Logins,
    /// Failed logins, by which further tries are slowed down.
    pub throttle: Throttle,
    /// Passes of players for game servers.
    pub passes: Passes,
    /// Who plays where.
    pub plays: Plays,
    /// What crawlers are told of worlds.
    pub mssp: Mssp,
    /// How players' logins went.
    pub attempts: Attempts,
    /// What the log tells of who comes, goes and is refused.
    pub audit: Audit,
    /// How many new players came from where, by which further ones are bounded.
    pub registrations: Registrations,
    /// What the journal is to know of what was changed here. The event loop writes it before anything else happens.
    pub unwritten: Vec<Entry>,
    /// Players who may not be on any more, and worlds that may not be hosted: what is kept only as long as that is to go.
    pub departed: BTreeSet<Principal>,
    /// Lists that clients mirror.
    pub mirrors: Mirrors,
    /// What hosts of worlds are to hear that are away.
    pub host_backlog: HostBacklog,
    /// Worlds whose hosts are back, and may have missed something.
    pub resumed: BTreeSet<WorldId>,
    /// Worlds that were stopped, and when: that is to be kept.
    pub stopped: Vec<(WorldId, Time)>,
    /// Sessions that have hosted a world until their host went on with it on another one, which they are to hear.
    pub replaced_hosts: Vec<(u64, WorldId)>,
    /// Where workers read what everybody sees of them.
    pub rings: PerList<Option<ListRing>>,
    /// How far the lists have followed the bus.
    followed: Followed,
}

/// Positions on the bus.
struct Followed {
    worlds: Position,
    presence: Position,
}

/// Hands everything behind a position to `take`, and lets go of it: nobody else follows.
fn follow<T>(stream: &mut Stream<T>, from: &mut Position, mut take: impl FnMut(&T)) {
    if let Some(since) = stream.since(*from, u64::MAX) {
        since.kept.for_each(|(_, change)| take(change));
    }
    *from = stream.position();
    while stream.let_go().is_some() {}
}

fn follow_world(change: &WorldChange, worlds: &mut Worlds, hosted: &mut Hostings, mirrors: &mut Mirrors) {
    let now = Time::now();
    match change {
        WorldChange::Hosted(world, hosting, known) => {
            hosted.put(*world, Hosting::clone(hosting), known.clone());
            mirrors.hosted(*world, hosting, known.listing());
        }
        WorldChange::Stopped(world) => {
            if let Some(listing) = hosted.listing(*world) {
                mirrors.stopped(*world, listing, now);
            }
            hosted.remove(*world);
        }
        WorldChange::Said(_, World { name, .. }) => {
            worlds.follow(change);
            mirrors.said(name, worlds.named(name), now);
        }
        WorldChange::Gone(id) => {
            let Some(name) = worlds.get(*id).map(|world| world.name.clone()) else { return };
            worlds.follow(change);
            mirrors.said(&name, worlds.named(&name), now);
        }
    }
}

fn follow_presence(change: &Presence, online: &mut Online, mirrors: &mut Mirrors) {
    let (who, name) = match change {
        Presence::Entered(identity, _) => (identity.who, Some(&identity.name)),
        Presence::Arrived(who, name, _) => (*who, Some(name)),
        Presence::Left(Identity { who, .. }, _) | Presence::Departed(who, _) => (*who, None),
    };
    // By which operators see where somebody comes from.
    let before = online.sessions(who).first().copied();
    online.follow(change);
    mirrors.came_or_went(online, who, name, online.sessions(who).first().copied() != before);
}

impl State {
    /// An empty one, of a handler that is told apart from those before it by this number.
    pub fn new(epoch: u64) -> State {
        let bus = Bus::new(epoch);
        State {
            sessions: Vec::new(),
            free: Vec::new(),
            last: 0,
            online: Online::default(),
            followed: Followed { worlds: bus.worlds.position(), presence: bus.presence.position() },
            bus,
            worlds: Worlds::default(),
            hosted: Hostings::default(),
            visitors: Visitors::default(),
            player_takeovers: Takeovers::default(),
            play_takeovers: Takeovers::default(),
            visitor_takeovers: Takeovers::default(),
            logins: Logins::default(),
            throttle: Throttle::default(),
            passes: Passes::default(),
            plays: Plays::default(),
            mssp: Mssp::default(),
            attempts: Attempts::default(),
            audit: Audit::default(),
            registrations: Registrations::default(),
            unwritten: Vec::new(),
            departed: BTreeSet::new(),
            mirrors: Mirrors::new(epoch),
            rings: PerList::default(),
            host_backlog: HostBacklog::default(),
            resumed: BTreeSet::new(),
            stopped: Vec::new(),
            replaced_hosts: Vec::new(),
        }
    }

    /// The lists follow what was published.
    fn follow(&mut self) {
        let State { bus, followed, worlds, hosted, online, mirrors, unwritten, .. } = self;
        follow(&mut bus.worlds, &mut followed.worlds, |change| follow_world(change, worlds, hosted, mirrors));
        follow(&mut bus.presence, &mut followed.presence, |change| follow_presence(change, online, mirrors));
        mirrors.take_notes(unwritten);
    }

    /// Takes a free slot, and the number that tells its session apart.
    pub fn reserve(&mut self) -> SessionRef {
        self.last += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.sessions.push(None);
            self.sessions.len() - 1
        });
        SessionRef { slot, id: self.last }
    }

    /// Nothing came of a slot, or its session has ended.
    pub fn release(&mut self, slot: usize) {
        self.free.push(slot);
    }

    /// Puts a session into its slot.
    pub fn put(&mut self, slot: usize, session: Box<Session>) {
        if let Some(place) = self.sessions.get_mut(slot) {
            *place = Some(session);
        }
    }

    /// Takes a session out of its slot.
    pub fn take(&mut self, slot: usize) -> Option<Box<Session>> {
        self.sessions.get_mut(slot)?.take()
    }

    /// The session in a slot.
    pub fn session(&self, slot: usize) -> Option<&Session> {
        self.sessions.get(slot)?.as_deref()
    }

    /// The session in a slot.
    pub fn session_mut(&mut self, slot: usize) -> Option<&mut Session> {
        self.sessions.get_mut(slot)?.as_deref_mut()
    }

    /// The session, if it is still the one meant.
    pub fn live(&self, at: SessionRef) -> Option<&Session> {
        self.session(at.slot).filter(|session| session.id == at.id)
    }

    /// All slots that there are.
    pub fn slots(&self) -> std::ops::Range<usize> {
        0..self.sessions.len()
    }

    /// A session listens to something, if it does not already.
    pub fn subscribe(&mut self, session: &mut Session, at: SessionRef, topic: Topic) {
        if !session.subscriptions.contains(&topic) {
            session.subscriptions.push(topic);
            self.online.subscribe(topic, at);
        }
    }

    /// A session does not listen to something any more; gives whether it did.
    pub fn unsubscribe(&mut self, session: &mut Session, at: SessionRef, topic: Topic) -> bool {
        let before = session.subscriptions.len();
        session.subscriptions.retain(|other| *other != topic);
        let did = session.subscriptions.len() < before;
        if did {
            self.online.unsubscribe(topic, at);
        }
        did
    }

    /// How many sessions are on a channel.
    pub fn members(&self, topic: Topic) -> u32 {
        u32::try_from(self.online.subscribers(topic).len()).unwrap_or(u32::MAX)
    }

    /// Makes a channel; nothing when there are too many. See [`Bus::make`].
    ///
    /// # Errors
    /// The kernel's, when there is no memory or no descriptor left.
    pub fn make_channel(&mut self, name: &str, most: usize) -> io::Result<Option<ChannelId>> {
        let online = &self.online;
        let is_used = |id| !online.subscribers(Topic::Channel(id)).is_empty();
        self.bus.make(&mut self.unwritten, name, most, is_used)
    }

    /// A session is somebody from now on.
    pub fn enter(&mut self, identity: &Identity, at: SessionRef) {
        self.bus.presence.publish(Presence::Entered(identity.clone(), at));
        self.follow();
    }

    /// It is nobody any more.
    pub fn leave(&mut self, identity: &Identity, at: SessionRef) {
        self.bus.presence.publish(Presence::Left(identity.clone(), at));
        self.follow();
        self.departed.insert(identity.who);
    }

    /// It is said that somebody is there; not again where it was said already.
    pub fn arrive(&mut self, who: Principal, name: &Arc<str>, stay: Stay) {
        let before = self.online.stays(who).iter().find(|other| other.seat == stay.seat);
        if before.is_none_or(|before| before.identified != stay.identified) {
            let Stay { seat, place, since, identified } = stay;
            let name = name.to_string();
            self.unwritten.push(Entry::Here { seat, who, name: name.clone(), place, since, identified });
            self.still_arrive(who, &name.into(), stay);
        }
    }

    /// What the journal says of a stay, and still holds.
    pub fn still_arrive(&mut self, who: Principal, name: &Arc<str>, stay: Stay) {
        self.bus.presence.publish(Presence::Arrived(who, name.clone(), stay));
        self.follow();
    }

    /// He is there no longer.
    pub fn depart(&mut self, who: Principal, seat: Seat) {
        if self.online.is_guest(who, seat) {
            self.unwritten.push(Entry::NotHere { seat, who });
            self.bus.presence.publish(Presence::Departed(who, seat));
            self.follow();
            self.departed.insert(who);
        }
    }

    /// Nobody is there any more.
    pub fn empty(&mut self, seat: Seat) {
        for who in self.online.guests(seat).collect::<Vec<_>>() {
            self.depart(who, seat);
        }
    }

    /// Somebody's name; nothing when there is nobody like that.
    pub fn name(&self, memory: &Memory, who: Principal) -> Option<String> {
        match who.kind {
            PrincipalKind::Visitor => self.visitors.get(who.id).map(|visitor| visitor.name.clone()),
            _ => memory.name(who),
        }
    }

    /// Somebody as others see him.
    pub fn party(&self, memory: &Memory, who: Principal) -> Party {
        party(who, self.name(memory, who).unwrap_or_default())
    }

    /// A visitor is on from now on; nothing when there are too many.
    pub fn visit(&mut self, name: &Name, session: u64, address: Option<IpAddr>, now: Time) -> Option<u32> {
        if self.visitors.is_crowded() {
            for id in self.visitors.gone(now) {
                if self.online.stays(principal(id)).is_empty() {
                    self.forget_visitor(id);
                }
            }
        }
        let id = self.visitors.enter(name, session, address, now)?;
        self.note_visitor(id);
        Some(id)
    }

    /// What the journal is to know of a visitor.
    pub fn note_visitor(&mut self, id: u32) {
        let said = self.visitors.get(id).map(KeptVisitor::from);
        self.unwritten.extend(said.map(|said| Entry::Visitor { id, said }));
    }

    /// A visitor is on no more, and in no world.
    pub fn forget_visitor(&mut self, id: u32) {
        for stay in self.online.stays(principal(id)).to_vec() {
            self.depart(principal(id), stay.seat);
        }
        if self.visitors.remove(id).is_some() {
            self.unwritten.push(Entry::NoVisitor { id });
        }
    }

    /// All sessions of players and visitors.
    pub fn everyone(&self) -> Vec<SessionRef> {
        let all = self.slots().filter_map(|slot| Some((slot, self.session(slot)?)));
        let is_on = |who: Principal| matches!(who.kind, PrincipalKind::Player | PrincipalKind::Visitor);
        let people = all.filter(|(_, session)| session.number != 0 && session.who().is_some_and(is_on));
        people.map(|(slot, session)| SessionRef { slot, id: session.id }).collect()
    }

    /// Those who have no connection of their own and can be told something where they are, by who hosts them.
    pub fn hosts_of_guests(&self) -> BTreeMap<Seat, Vec<Principal>> {
        let mut hosts: BTreeMap<Seat, Vec<Principal>> = BTreeMap::new();
        for (who, _) in self.online.everywhere().filter(|(who, _)| !self.online.is_on(*who)) {
            if let Some(seat) = self.reachable(who).or_else(|| self.waits_for_host(who)) {
                hosts.entry(seat).or_default().push(who);
            }
        }
        hosts
    }

    /// Where somebody has identified himself, the last place first.
    pub(super) fn identified(&self, who: Principal) -> impl Iterator<Item = Seat> {
        self.online.stays(who).iter().rev().filter(|stay| stay.identified).map(|stay| stay.seat)
    }

    /// Whether no connection speaks for a seat.
    pub(super) fn is_away(&self, seat: Seat) -> bool {
        let Seat::World(world) = seat else { return false };
        self.hosted.get(world).is_none_or(|hosting| hosting.away.is_some())
    }

    /// Where somebody is who has no connection of his own: what is for him goes there, if he has identified himself there.
    pub fn reachable(&self, who: Principal) -> Option<Seat> {
        self.identified(who).find(|seat| !self.is_away(*seat))
    }

    /// Where somebody is, whose host has lost its connection and may come back.
    pub fn waits_for_host(&self, who: Principal) -> Option<Seat> {
        self.identified(who).find(|seat| self.is_away(*seat))
    }

    /// What is said of a world from now on.
    pub fn say_world(&mut self, id: StatusId, world: World) {
        self.unwritten.push(Entry::World { id: id.0, said: (&world).into() });
        self.still_say_world(id, world);
    }

    /// What the journal says of a world, and still holds.
    pub fn still_say_world(&mut self, id: StatusId, world: World) {
        self.bus.worlds.publish(WorldChange::Said(id, world));
        self.follow();
    }

    /// What is said of a world that has a licence, and who hosts it, from now on.
    pub fn host_world(&mut self, licence: &KeptLicence, hosting: Hosting) {
        self.unwritten.push(Entry::Hosting { world: licence.id, said: (&hosting).into() });
        self.still_host_world(licence, hosting);
    }

    /// What the journal says of a world that is hosted, and still holds.
    pub fn still_host_world(&mut self, licence: &KeptLicence, hosting: Hosting) {
        self.bus.worlds.publish(WorldChange::Hosted(licence.id, Box::new(hosting), Known::from(licence)));
        self.follow();
    }

    /// Nobody hosts a world any more; gives who did.
    pub fn stop_world(&mut self, world: WorldId) -> Option<Hosting> {
        self.hosted.forget_claim(world);
        let was = self.hosted.get(world).cloned()?;
        drop(self.host_backlog.take(world));
        self.stopped.push((world, Time::now()));
        self.empty(Seat::World(world));
        self.unwritten.push(Entry::NoHosting { world });
        self.bus.worlds.publish(WorldChange::Stopped(world));
        self.follow();
        self.departed.insert(world.into());
        Some(was)
    }

    /// Nothing is said of a world any more.
    pub fn forget_world(&mut self, id: StatusId) {
        if self.worlds.get(id).is_some() {
            self.unwritten.push(Entry::NoWorld { id: id.0 });
            self.bus.worlds.publish(WorldChange::Gone(id));
            self.follow();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_follow_the_bus_and_each_handler_has_an_epoch_of_its_own() {
        let world = |map: &str| World {
            host: 3,
            name: "Arena".into(),
            address: "10.0.0.1".into(),
            map: map.into(),
            players: 1,
            max: 8,
            text: String::new(),
            at: Time(5),
        };
        let (at, who) = (SessionRef { slot: 0, id: 1 }, Principal::from(PlayerId(7)));
        let bob = Identity { who, epoch: 0, name: "Bob".into() };
        let mut state = State::new(4);
        state.enter(&bob, at);
        let id = state.worlds.id_for(3, "arena");
        state.say_world(id, world("q3dm6"));
        state.say_world(id, world("q3dm17"));
        assert!(state.online.is_on(who) && state.worlds.get(id).is_some_and(|world| world.map == "q3dm17"));
        state.forget_world(id);
        state.forget_world(id);
        state.leave(&bob, at);
        assert!(!state.online.is_on(who) && state.worlds.len() == 0);
        let numbers = (state.bus.worlds.position().number, state.bus.presence.position().number);
        assert_eq!(numbers, (3, 2), "what was not there does not go");
        assert_eq!((state.bus.worlds.kept().len(), state.bus.presence.kept().len()), (0, 0), "nobody else follows");
        assert!(State::new(5).bus.worlds.since(state.bus.worlds.position(), 9).is_none());
        // What the handler before has said is in the journal already.
        state.still_say_world(id, world("q3dm6"));
        assert_eq!((state.worlds.len(), state.unwritten.len()), (1, 3));
    }
}
