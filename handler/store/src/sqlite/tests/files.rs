//! What happens to files: new ones, foreign ones, locks, checkpoints.

use super::*;
use crate::sqlite::schema;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

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
fn a_log_without_its_database_is_not_taken_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("db-wal"), b"something").unwrap();
    assert!(matches!(SqliteStore::open(&folder.path().join("db")), Err(StoreError::Other(_))));
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
    commit(&mut *writer, |tx| tx.player_add(&new_player("alice")).unwrap());
    place.store.checkpoint().unwrap();
    commit(&mut *writer, |tx| tx.player_add(&new_player("bob")).unwrap());
    writer.begin().unwrap();
    writer.tx().player_add(&new_player("carol")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let crashed = after_a_crash(place.store.path(), folder.path());
    assert_eq!(crashed.reader().unwrap().player_count().unwrap(), 2);
    writer.rollback();
    assert_eq!(place.reader().player_count().unwrap(), 2);
}

#[test]
fn a_checkpoint_lets_the_log_start_over_at_the_same_length() {
    let place = Place::new();
    let mut writer = place.writer();
    let wal = place.file("test.db-wal");
    let add = |writer: &mut dyn Writer, n: u32| {
        commit(writer, |tx| tx.player_add(&new_player(&format!("p{n}"))).unwrap());
    };
    (0..50).for_each(|n| add(&mut *writer, n));
    let length = fs::metadata(&wal).unwrap().len();
    for round in 1..10 {
        place.store.checkpoint().unwrap();
        (0..40).for_each(|n| add(&mut *writer, 50 * round + n));
        assert_eq!(fs::metadata(&wal).unwrap().len(), length, "round {round}");
    }
}

#[test]
fn a_checkpoint_waits_for_the_transaction_and_goes_first() {
    let place = Place::new();
    let mut writer = place.writer();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| (0..50).for_each(|_| place.store.checkpoint().unwrap()));
        for n in 0..200 {
            commit(&mut *writer, |tx| tx.player_add(&new_player(&format!("p{n}"))).unwrap());
        }
        running.join().unwrap();
    });
    assert_eq!(place.reader().player_count().unwrap(), 200);
    assert!(SqliteStore::verify(place.store.path()).unwrap().problems.is_empty());
}

#[test]
fn a_checkpoint_is_due_once_in_a_while() {
    let place = Place::new();
    let mut writer = place.writer();
    let value = KeptSetting { value: Some("x".repeat(8_000)), version: 1, public: false, at: Time(0) };
    let mut due_after = Vec::new();
    for n in 0..24u32 {
        writer.begin().unwrap();
        for key in 0..500 {
            writer.tx().setting_put(Owner::Player(PlayerId(n)), &key.to_string(), &value).unwrap();
        }
        if writer.commit().unwrap() == CheckpointDue::Yes {
            due_after.push(n);
            assert_eq!(writer.checkpoint_due(), CheckpointDue::No, "told once");
        }
    }
    assert_eq!(due_after.len(), 3, "at 16,000 pages and every 4,000 after that: {due_after:?}");
    place.store.checkpoint().unwrap();
    commit(&mut *writer, |tx| tx.setting_put(Owner::Player(PlayerId(0)), "0", &value).unwrap());
    assert_eq!(writer.checkpoint_due(), CheckpointDue::No);
}
