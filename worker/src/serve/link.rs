//! The worker's end of its link to the handler. Made when the first command needs it: an idle client costs the
//! handler nothing.

#[cfg(test)]
mod tests;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::errno::Errno;
use ssmglobal_ipc::frame::{Frame, FrameReader, MOST_DESCRIPTORS, put_change, put_request};
use ssmglobal_ipc::{Carried, DecodeError, Request};
use ssmglobal_sys::Writable;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Bytes that may wait for the handler before requests are taken more slowly: what one read of the client gives must
/// fit, so that it goes in one write.
const SLOW: usize = 64 << 10;

/// Descriptors that may wait for their frames: one read can end a frame that has some, and begin the next one.
const WAITING: usize = 2 * MOST_DESCRIPTORS;

/// The link.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    /// What has come and is not whole yet.
    reader: FrameReader,
    /// The descriptors of that, as they came together: those of one frame.
    fds: VecDeque<Vec<OwnedFd>>,
    out: Vec<u8>,
    writable: Writable,
    /// The handler's end, while the rendezvous has no room for it.
    theirs: Option<OwnedFd>,
    /// The handler has answered on it: it serves.
    pub welcome: bool,
    /// It has answered something since the oldest question that is open was asked.
    pub answered: bool,
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
    pub fn open(rendezvous: BorrowedFd<'_>, registry: &Registry, token: Token) -> io::Result<Link> {
        let (ours, theirs) = ssmglobal_sys::link_pair()?;
        let stream = UnixStream::from(ours);
        registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE)?;
        let mut link = Link { theirs: Some(theirs), ..Link::over(stream) };
        link.hand_over(rendezvous)?;
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
            fds: VecDeque::new(),
            out: Vec::new(),
            writable: Writable::default(),
            theirs: None,
            welcome: false,
            answered: false,
            ended: false,
        }
    }

    /// Whether it serves, and nothing is on its way here that was begun and is not whole. Descriptors
    /// need no look: they come with the first byte of what they belong to.
    pub fn is_quiet(&self) -> bool {
        self.welcome && !self.ended && !self.is_held_back() && self.out.is_empty() && self.reader.rest().is_empty()
    }

    /// Gives the handler its end, if the rendezvous has room now.
    ///
    /// # Errors
    /// The kernel's.
    pub fn hand_over(&mut self, rendezvous: BorrowedFd<'_>) -> io::Result<()> {
        let Some(theirs) = &self.theirs else { return Ok(()) };
        match ssmglobal_sys::send_with(rendezvous, &[ssmglobal_ipc::rendezvous::LINK], &[theirs.as_fd()]) {
            Ok(_) => {
                self.theirs = None;
                Ok(())
            }
            // Too many: the kernel counts what all workers' user has sent and nobody has taken yet.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || is(&error, Errno::ETOOMANYREFS) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the rendezvous had no room yet.
    pub fn is_held_back(&self) -> bool {
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

    /// Reads once. What came before and is whole must have been taken.
    pub fn fill(&mut self) -> Came {
        if self.reader.rest().is_empty() {
            // Nobody has counted on them.
            self.fds.clear();
        }
        let waiting = self.fds.len();
        let (stream, fds) = (&self.stream, &mut self.fds);
        let result = self.reader.fill(|buffer| {
            let received = ssmglobal_sys::receive(stream, buffer)?;
            if received.truncated || !received.fds.is_empty() {
                fds.push_back(received.fds);
            }
            Ok(received.count)
        });
        match result {
            Ok((0, _)) => Came::Gone,
            Ok(_) if self.fds.iter().map(Vec::len).sum::<usize>() > WAITING => Came::Gone,
            // With descriptors the kernel ends a read where they stand, however much there is behind.
            Ok((_, more)) if more || self.ended || self.fds.len() > waiting => Came::More,
            Ok(_) => Came::Nothing,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Came::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Came::More,
            Err(_) => Came::Gone,
        }
    }

    /// The next whole frame, if there is one, and the descriptors that it carries: all of them or, where this process had no
    /// room for all, none. Those that nobody takes are closed.
    ///
    /// # Errors
    /// What has come is no frame, or nothing came where it counts descriptors: the link is of no use any more.
    pub fn next_frame(&mut self) -> Result<Option<(Frame<'_>, Vec<OwnedFd>)>, DecodeError> {
        let Some(frame) = self.reader.next_frame()? else { return Ok(None) };
        if frame.descriptors == 0 {
            return Ok(Some((frame, Vec::new())));
        }
        let mut fds = self.fds.pop_front().ok_or(DecodeError::Descriptors)?;
        if fds.len() != frame.descriptors {
            fds.clear();
        }
        Ok(Some((frame, fds)))
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
