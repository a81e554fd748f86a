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
    let names: Vec<_> = fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("partial")), "{names:?}");

    let found = SqliteStore::verify(&target).unwrap();
    assert!(
        found
            .problems
            .iter()
            .all(|problem| [" of no ", " on no ", " from no "].iter().any(|words| problem.contains(words))),
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
fn a_copy_without_a_name_is_as_good_and_leaves_nothing() {
    let place = Place::new();
    let value = KeptSetting { value: Some("x".repeat(8_000)), version: 1, public: false, at: Time(0) };
    commit(&mut *place.writer(), |tx| tx.put(&set(1, "same", &value)).unwrap());
    let names = || {
        let files = fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = files.collect();
        names.sort();
        names
    };
    let before = names();
    let mut copy = place.store.copy(&mut |_, _| true).unwrap();
    assert_eq!(names(), before);
    assert!(std::io::Write::write(&mut copy, b"x").is_err(), "whoever gets it could change it");
    let target = place.file("copy.db");
    let bytes = std::io::copy(&mut copy, &mut fs::File::create(&target).unwrap()).unwrap();
    assert_eq!(copy.metadata().unwrap().len(), bytes);
    assert!(!SqliteStore::verify(&target).unwrap().problems.iter().any(|problem| problem.contains("checksum")));
    fs::remove_file(&target).unwrap();
    // Nobody waits for it any more.
    let refused = place.store.copy(&mut |_, _| false);
    assert!(matches!(refused, Err(StoreError::Unavailable(why)) if why.contains("not wanted any more")));
    assert_eq!(names(), before);
}

#[test]
fn a_backup_overwrites_nothing() {
    let place = Place::new();
    for name in ["there", "there-wal", "there-shm", "there-journal"] {
        fs::write(place.file(name), b"mine").unwrap();
        assert!(matches!(place.store.backup(&place.file("there"), &mut |_, _| {}), Err(StoreError::Exists)));
        assert_eq!(fs::read(place.file(name)).unwrap(), b"mine");
        fs::remove_file(place.file(name)).unwrap();
    }
    assert!(matches!(place.store.backup(&place.file("no/where"), &mut |_, _| {}), Err(StoreError::Unavailable(_))));
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
    assert_eq!(verified(&path), expected, "while it is in use");
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
    assert_eq!(problems.len(), 5, "{problems:?}");
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
    problems.retain(|problem| !problem.contains("mailbox has not given"));
    problems.retain(|problem| problem != "1 settings of no world");
    assert_eq!(problems, of_nobody.concat(), "of players and game servers, the others have none of these");

    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xa5);
    let damaged = folder.path().join("damaged ü.db");
    fs::write(&damaged, bytes).unwrap();
    assert!(!SqliteStore::verify(&damaged).unwrap().problems.is_empty());
}

#[test]
fn a_link_where_a_copy_is_in_the_making_is_not_followed() {
    let place = Place::new();
    let victim = place.file("victim");
    fs::write(&victim, b"somebody's").unwrap();
    std::os::unix::fs::symlink(&victim, place.file("copy.db.partial")).unwrap();
    place.store.backup(&place.file("copy.db"), &mut |_, _| {}).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"somebody's");
    assert!(fs::symlink_metadata(place.file("copy.db.partial")).unwrap().is_symlink(), "it is as it was");
    // Nor is one in the place of the copy, wherever it leads.
    std::os::unix::fs::symlink(place.file("nothing"), place.file("link.db")).unwrap();
    assert!(matches!(place.store.backup(&place.file("link.db"), &mut |_, _| {}), Err(StoreError::Exists)));
    assert!(!place.file("nothing").exists());
}

#[test]
fn what_lies_where_a_copy_is_in_the_making_is_not_adopted() {
    let place = Place::new();
    fs::write(place.file("copy.db.partial"), vec![1; 100_000]).unwrap();
    place.store.backup(&place.file("copy.db"), &mut |_, _| {}).unwrap();
    assert_eq!(fs::read(place.file("copy.db.partial")).unwrap(), vec![1; 100_000]);
    assert_eq!(SqliteStore::verify(&place.file("copy.db")).unwrap().problems, Vec::<String>::new());
}

#[test]
fn with_a_copy_nobody_can_make_tickets() {
    let place = Place::new();
    let mut writer = place.writer();
    let keys: Vec<[u8; 32]> = (1..=20).map(|n| std::array::from_fn(|at| n * 11 + at as u8)).collect();
    for (run, key) in (1..).zip(&keys) {
        commit(&mut *writer, |tx| tx.run_begin(run, &RunKey(*key)).unwrap());
        commit(&mut *writer, |tx| tx.results_add(run as i64, b"an answer of that run").unwrap());
    }
    place.store.shared.checkpoint().unwrap();
    let target = place.file("copy.db");
    place.store.backup(&target, &mut |_, _| {}).unwrap();
    let bytes = fs::read(&target).unwrap();
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert_eq!(keys.iter().position(|key| has(key)), None, "a key of a run is in the copy");
    assert!(!has(b"an answer of that run"));
    // The living one goes on with its own.
    assert_eq!(place.reader().run().unwrap(), Some((20, RunKey(keys[19]))));
    // Put in place by hand, it has none either.
    let copy = SqliteStore::open(&target).unwrap();
    assert_eq!(copy.reader().unwrap().run().unwrap(), None);
    drop(copy);
    assert_eq!(SqliteStore::verify(&target).unwrap().problems, Vec::<String>::new());
}
