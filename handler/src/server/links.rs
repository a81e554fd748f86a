//! Workers' links: taken from the front desk, read, and each request brought to where it is worked on, in the order
//! that its session may expect. Part of the event loop.

use super::{FIRST_LINK, Server};
use crate::core::{Asker, Key, Read, Write};
use crate::dispatch::{Plan, entry};
use crate::link::{Link, ReplyTo};
use crate::session::{Asked, Lane, Session};
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use mio::unix::SourceFd;
use mio::{Interest, Token};
use ssmglobal_ipc::frame::{Class, Frame, FrameReader};
use ssmglobal_ipc::{Carried, Code, Event, Failure, Kind, Notice, Reply, Request};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

/// Requests of one session that may wait for others of its own. A worker keeps to fewer.
const AHEAD: usize = 16_384;

impl Server {
    pub(super) fn read_desk(&mut self) {
        loop {
            let mut message = [0; ssmglobal_ipc::desk::LONGEST];
            let (received, pid) = match ssmglobal_sys::receive_with_peer(&self.desk, &mut message) {
                Ok((received, _)) if received.count == 0 => return,
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    log::error!("front desk: {error}");
                    return;
                }
            };
            let Some(fd) = received.fds.into_iter().next() else {
                self.desk_message(pid, message.get(..received.count).unwrap_or_default());
                continue;
            };
            if let Err(error) = self.add_link(fd, pid) {
                log::error!("the link of worker {pid} cannot be taken: {error}");
            }
        }
    }

    pub(super) fn add_link(&mut self, fd: OwnedFd, pid: i32) -> io::Result<()> {
        let stream = UnixStream::from(fd);
        stream.set_nonblocking(true)?;
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

    pub(super) fn read_link(&mut self, slot: usize, writable: bool, closed: bool) {
        let Some(link) = self.session(slot).map(|session| session.link.clone()) else { return };
        // A worker that is gone may have left its last words: they are read all the same.
        let flushed = if writable { link.flush() } else { Ok(false) };
        if let Ok(true) = flushed {
            self.resume(slot);
        }
        let gone = flushed.is_err();
        let Some(session) = self.session_mut(slot) else { return };
        session.ended |= closed;
        let ended = session.ended;
        if session.held.is_some() {
            return;
        }
        let mut reader = std::mem::take(&mut session.reader);
        loop {
            match reader.fill(|buffer| link.stream().read(buffer)) {
                Ok((0, _)) => {
                    self.dead.push(slot);
                    break;
                }
                Ok((_, more)) => {
                    if let Err(why) = self.frames(slot, &mut reader) {
                        self.banish(slot, &why);
                        break;
                    }
                    if !(more || ended) || self.session(slot).is_none_or(|session| session.held.is_some()) {
                        break;
                    }
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
            if self.session(slot).is_none_or(|session| session.held.is_some()) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The listener has spoken of this session's worker: what was held is worked on.
    pub(super) fn release(&mut self, slot: usize) {
        let Some(session) = self.session_mut(slot) else { return };
        let Some((number, open)) = session.held.take() else { return };
        let mut reader = std::mem::take(&mut session.reader);
        let asked = Asked { number, request: Request::Open(open), key: None };
        let result = self.start(slot, asked).and_then(|()| self.frames(slot, &mut reader));
        if let Some(session) = self.session_mut(slot) {
            session.reader = reader;
        }
        match result {
            Ok(()) => self.read_link(slot, false, false),
            Err(why) => self.banish(slot, &why),
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
        if kind.changes() != carried.is_some() {
            return Err(format!("{} came as what it is not", kind.name()));
        }
        // What a worker asks by itself, and when it comes back, is no word of its client's.
        let own = matches!(kind, Kind::Open | Kind::Log | Kind::RelayFetch) || self.gathering.is_some();
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        if !own {
            session.last = Instant::now();
        }
        let mut key = None;
        if let Some(carried) = carried {
            session.link.acknowledged(carried.acked);
            key = carried.key.map(|key| Box::new((key, digest(kind, frame.payload))));
        }
        let asked = Asked { number, request, key };
        if session.waiting.is_empty() && self.may_start(slot, &asked.request) {
            return self.start(slot, asked);
        }
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        if session.waiting.len() >= AHEAD {
            return Err("it asks more than it may".into());
        }
        session.waiting.push_back(asked);
        if !session.link.wait_for_quiet() {
            self.resume(slot);
        }
        Ok(())
    }

    /// Whether a request can start now without overtaking others of its session.
    pub(super) fn may_start(&self, slot: usize, request: &Request) -> bool {
        let Some(session) = self.session(slot) else { return false };
        if self.gathering.is_some() && !matches!(request.kind(), Kind::Open | Kind::RelayJoin) {
            return false;
        }
        // Answers that the worker has not taken could not be given again as they were, should this process die after a
        // change.
        if request.kind().changes() && session.link.wait_for_room() {
            return false;
        }
        let lane = entry(request.kind()).map(|entry| entry.lane);
        session.link.in_flight() == 0 || (lane == Some(Lane::Write) && session.lane == Lane::Write)
    }

    /// Goes on with what a session has waiting, as far as that can start.
    pub(super) fn resume(&mut self, slot: usize) {
        loop {
            let Some(session) = self.session(slot) else { return };
            let Some(asked) = session.waiting.front() else { return };
            if !self.may_start(slot, &asked.request) {
                if self.gathering.is_some() || session.link.is_stuck() || session.link.wait_for_quiet() {
                    return;
                }
                continue;
            }
            let Some(asked) = self.session_mut(slot).and_then(|session| session.waiting.pop_front()) else {
                return;
            };
            if let Err(why) = self.start(slot, asked) {
                return self.banish(slot, &why);
            }
        }
    }

    /// Looks the request up in the table and does what stands there.
    pub(super) fn start(&mut self, slot: usize, asked: Asked) -> Result<(), String> {
        let Asked { number, request, key } = asked;
        let kind = request.kind();
        let Some((entry, session)) = entry(kind).zip(self.session_mut(slot)) else { return Ok(()) };
        if !entry.permits.has(session.state) && session.logged_out {
            let link = session.link.clone();
            let failure = Failure::new(Code::NotLoggedIn, "You were logged out before this was done. Log in first.");
            self.batch.reply(&ReplyTo { link, number }, &failure.into());
            return Ok(());
        }
        if !entry.permits.has(session.state) {
            return Err(format!("{} is not permitted to it", kind.name()));
        }
        session.lane = entry.lane;
        let link = session.link.clone();
        let mut key = session.owner().zip(key).map(|(owner, key)| Box::new(Key { owner, key: key.0, digest: key.1 }));
        let repeated = number < session.fresh;
        self.requests += 1;
        if repeated && kind.changes() && self.repeat(slot, number) {
            return Ok(());
        }
        if let Some(key) = key.take_if(|_| matches!(kind, Kind::Tell | Kind::RelaySend)) {
            return self.start_keyed(slot, number, request, key);
        }
        let plan = (entry.run)(self, slot, number, request);
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
