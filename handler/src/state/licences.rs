//! Licences of worlds, in memory: what hosts and visitors are asked for is looked up here. Shared by the threads of the handler.

use super::names::{self, Name};
use super::pages::behind;
use compact_str::CompactString;
use hashbrown::HashMap;
use ssmglobal_ipc::{HostTerms, Time};
use ssmglobal_store::{KeptLicence, PlayerId, WorldId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// Those that are not gone.
#[derive(Debug, Default)]
pub struct Licences {
    by_id: HashMap<WorldId, Arc<KeptLicence>>,
    by_name: BTreeMap<String, WorldId>,
    by_look: HashMap<CompactString, WorldId>,
    by_owner: BTreeSet<(PlayerId, CompactString)>,
    owned: HashMap<PlayerId, u32>,
}

impl Licences {
    /// Takes one over, in place of what was there under its number.
    pub fn put(&mut self, licence: KeptLicence) {
        self.remove(licence.id);
        self.by_name.insert(licence.folded.clone(), licence.id);
        self.by_look.insert(licence.skeleton.as_str().into(), licence.id);
        self.by_owner.insert((licence.owner, licence.folded.as_str().into()));
        *self.owned.entry(licence.owner).or_default() += 1;
        self.by_id.insert(licence.id, Arc::new(licence));
    }

    /// One is gone.
    pub fn remove(&mut self, id: WorldId) {
        let Some(licence) = self.by_id.remove(&id) else { return };
        self.by_name.remove(&licence.folded);
        self.by_look.remove(licence.skeleton.as_str());
        self.by_owner.remove(&(licence.owner, licence.folded.as_str().into()));
        if let Some(count) = self.owned.get_mut(&licence.owner) {
            *count -= 1;
            if *count == 0 {
                self.owned.remove(&licence.owner);
            }
        }
    }

    /// A world was started.
    pub fn started(&mut self, id: WorldId, at: Time, address: String) {
        if let Some(licence) = self.by_id.get_mut(&id) {
            let licence = Arc::make_mut(licence);
            (licence.last_started, licence.last_address, licence.stopped) = (Some(at), Some(address), None);
        }
    }

    /// A world is not hosted any more.
    pub fn stopped(&mut self, id: WorldId, at: Time) {
        if let Some(licence) = self.by_id.get_mut(&id) {
            Arc::make_mut(licence).stopped = Some(at);
        }
    }

    /// The licence of a world; nothing when it has none or it is gone.
    pub fn get(&self, id: WorldId) -> Option<&Arc<KeptLicence>> {
        self.by_id.get(&id)
    }

    /// The one with this name, in any case.
    pub fn named(&self, name: &str) -> Option<&Arc<KeptLicence>> {
        self.get(*self.by_name.get(&names::fold(name))?)
    }

    /// The one whose name is the same or looks the same.
    pub fn like(&self, name: &Name) -> Option<&Arc<KeptLicence>> {
        let id = self.by_name.get(&name.folded).or_else(|| self.by_look.get(name.skeleton.as_str()))?;
        self.get(*id)
    }

    /// All, by name, behind `after`.
    pub fn after(&self, after: Option<&str>) -> impl Iterator<Item = &Arc<KeptLicence>> {
        let after = after.map(names::fold);
        self.by_name.range::<str, _>(behind(after.as_deref())).filter_map(|(_, id)| self.get(*id))
    }

    /// Those of a player, by name, behind `after`.
    pub fn of_after(&self, owner: PlayerId, after: Option<&str>) -> impl Iterator<Item = &Arc<KeptLicence>> {
        let from = Bound::Excluded((owner, CompactString::from(after.map(names::fold).unwrap_or_default())));
        let his = self.by_owner.range((from, Bound::Unbounded)).take_while(move |(other, _)| *other == owner);
        his.filter_map(|(_, folded)| self.get(*self.by_name.get(folded.as_str())?))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// How many of them are a player's.
    pub fn count_of(&self, owner: PlayerId) -> u32 {
        self.owned.get(&owner).copied().unwrap_or_default()
    }
}

/// What a licence says to whoever hosts its world.
pub fn host_terms(licence: &KeptLicence) -> HostTerms {
    HostTerms {
        world: licence.name.clone(),
        number: licence.id.0,
        users: licence.users,
        size: licence.size,
        visitors: licence.visitors,
        voice: licence.voice,
        plugins: licence.plugins,
        client: licence.client,
        expires: licence.expires,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::licence;

    const ALICE: PlayerId = PlayerId(1);
    const BOB: PlayerId = PlayerId(2);

    fn names<'a>(licences: impl Iterator<Item = &'a Arc<KeptLicence>>) -> Vec<&'a str> {
        licences.map(|licence| licence.name.as_str()).collect()
    }

    #[test]
    fn a_licence_is_found_by_its_number_its_name_its_look_and_its_owner() {
        let mut licences = Licences::default();
        for (id, name, owner) in [(1, "Zoo", ALICE), (2, "Atlantis", BOB), (3, "Moon", ALICE)] {
            licences.put(licence(id, name, owner));
        }
        assert_eq!(licences.named("zOO").map(|licence| licence.id), Some(WorldId(1)));
        let alike = names::check("Z\u{43e}\u{43e}", 2, 16).unwrap();
        assert_eq!(licences.like(&alike).map(|licence| licence.id), Some(WorldId(1)));
        assert_eq!((names(licences.after(None)), licences.len()), (vec!["Atlantis", "Moon", "Zoo"], 3));
        assert_eq!(names(licences.after(Some("ATLANTIS"))), ["Moon", "Zoo"]);
        assert_eq!((names(licences.of_after(ALICE, None)), licences.count_of(ALICE)), (vec!["Moon", "Zoo"], 2));
        assert_eq!(names(licences.of_after(ALICE, Some("moon"))), ["Zoo"]);
        // It is Bob's from now on.
        licences.put(licence(1, "Zoo", BOB));
        assert_eq!((licences.count_of(ALICE), names(licences.of_after(BOB, None))), (1, vec!["Atlantis", "Zoo"]));
        licences.started(WorldId(1), Time(5), "192.0.2.1".into());
        assert_eq!(licences.get(WorldId(1)).unwrap().last_started, Some(Time(5)));
        for id in [1, 2, 2, 3] {
            licences.remove(WorldId(id));
        }
        let Licences { by_id, by_name, by_look, by_owner, owned } = licences;
        assert!(
            by_id.is_empty() && by_name.is_empty() && by_look.is_empty() && by_owner.is_empty() && owned.is_empty()
        );
    }
}
