//! What happens to files: new ones, foreign ones, locks.

use super::*;
use crate::sqlite::schema;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_new_database_is_for_its_user_only_and_leaves_one_file() {
    let Place { folder, store } = Place::new();
    drop((store.writer().unwrap(), store.reader().unwrap()));
    for name in names(folder.path()) {
        let mode = fs::metadata(folder.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(store);
    assert_eq!(names(folder.path()), ["test.db", "test.db.lock"]);
}

#[test]
fn every_connection_is_set_up() {
    let place = Place::new();
    let writer = place.store.sqlite_writer().unwrap();
    let ask = |name: &str| -> i64 { writer.db.conn.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    assert_eq!((ask("page_size"), ask("synchronous"), ask("foreign_keys")), (4096, 2, 1));
    assert_eq!((ask("wal_autocheckpoint"), ask("trusted_schema"), ask("temp_store")), (0, 0, 2));
    let mode: String = writer.db.conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let foreign = folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .unwrap();
    let foreign = fs::read(foreign).unwrap();
    let cut_off = foreign[..60].to_vec();
    fs::remove_file(folder.path().join("foreign.db")).unwrap();
    for content in [b"hello".to_vec(), Vec::new(), vec![0; 8192], foreign, cut_off] {
        fs::write(&path, &content).unwrap();
        assert!(matches!(SqliteStore::open(&path), Err(StoreError::NotADatabase(p)) if p == path));
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(names(folder.path()), ["file"]);
        let found = SqliteStore::verify(&path).unwrap();
        assert!(!found.problems.is_empty());
        assert_eq!(names(folder.path()), ["file"]);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::NotADatabase(_))));
}

#[test]
fn a_newer_schema_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(SqliteStore::open(&path).unwrap());
    fs::remove_file(folder.path().join("db.lock")).unwrap();
    let newer = schema::newest() + 1;
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", newer).unwrap();
    drop(conn);
    let before = fs::read(&path).unwrap();
    assert!(
        matches!(SqliteStore::open(&path), Err(StoreError::TooNew(found, known)) if found == newer && known < found)
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(folder.path()), ["db"]);
    assert_eq!(SqliteStore::verify(&path).unwrap().problems.len(), 1);
}

#[test]
fn a_schema_from_before_the_first_release_is_left_alone() {
    for version in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        drop(SqliteStore::open(&path).unwrap());
        fs::remove_file(folder.path().join("db.lock")).unwrap();
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
        drop(conn);
        let before = fs::read(&path).unwrap();
        let too_old = |outcome: Result<()>| matches!(outcome, Err(StoreError::TooOld(found, 3)) if found == version);
        assert!(too_old(SqliteStore::open(&path).map(drop)));
        assert!(too_old(crate::open(&path, Duration::from_secs(1)).map(drop)));
        assert!(too_old(crate::fits(&path)));
        let problems = crate::verify(&path).unwrap().problems;
        assert_eq!(problems, [StoreError::TooOld(version, 3).to_string()]);
        assert!(problems[0].contains(&format!("schema {version}")), "{problems:?}");
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(names(folder.path()), ["db"]);
    }
}

#[test]
fn a_log_without_its_database_is_not_taken_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("db-wal"), b"something").unwrap();
    let refused = SqliteStore::open(&folder.path().join("db")).map(drop).unwrap_err();
    assert!(matches!(&refused, StoreError::Beside { file, .. } if file.ends_with("db-wal")), "{refused:?}");
    assert_eq!(names(folder.path()), ["db-wal"]);
}

#[test]
fn what_an_interrupted_creation_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("db.new"), b"half").unwrap();
    fs::write(folder.path().join("db.new-journal"), b"half").unwrap();
    drop(SqliteStore::open(&folder.path().join("db")).unwrap());
    assert_eq!(names(folder.path()), ["db", "db.lock"]);
}

#[test]
fn a_place_that_is_not_there_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere/db");
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Unavailable(_))));
    assert!(matches!(SqliteStore::verify(&path), Err(StoreError::Unavailable(_))));
}

#[test]
fn there_is_one_store_and_one_writer() {
    let Place { folder, store } = Place::new();
    let path = store.path().to_owned();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Locked(p)) if p == path));
    let writer = store.writer().unwrap();
    assert!(matches!(store.writer(), Err(StoreError::Locked(_))));
    drop(writer);
    let writer = store.writer().unwrap();
    drop(store);
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Locked(_))), "the writer still has it");
    drop(writer);
    drop(SqliteStore::open(&path).unwrap());
    drop(folder);
}

#[test]
fn committed_work_survives_a_crash_and_the_rest_does_not() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| tx.put(&player(1, "alice")).unwrap());
    place.store.shared.checkpoint().unwrap();
    commit(&mut *writer, |tx| tx.put(&player(2, "bob")).unwrap());
    writer.begin().unwrap();
    writer.tx().put(&player(3, "carol")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let crashed = after_a_crash(place.store.path(), folder.path());
    assert_eq!(crashed.reader().unwrap().player_count().unwrap(), 2);
    writer.rollback();
    assert_eq!(place.reader().player_count().unwrap(), 2);
}
