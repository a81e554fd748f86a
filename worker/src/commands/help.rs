//! HELP: what there is to explain, and for whom. How it looks is decided where it is rendered. Runs in a worker.

use super::lookup::{Found, by_name, in_words, is_blank, meant};
use super::{Command, GROUPS, Group, State, Who};
use serde::Serialize;
use ssmglobal_ipc::{Code, Failure};
use std::ptr;

/// What is to be explained.
#[derive(Clone, Copy, Debug)]
pub enum HelpTopic {
    /// Everything there is.
    All,
    /// The commands of one group.
    Group(&'static Group),
    /// One command.
    Command(&'static Command),
}

impl PartialEq for HelpTopic {
    fn eq(&self, other: &HelpTopic) -> bool {
        match (self, other) {
            (HelpTopic::All, HelpTopic::All) => true,
            (HelpTopic::Group(one), HelpTopic::Group(other)) => ptr::eq(*one, *other),
            (HelpTopic::Command(one), HelpTopic::Command(other)) => one.name == other.name,
            _ => false,
        }
    }
}

impl Eq for HelpTopic {}

impl HelpTopic {
    /// What these words name: a command, the first word of several, or a heading.
    pub(super) fn find(words: &str) -> Result<HelpTopic, Failure> {
        let words = words.trim_matches(is_blank);
        if words.is_empty() {
            return Ok(HelpTopic::All);
        }
        match (by_name(words), in_words(words)) {
            (Some(command), _) | (None, Found::Command(command, "")) => Ok(HelpTopic::Command(command)),
            (None, Found::Group(group, "")) => Ok(HelpTopic::Group(group)),
            _ => match GROUPS.iter().find(|group| group.title.eq_ignore_ascii_case(words)) {
                Some(group) => Ok(HelpTopic::Group(group)),
                None => Err(nothing(words)),
            },
        }
    }
}

fn nothing(words: &str) -> Failure {
    // A word of every command is near enough here, whoever may use it.
    let near = meant(words, State::Server).or_else(|| meant(words, State::Player));
    let next = near.map_or("HELP lists all.".to_owned(), |near| format!("Did you mean HELP {near}?"));
    Failure::new(Code::NotFound, format!("There is no such command. {next}"))
}

/// Whether HELP lists the command: what can never be used in this mode is left out.
pub(crate) fn listed(command: &Command, state: State) -> bool {
    match state {
        State::New | State::Anonymous | State::Player => !matches!(command.who, Who::Server | Who::Unproved),
        State::Unproved | State::Server => !matches!(command.who, Who::Person | Who::Player),
    }
}

/// The commands of a topic, by group, as far as they are listed.
pub(crate) fn entries(
    topic: HelpTopic,
    state: State,
) -> impl Iterator<Item = (&'static Group, impl Iterator<Item = &'static Command>)> {
    let one = match topic {
        HelpTopic::Group(group) => Some(group),
        _ => None,
    };
    let groups = GROUPS.iter().copied().filter(move |group| one.is_none_or(|one| ptr::eq(one, *group)));
    groups.filter_map(move |group| {
        // Who asks for a group by name sees all of it.
        let mut shown = group.commands.iter().filter(move |command| one.is_some() || listed(command, state)).peekable();
        shown.peek().is_some().then_some((group, shown))
    })
}

/// One command, explained to a program.
#[derive(Serialize)]
pub(crate) struct CommandHelp {
    usage: String,
    summary: &'static str,
    args: Vec<ArgHelp>,
    who: &'static str,
    example: &'static str,
}

#[derive(Serialize)]
struct ArgHelp {
    name: &'static str,
    kind: &'static str,
    optional: bool,
    doc: &'static str,
}

impl CommandHelp {
    pub(crate) fn new(command: &Command) -> CommandHelp {
        let arg = |arg: &super::Arg| ArgHelp {
            name: arg.name,
            kind: arg.kind.describe(),
            optional: arg.optional,
            doc: arg.doc,
        };
        CommandHelp {
            usage: command.usage(),
            summary: command.summary,
            args: command.args.iter().map(arg).collect(),
            who: command.who.describe(),
            example: command.example,
        }
    }
}
