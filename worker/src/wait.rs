//! Waiting without an event loop, for one thing and a bounded time. Runs in workers that have no session yet, or none at all.

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::signal::Signal;
use ssmglobal_sys::Signals;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Somebody has ended this process, in order.
pub struct Ended;

/// Waits until there is room, or something to read, there; gives whether that was in time. `to_move` is set when another
/// program goes on with its clients; all else that signals say is for those that have a session.
///
/// # Errors
/// This process is to end.
pub fn wait(
    fd: BorrowedFd<'_>,
    what: PollFlags,
    until: Instant,
    (signals, to_move): (&Signals, &mut bool),
) -> Result<bool, Ended> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        // Up to the next whole millisecond, or it would spin through the last one.
        let left = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        let mut waits = [PollFd::new(fd, what), PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        match nix::poll::poll(&mut waits, left) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return Err(Ended),
        }
        while let Ok(Some(signal)) = signals.next_signal() {
            match signal {
                Signal::SIGTERM => return Err(Ended),
                Signal::SIGUSR2 => *to_move = true,
                _ => {}
            }
        }
        if waits.first().and_then(PollFd::any).unwrap_or(false) {
            return Ok(true);
        }
    }
}
