//! Puts players and full boards straight into a database whose backend does not run: a million submits would take
//! longer than the measurement. The only place outside the store that knows its tables. Runs in the load generator.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::guard::Result;

/// A board to make.
#[derive(Clone, Copy)]
pub struct Board {
    /// Its name.
    pub name: &'static str,
    /// The first so many players have a score on it.
    pub scores: u32,
}

/// The names are those of [`crate::protocol::player`]. Nobody logs in as one of them, so the hash is none; the skeleton
/// need only be as unique as the name, since no other player's looks like it.
const PLAYERS: &str = "
    WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ?1)
    INSERT INTO player (id, name, folded, skeleton, hash, registered)
    SELECT n + 1, printf('p%06d', n), printf('p%06d', n), printf('p%06d', n), '!', unixepoch() * 1000 FROM counted";

/// A board whose every submit is a change, as an upsert is.
const BOARD: &str = "
    INSERT INTO board (name, unit, better, operator, submit) VALUES (?1, 'points', 'higher', 'last', 'servers')";

/// Scores that are spread without order over the players.
const SCORES: &str = "
    WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ?2)
    INSERT INTO record (board, player, ord, score, at)
    SELECT ?1, n + 1, ?3 + n + 1, (n * 7919) % 1000003, unixepoch() * 1000 FROM counted";

const FOLDED: &str = "UPDATE record_folded SET ord = ?1";

/// Makes players `p000000` and so on, and boards with their scores.
pub fn seed(db: &Path, players: u32, boards: &[Board]) -> Result<()> {
    let mut connection = Connection::open(db)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    let transaction = connection.transaction()?;
    transaction.execute(PLAYERS, params![players])?;
    let mut order = 0;
    for board in boards {
        transaction.execute(BOARD, params![board.name])?;
        let id = transaction.last_insert_rowid();
        transaction.execute(SCORES, params![id, board.scores, order])?;
        order += board.scores;
    }
    transaction.execute(FOLDED, params![order])?;
    transaction.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_the_schema_of_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("test.db");
        let schema = include_str!("../../handler/store/src/sqlite/migrations/0001.sql");
        Connection::open(&db).unwrap().execute_batch(schema).unwrap();
        let board = |name, scores| Board { name, scores };
        seed(&db, 300, &[board("large", 300), board("small", 30)]).unwrap();

        let connection = Connection::open(&db).unwrap();
        let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(one("SELECT count(*) FROM player"), 300);
        assert_eq!(one("SELECT count(*) FROM player WHERE name = 'p000299'"), 1);
        assert_eq!(one("SELECT count(*) FROM record"), 330);
        assert_eq!(one("SELECT max(ord) FROM record"), 330);
        assert_eq!(one("SELECT ord FROM record_folded"), 330);
    }
}
