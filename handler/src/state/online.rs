//! Who is on, with which sessions, and who listens to what. Lives in the event loop.

use super::names;
use super::session::{Identity, SessionRef};
use super::topic::Topic;
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::Time;
use ssmglobal_store::{Principal, PrincipalKind, WorldId};
use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

/// A change of who is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A session is somebody from now on.
    Entered(Identity, SessionRef),
    /// It is nobody any more.
    Left(Identity, SessionRef),
    /// A game server says that somebody is on it, or in a world of its own.
    Arrived(Principal, Arc<str>, Stay),
    /// He is not there any more.
    Departed(Principal, Seat),
}

/// By what it is said that somebody is there, and how long that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Seat {
    /// A game server's session, by its number: as long as that.
    Session(u64),
    /// A world that has a licence: as long as it is hosted, whatever becomes of its host's connections.
    World(WorldId),
}

/// Somebody is on a game server or in a world, as is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// By what it is said.
    pub seat: Seat,
    /// The game server, or the world.
    pub place: Principal,
    /// When he came.
    pub since: Time,
    /// He has identified himself there.
    pub identified: bool,
}

/// Somebody who is on game servers or in worlds.
#[derive(Debug, Default)]
struct Guest {
    name: Arc<str>,
    stays: Vec<Stay>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Online {
    sessions: HashMap<Principal, Vec<SessionRef>>,
    /// Players and visitors that are here or on a game server, for lists, by [`list_key`].
    pub names: BTreeMap<String, Principal>,
    guests: HashMap<Principal, Guest>,
    /// Who is there.
    seats: HashMap<Seat, HashSet<Principal>>,
    subscribers: HashMap<Topic, Vec<SessionRef>>,
}

/// By what somebody stands in the list of who is on, if he does: a visitor right behind a player of his name.
pub fn list_key(who: Principal, name: &str) -> Option<String> {
    match who.kind {
        PrincipalKind::Player => Some(names::fold(name)),
        PrincipalKind::Visitor => Some(names::fold(name) + "\u{1}"),
        PrincipalKind::Server
        | PrincipalKind::World
        | PrincipalKind::Bot
        | PrincipalKind::Channel
        | PrincipalKind::Backend => None,
    }
}

/// Takes one session out of a list, and the list out of its map when nobody is left.
fn leave<K: Hash + Eq>(map: &mut HashMap<K, Vec<SessionRef>>, key: &K, session: SessionRef) {
    if let Some(list) = map.get_mut(key) {
        list.retain(|other| *other != session);
        if list.is_empty() {
            map.remove(key);
        }
    }
}

impl Online {
    /// Takes over a change. The only way in which it changes who is on.
    pub fn follow(&mut self, change: &Presence) {
        match change {
            Presence::Entered(identity, at) => self.enter(identity, *at),
            Presence::Left(identity, at) => self.leave(identity, *at),
            Presence::Arrived(who, name, stay) => self.arrive(*who, name, *stay),
            Presence::Departed(who, seat) => self.depart(*who, *seat),
        }
    }

    fn enter(&mut self, identity: &Identity, at: SessionRef) {
        self.sessions.entry(identity.who).or_default().push(at);
        self.names.extend(list_key(identity.who, &identity.name).map(|key| (key, identity.who)));
    }

    fn leave(&mut self, identity: &Identity, at: SessionRef) {
        leave(&mut self.sessions, &identity.who, at);
        self.forget_name(identity.who, &identity.name);
    }

    fn arrive(&mut self, who: Principal, name: &Arc<str>, stay: Stay) {
        self.depart(who, stay.seat);
        let guest = self.guests.entry(who).or_default();
        guest.name = name.clone();
        guest.stays.push(stay);
        self.seats.entry(stay.seat).or_default().insert(who);
        self.names.extend(list_key(who, name).map(|key| (key, who)));
    }

    fn depart(&mut self, who: Principal, seat: Seat) {
        if let Some(there) = self.seats.get_mut(&seat) {
            there.remove(&who);
            if there.is_empty() {
                self.seats.remove(&seat);
            }
        }
        let Some(guest) = self.guests.get_mut(&who) else { return };
        guest.stays.retain(|stay| stay.seat != seat);
        if guest.stays.is_empty()
            && let Some(guest) = self.guests.remove(&who)
        {
            self.forget_name(who, &guest.name);
        }
    }

    /// Takes somebody out of the lists who is nowhere.
    fn forget_name(&mut self, who: Principal, name: &str) {
        if !self.is_on(who)
            && !self.guests.contains_key(&who)
            && let Some(key) = list_key(who, name)
        {
            self.names.remove(&key);
        }
    }

    /// Where somebody is on, as is said, the longest there first.
    pub fn stays(&self, who: impl Into<Principal>) -> &[Stay] {
        self.guests.get(&who.into()).map_or(&[], |guest| guest.stays.as_slice())
    }

    /// Whether it is said there that somebody is.
    pub fn is_guest(&self, who: Principal, seat: Seat) -> bool {
        self.seats.get(&seat).is_some_and(|there| there.contains(&who))
    }

    /// Who is there.
    pub fn guests(&self, seat: Seat) -> impl ExactSizeIterator<Item = Principal> {
        self.seats.get(&seat).map(HashSet::iter).unwrap_or_default().copied()
    }

    /// Whether somebody is on.
    pub fn is_on(&self, who: Principal) -> bool {
        self.sessions.contains_key(&who)
    }

    /// Somebody's sessions.
    pub fn sessions(&self, who: Principal) -> &[SessionRef] {
        self.sessions.get(&who).map_or(&[], Vec::as_slice)
    }

    /// Those who are somewhere, with where.
    pub fn everywhere(&self) -> impl Iterator<Item = (Principal, &[Stay])> {
        self.guests.iter().map(|(who, guest)| (*who, guest.stays.as_slice()))
    }

    /// How many of a kind are on.
    pub fn count(&self, kind: PrincipalKind) -> usize {
        self.sessions.keys().filter(|who| who.kind == kind).count()
    }

    /// A session listens from now on.
    pub fn subscribe(&mut self, topic: Topic, at: SessionRef) {
        self.subscribers.entry(topic).or_default().push(at);
    }

    /// It does not any more.
    pub fn unsubscribe(&mut self, topic: Topic, at: SessionRef) {
        leave(&mut self.subscribers, &topic, at);
    }

    /// Who listens.
    pub fn subscribers(&self, topic: Topic) -> &[SessionRef] {
        self.subscribers.get(&topic).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_store::{BoardId, PlayerId};

    #[test]
    fn a_list_goes_with_its_last_session() {
        let (one, two) = (SessionRef { slot: 1, id: 10 }, SessionRef { slot: 1, id: 11 });
        let (mut online, board) = (Online::default(), Topic::Board(BoardId(1)));
        online.subscribe(board, one);
        online.subscribe(board, two);
        online.unsubscribe(board, one);
        assert_eq!(online.subscribers(board), [two]);
        online.unsubscribe(board, one);
        online.unsubscribe(Topic::Board(BoardId(2)), two);
        assert_eq!(online.subscribers.len(), 1);
        online.unsubscribe(board, two);
        assert!(online.subscribers.is_empty());
    }

    #[test]
    fn a_player_is_on_until_his_last_session_has_left() {
        let (one, two) = (SessionRef { slot: 1, id: 10 }, SessionRef { slot: 2, id: 11 });
        let bob = Identity { who: Principal::from(PlayerId(7)), epoch: 0, name: "Bob".into() };
        let mut online = Online::default();
        online.enter(&bob, one);
        online.enter(&bob, two);
        online.leave(&bob, one);
        assert!(online.is_on(bob.who) && online.names.contains_key("bob"));
        assert_eq!((online.sessions(bob.who), online.count(PrincipalKind::Player)), (&[two][..], 1));
        online.leave(&bob, two);
        assert!(!online.is_on(bob.who) && online.names.is_empty() && online.sessions.is_empty());
    }

    #[test]
    fn a_player_is_in_lists_as_long_as_he_is_here_or_on_a_game_server() {
        let (at, seven) = (SessionRef { slot: 1, id: 10 }, Principal::from(PlayerId(7)));
        let bob = Identity { who: seven, name: "Bob".into(), epoch: 0 };
        let place = ssmglobal_store::ServerId(3).into();
        let stay = |seat, since| Stay { seat, place, since: Time(since), identified: false };
        let arrived = |seat, since| Presence::Arrived(seven, "Bob".into(), stay(seat, since));
        let (one, other) = (Seat::Session(20), Seat::World(WorldId(20)));
        let mut online = Online::default();
        online.follow(&arrived(one, 1));
        online.follow(&arrived(other, 2));
        // Said again: it is the same stay.
        online.follow(&arrived(one, 3));
        assert_eq!(online.stays(seven), [stay(other, 2), stay(one, 3)]);
        assert!(!online.is_on(bob.who) && online.names.contains_key("bob"));
        online.follow(&Presence::Entered(bob.clone(), at));
        online.follow(&Presence::Departed(seven, other));
        online.follow(&Presence::Left(bob.clone(), at));
        assert!(online.names.contains_key("bob") && online.is_guest(seven, one) && !online.is_guest(seven, other));
        online.follow(&Presence::Departed(seven, Seat::Session(99)));
        assert_eq!(online.guests(one).collect::<Vec<_>>(), [seven]);
        online.follow(&Presence::Departed(seven, one));
        assert!(online.names.is_empty() && online.guests.is_empty() && online.seats.is_empty());
    }
}
