//! Signals as events: blocked, and read from a descriptor.

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// Blocked signals that arrive on a descriptor, for an event loop.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
    mask: SigSet,
}

/// The signal that a child made with [`ExitSignal::Queued`](crate::ExitSignal) ends with.
pub(crate) fn child_signal() -> i32 {
    libc::SIGRTMIN()
}

/// What has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// A signal that is no child's end.
    Signal(Signal),
    /// This child has ended, or changed otherwise.
    Child(Pid),
    /// This child has ended, and others may have: of several such signals the kernel keeps one.
    Children(Pid),
}

impl Signals {
    /// Blocks exactly these signals for the calling thread and makes a descriptor for them. Threads made later
    /// inherit the mask.
    ///
    /// # Errors
    /// The kernel's, when there is no descriptor left.
    pub fn catch(signals: &[Signal]) -> nix::Result<Signals> {
        Signals::with_mask(&signals.iter().copied().collect())
    }

    /// As [`Signals::catch`], and the ends of all children, however they were made.
    ///
    /// # Errors
    /// As [`Signals::catch`].
    pub fn catch_with_children(signals: &[Signal]) -> nix::Result<Signals> {
        let mask: SigSet = signals.iter().copied().chain([Signal::SIGCHLD]).collect();
        let mut mask = *mask.as_ref();
        // SAFETY: `mask` is an initialised set, and the number is one that the C library says is free.
        unsafe { libc::sigaddset(&raw mut mask, child_signal()) };
        // SAFETY: it was made from a valid set.
        Signals::with_mask(&unsafe { SigSet::from_sigset_t_unchecked(mask) })
    }

    fn with_mask(mask: &SigSet) -> nix::Result<Signals> {
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(mask), None)?;
        Ok(Signals { fd: SignalFd::with_flags(mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?, mask: *mask })
    }

    /// The next signal that has arrived; children's ends are passed over.
    ///
    /// # Errors
    /// The kernel's.
    pub fn next_signal(&self) -> nix::Result<Option<Signal>> {
        loop {
            match self.next_caught()? {
                Some(Caught::Signal(signal)) => return Ok(Some(signal)),
                Some(Caught::Child(_) | Caught::Children(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next signal or child's end that has arrived.
    ///
    /// # Errors
    /// The kernel's.
    pub fn next_caught(&self) -> nix::Result<Option<Caught>> {
        // The descriptor only tells that there is something: read from it, a real-time signal would not say which child
        // it is about.
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            // SAFETY: all zeros is a valid siginfo_t, which is plain data.
            let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
            // SAFETY: all three live across the call.
            let number = unsafe { libc::sigtimedwait(self.mask.as_ref(), &raw mut info, &raw const now) };
            match Errno::result(number) {
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
                Ok(number) if number == child_signal() || number == libc::SIGCHLD => {
                    // SAFETY: the kernel has filled it in for the end of a child.
                    let pid = Pid::from_raw(unsafe { info.si_pid() });
                    let queued = number == child_signal();
                    return Ok(Some(if queued { Caught::Child(pid) } else { Caught::Children(pid) }));
                }
                Ok(number) => {
                    if let Ok(signal) = Signal::try_from(number) {
                        return Ok(Some(Caught::Signal(signal)));
                    }
                }
            }
        }
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
