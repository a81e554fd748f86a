//! Where workers say something to the listener: that they hand their client over to a worker of this program, after an upgrade;
//! or who their client is, at a door behind a proxy. And who follows whom, and who is still to be told that he may move. Runs in
//! the listener.

use super::children::{Children, Successor, Table, table};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use ssmglobal_ipc::naming::{LONGEST, Name};
use ssmglobal_worker::moved::Moved;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Workers that are notified together …
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
    ignored: Table<Pid, ()>,
    /// There may be more than one turn takes.
    pub waiting: bool,
    /// Workers that are still to be told that they may move, and when the next ones are.
    to_notify: Vec<Pid>,
    notify_at: Option<Instant>,
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
        let (successors, ignored, to_notify) = (table(), table(), Vec::new());
        Moves { sends, receives, successors, ignored, waiting: true, to_notify, notify_at: None }
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
    pub fn notify_at(&self) -> Option<Instant> {
        self.notify_at
    }

    /// All of these are to be told that they may move, and everybody is listened to again.
    pub fn notify_all(&mut self, workers: Vec<Pid>) {
        self.ignored.clear();
        self.to_notify = workers;
    }

    /// The next ones to be told; the others come later.
    pub fn next_portion(&mut self) -> Vec<Pid> {
        let rest = self.to_notify.len().saturating_sub(PORTION);
        self.notify_at = (rest > 0).then(|| Instant::now() + PACE);
        self.to_notify.split_off(rest)
    }

    /// What a worker says, and which one it is.
    ///
    /// # Errors
    /// The kernel's; that nobody says anything is one of them.
    pub fn receive(&self) -> io::Result<(Pid, Word)> {
        let mut bytes = [0; LONGEST];
        let received = ssmglobal_sys::receive(&self.receives, &mut bytes)?;
        let mut fds = received.fds;
        let word = match Name::of(bytes.get(..received.count).unwrap_or_default()) {
            Some(name) => fds.pop().map(|answer| Word::Names(name, answer)),
            None => HandedOver::from(fds).map(Word::HandsOver),
        };
        Ok((Pid::from_raw(received.pid.unwrap_or(0)), word.unwrap_or(Word::Strange)))
    }

    /// Does not listen to this worker again before the next upgrade.
    pub fn ignore(&mut self, pid: Pid) {
        self.ignored.insert(pid, ());
    }

    /// Whether this worker is not listened to.
    pub fn ignores(&self, pid: Pid) -> bool {
        self.ignored.contains_key(&pid)
    }

    /// Whether one is there already that follows this one.
    pub fn is_followed(&self, pid: Pid) -> bool {
        self.successors.contains_key(&pid)
    }

    /// A worker has ended. Gives whom it was to follow, if it is one of those that do; it does not any more.
    pub fn ended(&mut self, pid: Pid) -> Option<Pid> {
        self.ignored.remove(&pid);
        let of = self.successors.iter().find(|(_, successor)| successor.pid == pid).map(|(of, _)| *of)?;
        self.successors.remove(&of);
        Some(of)
    }

    /// Who follows this one, which has ended; from now on it stands alone.
    pub fn succeed(&mut self, pid: Pid) -> Option<Successor> {
        self.successors.remove(&pid)
    }
}

/// What a worker says.
pub enum Word {
    /// Another is to go on with its client.
    HandsOver(HandedOver),
    /// Who its client is, and where it waits for the answer.
    Names(Name, OwnedFd),
    /// Nothing that a sound worker says.
    Strange,
}

/// What a worker has handed over.
pub struct HandedOver {
    /// The client's socket.
    pub client: OwnedFd,
    /// What the worker has left of its session.
    pub moved: Moved,
}

impl HandedOver {
    fn from(fds: Vec<OwnedFd>) -> Option<HandedOver> {
        let mut fds = fds.into_iter();
        Some(HandedOver { client: fds.next()?, moved: Moved::of(fds.collect())? })
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
