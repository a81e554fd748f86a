//! Copies the database while it is in use. Runs in the handler.
//!
//! The source connection holds one read transaction from the first page to the last. With a write-ahead log
//! that pins one moment of the database: commits go on, and the copy neither starts over nor mixes two moments.
//! Meanwhile the write-ahead log cannot start over, so it grows by what is committed.

use super::{error, file};
use crate::{Result, StoreError};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Pages between two reports: 4 MiB.
const STEP_PAGES: i32 = 1024;

pub(super) fn backup(source: &Path, target: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64> {
    // SQLite would read what lies beside the copy into it.
    if ["", "-wal", "-journal"].iter().any(|suffix| fs::symlink_metadata(file::beside(target, suffix)).is_ok()) {
        return Err(StoreError::Exists);
    }
    let partial = file::beside(target, ".partial");
    let claim = claim(&partial)?;
    let outcome = copy(source, &partial, progress).and_then(|()| {
        let length = claim.metadata().map_err(|e| error::io("cannot look at", &partial, &e))?.len();
        file::rename_into_place(&partial, target)?;
        Ok(length)
    });
    if outcome.is_err() {
        for suffix in ["-journal", "-wal", "-shm", ""] {
            let _ = fs::remove_file(file::beside(&partial, suffix));
        }
    }
    outcome
}

/// An empty file for this backup alone; what one left that did not end is written over.
fn claim(partial: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(partial)
        .map_err(|e| error::io("cannot create", partial, &e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(partial.to_owned())),
        Err(TryLockError::Error(e)) => return Err(error::io("cannot lock", partial, &e)),
    }
    file.set_len(0).map_err(|e| error::io("cannot write", partial, &e))?;
    let _ = fs::remove_file(file::beside(partial, "-journal"));
    Ok(file)
}

fn copy(source: &Path, partial: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    let from = file::connect_reader(source)?;
    let mut to = Connection::open_with_flags(partial, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // It counts only once it is whole, and is brought to disk then.
    to.pragma_update(None, "synchronous", "OFF")?;
    let snapshot = from.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    {
        let backup = Backup::new(&from, &mut to)?;
        loop {
            let step = backup.step(STEP_PAGES)?;
            let (rest, all) = (backup.progress().remaining, backup.progress().pagecount);
            progress(u64::try_from(all - rest).unwrap_or(0), u64::try_from(all).unwrap_or(0));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(StoreError::Unavailable("the backup was kept from reading or writing".into())),
            }
        }
    }
    drop(snapshot);
    // A copy that is one file, also while it is being read.
    to.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    to.close().map_err(|(_, e)| e)?;
    Ok(())
}
