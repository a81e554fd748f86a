//! Finding a command by what was typed, and the nearest one when there is none. Runs in a worker.

use super::who::listed;
use super::{Command, GROUPS, Group, State, all};
use ssmglobal_ipc::nearest;

/// What the first words of a line name.
pub(super) enum Match<'a> {
    /// A command, and what follows it.
    Command(&'static Command, &'a str),
    /// The first word of several commands, and what follows it.
    Group(&'static Group, &'a str),
    /// Nothing known.
    Nothing,
}

/// What blanks are: everything that ends a word.
pub(super) fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// The first word and what follows it, without the blanks between.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(is_blank);
    let (word, rest) = text.split_once(is_blank).unwrap_or((text, ""));
    (word, rest.trim_start_matches(is_blank))
}

/// The command with exactly this name, without regard to case and to how many blanks stand between its words.
pub(super) fn by_name(name: &str) -> Option<&'static Command> {
    let typed = || name.split(is_blank).filter(|word| !word.is_empty());
    let is_it = |command: &&Command| {
        let mut words = command.name.split(' ');
        typed().all(|word| words.next().is_some_and(|wanted| wanted.eq_ignore_ascii_case(word)))
            && words.next().is_none()
    };
    all().find(is_it)
}

/// The command with this name, letter for letter.
pub fn command_of(name: &str) -> Option<&'static Command> {
    all().find(|command| command.name == name)
}

/// As [`in_words`], for whoever is in this state: where one command's name is the first word of another's, the longer one is meant
/// if it is for him at all.
pub(super) fn in_words_for(line: &str, state: State) -> Match<'_> {
    let (first, rest) = split_word(line);
    let (second, behind) = split_word(rest);
    let is_longer = |command: &&Command| {
        let words = command.name.split_once(' ');
        words.is_some_and(|(one, two)| one.eq_ignore_ascii_case(first) && two.eq_ignore_ascii_case(second))
    };
    match all().filter(|command| listed(command, state)).find(is_longer) {
        Some(command) => Match::Command(command, behind),
        None => in_words(line),
    }
}

/// What a line in words begins with.
pub(super) fn in_words(line: &str) -> Match<'_> {
    let (first, rest) = split_word(line);
    let (second, behind) = split_word(rest);
    for group in &GROUPS {
        let of_group = group.word.is_some_and(|word| word.eq_ignore_ascii_case(first));
        for command in group.commands {
            let name = command.name;
            if name.eq_ignore_ascii_case(first) || command.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(first))
            {
                return Match::Command(command, rest);
            }
            if of_group && name.split_once(' ').is_some_and(|(_, name)| name.eq_ignore_ascii_case(second)) {
                return Match::Command(command, behind);
            }
        }
        if of_group {
            return Match::Group(group, rest);
        }
    }
    Match::Nothing
}

/// The command, or first word of commands, that was probably meant.
pub(super) fn meant(line: &str, state: State) -> Option<String> {
    let usable = || all().filter(move |command| listed(command, state));
    let (first, rest) = split_word(line);
    let (second, _) = split_word(rest);
    let firsts = usable().flat_map(|command| {
        let first = command.name.split_once(' ').map_or(command.name, |(first, _)| first);
        std::iter::once(first).chain(command.alias)
    });
    let first = nearest(first, firsts)?;
    let seconds = usable().filter_map(|command| command.name.split_once(' ')).filter(|(group, _)| *group == first);
    match nearest(second, seconds.map(|(_, second)| second)) {
        Some(second) => Some(format!("{first} {second}")),
        None => Some(first.to_owned()),
    }
}
