//! Waiting for what an event loop is told of, with the room for it where the caller has it: on the listener's stack, which its
//! children do not get. Runs in the listener.

use mio::Poll;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// Whether there is something to read there now, or nobody is left to write it.
pub fn is_readable(fd: &impl AsFd) -> bool {
    let mut waits = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    nix::poll::poll(&mut waits, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

/// Things that are told at once.
const MOST: usize = 32;

/// What has happened to what was registered with a [`Poll`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Its token.
    pub token: usize,
    /// There is something to read, or nobody is left to write it.
    pub readable: bool,
}

/// What has happened in one turn of an event loop.
pub struct Turn {
    events: [libc::epoll_event; MOST],
    count: usize,
}

impl Turn {
    /// Nothing yet.
    pub fn new() -> Turn {
        Turn { events: [libc::epoll_event { events: 0, u64: 0 }; MOST], count: 0 }
    }

    /// Waits until something happens, or the time is over; a signal that is let through is as good as that.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&mut self, poll: &Poll, time: Option<Duration>) -> io::Result<()> {
        self.count = 0;
        // A deadline is never looked at before it is over.
        let milliseconds = time.map_or(-1, |time| {
            i32::try_from(time.saturating_add(Duration::from_nanos(999_999)).as_millis()).unwrap_or(i32::MAX)
        });
        let most = libc::c_int::try_from(MOST).unwrap_or(0);
        // SAFETY: the kernel writes as many events as it gives back, `MOST` at the most, into room for so many.
        let count = unsafe { libc::epoll_wait(poll.as_raw_fd(), self.events.as_mut_ptr(), most, milliseconds) };
        match usize::try_from(count) {
            Ok(count) => self.count = count,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// What has happened.
    pub fn happened(&self) -> impl Iterator<Item = Happened> {
        const READABLE: i32 = libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR;
        self.events.iter().take(self.count).map(|event| {
            // Copied: the fields need not be aligned.
            let (token, events) = (event.u64, event.events);
            Happened { token: token as usize, readable: events & READABLE.cast_unsigned() != 0 }
        })
    }
}

impl Default for Turn {
    fn default() -> Turn {
        Turn::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::unix::SourceFd;
    use mio::{Interest, Token};
    use std::io::Write;

    #[test]
    fn what_can_be_read_is_told_under_its_token() {
        let (reads, mut writes) = io::pipe().unwrap();
        let poll = Poll::new().unwrap();
        poll.registry().register(&mut SourceFd(&reads.as_raw_fd()), Token(7), Interest::READABLE).unwrap();
        let mut turn = Turn::new();
        turn.wait(&poll, Some(Duration::ZERO)).unwrap();
        assert_eq!(turn.happened().count(), 0);
        writes.write_all(b"x").unwrap();
        turn.wait(&poll, None).unwrap();
        assert_eq!(turn.happened().collect::<Vec<_>>(), [Happened { token: 7, readable: true }]);
        turn.wait(&poll, Some(Duration::from_nanos(1))).unwrap();
        assert_eq!(turn.happened().count(), 0);
    }
}
