//! Children that have ended: workers, the handler, whoever checks another program. Runs in the listener.

use super::children::Naming;
use super::{Listener, penalties};
use crate::print;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use ssmglobal_config::network;
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_ipc::control::{Blocked, ToHandler};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Starts of the first handler: the one of a listener that was killed may need a moment to let go of the database.
const FIRST_TRIES: u32 = 4;

impl Listener {
    /// Takes note of a child that has ended.
    pub(super) fn reap(&mut self, pid: Pid) -> Option<ExitCode> {
        let status = ended_with(pid)?;
        self.ended(pid, status)
    }

    /// Takes note of a child that has ended, and of all others whose signal this one may have hidden.
    #[inline(never)]
    pub(super) fn reap_several(&mut self, pid: Pid) -> Option<ExitCode> {
        if self.children.has_forked_before_upgrade() {
            while let Some((pid, status)) = any_ended() {
                if let Some(code) = self.ended(pid, status) {
                    return Some(code);
                }
            }
            return None;
        }
        let others = [Some(pid), self.handler.pid(), self.handler.before(), self.checker()];
        others.into_iter().flatten().find_map(|pid| self.reap(pid))
    }

    /// A child has ended in this way.
    fn ended(&mut self, pid: Pid, status: i32) -> Option<ExitCode> {
        if self.handler.is(pid) {
            return self.handler_ended(Some(status));
        }
        if self.nursery.is(pid) {
            self.end_zygote(Some(status));
            return None;
        }
        if self.handler.before() == Some(pid) {
            self.handler.forget_before();
            self.tell_of_end(Some(status));
            return None;
        }
        match self.checker() == Some(pid) {
            true => self.check_ended(status),
            false => self.child_ended(pid, status),
        }
        None
    }

    /// Looks for workers whose end nobody was told of: the kernel queues only so many signals.
    pub(super) fn reap_forgotten(&mut self) {
        self.reap_ended(self.children.pids().collect());
    }

    /// The same among these.
    pub(super) fn reap_ended(&mut self, pids: Vec<Pid>) {
        for pid in pids {
            if let Some(status) = ended_with(pid) {
                self.child_ended(pid, status);
            } else if self.children.has_ended(pid) {
                self.child_ended(pid, WorkerEnd::UNSEEN.0);
            }
        }
    }

    pub(super) fn child_ended(&mut self, pid: Pid, status: i32) {
        if self.one_of_two_ended(pid, status) {
            return;
        }
        self.knows(pid);
        let Some((naming, place)) = self.children.remove(pid) else { return };
        if naming == Naming::Named {
            self.punish(place.address, WorkerEnd(status));
            let (count, max) = (self.children.served(), self.inherited.settings.limits.clients);
            self.handler.tell(&ToHandler::Exited { pid: pid.as_raw(), status, count, max });
        } else {
            self.unnamed_ended(pid, &place, WorkerEnd(status));
        }
    }

    /// What a worker's end costs its client's address.
    pub(super) fn punish(&mut self, address: SocketAddr, end: WorkerEnd) {
        let limits = &self.inherited.settings.limits;
        let [first, longest] = [limits.penalty_seconds, limits.penalty_max_seconds].map(Duration::from_secs);
        let rule = penalties::Rule { first, longest };
        if let Some(wait) = self.penalties.ended(address.ip(), end, Instant::now(), rule) {
            let (network, seconds) = (network(address.ip()), wait.as_secs());
            self.handler.tell(&ToHandler::Blocked(Blocked { network, seconds, status: end.0 }));
        }
    }

    /// The handler has ended; how is not known of one that another listener has started.
    pub(super) fn handler_ended(&mut self, status: Option<i32>) -> Option<ExitCode> {
        // Its last words may still lie in the socket.
        let said = self.handler.read();
        let asked = self.handler.ends_by().is_some();
        self.handler.died(Instant::now());
        if let Some(code) = self.on_said(said) {
            return Some(code);
        }
        if asked {
            self.start_handler();
            return None;
        }
        if !self.opened && self.handler.failures() >= FIRST_TRIES {
            // A supervisor that wants it tried again knows better when.
            print::note(&format!("ssmglobal: not started: the handler has ended ({})", ended(status)));
            return Some(ExitCode::FAILURE);
        }
        self.tell_of_end(status);
        if self.handler.start_at().is_some_and(|at| at <= Instant::now()) {
            self.start_handler();
        }
        None
    }

    fn tell_of_end(&mut self, status: Option<i32>) {
        let wait = self.handler.start_at().map_or(0, |at| at.saturating_duration_since(Instant::now()).as_secs());
        print::note(&format!(
            "ssmglobal: the handler has ended ({}); it is started again{}",
            ended(status),
            in_seconds(wait)
        ));
        self.handler.log(2, format!("the handler before this one has ended ({})", ended(status)));
    }
}

/// How something has ended, in words.
pub fn ended(status: Option<i32>) -> String {
    let Some(status) = status else { return "nobody knows how".to_owned() };
    match Signal::try_from(-status) {
        Ok(signal) if status < 0 => format!("killed by {signal}"),
        _ => format!("exit code {status}"),
    }
}

fn in_seconds(seconds: u64) -> String {
    if seconds == 0 { " at once".into() } else { format!(" in {seconds} seconds") }
}

/// How a child that has ended did so: its exit code, or the negated signal; nothing when it has not.
pub fn ended_with(pid: Pid) -> Option<i32> {
    waited(pid).map(|(_, status)| status)
}

/// Waits for the end of a child; how it was. Nothing for one that was waited for.
pub fn wait_for(pid: Pid) -> Option<i32> {
    loop {
        match waitpid(pid, Some(WaitPidFlag::__WALL)) {
            Err(Errno::EINTR) => {}
            result => return status_of(result.ok()?).map(|(_, status)| status),
        }
    }
}

/// Some child that has ended, and how.
pub fn any_ended() -> Option<(Pid, i32)> {
    waited(Pid::from_raw(-1))
}

fn waited(pid: Pid) -> Option<(Pid, i32)> {
    status_of(waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)).ok()?)
}

fn status_of(status: WaitStatus) -> Option<(Pid, i32)> {
    match status {
        WaitStatus::Exited(pid, code) => Some((pid, code)),
        WaitStatus::Signaled(pid, signal, _) => Some((pid, -(signal as i32))),
        _ => None,
    }
}
