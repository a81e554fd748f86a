//! The handler's end of one worker's link: replies from any thread go into one outbox and leave together.

use mio::unix::SourceFd;
use mio::{Registry, Token};
use ssmglobal_ipc::frame::{put_event, put_reply};
use ssmglobal_ipc::{Event, Reply};
use ssmglobal_sys::Writable;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that may wait for a worker. A worker always reads, so one that lets this much pile up is stuck or hostile.
const OUTBOX: usize = 8 << 20;

/// Locks even if another thread has panicked while it held the lock: what is guarded here is never left half done.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default)]
struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
    /// Descriptors and where in `bytes` the frame begins that they belong to.
    fds: VecDeque<(usize, Vec<OwnedFd>)>,
    writable: Writable,
    broken: bool,
}

/// One link. Shared by all who may answer on it.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    registry: Arc<Registry>,
    token: Token,
    slot: usize,
    out: Mutex<Outbox>,
    in_flight: AtomicU32,
    /// The event loop holds requests back until nothing is in flight.
    waiting: AtomicBool,
    queued: AtomicBool,
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
            in_flight: AtomicU32::new(0),
            waiting: AtomicBool::new(false),
            queued: AtomicBool::new(false),
        }
    }

    /// Where the event loop keeps the session.
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// The socket.
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Requests given to other threads and not answered yet.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// One more request is given to another thread.
    pub fn started(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    /// The event loop wants to be woken when nothing is in flight any more. False: that is so already.
    pub fn wait_for_quiet(&self) -> bool {
        self.waiting.store(true, Ordering::SeqCst);
        if self.in_flight() == 0 {
            self.waiting.store(false, Ordering::SeqCst);
            return false;
        }
        true
    }

    /// A request given to another thread is done; gives whether the event loop waits for that.
    fn finished(&self) -> bool {
        self.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.waiting.swap(false, Ordering::SeqCst)
    }

    fn put(&self, append: impl FnOnce(&mut Vec<u8>)) {
        let mut out = lock(&self.out);
        if out.broken {
            return;
        }
        append(&mut out.bytes);
        if out.bytes.len() - out.sent > OUTBOX {
            out.broken = true;
        }
    }

    /// Queues a reply that carries descriptors.
    pub fn put_with_fds(&self, number: u64, reply: &Reply, fds: Vec<OwnedFd>) {
        let mut out = lock(&self.out);
        let place = out.bytes.len();
        put_reply(&mut out.bytes, number, reply);
        out.fds.push_back((place, fds));
    }

    /// Writes what waits. What does not fit goes when the event loop sees the socket writable.
    ///
    /// # Errors
    /// The link is gone, or its worker does not read.
    pub fn flush(&self) -> io::Result<()> {
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
                _ => (&self.stream).write(bytes),
            };
            match result {
                Ok(count) => {
                    if out.fds.front().is_some_and(|(place, _)| *place == out.sent) {
                        out.fds.pop_front();
                    }
                    out.sent += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut source = SourceFd(&self.stream.as_raw_fd());
                    return out.writable.watch(true, &self.registry, &mut source, self.token);
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
        out.writable.watch(false, &self.registry, &mut SourceFd(&self.stream.as_raw_fd()), self.token)
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
}

/// Replies that one thread has made and that leave together, one write for each link.
#[derive(Debug, Default)]
pub struct Batch {
    dirty: Vec<Arc<Link>>,
    quiet: Vec<usize>,
}

impl Batch {
    /// Answers a request that the event loop has kept for itself.
    pub fn reply(&mut self, to: &ReplyTo, reply: &Reply) {
        to.link.put(|out| put_reply(out, to.number, reply));
        self.mark(&to.link);
    }

    /// Answers a request that was given to this thread.
    pub fn finish(&mut self, to: &ReplyTo, reply: &Reply) {
        self.reply(to, reply);
        if to.link.finished() {
            self.quiet.push(to.link.slot());
        }
    }

    /// Pushes an event.
    pub fn event(&mut self, link: &Arc<Link>, event: &Event) {
        link.put(|out| put_event(out, event));
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
        for link in self.dirty.drain(..) {
            link.queued.store(false, Ordering::Release);
            if link.flush().is_err() {
                let _ = link.stream.shutdown(std::net::Shutdown::Both);
            }
        }
        std::mem::take(&mut self.quiet)
    }
}
