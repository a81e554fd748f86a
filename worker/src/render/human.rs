//! Answers and events as screens for people, and drawn at once. Runs in a worker.

pub use super::draw::PROMPT;
use super::draw::draw;
use super::shown::{Asked, pushed, shown};
use super::{Look, Screen};
use ssmglobal_ipc::{Event, Failure, Reply};

/// What the handler answered.
pub fn reply_screen(asked: Asked, reply: &Reply) -> Screen {
    let mut screen = Screen::new();
    match shown(reply) {
        Err(failed) => return failure_screen(failed),
        Ok(None) => screen.line(asked.done),
        Ok(Some(shown)) => shown.show_all(&mut screen, asked.kind),
    }
    screen
}

/// `ERROR: …`.
pub fn failure_screen(failure: &Failure) -> Screen {
    let mut screen = Screen::new();
    screen.error(&failure.msg);
    screen
}

/// One line about something that was pushed; nothing if it is not for clients.
pub fn event_screen(event: &Event) -> Screen {
    let mut screen = Screen::new();
    let mut said = String::new();
    if let Some((name, pushed)) = pushed(event)
        && pushed.say(&mut said).is_ok()
    {
        screen.notice(name, said);
    }
    screen
}

/// Text of ours or the operator's, line by line.
pub fn text_screen(text: &str) -> Screen {
    let mut screen = Screen::new();
    text.lines().for_each(|line| screen.line(line));
    screen
}

/// Appends [`reply_screen`].
pub fn reply(out: &mut Vec<u8>, asked: Asked, reply: &Reply, look: Look) {
    draw(out, &reply_screen(asked, reply), look);
}

/// Appends [`failure_screen`].
pub fn failure(out: &mut Vec<u8>, failure: &Failure, look: Look) {
    draw(out, &failure_screen(failure), look);
}

/// Appends [`event_screen`].
pub fn event(out: &mut Vec<u8>, event: &Event, look: Look) {
    draw(out, &event_screen(event), look);
}

/// Appends [`text_screen`].
pub fn text(out: &mut Vec<u8>, text: &str, look: Look) {
    draw(out, &text_screen(text), look);
}
