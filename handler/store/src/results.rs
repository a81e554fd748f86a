//! Answers to requests that change something, in the store: kept together with the change, so that whoever asks again
//! gets the same answer and nothing is done twice.

use crate::{Principal, Result};
use ssmglobal_ipc::Time;

/// The key that the handlers of one run seal tickets with.
#[derive(Clone, PartialEq, Eq)]
pub struct RunKey(pub [u8; 32]);

impl std::fmt::Debug for RunKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunKey(…)")
    }
}

/// What was answered to a request that a client has given a key of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// Of what was asked.
    pub digest: [u8; 32],
    /// When it was answered: it is forgotten some time after that.
    pub at: Time,
    /// The answer, in the handler's encoding.
    pub answer: Vec<u8>,
}

/// Reading kept answers.
pub trait ReadResults {
    /// The run that the kept answers belong to, and its key.
    fn run(&self) -> Result<Option<(u64, RunKey)>>;
    /// Every row of [`WriteResults::results_add`], the oldest first.
    fn results(&self, each: &mut dyn FnMut(i64, &[u8])) -> Result<()>;
    /// What an owner was answered under a key.
    fn keyed(&self, owner: Principal, key: &str) -> Result<Option<Keyed>>;
    /// How many keys each owner has.
    fn keyed_counts(&self) -> Result<Vec<(Principal, u32)>>;
}

/// Keeping answers.
pub trait WriteResults {
    /// A new run: what is kept for the one before is forgotten.
    fn run_begin(&mut self, run: u64, key: &RunKey) -> Result<()>;
    /// Keeps the answers of the running transaction, in the handler's encoding, under a number that no row has.
    fn results_add(&mut self, row: i64, answers: &[u8]) -> Result<()>;
    /// Forgets a row.
    fn results_drop(&mut self, row: i64) -> Result<()>;
    /// Forgets the oldest key if it is older than `before`; gives whose it was.
    fn keyed_expire(&mut self, before: Time) -> Result<Option<Principal>>;
}
