//! Looks for damage in a database file without changing it. Runs in the handler or in the operator's command.

use super::belongs::{self, Header};
use super::seal::{self, Seal};
use super::{SqliteStore, error, file, relations, schema};
use crate::{Result, StoreError, Verification};
use rusqlite::{Connection, Row};
use std::fs::File;
use std::path::Path;

/// Standing scores: the table's, corrected by what the log will do to it.
const RECORDS: &str = "
    WITH newest AS (SELECT board, player, withdrawn, max(ord) FROM record_log GROUP BY board, player)
    SELECT (SELECT count(*) FROM record)
         + (SELECT count(*) FROM newest n WHERE NOT withdrawn AND NOT EXISTS
               (SELECT 1 FROM record r WHERE r.board = n.board AND r.player = n.player))
         - (SELECT count(*) FROM newest n WHERE withdrawn AND EXISTS
               (SELECT 1 FROM record r WHERE r.board = n.board AND r.player = n.player))";

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

    /// Opens a file that this process has not in use read-only, and looks for damage.
    ///
    /// # Errors
    /// The file cannot be looked at.
    pub fn verify(file: &Path) -> Result<Verification> {
        // SQLite would read what lies beside it, and look at the two as one.
        let real = file.canonicalize().map_err(|e| error::io("cannot open", file, &e))?;
        if !real.is_file() {
            return Err(StoreError::NotADatabase(file.to_owned()));
        }
        if let Some(header) = Header::read(&real)?
            && let Err(beside) = belongs::check(&real, &header, true)
        {
            let problems = vec![beside.to_string()];
            return Ok(Verification { problems, schema: header.schema, players: 0, mails: 0, records: 0, settings: 0 });
        }
        SqliteStore::verify_living(file)
    }

    /// The same for a file that may be in use here: past SQLite nothing of it is read, by which its locks would be lost.
    pub(super) fn verify_living(file: &Path) -> Result<Verification> {
        let mut found = Verification { problems: Vec::new(), schema: 0, players: 0, mails: 0, records: 0, settings: 0 };
        let outcome = file::connect_to_verify(file).and_then(|conn| examine(&conn, file, &mut found));
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

fn examine(conn: &Connection, file: &Path, found: &mut Verification) -> Result<()> {
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
    check_seal(conn, file, found)?;
    let one = |row: &Row<'_>| row.get::<_, String>(0);
    let sound = lines(conn, "PRAGMA integrity_check(100)", one)?;
    found.problems.extend(sound.into_iter().filter(|line| line != "ok"));
    found.problems.extend(lines(conn, "PRAGMA foreign_key_check", |row| {
        let (table, row, parent) = (row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, String>(2)?);
        Ok(format!("{table}, row {}: what it names in {parent} is not there", row.unwrap_or_default()))
    })?);
    check_schema(conn, found)?;
    for (rows, what) in relations::all() {
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

/// A copy carries a checksum. Only then the file is read past SQLite, which has no lock on a copy that could be lost by that.
fn check_seal(conn: &Connection, path: &Path, found: &mut Verification) -> Result<()> {
    let Some(seal) = Seal::of(conn)? else { return Ok(()) };
    let holds = File::open(path).and_then(|file| seal.holds(&file));
    if !holds.map_err(|e| error::io("cannot read", path, &e))? {
        found.problems.push("it is not as it was when it was made: its checksum does not fit".into());
    }
    Ok(())
}

fn check_schema(conn: &Connection, found: &mut Verification) -> Result<()> {
    let (mut is, should) = (schema::objects(conn)?, schema::objects_of(found.schema)?);
    is.retain(|(_, name, sql)| (name.as_str(), sql.as_str()) != ("seal", seal::TABLE));
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
