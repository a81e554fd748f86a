//! Moves the write-ahead log into the database's file, on a thread of its own: "checkpoint", in the handler. The writer
//! tells it when that is due; the two meet at the gate, and only for the last few pages.

use super::Shared;
use crate::{Result, StoreError};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, MAIN_DB};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Pages in the write-ahead log at which a checkpoint is due first.
pub(super) const CHECKPOINT_PAGES: u32 = 16_000;
/// Further pages until it is due again, when the one that was asked for could not start the log over.
pub(super) const CHECKPOINT_AGAIN_PAGES: u32 = 4_000;

/// Pages that may be left in the write-ahead log for the last step of a checkpoint, which the writer waits for.
const LAST_STEP_PAGES: u32 = 500;

/// Steps of a checkpoint that the writer does not wait for, at the most: each moves what was committed during the
/// one before.
const FREE_STEPS: u32 = 6;

/// Tells when a checkpoint is due: once, and again when the log has grown much further.
pub(super) struct Due {
    seen: u32,
    at: u32,
}

impl Default for Due {
    fn default() -> Due {
        Due { seen: 0, at: CHECKPOINT_PAGES }
    }
}

impl Due {
    /// With the pages that are in the write-ahead log now.
    pub(super) fn is_due(&mut self, pages: u32) -> bool {
        if pages < self.seen {
            self.at = CHECKPOINT_PAGES;
        }
        self.seen = pages;
        if pages < self.at {
            return false;
        }
        self.at = pages.saturating_add(CHECKPOINT_AGAIN_PAGES);
        true
    }
}

/// The thread, as the writer holds it. It has ended, and has let go of the store, when this is dropped.
pub(super) struct Checkpoints {
    due: Due,
    shared: Arc<Shared>,
    wanted: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// `ended` hears, on the thread, how each checkpoint has ended.
    pub(super) fn start(shared: Arc<Shared>, ended: impl Fn(Result<()>) + Send + 'static) -> Result<Checkpoints> {
        let (wanted, requests) = sync_channel(1);
        let theirs = shared.clone();
        let runs = move || {
            while requests.recv().is_ok() {
                ended(theirs.checkpoint());
            }
        };
        let thread = Builder::new().name("checkpoint".to_owned()).spawn(runs);
        let thread = thread.map_err(|e| StoreError::Unavailable(format!("cannot start a thread: {e}")))?;
        Ok(Checkpoints { due: Due::default(), shared, wanted: Some(wanted), thread: Some(thread) })
    }

    /// For the writer, after it has committed something.
    pub(super) fn look(&mut self) {
        if self.due.is_due(self.shared.wal_pages.load(Ordering::Acquire))
            && let Some(wanted) = &self.wanted
        {
            // Full means that one is on its way already.
            let _ = wanted.try_send(());
        }
    }

    /// Ends the thread. The gate must not be held by who calls this.
    pub(super) fn end(&mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that moves the database's log into its file has failed");
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.end();
    }
}

/// What is to be heard of a checkpoint's end when nobody waits for it.
pub(super) fn warn(outcome: Result<()>) {
    if let Err(error) = outcome {
        log::warn!("the database's log could not be moved into its file, it will be tried again: {error}");
    }
}

impl Shared {
    /// Moves what was committed into the file, without hindering writer or readers for long.
    pub(super) fn checkpoint(&self) -> Result<()> {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = u32::MAX;
        for _ in 0..FREE_STEPS {
            let moved = step(&keeper)?;
            let left = self.wal_pages.load(Ordering::Acquire).saturating_sub(moved);
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
        self.gate.enter_first();
        let outcome = step(&keeper);
        self.gate.leave();
        outcome.map(|_| ())
    }
}

/// Moves what no reader still needs in the write-ahead log; gives how many of its pages are moved by now.
fn step(conn: &Connection) -> Result<u32> {
    match conn.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE) {
        Ok((_, moved)) => Ok(u32::try_from(moved).unwrap_or(0)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(0),
        Err(error) => Err(error.into()),
    }
}
