//! Taking connections: whom the listener lets in, and how a worker is made for each. Runs in the listener
//! and, from the fork on, in the worker.

use super::Listener;
use super::children::{self, Place, Refusal};
use super::doors::greeting;
use mio::net::TcpStream;
use nix::unistd::Pid;
use ssmglobal_config::{DoorMode, shown};
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_ipc::{Mode, Time, WorkerEnd};
use ssmglobal_sys::{ExitSignal, Forked};
use ssmglobal_worker::moved::{MOST_DESCRIPTORS, Moved};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::Instant;

/// Connections taken from one door before the others get their turn, and as many that workers hand over.
pub const TURN: usize = 64;

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
}

impl Listener {
    /// Takes connections from a door; gives whether there may be more.
    #[inline(never)]
    pub(super) fn accept(&mut self, door: usize) -> bool {
        for _ in 0..TURN {
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
        let place = Place { door: opened.number, address };
        if self.children.count() >= self.settings.limits.clients {
            self.reap_forgotten();
        }
        let Some(opened) = self.doors.get(door) else { return };
        let penalty = self.penalties.wait(address.ip(), Instant::now());
        let penalty = penalty.map(|wait| Refusal::Penalty(wait.as_secs_f64().ceil() as u64));
        let refusal = || self.children.refusal(&place, &opened.door, self.settings.limits.clients);
        if let Some(refusal) = penalty.or_else(refusal) {
            // A client that is refused may miss the reason; nothing waits for it.
            let _ = client.write_all(refusal.line(opened.door.mode).as_bytes());
            let door = u32::try_from(place.door).unwrap_or(u32::MAX);
            self.handler.tell(&ToHandler::Refused { address, door, why: refusal.told() });
            return;
        }
        if let Some(greeting) = greeting(opened.door.mode).filter(|_| !greeted) {
            // 57 bytes into an empty socket always fit; a client that is gone already is noticed by its worker.
            let _ = client.write_all(greeting);
        }
        // Whatever is done before the fork is done in memory that is there already.
        let mode = match opened.door.mode {
            // Not looked at there.
            DoorMode::Ask | DoorMode::Metrics => Mode::Ask,
            DoorMode::Human => Mode::Human,
            DoorMode::Client => Mode::Client,
            DoorMode::Server => Mode::Server,
        };
        let title = match opened.door.mode {
            DoorMode::Metrics => ssmglobal_worker::metrics::title(address.ip().to_canonical()),
            _ => ssmglobal_worker::title(address.ip().to_canonical(), mode, ""),
        };
        let session = self.children.next_session();
        match ssmglobal_sys::fork(ExitSignal::Queued) {
            Ok(Forked::Child) => {
                title.show();
                self.become_worker(door, NewWorker { client, address, session, mode, moved: None })
            }
            Ok(Forked::Parent(pid)) => {
                drop(client);
                let at = Time::now();
                self.children.add(pid, session, place, at);
                let client = children::client(pid, session, &place, at);
                let (count, max) = (self.children.count(), self.settings.limits.clients);
                self.handler.tell(&ToHandler::Joined { client, count, max });
                // At once: should this process be killed, the handler is the only one to know.
                self.flush();
            }
            Err(error) => {
                let _ = client.write_all(Refusal::Full.line(opened.door.mode).as_bytes());
                self.handler.log(1, format!("{}: no worker can be made: {error}", shown(address)));
            }
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
        let NewWorker { client, address, session, mode, moved } = new;
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
