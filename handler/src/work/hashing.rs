//! The hashing threads: what is to be done with passwords, behind all else. What it means is the capability's affair, which gets the
//! outcome and makes a change of it.

use super::change::{Decide, Refusal};
use super::jobs::{Asker, Hash, ToLoop, Write};
use super::passwords::{Compare, Cost, HashError, Hashed, Hasher, Hashing, Match};
use super::shared::Shared;
use crate::link::Batch;
use crossbeam_channel::Receiver;
use ssmglobal_ipc::{Code, Failure, ctl};
use ssmglobal_store::{Reader, StoreError};

/// A thread that hashes passwords, behind all others.
pub fn hash_jobs<C: Decide + Send>(shared: &Shared<C>, jobs: &Receiver<Hash<C>>, reader: &dyn Reader) {
    if let Err(error) = ssmglobal_sys::lowest_priority() {
        log::warn!("hashing runs at the priority of all else: {error}");
    }
    let cost = || {
        let settings = shared.settings();
        Cost { memory: settings.players.hash_memory_kib, passes: settings.players.hash_passes }
    };
    let mut hasher = Hasher::new(cost());
    let (mut batch, mut left) = (Batch::default(), Vec::new());
    while let Ok(Hash { asker, hashing, tried, then }) = jobs.recv() {
        hasher.set_cost(cost());
        let compares = hashing.compare.is_some();
        let hashed = hash(hashing, &mut hasher, reader);
        shared.hashed();
        if let (Some(tried), true, Ok(hashed)) = (tried, compares, &hashed) {
            left.push(ToLoop::Tried(*tried, hashed.good));
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
                Asker::Operator(number, _) => left.push(ToLoop::Operator(number, ctl::Answer::Failed(failure))),
                Asker::Keyed(..) => {}
            }
        }
        shared.leave(&mut left, Vec::new());
        shared.leave(&mut left, batch.flush());
    }
}

impl From<HashError> for StoreError {
    fn from(error: HashError) -> StoreError {
        StoreError::Other(error.to_string())
    }
}

fn hash(hashing: Hashing, hasher: &mut Hasher, reader: &dyn Reader) -> Result<Hashed, StoreError> {
    let Hashing { compare, new } = hashing;
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
