//! What is kept of answers and news, over rows in a map.

use super::*;
use ssmglobal_ipc::Time;
use ssmglobal_store::{PlayerId, Result, RunKey};

/// The rows of a database.
#[derive(Default)]
struct Rows(BTreeMap<i64, Vec<u8>>);

impl WriteResults for Rows {
    fn run_begin(&mut self, _: u64, _: &RunKey) -> Result<()> {
        panic!("no run begins here");
    }

    fn results_add(&mut self, row: i64, answers: &[u8]) -> Result<()> {
        assert!(self.0.insert(row, answers.to_vec()).is_none(), "the number is taken");
        Ok(())
    }

    fn results_drop(&mut self, row: i64) -> Result<()> {
        assert!(self.0.remove(&row).is_some(), "there is no such row");
        Ok(())
    }

    fn keyed_expire(&mut self, _: Time) -> Result<Option<Principal>> {
        panic!("there are no keys here");
    }
}

impl Rows {
    fn numbers(&self) -> Vec<i64> {
        self.0.keys().copied().collect()
    }

    /// As the next handler finds it.
    fn load(&self) -> KeptAnswers {
        let mut kept = KeptAnswers::default();
        self.0.iter().for_each(|(row, bytes)| kept.read(*row, bytes));
        kept
    }
}

fn outcome(length: usize) -> Outcome {
    Outcome { kind: 2, payload: vec![7; length].into(), proves: None }
}

fn out(id: u32) -> News {
    News::Out { who: PlayerId(id).into(), reason: format!("{id} is out") }
}

/// One transaction with these answers, of sessions and under numbers, and these news.
fn commit(kept: &mut KeptAnswers, rows: &mut Rows, answers: &[(u64, u64)], news: &[u32]) -> Option<(i64, Vec<News>)> {
    let mut staged = Staged::default();
    for (session, number) in answers {
        staged.add(*session, *number, outcome(*number as usize));
    }
    staged.tell(news.iter().copied().map(out).collect());
    kept.store(&mut staged, rows).unwrap();
    kept.committed(&mut staged)
}

fn keep(results: &mut KeptAnswers, row: i64, number: u64, length: usize) {
    results.keep(row, length, [(1, number, outcome(length))].into_iter(), Vec::new());
}

#[test]
fn a_session_that_acknowledges_nothing_has_its_last_answers_kept() {
    let mut results = KeptAnswers::default();
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
    let mut results = KeptAnswers::default();
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

#[test]
fn answers_and_news_of_a_transaction_are_one_row() {
    let (mut kept, mut rows) = (KeptAnswers::default(), Rows::default());
    assert_eq!(commit(&mut kept, &mut rows, &[], &[]), None);
    assert_eq!((rows.numbers(), kept.newest()), (vec![], 0));
    assert_eq!(commit(&mut kept, &mut rows, &[(1, 1), (2, 1)], &[]), None);
    assert_eq!(commit(&mut kept, &mut rows, &[(1, 2)], &[5, 6]), Some((2, vec![out(5), out(6)])));
    assert_eq!(commit(&mut kept, &mut rows, &[], &[7]), Some((3, vec![out(7)])));
    assert_eq!((rows.numbers(), kept.newest()), (vec![1, 2, 3], 3));
    for kept in [kept, rows.load()] {
        assert_eq!(
            [(1, 1), (1, 2), (2, 1)].map(|(session, number)| kept.find(session, number).cloned()),
            [Some(outcome(1)), Some(outcome(2)), Some(outcome(1))]
        );
        assert_eq!((kept.find(1, 3), kept.find(3, 1)), (None, None));
        assert_eq!((kept.undelivered(0), kept.newest()), (vec![out(5), out(6), out(7)], 3));
        assert_eq!((kept.undelivered(2), kept.undelivered(3)), (vec![out(7)], vec![]));
    }
}

#[test]
fn a_row_goes_when_its_answers_are_acknowledged_and_its_news_told() {
    let (mut kept, mut rows) = (KeptAnswers::default(), Rows::default());
    commit(&mut kept, &mut rows, &[(1, 1), (2, 1)], &[5]);
    commit(&mut kept, &mut rows, &[], &[6]);
    let mut after = |does: &mut dyn FnMut(&mut KeptAnswers)| {
        does(&mut kept);
        commit(&mut kept, &mut rows, &[], &[]);
        (rows.numbers(), rows.load().undelivered(0).len(), kept.undelivered(0).len())
    };
    assert_eq!(after(&mut |kept| kept.acknowledged(1, 1)), (vec![1, 2], 2, 2), "the other one has not");
    assert_eq!(after(&mut |kept| kept.acknowledged(2, 9)), (vec![1, 2], 2, 2), "it is not told");
    assert_eq!(after(&mut |kept| kept.news_delivered(1)), (vec![2], 1, 1));
    assert_eq!(after(&mut |kept| kept.news_delivered(1)), (vec![2], 1, 1));
    assert_eq!(after(&mut |kept| kept.news_delivered(2)), (vec![], 0, 0), "told first and never asked for");
    // The other way round, and by a session that is gone.
    commit(&mut kept, &mut rows, &[(1, 2), (2, 2)], &[7]);
    assert_eq!(rows.numbers(), [3], "numbers go on");
    kept.news_delivered(3);
    kept.acknowledged(1, 2);
    commit(&mut kept, &mut rows, &[], &[]);
    assert_eq!(rows.numbers(), [3]);
    kept.retain(&HashSet::from([1]));
    commit(&mut kept, &mut rows, &[], &[]);
    assert_eq!((rows.numbers(), kept.bytes, kept.rows.len(), kept.done.len()), (vec![], 0, 0, 0));
}

#[test]
fn a_session_that_ends_in_a_transaction_takes_its_answers_of_the_same_along() {
    let (mut kept, mut rows, mut staged) = (KeptAnswers::default(), Rows::default(), Staged::default());
    commit(&mut kept, &mut rows, &[(1, 1)], &[]);
    staged.add(1, 2, outcome(2));
    staged.gone(1);
    kept.store(&mut staged, &mut rows).unwrap();
    assert_eq!(kept.committed(&mut staged), None);
    assert_eq!((kept.find(1, 1), kept.find(1, 2)), (None, None));
    commit(&mut kept, &mut rows, &[], &[]);
    assert_eq!(rows.numbers(), [0; 0]);
}

#[test]
fn what_was_given_up_leaves_nothing() {
    let (mut kept, mut rows, mut staged) = (KeptAnswers::default(), Rows::default(), Staged::default());
    commit(&mut kept, &mut rows, &[(1, 1), (2, 1)], &[]);
    kept.acknowledged(1, 1);
    kept.acknowledged(2, 1);
    // Rows that go are of the transaction, too: its store forgets them, this one must not.
    staged.add(1, 2, outcome(2));
    staged.tell(vec![out(5)]);
    staged.gone(2);
    kept.store(&mut staged, &mut Rows(rows.0.clone())).unwrap();
    staged.clear();
    assert_eq!((kept.find(1, 2), kept.undelivered(0), kept.newest()), (None, vec![], 1));
    kept.store(&mut staged, &mut rows).unwrap();
    assert_eq!(kept.committed(&mut staged), None);
    assert_eq!(rows.numbers(), [0; 0]);
    assert_eq!(commit(&mut kept, &mut rows, &[(2, 2)], &[6]), Some((2, vec![out(6)])));
    assert!(kept.find(2, 2).is_some());
}

#[test]
fn so_many_rows_go_with_one_transaction_and_no_more() {
    let (mut kept, mut rows) = (KeptAnswers::default(), Rows::default());
    for number in 1..=FORGET as u64 + 3 {
        commit(&mut kept, &mut rows, &[(1, number)], &[]);
    }
    kept.acknowledged(1, u64::MAX);
    commit(&mut kept, &mut rows, &[], &[]);
    assert_eq!(rows.numbers().len(), 3);
    commit(&mut kept, &mut rows, &[], &[]);
    assert_eq!(rows.numbers(), [0; 0]);
}

/// Transactions of a quick session, which acknowledges everything at once, with big answers.
fn fill(kept: &mut KeptAnswers, rows: &mut Rows, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let mut staged = Staged::default();
        kept.acknowledged(9, number);
        staged.add(9, number, outcome(4 << 20));
        kept.store(&mut staged, rows).unwrap();
        assert_eq!(kept.committed(&mut staged), None);
    }
}

#[test]
fn what_a_slow_session_does_not_acknowledge_is_moved_along_and_the_room_is_given_back() {
    let (mut kept, mut rows) = (KeptAnswers::default(), Rows::default());
    let mut staged = Staged::default();
    staged.add(1, 1, outcome(3));
    staged.add(9, 1, outcome(MANY));
    kept.store(&mut staged, &mut rows).unwrap();
    kept.committed(&mut staged);
    assert!(kept.bytes > MANY);
    fill(&mut kept, &mut rows, 2..3);
    assert_eq!((rows.numbers(), kept.find(1, 1)), (vec![1, 2], Some(&outcome(3))));
    assert_eq!(rows.load().find(1, 1), Some(&outcome(3)), "it stands in two rows");
    fill(&mut kept, &mut rows, 3..20);
    assert!(kept.bytes < MANY && rows.numbers().len() < 5, "{:?}", rows.numbers());
    let loaded = rows.load();
    assert_eq!((kept.find(1, 1), loaded.find(1, 1)), (Some(&outcome(3)), Some(&outcome(3))));
    assert_eq!((loaded.find(9, 19).is_some(), kept.find(9, 18)), (true, None));
    kept.acknowledged(1, 1);
    kept.acknowledged(9, 19);
    commit(&mut kept, &mut rows, &[], &[]);
    assert_eq!((rows.numbers(), kept.bytes), (vec![], 0));
}

#[test]
fn a_row_whose_news_were_not_told_is_not_moved() {
    let (mut kept, mut rows) = (KeptAnswers::default(), Rows::default());
    commit(&mut kept, &mut rows, &[(1, 1)], &[5]);
    kept.bytes += MANY;
    commit(&mut kept, &mut rows, &[(9, 1)], &[]);
    assert_eq!(items(&rows.0[&2]).count(), 1);
    kept.news_delivered(1);
    commit(&mut kept, &mut rows, &[(9, 2)], &[]);
    assert_eq!(items(&rows.0[&3]).count(), 2);
}

#[test]
fn numbers_go_on_behind_what_was_told_when_no_row_is_left() {
    let (mut kept, mut rows) = (Rows::default().load(), Rows::default());
    kept.were_upto(40);
    assert_eq!(commit(&mut kept, &mut rows, &[], &[5]), Some((41, vec![out(5)])));
    kept.were_upto(7);
    assert_eq!((kept.newest(), kept.undelivered(40)), (41, vec![out(5)]));
}

#[test]
fn only_sessions_that_are_still_there_keep_their_answers() {
    let (mut kept, mut rows) = (KeptAnswers::default(), Rows::default());
    commit(&mut kept, &mut rows, &[(1, 1), (2, 1), (3, 1)], &[]);
    commit(&mut kept, &mut rows, &[(2, 2)], &[]);
    kept.retain(&HashSet::from([1, 3, 4]));
    assert_eq!(
        [(1, 1), (2, 1), (3, 1), (2, 2)].map(|(session, number)| kept.find(session, number).is_some()),
        [true, false, true, false]
    );
    commit(&mut kept, &mut rows, &[], &[]);
    assert_eq!(rows.numbers(), [1]);
}
