//! Who is on, with which sessions, and who listens to what. Lives in the event loop.

use super::names;
use super::session::{Identity, SessionRef};
use super::topic::Topic;
use hashbrown::{HashMap, HashSet};
use ssmglobal_ipc::Time;
use ssmglobal_store::{PlayerId, Principal, PrincipalKind, ServerId};
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
    /// A game server says that a player is on it.
    Arrived(PlayerId, Arc<str>, Stay),
    /// He is not any more: the player, and the session that had said so.
    Departed(PlayerId, u64),
}

/// A player is on a game server, as that one says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The number of the session that says so.
    pub host: u64,
    /// The game server.
    pub server: ServerId,
    /// Since when.
    pub since: Time,
}

/// A player who is on game servers.
#[derive(Debug, Default)]
struct Visitor {
    name: Arc<str>,
    stays: Vec<Stay>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Online {
    sessions: HashMap<Principal, Vec<SessionRef>>,
    /// Players that are here or on a game server, by folded name, for lists.
    pub names: BTreeMap<String, PlayerId>,
    visitors: HashMap<PlayerId, Visitor>,
    /// Who is there as a session says.
    guests: HashMap<u64, HashSet<PlayerId>>,
    subscribers: HashMap<Topic, Vec<SessionRef>>,
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
            Presence::Arrived(player, name, stay) => self.arrive(*player, name, *stay),
            Presence::Departed(player, host) => self.depart(*player, *host),
        }
    }

    fn enter(&mut self, identity: &Identity, at: SessionRef) {
        self.sessions.entry(identity.who).or_default().push(at);
        if let Some(player) = identity.who.as_player() {
            self.names.insert(names::fold(&identity.name), player);
        }
    }

    fn leave(&mut self, identity: &Identity, at: SessionRef) {
        leave(&mut self.sessions, &identity.who, at);
        if let Some(player) = identity.who.as_player() {
            self.forget_name(player, &identity.name);
        }
    }

    fn arrive(&mut self, player: PlayerId, name: &Arc<str>, stay: Stay) {
        self.depart(player, stay.host);
        let visitor = self.visitors.entry(player).or_default();
        visitor.name = name.clone();
        visitor.stays.push(stay);
        self.guests.entry(stay.host).or_default().insert(player);
        self.names.insert(names::fold(name), player);
    }

    fn depart(&mut self, player: PlayerId, host: u64) {
        if let Some(guests) = self.guests.get_mut(&host) {
            guests.remove(&player);
            if guests.is_empty() {
                self.guests.remove(&host);
            }
        }
        let Some(visitor) = self.visitors.get_mut(&player) else { return };
        visitor.stays.retain(|stay| stay.host != host);
        if visitor.stays.is_empty()
            && let Some(visitor) = self.visitors.remove(&player)
        {
            self.forget_name(player, &visitor.name);
        }
    }

    /// Takes somebody out of the lists who is nowhere.
    fn forget_name(&mut self, player: PlayerId, name: &str) {
        if !self.is_on(player.into()) && !self.visitors.contains_key(&player) {
            self.names.remove(&names::fold(name));
        }
    }

    /// Where a player is on, as game servers say, the longest there first.
    pub fn stays(&self, player: PlayerId) -> &[Stay] {
        self.visitors.get(&player).map_or(&[], |visitor| visitor.stays.as_slice())
    }

    /// Whether this session says that a player is on its game server.
    pub fn is_guest(&self, player: PlayerId, host: u64) -> bool {
        self.guests.get(&host).is_some_and(|guests| guests.contains(&player))
    }

    /// Who is on its game server, as a session says.
    pub fn guests(&self, host: u64) -> impl ExactSizeIterator<Item = PlayerId> {
        self.guests.get(&host).map(HashSet::iter).unwrap_or_default().copied()
    }

    /// Whether somebody is on.
    pub fn is_on(&self, who: Principal) -> bool {
        self.sessions.contains_key(&who)
    }

    /// Somebody's sessions.
    pub fn sessions(&self, who: Principal) -> &[SessionRef] {
        self.sessions.get(&who).map_or(&[], Vec::as_slice)
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
    use ssmglobal_store::BoardId;

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
        let at = SessionRef { slot: 1, id: 10 };
        let bob = Identity { who: Principal::from(PlayerId(7)), name: "Bob".into(), epoch: 0 };
        let stay = |host, since| Stay { host, server: ServerId(3), since: Time(since) };
        let arrived = |host, since| Presence::Arrived(PlayerId(7), "Bob".into(), stay(host, since));
        let mut online = Online::default();
        online.follow(&arrived(20, 1));
        online.follow(&arrived(21, 2));
        // Said again: it is the same stay.
        online.follow(&arrived(20, 3));
        assert_eq!(online.stays(PlayerId(7)), [stay(21, 2), stay(20, 3)]);
        assert!(!online.is_on(bob.who) && online.names.contains_key("bob"));
        online.follow(&Presence::Entered(bob.clone(), at));
        online.follow(&Presence::Departed(PlayerId(7), 21));
        online.follow(&Presence::Left(bob.clone(), at));
        assert!(
            online.names.contains_key("bob") && online.is_guest(PlayerId(7), 20) && !online.is_guest(PlayerId(7), 21)
        );
        online.follow(&Presence::Departed(PlayerId(7), 99));
        assert_eq!(online.guests(20).collect::<Vec<_>>(), [PlayerId(7)]);
        online.follow(&Presence::Departed(PlayerId(7), 20));
        assert!(online.names.is_empty() && online.visitors.is_empty() && online.guests.is_empty());
    }
}
