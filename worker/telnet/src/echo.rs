//! ECHO of a server, which hides what is typed: the one option that is switched to and fro. Runs in the worker.
//!
//! The Q method would hold back `WONT ECHO` until `WILL ECHO` was answered, and a client that obeys without answering
//! (there are such) would leave a person typing unseen for ever, or show the next password. So ECHO is announced at once,
//! whenever the owner wants it, and the answers are only counted off. It cannot loop either: what the peer says causes no
//! request.

use serde::{Deserialize, Serialize};

/// ECHO on our side: the peer hides what is typed while we claim to echo.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Echo {
    /// What the owner asked for.
    pub(crate) hidden: bool,
    /// What was said last and not turned down: WILL or WONT.
    pub(crate) announced: bool,
    /// Announcements that were not answered yet. They alternate, and `announced` is the last of them.
    pub(crate) unanswered: u8,
    pub(crate) refused: bool,
}

impl Echo {
    /// Beyond this many, unanswered announcements are forgotten in pairs.
    const UNANSWERED: u8 = 8;

    /// Hides or shows what is typed. Returns what to send: WILL, WONT or nothing.
    pub(crate) fn hide(&mut self, hidden: bool) -> Option<bool> {
        if std::mem::replace(&mut self.hidden, hidden) == hidden || self.announced == hidden {
            return None;
        }
        self.announced = hidden;
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
            let oldest = (self.unanswered % 2 == 1) == self.announced;
            self.unanswered -= 1;
            match (oldest, yes) {
                (true, true) | (false, false) => return None,
                // WILL was turned down; a WONT after it then changes nothing and gets no answer.
                (true, false) if self.unanswered > 0 => {
                    self.unanswered -= 1;
                    return None;
                }
                (true, false) => {
                    self.announced = false;
                    return None;
                }
                // WONT must be obeyed, so this answers something else.
                (false, true) => {}
            }
        }
        match (self.announced, yes) {
            (true, false) => {
                self.announced = false;
                Some(false)
            }
            (false, true) => (!std::mem::replace(&mut self.refused, true)).then_some(false),
            (true, true) | (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
