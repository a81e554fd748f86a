//! Game servers in SQLite. Runs in the handler.

use super::db::{Db, principal_to_sql};
use crate::{KeyHash, NewServer, Principal, ReadServers, Result, Server, ServerId};
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

    pub(super) fn server_rename(&self, id: ServerId, name: &str) -> Result<()> {
        self.change("UPDATE server SET name = ?2 WHERE id = ?1", params![id.0, name])?;
        Ok(())
    }

    /// Takes a game server away, and all that names it. What it has submitted stands on, and is nobody's.
    pub(super) fn server_remove(&self, id: ServerId) -> Result<()> {
        let owner = principal_to_sql(Principal::from(id));
        self.together(|db| {
            for table in ["record", "record_log", "withdrawal"] {
                db.change(&format!("UPDATE {table} SET server = NULL WHERE server = ?1"), [id.0])?;
            }
            for (table, column) in
                [("setting", "owner"), ("keyed", "owner"), ("block", "from"), ("refused", "from"), ("mail", "from")]
            {
                let sql = format!("DELETE FROM {table} WHERE ({column}_kind, {column}_id) = (?1, ?2)");
                db.change(&sql, owner)?;
            }
            db.change("DELETE FROM sequence WHERE kind = 4 AND (owner_kind, owner_id) = (?1, ?2)", owner)?;
            db.change("DELETE FROM server WHERE id = ?1", [id.0])?;
            Ok(())
        })
    }
}
