//! Looks for damage in a database file without changing it. Runs in the handler or in the operator's command.

use super::{SqliteStore, file, schema};
use crate::{Result, StoreError, Verification};
use rusqlite::{Connection, Row};
use std::path::Path;

/// Standing scores: the table's, corrected by what the log will do to it.
const RECORDS: &str = "
    WITH newest AS (SELECT board, player, withdrawn, max(ord) FROM record_log GROUP BY board, player)
    SELECT (SELECT count(*) FROM record)
         + (SELECT count(*) FROM newest n WHERE NOT withdrawn AND NOT EXISTS
               (SELECT 1 FROM record r WHERE r.board = n.board AND r.player = n.player))
         - (SELECT count(*) FROM newest n WHERE withdrawn AND EXISTS
               (SELECT 1 FROM record r WHERE r.board = n.board AND r.player = n.player))";

/// References that the schema does not declare: the rows whose counterpart is missing, and what they are. Of somebody
/// only players (1) and game servers (2) have a table to be missing from.
const ORPHANS: &[(&str, &str)] = &[
    ("record WHERE board NOT IN (SELECT id FROM board)", "scores on no board"),
    ("record WHERE player NOT IN (SELECT id FROM player)", "scores of no player"),
    ("record_log WHERE board NOT IN (SELECT id FROM board)", "logged scores on no board"),
    ("record_log WHERE player NOT IN (SELECT id FROM player)", "logged scores of no player"),
    ("setting WHERE owner_kind = 1 AND owner_id NOT IN (SELECT id FROM player)", "settings of no player"),
    ("setting WHERE owner_kind = 2 AND owner_id NOT IN (SELECT id FROM server)", "settings of no game server"),
    ("block WHERE from_kind = 1 AND from_id NOT IN (SELECT id FROM player)", "blocks of no player"),
    ("block WHERE from_kind = 2 AND from_id NOT IN (SELECT id FROM server)", "blocks of no game server"),
    ("mail WHERE from_kind = 1 AND from_id NOT IN (SELECT id FROM player)", "letters of no player"),
    ("mail WHERE from_kind = 2 AND from_id NOT IN (SELECT id FROM server)", "letters of no game server"),
    ("keyed WHERE owner_kind = 1 AND owner_id NOT IN (SELECT id FROM player)", "keys of no player"),
    ("keyed WHERE owner_kind = 2 AND owner_id NOT IN (SELECT id FROM server)", "keys of no game server"),
];

/// Problems told of one kind, at the most.
const TOLD: usize = 100;

impl SqliteStore {
    /// Whether this program could open the database, which another process may have in use; changes nothing.
    ///
    /// # Errors
    /// Why it could not.
    pub fn fits(file: &Path) -> Result<()> {
        let conn = file::connect_to_verify(file)?;
        let id: u32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if id != schema::APPLICATION_ID {
            return Err(StoreError::NotADatabase(file.to_owned()));
        }
        schema::known(schema::version(&conn)?)
    }

    /// Opens the file read-only and looks for damage.
    ///
    /// # Errors
    /// The file cannot be looked at.
    pub fn verify(file: &Path) -> Result<Verification> {
        let mut found = Verification { problems: Vec::new(), schema: 0, players: 0, mails: 0, records: 0, settings: 0 };
        let outcome = file::connect_to_verify(file).and_then(|conn| examine(&conn, &mut found));
        match outcome {
            Ok(()) => {}
            // Whatever stops the looking once the file is open is a finding.
            Err(StoreError::Unavailable(why)) if found.schema == 0 && found.problems.is_empty() => {
                return Err(StoreError::Unavailable(why));
            }
            Err(error) => found.problems.push(match error {
                StoreError::Corrupt(why) => why,
                other => other.to_string(),
            }),
        }
        Ok(found)
    }
}

fn examine(conn: &Connection, found: &mut Verification) -> Result<()> {
    let id: u32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if id != schema::APPLICATION_ID {
        found.problems.push("it is a database, but not one of ssmglobal's".into());
        return Ok(());
    }
    found.schema = schema::version(conn)?;
    if let Err(unknown) = schema::known(found.schema) {
        found.problems.push(unknown.to_string());
        return Ok(());
    }
    let one = |row: &Row<'_>| row.get::<_, String>(0);
    let sound = lines(conn, "PRAGMA integrity_check(100)", one)?;
    found.problems.extend(sound.into_iter().filter(|line| line != "ok"));
    found.problems.extend(lines(conn, "PRAGMA foreign_key_check", |row| {
        let (table, row, parent) = (row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, String>(2)?);
        Ok(format!("{table}, row {}: what it names in {parent} is not there", row.unwrap_or_default()))
    })?);
    check_schema(conn, found)?;
    for (rows, what) in ORPHANS {
        match count(conn, &format!("SELECT count(*) FROM {rows}"))? {
            0 => {}
            n => found.problems.push(format!("{n} {what}")),
        }
    }
    found.players = count(conn, "SELECT count(*) FROM player")?;
    found.mails = count(conn, "SELECT count(*) FROM mail")?;
    found.settings = count(conn, "SELECT count(*) FROM setting WHERE value IS NOT NULL")?;
    found.records = count(conn, RECORDS)?;
    Ok(())
}

fn check_schema(conn: &Connection, found: &mut Verification) -> Result<()> {
    let (is, should) = (schema::objects(conn)?, schema::objects_of(found.schema)?);
    for (kind, name, _) in should.iter().filter(|object| !is.contains(object)) {
        found.problems.push(format!("{kind} {name} is missing or not as it should be"));
    }
    for (kind, name, _) in is.iter().filter(|(_, name, _)| !should.iter().any(|(_, known, _)| known == name)) {
        found.problems.push(format!("{kind} {name} does not belong there"));
    }
    Ok(())
}

fn lines(conn: &Connection, sql: &str, line: impl FnMut(&Row<'_>) -> rusqlite::Result<String>) -> Result<Vec<String>> {
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map([], line)?;
    Ok(rows.take(TOLD).collect::<rusqlite::Result<_>>()?)
}

fn count(conn: &Connection, sql: &str) -> Result<u64> {
    let n: i64 = conn.query_row(sql, [], |row| row.get(0))?;
    super::db::from_sql(n)
}
