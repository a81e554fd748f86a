//! A backend that is about to serve: waits for its socket, by what the kernel tells of the directories, and never longer than
//! it may.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::wait::wait_for;

/// How long a backend that starts may take, where nobody has said otherwise: a large database is looked through first.
pub const STARTING: Duration = Duration::from_secs(30);

/// Between the end of a handler and the lock of the next one nothing tells that it comes.
const BETWEEN: Duration = Duration::from_millis(500);

/// How long after an event something may still be about to happen.
const SETTLES: Duration = Duration::from_millis(100);

/// Bytes of the kernel's list of locks that are read.
const LOCKS: u64 = 4 << 20;

/// How long to wait where nothing but the place tells: a handler that has the database open but not its socket is starting, and
/// a socket at which nobody listens belonged to one that has just died, perhaps.
pub fn patience(data: &Path, begun: bool) -> Duration {
    match (begun, data.join(ssmglobal_handler::CTL_SOCKET).exists()) {
        (true, _) => STARTING,
        (false, true) => BETWEEN,
        (false, false) => Duration::ZERO,
    }
}

/// Tries this again whenever something has happened at the place where the socket is to be, until it gives something else than
/// `None`, or the time is up; or, where one has `begun`, which had the database open at first, until it has not.
///
/// # Errors
/// The kernel's: nothing can be watched.
pub fn until<T>(
    data: &Path,
    wait: Duration,
    begun: bool,
    mut tried: impl FnMut() -> Option<T>,
) -> io::Result<Option<T>> {
    let until = Instant::now() + wait;
    let kernel = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let socket = data.join(ssmglobal_handler::CTL_SOCKET);
    let mut settled = true;
    loop {
        let watched = watch(&kernel, &socket)?;
        // Only now: what happened before the watch is seen by trying.
        if let Some(done) = tried() {
            return Ok(Some(done));
        }
        if nearest(&socket) != Some(watched) {
            continue;
        }
        if begun && !is_locked(data) {
            return Ok(None);
        }
        // The kernel tells of the end of a file a moment before its lock is gone.
        let next = if settled { until } else { until.min(Instant::now() + SETTLES) };
        let happened = wait_for(&kernel, PollFlags::POLLIN, Some(next))?;
        if !happened && settled {
            return Ok(None);
        }
        settled = !happened;
        match kernel.read_events() {
            Ok(_) | Err(Errno::EAGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Watches the directory of the socket, or the nearest above it that is there, and that of the lock.
fn watch(kernel: &Inotify, socket: &Path) -> io::Result<PathBuf> {
    let appears = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_ATTRIB;
    let gone = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_DELETE_SELF;
    loop {
        let Some(at) = nearest(socket) else { return Err(io::ErrorKind::NotFound.into()) };
        match kernel.add_watch(&at, appears | gone) {
            // It was there a moment ago.
            Err(Errno::ENOENT) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        if let Some(data) = at.parent().filter(|_| Some(&*at) == socket.parent()) {
            // The lock lies there.
            kernel.add_watch(data, gone)?;
        }
        return Ok(at);
    }
}

/// The nearest directory above a path that is there.
fn nearest(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1).map(|at| if at == Path::new("") { Path::new(".") } else { at });
    above.into_iter().find(|at| at.is_dir()).map(Path::to_owned)
}

/// Whether a process has this database open. Looked up in what the kernel tells, since to try the lock might keep a handler
/// from getting it.
pub fn is_locked(data: &Path) -> bool {
    let mut lock = data.join(ssmglobal_handler::DATABASE).into_os_string();
    lock.push(".lock");
    let Ok(found) = std::fs::metadata(lock) else { return false };
    let mut text = String::new();
    let read = std::fs::File::open("/proc/locks").map(|file| io::Read::take(file, LOCKS));
    let read = read.and_then(|mut file| io::Read::read_to_string(&mut file, &mut text));
    read.is_ok() && text.lines().any(|line| names(line, &found))
}

/// Whether a line as `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF` is of this file.
fn names(line: &str, file: &Metadata) -> bool {
    let mut words = line.split_whitespace().skip(1);
    let kind = words.next();
    let at = words.find(|word| word.matches(':').count() == 2).unwrap_or_default();
    let (major, minor) = (nix::sys::stat::major(file.dev()), nix::sys::stat::minor(file.dev()));
    kind == Some("FLOCK") && OsStr::new(at) == OsStr::new(&format!("{major:02x}:{minor:02x}:{}", file.ino()))
}
