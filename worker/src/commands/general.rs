//! What the worker does by itself: MODE, HELP, HW, PING, QUIT. Runs in a worker.

use super::{Action, Arg, Command, Group, HelpTopic, Parsed, Who};
use ssmglobal_ipc::{Code, Failure, Mode};

/// What HW says.
pub const HELLO: &str = "Hello, world!";

/// How often HW says it at the most.
pub const HELLO_MAX: u8 = 64;

/// What the worker does without asking the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// Change the mode, or name the modes.
    Mode(ModeChoice),
    /// Explain.
    Help(HelpTopic),
    /// Say hello so many times, 1 to [`HELLO_MAX`].
    Hello(u8),
    /// Show that the connection lives.
    Ping,
    /// End the connection without a word.
    Quit,
}

/// What MODE asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeChoice {
    /// The names of the modes.
    List,
    /// This mode from now on.
    Set(Mode),
}

pub(super) static GROUP: Group = Group {
    title: "General",
    word: None,
    commands: &[
        Command {
            name: "MODE",
            summary: "Choose how this connection speaks",
            args: &[Arg::word("mode", "SERVER, CLIENT or HUMAN; LIST names them")],
            who: Who::Always,
            example: "MODE CLIENT",
            codes: &[Code::NoMode],
            run: mode,
            ..Command::BASE
        },
        HELP,
        Command {
            name: "HW",
            summary: "Say hello",
            args: &[Arg::int("n", 1, u64::MAX, "how many times, 64 at the most").optional()],
            example: "HW 3",
            codes: &[Code::Invalid],
            run: |parsed| {
                let times = parsed.opt_number::<u64>("n")?.unwrap_or(1).min(u64::from(HELLO_MAX));
                Ok(Action::Local(Local::Hello(u8::try_from(times).unwrap_or(HELLO_MAX))))
            },
            ..Command::BASE
        },
        Command {
            name: "PING",
            summary: "Show that the connection lives",
            example: "PING",
            run: |_| Ok(Action::Local(Local::Ping)),
            ..Command::BASE
        },
        Command {
            name: "QUIT",
            summary: "End the connection",
            who: Who::Always,
            example: "QUIT",
            run: |_| Ok(Action::Local(Local::Quit)),
            ..Command::BASE
        },
    ],
};

/// Also what the first word of several commands means when it stands alone.
pub(super) static HELP_COMMAND: Command = HELP;

const HELP: Command = Command {
    name: "HELP",
    summary: "List the commands, or explain one",
    args: &[Arg::text("command", "a command, or the first word of several").optional()],
    example: "HELP MAIL SEND",
    returns: "`commands` (each with `name` and `summary`); of one command `usage`, `summary`, `args` (each with `name`, \
              `kind`, `optional`, `doc`), `who` and `example`",
    codes: &[Code::NotFound],
    run: |parsed| {
        let topic = match parsed.opt_string("command")? {
            Some(words) => HelpTopic::find(&words)?,
            None => HelpTopic::All,
        };
        Ok(Action::Local(Local::Help(topic)))
    },
    ..Command::BASE
};

fn mode(parsed: &mut Parsed<'_>) -> Result<Action, Failure> {
    let word = parsed.string("mode")?;
    let modes = [Mode::Server, Mode::Client, Mode::Human];
    let choice = match modes.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(&word)) {
        Some(mode) => ModeChoice::Set(mode),
        None if word.eq_ignore_ascii_case("LIST") => ModeChoice::List,
        None => return Err(Failure::new(Code::NoMode, format!("Invalid mode: {word}"))),
    };
    Ok(Action::Local(Local::Mode(choice)))
}
