//! Databases of every earlier version are opened and hold what they held.

use super::*;
use crate::sqlite::schema::{self, FIRST};
use rusqlite::Connection;

/// What a program with that schema could have written. A new version adds a line here, with its own rows.
const FIXTURES: &[(u32, &[&str])] = &[
    (3, &[FIRST_ROWS]),
    (4, &[FIRST_ROWS, FOURTH_ROWS]),
    (5, &[FIRST_ROWS, FOURTH_ROWS, FIFTH_ROWS]),
    (6, &[FIRST_ROWS, FOURTH_ROWS, FIFTH_ROWS, SIXTH_ROWS]),
    (7, &[FIRST_ROWS, FOURTH_ROWS, FIFTH_ROWS, SIXTH_ROWS, SEVENTH_ROWS]),
    (8, &[FIRST_ROWS, FOURTH_ROWS, FIFTH_ROWS, SIXTH_ROWS, SEVENTH_ROWS, EIGHTH_ROWS]),
    (9, &[FIRST_ROWS, FOURTH_ROWS, FIFTH_ROWS, SIXTH_ROWS, SEVENTH_ROWS, EIGHTH_ROWS, NINTH_ROWS]),
    (10, &[FIRST_ROWS, FOURTH_ROWS, FIFTH_ROWS, SIXTH_ROWS, SEVENTH_ROWS, EIGHTH_ROWS, NINTH_ROWS, TENTH_ROWS]),
];

const FIRST_ROWS: &str =
    "INSERT INTO sequence VALUES (1, 0, 0, 1), (2, 0, 0, 1), (3, 0, 0, 1), (4, 1, 1, 4), (4, 2, 1, 6);
     INSERT INTO player (id, name, folded, skeleton, hash, registered, last_login)
         VALUES (1, 'Alice', 'alice', 'alice', '$argon2id$', 1000, 2000);
     INSERT INTO server (id, name, key, added) VALUES (1, 'arena', zeroblob(32), 1000);
     INSERT INTO board VALUES (1, 'map', 'ms', 'lower', 'best', 'players');
     INSERT INTO record_log VALUES (7, 1, 1, 0, 55, 1000, 1, 'note');
     INSERT INTO setting VALUES (1, 1, 'fov', 3, 1, 1000, '90');
     INSERT INTO mail VALUES (1, 2, 1, 6, 1, 4, 1, 0, 1000, NULL, 'subject', 'body');
     INSERT INTO block VALUES (1, 2, 1);
     INSERT INTO run VALUES (1, 9, zeroblob(32));
     INSERT INTO result VALUES (5, x'0102');
     INSERT INTO keyed VALUES (2, 1, 'key', zeroblob(32), 1000, x'03');";

const FOURTH_ROWS: &str = "INSERT INTO refused VALUES (1, 2, 1, 1000);";

const FIFTH_ROWS: &str = "UPDATE player SET epoch = 3; INSERT INTO player_network VALUES (1, '192.0.2.1', 2000);";

const SIXTH_ROWS: &str = "UPDATE server SET login_check = 1;";

const SEVENTH_ROWS: &str = "INSERT INTO sequence VALUES (6, 0, 0, 2);
     INSERT INTO licence (id, name, folded, skeleton, password, owner, users, size, email, comment, created, expires,
                          disabled, last_started, last_address, listed, visitors, voice, plugins, check_address, client, gone)
                         VALUES (1, 'Atlantis', 'atlantis', 'atlantis', zeroblob(32), 1, 50, 100, NULL, 'under water',
                                 1000, NULL, NULL, 2000, '192.0.2.1', 1, 1, 0, 0, 0, 0, NULL);
     INSERT INTO licence (id, name, folded, skeleton, password, owner, users, size, email, comment, created, expires,
                          disabled, last_started, last_address, listed, visitors, voice, plugins, check_address, client, gone)
                         VALUES (2, 'Atlantis', 'atlantis', 'atlantis', zeroblob(32), 1, 50, 100, NULL, '',
                                 1000, 3000, NULL, NULL, NULL, 1, 1, 0, 0, 0, 0, 4000);
     INSERT INTO granted VALUES (1, 'operator');
     UPDATE player SET rating = 'PG13', session_minutes = 90, times_on = 7, milliseconds_on = 5000;
     INSERT INTO universe VALUES ('name', 'Old');
     INSERT INTO property VALUES (1, 1, 'motto', 3, 1, 0, 1, 'owner', 'everyone', 1000, 'hi'),
                                 (3, 2, '7', 2, 0, 1, 0, 'world', 'world', 1000, x'00ff'),
                                 (3, 1, 'gone', 4, 0, 0, 1, 'owner', 'everyone', 1000, NULL);";

const EIGHTH_ROWS: &str = "UPDATE licence SET stopped = 2500 WHERE id = 1;";

const NINTH_ROWS: &str = "INSERT INTO preference VALUES (1, 'TIMEZONE', 'Europe/Vienna');";

const TENTH_ROWS: &str = "INSERT INTO played VALUES (1, 'kind', 'tinymux');";

/// The files as they were released, by length and digest. A new version adds a line here.
const RELEASED: &[(usize, u64)] = &[
    (6_333, 0x8c4d_81fe_9db8_e192),
    (477, 0x3822_2905_c567_3c8a),
    (844, 0xd4eb_e0f7_cf1e_7c6d),
    (145, 0x5325_6e30_bd35_d25d),
    (3_570, 0x85cc_c9cf_3a37_cd5b),
    (188, 0x5de8_7361_686f_6f73),
    (238, 0xfa72_47fa_7a4f_89cf),
    (257, 0x4060_f465_bb1e_d901),
];

/// FNV-1a: enough to see that a file was edited.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn make(path: &Path, version: u32, rows: &[&str]) {
    let mut conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    schema::migrate_with(&mut conn, &schema::MIGRATIONS[..=(version - FIRST) as usize]).unwrap();
    rows.iter().for_each(|rows| conn.execute_batch(rows).unwrap());
    crate::sqlite::file::with_log(&conn, path).unwrap();
}

#[test]
fn every_version_has_a_fixture() {
    let versions: Vec<u32> = FIXTURES.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, (FIRST..=schema::newest()).collect::<Vec<_>>());
}

#[test]
fn released_steps_do_not_change() {
    let now: Vec<(usize, u64)> = schema::MIGRATIONS.iter().map(|step| (step.len(), digest(step))).collect();
    assert_eq!(now, RELEASED, "{now:#x?}");
}

#[test]
fn a_new_database_has_the_newest_version() {
    assert_eq!((FIRST, schema::newest()), (3, 10));
    let place = Place::new();
    assert_eq!(SqliteStore::verify(place.store.path()).unwrap().schema, schema::newest());
}

#[test]
fn older_databases_open_and_keep_what_they_hold() {
    for (version, rows) in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        make(&path, *version, rows);
        crate::fits(&path).unwrap();
        let store = SqliteStore::open(&path).unwrap();
        let reader = store.reader().unwrap();
        let (alice, arena) = (Principal::from(PlayerId(1)), Principal::from(ServerId(1)));
        assert_eq!(reader.player(PlayerId(1)).unwrap().unwrap().last_login, Some(Time(2_000)));
        // Nothing that was proved before there were epochs is of another one.
        let (epoch, networks) = if *version < 5 { (0, 0) } else { (3, 1) };
        assert_eq!(reader.player_hash(PlayerId(1)).unwrap().unwrap().epoch, epoch);
        assert_eq!(reader.player_networks(PlayerId(1)).unwrap().len(), networks);
        assert_eq!(reader.server_by_name("Arena").unwrap().unwrap().1, [0; 32]);
        let there = standings(&*reader, BoardId(1));
        assert_eq!((there[0].score, there[0].order, there[0].note.as_deref()), (55, 7, Some("note")));
        assert_eq!(reader.setting(alice, "fov").unwrap().unwrap().version, 3);
        let letter = reader.letter(PlayerId(1), 4).unwrap().unwrap();
        assert_eq!((letter.from, letter.body.as_str()), (arena, "body"));
        assert!(reader.blocks(PlayerId(1), arena).unwrap());
        let refused = (*version > 3).then_some(Time(1_000));
        assert_eq!(reader.refused(PlayerId(1), arena).unwrap(), refused);
        assert_eq!(reader.relay_mark().unwrap(), 0);
        assert_eq!(reader.run().unwrap(), Some((9, RunKey([0; 32]))));
        reader.results(&mut |row, answers| assert_eq!((row, answers), (5, &[1, 2][..]))).unwrap();
        assert_eq!(reader.keyed(arena, "key").unwrap().unwrap().answer, [3]);
        let (mut licences, rights) = (Vec::new(), reader.rights().unwrap());
        let mut stopped = Vec::new();
        reader
            .licences(&mut |licence| {
                stopped.extend(licence.stopped);
                licences.push((licence.id, licence.name));
            })
            .unwrap();
        assert_eq!(stopped, if *version < 8 { vec![] } else { vec![Time(2_500)] });
        let ratings = if *version < 7 { vec![] } else { vec![(PlayerId(1), ssmglobal_ipc::Rating::Pg13)] };
        assert_eq!(reader.player_ratings().unwrap(), ratings);
        let universe = if *version < 7 { vec![] } else { vec![("name".to_owned(), "Old".to_owned())] };
        assert_eq!(reader.universe().unwrap(), universe);
        let (world, right) = (WorldId(1), (PlayerId(1), "operator".to_owned()));
        let expected =
            if *version < 7 { (vec![], vec![]) } else { (vec![(world, "Atlantis".to_owned())], vec![right]) };
        assert_eq!((licences, rights), expected);
        let alice_on = reader.player(PlayerId(1)).unwrap().unwrap();
        let alice_on = (alice_on.session_minutes, alice_on.times_on, alice_on.milliseconds_on);
        assert_eq!(alice_on, if *version < 7 { (None, 0, 0) } else { (Some(90), 7, 5000) });
        let properties = if *version < 7 { vec![] } else { vec![("motto".to_owned(), 3)] };
        let found = reader.properties(alice).unwrap().into_iter().map(|(name, property)| (name, property.version));
        assert_eq!(found.collect::<Vec<_>>(), properties);
        let preferences = if *version < 9 { vec![] } else { vec![("TIMEZONE".to_owned(), "Europe/Vienna".to_owned())] };
        assert_eq!(reader.preferences(PlayerId(1)).unwrap(), preferences);
        let played = if *version < 10 { vec![] } else { vec![("kind".to_owned(), Secret::new("tinymux"))] };
        assert_eq!(reader.played_of(world).unwrap(), played);
        let mut writer = store.writer().unwrap();
        let sequences = [
            Sequence::Player,
            Sequence::Server,
            Sequence::Board,
            Sequence::Letters(alice),
            Sequence::Letters(arena),
            Sequence::Order,
        ];
        let next = commit(&mut *writer, |tx| sequences.map(|sequence| tx.next_number(sequence).unwrap()));
        assert_eq!(next, [2, 2, 2, 5, 7, 8]);
        drop((reader, writer, store));
        let found = SqliteStore::verify(&path).unwrap();
        assert_eq!((found.problems, found.schema), (vec![], schema::newest()));
    }
}

#[test]
fn a_step_that_fails_leaves_the_version_before() {
    let mut conn = Connection::open_in_memory().unwrap();
    let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"];
    assert!(schema::migrate_with(&mut conn, &steps).is_err());
    assert_eq!(schema::version(&conn).unwrap(), FIRST);
    assert_eq!(schema::objects(&conn).unwrap().len(), 1);
    schema::migrate_with(&mut conn, &[steps[0], "CREATE TABLE b (x)"]).unwrap();
    assert_eq!(schema::version(&conn).unwrap(), FIRST + 1);
}
