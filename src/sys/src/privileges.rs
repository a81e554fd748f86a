//! Giving up what a process may do, for ever: another user, no capabilities, no further files. Runs in a worker after the
//! fork, and in the handler at its start.
//!
//! Straight to the kernel: the C library's own versions look through lists of threads, which are the listener's in a
//! worker (see `fork.rs`).

use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::Resource;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Whom a process runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// The user.
    pub user: u32,
    /// The group; there are no others beside it.
    pub group: u32,
}

/// Becomes this user, with this group and no others, and cannot go back. For a process with one thread.
///
/// # Errors
/// The kernel's, when that is not allowed; the groups may be gone then.
#[inline(always)]
pub fn become_user(ids: Ids) -> io::Result<()> {
    let Ids { user, group } = ids;
    // SAFETY: each of these takes plain numbers (no list of groups is read when its length is 0) and changes who this
    // process is.
    unsafe {
        Errno::result(libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()))?;
        Errno::result(libc::syscall(libc::SYS_setresgid, group, group, group))?;
        Errno::result(libc::syscall(libc::SYS_setresuid, user, user, user))?;
    }
    Ok(())
}

/// `_LINUX_CAPABILITY_VERSION_3`, with two words for each set.
const CAPABILITIES: u32 = 0x2008_0522;

/// Gives up all capabilities, also those that a supervisor has given to an ordinary user.
///
/// # Errors
/// The kernel's.
#[inline(always)]
pub fn drop_capabilities() -> io::Result<()> {
    let header: [u32; 2] = [CAPABILITIES, 0];
    let none = [[0_u32; 3]; 2];
    // SAFETY: both are laid out as capset(2) says and live across the call; 0 is this process.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) })?;
    Ok(())
}

/// Lets this process take so much of something, and never more.
///
/// # Errors
/// The kernel's.
#[inline(always)]
pub fn limit(what: Resource, most: u64) -> io::Result<()> {
    let limit = libc::rlimit64 { rlim_cur: most, rlim_max: most };
    let none = std::ptr::null_mut::<libc::rlimit64>();
    // SAFETY: it reads the two numbers; 0 is this process.
    Errno::result(unsafe { libc::syscall(libc::SYS_prlimit64, 0, what as libc::c_int, &raw const limit, none) })?;
    Ok(())
}

/// Lets this process be killed as soon as its parent ends, before anybody is told of that. To be called after whatever else makes
/// the process somebody else: the kernel forgets it then.
///
/// # Errors
/// The kernel's.
pub fn end_with_parent() -> io::Result<()> {
    Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?)
}

/// Makes this process a thing that others of its user cannot look into: no core, no `ptrace`, its files in `/proc` are
/// root's.
///
/// # Errors
/// The kernel's.
#[inline(always)]
pub fn become_opaque() -> io::Result<()> {
    Ok(nix::sys::prctl::set_dumpable(false)?)
}

/// Gives up all that a landlock ruleset handles and has no rule for. The process must have given up new privileges.
///
/// # Errors
/// The kernel's.
#[inline(always)]
pub fn restrict_self(ruleset: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: it takes a descriptor, which is open, and flags.
    Errno::result(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) })?;
    Ok(())
}

/// Lets the standard input, output and error of this process be what `null` is.
///
/// # Errors
/// The kernel's.
#[inline(always)]
pub fn no_standard_streams(null: BorrowedFd<'_>) -> io::Result<()> {
    for standard in 0..3 {
        // SAFETY: the three belong to nobody in particular, and whatever is written to them from now on goes nowhere.
        Errno::result(unsafe { libc::syscall(libc::SYS_dup3, null.as_raw_fd(), standard, 0) })?;
    }
    Ok(())
}

/// Lets the standard library print no backtrace when it gives up for want of memory: it would open files for that. For a
/// process with one thread.
pub fn no_backtraces() {
    for name in [c"RUST_BACKTRACE", c"RUST_LIB_BACKTRACE"] {
        // Past the standard library, whose lock lies in a page that a worker need not have for itself.
        // SAFETY: there is one thread, so nobody else reads or changes the environment meanwhile.
        unsafe {
            if !libc::getenv(name.as_ptr()).is_null() {
                libc::unsetenv(name.as_ptr());
            }
        }
    }
}
