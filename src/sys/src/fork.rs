//! Making a worker out of the listener.

use nix::unistd::{ForkResult, Pid};

/// Which of the two processes this is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The process that was there; the child's id.
    Parent(Pid),
    /// The new process.
    Child,
}

/// Forks. For processes with one thread; the child may then do whatever it likes.
///
/// # Errors
/// The kernel's, when no further process can be made (`EAGAIN`, `ENOMEM`); then nothing has changed.
pub fn fork() -> nix::Result<Forked> {
    // SAFETY: the only caller is the listener, which has a single thread (a test lists /proc/PID/task), so no lock
    // can be held by a thread that does not exist in the child.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Forked::Parent(child)),
        ForkResult::Child => Ok(Forked::Child),
    }
}

/// Ends this process at once, without the exit handlers that the parent has registered and that are not the child's
/// to run.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` only ends the process; what it leaves to the kernel are this process's own descriptors and memory.
    unsafe { nix::libc::_exit(code) }
}
