//! What a session is, as far as permissions go. The handler decides by it, the worker refuses kindly by it.

use serde::{Deserialize, Serialize};

/// What a session is at the moment. Workers tell it their successors, so one is only ever appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It has not said how it speaks. It is *not* yet anybody's session.
    New,
    /// A person or program that is not logged in.
    Anonymous,
    /// Logged in as a player. It is *not* a statement about any other session of that player.
    Player,
    /// Speaks as a game server and has not proved to be one.
    Unproved,
    /// A game server that has proved who it is.
    Server,
}

impl State {
    /// All of them.
    pub const ALL: [State; 5] = [State::New, State::Anonymous, State::Player, State::Unproved, State::Server];
}

/// A set of states; perhaps with the operator, who asks at a socket of his own and has no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct States(u8);

impl States {
    /// The operator's bit.
    const OPERATOR: u8 = 1 << 7;

    /// Only before a mode was chosen, or before the handler knows whose a link is.
    pub const NEW: States = States::of(&[State::New]);
    /// Whoever has said how he speaks.
    pub const ANY: States = States::of(&[State::Anonymous, State::Player, State::Unproved, State::Server]);
    /// All but game servers that have not proved who they are.
    pub const READERS: States = States::of(&[State::Anonymous, State::Player, State::Server]);
    /// People and their programs, logged in or not.
    pub const PEOPLE: States = States::of(&[State::Anonymous, State::Player]);
    /// People and their programs that are not logged in.
    pub const ANONYMOUS: States = States::of(&[State::Anonymous]);
    /// Players who are logged in.
    pub const PLAYER: States = States::of(&[State::Player]);
    /// Game servers that have proved who they are.
    pub const SERVER: States = States::of(&[State::Server]);
    /// Game servers that have not.
    pub const UNPROVED: States = States::of(&[State::Unproved]);
    /// Whoever has proved who he is.
    pub const PROVED: States = States::of(&[State::Player, State::Server]);
    /// Whoever has proved who he is, and the operator at his own socket.
    pub const WRITERS: States = States::PROVED.and_operator();
    /// Players who are logged in, and the operator at his own socket.
    pub const KEEPERS: States = States::PLAYER.and_operator();
    /// Whoever may read, and the operator at his own socket.
    pub const LOOKERS: States = States::READERS.and_operator();

    /// The set of these.
    pub const fn of(states: &[State]) -> States {
        let mut bits = 0;
        let mut rest = states;
        while let [state, tail @ ..] = rest {
            bits |= 1 << *state as u8;
            rest = tail;
        }
        States(bits)
    }

    /// These, and the operator.
    pub const fn and_operator(self) -> States {
        States(self.0 | States::OPERATOR)
    }

    /// Whether the operator is in it.
    pub const fn has_operator(self) -> bool {
        self.0 & States::OPERATOR != 0
    }

    /// Whether a state is in it.
    pub const fn has(self, state: State) -> bool {
        self.0 & (1 << state as u8) != 0
    }

    /// Whether nothing but these are in it.
    pub const fn within(self, all: States) -> bool {
        self.0 & !all.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_its_states_and_no_other() {
        for one in State::ALL {
            for other in State::ALL {
                assert_eq!(States::of(&[one]).has(other), one == other);
                assert!(States::of(&[one, other]).has(one) && States::of(&[one, other]).has(other));
                assert_eq!(States::of(&[one, other]).within(States::of(&[one])), one == other);
            }
            assert!(States::of(&State::ALL).has(one) && States::of(&[one]).and_operator().has(one));
            assert!(!States::of(&[one]).has_operator() && States::of(&[one]).and_operator().has_operator());
            assert!(!States::of(&[one]).and_operator().within(States::of(&[one])), "the operator is one more");
            assert!(!States::of(&[]).has(one));
        }
    }
}
