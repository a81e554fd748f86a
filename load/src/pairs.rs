//! Our side of every comparison: one build of ours beside peers or, with `--before`, two builds beside each other; and
//! who has his turn when. A section describes its work once, for any of them. Runs in the load generator.

use crate::guard::{Result, check_stopped};

/// One turn, which may be taken again and again.
pub type Turn<'a, R> = Box<dyn FnMut() -> Result<R> + 'a>;

/// Something of each build that is measured.
#[derive(Clone)]
pub struct Sides<T> {
    /// The build to be judged; `None` when only peers are measured.
    pub new: Option<T>,
    /// The build that it is compared with, if there is one.
    pub old: Option<T>,
    /// Which of them something is made for first.
    pub first: First,
}

/// Which build is started, filled and connected to first. That build gets other memory, and may be faster or slower for it by as
/// much as a tenth, as long as it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The one to be judged.
    New,
    /// The other one.
    Old,
}

impl<T> Sides<T> {
    /// Makes something else of each.
    pub fn map<U>(self, mut make: impl FnMut(T) -> U) -> Sides<U> {
        Sides { new: self.new.map(&mut make), old: self.old.map(&mut make), first: self.first }
    }

    /// Makes something for each.
    pub fn each<U>(&mut self, mut make: impl FnMut(&mut T) -> Result<U>) -> Result<Sides<U>> {
        let mut made = |side: &mut Option<T>| side.as_mut().map(&mut make).transpose();
        let early = if self.first == First::Old { made(&mut self.old)? } else { None };
        let new = made(&mut self.new)?;
        let old = if self.first == First::Old { early } else { made(&mut self.old)? };
        Ok(Sides { new, old, first: self.first })
    }

    /// Those that there are.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.new.iter().chain(&self.old)
    }

    /// To use them where they are.
    pub fn as_ref(&self) -> Sides<&T> {
        Sides { new: self.new.as_ref(), old: self.old.as_ref(), first: self.first }
    }

    /// To change them where they are.
    pub fn as_mut(&mut self) -> Sides<&mut T> {
        Sides { new: self.new.as_mut(), old: self.old.as_mut(), first: self.first }
    }

    /// The same turn for each.
    pub fn turns<'a, R>(self, turn: impl Fn(&mut T) -> Result<R> + Copy + 'a) -> Sides<Turn<'a, R>>
    where
        T: 'a,
    {
        self.map(|mut side| Box::new(move || turn(&mut side)) as Turn<'a, R>)
    }
}

/// One who has his turns: his name, and `None` where he is not installed.
pub type Taker<'a, R> = (&'static str, Option<Turn<'a, R>>);

/// The two builds as neighbours, the old one first.
pub fn pair<R>(turns: Sides<Turn<'_, R>>) -> [Taker<'_, R>; 2] {
    [("old", turns.old), ("new", turns.new)]
}

/// In which order turns are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The same in every round.
    Same,
    /// The other way round in every second one, so that what drifts (heat, the disk, others on the machine) hits both
    /// builds of a pair.
    Alternating,
}

/// Gives everyone his turn, round after round; the results of each, empty for one that is not there.
pub fn in_turns<R>(
    rounds: u32,
    order: Order,
    work: &str,
    mut takers: Vec<Taker<R>>,
    show: impl Fn(&R) -> String,
) -> Result<Vec<Vec<R>>> {
    let mut results: Vec<Vec<R>> = takers.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        let mut line = format!("{work}, round {round}:");
        for place in 0..takers.len() {
            let index = match order {
                Order::Alternating if round % 2 == 0 => takers.len() - 1 - place,
                _ => place,
            };
            let (name, Some(turn)) = &mut takers[index] else {
                continue;
            };
            check_stopped()?;
            let value = turn().map_err(|e| format!("{work}, {name}: {e}"))?;
            line += &format!(" {name} {}", show(&value));
            results[index].push(value);
        }
        eprintln!("{line}");
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn builds_take_turns_and_alternate_who_begins() {
        let seen = RefCell::new(Vec::new());
        let sides = Sides { new: Some('n'), old: Some('o'), first: First::New };
        let turns = sides.turns(|side| {
            seen.borrow_mut().push(*side);
            Ok(seen.borrow().len())
        });
        let results = in_turns(3, Order::Alternating, "work", pair(turns).into(), usize::to_string).unwrap();
        assert_eq!(seen.borrow().iter().collect::<String>(), "onnoon");
        assert_eq!(results, [[1, 4, 5], [2, 3, 6]]);
    }

    #[test]
    fn either_build_may_be_the_first_that_something_is_made_for() {
        for (first, order) in [(First::New, "no"), (First::Old, "on")] {
            let mut seen = String::new();
            let made = Sides { new: Some('n'), old: Some('o'), first }.each(|side| {
                seen.push(*side);
                Ok(side.to_ascii_uppercase())
            });
            let made = made.unwrap();
            assert_eq!((seen.as_str(), made.new, made.old, made.first), (order, Some('N'), Some('O'), first));
        }
    }

    #[test]
    fn who_is_not_there_has_no_results_and_errors_name_who_failed() {
        let one = Sides { new: Some(1), old: None, first: First::New };
        let turns = pair(one.turns(|side| Ok(*side)));
        assert_eq!(in_turns(2, Order::Same, "work", turns.into(), i32::to_string).unwrap(), [vec![], vec![1, 1]]);
        let turns = pair(Sides { new: Some(1), old: None, first: First::New }.turns(|_| Err::<i32, _>("no".into())));
        let complaint = in_turns(2, Order::Same, "work", turns.into(), i32::to_string).unwrap_err().to_string();
        assert_eq!(complaint, "work, new: no");
    }
}
