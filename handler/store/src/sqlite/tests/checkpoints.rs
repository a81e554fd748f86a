//! How the write-ahead log is moved into the file, on its thread and without.

use super::*;
use crate::sqlite::checkpoint::{CHECKPOINT_AGAIN_PAGES, CHECKPOINT_PAGES, Due};
use std::fs;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};

/// A thread that has not done it by then will never do.
const DEADLINE: Duration = Duration::from_secs(60);

/// A writer, and how each checkpoint of its thread ends.
fn reporting_writer(store: &SqliteStore) -> (SqliteWriter, Receiver<Result<()>>) {
    let (report, reports) = channel();
    let writer = store.sqlite_writer_with(move |outcome| drop(report.send(outcome))).unwrap();
    (writer, reports)
}

fn pages(place: &Place) -> u32 {
    place.store.shared.wal_pages.load(Ordering::Acquire)
}

#[test]
fn a_checkpoint_lets_the_log_start_over_at_the_same_length() {
    let place = Place::new();
    let mut writer = place.writer();
    let wal = place.file("test.db-wal");
    let add = |writer: &mut dyn Writer, n: u32| put(writer, &player(n + 1, &format!("p{n}")));
    (0..50).for_each(|n| add(&mut *writer, n));
    let length = fs::metadata(&wal).unwrap().len();
    for round in 1..10 {
        place.store.shared.checkpoint().unwrap();
        (0..40).for_each(|n| add(&mut *writer, 50 * round + n));
        assert_eq!(fs::metadata(&wal).unwrap().len(), length, "round {round}");
    }
}

#[test]
fn a_checkpoint_waits_for_the_transaction_and_goes_first() {
    let place = Place::new();
    let mut writer = place.writer();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| (0..50).for_each(|_| place.store.shared.checkpoint().unwrap()));
        for n in 0..200 {
            put(&mut *writer, &player(n + 1, &format!("p{n}")));
        }
        running.join().unwrap();
    });
    assert_eq!(place.reader().player_count().unwrap(), 200);
    assert_eq!(verified(place.store.path()).problems, Vec::<String>::new());
}

#[test]
fn a_checkpoint_is_due_once_in_a_while() {
    let mut due = Due::default();
    let mut due_at = Vec::new();
    for pages in (0..26_000).step_by(500) {
        if due.is_due(pages) {
            due_at.push(pages);
            assert!(!due.is_due(pages), "told once");
        }
    }
    assert_eq!(due_at, [16_000, 20_000, 24_000], "at 16,000 pages and every 4,000 after that");
    assert!(!due.is_due(3), "the log has started over");
    assert!(!due.is_due(CHECKPOINT_PAGES - 1) && due.is_due(CHECKPOINT_PAGES));
}

#[test]
fn the_log_stays_bounded_without_being_asked() {
    let place = Place::new();
    let (mut writer, reports) = reporting_writer(&place.store);
    let value = KeptSetting { value: Some("x".repeat(8_000)), version: 1, public: false, at: Time(0) };
    let mut rounds = 0;
    for n in 1.. {
        commit(&mut writer, |tx| (0..500).for_each(|key| tx.put(&set(n, &key.to_string(), &value)).unwrap()));
        if pages(&place) < CHECKPOINT_PAGES {
            continue;
        }
        reports.recv_timeout(DEADLINE).unwrap().unwrap();
        commit(&mut writer, |tx| tx.put(&set(n, "0", &value)).unwrap());
        assert!(pages(&place) < 100, "it has started over");
        rounds += 1;
        if rounds == 2 {
            break;
        }
    }
    let length = fs::metadata(place.file("test.db-wal")).unwrap().len();
    assert!(length < u64::from(CHECKPOINT_PAGES + CHECKPOINT_AGAIN_PAGES) * 4_120, "{length}");
    assert_eq!(reports.try_iter().count(), 0, "told once");
}

#[test]
fn a_checkpoint_that_has_failed_is_tried_again_when_it_is_due() {
    let place = Place::new();
    let (mut writer, reports) = reporting_writer(&place.store);
    put(&mut writer, &player(1, "alice"));
    let path = place.store.path();
    let exchange = |conn| {
        let mut keeper = place.store.shared.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *keeper, conn)
    };
    let able = exchange(crate::sqlite::file::connect_reader(path).unwrap());
    // As if so much had been written; the next commit tells the truth again.
    let long = |pages| place.store.shared.wal_pages.store(pages, Ordering::Release);
    long(CHECKPOINT_PAGES);
    assert!(!writer.idle().unwrap());
    let outcome = reports.recv_timeout(DEADLINE).unwrap();
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    drop(exchange(able));
    long(CHECKPOINT_PAGES + CHECKPOINT_AGAIN_PAGES);
    assert!(!writer.idle().unwrap());
    reports.recv_timeout(DEADLINE).unwrap().unwrap();
    put(&mut writer, &player(2, "bob"));
    assert_eq!(place.reader().player_count().unwrap(), 2);
}

#[test]
fn whatever_is_dropped_last_lets_another_one_open_the_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    for (round, order) in (1..).zip([[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
        let store = SqliteStore::open(&path).unwrap();
        let (mut writer, reports) = reporting_writer(&store);
        put(&mut writer, &player(round, &format!("p{round}")));
        // The thread has something to do, and may be in the middle of it.
        store.shared.wal_pages.store(CHECKPOINT_PAGES, Ordering::Release);
        writer.idle().unwrap();
        writer.begin().unwrap();
        let reader = store.reader().unwrap();
        let mut handles: [Option<Box<dyn Send>>; 3] =
            [Some(Box::new(store)), Some(Box::new(writer)), Some(Box::new(reader))];
        for (left, at) in (0..3).rev().zip(order) {
            drop(handles[at].take());
            let opened = SqliteStore::open(&path);
            assert_eq!(opened.is_ok(), left == 0, "{order:?}: {left} left");
            if let Ok(store) = opened {
                assert_eq!(store.reader().unwrap().player_count().unwrap(), u64::from(round));
            }
        }
        assert_eq!(reports.iter().filter(Result::is_ok).count(), 1, "the thread has done it and is gone");
    }
}
