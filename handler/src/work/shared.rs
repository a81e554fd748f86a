//! What the handler's threads share: the settings, what is in memory of what is kept, kept answers, and the queues between them.

use super::jobs::{Hash, Read, ToLoop, Write};
use super::kept::KeptAnswers;
use crate::lock::{lock, read, write};
use crate::state::memory::Memory;
use crate::tally::Tally;
use crossbeam_channel::{Receiver, Sender};
use ssmglobal_config::Settings;
use ssmglobal_ipc::{Code, Failure};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};

/// Jobs that may wait for the writer. The next request is told `busy`.
pub const WRITES: usize = 200_000;

/// Jobs that may wait for the readers.
const READS: usize = 50_000;

/// What all threads of the handler share. `C` is what the writer can change.
pub struct Shared<C> {
    /// As last read.
    pub settings: RwLock<Arc<Settings>>,
    /// What is kept and in memory as well.
    pub memory: Arc<Memory>,
    /// Answers that may be asked for again.
    pub kept: Mutex<KeptAnswers>,
    senders: RwLock<Option<Senders<C>>>,
    /// Writes that wait or run.
    writing: AtomicUsize,
    /// Hashes that wait or run.
    hashing: AtomicU64,
    /// Those of them that are newcomers'.
    registering: AtomicU64,
    /// What the event loop is to do next.
    to_loop: Mutex<Vec<ToLoop>>,
    /// Slots of sessions of which nothing is in flight any more.
    quiet: Mutex<Vec<usize>>,
    waker: mio::Waker,
    /// How long answers take.
    pub tally: Arc<Tally>,
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Whether the last transaction could be committed.
    pub writable: AtomicBool,
}

struct Senders<C> {
    writes: Sender<Vec<Write<C>>>,
    reads: Sender<Read>,
    hashes: Sender<Hash<C>>,
    newcomers: Sender<Hash<C>>,
}

/// The ends of the queues that the threads read from.
pub struct Queues<C> {
    /// For the writer.
    pub writes: Receiver<Vec<Write<C>>>,
    /// For the readers.
    pub reads: Receiver<Read>,
    /// For the hashing threads.
    pub hashes: Receiver<Hash<C>>,
    /// For them as well, behind the others.
    pub newcomers: Receiver<Hash<C>>,
}

/// The answer when a queue is full.
fn busy() -> Failure {
    Failure::new(Code::Busy, "Too much is waiting already. Try again in a moment.")
}

impl<C> Shared<C> {
    /// Nothing waits yet; `waker` wakes the event loop.
    pub fn new(
        settings: Arc<Settings>,
        memory: Arc<Memory>,
        kept: KeptAnswers,
        waker: mio::Waker,
    ) -> (Shared<C>, Queues<C>) {
        // `writing` counts what is in it.
        let (writes, writes_end) = crossbeam_channel::unbounded();
        let (reads, reads_end) = crossbeam_channel::bounded(READS);
        // The bound that matters is in the settings and may change: `hashing` counts.
        let (hashes, hashes_end) = crossbeam_channel::unbounded();
        let (newcomers, newcomers_end) = crossbeam_channel::unbounded();
        write(&memory.universe).reload(&settings);
        let shared = Shared {
            settings: RwLock::new(settings),
            memory,
            kept: Mutex::new(kept),
            senders: RwLock::new(Some(Senders { writes, reads, hashes, newcomers })),
            writing: AtomicUsize::new(0),
            hashing: AtomicU64::new(0),
            registering: AtomicU64::new(0),
            to_loop: Mutex::default(),
            quiet: Mutex::default(),
            waker,
            tally: Arc::default(),
            commits: AtomicU64::new(0),
            writable: AtomicBool::new(true),
        };
        (shared, Queues { writes: writes_end, reads: reads_end, hashes: hashes_end, newcomers: newcomers_end })
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        read(&self.settings).clone()
    }

    /// The settings were read again; gives whether that has changed anything of the universe.
    pub fn reload(&self, settings: Arc<Settings>) -> bool {
        let changed = write(&self.memory.universe).reload(&settings);
        *write(&self.settings) = settings;
        changed
    }

    /// Gives jobs to the writer, which does them in one transaction with whatever else is there. `jobs` is empty then.
    ///
    /// # Errors
    /// `busy` when too many wait; the jobs are still in `jobs`.
    pub fn write(&self, jobs: &mut Vec<Write<C>>) -> Result<(), Failure> {
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

    /// Gives the writer a job of the event loop's own. There is one of a kind at a time, so it needs no bound.
    pub fn write_own(&self, job: Write<C>) {
        self.writing.fetch_add(1, Ordering::Relaxed);
        let senders = read(&self.senders);
        // Without a writer this process ends.
        let _ = senders.as_ref().map(|senders| senders.writes.send(vec![job]));
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

    /// Gives a job to the hashing threads. Newcomers' take half of the room at the most.
    ///
    /// # Errors
    /// `busy` when too many wait.
    pub fn hash(&self, job: Hash<C>) -> Result<(), Failure> {
        let (most, newcomer) = (self.settings().players.hash_queue as u64, job.hashing.newcomer);
        let hashing = self.hashing.fetch_add(1, Ordering::Relaxed);
        let registering = self.registering.fetch_add(u64::from(newcomer), Ordering::Relaxed);
        if hashing >= most || newcomer && registering >= most.div_ceil(2) {
            self.hashed(newcomer);
            return Err(busy());
        }
        let senders = read(&self.senders);
        let to = senders.as_ref().map(|senders| if newcomer { &senders.newcomers } else { &senders.hashes });
        to.and_then(|to| to.send(job).ok()).ok_or_else(busy)
    }

    /// What waits: jobs of the writer and of the readers, passwords to be hashed.
    pub fn waiting(&self) -> [u64; 3] {
        let readers = read(&self.senders).as_ref().map_or(0, |senders| senders.reads.len());
        [self.writing.load(Ordering::Relaxed) as u64, readers as u64, self.hashing.load(Ordering::Relaxed)]
    }

    /// Takes no further jobs; the threads end when they have done what waits.
    pub fn close(&self) {
        write(&self.senders).take();
    }

    /// A hashing job is done.
    pub fn hashed(&self, newcomer: bool) {
        self.hashing.fetch_sub(1, Ordering::Relaxed);
        self.registering.fetch_sub(u64::from(newcomer), Ordering::Relaxed);
    }

    /// Leaves something for the event loop to do, and sessions that wait no more, and wakes it if there is any.
    pub fn send_to_loop(&self, to_loop: &mut Vec<ToLoop>, quiet: Vec<usize>) {
        if to_loop.is_empty() && quiet.is_empty() {
            return;
        }
        lock(&self.to_loop).append(to_loop);
        lock(&self.quiet).extend(quiet);
        if let Err(error) = self.waker.wake() {
            log::error!("cannot wake the event loop: {error}");
        }
    }

    /// What other threads have left for the event loop.
    pub fn take_for_loop(&self) -> (Vec<ToLoop>, Vec<usize>) {
        (std::mem::take(&mut *lock(&self.to_loop)), std::mem::take(&mut *lock(&self.quiet)))
    }
}
