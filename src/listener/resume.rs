//! How a program begins that another one has called in order to be followed by it: `resume` goes on in the process of the
//! listener, `resume-check` only says, in a process of its own, whether that could be done.

use super::handover::Taken;
use super::source::{self, Asked};
use super::upgrade::{FIT, resumed_args};
use super::{CONTROL, HANDLER_END, Listener};
use crate::cli::Cli;
use crate::print;
use ssmglobal_ipc::handover::{MOST, items};
use ssmglobal_sys::keep_stack;
use ssmglobal_sys::sealed::read_sealed;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

/// Goes on as the listener.
pub fn resume(args: Vec<OsString>) -> ExitCode {
    match keep_stack(|| begin(args)?.serve_unforked()) {
        Ok(code) => code,
        Err(error) => {
            print::note(&format!("ssmglobal: the upgrade has failed; start the backend again: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn begin(args: Vec<OsString>) -> io::Result<Listener> {
    let strange = || io::Error::other("this is not to be typed");
    let (lists, args) = resumed_args(args, 2).ok_or_else(strange)?;
    let [state, fds] = <[Vec<i32>; 2]>::try_from(lists).map_err(|_| strange())?;
    let [state] = <[i32; 1]>::try_from(state).map_err(|_| strange())?;
    let memory = ssmglobal_sys::take(state)?;
    let fds = fds.into_iter().map(ssmglobal_sys::take).collect::<io::Result<Vec<_>>>()?;
    let taken = Taken::read(memory, fds)?;
    match source::read(&args)? {
        Asked::Run(found) => Listener::resuming(*found, args, taken),
        _ => Err(io::Error::other("something is wrong with the settings")),
    }
}

/// Says whether this program could go on as the listener.
pub fn check(args: Vec<OsString>) -> ExitCode {
    match fits(args) {
        Ok(()) => {
            // Whoever asked reads it, or has lost interest.
            let _ = print::out(&format!("{FIT}{}\n", ssmglobal_ipc::version()));
            ExitCode::SUCCESS
        }
        Err(why) => {
            print::note(&why);
            ExitCode::FAILURE
        }
    }
}

fn fits(args: Vec<OsString>) -> Result<(), String> {
    let (lists, args) = resumed_args(args, 1).ok_or("this is not to be typed")?;
    let state = *lists.iter().flatten().next().ok_or("this is not to be typed")?;
    let state = ssmglobal_sys::take(state).and_then(|memory| read_sealed(memory, MOST));
    items(&state.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    let found = source::find(&Cli::read(&args))
        .map_err(|wrong| format!("the settings do not hold for this program: {}", wrong.join("; ")))?;
    // As whom it will be read from then on: what lies there is that user's.
    if let Some(ids) = found.users.handler() {
        ssmglobal_sys::become_user(ids).map_err(|error| error.to_string())?;
    }
    let database = found.settings.data.join(ssmglobal_handler::DATABASE);
    ssmglobal_store::fits(&database).map_err(|error| error.to_string())
}

impl Listener {
    /// Goes on with what the program before this one has left in this process. No signal is let through meanwhile: those
    /// of children that end are waiting already.
    #[inline(never)]
    fn resuming(found: source::Found, args: Vec<OsString>, mut taken: Taken) -> io::Result<Listener> {
        let (handler, upgrade) = (taken.handler.take(), taken.upgrade.take());
        let mut listener = Listener::taking_over(found, args, taken)?;
        if let Some(held) = upgrade {
            listener.finish_upgrade(held);
        }
        listener.open_doors();
        if let Some(held) = handler {
            listener.handler.adopt(held, listener.poll.registry(), [CONTROL, HANDLER_END])?;
            listener.drain_handler();
        }
        Ok(listener)
    }
}
