//! Puts players and full boards straight into a database whose backend does not run: a million submits would take
//! longer than the measurement. Beside `promises.rs` the only place outside the store that knows its tables, and only
//! what builds of different schemas have in common. Runs in the load generator.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::guard::Result;

/// A board to fill.
#[derive(Clone, Copy)]
pub struct Board {
    /// Its name.
    pub name: &'static str,
    /// The first so many players have a score on it.
    pub scores: u32,
}

/// Before the number of the first player. A build may keep what it has given out elsewhere than in this table, and then
/// numbers those who register later from 1 on.
const BEFORE: u32 = 1_000_000;

/// The names are those of [`crate::protocol::player`]. Nobody logs in as one of them, so the hash is none; the skeleton
/// need only be as unique as the name, since no other player's looks like it.
const PLAYERS: &str = "
    WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ?1)
    INSERT INTO player (id, name, folded, skeleton, hash, registered)
    SELECT ?2 + n + 1, printf('p%06d', n), printf('p%06d', n), printf('p%06d', n), '!', unixepoch() * 1000
    FROM counted";

const BOARD: &str = "SELECT id FROM board WHERE name = ?1";

/// Scores that are spread without order over the players.
const SCORES: &str = "
    WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ?2)
    INSERT INTO record (board, player, ord, score, at)
    SELECT ?1, ?4 + n + 1, ?3 + n + 1, (n * 7919) % 1000003, unixepoch() * 1000 FROM counted";

const FOLDED: &str = "UPDATE record_folded SET ord = ?1";

/// Makes players `p000000` and so on, and fills boards that there are already.
pub fn seed(db: &Path, players: u32, boards: &[Board]) -> Result<()> {
    let mut connection = Connection::open(db)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    let transaction = connection.transaction()?;
    transaction.execute(PLAYERS, params![players, BEFORE])?;
    let mut order = 0;
    for board in boards {
        let id: i64 = transaction.query_row(BOARD, params![board.name], |row| row.get(0))?;
        transaction.execute(SCORES, params![id, board.scores, order, BEFORE])?;
        order += board.scores;
    }
    transaction.execute(FOLDED, params![order])?;
    transaction.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// An empty database as the store of this source makes it, whichever its schemas are.
#[cfg(test)]
pub fn empty(path: &Path) -> Connection {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../handler/store/src/sqlite/migrations");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let db = Connection::open(path).unwrap();
    files.iter().for_each(|file| db.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap());
    db
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_the_schema_of_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("test.db");
        let insert = "INSERT INTO board (name, unit, better, operator, submit) VALUES
            ('small', 'points', 'higher', 'last', 'servers'), ('large', 'points', 'higher', 'last', 'servers')";
        empty(&db).execute(insert, []).unwrap();
        let board = |name, scores| Board { name, scores };
        seed(&db, 300, &[board("large", 300), board("small", 30)]).unwrap();

        let connection = Connection::open(&db).unwrap();
        let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(one("SELECT count(*) FROM player"), 300);
        assert_eq!(one("SELECT count(*) FROM player WHERE name = 'p000299'"), 1);
        assert_eq!(one("SELECT count(*) FROM record"), 330);
        assert_eq!(one("SELECT count(*) FROM record r, player p, board b ON p.id = player AND b.id = board"), 330);
        assert!(one("SELECT min(id) FROM player") > 1_000_000);
        assert_eq!(one("SELECT max(ord) FROM record"), 330);
        assert_eq!(one("SELECT ord FROM record_folded"), 330);
    }
}
