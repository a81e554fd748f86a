//! What the worker does by itself, and what it answers then. Runs in a worker.

use super::{HelpTopic, help};
use crate::render::{Pushed, Screen, json};
use ssmglobal_ipc::{Mode, Notice, Preference, State};
use std::fmt::{Result, Write};

/// What HW says.
pub const HELLO: &str = "Hello, world!";

/// How often HW says it at the most.
pub const HELLO_MAX: u8 = 64;

/// What a person is greeted with on choosing the mode.
const WELCOME: &str = "Welcome to serversquared Modification Global Backend.";

/// The names of the modes, as MODE LIST gives them.
const MODES: &str = "SERVER CLIENT HUMAN";

const PONG: &str = "Pong.";

/// Of a connection that is logged in it was true before.
const STAYS: &str = "This connection stays: it may be silent as long as one that is logged in.";

/// A program gets all at once.
const NO_MORE: &str = "There is nothing more to show.";

/// What the worker does without asking the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// Change the mode, or name the modes.
    Mode(ModeChoice),
    /// Explain a command, a group of commands, or what there is.
    Help(HelpTopic),
    /// Say hello so many times, 1 to [`HELLO_MAX`].
    Hello(u8),
    /// Show that the connection lives.
    Ping,
    /// Let the client be silent as long as a player, from now on.
    Stay,
    /// Show what is set of how somebody is shown things: one of it, or all. The session knows.
    Preferences(Option<Preference>),
    /// Show a person the next page of what is longer than his window.
    More,
    /// End the connection; to programs without a word.
    Quit,
}

/// What MODE asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeChoice {
    /// The names of the modes.
    List,
    /// This mode from now on.
    Set(Mode),
}

fn changed(mode: Mode) -> String {
    format!("Mode: {}", mode.as_str())
}

impl Local {
    /// What a person sees of it, one screen after the other. After a change of mode this is called for the new mode HUMAN.
    pub fn screens(self, state: State) -> Box<dyn Iterator<Item = Screen>> {
        match self {
            Local::Help(topic) => help::screens(topic, state),
            _ => Box::new(std::iter::once(self.screen())),
        }
    }

    fn screen(self) -> Screen {
        let mut screen = Screen::new();
        match self {
            Local::Mode(ModeChoice::List) => screen.line(MODES),
            Local::Mode(ModeChoice::Set(Mode::Human)) => screen.line(WELCOME),
            Local::Mode(ModeChoice::Set(mode)) => screen.line(changed(mode)),
            Local::Hello(times) => (0..times).for_each(|_| screen.line(HELLO)),
            Local::Ping => screen.line(PONG),
            Local::Stay => screen.line(STAYS),
            Local::More => screen.line(NO_MORE),
            Local::Help(_) | Local::Preferences(_) | Local::Quit => {}
        }
        screen
    }

    /// Appends a program's answer. `id` is JSON; after a change of mode this is called for the new mode.
    pub fn put(self, out: &mut Vec<u8>, id: Option<&str>, state: State) {
        match self {
            Local::Mode(ModeChoice::List) => json::ok(out, id, MODES),
            Local::Mode(ModeChoice::Set(mode)) => json::ok(out, id, &changed(mode)),
            Local::Help(topic) => help::put(out, id, topic, state),
            Local::Hello(times) => {
                let say = |f: &mut dyn Write| {
                    (0..times).try_for_each(|time| write!(f, "{}{HELLO}", if time == 0 { "" } else { " " }))
                };
                json::success(out, id, say, None);
            }
            Local::Ping => json::ok(out, id, PONG),
            Local::Stay => json::ok(out, id, STAYS),
            Local::More => json::ok(out, id, NO_MORE),
            Local::Preferences(_) | Local::Quit => {}
        }
    }
}

impl Pushed for Notice {
    fn say(&self, f: &mut dyn Write) -> Result {
        f.write_str(&self.msg)
    }
}
