//! Lines as the log may hold them. Runs in a worker.

use super::json::Envelope;
use super::lookup::{Match, in_words, is_blank, split_word};
use super::parsed::Value;
use super::{Parsed, words};
use std::borrow::Cow;
use std::fmt::Write;

/// The line for the log, with `***` for every secret. A line is only shown as it is when it was understood and
/// its command has no secrets; of all others only what is known to be harmless, since `LOGN alice hunter2`
/// is a slip that holds a password as well. Control characters are still to be cleaned.
pub fn masked(line: &str) -> Cow<'_, str> {
    if line.trim_start().starts_with('{') { masked_json(line) } else { masked_words(line) }
}

fn masked_words(line: &str) -> Cow<'_, str> {
    let (name, rest) = match in_words(line) {
        Match::Command(command, rest) => {
            let mut parsed = Parsed::new(command);
            match words::fill(&mut parsed, rest) {
                Ok(()) if !command.has_masked() => return Cow::Borrowed(line),
                Ok(()) => return Cow::Owned(shown_words(&parsed)),
                Err(_) => (command.name, rest),
            }
        }
        Match::Group(group, rest) => (group.word.unwrap_or_default(), rest),
        Match::Nothing => split_word(line),
    };
    if rest.trim_matches(is_blank).is_empty() { Cow::Borrowed(line) } else { Cow::Owned(format!("{name} ***")) }
}

fn shown_words(parsed: &Parsed<'_>) -> String {
    let mut shown = parsed.command.name.to_owned();
    for (arg, value) in parsed.values() {
        match value {
            None => {}
            Some(_) if arg.is_masked() => shown.push_str(" ***"),
            Some(Value::Text(text) | Value::Number(text)) => _ = write!(shown, " {text}"),
            Some(Value::Bool(value)) => _ = write!(shown, " {value}"),
        }
    }
    shown
}

fn shown_json(parsed: &Parsed<'_>, more: bool) -> String {
    let mut shown = format!("{{\"cmd\": {:?}, \"args\": {{", parsed.command.name);
    let mut between = "";
    for (arg, value) in parsed.values() {
        let Some(value) = value else { continue };
        _ = write!(shown, "{between}\"{}\": ", arg.name);
        between = ", ";
        match value {
            _ if arg.is_masked() => shown.push_str("\"***\""),
            Value::Text(text) => _ = write!(shown, "{text:?}"),
            Value::Number(text) => shown.push_str(text),
            Value::Bool(value) => _ = write!(shown, "{value}"),
        }
    }
    shown.push_str(if more { "}, ***}" } else { "}}" });
    shown
}

fn masked_json(line: &str) -> Cow<'_, str> {
    let mut envelope = Envelope::default();
    let whole = envelope.read(line).is_ok();
    match envelope.parse() {
        Ok(parsed) if whole && !envelope.more && !parsed.command.has_masked() => Cow::Borrowed(line),
        Ok(parsed) if whole => Cow::Owned(shown_json(&parsed, envelope.more)),
        _ => {
            let cmd = envelope.cmd().filter(|cmd| cmd.len() <= 32).unwrap_or_default();
            let (first, rest) = split_word(&cmd);
            // `"cmd": "LOGIN alice hunter2"` is another slip with a password in it.
            let name = if rest.is_empty() || matches!(in_words(&cmd), Match::Command(_, "")) { &cmd } else { first };
            Cow::Owned(format!("{{\"cmd\": {name:?}, ***}}"))
        }
    }
}
