//! Licences of worlds in SQLite. Runs in the handler.

use super::db::{Db, from_sql, principal_to_sql};
use crate::{KeptLicence, PlayerId, Principal, ReadLicences, Result, WorldId};
use rusqlite::{Row, params};
use ssmglobal_ipc::{Secret, Time, Version};

/// As they are read below.
const COLUMNS: &str = "id, name, folded, skeleton, password, owner, users, size, email, comment, created, expires, \
                       disabled, last_started, last_address, listed, visitors, voice, plugins, check_address, client, \
                       gone, stopped";

fn read(row: &Row<'_>) -> Result<KeptLicence> {
    Ok(KeptLicence {
        id: WorldId(row.get(0)?),
        name: row.get(1)?,
        folded: row.get(2)?,
        skeleton: row.get(3)?,
        password: row.get(4)?,
        owner: PlayerId(row.get(5)?),
        users: row.get(6)?,
        size: row.get(7)?,
        email: row.get(8)?,
        comment: row.get(9)?,
        created: Time(row.get(10)?),
        expires: row.get::<_, Option<i64>>(11)?.map(Time),
        disabled: row.get(12)?,
        last_started: row.get::<_, Option<i64>>(13)?.map(Time),
        last_address: row.get(14)?,
        listed: row.get(15)?,
        visitors: row.get(16)?,
        voice: row.get(17)?,
        plugins: row.get(18)?,
        check_address: row.get(19)?,
        client: Version(u64::from_be_bytes(row.get::<_, i64>(20)?.to_be_bytes())),
        gone: row.get::<_, Option<i64>>(21)?.map(Time),
        stopped: row.get::<_, Option<i64>>(22)?.map(Time),
    })
}

impl ReadLicences for Db {
    fn licences(&self, each: &mut dyn FnMut(KeptLicence)) -> Result<()> {
        self.each(&format!("SELECT {COLUMNS} FROM licence WHERE gone IS NULL"), [], |row| {
            each(read(row)?);
            Ok(())
        })
    }

    fn licence(&self, id: WorldId) -> Result<Option<KeptLicence>> {
        self.one(&format!("SELECT {COLUMNS} FROM licence WHERE id = ?1"), [id.0], read)
    }

    fn licences_like(&self, folded: &str, skeleton: &str) -> Result<Vec<KeptLicence>> {
        // Two statements of one index each: those that are gone have none, and are few.
        self.all(
            &format!(
                "SELECT {COLUMNS} FROM licence WHERE gone IS NULL AND folded = ?1
                 UNION SELECT {COLUMNS} FROM licence WHERE gone IS NULL AND skeleton = ?2
                 UNION SELECT {COLUMNS} FROM licence WHERE gone IS NOT NULL AND (folded = ?1 OR skeleton = ?2)
                 ORDER BY id DESC"
            ),
            params![folded, skeleton],
            read,
        )
    }

    fn licences_gone(&self, before: Time, limit: u32) -> Result<Vec<WorldId>> {
        self.all(
            "SELECT id FROM licence WHERE gone IS NOT NULL AND gone < ?1 ORDER BY gone, id LIMIT ?2",
            params![before.0, limit],
            |row| Ok(WorldId(from_sql(row.get(0)?)?)),
        )
    }

    fn played(&self, each: &mut dyn FnMut(WorldId, String, Secret)) -> Result<()> {
        self.each("SELECT world, key, value FROM played ORDER BY world, key", [], |row| {
            each(WorldId(row.get(0)?), row.get(1)?, Secret::new(row.get::<_, String>(2)?));
            Ok(())
        })
    }

    fn played_of(&self, world: WorldId) -> Result<Vec<(String, Secret)>> {
        self.all("SELECT key, value FROM played WHERE world = ?1 ORDER BY key", [world.0], |row| {
            Ok((row.get(0)?, Secret::new(row.get::<_, String>(1)?)))
        })
    }
}

impl Db {
    pub(super) fn licence_put(&self, licence: &KeptLicence) -> Result<()> {
        let KeptLicence { id, name, folded, skeleton, password, owner, users, size, email, comment, .. } = licence;
        let KeptLicence { created, expires, disabled, last_started, last_address, client, gone, .. } = licence;
        let KeptLicence { listed, visitors, voice, plugins, check_address, stopped, .. } = licence;
        let client = i64::from_be_bytes(client.0.to_be_bytes());
        self.change(
            &format!(
                "INSERT INTO licence ({COLUMNS}) VALUES
                 (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                  ?23)
                 ON CONFLICT (id) DO UPDATE SET ({COLUMNS}) =
                 (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                  ?23)"
            ),
            params![
                id.0,
                name,
                folded,
                skeleton,
                password,
                owner.0,
                users,
                size,
                email,
                comment,
                created.0,
                expires.map(|at| at.0),
                disabled,
                last_started.map(|at| at.0),
                last_address,
                listed,
                visitors,
                voice,
                plugins,
                check_address,
                client,
                gone.map(|at| at.0),
                stopped.map(|at| at.0)
            ],
        )?;
        Ok(())
    }

    pub(super) fn licence_started(&self, id: WorldId, at: Time, address: &str) -> Result<()> {
        self.change(
            "UPDATE licence SET last_started = ?2, last_address = ?3, stopped = NULL WHERE id = ?1",
            params![id.0, at.0, address],
        )?;
        Ok(())
    }

    pub(super) fn licence_stopped(&self, id: WorldId, at: Time) -> Result<()> {
        self.change("UPDATE licence SET stopped = ?2 WHERE id = ?1", params![id.0, at.0])?;
        Ok(())
    }

    pub(super) fn licence_gone(&self, id: WorldId, at: Time) -> Result<()> {
        self.change("UPDATE licence SET gone = ?2 WHERE id = ?1", params![id.0, at.0])?;
        Ok(())
    }

    pub(super) fn played_put(&self, id: WorldId, key: &str, value: Option<&Secret>) -> Result<()> {
        match value {
            Some(value) => self.change(
                "INSERT INTO played (world, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (world, key) DO UPDATE SET value = excluded.value",
                params![id.0, key, value.expose()],
            )?,
            None => self.change("DELETE FROM played WHERE (world, key) = (?1, ?2)", params![id.0, key])?,
        };
        Ok(())
    }

    /// With all that is kept of the world.
    pub(super) fn licence_purge(&self, id: WorldId) -> Result<()> {
        let owner = principal_to_sql(Principal::from(id));
        self.change("DELETE FROM setting WHERE (owner_kind, owner_id) = (?1, ?2)", owner)?;
        self.change("DELETE FROM property WHERE (owner_kind, owner_id) = (?1, ?2)", owner)?;
        self.change("DELETE FROM played WHERE world = ?1", [id.0])?;
        self.change("DELETE FROM licence WHERE id = ?1", [id.0])?;
        Ok(())
    }
}
