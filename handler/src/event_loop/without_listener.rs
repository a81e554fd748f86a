//! The handler without its listener. Nobody is let in then, but nobody is dropped either: whoever connects waits in the
//! listening sockets, which the handler holds for the next listener, until that one adopts it. Part of the event loop.

use super::listener::ListenerState;
use super::{End, EventLoop, FIRST_WATCHED, LISTENER};
use mio::unix::SourceFd;
use mio::{Interest, Token};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use ssmglobal_ipc::control::{Client, ToListener};
use ssmglobal_ipc::ctl::Answer;
use ssmglobal_ipc::frame::put_control;
use ssmglobal_ipc::handover::{Item, State, Worker};
use ssmglobal_ipc::{Code, Failure, Time, WorkerEnd};
use ssmglobal_sys::{Process, started_at, ticks_now, title_of, title_of_parent};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

/// A worker that is nobody's child here.
pub struct Watched {
    /// When it was started; with the process id it names it for good.
    started: u64,
    /// Nothing when there was no descriptor for it: then it is looked at when somebody needs to know.
    process: Option<Process>,
}

impl Watched {
    fn has_ended(&self, pid: i32) -> bool {
        match &self.process {
            Some(process) => process.has_ended(),
            None => Process::open_started(pid, self.started).is_err_and(|error| is_gone(&error)),
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ESRCH as i32)
}

/// How the titles of workers begin; the client's address follows.
const WORKER: &str = "ssmglobal: worker ";

/// The client's address, as its worker's title shows it behind [`WORKER`].
fn address_in(title: &str) -> Option<IpAddr> {
    title.split(' ').next()?.parse().ok()
}

/// Whether the process that has forked a worker lives.
fn has_listener(pid: i32) -> bool {
    title_of_parent(pid).is_some_and(|title| title.starts_with("ssmglobal: listener"))
}

impl EventLoop {
    /// The stream to the listener has ended, and it did not say that this is the end.
    pub(super) fn listener_gone(&mut self) -> Option<End> {
        let _ = self.poll.registry().deregister(&mut SourceFd(&self.listener.stream.as_raw_fd()));
        if self.listener.kept.is_none() {
            // Without the listening sockets there is nothing to wait for.
            return Some(End::ListenerGone);
        }
        self.listener.pid = 0;
        log::error!(
            "the listener has died: {} clients are served on, but nobody new is let in until it is started again",
            self.workers.children.len()
        );
        for pid in self.workers.children.keys().copied().collect::<Vec<_>>() {
            let first_seen = self.workers.first_seen.get(&pid).copied().unwrap_or(0);
            match started_at(pid) {
                // Whoever has the id and began after we had seen the worker is somebody else.
                Ok(started) if started <= first_seen => self.watch(pid, started),
                _ => self.worker_ended(pid),
            }
        }
        self.workers.listener_died_at = ticks_now();
        for slot in self.workers.slots() {
            self.release(slot);
        }
        self.wake_unreported();
        None
    }

    /// A listener that is killed while it makes a worker can tell nobody of it. Those are let link up, by which they are
    /// known. One that looks like it and is another backend's orphan links up with that.
    fn wake_unreported(&self) {
        for (pid, _) in ssmglobal_sys::titled(WORKER).filter(|(pid, _)| !self.workers.children.contains_key(pid)) {
            let Ok(process) = Process::open(pid) else { continue };
            // Looked at again: from here on it is the same process.
            if title_of(pid).is_some_and(|title| title.starts_with(WORKER))
                && !has_listener(pid)
                && let Err(error) = process.signal(Signal::SIGUSR1)
            {
                log::warn!("worker {pid}, of whom nobody has told, cannot be asked for a link: {error}");
            }
        }
    }

    /// Takes note of a worker that has linked up and that the listener which forked it could not tell of any more. Its
    /// word is taken for its number, when that could not be another's.
    pub(crate) fn find_unreported(&mut self, pid: i32, session: u64) -> bool {
        let Ok(started) = started_at(pid) else { return false };
        if self.workers.listener_died_at == 0
            || started > self.workers.listener_died_at
            || self.workers.children.contains_key(&pid)
            // The next one's, made in the same moment: its word is on its way.
            || has_listener(pid)
        {
            return false;
        }
        if session == 0 {
            return false;
        }
        // Another worker's, unless that one has handed it over and ended.
        let before = self.workers.children.values().find(|client| client.session == session).map(|client| client.pid);
        if let Some(before) = before {
            if !self.workers.watched.get(&before).is_some_and(|watched| watched.has_ended(before)) {
                return false;
            }
            self.worker_ended(before);
        }
        let address = title_of(pid).and_then(|title| address_in(title.strip_prefix(WORKER)?));
        let address = address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        let address = SocketAddr::new(address, 0);
        let client = Client { pid, session, door: 0, address, at: Time::now() };
        log::warn!("{}: worker {pid} was found, of whom the listener could not tell any more", address.ip());
        self.workers.children.insert(pid, client.clone());
        self.workers.first_seen.insert(pid, started);
        self.watch(pid, started);
        self.listener.tell(&ToListener::Found { client, started });
        true
    }

    /// Watches for the end of a worker that is not the listener's child.
    pub(super) fn watch(&mut self, pid: i32, started: u64) {
        if self.workers.watched.get(&pid).is_some_and(|watched| watched.started == started) {
            return;
        }
        let process = match Process::open_started(pid, started) {
            Ok(process) => Some(process),
            Err(error) if is_gone(&error) => return self.worker_ended(pid),
            Err(_) => None,
        };
        let watch = |process: &Process| {
            let token = Token(FIRST_WATCHED + pid.unsigned_abs() as usize);
            self.poll.registry().register(&mut SourceFd(&process.as_raw_fd()), token, Interest::READABLE)
        };
        let process = process.filter(|process| watch(process).is_ok());
        if process.is_none() {
            log::warn!("there is no descriptor left to watch worker {pid}");
        }
        self.workers.watched.insert(pid, Watched { started, process });
    }

    /// A descriptor of a watched worker is readable: it has ended.
    pub(super) fn watched_ended(&mut self, token: usize) {
        if let Ok(pid) = i32::try_from(token - FIRST_WATCHED) {
            self.worker_ended(pid);
        }
    }

    fn worker_ended(&mut self, pid: i32) {
        self.workers.watched.remove(&pid);
        self.workers.first_seen.remove(&pid);
        if self.listener.pid != 0 {
            // It counts, and says so to everybody.
            return self.listener.tell(&ToListener::Gone { pid });
        }
        self.workers.kicks.remove(&pid);
        self.workers.versions.forget(pid);
        if let Some(child) = self.workers.children.remove(&pid) {
            let counts = (self.workers.clients().count() as u32, self.workers.clients_max);
            let whose = self.whose(&child);
            self.has_disconnected(&whose, &child, WorkerEnd::UNSEEN, counts);
            if !self.workers.by_session.contains_key(&child.session) {
                self.session_over(child.session);
            }
        }
        // One that was to follow it may have linked up already.
        let held = |slot: &usize| self.session(*slot).is_some_and(|session| session.held.is_some());
        for slot in self.workers.by_pid.values().copied().filter(held).collect::<Vec<_>>() {
            self.release(slot);
        }
    }

    /// Lets a worker without a link make one, as the listener would.
    pub(crate) fn wake(&mut self, pid: i32) {
        if self.listener.pid != 0 {
            return self.listener.tell(&ToListener::Wake { pid });
        }
        let process = self.workers.watched.get(&pid).and_then(|watched| watched.process.as_ref());
        let woken = process.map_or(Err(Errno::ESRCH.into()), |process| process.signal(Signal::SIGUSR1));
        if let Err(error) = woken {
            log::error!("worker {pid} is told of it when the next listener is there: {error}");
        }
    }

    /// Becomes the handler of the listener that asks on this operator's connection.
    pub(crate) fn adopt(&mut self, operator: u64) -> Result<(), Failure> {
        // It may have died in this very moment; a worker that it was just making may hold its stream open still.
        if self.listener.pid != 0 && self.listener.has_ended() {
            let end = self.read_listener();
            if end.is_some() || (self.listener.pid != 0 && self.listener_gone().is_some()) {
                return Err(Failure::new(Code::Unavailable, "The handler is just ending; try again."));
            }
        }
        if self.listener.pid != 0 {
            let pid = self.listener.pid;
            return Err(Failure::new(
                Code::Exists,
                format!("The backend runs already; its listener is process {pid}."),
            ));
        }
        let gone = || Failure::new(Code::Unavailable, "The connection has ended.");
        let (stream, pid) = self.operators.release(operator, self.poll.registry()).ok_or_else(gone)?;
        let Some(kept) = self.listener.kept.take() else { return Err(gone()) };
        let given = self.give_back(&stream, &kept);
        self.listener.kept = Some(kept);
        match given {
            Ok(rest) => {
                self.listener.succeed(stream, pid, rest);
                self.tell_welcome();
                log::info!(
                    "the listener {pid} has adopted this handler and its {} clients",
                    self.workers.children.len()
                );
            }
            Err(error) => log::error!("a new listener could not adopt this handler: {error}"),
        }
        Ok(())
    }

    /// Sends everything that the next listener needs; gives what had no room.
    fn give_back(&mut self, stream: &UnixStream, kept: &ListenerState) -> io::Result<Vec<u8>> {
        let mut state = State::from(kept.state.clone());
        let last = self.workers.children.values().map(|client| client.session).max().unwrap_or(0);
        state.put(&Item::Run { run: self.workers.run, next: last + 1 });
        for pid in self.workers.watched.keys().copied().collect::<Vec<_>>() {
            if self.workers.watched.get(&pid).is_some_and(|watched| watched.has_ended(pid)) {
                self.worker_ended(pid);
            }
        }
        self.workers.versions.put(&mut state);
        for (pid, client) in &self.workers.children {
            let (version, started) =
                (self.workers.versions.place(*pid), self.workers.watched.get(pid).map(|watched| watched.started));
            state.put(&Item::Worker(Worker { client: Client::clone(client), version, started }));
        }
        let memory = ssmglobal_sys::sealed::sealed("state", &state.into_bytes())?;
        let fds: Vec<BorrowedFd<'_>> =
            std::iter::once(memory.as_fd()).chain(kept.fds.iter().map(AsFd::as_fd)).collect();
        let build = std::fs::metadata("/proc/self/exe").map_or((0, 0), |file| (file.dev(), file.ino()));
        let mut bytes = Vec::new();
        put_control(&mut bytes, &Answer::Adopted { version: ssmglobal_ipc::version().to_owned(), build });
        self.poll.registry().register(&mut SourceFd(&stream.as_raw_fd()), LISTENER, Interest::READABLE)?;
        let count = ssmglobal_sys::send_with(stream, &bytes, &fds)?;
        Ok(bytes.split_off(count))
    }
}
