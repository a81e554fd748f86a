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

    /// Where somebody on this machine finds it: host and port.
    fn found_at(&self) -> (String, u16) {
        match self.socket.local_addr() {
            Ok(at) if at.ip().is_unspecified() || at.ip().is_loopback() && at.is_ipv6() => {
                ("localhost".to_owned(), at.port())
            }
            Ok(at) => (at.ip().to_string(), at.port()),
            Err(_) => ("localhost".to_owned(), self.listen.port()),
        }
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
    /// Where a door would be that nobody has asked for, and is not: its address is taken.
    left_out: Option<Listen>,
}

/// What is to be said of a door, with its level.
pub type Note = (u8, String);

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
    let socket = bound?;
    socket.set_nonblocking(true)?;
    ssmglobal_sys::listen_backlog(&socket)?;
    // Accepted sockets inherit these, which spares each worker some calls.
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::TcpNoDelay, &true)?;
    ssmglobal_sys::gone_after(&socket, vanished(settings))?;
    Ok(TcpListener::from_std(socket))
}

/// What is said of a door that was asked for and cannot be opened: without it nothing goes.
fn asked_in_vain(listen: &Listen, error: &io::Error) -> io::Error {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => " Is it running already? Choose another port with -p.",
        io::ErrorKind::PermissionDenied => " Ports below 1024 are for root; choose another with -p.",
        _ => "",
    };
    io::Error::new(error.kind(), format!("cannot listen on {listen}: {error}.{hint}"))
}

/// One socket that the settings want.
struct Wanted {
    /// The door's place in the settings; the main one is 0.
    place: usize,
    door: Door,
    listen: Listen,
}

fn wanted(settings: &Settings) -> impl Iterator<Item = Wanted> {
    settings.doors().into_iter().enumerate().flat_map(|(place, door)| {
        let each = door.listen.clone().into_iter();
        each.map(move |listen| Wanted { place, door: door.clone(), listen })
    })
}

fn vanished(settings: &Settings) -> Duration {
    Duration::from_secs(settings.limits.vanished_seconds)
}

impl Doors {
    /// Opens all doors, and gives what is to be said of one that was left out.
    ///
    /// # Errors
    /// The first that was asked for and cannot be opened, with its address and what may be done.
    pub fn open(settings: &Settings) -> io::Result<(Doors, Option<Note>)> {
        let (mut doors, mut note) = (Doors::none(), None);
        for new in wanted(settings) {
            match bind(&new.listen, settings) {
                Ok(socket) => {
                    let opened = doors.numbered(&new, socket);
                    doors.opened.push(Some(opened));
                }
                Err(error) if new.door.optional => note = Some(doors.leave_out(&new.listen, &error)),
                Err(error) => return Err(asked_in_vain(&new.listen, &error)),
            }
        }
        Ok((doors, note))
    }

    fn leave_out(&mut self, listen: &Listen, error: &io::Error) -> Note {
        self.left_out = Some(listen.clone());
        let how = "All else runs. Free the port and send SIGHUP, or name another with a [[door]]";
        (2, format!("the door for people at {listen} is not open: {error}. {how}"))
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
        let mut doors = Doors { next, ..Doors::none() };
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

    /// Those that are open, each in its place.
    pub fn opened(&self) -> &[Option<Opened>] {
        &self.opened
    }

    /// The number that the next new door gets.
    pub fn next(&self) -> usize {
        self.next
    }

    /// Without any door, to begin with.
    fn none() -> Doors {
        Doors { opened: Vec::new(), watched: false, next: 1, left_out: None }
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

    /// Opens what is new, closes what is gone, and lets the new limits hold for the rest. Clients stay. Gives what is to be
    /// said of a door that nobody has asked for.
    ///
    /// # Errors
    /// A new door that was asked for cannot be opened; then everything is as it was.
    pub fn change(&mut self, settings: &Settings, registry: &Registry, first: usize) -> io::Result<Option<Note>> {
        let wanted: Vec<Wanted> = wanted(settings).collect();
        let mut added = Vec::new();
        for new in wanted.iter().filter(|it| !it.door.optional) {
            if !self.has(&new.listen) {
                let socket = bind(&new.listen, settings).map_err(|error| asked_in_vain(&new.listen, &error))?;
                added.push(self.numbered(new, socket));
            }
        }
        self.keep_only(&wanted, settings, registry)?;
        for opened in added {
            self.add(opened, registry, first)?;
        }
        // Now: what was closed may have stood in its way.
        self.left_out = None;
        let optional = wanted.iter().find(|it| it.door.optional && !self.has(&it.listen));
        let Some(new) = optional else { return Ok(None) };
        match bind(&new.listen, settings) {
            Ok(socket) => {
                let opened = self.numbered(new, socket);
                self.add(opened, registry, first)?;
                let how = "since the settings name no other; set listen or a [[door]] to have it otherwise";
                Ok(Some((3, format!("people have a door at {}, {how}", new.listen))))
            }
            Err(error) => Ok(Some(self.leave_out(&new.listen, &error))),
        }
    }

    fn has(&self, listen: &Listen) -> bool {
        self.opened.iter().flatten().any(|opened| opened.is_at(listen))
    }

    fn numbered(&mut self, new: &Wanted, socket: TcpListener) -> Opened {
        let number = self.number(new.place, &new.door);
        Opened { number, door: new.door.clone(), listen: new.listen.clone(), socket }
    }

    fn add(&mut self, mut opened: Opened, registry: &Registry, first: usize) -> io::Result<()> {
        if self.watched {
            let token = Token(first + self.opened.len());
            registry.register(&mut opened.socket, token, Interest::READABLE)?;
        }
        self.opened.push(Some(opened));
        Ok(())
    }

    /// Closes what is not wanted any more, and lets the new limits hold for the rest.
    fn keep_only(&mut self, wanted: &[Wanted], settings: &Settings, registry: &Registry) -> io::Result<()> {
        let mut renumbered = Vec::new();
        for (index, place) in self.opened.iter_mut().enumerate() {
            let Some(opened) = place else { continue };
            match wanted.iter().find(|it| opened.is_at(&it.listen)) {
                Some(Wanted { place, door, listen }) => {
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

    /// Whether a connection waits there.
    pub fn has_waiting(&self, index: usize) -> bool {
        self.get(index).is_some_and(|opened| ssmglobal_sys::is_readable(&opened.socket))
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

    /// What a person on this machine types to come in.
    pub fn for_people(&self) -> String {
        let mut opened = self.opened.iter().flatten();
        let theirs = self.opened.iter().flatten().find(|opened| opened.door.mode == DoorMode::Human);
        let (host, port) = theirs.or(opened.next()).map_or_else(|| ("localhost".to_owned(), 0), Opened::found_at);
        let why = match &self.left_out {
            Some(listen) => format!("   (the door at {listen} is not open)"),
            None => String::new(),
        };
        match theirs {
            Some(_) => format!("telnet {host} {port}"),
            None => format!("telnet {host} {port}   then type: MODE HUMAN{why}"),
        }
    }
}
