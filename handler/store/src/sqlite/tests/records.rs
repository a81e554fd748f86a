//! Boards and scores.

use super::*;

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
    let mut boards: Vec<Board> = (all.into_iter().zip(["delta", "Alpha", "charlie", "Bravo"]))
        .map(|((better, operator, submit), name)| Board { better, operator, submit, ..new_board(name) })
        .collect();
    commit(&mut *writer, |tx| {
        for board in &mut boards {
            board.id = tx.board_add(board).unwrap();
        }
        assert!(matches!(tx.board_add(&new_board("ALPHA")), Err(StoreError::Exists)));
    });
    boards.sort_by_key(|board| board.name.to_lowercase());
    assert_eq!(place.reader().boards().unwrap(), boards);
    boards[0].unit = "points".into();
    boards[0].operator = Operator::Count;
    commit(&mut *writer, |tx| tx.board_change(&boards[0]).unwrap());
    assert_eq!(place.reader().boards().unwrap(), boards);
}

#[test]
fn the_latest_score_stands_until_withdrawn() {
    let place = Place::new();
    let mut writer = place.writer();
    let (one, two) = commit(&mut *writer, |tx| {
        tx.player_add(&new_player("alice")).unwrap();
        tx.player_add(&new_player("bob")).unwrap();
        tx.server_add("arena", &[0; 32], Time(0)).unwrap();
        (tx.board_add(&new_board("one")).unwrap(), tx.board_add(&new_board("two")).unwrap())
    });
    let reader = place.reader();
    assert_eq!(reader.last_order().unwrap(), 0);
    commit(&mut *writer, |tx| {
        tx.record_put(one, &standing(1, 1, 600)).unwrap();
        tx.record_put(one, &standing(2, 2, 500)).unwrap();
        tx.record_put(one, &standing(1, 3, -7)).unwrap();
        tx.record_put(two, &standing(1, 4, i64::MIN + 1)).unwrap();
        assert_eq!(standings(tx, two).len(), 1, "as changed so far");
    });
    assert_eq!(standings(&*reader, one), [standing(1, 3, -7), standing(2, 2, 500)]);
    commit(&mut *writer, |tx| tx.record_withdraw(one, &standing(1, 3, -7), 5, Time(9), "cheating").unwrap());
    assert_eq!(standings(&*reader, one), [standing(2, 2, 500)]);
    assert_eq!(standings(&*reader, two), [standing(1, 4, i64::MIN + 1)]);

    while writer.tidy().unwrap() {}
    assert_eq!(standings(&*reader, one), [standing(2, 2, 500)]);
    assert_eq!(reader.last_order().unwrap(), 5, "also when the row that had it is gone");
    commit(&mut *writer, |tx| tx.record_put(one, &standing(1, 6, 8)).unwrap());
    assert_eq!(standings(&*reader, one), [standing(1, 6, 8), standing(2, 2, 500)]);
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
        tx.record_put(BoardId(1), &standing(1, 1, 5)).unwrap();
        // The history names a board that is not there.
        let refused = tx.record_withdraw(BoardId(1), &standing(1, 1, 5), 2, Time(0), "why");
        assert!(matches!(refused, Err(StoreError::Other(_))));
    });
    assert_eq!(standings(&*place.reader(), BoardId(1)), [standing(1, 1, 5)]);
}

#[test]
fn an_order_that_is_too_large_is_refused() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        assert!(matches!(tx.record_put(BoardId(1), &standing(1, u64::MAX, 5)), Err(StoreError::Other(_))));
    });
}
