//! Asking the kernel to tell when a socket can be written to, but only while something waits to be written. Asked for
//! always, it would wake a process each time the other end has read something.

use mio::event::Source;
use mio::{Interest, Registry, Token};
use std::io::{self, Write};

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

/// Writes what waits, as far as there is room; what went is taken out of `out`.
///
/// # Errors
/// The stream's; a full one is none.
pub fn write_out(stream: &mut impl Write, out: &mut Vec<u8>) -> io::Result<()> {
    let mut sent = 0;
    let result = loop {
        let Some(rest) = out.get(sent..).filter(|rest| !rest.is_empty()) else { break Ok(()) };
        match stream.write(rest) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    out.drain(..sent);
    result
}
