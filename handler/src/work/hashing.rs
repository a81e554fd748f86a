//! The hashing threads: what is to be done with passwords, behind all else. What it means is the capability's affair, which gets the
//! outcome and makes a change of it.

use super::change::{Decide, Refusal};
use super::jobs::{Asker, Hash, ToLoop, Write};
use super::passwords::{Compare, Cost, HashError, Hashed, Hasher, Hashing, Match};
use super::shared::Shared;
use crate::link::Batch;
use crossbeam_channel::{Receiver, TryRecvError, select_biased};
use ssmglobal_ipc::{Code, Failure, ctl};
use ssmglobal_store::{Reader, StoreError};

/// What one of the threads does: what newcomers want only where there is nothing else to do, and only some of the threads.
pub struct Line<C> {
    /// Passwords of those who have a name already: they come first.
    jobs: Receiver<Hash<C>>,
    /// Passwords of those who register: only where nobody else waits.
    newcomers: Receiver<Hash<C>>,
}

impl<C> Line<C> {
    /// The lines of so many threads. One half of them leaves newcomers to the others, so that there is a thread for whoever
    /// has a name; a single thread cannot.
    pub fn of(threads: usize, jobs: &Receiver<Hash<C>>, newcomers: &Receiver<Hash<C>>) -> Vec<Line<C>> {
        let line = |thread: usize| {
            let both = thread < (threads / 2).max(1);
            let newcomers = if both { newcomers.clone() } else { crossbeam_channel::never() };
            Line { jobs: jobs.clone(), newcomers }
        };
        (0..threads).map(line).collect()
    }

    /// The next job; nothing when there will be none.
    fn next(&self) -> Option<Hash<C>> {
        match self.jobs.try_recv() {
            Ok(job) => Some(job),
            Err(TryRecvError::Disconnected) => self.newcomers.try_recv().ok(),
            Err(TryRecvError::Empty) => select_biased! {
                recv(self.jobs) -> job => job.ok().or_else(|| self.newcomers.try_recv().ok()),
                recv(self.newcomers) -> job => job.ok().or_else(|| self.jobs.recv().ok()),
            },
        }
    }
}

/// A thread that hashes passwords, behind all others.
pub fn hash_jobs<C: Decide + Send>(shared: &Shared<C>, line: &Line<C>, reader: &dyn Reader) {
    if let Err(error) = ssmglobal_sys::lowest_priority() {
        log::warn!("hashing runs at the priority of all else: {error}");
    }
    let cost = || {
        let settings = shared.settings();
        Cost { memory: settings.players.hash_memory_kib, passes: settings.players.hash_passes }
    };
    let mut hasher = Hasher::new(cost());
    let (mut batch, mut to_loop) = (Batch::new(shared.tally.clone()), Vec::new());
    while let Some(Hash { asker, hashing, tried, then }) = line.next() {
        hasher.set_cost(cost());
        let (compares, newcomer) = (hashing.compare.is_some(), hashing.newcomer);
        let hashed = hash(hashing, &mut hasher, reader);
        shared.hashed(newcomer);
        if let (Some(tried), true, Ok(hashed)) = (tried, compares, &hashed) {
            to_loop.push(ToLoop::Tried(*tried, hashed.good));
            // Before the change has an answer: this thread may get no time for long, and who has his may ask for more at once.
            shared.send_to_loop(&mut to_loop, Vec::new());
        }
        let next = hashed.map_err(Refusal::from).and_then(|hashed| Ok(then(hashed)?));
        let given = next.and_then(|change| {
            let job = Write::Change { asker: asker.clone(), change, key: None, tried: None };
            Ok(shared.write(&mut vec![job])?)
        });
        if let Err(refusal) = given {
            let failure = match refusal {
                Refusal::Failure(failure) => failure,
                Refusal::Store(error) => {
                    log::error!("a password could not be worked on: {error}");
                    Failure::new(Code::Unavailable, "This cannot be done at the moment. Try again later.")
                }
            };
            match asker {
                Asker::Session(_, to) => batch.finish(&to, &failure.into()),
                Asker::Operator(number, _) => to_loop.push(ToLoop::Operator(number, ctl::Answer::Failed(failure))),
                Asker::Console(number) => to_loop.push(ToLoop::Operator(number, ctl::Answer::Failed(failure))),
                Asker::Keyed(..) | Asker::Relay(_) | Asker::Login(..) | Asker::Absent(_) | Asker::Stopped => {}
            }
        }
        shared.send_to_loop(&mut to_loop, Vec::new());
        shared.send_to_loop(&mut to_loop, batch.flush());
    }
}

impl From<HashError> for StoreError {
    fn from(error: HashError) -> StoreError {
        StoreError::Other(error.to_string())
    }
}

fn hash(hashing: Hashing, hasher: &mut Hasher, reader: &dyn Reader) -> Result<Hashed, StoreError> {
    let Hashing { compare, new, .. } = hashing;
    let (mut good, mut again, mut verified) = (true, None, None);
    if let Some(Compare { player, password }) = compare {
        verified = player.map(|id| reader.player_hash(id)).transpose()?.flatten();
        let matched = hasher.verify(password.as_ref(), verified.as_ref().map(|kept| &kept.hash))?;
        good = matched != Match::No;
        again = password.filter(|_| matched == Match::YesButHashAgain);
    }
    let hash = match new.or(again).filter(|_| good) {
        Some(password) => Some(hasher.hash(&password)?),
        None => None,
    };
    Ok(Hashed { good, hash, verified })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::entry::EntryChange;
    use crate::state::memory::Memory;
    use crate::state::throttle::Tried;
    use crate::work::KeptAnswers;
    use crossbeam_channel::unbounded;
    use ssmglobal_config::Settings;
    use ssmglobal_ipc::Secret;
    use std::sync::Arc;

    fn job(number: u64, newcomer: bool) -> Hash<()> {
        let asker = Asker::Operator(number, Box::new(ctl::Answer::Done));
        let hashing = Hashing { newcomer, ..Hashing::default() };
        Hash { asker, hashing, tried: None, then: Box::new(|_| Ok(())) }
    }

    fn number(job: Option<Hash<()>>) -> Option<u64> {
        job.map(|job| match job.asker {
            Asker::Operator(number, _) => number,
            asker => panic!("{asker:?}"),
        })
    }

    #[test]
    fn who_has_a_name_goes_before_all_newcomers_that_wait() {
        let ((jobs, jobs_end), (newcomers, newcomers_end)) = (unbounded(), unbounded());
        let lines = Line::of(1, &jobs_end, &newcomers_end);
        for number in 1..=3 {
            newcomers.send(job(number, true)).unwrap();
        }
        assert_eq!(number(lines[0].next()), Some(1));
        jobs.send(job(4, false)).unwrap();
        assert_eq!([number(lines[0].next()), number(lines[0].next())], [Some(4), Some(2)]);
        drop((jobs, newcomers));
        assert_eq!([number(lines[0].next()), number(lines[0].next())], [Some(3), None]);
    }

    #[test]
    fn half_of_the_threads_are_not_for_newcomers() {
        for (threads, both) in [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4)] {
            let ((jobs, jobs_end), (newcomers, newcomers_end)) = (unbounded(), unbounded());
            let lines = Line::of(threads, &jobs_end, &newcomers_end);
            for number in 0..threads as u64 {
                newcomers.send(job(number, true)).unwrap();
            }
            drop((jobs, newcomers));
            let taken = lines.iter().filter(|line| line.next().is_some()).count();
            assert_eq!((lines.len(), taken), (threads, both));
        }
    }

    #[test]
    fn that_a_password_was_right_is_known_before_there_can_be_an_answer() {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        let mut settings = Settings::default();
        (settings.players.hash_memory_kib, settings.players.hash_passes) = (64, 1);
        let (shared, _queues) =
            Shared::new(Arc::new(settings), Arc::new(Memory::default()), KeptAnswers::default(), waker);
        let shared = Arc::new(shared);
        let ((jobs, jobs_end), (newcomers, newcomers_end)) = (unbounded(), unbounded());
        let compare = Some(Compare { player: None, password: Some(Secret::new("long-enough")) });
        let (known, by_then) = (shared.clone(), unbounded());
        let then = move |_| {
            by_then.0.send(known.take_for_loop().0.len()).unwrap();
            Err(Failure::new(Code::Denied, "No."))
        };
        let hash: Hash<EntryChange> = Hash {
            asker: Asker::Operator(1, Box::new(ctl::Answer::Done)),
            hashing: Hashing { compare, ..Hashing::default() },
            tried: Some(Box::new(Tried::password(None, "alice".into(), false))),
            then: Box::new(then),
        };
        jobs.send(hash).unwrap();
        drop((jobs, newcomers));
        let dir = tempfile::tempdir().unwrap();
        let store = ssmglobal_store::open(&dir.path().join("it.db"), std::time::Duration::ZERO).unwrap();
        let line = Line::of(1, &jobs_end, &newcomers_end).swap_remove(0);
        hash_jobs(&shared, &line, &*store.reader().unwrap());
        assert_eq!(by_then.1.try_recv(), Ok(1));
    }

    #[test]
    fn newcomers_take_half_of_the_room_at_the_most() {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        let mut settings = Settings::default();
        settings.players.hash_queue = 5;
        let (shared, queues) =
            Shared::new(Arc::new(settings), Arc::new(Memory::default()), KeptAnswers::default(), waker);
        let given = |newcomer| (0..9).filter(|number| shared.hash(job(*number, newcomer)).is_ok()).count();
        assert_eq!((given(true), given(false), given(true)), (3, 2, 0));
        // What was refused takes no room.
        (0..2).for_each(|_| shared.hashed(false));
        assert_eq!((given(true), given(false)), (0, 2));
        shared.hashed(true);
        assert_eq!(given(true), 1);
        drop(queues);
    }
}
