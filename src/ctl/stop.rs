//! `ssmglobal ctl stop`: waits until everything has ended.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ssmglobal_sys::Process;
use std::os::fd::AsFd;

use super::trouble::Trouble;

/// What is asked back.
pub const WHAT: &str = "Everything will end, and everybody will be disconnected.";

/// Waits for the end of the listener, the last process to go.
///
/// # Errors
/// It cannot be waited for.
pub fn wait_for_end(listener: i32) -> Result<(), Trouble> {
    let gone = |error: &std::io::Error| error.raw_os_error() == Some(nix::errno::Errno::ESRCH as i32);
    let trouble = |error: String| Trouble::Link(format!("it ends, but that cannot be waited for: {error}"));
    let process = match Process::open(listener) {
        Err(error) if gone(&error) => return Ok(()),
        opened => opened.map_err(|error| trouble(error.to_string()))?,
    };
    loop {
        match poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE) {
            Ok(_) => return Ok(()),
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(trouble(error.to_string())),
        }
    }
}
