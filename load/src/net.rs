//! Connections of the load generator: from many loopback addresses, so that ports in TIME_WAIT never run out; and a
//! plain blocking client for what happens before a measurement.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt};

use crate::guard::Result;

/// A socket that is bound to the `n`-th loopback address and not connected yet.
pub fn unconnected(n: usize, flags: SockFlag) -> io::Result<OwnedFd> {
    let fd = socket(AddressFamily::Inet, SockType::Stream, flags | SockFlag::SOCK_CLOEXEC, None)?;
    let last = u8::try_from(2 + n % 250).expect("below 256");
    // The port is chosen at connect, where it need not be free for every destination.
    setsockopt(&fd, sockopt::IpBindAddressNoPort, &true)?;
    bind(fd.as_raw_fd(), &SockaddrIn::from(std::net::SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0)))?;
    setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
    Ok(fd)
}

/// Connects a socket to a port of the loopback; one that does not block may still be connecting on return.
pub fn connect_to(fd: &OwnedFd, port: u16) -> io::Result<()> {
    let to = SockaddrIn::new(127, 0, 0, 1, port);
    match connect(fd.as_raw_fd(), &to) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// A blocking connection from the `n`-th loopback address; reads give up after 30 s.
pub fn open(port: u16, n: usize) -> io::Result<TcpStream> {
    let fd = unconnected(n, SockFlag::empty())?;
    connect_to(&fd, port)?;
    let stream = TcpStream::from(fd);
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

/// A blocking client that reads line by line.
pub struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects from the `n`-th loopback address.
    pub fn open(port: u16, n: usize) -> Result<Self> {
        let stream = open(port, n).map_err(|e| format!("connect to port {port}: {e}"))?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// The next line without its end.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err("the connection was closed".into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.reader.get_mut().write_all(bytes)?)
    }

    /// Reads exactly `n` bytes.
    pub fn exactly(&mut self, n: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; n];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Sends one line and reads the reply, passing over events; a reply that is not OK is an error.
    pub fn ask(&mut self, line: &str) -> Result<String> {
        self.send(format!("{line}\n").as_bytes())?;
        loop {
            let reply = self.line()?;
            if reply.contains("\"event\"") {
                continue;
            }
            let (_, value) = reply.split_once("\"state\"").unwrap_or_default();
            if value.trim_start_matches([':', ' ']).starts_with("\"OK\"") {
                return Ok(reply);
            }
            // The request may hold a key: only its command is repeated.
            let command = line.split("\"args\"").next().unwrap_or_default();
            return Err(format!("{command} was answered with {reply}").into());
        }
    }

    /// The bare connection, when nothing is waiting to be read.
    pub fn into_stream(self) -> Result<TcpStream> {
        if !self.reader.buffer().is_empty() {
            return Err("there is more to read than was asked for".into());
        }
        Ok(self.reader.into_inner())
    }
}
