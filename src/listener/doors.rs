//! The sockets that connections come in by. Runs in the listener.

use super::children::METRICS;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use nix::sys::socket::{Shutdown, shutdown};
use ssmglobal_config::{Door, DoorMode, Listen, Settings};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as Socket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// What the listener says to a client of a door for programs, before it forks: fixed bytes, so that a client need
/// not wait for its worker.
const GREETING: &[u8] = b"{\"state\": \"OK\", \"msg\": \"CONNECTED serversquaredGlobal\"}\r\n";

/// The greeting of a door; people get theirs from the worker, and HTTP has none.
pub fn greeting(mode: DoorMode) -> Option<&'static [u8]> {
    match mode {
        DoorMode::Ask | DoorMode::Client | DoorMode::Server => Some(GREETING),
        DoorMode::Human | DoorMode::Metrics => None,
    }
}

/// One listening socket.
pub struct Opened {
    /// The door's number: the main one is 0 and may have several sockets.
    pub number: usize,
    /// What holds there.
    pub door: Door,
    listen: Listen,
    socket: TcpListener,
}

impl Opened {
    /// Whether it is where the settings say, in whatever words.
    fn is_at(&self, listen: &Listen) -> bool {
        self.listen == *listen || self.socket.local_addr().is_ok_and(|address| Listen::from(address) == *listen)
    }

    /// Nobody comes in here any more, though the handler holds the socket too.
    fn close(&self) {
        // Of a socket that listens nothing but this can come.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
    }
}

/// A listening socket that another listener has opened.
pub struct HeldDoor {
    /// The door's number.
    pub number: usize,
    /// Where it listens, as the settings said it.
    pub listen: Listen,
    /// The listening socket.
    pub socket: OwnedFd,
}

/// All listening sockets.
pub struct Doors {
    opened: Vec<Option<Opened>>,
    /// Whether the event loop looks at them.
    watched: bool,
    /// For the next door: a number is never used again, or clients of a door that is gone would count at another.
    next: usize,
}

fn bind(listen: &Listen, settings: &Settings) -> io::Result<TcpListener> {
    let bound = match listen {
        Listen::At(address) => Socket::bind(address),
        Listen::All { port } => Socket::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, *port))).or_else(|error| {
            // A machine without IPv6.
            match error.raw_os_error().map(nix::errno::Errno::from_raw) {
                Some(nix::errno::Errno::EAFNOSUPPORT | nix::errno::Errno::EADDRNOTAVAIL) => {
                    Socket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, *port)))
                }
                _ => Err(error),
            }
        }),
    };
    let socket = bound.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => " Is it running already? Choose another port with -p.",
            io::ErrorKind::PermissionDenied => " Ports below 1024 are for root; choose another with -p.",
            _ => "",
        };
        io::Error::new(error.kind(), format!("cannot listen on {listen}: {error}.{hint}"))
    })?;
    socket.set_nonblocking(true)?;
    ssmglobal_sys::listen_backlog(&socket)?;
    // Accepted sockets inherit these, which spares each worker some calls.
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::TcpNoDelay, &true)?;
    ssmglobal_sys::gone_after(&socket, vanished(settings))?;
    Ok(TcpListener::from_std(socket))
}

fn vanished(settings: &Settings) -> Duration {
    Duration::from_secs(settings.limits.vanished_seconds)
}

impl Doors {
    /// Opens all doors.
    ///
    /// # Errors
    /// The first that cannot be opened, with its address and what may be done.
    pub fn open(settings: &Settings) -> io::Result<Doors> {
        let mut doors = Doors::none();
        for (place, door) in settings.doors().into_iter().enumerate() {
            let number = doors.number(place, &door);
            for listen in door.listen.clone() {
                let socket = bind(&listen, settings)?;
                doors.opened.push(Some(Opened { number, door: door.clone(), listen, socket }));
            }
        }
        Ok(doors)
    }

    /// The number of a new door, which has this place in the settings.
    fn number(&mut self, place: usize, door: &Door) -> usize {
        match (door.mode, place) {
            (DoorMode::Metrics, _) => METRICS,
            (_, 0) => 0,
            _ => {
                self.next += 1;
                self.next - 1
            }
        }
    }

    /// Takes over what another listener has opened; [`Doors::change`] then makes it what the settings say.
    pub fn taken(held: Vec<HeldDoor>, next: usize, settings: &Settings) -> io::Result<Doors> {
        let mut doors = Doors { opened: Vec::new(), watched: false, next };
        let wanted = settings.doors();
        for HeldDoor { number, listen, socket } in held {
            // One that is wanted no more is closed in a moment; until then something has to hold there.
            let door = wanted.iter().find(|door| door.listen.contains(&listen)).or(wanted.first());
            let Some(door) = door.cloned() else { continue };
            let socket = Socket::from(socket);
            socket.set_nonblocking(true)?;
            doors.opened.push(Some(Opened { number, door, listen, socket: TcpListener::from_std(socket) }));
        }
        Ok(doors)
    }

    /// All sockets: the door's number, where it listens as the settings say it, the descriptor.
    pub fn held(&self) -> impl Iterator<Item = (usize, &Listen, BorrowedFd<'_>)> {
        self.opened.iter().flatten().map(|opened| (opened.number, &opened.listen, opened.socket.as_fd()))
    }

    /// The number that the next new door gets.
    pub fn next(&self) -> usize {
        self.next
    }

    /// Without any door, to begin with.
    fn none() -> Doors {
        Doors { opened: Vec::new(), watched: false, next: 1 }
    }

    /// Closes all: nobody comes in any more.
    pub fn close(&mut self) {
        self.opened.drain(..).flatten().for_each(|opened| opened.close());
    }

    /// Watches all of them; tokens count from `first`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn register(&mut self, registry: &Registry, first: usize) -> io::Result<()> {
        for (index, opened) in self.opened.iter_mut().enumerate() {
            if let Some(opened) = opened {
                let token = Token(first + index);
                registry.register(&mut opened.socket, token, Interest::READABLE)?;
            }
        }
        self.watched = true;
        Ok(())
    }

    /// Opens what is new, closes what is gone, and lets the new limits hold for the rest. Clients stay.
    ///
    /// # Errors
    /// A new door cannot be opened; then everything is as it was.
    pub fn change(&mut self, settings: &Settings, registry: &Registry, first: usize) -> io::Result<()> {
        let wanted: Vec<(usize, Door, Listen)> = settings
            .doors()
            .into_iter()
            .enumerate()
            .flat_map(|(place, door)| door.listen.clone().into_iter().map(move |listen| (place, door.clone(), listen)))
            .collect();
        let mut added = Vec::new();
        for (place, door, listen) in &wanted {
            if !self.opened.iter().flatten().any(|opened| opened.is_at(listen)) {
                let number = self.number(*place, door);
                added.push(Opened {
                    number,
                    door: door.clone(),
                    listen: listen.clone(),
                    socket: bind(listen, settings)?,
                });
            }
        }
        let mut renumbered = Vec::new();
        for (index, place) in self.opened.iter_mut().enumerate() {
            let Some(opened) = place else { continue };
            match wanted.iter().find(|(_, _, listen)| opened.is_at(listen)) {
                Some((place, door, listen)) => {
                    // Those who read numbers count at no other door, and nobody else does at theirs.
                    if (opened.number == METRICS) != (door.mode == DoorMode::Metrics) {
                        renumbered.push((index, *place));
                    }
                    // For those who come in from now on.
                    ssmglobal_sys::gone_after(&opened.socket, vanished(settings))?;
                    opened.door = door.clone();
                    opened.listen = listen.clone();
                }
                None => {
                    if self.watched {
                        registry.deregister(&mut opened.socket)?;
                    }
                    opened.close();
                    *place = None;
                }
            }
        }
        for (index, place) in renumbered {
            let Some(door) = self.get(index).map(|opened| opened.door.clone()) else { continue };
            let number = self.number(place, &door);
            if let Some(Some(opened)) = self.opened.get_mut(index) {
                opened.number = number;
            }
        }
        for mut opened in added {
            if self.watched {
                let token = Token(first + self.opened.len());
                registry.register(&mut opened.socket, token, Interest::READABLE)?;
            }
            self.opened.push(Some(opened));
        }
        Ok(())
    }

    /// Lets people read from now on what the settings say, at each door that is there.
    pub fn welcome(&mut self, settings: &Settings) {
        let wanted = settings.doors();
        for opened in self.opened.iter_mut().flatten() {
            if let Some(door) = wanted.iter().find(|door| door.listen.iter().any(|listen| opened.is_at(listen))) {
                opened.door.welcome.clone_from(&door.welcome);
            }
        }
    }

    /// The socket at this place.
    pub fn get(&self, index: usize) -> Option<&Opened> {
        self.opened.get(index)?.as_ref()
    }

    /// The place of a socket of the door with this number.
    pub fn with_number(&self, number: usize) -> Option<usize> {
        self.opened.iter().position(|opened| opened.as_ref().is_some_and(|opened| opened.number == number))
    }

    /// The place of the socket that a connection to this address of ours has come in by.
    pub fn at(&self, ours: SocketAddr) -> Option<usize> {
        let is_it = |opened: &Opened| {
            opened.socket.local_addr().is_ok_and(|at| {
                at.port() == ours.port()
                    && (at.ip().is_unspecified() || at.ip().to_canonical() == ours.ip().to_canonical())
            })
        };
        self.opened.iter().position(|opened| opened.as_ref().is_some_and(is_it))
    }

    /// The next connection that waits there, non-blocking.
    ///
    /// # Errors
    /// The kernel's, when nothing can be taken for want of descriptors or memory.
    pub fn accept(&self, index: usize) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        let Some(opened) = self.get(index) else { return Ok(None) };
        loop {
            match opened.socket.accept() {
                Ok((stream, address)) => return Ok(Some((stream, address))),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(None),
                    // A client that went away while it waited is no reason to stop.
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// Their addresses, for people.
    pub fn describe(&self) -> String {
        let of = |opened: &Opened| {
            opened.socket.local_addr().map_or_else(|_| opened.listen.to_string(), |it| it.to_string())
        };
        self.opened.iter().flatten().map(of).collect::<Vec<_>>().join(", ")
    }

    /// Where somebody on this machine finds the main door.
    pub fn main_address(&self) -> (String, u16) {
        let main = self.opened.iter().flatten().next();
        match main.and_then(|opened| opened.socket.local_addr().ok()) {
            Some(address) if address.ip().is_unspecified() || address.ip().is_loopback() && address.is_ipv6() => {
                ("localhost".to_owned(), address.port())
            }
            Some(address) => (address.ip().to_string(), address.port()),
            None => ("localhost".to_owned(), 0),
        }
    }
}
