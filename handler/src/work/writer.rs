//! The writer: the only thread that changes the database. Whatever has come in while the last transaction was written makes the
//! next one.

use super::change::{Clock, Decide, Decided, Refusal, Stamp};
use super::facts::OpenFacts;
use super::follow;
use super::jobs::{Asker, ToLoop, Write};
use super::kept::{Outcome, Staged};
use super::keys::Keys;
use super::shared::Shared;
use crate::link::Batch;
use crate::lock::{lock, read};
use crate::state::Overlay;
use crate::state::journal::unpacked;
use crate::state::throttle::Tried;
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use ssmglobal_ipc::{Code, Failure, Reply, Secret, WorldKey, ctl};
use ssmglobal_store::{Row, StoreError, Tx, Writer};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// With so many jobs a transaction is closed.
const GROUP: usize = 1024;

/// Nothing to write for so long: time for work that can wait.
const QUIET: Duration = Duration::from_millis(500);

/// What there is to do while nothing comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// There is nothing to do: it waits for the next job.
    Tidy,
    /// Work that can wait, once it has been quiet for a while.
    Untidy,
    /// The rest of it.
    Tidying,
}

/// The writer.
pub struct WriterThread<C> {
    shared: Arc<Shared<C>>,
    jobs: Receiver<Vec<Write<C>>>,
    writer: Box<dyn Writer>,
    clock: Clock,
    keys: Keys,
    /// What the running transaction has written.
    rows: Vec<Row>,
    overlay: Overlay,
    staged: Staged,
    batch: Batch,
    /// What the event loop is to do when the answers are out.
    to_loop: Vec<ToLoop>,
    scratch: Vec<u8>,
}

/// What a job is answered.
struct Answered {
    outcome: Outcome,
    /// If it was refused.
    code: Option<Code>,
    /// What the asker is shown besides, this once.
    once: Option<Secret>,
}

impl Answered {
    /// `scratch` is for the answer's bytes.
    fn new(decided: Result<Decided, Failure>, scratch: &mut Vec<u8>) -> Answered {
        let (reply, proves) = match decided {
            Ok(decided) => (decided.reply, decided.proves),
            Err(failure) => (Reply::Failed(failure), None),
        };
        let code = match &reply {
            Reply::Failed(failure) => Some(failure.code),
            _ => None,
        };
        scratch.clear();
        reply.put(scratch);
        let (kind, payload) = (reply.kind() as u16, Arc::from(scratch.as_slice()));
        Answered { outcome: Outcome { kind, payload, proves }, code, once: None }
    }
}

impl<C: Decide> WriterThread<C> {
    /// With the database's one writer and the keys that there are.
    pub fn new(
        shared: Arc<Shared<C>>,
        jobs: Receiver<Vec<Write<C>>>,
        writer: Box<dyn Writer>,
        clock: Clock,
        keys: Keys,
    ) -> WriterThread<C> {
        let (overlay, staged, batch) = (Overlay::default(), Staged::default(), Batch::new(shared.tally.clone()));
        let (rows, to_loop, scratch) = (Vec::new(), Vec::new(), Vec::new());
        WriterThread { shared, jobs, writer, clock, keys, rows, overlay, staged, batch, to_loop, scratch }
    }

    /// Runs until nobody can send a job any more; then everything is on disk.
    pub fn run(mut self) {
        let mut group = Vec::new();
        // A process that was killed may have left some.
        let mut idle = Idle::Untidy;
        loop {
            let first = match self.jobs.try_recv() {
                Err(TryRecvError::Empty) if idle == Idle::Tidying => Err(RecvTimeoutError::Timeout),
                Err(TryRecvError::Empty) if idle == Idle::Untidy => self.jobs.recv_timeout(QUIET),
                Err(TryRecvError::Empty) => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                first => first.map_err(|_| RecvTimeoutError::Disconnected),
            };
            match first {
                Ok(first) => group.extend(first),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    idle = if self.tidy() { Idle::Tidying } else { Idle::Tidy };
                    continue;
                }
            }
            while group.len() < GROUP
                && let Ok(more) = self.jobs.try_recv()
            {
                group.extend(more);
            }
            self.commit(&group);
            self.shared.written(group.len());
            group.clear();
            idle = Idle::Untidy;
        }
    }

    fn tidy(&mut self) -> bool {
        self.writer.idle().unwrap_or_else(|error| {
            log::warn!("the database could not be tidied, it will be tried again: {error}");
            false
        })
    }

    /// One transaction for the whole group; if it fails, once more, since the database may have had work of its own in it; then
    /// one for each, so that only those fail that must.
    fn commit(&mut self, group: &[Write<C>]) {
        let mut result = self.transaction(group);
        if result.as_ref().is_err_and(|error| !matches!(error, StoreError::Unavailable(_))) {
            result = self.transaction(group);
        }
        let lost = match result {
            Ok(answered) => return self.answer(group, answered),
            Err(error) => error,
        };
        if !matches!(lost, StoreError::Unavailable(_) | StoreError::Corrupt(_)) && group.len() > 1 {
            return group.iter().for_each(|job| self.commit(std::slice::from_ref(job)));
        }
        if self.shared.writable.swap(false, Ordering::Relaxed) || !matches!(lost, StoreError::Unavailable(_)) {
            log::error!("the database does not take changes: {lost}");
        }
        let failure = Failure::new(
            Code::Unavailable,
            "This cannot be saved at the moment; nothing was changed. Try again later.",
        );
        let one = |_| Some(Answered::new(Err(failure.clone()), &mut self.scratch));
        let answered = group.iter().map(one).collect();
        self.answer(group, answered);
    }

    /// Decides and writes all jobs; they are on disk and in memory when this returns.
    fn transaction(&mut self, group: &[Write<C>]) -> Result<Vec<Option<Answered>>, StoreError> {
        let outcome = self.try_transaction(group);
        if outcome.is_err() {
            self.writer.rollback();
            self.staged.clear();
            self.keys.clear();
            self.rows.clear();
        }
        self.overlay.clear();
        outcome
    }

    fn try_transaction(&mut self, group: &[Write<C>]) -> Result<Vec<Option<Answered>>, StoreError> {
        self.writer.begin()?;
        let stamp = Stamp { now: (self.clock)() };
        let answered = self.decide(group, stamp)?;
        let tx = self.writer.tx();
        self.keys.expire(tx, stamp.now)?;
        self.staged.tell(follow::news(&self.shared.memory, &self.overlay, &self.rows));
        keep(&self.shared, group, &answered, &mut self.staged, tx)?;
        self.writer.commit()?;
        if !self.shared.writable.swap(true, Ordering::Relaxed) {
            log::info!("the database takes changes again");
        }
        if group.iter().any(|job| !matches!(job, Write::Probe(_))) {
            self.shared.commits.fetch_add(1, Ordering::Relaxed);
        }
        self.keys.committed();
        follow::apply(&self.shared.memory, &mut self.rows);
        if let Some((row, news)) = lock(&self.shared.kept).committed(&mut self.staged) {
            self.to_loop.push(ToLoop::News(row, news));
        }
        Ok(answered)
    }

    /// Decides each job against what the ones before it have come to, and writes at once.
    fn decide(&mut self, group: &[Write<C>], stamp: Stamp) -> Result<Vec<Option<Answered>>, StoreError> {
        let (shared, mut answered) = (self.shared.clone(), Vec::with_capacity(group.len()));
        let boards = read(&shared.memory.boards);
        for job in group {
            let (change, key) = match job {
                Write::Change { change, key, .. } => (change, key),
                Write::Probe(_) => {
                    self.writer.tx().touch()?;
                    answered.push(None);
                    continue;
                }
                Write::Gone(session) => {
                    self.staged.gone(*session);
                    answered.push(None);
                    continue;
                }
            };
            let tx = self.writer.tx();
            let kept = match key {
                Some(key) => tx.keyed(key.owner, &key.key)?,
                None => None,
            };
            let mut facts = OpenFacts { tx, memory: &shared.memory, boards: &boards, overlay: &self.overlay };
            let decided = match key {
                Some(key) => self.keys.decide(key, kept, change, &mut facts, stamp),
                None => change.decide(&mut facts, stamp),
            };
            let mut decided = match decided {
                Ok(decided) => Ok(decided),
                Err(Refusal::Failure(failure)) => Err(failure),
                Err(Refusal::Store(error)) => return Err(error),
            };
            // Whoever asks again is answered and nothing is written: what was shown then is not known any more.
            let is_new = decided.as_ref().is_ok_and(|decided| !decided.rows.is_empty());
            let once = is_new.then(|| change.shown_once()).flatten();
            if let Ok(decided) = &mut decided {
                let tx = self.writer.tx();
                for row in &decided.rows {
                    tx.put(row)?;
                    self.overlay.note(&boards, row);
                }
                self.rows.append(&mut decided.rows);
            }
            answered.push(Some(Answered { once, ..Answered::new(decided, &mut self.scratch) }));
        }
        Ok(answered)
    }

    fn answer(&mut self, group: &[Write<C>], answered: Vec<Option<Answered>>) {
        for (job, answered) in group.iter().zip(answered) {
            if let Write::Probe(operator) = job {
                self.to_loop.push(ToLoop::Probed(*operator));
            }
            let (Write::Change { asker, tried, .. }, Some(Answered { outcome, code, once })) = (job, answered) else {
                continue;
            };
            if let Some(tried) = tried {
                self.to_loop.push(ToLoop::Tried(Tried::clone(tried), code != Some(Code::BadLogin)));
            }
            if let (Asker::Session(at, to), Some(Code::Denied)) = (asker, code) {
                self.to_loop.extend(to.kind.map(|kind| ToLoop::Denied(*at, kind)));
            }
            match asker {
                Asker::Session(at, to) => match outcome.proves {
                    Some(proof) => {
                        let reply = unpacked(outcome.kind, &outcome.payload);
                        self.to_loop.push(ToLoop::Proved { at: *at, to: to.clone(), proof, reply });
                    }
                    None => match shown_once(&outcome, once) {
                        Some(reply) => self.batch.finish(to, &reply),
                        None => self.batch.finish_packed(to, outcome.kind, &outcome.payload),
                    },
                },
                Asker::Console(number) => {
                    let reply = shown_once(&outcome, once);
                    let reply = reply.unwrap_or_else(|| unpacked(outcome.kind, &outcome.payload));
                    self.to_loop.push(ToLoop::Operator(*number, ctl::Answer::from(&reply)));
                }
                Asker::Operator(number, answer) => {
                    let answer = match unpacked(outcome.kind, &outcome.payload) {
                        Reply::Failed(failure) => ctl::Answer::Failed(failure),
                        _ => ctl::Answer::clone(answer),
                    };
                    self.to_loop.push(ToLoop::Operator(*number, answer));
                }
                // One that could not be saved may be saved by the next handler; one that was refused never will be.
                Asker::Keyed(owner, key) if code != Some(Code::Unavailable) => {
                    self.to_loop.push(ToLoop::Keyed(*owner, key.clone()));
                }
                Asker::Keyed(..) => {}
                Asker::Login(session, since) if code.is_some() => {
                    self.to_loop.push(ToLoop::NotCounted(*session, *since));
                }
                // That it was is its news.
                Asker::Login(..) | Asker::Stopped => {}
                Asker::Absent(who) => self.to_loop.extend(code.is_some().then_some(ToLoop::NotDeleted(*who))),
                Asker::Relay(upto) => self.to_loop.push(ToLoop::RelayMark(code.is_none().then_some(*upto))),
            }
        }
        // Who has proved in this transaction who he is hears its news, and is out again if they say so.
        self.to_loop.sort_by_key(|one| !matches!(one, ToLoop::Proved { .. }));
        // Before the answers: who has his may ask again at once.
        self.shared.send_to_loop(&mut self.to_loop, Vec::new());
        let quiet = self.batch.flush();
        self.shared.send_to_loop(&mut self.to_loop, quiet);
    }
}

/// The answer with what is shown this once, and is in no answer that is kept.
fn shown_once(outcome: &Outcome, once: Option<Secret>) -> Option<Reply> {
    let secret = once?;
    match unpacked(outcome.kind, &outcome.payload) {
        Reply::WorldKey(key) => Some(Reply::WorldKey(WorldKey { password: Some(secret), ..key })),
        _ => None,
    }
}

/// What the thread does, one after the other.
#[cfg(test)]
impl<C: Decide> WriterThread<C> {
    /// Commits one batch and answers it.
    pub fn do_batch(&mut self, group: &[Write<C>]) {
        self.commit(group);
    }

    /// Clients' keys, as it counts them.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Does some of what can wait; gives whether more does.
    pub fn do_tidy(&mut self) -> bool {
        self.tidy()
    }
}

/// Keeps what the sessions' requests of this transaction came to, for those who have to ask again, and its news.
fn keep<C>(
    shared: &Shared<C>,
    group: &[Write<C>],
    answered: &[Option<Answered>],
    staged: &mut Staged,
    tx: &mut dyn Tx,
) -> Result<(), StoreError> {
    let mut kept = lock(&shared.kept);
    for (job, answered) in group.iter().zip(answered) {
        let (Write::Change { asker: Asker::Session(_, to), .. }, Some(Answered { outcome, .. })) = (job, answered)
        else {
            continue;
        };
        let (session, acked) = to.link.asked();
        kept.acknowledged(session, acked);
        // Also a refusal: a repeat after later requests of the same session could come to something else.
        if session != 0 {
            staged.add(session, to.number, outcome.clone());
        }
    }
    kept.store(staged, tx)
}

#[cfg(test)]
mod tests;
