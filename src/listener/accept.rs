//! Taking connections: whom the listener lets in, and how a worker is made for each. Runs in the listener
//! and, from the fork on, in the worker.

use super::Listener;
use super::children::{self, Arrival, Naming, Place};
use super::doors::Opened;
use super::pending;
use super::refusal::Refusal;
use super::zygote::Unborn;
use mio::net::TcpStream;
use nix::unistd::Pid;
use ssmglobal_config::DoorMode;
use ssmglobal_ipc::{Mode, Time};
use ssmglobal_sys::Prepared;
use ssmglobal_worker::greeting;
use ssmglobal_worker::moved::Moved;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Connections taken from one door before the others get their turn, and as many that workers hand over.
pub const TURN: usize = 64;

/// How a client of such a door speaks at first.
pub fn mode_of(door: DoorMode) -> Mode {
    match door {
        // Not looked at there.
        DoorMode::Ask | DoorMode::Metrics => Mode::Ask,
        DoorMode::Human => Mode::Human,
        DoorMode::Client => Mode::Client,
        DoorMode::Server => Mode::Server,
    }
}

/// What a worker is to be called that serves this client, or proxy, and what it has of its own.
pub fn newcomer(address: SocketAddr, session: u64, client: TcpStream, opened: &Opened) -> (Prepared, NewWorker) {
    let (ip, mode) = (address.ip().to_canonical(), mode_of(opened.door.mode));
    let unnamed = opened.door.is_behind_proxy().then(|| u32::try_from(opened.number).unwrap_or(u32::MAX));
    let title = match opened.door.mode {
        _ if unnamed.is_some() => ssmglobal_worker::unnamed_title(ip),
        DoorMode::Metrics => ssmglobal_worker::metrics::title(ip),
        _ => ssmglobal_worker::title(ip, mode, ""),
    };
    (title, NewWorker { client, address, session, mode, moved: None, unnamed })
}

/// What a new worker has of its own.
pub struct NewWorker {
    /// The client.
    pub client: TcpStream,
    /// Where it comes from.
    pub address: SocketAddr,
    /// The session's number.
    pub session: u64,
    /// How it speaks at first.
    pub mode: Mode,
    /// What another worker has left to it.
    pub moved: Option<Moved>,
    /// The number of its door, where a proxy is still to say who its client is.
    pub unnamed: Option<u32>,
}

/// Whether a process has a descriptor of this; nothing where this one may not look.
fn has_descriptor(pid: i32, wanted: Option<&str>) -> Option<bool> {
    let wanted = wanted?;
    let list = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let mut links = list.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    Some(links.any(|link| link.as_os_str() == wanted))
}

impl Listener {
    /// Takes connections from a door; gives whether there may be more.
    #[inline(never)]
    pub(super) fn accept(&mut self, door: usize) -> bool {
        for taken in 0..TURN {
            // Asked first: a call that fails writes down why, on a page that every worker would then have a copy of.
            if self.holds_up(door) || taken > 0 && !self.doors.has_waiting(door) {
                return false;
            }
            self.make_room();
            match self.doors.accept(door) {
                Ok(Some((client, address))) => {
                    self.admit(door, client, address, false);
                }
                Ok(None) => return false,
                Err(error) => {
                    // Out of descriptors or memory: who waits goes on waiting, until a worker ends.
                    self.handler.log(1, format!("no further connection can be taken: {error}"));
                    return false;
                }
            }
        }
        true
    }

    /// Makes a worker for a connection, which may have been greeted already.
    pub(super) fn admit(&mut self, door: usize, mut client: TcpStream, address: SocketAddr, greeted: bool) {
        let Some(opened) = self.doors.get(door) else { return };
        if opened.door.is_behind_proxy() {
            return self.admit_proxy(door, client, address);
        }
        let place = Place { door: opened.number, address };
        let refusal = self.refusal(door, &place);
        let Some(opened) = self.doors.get(door) else { return };
        if let Some(refusal) = refusal {
            // A client that is refused may miss the reason; nothing waits for it.
            let _ = client.write_all(refusal.line(opened.door.mode).as_bytes());
            return self.tell_refused(&place, refusal.told());
        }
        if let Some(greeting) = greeting(opened.door.mode).filter(|_| !greeted) {
            // 57 bytes into an empty socket always fit; a client that is gone already is noticed by its worker.
            let _ = client.write_all(greeting);
        }
        // Not before: whoever connects need not wait for it.
        self.pending_accept.put(&client);
        let arrival = Arrival { naming: Naming::Named, session: self.children.next_session(), place, at: Time::now() };
        self.bear(Unborn { client, door, arrival, since: Instant::now() });
    }

    /// Why one more client may not come in here, if so.
    pub(super) fn refusal(&mut self, door: usize, place: &Place) -> Option<Refusal> {
        if self.children.count() >= self.inherited.settings.limits.clients {
            self.reap_forgotten();
        }
        let opened = self.doors.get(door)?;
        let penalty = self.penalties.wait(place.address.ip(), Instant::now());
        let penalty = penalty.map(|wait| Refusal::Penalty(wait.as_secs_f64().ceil() as u64));
        penalty.or_else(|| self.children.refusal(place, &opened.door, self.inherited.settings.limits.clients))
    }

    /// Admits the connections that a listener before this one has accepted and then had no time for.
    #[inline(never)]
    pub(super) fn admit_left(&mut self) {
        let left: Vec<_> = std::iter::from_fn(|| self.pending_accept.take()).collect();
        for (place, client) in left.into_iter().enumerate() {
            self.admit_again(TcpStream::from_std(std::net::TcpStream::from(client)), place == 0);
        }
    }

    /// The `first` one may have a worker: it was about to be taken out.
    fn admit_again(&mut self, client: TcpStream, first: bool) {
        let Ok(address) = client.peer_addr() else { return };
        if self.children.serves(address) || first && self.has_unreported(&client, address.ip()) {
            return;
        }
        let Some(door) = client.local_addr().ok().and_then(|at| self.doors.at(at)) else { return };
        let greeted = ssmglobal_sys::has_sent(&client).unwrap_or(true);
        self.make_room();
        self.admit(door, client, address, greeted);
    }

    /// Whether a worker for this client may be there of which nobody has told. Where that cannot be seen, one for its address is
    /// taken for it: better to lose a connection that nobody serves than to have two serve one.
    fn has_unreported(&self, client: &TcpStream, address: IpAddr) -> bool {
        let shown = address.to_canonical().to_string();
        let socket = pending::number(client).map(|number| format!("socket:[{number}]"));
        let unknown = |(pid, rest): (i32, String)| {
            children::is_orphan(pid)
                && rest.split(' ').next() == Some(&shown)
                && !self.children.has(Pid::from_raw(pid))
                && has_descriptor(pid, socket.as_deref()).unwrap_or(true)
        };
        self.children.serves(SocketAddr::new(address, 0)) || ssmglobal_sys::titled(children::WORKER).any(unknown)
    }
}
