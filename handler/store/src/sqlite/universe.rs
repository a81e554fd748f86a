//! Settings of the universe in SQLite. Runs in the handler.

use super::db::Db;
use crate::{ReadUniverse, Result};
use rusqlite::params;

impl ReadUniverse for Db {
    fn universe(&self) -> Result<Vec<(String, String)>> {
        self.all("SELECT key, value FROM universe ORDER BY key", [], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

impl Db {
    pub(super) fn universe_set(&self, key: &str, value: &str) -> Result<()> {
        self.change(
            "INSERT INTO universe (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![key, value],
        )?;
        Ok(())
    }

    pub(super) fn universe_reset(&self, key: &str) -> Result<()> {
        self.change("DELETE FROM universe WHERE key = ?1", [key])?;
        Ok(())
    }
}
