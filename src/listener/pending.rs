//! The connection that was accepted and has no worker yet. It lies in a socket pair, which the handler holds too, until its
//! worker is there and the handler knows of it. Should the listener be killed in between, the next one finds it there.
//! Runs in the listener.

use mio::net::TcpStream;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The socket pair with that connection: one at the most.
pub struct PendingAccept {
    puts: OwnedFd,
    takes: OwnedFd,
}

impl PendingAccept {
    /// An empty one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<PendingAccept> {
        let (puts, takes) = ssmglobal_sys::seqpacket_pair()?;
        Ok(PendingAccept { puts, takes })
    }

    /// The one of another listener.
    pub fn at((puts, takes): (OwnedFd, OwnedFd)) -> PendingAccept {
        PendingAccept { puts, takes }
    }

    /// Both ends: the one that takes it in, and the one that it is taken out of.
    pub fn ends(&self) -> [BorrowedFd<'_>; 2] {
        [self.puts.as_fd(), self.takes.as_fd()]
    }

    /// A connection was accepted.
    pub fn put(&self, client: &TcpStream) {
        // Without it all goes well as long as nobody is killed.
        let _ = ssmglobal_sys::send_descriptor(&self.puts, client.as_fd());
    }

    /// It is somebody's now, or nobody's business any more.
    pub fn clear(&self) {
        // Without room for a descriptor the kernel closes it.
        let _ = ssmglobal_sys::read_now(&self.takes, &mut [0; 8]);
    }

    /// What lies there.
    pub fn take(&self) -> Option<OwnedFd> {
        let received = ssmglobal_sys::receive(&self.takes, &mut [0; 8]).ok()?;
        received.fds.into_iter().next()
    }
}
