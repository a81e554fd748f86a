//! Visitors: who is on under a name and has not registered. A name is a visitor's as long as he is on: here, in a world, or on his way
//! from the one to the other. In memory; the journal takes it to the next handler. Lives in the event loop.

use super::names::Name;
use compact_str::CompactString;
use hashbrown::HashMap;
use ssmglobal_ipc::Time;
use ssmglobal_store::{Principal, PrincipalKind};
use std::net::IpAddr;
use std::sync::{Arc, Weak};

/// So long the name of one whose connection has ended is kept for him, milliseconds: he may be on his way to a world.
const KEPT: i64 = 120_000;

/// Visitors at once, with those who have just gone.
const MOST: usize = 100_000;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// His name, as it is shown.
    pub name: String,
    /// The name with case taken away.
    pub folded: String,
    /// As the eye sees it.
    pub skeleton: String,
    /// The number of his session; nothing when it has ended.
    pub session: Option<u64>,
    /// Where he comes from.
    pub address: Option<IpAddr>,
    /// Since when he is on.
    pub since: Time,
    /// Until when his name is kept, once his session has ended.
    pub until: Time,
}

/// A visitor as somebody.
pub fn principal(id: u32) -> Principal {
    Principal { kind: PrincipalKind::Visitor, id }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Visitors {
    all: HashMap<u32, Visitor>,
    by_name: HashMap<CompactString, u32>,
    by_look: HashMap<CompactString, u32>,
    by_session: HashMap<u64, u32>,
    /// Who has registered of late, by the folded name before, and until when that is known.
    players: HashMap<CompactString, (u32, Time)>,
    /// Names that somebody is about to have who is no visitor, each for as long as its change is under way.
    promised: Vec<Weak<Name>>,
    last: u32,
}

impl Visitors {
    /// A new one; nothing when there are too many.
    pub fn enter(&mut self, name: &Name, session: u64, address: Option<IpAddr>, now: Time) -> Option<u32> {
        if self.all.len() >= MOST {
            return None;
        }
        let id = self.last.checked_add(1)?;
        let Name { shown, folded, skeleton } = name.clone();
        let (session, since) = (Some(session), now);
        self.put(id, Visitor { name: shown, folded, skeleton, session, address, since, until: now });
        Some(id)
    }

    /// One as a handler before this one has left him.
    pub fn put(&mut self, id: u32, visitor: Visitor) {
        self.remove(id);
        self.last = self.last.max(id);
        self.by_name.insert(visitor.folded.as_str().into(), id);
        self.by_look.insert(visitor.skeleton.as_str().into(), id);
        self.by_session.extend(visitor.session.map(|session| (session, id)));
        self.all.insert(id, visitor);
    }

    /// He is on no more.
    pub fn remove(&mut self, id: u32) -> Option<Visitor> {
        let visitor = self.all.remove(&id)?;
        self.by_name.remove(visitor.folded.as_str());
        self.by_look.remove(visitor.skeleton.as_str());
        if let Some(session) = visitor.session {
            self.by_session.remove(&session);
        }
        Some(visitor)
    }

    /// His session has ended; gives who that was.
    pub fn leave(&mut self, session: u64, now: Time) -> Option<(u32, Visitor)> {
        let id = self.by_session.remove(&session)?;
        self.let_go(id, now);
        Some((id, self.all.get(&id)?.clone()))
    }

    /// He has no session any more, which is another visitor's by now.
    pub fn let_go(&mut self, id: u32, now: Time) {
        if let Some(visitor) = self.all.get_mut(&id) {
            (visitor.session, visitor.until) = (None, Time(now.0.saturating_add(KEPT)));
        }
    }

    /// He has registered as this player: who knows him by the name that he had means that one.
    pub fn registered(&mut self, id: u32, player: u32, now: Time) {
        let Some(visitor) = self.all.get(&id) else { return };
        self.players.retain(|_, (_, until)| *until > now);
        if self.players.len() < MOST {
            self.players.insert(visitor.folded.as_str().into(), (player, Time(now.0.saturating_add(KEPT))));
        }
    }

    /// The player that a visitor of this folded name has just become.
    pub fn now_player(&self, folded: &str, now: Time) -> Option<u32> {
        self.players.get(folded).filter(|(_, until)| *until > now).map(|(player, _)| *player)
    }

    /// A visitor by his number; nothing once he has gone.
    pub fn get(&self, id: u32) -> Option<&Visitor> {
        self.all.get(&id)
    }

    /// The one with this folded name.
    pub fn named(&self, folded: &str) -> Option<u32> {
        self.by_name.get(folded).copied()
    }

    /// The one whose name is the same, or looks the same.
    pub fn like(&self, name: &Name) -> Option<(u32, &Visitor)> {
        let id = self.by_name.get(name.folded.as_str()).or_else(|| self.by_look.get(name.skeleton.as_str()))?;
        Some((*id, self.all.get(id)?))
    }

    /// Somebody else is about to have this name: it is no visitor's for as long as what is returned lives.
    pub fn promise(&mut self, name: Name) -> Arc<Name> {
        let name = Arc::new(name);
        self.promised.retain(|other| other.strong_count() > 0);
        self.promised.push(Arc::downgrade(&name));
        name
    }

    /// Whether somebody else is about to have this name, or one that looks like it.
    pub fn is_promised(&self, name: &Name) -> bool {
        self.promised.iter().any(|other| other.upgrade().is_some_and(|other| other.is_like(name)))
    }

    /// Those who have gone and whose names are kept no longer.
    pub fn gone(&self, now: Time) -> Vec<u32> {
        let gone = self.all.iter().filter(|(_, visitor)| visitor.session.is_none() && visitor.until <= now);
        gone.map(|(id, _)| *id).collect()
    }

    /// Whether it is time to look for those.
    pub fn is_crowded(&self) -> bool {
        self.all.len() >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::*;

    fn name(text: &str) -> Name {
        names::check(text, 2, 20).unwrap()
    }

    #[test]
    fn a_name_is_promised_as_long_as_its_change_is_under_way() {
        let mut visitors = Visitors::default();
        let (bob, carol) = (visitors.promise(name("Bob")), visitors.promise(name("carol")));
        assert!(visitors.is_promised(&name("bob")) && visitors.is_promised(&name("b\u{43e}b")));
        assert!(!visitors.is_promised(&name("Bobby")));
        drop(bob);
        assert!(!visitors.is_promised(&name("bob")) && visitors.is_promised(&name("carol")));
        let _dora = visitors.promise(name("dora"));
        assert_eq!(visitors.promised.len(), 2, "what is over is let go of");
        drop(carol);
    }

    #[test]
    fn a_name_is_a_visitors_until_he_is_gone_for_good() {
        let mut visitors = Visitors::default();
        let bob = visitors.enter(&name("Bob"), 7, None, Time(5)).unwrap();
        assert_eq!(visitors.named("bob"), Some(bob));
        assert_eq!(visitors.like(&name("B\u{43e}b")).map(|(id, _)| id), Some(bob), "it looks the same");
        assert!(visitors.like(&name("Bobby")).is_none());
        assert_eq!(visitors.leave(7, Time(10)).map(|(id, visitor)| (id, visitor.session)), Some((bob, None)));
        assert!(visitors.leave(7, Time(10)).is_none());
        assert_eq!((visitors.gone(Time(10)), visitors.gone(Time(10 + KEPT))), (vec![], vec![bob]));
        assert!(visitors.remove(bob).is_some() && visitors.remove(bob).is_none());
        let next = visitors.enter(&name("bob"), 8, None, Time(20)).unwrap();
        assert!(next > bob, "no number is given again");
        assert_eq!(visitors.get(next).map(|visitor| visitor.session), Some(Some(8)));
        visitors.remove(next);
        let Visitors { all, by_name, by_look, by_session, .. } = visitors;
        assert!(all.is_empty() && by_name.is_empty() && by_look.is_empty() && by_session.is_empty());
    }
}
