//! Commands in words, as people type them and as the `args` string of a JSON request holds them. Runs in a worker.
//!
//! Words are separated by blanks; `"…"` holds several together, with `\"` and `\\` inside. A command's text is the rest of the
//! line, quotes and all. What may be left out and stands behind the text in the table comes before it as an option.

use super::lookup::{Match, in_words_for, is_blank, meant, split_word};
use super::parsed::{Value, flag};
use super::{Arg, ArgKind, Parsed, State, general, habits, no_mode, number};
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
        Match::Nothing => return habits::meant(line, state).unwrap_or_else(|| Err(unknown(line, state, None))),
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
        let needs_word = parsed.values().any(|(arg, value)| !arg.optional && !arg.is_text() && value.is_none());
        if !needs_word && by_keyword(parsed, &mut rest)? {
            continue;
        }
        let Some((index, arg)) = parsed.next_free() else {
            return Err(parsed.usage_failure("There are too many arguments."));
        };
        let value = if arg.is_text() { whole_text(&mut rest) } else { next_value(parsed, arg, &mut rest)? };
        parsed.set(index, Value::Text(value))?;
    }
    Ok(())
}

/// The text of a command: all that is left. `""` is an empty one.
fn whole_text<'a>(rest: &mut &'a str) -> Cow<'a, str> {
    let text = std::mem::take(rest);
    Cow::Borrowed(if text == "\"\"" { "" } else { text })
}

/// Takes `IF VERSION 3`, `AFTER 20`, `PUBLIC` …, if that is what comes next.
fn by_keyword<'a>(parsed: &mut Parsed<'a>, rest: &mut &'a str) -> Result<bool, Failure> {
    let (word, behind) = split_word(rest);
    let named = parsed.values().enumerate().find(|(_, (arg, value))| value.is_none() && arg.is_named_by(word));
    let Some((index, arg)) = named.map(|(index, (arg, _))| (index, arg)) else { return Ok(false) };
    // The argument's own name may stand between keyword and value.
    let (name, behind_name) = split_word(behind);
    let named_again = name.eq_ignore_ascii_case(arg.name) && !behind_name.is_empty();
    let value = if named_again { behind_name } else { behind };
    if parsed.waits_for_text() && !is_option(arg, word, value) {
        return Ok(false);
    }
    if let Some(value) = flag(arg, word) {
        *rest = behind;
        parsed.set(index, Value::Bool(value))?;
        return Ok(true);
    }
    *rest = value;
    if rest.is_empty() {
        return Err(parsed.usage_failure(&format!("{} is missing.", arg.name)));
    }
    let value = next_value(parsed, arg, rest)?;
    parsed.set(index, Value::Text(value))?;
    Ok(true)
}

/// Whether this is an option where it might as well be the beginning of a text: such a word is written in capitals, and a number
/// or something quoted follows where that belongs.
fn is_option(arg: &Arg, word: &str, value: &str) -> bool {
    let in_capitals = !word.bytes().any(|byte| byte.is_ascii_lowercase());
    match arg.kind {
        ArgKind::Int { .. } => in_capitals && number::whole(split_word(value).0).is_some(),
        ArgKind::Text => in_capitals || value.starts_with('"'),
        _ => in_capitals,
    }
}

fn next_value<'a>(parsed: &Parsed<'a>, arg: &Arg, rest: &mut &'a str) -> Result<Cow<'a, str>, Failure> {
    if let Some(quoted) = rest.strip_prefix('"') {
        match unquote(quoted).map_err(|why| parsed.usage_failure(why)) {
            // A text may begin with something quoted: it ends there only if something of the command follows.
            Ok((_, behind)) if is_rest(parsed, arg) && !behind.is_empty() && !begins_with_keyword(parsed, behind) => {}
            Err(_) if is_rest(parsed, arg) => {}
            Err(failure) => return Err(failure),
            Ok((value, behind)) => {
                *rest = behind;
                return Ok(value);
            }
        }
    }
    match arg.kind {
        ArgKind::Text if is_rest(parsed, arg) => return Ok(Cow::Borrowed(std::mem::take(rest))),
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

/// Whether this text takes the rest of the line: an option in front of the command's text takes a word.
fn is_rest(parsed: &Parsed<'_>, arg: &Arg) -> bool {
    arg.kind == ArgKind::Text && !parsed.waits_for_text()
}

/// Whether this begins with an option of the command that was not given yet, and something behind its keyword.
fn begins_with_keyword(parsed: &Parsed<'_>, text: &str) -> bool {
    let (word, behind) = split_word(text);
    let mut free = parsed.values().filter(|(_, value)| value.is_none());
    free.any(|(arg, _)| arg.is_named_by(word) && (!behind.is_empty() || matches!(arg.kind, ArgKind::Flag { .. })))
}

/// Names up to the end of the line, or to an option of the command.
fn names<'a>(parsed: &Parsed<'a>, line: &'a str) -> (&'a str, &'a str) {
    let mut rest = line;
    while !rest.is_empty() {
        if begins_with_keyword(parsed, rest) {
            return line.split_at(line.len() - rest.len());
        }
        rest = split_word(rest).1;
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
