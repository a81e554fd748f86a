//! HELP: what there is to explain, for whom, and how it looks. Runs in a worker.

use super::lookup::{Match, by_name, in_words, is_blank, meant};
use super::who::{listed, users};
use super::{Arg, ArgKind, Command, GROUPS, Group};
use crate::render::{Json, Screen, json};
use serde::Serialize;
use ssmglobal_ipc::{Code, Failure, State};
use std::fmt::Write;
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
            (Some(command), _) | (None, Match::Command(command, "")) => Ok(HelpTopic::Command(command)),
            (None, Match::Group(group, "")) => Ok(HelpTopic::Group(group)),
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

/// The commands of a topic, by group, as far as they are listed.
fn entries(
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

/// Shows it to a person, a screen for each group: all of them at once would be the most that a worker ever holds.
pub(super) fn screens(topic: HelpTopic, state: State) -> Box<dyn Iterator<Item = Screen>> {
    if let HelpTopic::Command(command) = topic {
        return Box::new(std::iter::once(of_command(command)));
    }
    let names = entries(topic, state).flat_map(|(_, commands)| commands);
    let widest = names.map(|command| command.name.len()).max().unwrap_or(0);
    let groups = entries(topic, state).map(move |(group, commands)| {
        let mut screen = Screen::new();
        screen.heading(group.title);
        commands.for_each(|command| screen.entry(command.name, widest, command.summary));
        screen
    });
    let mut first = Screen::new();
    first.line("Available commands:");
    Box::new(std::iter::once(first).chain(groups).chain(std::iter::once_with(move || how_to_go_on(topic))))
}

fn how_to_go_on(topic: HelpTopic) -> Screen {
    let mut screen = Screen::new();
    match topic {
        HelpTopic::Group(Group { commands: [first, ..], .. }) => {
            screen.hint(format!("HELP {} explains one.", first.name))
        }
        _ => screen.hint("HELP and a command explains it, with an example."),
    }
    screen
}

fn of_command(command: &Command) -> Screen {
    let mut screen = Screen::new();
    screen.heading(&command.usage());
    screen.line(format!("{}.", command.summary));
    let widest = command.args.iter().map(|arg| arg.name.len()).max().unwrap_or(0);
    for arg in command.args {
        screen.entry(arg.name, widest, &about(arg));
    }
    screen.line(format!("For: {}", users(command)));
    if let Some(alias) = command.alias {
        screen.line(format!("Short: {alias}"));
    }
    screen.line(format!("Example: {}", command.example));
    screen
}

/// An argument, with how it is given out of its order.
fn about(arg: &Arg) -> String {
    let mut about = if arg.optional { String::from("optional; ") } else { String::new() };
    about.push_str(&arg.doc.replace('`', ""));
    match (arg.kind, arg.keyword) {
        // A `String` takes everything.
        (ArgKind::Flag { yes, no }, _) => _ = write!(about, "; {yes} or {no}"),
        (_, Some(keyword)) => _ = write!(about, "; {keyword} …"),
        _ => {}
    }
    about
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    summary: &'static str,
}

#[derive(Serialize)]
struct List {
    commands: Vec<Entry>,
}

/// One command, explained to a program.
#[derive(Serialize)]
struct CommandHelp {
    usage: String,
    summary: &'static str,
    args: Vec<ArgHelp>,
    who: String,
    example: &'static str,
}

#[derive(Serialize)]
struct ArgHelp {
    name: &'static str,
    kind: &'static str,
    optional: bool,
    doc: &'static str,
}

/// Appends a program's answer.
pub(super) fn put(out: &mut Vec<u8>, id: Option<&str>, topic: HelpTopic, state: State) {
    if let HelpTopic::Command(command) = topic {
        let help = explained(command);
        return json::success(out, id, |f| f.write_str(&help.usage), Some(&|out| help.put(out)));
    }
    let commands = entries(topic, state).flat_map(|(_, commands)| commands);
    let list = List { commands: commands.map(|c| Entry { name: c.name, summary: c.summary }).collect() };
    let say = |f: &mut dyn Write| {
        let mut names = list.commands.iter().map(|entry| entry.name).enumerate();
        names.try_for_each(|(index, name)| write!(f, "{}{name}", if index == 0 { "" } else { " " }))
    };
    json::success(out, id, say, Some(&|out| list.put(out)));
}

fn explained(command: &Command) -> CommandHelp {
    let arg = |arg: &Arg| ArgHelp { name: arg.name, kind: arg.kind.describe(), optional: arg.optional, doc: arg.doc };
    CommandHelp {
        usage: command.usage(),
        summary: command.summary,
        args: command.args.iter().map(arg).collect(),
        who: users(command),
        example: command.example,
    }
}
