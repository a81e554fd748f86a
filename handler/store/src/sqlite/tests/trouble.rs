//! A full disk, damage, and a writer that is used out of order.

use super::*;

/// From now on the database may grow by so many pages.
fn limit(writer: &SqliteWriter, pages: Option<i64>) {
    let now: i64 = writer.db.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let most = pages.map_or(1_000_000_000, |more| now + more);
    writer.db.conn.pragma_update_and_check(None, "max_page_count", most, |_| Ok(())).unwrap();
}

fn big(version: u64) -> KeptSetting {
    KeptSetting { value: Some("x".repeat(8_000)), version, public: false, at: Time(0) }
}

#[test]
fn a_full_disk_passes_without_a_restart() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    let owner = PlayerId(1).into();
    commit(&mut writer, |tx| tx.put(&set(1, "first", &big(1))).unwrap());
    limit(&writer, Some(3));
    writer.begin().unwrap();
    let full = (0..10).map(|n| writer.tx().put(&set(1, &n.to_string(), &big(1)))).find_map(|done| done.err());
    assert!(matches!(full, Some(StoreError::Unavailable(_))), "{full:?}");
    // The database may have given the transaction up, or not: nothing of it is kept either way.
    if writer.db.conn.is_autocommit() {
        assert!(matches!(writer.tx().put(&set(1, "late", &big(1))), Err(StoreError::Unavailable(_))));
        assert!(matches!(writer.commit(), Err(StoreError::Unavailable(_))));
    }
    writer.rollback();
    let reader = place.reader();
    assert_eq!(reader.setting_count(owner).unwrap(), 1, "reads go on");
    limit(&writer, None);
    commit(&mut writer, |tx| tx.put(&set(1, "second", &big(1))).unwrap());
    assert_eq!(reader.setting_count(owner).unwrap(), 2);
}

#[test]
fn a_transaction_that_the_database_gave_up_keeps_nothing() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    writer.begin().unwrap();
    writer.tx().put(&player(1, "alice")).unwrap();
    writer.tx().put(&scored(1, standing(1, 1, 1))).unwrap();
    writer.db.conn.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(writer.tx().put(&player(2, "bob")), Err(StoreError::Unavailable(_))));
    assert!(matches!(writer.commit(), Err(StoreError::Unavailable(_))));
    assert_eq!(writer.log_rows, 0);
    commit(&mut writer, |tx| tx.put(&player(3, "carol")).unwrap());
    assert_eq!(place.reader().player_count().unwrap(), 1);
}

#[test]
fn folding_on_a_full_disk_waits_and_goes_on() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    commit(&mut writer, |tx| {
        for n in 1..=20_000u32 {
            tx.put(&scored(1, standing(n, n.into(), 6))).unwrap();
        }
    });
    limit(&writer, Some(0));
    let error = loop {
        match writer.idle() {
            Ok(more) => assert!(more),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Unavailable(_)));
    assert_eq!(standings(&*place.reader(), BoardId(1)).len(), 20_000);
    limit(&writer, None);
    while writer.idle().unwrap() {}
    assert_eq!(standings(&*place.reader(), BoardId(1)).len(), 20_000);
    assert_eq!(writer.log_rows, 0);
}

#[test]
fn a_writer_used_out_of_order_says_so() {
    let place = Place::new();
    let mut writer = place.writer();
    assert!(writer.tx().put(&player(1, "alice")).is_err(), "outside of a transaction");
    assert!(writer.commit().is_err());
    writer.begin().unwrap();
    assert!(writer.begin().is_err());
    assert!(writer.idle().is_err());
    writer.tx().put(&player(1, "alice")).unwrap();
    writer.commit().unwrap();
    writer.rollback();
    assert_eq!(place.reader().player_count().unwrap(), 1);
    writer.begin().unwrap();
    drop(writer);
    place.store.shared.checkpoint().unwrap();
    commit(&mut *place.writer(), |tx| tx.put(&player(2, "bob")).unwrap());
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    commit(&mut *store.writer().unwrap(), |tx| {
        for n in 0..2_000 {
            tx.put(&player(n + 1, &format!("player{n}"))).unwrap();
        }
    });
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    // Far behind the schema's pages.
    bytes[length / 4 * 3..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let outcome = store.reader().unwrap().players(None, 2_000);
    assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
}

#[test]
fn no_error_shows_what_was_to_be_kept() {
    let place = Place::new();
    let mut writer = place.writer();
    writer.begin().unwrap();
    let secret = Row::Player(NewPlayer { hash: Secret::new("hunter2"), ..new_player(1, "alice") });
    writer.tx().put(&secret).unwrap();
    let error = writer.tx().put(&secret).unwrap_err();
    assert!(!format!("{error} {error:?} {secret:?}").contains("hunter2"));
}

#[test]
fn to_try_whether_changes_can_be_written_takes_what_a_change_takes_and_changes_nothing() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    commit(&mut writer, |tx| tx.results_add(1, b"an answer").unwrap());
    let pages = || place.store.shared.wal_pages.load(std::sync::atomic::Ordering::Acquire);
    let before = pages();
    commit(&mut writer, |tx| tx.touch().unwrap());
    assert!(pages() >= before + 8, "{} pages", pages() - before);
    let mut kept = Vec::new();
    place.reader().results(&mut |row, answers| kept.push((row, answers.to_vec()))).unwrap();
    assert_eq!(kept, [(1, b"an answer".to_vec())]);
    let length = |writer: &SqliteWriter| -> i64 {
        writer.db.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
    };
    let long = length(&writer);
    (0..20).for_each(|_| commit(&mut writer, |tx| tx.touch().unwrap()));
    assert_eq!(length(&writer), long, "it grows with each try");
}
