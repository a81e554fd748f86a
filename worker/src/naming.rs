//! The first thing that a worker does at a door behind a proxy: it reads for whom the proxy speaks, tells the listener, and
//! learns whether that one is let in. Only then it has a client, and a session. Runs in a worker.

use crate::given::{Given, greeting, title};
use crate::peer::layer::Opened;
use crate::peer::proxy::{Header, LONGEST, Speaks};
use crate::wait::{Ended, wait};
use mio::net::TcpStream;
use nix::poll::PollFlags;
use ssmglobal_ipc::naming::{self, Name, Named};
use ssmglobal_ipc::{Time, WorkerEnd, version};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Time for the header.
const HEADER: Duration = Duration::from_secs(5);

/// Time for the listener. It answers at once; where it has died, its successor does.
const ANSWER: Duration = Duration::from_secs(60);

impl From<Ended> for WorkerEnd {
    fn from(_: Ended) -> WorkerEnd {
        WorkerEnd::STOPPED
    }
}

/// Learns who the client is, and lets it in. Gives whether another program is to go on with it.
///
/// # Errors
/// There is no client, or it is not let in: how this process ends.
#[inline(never)]
pub fn learn(given: &mut Given<'_>, door: u32) -> Result<bool, WorkerEnd> {
    let (at, mut to_move) = (Time::now(), false);
    let proxy = SocketAddr::new(given.address.ip().to_canonical(), given.address.port());
    let client = match header(given, &mut to_move)? {
        Speaks::For(client) if client != proxy => client,
        // haproxy's health checks of version 1 name their own end of the connection.
        Speaks::For(_) | Speaks::ForItself => {
            // That is enough for a health check, whose end the log is not to tell of.
            say(&mut given.client, greeting(given.door.mode).unwrap_or_default());
            return Err(WorkerEnd::GOOD);
        }
    };
    let name = Name { address: client, door, at, version: version().to_owned() };
    match tell(given, &name, &mut to_move)? {
        Named::In { session } => given.session = session,
        Named::Refused { line } => {
            say(&mut given.client, line.as_bytes());
            return Err(WorkerEnd::GOOD);
        }
    }
    given.address = client;
    title(client.ip().to_canonical(), given.mode, "").show();
    say(&mut given.client, greeting(given.door.mode).unwrap_or_default());
    Ok(to_move)
}

/// Some bytes into an empty socket always fit; who is gone already is noticed elsewhere.
fn say(client: &mut TcpStream, bytes: &[u8]) {
    let _ = client.write_all(bytes);
}

/// Reads the header, and nothing of what stands behind it.
fn header(given: &mut Given<'_>, to_move: &mut bool) -> Result<Speaks, WorkerEnd> {
    let (mut header, mut bytes, until) = (Header::default(), [0; LONGEST], Instant::now() + HEADER);
    loop {
        // Looked at first: what is the client's stays where it is.
        let count = match given.client.peek(&mut bytes) {
            // Somebody has only looked whether a connection can be made.
            Ok(0) if header.is_empty() => return Err(WorkerEnd::GOOD),
            Ok(0) => return Err(WorkerEnd::NO_HEADER),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let signals = (given.signals, &mut *to_move);
                match wait(given.client.as_fd(), PollFlags::POLLIN, until, signals)? {
                    true => continue,
                    false => return Err(WorkerEnd::NO_HEADER),
                }
            }
            Err(_) => return Err(WorkerEnd::GOOD),
        };
        let come = bytes.get(..count).unwrap_or_default();
        let mut rest = come;
        let opened = header.open(&mut rest);
        let mut used = vec![0; come.len() - rest.len()];
        // They lie there.
        given.client.read_exact(&mut used).map_err(|_| WorkerEnd::GOOD)?;
        match opened {
            Opened::Data(speaks) => return Ok(speaks),
            Opened::More => {}
            _ => return Err(WorkerEnd::NO_HEADER),
        }
    }
}

/// Tells the listener who the client is, and waits for its answer.
fn tell(given: &Given<'_>, name: &Name, to_move: &mut bool) -> Result<Named, WorkerEnd> {
    let until = Instant::now() + ANSWER;
    let (ours, theirs) = ssmglobal_sys::seqpacket_pair().map_err(|_| WorkerEnd::REFUSED)?;
    let bytes = name.bytes();
    loop {
        match ssmglobal_sys::send_with(given.moves, &bytes, &[theirs.as_fd()]) {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !wait(given.moves, PollFlags::POLLOUT, until, (given.signals, &mut *to_move))? {
                    return Err(WorkerEnd::DESERTED);
                }
            }
            Err(_) => return Err(WorkerEnd::REFUSED),
        }
    }
    // A listener that ends closes it, and so does one that knows nothing of this process.
    drop(theirs);
    let mut answer = [0; naming::LONGEST];
    loop {
        match ssmglobal_sys::read_now(&ours, &mut answer) {
            Ok(count) => return Named::of(answer.get(..count).unwrap_or_default()).ok_or(WorkerEnd::DESERTED),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !wait(ours.as_fd(), PollFlags::POLLIN, until, (given.signals, &mut *to_move))? {
                    return Err(WorkerEnd::DESERTED);
                }
            }
            Err(_) => return Err(WorkerEnd::DESERTED),
        }
    }
}
