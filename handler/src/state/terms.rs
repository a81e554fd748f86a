//! How worlds are played: what the config file and the licence of a world say together. Runs in the event loop; follows a file that
//! is read anew, since it asks the settings each time.

use super::memory::{Memory, world_name};
use super::names::fold;
use crate::lock::read;
use ssmglobal_config::play::Terms;
use ssmglobal_config::{Settings, WorldSettings};
use ssmglobal_store::WorldId;
use std::collections::BTreeMap;

/// What is said of a world: its name as it is written, what the file says, and what its licence does.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The name: as the licence has it, else as the file has.
    pub name: String,
    /// What the file says.
    pub file: WorldSettings,
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
    let licence = licence.and_then(|(id, _)| read(&memory.played).get(&id).cloned());
    Some(Said {
        name,
        file: in_file.map(|(_, world)| world.clone()).unwrap_or_default(),
        licence: licence.unwrap_or_default(),
    })
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
