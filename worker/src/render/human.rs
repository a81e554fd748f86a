//! Answers and events as screens for people. Runs in a worker.

use super::shown::{Asked, pushed, shown};
use super::{Clock, Screen};
use ssmglobal_ipc::{Event, Failure, Reply};

/// What the handler answered, with times as this clock tells them.
pub fn reply(asked: Asked, reply: &Reply, clock: Clock) -> Screen {
    let mut screen = Screen::told_by(clock);
    match shown(reply) {
        Err(failed) => return failure(failed),
        Ok(None) => screen.line(asked.done),
        Ok(Some(shown)) => shown.show_all(&mut screen, asked.kind),
    }
    screen
}

/// `ERROR: …`.
pub fn failure(failed: &Failure) -> Screen {
    let mut screen = Screen::new();
    screen.error(&failed.msg);
    screen
}

/// What was pushed; nothing if it is not for clients. Only its first line begins as lines of ours do: the others are somebody's,
/// and stand below it.
pub fn event(event: &Event) -> Screen {
    let mut screen = Screen::new();
    let mut said = String::new();
    if let Some((name, pushed)) = pushed(event)
        && pushed.say(&mut said).is_ok()
    {
        let (first, rest) = said.split_once('\n').unwrap_or((&said, ""));
        screen.notice(name, first);
        if !rest.is_empty() {
            screen.block(2, rest);
        }
    }
    screen
}

/// A text of the operator, line by line.
pub fn text(text: &str) -> Screen {
    let mut screen = Screen::new();
    screen.marked_lines(text);
    screen
}

/// The operator's last word.
pub fn goodbye(text: &str) -> Screen {
    let mut screen = Screen::new();
    screen.marked_notice("notice", text);
    screen
}
