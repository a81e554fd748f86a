//! A sequence of changes over a real store, in batches: who is answered what, who is told what, what the next handler
//! finds.

use super::state::{State, Wanted};
use super::steps::{Cut, Luck};
use super::*;
use crate::lock::lock;
use crate::state::journal::packed;
use crate::state::news::News;
use crate::state::session::Proof;
use crate::testing::{Bench, set_now};
use crate::work::{Asker, KeptAnswers, ToLoop, Write};
use ssmglobal_ipc::ctl;
use ssmglobal_store::StoreError;
use std::collections::{BTreeSet, HashSet};

/// An answer as it is kept: kind and payload, and who the session is since.
type Answer = (u16, Vec<u8>, Option<Proof>);

/// A run, and what it is to be like.
pub struct Run<'a> {
    bench: Bench<Change>,
    /// Everything at the end.
    last: &'a World,
    /// Boards as of the last batch.
    boards: World,
    /// Answers that no session has acknowledged.
    kept: BTreeMap<(u64, u64), Answer>,
    /// Requests that were ever asked, of sessions.
    asked: BTreeSet<(u64, u64)>,
    acknowledged: BTreeMap<u64, u64>,
    /// News that were not delivered yet, with their rows.
    undelivered: Vec<(i64, Vec<News>)>,
    delivered: i64,
    operators: u64,
}

/// What a batch is to say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcomes {
    /// On links: session, number, kind and payload.
    replies: Vec<(u64, u64, u16, Vec<u8>)>,
    /// Sessions that are somebody now: session, number, who, and the answer.
    proved: Vec<(u64, u64, Proof, Reply)>,
    /// Operators' commands, and why they were refused.
    operators: Vec<(u64, Option<Reply>)>,
    /// Keys that are in the database.
    keyed: Vec<(Principal, String)>,
    /// Of each transaction.
    news: Vec<Vec<News>>,
}

/// Boards come in any order, behind all else.
fn sorted(mut news: Vec<News>) -> Vec<News> {
    let is_of_a_board = |news: &News| matches!(news, News::Tell { event: ssmglobal_ipc::Event::Record(_), .. });
    let behind = news.iter().position(is_of_a_board).unwrap_or(news.len());
    news[behind..].sort_by_key(|news| format!("{news:?}"));
    news
}

impl Run<'_> {
    /// Does the changes of each phase in batches.
    pub fn new(last: &World) -> Run<'_> {
        Run {
            bench: Bench::new(),
            last,
            boards: World::new(),
            kept: BTreeMap::new(),
            asked: BTreeSet::new(),
            acknowledged: BTreeMap::new(),
            undelivered: Vec::new(),
            delivered: 0,
            operators: 0,
        }
    }

    /// Changes that nothing made among them is needed for, and what they come to.
    pub fn phase(&mut self, at: Time, mut jobs: &[(Job, Came)], cuts: &mut impl Iterator<Item = Cut>) {
        set_now(at);
        while !jobs.is_empty() {
            let cut = cuts.next().unwrap();
            let batch;
            (batch, jobs) = jobs.split_at(cut.length.min(jobs.len()));
            self.batch(batch, cut);
        }
        self.bench.check_memory();
    }

    fn batch(&mut self, batch: &[(Job, Came)], cut: Cut) {
        let unavailable = |reply: &Reply| matches!(reply, Reply::Failed(failure) if failure.code == Code::Unavailable);
        match cut.luck {
            Luck::Good => {}
            Luck::Again => self.bench.fail([StoreError::Other("no luck".into())]),
            // One alone has no pieces.
            Luck::Pieces => {
                let times = if batch.len() > 1 { 2 } else { 1 };
                self.bench.fail((0..times).map(|_| StoreError::Other("no luck".into())));
            }
            Luck::Full => {
                let (writes, expected) = self.writes(batch);
                self.bench.fail([StoreError::Unavailable("no room".into())]);
                let outcomes = self.commit(&writes);
                let proved = expected.proved.len();
                assert_eq!(outcomes.replies.len(), expected.replies.len() + proved);
                assert!(
                    outcomes
                        .replies
                        .iter()
                        .all(|reply| unavailable(&crate::state::journal::unpacked(reply.2, &reply.3)))
                );
                assert!(outcomes.operators.iter().all(|(_, why)| why.as_ref().is_some_and(unavailable)));
                assert_eq!(outcomes.operators.len(), expected.operators.len());
                assert!(outcomes.proved.is_empty() && outcomes.keyed.is_empty() && outcomes.news.is_empty());
                // Who was acknowledged is so; nothing was kept.
                self.forget(batch);
                self.bench.check_memory();
            }
        }
        let (writes, mut expected) = self.writes(batch);
        let pieces = if cut.luck == Luck::Pieces { 1 } else { batch.len() };
        for piece in batch.chunks(pieces) {
            let rows: Vec<Row> = piece.iter().flat_map(|(_, came)| came.rows.iter().cloned()).collect();
            let news = self.boards.news(&rows);
            self.boards.take(&rows);
            expected.news.extend((!news.is_empty()).then(|| sorted(news)));
        }
        self.keep(batch, &writes);
        assert_eq!(self.commit(&writes), expected);
        if cut.delivered {
            let mut kept = lock(&self.bench.shared.kept);
            self.delivered = kept.newest();
            kept.news_delivered(self.delivered);
            self.undelivered.clear();
        }
    }

    /// The batch as jobs for the writer, and what is to be said of it but for news.
    fn writes(&mut self, batch: &[(Job, Came)]) -> (Vec<Write<Change>>, Outcomes) {
        let (mut writes, mut expected) = (Vec::new(), Outcomes::default());
        for (job, came) in batch {
            writes.extend(job.ends.map(Write::Gone));
            let failed = matches!(came.reply, Reply::Failed(_));
            let asker = match job.by {
                By::Session => {
                    if job.acknowledges {
                        let upto = self.kept.keys().filter(|key| key.0 == job.session).map(|key| key.1).max();
                        let upto = upto.unwrap_or(0).max(self.acknowledged.get(&job.session).copied().unwrap_or(0));
                        self.acknowledged.insert(job.session, upto);
                        self.bench.acknowledge(job.session, upto);
                    }
                    let asker = self.bench.asker(job.session);
                    let number = self.bench.last(job.session);
                    self.asked.insert((job.session, number));
                    let (kind, payload) = packed(&came.reply);
                    match came.proves {
                        Some(who) => expected.proved.push((job.session, number, who, came.reply.clone())),
                        None => expected.replies.push((job.session, number, kind, payload)),
                    }
                    asker
                }
                By::Operator => {
                    self.operators += 1;
                    expected.operators.push((self.operators, failed.then(|| came.reply.clone())));
                    Asker::Operator(self.operators, Box::new(ctl::Answer::Done))
                }
                By::Nobody => {
                    let key = job.key.clone().unwrap();
                    expected.keyed.push((key.owner, key.key.clone()));
                    Asker::Keyed(key.owner, key.key)
                }
            };
            let (change, key) = (job.change.clone(), job.key.clone().map(Box::new));
            writes.push(Write::Change { asker, change, key, tried: None });
        }
        expected.replies.sort();
        (writes, expected)
    }

    /// Has the writer do a batch; gives what it says of it.
    fn commit(&mut self, writes: &[Write<Change>]) -> Outcomes {
        let (said, left) = self.bench.commit(writes);
        let replies = said.into_iter().map(|said| (said.session, said.number, said.kind, said.payload)).collect();
        let mut outcomes = Outcomes { replies, ..Outcomes::default() };
        for one in left {
            match one {
                ToLoop::Proved { at, to, proof, reply } => outcomes.proved.push((at.id, to.number, proof, reply)),
                ToLoop::Operator(number, ctl::Answer::Done) => outcomes.operators.push((number, None)),
                ToLoop::Operator(number, ctl::Answer::Failed(failure)) => {
                    outcomes.operators.push((number, Some(failure.into())));
                }
                ToLoop::Keyed(owner, key) => outcomes.keyed.push((owner, key)),
                ToLoop::News(row, news) => {
                    self.undelivered.push((row, news.clone()));
                    outcomes.news.push(sorted(news));
                }
                left => panic!("{left:?}"),
            }
        }
        outcomes
    }

    /// What sessions of a batch have acknowledged.
    fn forget(&mut self, batch: &[(Job, Came)]) {
        for (job, _) in batch.iter().filter(|(job, _)| job.by == By::Session) {
            let acknowledged = self.acknowledged.get(&job.session).copied().unwrap_or(0);
            self.kept.retain(|(session, number), _| *session != job.session || *number > acknowledged);
        }
    }

    /// What is kept after a batch.
    fn keep(&mut self, batch: &[(Job, Came)], writes: &[Write<Change>]) {
        self.forget(batch);
        let asked = writes.iter().filter(|write| matches!(write, Write::Change { .. }));
        for ((_, came), write) in batch.iter().zip(asked) {
            if let Write::Change { asker: Asker::Session(_, to), .. } = write {
                let (kind, payload) = packed(&came.reply);
                self.kept.insert((to.link.asked().0, to.number), (kind, payload, came.proves));
            }
        }
        for session in batch.iter().filter_map(|(job, _)| job.ends) {
            self.kept.retain(|(other, _), _| *other != session);
        }
    }

    fn find(&self, kept: &KeptAnswers) -> BTreeMap<(u64, u64), Answer> {
        let found = self.asked.iter().filter_map(|(session, number)| {
            let found = kept.find(*session, *number)?;
            Some(((*session, *number), (found.kind, found.payload.to_vec(), found.proves)))
        });
        found.collect()
    }

    /// The end: what is kept, and what the next handler finds; gives all that is in the store.
    pub fn end(mut self, keys: &[ClientKey], ended: &HashSet<u64>) -> State {
        let reader = self.bench.store.reader().unwrap();
        let undelivered: Vec<News> = self.undelivered.iter().flat_map(|(_, news)| news.iter().cloned()).collect();
        {
            let kept = lock(&self.bench.shared.kept);
            assert_eq!(self.find(&kept), self.kept);
            assert_eq!(kept.undelivered(self.delivered), undelivered);
        }
        let mut next = KeptAnswers::load(&*reader).unwrap();
        assert_eq!(next.undelivered(self.delivered), undelivered, "what was delivered is known from elsewhere");
        next.news_delivered(self.delivered);
        assert_eq!(next.undelivered(0), undelivered);
        let sessions = self.asked.iter().map(|(session, _)| *session);
        next.retain(&sessions.filter(|session| !ended.contains(session)).collect());
        for (session, upto) in &self.acknowledged {
            next.acknowledged(*session, *upto);
        }
        // The last word of one who has asked nothing since is not heard of.
        let acknowledged =
            |(session, number): &(u64, u64)| self.acknowledged.get(session).is_some_and(|upto| number <= upto);
        self.kept.retain(|key, _| !acknowledged(key));
        assert_eq!(self.find(&next), self.kept);
        let wanted = Wanted { model: &self.last.model, keys };
        let state = wanted.in_store(&*reader);
        self.bench.tidy();
        self.bench.check_memory();
        assert_eq!(wanted.in_store(&*reader), state, "nobody sees that scores were folded");
        state
    }
}
