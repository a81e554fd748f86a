//! Processes that are not, or may not be, this one's children: waited for and signalled without ever meeting a stranger
//! that has got the same id.

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A process, held by a descriptor: it stays the same one, whatever becomes of its id. The descriptor is readable once the
/// process has ended.
#[derive(Debug)]
pub struct Process(OwnedFd);

impl Process {
    /// Whoever has this id now.
    ///
    /// # Errors
    /// `ESRCH` when nobody has; `EMFILE` or `ENFILE` without a free descriptor.
    pub fn open(pid: i32) -> io::Result<Process> {
        // SAFETY: the call only looks at its arguments.
        let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
        let fd = RawFd::try_from(fd).map_err(|_| Errno::EBADF)?;
        // SAFETY: the kernel has just made it for this process, close-on-exec, and nobody else knows it.
        Ok(Process(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The process that has this id now, if it is the one that was [started](started_at) then.
    ///
    /// # Errors
    /// As [`Process::open`], `ESRCH` also for another one.
    pub fn open_started(pid: i32, started: u64) -> io::Result<Process> {
        // Opened first: what is looked at after it is the same process, or it has ended.
        let process = Process::open(pid)?;
        match started_at(pid) {
            Ok(found) if found == started => Ok(process),
            _ => Err(Errno::ESRCH.into()),
        }
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// `ESRCH` when it has ended and was waited for; `EPERM` when it is another user's.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let none = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: without a siginfo_t the call reads nothing of this process's memory.
        let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal as i32, none, 0) };
        Errno::result(sent)?;
        Ok(())
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        crate::is_readable(&self.0)
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Process {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The number of the field in /proc/PID/stat, counted from the one after the command's name.
const START: usize = 19;

/// When the process with this id was started, in ticks since the machine was: with the id it names a process for good.
///
/// # Errors
/// There is none, or this user may not look at it.
pub fn started_at(pid: i32) -> io::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "a strange /proc/PID/stat");
    let (_, fields) = stat.rsplit_once(") ").ok_or_else(strange)?;
    fields.split_ascii_whitespace().nth(START).and_then(|field| field.parse().ok()).ok_or_else(strange)
}

/// How long the machine runs, in the ticks of [`started_at`], rounded up: whoever was started later is somebody else.
pub fn ticks_now() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME)
        .unwrap_or_else(|_| nix::sys::time::TimeSpec::new(0, 0));
    // A tick of /proc is a hundredth of a second on every machine of today.
    let (seconds, nanoseconds) = (u64::try_from(now.tv_sec()).unwrap_or(0), u64::try_from(now.tv_nsec()).unwrap_or(0));
    seconds * 100 + nanoseconds / 10_000_000 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start() {
        let me = std::process::id().cast_signed();
        let started = started_at(me).unwrap();
        assert!(started > 0 && started <= ticks_now());
        assert!(!Process::open_started(me, started).unwrap().has_ended());
        assert_eq!(Process::open_started(me, started + 1).unwrap_err().raw_os_error(), Some(libc::ESRCH));
    }

    #[test]
    fn an_end_is_seen_and_a_signal_reaches_nobody_else() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::open(child.id().cast_signed()).unwrap();
        assert!(!process.has_ended());
        process.signal(Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        assert!(process.has_ended());
        assert_eq!(process.signal(Signal::SIGKILL).unwrap_err().raw_os_error(), Some(libc::ESRCH));
    }
}
