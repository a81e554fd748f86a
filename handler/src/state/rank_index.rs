//! The rank index: places on a board in order, with "which place is this" and "who is in that place" in O(log n). Pure.
//!
//! Sorted chunks of some dozen entries; beside them, packed closely, the last entry of each chunk (to find a chunk)
//! and a Fenwick tree of their lengths (to count what lies in front). A general ordered set with ranks was tried first:
//! with a million entries its searches through nodes all over memory took most of the writer's time.

/// A chunk is split in two above this length: most places are moved and searched in memory that no cache holds, so a chunk
/// that lies in a page or two costs less than a longer one, and chunks are still few enough for the lists beside them …
const FULL: usize = 128;

/// … and joined with its neighbour below this one, if both fit well into one.
const THIN: usize = 16;

/// Where a score stands: smaller is better, and of equal scores the earlier one, whose order is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<T> {
    /// The score, turned around where higher is better.
    pub score: i64,
    /// Given once.
    pub order: u64,
    /// Who has reached it.
    pub who: T,
}

impl<T> Place<T> {
    fn key(&self) -> (i64, u64) {
        (self.score, self.order)
    }
}

/// All places of one board.
#[derive(Debug)]
pub struct RankIndex<T> {
    chunks: Vec<Vec<Place<T>>>,
    lasts: Vec<(i64, u64)>,
    /// A Fenwick tree over the chunks' lengths.
    tree: Vec<u32>,
}

impl<T> Default for RankIndex<T> {
    fn default() -> RankIndex<T> {
        RankIndex { chunks: Vec::new(), lasts: Vec::new(), tree: Vec::new() }
    }
}

impl<T: Copy> RankIndex<T> {
    /// Takes over a sorted list.
    pub fn from_sorted(places: &[Place<T>]) -> RankIndex<T> {
        let chunks: Vec<Vec<Place<T>>> = places.chunks(FULL / 2).map(<[_]>::to_vec).collect();
        let lasts = chunks.iter().filter_map(|chunk| chunk.last().map(Place::key)).collect();
        let mut all = RankIndex { chunks, lasts, tree: Vec::new() };
        all.recount(0);
        all
    }

    /// Makes the tree anew from a chunk on: what is in front of it counts nothing behind. Looks at no chunk but for its length.
    fn recount(&mut self, from: usize) {
        self.tree.truncate(from);
        self.tree.extend(self.chunks.iter().skip(from).map(|chunk| chunk.len() as u32));
        // Those in front that are counted by others behind, and then all of these.
        let mut end = from;
        while end > 0 {
            self.count_in_parent(end - 1);
            end &= end - 1;
        }
        (from..self.tree.len()).for_each(|index| self.count_in_parent(index));
    }

    fn count_in_parent(&mut self, index: usize) {
        let sum = self.tree.get(index).copied().unwrap_or(0);
        if let Some(parent) = self.tree.get_mut(index | (index + 1)) {
            *parent += sum;
        }
    }

    /// The chunk that a key lies in or belongs into.
    fn chunk_of(&self, key: (i64, u64)) -> usize {
        self.lasts.partition_point(|last| *last < key).min(self.lasts.len().saturating_sub(1))
    }

    fn add(&mut self, mut chunk: usize, change: i32) {
        while let Some(sum) = self.tree.get_mut(chunk) {
            *sum = sum.wrapping_add_signed(change);
            chunk |= chunk + 1;
        }
    }

    /// Entries in the chunks in front of this one.
    fn in_front(&self, mut chunk: usize) -> usize {
        let mut sum = 0;
        while chunk > 0 {
            sum += self.tree.get(chunk - 1).copied().unwrap_or(0) as usize;
            chunk &= chunk - 1;
        }
        sum
    }

    /// Adds an entry, whose key must not be there.
    pub fn insert(&mut self, place: Place<T>) {
        if self.chunks.is_empty() {
            self.lasts.push(place.key());
            self.chunks.push(vec![place]);
            return self.recount(0);
        }
        let index = self.chunk_of(place.key());
        let Some((chunk, last)) = self.chunks.get_mut(index).zip(self.lasts.get_mut(index)) else { return };
        let at = chunk.partition_point(|other| other.key() < place.key());
        chunk.insert(at, place);
        *last = (*last).max(place.key());
        if chunk.len() > FULL {
            let behind = chunk.split_off(FULL / 2);
            self.lasts.insert(index, chunk.last().map_or(place.key(), Place::key));
            self.chunks.insert(index + 1, behind);
            return self.recount(index);
        }
        self.add(index, 1);
    }

    /// Takes an entry out; gives whether it was there.
    pub fn remove(&mut self, score: i64, order: u64) -> bool {
        let key = (score, order);
        let index = self.chunk_of(key);
        let Some((chunk, last)) = self.chunks.get_mut(index).zip(self.lasts.get_mut(index)) else { return false };
        let Ok(at) = chunk.binary_search_by_key(&key, Place::key) else { return false };
        chunk.remove(at);
        match chunk.last() {
            Some(place) => *last = place.key(),
            None => {
                self.chunks.remove(index);
                self.lasts.remove(index);
                self.recount(index);
                return true;
            }
        }
        if chunk.len() >= THIN || !self.join(index) {
            self.add(index, -1);
        }
        true
    }

    /// Whether there is an entry with this key.
    pub fn contains(&self, score: i64, order: u64) -> bool {
        let key = (score, order);
        let chunk = self.chunks.get(self.chunk_of(key));
        chunk.is_some_and(|chunk| chunk.binary_search_by_key(&key, Place::key).is_ok())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.in_front(self.chunks.len())
    }

    /// Joins a chunk with the one behind it, if both fit well into one.
    fn join(&mut self, index: usize) -> bool {
        let length = |index: usize| self.chunks.get(index).map_or(FULL, Vec::len);
        if length(index) + length(index + 1) > FULL / 2 {
            return false;
        }
        let behind = self.chunks.remove(index + 1);
        if let Some(chunk) = self.chunks.get_mut(index) {
            chunk.extend(behind);
        }
        self.lasts.remove(index);
        self.recount(index);
        true
    }

    /// How many entries lie in front of this key, which need not be there.
    pub fn count_before(&self, score: i64, order: u64) -> usize {
        let key = (score, order);
        let index = self.chunk_of(key);
        let inside = self.chunks.get(index).map_or(0, |chunk| chunk.partition_point(|place| place.key() < key));
        self.in_front(index) + inside
    }

    /// The entries from this index on.
    pub fn iter_from(&self, mut index: usize) -> impl Iterator<Item = &Place<T>> {
        let mut chunk = 0;
        let mut step = self.tree.len().next_power_of_two();
        while step > 0 {
            if let Some(sum) = self.tree.get(chunk + step - 1)
                && *sum as usize <= index
            {
                index -= *sum as usize;
                chunk += step;
            }
            step /= 2;
        }
        self.chunks.get(chunk..).unwrap_or_default().iter().flatten().skip(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn check(places: &RankIndex<u32>, model: &BTreeSet<(i64, u64)>) {
        let all: Vec<(i64, u64)> = places.iter_from(0).map(Place::key).collect();
        assert_eq!(all, model.iter().copied().collect::<Vec<_>>());
        for (index, key) in model.iter().enumerate().step_by(7) {
            assert_eq!(places.count_before(key.0, key.1), index);
            assert_eq!(places.iter_from(index).next().map(Place::key), Some(*key));
        }
        assert_eq!(places.iter_from(0).next().map(Place::key), model.first().copied());
        assert_eq!((places.count_before(i64::MAX, u64::MAX), places.len()), (model.len(), model.len()));
        assert!(places.iter_from(model.len()).next().is_none());
    }

    proptest! {
        #[test]
        fn does_as_an_ordered_set_does(
            start in proptest::collection::btree_set((-50i64..50, 0u64..100), 0..3000),
            changes in proptest::collection::vec((any::<bool>(), -50i64..50, 0u64..100), 0..3000),
        ) {
            let sorted: Vec<_> = start.iter().map(|&(score, order)| Place { score, order, who: 0 }).collect();
            let mut places = RankIndex::from_sorted(&sorted);
            let mut model = start;
            for (add, score, order) in changes {
                if add {
                    if model.insert((score, order)) {
                        places.insert(Place { score, order, who: 0 });
                    }
                } else {
                    assert_eq!(places.contains(score, order), model.contains(&(score, order)));
                    assert_eq!(places.remove(score, order), model.remove(&(score, order)));
                }
            }
            check(&places, &model);
        }
    }

    #[test]
    fn grows_from_nothing_and_back() {
        let (mut places, mut model) = (RankIndex::default(), BTreeSet::new());
        for i in 0..20_000u64 {
            let score = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50) as i64;
            places.insert(Place { score, order: i, who: 0 });
            model.insert((score, i));
        }
        check(&places, &model);
        for (score, order) in model.clone().into_iter().filter(|(_, order)| order % 3 != 0) {
            places.remove(score, order);
            model.remove(&(score, order));
        }
        check(&places, &model);
        for (score, order) in std::mem::take(&mut model) {
            places.remove(score, order);
        }
        check(&places, &model);
    }
}
