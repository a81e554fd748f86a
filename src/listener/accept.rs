//! Taking connections: whom the listener lets in, and how a worker is made for each. Runs in the listener
//! and, from the fork on, in the worker.

use super::Listener;
use super::children::{self, Place};
use super::refusal::Refusal;
use mio::net::TcpStream;
use nix::unistd::Pid;
use ssmglobal_config::{DoorMode, shown};
use ssmglobal_ipc::{Mode, Time, WorkerEnd};
use ssmglobal_sys::{ExitSignal, Forked, Prepared};
use ssmglobal_worker::greeting;
use ssmglobal_worker::moved::{MOST_DESCRIPTORS, Moved};
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
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
        for _ in 0..TURN {
            if self.holds_up(door) {
                return false;
            }
            match self.doors.accept(door) {
                Ok(Some((client, address))) => {
                    self.pending_accept.put(&client);
                    self.admit(door, client, address, false);
                    self.pending_accept.clear();
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
        // Whatever is done before the fork is done in memory that is there already.
        let door_mode = opened.door.mode;
        let mode = mode_of(door_mode);
        let title = match door_mode {
            DoorMode::Metrics => ssmglobal_worker::metrics::title(address.ip().to_canonical()),
            _ => ssmglobal_worker::title(address.ip().to_canonical(), mode, ""),
        };
        let session = self.children.next_session();
        let new = NewWorker { client, address, session, mode, moved: None, unnamed: None };
        match self.fork_worker(door, &title, new) {
            Ok(pid) => {
                let at = Time::now();
                self.children.add(pid, session, place, at);
                self.tell_joined(children::client(pid, session, &place, at));
                // At once: should this process be killed, the handler is the only one to know.
                self.flush();
            }
            Err((error, mut client)) => {
                let _ = client.write_all(Refusal::Full.line(door_mode).as_bytes());
                self.handler.log(1, format!("{}: no worker can be made: {error}", shown(address)));
            }
        }
    }

    /// Why one more client may not come in here, if so.
    pub(super) fn refusal(&mut self, door: usize, place: &Place) -> Option<Refusal> {
        if self.children.count() >= self.settings.limits.clients {
            self.reap_forgotten();
        }
        let opened = self.doors.get(door)?;
        let penalty = self.penalties.wait(place.address.ip(), Instant::now());
        let penalty = penalty.map(|wait| Refusal::Penalty(wait.as_secs_f64().ceil() as u64));
        penalty.or_else(|| self.children.refusal(place, &opened.door, self.settings.limits.clients))
    }

    /// Makes a worker; gives its process id, or the connection back.
    pub(super) fn fork_worker(
        &mut self,
        door: usize,
        title: &Prepared,
        new: NewWorker,
    ) -> Result<Pid, (io::Error, TcpStream)> {
        match ssmglobal_sys::fork(ExitSignal::Queued) {
            Ok(Forked::Child) => {
                title.show();
                self.become_worker(door, new)
            }
            Ok(Forked::Parent(pid)) => Ok(pid),
            Err(error) => Err((error.into(), new.client)),
        }
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
        self.pending_accept.put(&client);
        self.admit(door, client, address, greeted);
        self.pending_accept.clear();
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

    /// What the child does after the fork: it keeps its client, the way to the rendezvous, and the signals as they are:
    /// blocked, and told by a descriptor that speaks to each process of its own ones. SIGINT and SIGHUP are the
    /// listener's business; a worker never takes them out.
    pub(super) fn become_worker(&mut self, door: usize, new: NewWorker) -> ! {
        let NewWorker { client, address, session, mode, moved, unnamed } = new;
        let (rendezvous, [moves, _], [_, lifeline]) =
            (self.handler.rendezvous(), self.moves.ends(), self.lifeline.both());
        let [null, root, ruleset] = self.sandbox.descriptors();
        // In place: most workers have nothing else to go on with, and no heap of their own yet.
        let mut keep = [-1; 8 + MOST_DESCRIPTORS];
        let own = [client.as_raw_fd(), rendezvous.as_raw_fd(), moves.as_raw_fd(), lifeline.as_raw_fd()];
        let own = own.into_iter().chain([self.signals.as_raw_fd(), null, root, ruleset]);
        let all = own.chain(moved.iter().flat_map(Moved::descriptors));
        keep.iter_mut().zip(all).for_each(|(place, fd)| *place = fd);
        keep.sort_unstable();
        ssmglobal_sys::close_others(&keep);
        let end = match (self.doors.get(door), self.sandbox.enter()) {
            (Some(opened), Ok(())) => {
                let given = ssmglobal_worker::Given {
                    client,
                    address,
                    session,
                    rendezvous,
                    moves,
                    lifeline,
                    signals: &self.signals,
                    mode,
                    unnamed,
                    moved,
                    door: &opened.door,
                    settings: &self.settings,
                    events: &mut self.worker_events,
                };
                ssmglobal_worker::run(given)
            }
            (Some(_), Err(_)) => WorkerEnd::NOT_LOCKED,
            (None, _) => WorkerEnd::REFUSED,
        };
        ssmglobal_sys::exit_now(end.0)
    }
}
