//! What the backend can do, a file for each capability, under the same name as in every room. A capability gets a [`Call`] and
//! returns a [`Plan`]; what is kept it changes by a [`Change`]. It touches no link, no journal and no thread.

mod call;
mod changes;
pub mod mail;
mod plan;
pub mod players;
pub mod records;
pub mod relay;
pub mod servers;
pub mod sessions;
pub mod settings;
pub mod status;
pub mod tell;

pub use call::{Call, Me};
pub use changes::Change;
pub use plan::Plan;

/// What all threads of the handler share.
pub type Shared = crate::work::Shared<Change>;

#[cfg(test)]
mod tests;
