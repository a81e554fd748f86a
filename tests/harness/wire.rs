//! A connection: bytes out, bytes in until something has come, always with a deadline.

use super::PATIENCE;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike, bind, connect, setsockopt, socket,
    sockopt,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

fn of(address: SocketAddr) -> Box<dyn SockaddrLike> {
    match address {
        SocketAddr::V4(v4) => Box::new(SockaddrIn::from(v4)),
        SocketAddr::V6(v6) => Box::new(SockaddrIn6::from(v6)),
    }
}

/// From now on nothing arrives at this socket that is sent to it; see [`Wire::cut_off`].
pub fn cut_off(stream: &TcpStream) {
    let takes_nothing = socket2::SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0);
    socket2::SockRef::from(stream).attach_filter(&[takes_nothing]).expect("a filter for a socket");
}

/// One connection and what has come and was not taken yet.
pub struct Wire {
    /// The socket, for what goes beyond the functions here.
    pub stream: TcpStream,
    came: Vec<u8>,
    closed: bool,
}

impl Wire {
    /// Connects.
    pub fn to(at: SocketAddr) -> Wire {
        Wire::over(TcpStream::connect_timeout(&at, PATIENCE).expect("a connection"))
    }

    /// Connects from this address of this machine.
    pub fn from(source: &str, at: SocketAddr) -> Wire {
        let source: IpAddr = source.parse().expect("an address");
        let (ours, theirs) = (SocketAddr::new(source, 0), at);
        let family = if at.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let fd = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
        bind(fd.as_raw_fd(), &*of(ours)).expect("a source address");
        connect(fd.as_raw_fd(), &*of(theirs)).expect("a connection");
        Wire::over(TcpStream::from(fd))
    }

    /// Connects, and has room for so many bytes, more or less, that were not read.
    pub fn with_room(bytes: usize, at: SocketAddr) -> Wire {
        let family = if at.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let fd = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
        setsockopt(&fd, sockopt::RcvBuf, &bytes).expect("a socket");
        connect(fd.as_raw_fd(), &*of(at)).expect("a connection");
        Wire::over(TcpStream::from(fd))
    }

    fn over(stream: TcpStream) -> Wire {
        stream.set_nodelay(true).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        Wire { stream, came: Vec::new(), closed: false }
    }

    /// As when the network between is gone: nothing of what is sent to this end arrives, and nothing is answered. What this
    /// end has not read yet stays there.
    pub fn cut_off(&self) {
        cut_off(&self.stream);
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the other end takes it");
    }

    /// Sends lines until nobody has taken any for a second, or so many bytes have gone; gives how many have.
    pub fn send_until_full(&mut self, most: usize) -> usize {
        self.stream.set_write_timeout(Some(Duration::from_secs(1))).expect("a socket");
        let lines = b"a line of some length\r\n".repeat(1000);
        let mut sent = 0;
        while sent < most {
            match self.stream.write(&lines) {
                Ok(count) => sent += count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) => panic!("{error} after {sent} bytes"),
            }
        }
        self.stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        sent
    }

    /// Reads once; gives whether anything has come within the time. The end counts as something.
    fn read(&mut self, within: Duration) -> bool {
        let mut buffer = [0; 16 << 10];
        self.stream.set_read_timeout(Some(within.max(Duration::from_millis(1)))).expect("a socket");
        match self.stream.read(&mut buffer) {
            Ok(0) => self.closed = true,
            Ok(count) => self.came.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A reset is an end as well.
            Err(_) => self.closed = true,
        }
        true
    }

    /// Takes as many bytes as `enough` finds, waiting for more as long as it finds none.
    pub fn take(&mut self, what: &str, enough: impl Fn(&[u8]) -> Option<usize>) -> Vec<u8> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(count) = enough(&self.came) {
                return self.came.drain(..count).collect();
            }
            let left = until.saturating_duration_since(Instant::now());
            if self.closed || left.is_zero() || !self.read(left) {
                let (came, end) =
                    (String::from_utf8_lossy(&self.came), if self.closed { ", then the end" } else { "" });
                panic!("{what} never came; this did: {came:?}{end}");
            }
        }
    }

    /// Takes everything up to and with this text.
    pub fn until(&mut self, text: &str) -> String {
        let needle = text.as_bytes();
        let found =
            |came: &[u8]| came.windows(needle.len()).position(|part| part == needle).map(|at| at + needle.len());
        String::from_utf8_lossy(&self.take(&format!("{text:?}"), found)).into_owned()
    }

    /// Takes exactly this.
    pub fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let shown = String::from_utf8_lossy(bytes).into_owned();
        let came = self.take(&format!("{shown:?}"), |came| (came.len() >= bytes.len()).then_some(bytes.len()));
        assert_eq!(String::from_utf8_lossy(&came), shown);
    }

    /// Takes a line without its end.
    pub fn line(&mut self) -> String {
        let line = self.until("\n");
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("a line that does not end in CRLF: {line:?}")).to_owned()
    }

    /// Takes a line without its end; nothing when the end comes first.
    pub fn line_or_end(&mut self) -> String {
        let until = Instant::now() + PATIENCE;
        while !self.closed && !self.came.contains(&b'\n') {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "neither a line nor the end");
            self.read(left);
        }
        if self.came.contains(&b'\n') { self.line() } else { String::new() }
    }

    /// Everything up to the end, which must come.
    pub fn rest(&mut self) -> String {
        let until = Instant::now() + PATIENCE;
        while !self.closed {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no end: {:?}", String::from_utf8_lossy(&self.came));
            self.read(left);
        }
        String::from_utf8_lossy(&std::mem::take(&mut self.came)).into_owned()
    }

    /// The end must come, and nothing before it.
    pub fn expect_end(&mut self) {
        assert_eq!(self.rest(), "");
    }

    /// Waits so long, and gives what has come meanwhile; returns early only at the end.
    pub fn listen(&mut self, time: Duration) -> String {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.closed || left.is_zero() {
                return String::from_utf8_lossy(&std::mem::take(&mut self.came)).into_owned();
            }
            self.read(left);
        }
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Write).expect("a socket");
    }
}
