//! Ending the backend: every client gets one line, the handler saves everything, then the listener goes.

use super::{CONTROL, Listener, ended_with};
use mio::Events;
use nix::sys::signal::{Signal, kill};
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_sys::Caught;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Time for the workers to say goodbye.
const WORKERS: Duration = Duration::from_secs(5);

/// Time for the handler to write what waits.
const HANDLER: Duration = Duration::from_secs(60);

/// Ends everything in order.
///
/// # Errors
/// The kernel's, from waiting for events.
pub fn stop(listener: &mut Listener) -> io::Result<ExitCode> {
    // Not asked for by a supervisor: nothing to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    listener.doors = super::Doors::none();
    for pid in listener.children.pids() {
        // One that has ended already is about to be noticed.
        let _ = kill(pid, Signal::SIGTERM);
    }
    wait(listener, Instant::now() + WORKERS, |listener| listener.children.count() == 0)?;
    for pid in listener.children.pids() {
        let _ = kill(pid, Signal::SIGKILL);
    }
    if listener.handler.pid().is_some() {
        listener.handler.tell(&ToHandler::Stop);
        wait(listener, Instant::now() + HANDLER, |listener| listener.handler.pid().is_none())?;
    }
    match listener.handler.pid() {
        None => Ok(ExitCode::SUCCESS),
        Some(pid) => {
            crate::print::note("ssmglobal: the handler does not end; it is killed. What was acknowledged is saved.");
            let _ = kill(pid, Signal::SIGKILL);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Waits for children to end until `done`, or the time is up.
fn wait(listener: &mut Listener, until: Instant, done: impl Fn(&Listener) -> bool) -> io::Result<()> {
    let mut events = Events::with_capacity(64);
    loop {
        // First: what came together with the signal to stop was not looked at yet.
        while let Some(caught) = listener.signals.next_caught()? {
            let Caught::Child(pid) = caught else { continue };
            let Some(status) = ended_with(pid) else { continue };
            if listener.handler.is(pid) {
                listener.handler.died(Instant::now());
            } else {
                listener.child_ended(pid, status);
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if done(listener) || left.is_zero() {
            return Ok(());
        }
        let (children, max) = (&listener.children, listener.settings.limits.clients);
        listener.handler.flush(children, max, listener.poll.registry(), CONTROL);
        match listener.poll.poll(&mut events, Some(left)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
}
