//! Game servers in SQLite.

use super::db::{Db, from_sql};
use crate::{KeyHash, ReadServers, Result, Server, ServerId, WriteServers};
use rusqlite::{Row, params};
use ssmglobal_ipc::Time;

fn read(row: &Row<'_>) -> Result<Server> {
    Ok(Server {
        id: ServerId(row.get(0)?),
        name: row.get(1)?,
        added: Time(row.get(2)?),
        last_auth: row.get::<_, Option<i64>>(3)?.map(Time),
        disabled: row.get(4)?,
    })
}

impl ReadServers for Db {
    fn servers(&self) -> Result<Vec<Server>> {
        self.all("SELECT id, name, added, last_auth, disabled FROM server ORDER BY name", [], read)
    }

    fn server_by_name(&self, name: &str) -> Result<Option<(Server, KeyHash)>> {
        self.one("SELECT id, name, added, last_auth, disabled, key FROM server WHERE name = ?1", [name], |row| {
            Ok((read(row)?, row.get(5)?))
        })
    }
}

impl WriteServers for Db {
    fn server_add(&mut self, name: &str, key: &KeyHash, at: Time) -> Result<ServerId> {
        let id = self.insert("INSERT INTO server (name, key, added) VALUES (?1, ?2, ?3)", params![name, key, at.0])?;
        Ok(ServerId(from_sql(id)?))
    }

    fn server_set_key(&mut self, id: ServerId, key: &KeyHash) -> Result<()> {
        self.change("UPDATE server SET key = ?2 WHERE id = ?1", params![id.0, key])?;
        Ok(())
    }

    fn server_disable(&mut self, id: ServerId, disabled: bool) -> Result<()> {
        self.change("UPDATE server SET disabled = ?2 WHERE id = ?1", params![id.0, disabled])?;
        Ok(())
    }

    fn server_authed(&mut self, id: ServerId, at: Time) -> Result<()> {
        self.change("UPDATE server SET last_auth = ?2 WHERE id = ?1", params![id.0, at.0])?;
        Ok(())
    }
}
