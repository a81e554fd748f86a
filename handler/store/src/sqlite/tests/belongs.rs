//! What lies beside a database and is not its own is seen before anything is opened.

use super::*;
use crate::sqlite::file::beside;
use std::fs;

/// The files of a database as they are at this moment, under another name.
fn image(path: &Path, to: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(to, suffix));
        if beside(path, suffix).exists() {
            fs::copy(beside(path, suffix), beside(to, suffix)).unwrap();
        }
    }
}

fn grow(writer: &mut dyn Writer, owner: u32, keys: u32) {
    let value = KeptSetting { value: Some("x".repeat(3_000)), version: 1, public: false, at: Time(0) };
    for key in 0..keys {
        put(writer, &set(owner, &key.to_string(), &value));
    }
}

/// It is refused, with the name of what is wrong, and every byte stays as it is.
fn refused(path: &Path, suffix: &str) -> String {
    let bytes = || ["", "-wal", "-shm", "-journal"].map(|suffix| fs::read(beside(path, suffix)).ok());
    let before = bytes();
    let error = SqliteStore::open(path).map(drop).unwrap_err();
    let StoreError::Beside { file, of, .. } = &error else { panic!("{error}") };
    assert_eq!((file, of), (&beside(path, suffix), &path.to_owned()));
    assert!(bytes() == before, "something was touched");
    assert!(!beside(path, ".lock").exists());
    error.to_string()
}

#[test]
fn a_copy_put_beside_the_log_of_another_day_is_refused() {
    let place = Place::new();
    let mut writer = place.writer();
    grow(&mut *writer, 1, 10);
    let (copy, put) = (place.file("copy.db"), place.file("put.db"));
    place.store.backup(&copy, &mut |_, _| {}).unwrap();
    grow(&mut *writer, 2, 10);
    image(place.store.path(), &put);
    fs::copy(&copy, &put).unwrap();
    let told = refused(&put, "-wal");
    assert_eq!(
        SqliteStore::verify(&put).unwrap().problems,
        std::slice::from_ref(&told),
        "nor is it looked at as if it were one"
    );
    assert!(told.contains("ssmglobal restore") && told.contains("Nothing was touched"), "{told}");
    fs::remove_file(beside(&put, "-wal")).unwrap();
    refused(&put, "-shm");
    fs::remove_file(beside(&put, "-shm")).unwrap();
    drop(SqliteStore::open(&put).unwrap());
}

#[test]
fn a_copy_put_beside_the_journal_of_another_file_is_refused() {
    let place = Place::new();
    let copy = place.file("copy.db");
    place.store.backup(&copy, &mut |_, _| {}).unwrap();
    // As a program leaves it that was killed in the middle of a transaction.
    let conn = rusqlite::Connection::open(place.file("other.db")).unwrap();
    conn.execute_batch("PRAGMA cache_size = 1; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(9000)); BEGIN;")
        .unwrap();
    conn.execute_batch("UPDATE t SET x = zeroblob(100000)").unwrap();
    fs::copy(place.file("other.db-journal"), beside(&copy, "-journal")).unwrap();
    refused(&copy, "-journal");
}

#[test]
fn a_plain_copy_of_an_earlier_day_beside_the_log_is_refused() {
    let place = Place::new();
    let mut writer = place.writer();
    grow(&mut *writer, 1, 10);
    place.store.shared.checkpoint().unwrap();
    let early = place.file("early.db");
    fs::copy(place.store.path(), &early).unwrap();
    for owner in 2..4 {
        grow(&mut *writer, owner, 30);
        place.store.shared.checkpoint().unwrap();
    }
    grow(&mut *writer, 5, 30);
    fs::copy(place.file("test.db-wal"), beside(&early, "-wal")).unwrap();
    let told = refused(&early, "-wal");
    assert!(told.contains("neither in it nor in the database"), "{told}");
}

#[test]
fn the_log_of_an_earlier_day_beside_the_database_is_refused() {
    let place = Place::new();
    let mut writer = place.writer();
    grow(&mut *writer, 1, 10);
    let late = place.file("late.db");
    fs::copy(place.file("test.db-wal"), beside(&late, "-wal")).unwrap();
    drop(writer);
    let mut place = place.again();
    for owner in 2..5 {
        grow(&mut *place.writer(), owner, 30);
        place = place.again();
    }
    fs::copy(place.store.path(), &late).unwrap();
    let told = refused(&late, "-wal");
    assert!(told.contains("older than the database"), "{told}");
}

#[test]
fn a_log_with_other_pages_is_refused() {
    let place = Place::new();
    let path = place.store.path().to_owned();
    let Place { folder, store } = place;
    drop(store);
    let other = rusqlite::Connection::open(folder.path().join("other.db")).unwrap();
    other.execute_batch("PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; CREATE TABLE t (x)").unwrap();
    fs::copy(folder.path().join("other.db-wal"), beside(&path, "-wal")).unwrap();
    fs::remove_file(beside(&path, ".lock")).unwrap();
    let told = refused(&path, "-wal");
    assert!(told.contains("1024"), "{told}");
}

#[test]
fn the_log_of_another_program_is_refused() {
    let place = Place::new();
    let path = place.store.path().to_owned();
    let Place { folder, store } = place;
    drop(store);
    let other = rusqlite::Connection::open(folder.path().join("other.db")).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)").unwrap();
    fs::copy(folder.path().join("other.db-wal"), beside(&path, "-wal")).unwrap();
    fs::remove_file(beside(&path, ".lock")).unwrap();
    refused(&path, "-wal");
}

#[test]
fn whatever_a_crash_leaves_is_opened() {
    let place = Place::new();
    let mut writer = place.writer();
    let crashed = place.file("crashed.db");
    let opens = |what: &str| {
        let store = SqliteStore::open(&crashed).unwrap_or_else(|error| panic!("{what}: {error}"));
        let problems = verified(&crashed).problems;
        assert!(problems.iter().all(|problem| problem.ends_with("settings of no player")), "{what}: {problems:?}");
        drop(store);
    };
    for round in 0..6 {
        grow(&mut *writer, round + 1, 5 + round * 7);
        if round % 2 == 1 {
            place.store.shared.checkpoint().unwrap();
            grow(&mut *writer, round + 10, 3);
        }
        image(place.store.path(), &crashed);
        opens("as it is");
        // The end was not on disk yet, or other bytes are there.
        let length = fs::metadata(place.file("test.db-wal")).unwrap().len();
        if round > 1 {
            continue;
        }
        for cut in (0..length).step_by(1_900) {
            image(place.store.path(), &crashed);
            fs::File::options().write(true).open(beside(&crashed, "-wal")).unwrap().set_len(cut).unwrap();
            opens(&format!("cut at {cut}"));
            image(place.store.path(), &crashed);
            let mut torn = fs::read(beside(&crashed, "-wal")).unwrap();
            torn[cut as usize..].fill(0x5a);
            fs::write(beside(&crashed, "-wal"), torn).unwrap();
            opens(&format!("torn at {cut}"));
        }
    }
}

#[test]
fn a_copy_that_was_being_taken_in_when_the_machine_died_is_taken_in() {
    let place = Place::new();
    let mut writer = place.writer();
    grow(&mut *writer, 1, 60);
    let (copy, died) = (place.file("copy.db"), place.file("died.db"));
    place.store.backup(&copy, &mut |_, _| {}).unwrap();
    let good = fs::read(&copy).unwrap();
    // With little memory SQLite writes pages before the transaction is over.
    let conn = rusqlite::Connection::open(&copy).unwrap();
    conn.execute_batch("PRAGMA secure_delete = ON; PRAGMA cache_size = 1; BEGIN; DROP TABLE setting").unwrap();
    for suffix in ["", "-journal"] {
        fs::copy(beside(&copy, suffix), beside(&died, suffix)).unwrap();
    }
    drop(conn);
    assert!(fs::read(&died).unwrap() != good, "it is in the middle");
    let source = Source::open(&died).map(drop).unwrap_err();
    assert!(matches!(source, StoreError::Beside { .. }), "{source}");
    let store = SqliteStore::open(&died).unwrap();
    assert_eq!(store.reader().unwrap().setting_count(PlayerId(1).into()).unwrap(), 60);
}
