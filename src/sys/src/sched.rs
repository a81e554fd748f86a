//! A thread's priority.

use nix::libc;
use std::io;

/// Puts the calling thread behind all others: it runs on what they leave over. For password hashing.
///
/// # Errors
/// The kernel's; the thread then runs as before.
pub fn lowest_priority() -> io::Result<()> {
    let param = libc::sched_param { sched_priority: 0 };
    // SAFETY: `param` lives across the call, and 0 means the calling thread.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &param) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
