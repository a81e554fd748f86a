//! How answers and events look: JSON lines for programs, text for people. Pure code without I/O; runs in a worker.
//!
//! What an answer says stands in its capability's own file, beside the commands: it is [`Shown`], an event is [`Pushed`].
//! Here is the one list of them, and what all have in common. Nothing here knows a command.

pub mod human;
pub mod json;
mod parts;
mod screen;
mod shown;
#[cfg(test)]
mod tests;

pub(crate) use parts::{idle, minute, plural};
pub use screen::Look;
pub(crate) use screen::{Column, Row, Screen};
pub use shown::Asked;
pub(crate) use shown::{Json, Pushed, Shown, pushed_line, said};
pub use ssmglobal_ipc::clean;
