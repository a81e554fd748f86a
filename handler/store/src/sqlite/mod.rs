//! SQLite behind the [`Store`] trait: one file, its write-ahead log beside it. Runs in the handler.
//!
//! One writing connection, one per reader, one for checkpoints; none is shared between threads at a time. The
//! write-ahead log is moved into the file by the thread in `checkpoint` only, which is there as long as the writer is.
//! The log keeps its length while the store is open, because writing over is faster than extending, and goes away with
//! the last connection.

mod backup;
mod belongs;
mod checkpoint;
mod db;
mod error;
mod file;
mod fold;
mod gate;
mod licences;
mod mail;
mod players;
mod preferences;
mod properties;
mod records;
mod relations;
mod relay;
mod restore;
mod results;
mod rights;
mod schema;
mod seal;
mod servers;
mod settings;
#[cfg(test)]
mod tests;
mod tx;
mod universe;
mod verify;
mod writer;

pub use backup::BackupFile;
pub use restore::Source;

use crate::{Reader, Restored, Result, Store, StoreError, Upkeep, Verification, Writer};
use db::Db;
use gate::Gate;
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use writer::SqliteWriter;

impl Reader for Db {}

/// Puts a copy in the place of the database in `path`; see [`crate::restore`].
pub fn restore(source: &Source, path: &Path) -> Result<Restored> {
    restore::restore(source, path)
}

/// A database file that is open. Readers and the writer keep it open and locked even when this has gone.
pub struct SqliteStore {
    shared: Arc<Shared>,
}

/// What all connections of one store have in common.
struct Shared {
    path: PathBuf,
    /// Does the checkpoints, and keeps the write-ahead log alive while no other connection is there.
    keeper: Mutex<Connection>,
    gate: Gate,
    writer_taken: AtomicBool,
    /// Pages in the write-ahead log after the writer's last commit.
    wal_pages: Arc<AtomicU32>,
    /// Locked for as long as any connection lives; declared last, so that the connections close before it.
    _lock: File,
}

impl SqliteStore {
    /// Opens the database in `path`, and makes it, readable for this user only, when there is no such file; where
    /// another store has it open that is about to be gone, waits so long for that. An older schema is brought up to
    /// date. Leaves a lock file, `path` with `.lock` behind it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another store has it open, in this process or any other;
    /// [`StoreError::NotADatabase`], [`StoreError::TooNew`] and [`StoreError::TooOld`] leave the file as it was;
    /// [`StoreError::Unavailable`] when the file system refuses.
    pub fn open_within(path: &Path, patience: Duration) -> Result<SqliteStore> {
        let (lock, keeper) = file::open(path, patience).map_err(|error| error::explained(error, path))?;
        let shared = Shared {
            path: path.to_owned(),
            keeper: Mutex::new(keeper),
            gate: Gate::default(),
            writer_taken: AtomicBool::new(false),
            wal_pages: Arc::new(AtomicU32::new(0)),
            _lock: lock,
        };
        Ok(SqliteStore { shared: Arc::new(shared) })
    }

    /// `ended` hears of the end of every checkpoint.
    fn sqlite_writer_with(&self, ended: impl Fn(Result<()>) + Send + 'static) -> Result<SqliteWriter> {
        if self.shared.writer_taken.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Locked(self.shared.path.clone()));
        }
        let writer = file::connect_writer(&self.shared.path, self.shared.wal_pages.clone())
            .and_then(|conn| SqliteWriter::new(conn, self.shared.clone(), ended));
        if writer.is_err() {
            self.shared.writer_taken.store(false, Ordering::Release);
        }
        writer.map_err(|error| error::explained(error, &self.shared.path))
    }

    fn sqlite_reader(&self) -> Result<Db> {
        let conn =
            file::connect_reader(&self.shared.path).map_err(|error| error::explained(error, &self.shared.path))?;
        Ok(Db::new(conn, self.shared.clone()))
    }
}

impl Store for SqliteStore {
    fn writer(&self) -> Result<Box<dyn Writer>> {
        Ok(Box::new(self.sqlite_writer_with(checkpoint::warn)?))
    }

    fn reader(&self) -> Result<Box<dyn Reader>> {
        Ok(Box::new(self.sqlite_reader()?))
    }

    fn upkeep(&self) -> Option<&dyn Upkeep> {
        Some(self)
    }
}

impl Upkeep for SqliteStore {
    fn path(&self) -> &Path {
        &self.shared.path
    }

    fn verify(&self) -> Result<Verification> {
        SqliteStore::verify_living(&self.shared.path)
    }

    fn backup(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64> {
        backup::backup(&self.shared.path, file, progress)
    }

    fn copy(&self, wanted: &mut dyn FnMut(u64, u64) -> bool) -> Result<std::fs::File> {
        backup::unnamed(&self.shared.path, wanted)
    }
}
