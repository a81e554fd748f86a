//! The commands that need no handler: MODE, HELP, HW, PING, STAY, QUIT. Runs in a worker.

use super::{Arg, Command, Group, HELLO_MAX, HelpTopic, Local, ModeChoice, Parsed};
use ssmglobal_ipc::{Code, Failure, Mode, State, States};

/// Its argument is a word that the log may show.
pub(super) const MODE: &str = "MODE";

/// Also before there is a mode.
const ALWAYS: States = States::of(&State::ALL);

pub(super) static GROUP: Group = Group {
    title: "General",
    word: None,
    commands: &[
        Command {
            name: MODE,
            summary: "Choose how this connection speaks",
            args: &[Arg::word("mode", "SERVER, CLIENT or HUMAN; LIST names them")],
            example: "MODE CLIENT",
            codes: &[Code::NoMode],
            ..Command::local(ALWAYS, mode)
        },
        HELP,
        Command {
            name: "HW",
            summary: "Say hello",
            args: &[Arg::int("n", 1, u64::MAX, "how many times, 64 at the most").optional()],
            example: "HW 3",
            codes: &[Code::Invalid],
            ..Command::local(States::READERS, |parsed| {
                let times = parsed.opt_number::<u64>("n")?.unwrap_or(1).min(u64::from(HELLO_MAX));
                Ok(Local::Hello(u8::try_from(times).unwrap_or(HELLO_MAX)))
            })
        },
        Command {
            name: "PING",
            summary: "Show that the connection lives",
            example: "PING",
            ..Command::local(States::READERS, |_| Ok(Local::Ping))
        },
        Command {
            name: "STAY",
            summary: "Keep the connection though nothing is asked",
            example: "STAY",
            ..Command::local(States::READERS, |_| Ok(Local::Stay))
        },
        Command {
            name: "MORE",
            summary: "Show the next page of what was too long",
            example: "MORE",
            ..Command::local(States::READERS, |_| Ok(Local::More))
        },
        Command {
            name: "QUIT",
            summary: "End the connection",
            example: "QUIT",
            ..Command::local(States::ANY, |_| Ok(Local::Quit))
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
    ..Command::local(States::READERS, |parsed| {
        let topic = match parsed.opt_string("command")? {
            Some(words) => HelpTopic::find(&words)?,
            None => HelpTopic::All,
        };
        Ok(Local::Help(topic))
    })
};

fn mode(parsed: &mut Parsed<'_>) -> Result<Local, Failure> {
    let word = parsed.string("mode")?;
    let choice = mode_choice(&word).ok_or_else(|| Failure::new(Code::NoMode, format!("Invalid mode: {word}")))?;
    Ok(Local::Mode(choice))
}

/// What a word means behind MODE, if anything.
pub(super) fn mode_choice(word: &str) -> Option<ModeChoice> {
    let modes = [Mode::Server, Mode::Client, Mode::Human];
    match modes.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(word)) {
        Some(mode) => Some(ModeChoice::Set(mode)),
        None => word.eq_ignore_ascii_case("LIST").then_some(ModeChoice::List),
    }
}
