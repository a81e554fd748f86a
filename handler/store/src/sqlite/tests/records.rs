//! Boards and scores.

use super::*;

/// A score that is taken off the first board.
fn withdrawn(was: Standing, order: u64, at: Time, reason: &str) -> Row {
    Row::Withdrawn { board: BoardId(1), was, order, at, reason: reason.into() }
}

#[test]
fn boards_are_kept_and_changed() {
    let place = Place::new();
    let mut writer = place.writer();
    let all = [
        (Better::Lower, Operator::Best, Submitters::Servers),
        (Better::Higher, Operator::Last, Submitters::Players),
        (Better::Higher, Operator::Sum, Submitters::Servers),
        (Better::Lower, Operator::Count, Submitters::Players),
    ];
    let mut boards: Vec<Board> = (all.into_iter().zip([(1, "delta"), (2, "Alpha"), (3, "charlie"), (4, "Bravo")]))
        .map(|((better, operator, submit), (id, name))| Board { better, operator, submit, ..new_board(id, name) })
        .collect();
    commit(&mut *writer, |tx| {
        for board in &boards {
            tx.put(&Row::Board(board.clone())).unwrap();
        }
        assert!(matches!(tx.put(&Row::Board(new_board(5, "ALPHA"))), Err(StoreError::Exists)));
        assert!(matches!(tx.put(&Row::Board(new_board(4, "ALPHA"))), Err(StoreError::Exists)));
    });
    boards.sort_by_key(|board| board.name.to_lowercase());
    assert_eq!(place.reader().boards().unwrap(), boards);
    boards[0].unit = "points".into();
    boards[0].operator = Operator::Count;
    boards[0].name = "ALPHA".into();
    put(&mut *writer, &Row::Board(boards[0].clone()));
    assert_eq!(place.reader().boards().unwrap(), boards);
}

#[test]
fn the_latest_score_stands_until_withdrawn() {
    let place = Place::new();
    let mut writer = place.writer();
    let (one, two) = (BoardId(1), BoardId(2));
    commit(&mut *writer, |tx| {
        for row in [player(1, "alice"), player(2, "bob"), server(1, "arena")] {
            tx.put(&row).unwrap();
        }
        tx.put(&Row::Board(new_board(1, "one"))).unwrap();
        tx.put(&Row::Board(new_board(2, "two"))).unwrap();
    });
    let reader = place.store.sqlite_reader().unwrap();
    assert_eq!(reader.last_order().unwrap(), 0);
    commit(&mut *writer, |tx| {
        tx.put(&scored(1, standing(1, 1, 600))).unwrap();
        tx.put(&scored(1, standing(2, 2, 500))).unwrap();
        tx.put(&scored(1, standing(1, 3, -7))).unwrap();
        tx.put(&scored(2, standing(1, 4, i64::MIN + 1))).unwrap();
        assert_eq!(standings(tx, two).len(), 1, "as changed so far");
    });
    assert_eq!(standings(&reader, one), [standing(1, 3, -7), standing(2, 2, 500)]);
    put(&mut *writer, &withdrawn(standing(1, 3, -7), 5, Time(9), "cheating"));
    assert_eq!(standings(&reader, one), [standing(2, 2, 500)]);
    assert_eq!(standings(&reader, two), [standing(1, 4, i64::MIN + 1)]);

    while writer.idle().unwrap() {}
    assert_eq!(standings(&reader, one), [standing(2, 2, 500)]);
    assert_eq!(reader.last_order().unwrap(), 5, "also when the row that had it is gone");
    commit(&mut *writer, |tx| tx.put(&scored(1, standing(1, 6, 8))).unwrap());
    assert_eq!(standings(&reader, one), [standing(1, 6, 8), standing(2, 2, 500)]);
    assert_eq!(SqliteStore::verify(place.store.path()).unwrap().records, 3);
    let conn = rusqlite::Connection::open(place.store.path()).unwrap();
    let kept: (i64, i64, String) = conn
        .query_row("SELECT score, withdrawn_at, reason FROM withdrawal", [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
        .unwrap();
    assert_eq!(kept, (-7, 9, "cheating".into()));
}

#[test]
fn a_withdrawal_is_kept_whole_or_not_at_all() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        tx.put(&scored(1, standing(1, 1, 5))).unwrap();
        // The history names a board that is not there.
        let refused = tx.put(&withdrawn(standing(1, 1, 5), 2, Time(0), "why"));
        assert!(matches!(refused, Err(StoreError::Other(_))));
    });
    assert_eq!(standings(&*place.reader(), BoardId(1)), [standing(1, 1, 5)]);
}

#[test]
fn an_order_that_is_too_large_is_refused() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        assert!(matches!(tx.put(&scored(1, standing(1, u64::MAX, 5))), Err(StoreError::Other(_))));
    });
}

#[test]
fn a_board_that_was_cleared_is_empty_and_orders_go_on() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    commit(&mut writer, |tx| {
        for (sequence, row) in [
            (Sequence::Player, player(1, "alice")),
            (Sequence::Player, player(2, "bob")),
            (Sequence::Server, server(1, "arena")),
        ] {
            tx.next_number(sequence).unwrap();
            tx.put(&row).unwrap();
        }
        for (id, name) in [(1, "one"), (2, "two")] {
            let number = tx.next_number(Sequence::Board).unwrap();
            assert_eq!(number, u64::from(id));
            tx.put(&Row::Board(new_board(id, name))).unwrap();
        }
    });
    let (one, two) = (BoardId(1), BoardId(2));
    let score = |writer: &mut SqliteWriter, board, player| {
        commit(writer, |tx| {
            let order = tx.next_number(Sequence::Order).unwrap();
            tx.put(&scored(board, standing(player, order, 9))).unwrap();
            order
        })
    };
    score(&mut writer, 2, 1);
    let was = score(&mut writer, 1, 1);
    // Some of it is folded, some is not.
    while writer.idle().unwrap() {}
    score(&mut writer, 1, 2);
    put(&mut writer, &withdrawn(standing(1, was, 9), 4, Time(4), "cheated"));
    let last = score(&mut writer, 1, 1);
    put(&mut writer, &Row::BoardCleared { board: one });
    let reader = place.store.sqlite_reader().unwrap();
    assert_eq!((standings(&reader, one), standings(&reader, two).len()), (vec![], 1));
    assert_eq!(reader.last_order().unwrap(), last);
    // Nothing is left to fold, and that is known.
    while writer.idle().unwrap() {}
    assert_eq!(writer.log_rows, 0);
    drop(writer);
    let mut writer = place.store.sqlite_writer().unwrap();
    assert_eq!(score(&mut writer, 1, 2), last + 1, "no order is given twice, also after a restart");
    put(&mut writer, &Row::BoardGone { board: one });
    assert_eq!(reader.boards().unwrap(), [new_board(2, "two")]);
    commit(&mut writer, |tx| {
        assert_eq!(tx.next_number(Sequence::Board).unwrap(), 3);
        tx.put(&Row::Board(new_board(3, "ONE"))).unwrap();
    });
    assert_eq!(place.store.upkeep().unwrap().verify().unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_board_may_be_cleared_while_its_scores_are_folded() {
    let place = Place::new();
    let mut writer = place.store.sqlite_writer().unwrap();
    commit(&mut writer, |tx| {
        (1..=2_000).for_each(|id| tx.put(&player(id, &format!("p{id}"))).unwrap());
        tx.put(&Row::Board(new_board(1, "one"))).unwrap();
        (1..=2_000).for_each(|id| tx.put(&scored(1, standing(id, u64::from(id), 5))).unwrap());
    });
    // The plan is made, and the first slice is in the table.
    while writer.fold.as_ref().is_none() {
        assert!(writer.idle().unwrap());
    }
    assert!(writer.idle().unwrap());
    put(&mut writer, &Row::BoardCleared { board: BoardId(1) });
    put(&mut writer, &scored(1, standing(7, 2_001, 3)));
    while writer.idle().unwrap() {}
    let reader = place.store.sqlite_reader().unwrap();
    assert_eq!(standings(&reader, BoardId(1)), [standing(7, 2_001, 3)]);
    assert_eq!((writer.log_rows, reader.last_order().unwrap()), (0, 2_001));
}
