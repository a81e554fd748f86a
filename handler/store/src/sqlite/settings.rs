//! Settings in SQLite. Runs in the handler.

use super::db::{Db, from_sql, principal_to_sql, to_sql};
use crate::{KeptSetting, Principal, ReadSettings, Result, SettingRow};
use rusqlite::params;
use ssmglobal_ipc::Time;

impl ReadSettings for Db {
    fn setting(&self, owner: Principal, key: &str) -> Result<Option<KeptSetting>> {
        let (kind, id) = principal_to_sql(owner);
        self.one(
            "SELECT value, version, public, at FROM setting WHERE owner_kind = ?1 AND owner_id = ?2 AND key = ?3",
            params![kind, id, key],
            |row| {
                Ok(KeptSetting {
                    value: row.get(0)?,
                    version: from_sql(row.get(1)?)?,
                    public: row.get(2)?,
                    at: Time(row.get(3)?),
                })
            },
        )
    }

    fn settings(&self, owner: Principal, after: Option<&str>, limit: u32) -> Result<Vec<SettingRow>> {
        let (kind, id) = principal_to_sql(owner);
        self.all(
            "SELECT key, version, public, octet_length(value), at FROM setting
             WHERE owner_kind = ?1 AND owner_id = ?2 AND key > ?3 AND value IS NOT NULL ORDER BY key LIMIT ?4",
            params![kind, id, after.unwrap_or_default(), limit],
            |row| {
                Ok(SettingRow {
                    key: row.get(0)?,
                    version: from_sql(row.get(1)?)?,
                    public: row.get(2)?,
                    bytes: row.get(3)?,
                    at: Time(row.get(4)?),
                })
            },
        )
    }

    fn setting_count(&self, owner: Principal) -> Result<u32> {
        self.row(
            "SELECT count(*) FROM setting WHERE owner_kind = ?1 AND owner_id = ?2 AND value IS NOT NULL",
            principal_to_sql(owner),
            |row| Ok(row.get(0)?),
        )
    }
}

impl Db {
    pub(super) fn setting_put(&self, owner: Principal, key: &str, setting: &KeptSetting) -> Result<()> {
        let (kind, id) = principal_to_sql(owner);
        self.change(
            "INSERT INTO setting (owner_kind, owner_id, key, version, public, at, value)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (owner_kind, owner_id, key) DO UPDATE
             SET version = excluded.version, public = excluded.public, at = excluded.at, value = excluded.value",
            params![kind, id, key, to_sql(setting.version)?, setting.public, setting.at.0, setting.value],
        )?;
        Ok(())
    }
}
