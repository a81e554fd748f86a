//! Who may use a command, in words. Which sessions may ask what is in the requests' descriptions, and the handler decides
//! by them; that the worker refuses as well saves a round trip and gives kind words. Runs in a worker.

use super::Command;
use ssmglobal_ipc::{Code, Failure, Right, State, States};

/// Who the client of a session is. What is for one side only cannot be used in the modes of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// A person, or a program for one player.
    People,
    /// A game server.
    Servers,
}

/// A connection without a mode counts as a person's, who is shown what there is.
fn side(state: State) -> Side {
    match state {
        State::New | State::Anonymous | State::Player => Side::People,
        State::Unproved | State::Server => Side::Servers,
    }
}

/// Whether any of these is ever reached by a session in this state without a change of its mode.
fn within_reach(states: States, state: State) -> bool {
    // That before a mode is not reached again.
    let reached = |other: &State| *other != State::New && side(*other) == side(state);
    State::ALL.iter().filter(|other| reached(other)).any(|other| states.has(*other))
}

/// Whether HELP lists the command, and a slip is taken for it: what can never be used in this mode, or only by operators, is left
/// out.
pub(super) fn listed(command: &Command, state: State) -> bool {
    within_reach(command.states(), state) && !matches!(command.right(), Right::Operator | Right::Broadcast)
}

/// Who may use a command, for HELP and the reference page.
pub(super) fn users(command: &Command) -> String {
    let people = match command.right() {
        Right::Operator => "operators".to_owned(),
        Right::Broadcast => "players with the right broadcast".to_owned(),
        Right::None | Right::Registration => audience(command.states()),
    };
    let ctl = if command.states().has_operator() { "; also ssmglobal ctl" } else { "" };
    people + ctl
}

/// Whose sessions these are, for HELP and the reference page.
pub(super) fn audience(states: States) -> String {
    const ANYBODY: &str = "people and their programs, logged in or not";
    const ANY_TIME: &str = "before and after AUTH";
    let people = match (states.has(State::Anonymous), states.has(State::Player)) {
        (true, true) => Some(ANYBODY),
        (true, false) => Some("people and their programs who are not logged in"),
        (false, true) => Some("players who are logged in"),
        (false, false) => None,
    };
    let servers = match (states.has(State::Unproved), states.has(State::Server)) {
        (true, true) => Some(ANY_TIME),
        (true, false) => Some("before AUTH"),
        (false, true) => Some("after AUTH"),
        (false, false) => None,
    };
    match (people, servers) {
        (Some(ANYBODY), Some(ANY_TIME)) => "everyone".to_owned(),
        (Some(ANYBODY), Some(when)) => format!("everyone (a game server {when})"),
        (Some(people), Some(when)) => format!("{people}, and game servers {when}"),
        (Some(people), None) => people.to_owned(),
        (None, Some(when)) => format!("game servers {when}"),
        (None, None) => "nobody who has chosen a mode".to_owned(),
    }
}

/// The modes in which a session may be in one of these states.
pub(super) fn modes(states: States) -> &'static str {
    match (within_reach(states, State::Player), within_reach(states, State::Server)) {
        (true, true) => "HUMAN, CLIENT, SERVER",
        (true, false) => "HUMAN, CLIENT",
        (false, true) => "SERVER",
        (false, false) => "none",
    }
}

/// The answer to everything but `MODE` while there is no mode. The connection ends after it.
pub fn no_mode() -> Failure {
    Failure::new(Code::NoMode, "No mode set.")
}

/// Whether this session may use the command, and if not, what to do about it.
///
/// # Errors
/// `no_mode`, `not_logged_in`, `denied`.
pub fn permitted(command: &Command, state: State, who: &str) -> Result<(), Failure> {
    let states = command.states();
    // Who is nobody, not even a visitor, has nothing to log out of.
    let is_nobody = command.name == "LOGOUT" && state == State::Anonymous && who.is_empty();
    if states.has(state) && !is_nobody {
        return Ok(());
    }
    let denied = |msg| Failure::new(Code::Denied, msg);
    Err(match state {
        State::New => no_mode(),
        State::Unproved => Failure::new(Code::NotLoggedIn, "Prove who you are first: AUTH name key."),
        State::Server if states.has(State::Unproved) => denied("You have proved who you are already."),
        State::Server => denied("Only a player can do that."),
        State::Anonymous if states.has(State::Player) || is_nobody => {
            Failure::new(Code::NotLoggedIn, "Log in first: LOGIN name, or REGISTER name.")
        }
        State::Player if states.has(State::Anonymous) => denied("You are logged in. LOGOUT first."),
        State::Anonymous | State::Player if states.has(State::Server) => denied("Only a game server can do that."),
        State::Anonymous | State::Player => denied("Only a game server can do that: MODE SERVER first."),
    })
}
