//! Where a connection lies from the moment it is accepted until its worker is there and the handler knows of it: in a
//! socket pair that the handler holds too. Should the listener be killed in between, the next one finds it there.

use super::Listener;
use mio::net::TcpStream;
use nix::unistd::Pid;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The pair; it holds one connection at the most.
pub struct Cradle {
    puts: OwnedFd,
    takes: OwnedFd,
}

impl Cradle {
    /// An empty one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<Cradle> {
        let (puts, takes) = ssmglobal_sys::seqpacket_pair()?;
        Ok(Cradle { puts, takes })
    }

    /// The one of another listener.
    pub fn at((puts, takes): (OwnedFd, OwnedFd)) -> Cradle {
        Cradle { puts, takes }
    }

    /// Both ends.
    pub fn ends(&self) -> [BorrowedFd<'_>; 2] {
        [self.puts.as_fd(), self.takes.as_fd()]
    }

    /// A connection was accepted.
    pub fn put(&self, client: &TcpStream) {
        // Without it all goes well as long as nobody is killed.
        let _ = ssmglobal_sys::send_with(&self.puts, b"C", &[client.as_fd()]);
    }

    /// It is somebody's now, or nobody's business any more.
    pub fn clear(&self) {
        drop(self.take());
    }

    fn take(&self) -> Option<OwnedFd> {
        let received = ssmglobal_sys::receive(&self.takes, &mut [0; 8]).ok()?;
        received.fds.into_iter().next()
    }
}

impl Listener {
    /// Admits the connection that a listener before this one has accepted and then had no time for.
    #[inline(never)]
    pub fn admit_left(&mut self) {
        let Some(client) = self.cradle.take() else { return };
        let client = TcpStream::from_std(std::net::TcpStream::from(client));
        let Ok(address) = client.peer_addr() else { return };
        if self.children.serves(address) || self.has_untold(address.ip()) {
            return;
        }
        let Some(door) = client.local_addr().ok().and_then(|at| self.doors.at(at)) else { return };
        let greeted = ssmglobal_sys::has_sent(&client).unwrap_or(true);
        self.cradle.put(&client);
        self.admit(door, client, address, greeted);
        self.cradle.clear();
    }

    /// Whether a worker for this address may be there of which nobody has told: better to lose a connection that nobody
    /// serves than to have two serve one.
    fn has_untold(&self, address: IpAddr) -> bool {
        let shown = address.to_canonical().to_string();
        let unknown = |(pid, rest): (i32, String)| {
            let parent = ssmglobal_sys::title_of_parent(pid).unwrap_or_default();
            let orphan = !parent.starts_with("ssmglobal: listener");
            orphan && rest.split(' ').next() == Some(&shown) && !self.children.has(Pid::from_raw(pid))
        };
        self.children.serves(SocketAddr::new(address, 0)) || ssmglobal_sys::titled("ssmglobal: worker ").any(unknown)
    }
}
