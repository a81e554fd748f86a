//! The stream to the listener: which workers there are, what is to be logged, new settings. Part of the event loop. What is
//! done when the listener is gone is in `without_listener.rs`.

use super::{End, EventLoop};
use crate::lock::lock;
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_ipc::control::{ToHandler, ToListener};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_sys::{Process, ticks_now};
use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// What the listener has given away, so that the next one can go on where it was.
pub struct ListenerState {
    /// The beginning of a state.
    pub state: Vec<u8>,
    /// The descriptors that it names.
    pub fds: Vec<OwnedFd>,
}

/// The stream to the listener. What is said to it is little, and it always reads: there is room.
pub struct ListenerLink {
    /// The socket; without a listener it is one that nobody reads from.
    pub stream: UnixStream,
    /// What has come and is not whole yet.
    pub reader: FrameReader,
    /// Descriptors that have come and were not spoken of yet.
    fds: Vec<OwnedFd>,
    /// For the next one.
    pub(super) kept: Option<ListenerState>,
    /// Its process id; 0 when there is none.
    pub pid: i32,
    process: Option<Process>,
    /// Handlers that have died since its start.
    pub(super) deaths: u64,
    out: Vec<u8>,
}

impl ListenerLink {
    /// Takes over the socket, which the listener with this process id has made.
    pub fn new(stream: UnixStream, pid: i32) -> ListenerLink {
        let (reader, fds, out) = (FrameReader::new(), Vec::new(), Vec::new());
        ListenerLink { stream, reader, fds, kept: None, pid, process: Process::open(pid).ok(), deaths: 0, out }
    }

    /// Whether its process has ended.
    pub fn has_ended(&self) -> bool {
        self.process.as_ref().is_some_and(Process::has_ended)
    }

    /// Reads once.
    ///
    /// # Errors
    /// The kernel's; `WouldBlock` when there is nothing, `UnexpectedEof` when the listener is gone.
    pub fn fill(&mut self) -> io::Result<()> {
        let (stream, fds) = (&self.stream, &mut self.fds);
        let (count, _) = self.reader.fill(|buffer| {
            let received = ssmglobal_sys::receive(stream, buffer)?;
            fds.extend(received.fds);
            Ok(received.count)
        })?;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Tells the listener something.
    pub fn tell(&mut self, message: &ToListener) {
        if self.pid == 0 {
            return;
        }
        put_control(&mut self.out, message);
        self.flush();
    }

    /// Tells the listener something that comes with a descriptor.
    ///
    /// # Errors
    /// The kernel's, or it does not read; it was not told then.
    pub fn tell_with(&mut self, message: &ToListener, fd: impl AsFd) -> io::Result<()> {
        self.flush();
        if !self.out.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut bytes = Vec::new();
        put_control(&mut bytes, message);
        let count = ssmglobal_sys::send_with(&self.stream, &bytes, &[fd.as_fd()])?;
        self.out.extend(bytes.into_iter().skip(count));
        Ok(())
    }

    /// Another listener goes on; `out` is what it is to be told first. What is kept stays until it says so.
    pub(super) fn succeed(&mut self, stream: UnixStream, pid: i32, out: Vec<u8>) {
        let kept = self.kept.take();
        *self = ListenerLink { kept, out, ..ListenerLink::new(stream, pid) };
    }

    fn flush(&mut self) {
        // Full: goes with the next word. Gone: reading notices.
        let _ = ssmglobal_sys::write_out(&mut self.stream, &mut self.out);
    }

    /// Takes note of what is to be kept, and where the log goes from now on.
    fn keep(&mut self, state: Vec<u8>, descriptors: u32) {
        let rest = self.fds.split_off(self.fds.len().min(descriptors as usize));
        let fds = std::mem::replace(&mut self.fds, rest);
        self.kept = Some(ListenerState { state, fds });
        // The listener's standard error; whoever reads it may have been started anew with the listener.
        if !self.fds.is_empty()
            && let Err(error) = nix::unistd::dup2_stderr(self.fds.remove(0))
        {
            log::warn!("the log stays where it was: {error}");
        }
    }
}

impl EventLoop {
    pub(super) fn read_listener(&mut self) -> Option<End> {
        loop {
            loop {
                let message = match self.listener.reader.next_frame() {
                    Ok(Some(frame)) => frame.control::<ToHandler>(),
                    Ok(None) => break,
                    Err(error) => {
                        log::error!("the listener sent {error}");
                        return self.listener_gone();
                    }
                };
                match message {
                    Ok(ToHandler::Stop) => return Some(End::Asked),
                    Ok(message) => self.listener_says(message),
                    Err(error) => log::error!("the listener sent {error}"),
                }
            }
            match self.listener.fill() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.listener_gone(),
            }
        }
    }

    pub(super) fn listener_says(&mut self, message: ToHandler) {
        match message {
            ToHandler::Clients { clients, max } => {
                self.workers.clients_max = max;
                let living = clients.iter().map(|client| client.session).collect();
                let closed = self.end_logins_but(&living);
                self.closed_unseen.extend(closed);
                lock(&self.shared.kept).retain(&living);
                self.workers.evicted.retain(|session| living.contains(session));
                self.workers.told.retain(|session, _| living.contains(session));
                self.revoked.retain(|session, _| living.contains(session));
                self.voided.retain(|session, _| living.contains(session));
                self.answered.retain(&living);
                let pids: HashSet<i32> = clients.iter().map(|client| client.pid).collect();
                self.workers.links.retain(|pid, _| pids.contains(pid));
                self.workers.children = clients.into_iter().map(|client| (client.pid, client)).collect();
                self.workers.panicked.retain(|pid| self.workers.children.contains_key(pid));
                let now = ticks_now();
                self.workers.first_seen = self.workers.children.keys().map(|pid| (*pid, now)).collect();
                for slot in self.workers.slots() {
                    self.release(slot);
                }
                self.settle_unknown();
            }
            ToHandler::Joined { client: child, count, max } => {
                self.workers.clients_max = max;
                self.has_connected(&child, count, max);
                let pid = child.pid;
                self.workers.children.insert(pid, child);
                if let Some(slot) = self.workers.by_pid.get(&pid).copied() {
                    self.release(slot);
                }
                self.workers.first_seen.insert(pid, ticks_now());
                self.settle_unknown();
            }
            ToHandler::Exited { pid, status, count, max } => {
                self.workers.kicks.remove(&pid);
                let Some(child) = self.workers.forget(pid) else { return };
                let (whose, end) = (self.whose(&child), WorkerEnd(status));
                self.last_words(pid, child.session);
                if !self.workers.by_session.contains_key(&child.session) {
                    self.session_over(child.session);
                }
                self.workers.evicted.remove(&child.session);
                self.recovery.is_gone(child.session);
                self.revoked.remove(&child.session);
                self.voided.remove(&child.session);

                self.has_disconnected(&whose, &child, end, (count, max));
                if !end.is_in_order() {
                    let address = ssmglobal_config::shown(child.address);
                    log::warn!(target: "listener", "{address}: worker {pid} has ended: {end}");
                }
            }
            ToHandler::Moved { from, client } => self.moved(from, client),
            // Both were seen to before.
            ToHandler::Stop | ToHandler::Run { .. } => {}
            ToHandler::Log { level, text } => {
                log::log!(target: "listener", crate::logging::level(level), "{}", ssmglobal_ipc::clean(&text));
            }
            ToHandler::Reload { settings } => match postcard::from_bytes::<ssmglobal_config::Settings>(&settings) {
                Ok(settings) => self.reload(settings),
                Err(error) => log::error!("the listener sent settings that cannot be read: {error}"),
            },
            ToHandler::Keep { state, descriptors } => self.listener.keep(state, descriptors),
            ToHandler::Refused { address, door, why } => self.was_refused(address, door, why),
            ToHandler::Blocked(blocked) => self.is_blocked(blocked),
            ToHandler::AllBlocked { asker, blocked } => self.tell_penalties(asker, blocked),
            ToHandler::LetIn { asker, count } => self.penalties_cleared(asker, count),
            ToHandler::Versions { versions, others } => self.workers.versions.set(versions, others),
            ToHandler::Deaths { count } => self.listener.deaths = count,
            ToHandler::Watch { workers } => {
                for worker in workers {
                    self.watch(worker.pid, worker.started);
                }
            }
        }
    }
}
