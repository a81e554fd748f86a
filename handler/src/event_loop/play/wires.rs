//! Connections to worlds as long as the handler has them: made without waiting, watched, given up when their time is over. It knows
//! nothing of what they are for. Part of the event loop.

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr, connect, getsockopt, recv,
    setsockopt, socket, sockopt,
};
use ssmglobal_config::play::WorldAddress;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Connections at once.
const MOST: usize = 2048;

/// After this time a Unix socket is tried again whose queue was full: the kernel does not tell when it is not.
const FULL: Duration = Duration::from_millis(10);

/// A connection, and what it is for.
pub struct Wire<T> {
    /// What it is for.
    pub purpose: T,
    address: WorldAddress,
    /// Nothing while the queue of a Unix socket is full.
    fd: Option<OwnedFd>,
    is_open: bool,
    /// When its time is over, …
    ends: Instant,
    /// … and when something is to be done about it.
    due: Instant,
}

/// What has become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is there.
    Open,
    /// It could not be made.
    Failed(Errno),
    /// The other side has said something, which is not read yet.
    Spoke,
    /// It has ended.
    Ended,
    /// It is there, and its time is over.
    Late,
}

/// All of them, by their numbers.
pub struct Wires<T> {
    wires: HashMap<usize, Wire<T>>,
    due: BTreeSet<(Instant, usize)>,
    news: VecDeque<(usize, Became)>,
    /// News of the next turn.
    later: Vec<(usize, Became)>,
    /// Their tokens are from here on.
    first: usize,
    last: usize,
}

impl<T> Wires<T> {
    /// None yet; the event loop knows them by tokens from `first` on.
    pub fn new(first: usize) -> Wires<T> {
        Wires { wires: HashMap::new(), due: BTreeSet::new(), news: VecDeque::new(), later: Vec::new(), first, last: 0 }
    }

    /// Whether one more can be made.
    pub fn has_room(&self) -> bool {
        self.wires.len() < MOST
    }

    /// Begins to make a connection, for which there is so much time. What becomes of it is news, also where that is known at once.
    pub fn dial(
        &mut self,
        registry: &Registry,
        address: &WorldAddress,
        purpose: T,
        time: Duration,
        now: Instant,
    ) -> usize {
        while self.wires.contains_key(&self.last) {
            self.last = (self.last + 1) % (2 * MOST);
        }
        let (number, ends) = (self.last, now + time);
        self.last = (self.last + 1) % (2 * MOST);
        let wire = Wire { purpose, address: address.clone(), fd: None, is_open: false, ends, due: ends };
        self.wires.insert(number, wire);
        self.due.insert((ends, number));
        self.begin(registry, number, now);
        number
    }

    fn begin(&mut self, registry: &Registry, number: usize, now: Instant) {
        let Some(wire) = self.wires.get_mut(&number) else { return };
        match begin(&wire.address) {
            Ok((fd, is_open)) => {
                let interest = if is_open { Interest::READABLE } else { Interest::WRITABLE };
                let token = Token(self.first + number);
                match registry.register(&mut SourceFd(&fd.as_raw_fd()), token, interest) {
                    Ok(()) if is_open => self.news.push_back((number, Became::Open)),
                    Ok(()) => {}
                    Err(error) => self.news.push_back((number, Became::Failed(errno(&error)))),
                }
                (wire.fd, wire.is_open) = (Some(fd), is_open);
                let ends = wire.ends;
                self.put_off(number, ends);
            }
            // Of a Unix socket: its queue is full.
            Err(Errno::EAGAIN) if now < wire.ends => {
                let due = wire.ends.min(now + FULL);
                self.put_off(number, due);
            }
            Err(error) => self.news.push_back((number, Became::Failed(error))),
        }
    }

    fn put_off(&mut self, number: usize, due: Instant) {
        if let Some(wire) = self.wires.get_mut(&number) {
            self.due.remove(&(wire.due, number));
            wire.due = due;
            self.due.insert((due, number));
        }
    }

    /// From now on a connection has so much time.
    pub fn give_time(&mut self, number: usize, time: Duration, now: Instant) {
        if let Some(wire) = self.wires.get_mut(&number) {
            wire.ends = now + time;
            let ends = wire.ends;
            self.put_off(number, ends);
        }
    }

    /// The kernel says something about one.
    pub fn happened(&mut self, registry: &Registry, token: usize) {
        let number = token.wrapping_sub(self.first);
        let Some(wire) = self.wires.get_mut(&number) else { return };
        let Some(fd) = &wire.fd else { return };
        if wire.is_open {
            self.news.extend(look(fd).map(|became| (number, became)));
            return;
        }
        let made = getsockopt(fd, sockopt::SocketError).and_then(|error| match error {
            0 => Ok(()),
            error => Err(Errno::from_raw(error)),
        });
        let watched = made.map_err(io::Error::from).and_then(|()| {
            let token = Token(self.first + number);
            registry.reregister(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)
        });
        wire.is_open = watched.is_ok();
        self.news.push_back((number, watched.map_or_else(|error| Became::Failed(errno(&error)), |()| Became::Open)));
    }

    /// What has become of one since this was last asked.
    pub fn next_news(&mut self) -> Option<(usize, Became)> {
        self.news.pop_front()
    }

    /// There is more of the same, for which no time was left.
    pub fn again(&mut self, number: usize, became: Became) {
        self.later.push((number, became));
    }

    /// Whether something has become of one since.
    pub fn has_news(&self) -> bool {
        !self.news.is_empty() || !self.later.is_empty()
    }

    /// Looks after those whose time has come.
    pub fn look_after(&mut self, registry: &Registry, now: Instant) {
        self.news.extend(self.later.drain(..));
        while let Some((due, number)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, number));
            let Some(wire) = self.wires.get(&number) else { continue };
            match &wire.fd {
                None => self.begin(registry, number, now),
                Some(_) if wire.is_open => self.news.push_back((number, Became::Late)),
                Some(_) => self.news.push_back((number, Became::Failed(Errno::ETIMEDOUT))),
            }
        }
    }

    /// When that is to be done next.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// One of them.
    pub fn get(&self, number: usize) -> Option<&Wire<T>> {
        self.wires.get(&number)
    }

    /// What one of them is for.
    pub fn purpose_mut(&mut self, number: usize) -> Option<&mut T> {
        self.wires.get_mut(&number).map(|wire| &mut wire.purpose)
    }

    /// Lets go of one: it is watched no more. Gives its socket, if there is one, and what it was for.
    pub fn take(&mut self, registry: &Registry, number: usize) -> Option<(Option<OwnedFd>, T)> {
        let wire = self.wires.remove(&number)?;
        self.due.remove(&(wire.due, number));
        self.news.retain(|(other, _)| *other != number);
        self.later.retain(|(other, _)| *other != number);
        if let Some(fd) = &wire.fd {
            let _ = registry.deregister(&mut SourceFd(&fd.as_raw_fd()));
        }
        Some((wire.fd, wire.purpose))
    }
}

impl<T> Wire<T> {
    /// Its socket, once it is there.
    pub fn socket(&self) -> Option<&OwnedFd> {
        self.fd.as_ref().filter(|_| self.is_open)
    }
}

/// A socket that is connected, or is being connected: gives whether it is already.
fn begin(address: &WorldAddress) -> Result<(OwnedFd, bool), Errno> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let made = |family| socket(family, SockType::Stream, flags, None);
    match address {
        WorldAddress::At(at) => {
            let fd = made(if at.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 })?;
            setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
            begun(fd, &SockaddrStorage::from(*at))
        }
        WorldAddress::Unix(path) => begun(made(AddressFamily::Unix)?, &UnixAddr::new(path)?),
    }
}

fn begun(fd: OwnedFd, to: &dyn SockaddrLike) -> Result<(OwnedFd, bool), Errno> {
    match connect(fd.as_raw_fd(), to) {
        Ok(()) => Ok((fd, true)),
        Err(Errno::EINPROGRESS | Errno::EINTR) => Ok((fd, false)),
        Err(error) => Err(error),
    }
}

/// Whether it is this process or this machine that lacks something, and not the other side.
pub fn is_ours(error: Errno) -> bool {
    matches!(error, Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::ENOBUFS | Errno::EADDRNOTAVAIL)
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// Whether the other side of a socket has said something, or has ended it; nothing is read.
pub fn look(fd: &impl AsFd) -> Option<Became> {
    let mut byte = [0];
    match recv(fd.as_fd().as_raw_fd(), &mut byte, MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
        Ok(0) => Some(Became::Ended),
        Ok(_) => Some(Became::Spoke),
        Err(Errno::EAGAIN | Errno::EINTR) => None,
        Err(_) => Some(Became::Ended),
    }
}
