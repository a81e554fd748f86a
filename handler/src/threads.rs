//! The handler's threads beside the event loop: one writes, some read, some hash, one moves the log of the database
//! into its file. Each takes jobs from a queue and ends when the queue has no sender left.

use crate::boards::Changes;
use crate::core::{
    Act, Answer, Asker, Core, Effect, Hash, Identity, Read, Refusal, Seen, Work, Write, read, refuse, write,
};
use crate::keys::Keys;
use crate::link::{Batch, lock};
use crate::names::Name;
use crate::passwords::{Cost, Hasher, Match};
use crate::results::{Outcome, Staged};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use ssmglobal_ipc::{Code, Failure, LoggedIn, Reply, Time, ctl};
use ssmglobal_store::{CheckpointDue, NewPlayer, PlayerId, Reader, Store, StoreError, Tx, Writer};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// With so many jobs a transaction is closed.
const GROUP: usize = 1024;

/// Rows of work that can wait which a transaction takes along at the least.
const TIDY_ALONG: usize = 16;

/// Nothing to write for so long: time for work that can wait.
const QUIET: Duration = Duration::from_millis(500);

/// What there is to do while nothing comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// Nothing.
    Tidy,
    /// Work that can wait, once it has been quiet for a while.
    Untidy,
    /// The rest of it.
    Tidying,
}

/// The writer: whatever has come in while the last transaction was written makes the next one.
pub struct WriterThread {
    core: Arc<Core>,
    jobs: Receiver<Vec<Write>>,
    writer: Box<dyn Writer>,
    checkpoint: Sender<()>,
    order: u64,
    changes: Changes,
    names: Vec<(PlayerId, Name)>,
    batch: Batch,
    effects: Vec<Effect>,
    staged: Staged,
    keys: Keys,
}

impl WriterThread {
    /// `order` is the last number given to a submit; `checkpoint` is told when one is due.
    pub fn new(
        core: Arc<Core>,
        jobs: Receiver<Vec<Write>>,
        writer: Box<dyn Writer>,
        checkpoint: Sender<()>,
        order: u64,
        keys: Keys,
    ) -> WriterThread {
        let (changes, batch) = (Changes::default(), Batch::default());
        let (names, effects, staged) = (Vec::new(), Vec::new(), Staged::default());
        WriterThread { core, jobs, writer, checkpoint, order, changes, names, batch, effects, staged, keys }
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
            self.commit(&group, true);
            self.core.written(group.len());
            group.clear();
            idle = Idle::Untidy;
        }
    }

    fn checkpoint(&self, due: CheckpointDue) {
        if due == CheckpointDue::Yes {
            // Full means that one is on its way already.
            let _ = self.checkpoint.try_send(());
        }
    }

    fn tidy(&mut self) -> bool {
        let more = self.writer.tidy();
        let due = self.writer.checkpoint_due();
        self.checkpoint(due);
        match more {
            Ok(more) => more,
            Err(error) => {
                log::warn!("the log of scores could not be folded, it will be tried again: {error}");
                false
            }
        }
    }

    /// One transaction for the whole group; if it fails, one without the work that can wait, then one for each, so that
    /// only those fail that must.
    fn commit(&mut self, group: &[Write], tidy: bool) {
        let result = self.transaction(group, tidy);
        let lost = match result {
            Ok(answers) => return self.answer(group, answers),
            Err(error) => error,
        };
        self.effects.clear();
        self.changes.clear();
        self.names.clear();
        self.staged.clear();
        self.keys.clear();
        if !matches!(lost, StoreError::Unavailable(_) | StoreError::Corrupt(_)) {
            if tidy {
                return self.commit(group, false);
            }
            if group.len() > 1 {
                return group.iter().for_each(|job| self.commit(std::slice::from_ref(job), false));
            }
        }
        if self.core.writable.swap(false, Ordering::Relaxed) || !matches!(lost, StoreError::Unavailable(_)) {
            log::error!("the database does not take changes: {lost}");
        }
        let failure = Failure::new(
            Code::Unavailable,
            "This cannot be saved at the moment; nothing was changed. Try again later.",
        );
        let answers = group.iter().map(|_| Err(failure.clone())).collect();
        self.answer(group, answers);
    }

    fn transaction(&mut self, group: &[Write], tidy: bool) -> Result<Vec<Result<Answer, Failure>>, StoreError> {
        if let Err(error) = self.writer.begin() {
            self.writer.rollback();
            return Err(error);
        }
        let core = self.core.clone();
        let boards = read(&core.boards);
        let mut work = Work {
            tx: self.writer.tx(),
            boards: &boards,
            changes: &mut self.changes,
            names: &mut self.names,
            effects: &mut self.effects,
            order: &mut self.order,
            now: Time::now(),
        };
        let mut answers = Vec::with_capacity(group.len());
        let mut failed = None;
        for job in group {
            match self.keys.act(job, &mut work) {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if failed.is_none() {
            failed = keep(&core, group, &answers, &mut self.staged, work.tx).err();
        }
        drop(boards);
        if let Some(error) = failed {
            self.writer.rollback();
            return Err(error);
        }
        // A little more than came in, so that it gets done.
        let rows = TIDY_ALONG.max(group.len() + group.len() / 4);
        if tidy && let Err(error) = self.writer.tidy_along(rows) {
            self.writer.rollback();
            return Err(error);
        }
        match self.writer.commit() {
            Ok(due) => self.checkpoint(due),
            Err(error) => {
                self.writer.rollback();
                return Err(error);
            }
        }
        if !self.core.writable.swap(true, Ordering::Relaxed) {
            log::info!("the database takes changes again");
        }
        self.core.commits.fetch_add(1, Ordering::Relaxed);
        self.keys.committed();
        let mut firsts = Vec::new();
        write(&self.core.boards).apply(&mut self.changes, &mut firsts);
        for (board, before) in firsts {
            let boards = read(&self.core.boards);
            self.effects
                .extend(boards.get(board).and_then(|ranking| crate::records::new_first(&self.core, ranking, before)));
        }
        if let Some(row) = lock(&self.core.results).committed(&mut self.staged)
            && !self.effects.is_empty()
        {
            self.effects.push(Effect::Told(row));
        }
        if !self.names.is_empty() {
            let mut directory = write(&self.core.directory);
            for (id, name) in self.names.drain(..) {
                directory.insert(id, &name.shown, &name.folded);
            }
        }
        Ok(answers)
    }

    fn answer(&mut self, group: &[Write], answers: Vec<Result<Answer, Failure>>) {
        let core = self.core.clone();
        let boards = read(&core.boards);
        for (job, answer) in group.iter().zip(answers) {
            let reply = match answer {
                Ok(Answer::Reply(reply)) => Some(reply),
                Ok(Answer::Submitted(submit)) => Some(core.submitted(&boards, &submit)),
                Ok(Answer::Proved { session, identity, reply }) => {
                    if let Asker::Session(to) = &job.asker {
                        self.effects.push(Effect::Proved { session, to: to.clone(), identity, reply });
                    }
                    None
                }
                Ok(Answer::Later) => None,
                Err(failure) => Some(failure.into()),
            };
            match (&job.asker, reply) {
                (Asker::Session(to), Some(reply)) => self.batch.finish(to, &reply),
                (Asker::Operator(operator), Some(Reply::Failed(failure))) => {
                    self.effects.push(Effect::Operator(*operator, ctl::Answer::Failed(failure)));
                }
                (Asker::Operator(operator), Some(_)) => {
                    self.effects.push(Effect::Operator(*operator, ctl::Answer::Done));
                }
                _ => {}
            }
        }
        drop(boards);
        // Before the answers: who has his may ask again at once.
        self.core.wake(&mut self.effects, Vec::new());
        let quiet = self.batch.flush();
        self.core.wake(&mut self.effects, quiet);
    }
}

/// Keeps what the sessions' requests of this transaction came to, for those who have to ask again.
fn keep(
    core: &Core,
    group: &[Write],
    answers: &[Result<Answer, Failure>],
    staged: &mut Staged,
    tx: &mut dyn Tx,
) -> Result<(), StoreError> {
    let mut results = lock(&core.results);
    for (job, answer) in group.iter().zip(answers) {
        let to = match &job.asker {
            Asker::Session(to) => to,
            Asker::Gone(session) => {
                staged.gone(*session);
                continue;
            }
            Asker::Operator(_) | Asker::Nobody => continue,
        };
        let (session, acked) = to.link.asked();
        results.acknowledged(session, acked);
        let outcome = match answer {
            Ok(answer) => Outcome::of(answer),
            // A repeat after later requests of the same session could come to something else.
            Err(failure) => Some(Outcome::reply(&failure.clone().into())),
        };
        if let Some(outcome) = outcome.filter(|_| session != 0) {
            staged.add(session, to.number, outcome);
        }
    }
    results.store(staged, tx)
}

/// A thread that answers what only reads.
pub fn read_jobs(core: &Core, jobs: &Receiver<Read>, reader: &dyn Reader) {
    let (mut batch, mut effects) = (Batch::default(), Vec::new());
    while let Ok(job) = jobs.recv() {
        let mut next = Some(job);
        while let Some(job) = next {
            let reply = match (job.look)(reader) {
                Ok(Seen::Reply(reply)) => reply,
                Ok(Seen::Tell(player, event, reply, key)) => {
                    effects.push(Effect::Tell(player, event, job.to, reply, key));
                    next = jobs.try_recv().ok();
                    continue;
                }
                Ok(Seen::Perform(at, request, key)) => {
                    effects.push(Effect::Perform(at, job.to, request, key));
                    next = jobs.try_recv().ok();
                    continue;
                }
                Err(Refusal::Failure(failure)) => failure.into(),
                Err(Refusal::Store(error)) => {
                    log::error!("the database cannot be read: {error}");
                    Reply::fail(Code::Unavailable, "This cannot be read at the moment. Try again later.")
                }
            };
            batch.finish(&job.to, &reply);
            next = jobs.try_recv().ok();
        }
        core.wake(&mut effects, Vec::new());
        core.wake(&mut effects, batch.flush());
    }
}

/// A thread that hashes passwords, behind all others.
pub fn hash_jobs(core: &Core, jobs: &Receiver<Hash>, reader: &dyn Reader) {
    if let Err(error) = ssmglobal_sys::lowest_priority() {
        log::warn!("hashing runs at the priority of all else: {error}");
    }
    let cost = || {
        let settings = core.settings();
        Cost { memory: settings.players.hash_memory_kib, passes: settings.players.hash_passes }
    };
    let mut hasher = Hasher::new(cost());
    let mut batch = Batch::default();
    while let Ok(job) = jobs.recv() {
        hasher.set_cost(cost());
        let asker = match &job {
            Hash::Register { to, .. } | Hash::Login { to, .. } | Hash::Change { to, .. } => Asker::Session(to.clone()),
            Hash::Set { operator, .. } => Asker::Operator(*operator),
        };
        let mut effects = Vec::new();
        let next = hash_one(job, &mut hasher, reader, &mut effects);
        core.hashed();
        let failure = match next.and_then(|act| {
            core.write(&mut vec![Write { asker: asker.clone(), act, key: None }]).map_err(Refusal::from)
        }) {
            Ok(()) => {
                core.wake(&mut effects, Vec::new());
                continue;
            }
            Err(Refusal::Failure(failure)) => failure,
            Err(Refusal::Store(error)) => {
                log::error!("a password could not be worked on: {error}");
                Failure::new(Code::Unavailable, "This cannot be done at the moment. Try again later.")
            }
        };
        match asker {
            Asker::Session(to) => batch.finish(&to, &failure.into()),
            Asker::Operator(operator) => effects.push(Effect::Operator(operator, ctl::Answer::Failed(failure))),
            Asker::Nobody | Asker::Gone(_) => {}
        }
        core.wake(&mut effects, Vec::new());
        core.wake(&mut effects, batch.flush());
    }
}

fn hash_one(job: Hash, hasher: &mut Hasher, reader: &dyn Reader, effects: &mut Vec<Effect>) -> Result<Act, Refusal> {
    let broken = |error: crate::passwords::HashError| Refusal::Store(StoreError::Other(error.to_string()));
    match job {
        Hash::Register { session, name, password, email, .. } => {
            let hash = hasher.hash(&password).map_err(broken)?;
            Ok(Box::new(move |work| register(work, session, &name, &hash, email.as_deref())))
        }
        Hash::Login { session, player, tried, password, .. } => {
            let kept = player.map(|id| reader.player_hash(id)).transpose()?.flatten();
            let matched = hasher.verify(&password, kept.as_ref()).map_err(broken)?;
            effects.push(Effect::Tried(tried, matched != Match::No));
            let (Some(player), Match::Yes | Match::YesButHashAgain) = (player, matched) else {
                return refuse(Code::BadLogin, "Name and password do not belong together.");
            };
            let again = match matched {
                Match::YesButHashAgain => Some(hasher.hash(&password).map_err(broken)?),
                _ => None,
            };
            Ok(Box::new(move |work| login(work, session, player, again.as_ref())))
        }
        Hash::Change { player, tried, old, new, .. } => {
            let kept = reader.player_hash(player)?;
            let matched = hasher.verify(&old, kept.as_ref()).map_err(broken)?;
            effects.push(Effect::Tried(tried, matched != Match::No));
            if matched == Match::No {
                return refuse(Code::BadLogin, "That is not the present password; it was left as it is.");
            }
            let hash = hasher.hash(&new).map_err(broken)?;
            Ok(set_hash(player, hash))
        }
        Hash::Set { player, password, .. } => Ok(set_hash(player, hasher.hash(&password).map_err(broken)?)),
    }
}

fn set_hash(player: PlayerId, hash: ssmglobal_ipc::Secret) -> Act {
    Box::new(move |work| {
        work.tx.player_set_hash(player, &hash)?;
        Ok(Answer::Reply(Reply::Done(ssmglobal_ipc::Done {})))
    })
}

fn register(
    work: &mut Work<'_>,
    session: crate::core::SessionRef,
    name: &Name,
    hash: &ssmglobal_ipc::Secret,
    email: Option<&str>,
) -> Result<Answer, Refusal> {
    let player = NewPlayer {
        name: name.shown.clone(),
        folded: name.folded.clone(),
        skeleton: name.skeleton.clone(),
        hash: hash.clone(),
        email: email.map(str::to_owned),
        registered: work.now,
    };
    let id = match work.tx.player_add(&player) {
        Ok(id) => id,
        Err(StoreError::Exists) => {
            return refuse(
                Code::Exists,
                format!("The name {} is taken, or looks like one that is. Choose another.", name.shown),
            );
        }
        Err(error) => return Err(error.into()),
    };
    work.names.push((id, name.clone()));
    let reply = Reply::LoggedIn(LoggedIn { player: name.shown.clone(), unread: 0, last_login: None });
    Ok(Answer::Proved { session, identity: Identity::Player(id, name.shown.clone()), reply })
}

fn login(
    work: &mut Work<'_>,
    session: crate::core::SessionRef,
    id: PlayerId,
    again: Option<&ssmglobal_ipc::Secret>,
) -> Result<Answer, Refusal> {
    let Some(player) = work.tx.player(id)? else {
        return refuse(Code::BadLogin, "Name and password do not belong together.");
    };
    if let Some(reason) = &player.disabled {
        return refuse(Code::Denied, format!("This player is disabled: {reason}"));
    }
    if let Some(hash) = again {
        work.tx.player_set_hash(id, hash)?;
    }
    let last_login = work.tx.player_logged_in(id, work.now)?;
    let (_, unread) = work.tx.mailbox(id)?;
    let reply = Reply::LoggedIn(LoggedIn { player: player.name.clone(), unread, last_login });
    Ok(Answer::Proved { session, identity: Identity::Player(id, player.name), reply })
}

/// The thread that moves the database's log into its file when told to.
pub fn checkpoints(store: &dyn Store, due: &Receiver<()>) {
    while due.recv().is_ok() {
        if let Err(error) = store.checkpoint() {
            log::warn!("the database's log could not be moved into its file, it will be tried again: {error}");
        }
    }
}
