//! Sets of options, of either party. Runs in the worker.

use serde::{Deserialize, Serialize};

use crate::negotiation::Party;

/// Options of both parties: 64 bytes, whatever is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OptionSet {
    pub(crate) us: [u64; 4],
    pub(crate) them: [u64; 4],
}

impl OptionSet {
    /// True if it was not in the set.
    pub(crate) fn insert(&mut self, party: Party, option: u8) -> bool {
        let (word, bit) = self.place(party, option);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// True if it was in the set.
    pub(crate) fn remove(&mut self, party: Party, option: u8) -> bool {
        let (word, bit) = self.place(party, option);
        let old = *word & bit != 0;
        *word &= !bit;
        old
    }

    pub(crate) fn contains(&self, party: Party, option: u8) -> bool {
        let [first, second, third, fourth] = self.words(party);
        let word = match option / 64 {
            0 => first,
            1 => second,
            2 => third,
            _ => fourth,
        };
        word & bit(option) != 0
    }

    /// All that is in the set as it is now, so that it may be changed meanwhile.
    pub(crate) fn list(&self) -> Vec<(Party, u8)> {
        let mut list = Vec::new();
        for party in [Party::Us, Party::Them] {
            for (mut word, first) in self.words(party).into_iter().zip([0, 64, 128, 192]) {
                while word != 0 {
                    // A word has 64 bits.
                    list.push((party, first + word.trailing_zeros() as u8));
                    word &= word - 1;
                }
            }
        }
        list
    }

    fn words(&self, party: Party) -> [u64; 4] {
        match party {
            Party::Us => self.us,
            Party::Them => self.them,
        }
    }

    fn place(&mut self, party: Party, option: u8) -> (&mut u64, u64) {
        let [first, second, third, fourth] = match party {
            Party::Us => &mut self.us,
            Party::Them => &mut self.them,
        };
        let word = match option / 64 {
            0 => first,
            1 => second,
            2 => third,
            _ => fourth,
        };
        (word, bit(option))
    }
}

fn bit(option: u8) -> u64 {
    1 << (option % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_either_party_has_a_place_of_its_own() {
        let mut set = OptionSet::default();
        assert!(set.list().is_empty());
        for option in 0..=255 {
            for party in [Party::Us, Party::Them] {
                assert!(!set.contains(party, option));
                assert!(set.insert(party, option) && !set.insert(party, option));
                assert!(set.contains(party, option));
            }
        }
        assert_eq!(set.list().len(), 512);
        for option in 0..=255 {
            assert!(set.remove(Party::Them, option) && !set.remove(Party::Them, option));
            assert!(set.contains(Party::Us, option) && !set.contains(Party::Them, option));
        }
        assert_eq!(set.list().len(), 256);
    }
}
