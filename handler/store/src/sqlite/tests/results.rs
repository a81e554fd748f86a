//! Kept answers.

use super::*;

const ALICE: Principal = Principal { kind: PrincipalKind::Player, id: 1 };
/// The same number, another kind.
const ARENA: Principal = Principal { kind: PrincipalKind::Server, id: 1 };

fn kept(at: i64) -> Keyed {
    Keyed { digest: [7; 32], at: Time(at), answer: vec![1, 2, 3] }
}

fn keyed(owner: Principal, key: &str, at: i64) -> Row {
    Row::Keyed { owner, key: key.into(), kept: kept(at) }
}

#[test]
fn an_answer_is_kept_under_its_owners_key_until_it_is_old() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        for row in [keyed(ALICE, "a", 30), keyed(ALICE, "b", 10), keyed(ARENA, "a", 20)] {
            tx.put(&row).unwrap();
        }
        assert!(matches!(tx.put(&keyed(ALICE, "a", 40)), Err(StoreError::Exists)));
    });
    let reader = place.reader();
    assert_eq!(reader.keyed(ALICE, "a").unwrap(), Some(kept(30)));
    assert_eq!(reader.keyed(ARENA, "b").unwrap(), None);
    let mut counts = reader.keyed_counts().unwrap();
    counts.sort();
    assert_eq!(counts, [(ALICE, 2), (ARENA, 1)]);
    commit(&mut *writer, |tx| {
        assert_eq!(tx.keyed_expire(Time(30)).unwrap(), Some(ALICE));
        assert_eq!(tx.keyed_expire(Time(30)).unwrap(), Some(ARENA));
        assert_eq!(tx.keyed_expire(Time(30)).unwrap(), None);
    });
    assert_eq!(reader.keyed_counts().unwrap(), [(ALICE, 1)]);
}

#[test]
fn a_new_run_forgets_what_was_kept_for_the_one_before() {
    let place = Place::new();
    let mut writer = place.writer();
    let reader = place.reader();
    let rows = || {
        let mut rows = Vec::new();
        reader.results(&mut |row, answers| rows.push((row, answers.to_vec()))).unwrap();
        rows
    };
    assert_eq!(reader.run().unwrap(), None);
    commit(&mut *writer, |tx| {
        tx.run_begin(1, &RunKey([1; 32])).unwrap();
        for row in [2, 1, 3] {
            tx.results_add(row, &[row as u8]).unwrap();
        }
        tx.results_drop(1).unwrap();
    });
    assert_eq!(reader.run().unwrap(), Some((1, RunKey([1; 32]))));
    assert_eq!(rows(), [(2, vec![2]), (3, vec![3])]);
    commit(&mut *writer, |tx| tx.run_begin(2, &RunKey([2; 32])).unwrap());
    assert_eq!(reader.run().unwrap(), Some((2, RunKey([2; 32]))));
    assert_eq!(rows(), []);
}
