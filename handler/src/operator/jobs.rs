//! What takes the operator long: a backup, a look for damage. Each runs in a thread of its own.

use super::unavailable;
use crate::core::Effect;
use crate::server::Server;
use ssmglobal_ipc::ctl::Answer;
use ssmglobal_ipc::{Code, Failure};
use ssmglobal_store::{Store, StoreError, Verify, sqlite::SqliteStore};
use std::path::Path;
use std::time::Instant;

impl Server {
    /// Runs something that takes long in a thread of its own; its answers come back as effects.
    pub(super) fn long_job(
        &self,
        operator: u64,
        job: impl FnOnce(&dyn Store, &mut dyn FnMut(Answer)) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Option<Answer>, Failure> {
        let (core, store) = (self.core.clone(), self.operators.store.clone());
        let thread = std::thread::Builder::new().name("operator".into()).spawn(move || {
            let mut tell = |answer| core.wake(&mut vec![Effect::Operator(operator, answer)], Vec::new());
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
    let written = store.backup(Path::new(file), &mut |done, total| {
        let now = Instant::now();
        if done == total || now.saturating_duration_since(last).as_millis() >= 100 {
            last = now;
            tell(Answer::Progress { done, total });
        }
    });
    match written {
        Ok(bytes) => {
            log::info!("a backup of {bytes} bytes was written");
            Ok(Answer::BackedUp { file: file.to_owned(), bytes })
        }
        Err(StoreError::Exists) => {
            Err(Failure::new(Code::Exists, format!("{file} exists already; it was left as it is.")))
        }
        Err(error) => Err(Failure::new(Code::Unavailable, format!("No backup was written: {error}."))),
    }
}

pub(super) fn verify(store: &dyn Store, file: Option<&str>) -> Result<Answer, Failure> {
    let path = file.map_or(store.path(), Path::new);
    let found = SqliteStore::verify(path).map_err(|error| unavailable(&error))?;
    Ok(Answer::Verified(found.told(path)))
}
