//! Every player's name and number, in memory: looked up by most requests. Shared by the threads of the handler.

use super::names;
use compact_str::CompactString;
use hashbrown::HashMap;
use ssmglobal_store::PlayerId;

/// Names to numbers and back. Most names are short enough to lie in the lists themselves: whoever looks one up waits for memory
/// once less. Some 70 bytes for each player.
#[derive(Debug, Default)]
pub struct Directory {
    /// By number: they are given one after another.
    shown: Vec<CompactString>,
    count: usize,
    by_folded: HashMap<CompactString, PlayerId>,
}

impl Directory {
    /// Adds one; `folded` as [`names::fold`] gives it.
    pub fn insert(&mut self, id: PlayerId, shown: &str, folded: &str) {
        let index = id.0 as usize;
        if self.shown.len() <= index {
            self.shown.resize(index + 1, CompactString::default());
        }
        if let Some(place) = self.shown.get_mut(index) {
            *place = shown.into();
            self.count += 1;
        }
        self.by_folded.insert(folded.into(), id);
    }

    /// The player with this name, in any case.
    pub fn find(&self, name: &str) -> Option<PlayerId> {
        if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            return self.by_folded.get(name).copied();
        }
        self.by_folded.get(names::fold(name).as_str()).copied()
    }

    /// The name as registered; empty for a number that was never given.
    pub fn name(&self, id: PlayerId) -> &str {
        self.shown.get(id.0 as usize).map_or("", |name| name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }
}
