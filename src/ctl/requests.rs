//! What the operator asks that a session could ask as well: the commands come from the one table that HELP comes from, with
//! their arguments, their help and what their answers look like. A group that has commands of its own here takes those of the table
//! in.

use super::said::Said;
use crate::print;
use clap::builder::{Command as Clap, NonEmptyStringValueParser};
use clap::error::ErrorKind;
use clap::{Arg as ClapArg, ArgAction, ArgMatches, FromArgMatches, Subcommand, value_parser};
use ssmglobal_ipc::ctl::{Ask, Sealed};
use ssmglobal_ipc::{Kind, Reply, ReplyKind, Request};
use ssmglobal_worker::commands::{self, Action, Arg, ArgKind, Command, Group, Parsed};
use ssmglobal_worker::render::{Asked, Clock, Look, draw, human, json};

/// A command of the table, with what is asked by it.
#[derive(Debug)]
pub struct TableCommand {
    request: Request,
}

/// A command of the table, in the group of [`OWN`] at this place.
#[derive(Debug)]
pub struct OwnTable<const GROUP: usize>(TableCommand);

/// One in the group `player`.
pub type PlayerTable = OwnTable<0>;

/// One in the group `world`.
pub type WorldTable = OwnTable<1>;

/// The groups that have commands of their own here.
const OWN: [&str; 2] = ["player", "world"];

/// The group at a place.
const fn own(group: usize) -> &'static str {
    if group == 0 { OWN[0] } else { OWN[1] }
}

/// The operator's commands in a group of the table.
fn his(group: &'static Group) -> impl Iterator<Item = &'static Command> {
    group.commands.iter().filter(|command| command.states().has_operator())
}

/// The groups of the table with commands of two words for the operator: the first word, what it is about, and the commands.
fn groups() -> impl Iterator<Item = (String, &'static Group, Vec<&'static Command>)> {
    commands::GROUPS.iter().filter_map(|group| {
        let front = group.word?.to_lowercase();
        let his: Vec<&Command> = his(group).filter(|command| command.name.contains(' ')).collect();
        (!his.is_empty()).then_some((front, *group, his))
    })
}

/// His commands of one word.
fn singles() -> impl Iterator<Item = &'static Command> {
    commands::GROUPS.iter().flat_map(|group| his(group)).filter(|command| !command.name.contains(' '))
}

/// The last word of a command's name.
fn word(command: &Command) -> String {
    command.name.split_once(' ').map_or(command.name, |(_, second)| second).to_lowercase()
}

fn option(name: &str) -> String {
    name.replace('_', "-").to_lowercase()
}

/// A sentence of the table as clap shows it: without marks, and with a capital letter.
fn about(text: &str) -> String {
    let text = text.replace('`', "");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn clap_args(arg: &Arg) -> Vec<ClapArg> {
    if let ArgKind::Flag { yes, no } = arg.kind {
        let switch = |word: &str, other: &str, help: String| {
            let (word, other) = (option(word), option(other));
            ClapArg::new(word.clone()).long(word).action(ArgAction::SetTrue).overrides_with(other).help(help)
        };
        return vec![switch(yes, no, about(arg.doc)), switch(no, yes, format!("Not --{}", option(yes)))];
    }
    let plain = ClapArg::new(arg.name).value_name(option(arg.name).to_uppercase()).help(about(arg.doc));
    // What has a keyword in words, and what every list has, is an option here.
    let is_option = arg.optional && (arg.keyword.is_some() || Arg::PAGE.contains(arg));
    let plain = if is_option { plain.long(option(arg.name)) } else { plain.required(!arg.optional) };
    vec![match arg.kind {
        ArgKind::Int { min, max } => plain.value_parser(value_parser!(u64).range(min..=max)),
        // As many words as are typed, as in a session.
        ArgKind::Text if !is_option => plain.num_args(1..),
        // An empty word is none.
        ArgKind::Word if !arg.optional => plain.value_parser(NonEmptyStringValueParser::new()),
        _ => plain,
    }]
}

fn clap_command(command: &Command) -> Clap {
    let args = command.args.iter().flat_map(clap_args);
    Clap::new(word(command)).about(about(command.summary)).args(args)
}

/// What was given for an argument, as it would be typed.
fn given(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    match arg.kind {
        ArgKind::Flag { yes, no } => {
            let is = |word: &str| matches.get_flag(&option(word));
            (is(yes) || is(no)).then(|| is(yes).to_string())
        }
        ArgKind::Int { .. } => matches.get_one::<u64>(arg.name).map(u64::to_string),
        ArgKind::Text => matches.get_many::<String>(arg.name).map(|words| words.cloned().collect::<Vec<_>>().join(" ")),
        _ => matches.get_one::<String>(arg.name).cloned(),
    }
}

/// The commands of a group.
fn of_group(name: &str) -> Vec<&'static Command> {
    groups().find(|(word, ..)| word == name).map_or_else(Vec::new, |(.., his)| his)
}

/// The groups that have no commands but those of the table.
fn own_groups() -> impl Iterator<Item = (String, &'static Group, Vec<&'static Command>)> {
    groups().filter(|(word, ..)| !OWN.contains(&word.as_str()))
}

fn missing() -> clap::Error {
    clap::Error::raw(ErrorKind::MissingSubcommand, "a command is missing\n")
}

impl TableCommand {
    /// What was given for a command of a group.
    fn of(group: &str, matches: &ArgMatches) -> Result<TableCommand, clap::Error> {
        let (second, matches) = matches.subcommand().ok_or_else(missing)?;
        let command = of_group(group).into_iter().find(|command| word(command) == second).ok_or_else(missing)?;
        TableCommand::given(command, matches)
    }

    /// What was given for a command.
    fn given(command: &'static Command, matches: &ArgMatches) -> Result<TableCommand, clap::Error> {
        let values = command.args.iter().enumerate();
        let values = values.filter_map(|(index, arg)| Some((index, given(arg, matches)?)));
        match Parsed::given(command, values).and_then(Parsed::action) {
            Ok(Action::Request(request)) => Ok(TableCommand { request }),
            Ok(Action::Local(_) | Action::Play(_)) => Err(missing()),
            Err(failure) => {
                // Its usage is that of a session.
                let why = failure.msg.split(" Usage: ").next().unwrap_or_default();
                Err(clap::Error::raw(ErrorKind::ValueValidation, format!("{why}\n")))
            }
        }
    }
}

impl FromArgMatches for TableCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<TableCommand, clap::Error> {
        let (first, matches) = matches.subcommand().ok_or_else(missing)?;
        match singles().find(|command| word(command) == first) {
            Some(command) => TableCommand::given(command, matches),
            None => TableCommand::of(first, matches),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = TableCommand::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for TableCommand {
    fn augment_subcommands(clap: Clap) -> Clap {
        let clap = own_groups().fold(clap, |clap, (word, group, his)| {
            let group = Clap::new(word).about(group.title).subcommand_required(true).arg_required_else_help(true);
            clap.subcommand(group.subcommands(his.into_iter().map(clap_command)))
        });
        clap.subcommands(singles().map(clap_command))
    }

    fn augment_subcommands_for_update(clap: Clap) -> Clap {
        Self::augment_subcommands(clap)
    }

    fn has_subcommand(name: &str) -> bool {
        own_groups().any(|(word, ..)| word == name) || singles().any(|command| word(command) == name)
    }
}

impl<const GROUP: usize> FromArgMatches for OwnTable<GROUP> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        TableCommand::of(own(GROUP), matches).map(OwnTable)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<const GROUP: usize> Subcommand for OwnTable<GROUP> {
    fn augment_subcommands(clap: Clap) -> Clap {
        clap.subcommands(of_group(own(GROUP)).into_iter().map(clap_command))
    }

    fn augment_subcommands_for_update(clap: Clap) -> Clap {
        Self::augment_subcommands(clap)
    }

    fn has_subcommand(name: &str) -> bool {
        of_group(own(GROUP)).into_iter().any(|command| word(command) == name)
    }
}

impl<const GROUP: usize> OwnTable<GROUP> {
    /// The question.
    pub fn ask(self) -> Ask {
        self.0.ask()
    }
}

impl TableCommand {
    /// The question.
    pub fn ask(self) -> Ask {
        let mut payload = Vec::new();
        self.request.put(&mut payload);
        Ask::Request { kind: self.request.kind() as u16, payload }
    }
}

/// The answer of the table.
fn reply(kind: u16, payload: &Sealed) -> Option<Reply> {
    ReplyKind::from_number(kind).and_then(|kind| Reply::decode(kind, &payload.0).ok())
}

/// What stands where the answer is not understood: the backend is of a newer version.
const UNKNOWN: &str = "Done; this program is too old to show the answer.\n";

/// The answer, and what it answers.
fn understood(ask: &Ask, kind: u16, payload: &Sealed) -> Option<(Reply, Asked)> {
    let Ask::Request { kind: asked, payload: of } = ask else { return None };
    let asked = Kind::from_number(*asked).and_then(|kind| Request::decode(kind, of).ok())?;
    let command = commands::all().find(|command| command.asks_for(asked.kind()))?;
    let reply = reply(kind, payload)?;
    Some((reply, Asked { kind: asked.kind(), done: command.done(&asked) }))
}

/// An answer for people.
pub fn text(ask: &Ask, kind: u16, payload: &Sealed) -> String {
    let Some((reply, asked)) = understood(ask, kind, payload) else { return UNKNOWN.to_owned() };
    let look = Look { width: u16::MAX, shell: true, ..Look::default() };
    let mut out = Vec::new();
    draw(&mut out, &human::reply(asked, &reply, Clock::default()), look);
    String::from_utf8_lossy(&out).replace("\r\n", "\n")
}

/// An answer for programs: one line, as a session in JSON gets it.
pub fn json(ask: &Ask, kind: u16, payload: &Sealed) -> String {
    let Some((reply, asked)) = understood(ask, kind, payload) else { return Said::ok(UNKNOWN.trim_end()).json() };
    let mut out = Vec::new();
    json::reply(&mut out, None, asked, &reply);
    print::clean_json(String::from_utf8_lossy(&out).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_the_operator_types_is_a_secret() {
        for command in commands::GROUPS.iter().flat_map(|group| his(group)) {
            assert!(command.args.iter().all(|arg| !arg.is_secret()), "{}", command.name);
        }
        let words = groups().map(|(word, ..)| word).chain(singles().map(word));
        assert_eq!(words.collect::<Vec<_>>(), ["property", "world", "right", "player", "universe", "broadcast"]);
        assert!(own_groups().all(|(word, ..)| !OWN.contains(&word.as_str())));
    }
}
