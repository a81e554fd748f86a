//! The handler's event loop: links of workers, the listener, the operator. It never waits for the disk or for a hash.
//!
//! What it knows of more than one session, and capabilities may see, is its [`State`]; of workers, [`Workers`]; of the handler
//! before this one, [`Recovery`].

mod answered;
mod audit;
mod compaction;
mod evict;
mod hosting;
mod identity;
mod keyed;
mod length;
mod links;
mod listener;
mod lists;
mod moved;
mod news;
mod numbers;
mod open;
mod operator;

mod panics;
mod plans;
mod play;
mod properties;
mod recovery;
mod relay;
mod requests;
mod turn;
mod universe;

mod versions;
mod without_listener;
mod workers;

pub use listener::ListenerLink;
pub use operator::{Operators, verified};
pub use play::preamble;

use crate::changes::{Change, Shared};
use crate::link::{Batch, ReplyTo};
use crate::state::State;
use crate::state::bus::RelayNumbers;
use crate::state::journal::{Entry, Journal};
use crate::state::session::{Session, SessionRef};
use crate::state::tickets::Tickets;
use crate::work::Write;
use answered::Answered;
use keyed::Pending;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use numbers::Counts;
use play::Play;
use recovery::Recovery;
use relay::UnnumberedMessage;
use ssmglobal_ipc::{Event, Kind, Time, growing};
use ssmglobal_store::Principal;
use ssmglobal_sys::Signals;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};
use workers::Workers;

const RENDEZVOUS: Token = Token(0);
const LISTENER: Token = Token(1);
const SIGNALS: Token = Token(2);
/// Woken by other threads.
pub const WAKER: Token = Token(3);
/// The operator's socket.
const OPERATOR: Token = Token(4);
/// Handlers before this one that are still dying.
const DYING: Token = Token(5);
/// Operators' connections have numbers from here on …
const FIRST_OPERATOR: usize = 16;
/// … and links from here on.
const FIRST_LINK: usize = 1 << 16;
/// Workers that are watched for their end, by process id.
const FIRST_WATCHED: usize = 1 << 30;
/// Connections to worlds, behind every process id.
const FIRST_WIRE: usize = 1 << 31;

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
    pub rendezvous: OwnedFd,
    /// What is only in memory.
    pub journal: Journal,
    /// Of this run.
    pub tickets: Tickets,
    /// Which run of the backend this is, as the listener says.
    pub run: u64,
    /// Up to where numbers of relay messages may have been given.
    pub relay_mark: u64,
}

/// All that the event loop knows.
pub struct EventLoop {
    /// Shared with the other threads.
    shared: Arc<Shared>,
    /// What capabilities see.
    state: State,
    workers: Workers,
    recovery: Recovery,
    /// What outlives this handler.
    journal: Journal,
    /// What requests under a client's key came to, until it is in the database.
    pending: Pending,
    /// Messages on relay channels that wait for their numbers to be allowed.
    unnumbered: Vec<UnnumberedMessage>,
    /// What sessions may ask again.
    answered: Answered,
    /// Up to when tickets of a session hold no longer.
    revoked: HashMap<u64, Time>,
    /// Up to which number answers to a session's requests prove nothing any more.
    voided: HashMap<u64, u64>,
    /// Seals and opens tickets.
    tickets: Tickets,
    /// Connections to worlds that the handler has.
    play: Play,
    /// What was asked, and when.
    counts: Counts,
    /// When this turn has begun: as exactly as anybody wants to know when something came.
    now: Instant,
    /// Which turn this is.
    turn: u64,
    /// Connections of the operator's command.
    operators: Operators,
    listener: ListenerLink,
    poll: Poll,
    registry: Arc<Registry>,
    batch: Batch,
    /// Changes that this turn has collected: they go to the writer together, and so into one transaction.
    writes: Vec<Write<Change>>,
    /// Where workers' links come in.
    rendezvous: OwnedFd,
    signals: Signals,
    /// Sessions that end with this turn.
    dead: Vec<usize>,
    /// Who sessions were that have lost their links, until they are back or over.
    leaving: HashMap<u64, Principal>,
    /// Who sessions were that have ended while no handler was there.
    closed_unseen: Vec<(u64, Principal)>,
    /// Who is not on any more and still has what should be gone by now: it could not be deleted, which is tried again.
    not_deleted: BTreeSet<Principal>,
    /// Sessions whose links have more than they may say in one turn.
    unread: Vec<usize>,
    /// The rendezvous has more messages than one turn takes.
    rendezvous_unread: bool,
}

impl EventLoop {
    /// Registers everything with `poll`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(
        shared: Arc<Shared>,
        poll: Poll,
        inherited: Inherited,
        listener: ListenerLink,
        signals: Signals,
        operators: Operators,
    ) -> io::Result<EventLoop> {
        let Inherited { rendezvous, mut journal, tickets, run, relay_mark } = inherited;
        let registry = poll.registry();
        registry.register(&mut SourceFd(&rendezvous.as_raw_fd()), RENDEZVOUS, Interest::READABLE)?;
        registry.register(&mut SourceFd(&listener.stream.as_raw_fd()), LISTENER, Interest::READABLE)?;
        registry.register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, Interest::READABLE)?;
        let registry = Arc::new(registry.try_clone()?);
        let mut recovery = Recovery::new(journal.recover());
        recovery.watch_dying(&registry)?;
        let (revoked, voided) = (recovery.take_revoked(), recovery.take_voided());
        let answered = Answered::new(recovery.take_done());
        let mut state = State::new(Time::now().0.unsigned_abs());
        let (worlds, users) = recovery.take_mirrors();
        state.mirrors.restore(worlds, users);
        state.mssp.began = Time(i64::try_from(run).unwrap_or(i64::MAX));
        for entry in state.mirrors.begun() {
            journal.append(&entry);
        }
        journal.is_whole_again();
        state.bus.numbers = RelayNumbers::new(relay_mark);
        let now = Instant::now();
        let batch = Batch::new(shared.tally.clone());
        Ok(EventLoop {
            shared,
            state,
            workers: Workers { run, ..Workers::default() },
            recovery,
            journal,
            pending: Pending::default(),
            unnumbered: Vec::new(),
            answered,
            revoked,
            voided,
            tickets,
            play: Play::new(FIRST_WIRE),
            counts: Counts::new(now),
            now,
            turn: 1,
            operators,
            listener,
            poll,
            registry,
            batch,
            writes: Vec::new(),
            rendezvous,
            signals,
            dead: Vec::new(),
            leaving: HashMap::new(),
            closed_unseen: Vec::new(),
            not_deleted: BTreeSet::new(),
            unread: Vec::new(),
            rendezvous_unread: false,
        })
    }

    /// Serves until asked to end.
    ///
    /// # Errors
    /// The kernel's, from waiting for events.
    pub fn run(&mut self) -> io::Result<End> {
        let mut events = Events::with_capacity(1024);
        // Before anybody is let in.
        self.tell_welcome();
        self.listener.tell(&ssmglobal_ipc::control::ToListener::Ready);
        self.take_over_logins();
        // What came together with the settings.
        if let Some(end) = self.read_listener() {
            return Ok(end);
        }
        self.begin_recovery();
        self.forget_absent();
        loop {
            let wait = match self.has_unread() {
                true => Some(Duration::ZERO),
                false => {
                    let waits = [
                        self.recovery.ends(),
                        self.operators.waits(),
                        self.world_due(),
                        self.length_due(),
                        self.list_due(),
                        self.play_due(),
                    ];
                    waits.into_iter().flatten().min()
                }
            };
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if let Some(end) = self.turn(&events) {
                return Ok(end);
            }
        }
    }

    /// Does what has come up.
    fn turn(&mut self, events: &Events) -> Option<End> {
        self.begin_turn();
        // First: whoever was answered by another thread may ask again in this very turn, and is to find everything
        // as it was left.
        self.take_from_threads();
        self.read_on();
        for event in events {
            match event.token() {
                RENDEZVOUS => self.read_rendezvous(),
                LISTENER => {
                    if let Some(end) = self.read_listener() {
                        return Some(end);
                    }
                }
                SIGNALS => {
                    // A supervisor may tell every process; the listener says when the last client is gone.
                    while let Ok(Some(signal)) = self.signals.next_signal() {
                        if self.listener.pid == 0 {
                            log::info!("{signal}: the handler ends, since there is no listener");
                            return Some(End::Asked);
                        }
                        log::info!("{signal}: the handler ends when the listener says so");
                    }
                }
                WAKER => {}
                OPERATOR => self.accept_operators(),
                DYING => self.recovery.one_is_dead(),
                Token(token) if token < FIRST_LINK => self.read_operator(token),
                Token(token) if token < FIRST_WATCHED => {
                    self.read_link(token - FIRST_LINK, event.is_writable(), event.is_read_closed());
                }
                Token(token) if token < FIRST_WIRE => self.watched_ended(token),
                Token(token) => self.play.wires.happened(&self.registry, token),
            }
        }
        self.play_on();
        self.give_up_probes();
        self.stop_due();
        self.end_overdue();
        self.finish_turn();
        None
    }

    /// A session that is there.
    fn session(&self, slot: usize) -> Option<&Session> {
        self.state.session(slot)
    }

    /// A session that is there.
    fn session_mut(&mut self, slot: usize) -> Option<&mut Session> {
        self.state.session_mut(slot)
    }

    /// Where the answer to a request goes.
    fn reply_to(&self, slot: usize, number: u64, since: Instant, kind: Option<Kind>) -> Option<(SessionRef, ReplyTo)> {
        let session = self.session(slot)?;
        Some((SessionRef { slot, id: session.id }, ReplyTo { link: session.link.clone(), number, since, kind }))
    }

    /// Pushes an event to one session. It arrives once, whatever becomes of this handler.
    fn push(&mut self, at: SessionRef, event: &Event) {
        let Some((link, session)) = self.state.live(at).map(|session| (session.link.clone(), session.number)) else {
            return;
        };
        let mut bytes = Vec::new();
        growing::put(&mut bytes, event);
        let position = self.journal.append(&Entry::Push { session, event: bytes });
        // Two that were left out would have the same number, and the second would be passed over.
        let number = if self.journal.is_full() { 0 } else { position + 1 };
        self.batch.event(&link, number, event);
    }

    /// Says an event to one session's worker, under the number that it was pushed with before; 0 for what the next handler
    /// would say again anyway.
    fn tell(&mut self, at: SessionRef, number: u64, event: &Event) {
        if let Some(link) = self.state.live(at).map(|session| session.link.clone()) {
            self.batch.event(&link, number, event);
        }
    }

    /// How long to wait at the most for something that is due then. Nothing is, as long as sessions are waited for.
    fn wait_until(&self, due: Option<Time>) -> Option<Duration> {
        let due = due.filter(|_| !self.recovery.is_on())?;
        let wait = due.0.saturating_sub(Time::now().0).max(0).unsigned_abs();
        // Not a moment too early: a wait is cut to whole milliseconds.
        Some(Duration::from_millis(wait.saturating_add(1)))
    }

    /// What was changed in memory is in the journal from here on.
    fn write_journal(&mut self) {
        for entry in self.state.unwritten.drain(..) {
            self.journal.append(&entry);
        }
    }
}
