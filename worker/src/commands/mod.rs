//! The one table of commands and everything that follows from it: parsing in words and in JSON, permissions,
//! usage errors, HELP and the reference page. Pure code without I/O; runs in a worker.
//!
//! Each capability has a file with its part of the table, the functions that make typed requests, and what their answers
//! and its events say. The table is static; nothing is allocated before a line is parsed.

mod entry;
mod general;
mod habits;
mod help;
mod hosting;
mod json;
mod length;
mod licences;
mod lists;
mod local;
mod lookup;
mod mail;
mod mask;
mod number;
mod parsed;
mod play;
mod players;
mod preferences;
mod properties;
mod records;
mod reference;
mod relay;
mod rights;
mod settings;
mod status;
mod table;
mod terms;
#[cfg(test)]
pub(crate) mod tests;
mod universe;
mod who;
mod words;

pub use help::HelpTopic;
pub use json::{Line, parse_first, parse_json};
pub use local::{HELLO, HELLO_MAX, Local, ModeChoice};
pub use lookup::command_of;
pub use mask::{masked, masked_answer};
pub use parsed::{Action, Parsed};
pub use play::{PlayWish, not_for_programs};
pub use preferences::{PreferenceRow, preferences_shown, put_preferences};
pub use reference::reference;
pub use ssmglobal_ipc::State;
pub use table::{Arg, ArgKind, Asks, Command, Group};
pub use who::{no_mode, permitted};
pub use words::parse_words;

/// The line by which a crawler asks that speaks no telnet, if it is the first of its connection.
pub const MSSP_REQUEST: &str = "MSSP-REQUEST";

/// All commands, by group, in the order of HELP and of the reference page.
pub static GROUPS: [&Group; 17] = [
    &general::GROUP,
    &players::GROUP,
    &preferences::GROUP,
    &records::GROUP,
    &settings::GROUP,
    &properties::GROUP,
    &mail::GROUP,
    &relay::GROUP,
    &status::GROUP,
    &lists::GROUP,
    &entry::GROUP,
    &play::GROUP,
    &licences::GROUP,
    &hosting::GROUP,
    &rights::GROUP,
    &length::GROUP,
    &universe::GROUP,
];

/// All commands in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|group| group.commands)
}
