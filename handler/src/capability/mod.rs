//! What the backend can do, a file for each capability, under the same name as in every room. A capability gets a [`Call`] and
//! returns a [`Plan`]; what is kept it changes by structs of its own that can be decided (`work/change.rs`). It touches no link, no
//! journal and no thread.

mod access;
pub mod boards;
mod call;
pub mod entry;
pub mod hosting;
pub mod length;
pub mod licences;
pub mod lists;
pub mod mail;
pub mod mssp;
mod plan;
pub mod play;
pub mod players;
pub mod preferences;
pub mod properties;
pub mod records;
pub mod relay;
pub mod rights;
pub mod servers;
pub mod sessions;
pub mod settings;
pub mod status;
pub mod tell;
pub mod terms;
mod texts;
pub mod universe;
pub mod visitors;

pub use access::{Access, By};
pub use call::{Call, Me, slow_down};
pub use plan::Plan;
use texts::check_length;

#[cfg(test)]
mod tests;
