//! Databases of every earlier version are opened and hold what they held.

use super::*;
use crate::sqlite::schema;
use rusqlite::Connection;

/// What a program with that schema could have written. A new version adds a line here, with its own rows.
const FIXTURES: &[(u32, &str)] = &[(1, FIRST_ROWS), (2, FIRST_ROWS)];

const FIRST_ROWS: &str =
    "INSERT INTO player VALUES (1, 'Alice', 'alice', 'alice', '$argon2id$', NULL, 1000, 2000, NULL);
     INSERT INTO server VALUES (1, 'arena', zeroblob(32), 1000, NULL, 0);
     INSERT INTO board VALUES (1, 'map', 'ms', 'lower', 'best', 'players');
     INSERT INTO record_log VALUES (7, 1, 1, 0, 55, 1000, 1, 'note');
     INSERT INTO setting VALUES (1, 1, 'fov', 3, 1, 1000, '90');
     INSERT INTO mail VALUES (1, NULL, 1, 1, 1, 0, 1000, NULL, 'subject', 'body');
     INSERT INTO block VALUES (1, 2, 1);";

/// The first version's file, as it was released.
const FIRST: (usize, u64) = (4_445, 0x42f7_f65a_b910_a94d);

/// FNV-1a: enough to see that a file was edited.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn make(path: &Path, version: u32, rows: &str) {
    let mut conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    schema::migrate_with(&mut conn, &schema::MIGRATIONS[..version as usize]).unwrap();
    conn.execute_batch(rows).unwrap();
}

#[test]
fn every_version_has_a_fixture() {
    let versions: Vec<u32> = FIXTURES.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, (1..=schema::newest()).collect::<Vec<_>>());
}

#[test]
fn released_steps_do_not_change() {
    let first = schema::MIGRATIONS[0];
    assert_eq!((first.len(), digest(first)), FIRST);
}

#[test]
fn older_databases_open_and_keep_what_they_hold() {
    for (version, rows) in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        make(&path, *version, rows);
        let store = SqliteStore::open(&path).unwrap();
        let reader = store.reader().unwrap();
        assert_eq!(reader.player(PlayerId(1)).unwrap().unwrap().last_login, Some(Time(2_000)));
        assert_eq!(reader.server_by_name("Arena").unwrap().unwrap().1, [0; 32]);
        let there = standings(&*reader, BoardId(1));
        assert_eq!((there[0].score, there[0].order, there[0].note.as_deref()), (55, 7, Some("note")));
        assert_eq!(reader.setting(Owner::Player(PlayerId(1)), "fov").unwrap().unwrap().version, 3);
        assert_eq!(reader.mail(PlayerId(1), 1).unwrap().unwrap().body, "body");
        assert!(reader.blocks(PlayerId(1), Owner::Server(ServerId(1))).unwrap());
        drop((reader, store));
        let found = SqliteStore::verify(&path).unwrap();
        assert_eq!((found.problems, found.schema), (vec![], schema::newest()));
    }
}

#[test]
fn a_step_that_fails_leaves_the_version_before() {
    let mut conn = Connection::open_in_memory().unwrap();
    let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"];
    assert!(schema::migrate_with(&mut conn, &steps).is_err());
    assert_eq!(schema::version(&conn).unwrap(), 1);
    assert_eq!(schema::objects(&conn).unwrap().len(), 1);
    schema::migrate_with(&mut conn, &[steps[0], "CREATE TABLE b (x)"]).unwrap();
    assert_eq!(schema::version(&conn).unwrap(), 2);
}
