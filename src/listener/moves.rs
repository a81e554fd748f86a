//! Clients that move to workers of this program, after an upgrade: an old worker that is idle hands over its client's socket
//! and its session in sealed memory, and is followed by a worker that is forked for it. Neither is looked at here. Which of
//! the two serves the client is settled between them (`worker/src/moved.rs`): here it is the old one until it has ended.

use super::Listener;
use super::accept::{Born, TURN};
use super::children::{Children, Successor, Table, table};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use ssmglobal_config::shown;
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_ipc::{Mode, WorkerEnd};
use ssmglobal_sys::{ExitSignal, Forked};
use ssmglobal_worker::moved::Moved;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Workers that are called together …
const PORTION: usize = 32;

/// … and the time until the next ones are: all at once they would be in the way of those who have something to do.
const PACE: Duration = Duration::from_millis(25);

/// Where workers hand over, and who follows whom.
pub struct Moves {
    sends: OwnedFd,
    receives: OwnedFd,
    /// By the process id of the one that is followed.
    successors: Table<Pid, Successor>,
    /// Workers that have sent something else: they are not listened to again before the next upgrade.
    strange: Table<Pid, ()>,
    /// There may be more than one turn takes.
    pub waiting: bool,
    /// Workers that are still to be told that they may move, and when the next ones are.
    uncalled: Vec<Pid>,
    call_at: Option<Instant>,
}

impl Moves {
    /// Nobody moves yet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<Moves> {
        let (sends, receives) = ssmglobal_sys::seqpacket_pair()?;
        ssmglobal_sys::pass_credentials(&receives)?;
        Ok(Moves::at((sends, receives)))
    }

    /// The ones of another listener.
    pub fn at((sends, receives): (OwnedFd, OwnedFd)) -> Moves {
        // What lies there was not told to this process.
        let (successors, strange, uncalled) = (table(), table(), Vec::new());
        Moves { sends, receives, successors, strange, waiting: true, uncalled, call_at: None }
    }

    /// Where workers send, and where this process receives.
    pub fn ends(&self) -> [BorrowedFd<'_>; 2] {
        [self.sends.as_fd(), self.receives.as_fd()]
    }

    /// Those that are to follow others, with whom each follows.
    pub fn successors(&self) -> impl Iterator<Item = (Pid, Successor)> {
        self.successors.iter().map(|(of, successor)| (*of, *successor))
    }

    /// One is there that follows another.
    pub fn follows(&mut self, of: Pid, successor: Successor) {
        self.successors.insert(of, successor);
    }

    /// When the next workers are to be told that they may move.
    pub fn call_at(&self) -> Option<Instant> {
        self.call_at
    }

    /// Whom this one was to follow, if it is one of them; it does not any more.
    fn forget(&mut self, pid: Pid) -> Option<Pid> {
        let of = self.successors.iter().find(|(_, successor)| successor.pid == pid).map(|(of, _)| *of)?;
        self.successors.remove(&of);
        Some(of)
    }
}

impl Listener {
    /// Tells all workers of another program that they may move. One that does not know how takes no notice.
    #[inline(never)]
    pub(super) fn call_workers(&mut self) {
        self.moves.strange.clear();
        self.moves.uncalled = self.children.older();
        self.call_some();
    }

    /// Tells the next ones.
    #[inline(never)]
    pub(super) fn call_some(&mut self) {
        let rest = self.moves.uncalled.len().saturating_sub(PORTION);
        for pid in self.moves.uncalled.split_off(rest) {
            // Some have ended meanwhile.
            if self.children.has(pid) {
                self.children.signal(pid, Signal::SIGUSR2);
            }
        }
        self.moves.call_at = (rest > 0).then(|| Instant::now() + PACE);
    }

    /// Takes what workers hand over; gives whether there may be more.
    #[inline(never)]
    pub(super) fn take_moves(&mut self) -> bool {
        for _ in 0..TURN {
            let received = match ssmglobal_sys::receive(&self.moves.receives, &mut [0; 1]) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) => {
                    self.handler.log(1, format!("a worker cannot be followed: {error}"));
                    continue;
                }
            };
            let of = Pid::from_raw(received.pid.unwrap_or(0));
            // One that has just ended, or was heard already.
            if !self.children.has(of) || self.moves.strange.contains_key(&of) {
                continue;
            }
            let several = self.moves.successors.contains_key(&of);
            match Handed::from(received.fds).filter(|_| !several) {
                Some(handed) => self.fork_successor(of, handed),
                None => {
                    self.moves.strange.insert(of, ());
                    self.handler.log(2, format!("worker {of} has handed over what is no session; it is not followed"));
                }
            }
        }
        true
    }

    fn fork_successor(&mut self, of: Pid, handed: Handed) {
        let Some((session, place)) = self.children.of(of) else { return };
        // Without its door there is nobody to follow it.
        let Some(door) = self.doors.with_number(place.door) else { return };
        let title = ssmglobal_worker::title(place.address.ip().to_canonical(), Mode::Ask, "");
        match ssmglobal_sys::fork(ExitSignal::Queued) {
            Ok(Forked::Child) => {
                title.show();
                let Handed { client, moved } = handed;
                let client = mio::net::TcpStream::from_std(std::net::TcpStream::from(client));
                let born = Born { client, address: place.address, session, mode: Mode::Ask, moved: Some(moved) };
                self.become_worker(door, born)
            }
            Ok(Forked::Parent(pid)) => self.moves.follows(of, Successor { pid, version: 0, elder: false }),
            Err(error) => self.handler.log(1, format!("worker {of} cannot be followed: {error}")),
        }
    }

    /// A worker has ended: gives whether it was one of two that have one client, of which the other goes on.
    #[inline(never)]
    pub(super) fn one_of_two_ended(&mut self, pid: Pid, status: i32) -> bool {
        self.moves.strange.remove(&pid);
        if let Some(of) = self.moves.forget(pid) {
            self.successor_ended(of, WorkerEnd(status));
            return true;
        }
        let Some(successor) = self.moves.successors.remove(&pid) else { return false };
        let Some(client) = self.children.succeed(pid, successor) else { return false };
        if status != 0 {
            self.punish(client.address, WorkerEnd(status));
            self.handler.log(2, format!("{}: worker {pid} has ended: {}", shown(client.address), WorkerEnd(status)));
        }
        self.handler.tell(&ToHandler::Moved { from: pid.as_raw(), client });
        self.flush();
        true
    }

    /// Before the one that it was to follow: that one serves its client on, or has just ended too.
    fn successor_ended(&mut self, of: Pid, end: WorkerEnd) {
        let Some((_, place)) = self.children.of(of) else { return };
        self.punish(place.address, end);
        if end != WorkerEnd::GOOD {
            self.moves.strange.insert(of, ());
            self.handler.log(2, format!("{}: worker {of} is not followed by another: {end}", shown(place.address)));
        }
    }
}

/// What a worker has handed over.
struct Handed {
    client: OwnedFd,
    moved: Moved,
}

impl Handed {
    fn from(fds: Vec<OwnedFd>) -> Option<Handed> {
        let count = fds.len();
        let mut fds = fds.into_iter();
        let (client, memory, other, link) = (fds.next()?, fds.next()?, fds.next()?, fds.next());
        (count <= 4).then_some(Handed { client, moved: Moved { memory, other, link } })
    }
}

/// Lets both of two workers that have one client know of a signal.
pub fn signal_all(children: &Children, moves: &Moves, signal: Signal) {
    for pid in children.pids() {
        children.signal(pid, signal);
    }
    for (_, successor) in moves.successors() {
        // A child that was not waited for: its id is nobody else's. One that has ended is about to be noticed.
        let _ = nix::sys::signal::kill(successor.pid, signal);
    }
}
