//! How workers learn that listener and handler are both gone: the end of a pipe that these two alone can write to, and into which
//! nothing is ever written. Runs in the listener.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The pipe whose end tells workers that nobody is left.
pub struct Lifeline {
    holds: OwnedFd,
    ends: OwnedFd,
}

impl Lifeline {
    /// A new one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<Lifeline> {
        let (reads, writes) = io::pipe()?;
        Ok(Lifeline { holds: writes.into(), ends: reads.into() })
    }

    /// The one of another listener.
    pub fn at((holds, ends): (OwnedFd, OwnedFd)) -> Lifeline {
        Lifeline { holds, ends }
    }

    /// What listener and handler hold, and where workers see that nobody holds it any more.
    pub fn both(&self) -> [BorrowedFd<'_>; 2] {
        [self.holds.as_fd(), self.ends.as_fd()]
    }
}
