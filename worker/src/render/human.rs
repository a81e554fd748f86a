//! Answers and events as text for people. Runs in a worker.

use super::screen::{Look, Screen, Style};
use super::shown::{Asked, pushed, shown};
use ssmglobal_ipc::{Event, Failure, Reply};

/// What stands before each command.
pub const PROMPT: &str = "> ";

/// Appends what the handler answered.
pub fn reply(out: &mut Vec<u8>, asked: Asked, reply: &Reply, look: Look) {
    match shown(reply) {
        Err(failed) => failure(out, failed, look),
        Ok(None) => Screen::new(out, look).line(asked.done),
        Ok(Some(shown)) => shown.show_all(&mut Screen::new(out, look), asked.kind),
    }
}

/// Appends `ERROR: …`.
pub fn failure(out: &mut Vec<u8>, failure: &Failure, look: Look) {
    Screen::new(out, look).parts(&[(Style::Red, "ERROR:"), (Style::Plain, " "), (Style::Plain, &failure.msg)]);
}

/// Appends one line about something that was pushed.
pub fn event(out: &mut Vec<u8>, event: &Event, look: Look) {
    let Some((name, pushed)) = pushed(event) else { return };
    let mut said = String::new();
    if pushed.say(&mut said).is_ok() {
        let tag = format!("[{name}]");
        Screen::new(out, look).parts(&[(Style::Cyan, &tag), (Style::Plain, " "), (Style::Plain, &said)]);
    }
}

/// Appends text of ours or the operator's, line by line.
pub fn text(out: &mut Vec<u8>, text: &str, look: Look) {
    let screen = &mut Screen::new(out, look);
    text.lines().for_each(|line| screen.line(line));
}
