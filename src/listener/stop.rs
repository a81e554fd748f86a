//! Ending the backend: every client gets one line, the handler saves everything, then the listener goes.

use super::Listener;
use super::handler::{DRAIN, Said};
use super::moves::signal_all;
use super::reap::{any_ended, ended_with};
use mio::Events;
use nix::sys::signal::Signal;
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_sys::Caught;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Time for the workers to say goodbye.
const WORKERS: Duration = Duration::from_secs(5);

/// Ends everything in order.
///
/// # Errors
/// The kernel's, from waiting for events.
pub fn stop(listener: &mut Listener) -> io::Result<ExitCode> {
    // Not asked for by a supervisor: nothing to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    listener.doors.close();
    listener.give_up_check();
    signal_all(&listener.children, &listener.moves, Signal::SIGTERM);
    wait(listener, Instant::now() + WORKERS, |listener| listener.children.count() == 0)?;
    signal_all(&listener.children, &listener.moves, Signal::SIGKILL);
    if listener.handler.pid().is_some() {
        listener.handler.tell(&ToHandler::Stop);
        wait(listener, Instant::now() + DRAIN, |listener| listener.handler.pid().is_none())?;
    }
    match listener.handler.pid() {
        None => Ok(ExitCode::SUCCESS),
        Some(_) => {
            crate::print::note("ssmglobal: the handler does not end; it is killed. What was acknowledged is saved.");
            listener.handler.kill();
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
            let ends = match caught {
                Caught::Signal(_) => continue,
                Caught::Child(pid) => ended_with(pid).map(|status| (pid, status)).into_iter().collect(),
                Caught::Children(_) => std::iter::from_fn(any_ended).collect::<Vec<_>>(),
            };
            for (pid, status) in ends {
                if listener.handler.is(pid) {
                    listener.handler.died(Instant::now());
                } else {
                    listener.child_ended(pid, status);
                }
            }
        }
        for said in listener.handler.read() {
            if let Said::Gone(pid) = said {
                listener.child_ended(pid, 0);
            }
        }
        if listener.handler.has_ended() {
            listener.handler.died(Instant::now());
        }
        let left = until.saturating_duration_since(Instant::now());
        if done(listener) || left.is_zero() {
            return Ok(());
        }
        listener.flush();
        match listener.poll.poll(&mut events, Some(left)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
}
