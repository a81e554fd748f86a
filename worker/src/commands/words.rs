//! Commands in words, as people type them and as the `args` string of a JSON request holds them. Runs in a worker.
//!
//! Words are separated by blanks; `"…"` holds several together, with `\"` and `\\` inside. A text takes the rest
//! of the line, unless it begins with a quote.

use super::lookup::{Match, in_words_for, is_blank, meant, split_word};
use super::parsed::{Value, flag};
use super::{Arg, ArgKind, Parsed, State, general, no_mode};
use ssmglobal_ipc::{Code, Failure};
use std::borrow::Cow;

/// Reads one line in words that is not empty. `state` only decides which commands are worth proposing when the
/// line names none; see [`super::permitted`] for what is allowed.
///
/// # Errors
/// `unknown_command`, `usage`; `no_mode` in place of the first while there is no mode.
pub fn parse_words(line: &str, state: State) -> Result<Parsed<'_>, Failure> {
    let (command, rest) = match in_words_for(line, state) {
        Match::Command(command, rest) => (command, rest),
        _ if state == State::New => return Err(no_mode()),
        // `MAIL` alone is the question what there is.
        Match::Group(group, "") => (&general::HELP_COMMAND, group.word.unwrap_or_default()),
        Match::Group(group, _) => return Err(unknown(line, state, group.word)),
        Match::Nothing => return Err(unknown(line, state, None)),
    };
    let mut parsed = Parsed::new(command);
    fill(&mut parsed, rest)?;
    Ok(parsed)
}

fn unknown(line: &str, state: State, group: Option<&str>) -> Failure {
    let meant = meant(line, state).filter(|meant| group != Some(meant));
    let msg = match (meant, group) {
        (Some(meant), _) => format!("Command not found. Did you mean {meant}?"),
        (None, Some(group)) => format!("Command not found. HELP {group} lists what there is."),
        (None, None) => "Command not found.".to_owned(),
    };
    Failure::new(Code::UnknownCommand, msg)
}

/// Reads the arguments of a command.
pub(super) fn fill<'a>(parsed: &mut Parsed<'a>, rest: &'a str) -> Result<(), Failure> {
    let mut rest = rest.trim_matches(is_blank);
    while !rest.is_empty() {
        let required_left = parsed.values().any(|(arg, value)| !arg.optional && value.is_none());
        if !required_left && by_keyword(parsed, &mut rest)? {
            continue;
        }
        let Some((index, arg)) = parsed.next_free() else {
            return Err(parsed.command.usage_failure(Some("There are too many arguments.")));
        };
        let value = next_value(parsed, arg, &mut rest)?;
        parsed.set(index, Value::Text(value))?;
    }
    Ok(())
}

/// Takes `IF VERSION 3`, `AFTER 20`, `PUBLIC` …, if that is what comes next.
fn by_keyword<'a>(parsed: &mut Parsed<'a>, rest: &mut &'a str) -> Result<bool, Failure> {
    let (word, behind) = split_word(rest);
    let named = parsed.values().enumerate().find_map(|(index, (arg, value))| {
        let switch = match arg.kind {
            ArgKind::Flag { yes, no } => [yes, no].iter().any(|name| name.eq_ignore_ascii_case(word)),
            _ => arg.keyword.is_some_and(|keyword| keyword.eq_ignore_ascii_case(word)),
        };
        (switch && value.is_none()).then_some((index, arg))
    });
    let Some((index, arg)) = named else { return Ok(false) };
    *rest = behind;
    if let Some(value) = flag(arg, word) {
        parsed.set(index, Value::Bool(value))?;
        return Ok(true);
    }
    // The argument's own name may stand between keyword and value.
    let (name, behind) = split_word(rest);
    if name.eq_ignore_ascii_case(arg.name) && !behind.is_empty() {
        *rest = behind;
    }
    if rest.is_empty() {
        return Err(parsed.command.usage_failure(Some(&format!("{} is missing.", arg.name))));
    }
    let value = next_value(parsed, arg, rest)?;
    parsed.set(index, Value::Text(value))?;
    Ok(true)
}

fn next_value<'a>(parsed: &Parsed<'a>, arg: &Arg, rest: &mut &'a str) -> Result<Cow<'a, str>, Failure> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let (value, behind) = unquote(quoted).map_err(|why| parsed.command.usage_failure(Some(why)))?;
        *rest = behind;
        return Ok(value);
    }
    match arg.kind {
        ArgKind::Text => return Ok(Cow::Borrowed(std::mem::take(rest))),
        ArgKind::Names => {
            let (names, behind) = names(parsed, rest);
            *rest = behind;
            return Ok(Cow::Borrowed(names));
        }
        _ => {}
    }
    let (word, behind) = split_word(rest);
    *rest = behind;
    Ok(Cow::Borrowed(word))
}

/// Names up to the end of the line, or to a keyword of the command and something behind it.
fn names<'a>(parsed: &Parsed<'a>, line: &'a str) -> (&'a str, &'a str) {
    let is_keyword = |word: &str| {
        let mut free = parsed.values().filter(|(_, value)| value.is_none()).filter_map(|(arg, _)| arg.keyword);
        free.any(|keyword| keyword.eq_ignore_ascii_case(word))
    };
    let mut rest = line;
    while !rest.is_empty() {
        let (word, behind) = split_word(rest);
        if is_keyword(word) && !behind.is_empty() {
            return line.split_at(line.len() - rest.len());
        }
        rest = behind;
    }
    (line, rest)
}

/// Reads behind an opening quote: the text, and what follows the closing one.
fn unquote(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut value = Cow::Borrowed("");
    let mut start = 0;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => {
                append(&mut value, text.get(start..at).unwrap_or_default());
                let behind = text.get(at + 1..).unwrap_or_default();
                let next = behind.trim_start_matches(is_blank);
                let apart = next.is_empty() || next.len() < behind.len();
                return if apart { Ok((value, next)) } else { Err("A blank is missing behind the closing quote.") };
            }
            b'\\' if matches!(text.as_bytes().get(at + 1), Some(b'"' | b'\\')) => {
                append(&mut value, text.get(start..at).unwrap_or_default());
                start = at + 1;
                bytes.next();
            }
            _ => {}
        }
    }
    Err("The quote is not closed.")
}

fn append<'a>(value: &mut Cow<'a, str>, more: &'a str) {
    if value.is_empty() { *value = Cow::Borrowed(more) } else { value.to_mut().push_str(more) }
}
