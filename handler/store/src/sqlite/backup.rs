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
use std::fs::File;
use std::path::{Path, PathBuf};

/// Pages between two reports: 4 MiB.
const STEP_PAGES: i32 = 1024;

/// How the name of a copy ends that is to have none.
pub(super) const COPY: &str = ".copy";

/// Bytes that are left free beside a copy: what is committed meanwhile, and the journal's room.
const ROOM_LEFT: u64 = 64 << 20;

pub(super) fn backup(source: &Path, target: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64> {
    let target = BackupFile::make(target)?;
    let mut always = |done, all| {
        progress(done, all);
        true
    };
    let seal = copy(source, target.partial.path(), &mut always)?;
    seal.close(target.file(), &target.path)?;
    let length = target.file().metadata().map_err(|e| error::io("cannot look at", &target.path, &e))?.len();
    target.put_into_place()?;
    Ok(length)
}

/// Where a backup is written: under a name that nobody can know before, for this user alone, until it is whole. Gone when it
/// is dropped before that.
pub struct BackupFile {
    partial: Unknown,
    path: PathBuf,
}

impl BackupFile {
    /// Makes one that is to be called `path`.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::Unavailable`] when nothing can be written there.
    pub fn make(path: &Path) -> Result<BackupFile> {
        // SQLite would read what lies beside the copy into it.
        let there = |suffix: &&str| std::fs::symlink_metadata(file::beside(path, suffix)).is_ok();
        if ["", "-wal", "-shm", "-journal"].iter().any(there) {
            return Err(StoreError::Exists);
        }
        Ok(BackupFile { partial: Unknown::make(path, ".partial")?, path: path.to_owned() })
    }

    /// To be written to.
    pub fn file(&self) -> &File {
        self.partial.file()
    }

    /// It is whole: gives it its name. It is on disk then, and the name too.
    ///
    /// # Errors
    /// As [`BackupFile::make`].
    pub fn put_into_place(self) -> Result<()> {
        self.partial.put_into_place(&self.path)
    }
}

/// A copy for whoever will put it where he may write; without a name, so that nothing of it stays when he, or this process,
/// is killed.
pub(super) fn unnamed(source: &Path, wanted: &mut dyn FnMut(u64, u64) -> bool) -> Result<File> {
    enough_room(source)?;
    let partial = Unknown::make(source, COPY)?;
    let seal = copy(source, partial.path(), wanted)?;
    seal.close(partial.file(), partial.path())?;
    File::open(partial.path()).map_err(|e| error::io("cannot open", partial.path(), &e))
}

/// Beside the copy the database must go on: a disk that the copy has filled would take no changes.
fn enough_room(source: &Path) -> Result<()> {
    let length = |suffix| std::fs::metadata(file::beside(source, suffix)).map_or(0, |found| found.len());
    let needed = length("") + length("-wal") + ROOM_LEFT;
    let folder = source.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let disk = nix::sys::statvfs::statvfs(folder);
    let disk = disk.map_err(|e| error::io("cannot look at the disk of", folder, &e.into()))?;
    let free = disk.blocks_available().saturating_mul(disk.fragment_size());
    if free >= needed {
        return Ok(());
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    Err(StoreError::Unavailable(format!(
        "the copy is made beside the database first, in {}, where {} MiB are free of the {} MiB that this takes",
        folder.display(),
        mib(free),
        mib(needed)
    )))
}

/// The copy, with room for its checksum.
fn copy(source: &Path, partial: &Path, wanted: &mut dyn FnMut(u64, u64) -> bool) -> Result<Seal> {
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
            if !wanted(u64::try_from(all - rest).unwrap_or(0), u64::try_from(all).unwrap_or(0)) {
                return Err(StoreError::Unavailable("the backup is not wanted any more".into()));
            }
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
