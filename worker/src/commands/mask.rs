//! Lines as the log may hold them. Runs in a worker.
//!
//! Anybody may have typed a password where a command belongs, a name where a password belongs, or a word too few. So nothing
//! of a line is shown that might be a secret, or that somebody has written: only what the table knows (the names of commands and
//! arguments, modes, truth values) and numbers where numbers belong. Of all else the log has the length, as `***(7)`. What an
//! argument takes decides, so that no new command can tell more.

use super::json::Envelope;
use super::lookup::{Match, by_name, in_words, is_blank, split_word};
use super::parsed::{Value, flag};
use super::{Arg, ArgKind, Command, GROUPS, Parsed, all, general, words};
use std::fmt::Write;

/// A client's line for the log.
pub fn masked(line: &str) -> String {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.starts_with('{') { masked_json(line) } else { masked_words(line) }
}

/// A line that a client gets, for the log. Nearly all of it is what somebody has written, or says again what was typed: shown is
/// only how it went, which event it is, and how long the rest is. What `people` get may begin as anything.
pub fn masked_answer(line: &str, people: bool) -> String {
    const STATE: &str = "{\"state\": \"";
    const EVENT: &str = "{\"event\": \"";
    const CODE: &str = ", \"code\": \"";
    for front in [STATE, EVENT].into_iter().filter(|_| !people) {
        let Some((word, rest)) = line.strip_prefix(front).and_then(|rest| rest.split_once('"')) else { continue };
        // Inside of a string there is no quote without a backslash.
        let code = rest.rfind(CODE).filter(|_| word == "ERROR");
        let code = code.and_then(|at| rest.get(at + CODE.len()..)?.split('"').next());
        let code = code.map(|code| format!("{CODE}{code}\"")).unwrap_or_default();
        return format!("{front}{word}\"{code}, {}}}", hidden(rest));
    }
    match line.split_once("ERROR:") {
        Some((_, rest)) => format!("ERROR: {}", hidden(rest.trim())),
        None => hidden(line),
    }
}

fn hidden(text: &str) -> String {
    format!("***({})", text.len())
}

fn masked_words(line: &str) -> String {
    match in_words(line) {
        Match::Command(command, rest) => {
            let mut parsed = Parsed::new(command);
            match words::fill(&mut parsed, rest) {
                Ok(()) => shown_words(&parsed),
                Err(_) => followed(command.name, rest),
            }
        }
        Match::Group(group, rest) => followed(group.word.unwrap_or_default(), rest),
        Match::Nothing => unknown(line),
    }
}

/// Neither words of ours nor JSON: `LOGIN(alice,hunter2)`, `["LOGIN", "alice", "hunter2"]`, or a password.
fn unknown(line: &str) -> String {
    let from = line.trim_start_matches(|c: char| c.is_ascii_punctuation() || is_blank(c));
    let word = from.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    match first_word(word) {
        Some(name) => format!("{name} ***({})", line.len() - word.len()),
        None => hidden(line),
    }
}

/// The word with which a command begins, if it is one.
fn first_word(word: &str) -> Option<&'static str> {
    let firsts = all().flat_map(|command| std::iter::once(first_of(command)).chain(command.alias));
    let mut known = firsts.chain(GROUPS.iter().filter_map(|group| group.word));
    known.find(|known| known.eq_ignore_ascii_case(word))
}

fn first_of(command: &'static Command) -> &'static str {
    command.name.split_once(' ').map_or(command.name, |(first, _)| first)
}

fn followed(name: &str, rest: &str) -> String {
    let rest = rest.trim_matches(is_blank);
    if rest.is_empty() { name.to_owned() } else { format!("{name} {}", hidden(rest)) }
}

/// A value as it may be shown; nothing where it might be a secret.
fn harmless(command: &Command, arg: &Arg, value: &Value<'_>) -> Option<String> {
    let text = match value {
        Value::Bool(value) => return Some(value.to_string()),
        Value::Text(text) | Value::Number(text) => text,
    };
    let known = match arg.kind {
        ArgKind::Secret { .. } | ArgKind::Names => false,
        ArgKind::Int { .. } | ArgKind::Score => is_number(text),
        ArgKind::Flag { .. } => flag(arg, text).is_some(),
        ArgKind::Word => command.name == general::MODE && general::mode_choice(text).is_some(),
        ArgKind::Text => {
            command.name == general::HELP_COMMAND.name && (by_name(text).is_some() || first_word(text).is_some())
        }
    };
    known.then(|| text.clone().into_owned())
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn shown_words(parsed: &Parsed<'_>) -> String {
    let mut shown = parsed.command.name.to_owned();
    for (arg, value) in parsed.values() {
        let Some(value) = value else { continue };
        let value = harmless(parsed.command, arg, value).unwrap_or_else(|| hidden(value.as_text()));
        _ = write!(shown, " {value}");
    }
    shown
}

fn masked_json(line: &str) -> String {
    let mut envelope = Envelope::default();
    let whole = envelope.read(line).is_ok();
    let cmd = envelope.cmd().unwrap_or_default();
    match envelope.parse() {
        Ok(parsed) if whole => shown_json(line, &envelope, &parsed),
        _ => {
            let name = by_name(&cmd).map(|command| command.name).or_else(|| first_word(split_word(&cmd).0));
            let rest = hidden(line);
            name.map_or_else(|| format!("{{{rest}}}"), |name| format!("{{\"cmd\": \"{name}\", {rest}}}"))
        }
    }
}

/// A request that was understood: as it stands there, if all of it may be shown.
fn shown_json(line: &str, envelope: &Envelope<'_>, parsed: &Parsed<'_>) -> String {
    let id = envelope.number();
    let mut all = !envelope.has_more_than(id);
    let mut shown = String::from("{");
    if let Some(id) = id {
        _ = write!(shown, "\"id\": {id}, ");
    }
    _ = write!(shown, "\"cmd\": \"{}\", \"args\": {{", parsed.command.name);
    let mut between = "";
    for (arg, value) in parsed.values() {
        let Some(value) = value else { continue };
        let seen = harmless(parsed.command, arg, value);
        all &= seen.is_some();
        _ = write!(shown, "{between}\"{}\": ", arg.name);
        between = ", ";
        _ = match (seen, value) {
            (Some(seen), Value::Text(_)) => write!(shown, "\"{seen}\""),
            (Some(seen), _) => shown.write_str(&seen),
            (None, value) => write!(shown, "\"{}\"", hidden(value.as_text())),
        };
    }
    if all {
        return line.to_owned();
    }
    shown.push_str(if envelope.has_more_than(id) { "}, ***}" } else { "}}" });
    shown
}
