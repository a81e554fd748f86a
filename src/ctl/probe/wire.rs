//! A connection to a world, made as the handler makes one for a player: to its address, with what it is told in front. Waits for
//! one descriptor, always with a deadline. Part of the operator's command.

use super::seen::Seen;
use crate::wait::wait_for;
use nix::poll::PollFlags;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use ssmglobal_config::play::{Charset, RealAddress, WorldAddress};
use ssmglobal_handler::preamble;
use ssmglobal_ipc::Time;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long a connection may take to be made, as the handler gives it.
const CONNECTING: Duration = Duration::from_secs(3);

/// How long a world may not take what it is told.
const TAKING: Duration = Duration::from_secs(3);

/// How long a world is listened to.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For its first word.
    pub first: Duration,
    /// For a further one.
    pub quiet: Duration,
    /// Altogether.
    pub whole: Duration,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Stream {
    fn to(address: &WorldAddress) -> io::Result<Stream> {
        match address {
            WorldAddress::At(at) => {
                let stream = TcpStream::connect_timeout(at, CONNECTING)?;
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            WorldAddress::Unix(path) => {
                let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
                let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
                // At once, or its queue is full.
                connect(std::os::fd::AsRawFd::as_raw_fd(&fd), &UnixAddr::new(path)?)?;
                Ok(Stream::Unix(UnixStream::from(fd)))
            }
        }
    }

    fn ends(&self) -> [Option<SocketAddr>; 2] {
        match self {
            Stream::Tcp(stream) => [stream.local_addr().ok(), stream.peer_addr().ok()],
            // Whoever asks is at this machine.
            Stream::Unix(_) => [Some(SocketAddr::from(([127, 0, 0, 1], 0))), None],
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }
}

/// A conversation with a world.
pub struct Talk {
    stream: Stream,
    /// What it has said.
    pub seen: Seen,
    /// How long it took to connect.
    pub connected: Duration,
    /// How long after that its first byte came.
    pub first: Option<Duration>,
    /// It has ended the conversation.
    pub ended: bool,
    begun: Instant,
}

impl Talk {
    /// Connects, and tells the world in this way where a player comes from: as from here.
    ///
    /// # Errors
    /// The kernel's; no connection was made.
    pub fn begin(address: &WorldAddress, how: RealAddress, charset: Charset) -> io::Result<Talk> {
        let asked = Instant::now();
        let stream = Stream::to(address)?;
        let begun = Instant::now();
        let [from, to] = stream.ends();
        let told = from.filter(|_| how == RealAddress::Mnes).map(|from| from.ip().to_string());
        let seen = Seen::new(charset, told);
        let mut talk = Talk { stream, seen, connected: begun - asked, first: None, ended: false, begun };
        talk.say(&preamble::of_player(how, from, to, Time::now()));
        Ok(talk)
    }

    /// Says this.
    pub fn say(&mut self, mut bytes: &[u8]) {
        let until = Instant::now() + TAKING;
        while !bytes.is_empty() && !self.ended {
            match self.stream.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.ended = !wait_for(&self.stream, PollFlags::POLLOUT, Some(until)).unwrap_or(false);
                }
                Err(_) => self.ended = true,
            }
        }
    }

    /// Listens until the world is quiet, has ended the conversation, or said all that is looked at.
    pub fn listen(&mut self, patience: Patience) {
        let begun = Instant::now();
        let whole = begun + patience.whole;
        let mut until = begun + patience.first;
        let mut buffer = [0; 4096];
        while !self.ended && !self.seen.is_full() {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.first.get_or_insert_with(|| self.begun.elapsed());
                    let mut answer = Vec::new();
                    self.seen.take(buffer.get(..count).unwrap_or_default(), &mut answer);
                    self.say(&answer);
                    until = Instant::now() + patience.quiet;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let heard = wait_for(&self.stream, PollFlags::POLLIN, Some(until.min(whole)));
                    if !heard.unwrap_or(false) {
                        return;
                    }
                }
                Err(_) => self.ended = true,
            }
            if Instant::now() >= whole {
                return;
            }
        }
    }
}
