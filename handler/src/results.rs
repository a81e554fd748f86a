//! Answers to requests that change something, kept until their session has them: after a death of the handler the next one
//! repeats them instead of doing anything twice. The writer stores them in the transaction of the change; the event loop
//! looks them up when a worker asks again.
//!
//! In the database the answers of one transaction are one row, which goes when the last of them was acknowledged. When
//! a few that nobody acknowledges hold too many rows, they are moved along.

use crate::boards::Boards;
use crate::core::{Answer, Core, Identity, Submitted};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Code, Reply, ReplyKind};
use ssmglobal_store::{BoardId, PlayerId, Reader, ServerId, Tx};
use std::collections::{BTreeMap, HashSet, VecDeque};

/// Bytes of rows from which on the oldest is moved along.
const MANY: usize = 16 << 20;

/// Bytes of answers that are kept for one session, more or less. A worker that acknowledges them has far fewer.
const EACH: usize = 8 << 20;

/// Rows that one transaction forgets, at the most.
const FORGET: usize = 64;

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// This reply: its kind and payload.
    Reply(u16, Vec<u8>),
    /// As [`Submitted`]: board, player, score, order, improved.
    Submitted(u32, u32, i64, u64, bool),
    /// The session is this player (true) or game server since, with this reply.
    Proved(bool, u32, String, u16, Vec<u8>),
}

/// A reply's kind and payload, as it is kept.
pub fn packed(reply: &Reply) -> (u16, Vec<u8>) {
    let mut payload = Vec::new();
    reply.put(&mut payload);
    (reply.kind() as u16, payload)
}

fn unpacked(kind: u16, payload: &[u8]) -> Reply {
    let reply = ReplyKind::from_number(kind).and_then(|kind| Reply::decode(kind, payload).ok());
    reply.unwrap_or_else(lost)
}

/// What is kept cannot be read any more.
pub fn lost() -> Reply {
    Reply::fail(Code::Unavailable, "It was done, but the answer is lost.")
}

impl Outcome {
    /// Of an answer; nothing of one that is given elsewhere.
    pub fn of(answer: &Answer) -> Option<Outcome> {
        Some(match answer {
            Answer::Reply(reply) => Outcome::reply(reply),
            Answer::Submitted(Submitted { board, player, score, order, improved }) => {
                Outcome::Submitted(board.0, player.0, *score, *order, *improved)
            }
            Answer::Proved { identity, reply, .. } => {
                let (kind, payload) = packed(reply);
                let (player, id, name) = match identity {
                    Identity::Player(id, name) => (true, id.0, name.clone()),
                    Identity::Server(id, name) => (false, id.0, name.clone()),
                };
                Outcome::Proved(player, id, name, kind, payload)
            }
            Answer::Later => return None,
        })
    }

    /// Bytes that it takes, more or less.
    fn size(&self) -> usize {
        match self {
            Outcome::Reply(_, payload) | Outcome::Proved(.., payload) => 128 + payload.len(),
            Outcome::Submitted(..) => 128,
        }
    }

    /// Of a reply.
    pub fn reply(reply: &Reply) -> Outcome {
        let (kind, payload) = packed(reply);
        Outcome::Reply(kind, payload)
    }

    /// The board and the number of a submit that has changed what counts.
    pub fn improved(&self) -> Option<(BoardId, u64)> {
        match self {
            Outcome::Submitted(board, _, _, order, true) => Some((BoardId(*board), *order)),
            _ => None,
        }
    }

    /// The reply of an outcome that is nothing else.
    pub fn reply_alone(&self) -> Reply {
        match self {
            Outcome::Reply(kind, payload) | Outcome::Proved(.., kind, payload) => unpacked(*kind, payload),
            Outcome::Submitted(..) => lost(),
        }
    }

    /// As it was answered, and who the session is since.
    pub fn told(&self, core: &Core, boards: &Boards) -> (Reply, Option<Identity>) {
        match self {
            Outcome::Reply(kind, payload) => (unpacked(*kind, payload), None),
            Outcome::Submitted(board, player, score, order, improved) => {
                let (board, player) = (BoardId(*board), PlayerId(*player));
                let submit = Submitted { board, player, score: *score, order: *order, improved: *improved };
                (core.submitted(boards, &submit), None)
            }
            Outcome::Proved(player, id, name, kind, payload) => {
                let identity = match player {
                    true => Identity::Player(PlayerId(*id), name.clone()),
                    false => Identity::Server(ServerId(*id), name.clone()),
                };
                (unpacked(*kind, payload), Some(identity))
            }
        }
    }
}

/// One answer as it is stored.
#[derive(Serialize, Deserialize)]
struct Entry {
    session: u64,
    number: u64,
    outcome: Outcome,
}

/// Those of one session, in the order of their numbers.
#[derive(Debug, Default)]
struct Answers {
    kept: VecDeque<Kept>,
    bytes: usize,
}

impl Answers {
    fn at(&self, number: u64) -> Result<usize, usize> {
        self.kept.binary_search_by_key(&number, |kept| kept.number)
    }

    /// The oldest one; gives its row.
    fn drop_first(&mut self) -> Option<i64> {
        let first = self.kept.pop_front()?;
        self.bytes -= first.outcome.size();
        Some(first.row)
    }
}

#[derive(Debug)]
struct Kept {
    number: u64,
    row: i64,
    outcome: Outcome,
}

/// A row of the database.
#[derive(Debug, Default)]
struct Row {
    /// Session and number of each answer in it.
    of: Vec<(u64, u64)>,
    /// How many of them are still needed.
    live: usize,
    bytes: usize,
}

/// What the running transaction adds.
#[derive(Debug, Default)]
pub struct Staged {
    fresh: Vec<(u64, u64, Outcome)>,
    bytes: Vec<u8>,
    row: i64,
    forgotten: usize,
    gone: Vec<u64>,
}

impl Staged {
    /// One more answer.
    pub fn add(&mut self, session: u64, number: u64, outcome: Outcome) {
        let entry = Entry { session, number, outcome };
        if let Ok(bytes) = postcard::to_extend(&entry, std::mem::take(&mut self.bytes)) {
            self.bytes = bytes;
        }
        self.fresh.push((session, number, entry.outcome));
    }

    /// A session that has ended: its answers are not needed any more.
    pub fn gone(&mut self, session: u64) {
        self.gone.push(session);
    }

    /// Forgets everything: the transaction was given up.
    pub fn clear(&mut self) {
        self.gone.clear();
        self.fresh.clear();
        self.bytes.clear();
        self.forgotten = 0;
    }
}

/// All kept answers.
#[derive(Debug, Default)]
pub struct Results {
    sessions: HashMap<u64, Answers>,
    rows: BTreeMap<i64, Row>,
    /// Rows that nobody needs any more.
    done: Vec<i64>,
    bytes: usize,
    /// The number of the newest row that there ever was: whoever compares rows must not see one twice.
    last: i64,
}

impl Results {
    /// Those of the database.
    ///
    /// # Errors
    /// The database's.
    pub fn load(reader: &dyn Reader) -> ssmglobal_store::Result<Results> {
        let mut results = Results::default();
        reader.results(&mut |row, bytes| {
            let length = bytes.len();
            let mut fresh = Vec::new();
            let mut rest = bytes;
            while let Ok((entry, behind)) = postcard::take_from_bytes::<Entry>(rest) {
                fresh.push((entry.session, entry.number, entry.outcome));
                rest = behind;
            }
            results.keep(row, length, fresh.drain(..));
        })?;
        Ok(results)
    }

    fn keep(&mut self, row: i64, bytes: usize, fresh: impl Iterator<Item = (u64, u64, Outcome)>) {
        let (mut of, mut superseded) = (Vec::new(), Vec::new());
        for (session, number, outcome) in fresh {
            of.push((session, number));
            let answers = self.sessions.entry(session).or_default();
            // One that was moved along stands in two rows; the later one counts.
            match answers.at(number) {
                Ok(there) => {
                    let before = answers.kept.get_mut(there).map(|kept| std::mem::replace(&mut kept.row, row));
                    superseded.extend(before);
                }
                Err(place) => {
                    answers.bytes += outcome.size();
                    answers.kept.insert(place, Kept { number, row, outcome });
                }
            }
            while answers.bytes > EACH {
                superseded.extend(answers.drop_first());
            }
        }
        let live = of.len();
        self.last = self.last.max(row);
        self.bytes += bytes;
        self.rows.insert(row, Row { of, live, bytes });
        superseded.into_iter().for_each(|row| release(&mut self.rows, &mut self.done, row));
        if live == 0 {
            self.done.push(row);
        }
    }

    /// What a request came to, if it was done.
    pub fn find(&self, session: u64, number: u64) -> Option<&Outcome> {
        let answers = self.sessions.get(&session)?;
        answers.kept.get(answers.at(number).ok()?).map(|kept| &kept.outcome)
    }

    /// A session has the answers up to this number.
    pub fn acknowledged(&mut self, session: u64, upto: u64) {
        let Some(answers) = self.sessions.get_mut(&session) else { return };
        while answers.kept.front().is_some_and(|first| first.number <= upto) {
            let Some(row) = answers.drop_first() else { return };
            release(&mut self.rows, &mut self.done, row);
        }
    }

    fn forget(&mut self, session: u64) {
        for kept in self.sessions.remove(&session).into_iter().flat_map(|answers| answers.kept) {
            release(&mut self.rows, &mut self.done, kept.row);
        }
    }

    /// Only these sessions are still there.
    pub fn retain(&mut self, living: &HashSet<u64>) {
        let gone: Vec<u64> = self.sessions.keys().copied().filter(|session| !living.contains(session)).collect();
        gone.into_iter().for_each(|session| self.forget(session));
    }

    /// Stores what is staged, as the last part of the transaction.
    ///
    /// # Errors
    /// As of every change: give the transaction up.
    pub fn store(&mut self, staged: &mut Staged, tx: &mut dyn Tx) -> ssmglobal_store::Result<()> {
        if self.bytes > MANY
            && let Some((_, row)) = self.rows.first_key_value()
        {
            let left = row
                .of
                .iter()
                .filter_map(|(session, number)| Some((*session, *number, self.find(*session, *number)?.clone())));
            left.collect::<Vec<_>>().into_iter().for_each(|(session, number, outcome)| {
                staged.add(session, number, outcome);
            });
        }
        if !staged.fresh.is_empty() {
            staged.row = self.last + 1;
            tx.results_add(staged.row, &staged.bytes)?;
        }
        staged.forgotten = self.done.len().min(FORGET);
        for row in self.done.iter().take(staged.forgotten) {
            tx.results_drop(*row)?;
        }
        Ok(())
    }

    /// The transaction is on disk; gives the row of its answers, if there are any.
    pub fn committed(&mut self, staged: &mut Staged) -> Option<i64> {
        for row in self.done.drain(..staged.forgotten) {
            self.bytes -= self.rows.remove(&row).map_or(0, |row| row.bytes);
        }
        let row = (!staged.fresh.is_empty()).then_some(staged.row);
        if row.is_some() {
            self.keep(staged.row, staged.bytes.len(), staged.fresh.drain(..));
        }
        staged.gone.drain(..).for_each(|session| self.forget(session));
        staged.clear();
        row
    }

    /// The newest row that there ever was; 0 for none.
    pub fn newest(&self) -> i64 {
        self.last
    }

    /// There were rows up to this one, also if none of them is left.
    pub fn were_upto(&mut self, row: i64) {
        self.last = self.last.max(row);
    }

    /// What the requests behind a row came to, the oldest first.
    pub fn behind(&self, row: i64) -> Vec<Outcome> {
        let of = self.rows.range(row + 1..).flat_map(|(_, row)| &row.of);
        of.filter_map(|(session, number)| self.find(*session, *number).cloned()).collect()
    }
}

/// One answer less is needed of a row.
fn release(rows: &mut BTreeMap<i64, Row>, done: &mut Vec<i64>, at: i64) {
    if let Some(row) = rows.get_mut(&at) {
        row.live = row.live.saturating_sub(1);
        if row.live == 0 {
            done.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(results: &mut Results, row: i64, number: u64, length: usize) {
        results.keep(row, length, [(1, number, Outcome::Reply(2, vec![0; length]))].into_iter());
    }

    #[test]
    fn a_session_that_acknowledges_nothing_has_its_last_answers_kept() {
        let mut results = Results::default();
        for number in 0..20 {
            keep(&mut results, number as i64, number, 1 << 20);
        }
        assert!(results.sessions[&1].bytes <= EACH);
        assert!(results.find(1, 19).is_some() && results.find(1, 13).is_some() && results.find(1, 12).is_none());
        assert_eq!(results.done, (0..13).collect::<Vec<_>>());
        results.acknowledged(1, 18);
        assert_eq!(results.done.len(), 19);
        results.forget(1);
        assert_eq!((results.done.len(), results.find(1, 19)), (20, None));
    }

    #[test]
    fn answers_are_found_in_whatever_order_they_came() {
        let mut results = Results::default();
        for (row, number) in [9, 3, 7, 3].into_iter().enumerate() {
            keep(&mut results, row as i64, number, 10);
        }
        assert!([3, 7, 9].into_iter().all(|number| results.find(1, number).is_some()));
        // The second 3 is the first one, moved along.
        assert_eq!(results.done, [1]);
        results.acknowledged(1, 7);
        assert_eq!((results.done.len(), results.find(1, 7)), (3, None));
        assert!(results.find(1, 9).is_some());
        results.acknowledged(1, u64::MAX);
        assert_eq!(results.sessions[&1].bytes, 0);
    }
}
