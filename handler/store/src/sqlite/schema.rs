//! The schema and its history.

use crate::{Result, StoreError};
use rusqlite::{Connection, TransactionBehavior};

/// In the header of every database of ours: `SSMG`.
pub(super) const APPLICATION_ID: u32 = 0x5353_4d47;

/// One step a version, in order; `PRAGMA user_version` counts those that were taken. A released step never changes.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql"), include_str!("migrations/0002.sql")];

/// The newest schema that this program knows.
pub(super) fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// The schema that a database has.
pub(super) fn version(conn: &Connection) -> Result<u32> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Takes the steps that are missing, each in a transaction of its own.
pub(super) fn migrate(conn: &mut Connection) -> Result<()> {
    migrate_with(conn, MIGRATIONS)
}

pub(super) fn migrate_with(conn: &mut Connection, migrations: &[&str]) -> Result<()> {
    let found = version(conn)?;
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(StoreError::TooNew(found, known));
    }
    for (number, sql) in (1..=known).zip(migrations).skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// What a schema consists of: (kind, name, text), sorted.
pub(super) fn objects(conn: &Connection) -> Result<Vec<(String, String, String)>> {
    let mut statement = conn.prepare(
        "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What the schema of a version should consist of.
pub(super) fn objects_of(version: u32) -> Result<Vec<(String, String, String)>> {
    let mut conn = Connection::open_in_memory()?;
    let steps = MIGRATIONS.get(..usize::try_from(version).unwrap_or(usize::MAX)).unwrap_or(MIGRATIONS);
    migrate_with(&mut conn, steps)?;
    objects(&conn)
}
