//! Clients' own keys for requests that change something: for a day, the same request under the same key is answered again
//! and not done again, also over another connection. Used by the writer.

use crate::core::{Answer, Core, Key, Refusal, Work, Write};
use crate::results::Outcome;
use hashbrown::HashMap;
use ssmglobal_ipc::{Code, Failure, Time};
use ssmglobal_store::{Keyed, Owner, Reader, StoreError};
use std::sync::Arc;

/// How long a key is kept, milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;

/// Bytes of a key.
pub const LONGEST: usize = 128;

/// Keys that one player or game server may have in that time.
pub const KEYS: u32 = 100_000;

/// Old keys that one transaction forgets for each that it adds.
const FORGET: usize = 2;

/// How many keys each has.
pub struct Keys {
    core: Arc<Core>,
    counts: HashMap<Owner, u32>,
    /// What the running transaction changes of it.
    more: Vec<Owner>,
    less: Vec<Owner>,
}

impl Keys {
    /// Those of the database.
    ///
    /// # Errors
    /// The database's.
    pub fn load(core: Arc<Core>, reader: &dyn Reader) -> ssmglobal_store::Result<Keys> {
        let counts = reader.keyed_counts()?.into_iter().collect();
        Ok(Keys { core, counts, more: Vec::new(), less: Vec::new() })
    }

    /// Does a job, unless its key says that it was done.
    ///
    /// # Errors
    /// The database's: give the transaction up.
    pub fn act(&mut self, job: &Write, work: &mut Work<'_>) -> Result<Result<Answer, Failure>, StoreError> {
        let answer = match &job.key {
            None => (job.act)(work),
            Some(key) => self.once(key, job, work),
        };
        match answer {
            Ok(answer) => Ok(Ok(answer)),
            Err(Refusal::Failure(failure)) => Ok(Err(failure)),
            Err(Refusal::Store(error)) => Err(error),
        }
    }

    fn once(&mut self, key: &Key, job: &Write, work: &mut Work<'_>) -> Result<Answer, Refusal> {
        if let Some(kept) = work.tx.keyed(key.owner, &key.key)? {
            if kept.digest != key.digest {
                return Err(conflict().into());
            }
            let outcome: Outcome = postcard::from_bytes(&kept.answer)
                .map_err(|error| StoreError::Corrupt(format!("a kept answer: {error}")))?;
            return Ok(Answer::Reply(outcome.told(&self.core, work.boards).0));
        }
        let mine = |owner: &&Owner| **owner == key.owner;
        let now = self.counts.get(&key.owner).copied().unwrap_or(0) as usize + self.more.iter().filter(mine).count();
        if now >= KEYS as usize {
            let msg = format!("You have used {KEYS} keys within a day. Try again later, or without a key.");
            return Err(Failure::new(Code::Limit, msg).into());
        }
        let answer = (job.act)(work)?;
        // What was refused has changed nothing and may be tried again under its key.
        if let Some(outcome) = Outcome::of(&answer) {
            let answer = postcard::to_stdvec(&outcome).map_err(|error| StoreError::Other(error.to_string()))?;
            work.tx.keyed_add(key.owner, &key.key, &Keyed { digest: key.digest, at: work.now, answer })?;
            self.more.push(key.owner);
        }
        for _ in 0..FORGET {
            let Some(owner) = work.tx.keyed_expire(Time(work.now.0 - KEPT))? else { break };
            self.less.push(owner);
        }
        Ok(answer)
    }

    /// The transaction was given up.
    pub fn clear(&mut self) {
        self.more.clear();
        self.less.clear();
    }

    /// The transaction is on disk.
    pub fn committed(&mut self) {
        for owner in self.more.drain(..) {
            *self.counts.entry(owner).or_default() += 1;
        }
        for owner in self.less.drain(..) {
            if let Some(count) = self.counts.get_mut(&owner) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

/// The same key with another content.
pub fn conflict() -> Failure {
    Failure::new(Code::Conflict, "This key was used for another request. Use a new key for a new request.")
}
