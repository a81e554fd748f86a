//! What takes the operator long: a backup, a look for damage. Each runs in a thread of its own.

use super::super::EventLoop;
use crate::work::ToLoop;
use ssmglobal_ipc::ctl::{Answer, Verified};
use ssmglobal_ipc::{Code, Failure};
use ssmglobal_store::{Store, StoreError, Upkeep, Verification};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

impl EventLoop {
    /// Runs something that takes long in a thread of its own; its answers are left for the event loop.
    pub(super) fn long_job(
        &self,
        operator: u64,
        job: impl FnOnce(&dyn Store, &mut dyn FnMut(Answer)) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Option<Answer>, Failure> {
        let (shared, store) = (self.shared.clone(), self.operators.store.clone());
        let thread = std::thread::Builder::new().name("operator".into()).spawn(move || {
            let mut tell = |answer| shared.send_to_loop(&mut vec![ToLoop::Operator(operator, answer)], Vec::new());
            let answer = job(&*store, &mut tell).unwrap_or_else(Answer::Failed);
            tell(answer);
        });
        match thread {
            Ok(_) => Ok(None),
            Err(error) => Err(Failure::new(Code::Unavailable, format!("No thread for this: {error}."))),
        }
    }
}

pub(super) fn backup(store: &dyn Store, file: &str, tell: &mut dyn FnMut(Answer)) -> Result<Answer, Failure> {
    let mut last = Instant::now();
    let Some(upkeep) = store.upkeep() else { return Err(no_file()) };
    let written = upkeep.backup(Path::new(file), &mut |done, total| {
        let now = Instant::now();
        if done == total || now.saturating_duration_since(last).as_millis() >= 100 {
            last = now;
            tell(Answer::Progress { done, total });
        }
    });
    match written {
        Ok(bytes) => Ok(Answer::BackedUp { file: file.to_owned(), bytes }),
        Err(StoreError::Exists) => {
            Err(Failure::new(Code::Exists, format!("{file} exists already; it was left as it is.")))
        }
        Err(error) => Err(Failure::new(Code::Unavailable, format!("No backup was written: {error}."))),
    }
}

/// The database is no file of its own.
fn no_file() -> Failure {
    Failure::new(Code::Unavailable, "This database is not a file; its own tools look after it.")
}

pub(super) fn verify(store: &dyn Store, file: Option<&str>) -> Result<Answer, Failure> {
    let living = store.upkeep();
    let path = file.map(Path::new).or_else(|| living.map(Upkeep::path)).ok_or_else(no_file)?;
    let found = match living.filter(|living| same(living.path(), path)) {
        Some(living) => living.verify(),
        None => ssmglobal_store::verify(path),
    };
    let found = found.map_err(|error| Failure::new(Code::Unavailable, format!("The database says: {error}.")))?;
    Ok(Answer::Verified(verified(path, found)))
}

/// Whether both names are one file's.
fn same(one: &Path, other: &Path) -> bool {
    let found = std::fs::metadata(one).ok().zip(std::fs::metadata(other).ok());
    found.is_some_and(|(one, other)| (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// What was found in a file, as the operator is told it.
pub fn verified(file: &Path, found: Verification) -> Verified {
    let Verification { problems, schema, players, mails, records, settings } = found;
    let (file, ok) = (file.display().to_string(), problems.is_empty());
    Verified { file, ok, problems, schema, players, mails, records, settings }
}
