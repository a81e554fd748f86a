//! Option negotiation that cannot loop. Runs in the worker.
//!
//! [`Side`] is the Q method of RFC 1143 for one option on one side, without the states that serve to switch an
//! option off again: this server never withdraws a request, so WANTNO and the queue bits cannot be reached. What
//! is answered is a change of state; an answer is never answered.
//!
//! [`Echo`] is the one option that is switched to and fro. The Q method would hold back `WONT ECHO` until
//! `WILL ECHO` was answered, and a client that obeys without answering (there are such) would leave a person
//! typing unseen for ever, or show the next password. So ECHO is told at once, whenever the owner wants it, and
//! the answers are only counted off. It cannot loop either: what the peer says causes no request.

use serde::{Deserialize, Serialize};

/// Which party performs the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// This server: WILL and WONT are ours, DO and DONT are the peer's.
    Us,
    /// The peer: DO and DONT are ours.
    Them,
}

/// How often the peer may switch one option on by itself. A person toggles a few times; a peer that contradicts
/// itself would go on for ever.
const GRANTS: u8 = 32;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Q {
    #[default]
    No,
    WantYes,
    Yes,
}

/// One supported option on one side.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Side {
    q: Q,
    grants: u8,
    refused: bool,
}

impl Side {
    /// Both agreed that the option is in use.
    pub(crate) fn is_on(&self) -> bool {
        self.q == Q::Yes
    }

    /// In use, or asked for and not yet answered.
    pub(crate) fn is_wanted(&self) -> bool {
        self.q != Q::No
    }

    /// Asks for the option; true when the request is to be sent.
    pub(crate) fn ask(&mut self) -> bool {
        let new = self.q == Q::No;
        if new {
            self.q = Q::WantYes;
        }
        new
    }

    /// The peer said yes (WILL, DO) or no. Returns what to send: yes, no or nothing.
    pub(crate) fn receive(&mut self, yes: bool) -> Option<bool> {
        match (self.q, yes) {
            (Q::No, true) if self.grants < GRANTS => {
                self.grants += 1;
                self.q = Q::Yes;
                Some(true)
            }
            (Q::No, true) => (!std::mem::replace(&mut self.refused, true)).then_some(false),
            (Q::WantYes, true) => {
                self.q = Q::Yes;
                None
            }
            (Q::WantYes, false) => {
                self.q = Q::No;
                None
            }
            (Q::Yes, false) => {
                self.q = Q::No;
                Some(false)
            }
            (Q::No, false) | (Q::Yes, true) => None,
        }
    }
}

/// ECHO on our side: the peer hides what is typed while we claim to echo.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Echo {
    /// What the owner asked for.
    hidden: bool,
    /// What was said last and not turned down: WILL or WONT.
    told: bool,
    /// Announcements that were not answered yet. They alternate, and `told` is the last of them.
    unanswered: u8,
    refused: bool,
}

impl Echo {
    /// Beyond this many, unanswered announcements are forgotten in pairs.
    const UNANSWERED: u8 = 8;

    /// Hides or shows what is typed. Returns what to send: WILL, WONT or nothing.
    pub(crate) fn hide(&mut self, hidden: bool) -> Option<bool> {
        if std::mem::replace(&mut self.hidden, hidden) == hidden || self.told == hidden {
            return None;
        }
        self.told = hidden;
        if self.unanswered < Self::UNANSWERED {
            self.unanswered += 1;
        } else {
            self.unanswered -= 1;
        }
        Some(hidden)
    }

    /// The peer said DO or DONT. Returns what to send: WILL, WONT or nothing.
    pub(crate) fn receive(&mut self, yes: bool) -> Option<bool> {
        while self.unanswered > 0 {
            let oldest = (self.unanswered % 2 == 1) == self.told;
            self.unanswered -= 1;
            match (oldest, yes) {
                (true, true) | (false, false) => return None,
                // WILL was turned down; a WONT after it then changes nothing and gets no answer.
                (true, false) if self.unanswered > 0 => {
                    self.unanswered -= 1;
                    return None;
                }
                (true, false) => {
                    self.told = false;
                    return None;
                }
                // WONT must be obeyed, so this answers something else.
                (false, true) => {}
            }
        }
        match (self.told, yes) {
            (true, false) => {
                self.told = false;
                Some(false)
            }
            (false, true) => (!std::mem::replace(&mut self.refused, true)).then_some(false),
            (true, true) | (false, false) => None,
        }
    }
}

/// The options that are not supported: each is refused once per side, however often it is proposed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Refused {
    us: [u64; 4],
    them: [u64; 4],
}

impl Refused {
    /// The peer said yes or no to an unknown option. True when a refusal is to be sent.
    pub(crate) fn receive(&mut self, party: Party, option: u8, yes: bool) -> bool {
        let words = match party {
            Party::Us => &mut self.us,
            Party::Them => &mut self.them,
        };
        let bit = 1_u64 << (option % 64);
        match words.get_mut(usize::from(option / 64)) {
            Some(word) if yes && *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_not_answered() {
        let mut side = Side::default();
        assert!(side.ask());
        assert!(!side.ask());
        assert_eq!(side.receive(true), None);
        assert!(side.is_on());
        assert_eq!(side.receive(true), None);
    }

    #[test]
    fn a_refusal_is_final_until_the_peer_asks() {
        let mut side = Side::default();
        side.ask();
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

    #[test]
    fn echo_is_told_once_and_at_once() {
        let mut echo = Echo::default();
        assert_eq!(echo.hide(false), None);
        assert_eq!(echo.hide(true), Some(true));
        assert_eq!(echo.hide(true), None);
        assert_eq!(echo.hide(false), Some(false));
        assert_eq!(echo.hide(true), Some(true));
        for answer in [true, false, true, true] {
            assert_eq!(echo.receive(answer), None);
        }
    }

    #[test]
    fn echo_refused_needs_no_end() {
        let mut echo = Echo::default();
        assert_eq!(echo.hide(true), Some(true));
        assert_eq!(echo.receive(false), None);
        assert_eq!(echo.hide(false), None);
        assert_eq!(echo.hide(true), Some(true));
        assert_eq!(echo.hide(false), Some(false));
        // Turned down: the WONT gets no answer, and the next DO is a request.
        assert_eq!(echo.receive(false), None);
        assert_eq!(echo.receive(true), Some(false));
    }

    #[test]
    fn echo_withdrawn_by_the_peer_is_acknowledged_once() {
        let mut echo = Echo::default();
        echo.hide(true);
        echo.receive(true);
        assert_eq!(echo.receive(false), Some(false));
        assert_eq!(echo.receive(false), None);
        assert_eq!(echo.hide(false), None);
    }

    #[test]
    fn echo_asked_for_by_the_peer_is_refused_once() {
        let mut echo = Echo::default();
        assert_eq!(echo.receive(true), Some(false));
        assert_eq!(echo.receive(true), None);
        assert_eq!(echo.hide(true), Some(true));
    }

    #[test]
    fn echo_works_with_a_peer_that_never_answers() {
        let mut echo = Echo::default();
        for _ in 0..1000 {
            assert_eq!(echo.hide(true), Some(true));
            assert_eq!(echo.hide(false), Some(false));
        }
    }

    #[test]
    fn unknown_options_are_refused_once_per_side() {
        let mut refused = Refused::default();
        for option in 0..=255 {
            assert!(!refused.receive(Party::Us, option, false));
            assert!(refused.receive(Party::Us, option, true));
            assert!(!refused.receive(Party::Us, option, true));
            assert!(refused.receive(Party::Them, option, true));
        }
    }
}
