//! What takes time, in threads of its own: one writes to the database, some read from it, some hash passwords. No sessions: who
//! waits is a link and a number.
//!
//! The writer knows no capability. What it does is a [`change::Decide`] that a capability has made.

pub mod change;
mod facts;
mod follow;
mod hashing;
mod jobs;
mod kept;
mod keys;
pub mod passwords;
mod readers;
#[cfg(test)]
mod recorded;
mod shared;
mod writer;

pub use hashing::{Line, hash_jobs};
pub use jobs::{Asker, Hash, Look, Read, ReadOutcome, ToLoop, Volatile, Write};
pub use kept::{KeptAnswers, Outcome};
pub use keys::{Keys, LONGEST as LONGEST_KEY, conflict, known};
pub use readers::read_jobs;
pub use shared::{Queues, Shared};
pub use writer::WriterThread;
