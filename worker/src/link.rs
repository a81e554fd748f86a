//! The worker's end of its link to the handler. Made when the first command needs it: an idle client costs the
//! handler nothing.

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::errno::Errno;
use ssmglobal_ipc::frame::{FrameReader, put_change, put_request};
use ssmglobal_ipc::{Carried, Request};
use ssmglobal_sys::Writable;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Bytes that may wait for the handler before requests are taken more slowly: what one read of the client gives must
/// fit, so that it goes in one write.
const SLOW: usize = 64 << 10;

/// The link.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    /// What has come and is not whole yet.
    pub reader: FrameReader,
    out: Vec<u8>,
    writable: Writable,
    /// The handler's end, while the front desk has no room for it.
    theirs: Option<OwnedFd>,
    /// The handler has answered on it: it serves.
    pub welcome: bool,
    /// It has answered something since the oldest question that is open was asked.
    pub answered: bool,
    /// Requests that are not answered, and whose answers bring descriptors.
    pub bringing: u32,
    /// Descriptors that have come.
    pub fds: VecDeque<OwnedFd>,
    /// The handler has closed its end: the event loop will not say so again, so it is read to the end.
    pub ended: bool,
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

/// Whether nobody will ever take a link again: the listener is gone, and its handler.
pub fn is_deserted(error: &io::Error) -> bool {
    [Errno::EPIPE, Errno::ECONNRESET, Errno::ECONNREFUSED, Errno::ENOTCONN].iter().any(|errno| is(error, *errno))
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Bytes, and there may be more.
    More,
    /// Nothing further for now.
    Nothing,
    /// The handler is gone.
    Gone,
}

impl Link {
    /// Makes a link.
    ///
    /// # Errors
    /// The kernel's, when no socket can be made, or when nobody is left to take the link.
    pub fn open(desk: BorrowedFd<'_>, registry: &Registry, token: Token) -> io::Result<Link> {
        let (ours, theirs) = ssmglobal_sys::link_pair()?;
        let stream = UnixStream::from(ours);
        registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE)?;
        let mut link = Link { theirs: Some(theirs), ..Link::over(stream) };
        link.hand_over(desk)?;
        Ok(link)
    }

    /// Goes on with the link of another worker, which was quiet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn taken(fd: OwnedFd, registry: &Registry, token: Token) -> io::Result<Link> {
        let stream = UnixStream::from(fd);
        registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Link { welcome: true, ..Link::over(stream) })
    }

    fn over(stream: UnixStream) -> Link {
        Link {
            stream,
            reader: FrameReader::new(),
            out: Vec::new(),
            writable: Writable::default(),
            theirs: None,
            welcome: false,
            answered: false,
            bringing: 0,
            fds: VecDeque::new(),
            ended: false,
        }
    }

    /// Whether it serves, and nothing is on its way here that was begun and is not whole.
    pub fn is_quiet(&self) -> bool {
        self.welcome
            && !self.ended
            && !self.waits_for_desk()
            && self.bringing == 0
            && self.fds.is_empty()
            && self.out.is_empty()
            && self.reader.rest().is_empty()
    }

    /// Gives the handler its end, if the front desk has room now.
    ///
    /// # Errors
    /// The kernel's.
    pub fn hand_over(&mut self, desk: BorrowedFd<'_>) -> io::Result<()> {
        let Some(theirs) = &self.theirs else { return Ok(()) };
        match ssmglobal_sys::send_with(desk, &[ssmglobal_ipc::rendezvous::LINK], &[theirs.as_fd()]) {
            Ok(_) => {
                self.theirs = None;
                Ok(())
            }
            // Too many: the kernel counts what all workers' user has sent and nobody has taken yet.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || is(&error, Errno::ETOOMANYREFS) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the front desk had no room yet.
    pub fn waits_for_desk(&self) -> bool {
        self.theirs.is_some()
    }

    /// Queues a request. `acked` and `key` go along with one that changes something; see [`Carried`].
    pub fn ask(&mut self, number: u64, request: &Request, acked: u64, key: Option<&str>) {
        if request.kind().describe().is_kept() {
            let carried = Carried { acked, key: key.map(str::to_owned) };
            put_change(&mut self.out, number, &carried, request);
        } else {
            put_request(&mut self.out, number, request);
        }
        self.bringing += u32::from(matches!(request, Request::RelayJoin(_) | Request::ListRing(_)));
    }

    /// Whether so much waits for the handler that no further request should be taken.
    pub fn is_slow(&self) -> bool {
        self.out.len() > SLOW
    }

    /// Writes what waits, as far as there is room; the rest goes when `registry` tells under `token` that there is more.
    ///
    /// # Errors
    /// The handler is gone.
    pub fn flush(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        ssmglobal_sys::write_out(&mut self.stream, &mut self.out)?;
        self.writable.watch(!self.out.is_empty(), registry, &mut SourceFd(&self.stream.as_raw_fd()), token)
    }

    /// Reads once into the reader.
    pub fn fill(&mut self) -> Came {
        let stream = &self.stream;
        let (bringing, ended, fds) = (self.bringing, self.ended, &mut self.fds);
        let result = self.reader.fill(|buffer| match bringing {
            0 => (&*stream).read(buffer),
            _ => {
                let received = ssmglobal_sys::receive(stream, buffer)?;
                fds.extend(received.fds);
                Ok(received.count)
            }
        });
        match result {
            Ok((0, _)) => Came::Gone,
            // With descriptors the kernel ends a read where they stand, however much there is behind.
            Ok((_, more)) => {
                if more || ended || bringing > 0 {
                    Came::More
                } else {
                    Came::Nothing
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Came::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Came::More,
            Err(_) => Came::Gone,
        }
    }

    /// Takes the link out of the event loop.
    pub fn close(self, registry: &Registry) {
        // It is closed in the next moment anyway.
        let _ = registry.deregister(&mut SourceFd(&self.stream.as_raw_fd()));
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
