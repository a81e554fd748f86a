//! The worker of the metrics' door: it answers one question of a program that watches the backend, over HTTP, and ends. It asks the
//! handler for the numbers on a stream of its own and has no session. Runs in a worker, as locked in as any.
//!
//! What is asked ([`http`]) and how numbers are written ([`text`]) is pure; the operator's command writes them so as well.

pub mod http;
pub mod text;

use crate::given::Given;
use crate::wait::{Ended, wait};
use http::{Answer, Head, Page};
use mio::net::TcpStream;
use nix::poll::PollFlags;
use ssmglobal_ipc::frame::FrameReader;
use ssmglobal_ipc::numbers::Numbers;
use ssmglobal_ipc::{WorkerEnd, ctl, rendezvous};
use ssmglobal_sys::{Prepared, Signals};
use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Time for a client to say what it wants, and to take the answer.
const CLIENT: Duration = Duration::from_secs(10);

/// Time for the handler: it gives the disk three seconds.
const HANDLER: Duration = Duration::from_secs(5);

/// Time for a client that has said too much to take the answer before the connection ends.
const LEAVE: Duration = Duration::from_secs(5);

/// Bytes of what it has said too much that are passed over.
const EXCESS: usize = 256 << 10;

/// What `ps` shows of it.
pub fn title(address: IpAddr) -> Prepared {
    Prepared::new(format_args!("ssmglobal: worker {address} METRICS"))
}

/// Answers one question.
#[inline(never)]
pub fn serve(given: Given<'_>) -> WorkerEnd {
    ssmglobal_sys::no_backtraces();
    let Given { client, rendezvous, signals, session, .. } = given;
    // Whether there was an answer, and whether it was taken, nobody needs to know.
    let _ = answer(Client { stream: client, signals, session }, rendezvous);
    WorkerEnd::GOOD
}

fn answer(mut client: Client<'_>, rendezvous: BorrowedFd<'_>) -> Result<(), Ended> {
    let (head, rest) = client.head()?;
    let (answer, with_body) = match head {
        Head::Nothing => return Ok(()),
        Head::Wrong(answer) => (answer, true),
        Head::Asks { page, with_body } => {
            let numbers = client.ask(rendezvous)?;
            (page_of(page, numbers), with_body)
        }
    };
    client.say(&answer.bytes(with_body))?;
    if rest { client.leave() } else { Ok(()) }
}

fn page_of(page: Page, numbers: Option<Numbers>) -> Answer {
    match (page, numbers) {
        (_, None) => Answer::unavailable("the handler does not answer"),
        (Page::Metrics, Some(numbers)) => match text::text(&numbers) {
            Ok(text) => Answer::metrics(text),
            Err(_) => Answer::unavailable("the numbers cannot be written"),
        },
        (Page::Health, Some(numbers)) if !numbers.status.writable => {
            Answer::unavailable("the database cannot be written")
        }
        (Page::Health, Some(_)) => Answer::healthy(),
    }
}

struct Client<'a> {
    stream: TcpStream,
    signals: &'a Signals,
    /// By which the handler knows it.
    session: u64,
}

impl Client<'_> {
    /// Waits for one of these; gives whether it came in time.
    fn wait(&self, fd: BorrowedFd<'_>, what: PollFlags, until: Instant) -> Result<bool, Ended> {
        // It moves nowhere: it is done before another program would be ready.
        wait(fd, what, until, (self.signals, &mut false))
    }

    /// What it asks, and whether it has said more than that.
    fn head(&mut self) -> Result<(Head, bool), Ended> {
        let (mut bytes, mut length, until) = ([0; http::LONGEST], 0, Instant::now() + CLIENT);
        loop {
            let count = match self.stream.read(bytes.get_mut(length..).unwrap_or_default()) {
                Ok(0) => return Ok((http::ended(bytes.get(..length).unwrap_or_default()), false)),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    match self.wait(self.stream.as_fd(), PollFlags::POLLIN, until)? {
                        true => continue,
                        false => return Ok((Head::Wrong(Answer::too_slow()), false)),
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Ok((Head::Nothing, false)),
            };
            length += count;
            if let Some(whole) = http::read(bytes.get(..length).unwrap_or_default()) {
                return Ok(whole);
            }
        }
    }

    /// The numbers; nothing when the handler does not answer.
    fn ask(&self, rendezvous: BorrowedFd<'_>) -> Result<Option<Numbers>, Ended> {
        let until = Instant::now() + HANDLER;
        let Ok((ours, theirs)) = ssmglobal_sys::link_pair() else { return Ok(None) };
        loop {
            match ssmglobal_sys::send_with(rendezvous, &rendezvous::numbers(self.session), &[theirs.as_fd()]) {
                Ok(_) => break,
                // Full: all workers of a handler that is just starting want to be heard.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.wait(rendezvous, PollFlags::POLLOUT, until)? {
                        return Ok(None);
                    }
                }
                Err(_) => return Ok(None),
            }
        }
        drop(theirs);
        let (stream, mut reader) = (UnixStream::from(ours), FrameReader::new());
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    return Ok(match ctl::Answer::of_frame(&frame) {
                        Ok(ctl::Answer::Numbers(numbers)) => Some(*numbers),
                        _ => None,
                    });
                }
                Ok(None) => {}
                Err(_) => return Ok(None),
            }
            let filled = reader.fill(|buffer| ssmglobal_sys::receive(&stream, buffer).map(|received| received.count));
            match filled {
                Ok((0, _)) => return Ok(None),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.wait(stream.as_fd(), PollFlags::POLLIN, until)? {
                        return Ok(None);
                    }
                }
                Err(_) => return Ok(None),
            }
        }
    }

    /// Tells it the answer.
    fn say(&mut self, mut bytes: &[u8]) -> Result<(), Ended> {
        let until = Instant::now() + CLIENT;
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.wait(self.stream.as_fd(), PollFlags::POLLOUT, until)? {
                        return Err(Ended);
                    }
                }
                Err(_) => return Err(Ended),
            }
        }
        Ok(())
    }

    /// Lets it take the answer: what lies unread when a connection ends has the kernel throw away what was said last.
    fn leave(&mut self) -> Result<(), Ended> {
        let (mut bytes, mut left, until) = ([0; 4096], EXCESS, Instant::now() + LEAVE);
        while left > 0 {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => left = left.saturating_sub(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.wait(self.stream.as_fd(), PollFlags::POLLIN, until)? {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}
