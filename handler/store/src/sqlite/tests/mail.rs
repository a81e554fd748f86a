//! Mail and blocks.

use super::*;
use ssmglobal_ipc::Party;

const ALICE: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);
const ARENA: Owner = Owner::Server(ServerId(1));

fn place() -> (Place, Box<dyn Writer>) {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        tx.player_add(&new_player("Alice")).unwrap();
        tx.player_add(&new_player("bob")).unwrap();
        tx.server_add("arena", &[0; 32], Time(0)).unwrap();
    });
    (place, writer)
}

fn letter(from: Owner, to: PlayerId, body: &str) -> NewMail {
    NewMail { from, to, subject: format!("re: {body}"), body: body.into(), at: Time(10) }
}

fn send(writer: &mut dyn Writer, from: Owner, to: PlayerId, body: &str) -> u64 {
    commit(writer, |tx| tx.mail_add(&letter(from, to, body), 3).unwrap())
}

fn ids(rows: &[ssmglobal_ipc::MailRow]) -> Vec<u64> {
    rows.iter().map(|row| row.id).collect()
}

/// Whether the row itself is still there.
fn rows(place: &Place) -> u64 {
    SqliteStore::verify(place.store.path()).unwrap().mails
}

#[test]
fn a_letter_arrives_is_read_and_listed() {
    let (place, mut writer) = place();
    let first = send(&mut *writer, Owner::Player(ALICE), BOB, "hi");
    let second = send(&mut *writer, ARENA, BOB, "welcome");
    let reader = place.reader();
    assert_eq!(reader.mailbox(BOB).unwrap(), (2, 2));
    commit(&mut *writer, |tx| tx.mail_mark_read(BOB, first, Time(20)).unwrap());
    commit(&mut *writer, |tx| tx.mail_mark_read(ALICE, second, Time(20)).unwrap());
    assert_eq!(reader.mailbox(BOB).unwrap(), (2, 1), "only the receiver marks");
    let box_ = reader.mails(BOB, None, 10).unwrap();
    assert_eq!(ids(&box_), [second, first]);
    assert_eq!((&box_[0].from, box_[0].read), (&Party::Server("arena".into()), false));
    assert_eq!((&box_[1].from, box_[1].to.as_str(), box_[1].read), (&Party::Player("Alice".into()), "bob", true));
    assert_eq!(ids(&reader.mails(BOB, Some(second), 10).unwrap()), [first]);
    assert_eq!(ids(&reader.mails(BOB, None, 1).unwrap()), [second]);
    let mail = reader.mail(BOB, first).unwrap().unwrap();
    assert_eq!((mail.subject.as_str(), mail.body.as_str(), mail.at), ("re: hi", "hi", Time(10)));
    assert!(reader.mail(ALICE, first).unwrap().is_some(), "the sender reads it too");
    assert!(reader.mail(ALICE, second).unwrap().is_none());
    assert!(reader.mail(BOB, u64::MAX).unwrap().is_none());
}

#[test]
fn a_letter_goes_when_both_have_let_go() {
    let (place, mut writer) = place();
    let id = send(&mut *writer, Owner::Player(ALICE), BOB, "hi");
    assert!(!commit(&mut *writer, |tx| tx.mail_delete(PlayerId(3), id).unwrap()));
    assert!(commit(&mut *writer, |tx| tx.mail_delete(BOB, id).unwrap()));
    assert!(!commit(&mut *writer, |tx| tx.mail_delete(BOB, id).unwrap()));
    let reader = place.reader();
    assert_eq!(reader.mailbox(BOB).unwrap(), (0, 0));
    assert!(reader.mail(BOB, id).unwrap().is_none());
    assert_eq!((rows(&place), reader.sent_count(ALICE).unwrap()), (1, 1));
    assert!(commit(&mut *writer, |tx| tx.mail_delete(ALICE, id).unwrap()));
    assert_eq!(rows(&place), 0);

    let next = send(&mut *writer, ARENA, BOB, "hi");
    assert!(next > id, "numbers are never used again");
    assert!(commit(&mut *writer, |tx| tx.mail_delete(BOB, next).unwrap()));
    let own = send(&mut *writer, Owner::Player(BOB), BOB, "to myself");
    assert!(commit(&mut *writer, |tx| tx.mail_delete(BOB, own).unwrap()));
    assert_eq!(rows(&place), 0);
}

#[test]
fn the_oldest_sent_ones_go_above_the_limit() {
    let (place, mut writer) = place();
    let sent: Vec<u64> = (0..5).map(|n| send(&mut *writer, Owner::Player(ALICE), BOB, &n.to_string())).collect();
    let reader = place.reader();
    let mut expected = sent[2..].to_vec();
    expected.reverse();
    assert_eq!(ids(&reader.mails_sent(ALICE, None, 10).unwrap()), expected);
    assert_eq!(ids(&reader.mails_sent(ALICE, Some(sent[3]), 10).unwrap()), [sent[2]]);
    assert_eq!(reader.mailbox(BOB).unwrap().0, 5, "the receiver loses none");
    assert!(commit(&mut *writer, |tx| tx.mail_delete(BOB, sent[2]).unwrap()));
    // Let go by the receiver, then pushed out of the sender's: gone. A lower limit takes effect at the next letter.
    commit(&mut *writer, |tx| tx.mail_add(&letter(Owner::Player(ALICE), BOB, "x"), 1).unwrap());
    assert_eq!((reader.sent_count(ALICE).unwrap(), rows(&place)), (1, 5));
    commit(&mut *writer, |tx| tx.mail_add(&letter(Owner::Player(ALICE), BOB, "y"), 0).unwrap());
    assert_eq!(reader.sent_count(ALICE).unwrap(), 0);
}

#[test]
fn a_letter_to_nobody_changes_nothing() {
    let (place, mut writer) = place();
    for n in 0..3 {
        send(&mut *writer, Owner::Player(ALICE), BOB, &n.to_string());
    }
    commit(&mut *writer, |tx| {
        assert!(matches!(tx.mail_add(&letter(Owner::Player(ALICE), PlayerId(99), "?"), 3), Err(StoreError::Other(_))));
    });
    assert_eq!(place.reader().sent_count(ALICE).unwrap(), 3);
}

#[test]
fn blocks_are_per_sender() {
    let (place, mut writer) = place();
    commit(&mut *writer, |tx| {
        assert!(tx.block_add(BOB, Owner::Player(ALICE)).unwrap());
        assert!(!tx.block_add(BOB, Owner::Player(ALICE)).unwrap());
        assert!(tx.block_add(BOB, ARENA).unwrap());
    });
    let reader = place.reader();
    assert!(reader.blocks(BOB, Owner::Player(ALICE)).unwrap());
    assert!(!reader.blocks(ALICE, Owner::Player(BOB)).unwrap());
    assert_eq!(reader.blocked(BOB).unwrap(), [Party::Player("Alice".into()), Party::Server("arena".into())]);
    commit(&mut *writer, |tx| {
        assert!(tx.block_remove(BOB, Owner::Player(ALICE)).unwrap());
        assert!(!tx.block_remove(BOB, Owner::Player(ALICE)).unwrap());
    });
    assert!(reader.blocks(BOB, ARENA).unwrap() && !reader.blocks(BOB, Owner::Player(ALICE)).unwrap());
}
