//! Copies the database while it is in use. Runs in the handler.
//!
//! The source connection holds one read transaction from the first page to the last. With a write-ahead log
//! that pins one moment of the database: commits go on, and the copy neither starts over nor mixes two moments.
//! Meanwhile the write-ahead log cannot start over, so it grows by what is committed.

use super::file::Unknown;
use super::seal::{self, Seal};
use super::{error, file};
use crate::{Result, StoreError};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Pages between two reports: 4 MiB.
const STEP_PAGES: i32 = 1024;

pub(super) fn backup(source: &Path, target: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64> {
    // SQLite would read what lies beside the copy into it.
    if ["", "-wal", "-shm", "-journal"]
        .iter()
        .any(|suffix| std::fs::symlink_metadata(file::beside(target, suffix)).is_ok())
    {
        return Err(StoreError::Exists);
    }
    let partial = Unknown::make(target, ".partial")?;
    let seal = copy(source, partial.path(), progress)?;
    seal.close(partial.file(), target)?;
    let length = partial.file().metadata().map_err(|e| error::io("cannot look at", target, &e))?.len();
    partial.put_into_place(target)?;
    Ok(length)
}

/// The copy, with room for its checksum.
fn copy(source: &Path, partial: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Seal> {
    let from = file::connect_reader(source)?;
    // Whatever is there in its place now is not followed.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut to = Connection::open_with_flags(partial, flags)?;
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
    seal::unseal(&mut to)?;
    let seal = Seal::open(&to)?;
    to.close().map_err(|(_, e)| e)?;
    Ok(seal)
}
