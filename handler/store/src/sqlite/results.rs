//! Kept answers in SQLite. Runs in the handler.

use super::db::{Db, from_sql, principal_from_sql, principal_to_sql, to_sql};
use crate::{Keyed, Principal, ReadResults, Result, RunKey, WriteResults};
use rusqlite::params;
use ssmglobal_ipc::Time;

impl ReadResults for Db {
    fn run(&self) -> Result<Option<(u64, RunKey)>> {
        self.one("SELECT run, key FROM run", [], |row| Ok((from_sql(row.get(0)?)?, RunKey(row.get(1)?))))
    }

    fn results(&self, each: &mut dyn FnMut(i64, &[u8])) -> Result<()> {
        self.each("SELECT id, answers FROM result ORDER BY id", [], |row| {
            let answers = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            each(row.get(0)?, answers);
            Ok(())
        })
    }

    fn keyed(&self, owner: Principal, key: &str) -> Result<Option<Keyed>> {
        let (kind, id) = principal_to_sql(owner);
        let sql = "SELECT digest, at, answer FROM keyed WHERE owner_kind = ?1 AND owner_id = ?2 AND key = ?3";
        self.one(sql, params![kind, id, key], |row| {
            Ok(Keyed { digest: row.get(0)?, at: Time(row.get(1)?), answer: row.get(2)? })
        })
    }

    fn keyed_counts(&self) -> Result<Vec<(Principal, u32)>> {
        let sql = "SELECT owner_kind, owner_id, count(*) FROM keyed GROUP BY owner_kind, owner_id";
        self.all(sql, [], |row| Ok((principal_from_sql(row.get(0)?, row.get(1)?)?, from_sql(row.get(2)?)?)))
    }
}

impl WriteResults for Db {
    fn run_begin(&mut self, run: u64, key: &RunKey) -> Result<()> {
        let run = to_sql(run)?;
        self.together(|db| {
            db.change("DELETE FROM result", [])?;
            db.change("INSERT OR REPLACE INTO run (only, run, key) VALUES (1, ?1, ?2)", params![run, key.0])?;
            Ok(())
        })
    }

    fn results_add(&mut self, row: i64, answers: &[u8]) -> Result<()> {
        self.change("INSERT INTO result (id, answers) VALUES (?1, ?2)", params![row, answers])?;
        Ok(())
    }

    fn results_drop(&mut self, row: i64) -> Result<()> {
        self.change("DELETE FROM result WHERE id = ?1", [row])?;
        Ok(())
    }

    fn keyed_expire(&mut self, before: Time) -> Result<Option<Principal>> {
        let sql = "SELECT owner_kind, owner_id, key FROM keyed WHERE at < ?1 ORDER BY at LIMIT 1";
        let found = self
            .one(sql, [before.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, String>(2)?)))?;
        let Some((kind, id, key)) = found else { return Ok(None) };
        let owner = principal_from_sql(kind, id)?;
        let sql = "DELETE FROM keyed WHERE owner_kind = ?1 AND owner_id = ?2 AND key = ?3";
        self.change(sql, params![kind, id, key])?;
        Ok(Some(owner))
    }
}

impl Db {
    pub(super) fn keyed_add(&self, owner: Principal, key: &str, keyed: &Keyed) -> Result<()> {
        let (kind, id) = principal_to_sql(owner);
        let sql = "INSERT INTO keyed (owner_kind, owner_id, key, digest, at, answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.change(sql, params![kind, id, key, keyed.digest, keyed.at.0, keyed.answer])?;
        Ok(())
    }
}
