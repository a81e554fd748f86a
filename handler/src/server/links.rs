//! Workers' links: taken from the front desk, read, and each request brought to where it is worked on, in the order
//! that its session may expect. Part of the event loop.

use super::{FIRST_LINK, Server};
use crate::core::{Asker, Key, Read, Write};
use crate::dispatch::{Plan, run};
use crate::link::{Link, ReplyTo};
use crate::session::{Asked, Session};
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use mio::unix::SourceFd;
use mio::{Interest, Token};
use ssmglobal_ipc::frame::{Class, Frame, FrameReader};
use ssmglobal_ipc::{AskedBy, Carried, Code, Does, Done, Event, Failure, Kind, Lane, Notice, Reply, Request, desk};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

/// Requests of one session that may wait for others of its own. A worker keeps to fewer.
const AHEAD: usize = 16_384;

/// Changes of one session that the writer has at once; the next ones wait in their session, so that nobody fills the
/// writer's queue alone.
const IN_FLIGHT: u32 = 1024;

/// Bytes that one link may say in one turn, more or less, so that the others are heard too.
const TURN: usize = 128 << 10;

/// Messages that one turn takes from the front desk.
const DESK_TURN: usize = 64;

impl Server {
    /// Whether somebody has more to say than one turn takes.
    pub(super) fn has_unread(&self) -> bool {
        self.desk_unread || !self.unread.is_empty()
    }

    /// Goes on with those.
    pub(super) fn read_on(&mut self) {
        for slot in std::mem::take(&mut self.unread) {
            self.read_link(slot, false, true);
        }
        if std::mem::take(&mut self.desk_unread) {
            self.read_desk();
        }
    }

    pub(super) fn read_desk(&mut self) {
        for _ in 0..DESK_TURN {
            let mut message = [0; desk::LONGEST];
            let (received, pid) = match ssmglobal_sys::receive_with_peer(&self.desk, &mut message) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    log::error!("front desk: {error}");
                    return;
                }
            };
            let message = message.get(..received.count).unwrap_or_default();
            if received.fds.is_empty() && !message.is_empty() && message != [desk::LINK] {
                self.desk_message(pid, message);
                continue;
            }
            if !self.may_link(pid) {
                continue;
            }
            let mut fds = received.fds.into_iter();
            match (fds.next(), fds.next()) {
                (Some(fd), None) if ssmglobal_sys::is_unix_stream(&fd) => {
                    if let Err(error) = self.add_link(fd, pid) {
                        log::error!("the link of worker {pid} cannot be taken: {error}");
                    }
                }
                // This process has as many descriptors as it may have: the worker sees its link close.
                (None, _) if received.count > 0 => log::error!("the link of worker {pid} did not come along"),
                _ => self.distrust(pid, "what it hands over is no link"),
            }
        }
        self.desk_unread = true;
    }

    pub(super) fn add_link(&mut self, fd: OwnedFd, pid: i32) -> io::Result<()> {
        let stream = UnixStream::from(fd);
        let slot = self.free.pop().unwrap_or(self.sessions.len());
        let token = Token(FIRST_LINK + slot);
        if let Err(error) = self.registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE) {
            self.free.push(slot);
            return Err(error);
        }
        let session =
            Session::new(self.next_session, Arc::new(Link::new(stream, self.registry.clone(), token, slot)), pid);
        self.next_session += 1;
        // A worker has one link at a time.
        self.dead.extend(self.by_pid.insert(pid, slot));
        match self.sessions.get_mut(slot) {
            Some(place) => *place = Some(session),
            None => self.sessions.push(Some(session)),
        }
        if let Some(msg) = self.kicks.remove(&pid)
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
                self.banish(slot, &why);
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
        let asked = Asked { number, request: Request::Open(open), key: None, size: 0 };
        match self.start(slot, asked) {
            Ok(()) => self.read_link(slot, false, true),
            Err(why) => self.banish(slot, &why),
        }
    }

    /// The listener has seen a session's worker end. What it said before is still worked on; when its link has not ended
    /// with it, somebody else has it.
    pub(super) fn last_words(&mut self, pid: i32, session: u64) {
        // Another worker may have taken the session over.
        let theirs = |slot: &usize| self.session(*slot).is_some_and(|session| session.pid == pid);
        let Some(slot) = self.by_session.get(&session).copied().filter(theirs) else { return };
        self.read_link(slot, false, true);
        if self.is_read(slot) && !self.dead.contains(&slot) && !self.unread.contains(&slot) {
            self.banish(slot, "its worker has ended, and its link has not");
        }
    }

    fn request(&mut self, slot: usize, frame: Frame<'_>, carried: Option<Carried>) -> Result<(), String> {
        let number = frame.number;
        let Some(kind) = frame.request_kind() else {
            // A newer worker; what it wants is not known here, and that is no crime.
            let Some((to, _)) = self.reply_to(slot, number) else { return Ok(()) };
            self.batch.reply(&to, &Reply::fail(Code::UnknownCommand, "The backend does not know this command yet."));
            return Ok(());
        };
        let request = Request::decode(kind, frame.payload).map_err(|error| format!("{} with {error}", kind.name()))?;
        if kind.describe().is_kept() != carried.is_some() {
            return Err(format!("{} came as what it is not", kind.name()));
        }
        // What a worker asks by itself, and when it comes back, is no word of its client's.
        let own = kind.describe().asked_by == AskedBy::Worker || self.gathering.is_some();
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        if !own {
            session.last = Instant::now();
        }
        let mut key = None;
        if let Some(carried) = carried {
            session.order.change(number, carried.acked)?;
            if carried.key.as_ref().is_some_and(|key| key.len() > crate::keys::LONGEST) {
                return Err("its client's key is too long".into());
            }
            session.link.acknowledged(carried.acked);
            key = carried.key.map(|key| Box::new((key, digest(kind, frame.payload))));
        }
        let asked = Asked { number, request, key, size: frame.payload.len() };
        if session.waiting.is_empty() && self.may_start(slot, &asked.request) {
            return self.start(slot, asked);
        }
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        if session.waiting.len() >= AHEAD {
            return Err("it asks more than it may".into());
        }
        session.waiting_bytes += asked.size;
        session.waiting.push_back(asked);
        if !session.link.wait_for_quiet() {
            self.resume(slot);
        }
        Ok(())
    }

    /// Whether a request can start now without overtaking others of its session.
    pub(super) fn may_start(&self, slot: usize, request: &Request) -> bool {
        let Some(session) = self.session(slot) else { return false };
        let described = request.kind().describe();
        if self.gathering.is_some() && described.waits_for_others() {
            return false;
        }
        // Answers that the worker has not taken could not be given again as they were, should this process die after a
        // change.
        if described.is_kept() && session.link.wait_for_room() {
            return false;
        }
        match session.link.in_flight() {
            0 => true,
            some => some < IN_FLIGHT && described.lane() == Lane::Write && session.lane == Lane::Write,
        }
    }

    /// Goes on with what a session has waiting, as far as that can start.
    pub(super) fn resume(&mut self, slot: usize) {
        loop {
            let Some(session) = self.session(slot).filter(|session| !session.over) else { return };
            let Some(asked) = session.waiting.front() else { return };
            if !self.may_start(slot, &asked.request) {
                if self.gathering.is_some() || session.link.is_stuck() || session.link.wait_for_quiet() {
                    return;
                }
                continue;
            }
            let Some(session) = self.session_mut(slot) else { return };
            let Some(asked) = session.waiting.pop_front() else { return };
            let was_full = session.is_full();
            session.waiting_bytes -= asked.size;
            if was_full && !session.is_full() {
                self.unread.push(slot);
            }
            if let Err(why) = self.start(slot, asked) {
                return self.banish(slot, &why);
            }
        }
    }

    /// Looks the request up in the table and does what stands there.
    pub(super) fn start(&mut self, slot: usize, asked: Asked) -> Result<(), String> {
        let Asked { number, request, key, .. } = asked;
        let kind = request.kind();
        let described = kind.describe();
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        let repeated = number < session.fresh;
        // First: what it has come to may be that the session is somebody else now, who may not ask it.
        if repeated && described.is_kept() && self.repeat(slot, number) {
            return Ok(());
        }
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        if !described.states.has(session.state) && (session.logged_out || (repeated && kind == Kind::Logout)) {
            let link = session.link.clone();
            if kind == Kind::Logout {
                self.batch.reply(&ReplyTo { link, number }, &Reply::Done(Done {}));
                return Ok(());
            }
            let failure = Failure::new(Code::NotLoggedIn, "You were logged out before this was done. Log in first.");
            self.batch.reply(&ReplyTo { link, number }, &failure.into());
            return Ok(());
        }
        if !described.states.has(session.state) {
            return Err(format!("{} is not permitted to it", kind.name()));
        }
        session.lane = described.lane();
        let link = session.link.clone();
        let mut key = session.owner().zip(key).map(|(owner, key)| Box::new(Key { owner, key: key.0, digest: key.1 }));
        self.requests += 1;
        if let Some(key) = key.take_if(|_| described.does == Does::Volatile) {
            return self.start_keyed(slot, number, request, key);
        }
        let plan = run(self, slot, number, request);
        let to = ReplyTo { link, number };
        let asker = Asker::Session(to.clone());
        let given = match plan {
            Plan::Now(reply) => {
                self.batch.reply(&to, &reply);
                return Ok(());
            }
            Plan::Silent => return Ok(()),
            Plan::Banish(why) => return Err(why),
            Plan::WithDescriptors(reply, fds) => {
                to.link.put_with_fds(number, &reply, fds);
                self.batch.mark(&to.link);
                return Ok(());
            }
            Plan::Write(act) => {
                to.link.started();
                self.writes.push(Write { asker, act, key });
                Ok(())
            }
            Plan::Read(look) => {
                to.link.started();
                self.core.read(Read { to: to.clone(), look })
            }
            Plan::Hash(job) => {
                to.link.started();
                self.core.hash(job)
            }
        };
        if let Err(failure) = given {
            self.batch.finish(&to, &failure.into());
        }
        Ok(())
    }
}

/// Of what is asked under a client's key.
fn digest(kind: Kind, payload: &[u8]) -> [u8; 32] {
    Blake2b::<U32>::new().chain_update((kind as u16).to_le_bytes()).chain_update(payload).finalize().into()
}
