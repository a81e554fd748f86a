//! Every player's name and number, in memory: looked up by most requests. Shared by the threads of the handler.

use super::names::{self, Name};
use blake2::digest::consts::U8;
use blake2::{Blake2b, Digest};
use compact_str::CompactString;
use hashbrown::{HashMap, HashSet};
use ssmglobal_store::PlayerId;

/// Names to numbers and back. Most names are short enough to lie in the lists themselves: whoever looks one up waits for memory
/// once less. Some 70 bytes for each player.
#[derive(Debug, Default)]
pub struct Directory {
    /// By number: they are given one after another.
    shown: Vec<CompactString>,
    count: usize,
    by_folded: HashMap<CompactString, PlayerId>,
    /// How names look to the eye that look another way than they are folded, as digests.
    looks: HashSet<u64>,
}

impl Directory {
    /// Adds one; `folded` as [`names::fold`] gives it.
    pub fn insert(&mut self, id: PlayerId, shown: &str, folded: &str, skeleton: &str) {
        if skeleton != folded {
            self.looks.insert(digest(skeleton));
        }
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
            return self.find_folded(name);
        }
        self.find_folded(&names::fold(name))
    }

    /// The player whose name is folded to this.
    pub fn find_folded(&self, folded: &str) -> Option<PlayerId> {
        self.by_folded.get(folded).copied()
    }

    /// All names, as registered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shown.iter().map(CompactString::as_str).filter(|name| !name.is_empty())
    }

    /// Whether somebody has this name, or one that looks the same.
    pub fn is_like(&self, name: &Name) -> bool {
        let has = |folded: &str| self.by_folded.contains_key(folded);
        has(&name.folded) || has(&name.skeleton) || self.looks.contains(&digest(&name.skeleton))
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

/// Of how a name looks.
fn digest(skeleton: &str) -> u64 {
    u64::from_le_bytes(Blake2b::<U8>::digest(skeleton).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_another_is_known() {
        let mut directory = Directory::default();
        for (id, name) in [(1, "Paul"), (2, "mallory"), (3, "bob")] {
            let name = names::check(name, 2, 20).unwrap();
            directory.insert(PlayerId(id), &name.shown, &name.folded, &name.skeleton);
        }
        for (name, alike) in [("paul", true), ("Pau1", true), ("ma1lory", true), ("b0b", true), ("bob2", false)] {
            assert_eq!(directory.is_like(&names::check(name, 2, 20).unwrap()), alike, "{name}");
        }
    }
}
