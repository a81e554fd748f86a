//! The handler: the process that owns the database, the log and all that is known of sessions.
//!
//! It is started by the listener (by exec), never forks, and trusts no worker. One thread runs the event loop
//! ([`event_loop`]); beside it one thread writes to the database, some read, some hash passwords ([`work`]).
//!
//! Arrows go down: event loop → dispatch → capabilities → work → state. The writer decides against what is in memory and
//! changes it, so work stands above state; it knows no capability, only that a change can be decided.

#![forbid(unsafe_code)]

mod capability;
mod changes;
mod dispatch;
mod event_loop;
mod flight;
mod link;
mod lock;
mod logging;
mod machine;
mod ownership;
mod recent;
mod state;
mod tally;
#[cfg(test)]
mod testing;
mod work;

pub use event_loop::{preamble, verified};
pub use ownership::guard;

use crate::changes::{Change, Shared};
use crate::event_loop::{End, EventLoop, Inherited, ListenerLink, Operators, WAKER};
use crate::recent::Recent;
use crate::state::journal::Journal;
use crate::state::memory::Memory;
use crate::state::tickets::{self, Tickets};
use crate::work::{KeptAnswers, Keys, Queues, WriterThread};
use mio::{Poll, Waker};
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::signal::Signal;
use nix::unistd::AccessFlags;
use ssmglobal_config::Settings;
use ssmglobal_ipc::Time;
use ssmglobal_ipc::control::{ToHandler, ToListener};
use ssmglobal_store::{Reader, RunKey, Store, StoreError, Upkeep, Writer};
use ssmglobal_sys::{Ids, Signals};
use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// The database, in the data directory.
pub use ssmglobal_config::DATABASE;

/// The operator's socket, in the data directory.
pub const CTL_SOCKET: &str = "run/ctl.sock";

/// In the data directory: process id and start of the handler that was started last, for a listener that looks for it. The
/// start is in ticks since the machine's.
pub const PROCESS: &str = "run/handler";

/// The exit code of a handler for which a further start is of no use.
pub const FATAL: u8 = 78;

/// Time for the handler before this one to let go of the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// Threads that read from the database.
const READERS: usize = 2;

/// Runs the handler until the listener ends it. `rendezvous` and `control` are descriptors that the listener has left open:
/// where workers' links come in, and the stream to the listener; `journal` is memory that each handler leaves to the next.
/// `user` is whom it is to become, where it was started by root.
pub fn run(rendezvous: RawFd, control: RawFd, journal: RawFd, user: Option<Ids>) -> ExitCode {
    ssmglobal_sys::Title::wipe();
    // Started through /proc/self/exe, it would be called "exe" where titles are not shown.
    let _ = nix::sys::prctl::set_name(c"ssmglobal");
    ssmglobal_sys::Title::set(format_args!("ssmglobal: handler"));
    // First of all, while there is one thread and nothing is open.
    match user.map_or(Ok(()), become_user).and_then(|()| start(rendezvous, control, journal)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ssmglobal: the handler cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn become_user(ids: Ids) -> io::Result<()> {
    ssmglobal_sys::become_user(ids).map_err(|error| {
        let msg = format!("it cannot become user {} with group {}: {error}", ids.user, ids.group);
        io::Error::new(error.kind(), msg)
    })
}

fn start(rendezvous: RawFd, control: RawFd, journal: RawFd) -> io::Result<ExitCode> {
    let rendezvous = ssmglobal_sys::take(rendezvous)?;
    let journal = ssmglobal_sys::take(journal)?;
    let stream = UnixStream::from(ssmglobal_sys::let_go_first(ssmglobal_sys::take(control)?));
    let mut listener = ListenerLink::new(stream, nix::unistd::getppid().as_raw());
    let (settings, run) = first_words(&mut listener)?;
    ssmglobal_sys::default_signals(&[Signal::SIGINT, Signal::SIGHUP, Signal::SIGPIPE])?;
    let signals = Signals::catch(&[Signal::SIGTERM])?;
    let log = logging::start(logging::filter(settings.log.level))?;
    let words = UnixStream::from(ssmglobal_sys::let_go_first(listener.stream.try_clone()?.into()));
    let result = serve((rendezvous, journal), listener, signals, settings, run, &log.recent);
    drop(log);
    result.or_else(|failure| match failure {
        Failure::Fatal(msg) => {
            ListenerLink::new(words, nix::unistd::getppid().as_raw()).tell(&ToListener::Fatal { msg });
            Ok(ExitCode::from(FATAL))
        }
        Failure::Io(error) => Err(error),
    })
}

/// The listener's first words: the settings, the number of the run.
fn first_words(listener: &mut ListenerLink) -> io::Result<(Settings, u64)> {
    let broken = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut first = None;
    loop {
        while let Some(frame) = listener.reader.next_frame().map_err(|error| broken(&error.to_string()))? {
            match (frame.control(), first.take()) {
                (Ok(ToHandler::Reload { settings }), None) => {
                    first = Some(postcard::from_bytes(&settings).map_err(|error| broken(&error.to_string()))?);
                }
                (Ok(ToHandler::Run { run }), Some(settings)) => return Ok((settings, run)),
                _ => return Err(broken("neither settings nor the run came first")),
            }
        }
        match listener.fill() {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(broken("the listener is gone")),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut waits = [PollFd::new(listener.stream.as_fd(), PollFlags::POLLIN)];
                nix::poll::poll(&mut waits, PollTimeout::NONE)?;
            }
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
}

enum Failure {
    /// A further try is of no use; for the person at the terminal.
    Fatal(String),
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            // Locked: the handler before this one may still be writing what waits.
            StoreError::Unavailable(_) | StoreError::Other(_) | StoreError::Locked(_) => {
                Failure::Io(io::Error::other(error))
            }
            _ => Failure::Fatal(error.to_string()),
        }
    }
}

fn serve(
    (rendezvous, journal): (OwnedFd, OwnedFd),
    listener: ListenerLink,
    signals: Signals,
    settings: Settings,
    run: u64,
    recent: &Arc<Recent>,
) -> Result<ExitCode, Failure> {
    let data = std::path::absolute(&settings.data)?;
    ownership::guard(&data, nix::unistd::geteuid().as_raw()).map_err(Failure::Fatal)?;
    own_directory(&data)?;
    let journal = Journal::open(&journal)?;
    // The handler before this one may still be dying.
    let patience = if journal.is_inherited() { PATIENCE } else { Duration::ZERO };
    let store = ssmglobal_store::open(&data.join(DATABASE), patience)?;
    // The database is this process's own: so is the name.
    let me = nix::unistd::getpid().as_raw();
    if let Err(error) = leave_word(&data.join(PROCESS), me, ssmglobal_sys::started_at(me)?) {
        log::warn!("{PROCESS} cannot be written; a listener that looks for this handler will not find it: {error}");
    }
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    let reader = store.reader()?;
    let memory = Arc::new(Memory::load(&*reader)?);
    let mut writer = store.writer()?;
    let tickets = Tickets::new(begin_run(run, &*reader, &mut *writer)?);
    let (kept, keys) = (KeptAnswers::load(&*reader)?, Keys::load(&*reader)?);
    let relay_mark = reader.relay_mark()?;
    drop(reader);
    let (shared, queues) = Shared::new(Arc::new(settings), memory, kept, waker);
    let shared = Arc::new(shared);
    let threads = start_threads(&shared, &store, queues, writer, keys)?;
    let operators = operator_socket(&data.join(CTL_SOCKET), &store, recent, &poll)?;
    let inherited = Inherited { rendezvous, journal, tickets, run, relay_mark };
    let mut event_loop = EventLoop::new(shared.clone(), poll, inherited, listener, signals, operators)?;
    let players = lock::read(&shared.memory.directory).len();
    let file = store.upkeep().map(Upkeep::path).map_or_else(String::new, |file| file.display().to_string());
    log::info!("ready: {players} players, database {file}");
    let end = event_loop.run()?;
    event_loop.count_at_end(end);
    if end == End::ListenerGone {
        log::warn!("the listener is gone; the handler ends and leaves everything saved");
    }
    // Dropping the last senders ends the threads once they have done what waits.
    drop(event_loop);
    shared.close();
    for thread in threads {
        let _ = thread.join();
    }
    log::info!("everything is saved");
    // The next handler waits for the end of this process: the kernel takes a million names and scores at once, a thread takes
    // them one by one.
    std::mem::forget(shared);
    Ok(ExitCode::SUCCESS)
}

/// Leaves word for a listener that looks for the handler. Always of one length and over what is there: a full disk has room
/// for that.
fn leave_word(file: &Path, pid: i32, started: u64) -> io::Result<()> {
    let mut options = std::fs::File::options();
    options.create(true).truncate(false).write(true).mode(0o600).custom_flags(O_NOFOLLOW | O_NONBLOCK);
    options.open(file)?.write_all_at(format!("{:<40}\n", format!("{pid} {started}")).as_bytes(), 0)
}

/// The key of this run. When it is another run than the last one, nothing that was kept for that one is of use any more.
fn begin_run(run: u64, reader: &dyn Reader, writer: &mut dyn Writer) -> Result<RunKey, Failure> {
    if let Some((before, key)) = reader.run()?
        && before == run
    {
        return Ok(key);
    }
    let key = tickets::new_key().map_err(|error| io::Error::other(error.to_string()))?;
    writer.begin()?;
    let outcome = writer.tx().run_begin(run, &key).and_then(|()| writer.commit());
    writer.rollback();
    outcome?;
    Ok(key)
}

/// Makes the directory for what is there only while this runs, if the listener could not.
fn own_directory(data: &Path) -> Result<(), Failure> {
    // Looked into: one that is there may be another user's.
    let run = data.join("run");
    let made = std::fs::create_dir_all(&run)
        .and_then(|()| nix::unistd::access(&run, AccessFlags::W_OK).map_err(io::Error::from));
    made.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let (data, user) = (data.display(), nix::unistd::geteuid());
            Failure::Fatal(format!(
                "{data} cannot be used by user {user}, as whom the handler runs; chown -R {user} {data}"
            ))
        }
        _ => Failure::Io(error),
    })
}

fn operator_socket(
    path: &Path,
    store: &Arc<dyn Store>,
    recent: &Arc<Recent>,
    poll: &Poll,
) -> Result<Operators, Failure> {
    Operators::new(path, store.clone(), recent.clone(), poll.registry()).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Failure::Fatal(format!(
            "{} is too long for a socket's name; choose a shorter data directory",
            path.display()
        )),
        _ => Failure::Io(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    })
}

fn start_threads(
    shared: &Arc<Shared>,
    store: &Arc<dyn Store>,
    queues: Queues<Change>,
    writer: Box<dyn Writer>,
    keys: Keys,
) -> Result<Vec<JoinHandle<()>>, Failure> {
    let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let mut threads = Vec::new();
    let writer = WriterThread::new(shared.clone(), queues.writes, writer, Time::now, keys);
    threads.push(named("writer").spawn(move || writer.run())?);
    for _ in 0..READERS {
        let (shared, jobs, reader) = (shared.clone(), queues.reads.clone(), store.reader()?);
        threads.push(named("reader").spawn(move || work::read_jobs(&shared, &jobs, &*reader))?);
    }
    let hashers = match shared.settings().players.hash_threads {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get() / 2).max(1),
        count => count,
    };
    for line in work::Line::of(hashers, &queues.hashes, &queues.newcomers) {
        let (shared, reader) = (shared.clone(), store.reader()?);
        threads.push(named("hash").spawn(move || work::hash_jobs(&shared, &line, &*reader))?);
    }
    Ok(threads)
}
