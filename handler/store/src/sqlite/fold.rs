//! Folds the oldest part of the log of scores into the table of standing scores. Runs in the handler.
//!
//! A plan is made of up to [`PLAN_ROWS`] rows from the log's beginning: first they are gathered (keys only), then
//! sorted by board and player, and of each player on a board the newest is written to the table, in slices, each in a
//! transaction of its own or along with one that writes scores. Neighbours share pages, so a slice costs far fewer
//! pages than rows. When all slices are in the table, the log's rows are deleted, oldest first, again in slices.
//!
//! A crash, or an error, may come between any two transactions. A row leaves the log only after the newest row of its
//! key within the plan has reached the table, and a row leaves before the newer ones do. So the newest row of a
//! key is always in the log or in the table, a plan that is made again from what is left writes nothing older over
//! something newer that has left the log, and what it writes twice is the same. Readers take the newer of both.

use super::db::Db;
use crate::Result;
use rusqlite::params;
use std::cmp::Reverse;

/// Log rows that are folded together, at the most; under load, at the least as well. The more, the fewer pages are
/// written for each: with a million standing rows a page of the table gets about twenty of these.
pub(super) const PLAN_ROWS: u64 = 200_000;
/// Log rows read, and later deleted, in one step.
const LOG_ROWS: usize = 12_500;
/// Table rows written in one step, when nothing else is to do.
pub(super) const WRITE_ROWS: usize = 1_000;

struct Entry {
    board: u32,
    player: u32,
    ord: i64,
    withdrawn: bool,
}

impl Entry {
    /// By key, the newest first.
    fn rank(&self) -> (u32, u32, Reverse<i64>) {
        (self.board, self.player, Reverse(self.ord))
    }
}

/// A plan, and how far it has come.
#[derive(Default)]
pub(super) struct Fold {
    /// Keys, sorted in runs while gathering; then the newest of each key, sorted.
    entries: Vec<Entry>,
    gathered: bool,
    /// How many entries are in the table.
    written: usize,
    /// The ends, as `ord`, of the slices in which the log's rows go.
    cuts: Vec<i64>,
    /// How many of these are gone.
    cut: usize,
}

/// What one step has done, to be told to [`Fold::done`] once it is committed.
#[derive(Default)]
pub(super) struct Step {
    written: usize,
    cut: usize,
    deleted: u64,
}

impl Fold {
    /// Reads a further part of the plan; `false` when there is nothing to read any more.
    pub(super) fn gather(&mut self, db: &Db) -> Result<bool> {
        if self.gathered {
            return Ok(false);
        }
        let before = self.entries.len();
        let behind = self.cuts.last().copied().unwrap_or(i64::MIN);
        let mut last = behind;
        db.each(
            "SELECT ord, board, player, withdrawn FROM record_log WHERE ord > ?1 ORDER BY ord LIMIT ?2",
            params![behind, LOG_ROWS as i64],
            |row| {
                last = row.get(0)?;
                self.entries.push(Entry { board: row.get(1)?, player: row.get(2)?, ord: last, withdrawn: row.get(3)? });
                Ok(())
            },
        )?;
        let got = self.entries.len() - before;
        if got > 0 {
            self.cuts.push(last);
        }
        if let Some(run) = self.entries.get_mut(before..) {
            run.sort_by_key(Entry::rank);
        }
        if got == LOG_ROWS && (self.entries.len() as u64) < PLAN_ROWS {
            return Ok(true);
        }
        // This sort finds the sorted runs and merges them.
        self.entries.sort_by_key(Entry::rank);
        self.entries.dedup_by_key(|entry| (entry.board, entry.player));
        self.gathered = true;
        // A short plan goes on at once.
        Ok(self.entries.len() > WRITE_ROWS)
    }

    /// The next slice of at most `rows` table rows, inside a transaction.
    pub(super) fn step(&self, db: &Db, rows: usize) -> Result<Step> {
        let mut step = Step::default();
        for entry in self.entries.iter().skip(self.written).take(rows) {
            write(db, entry)?;
            step.written += 1;
        }
        let unwritten = self.entries.len() - self.written - step.written;
        // A short plan needs one transaction altogether, a long one does one thing at a time.
        if unwritten > 0 || step.written > 0 && self.entries.len() > WRITE_ROWS {
            return Ok(step);
        }
        if let Some(ord) = self.cuts.get(self.cut) {
            step.deleted = db.change("DELETE FROM record_log WHERE ord <= ?1", [ord])? as u64;
            db.change("UPDATE record_folded SET ord = max(ord, ?1)", [ord])?;
            step.cut = 1;
        }
        Ok(step)
    }

    /// Takes note of a step that is on disk; gives how many rows the log has lost.
    pub(super) fn done(&mut self, step: Step) -> u64 {
        self.written += step.written;
        self.cut += step.cut;
        step.deleted
    }

    pub(super) fn is_over(&self) -> bool {
        self.gathered && self.cut >= self.cuts.len()
    }
}

fn write(db: &Db, entry: &Entry) -> Result<()> {
    if entry.withdrawn {
        db.change("DELETE FROM record WHERE board = ?1 AND player = ?2", [entry.board, entry.player])?;
    } else {
        db.change(
            "INSERT OR REPLACE INTO record (board, player, ord, score, at, server, note)
             SELECT board, player, ord, score, at, server, note FROM record_log WHERE ord = ?1",
            [entry.ord],
        )?;
    }
    Ok(())
}
