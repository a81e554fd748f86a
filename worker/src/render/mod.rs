//! How answers and events look: JSON lines for programs, text for people. Pure code without I/O; runs in a worker.
//!
//! What an answer says stands in its capability's own file, beside the commands: it is [`Shown`], an event is [`Pushed`].
//! Here is the one list of them, and what all have in common. Nothing here knows a command.
//!
//! What a person sees is a [`Screen`] first, which is data, and [`draw()`] makes bytes of it for a terminal. A screen that is longer
//! than the terminal is high can be given out in [`Pages`]; a text of several lines is taken with [`Lines`].

mod charset;
mod clock;
mod draw;
mod fit;
pub mod human;
pub mod json;
mod lines;
mod look;
mod markup;
mod pages;
mod parts;
mod preferred;
mod screen;
mod shown;
mod table;
#[cfg(test)]
mod tests;
mod wrap;

pub use charset::Charset;
pub use clock::Clock;
pub use draw::draw;
pub use lines::{Lines, Outcome};
pub use look::{Look, Told};
pub use markup::unmarked;
pub use pages::Pages;
pub(crate) use parts::{idle, plural};
pub use preferred::{AUTO, Origin, Preferred, checked};
pub use screen::{Counted, Prompt, Screen, Style};
pub use shown::Asked;
pub(crate) use shown::{Json, Pushed, Shown, pushed_line, said};
pub use ssmglobal_ipc::clean;
pub use table::{Column, Row};
