//! A ring in shared memory and what wakes its readers: what many workers are to have is written once. Lives in the event loop.

use super::session::ListProgress;
use nix::sys::eventfd::{EfdFlags, EventFd};
use ssmglobal_sys::ring;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// One of them.
#[derive(Debug)]
pub struct SharedRing {
    ring: ring::Writer,
    wake: EventFd,
}

impl SharedRing {
    /// A new one.
    ///
    /// # Errors
    /// The kernel's, when there is no memory or no descriptor left.
    pub fn new() -> io::Result<SharedRing> {
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
        Ok(SharedRing { ring: ring::Writer::new()?, wake })
    }

    /// What a reader needs: the memory, and what wakes it.
    ///
    /// # Errors
    /// The kernel's, when there is no descriptor left.
    pub fn descriptors(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(vec![self.ring.fd().try_clone_to_owned()?, self.wake.as_fd().try_clone_to_owned()?])
    }

    /// Where the next entry will be.
    pub fn position(&self) -> u64 {
        self.ring.position()
    }

    /// Appends an entry; `false` for a text that is longer than [`ring::MAX_TEXT`].
    pub fn push(&mut self, sender: u64, number: u64, text: &[u8]) -> bool {
        self.ring.push(sender, number, text)
    }

    /// Wakes all readers.
    pub fn wake(&self) {
        // Only a counter at its end could refuse, after 2^64 times.
        let _ = self.wake.write(1);
    }

    /// How often readers were to be woken since this was last asked.
    #[cfg(test)]
    pub fn woken(&self) -> Option<u64> {
        self.wake.read().ok()
    }
}

/// The ring of a list that clients mirror: what everybody sees of it.
#[derive(Debug)]
pub struct ListRing {
    /// Where it is written.
    pub shared: SharedRing,
    /// How far it was written.
    pub progress: ListProgress,
}
