//! Asking the kernel to tell when a socket can be written to, but only while something waits to be written. Asked for
//! always, it would wake a process each time the other end has read something.

use mio::event::Source;
use mio::{Interest, Registry, Token};
use std::io;

/// Whether one socket, registered for reading, is watched for writing as well at the moment.
#[derive(Debug, Default)]
pub struct Writable {
    watched: bool,
}

impl Writable {
    /// Watches for writing, or no longer. Costs a system call only when that changes.
    ///
    /// # Errors
    /// The kernel's.
    pub fn watch(&mut self, on: bool, registry: &Registry, source: &mut impl Source, token: Token) -> io::Result<()> {
        if self.watched == on {
            return Ok(());
        }
        self.watched = on;
        let interest = if on { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        registry.reregister(source, token, interest)
    }
}
