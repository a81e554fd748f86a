//! Answers to requests that change something, kept until their session has them, and what others are told of these changes, kept
//! until they have heard it: after a death of the handler the next one repeats and tells them instead of doing anything twice.
//! The writer stores both in the transaction of the change; the event loop looks answers up when a worker asks again.
//!
//! In the database the answers and the news of one transaction are one row, which goes when the last answer was acknowledged
//! and the news were told. When a few that nobody acknowledges hold too many rows, they are moved along.

use crate::state::news::News;
use crate::state::session::Proof;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::growing;
use ssmglobal_store::{Principal, Reader, WriteResults};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

/// Bytes of rows from which on the oldest is moved along.
const MANY: usize = 16 << 20;

/// Bytes of answers that are kept for one session, more or less. A worker that acknowledges them has far fewer.
const EACH: usize = 8 << 20;

/// Rows that one transaction forgets, at the most.
const FORGET: usize = 64;

/// What a request came to: its answer, letter for letter as it goes to the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The reply's kind.
    pub kind: u16,
    /// Its payload.
    pub payload: Arc<[u8]>,
    /// Who the session is since.
    pub proves: Option<Proof>,
}

impl Outcome {
    /// Bytes that it takes, more or less.
    fn size(&self) -> usize {
        128 + self.payload.len()
    }
}

/// One thing as it stands in a row. Only ever appended to; see [`growing`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeptItem<'a> {
    /// What a request came to.
    Answer {
        /// The session that has asked.
        session: u64,
        /// The request's number.
        number: u64,
        /// The reply's kind.
        kind: u16,
        /// Its payload.
        payload: &'a [u8],
        /// Who the session is since.
        proves: Option<Principal>,
    },
    /// What others are to be told.
    News(&'a [u8]),
}

/// What an item has gained since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Further {
    /// The epoch of who the session is since.
    pub epoch: u32,
}

/// Appends an item with its length in front, so that one that is not known can be passed over.
pub(super) fn put(out: &mut Vec<u8>, item: &KeptItem<'_>, further: Further) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match further == Further::default() {
        true => growing::put(out, item),
        false => growing::put_with(out, item, &further),
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// The items of a row.
pub(super) fn items(mut bytes: &[u8]) -> impl Iterator<Item = (KeptItem<'_>, Further)> {
    let raw = std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        bytes = rest;
        Some(item)
    });
    raw.filter_map(|item| growing::borrow_with(item).ok())
}

/// Those of one session, in the order of their numbers.
#[derive(Debug, Default)]
struct Answers {
    kept: VecDeque<KeptAnswer>,
    bytes: usize,
}

impl Answers {
    fn at(&self, number: u64) -> Result<usize, usize> {
        self.kept.binary_search_by_key(&number, |one| one.number)
    }

    /// The oldest one; gives its row.
    fn drop_first(&mut self) -> Option<i64> {
        let first = self.kept.pop_front()?;
        self.bytes -= first.outcome.size();
        Some(first.row)
    }
}

#[derive(Debug)]
struct KeptAnswer {
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
    /// What others are to be told of it, until they were.
    news: Vec<News>,
    bytes: usize,
}

impl Row {
    fn is_done(&self) -> bool {
        self.live == 0 && self.news.is_empty()
    }
}

/// What the running transaction adds.
#[derive(Debug, Default)]
pub struct Staged {
    /// Session, number of the request, and what it came to.
    answers: Vec<(u64, u64, Outcome)>,
    news: Vec<News>,
    bytes: Vec<u8>,
    row: i64,
    forgotten: usize,
    gone: Vec<u64>,
}

impl Staged {
    /// One more answer.
    pub fn add(&mut self, session: u64, number: u64, outcome: Outcome) {
        let Outcome { kind, payload, proves } = &outcome;
        let who = proves.map(|proof| proof.who);
        let item = KeptItem::Answer { session, number, kind: *kind, payload, proves: who };
        put(&mut self.bytes, &item, Further { epoch: proves.map_or(0, |proof| proof.epoch) });
        self.answers.push((session, number, outcome));
    }

    /// What others are to be told.
    pub fn tell(&mut self, news: Vec<News>) {
        for one in &news {
            let mut bytes = Vec::new();
            one.put(&mut bytes);
            put(&mut self.bytes, &KeptItem::News(&bytes), Further::default());
        }
        self.news.extend(news);
    }

    /// A session that has ended: its answers are not needed any more.
    pub fn gone(&mut self, session: u64) {
        self.gone.push(session);
    }

    /// Forgets everything: the transaction was given up.
    pub fn clear(&mut self) {
        self.gone.clear();
        self.answers.clear();
        self.news.clear();
        self.bytes.clear();
        self.forgotten = 0;
    }
}

/// All kept answers, and the news that were not delivered yet.
#[derive(Debug, Default)]
pub struct KeptAnswers {
    sessions: HashMap<u64, Answers>,
    rows: BTreeMap<i64, Row>,
    /// Rows that nobody needs any more.
    done: Vec<i64>,
    bytes: usize,
    /// The number of the newest row that there ever was: whoever compares rows must not see one twice.
    last: i64,
}

impl KeptAnswers {
    /// Those of the database.
    ///
    /// # Errors
    /// The database's.
    pub fn load(reader: &dyn Reader) -> ssmglobal_store::Result<KeptAnswers> {
        let mut kept = KeptAnswers::default();
        reader.results(&mut |row, bytes| kept.read(row, bytes))?;
        Ok(kept)
    }

    /// A row as it stands in the database.
    fn read(&mut self, row: i64, bytes: &[u8]) {
        let (mut answers, mut news) = (Vec::new(), Vec::new());
        for (item, Further { epoch }) in items(bytes) {
            match item {
                KeptItem::Answer { session, number, kind, payload, proves } => {
                    let proves = proves.map(|who| Proof { who, epoch });
                    answers.push((session, number, Outcome { kind, payload: payload.into(), proves }));
                }
                KeptItem::News(bytes) => news.extend(News::read(bytes)),
            }
        }
        self.keep(row, bytes.len(), answers.drain(..), news);
    }

    fn keep(&mut self, row: i64, bytes: usize, outcomes: impl Iterator<Item = (u64, u64, Outcome)>, news: Vec<News>) {
        let (mut of, mut superseded) = (Vec::new(), Vec::new());
        for (session, number, outcome) in outcomes {
            of.push((session, number));
            let answers = self.sessions.entry(session).or_default();
            // One that was moved along stands in two rows; the later one counts.
            match answers.at(number) {
                Ok(there) => {
                    let before = answers.kept.get_mut(there).map(|one| std::mem::replace(&mut one.row, row));
                    superseded.extend(before);
                }
                Err(place) => {
                    answers.bytes += outcome.size();
                    answers.kept.insert(place, KeptAnswer { number, row, outcome });
                }
            }
            while answers.bytes > EACH {
                superseded.extend(answers.drop_first());
            }
        }
        let live = of.len();
        self.last = self.last.max(row);
        self.bytes += bytes;
        let added = Row { of, live, news, bytes };
        let done = added.is_done();
        self.rows.insert(row, added);
        superseded.into_iter().for_each(|row| release(&mut self.rows, &mut self.done, row));
        if done {
            self.done.push(row);
        }
    }

    /// What a request came to, if it was done.
    pub fn find(&self, session: u64, number: u64) -> Option<&Outcome> {
        let answers = self.sessions.get(&session)?;
        answers.kept.get(answers.at(number).ok()?).map(|one| &one.outcome)
    }

    /// The number of the last answer that a session may ask for again; 0 for none.
    pub fn last_of(&self, session: u64) -> u64 {
        self.sessions.get(&session).and_then(|answers| answers.kept.back()).map_or(0, |last| last.number)
    }

    /// What a session has proved last that it may not know of yet, and the number of that request.
    pub fn proof_of(&self, session: u64) -> Option<(u64, Proof)> {
        let kept = &self.sessions.get(&session)?.kept;
        kept.iter().rev().find_map(|one| Some((one.number, one.outcome.proves?)))
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
        for one in self.sessions.remove(&session).into_iter().flat_map(|answers| answers.kept) {
            release(&mut self.rows, &mut self.done, one.row);
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
    pub fn store(&mut self, staged: &mut Staged, tx: &mut dyn WriteResults) -> ssmglobal_store::Result<()> {
        if self.bytes > MANY
            && let Some((_, row)) = self.rows.first_key_value().filter(|(_, row)| row.news.is_empty())
        {
            let left = row
                .of
                .iter()
                .filter_map(|(session, number)| Some((*session, *number, self.find(*session, *number)?.clone())));
            left.collect::<Vec<_>>().into_iter().for_each(|(session, number, outcome)| {
                staged.add(session, number, outcome);
            });
        }
        if !staged.bytes.is_empty() {
            staged.row = self.last + 1;
            tx.results_add(staged.row, &staged.bytes)?;
        }
        staged.forgotten = self.done.len().min(FORGET);
        for row in self.done.iter().take(staged.forgotten) {
            tx.results_drop(*row)?;
        }
        Ok(())
    }

    /// The transaction is on disk; gives the row of its news, if there are any.
    pub fn committed(&mut self, staged: &mut Staged) -> Option<(i64, Vec<News>)> {
        for row in self.done.drain(..staged.forgotten) {
            self.bytes -= self.rows.remove(&row).map_or(0, |row| row.bytes);
        }
        let news = std::mem::take(&mut staged.news);
        if !staged.bytes.is_empty() {
            self.keep(staged.row, staged.bytes.len(), staged.answers.drain(..), news.clone());
        }
        staged.gone.drain(..).for_each(|session| self.forget(session));
        let row = staged.row;
        staged.clear();
        (!news.is_empty()).then_some((row, news))
    }

    /// The newest row that there ever was; 0 for none.
    pub fn newest(&self) -> i64 {
        self.last
    }

    /// There were rows up to this one, also if none of them is left.
    pub fn were_upto(&mut self, row: i64) {
        self.last = self.last.max(row);
    }

    /// The news of rows behind this one, the oldest first: not delivered yet.
    pub fn undelivered(&self, row: i64) -> Vec<News> {
        self.rows.range(row + 1..).flat_map(|(_, row)| row.news.iter().cloned()).collect()
    }

    /// The news of all rows up to this one were delivered.
    pub fn news_delivered(&mut self, upto: i64) {
        for (at, row) in self.rows.range_mut(..=upto).filter(|(_, row)| !row.news.is_empty()) {
            row.news.clear();
            if row.is_done() {
                self.done.push(*at);
            }
        }
    }
}

/// One answer less is needed of a row.
fn release(rows: &mut BTreeMap<i64, Row>, done: &mut Vec<i64>, at: i64) {
    if let Some(row) = rows.get_mut(&at) {
        row.live = row.live.saturating_sub(1);
        if row.is_done() {
            done.push(at);
        }
    }
}

#[cfg(test)]
mod tests;
