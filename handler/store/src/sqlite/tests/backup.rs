//! Backup and verification.

use super::*;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_backup_is_one_moment_while_writing_goes_on() {
    let place = Place::new();
    let mut writer = place.writer();
    let both = |writer: &mut dyn Writer, n: u64| {
        // Two things that are always changed together: a copy that mixes two moments shows them apart.
        commit(writer, |tx| {
            let value = KeptSetting { value: Some("x".repeat(8_000)), version: n, public: false, at: Time(0) };
            for owner in [1, 400] {
                tx.put(&set(owner, "same", &value)).unwrap();
            }
            tx.put(&set(2, &n.to_string(), &value)).unwrap();
            tx.put(&scored(1, standing(1, n, 0))).unwrap();
        });
    };
    (1..1_500).for_each(|n| both(&mut *writer, n));
    place.store.shared.checkpoint().unwrap();
    let target = place.file("copy.db");
    let stop = AtomicBool::new(false);
    let mut reports = Vec::new();
    let length = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut n = 1_500;
            while !stop.load(Ordering::Relaxed) {
                both(&mut *writer, n);
                n += 1;
            }
            n
        });
        let length = place.store.backup(&target, &mut |done, all| reports.push((done, all)));
        stop.store(true, Ordering::Relaxed);
        assert!(writing.join().unwrap() > 1_500);
        length.unwrap()
    });
    assert_eq!(fs::metadata(&target).unwrap().len(), length);
    assert!(reports.len() > 1 && reports.iter().all(|(done, all)| done <= all), "{reports:?}");
    assert_eq!(reports.last().map(|(done, all)| done == all), Some(true));
    assert!(!place.file("copy.db.partial").exists());

    let found = SqliteStore::verify(&target).unwrap();
    assert!(
        found.problems.iter().all(|problem| problem.contains(" of no ") || problem.contains(" on no ")),
        "{found:?}"
    );
    assert!(!place.file("copy.db-wal").exists() && !place.file("copy.db-shm").exists());
    let copy = SqliteStore::open(&target).unwrap();
    let reader = copy.sqlite_reader().unwrap();
    let version = |owner| reader.setting(PlayerId(owner).into(), "same").unwrap().unwrap().version;
    assert!(version(1) >= 1_499);
    assert_eq!((version(1), reader.last_order().unwrap()), (version(400), version(1)));
}

#[test]
fn a_backup_overwrites_nothing() {
    let place = Place::new();
    for name in ["there", "there-wal"] {
        fs::write(place.file(name), b"mine").unwrap();
        assert!(matches!(place.store.backup(&place.file("there"), &mut |_, _| {}), Err(StoreError::Exists)));
        assert_eq!(fs::read(place.file(name)).unwrap(), b"mine");
        fs::remove_file(place.file(name)).unwrap();
    }
    assert!(matches!(place.store.backup(&place.file("no/where"), &mut |_, _| {}), Err(StoreError::Unavailable(_))));
    // What an interrupted one left is written over.
    fs::write(place.file("there.partial"), vec![1; 100_000]).unwrap();
    place.store.backup(&place.file("there"), &mut |_, _| {}).unwrap();
    assert_eq!(SqliteStore::verify(&place.file("there")).unwrap().problems, Vec::<String>::new());
}

#[test]
fn verify_counts_and_finds_damage() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        for n in 1..=300 {
            tx.put(&player(n, &format!("player{n}"))).unwrap();
        }
        tx.put(&Row::Board(new_board(1, "b"))).unwrap();
        tx.put(&scored(1, standing(1, 1, 5))).unwrap();
        let gone = KeptSetting { value: None, version: 1, public: false, at: Time(0) };
        tx.put(&set(1, "gone", &gone)).unwrap();
        tx.put(&set(1, "here", &KeptSetting { value: Some("x".into()), ..gone })).unwrap();
    });
    let path = place.store.path().to_owned();
    let expected = Verification {
        problems: vec![],
        schema: crate::sqlite::schema::newest(),
        players: 300,
        mails: 0,
        records: 1,
        settings: 1,
    };
    assert_eq!(SqliteStore::verify(&path).unwrap(), expected, "while it is in use");
    drop(writer);
    let folder = place.folder;
    drop(place.store);
    assert_eq!(SqliteStore::verify(&path).unwrap(), expected, "at rest");

    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(
        "PRAGMA foreign_keys = OFF; INSERT INTO block VALUES (999, 1, 1); DROP INDEX mail_box; CREATE TABLE extra (x);
         INSERT INTO record VALUES (9, 1, 9, 9, 9, NULL, NULL)",
    )
    .unwrap();
    let problems = SqliteStore::verify(&path).unwrap().problems;
    assert_eq!(problems.len(), 4, "{problems:?}");
    conn.execute_batch(
        "DELETE FROM block; DELETE FROM record WHERE board = 9; DROP TABLE extra;
         INSERT INTO block VALUES (1, 1, 999), (1, 2, 999), (1, 3, 999);
         INSERT INTO setting SELECT from_kind, 999, 'k', 1, 0, 0, 'v' FROM block;
         INSERT INTO keyed SELECT owner_kind, 999, 'k', zeroblob(32), 0, x'' FROM setting WHERE owner_id = 999;
         INSERT INTO mail SELECT NULL, owner_kind, 999, 1, 1, owner_kind, 1, 0, 0, NULL, '', '' FROM keyed",
    )
    .unwrap();
    drop(conn);
    let mut problems = SqliteStore::verify(&path).unwrap().problems;
    assert!(problems.remove(0).contains("mail_box"));
    let of_nobody = ["settings", "blocks", "letters", "keys"]
        .map(|what| [format!("1 {what} of no player"), format!("1 {what} of no game server")]);
    assert_eq!(problems, of_nobody.concat(), "of players and game servers, the others have no table yet");

    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xa5);
    let damaged = folder.path().join("damaged ü.db");
    fs::write(&damaged, bytes).unwrap();
    assert!(!SqliteStore::verify(&damaged).unwrap().problems.is_empty());
}
