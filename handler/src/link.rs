//! The handler's end of one worker's link: replies from any thread go into one outbox and leave together.

use crate::flight::Flight;
use crate::lock::lock;
use crate::tally::{Ready, Tally};
use mio::unix::SourceFd;
use mio::{Registry, Token};
use ssmglobal_ipc::frame::{put_event, put_packed_reply, put_reply, put_with_descriptors};
use ssmglobal_ipc::{Event, Kind, Reply};
use ssmglobal_sys::Writable;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

/// Bytes that may wait for a worker. A worker always reads, so one that lets this much pile up is stuck or hostile.
const OUTBOX: usize = 8 << 20;

/// Frames with descriptors that may wait for a worker.
const DESCRIPTORS: usize = 256;

#[derive(Debug, Default)]
struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
    /// Descriptors and where in `bytes` their announcement begins: they leave with its first byte.
    fds: VecDeque<(usize, Vec<OwnedFd>)>,
    writable: Writable,
    broken: bool,
    /// The event loop wants to know when everything is written.
    awaited: bool,
    /// Broken because too much waited.
    overrun: bool,
}

impl Outbox {
    /// Lets go of what was sent, when that is the larger part: moving the rest is worth it then.
    fn compact(&mut self) {
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            for (place, _) in &mut self.fds {
                *place -= self.sent;
            }
            self.sent = 0;
        }
    }
}

/// One link. Shared by all who may answer on it.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    registry: Arc<Registry>,
    token: Token,
    slot: usize,
    out: Mutex<Outbox>,
    /// The session's, when it is known whose the link is.
    flight: OnceLock<Arc<Flight>>,
    queued: AtomicBool,
    /// Something did not fit and waits for the worker to read.
    stuck: AtomicBool,
    /// The session's number; 0 while it is not known.
    session: AtomicU64,
    /// The session has the answers up to this number.
    acked: AtomicU64,
}

impl Link {
    /// Takes over a worker's socket, which `registry` watches under `token`; `slot` is where the event loop keeps the
    /// session.
    pub fn new(stream: UnixStream, registry: Arc<Registry>, token: Token, slot: usize) -> Link {
        Link {
            stream,
            registry,
            token,
            slot,
            out: Mutex::default(),
            flight: OnceLock::new(),
            queued: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
            session: AtomicU64::new(0),
            acked: AtomicU64::new(0),
        }
    }

    /// It is this session's, which may have something in flight that it has asked over another link. Before that nothing is
    /// given to other threads.
    pub fn belongs_to(&self, session: u64, flight: Arc<Flight>) {
        self.session.store(session, Ordering::Relaxed);
        flight.is_in(self.slot);
        // A link is one session's for good.
        let _ = self.flight.set(flight);
    }

    fn flight(&self) -> &Flight {
        self.flight.get_or_init(|| {
            let flight = Flight::default();
            flight.is_in(self.slot);
            Arc::new(flight)
        })
    }

    /// The session has the answers up to this number.
    pub fn acknowledged(&self, upto: u64) {
        self.acked.store(upto, Ordering::Relaxed);
    }

    /// Whose it is, and up to which number that session has its answers.
    pub fn asked(&self) -> (u64, u64) {
        (self.session.load(Ordering::Relaxed), self.acked.load(Ordering::Relaxed))
    }

    /// Reads what has come. Never waits: the worker may have kept its hand on this end of the socket.
    ///
    /// # Errors
    /// The kernel's; `WouldBlock` when there is nothing.
    pub fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        ssmglobal_sys::read_now(&self.stream, bytes)
    }

    /// Whether its worker has let more pile up than may wait.
    pub fn is_overrun(&self) -> bool {
        lock(&self.out).overrun
    }

    /// Sends what still can be sent, and then no more.
    pub fn close(&self) {
        let _ = self.flush();
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// Requests given to other threads and not answered yet.
    pub fn in_flight(&self) -> u32 {
        self.flight.get().map_or(0, |flight| flight.count())
    }

    /// One more request is given to another thread.
    pub fn started(&self) {
        self.flight().started();
    }

    /// The event loop wants to be woken when nothing is in flight any more. False: that is so already.
    pub fn wait_for_quiet(&self) -> bool {
        self.flight.get().is_some_and(|flight| flight.wait_for_quiet())
    }

    /// Bytes that wait for its worker to read.
    pub fn waiting(&self) -> usize {
        // Without the lock where nothing does.
        if !self.is_stuck() {
            return 0;
        }
        let out = lock(&self.out);
        out.bytes.len() - out.sent
    }

    /// Whether something that was said waits for the worker to read.
    pub fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::SeqCst)
    }

    /// As [`Link::is_stuck`]; if so, the event loop is told when it is not any more.
    pub fn wait_for_room(&self) -> bool {
        if !self.is_stuck() {
            return false;
        }
        let mut out = lock(&self.out);
        out.awaited = self.is_stuck();
        out.awaited
    }

    fn put(&self, append: impl FnOnce(&mut Vec<u8>)) {
        self.put_with_fds(append, Vec::new());
    }

    /// Queues a frame, which is a reply or an event, and the descriptors that it carries.
    pub fn put_with_fds(&self, frame: impl FnOnce(&mut Vec<u8>), fds: Vec<OwnedFd>) {
        let mut out = lock(&self.out);
        if out.broken {
            return;
        }
        let place = out.bytes.len();
        put_with_descriptors(&mut out.bytes, fds.len(), frame);
        if !fds.is_empty() {
            out.fds.push_back((place, fds));
        }
        if out.bytes.len() - out.sent > OUTBOX || out.fds.len() > DESCRIPTORS {
            (out.broken, out.overrun) = (true, true);
        }
    }

    /// Writes what waits. What does not fit goes when the event loop sees the socket writable. Gives whether the event loop
    /// has waited for everything to be written, and it is.
    ///
    /// # Errors
    /// The link is gone, or its worker does not read.
    pub fn flush(&self) -> io::Result<bool> {
        let mut guard = lock(&self.out);
        let out = &mut *guard;
        if out.broken {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the worker does not read"));
        }
        while out.sent < out.bytes.len() {
            let end = match out.fds.front() {
                Some((place, _)) if *place == out.sent => out.fds.get(1).map_or(out.bytes.len(), |(next, _)| *next),
                Some((place, _)) => *place,
                None => out.bytes.len(),
            };
            let bytes = out.bytes.get(out.sent..end).unwrap_or_default();
            let result = match out.fds.front() {
                Some((place, fds)) if *place == out.sent => {
                    let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
                    ssmglobal_sys::send_with(&self.stream, bytes, &fds)
                }
                _ => ssmglobal_sys::write_now(&self.stream, bytes),
            };
            match result {
                Ok(count) => {
                    if out.fds.front().is_some_and(|(place, _)| *place == out.sent) {
                        out.fds.pop_front();
                    }
                    out.sent += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    out.compact();
                    self.stuck.store(true, Ordering::SeqCst);
                    let mut source = SourceFd(&self.stream.as_raw_fd());
                    out.writable.watch(true, &self.registry, &mut source, self.token)?;
                    return Ok(false);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    out.broken = true;
                    return Err(error);
                }
            }
        }
        out.bytes.clear();
        out.sent = 0;
        if out.bytes.capacity() > 64 << 10 {
            out.bytes = Vec::new();
        }
        out.writable.watch(false, &self.registry, &mut SourceFd(&self.stream.as_raw_fd()), self.token)?;
        self.stuck.store(false, Ordering::SeqCst);
        Ok(std::mem::take(&mut out.awaited))
    }

    /// As [`Link::flush`]; a link that fails is closed.
    fn write_out(&self) -> bool {
        self.flush().unwrap_or_else(|_| {
            let _ = self.stream.shutdown(std::net::Shutdown::Both);
            false
        })
    }
}

impl AsRawFd for Link {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}

/// Where the answer to one request goes.
#[derive(Clone, Debug)]
pub struct ReplyTo {
    /// The link it came by.
    pub link: Arc<Link>,
    /// Its number there.
    pub number: u64,
    /// When it came.
    pub since: Instant,
    /// What was asked; nothing where that is not known here.
    pub kind: Option<Kind>,
}

/// Replies that one thread has made and that leave together, one write for each link.
#[derive(Debug, Default)]
pub struct Batch {
    dirty: Vec<Arc<Link>>,
    /// One for each request of another thread that is answered.
    done: Vec<Arc<Link>>,
    ready: Ready,
    tally: Arc<Tally>,
}

impl Batch {
    /// Counts there how long answers take.
    pub fn new(tally: Arc<Tally>) -> Batch {
        Batch { tally, ..Batch::default() }
    }

    /// Answers a request that the event loop has kept for itself.
    pub fn reply(&mut self, to: &ReplyTo, reply: &Reply) {
        to.link.put(|out| put_reply(out, to.number, reply));
        self.is_answered(to);
    }

    /// The answer to this request was put into its link's outbox.
    pub fn is_answered(&mut self, to: &ReplyTo) {
        self.ready.one(to.since);
        self.mark(&to.link);
    }

    /// Answers a request that was given to this thread. It counts as in flight until the answer is written: should this
    /// process die over the session's next request, the answer could not be given again as it was.
    pub fn finish(&mut self, to: &ReplyTo, reply: &Reply) {
        self.reply(to, reply);
        self.done.push(to.link.clone());
    }

    /// As [`Batch::reply`], where the reply's kind and payload are at hand.
    pub fn reply_packed(&mut self, to: &ReplyTo, kind: u16, payload: &[u8]) {
        to.link.put(|out| put_packed_reply(out, to.number, kind, payload));
        self.is_answered(to);
    }

    /// As [`Batch::finish`], where the reply's kind and payload are at hand.
    pub fn finish_packed(&mut self, to: &ReplyTo, kind: u16, payload: &[u8]) {
        self.reply_packed(to, kind, payload);
        self.done.push(to.link.clone());
    }

    /// Pushes an event, with its number.
    pub fn event(&mut self, link: &Arc<Link>, number: u64, event: &Event) {
        link.put(|out| put_event(out, number, event));
        self.mark(link);
    }

    /// Pushes events that are frames already.
    pub fn event_bytes(&mut self, link: &Arc<Link>, frames: &[u8]) {
        link.put(|out| out.extend_from_slice(frames));
        self.mark(link);
    }

    /// Something was put into this link's outbox.
    pub fn mark(&mut self, link: &Arc<Link>) {
        if !link.queued.swap(true, Ordering::AcqRel) {
            self.dirty.push(link.clone());
        }
    }

    /// Writes everything; gives the slots of sessions that the event loop may go on with. A link that fails is
    /// noticed by the event loop, which sees it close.
    pub fn flush(&mut self) -> Vec<usize> {
        self.ready.count(&self.tally);
        let mut quiet = Vec::new();
        // Also where another thread has the link on its list: it may not have come to it yet.
        for link in self.done.drain(..) {
            let room = link.write_out();
            if link.flight().finished() || room {
                quiet.push(link.flight().slot());
            }
        }
        for link in self.dirty.drain(..) {
            link.queued.store(false, Ordering::Release);
            if link.write_out() {
                quiet.push(link.slot);
            }
        }
        quiet
    }
}

#[cfg(test)]
mod tests;
