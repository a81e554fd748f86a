//! The folding of the log, against a model, with a crash between any two transactions.

use super::*;
use crate::sqlite::fold::PLAN_ROWS;
use crate::sqlite::writer::SqliteWriter;
use proptest::prelude::*;
use std::collections::BTreeMap;

const BOARDS: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A transaction of scores: (board, player, score), withdrawn when the score is nothing.
    Batch(Vec<(u32, u32, Option<i64>)>),
    /// The same, given up.
    Lost(Vec<(u32, u32, Option<i64>)>),
    Tidy,
    Checkpoint,
    /// Everything is opened anew from what is on disk.
    Crash,
}

fn batch() -> impl Strategy<Value = Vec<(u32, u32, Option<i64>)>> {
    prop::collection::vec((1..=BOARDS, 1..30u32, prop::option::weighted(0.8, -50..50i64)), 0..40)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => batch().prop_map(Step::Batch),
        1 => batch().prop_map(Step::Lost),
        6 => Just(Step::Tidy),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..30)
}

type Model = BTreeMap<(u32, u32), Standing>;

fn apply(tx: &mut dyn Tx, model: &mut Model, order: &mut u64, changes: &[(u32, u32, Option<i64>)]) {
    for (board, player, score) in changes {
        match (score, model.get(&(*board, *player)).cloned()) {
            (Some(score), _) => {
                *order += 1;
                let new = standing(*player, *order, *score);
                tx.record_put(BoardId(*board), &new).unwrap();
                model.insert((*board, *player), new);
            }
            (None, Some(was)) => {
                *order += 1;
                tx.record_withdraw(BoardId(*board), &was, *order, Time(1), "why").unwrap();
                model.remove(&(*board, *player));
            }
            (None, None) => {}
        }
    }
}

fn check(reader: &dyn Reader, model: &Model, order: u64) {
    for board in 1..=BOARDS {
        let expected: Vec<Standing> =
            model.iter().filter(|((b, _), _)| *b == board).map(|(_, standing)| standing.clone()).collect();
        assert_eq!(standings(reader, BoardId(board)), expected);
    }
    assert_eq!(reader.last_order().unwrap(), order);
}

fn populated(place: &Place) -> SqliteWriter {
    let mut writer = place.store.sqlite_writer().unwrap();
    commit(&mut writer, |tx| {
        (1..30).for_each(|n| assert_eq!(tx.player_add(&new_player(&format!("p{n}"))).unwrap(), PlayerId(n)));
        (1..=BOARDS).for_each(|n| assert_eq!(tx.board_add(&new_board(&format!("b{n}"))).unwrap(), BoardId(n)));
        tx.server_add("arena", &[0; 32], Time(0)).unwrap();
    });
    writer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stands_is_what_was_committed(steps in steps()) {
        let mut place = Place::new();
        let mut writer = populated(&place);
        let (mut model, mut order) = (Model::new(), 0);
        for step in steps {
            match step {
                Step::Batch(changes) => commit(&mut writer, |tx| apply(tx, &mut model, &mut order, &changes)),
                Step::Lost(changes) => {
                    writer.begin().unwrap();
                    apply(writer.tx(), &mut model.clone(), &mut order.clone(), &changes);
                    writer.rollback();
                }
                Step::Tidy => { writer.tidy().unwrap(); }
                Step::Checkpoint => place.store.checkpoint().unwrap(),
                Step::Crash => {
                    let folder = tempfile::tempdir().unwrap();
                    let store = after_a_crash(place.store.path(), folder.path());
                    drop(writer);
                    place = Place { folder, store };
                    writer = place.store.sqlite_writer().unwrap();
                }
            }
            check(&*place.reader(), &model, order);
        }
        while writer.tidy().unwrap() {}
        assert_eq!(writer.log_rows, 0);
        check(&*place.reader(), &model, order);
        let verified = SqliteStore::verify(place.store.path()).unwrap();
        assert_eq!((verified.problems, verified.records), (vec![], model.len() as u64));
    }
}

/// Scores of more players than one slice takes, in an order that is not theirs.
fn many(writer: &mut SqliteWriter, model: &mut Model, order: &mut u64, rows: u32) {
    commit(writer, |tx| {
        for n in 0..rows {
            *order += 1;
            let player = n.wrapping_mul(7_919) % 5_000;
            let new = Standing { note: None, ..standing(player, *order, i64::from(n)) };
            tx.record_put(BoardId(1 + n % BOARDS), &new).unwrap();
            model.insert((1 + n % BOARDS, player), new);
        }
    });
}

#[test]
fn a_crash_between_any_two_slices_loses_nothing() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    let (mut model, mut order) = (Model::new(), 0);
    let folder = tempfile::tempdir().unwrap();
    let mut calls = 0;
    for round in 0..2 {
        many(&mut writer, &mut model, &mut order, 30_000);
        while writer.tidy().unwrap() {
            calls += 1;
            if calls % 5 == round {
                let crashed = after_a_crash(place.store.path(), folder.path());
                check(&*crashed.reader().unwrap(), &model, order);
                let mut again = crashed.sqlite_writer().unwrap();
                while again.tidy().unwrap() {}
                check(&*crashed.reader().unwrap(), &model, order);
            }
            if calls == 20 {
                // Newer scores arrive while a plan is being carried out.
                many(&mut writer, &mut model, &mut order, 1_000);
            }
        }
    }
    assert!(calls > 30, "the plan was carried out in {calls} calls only");
    assert_eq!(writer.log_rows, 0);
    check(&*place.reader(), &model, order);
}

#[test]
fn under_load_the_log_grows_first() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    let (mut model, mut order) = (Model::new(), 0);
    assert!(!writer.tidy().unwrap(), "nothing waits");
    for _ in 0..3 {
        many(&mut writer, &mut model, &mut order, 100);
        assert!(writer.tidy().unwrap());
        assert!(writer.fold.is_none());
    }
    assert_eq!(writer.log_rows, 300);
    while writer.log_rows < PLAN_ROWS {
        many(&mut writer, &mut model, &mut order, 50_000);
    }
    assert!(writer.tidy().unwrap());
    assert!(writer.fold.is_some(), "now it is worth it");
}

#[test]
fn the_log_is_counted_anew_by_every_writer() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    many(&mut writer, &mut Model::new(), &mut 0, 10);
    drop(writer);
    assert_eq!(place.store.sqlite_writer().unwrap().log_rows, 10);
}
