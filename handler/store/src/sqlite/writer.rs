//! The writer: one transaction after another, and the folding of scores along with them and in between. Runs in the
//! handler, on the thread that writes.

use super::Shared;
use super::checkpoint::Checkpoints;
use super::db::{Db, from_sql, no_transaction};
use super::error;
use super::fold::{self, Fold};
use crate::{Result, StoreError, Tx, Writer};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Table rows that are folded along with a transaction, at the least.
const ALONG_ROWS: u64 = 16;

/// The one writer of a store.
pub(super) struct SqliteWriter {
    pub(super) db: Db,
    shared: Arc<Shared>,
    checkpoints: Checkpoints,
    /// Whether the gate is ours.
    inside: bool,
    /// Rows in the log of scores, as committed.
    pub(super) log_rows: u64,
    /// Rows that were ever committed to it by this writer, and how many these were at the last `idle`.
    log_rows_ever: u64,
    log_rows_seen: u64,
    pub(super) fold: Option<Fold>,
    /// What the running transaction has folded.
    step: Option<fold::Step>,
    /// Whether transactions may fold along: not after one was lost to that, until it has worked alone.
    along: bool,
}

impl SqliteWriter {
    pub(super) fn new(
        conn: Connection,
        shared: Arc<Shared>,
        ended: impl Fn(Result<()>) + Send + 'static,
    ) -> Result<SqliteWriter> {
        let mut db = Db::new(conn, shared.clone());
        db.order = db.last_order()?;
        let log_rows = db.row("SELECT count(*) FROM record_log", [], |row| from_sql(row.get(0)?))?;
        let checkpoints = Checkpoints::start(shared.clone(), ended)?;
        Ok(SqliteWriter {
            db,
            shared,
            checkpoints,
            inside: false,
            log_rows,
            log_rows_ever: 0,
            log_rows_seen: 0,
            fold: None,
            step: None,
            along: true,
        })
    }

    /// A transaction of the writer's own, kept when `work` succeeds.
    fn alone<T>(&mut self, work: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        self.begin()?;
        let outcome = work(&self.db).and_then(|done| self.end().map(|()| done));
        self.rollback();
        outcome
    }

    /// Commits what there is.
    fn end(&mut self) -> Result<()> {
        // When the database itself has given the transaction up, a COMMIT would seem to succeed or be refused.
        if !self.inside || self.db.conn.is_autocommit() {
            return Err(no_transaction());
        }
        self.db.conn.prepare_cached("COMMIT")?.execute([])?;
        let logged = std::mem::take(&mut self.db.logged);
        self.log_rows += logged;
        self.log_rows_ever += logged;
        self.log_rows = self.log_rows.saturating_sub(std::mem::take(&mut self.db.unlogged));
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

    /// A portion of the folding as the last part of the running transaction. Under load this spares transactions of its
    /// own, which would each wait for the disk.
    fn fold_along(&mut self) -> Result<()> {
        if !self.along || self.db.conn.is_autocommit() || self.fold.is_none() && self.log_rows < fold::PLAN_ROWS {
            return Ok(());
        }
        // A little more than came in, so that it gets done.
        let rows = ALONG_ROWS.max(self.db.logged + self.db.logged / 4);
        let fold = self.fold.get_or_insert_default();
        if !fold.gather(&self.db)? {
            self.step = Some(fold.step(&self.db, usize::try_from(rows).unwrap_or(usize::MAX))?);
        }
        Ok(())
    }

    /// A portion of the folding in a transaction of its own; gives whether more is waiting. While scores keep coming it
    /// does nothing until many are logged; when none came since the last call it takes what is there.
    fn fold_alone(&mut self) -> Result<bool> {
        if self.inside {
            return Err(StoreError::Other("idle inside a transaction".into()));
        }
        let calm = self.calm();
        let mut fold = match self.fold.take() {
            Some(fold) => fold,
            None if self.log_rows == 0 => return Ok(false),
            // Folding many at once is cheaper: under load the log may grow first.
            None if self.log_rows < fold::PLAN_ROWS && !calm => return Ok(true),
            None => Fold::default(),
        };
        if fold.gather(&self.db)? {
            self.fold = Some(fold);
            return Ok(true);
        }
        let step = self.alone(|db| fold.step(db, fold::WRITE_ROWS))?;
        self.along = true;
        self.log_rows = self.log_rows.saturating_sub(fold.done(step));
        if !fold.is_over() {
            self.fold = Some(fold);
        }
        Ok(self.fold.is_some() || self.log_rows > 0)
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
        outcome.map(|_| ()).map_err(|error| error::explained(error.into(), &self.shared.path))
    }

    fn tx(&mut self) -> &mut dyn Tx {
        &mut self.db
    }

    fn commit(&mut self) -> Result<()> {
        let folded = self.fold_along();
        if let Err(error) = &folded
            && !matches!(error, StoreError::Unavailable(_))
        {
            self.along = false;
            log::warn!("the log of scores could not be folded along with a transaction: {error}");
        }
        let outcome = folded.and_then(|()| self.end());
        if outcome.is_err() {
            self.rollback();
            // The plan may have read rows of this transaction, which are in no log now, in the place of older ones.
            self.fold = None;
        } else {
            self.checkpoints.look();
        }
        outcome.map_err(|error| error::explained(error, &self.shared.path))
    }

    fn rollback(&mut self) {
        self.db.logged = 0;
        self.db.unlogged = 0;
        self.step = None;
        if !self.db.conn.is_autocommit()
            && let Err(error) = self.db.conn.execute_batch("ROLLBACK")
        {
            log::error!("a transaction could not be rolled back: {error}");
        }
        self.leave();
    }

    fn idle(&mut self) -> Result<bool> {
        let more = self.fold_alone();
        self.checkpoints.look();
        more
    }
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        self.rollback();
        self.checkpoints.end();
        self.shared.writer_taken.store(false, Ordering::Release);
    }
}
