//! Making a worker out of the listener.

use nix::errno::Errno;
use nix::libc;
use nix::unistd::Pid;

/// Which of the two processes this is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The process that was there; the child's id.
    Parent(Pid),
    /// The new process.
    Child,
}

/// How the parent hears of the child's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitSignal {
    /// `SIGCHLD`: several may come as one.
    Usual,
    /// A real-time signal: each is queued with the child's id, so that a parent of thousands need not ask the kernel to
    /// look through all of them; see [`Signals::catch_with_children`](crate::Signals::catch_with_children). Such a child
    /// is waited for with `__WALL`.
    Queued,
}

/// Forks. For processes with one thread; the child may then do whatever it likes.
///
/// # Errors
/// The kernel's, when no further process can be made (`EAGAIN`, `ENOMEM`); then nothing has changed.
pub fn fork(exit_signal: ExitSignal) -> nix::Result<Forked> {
    let signal = match exit_signal {
        ExitSignal::Usual => libc::SIGCHLD,
        ExitSignal::Queued => crate::signals::child_signal(),
    };
    const { assert!(!cfg!(target_arch = "s390x"), "clone(2) takes its arguments in another order there") };
    // SAFETY: without CLONE_VM this is fork(2), past the C library. What that would do in the child is to renew locks and
    // lists of threads; the callers have one thread (a test lists /proc/PID/task), whose locks are free, and it would
    // touch seven pages for it, which every idle worker would hold for itself. All arguments but the signal are zero, so
    // their order, which differs between machines, does not matter.
    let pid = unsafe { libc::syscall(libc::SYS_clone, signal, 0, 0, 0, 0) };
    match Errno::result(pid)? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(Pid::from_raw(i32::try_from(pid).map_err(|_| Errno::EOVERFLOW)?))),
    }
}

/// Ends this process at once, without the exit handlers that the parent has registered and that are not the child's
/// to run.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` only ends the process; what it leaves to the kernel are this process's own descriptors and memory.
    unsafe { libc::_exit(code) }
}
