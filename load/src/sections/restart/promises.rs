//! What each client was promised and what is in the database afterwards: nothing that was answered OK may be missing,
//! nothing may be there twice. Beside `seed.rs` the only place outside the store that knows its tables. Runs in the
//! load generator.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::guard::Result;
use crate::protocol::push_number;

/// The board on which every submit counts.
pub const BOARD: &str = "steady";
/// The setting that each client writes again and again.
pub const KEY: &str = "latest";

/// What a request asks for. A third of them change something, each in a way that shows whether it was done twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One more on a board that adds up.
    Submit,
    /// A setting, whose version grows by one; its value is the request's number.
    Set,
    /// A mail to the next client; its text is used once.
    Mail,
    /// Reads only.
    Show,
    /// Reads only.
    Get,
    /// Reads only.
    Whoami,
}

impl Ask {
    /// What a client's `id`-th request asks for; clients differ, so that at any moment everything is under way.
    pub fn nth(client: usize, id: u64) -> Self {
        let turn = id + client as u64;
        let kinds = match turn % 3 {
            0 => [Self::Submit, Self::Set, Self::Mail],
            1 => [Self::Show, Self::Get, Self::Whoami],
            _ => [Self::Get, Self::Show, Self::Whoami],
        };
        kinds[(turn / 3 % 3) as usize]
    }

    /// The request as a line.
    pub fn write(self, client: usize, of: usize, id: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        push_number(out, id);
        out.extend_from_slice(b",\"cmd\":");
        let rest = match self {
            Self::Submit => format!(r#""RECORD SUBMIT","args":{{"board":"{BOARD}","score":1}}}}"#),
            Self::Set => format!(r#""SETTING SET","args":{{"key":"{KEY}","value":"{id}"}}}}"#),
            Self::Mail => {
                let (to, body) = (name((client + 1) % of), body(client, id));
                format!(r#""MAIL SEND","args":{{"to":"{to}","body":"{body}"}}}}"#)
            }
            Self::Show => format!(r#""RECORD SHOW","args":{{"board":"{BOARD}"}}}}"#),
            Self::Get => format!(r#""SETTING GET","args":{{"key":"{KEY}"}}}}"#),
            Self::Whoami => r#""WHOAMI"}"#.to_owned(),
        };
        out.extend_from_slice(rest.as_bytes());
        out.push(b'\n');
    }
}

/// The player that a client is.
pub fn name(client: usize) -> String {
    format!("steady{client:04}")
}

fn body(client: usize, id: u64) -> String {
    format!("{client}:{id}")
}

/// Of one kind of change: how many were answered OK, and how many with an error or never: those may have been done.
#[derive(Default)]
struct Changes {
    promised: i64,
    unknown: i64,
}

impl Changes {
    fn count(&mut self, ok: bool) {
        *(if ok { &mut self.promised } else { &mut self.unknown }) += 1;
    }

    fn compare(&self, saved: i64, found: &mut Saved) {
        found.lost += (self.promised - saved).max(0);
        found.doubled += (saved - self.promised - self.unknown).max(0);
        found.compared += self.promised;
    }
}

/// What one client was promised.
#[derive(Default)]
pub struct Promises {
    submits: Changes,
    sets: Changes,
    /// The value of the last SETTING SET that was answered OK.
    latest: u64,
    /// The number of each mail, and whether it was answered OK.
    mails: Vec<(u64, bool)>,
}

impl Promises {
    /// Notes how request `id` ended.
    pub fn note(&mut self, ask: Ask, id: u64, ok: bool) {
        match ask {
            Ask::Submit => self.submits.count(ok),
            Ask::Set => {
                self.sets.count(ok);
                if ok {
                    self.latest = self.latest.max(id);
                }
            }
            Ask::Mail => self.mails.push((id, ok)),
            Ask::Show | Ask::Get | Ask::Whoami => {}
        }
    }
}

/// The comparison with the database.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Changes that were answered OK.
    pub compared: i64,
    /// Of these: not in the database.
    pub lost: i64,
    /// Changes that are there more often than they were asked for.
    pub doubled: i64,
}

const PLAYERS: &str = "SELECT id, name FROM player";

/// The newest row of both tables stands, so it comes last.
const SCORES: &str = "
    SELECT player, score FROM (
        SELECT player, score, ord FROM record WHERE board = (SELECT id FROM board WHERE name = ?1)
        UNION ALL
        SELECT player, score, ord FROM record_log WHERE board = (SELECT id FROM board WHERE name = ?1))
    ORDER BY ord";

const SETTINGS: &str =
    "SELECT owner_id, version, CAST(value AS INTEGER) FROM setting WHERE owner_kind = 1 AND key = ?1";

const MAILS: &str = "SELECT body, count(*) FROM mail GROUP BY body";

/// Compares what the clients were promised with the database of a backend that has ended.
pub fn compare(db: &Path, clients: &[Promises]) -> Result<Saved> {
    let db = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let players: HashMap<String, i64> =
        db.prepare(PLAYERS)?.query_map([], |row| Ok((row.get(1)?, row.get(0)?)))?.collect::<rusqlite::Result<_>>()?;
    let scores: HashMap<i64, i64> = db
        .prepare(SCORES)?
        .query_map([BOARD], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let settings: HashMap<i64, (i64, i64)> = db
        .prepare(SETTINGS)?
        .query_map([KEY], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let mails: HashMap<String, i64> =
        db.prepare(MAILS)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let mut found = Saved::default();
    for (client, promises) in clients.iter().enumerate() {
        let player = players.get(&name(client)).ok_or_else(|| format!("{} is not in the database", name(client)))?;
        promises.submits.compare(scores.get(player).copied().unwrap_or(0), &mut found);
        let (version, value) = settings.get(player).copied().unwrap_or_default();
        promises.sets.compare(version, &mut found);
        // As many as promised, but the last one was put back by an earlier one.
        if version >= promises.sets.promised && value < promises.latest as i64 {
            found.lost += 1;
        }
        for (id, ok) in &promises.mails {
            let saved = mails.get(&body(client, *id)).copied().unwrap_or(0);
            let one = Changes { promised: i64::from(*ok), unknown: i64::from(!*ok) };
            one.compare(saved, &mut found);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_are_changes_of_each_kind() {
        for client in 0..4 {
            let kinds: Vec<Ask> = (1..=900).map(|id| Ask::nth(client, id)).collect();
            for kind in [Ask::Submit, Ask::Set, Ask::Mail] {
                assert_eq!(kinds.iter().filter(|ask| **ask == kind).count(), 100, "{kind:?}");
            }
        }
        let mut out = Vec::new();
        Ask::Mail.write(2, 3, 7, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"id\":7,\"cmd\":\"MAIL SEND\",\"args\":{\"to\":\"steady0000\",\"body\":\"2:7\"}}\n"
        );
    }

    #[test]
    fn what_is_missing_and_what_is_there_twice_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.db");
        let db = crate::seed::empty(&path);
        db.execute_batch(
            // How mails are numbered differs between builds; nothing but their text is looked at.
            "DROP TABLE mail;
             CREATE TABLE mail (body TEXT);
             INSERT INTO player (id, name, folded, skeleton, hash, registered) VALUES (7, 'steady0000', 'a', 'a', '!', 0);
             INSERT INTO board (id, name, unit, better, operator, submit) VALUES (1, 'steady', 'x', 'higher', 'sum', 'players');
             INSERT INTO record (board, player, ord, score, at) VALUES (1, 7, 1, 1, 0);
             INSERT INTO record_log (board, player, ord, withdrawn, score, at) VALUES (1, 7, 2, 0, 2, 0);
             INSERT INTO setting VALUES (1, 7, 'latest', 2, 0, 0, '5');
             INSERT INTO mail VALUES ('0:3'), ('0:4'), ('0:4');",
        )
        .unwrap();
        let promised = |changes: &[(Ask, u64, bool)]| {
            let mut promises = Promises::default();
            changes.iter().for_each(|(ask, id, ok)| promises.note(*ask, *id, *ok));
            compare(&path, &[promises]).unwrap()
        };
        use Ask::{Mail, Set, Submit};
        let fine = [(Submit, 1, true), (Submit, 2, false), (Set, 3, true), (Set, 5, true), (Mail, 3, true)];
        assert_eq!(promised(&fine), Saved { compared: 4, lost: 0, doubled: 0 });
        assert_eq!(promised(&[(Submit, 1, true); 3]).lost, 1);
        assert_eq!(promised(&[(Submit, 1, true), (Set, 4, false)]), Saved { compared: 1, lost: 0, doubled: 2 });
        // The version is right, the value is not.
        assert_eq!(promised(&[(Submit, 1, true), (Submit, 2, true), (Set, 5, true), (Set, 9, true)]).lost, 1);
        let mails =
            [(Submit, 1, true), (Submit, 2, true), (Set, 5, true), (Set, 4, true), (Mail, 4, true), (Mail, 9, true)];
        assert_eq!(promised(&mails), Saved { compared: 6, lost: 1, doubled: 1 });
    }
}
