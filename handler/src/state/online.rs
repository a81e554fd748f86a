//! Who is on, with which sessions, and who listens to what. Lives in the event loop.

use super::names;
use super::session::{Identity, SessionRef};
use super::topic::Topic;
use hashbrown::HashMap;
use ssmglobal_store::{PlayerId, Principal, PrincipalKind};
use std::collections::BTreeMap;
use std::hash::Hash;

/// A change of who is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A session is somebody from now on.
    Entered(Identity, SessionRef),
    /// It is nobody any more.
    Left(Identity, SessionRef),
}

/// All of it.
#[derive(Debug, Default)]
pub struct Online {
    sessions: HashMap<Principal, Vec<SessionRef>>,
    /// Players that are on, by folded name, for lists.
    pub names: BTreeMap<String, PlayerId>,
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
        if identity.who.as_player().is_some() && !self.is_on(identity.who) {
            self.names.remove(&names::fold(&identity.name));
        }
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
}
