//! The handler's event loop: links of workers, the listener, the operator. It alone knows the sessions; it never waits
//! for the disk or for a hash.

mod distrust;
mod effects;
mod gather;
mod keyed;
mod links;
mod listener;
mod moved;
mod orphan;
mod panics;
mod versions;

pub use distrust::Order;
pub use listener::ListenerLink;

use crate::core::{Act, Answer, Asker, Core, Effect, Identity, SessionRef, Write};
use crate::hub::Hub;
use crate::journal::{Entry, Found, Journal};
use crate::link::{Batch, ReplyTo};
use crate::operator::Operators;
use crate::results::Outcome;
use crate::session::Session;
use crate::throttle::Throttle;
use crate::tickets::Tickets;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use ssmglobal_ipc::control::Client;
use ssmglobal_ipc::{Event, Mode, Reply, State, Time};
use ssmglobal_store::Owner;
use ssmglobal_sys::Signals;
use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Bound;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
/// Workers that are watched for their end, by process id.
const FIRST_WATCHED: usize = 1 << 30;

/// Why the event loop has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Asked,
    /// The listener is gone.
    ListenerGone,
}

/// What one handler hands to the next.
pub struct Inherited {
    /// Where workers' links come in.
    pub desk: OwnedFd,
    /// What is only in memory.
    pub journal: Journal,
    /// Of this run.
    pub tickets: Tickets,
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
    pub children: HashMap<i32, Client>,
    /// When they were first heard of, in ticks since the machine was started, by process id.
    heard: HashMap<i32, u64>,
    /// Workers that are not the listener's children, by process id.
    watched: HashMap<i32, orphan::Watched>,
    /// Which program each worker was forked from.
    pub(crate) versions: versions::Versions,
    /// When a listener has last died, in the same ticks; 0 when none has.
    orphaned_at: u64,
    /// Which run of the backend this is, as the listener says.
    pub run: u64,
    /// The bound on clients, as the listener says.
    pub clients_max: u32,
    /// Slots of sessions by their worker.
    pub by_pid: HashMap<i32, usize>,
    /// Slots of sessions by their number.
    pub by_session: HashMap<u64, usize>,
    /// What to tell workers that have no link yet when they have one: the session ends, because.
    pub kicks: HashMap<i32, String>,
    /// What outlives this handler.
    pub journal: Journal,
    /// What the handler before this one has left, as far as it was not taken yet.
    pub found: Found,
    /// Sessions that are to come back before anything is answered.
    pub expected: HashSet<u64>,
    pub(crate) gathering: Option<Instant>,
    /// What is to be told when they are back.
    untold: Vec<Effect>,
    /// What the handler before this one has done and not told, and the row of kept answers that it ends with.
    done_before: (Vec<Outcome>, i64),
    /// What requests under a client's key came to, until it is in the database.
    pub(crate) keyed: HashMap<(Owner, String), ([u8; 32], Outcome)>,
    /// Up to when tickets of a session hold no longer.
    pub revoked: HashMap<u64, Time>,
    /// Seals and opens tickets.
    pub tickets: Tickets,
    /// Who may not be on.
    pub barred: HashSet<Owner>,
    /// Sessions that have broken the rules; their workers may not come back.
    pub banished: HashSet<u64>,
    /// Workers that have said that they panicked and have not ended yet.
    panicked: HashSet<i32>,
    /// How many links each worker has made.
    pub(crate) links: HashMap<i32, u32>,
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
    /// Sessions whose links have more than they may say in one turn.
    unread: Vec<usize>,
    /// So has the front desk.
    desk_unread: bool,
}

impl Server {
    /// Registers everything with `poll`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(
        core: Arc<Core>,
        poll: Poll,
        inherited: Inherited,
        listener: ListenerLink,
        signals: Signals,
        operators: Operators,
    ) -> io::Result<Server> {
        let Inherited { desk, mut journal, tickets } = inherited;
        let registry = poll.registry();
        registry.register(&mut SourceFd(&desk.as_raw_fd()), DESK, Interest::READABLE)?;
        registry.register(&mut SourceFd(&listener.stream.as_raw_fd()), LISTENER, Interest::READABLE)?;
        registry.register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, Interest::READABLE)?;
        let registry = Arc::new(registry.try_clone()?);
        let mut found = journal.recover();
        let revoked = std::mem::take(&mut found.revoked);
        Ok(Server {
            core,
            sessions: Vec::new(),
            free: Vec::new(),
            next_session: 1,
            hub: Hub::default(),
            throttle: Throttle::default(),
            children: HashMap::new(),
            heard: HashMap::new(),
            watched: HashMap::new(),
            versions: versions::Versions::default(),
            orphaned_at: 0,
            run: 0,
            clients_max: 0,
            by_pid: HashMap::new(),
            by_session: HashMap::new(),
            kicks: HashMap::new(),
            journal,
            found,
            expected: HashSet::new(),
            gathering: None,
            revoked,
            untold: Vec::new(),
            done_before: (Vec::new(), 0),
            keyed: HashMap::new(),
            tickets,
            barred: HashSet::new(),
            banished: HashSet::new(),
            panicked: HashSet::new(),
            links: HashMap::new(),
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
            unread: Vec::new(),
            desk_unread: false,
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
        self.begin_gathering();
        loop {
            let wait = if self.has_unread() { Some(Duration::ZERO) } else { self.gathering_ends() };
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            // First: whoever was answered by another thread may ask again in this very turn, and is to find everything
            // as it was left.
            self.take_effects();
            self.read_on();
            for event in &events {
                match event.token() {
                    DESK => self.read_desk(),
                    LISTENER => {
                        if let Some(end) = self.read_listener() {
                            return Ok(end);
                        }
                    }
                    SIGNALS => {
                        // A supervisor may tell every process; the listener says when the last client is gone.
                        while let Ok(Some(signal)) = self.signals.next_signal() {
                            if self.listener.pid == 0 {
                                log::info!("{signal}: the handler ends, since there is no listener");
                                return Ok(End::Asked);
                            }
                            log::info!("{signal}: the handler ends when the listener says so");
                        }
                    }
                    WAKER => {}
                    OPERATOR => self.accept_operators(),
                    Token(token) if token < FIRST_LINK => self.read_operator(token),
                    Token(token) if token < FIRST_WATCHED => {
                        self.read_link(token - FIRST_LINK, event.is_writable(), event.is_read_closed());
                    }
                    Token(token) => self.watched_ended(token),
                }
            }
            self.finish_turn();
        }
    }

    /// What the turn has left: effects of other threads, replies, wake-ups, sessions that ended.
    fn finish_turn(&mut self) {
        self.take_effects();
        self.hub.wake_readers();
        // Before the writer gets something to do: if this process dies after a change, the session must have the answers to
        // what it had asked before, since they cannot be given again as they were.
        for slot in self.batch.flush() {
            self.resume(slot);
        }
        self.hand_over_writes();
        self.gather();
        while let Some(slot) = self.dead.pop() {
            self.end_session(slot);
        }
        // Ending and resuming may have answered or begun something.
        loop {
            let quiet = self.batch.flush();
            for slot in &quiet {
                self.resume(*slot);
            }
            let writes = self.writes.len();
            self.hand_over_writes();
            if quiet.is_empty() && writes == 0 {
                break;
            }
        }
        self.journal.flushed();
        self.tidy_journal();
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

    /// Answers a request that the event loop has kept for itself.
    pub fn batch_reply(&mut self, to: &ReplyTo, reply: &Reply) {
        self.batch.reply(to, reply);
    }

    /// Pushes an event to one session. It arrives once, whatever becomes of this handler.
    pub fn push(&mut self, at: SessionRef, event: &Event) {
        let Some((link, session)) = self.live(at).map(|session| (session.link.clone(), session.number)) else { return };
        // Plain data: it can always be written.
        let bytes = postcard::to_stdvec(event).unwrap_or_default();
        let position = self.journal.append(&Entry::Push { session, event: bytes });
        // Two that were left out would have the same number, and the second would be passed over.
        let number = if self.journal.is_full() { 0 } else { position + 1 };
        self.batch.event(&link, number, event);
    }

    /// Says an event to one session's worker, under the number that it was pushed with before; 0 for what the next handler
    /// would say again anyway.
    pub fn tell(&mut self, at: SessionRef, number: u64, event: &Event) {
        if let Some(link) = self.live(at).map(|session| session.link.clone()) {
            self.batch.event(&link, number, event);
        }
    }

    /// How many rows a page has.
    pub fn page_limit(&self, asked: Option<u32>) -> usize {
        let most = self.core.settings().records.page_max;
        asked.unwrap_or(most.min(20)).clamp(1, most) as usize
    }

    /// How a session speaks from now on. Between game servers and others it takes another identity: gives whether the
    /// session is nobody now.
    pub fn set_mode(&mut self, slot: usize, mode: Mode) -> bool {
        let Some(session) = self.session_mut(slot) else { return false };
        let was_server = matches!(session.state, State::Server | State::Unproved);
        let is_server = mode == Mode::Server;
        session.mode = mode;
        let anew = session.state == State::New || was_server != is_server;
        if anew {
            self.revoke(slot);
            self.forget_identity(slot);
            if let Some(session) = self.session_mut(slot) {
                session.state = if is_server { State::Unproved } else { State::Anonymous };
            }
        }
        anew
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
                let channels = std::mem::take(&mut session.channels);
                if self.hub.worlds.get(&key).is_some_and(|(owner, _)| *owner == at) {
                    self.forget_world(&name);
                }
                for index in channels {
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
        if self.by_session.get(&session.number) == Some(&slot) {
            self.by_session.remove(&session.number);
            if session.link.asked().1 > 0 {
                let act: Act = Box::new(|_| Ok(Answer::Later));
                self.writes.push(Write { asker: Asker::Gone(session.number), act, key: None });
            }
        }
        let _ = self.poll.registry().deregister(&mut SourceFd(&session.link.as_raw_fd()));
        session.link.close();
        if session.link.is_overrun() {
            log::warn!("{}: the session ends: its worker does not read what it gets", session.peer());
        }
        self.free.push(slot);
    }

    /// Ends a session with this turn.
    pub fn end_soon(&mut self, slot: usize) {
        self.dead.push(slot);
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

/// The range of an ordered list that lies behind a key; all of it without one.
pub fn behind(after: Option<&str>) -> (Bound<&str>, Bound<&str>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}
