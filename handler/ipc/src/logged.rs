//! What the operator is told of the log, and of settings that were read again.

use crate::Time;
use serde::{Deserialize, Serialize};

/// Which lines of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAsked {
    /// How many of those that were logged before, at the most.
    pub lines: u32,
    /// The least severe, 1 error … 5 trace.
    pub level: u8,
    /// Of this session only.
    pub session: Option<u64>,
    /// Of this player only.
    pub player: Option<String>,
    /// Also those that come from now on.
    pub follow: bool,
}

/// What reading the settings again has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Keys that have another value now.
    pub changed: Vec<String>,
    /// What holds only after a restart, or could not be done.
    pub warnings: Vec<String>,
}

/// Lines of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// The oldest first.
    pub lines: Vec<LogEntry>,
    /// How many were left out before these, since whoever reads is too slow.
    pub missed: u64,
    /// The level that the backend logs at, 1 error … 5 trace.
    pub level: u8,
    /// The listener's process id; 0 when there is none.
    pub listener: i32,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When it was logged.
    pub at: Time,
    /// 1 error … 5 trace.
    pub level: u8,
    /// Which process says it: `listener`, `handler` or `worker`.
    pub process: String,
    /// The text, one line.
    pub text: String,
}
