//! Clients' own keys for requests that change something: for a day, the same request under the same key is answered again
//! and not done again, also over another connection. Used by the writer.

use super::change::{Decide, Decided, Facts, Refusal, Stamp, still_there};
use crate::state::journal::{ClientKey, packed, unpacked};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Code, Failure, Reply, Time, growing};
use ssmglobal_store::{Keyed, Principal, Reader, Result, Row, Tx};

/// How long a key is kept, milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;

/// Bytes of a key.
pub const LONGEST: usize = 128;

/// Keys that somebody may have in that time.
pub const KEYS: u32 = 100_000;

/// Old keys that one transaction forgets for each that it adds.
const FORGET: usize = 2;

/// The answer that is kept under a key. Only ever appended to; see [`growing`].
#[derive(Serialize, Deserialize)]
struct KeyedAnswer {
    kind: u16,
    payload: Vec<u8>,
}

/// How many keys each has.
#[derive(Debug, Default)]
pub struct Keys {
    counts: HashMap<Principal, u32>,
    /// What the running transaction changes of it.
    more: Vec<Principal>,
    less: Vec<Principal>,
    /// Whose are all gone.
    gone: Vec<Principal>,
}

impl Keys {
    /// Those of the database.
    ///
    /// # Errors
    /// The database's.
    pub fn load(reader: &dyn Reader) -> Result<Keys> {
        Ok(Keys { counts: reader.keyed_counts()?.into_iter().collect(), ..Keys::default() })
    }

    /// Decides a change, unless its key, about which `kept` is in the database, says that it was done.
    ///
    /// # Errors
    /// As of every decision.
    pub fn decide(
        &mut self,
        key: &ClientKey,
        kept: Option<Keyed>,
        change: &impl Decide,
        facts: &mut dyn Facts,
        stamp: Stamp,
    ) -> std::result::Result<Decided, Refusal> {
        if let Some(kept) = kept {
            return Ok(Decided::new(Vec::new(), answer_of(key, &kept)?));
        }
        still_there(facts, key.owner.as_server())?;
        let mine = |owner: &&Principal| **owner == key.owner;
        let now = self.counts.get(&key.owner).copied().unwrap_or(0) as usize + self.more.iter().filter(mine).count();
        if now >= KEYS as usize {
            let msg = format!("You have used {KEYS} keys within a day. Try again later, or without a key.");
            return Err(Failure::new(Code::Limit, msg).into());
        }
        // What was refused has changed nothing and may be tried again under its key.
        let mut decided = change.decide(facts, stamp)?;
        if matches!(decided.reply, Reply::Failed(_)) {
            return Ok(decided);
        }
        let kept = Keyed { digest: key.digest, at: stamp.now, answer: answer_put(&decided.reply) };
        decided.rows.push(Row::Keyed { owner: key.owner, key: key.key.clone(), kept });
        self.more.push(key.owner);
        Ok(decided)
    }

    /// Takes note of a row that was written.
    pub fn note(&mut self, row: &Row) {
        if let Row::ServerGone { server } = row {
            self.gone.push((*server).into());
        }
    }

    /// Lets the oldest keys go, in the running transaction.
    ///
    /// # Errors
    /// The database's: give the transaction up.
    pub fn expire(&mut self, tx: &mut dyn Tx, now: Time) -> Result<()> {
        for _ in 0..FORGET * self.more.len() {
            let Some(owner) = tx.keyed_expire(Time(now.0 - KEPT))? else { break };
            self.less.push(owner);
        }
        Ok(())
    }

    /// How many each has who has any.
    #[cfg(test)]
    pub fn counts(&self) -> Vec<(Principal, u32)> {
        let mut counts: Vec<_> = self.counts.iter().map(|(owner, count)| (*owner, *count)).collect();
        counts.retain(|(_, count)| *count > 0);
        counts.sort_unstable();
        counts
    }

    /// The transaction was given up.
    pub fn clear(&mut self) {
        self.more.clear();
        self.less.clear();
        self.gone.clear();
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
        for owner in self.gone.drain(..) {
            self.counts.remove(&owner);
        }
    }
}

fn answer_of(key: &ClientKey, kept: &Keyed) -> std::result::Result<Reply, Failure> {
    if kept.digest != key.digest {
        return Err(conflict());
    }
    Ok(answer_read(&kept.answer))
}

/// The bytes of an answer that are kept.
pub(super) fn answer_put(reply: &Reply) -> Vec<u8> {
    let ((kind, payload), mut bytes) = (packed(reply), Vec::new());
    growing::put(&mut bytes, &KeyedAnswer { kind, payload });
    bytes
}

/// Reads an answer that is kept under a key.
pub(super) fn answer_read(bytes: &[u8]) -> Reply {
    // Of a newer program: it was done, and that can be said.
    growing::get::<KeyedAnswer>(bytes)
        .map_or_else(|_| unpacked(0, &[]), |answer| unpacked(answer.kind, &answer.payload))
}

/// What the database has under a key.
///
/// # Errors
/// The database's.
pub fn known(reader: &dyn Reader, key: &ClientKey) -> Result<Option<Reply>> {
    let kept = reader.keyed(key.owner, &key.key)?;
    Ok(kept.map(|kept| answer_of(key, &kept).unwrap_or_else(Reply::Failed)))
}

/// The same key with another content.
pub fn conflict() -> Failure {
    Failure::new(Code::Conflict, "This key was used for another request. Use a new key for a new request.")
}

#[cfg(test)]
mod tests;
