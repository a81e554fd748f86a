//! The list of worlds: what game servers that opted in say of themselves. In memory only, gone with the connection that has
//! said it. Lives in the event loop.

use super::pages::behind;
use hashbrown::HashMap;
use ssmglobal_ipc::Time;
use std::collections::BTreeMap;

/// A world's number; never used again by this handler or the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorldId(pub u64);

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
    /// When this was last told.
    pub at: Time,
}

/// What changes in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldChange {
    /// What is said of a world from now on.
    Said(WorldId, World),
    /// Nothing is said of it any more.
    Gone(WorldId),
}

/// All worlds.
#[derive(Debug, Default)]
pub struct Worlds {
    worlds: HashMap<WorldId, World>,
    /// By lower-case name.
    by_name: BTreeMap<String, WorldId>,
    last: u64,
}

impl Worlds {
    /// The number under which a world of this name is known, or would be.
    pub fn id_for(&self, name: &str) -> WorldId {
        self.named(name).unwrap_or(WorldId(self.last + 1))
    }

    /// The world with this name, in any case.
    pub fn named(&self, name: &str) -> Option<WorldId> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// Takes over a change. The only way in which the list changes.
    pub fn follow(&mut self, change: &WorldChange) {
        match change {
            WorldChange::Said(id, world) => self.put(*id, world.clone()),
            WorldChange::Gone(id) => self.remove(*id),
        }
    }

    fn put(&mut self, id: WorldId, world: World) {
        self.last = self.last.max(id.0);
        self.by_name.insert(world.name.to_ascii_lowercase(), id);
        self.worlds.insert(id, world);
    }

    fn remove(&mut self, id: WorldId) {
        let Some(world) = self.worlds.remove(&id) else { return };
        let name = world.name.to_ascii_lowercase();
        if self.by_name.get(&name) == Some(&id) {
            self.by_name.remove(&name);
        }
    }

    /// One world.
    pub fn get(&self, id: WorldId) -> Option<&World> {
        self.worlds.get(&id)
    }

    /// Those that a session hosts.
    pub fn of(&self, host: u64) -> Vec<WorldId> {
        self.worlds.iter().filter(|(_, world)| world.host == host).map(|(id, _)| *id).collect()
    }

    /// All, by name, behind `after`.
    pub fn iter_after(&self, after: Option<&str>) -> impl Iterator<Item = &World> {
        let after = after.map(str::to_ascii_lowercase);
        self.by_name.range::<str, _>(behind(after.as_deref())).filter_map(|(_, id)| self.worlds.get(id))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.worlds.len()
    }

    /// Numbers up to this one were given.
    pub fn were_upto(&mut self, id: WorldId) {
        self.last = self.last.max(id.0);
    }
}
