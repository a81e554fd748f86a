//! The relay's mark in SQLite: the last number of a sequence that is taken in blocks. Runs in the handler.

use super::db::{Db, from_sql, to_sql};
use crate::{ReadRelay, Result};

/// Its kind, beside those in `tx.rs`; nobody owns it.
pub(super) const KIND: i64 = 5;

const MARK: &str = "SELECT last FROM sequence WHERE kind = ?1 AND owner_kind = 0 AND owner_id = 0";

const MOVE: &str = "
    INSERT INTO sequence (kind, owner_kind, owner_id, last) VALUES (?1, 0, 0, ?2)
    ON CONFLICT DO UPDATE SET last = max(last, excluded.last)";

impl ReadRelay for Db {
    fn relay_mark(&self) -> Result<u64> {
        Ok(self.one(MARK, [KIND], |row| from_sql(row.get(0)?))?.unwrap_or_default())
    }
}

impl Db {
    pub(super) fn relay_mark_move(&self, upto: u64) -> Result<()> {
        self.change(MOVE, [KIND, to_sql(upto)?])?;
        Ok(())
    }
}
