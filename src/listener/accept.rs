//! Taking connections: whom the listener lets in, and how a worker is made for each. Runs in the listener
//! and, from the fork on, in the worker.

use super::Listener;
use super::children::{self, Place};
use super::inheritance::Birth;
use super::refusal::Refusal;
use mio::net::TcpStream;
use nix::unistd::Pid;
use ssmglobal_config::{DoorMode, shown};
use ssmglobal_ipc::{Mode, Time};
use ssmglobal_sys::{ExitSignal, Prepared};
use ssmglobal_worker::greeting;
use ssmglobal_worker::moved::Moved;
use std::io::{self, Write as _};
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

impl Listener {
    /// Takes connections from a door; gives whether there may be more.
    #[inline(never)]
    pub(super) fn accept(&mut self, door: usize) -> bool {
        for taken in 0..TURN {
            // Asked first: a call that fails writes down why, on a page that every worker would then have a copy of.
            if self.holds_up(door) || taken > 0 && !self.doors.has_waiting(door) {
                return false;
            }
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
        let door_mode = opened.door.mode;
        let mode = mode_of(door_mode);
        let title = match door_mode {
            DoorMode::Metrics => ssmglobal_worker::metrics::title(address.ip().to_canonical()),
            _ => ssmglobal_worker::title(address.ip().to_canonical(), mode, ""),
        };
        let session = self.children.next_session();
        let new = NewWorker { client, address, session, mode, moved: None, unnamed: None };
        match self.fork_worker(door, title, new) {
            Ok(pid) => {
                let at = Time::now();
                self.children.add(pid, session, place, at);
                // The handler is told of all in a turn together. Should this process be killed before, it finds the worker.
                self.tell_joined(children::client(pid, session, &place, at));
            }
            Err((error, mut client)) => {
                let _ = client.write_all(Refusal::Full.line(door_mode).as_bytes());
                self.handler.log(1, format!("{}: no worker can be made: {error}", shown(address)));
            }
        }
        self.pending_accept.clear();
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

    /// Makes a worker; gives its process id, or the connection back.
    pub(super) fn fork_worker(
        &mut self,
        door: usize,
        title: Prepared,
        new: NewWorker,
    ) -> Result<Pid, (io::Error, TcpStream)> {
        let Some(opened) = self.doors.get(door) else { return Err((io::ErrorKind::NotFound.into(), new.client)) };
        let ([moves, _], [_, lifeline]) = (self.moves.ends(), self.lifeline.both());
        if !std::mem::replace(&mut self.settled, true) {
            ssmglobal_sys::settle_heap();
        }
        let (rendezvous, inherited) = (self.handler.rendezvous(), &*self.inherited);
        let begun = Instant::now();
        let birth = Birth { title, new, door: &opened.door, rendezvous, moves, lifeline, begun, inherited };
        let (forked, birth) = ssmglobal_sys::fork(&mut self.child_stack, ExitSignal::Queued, birth);
        forked.map_err(|error| (error.into(), birth.new.client))
    }

    /// Admits the connection that a listener before this one has accepted and then had no time for.
    #[inline(never)]
    pub(super) fn admit_left(&mut self) {
        let Some(client) = self.pending_accept.take() else { return };
        let client = TcpStream::from_std(std::net::TcpStream::from(client));
        let Ok(address) = client.peer_addr() else { return };
        if self.children.serves(address) || self.has_unreported(address.ip()) {
            return;
        }
        let Some(door) = client.local_addr().ok().and_then(|at| self.doors.at(at)) else { return };
        let greeted = ssmglobal_sys::has_sent(&client).unwrap_or(true);
        self.admit(door, client, address, greeted);
    }

    /// Whether a worker for this address may be there of which nobody has told: better to lose a connection that nobody
    /// serves than to have two serve one.
    fn has_unreported(&self, address: IpAddr) -> bool {
        let shown = address.to_canonical().to_string();
        let unknown = |(pid, rest): (i32, String)| {
            let parent = ssmglobal_sys::title_of_parent(pid).unwrap_or_default();
            let orphan = !parent.starts_with("ssmglobal: listener");
            orphan && rest.split(' ').next() == Some(&shown) && !self.children.has(Pid::from_raw(pid))
        };
        self.children.serves(SocketAddr::new(address, 0)) || ssmglobal_sys::titled(children::WORKER).any(unknown)
    }
}
