//! The folding of the log, against a model, with a crash between any two transactions.

use super::*;
use crate::sqlite::fold::PLAN_ROWS;
use proptest::prelude::*;
use std::collections::BTreeMap;

const BOARDS: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A transaction of scores: (board, player, score), withdrawn when the score is nothing.
    Batch(Vec<(u32, u32, Option<i64>)>),
    /// The same, given up.
    Lost(Vec<(u32, u32, Option<i64>)>),
    Idle,
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
        6 => Just(Step::Idle),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..30)
}

type Model = BTreeMap<(u32, u32), Standing>;

/// `order` is the highest that was given.
fn apply(tx: &mut dyn Tx, model: &mut Model, order: &mut u64, changes: &[(u32, u32, Option<i64>)]) {
    let mut next = |tx: &mut dyn Tx| {
        let next = tx.next_number(Sequence::Order).unwrap();
        assert!(next > *order, "{next} after {order}");
        *order = next;
        next
    };
    for (board, player, score) in changes {
        match (score, model.get(&(*board, *player)).cloned()) {
            (Some(score), _) => {
                let new = standing(*player, next(tx), *score);
                tx.put(&scored(*board, new.clone())).unwrap();
                model.insert((*board, *player), new);
            }
            (None, Some(was)) => {
                let (board_id, order) = (BoardId(*board), next(tx));
                tx.put(&Row::Withdrawn { board: board_id, was, order, at: Time(1), reason: "why".into() }).unwrap();
                model.remove(&(*board, *player));
            }
            (None, None) => {}
        }
    }
}

/// `order` is the highest that was committed.
fn check(store: &SqliteStore, model: &Model, order: u64) {
    let reader = store.sqlite_reader().unwrap();
    for board in 1..=BOARDS {
        let expected: Vec<Standing> =
            model.iter().filter(|((b, _), _)| *b == board).map(|(_, standing)| standing.clone()).collect();
        assert_eq!(standings(&reader, BoardId(board)), expected);
    }
    assert_eq!(reader.last_order().unwrap(), order);
}

fn populated(place: &Place) -> SqliteWriter {
    let mut writer = place.store.sqlite_writer().unwrap();
    commit(&mut writer, |tx| {
        (1..30).for_each(|n| tx.put(&player(n, &format!("p{n}"))).unwrap());
        (1..=BOARDS).for_each(|n| tx.put(&Row::Board(new_board(n, &format!("b{n}")))).unwrap());
        tx.put(&server(1, "arena")).unwrap();
    });
    writer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stands_is_what_was_committed(steps in steps()) {
        let mut place = Place::new();
        let mut writer = populated(&place);
        let (mut model, mut order, mut given) = (Model::new(), 0, 0);
        for step in steps {
            match step {
                Step::Batch(changes) => {
                    let before = given;
                    commit(&mut writer, |tx| apply(tx, &mut model, &mut given, &changes));
                    if given > before {
                        order = given;
                    }
                }
                Step::Lost(changes) => {
                    writer.begin().unwrap();
                    apply(writer.tx(), &mut model.clone(), &mut given, &changes);
                    writer.rollback();
                }
                Step::Idle => { writer.idle().unwrap(); }
                Step::Checkpoint => place.store.shared.checkpoint().unwrap(),
                Step::Crash => {
                    let folder = tempfile::tempdir().unwrap();
                    let store = after_a_crash(place.store.path(), folder.path());
                    drop(writer);
                    place = Place { folder, store };
                    writer = place.store.sqlite_writer().unwrap();
                    given = order;
                }
            }
            check(&place.store, &model, order);
        }
        while writer.idle().unwrap() {}
        assert_eq!(writer.log_rows, 0);
        check(&place.store, &model, order);
        let verified = verified(place.store.path());
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
            tx.put(&scored(1 + n % BOARDS, new.clone())).unwrap();
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
        while writer.idle().unwrap() {
            calls += 1;
            if calls % 5 == round {
                let crashed = after_a_crash(place.store.path(), folder.path());
                check(&crashed, &model, order);
                let mut again = crashed.sqlite_writer().unwrap();
                while again.idle().unwrap() {}
                check(&crashed, &model, order);
            }
            if calls == 20 {
                // Newer scores arrive while a plan is being carried out.
                many(&mut writer, &mut model, &mut order, 1_000);
            }
        }
    }
    assert!(calls > 30, "the plan was carried out in {calls} calls only");
    assert_eq!(writer.log_rows, 0);
    check(&place.store, &model, order);
}

#[test]
fn under_load_the_log_grows_first() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    let (mut model, mut order) = (Model::new(), 0);
    assert!(!writer.idle().unwrap(), "nothing waits");
    for _ in 0..3 {
        many(&mut writer, &mut model, &mut order, 100);
        assert!(writer.idle().unwrap());
        assert!(writer.fold.is_none());
    }
    assert_eq!(writer.log_rows, 300);
    while writer.log_rows < PLAN_ROWS {
        many(&mut writer, &mut model, &mut order, 50_000);
    }
    assert!(writer.idle().unwrap());
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

fn count(writer: &SqliteWriter, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table}");
    writer.db.conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as u64
}

#[test]
fn folding_goes_along_with_commits_unasked() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    let (mut model, mut order) = (Model::new(), 0);
    while writer.log_rows < PLAN_ROWS {
        many(&mut writer, &mut model, &mut order, 50_000);
    }
    let (before, mut more) = (order, 0);
    while more == 0 || writer.fold.is_some() {
        more += 1;
        assert!(more < 100, "it does not get done");
        many(&mut writer, &mut model, &mut order, 2_000);
    }
    assert_eq!(writer.log_rows, order - before, "what was there is folded");
    drop(writer);
    let place = place.again();
    let writer = place.store.sqlite_writer().unwrap();
    assert_eq!((writer.log_rows, count(&writer, "record_log")), (order - before, order - before));
    assert_eq!(count(&writer, "record"), model.len() as u64);
    check(&place.store, &model, order);
}

/// A plan that a transaction may go on with: all is read, nothing is written.
fn planned(writer: &mut SqliteWriter, model: &mut Model, order: &mut u64) {
    many(writer, model, order, 4_000);
    assert!(writer.idle().unwrap() && writer.fold.is_none());
    assert!(writer.idle().unwrap() && writer.fold.is_some());
}

#[test]
fn a_transaction_that_was_lost_to_folding_is_kept_at_the_second_try() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    let (mut model, mut order) = (Model::new(), 0);
    planned(&mut writer, &mut model, &mut order);
    let rename = |writer: &SqliteWriter, from: &str, to: &str| {
        writer.db.conn.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).unwrap();
    };
    rename(&writer, "record", "away");
    writer.begin().unwrap();
    writer.tx().put(&player(1, "alice")).unwrap();
    assert!(matches!(writer.commit(), Err(StoreError::Other(_))));
    assert_eq!(place.reader().player_count().unwrap(), 0, "all of it was given up");
    put(&mut writer, &player(1, "alice"));

    assert!(writer.idle().unwrap() && writer.fold.is_some(), "a plan alone is no proof");
    put(&mut writer, &player(2, "bob"));
    assert!(matches!(writer.idle(), Err(StoreError::Other(_))));
    put(&mut writer, &player(3, "carol"));
    rename(&writer, "away", "record");
    while writer.idle().unwrap() {}
    check(&place.store, &model, order);

    planned(&mut writer, &mut model, &mut order);
    writer.db.conn.execute_batch("DELETE FROM record").unwrap();
    put(&mut writer, &player(4, "dave"));
    assert_eq!(count(&writer, "record"), 16, "now it goes along again");
}

#[test]
fn a_plan_that_has_read_a_transaction_that_was_given_up_is_forgotten() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    let (mut model, mut order) = (Model::new(), 0);
    // More than is read at once.
    many(&mut writer, &mut model, &mut order, 12_600);
    assert!(writer.idle().unwrap() && writer.idle().unwrap());
    writer.begin().unwrap();
    apply(writer.tx(), &mut model.clone(), &mut order.clone(), &[(1, 0, Some(99))]);
    // What only the COMMIT finds.
    let nobodys = "PRAGMA defer_foreign_keys = ON; INSERT INTO block VALUES (99, 1, 1)";
    writer.db.conn.execute_batch(nobodys).unwrap();
    assert!(writer.commit().is_err());
    check(&place.store, &model, order);
    while writer.idle().unwrap() {}
    check(&place.store, &model, order);
}
