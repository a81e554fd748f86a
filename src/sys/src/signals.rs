//! Signals as events: blocked, and read from a descriptor.

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// Blocked signals that arrive on a descriptor, for an event loop.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Blocks exactly these signals for the calling thread and makes a descriptor for them. Threads made later
    /// inherit the mask.
    ///
    /// # Errors
    /// The kernel's, when there is no descriptor left.
    pub fn catch(signals: &[Signal]) -> nix::Result<Signals> {
        let mask: SigSet = signals.iter().copied().collect();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&mask), None)?;
        Ok(Signals { fd: SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)? })
    }

    /// The next signal that has arrived.
    ///
    /// # Errors
    /// The kernel's.
    pub fn next_signal(&self) -> nix::Result<Option<Signal>> {
        Ok(self.fd.read_signal()?.and_then(|info| Signal::try_from(info.ssi_signo as i32).ok()))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_fd().as_raw_fd()
    }
}

/// Gives the signals that this project handles anywhere their usual meaning back, ignores those in `ignored`, and
/// blocks none: for a forked child, which must not inherit its parent's ideas.
///
/// # Errors
/// The kernel's.
pub fn default_signals(ignored: &[Signal]) -> nix::Result<()> {
    const OURS: [Signal; 7] = [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGCHLD,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGPIPE,
    ];
    for signal in OURS {
        let handler = if ignored.contains(&signal) { SigHandler::SigIgn } else { SigHandler::SigDfl };
        let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
        // SAFETY: neither SIG_DFL nor SIG_IGN runs any code of ours.
        unsafe { sigaction(signal, &action) }?;
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
}
