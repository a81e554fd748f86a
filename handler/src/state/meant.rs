//! Which name was probably meant, where there is none of that name. Runs in the handler, in the event loop.
//!
//! However many names there are, one look costs the same: a few are compared one by one; of many, those are looked up that are one
//! slip away. And there are so many looks in a second, whoever asks for them.

use super::boards::Boards;
use super::directory::Directory;
use super::licences::Licences;
use super::names::fold;
use super::window::Window;
use crate::lock::lock;
use ssmglobal_ipc::{Failure, nearest};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Up to so many names are compared one by one, and so two slips are found as well.
const FEW: usize = 200;

/// Letters of the longest and the shortest word that is looked up with a slip: a longer one has too many, a shorter one is near to
/// everything.
const LONGEST: usize = 24;
const SHORTEST: usize = 3;

/// Looks in a second.
const LOOKS: u32 = 100;

/// What stands in names, besides the letters of other scripts that were typed.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-.";

/// Names that everybody may know.
pub trait Known {
    /// How many there are, those among them that nobody may know.
    fn count(&self) -> usize;
    /// All of them, as shown.
    fn all(&self) -> impl Iterator<Item = &str>;
    /// The one that is folded to this, as shown.
    fn folded(&self, name: &str) -> Option<&str>;
}

impl Known for Directory {
    fn count(&self) -> usize {
        self.len()
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.names()
    }

    fn folded(&self, name: &str) -> Option<&str> {
        self.find_folded(name).map(|id| self.name(id))
    }
}

impl Known for Boards {
    fn count(&self) -> usize {
        self.len()
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.iter_after(None).map(|ranking| ranking.board.name.as_str())
    }

    fn folded(&self, name: &str) -> Option<&str> {
        self.find(name).map(|ranking| ranking.board.name.as_str())
    }
}

/// Without those that are hidden.
impl Known for Licences {
    fn count(&self) -> usize {
        self.len()
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.after(None).filter(|licence| licence.listed).map(|licence| licence.name.as_str())
    }

    fn folded(&self, name: &str) -> Option<&str> {
        self.named(name).filter(|licence| licence.listed).map(|licence| licence.name.as_str())
    }
}

/// Which of the names was probably meant by a word that is none of them.
pub fn meant(typed: &str, names: &impl Known) -> Option<String> {
    let found = match names.count() <= FEW {
        true => nearest(typed, names.all()),
        false => one_slip(&fold(typed), |word| names.folded(word)),
    };
    found.map(str::to_owned)
}

/// The first that is found of all words that are one slip away: two letters in the wrong order, one too many, another one, one
/// too few.
fn one_slip<T>(typed: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let typed: Vec<char> = typed.chars().collect();
    if !(SHORTEST..=LONGEST).contains(&typed.len()) {
        return None;
    }
    let others = typed.iter().copied().filter(|letter| !letter.is_ascii());
    let letters: Vec<char> = LETTERS.chars().chain(others).collect();
    let mut word = String::with_capacity(4 * (LONGEST + 1));
    let mut with = |at: usize, middle: &[char], rest: usize| {
        word.clear();
        word.extend(typed.iter().take(at).chain(middle).chain(typed.iter().skip(rest)));
        find(&word)
    };
    let swapped = typed.windows(2).enumerate().find_map(|(at, pair)| match pair {
        [one, two] => with(at, &[*two, *one], at + 2),
        _ => None,
    });
    let mut places = 0..typed.len();
    swapped
        .or_else(|| places.clone().find_map(|at| with(at, &[], at + 1)))
        .or_else(|| places.find_map(|at| letters.iter().find_map(|letter| with(at, &[*letter], at + 1))))
        .or_else(|| (0..=typed.len()).find_map(|at| letters.iter().find_map(|letter| with(at, &[*letter], at))))
}

/// How often it was looked.
#[derive(Debug, Default)]
pub struct Guesses(Mutex<Option<Window>>);

impl Guesses {
    /// Why there is no such name, with what `look` says was meant, if there may be one more look now.
    pub fn guess(&self, failure: Failure, look: impl FnOnce() -> Option<String>) -> Failure {
        let Some(meant) = self.may_look(Instant::now()).then(look).flatten() else { return failure };
        Failure { msg: format!("{} Did you mean {meant}?", failure.msg), ..failure }
    }

    fn may_look(&self, now: Instant) -> bool {
        const SECOND: Duration = Duration::from_secs(1);
        let mut window = lock(&self.0);
        let window = window.get_or_insert_with(|| Window::new(now));
        let may = window.wait(now, LOOKS, SECOND).is_zero();
        if may {
            window.add(now, SECOND);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::names;
    use crate::testing::licence;
    use ssmglobal_ipc::Code;
    use ssmglobal_store::PlayerId;

    /// So many players, with these among them.
    fn players(count: u32, among: &[&str]) -> Directory {
        let mut directory = Directory::default();
        let others = (0..count).map(|number| format!("somebody{number}"));
        for (id, name) in (1..).zip(among.iter().map(|name| (*name).to_owned()).chain(others)) {
            let name = names::check(&name, 2, 20).unwrap();
            directory.insert(PlayerId(id), &name.shown, &name.folded, &name.skeleton);
        }
        directory
    }

    #[test]
    fn a_slip_is_found_among_few_names_and_among_many() {
        for count in [0, 100_000] {
            let directory = players(count, &["Roberta", "Алиса", "bo"]);
            for typed in ["roberta1", "ROBERT", "Robreta", "robexta", "rroberta", "алсиа", "Алисс"] {
                assert!(meant(typed, &directory).is_some(), "{typed} among {count}");
            }
            assert_eq!(meant("robertt", &directory).as_deref(), Some("Roberta"));
            for typed in ["", "b", "xob", "rupert", &"x".repeat(25), &"x".repeat(100_000)] {
                assert_eq!(meant(typed, &directory), None, "{typed} among {count}");
            }
        }
    }

    #[test]
    fn a_hidden_world_is_nobodys_guess() {
        for count in [0, 1000] {
            let mut licences = Licences::default();
            for number in 0..count {
                licences.put(licence(10 + number, &format!("other{number}"), PlayerId(1)));
            }
            licences.put(licence(1, "Atlantis", PlayerId(1)));
            let mut hidden = licence(2, "Camelot", PlayerId(1));
            hidden.listed = false;
            licences.put(hidden);
            assert_eq!(meant("atlntis", &licences).as_deref(), Some("Atlantis"));
            assert_eq!(meant("camelt", &licences), None);
        }
    }

    #[test]
    fn one_looks_so_often_in_a_second_and_then_the_error_comes_alone() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        assert!((0..LOOKS).all(|_| guesses.may_look(now)));
        let failure = Failure::new(Code::NotFound, "There is none.");
        assert_eq!(guesses.guess(failure.clone(), || Some("one".into())), failure);
        assert!(guesses.may_look(now + Duration::from_secs(1)));
        let anew = Guesses::default();
        assert_eq!(anew.guess(failure, || Some("one".into())).msg, "There is none. Did you mean one?");
    }
}
