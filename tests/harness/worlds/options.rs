//! What both ends of a connection have agreed on, and whether the other end keeps to the rules: each word is said once, and
//! answered once.

use super::codes::Verb;
use std::collections::{BTreeMap, VecDeque};

/// Whose option it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// This end does it: WILL from here, DO from there.
    Ours,
    /// The other end does it.
    Theirs,
}

#[derive(Default)]
struct Agreed {
    on: bool,
    /// What was asked for here and not answered yet.
    asked: VecDeque<bool>,
    /// Answers that are still under way to the program before this one. They are taken for those of this one's questions, so that
    /// as many may come that tell what is so already.
    under_way: usize,
    /// It was on for a program before this one: what is said about it may still be under way.
    was_on: bool,
}

/// The options of a connection, as one end sees them.
#[derive(Default)]
pub struct Options(BTreeMap<(End, u8), Agreed>);

/// What becomes of a word that has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answers what was asked, or asks for what is taken; it is so now. What has to be said, if anything.
    Became(End, bool, Option<Verb>),
    /// It asks for what is not taken; what has to be said.
    Refused(Verb),
    /// It is so already, by an answer that the program before was to get.
    Late,
    /// It breaks the rules.
    Fault(String),
}

impl Options {
    /// Whether it is agreed on.
    pub fn is_on(&self, end: End, option: u8) -> bool {
        self.0.get(&(end, option)).is_some_and(|agreed| agreed.on)
    }

    /// Whether either end does it.
    pub fn is_known(&self, option: u8) -> bool {
        self.is_on(End::Ours, option) || self.is_on(End::Theirs, option)
    }

    /// Whether either end does it, or did when a program before this one had the connection.
    pub fn was_known(&self, option: u8) -> bool {
        let was_on = |end| self.0.get(&(end, option)).is_some_and(|agreed| agreed.was_on);
        self.is_known(option) || was_on(End::Ours) || was_on(End::Theirs)
    }

    /// What a program knows that goes on with the connection and has forgotten everything.
    pub fn forgotten(&self) -> Options {
        let anew = |agreed: &Agreed| Agreed {
            under_way: agreed.under_way + agreed.asked.len(),
            was_on: agreed.was_on || agreed.on,
            ..Agreed::default()
        };
        Options(self.0.iter().map(|(option, agreed)| (*option, anew(agreed))).collect())
    }

    /// Asks for it, or for its end; gives what has to be said, if it is not so already.
    pub fn ask(&mut self, end: End, option: u8, on: bool) -> Option<Verb> {
        let agreed = self.0.entry((end, option)).or_default();
        if *agreed.asked.back().unwrap_or(&agreed.on) == on {
            return None;
        }
        agreed.asked.push_back(on);
        Some(word(end, on))
    }

    /// The other end says this; `takes` tells what is agreed to here.
    pub fn hear(&mut self, verb: Verb, option: u8, takes: impl Fn(End, u8) -> bool) -> Outcome {
        let (end, on) = match verb {
            Verb::Will => (End::Theirs, true),
            Verb::Wont => (End::Theirs, false),
            Verb::Do => (End::Ours, true),
            Verb::Dont => (End::Ours, false),
        };
        let agreed = self.0.entry((end, option)).or_default();
        match agreed.asked.pop_front() {
            Some(false) if on => return Outcome::Fault(format!("{verb:?} {option} to the opposite")),
            Some(_) => {
                // To end what was refused needs no answer.
                while !on && agreed.asked.front() == Some(&false) {
                    agreed.asked.pop_front();
                }
                agreed.on = on;
                return Outcome::Became(end, on, None);
            }
            None if agreed.on == on && agreed.under_way > 0 => {
                agreed.under_way -= 1;
                return Outcome::Late;
            }
            None if agreed.on == on => return Outcome::Fault(format!("{verb:?} {option}, which is so already")),
            None => {}
        }
        if on && !takes(end, option) {
            return Outcome::Refused(word(end, false));
        }
        agreed.on = on;
        Outcome::Became(end, on, Some(word(end, on)))
    }
}

fn word(end: End, on: bool) -> Verb {
    match (end, on) {
        (End::Ours, true) => Verb::Will,
        (End::Ours, false) => Verb::Wont,
        (End::Theirs, true) => Verb::Do,
        (End::Theirs, false) => Verb::Dont,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(_: End, option: u8) -> bool {
        option == 1
    }

    #[test]
    fn each_word_is_answered_once() {
        let mut options = Options::default();
        assert_eq!(options.ask(End::Ours, 1, true), Some(Verb::Will));
        assert_eq!(options.ask(End::Ours, 1, true), None);
        assert_eq!(options.ask(End::Ours, 1, false), Some(Verb::Wont));
        assert_eq!(options.hear(Verb::Do, 1, takes), Outcome::Became(End::Ours, true, None));
        assert_eq!(options.hear(Verb::Dont, 1, takes), Outcome::Became(End::Ours, false, None));
        assert!(matches!(options.hear(Verb::Dont, 1, takes), Outcome::Fault(_)));
        // What is refused is at its end already.
        options.ask(End::Ours, 1, true);
        options.ask(End::Ours, 1, false);
        assert_eq!(options.hear(Verb::Dont, 1, takes), Outcome::Became(End::Ours, false, None));
        assert!(matches!(options.hear(Verb::Dont, 1, takes), Outcome::Fault(_)));
    }

    #[test]
    fn what_answers_a_program_that_is_gone_may_come_once() {
        let mut before = Options::default();
        before.ask(End::Theirs, 1, true);
        before.ask(End::Ours, 1, true);
        before.hear(Verb::Do, 1, takes);
        let mut options = before.forgotten().forgotten();
        assert!(options.was_known(1) && !options.is_known(1));
        options.ask(End::Theirs, 1, true);
        options.ask(End::Ours, 1, true);
        assert_eq!(options.hear(Verb::Will, 1, takes), Outcome::Became(End::Theirs, true, None));
        assert_eq!(options.hear(Verb::Will, 1, takes), Outcome::Late);
        assert!(matches!(options.hear(Verb::Will, 1, takes), Outcome::Fault(_)));
        // What was answered before comes no more.
        assert_eq!(options.hear(Verb::Do, 1, takes), Outcome::Became(End::Ours, true, None));
        assert!(matches!(options.hear(Verb::Do, 1, takes), Outcome::Fault(_)));
    }

    #[test]
    fn what_the_other_end_asks_for_is_taken_or_refused() {
        let mut options = Options::default();
        assert_eq!(options.hear(Verb::Will, 1, takes), Outcome::Became(End::Theirs, true, Some(Verb::Do)));
        assert!(options.is_on(End::Theirs, 1) && options.is_known(1) && !options.is_on(End::Ours, 1));
        assert!(matches!(options.hear(Verb::Will, 1, takes), Outcome::Fault(_)));
        assert_eq!(options.hear(Verb::Wont, 1, takes), Outcome::Became(End::Theirs, false, Some(Verb::Dont)));
        assert_eq!(options.hear(Verb::Do, 2, takes), Outcome::Refused(Verb::Wont));
        options.ask(End::Theirs, 1, true);
        options.hear(Verb::Will, 1, takes);
        options.ask(End::Theirs, 1, false);
        assert!(matches!(options.hear(Verb::Will, 1, takes), Outcome::Fault(_)));
    }
}
