//! Game servers in SQLite. Runs in the handler.

use super::db::Db;
use crate::{KeyHash, NewServer, ReadServers, Result, Server, ServerId};
use rusqlite::{Row, params};
use ssmglobal_ipc::Time;

fn read(row: &Row<'_>) -> Result<Server> {
    Ok(Server {
        id: ServerId(row.get(0)?),
        name: row.get(1)?,
        added: Time(row.get(2)?),
        last_auth: row.get::<_, Option<i64>>(3)?.map(Time),
        disabled: row.get(4)?,
        epoch: row.get(5)?,
        login_check: row.get(6)?,
    })
}

impl ReadServers for Db {
    fn servers(&self) -> Result<Vec<Server>> {
        self.all("SELECT id, name, added, last_auth, disabled, epoch, login_check FROM server ORDER BY name", [], read)
    }

    fn server_by_name(&self, name: &str) -> Result<Option<(Server, KeyHash)>> {
        self.one(
            "SELECT id, name, added, last_auth, disabled, epoch, login_check, key FROM server WHERE name = ?1",
            [name],
            |row| Ok((read(row)?, row.get(7)?)),
        )
    }
}

impl Db {
    pub(super) fn server_add(&self, server: &NewServer) -> Result<()> {
        self.change(
            "INSERT INTO server (id, name, key, added) VALUES (?1, ?2, ?3, ?4)",
            params![server.id.0, server.name, server.key, server.added.0],
        )?;
        Ok(())
    }

    pub(super) fn server_set_key(&self, id: ServerId, key: &KeyHash) -> Result<()> {
        self.change("UPDATE server SET key = ?2 WHERE id = ?1", params![id.0, key])?;
        Ok(())
    }

    pub(super) fn server_authed(&self, id: ServerId, at: Time) -> Result<()> {
        self.change("UPDATE server SET last_auth = ?2 WHERE id = ?1", params![id.0, at.0])?;
        Ok(())
    }

    pub(super) fn server_allow(&self, id: ServerId, login_check: bool) -> Result<()> {
        self.change("UPDATE server SET login_check = ?2 WHERE id = ?1", params![id.0, login_check])?;
        Ok(())
    }

    pub(super) fn server_disable(&self, id: ServerId, disabled: bool) -> Result<()> {
        self.change("UPDATE server SET disabled = ?2 WHERE id = ?1", params![id.0, disabled])?;
        Ok(())
    }
}
