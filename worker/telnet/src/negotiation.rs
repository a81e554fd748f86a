//! Negotiating an option so that it cannot loop: the Q method of RFC 1143. Runs in the worker.
//!
//! [`Side`] is one option on one side of the connection. What is answered is a change of state; an answer is never answered.
//! Whoever changes his mind before he was answered says nothing: the change waits in the state, and is said when the answer
//! comes. A server's ECHO has rules of its own, see [`crate::echo`].

use serde::{Deserialize, Serialize};

use crate::codes::Verb;

/// Which party performs an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// This end: WILL and WONT are ours, DO and DONT are the peer's.
    Us,
    /// The peer: DO and DONT are ours.
    Them,
}

impl Party {
    /// What the peer says with this verb: whose option it is, and yes or no.
    pub(crate) fn heard(verb: Verb) -> (Self, bool) {
        match verb {
            Verb::Do => (Self::Us, true),
            Verb::Dont => (Self::Us, false),
            Verb::Will => (Self::Them, true),
            Verb::Wont => (Self::Them, false),
        }
    }

    /// The verb with which the peer says yes or no to an option of this party.
    pub(crate) fn heard_as(self, yes: bool) -> Verb {
        match (self, yes) {
            (Self::Us, true) => Verb::Do,
            (Self::Us, false) => Verb::Dont,
            (Self::Them, true) => Verb::Will,
            (Self::Them, false) => Verb::Wont,
        }
    }

    /// The verb with which we say yes or no to an option of this party.
    pub(crate) fn said(self, yes: bool) -> Verb {
        match (self, yes) {
            (Self::Us, true) => Verb::Will,
            (Self::Us, false) => Verb::Wont,
            (Self::Them, true) => Verb::Do,
            (Self::Them, false) => Verb::Dont,
        }
    }
}

/// Which field holds an option of a party, in one table for reading and for writing.
macro_rules! sides {
    ($($party:pat, $option:pat => $field:ident;)*) => {
        /// The state of an option that has one here.
        pub(crate) fn own_side(&self, party: Party, option: u8) -> Option<&Side> {
            match (party, option) {
                $(($party, $option) => Some(&self.$field),)*
                _ => None,
            }
        }

        /// The same, to change it.
        pub(crate) fn own_side_mut(&mut self, party: Party, option: u8) -> Option<&mut Side> {
            match (party, option) {
                $(($party, $option) => Some(&mut self.$field),)*
                _ => None,
            }
        }
    };
}
pub(crate) use sides;

/// How often the peer may switch one option on by itself. A person toggles a few times; a peer that contradicts
/// itself would go on for ever.
const GRANTS: u8 = 32;

/// The six states of RFC 1143. Only ever appended to: [`crate::TelnetBefore`] knows the first three by their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Q {
    /// Neither side uses it, and nothing is open.
    #[default]
    No,
    /// Asked for.
    WantYes,
    /// It is in use, and nothing is open.
    Yes,
    /// Off was asked for.
    WantNo,
    /// Off was asked for, and on is to be as soon as that is answered.
    WantNoOpposite,
    /// On was asked for, and off is to be as soon as that is answered.
    WantYesOpposite,
}

/// One supported option on one side.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Side {
    pub(crate) q: Q,
    pub(crate) grants: u8,
    /// The peer had its last grant and was told so.
    pub(crate) refused: bool,
}

impl Side {
    /// Both agreed that the option is in use.
    pub(crate) fn is_on(&self) -> bool {
        self.q == Q::Yes
    }

    /// Nothing is open: it is in use or not.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.q, Q::Yes | Q::No)
    }

    /// Whether the peer may switch it on once more.
    pub(crate) fn may_grant(&self) -> bool {
        self.grants < GRANTS
    }

    /// The peer says yes to what is in use: it has forgotten that. It is told so again, as often as it may switch an option on.
    pub(crate) fn confirm(&mut self) -> Option<bool> {
        if !self.may_grant() {
            return None;
        }
        self.grants += 1;
        Some(true)
    }

    /// In use, or to be: what belongs to the option may come before the answer to our request.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self.q, Q::Yes | Q::WantYes | Q::WantNoOpposite)
    }

    /// Asks for the option to be on or off. Returns what to send: yes, no or nothing.
    pub(crate) fn ask(&mut self, on: bool) -> Option<bool> {
        let (next, say) = match (self.q, on) {
            (Q::No, true) => (Q::WantYes, Some(true)),
            (Q::Yes, false) => (Q::WantNo, Some(false)),
            (Q::WantNo, true) => (Q::WantNoOpposite, None),
            (Q::WantNoOpposite, false) => (Q::WantNo, None),
            (Q::WantYes, false) => (Q::WantYesOpposite, None),
            (Q::WantYesOpposite, true) => (Q::WantYes, None),
            // It is wanted so already.
            (Q::Yes | Q::WantYes | Q::WantNoOpposite, true) | (Q::No | Q::WantNo | Q::WantYesOpposite, false) => {
                (self.q, None)
            }
        };
        self.q = next;
        say
    }

    /// The peer said yes (WILL, DO) or no. Returns what to send: yes, no or nothing.
    pub(crate) fn receive(&mut self, yes: bool) -> Option<bool> {
        let (next, say) = match (self.q, yes) {
            (Q::No, true) => return self.grant(),
            (Q::WantYes, true) => (Q::Yes, None),
            (Q::WantYesOpposite, true) => (Q::WantNo, Some(false)),
            // Nobody may say yes to "off". What RFC 1143 says of such a peer ends the matter.
            (Q::WantNo, true) => (Q::No, None),
            (Q::WantNoOpposite, true) => (Q::Yes, None),
            (Q::Yes, false) => (Q::No, Some(false)),
            (Q::WantNo | Q::WantYes | Q::WantYesOpposite, false) => (Q::No, None),
            (Q::WantNoOpposite, false) => (Q::WantYes, Some(true)),
            (Q::Yes, true) | (Q::No, false) => (self.q, None),
        };
        self.q = next;
        say
    }

    /// The peer wants the option on that is off.
    fn grant(&mut self) -> Option<bool> {
        if self.grants < GRANTS {
            self.grants += 1;
            self.q = Q::Yes;
            return Some(true);
        }
        (!std::mem::replace(&mut self.refused, true)).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    use Q::{No, WantNo, WantNoOpposite, WantYes, WantYesOpposite, Yes};

    /// RFC 1143, section 7, in one table. In every field: the next state, and what is sent.
    #[rustfmt::skip]
    const TABLE: [(Q, [(Q, &str); 4]); 6] = [
        // in this state      yes is heard             no is heard         on is wanted            off is wanted
        (No,              [(Yes, "yes"),           (No, ""),           (WantYes, "yes"),       (No, "")]),
        (Yes,             [(Yes, ""),              (No, "no"),         (Yes, ""),              (WantNo, "no")]),
        (WantNo,          [(No, ""),               (No, ""),           (WantNoOpposite, ""),   (WantNo, "")]),
        (WantNoOpposite,  [(Yes, ""),              (WantYes, "yes"),   (WantNoOpposite, ""),   (WantNo, "")]),
        (WantYes,         [(Yes, ""),              (No, ""),           (WantYes, ""),          (WantYesOpposite, "")]),
        (WantYesOpposite, [(WantNo, "no"),         (No, ""),           (WantYes, ""),          (WantYesOpposite, "")]),
    ];

    #[test]
    fn every_state_answers_every_event_as_the_table_of_rfc_1143() {
        let words = |say: Option<bool>| say.map_or("", |yes| if yes { "yes" } else { "no" });
        for (q, row) in TABLE {
            let events = [Side::receive, Side::receive, Side::ask, Side::ask].iter().zip([true, false, true, false]);
            for ((event, value), expected) in events.zip(row) {
                let mut side = Side { q, ..Side::default() };
                let say = event(&mut side, value);
                assert_eq!((side.q, words(say)), expected, "{q:?}, {value}");
            }
        }
    }

    #[test]
    fn the_table_holds_for_either_party_in_its_own_verbs() {
        for (party, yes, no) in [(Party::Us, Verb::Will, Verb::Wont), (Party::Them, Verb::Do, Verb::Dont)] {
            assert_eq!((party.said(true), party.said(false)), (yes, no));
        }
        for (party, yes, no) in [(Party::Us, Verb::Do, Verb::Dont), (Party::Them, Verb::Will, Verb::Wont)] {
            assert_eq!((Party::heard(yes), Party::heard(no)), ((party, true), (party, false)));
        }
    }

    /// Two ends of one option, and what is on its way to each.
    #[derive(Default)]
    struct Pair {
        ends: [Side; 2],
        to: [VecDeque<bool>; 2],
    }

    impl Pair {
        fn ask(&mut self, end: usize, on: bool) {
            let say = self.ends[end].ask(on);
            self.to[1 - end].extend(say);
        }

        fn hear(&mut self, end: usize) {
            if let Some(yes) = self.to[end].pop_front() {
                let say = self.ends[end].receive(yes);
                self.to[1 - end].extend(say);
            }
        }
    }

    #[test]
    fn two_that_change_their_minds_and_hear_each_other_late_agree_in_the_end() {
        const STEPS: u32 = 6;
        for sequence in 0..6_u32.pow(STEPS) {
            let mut pair = Pair::default();
            for step in 0..STEPS {
                match sequence / 6_u32.pow(step) % 6 {
                    0 => pair.ask(0, true),
                    1 => pair.ask(0, false),
                    2 => pair.hear(0),
                    3 => pair.ask(1, true),
                    4 => pair.ask(1, false),
                    _ => pair.hear(1),
                }
            }
            for _ in 0..STEPS {
                pair.hear(0);
                pair.hear(1);
            }
            assert!(pair.to.iter().all(VecDeque::is_empty), "{sequence}: they talk for ever");
            let [one, other] = pair.ends.map(|side| side.q);
            assert!(one == other && matches!(one, Yes | No), "{sequence}: {one:?} and {other:?}");
        }
    }

    #[test]
    fn a_refusal_is_final_until_the_peer_asks() {
        let mut side = Side::default();
        side.ask(true);
        assert_eq!(side.receive(false), None);
        assert_eq!(side.receive(false), None);
        assert!(!side.is_wanted());
        assert_eq!(side.receive(true), Some(true));
        assert_eq!(side.receive(false), Some(false));
    }

    #[test]
    fn toggling_for_ever_is_not_answered_for_ever() {
        let mut side = Side::default();
        let replies = (0..10_000).filter(|i| side.receive(i % 2 == 0).is_some()).count();
        assert_eq!(replies, 2 * usize::from(GRANTS) + 1);
        assert!(!side.is_on());
    }
}
