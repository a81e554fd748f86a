//! What is about a session itself: how it begins, how it speaks, how it ends being somebody, and what its worker has for the log.
//! The event loop does it.

use super::{Call, Plan};
use ssmglobal_ipc::{LogLine, Open, SetMode};

/// Characters of a worker's line for the log.
const LOG_LINE: usize = 16 << 10;

/// The first request on a link.
pub fn open(_: Call<'_>, open: Open) -> Plan {
    Plan::Open(open)
}

/// The client chose another mode.
pub fn set_mode(_: Call<'_>, set: SetMode) -> Plan {
    Plan::SetMode(set.mode)
}

/// `LOGOUT`: the session is nobody from now on, and stays connected.
pub fn logout(_: Call<'_>) -> Plan {
    Plan::Logout
}

/// A line for the log, in the original's manner.
pub fn log_line(call: Call<'_>, line: LogLine) -> Plan {
    let level = crate::logging::level(line.level);
    let text: String = line.text.chars().take(LOG_LINE).collect();
    // What follows the address must not read as a part of it.
    let between = if text.starts_with([' ', ':']) { "" } else { " " };
    log::log!(target: "worker", level, "{}{between}{}", call.session.peer(), ssmglobal_ipc::clean(&text));
    Plan::Nothing
}
