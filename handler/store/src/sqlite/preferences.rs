//! Preferences of players in SQLite. Runs in the handler.

use super::db::Db;
use crate::{PlayerId, ReadPreferences, Result};
use rusqlite::params;

impl ReadPreferences for Db {
    fn preferences(&self, player: PlayerId) -> Result<Vec<(String, String)>> {
        self.all("SELECT name, value FROM preference WHERE player = ?1 ORDER BY name", [player.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }
}

impl Db {
    pub(super) fn preference_put(&self, player: PlayerId, name: &str, value: Option<&str>) -> Result<()> {
        match value {
            Some(value) => self.change(
                "INSERT INTO preference (player, name, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (player, name) DO UPDATE SET value = excluded.value",
                params![player.0, name, value],
            )?,
            None => self.change("DELETE FROM preference WHERE player = ?1 AND name = ?2", params![player.0, name])?,
        };
        Ok(())
    }
}
