//! The connections that were accepted and have no worker yet. They lie in a socket pair, which the handler holds too, until their
//! workers are there. Should the listener be killed in between, the next one finds them there. Runs in the listener; the zygote
//! takes them out.

use mio::net::TcpStream;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Takes out the one that has lain longest at this end.
pub fn clear(takes: impl AsFd) {
    // Without room for a descriptor the kernel closes it.
    let _ = ssmglobal_sys::read_now(takes, &mut [0; 8]);
}

/// The number that the kernel knows a socket by, whoever has a descriptor of it.
pub fn number(socket: impl AsFd) -> Option<u64> {
    nix::sys::stat::fstat(socket).ok().map(|found| found.st_ino)
}

/// The socket pair with those connections.
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
        let _ = ssmglobal_sys::send_descriptor(&self.puts, b"C", client.as_fd());
    }

    /// The one that has lain there longest has a worker, or is nobody's business any more.
    pub fn clear(&self) {
        clear(&self.takes);
    }

    /// Takes out whoever lies before this one; all, where it is nobody.
    pub fn clear_before(&self, client: Option<&TcpStream>) {
        let client = client.and_then(number);
        while let Ok(Some(first)) = ssmglobal_sys::peek_descriptor(&self.takes, &mut [0]) {
            if client.is_some() && number(&first) == client {
                return;
            }
            self.clear();
        }
    }

    /// The one that has waited longest.
    pub fn take(&self) -> Option<OwnedFd> {
        let received = ssmglobal_sys::receive(&self.takes, &mut [0; 8]).ok()?;
        received.fds.into_iter().next()
    }
}
