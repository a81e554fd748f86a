//! Who may use a command. The handler decides again for itself; this saves a round trip and gives kind words.
//! Runs in a worker.

use super::Command;
use ssmglobal_ipc::{Code, Failure, State};

/// Who may use a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everyone, also a game server before `AUTH`.
    Always,
    /// Everyone, a game server after `AUTH`.
    Anyone,
    /// HUMAN and CLIENT, logged in or not.
    Person,
    /// A player who is logged in.
    Player,
    /// A game server after `AUTH`.
    Server,
    /// A player who is logged in, or a game server after `AUTH`.
    PlayerOrServer,
    /// A game server before `AUTH`.
    Unproved,
}

impl Who {
    /// Whether a session in this state may. Without a mode nobody may anything; see [`permitted`] for `MODE`.
    pub fn permits(self, state: State) -> bool {
        match state {
            State::New => false,
            State::Anonymous => matches!(self, Who::Always | Who::Anyone | Who::Person),
            State::Player => !matches!(self, Who::Server | Who::Unproved),
            State::Unproved => matches!(self, Who::Always | Who::Unproved),
            State::Server => !matches!(self, Who::Person | Who::Player | Who::Unproved),
        }
    }

    /// For HELP and the reference page.
    pub fn describe(self) -> &'static str {
        match self {
            Who::Always => "everyone",
            Who::Anyone => "everyone (a game server after AUTH)",
            Who::Person => "people and their programs, logged in or not",
            Who::Player => "players who are logged in",
            Who::Server => "game servers after AUTH",
            Who::PlayerOrServer => "players who are logged in, and game servers after AUTH",
            Who::Unproved => "game servers before AUTH",
        }
    }

    /// The modes in which it can be used.
    pub fn modes(self) -> &'static str {
        match self {
            Who::Always | Who::Anyone | Who::PlayerOrServer => "HUMAN, CLIENT, SERVER",
            Who::Person | Who::Player => "HUMAN, CLIENT",
            Who::Server | Who::Unproved => "SERVER",
        }
    }
}

/// The answer to everything but `MODE` while there is no mode. The connection ends after it.
pub fn no_mode() -> Failure {
    Failure::new(Code::NoMode, "No mode set.")
}

/// Whether this session may use the command, and if not, what to do about it.
pub fn permitted(command: &Command, state: State) -> Result<(), Failure> {
    if command.who.permits(state) || (state == State::New && command.name == "MODE") {
        return Ok(());
    }
    Err(match (state, command.who) {
        (State::New, _) => no_mode(),
        (State::Unproved, _) => Failure::new(Code::NotLoggedIn, "Prove who you are first: AUTH name key."),
        (State::Server, Who::Unproved) => Failure::new(Code::Denied, "You have proved who you are already."),
        (_, Who::Unproved) => Failure::new(Code::Denied, "Only a game server can do that: MODE SERVER first."),
        (_, Who::Server) => Failure::new(Code::Denied, "Only a game server can do that."),
        (State::Server, _) => Failure::new(Code::Denied, "Only a player can do that."),
        _ => Failure::new(Code::NotLoggedIn, "Log in first: LOGIN name, or REGISTER name."),
    })
}
