//! Mail and blocks.

use super::*;
use rusqlite::Connection;

const ALICE: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);
const ARENA: Principal = Principal { kind: PrincipalKind::Server, id: 1 };

fn place() -> (Place, Box<dyn Writer>) {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        for row in [player(1, "Alice"), player(2, "bob"), server(1, "arena")] {
            tx.put(&row).unwrap();
        }
    });
    (place, writer)
}

/// A letter with the next numbers of its two, as the handler makes one: of what a player has sent, `limit` are kept.
fn letter(tx: &mut dyn Tx, from: Principal, to: PlayerId, body: &str, limit: u32) -> NewLetter {
    let from_number = tx.next_number(Sequence::Letters(from)).unwrap();
    let to_number = if from == to.into() { from_number } else { tx.next_number(Sequence::Letters(to.into())).unwrap() };
    let in_sent = from.as_player().is_some() && limit > 0;
    let kept = from.as_player().map_or(0, |player| tx.sent_count(player).unwrap());
    NewLetter {
        from,
        from_number,
        in_sent,
        let_go: (kept + u32::from(in_sent)).saturating_sub(limit),
        to,
        to_number,
        unread: 0,
        subject: format!("re: {body}"),
        body: body.into(),
        at: Time(10),
    }
}

/// Gives the letter's numbers: the sender's, the receiver's.
fn send_within(writer: &mut dyn Writer, from: Principal, to: PlayerId, body: &str, limit: u32) -> (u64, u64) {
    commit(writer, |tx| {
        let letter = letter(tx, from, to, body, limit);
        tx.put(&Row::Letter(letter.clone())).unwrap();
        (letter.from_number, letter.to_number)
    })
}

fn send(writer: &mut dyn Writer, from: Principal, to: PlayerId, body: &str) -> (u64, u64) {
    send_within(writer, from, to, body, 3)
}

fn let_go(writer: &mut dyn Writer, player: PlayerId, number: u64) {
    put(writer, &Row::LetterGone { player, number });
}

fn numbers(rows: &[LetterRow]) -> Vec<u64> {
    rows.iter().map(|row| row.number).collect()
}

/// Whether the row itself is still there.
fn rows(place: &Place) -> u64 {
    SqliteStore::verify(place.store.path()).unwrap().mails
}

#[test]
fn a_letter_arrives_is_read_and_listed() {
    let (place, mut writer) = place();
    send(&mut *writer, ALICE.into(), ALICE, "note");
    let (alices, first) = send(&mut *writer, ALICE.into(), BOB, "hi");
    let (_, second) = send(&mut *writer, ARENA, BOB, "welcome");
    assert_eq!((alices, first, second), (2, 1, 2));
    let reader = place.reader();
    assert_eq!(reader.mailbox(BOB).unwrap(), (2, 2));
    put(&mut *writer, &Row::LetterRead { player: BOB, number: first, at: Time(20) });
    put(&mut *writer, &Row::LetterRead { player: ALICE, number: alices, at: Time(20) });
    assert_eq!(reader.mailbox(BOB).unwrap(), (2, 1), "only the receiver marks");
    let box_ = reader.letters(BOB, None, 10).unwrap();
    assert_eq!(numbers(&box_), [second, first]);
    assert_eq!((box_[0].from, box_[0].read), (ARENA, false));
    assert_eq!((box_[1].from, box_[1].to, box_[1].read), (ALICE.into(), BOB, true));
    assert_eq!(numbers(&reader.letters(BOB, Some(second), 10).unwrap()), [first]);
    assert_eq!(numbers(&reader.letters(BOB, None, 1).unwrap()), [second]);
    let found = reader.letter(BOB, first).unwrap().unwrap();
    let expected = Letter {
        number: first,
        from: ALICE.into(),
        to: BOB,
        subject: "re: hi".into(),
        body: "hi".into(),
        at: Time(10),
    };
    assert_eq!(found, expected);
    let sent = Letter { number: alices, ..expected };
    assert_eq!(reader.letter(ALICE, alices).unwrap(), Some(sent), "the sender reads it too, under a number of his own");
    assert!(reader.letter(ALICE, 3).unwrap().is_none());
    assert!(reader.letter(BOB, u64::MAX).unwrap().is_none());
}

#[test]
fn a_letter_goes_when_both_have_let_go() {
    let (place, mut writer) = place();
    send(&mut *writer, ARENA, BOB, "so that the two numbers differ");
    let (alices, bobs) = send(&mut *writer, ALICE.into(), BOB, "hi");
    let_go(&mut *writer, PlayerId(3), bobs);
    let_go(&mut *writer, ALICE, bobs);
    let reader = place.reader();
    assert!(reader.letter(BOB, bobs).unwrap().is_some() && reader.letter(ALICE, alices).unwrap().is_some());
    let_go(&mut *writer, BOB, bobs);
    let_go(&mut *writer, BOB, bobs);
    assert_eq!(reader.mailbox(BOB).unwrap(), (1, 1));
    assert!(reader.letter(BOB, bobs).unwrap().is_none());
    assert_eq!((rows(&place), reader.sent_count(ALICE).unwrap()), (2, 1));
    let_go(&mut *writer, ALICE, alices);
    assert_eq!(rows(&place), 1);

    let (_, next) = send(&mut *writer, ARENA, BOB, "hi");
    assert!(next > bobs, "numbers are never used again");
    let_go(&mut *writer, BOB, next);
    let_go(&mut *writer, BOB, 1);
    assert_eq!(rows(&place), 0);
}

#[test]
fn a_letter_to_oneself_has_one_number() {
    let (place, mut writer) = place();
    let (sent, received) = send(&mut *writer, BOB.into(), BOB, "to myself");
    assert_eq!((sent, received), (1, 1));
    let reader = place.reader();
    assert_eq!(numbers(&reader.letters(BOB, None, 10).unwrap()), [1]);
    assert_eq!(numbers(&reader.letters_sent(BOB, None, 10).unwrap()), [1]);
    assert_eq!(reader.letter(BOB, 1).unwrap().unwrap().body, "to myself");
    assert_eq!(send(&mut *writer, ALICE.into(), BOB, "hi"), (1, 2), "and takes one");
    let_go(&mut *writer, BOB, 1);
    assert_eq!(rows(&place), 1);
    assert!(reader.letter(BOB, 1).unwrap().is_none());
    assert_eq!((reader.mailbox(BOB).unwrap(), reader.sent_count(BOB).unwrap()), ((1, 1), 0));
}

#[test]
fn numbers_are_each_mailboxes_own_and_never_used_again() {
    let (place, mut writer) = place();
    assert_eq!(send(&mut *writer, ALICE.into(), BOB, "a"), (1, 1));
    assert_eq!(send(&mut *writer, BOB.into(), ALICE, "b"), (2, 2));
    assert_eq!(send(&mut *writer, ARENA, BOB, "c"), (1, 3), "a game server counts its own, too");
    assert_eq!(send(&mut *writer, ARENA, ALICE, "d"), (2, 3));
    for player in [ALICE, BOB] {
        (1..=3).for_each(|number| let_go(&mut *writer, player, number));
    }
    assert_eq!(rows(&place), 0);
    drop(writer);
    let place = place.again();
    let mut writer = place.writer();
    assert_eq!(send(&mut *writer, ALICE.into(), BOB, "e"), (4, 4));
    assert_eq!(send(&mut *writer, ARENA, ALICE, "f"), (3, 5));
}

#[test]
fn the_oldest_sent_ones_go_above_the_limit() {
    let (place, mut writer) = place();
    let sent: Vec<(u64, u64)> = (0..5).map(|n| send(&mut *writer, ALICE.into(), BOB, &n.to_string())).collect();
    let reader = place.reader();
    let mut expected: Vec<u64> = sent[2..].iter().map(|(alices, _)| *alices).collect();
    expected.reverse();
    assert_eq!(numbers(&reader.letters_sent(ALICE, None, 10).unwrap()), expected);
    assert_eq!(numbers(&reader.letters_sent(ALICE, Some(sent[3].0), 10).unwrap()), [sent[2].0]);
    assert_eq!(reader.mailbox(BOB).unwrap().0, 5, "the receiver loses none");
    let_go(&mut *writer, BOB, sent[2].1);
    // Let go by the receiver, then pushed out of the sender's: gone. A lower limit takes effect at the next letter.
    send_within(&mut *writer, ALICE.into(), BOB, "x", 1);
    assert_eq!((reader.sent_count(ALICE).unwrap(), rows(&place)), (1, 5));
    send_within(&mut *writer, ALICE.into(), BOB, "y", 0);
    assert_eq!(reader.sent_count(ALICE).unwrap(), 0);
}

#[test]
fn a_letter_to_nobody_changes_nothing() {
    let (place, mut writer) = place();
    for n in 0..3 {
        send(&mut *writer, ALICE.into(), BOB, &n.to_string());
    }
    commit(&mut *writer, |tx| {
        let letter = letter(tx, ALICE.into(), PlayerId(99), "?", 3);
        assert!(letter.let_go > 0);
        assert!(matches!(tx.put(&Row::Letter(letter)), Err(StoreError::Other(_))));
    });
    assert_eq!(place.reader().sent_count(ALICE).unwrap(), 3);
}

#[test]
fn no_search_for_letters_looks_at_all_of_them() {
    let (place, _writer) = place();
    let conn = Connection::open(place.store.path()).unwrap();
    for sql in crate::sqlite::mail::SEARCHES {
        let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines: Vec<String> =
            plan.raw_query().mapped(|row| row.get("detail")).collect::<rusqlite::Result<_>>().unwrap();
        assert!(lines.iter().any(|line| line.starts_with("SEARCH mail USING")), "{sql}: {lines:?}");
        assert!(
            !lines.iter().any(|line| line.contains("SCAN mail") || line.contains("TEMP B-TREE")),
            "{sql}: {lines:?}"
        );
    }
}

#[test]
fn blocks_are_per_sender() {
    let (place, mut writer) = place();
    let block = |from| Row::Blocked { player: BOB, from };
    commit(&mut *writer, |tx| {
        tx.put(&block(ALICE.into())).unwrap();
        tx.put(&block(ALICE.into())).unwrap();
        tx.put(&block(ARENA)).unwrap();
    });
    let reader = place.reader();
    assert!(reader.blocks(BOB, ALICE.into()).unwrap());
    assert!(!reader.blocks(ALICE, BOB.into()).unwrap());
    let mut blocked = reader.blocked(BOB).unwrap();
    blocked.sort();
    assert_eq!(blocked, [ALICE.into(), ARENA]);
    commit(&mut *writer, |tx| {
        tx.put(&Row::Unblocked { player: BOB, from: ALICE.into() }).unwrap();
        tx.put(&Row::Unblocked { player: BOB, from: ALICE.into() }).unwrap();
    });
    assert!(reader.blocks(BOB, ARENA).unwrap() && !reader.blocks(BOB, ALICE.into()).unwrap());
    assert_eq!(reader.blocked(BOB).unwrap(), [ARENA]);
}

#[test]
fn who_was_told_of_a_full_mailbox_is_kept_for_a_while() {
    let (place, mut writer) = place();
    let refused =
        |player, from, at| Row::LetterRefused { player, from, mailbox: 9, at: Time(at), before: Time(at - 10) };
    let of = |id| Principal { kind: PrincipalKind::Server, id };
    let reader = place.reader();
    for (id, at) in (1..=5).zip(100..) {
        put(&mut *writer, &refused(BOB, of(id), at));
    }
    put(&mut *writer, &refused(ALICE, BOB.into(), 109));
    assert_eq!(
        (reader.refused(BOB, of(2)).unwrap(), reader.refused(BOB, ALICE.into()).unwrap()),
        (Some(Time(101)), None)
    );
    let counts = [0, 101, 105].map(|since| reader.refused_count(BOB, Time(since)).unwrap());
    assert_eq!((counts, reader.refused_count(ALICE, Time(0)).unwrap()), ([5, 4, 0], 1));
    // Those that nobody asks for any more go when others come, two for each.
    put(&mut *writer, &refused(BOB, of(4), 120));
    assert_eq!(reader.refused(BOB, of(4)).unwrap(), Some(Time(120)), "he was told again");
    assert_eq!((reader.refused_count(BOB, Time(0)).unwrap(), reader.refused(BOB, of(2)).unwrap()), (3, None));
    put(&mut *writer, &refused(BOB, of(6), 120));
    assert_eq!((reader.refused_count(BOB, Time(0)).unwrap(), reader.refused_count(ALICE, Time(0)).unwrap()), (2, 1));
    drop((reader, writer));
    let place = place.again();
    assert_eq!(place.reader().refused(BOB, of(6)).unwrap(), Some(Time(120)));
}
