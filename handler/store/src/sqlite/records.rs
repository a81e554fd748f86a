//! Boards and scores in SQLite. How the log is folded into the table is told in `fold`. Runs in the handler.

use super::db::{Db, from_sql, to_sql};
use crate::{
    Better, Board, BoardId, Operator, PlayerId, ReadRecords, Result, ServerId, Standing, StoreError, Submitters,
};
use rusqlite::{Row, params};
use ssmglobal_ipc::Time;
use std::collections::HashMap;

fn better_to_sql(better: Better) -> &'static str {
    match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
    }
}

fn operator_to_sql(operator: Operator) -> &'static str {
    match operator {
        Operator::Best => "best",
        Operator::Last => "last",
        Operator::Sum => "sum",
        Operator::Count => "count",
    }
}

fn submit_to_sql(submit: Submitters) -> &'static str {
    match submit {
        Submitters::Servers => "servers",
        Submitters::Players => "players",
    }
}

/// The value among `all` that is kept as `word`.
fn word<T: Copy>(word: &str, all: &[T], to_sql: fn(T) -> &'static str) -> Result<T> {
    let found = all.iter().copied().find(|value| to_sql(*value) == word);
    found.ok_or_else(|| StoreError::Corrupt("a board with an unknown word".into()))
}

fn read_board(row: &Row<'_>) -> Result<Board> {
    let text = |at: usize| -> Result<String> { Ok(row.get(at)?) };
    Ok(Board {
        id: BoardId(row.get(0)?),
        name: text(1)?,
        unit: text(2)?,
        better: word(&text(3)?, &[Better::Lower, Better::Higher], better_to_sql)?,
        operator: word(&text(4)?, &[Operator::Best, Operator::Last, Operator::Sum, Operator::Count], operator_to_sql)?,
        submit: word(&text(5)?, &[Submitters::Servers, Submitters::Players], submit_to_sql)?,
    })
}

fn read_standing(row: &Row<'_>) -> Result<Standing> {
    Ok(Standing {
        player: PlayerId(row.get(0)?),
        order: from_sql(row.get(1)?)?,
        score: row.get(2)?,
        at: Time(row.get(3)?),
        server: row.get::<_, Option<u32>>(4)?.map(ServerId),
        note: row.get(5)?,
    })
}

impl ReadRecords for Db {
    fn boards(&self) -> Result<Vec<Board>> {
        self.all("SELECT id, name, unit, better, operator, submit FROM board ORDER BY name", [], read_board)
    }

    fn standings(&self, board: BoardId, each: &mut dyn FnMut(Standing)) -> Result<()> {
        self.at_one_moment(|db| {
            // The newest row in the log of every player who has one there: it hides the table's row.
            let mut newest: HashMap<u32, i64> = HashMap::new();
            db.each("SELECT player, ord FROM record_log WHERE board = ?1 ORDER BY ord", [board.0], |row| {
                newest.insert(row.get(0)?, row.get(1)?);
                Ok(())
            })?;
            db.each("SELECT player, ord, score, at, server, note FROM record WHERE board = ?1", [board.0], |row| {
                if !newest.contains_key(&row.get(0)?) {
                    each(read_standing(row)?);
                }
                Ok(())
            })?;
            if newest.is_empty() {
                return Ok(());
            }
            db.each(
                "SELECT player, ord, score, at, server, note FROM record_log
                 WHERE board = ?1 AND withdrawn = 0 ORDER BY ord",
                [board.0],
                |row| {
                    if newest.get(&row.get(0)?) == Some(&row.get(1)?) {
                        each(read_standing(row)?);
                    }
                    Ok(())
                },
            )
        })
    }
}

impl Db {
    /// The highest order that is in the database, or has left it; 0 at first. Where a board was cleared it is in no log any more.
    pub(super) fn last_order(&self) -> Result<u64> {
        self.row(
            "SELECT max((SELECT ord FROM record_folded), coalesce((SELECT max(ord) FROM record_log), 0),
                        coalesce((SELECT last FROM sequence WHERE kind = 7), 0))",
            [],
            |row| from_sql(row.get(0)?),
        )
    }

    pub(super) fn board_put(&self, board: &Board) -> Result<()> {
        self.change(
            "INSERT INTO board (id, name, unit, better, operator, submit) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, unit = excluded.unit, better = excluded.better,
                                            operator = excluded.operator, submit = excluded.submit",
            params![
                board.id.0,
                board.name,
                board.unit,
                better_to_sql(board.better),
                operator_to_sql(board.operator),
                submit_to_sql(board.submit)
            ],
        )?;
        Ok(())
    }

    /// Takes everything off a board. What is being folded finds nothing of it in the log, and writes nothing.
    pub(super) fn board_clear(&mut self, id: BoardId) -> Result<()> {
        let order = to_sql(self.order)?;
        self.unlogged += self.together(|db| {
            let logged = db.change("DELETE FROM record_log WHERE board = ?1", [id.0])?;
            db.change("DELETE FROM record WHERE board = ?1", [id.0])?;
            db.change("DELETE FROM withdrawal WHERE board = ?1", [id.0])?;
            // With the end of the log goes what tells which orders were given.
            db.change(
                "INSERT INTO sequence (kind, owner_kind, owner_id, last) VALUES (7, 0, 0, ?1)
                 ON CONFLICT DO UPDATE SET last = max(last, excluded.last)",
                [order],
            )?;
            Ok(logged as u64)
        })?;
        Ok(())
    }

    pub(super) fn board_remove(&mut self, id: BoardId) -> Result<()> {
        self.board_clear(id)?;
        self.change("DELETE FROM board WHERE id = ?1", [id.0])?;
        Ok(())
    }

    pub(super) fn record_put(&mut self, board: BoardId, standing: &Standing) -> Result<()> {
        self.change(
            "INSERT INTO record_log (ord, board, player, withdrawn, score, at, server, note)
             VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7)",
            params![
                to_sql(standing.order)?,
                board.0,
                standing.player.0,
                standing.score,
                standing.at.0,
                standing.server.map(|id| id.0),
                standing.note
            ],
        )?;
        self.logged(standing.order);
        Ok(())
    }

    pub(super) fn record_withdraw(
        &mut self,
        board: BoardId,
        was: &Standing,
        order: u64,
        at: Time,
        reason: &str,
    ) -> Result<()> {
        let server = was.server.map(|id| id.0);
        let (ord, was_order) = (to_sql(order)?, to_sql(was.order)?);
        self.together(|db| {
            db.change(
                "INSERT INTO record_log (ord, board, player, withdrawn, score, at) VALUES (?1, ?2, ?3, 1, 0, ?4)",
                params![ord, board.0, was.player.0, at.0],
            )?;
            db.change(
                "INSERT INTO withdrawal (board, player, ord, score, at, server, note, withdrawn_at, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![board.0, was.player.0, was_order, was.score, was.at.0, server, was.note, at.0, reason],
            )?;
            Ok(())
        })?;
        self.logged(order);
        Ok(())
    }

    /// A row is at the end of the log now. Its order was not necessarily given by this writer.
    fn logged(&mut self, order: u64) {
        self.logged += 1;
        self.order = self.order.max(order);
    }
}
