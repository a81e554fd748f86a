//! Rights of players in SQLite. Runs in the handler.

use super::db::Db;
use crate::{PlayerId, ReadRights, Result};
use rusqlite::params;

impl ReadRights for Db {
    fn rights(&self) -> Result<Vec<(PlayerId, String)>> {
        self.all("SELECT player, right FROM granted ORDER BY player, right", [], |row| {
            Ok((PlayerId(row.get(0)?), row.get(1)?))
        })
    }
}

impl Db {
    pub(super) fn right_grant(&self, player: PlayerId, right: &str) -> Result<()> {
        self.change(
            "INSERT INTO granted (player, right) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![player.0, right],
        )?;
        Ok(())
    }

    pub(super) fn right_revoke(&self, player: PlayerId, right: &str) -> Result<()> {
        self.change("DELETE FROM granted WHERE player = ?1 AND right = ?2", params![player.0, right])?;
        Ok(())
    }
}
