//! The relay's mark in SQLite: the last number of a sequence that is taken in blocks. Runs in the handler.

use super::db::{Db, from_sql, to_sql};
use crate::{ReadRelay, Result};

/// Beside the kinds in `tx.rs`; nobody owns it.
const MARK: &str = "SELECT last FROM sequence WHERE kind = 5 AND owner_kind = 0 AND owner_id = 0";

const MOVE: &str = "
    INSERT INTO sequence (kind, owner_kind, owner_id, last) VALUES (5, 0, 0, ?1)
    ON CONFLICT DO UPDATE SET last = max(last, excluded.last)";

impl ReadRelay for Db {
    fn relay_mark(&self) -> Result<u64> {
        Ok(self.one(MARK, [], |row| from_sql(row.get(0)?))?.unwrap_or_default())
    }
}

impl Db {
    pub(super) fn relay_mark_move(&self, upto: u64) -> Result<()> {
        self.change(MOVE, [to_sql(upto)?])?;
        Ok(())
    }
}
