//! Workers' links: taken from the rendezvous, where workers hand them over, and read. Part of the event loop.

use super::{EventLoop, FIRST_LINK};
use crate::link::Link;
use crate::state::session::{Asked, Session};
use mio::unix::SourceFd;
use mio::{Interest, Token};
use ssmglobal_ipc::frame::{Class, Frame, FrameReader};
use ssmglobal_ipc::{Event, Notice, Request, Time, rendezvous};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Bytes that one link may say in one turn, more or less, so that the others are heard too.
const TURN: usize = 128 << 10;

/// Messages that one turn takes from the rendezvous.
const RENDEZVOUS_TURN: usize = 64;

impl EventLoop {
    /// Whether somebody has more to say than one turn takes.
    pub(super) fn has_unread(&self) -> bool {
        self.rendezvous_unread || !self.unread.is_empty()
    }

    /// Goes on with those.
    pub(super) fn read_on(&mut self) {
        for slot in std::mem::take(&mut self.unread) {
            self.read_link(slot, false, true);
        }
        if std::mem::take(&mut self.rendezvous_unread) {
            self.read_rendezvous();
        }
    }

    pub(super) fn read_rendezvous(&mut self) {
        for _ in 0..RENDEZVOUS_TURN {
            let mut message = [0; rendezvous::LONGEST];
            let (received, pid) = match ssmglobal_sys::receive_with_peer(&self.rendezvous, &mut message) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    log::error!("links of workers cannot be taken: {error}");
                    return;
                }
            };
            let message = message.get(..received.count).unwrap_or_default();
            if received.fds.is_empty() && !message.is_empty() && message != [rendezvous::LINK] {
                self.rendezvous_message(pid, message);
                continue;
            }
            if !self.may_link(pid) {
                continue;
            }
            let mut fds = received.fds.into_iter();
            match (fds.next(), fds.next()) {
                (Some(fd), None) if ssmglobal_sys::is_unix_stream(&fd) => {
                    if let Some(session) = rendezvous::asks_for_numbers(message) {
                        self.numbers_wanted(pid, session, fd);
                        continue;
                    }
                    if let Err(error) = self.add_link(fd, pid) {
                        log::error!("the link of worker {pid} cannot be taken: {error}");
                    }
                }
                // This process has as many descriptors as it may have: the worker sees its link close.
                (None, _) if received.count > 0 => log::error!("the link of worker {pid} did not come along"),
                _ => self.evict_worker(pid, "what it hands over is no link"),
            }
        }
        self.rendezvous_unread = true;
    }

    pub(super) fn add_link(&mut self, fd: OwnedFd, pid: i32) -> io::Result<()> {
        let stream = UnixStream::from(fd);
        let at = self.state.reserve();
        let (slot, token) = (at.slot, Token(FIRST_LINK + at.slot));
        if let Err(error) = self.registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE) {
            self.state.release(slot);
            return Err(error);
        }
        let link = Arc::new(Link::new(stream, self.registry.clone(), token, slot));
        let session = Session { since: Time::now(), ..Session::new(at.id, link, pid) };
        // A worker has one link at a time.
        self.dead.extend(self.workers.by_pid.insert(pid, slot));
        self.state.put(slot, Box::new(session));
        if let Some(msg) = self.workers.kicks.remove(&pid)
            && let Some(link) = self.session(slot).map(|session| session.link.clone())
        {
            self.batch.event(&link, 0, &Event::Close(Notice { msg }));
        }
        Ok(())
    }

    /// Reads what a link has; `all` when the kernel will not tell again of what is left behind.
    pub(super) fn read_link(&mut self, slot: usize, writable: bool, all: bool) {
        let Some(link) = self.session(slot).map(|session| session.link.clone()) else { return };
        // A worker that is gone may have left its last words: they are read all the same.
        let flushed = if writable { link.flush() } else { Ok(false) };
        if let Ok(true) = flushed {
            self.resume(slot);
        }
        let gone = flushed.is_err();
        if !self.is_read(slot) {
            return;
        }
        let Some(session) = self.session_mut(slot) else { return };
        let mut reader = std::mem::take(&mut session.reader);
        let (mut taken, mut last) = (0, false);
        loop {
            // First: something may be left of what came before.
            if let Err(why) = self.frames(slot, &mut reader) {
                self.evict(slot, &why);
                break;
            }
            if last || !self.is_read(slot) {
                break;
            }
            if taken > TURN {
                self.unread.push(slot);
                break;
            }
            match reader.fill(|buffer| link.read(buffer)) {
                Ok((0, _)) => {
                    self.dead.push(slot);
                    break;
                }
                Ok((count, more)) => {
                    taken += count;
                    last = !more && !all;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.dead.push(slot);
                    break;
                }
            }
        }
        if gone {
            self.dead.push(slot);
        }
        if let Some(session) = self.session_mut(slot) {
            session.reader = reader;
        }
    }

    pub(super) fn frames(&mut self, slot: usize, reader: &mut FrameReader) -> Result<(), String> {
        while let Some(frame) = reader.next_frame().map_err(|error| error.to_string())? {
            if frame.descriptors > 0 {
                return Err("it announced descriptors".into());
            }
            let (carried, payload) = match frame.class {
                Class::Request => (None, frame.payload),
                Class::Change => {
                    let (carried, payload) = frame.carried().map_err(|error| error.to_string())?;
                    (Some(carried), payload)
                }
                _ => return Err("it sent something that is not a request".into()),
            };
            let frame = Frame { payload, ..frame };
            self.request(slot, frame, carried)?;
            if !self.is_read(slot) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether a session's link is read at the moment.
    fn is_read(&self, slot: usize) -> bool {
        self.session(slot).is_some_and(|session| session.held.is_none() && !session.over && !session.is_full())
    }

    /// The listener has spoken of this session's worker: what was held is worked on.
    pub(super) fn release(&mut self, slot: usize) {
        let Some(session) = self.session_mut(slot) else { return };
        let Some((number, open)) = session.held.take() else { return };
        let asked = Asked { number, request: Request::Open(open), key: None, size: 0, since: self.now };
        match self.start(slot, asked) {
            Ok(()) => self.read_link(slot, false, true),
            Err(why) => self.evict(slot, &why),
        }
    }

    /// The listener has seen a session's worker end. What it said before is still worked on; when its link has not ended
    /// with it, somebody else has it.
    pub(super) fn last_words(&mut self, pid: i32, session: u64) {
        // Another worker may have taken the session over.
        let theirs = |slot: &usize| self.session(*slot).is_some_and(|session| session.pid == pid);
        let Some(slot) = self.workers.by_session.get(&session).copied().filter(theirs) else { return };
        self.read_link(slot, false, true);
        if self.is_read(slot) && !self.dead.contains(&slot) && !self.unread.contains(&slot) {
            self.evict(slot, "its worker has ended, and its link has not");
        }
    }
}
