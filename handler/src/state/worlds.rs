//! The list of worlds: what game servers that opted in say of themselves. In memory only, gone with the connection that has
//! said it. Of a game server with several connections the newest word that still stands is shown. Lives in the event loop.

use super::hosting::{Hosting, Known};
use super::pages::behind;
use hashbrown::HashMap;
use ssmglobal_ipc::Time;
use ssmglobal_store::WorldId;
use std::collections::BTreeMap;

/// The number of what a session says of its world; never used again by this handler or the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusId(pub u64);

/// One world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The number of the session that hosts it.
    pub host: u64,
    /// Its name, the game server's.
    pub name: String,
    /// Where players connect to.
    pub address: String,
    /// What is played there.
    pub map: String,
    /// How many are on it.
    pub players: u32,
    /// How many fit.
    pub max: u32,
    /// Free text, may be empty.
    pub text: String,
    /// When this was last told. No two words on the same world have the same time.
    pub at: Time,
}

/// What changes in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldChange {
    /// What is said of a world from now on.
    Said(StatusId, World),
    /// Nothing is said of it any more.
    Gone(StatusId),
    /// A world that has a licence is hosted, and this is said of it.
    Hosted(WorldId, Box<Hosting>, Known),
    /// It is hosted no longer.
    Stopped(WorldId),
}

/// All worlds.
#[derive(Debug, Default)]
pub struct Worlds {
    worlds: HashMap<StatusId, World>,
    /// What stands of a world, by its lower-case name, the newest word last. No list is empty.
    by_name: BTreeMap<String, Vec<StatusId>>,
    last: u64,
}

impl Worlds {
    /// The number under which a session's word on the world of this name is known, or would be.
    pub fn id_for(&self, host: u64, name: &str) -> StatusId {
        self.word_of(host, name).unwrap_or(StatusId(self.last + 1))
    }

    /// A session's word on the world of this name, in any case.
    pub fn word_of(&self, host: u64, name: &str) -> Option<StatusId> {
        let words = self.by_name.get(&name.to_ascii_lowercase())?;
        words.iter().copied().find(|id| self.worlds.get(id).is_some_and(|world| world.host == host))
    }

    /// What is shown of the world of this name, in any case.
    pub fn named(&self, name: &str) -> Option<&World> {
        self.worlds.get(self.by_name.get(&name.to_ascii_lowercase())?.last()?)
    }

    /// When a word that is said now is said, which is behind all that stand.
    pub fn time_for(&self, name: &str, now: Time) -> Time {
        self.named(name).map_or(now, |newest| now.max(Time(newest.at.0.saturating_add(1))))
    }

    /// Takes over a change. The only way in which the list changes.
    pub fn follow(&mut self, change: &WorldChange) {
        match change {
            WorldChange::Said(id, world) => self.put(*id, world.clone()),
            WorldChange::Gone(id) => self.remove(*id),
            // Those who host know of these.
            WorldChange::Hosted(..) | WorldChange::Stopped(_) => {}
        }
    }

    fn put(&mut self, id: StatusId, world: World) {
        self.remove(id);
        self.last = self.last.max(id.0);
        let words = self.by_name.entry(world.name.to_ascii_lowercase()).or_default();
        // After a death of the handler they come back in any order.
        let said = |id: &StatusId| self.worlds.get(id).map(|world| world.at);
        let place = words.partition_point(|other| said(other) <= Some(world.at));
        words.insert(place, id);
        self.worlds.insert(id, world);
    }

    fn remove(&mut self, id: StatusId) {
        let Some(world) = self.worlds.remove(&id) else { return };
        let name = world.name.to_ascii_lowercase();
        let Some(words) = self.by_name.get_mut(&name) else { return };
        words.retain(|other| *other != id);
        if words.is_empty() {
            self.by_name.remove(&name);
        }
    }

    /// One world.
    pub fn get(&self, id: StatusId) -> Option<&World> {
        self.worlds.get(&id)
    }

    /// Those that a session hosts.
    pub fn of(&self, host: u64) -> Vec<StatusId> {
        self.worlds.iter().filter(|(_, world)| world.host == host).map(|(id, _)| *id).collect()
    }

    /// All, by lower-case name, behind `after`.
    pub fn iter_after(&self, after: Option<&str>) -> impl Iterator<Item = (&str, &World)> {
        let range = self.by_name.range::<str, _>(behind(after));
        range.filter_map(|(name, words)| Some((name.as_str(), self.worlds.get(words.last()?)?)))
    }

    /// What stands of the worlds of this name, in any case.
    pub fn words_of(&self, name: &str) -> Vec<StatusId> {
        self.by_name.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Numbers up to this one were given.
    pub fn were_upto(&mut self, id: StatusId) {
        self.last = self.last.max(id.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list, and what the clock says.
    struct Place(Worlds, i64);

    impl Place {
        fn say(&mut self, host: u64, name: &str, map: &str) -> StatusId {
            let id = self.0.id_for(host, name);
            let at = self.0.time_for(name, Time(self.1));
            let (name, map, text) = (name.to_owned(), map.to_owned(), String::new());
            let world = World { host, name, address: String::new(), map, players: 1, max: 8, text, at };
            self.0.follow(&WorldChange::Said(id, world));
            id
        }

        fn shown(&self) -> Vec<(&str, &str)> {
            self.0.iter_after(None).map(|(_, world)| (world.name.as_str(), world.map.as_str())).collect()
        }
    }

    #[test]
    fn the_newest_word_that_still_stands_is_shown() {
        let mut place = Place(Worlds::default(), 5);
        let first = place.say(1, "Arena", "one");
        let second = place.say(2, "arena", "two");
        let third = place.say(3, "arena", "three");
        place.say(1, "desert", "sand");
        assert_eq!((place.shown(), place.0.len()), (vec![("arena", "three"), ("desert", "sand")], 2));
        // One in the middle goes unseen, and who says something again is the newest.
        place.0.follow(&WorldChange::Gone(second));
        assert_eq!(place.say(1, "ARENA", "four"), first);
        assert_eq!(place.shown()[0], ("ARENA", "four"));
        place.0.follow(&WorldChange::Gone(first));
        assert_eq!(place.shown()[0], ("arena", "three"));
        assert_eq!((place.0.word_of(1, "arena"), place.0.word_of(3, "ARENA")), (None, Some(third)));
        place.0.follow(&WorldChange::Gone(third));
        place.0.follow(&WorldChange::Gone(third));
        assert_eq!((place.shown(), place.0.len()), (vec![("desert", "sand")], 1));
        assert!(place.say(4, "arena", "five").0 > third.0, "no number is used again");
    }

    #[test]
    fn which_word_is_the_newest_is_known_in_whatever_order_they_come_back() {
        let mut place = Place(Worlds::default(), 5);
        // In the same moment, and with a clock that goes back.
        let ids = [1, 2, 3].map(|host| {
            place.1 -= 1;
            place.say(host, "arena", &format!("of {host}"))
        });
        let words = ids.map(|id| (id, place.0.get(id).unwrap().clone()));
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut next = Place(Worlds::default(), 0);
            for (id, word) in order.map(|index| words[index].clone()) {
                next.0.follow(&WorldChange::Said(id, word));
            }
            for (index, gone) in [2, 1, 0].into_iter().enumerate() {
                assert_eq!(next.shown(), [("arena", &*format!("of {}", 3 - index))], "{order:?}");
                next.0.follow(&WorldChange::Gone(ids[gone]));
            }
            assert_eq!(next.shown(), []);
        }
    }
}
