//! Mail in SQLite. That a letter goes when both have let it go is a trigger in the schema.

use super::db::{Db, from_sql, owner_to_sql, to_sql};
use crate::{NewMail, Owner, PlayerId, ReadMail, Result, StoreError, WriteMail};
use rusqlite::{Row, params};
use ssmglobal_ipc::{Mail, MailRow, Party, Time};

/// The sender from two columns of which one is NULL: a player's name, a game server's name.
fn party(row: &Row<'_>, player: usize, server: usize) -> Result<Party> {
    match (row.get(player)?, row.get(server)?) {
        (Some(name), None) => Ok(Party::Player(name)),
        (None, Some(name)) => Ok(Party::Server(name)),
        _ => Err(StoreError::Corrupt("a mail or block without its sender".into())),
    }
}

fn mail_row(row: &Row<'_>) -> Result<MailRow> {
    Ok(MailRow {
        id: from_sql(row.get(0)?)?,
        from: party(row, 1, 2)?,
        to: row.get(3)?,
        subject: row.get(4)?,
        at: Time(row.get(5)?),
        read: row.get(6)?,
    })
}

/// What a list may be asked for: everything, or what is older than an id.
fn below(after: Option<u64>) -> i64 {
    after.and_then(|id| i64::try_from(id).ok()).unwrap_or(i64::MAX)
}

impl ReadMail for Db {
    fn mailbox(&self, player: PlayerId) -> Result<(u32, u32)> {
        self.row(
            "SELECT (SELECT count(*) FROM mail WHERE to_player = ?1 AND in_box = 1),
                    (SELECT count(*) FROM mail WHERE to_player = ?1 AND in_box = 1 AND read_at IS NULL)",
            [player.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    fn mails(&self, player: PlayerId, after: Option<u64>, limit: u32) -> Result<Vec<MailRow>> {
        self.all(
            "SELECT m.id, p.name, s.name, t.name, m.subject, m.at, m.read_at IS NOT NULL FROM mail m
             JOIN player t ON t.id = m.to_player
             LEFT JOIN player p ON p.id = m.from_player LEFT JOIN server s ON s.id = m.from_server
             WHERE m.to_player = ?1 AND m.in_box = 1 AND m.id < ?2 ORDER BY m.id DESC LIMIT ?3",
            params![player.0, below(after), limit],
            mail_row,
        )
    }

    fn mails_sent(&self, player: PlayerId, after: Option<u64>, limit: u32) -> Result<Vec<MailRow>> {
        self.all(
            "SELECT m.id, p.name, NULL, t.name, m.subject, m.at, m.read_at IS NOT NULL FROM mail m
             JOIN player t ON t.id = m.to_player JOIN player p ON p.id = m.from_player
             WHERE m.from_player = ?1 AND m.in_sent = 1 AND m.id < ?2 ORDER BY m.id DESC LIMIT ?3",
            params![player.0, below(after), limit],
            mail_row,
        )
    }

    fn sent_count(&self, player: PlayerId) -> Result<u32> {
        self.row("SELECT count(*) FROM mail WHERE from_player = ?1 AND in_sent = 1", [player.0], |row| Ok(row.get(0)?))
    }

    fn mail(&self, player: PlayerId, id: u64) -> Result<Option<Mail>> {
        let Ok(id) = i64::try_from(id) else { return Ok(None) };
        self.one(
            "SELECT m.id, p.name, s.name, t.name, m.subject, m.at, m.body FROM mail m
             JOIN player t ON t.id = m.to_player
             LEFT JOIN player p ON p.id = m.from_player LEFT JOIN server s ON s.id = m.from_server
             WHERE m.id = ?2 AND (m.to_player = ?1 AND m.in_box = 1 OR m.from_player = ?1 AND m.in_sent = 1)",
            params![player.0, id],
            |row| {
                Ok(Mail {
                    id: from_sql(row.get(0)?)?,
                    from: party(row, 1, 2)?,
                    to: row.get(3)?,
                    subject: row.get(4)?,
                    body: row.get(6)?,
                    at: Time(row.get(5)?),
                })
            },
        )
    }

    fn blocks(&self, player: PlayerId, from: Owner) -> Result<bool> {
        let (kind, id) = owner_to_sql(from);
        let sql = "SELECT 1 FROM block WHERE player = ?1 AND from_kind = ?2 AND from_id = ?3";
        Ok(self.one(sql, params![player.0, kind, id], |_| Ok(()))?.is_some())
    }

    fn blocked(&self, player: PlayerId) -> Result<Vec<Party>> {
        self.all(
            "SELECT p.name, s.name FROM block b
             LEFT JOIN player p ON b.from_kind = 1 AND p.id = b.from_id
             LEFT JOIN server s ON b.from_kind = 2 AND s.id = b.from_id
             WHERE b.player = ?1 ORDER BY coalesce(p.folded, lower(s.name)), b.from_kind",
            [player.0],
            |row| party(row, 0, 1),
        )
    }
}

impl WriteMail for Db {
    fn mail_add(&mut self, mail: &NewMail, sent_limit: u32) -> Result<u64> {
        let (player, server) = match mail.from {
            Owner::Player(id) => (Some(id.0), None),
            Owner::Server(id) => (None, Some(id.0)),
        };
        let in_sent = player.is_some() && sent_limit > 0;
        let excess = match mail.from {
            Owner::Player(id) => (self.sent_count(id)? + u32::from(in_sent)).saturating_sub(sent_limit),
            Owner::Server(_) => 0,
        };
        self.together(|db| {
            if excess > 0 {
                db.change(
                    "UPDATE mail SET in_sent = 0 WHERE id IN
                     (SELECT id FROM mail WHERE from_player = ?1 AND in_sent = 1 ORDER BY id LIMIT ?2)",
                    params![player, excess],
                )?;
            }
            from_sql(db.insert(
                "INSERT INTO mail (from_player, from_server, to_player, in_box, in_sent, at, subject, body)
                 VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7)",
                params![player, server, mail.to.0, in_sent, mail.at.0, mail.subject, mail.body],
            )?)
        })
    }

    fn mail_mark_read(&mut self, player: PlayerId, id: u64, at: Time) -> Result<()> {
        self.change(
            "UPDATE mail SET read_at = ?3 WHERE id = ?2 AND to_player = ?1 AND in_box = 1 AND read_at IS NULL",
            params![player.0, to_sql(id)?, at.0],
        )?;
        Ok(())
    }

    fn mail_delete(&mut self, player: PlayerId, id: u64) -> Result<bool> {
        let Ok(id) = i64::try_from(id) else { return Ok(false) };
        let met = self.change(
            "UPDATE mail SET in_box = in_box AND to_player <> ?1,
                             in_sent = in_sent AND coalesce(from_player <> ?1, 1)
             WHERE id = ?2 AND (to_player = ?1 AND in_box = 1 OR from_player = ?1 AND in_sent = 1)",
            params![player.0, id],
        )?;
        Ok(met > 0)
    }

    fn block_add(&mut self, player: PlayerId, from: Owner) -> Result<bool> {
        let (kind, id) = owner_to_sql(from);
        let sql = "INSERT INTO block (player, from_kind, from_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        Ok(self.change(sql, params![player.0, kind, id])? > 0)
    }

    fn block_remove(&mut self, player: PlayerId, from: Owner) -> Result<bool> {
        let (kind, id) = owner_to_sql(from);
        let sql = "DELETE FROM block WHERE player = ?1 AND from_kind = ?2 AND from_id = ?3";
        Ok(self.change(sql, params![player.0, kind, id])? > 0)
    }
}
