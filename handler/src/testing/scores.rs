//! Scores in the simplest words: a map, and a sort. Runs in tests.

use ssmglobal_store::{Better, Operator};
use std::collections::BTreeMap;

/// Every kind of board.
pub const KINDS: [(Operator, Better); 8] = [
    (Operator::Best, Better::Lower),
    (Operator::Best, Better::Higher),
    (Operator::Last, Better::Lower),
    (Operator::Last, Better::Higher),
    (Operator::Sum, Better::Lower),
    (Operator::Sum, Better::Higher),
    (Operator::Count, Better::Lower),
    (Operator::Count, Better::Higher),
];

/// One board.
#[derive(Clone, Debug)]
pub struct Scores<P> {
    /// What a further score does.
    pub operator: Operator,
    /// Which are better.
    pub better: Better,
    /// By player: score, and the submit that reached it.
    pub standings: BTreeMap<P, (i64, u64)>,
}

impl<P: Ord + Copy> Scores<P> {
    /// Nobody stands on it.
    pub fn new((operator, better): (Operator, Better)) -> Scores<P> {
        Scores { operator, better, standings: BTreeMap::new() }
    }

    /// A player submits a score; gives whether that changes what counts.
    pub fn submit(&mut self, player: P, score: i64, order: u64) -> bool {
        let old = self.standings.get(&player).map(|(score, _)| *score);
        // Sums that leave 64 bits are refused, and never come here.
        let add = |old: i64, more: i64| old.checked_add(more).expect("a sum within 64 bits");
        let new = match (self.operator, self.better, old) {
            (Operator::Best | Operator::Last, _, None) | (Operator::Last, _, Some(_)) => score,
            (Operator::Best, Better::Lower, Some(old)) => old.min(score),
            (Operator::Best, Better::Higher, Some(old)) => old.max(score),
            (Operator::Sum, _, old) => add(old.unwrap_or(0), score),
            (Operator::Count, _, old) => add(old.unwrap_or(0), 1),
        };
        if old == Some(new) {
            return false;
        }
        self.standings.insert(player, (new, order));
        true
    }

    /// Player, score and order, the best first and the earlier of equals first.
    pub fn table(&self) -> Vec<(P, i64, u64)> {
        let mut all: Vec<_> = self.standings.iter().map(|(player, (score, order))| (*player, *score, *order)).collect();
        all.sort_by(|a, b| match self.better {
            Better::Lower => (a.1, a.2).cmp(&(b.1, b.2)),
            Better::Higher => (b.1, a.2).cmp(&(a.1, b.2)),
        });
        all
    }

    /// A player's rank; 1 is the best.
    pub fn rank(&self, player: P) -> Option<u32> {
        self.table().iter().position(|(other, ..)| *other == player).map(|index| index as u32 + 1)
    }

    /// Who is first, and by which submit.
    pub fn first(&self) -> Option<(P, u64)> {
        self.table().first().map(|(player, _, order)| (*player, *order))
    }
}

/// What one batch says of a board's first place.
#[derive(Clone, Debug)]
pub struct Firsts<P> {
    /// Who was first before a submit has changed that.
    before: Option<Option<(P, u64)>>,
}

impl<P> Default for Firsts<P> {
    fn default() -> Firsts<P> {
        Firsts { before: None }
    }
}

impl<P: Ord + Copy> Firsts<P> {
    /// A submit has come between these two.
    pub fn submitted(&mut self, before: Option<(P, u64)>, after: Option<(P, u64)>) {
        if before != after && self.before.is_none() {
            self.before = Some(before);
        }
    }

    /// What is told when the batch ends with this first place: who was first before.
    pub fn new_first(&self, now: Option<(P, u64)>) -> Option<Option<P>> {
        let before = self.before?;
        (now.is_some() && now != before).then(|| before.map(|(player, _)| player))
    }
}
