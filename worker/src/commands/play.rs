//! PLAY, RESUME, DROP: a person plays a world through his connection to us. The worker does these by itself; what it asks of the
//! handler for it is its own word. Runs in a worker.

use super::{Arg, Command, Group, Parsed};
use ssmglobal_ipc::{Code, Failure, Secret, States};

/// What somebody wants who plays, or wants to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayWish {
    /// To play this world.
    Start(String),
    /// To go on where another connection of his has broken; by the word that he was shown, or to be shown it.
    Resume(Option<Secret>),
    /// What he has typed for a world that is down is not to be sent.
    Drop,
}

pub(super) static GROUP: Group = Group {
    title: "Play",
    word: None,
    commands: &[
        Command {
            name: "PLAY",
            summary: "Play a world; lines that begin with // are for us then",
            args: &[Arg::word("world", "its name, as WORLDS and LIST WORLDS show it")],
            example: "PLAY Atlantis",
            codes: &[Code::NotFound, Code::Denied, Code::Unavailable],
            ..Command::play(|parsed| Ok(PlayWish::Start(parsed.string("world")?)))
        },
        Command {
            name: "RESUME",
            summary: "Go on where another connection of yours has broken",
            args: &[Arg::secret("word", "Word: ", false, "the one that RESUME alone shows while you play").optional()],
            example: "RESUME k7qm-3xtr-9fza",
            codes: &[Code::NotFound],
            ..Command::play(|parsed| Ok(PlayWish::Resume(parsed.opt_secret("word")?)))
        },
        Command {
            name: "DROP",
            summary: "Forget what you typed for a world that is down",
            example: "DROP",
            codes: &[Code::Invalid],
            ..Command::play(|_| Ok(PlayWish::Drop))
        },
    ],
};

impl Command {
    /// What the commands of this page have in common.
    const fn play(make: fn(&mut Parsed<'_>) -> Result<PlayWish, Failure>) -> Command {
        Command::playing(States::PEOPLE, make)
    }
}

/// What a program is told: the connection of one is for JSON.
pub fn not_for_programs() -> Failure {
    Failure::new(Code::Denied, "Only a person can play a world through us: MODE HUMAN, or telnet.")
}
