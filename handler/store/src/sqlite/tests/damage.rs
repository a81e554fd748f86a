//! Damage is found: each changed byte of a copy, and of a living database what its rows say about each other.

use super::*;
use std::fs;

/// A database in which there is something of everything.
fn full() -> Place {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        for (n, name) in (1..).zip(["alice", "bob", "carol"]) {
            assert_eq!(tx.next_number(Sequence::Player).unwrap(), u64::from(n));
            tx.put(&player(n, name)).unwrap();
        }
        tx.next_number(Sequence::Server).unwrap();
        tx.put(&server(1, "arena")).unwrap();
        for (n, operator) in (1..).zip([Operator::Best, Operator::Count, Operator::Last]) {
            tx.next_number(Sequence::Board).unwrap();
            tx.put(&Row::Board(Board { operator, ..new_board(n, &format!("board{n}")) })).unwrap();
        }
        let setting = |n| KeptSetting { value: Some(format!("the value {n}")), version: n, public: false, at: Time(0) };
        (1..=40).for_each(|n| tx.put(&set(1, &format!("key{n}"), &setting(n))).unwrap());
    });
    // Folded, and still in the log.
    let score =
        |order, player, score| Standing { server: Some(ServerId(1)), note: None, ..standing(player, order, score) };
    commit(&mut *writer, |tx| {
        for (order, player, points) in [(1, 1, 70), (2, 2, 60), (3, 3, 50)] {
            assert_eq!(tx.next_number(Sequence::Order).unwrap(), order);
            tx.put(&scored(1, score(order, player, points))).unwrap();
        }
        tx.put(&scored(2, score(4, 1, 1))).unwrap();
        tx.put(&Row::Withdrawn { board: BoardId(1), was: score(3, 3, 50), order: 5, at: Time(9), reason: "x".into() })
            .unwrap();
    });
    while writer.idle().unwrap() {}
    commit(&mut *writer, |tx| {
        tx.put(&scored(1, score(6, 1, 65))).unwrap();
        tx.put(&scored(2, score(7, 1, 2))).unwrap();
        tx.put(&scored(3, score(8, 2, 5))).unwrap();
        let (from, to) = (Principal::from(PlayerId(1)), PlayerId(2));
        for n in 1..=3 {
            let (from_number, to_number) = (
                tx.next_number(Sequence::Letters(from)).unwrap(),
                tx.next_number(Sequence::Letters(to.into())).unwrap(),
            );
            assert_eq!((from_number, to_number), (n, n));
            let (subject, body) = (format!("letter {n}"), format!("the body of {n}"));
            let letter = NewLetter {
                from,
                from_number,
                to,
                to_number,
                subject,
                body,
                at: Time(7),
                in_sent: true,
                let_go: 0,
                unread: n as u32,
            };
            tx.put(&Row::Letter(letter)).unwrap();
        }
    });
    drop(writer);
    place
}

fn problems(path: &Path) -> Vec<String> {
    SqliteStore::verify(path).map_or_else(|error| vec![error.to_string()], |found| found.problems)
}

#[test]
fn each_changed_byte_of_a_copy_is_found() {
    let place = full();
    let copy = place.file("copy.db");
    place.store.backup(&copy, &mut |_, _| {}).unwrap();
    assert_eq!(problems(&copy), Vec::<String>::new());
    let good = fs::read(&copy).unwrap();
    let value = |n: usize| {
        let text = format!("the value {n}");
        good.windows(text.len()).position(|window| window == text.as_bytes()).unwrap() + text.len() - 1
    };
    // In forty values, and all over the file: what is in no row as well.
    let everywhere = (0..good.len()).step_by(97).chain(0..100);
    for at in (1..=40).map(value).chain(everywhere) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&copy, bad).unwrap();
        assert_ne!(problems(&copy), Vec::<String>::new(), "the byte at {at} of {}", good.len());
    }
    fs::write(&copy, [&good[..], b"x"].concat()).unwrap();
    assert_ne!(problems(&copy), Vec::<String>::new(), "one byte too many");
    fs::write(&copy, &good).unwrap();
    assert_eq!(problems(&copy), Vec::<String>::new());
}

#[test]
fn what_rows_say_of_each_other_is_looked_at() {
    let place = full();
    let path = place.store.path().to_owned();
    let Place { folder, store } = place;
    drop(store);
    assert_eq!(problems(&path), Vec::<String>::new());
    let bad = folder.path().join("bad.db");
    for (change, told) in [
        (
            "UPDATE record SET score = 71 WHERE board = 1 AND player = 1; UPDATE record_folded SET ord = 0",
            "does not have so",
        ),
        ("UPDATE record SET server = 9", "from no game server"),
        ("UPDATE record_log SET score = 80 WHERE ord = 6", "cannot follow"),
        ("UPDATE record_log SET score = 3 WHERE ord = 7", "cannot follow"),
        ("UPDATE record SET score = 5 WHERE board = 2", "cannot follow"),
        ("UPDATE record SET score = -1 WHERE board = 2; DELETE FROM record_log WHERE ord = 7", "less than one"),
        ("UPDATE record SET ord = 7 WHERE board = 2", "does not have so"),
        ("UPDATE record SET ord = 1 WHERE player = 2", "together with another"),
        ("INSERT INTO record VALUES (1, 3, 3, 50, 50, 1, NULL)", "although they were withdrawn"),
        ("UPDATE record_log SET ord = 4 WHERE ord = 6", "should have left the log"),
        ("UPDATE withdrawal SET ord = 800", "never submitted"),
        ("DELETE FROM record_folded", "how far scores have left"),
        ("UPDATE mail SET to_number = 300 WHERE id = 1", "receiver's mailbox has not given"),
        ("UPDATE mail SET from_number = 300 WHERE id = 1", "sender's mailbox has not given"),
        ("UPDATE mail SET in_sent = 0; UPDATE mail SET from_number = 1", "another letter of the same mailbox"),
        ("UPDATE mail SET in_box = 2 WHERE id = 1", "nobody keeps"),
        ("UPDATE mail SET from_kind = 77 WHERE id = 1", "nobody that this program knows"),
        ("UPDATE sequence SET last = 1 WHERE kind = 4 AND owner_id = 2", "receiver's mailbox has not given"),
        ("UPDATE sequence SET last = 2 WHERE kind = 1", "players with a number"),
        ("DELETE FROM sequence WHERE kind = 2", "game servers with a number"),
        ("UPDATE sequence SET kind = 9 WHERE kind = 3", "counts of what this program does not know"),
        ("UPDATE player SET name = 'alicf' WHERE id = 1", "not the ones that they are found by"),
        ("UPDATE player SET hash = 'secret' WHERE id = 1", "no hashes"),
        ("UPDATE setting SET version = 0 WHERE key = 'key1'", "nobody can have made"),
        ("UPDATE setting SET owner_kind = 99 WHERE key = 'key1'", "settings of nobody"),
        ("INSERT INTO property VALUES (1, 99, 'a', 1, 0, 0, 1, 'owner', 'owner', 0, '')", "properties of no player"),
        ("INSERT INTO property VALUES (3, 99, 'a', 1, 0, 0, 1, 'owner', 'owner', 0, '')", "properties of no world"),
        (
            "INSERT INTO property VALUES (2, 1, 'a', 1, 0, 0, 1, 'owner', 'owner', 0, '')",
            "properties that nobody can have made",
        ),
        (
            "INSERT INTO property VALUES (1, 1, 'a', 1, 0, 2, 1, 'owner', 'owner', 0, '')",
            "properties that nobody can have made",
        ),
        ("UPDATE server SET disabled = 7", "neither enabled nor disabled"),
        ("UPDATE record_log SET withdrawn = 1 WHERE ord = 8", "nobody can have submitted"),
        ("INSERT INTO sequence VALUES (4, 1, 99, 1)", "letters of no player"),
    ] {
        fs::copy(&path, &bad).unwrap();
        let conn = rusqlite::Connection::open(&bad).unwrap();
        conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        conn.execute_batch(change).unwrap();
        drop(conn);
        let found = problems(&bad);
        assert!(found.iter().any(|problem| problem.contains(told)), "{change}: {found:?}");
    }
}
