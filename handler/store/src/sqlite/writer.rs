//! The writer: one transaction after another, and the folding of scores in between.

use super::Shared;
use super::db::{Db, from_sql, no_transaction};
use super::fold::{self, Fold};
use crate::{CheckpointDue, Result, StoreError, Tx, Writer};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Pages in the write-ahead log at which a checkpoint is due first.
pub(super) const CHECKPOINT_PAGES: u32 = 16_000;
/// Further pages until it is due again, when the one that was asked for could not start the log over.
const CHECKPOINT_AGAIN_PAGES: u32 = 4_000;

/// The one writer of a store.
pub(super) struct SqliteWriter {
    pub(super) db: Db,
    shared: Arc<Shared>,
    /// Whether the gate is ours.
    inside: bool,
    /// Rows in the log of scores, as committed.
    pub(super) log_rows: u64,
    /// Rows that were ever committed to it by this writer, and how many these were at the last `tidy`.
    log_rows_ever: u64,
    log_rows_seen: u64,
    pub(super) fold: Option<Fold>,
    /// What the running transaction has folded.
    step: Option<fold::Step>,
    wal_pages_seen: u32,
    checkpoint_at: u32,
}

impl SqliteWriter {
    pub(super) fn new(conn: Connection, shared: Arc<Shared>) -> Result<SqliteWriter> {
        let db = Db::new(conn, shared.clone());
        let log_rows = db.row("SELECT count(*) FROM record_log", [], |row| from_sql(row.get(0)?))?;
        Ok(SqliteWriter {
            db,
            shared,
            inside: false,
            log_rows,
            log_rows_ever: 0,
            log_rows_seen: 0,
            fold: None,
            step: None,
            wal_pages_seen: 0,
            checkpoint_at: CHECKPOINT_PAGES,
        })
    }

    /// A transaction of the writer's own, kept when `work` succeeds.
    fn alone<T>(&mut self, work: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        self.begin()?;
        let outcome = work(&self.db).and_then(|done| self.end().map(|()| done));
        self.rollback();
        outcome
    }

    /// Commits, without asking for a checkpoint.
    fn end(&mut self) -> Result<()> {
        // When the database itself has given the transaction up, a COMMIT would seem to succeed or be refused.
        if !self.inside || self.db.conn.is_autocommit() {
            self.rollback();
            return Err(no_transaction());
        }
        let outcome = self.db.conn.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if let Err(error) = outcome {
            self.rollback();
            return Err(error.into());
        }
        let logged = std::mem::take(&mut self.db.logged);
        self.log_rows += logged;
        self.log_rows_ever += logged;
        if let Some((fold, step)) = self.fold.as_mut().zip(self.step.take()) {
            self.log_rows = self.log_rows.saturating_sub(fold.done(step));
            self.fold.take_if(|fold| fold.is_over());
        }
        self.leave();
        Ok(())
    }

    fn leave(&mut self) {
        if std::mem::take(&mut self.inside) {
            self.shared.gate.leave();
        }
    }

    /// Whether nothing was logged since the last call.
    fn calm(&mut self) -> bool {
        let seen = std::mem::replace(&mut self.log_rows_seen, self.log_rows_ever);
        seen == self.log_rows_ever
    }
}

impl Writer for SqliteWriter {
    fn begin(&mut self) -> Result<()> {
        if self.inside {
            return Err(StoreError::Other("a transaction is open already".into()));
        }
        self.shared.gate.enter();
        self.inside = true;
        let outcome = self.db.conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
        if outcome.is_err() {
            self.rollback();
        }
        Ok(outcome.map(|_| ())?)
    }

    fn tx(&mut self) -> &mut dyn Tx {
        &mut self.db
    }

    fn commit(&mut self) -> Result<CheckpointDue> {
        self.end()?;
        Ok(self.checkpoint_due())
    }

    fn rollback(&mut self) {
        self.db.logged = 0;
        self.step = None;
        if !self.db.conn.is_autocommit()
            && let Err(error) = self.db.conn.execute_batch("ROLLBACK")
        {
            log::error!("a transaction could not be rolled back: {error}");
        }
        self.leave();
    }

    fn tidy_along(&mut self, rows: usize) -> Result<()> {
        if !self.inside || self.step.is_some() {
            return Err(StoreError::Other("tidy_along outside of a transaction, or twice".into()));
        }
        if self.fold.is_none() && self.log_rows < fold::PLAN_ROWS {
            return Ok(());
        }
        let fold = self.fold.get_or_insert_default();
        if !fold.gather(&self.db)? {
            self.step = Some(fold.step(&self.db, rows)?);
        }
        Ok(())
    }

    fn tidy(&mut self) -> Result<bool> {
        if self.inside {
            return Err(StoreError::Other("tidy inside a transaction".into()));
        }
        let calm = self.calm();
        let mut fold = match self.fold.take() {
            Some(fold) => fold,
            None if self.log_rows == 0 => return Ok(false),
            // Folding many at once is cheaper: under load the log may grow first.
            None if self.log_rows < fold::PLAN_ROWS && !calm => return Ok(true),
            None => Fold::default(),
        };
        let outcome =
            if fold.gather(&self.db)? { None } else { Some(self.alone(|db| fold.step(db, fold::WRITE_ROWS))?) };
        match outcome {
            None => self.fold = Some(fold),
            Some(done) => {
                self.log_rows = self.log_rows.saturating_sub(fold.done(done));
                if !fold.is_over() {
                    self.fold = Some(fold);
                }
            }
        }
        Ok(self.fold.is_some() || self.log_rows > 0)
    }

    fn checkpoint_due(&mut self) -> CheckpointDue {
        let pages = self.shared.wal_pages.load(Ordering::Acquire);
        if pages < self.wal_pages_seen {
            self.checkpoint_at = CHECKPOINT_PAGES;
        }
        self.wal_pages_seen = pages;
        if pages < self.checkpoint_at {
            return CheckpointDue::No;
        }
        self.checkpoint_at = pages.saturating_add(CHECKPOINT_AGAIN_PAGES);
        CheckpointDue::Yes
    }
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        self.rollback();
        self.shared.writer_taken.store(false, Ordering::Release);
    }
}
