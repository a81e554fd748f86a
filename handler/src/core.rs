//! What the handler's threads share: names, boards, the queues between them.

use crate::boards::{Boards, Changes};
use crate::directory::Directory;
use crate::link::{ReplyTo, lock};
use crate::results::Results;
use crate::throttle::Tried;
use crossbeam_channel::{Receiver, Sender};
use ssmglobal_config::Settings;
use ssmglobal_ipc::{Code, Event, Failure, Reply, Request, Secret, Time, ctl};
use ssmglobal_store::{BoardId, Owner, PlayerId, Reader, ServerId, Standing, StoreError, Tx};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Jobs that may wait for the writer. The next request is told `busy`.
pub const WRITES: usize = 200_000;

/// Jobs that may wait for the readers.
const READS: usize = 50_000;

/// Reads even if a thread has panicked while it wrote: what is guarded here is changed in whole steps.
pub fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Writes; as [`read`].
pub fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// One session of the event loop, told apart from a later one in the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRef {
    /// Where the event loop keeps it.
    pub slot: usize,
    /// Its number.
    pub id: u64,
}

/// Why a request was not done.
#[derive(Debug)]
pub enum Refusal {
    /// The request itself; the transaction goes on.
    Failure(Failure),
    /// The database; the transaction is given up.
    Store(StoreError),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::Failure(failure)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::Store(error)
    }
}

/// Short for a refusal with code and sentence.
pub fn refuse<T>(code: Code, msg: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Failure(Failure::new(code, msg)))
}

/// What a request that changes something can use.
pub struct Work<'a> {
    /// The running transaction.
    pub tx: &'a mut dyn Tx,
    /// Boards as committed.
    pub boards: &'a Boards,
    /// Boards as this transaction has changed them.
    pub changes: &'a mut Changes,
    /// Players that this transaction adds.
    pub names: &'a mut Vec<(PlayerId, crate::names::Name)>,
    /// What to do after the commit.
    pub effects: &'a mut Vec<Effect>,
    /// The number of the last submit; counts on.
    pub order: &'a mut u64,
    /// The moment of this transaction.
    pub now: Time,
}

/// What a submit came to. The rank is looked up when it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// Which board.
    pub board: BoardId,
    /// Whose.
    pub player: PlayerId,
    /// What counted right after this submit.
    pub score: i64,
    /// And since which one.
    pub order: u64,
    /// Whether this submit changed it.
    pub improved: bool,
}

/// How a request that changes something is answered after the commit.
#[derive(Debug)]
pub enum Answer {
    /// So.
    Reply(Reply),
    /// With what stands on a board then.
    Submitted(Submitted),
    /// The session is somebody now; then the answer goes out.
    Proved {
        /// Which session.
        session: SessionRef,
        /// Who it is.
        identity: Identity,
        /// The answer.
        reply: Reply,
    },
    /// Not from here: an effect does it.
    Later,
}

/// A request that changes something. It may be run again when the transaction that it shared was given up.
pub type Act = Box<dyn Fn(&mut Work<'_>) -> Result<Answer, Refusal> + Send>;

/// What a request that reads came to.
pub enum Seen {
    /// The answer.
    Reply(Reply),
    /// Something to be told to a player who is on, with the answer to who tells it.
    Tell(PlayerId, Event, Reply, Option<Box<Key>>),
    /// The database does not know the key of this request.
    Perform(SessionRef, Request, Box<Key>),
}

/// A request that reads.
pub type Look = Box<dyn FnOnce(&dyn Reader) -> Result<Seen, Refusal> + Send>;

/// Who waits for a job.
#[derive(Clone, Debug)]
pub enum Asker {
    /// A session.
    Session(ReplyTo),
    /// The operator's command, by its number in the event loop.
    Operator(u64),
    /// Nobody.
    Nobody,
    /// Nobody: this session has ended, and all that it has asked stands before this.
    Gone(u64),
}

/// A job for the writer.
pub struct Write {
    /// Who waits.
    pub asker: Asker,
    /// What to do.
    pub act: Act,
    /// The key that the client has given the request, if any.
    pub key: Option<Box<Key>>,
}

/// A client's own key for a request that changes something: the same again is answered and not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Who asks.
    pub owner: Owner,
    /// The key.
    pub key: String,
    /// Of what is asked.
    pub digest: [u8; 32],
}

/// A job for the readers.
pub struct Read {
    /// Who waits.
    pub to: ReplyTo,
    /// What to do.
    pub look: Look,
}

/// A job for the hashing threads.
pub enum Hash {
    /// A new player.
    Register {
        /// Who asks.
        to: ReplyTo,
        /// Its session.
        session: SessionRef,
        /// The name in its forms.
        name: crate::names::Name,
        /// To be hashed.
        password: Secret,
        /// As given.
        email: Option<String>,
    },
    /// A login.
    Login {
        /// Who asks.
        to: ReplyTo,
        /// Its session.
        session: SessionRef,
        /// The player, if there is one with that name.
        player: Option<PlayerId>,
        /// As it is counted.
        tried: Tried,
        /// To be compared.
        password: Secret,
    },
    /// Another password.
    Change {
        /// Who asks.
        to: ReplyTo,
        /// The player.
        player: PlayerId,
        /// As it is counted.
        tried: Tried,
        /// To be compared.
        old: Secret,
        /// To be hashed.
        new: Secret,
    },
    /// The operator sets a password.
    Set {
        /// Which operator's command.
        operator: u64,
        /// The player.
        player: PlayerId,
        /// To be hashed.
        password: Secret,
    },
}

/// Who has just proved who it is.
#[derive(Clone, Debug)]
pub enum Identity {
    /// A player.
    Player(PlayerId, String),
    /// A game server.
    Server(ServerId, String),
}

/// What the event loop has to do after a commit.
#[derive(Debug)]
pub enum Effect {
    /// A session is somebody now; then the answer goes out.
    Proved {
        /// Which session.
        session: SessionRef,
        /// Where the answer goes.
        to: ReplyTo,
        /// Who it is.
        identity: Identity,
        /// The answer.
        reply: Reply,
    },
    /// A login was tried, and was good or not.
    Tried(Tried, bool),
    /// Tell a player, wherever he is on.
    Push(PlayerId, Event),
    /// As that, and then answer who has asked for it.
    Tell(PlayerId, Event, ReplyTo, Reply, Option<Box<Key>>),
    /// A request with a key is to be done.
    Perform(SessionRef, ReplyTo, Request, Box<Key>),
    /// What was kept under this key is in the database.
    Keyed(Owner, String),
    /// A board has a new first place.
    First(BoardId, Event),
    /// A player may not be on any more.
    PlayerOut(PlayerId, String),
    /// A game server may not be on any more.
    ServerOut(ServerId, String),
    /// A player or game server may be on again.
    Allowed(Owner),
    /// Behind all others of its transaction: the row of what was answered in it.
    Told(i64),
    /// The answer to the operator's command.
    Operator(u64, ctl::Answer),
}

/// What all threads of the handler share.
pub struct Core {
    /// As last read.
    pub settings: RwLock<Arc<Settings>>,
    /// Names and numbers of players.
    pub directory: RwLock<Directory>,
    /// Boards with their ranks.
    pub boards: RwLock<Boards>,
    /// Names of game servers by number, for records.
    pub servers: RwLock<hashbrown::HashMap<ServerId, String>>,
    /// Answers that may be asked for again.
    pub results: Mutex<Results>,
    senders: RwLock<Option<Senders>>,
    /// Writes that wait or run.
    writing: AtomicUsize,
    /// Hashes that wait or run.
    hashing: AtomicU64,
    effects: Mutex<Vec<Effect>>,
    quiet: Mutex<Vec<usize>>,
    waker: mio::Waker,
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Whether the last transaction could be committed.
    pub writable: AtomicBool,
}

struct Senders {
    writes: Sender<Vec<Write>>,
    reads: Sender<Read>,
    hashes: Sender<Hash>,
}

/// The ends of the queues that the threads read from.
pub struct Queues {
    /// For the writer.
    pub writes: Receiver<Vec<Write>>,
    /// For the readers.
    pub reads: Receiver<Read>,
    /// For the hashing threads.
    pub hashes: Receiver<Hash>,
}

/// The answer when a queue is full.
fn busy() -> Failure {
    Failure::new(Code::Busy, "Too much is waiting already. Try again in a moment.")
}

impl Core {
    /// All empty; `waker` wakes the event loop.
    pub fn new(
        settings: Arc<Settings>,
        directory: Directory,
        boards: Boards,
        results: Results,
        waker: mio::Waker,
    ) -> (Core, Queues) {
        // `writing` counts what is in it.
        let (writes, writes_end) = crossbeam_channel::unbounded();
        let (reads, reads_end) = crossbeam_channel::bounded(READS);
        // The bound that matters is in the settings and may change: `hashing` counts.
        let (hashes, hashes_end) = crossbeam_channel::unbounded();
        let core = Core {
            settings: RwLock::new(settings),
            directory: RwLock::new(directory),
            boards: RwLock::new(boards),
            servers: RwLock::default(),
            results: Mutex::new(results),
            senders: RwLock::new(Some(Senders { writes, reads, hashes })),
            writing: AtomicUsize::new(0),
            hashing: AtomicU64::new(0),
            effects: Mutex::default(),
            quiet: Mutex::default(),
            waker,
            commits: AtomicU64::new(0),
            writable: AtomicBool::new(true),
        };
        (core, Queues { writes: writes_end, reads: reads_end, hashes: hashes_end })
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        read(&self.settings).clone()
    }

    /// Gives jobs to the writer, which does them in one transaction with whatever else is there. `jobs` is empty then.
    ///
    /// # Errors
    /// `busy` when too many wait; the jobs are still in `jobs`.
    pub fn write(&self, jobs: &mut Vec<Write>) -> Result<(), Failure> {
        let waiting = self.writing.fetch_add(jobs.len(), Ordering::Relaxed);
        let senders = read(&self.senders);
        match senders.as_ref().filter(|_| waiting < WRITES) {
            None => {
                self.written(jobs.len());
                Err(busy())
            }
            Some(senders) => senders.writes.send(std::mem::take(jobs)).map_err(|lost| {
                *jobs = lost.into_inner();
                busy()
            }),
        }
    }

    /// So many jobs of the writer are done.
    pub fn written(&self, count: usize) {
        self.writing.fetch_sub(count, Ordering::Relaxed);
    }

    /// Gives a job to a reader.
    ///
    /// # Errors
    /// `busy` when too many wait.
    pub fn read(&self, job: Read) -> Result<(), Failure> {
        let senders = read(&self.senders);
        senders.as_ref().and_then(|senders| senders.reads.try_send(job).ok()).ok_or_else(busy)
    }

    /// Gives a job to the hashing threads.
    ///
    /// # Errors
    /// `busy` when too many wait.
    pub fn hash(&self, job: Hash) -> Result<(), Failure> {
        let most = self.settings().players.hash_queue as u64;
        if self.hashing.fetch_add(1, Ordering::Relaxed) >= most {
            self.hashed();
            return Err(busy());
        }
        let senders = read(&self.senders);
        senders.as_ref().and_then(|senders| senders.hashes.send(job).ok()).ok_or_else(busy)
    }

    /// Takes no further jobs; the threads end when they have done what waits.
    pub fn close(&self) {
        write(&self.senders).take();
    }

    /// A hashing job is done.
    pub fn hashed(&self) {
        self.hashing.fetch_sub(1, Ordering::Relaxed);
    }

    /// Hands effects and sessions that wait no more to the event loop, and wakes it if there are any.
    pub fn wake(&self, effects: &mut Vec<Effect>, quiet: Vec<usize>) {
        if effects.is_empty() && quiet.is_empty() {
            return;
        }
        lock(&self.effects).append(effects);
        lock(&self.quiet).extend(quiet);
        if let Err(error) = self.waker.wake() {
            log::error!("cannot wake the event loop: {error}");
        }
    }

    /// What other threads have left for the event loop.
    pub fn take_effects(&self) -> (Vec<Effect>, Vec<usize>) {
        (std::mem::take(&mut *lock(&self.effects)), std::mem::take(&mut *lock(&self.quiet)))
    }

    /// The answer to a submit.
    pub fn submitted(&self, boards: &Boards, submit: &Submitted) -> Reply {
        let Some(ranking) = boards.get(submit.board) else {
            return Reply::fail(Code::NotFound, "There is no such board any more.");
        };
        Reply::RecordSubmitted(ssmglobal_ipc::RecordSubmitted {
            board: ranking.board.name.clone(),
            player: read(&self.directory).name(submit.player).to_owned(),
            score: submit.score,
            rank: ranking.rank(submit.score, submit.order),
            total: ranking.total(),
            improved: submit.improved,
        })
    }

    /// The game server with this name, in any case, and its name as added.
    ///
    /// # Errors
    /// `not_found`.
    pub fn server_named(&self, name: &str) -> Result<(ServerId, String), Failure> {
        let servers = read(&self.servers);
        let found = servers.iter().find(|(_, other)| other.eq_ignore_ascii_case(name));
        let found = found.map(|(id, name)| (*id, name.clone()));
        found.ok_or_else(|| Failure::new(Code::NotFound, "There is no such game server."))
    }

    /// A game server's name; empty for a number that was never given.
    pub fn server_name(&self, standing: &Standing) -> Option<String> {
        standing.server.map(|id| read(&self.servers).get(&id).cloned().unwrap_or_default())
    }
}
