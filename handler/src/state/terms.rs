//! How worlds are played: what the config file and the licence of a world say together. Runs in the event loop; follows a file that
//! is read anew, since it asks the settings each time.

use super::memory::{Memory, world_name};
use super::names::fold;
use crate::lock::read;
use ssmglobal_config::play::Terms;
use ssmglobal_config::{Settings, WorldSettings};
use ssmglobal_ipc::Secret;
use ssmglobal_store::WorldId;
use std::collections::BTreeMap;

/// What a licence says of how its world is played, as it is kept and as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlayKeys {
    rows: BTreeMap<String, Secret>,
    read: WorldSettings,
}

impl PlayKeys {
    /// From what is kept.
    pub fn of(rows: impl IntoIterator<Item = (String, Secret)>) -> PlayKeys {
        let rows: BTreeMap<String, Secret> = rows.into_iter().collect();
        let read = WorldSettings::of(rows.iter().map(|(key, value)| (key.as_str(), value.expose())));
        PlayKeys { rows, read }
    }

    /// One key is another one; nothing: it is not set.
    pub fn put(&mut self, key: String, value: Option<Secret>) {
        match value {
            Some(value) => drop(self.rows.insert(key, value)),
            None => drop(self.rows.remove(&key)),
        }
        *self = PlayKeys::of(std::mem::take(&mut self.rows));
    }

    /// What they say.
    pub fn settings(&self) -> &WorldSettings {
        &self.read
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// What is said of a world: its name as it is written, what the file says, and what its licence does.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The name: as the licence has it, else as the file has.
    pub name: String,
    /// What the file says.
    pub file: WorldSettings,
    /// The number of the world, where it has a licence.
    pub world: Option<WorldId>,
    /// What the licence says.
    pub licence: WorldSettings,
}

impl Said {
    /// Both together: the file's keys count over the licence's, key by key.
    pub fn together(&self) -> WorldSettings {
        self.file.over(&self.licence)
    }
}

/// What is said of the world with this name, in any case; nothing where neither file nor licence names it.
pub fn said_of(memory: &Memory, settings: &Settings, name: &str) -> Option<Said> {
    let folded = fold(&world_name(name));
    let in_file = settings.world.iter().find(|(other, _)| fold(other) == folded);
    let licence = read(&memory.licences).named(&folded).map(|licence| (licence.id, licence.name.clone()));
    let name = licence.as_ref().map(|(_, name)| name).or(in_file.map(|(name, _)| name))?.clone();
    let world = licence.map(|(id, _)| id);
    let licence = world.and_then(|id| read(&memory.played).get(&id).map(|keys| keys.settings().clone()));
    let file = in_file.map(|(_, world)| world.clone()).unwrap_or_default();
    Some(Said { name, file, world, licence: licence.unwrap_or_default() })
}

/// How the world with this name, in any case, is played, and the name as it is written. Nothing for a world that is not played
/// through us: one of which nobody says where it is.
pub fn terms_of(memory: &Memory, settings: &Settings, name: &str) -> Option<(String, Terms)> {
    let said = said_of(memory, settings, name)?;
    let terms = said.together().terms();
    (!terms.play.is_empty()).then_some((said.name, terms))
}

/// The names of all worlds that are played through us, as they are written, in order.
pub fn worlds_played(memory: &Memory, settings: &Settings) -> Vec<String> {
    let with_licence: Vec<WorldId> = read(&memory.played).keys().copied().collect();
    let licences = read(&memory.licences);
    let with_licence = with_licence.into_iter().filter_map(|id| Some(licences.get(id)?.name.clone()));
    let named = settings.world.keys().cloned().chain(with_licence);
    let by_fold: BTreeMap<String, String> = named.map(|name| (fold(&name), name)).collect();
    drop(licences);
    by_fold.into_values().filter_map(|name| Some(terms_of(memory, settings, &name)?.0)).collect()
}
