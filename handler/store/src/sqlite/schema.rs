//! The schema and its history. Runs in the handler.

use crate::{Result, StoreError};
use rusqlite::{Connection, TransactionBehavior};

/// In the header of every database of ours: `SSMG`.
pub(super) const APPLICATION_ID: u32 = 0x5353_4d47;

/// The version that the first of [`MIGRATIONS`] makes. Those before it were never released.
pub(super) const FIRST: u32 = 3;

/// One step a version, in order; `PRAGMA user_version` tells the last that was taken. A released step never changes.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
    include_str!("migrations/0007.sql"),
    include_str!("migrations/0008.sql"),
    include_str!("migrations/0009.sql"),
    include_str!("migrations/0010.sql"),
];

/// Tables of what belongs to one run of the backend, the key of its tickets among it: not in copies.
pub(super) const OF_A_RUN: &[&str] = &["run", "result"];

/// The newest schema that this program knows.
pub(super) fn newest() -> u32 {
    newest_of(MIGRATIONS)
}

fn newest_of(migrations: &[&str]) -> u32 {
    (FIRST - 1).saturating_add(u32::try_from(migrations.len()).unwrap_or(u32::MAX))
}

/// Whether this program knows a schema.
///
/// # Errors
/// [`StoreError::TooOld`] or [`StoreError::TooNew`].
pub(super) fn known(version: u32) -> Result<()> {
    known_of(version, newest())
}

fn known_of(version: u32, newest: u32) -> Result<()> {
    match version {
        // Nothing was made yet.
        0 => Ok(()),
        1..FIRST => Err(StoreError::TooOld(version, FIRST)),
        _ if version > newest => Err(StoreError::TooNew(version, newest)),
        _ => Ok(()),
    }
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
    known_of(found, newest_of(migrations))?;
    for (number, sql) in (FIRST..).zip(migrations).filter(|(number, _)| *number > found) {
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
    let steps = usize::try_from(version.saturating_sub(FIRST - 1)).unwrap_or(usize::MAX);
    migrate_with(&mut conn, MIGRATIONS.get(..steps).unwrap_or(MIGRATIONS))?;
    objects(&conn)
}
