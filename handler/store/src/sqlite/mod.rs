//! SQLite behind the [`Store`] trait: one file, its write-ahead log beside it. Runs in the handler.
//!
//! One writing connection, one per reader, one for checkpoints; none is shared between threads at a time. The
//! write-ahead log is moved into the file by [`Store::checkpoint`] only. It keeps its length while the store is open,
//! because writing over is faster than extending, and goes away with the last connection.

mod backup;
mod db;
mod error;
mod file;
mod fold;
mod gate;
mod mail;
mod players;
mod records;
mod results;
mod schema;
mod servers;
mod settings;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

use crate::{Reader, Result, Store, StoreError, Tx, Writer};
use db::Db;
use gate::Gate;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, MAIN_DB};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use writer::SqliteWriter;

impl Reader for Db {}
impl Tx for Db {}

/// Pages that may be left in the write-ahead log for the last step of a checkpoint, which the writer waits for.
const LAST_STEP_PAGES: u32 = 500;

/// Steps of a checkpoint that the writer does not wait for, at the most: each moves what was committed during the
/// one before.
const FREE_STEPS: u32 = 6;

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
    /// Opens the database in `path`, and makes it, readable for this user only, when there is no such file. An older
    /// schema is brought up to date. Leaves a lock file, `path` with `.lock` behind it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another store has it open, in this process or any other;
    /// [`StoreError::NotADatabase`] and [`StoreError::TooNew`] leave the file as it was; [`StoreError::Unavailable`]
    /// when the file system refuses.
    pub fn open(path: &Path) -> Result<SqliteStore> {
        SqliteStore::open_within(path, Duration::ZERO)
    }

    /// As [`SqliteStore::open`]; where another store has it open that is about to be gone, waits so long for that.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_within(path: &Path, patience: Duration) -> Result<SqliteStore> {
        let (lock, keeper) = file::open(path, patience)?;
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

    fn sqlite_writer(&self) -> Result<SqliteWriter> {
        if self.shared.writer_taken.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Locked(self.shared.path.clone()));
        }
        let writer = file::connect_writer(&self.shared.path, self.shared.wal_pages.clone())
            .and_then(|conn| SqliteWriter::new(conn, self.shared.clone()));
        if writer.is_err() {
            self.shared.writer_taken.store(false, Ordering::Release);
        }
        writer
    }
}

impl Store for SqliteStore {
    fn writer(&self) -> Result<Box<dyn Writer>> {
        Ok(Box::new(self.sqlite_writer()?))
    }

    fn reader(&self) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Db::new(file::connect_reader(&self.shared.path)?, self.shared.clone())))
    }

    fn checkpoint(&self) -> Result<()> {
        let keeper = self.shared.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = u32::MAX;
        for _ in 0..FREE_STEPS {
            let moved = checkpoint_step(&keeper)?;
            let left = self.shared.wal_pages.load(Ordering::Acquire).saturating_sub(moved);
            if left == 0 {
                return Ok(());
            }
            // A reader that stays in the past stops the moving: no further step would help now.
            if left >= rest || left <= LAST_STEP_PAGES {
                rest = left;
                break;
            }
            rest = left;
        }
        if rest > LAST_STEP_PAGES {
            return Ok(());
        }
        // Only when everything was moved does the next commit start the write-ahead log over; under a steady
        // load that moment never comes by itself.
        self.shared.gate.enter_first();
        let outcome = checkpoint_step(&keeper);
        self.shared.gate.leave();
        outcome.map(|_| ())
    }

    fn backup(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64> {
        backup::backup(&self.shared.path, file, progress)
    }

    fn path(&self) -> &Path {
        &self.shared.path
    }
}

/// Moves what no reader still needs in the write-ahead log; gives how many of its pages are moved by now.
fn checkpoint_step(conn: &Connection) -> Result<u32> {
    match conn.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE) {
        Ok((_, moved)) => Ok(u32::try_from(moved).unwrap_or(0)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(0),
        Err(error) => Err(error.into()),
    }
}
