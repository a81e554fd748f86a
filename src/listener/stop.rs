//! Ending the backend: every client gets one line, the handler saves everything, then the listener goes. Runs in the
//! listener.

use super::Listener;
use super::handler::{DRAIN, Said};
use super::moves::signal_all;
use super::reap::{any_ended, ended_with};
use crate::print;
use nix::sys::signal::Signal;
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_sys::{Caught, Turn};
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Time for the workers to say goodbye.
const WORKERS: Duration = Duration::from_secs(5);

/// Time for those that were killed to be gone.
const KILLED: Duration = Duration::from_secs(1);

impl Listener {
    /// Ends everything in order.
    ///
    /// # Errors
    /// The kernel's, from waiting for events.
    pub(super) fn stop(&mut self) -> io::Result<ExitCode> {
        // Not asked for by a supervisor: nothing to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        // First: whoever has come gets a worker, which tells him.
        self.renew_zygote();
        self.doors.close();
        self.give_up_check();
        signal_all(&self.children, &self.moves, Signal::SIGTERM);
        self.wait(Instant::now() + WORKERS, |listener| listener.children.is_empty())?;
        signal_all(&self.children, &self.moves, Signal::SIGKILL);
        // The handler is to hear of their ends as well.
        self.wait(Instant::now() + KILLED, |listener| listener.children.is_empty())?;
        if self.handler.pid().is_some() {
            self.handler.tell(&ToHandler::Stop);
            self.wait(Instant::now() + DRAIN, |listener| listener.handler.pid().is_none())?;
        }
        match self.handler.pid() {
            None => Ok(ExitCode::SUCCESS),
            Some(_) => {
                print::note("ssmglobal: the handler does not end; it is killed. What was acknowledged is saved.");
                self.handler.kill();
                Ok(ExitCode::FAILURE)
            }
        }
    }

    /// Waits for children to end until `done`, or the time is up.
    fn wait(&mut self, until: Instant, done: impl Fn(&Listener) -> bool) -> io::Result<()> {
        let mut turn = Turn::new();
        loop {
            // First: what came together with the signal to stop was not looked at yet.
            while let Some(caught) = self.inherited.signals.next_caught()? {
                let ends = match caught {
                    Caught::Signal(_) => continue,
                    Caught::Child(pid) => ended_with(pid).map(|status| (pid, status)).into_iter().collect(),
                    Caught::Children(_) => std::iter::from_fn(any_ended).collect::<Vec<_>>(),
                };
                for (pid, status) in ends {
                    if self.handler.is(pid) {
                        self.handler.died(Instant::now());
                    } else {
                        self.child_ended(pid, status);
                    }
                }
            }
            for said in self.handler.read() {
                if let Said::Gone(pid) = said {
                    self.child_ended(pid, WorkerEnd::UNSEEN.0);
                }
            }
            if self.handler.has_ended() {
                self.handler.died(Instant::now());
            }
            let left = until.saturating_duration_since(Instant::now());
            if done(self) || left.is_zero() {
                return Ok(());
            }
            self.flush();
            self.watchdog.tell(Instant::now());
            let notify_in = self.watchdog.at().map(|at| at.saturating_duration_since(Instant::now()));
            turn.wait(&self.poll, Some(notify_in.map_or(left, |notify_in| notify_in.min(left))))?;
        }
    }
}
