//! The handler's event loop: links of workers, the listener, the operator. It alone knows the sessions; it never waits
//! for the disk or for a hash.

use crate::core::{Asker, Core, Effect, Identity, Read, SessionRef, Write};
use crate::dispatch::{Plan, entry};
use crate::hub::Hub;
use crate::link::{Batch, Link, ReplyTo};
use crate::operator::Operators;
use crate::session::{Lane, Session, State};
use crate::throttle::Throttle;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use nix::sys::signal::Signal;
use ssmglobal_ipc::control::{Child, ToHandler, ToListener};
use ssmglobal_ipc::frame::{Class, Frame, FrameReader, put_control};
use ssmglobal_ipc::{Code, Event, Mode, Notice, Reply, Request};
use ssmglobal_sys::Signals;
use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

/// Requests of one session that may wait for others of its own. A worker keeps to fewer.
const AHEAD: usize = 16_384;

const DESK: Token = Token(0);
const LISTENER: Token = Token(1);
const SIGNALS: Token = Token(2);
/// Woken by other threads.
pub const WAKER: Token = Token(3);
/// The operator's socket.
pub const OPERATOR: Token = Token(4);
/// Operators' connections have numbers from here on …
pub const FIRST_OPERATOR: usize = 16;
/// … and links from here on.
const FIRST_LINK: usize = 1 << 16;

/// Why the event loop has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Asked,
    /// The listener is gone.
    ListenerGone,
}

/// The stream to the listener. What is said to it is little, and it always reads: there is room.
pub struct ListenerLink {
    /// The socket.
    pub stream: UnixStream,
    /// What has come and is not whole yet.
    pub reader: FrameReader,
    out: Vec<u8>,
}

impl ListenerLink {
    /// Takes over the socket and what was read from it so far.
    pub fn new(stream: UnixStream, reader: FrameReader) -> ListenerLink {
        ListenerLink { stream, reader, out: Vec::new() }
    }

    /// Tells the listener something.
    pub fn tell(&mut self, message: &ToListener) {
        put_control(&mut self.out, message);
        self.flush();
    }

    fn flush(&mut self) {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(count) => drop(self.out.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Full: goes with the next word. Gone: reading notices.
                Err(_) => return,
            }
        }
    }
}

/// All that the event loop knows.
pub struct Server {
    /// Shared with the other threads.
    pub core: Arc<Core>,
    /// By slot.
    pub sessions: Vec<Option<Session>>,
    free: Vec<usize>,
    next_session: u64,
    /// Who is on and who listens to what.
    pub hub: Hub,
    /// Failed logins.
    pub throttle: Throttle,
    /// All workers, as the listener says.
    pub children: HashMap<i32, Child>,
    /// The bound on clients, as the listener says.
    pub clients_max: u32,
    /// Slots of sessions by their worker.
    pub by_pid: HashMap<i32, usize>,
    /// Requests answered.
    pub requests: u64,
    /// Operators' connections.
    pub operators: Operators,
    pub(crate) listener: ListenerLink,
    pub(crate) poll: Poll,
    registry: Arc<Registry>,
    batch: Batch,
    /// Changes that this turn has collected: they go to the writer together, and so into one transaction.
    writes: Vec<Write>,
    desk: OwnedFd,
    signals: Signals,
    dead: Vec<usize>,
}

impl Server {
    /// Registers everything with `poll`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(
        core: Arc<Core>,
        poll: Poll,
        desk: OwnedFd,
        listener: ListenerLink,
        signals: Signals,
        operators: Operators,
    ) -> io::Result<Server> {
        let registry = poll.registry();
        registry.register(&mut SourceFd(&desk.as_raw_fd()), DESK, Interest::READABLE)?;
        registry.register(&mut SourceFd(&listener.stream.as_raw_fd()), LISTENER, Interest::READABLE)?;
        registry.register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, Interest::READABLE)?;
        let registry = Arc::new(registry.try_clone()?);
        Ok(Server {
            core,
            sessions: Vec::new(),
            free: Vec::new(),
            next_session: 1,
            hub: Hub::default(),
            throttle: Throttle::default(),
            children: HashMap::new(),
            clients_max: 0,
            by_pid: HashMap::new(),
            requests: 0,
            operators,
            listener,
            poll,
            registry,
            batch: Batch::default(),
            writes: Vec::new(),
            desk,
            signals,
            dead: Vec::new(),
        })
    }

    /// Serves until asked to end.
    ///
    /// # Errors
    /// The kernel's, from waiting for events.
    pub fn run(&mut self) -> io::Result<End> {
        let mut events = Events::with_capacity(1024);
        // What came together with the settings.
        if let Some(end) = self.read_listener() {
            return Ok(end);
        }
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                match event.token() {
                    DESK => self.read_desk(),
                    LISTENER => {
                        if let Some(end) = self.read_listener() {
                            return Ok(end);
                        }
                    }
                    SIGNALS => {
                        if let Ok(Some(Signal::SIGTERM)) = self.signals.next_signal() {
                            return Ok(End::Asked);
                        }
                    }
                    WAKER => {}
                    OPERATOR => self.accept_operators(),
                    Token(token) if token < FIRST_LINK => self.read_operator(token),
                    Token(token) => self.read_link(token - FIRST_LINK, event.is_writable()),
                }
            }
            self.finish_turn();
        }
    }

    /// What the turn has left: effects of other threads, replies, wake-ups, sessions that ended.
    fn finish_turn(&mut self) {
        loop {
            let (effects, quiet) = self.core.take_effects();
            if effects.is_empty() && quiet.is_empty() {
                break;
            }
            for effect in effects {
                self.effect(effect);
            }
            for slot in quiet {
                self.resume(slot);
            }
        }
        self.hand_over_writes();
        self.hub.wake_readers();
        for slot in self.batch.flush() {
            self.resume(slot);
        }
        while let Some(slot) = self.dead.pop() {
            self.end_session(slot);
        }
        // Ending and resuming may have answered or begun something.
        self.hand_over_writes();
        self.batch.flush();
    }

    fn hand_over_writes(&mut self) {
        if self.writes.is_empty() {
            return;
        }
        if let Err(failure) = self.core.write(&mut self.writes) {
            let reply = failure.into();
            for job in std::mem::take(&mut self.writes) {
                if let Asker::Session(to) = &job.asker {
                    self.batch.finish(to, &reply);
                }
            }
        }
    }

    /// A session that is there.
    pub fn session(&self, slot: usize) -> Option<&Session> {
        self.sessions.get(slot)?.as_ref()
    }

    /// A session that is there.
    pub fn session_mut(&mut self, slot: usize) -> Option<&mut Session> {
        self.sessions.get_mut(slot)?.as_mut()
    }

    /// The session, if it is still the one meant.
    pub fn live(&self, at: SessionRef) -> Option<&Session> {
        self.session(at.slot).filter(|session| session.id == at.id)
    }

    /// Where the answer to a request goes.
    pub fn reply_to(&self, slot: usize, number: u64) -> Option<(ReplyTo, SessionRef)> {
        let session = self.session(slot)?;
        Some((ReplyTo { link: session.link.clone(), number }, SessionRef { slot, id: session.id }))
    }

    /// Answers a request that was given to another thread and came back.
    pub fn batch_finish(&mut self, to: &ReplyTo, reply: &Reply) {
        self.batch.finish(to, reply);
    }

    /// Pushes an event to one session.
    pub fn push(&mut self, at: SessionRef, event: &Event) {
        if let Some(link) = self.live(at).map(|session| session.link.clone()) {
            self.batch.event(&link, event);
        }
    }

    /// How many rows a page has.
    pub fn page_limit(&self, asked: Option<u32>) -> usize {
        let most = self.core.settings().records.page_max;
        asked.unwrap_or(most.min(20)).clamp(1, most) as usize
    }

    /// How a session speaks from now on. Another way of speaking is another identity.
    pub fn set_mode(&mut self, slot: usize, mode: Mode) {
        let Some(session) = self.session_mut(slot) else { return };
        let was_server = matches!(session.state, State::Server | State::Unproved);
        let is_server = mode == Mode::Server;
        session.mode = mode;
        if session.state == State::New || was_server != is_server {
            self.forget_identity(slot);
            if let Some(session) = self.session_mut(slot) {
                session.state = if is_server { State::Unproved } else { State::Anonymous };
            }
        }
    }

    /// The session is nobody any more: out of every list.
    pub fn forget_identity(&mut self, slot: usize) {
        let Some(session) = self.sessions.get_mut(slot).and_then(Option::as_mut) else { return };
        let at = SessionRef { slot, id: session.id };
        match session.identity.take() {
            Some(Identity::Player(id, name)) => {
                Hub::leave(&mut self.hub.players, &id, at);
                if !self.hub.players.contains_key(&id) {
                    self.hub.names.remove(&crate::names::fold(&name));
                }
            }
            Some(Identity::Server(_, name)) => {
                let key = name.to_ascii_lowercase();
                if let Some(list) = self.hub.servers.get_mut(&key) {
                    list.retain(|other| *other != at);
                    if list.is_empty() {
                        self.hub.servers.remove(&key);
                    }
                }
                if self.hub.worlds.get(&key).is_some_and(|(owner, _)| *owner == at) {
                    self.hub.worlds.remove(&key);
                }
                for index in session.channels.drain(..) {
                    if let Some(channel) = self.hub.channel_at(index) {
                        channel.members = channel.members.saturating_sub(1);
                    }
                }
            }
            None => {}
        }
    }

    fn end_session(&mut self, slot: usize) {
        self.forget_identity(slot);
        let Some(session) = self.sessions.get_mut(slot).and_then(Option::take) else { return };
        let at = SessionRef { slot, id: session.id };
        for board in &session.watches {
            Hub::leave(&mut self.hub.watchers, board, at);
        }
        if self.by_pid.get(&session.pid) == Some(&slot) {
            self.by_pid.remove(&session.pid);
        }
        let _ = self.poll.registry().deregister(&mut SourceFd(&session.link.as_raw_fd()));
        let _ = session.link.stream().shutdown(std::net::Shutdown::Both);
        self.free.push(slot);
    }

    /// Ends a session that breaks the rules.
    fn banish(&mut self, slot: usize, why: &str) {
        if let Some(session) = self.session(slot) {
            log::warn!("{}: the session ends: {why}", session.peer());
        }
        self.dead.push(slot);
    }

    fn read_desk(&mut self) {
        loop {
            let mut byte = [0; 8];
            let (received, pid) = match ssmglobal_sys::receive_with_peer(&self.desk, &mut byte) {
                Ok((received, _)) if received.count == 0 => return,
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    log::error!("front desk: {error}");
                    return;
                }
            };
            let Some(fd) = received.fds.into_iter().next() else { continue };
            if let Err(error) = self.add_link(fd, pid) {
                log::error!("the link of worker {pid} cannot be taken: {error}");
            }
        }
    }

    fn add_link(&mut self, fd: OwnedFd, pid: i32) -> io::Result<()> {
        let stream = UnixStream::from(fd);
        stream.set_nonblocking(true)?;
        let slot = self.free.pop().unwrap_or(self.sessions.len());
        let token = Token(FIRST_LINK + slot);
        if let Err(error) = self.registry.register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE) {
            self.free.push(slot);
            return Err(error);
        }
        let mut session =
            Session::new(self.next_session, Arc::new(Link::new(stream, self.registry.clone(), token, slot)), pid);
        self.next_session += 1;
        if let Some(child) = self.children.get(&pid) {
            session.address = Some(child.address);
            session.since = child.at;
        }
        self.by_pid.insert(pid, slot);
        match self.sessions.get_mut(slot) {
            Some(place) => *place = Some(session),
            None => self.sessions.push(Some(session)),
        }
        Ok(())
    }

    fn read_link(&mut self, slot: usize, writable: bool) {
        let Some(session) = self.sessions.get_mut(slot).and_then(Option::as_mut) else { return };
        if writable && session.link.flush().is_err() {
            self.dead.push(slot);
            return;
        }
        let link = session.link.clone();
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
                    if !more {
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
        if let Some(session) = self.session_mut(slot) {
            session.reader = reader;
        }
    }

    fn frames(&mut self, slot: usize, reader: &mut FrameReader) -> Result<(), String> {
        while let Some(frame) = reader.next_frame().map_err(|error| error.to_string())? {
            if frame.class != Class::Request {
                return Err("it sent something that is not a request".into());
            }
            self.request(slot, frame)?;
        }
        Ok(())
    }

    fn request(&mut self, slot: usize, frame: Frame<'_>) -> Result<(), String> {
        let number = frame.number;
        let Some(kind) = frame.request_kind() else {
            // A newer worker; what it wants is not known here, and that is no crime.
            let Some((to, _)) = self.reply_to(slot, number) else { return Ok(()) };
            self.batch.reply(&to, &Reply::fail(Code::UnknownCommand, "The backend does not know this command yet."));
            return Ok(());
        };
        let request = Request::decode(kind, frame.payload).map_err(|error| format!("{} with {error}", kind.name()))?;
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        session.last = Instant::now();
        if session.waiting.is_empty() && self.may_start(slot, &request) {
            return self.start(slot, number, request);
        }
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        if session.waiting.len() >= AHEAD {
            return Err("it asks more than it may".into());
        }
        session.waiting.push_back((number, request));
        if !session.link.wait_for_quiet() {
            self.resume(slot);
        }
        Ok(())
    }

    /// Whether a request can start now without overtaking others of its session.
    fn may_start(&self, slot: usize, request: &Request) -> bool {
        let Some(session) = self.session(slot) else { return false };
        let lane = entry(request.kind()).map(|entry| entry.lane);
        session.link.in_flight() == 0 || (lane == Some(Lane::Write) && session.lane == Lane::Write)
    }

    /// Goes on with what a session has waiting, as far as that can start.
    fn resume(&mut self, slot: usize) {
        loop {
            let Some(session) = self.session(slot) else { return };
            let Some((_, request)) = session.waiting.front() else { return };
            if !self.may_start(slot, request) {
                if session.link.wait_for_quiet() {
                    return;
                }
                continue;
            }
            let Some((number, request)) = self.session_mut(slot).and_then(|session| session.waiting.pop_front()) else {
                return;
            };
            if let Err(why) = self.start(slot, number, request) {
                return self.banish(slot, &why);
            }
        }
    }

    /// Looks the request up in the table and does what stands there.
    fn start(&mut self, slot: usize, number: u64, request: Request) -> Result<(), String> {
        let kind = request.kind();
        let Some((entry, session)) = entry(kind).zip(self.session_mut(slot)) else { return Ok(()) };
        if !entry.permits.has(session.state) {
            return Err(format!("{} is not permitted to it", kind.name()));
        }
        session.lane = entry.lane;
        let link = session.link.clone();
        self.requests += 1;
        let plan = (entry.run)(self, slot, number, request);
        let to = ReplyTo { link, number };
        let asker = Asker::Session(to.clone());
        let given = match plan {
            Plan::Now(reply) => {
                self.batch.reply(&to, &reply);
                return Ok(());
            }
            Plan::Silent => return Ok(()),
            Plan::WithDescriptors(reply, fds) => {
                to.link.put_with_fds(number, &reply, fds);
                self.batch.mark(&to.link);
                return Ok(());
            }
            Plan::Write(act) => {
                to.link.started();
                self.writes.push(Write { asker, act });
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

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Proved { .. } => crate::players::proved(self, effect),
            Effect::Push(player, event) => {
                for at in self.hub.players.get(&player).cloned().unwrap_or_default() {
                    self.push(at, &event);
                }
            }
            Effect::First(board, event) => {
                for at in self.hub.watchers.get(&board).cloned().unwrap_or_default() {
                    self.push(at, &event);
                }
            }
            Effect::PlayerOut(player, reason) => {
                for at in self.hub.players.get(&player).cloned().unwrap_or_default() {
                    self.log_out(at, &reason);
                }
            }
            Effect::ServerOut(id, reason) => {
                let of =
                    |session: &Session| matches!(&session.identity, Some(Identity::Server(other, _)) if *other == id);
                let all = self.sessions.iter().enumerate();
                let all = all
                    .filter_map(|(slot, session)| session.as_ref().filter(|session| of(session)).map(|s| (slot, s.id)));
                for (slot, id) in all.collect::<Vec<_>>() {
                    self.log_out(SessionRef { slot, id }, &reason);
                }
            }
            Effect::Operator(operator, answer) => self.answer_operator(operator, &answer),
        }
    }

    /// Takes a login back.
    fn log_out(&mut self, at: SessionRef, reason: &str) {
        self.push(at, &Event::LoggedOut(Notice { msg: reason.to_owned() }));
        self.forget_identity(at.slot);
        if let Some(session) = self.session_mut(at.slot) {
            session.state = if session.mode == Mode::Server { State::Unproved } else { State::Anonymous };
        }
    }

    fn read_listener(&mut self) -> Option<End> {
        let mut reader = std::mem::take(&mut self.listener.reader);
        let end = loop {
            loop {
                match reader.next_frame() {
                    Ok(Some(frame)) => match frame.control::<ToHandler>() {
                        Ok(message) => self.listener_says(message),
                        Err(error) => log::error!("the listener sent {error}"),
                    },
                    Ok(None) => break,
                    Err(error) => {
                        log::error!("the listener sent {error}");
                        return Some(End::ListenerGone);
                    }
                }
            }
            match reader.fill(|buffer| self.listener.stream.read(buffer)) {
                Ok((0, _)) => break Some(End::ListenerGone),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break Some(End::ListenerGone),
            }
        };
        self.listener.reader = reader;
        end
    }

    fn listener_says(&mut self, message: ToHandler) {
        match message {
            ToHandler::Snapshot { children, max } => {
                self.clients_max = max;
                self.children = children.into_iter().map(|child| (child.pid, child)).collect();
                for (pid, slot) in &self.by_pid {
                    let session = self.sessions.get_mut(*slot).and_then(Option::as_mut);
                    if let Some((child, session)) = self.children.get(pid).zip(session) {
                        session.address = Some(child.address);
                        session.since = child.at;
                    }
                }
            }
            ToHandler::Forked { child, count, max } => {
                self.clients_max = max;
                log::info!(target: "listener", "{}: Connected ({count}/{max}).", crate::session::shown(child.address));
                if let Some(slot) = self.by_pid.get(&child.pid).copied()
                    && let Some(session) = self.session_mut(slot)
                {
                    session.address = Some(child.address);
                    session.since = child.at;
                }
                self.children.insert(child.pid, child);
            }
            ToHandler::Exited { pid, status, count, max } => {
                let Some(child) = self.children.remove(&pid) else { return };
                let address = crate::session::shown(child.address);
                log::info!(target: "listener", "{address}: Disconnected ({count}/{max}).");
                if status != 0 {
                    log::warn!(target: "listener", "{address}: worker {pid} ended with {status}");
                }
            }
            ToHandler::Log { level, text } => {
                log::log!(target: "listener", crate::logging::level(level), "{}", crate::logging::visible(&text));
            }
            ToHandler::Reload { settings } => match postcard::from_bytes::<ssmglobal_config::Settings>(&settings) {
                Ok(settings) => {
                    log::set_max_level(crate::logging::filter(settings.log.level));
                    *crate::core::write(&self.core.settings) = Arc::new(settings);
                }
                Err(error) => log::error!("the listener sent settings that cannot be read: {error}"),
            },
        }
    }
}

/// Cuts a list that was read one row too far, and gives the key to go on with.
pub fn next_page<T>(rows: &mut Vec<T>, limit: usize, key: impl FnOnce(&T) -> String) -> Option<String> {
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(key)
}
