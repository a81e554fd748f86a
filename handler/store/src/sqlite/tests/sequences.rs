//! Numbers that are given once.

use super::*;

const OWNED: [Sequence; 6] = [
    Sequence::Player,
    Sequence::Server,
    Sequence::Board,
    Sequence::Letters(Principal { kind: PrincipalKind::Player, id: 1 }),
    Sequence::Letters(Principal { kind: PrincipalKind::Player, id: 2 }),
    Sequence::Letters(Principal { kind: PrincipalKind::Server, id: 1 }),
];

#[test]
fn every_sequence_begins_with_one_and_goes_on_after_a_restart() {
    let place = Place::new();
    let mut writer = place.writer();
    for sequence in OWNED {
        assert_eq!(commit(&mut *writer, |tx| tx.next_number(sequence).unwrap()), 1, "{sequence:?}");
        assert_eq!(commit(&mut *writer, |tx| [0; 2].map(|_| tx.next_number(sequence).unwrap())), [2, 3]);
    }
    drop(writer);
    let place = place.again();
    let mut writer = place.writer();
    for sequence in OWNED {
        assert_eq!(commit(&mut *writer, |tx| tx.next_number(sequence).unwrap()), 4, "{sequence:?}");
    }
    let problems = SqliteStore::verify(place.store.path()).unwrap().problems;
    assert_eq!(problems, ["2 counts of letters of no player", "1 counts of letters of no game server"]);
}

#[test]
fn no_number_that_was_committed_is_given_again_after_a_transaction_that_was_given_up() {
    let place = Place::new();
    let mut writer = place.writer();
    for sequence in OWNED {
        let kept = commit(&mut *writer, |tx| tx.next_number(sequence).unwrap());
        writer.begin().unwrap();
        let lost = writer.tx().next_number(sequence).unwrap();
        writer.rollback();
        let next = commit(&mut *writer, |tx| tx.next_number(sequence).unwrap());
        assert!(lost > kept && next > kept, "{sequence:?}: {kept}, {lost}, {next}");
    }
}

#[test]
fn a_number_is_given_inside_a_transaction_only() {
    let place = Place::new();
    let mut writer = place.writer();
    for sequence in OWNED {
        assert!(matches!(writer.tx().next_number(sequence), Err(StoreError::Unavailable(_))));
        assert_eq!(commit(&mut *writer, |tx| tx.next_number(sequence).unwrap()), 1);
    }
}

#[test]
fn orders_never_go_back_not_even_over_a_transaction_that_was_given_up() {
    let place = Place::new();
    let mut writer = place.writer();
    let score = |tx: &mut dyn Tx| {
        let order = tx.next_number(Sequence::Order).unwrap();
        tx.put(&scored(1, standing(1, order, 5))).unwrap();
        order
    };
    assert_eq!(commit(&mut *writer, score), 1);
    writer.begin().unwrap();
    assert_eq!(score(writer.tx()), 2);
    writer.rollback();
    assert_eq!(commit(&mut *writer, score), 3);
    // A score that came with an order of its own moves the others on.
    put(&mut *writer, &scored(1, standing(2, 10, 5)));
    assert_eq!(commit(&mut *writer, score), 11);
    while writer.idle().unwrap() {}
    drop(writer);
    let place = place.again();
    assert_eq!(commit(&mut *place.writer(), score), 12, "also when the log is empty");
    assert_eq!(commit(&mut *place.writer(), score), 13, "and when it is not");
}

#[test]
fn the_relays_mark_is_kept_and_only_grows() {
    let place = Place::new();
    let mut writer = place.writer();
    assert_eq!(place.reader().relay_mark().unwrap(), 0);
    for (upto, mark) in [(1_000, 1_000), (700, 1_000), (1_501, 1_501)] {
        put(&mut *writer, &Row::RelayMark { upto });
        assert_eq!(place.reader().relay_mark().unwrap(), mark);
    }
    writer.begin().unwrap();
    writer.tx().put(&Row::RelayMark { upto: 9_000 }).unwrap();
    writer.rollback();
    assert!(
        commit(&mut *writer, |tx| tx.put(&Row::RelayMark { upto: u64::MAX })).is_err(),
        "more than a database holds"
    );
    drop(writer);
    let place = place.again();
    assert_eq!(place.reader().relay_mark().unwrap(), 1_501);
    assert_eq!(SqliteStore::verify(place.store.path()).unwrap().problems, Vec::<String>::new());
}
