//! The reference page `docs/protocol.md`: prose from a file beside this one, and the table. A test keeps the page
//! current; no process uses it.

use super::parsed::Value;
use super::who::{modes, users};
use super::{ArgKind, Command, GROUPS, Parsed, State, parse_words};
use ssmglobal_ipc::Code;
use ssmglobal_ipc::json::put;
use std::fmt::{Result, Write};

/// The frame of the page, with a mark where each table goes.
const PROSE: &str = include_str!("protocol.md");

/// The whole page, in Markdown.
pub fn reference() -> String {
    let mut tables = [String::new(), String::new(), String::new()];
    let [codes, names, commands] = &mut tables;
    // A `String` takes everything.
    _ = put_codes(codes).and_then(|()| put_names(names)).and_then(|()| put_commands(commands));
    let prose = PROSE.replace("{{keyed}}", &keyed());
    prose.replace("{{codes}}\n", codes).replace("{{names}}\n", names).replace("{{commands}}\n", commands)
}

/// The commands that heed a key, as a list within a sentence.
fn keyed() -> String {
    let takes_key = |command: &&Command| command.asks.kind().is_some_and(|kind| kind.describe().takes_key());
    let commands = GROUPS.iter().flat_map(|group| group.commands).filter(takes_key);
    let names: Vec<String> = commands.map(|command| format!("`{}`", command.name)).collect();
    let lines: Vec<String> = names.chunks(8).map(|names| format!("  {}", names.join(", "))).collect();
    format!("{}.", lines.join(",\n"))
}

fn put_codes(out: &mut String) -> Result {
    out.write_str("| `code` | meaning |\n|---|---|\n")?;
    Code::ALL.iter().try_for_each(|(_, word, meaning)| writeln!(out, "| `{word}` | {} |", meaning.trim()))
}

fn put_names(out: &mut String) -> Result {
    out.write_str("| group | commands |\n|---|---|\n")?;
    for group in GROUPS {
        let names: Vec<String> = group.commands.iter().map(|command| link(command.name)).collect();
        writeln!(out, "| {} | {} |", group.title, names.join(" · "))?;
    }
    Ok(())
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase().replace(' ', "-"))
}

fn put_commands(out: &mut String) -> Result {
    for (index, group) in GROUPS.iter().enumerate() {
        let between = if index == 0 { "" } else { "\n" };
        writeln!(out, "{between}## {}", group.title)?;
        group.commands.iter().try_for_each(|command| put_command(out, command))?;
    }
    Ok(())
}

fn put_command(out: &mut String, command: &Command) -> Result {
    writeln!(out, "\n### {}\n\n{}. `{}`\n", command.name, command.summary, command.usage())?;
    if !command.args.is_empty() {
        out.write_str("| argument | takes | |\n|---|---|---|\n")?;
        for arg in command.args {
            let optional = if arg.optional { "optional; " } else { "" };
            writeln!(out, "| `{}` | {} | {optional}{} |", arg.name, takes(arg.kind, arg.keyword), arg.doc)?;
        }
        out.write_char('\n')?;
    }
    writeln!(out, "- For {}. Modes: {}.", users(command), modes(command.states()))?;
    if let Some(alias) = command.alias {
        writeln!(out, "- Short, in words: `{alias}`.")?;
    }
    if !command.returns.is_empty() {
        writeln!(out, "- `data`: {}.", command.returns)?;
    }
    if !command.codes.is_empty() {
        let codes: Vec<String> = command.codes.iter().map(|code| format!("`{}`", code.as_str())).collect();
        writeln!(out, "- Errors: {}.", codes.join(", "))?;
    }
    writeln!(out, "\n```\n{}\n{}\n```", command.example, json_example(command))
}

fn takes(kind: ArgKind, keyword: Option<&str>) -> String {
    let mut takes = match kind {
        ArgKind::Int { min, .. } => format!("whole number from {min}"),
        ArgKind::Score => "whole number, signed, 64 bits".to_owned(),
        ArgKind::Flag { yes, no } => format!("true or false; in words `{yes}` or `{no}`"),
        other => other.describe().to_owned(),
    };
    if let Some(keyword) = keyword {
        _ = write!(takes, "; in words also `{keyword} …`");
    }
    takes
}

/// The example of a command as a program writes it.
pub(super) fn json_example(command: &Command) -> String {
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"cmd\": ");
    put(&mut out, command.name);
    if let Ok(parsed) = parse_words(command.example, State::Server) {
        put_args(&mut out, &parsed);
    }
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

fn put_args(out: &mut Vec<u8>, parsed: &Parsed<'_>) {
    let mut open = ", \"args\": {";
    for (arg, value) in parsed.values() {
        let Some(value) = value else { continue };
        out.extend_from_slice(open.as_bytes());
        open = ", ";
        put(out, arg.name);
        out.extend_from_slice(b": ");
        match (value, arg.kind) {
            (Value::Text(text) | Value::Number(text), ArgKind::Int { .. } | ArgKind::Score) => {
                out.extend_from_slice(text.as_bytes());
            }
            (Value::Text(text) | Value::Number(text), _) => put(out, &**text),
            (Value::Bool(value), _) => put(out, value),
        }
    }
    if open == ", " {
        out.push(b'}');
    }
}
