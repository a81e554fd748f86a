//! Waiting for one descriptor, with a deadline. Used where a listener begins, and in the operator's commands.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

/// Waits for something to happen to a descriptor, until then or for ever; gives whether it did in time.
///
/// # Errors
/// The kernel's.
pub fn wait_for(fd: &impl AsFd, what: PollFlags, until: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
        let mut waits = [PollFd::new(fd.as_fd(), what)];
        match nix::poll::poll(&mut waits, left) {
            Err(Errno::EINTR) => {}
            result => return Ok(result? > 0),
        }
    }
}
