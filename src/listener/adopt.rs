//! Looking for the handler of a listener that has died, before a new one is started: with it come all clients, the
//! listening sockets with whoever waits in them, and the numbers that go on. Runs in the listener, once, at its start.

use super::handover::{HeldHandler, Taken};
use crate::wait::wait_for;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use nix::poll::PollFlags;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_sys::{Ids, Process};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a living handler may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long one that is ending may take to let go of the listening sockets and the database.
const ENDING: Duration = super::handler::DRAIN;

/// Bytes of what a handler has written of itself; far beyond two numbers.
const WORDS: u64 = 256;

/// Numbers of sessions that are passed over: the listener before this one may have given some away of which it could not
/// tell.
const UNREPORTED: u64 = 1 << 32;

/// A handler that lives, and all that it has kept.
pub struct LivingHandler {
    /// What the listener before this one has left.
    pub taken: Taken,
    /// The handler.
    pub handler: HeldHandler,
    /// Whether it is the same program as this one.
    pub same_build: bool,
}

/// Looks for it, which may run as `user`; nothing when no handler lives that could be adopted. One that is just ending has ended then.
///
/// # Errors
/// One lives and is not to be had: its listener lives too, or it does not answer.
pub fn find(data: &Path, user: Option<Ids>) -> io::Result<Option<LivingHandler>> {
    let last = last_handler(data);
    let found = ask(data, user)?;
    if let (None, Some(process)) = (&found, last) {
        wait_for(&process, PollFlags::POLLIN, Some(Instant::now() + ENDING))?;
    }
    Ok(found)
}

/// The handler that was started last, if it lives. Whoever has its process id but began at another time is somebody else.
fn last_handler(data: &Path) -> Option<Process> {
    // The handler's user can put anything there: neither followed, nor waited for, nor read without an end.
    let mut text = String::new();
    let file =
        File::options().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(data.join(ssmglobal_handler::PROCESS));
    file.ok()?.take(WORDS).read_to_string(&mut text).ok()?;
    let (pid, started) = text.trim_end().split_once(' ')?;
    Process::open_started(pid.parse().ok()?, started.parse().ok()?).ok()
}

/// Asks the living handler, if there is one, to be this listener's.
fn ask(data: &Path, user: Option<Ids>) -> io::Result<Option<LivingHandler>> {
    let socket = data.join(ssmglobal_handler::CTL_SOCKET);
    // Where it leads is somebody's choice, if it is a link.
    if std::fs::symlink_metadata(&socket).is_ok_and(|found| !found.file_type().is_socket()) {
        return Err(io::Error::other(format!("{} is no socket; move it away", socket.display())));
    }
    // Nobody there, or nothing that could be asked: what else is wrong is told by what is started now.
    let Ok(mut stream) = UnixStream::connect(&socket) else { return Ok(None) };
    let (pid, uid, _) = ssmglobal_sys::peer_of(&stream)?;
    let me = nix::unistd::geteuid().as_raw();
    // No other user may pretend to be a handler.
    if uid != me && uid != 0 && user.is_none_or(|user| user.user != uid) {
        return Err(io::Error::other(format!("{} is served by another user", socket.display())));
    }
    let Ok(started) = ssmglobal_sys::started_at(pid) else { return Ok(None) };
    stream.set_nonblocking(true)?;
    let mut ask = Vec::new();
    put_control(&mut ask, &Ask::Adopt);
    if stream.write_all(&ask).is_err() {
        return Ok(None);
    }
    let (mut reader, mut fds) = (FrameReader::new(), Vec::new());
    let (version, build) = match answer(&stream, &mut reader, &mut fds)? {
        Some(Answer::Adopted { version, build }) => (version, build),
        Some(Answer::Failed(failure)) => return Err(io::Error::other(failure.msg)),
        // It is just ending, or of a version that cannot be adopted and ends by itself.
        _ => return Ok(None),
    };
    if fds.is_empty() {
        return Err(io::Error::other("the living handler has handed nothing over"));
    }
    let memory = fds.remove(0);
    let mut taken = Taken::read(memory, fds)?;
    taken.run.1 += UNREPORTED;
    // No worker is a child of this process, so each is known by its start as well; a number alone is not signalled, whoever
    // has named it.
    taken.workers.retain(|worker| worker.started.is_some());
    taken.successors.clear();
    let mine = std::fs::metadata("/proc/self/exe").map_or((0, 1), |file| (file.dev(), file.ino()));
    let same_build = version == ssmglobal_ipc::version() && build == mine;
    let (unread, started, out) = (reader.rest().to_vec(), Some(started), Vec::new());
    let handler = HeldHandler { pid, started, stream: stream.into(), out, unread };
    Ok(Some(LivingHandler { taken, handler, same_build }))
}

/// Waits for the answer; nothing when the connection ends before it.
fn answer(
    stream: &UnixStream,
    reader: &mut FrameReader,
    fds: &mut Vec<std::os::fd::OwnedFd>,
) -> io::Result<Option<Answer>> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(frame) = reader.next_frame().map_err(io::Error::other)? {
            return Ok(frame.control().ok());
        }
        let filled = reader.fill(|buffer| {
            let received = ssmglobal_sys::receive(stream, buffer)?;
            fds.extend(received.fds);
            Ok(received.count)
        });
        match filled {
            Ok((0, _)) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !wait_for(stream, PollFlags::POLLIN, Some(until))? {
                    return Err(io::Error::other("a handler lives that does not answer"));
                }
            }
            Err(_) => return Ok(None),
        }
    }
}
