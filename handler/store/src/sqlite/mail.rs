//! Mail in SQLite. That a letter goes when both have let it go is a trigger in the schema. Runs in the handler.

use super::db::{Db, from_sql, principal_from_sql, principal_to_sql, to_sql};
use crate::{Letter, LetterRow, NewLetter, PlayerId, Principal, ReadMail, Result};
use rusqlite::{Row, params};
use ssmglobal_ipc::Time;

// Every statement names `in_box = 1` or `in_sent = 1`: the indexes have only these letters in them.

const COUNTS: &str = "
    SELECT (SELECT count(*) FROM mail WHERE to_player = ?1 AND in_box = 1),
           (SELECT count(*) FROM mail WHERE to_player = ?1 AND in_box = 1 AND read_at IS NULL)";

const RECEIVED: &str = "
    SELECT to_number, from_kind, from_id, to_player, subject, at, read_at IS NOT NULL FROM mail
    WHERE to_player = ?1 AND in_box = 1 AND to_number < ?2 ORDER BY to_number DESC LIMIT ?3";

const SENT: &str = "
    SELECT from_number, from_kind, from_id, to_player, subject, at, read_at IS NOT NULL FROM mail
    WHERE from_kind = ?1 AND from_id = ?2 AND in_sent = 1 AND from_number < ?3 ORDER BY from_number DESC LIMIT ?4";

const SENT_COUNT: &str = "SELECT count(*) FROM mail WHERE from_kind = ?1 AND from_id = ?2 AND in_sent = 1";

/// A letter to oneself comes twice.
const ONE: &str = "
    SELECT from_kind, from_id, to_player, subject, body, at FROM mail
    WHERE to_player = ?2 AND to_number = ?3 AND in_box = 1
    UNION ALL
    SELECT from_kind, from_id, to_player, subject, body, at FROM mail
    WHERE from_kind = ?1 AND from_id = ?2 AND from_number = ?3 AND in_sent = 1";

const READ: &str = "
    UPDATE mail SET read_at = ?3 WHERE to_player = ?1 AND to_number = ?2 AND in_box = 1 AND read_at IS NULL";

const GONE: &str = "
    UPDATE mail SET in_box = in_box AND NOT (to_player = ?2 AND to_number = ?3),
                    in_sent = in_sent AND NOT (from_kind = ?1 AND from_id = ?2 AND from_number = ?3)
    WHERE id IN (SELECT id FROM mail WHERE to_player = ?2 AND to_number = ?3 AND in_box = 1
                 UNION ALL
                 SELECT id FROM mail WHERE from_kind = ?1 AND from_id = ?2 AND from_number = ?3 AND in_sent = 1)";

const OLDEST_GONE: &str = "
    UPDATE mail SET in_sent = 0 WHERE id IN
    (SELECT id FROM mail WHERE from_kind = ?1 AND from_id = ?2 AND in_sent = 1 ORDER BY from_number LIMIT ?3)";

const REFUSED: &str = "SELECT at FROM refused WHERE player = ?1 AND from_kind = ?2 AND from_id = ?3";

const REFUSE: &str = "
    INSERT INTO refused (player, from_kind, from_id, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET at = excluded.at";

/// Two for each that comes: so they get fewer.
const FORGET_REFUSED: &str = "
    DELETE FROM refused WHERE (player, from_kind, from_id) IN
    (SELECT player, from_kind, from_id FROM refused WHERE at < ?1 ORDER BY at LIMIT 2)";

const ADD: &str = "
    INSERT INTO mail (from_kind, from_id, from_number, to_player, to_number, in_box, in_sent, at, subject, body)
    VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9)";

/// All that look for letters, for the test that none of them looks at all letters.
#[cfg(test)]
pub(super) const SEARCHES: &[&str] = &[COUNTS, RECEIVED, SENT, SENT_COUNT, ONE, READ, GONE, OLDEST_GONE];

fn letter_row(row: &Row<'_>) -> Result<LetterRow> {
    Ok(LetterRow {
        number: from_sql(row.get(0)?)?,
        from: principal_from_sql(row.get(1)?, row.get(2)?)?,
        to: PlayerId(row.get(3)?),
        subject: row.get(4)?,
        at: Time(row.get(5)?),
        read: row.get(6)?,
    })
}

/// What a list may be asked for: everything, or what is older than a number.
fn below(after: Option<u64>) -> i64 {
    after.and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::MAX)
}

impl ReadMail for Db {
    fn mailbox(&self, player: PlayerId) -> Result<(u32, u32)> {
        self.row(COUNTS, [player.0], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn letters(&self, player: PlayerId, after: Option<u64>, limit: u32) -> Result<Vec<LetterRow>> {
        self.all(RECEIVED, params![player.0, below(after), limit], letter_row)
    }

    fn letters_sent(&self, player: PlayerId, after: Option<u64>, limit: u32) -> Result<Vec<LetterRow>> {
        let (kind, id) = principal_to_sql(player.into());
        self.all(SENT, params![kind, id, below(after), limit], letter_row)
    }

    fn sent_count(&self, player: PlayerId) -> Result<u32> {
        self.row(SENT_COUNT, principal_to_sql(player.into()), |row| Ok(row.get(0)?))
    }

    fn letter(&self, player: PlayerId, number: u64) -> Result<Option<Letter>> {
        let Ok(wanted) = i64::try_from(number) else { return Ok(None) };
        let (kind, id) = principal_to_sql(player.into());
        self.one(ONE, params![kind, id, wanted], |row| {
            Ok(Letter {
                number,
                from: principal_from_sql(row.get(0)?, row.get(1)?)?,
                to: PlayerId(row.get(2)?),
                subject: row.get(3)?,
                body: row.get(4)?,
                at: Time(row.get(5)?),
            })
        })
    }

    fn refused(&self, player: PlayerId, from: Principal) -> Result<Option<Time>> {
        let (kind, id) = principal_to_sql(from);
        self.one(REFUSED, params![player.0, kind, id], |row| Ok(Time(row.get(0)?)))
    }

    fn refused_count(&self, player: PlayerId, since: Time) -> Result<u32> {
        let sql = "SELECT count(*) FROM refused WHERE player = ?1 AND at >= ?2";
        self.row(sql, params![player.0, since.0], |row| Ok(row.get(0)?))
    }

    fn blocks(&self, player: PlayerId, from: Principal) -> Result<bool> {
        let (kind, id) = principal_to_sql(from);
        let sql = "SELECT 1 FROM block WHERE player = ?1 AND from_kind = ?2 AND from_id = ?3";
        Ok(self.one(sql, params![player.0, kind, id], |_| Ok(()))?.is_some())
    }

    fn blocked(&self, player: PlayerId) -> Result<Vec<Principal>> {
        let sql = "SELECT from_kind, from_id FROM block WHERE player = ?1";
        self.all(sql, [player.0], |row| principal_from_sql(row.get(0)?, row.get(1)?))
    }
}

impl Db {
    pub(super) fn letter_add(&self, letter: &NewLetter) -> Result<()> {
        if letter.let_go == 0 {
            return self.letter_insert(letter);
        }
        let (kind, id) = principal_to_sql(letter.from);
        self.together(|db| {
            db.change(OLDEST_GONE, params![kind, id, letter.let_go])?;
            db.letter_insert(letter)
        })
    }

    fn letter_insert(&self, letter: &NewLetter) -> Result<()> {
        let (kind, id) = principal_to_sql(letter.from);
        self.change(
            ADD,
            params![
                kind,
                id,
                to_sql(letter.from_number)?,
                letter.to.0,
                to_sql(letter.to_number)?,
                letter.in_sent,
                letter.at.0,
                letter.subject,
                letter.body
            ],
        )?;
        Ok(())
    }

    pub(super) fn letter_read(&self, player: PlayerId, number: u64, at: Time) -> Result<()> {
        self.change(READ, params![player.0, to_sql(number)?, at.0])?;
        Ok(())
    }

    pub(super) fn letter_gone(&self, player: PlayerId, number: u64) -> Result<()> {
        let (kind, id) = principal_to_sql(player.into());
        self.change(GONE, params![kind, id, to_sql(number)?])?;
        Ok(())
    }

    pub(super) fn letter_refused(&self, player: PlayerId, from: Principal, at: Time, before: Time) -> Result<()> {
        let (kind, id) = principal_to_sql(from);
        self.together(|db| {
            db.change(FORGET_REFUSED, [before.0])?;
            db.change(REFUSE, params![player.0, kind, id, at.0])?;
            Ok(())
        })
    }

    pub(super) fn block_add(&self, player: PlayerId, from: Principal) -> Result<()> {
        let (kind, id) = principal_to_sql(from);
        let sql = "INSERT INTO block (player, from_kind, from_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.change(sql, params![player.0, kind, id])?;
        Ok(())
    }

    pub(super) fn block_remove(&self, player: PlayerId, from: Principal) -> Result<()> {
        let (kind, id) = principal_to_sql(from);
        let sql = "DELETE FROM block WHERE player = ?1 AND from_kind = ?2 AND from_id = ?3";
        self.change(sql, params![player.0, kind, id])?;
        Ok(())
    }
}
