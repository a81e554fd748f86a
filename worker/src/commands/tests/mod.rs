//! Every command in every form gives the same request; every slip gives a clear error; nothing panics.

use super::reference::json_example;
use super::*;
use ssmglobal_ipc::*;
use std::collections::HashSet;

mod every;
mod every_world;
mod forms;
mod lines;
mod many;
mod secrets;
mod who;

pub(crate) fn words(line: &str) -> Result<Action, Failure> {
    parse_words(line, State::Player).and_then(Parsed::action)
}

pub(crate) fn json(line: &str) -> Result<Action, Failure> {
    parse_json(line).parsed.and_then(Parsed::action)
}

fn request(line: &str) -> Request {
    match words(line) {
        Ok(Action::Request(request)) => request,
        other => panic!("{line}: {other:?}"),
    }
}

fn code(result: Result<Action, Failure>) -> Code {
    match result {
        Err(failure) => failure.code,
        Ok(action) => panic!("{action:?}"),
    }
}

fn command(name: &str) -> &'static Command {
    all().find(|command| command.name == name).unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn examples_work_in_both_forms() {
    for command in all() {
        let in_words = parse_words(command.example, State::Server).unwrap();
        assert_eq!(in_words.command.name, command.name);
        let in_words = in_words.action();
        assert!(in_words.is_ok(), "{}: {in_words:?}", command.name);
        let example = json_example(command);
        assert_eq!(json(&example), in_words, "{example}");
    }
}

#[test]
fn the_table_is_in_order() {
    let mut names = HashSet::new();
    for group in GROUPS {
        for command in group.commands {
            assert!(names.insert(command.name) && command.alias.is_none_or(|alias| names.insert(alias)));
            assert_eq!(command.name, command.name.to_uppercase());
            assert!(!command.summary.is_empty() && !command.summary.ends_with('.') && command.summary.len() <= 54);
            assert!(command.args.iter().is_sorted_by_key(|arg| arg.optional), "required ones first: {}", command.name);
            let of_its_group = |first| group.word == Some(first) || all().any(|other| other.name == first);
            assert!(command.name.split_once(' ').is_none_or(|(first, _)| of_its_group(first)));
        }
    }
}

/// The page stands beside the crate; a crate that only borrows these files looks elsewhere.
fn page() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md")
}

#[test]
fn the_reference_page_is_current() {
    let wanted = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(page(), &wanted).unwrap();
    }
    let current = std::fs::read_to_string(page()).unwrap_or_default();
    assert!(current == wanted, "docs/protocol.md is not what the table says; run the tests once with UPDATE=1");
    assert!(!wanted.contains("{{"));
}
