//! The journal as one handler after the other uses it.

use super::*;
use crate::state::passes::{HeldPass, PassState, Wanted};
use ssmglobal_ipc::Time;
use ssmglobal_store::PlayerId;
use ssmglobal_sys::memory;

fn done(request: u64, length: usize) -> Entry {
    Entry::Done(Settled { session: 1, request, kind: 2, payload: vec![7; length], key: None })
}

fn all(journal: &Journal) -> Vec<Entry> {
    journal.entries().map(|(_, entry)| entry).collect()
}

#[test]
fn the_next_handler_finds_what_the_last_one_has_written() {
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::open(&fd).unwrap();
    assert_eq!(all(&journal), []);
    let entries: Vec<Entry> = (0..50).map(|n| done(n, n as usize)).collect();
    let positions: Vec<u64> = entries.iter().map(|entry| journal.append(entry)).collect();
    assert!(positions.is_sorted_by(|a, b| a < b));
    journal.flushed();
    drop(journal);
    let mut journal = Journal::open(&fd).unwrap();
    assert_eq!(all(&journal), entries);
    assert_eq!(journal.get(FLUSHED), journal.head());
    journal.forget(positions[48]);
    assert_eq!(all(&journal), entries[48..]);
}

#[test]
fn it_goes_round_and_is_never_overrun() {
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::with_capacity(&fd, 8 * PIECE).unwrap();
    let big = PIECE - 100;
    let mut written = 0;
    // Twice around, with at most three entries in it.
    while journal.head() < 2 * journal.capacity {
        journal.append(&done(written, big));
        written += 1;
        let kept = all(&journal);
        if kept.len() > 3 {
            let (_, _, behind) = journal.at(journal.get(TAIL)).unwrap();
            journal.forget(behind);
        }
        assert_eq!(kept.last(), Some(&done(written - 1, big)));
    }
    // Without anybody who makes room it stops, and what is there stays.
    let first = all(&journal)[0].clone();
    while !journal.is_full() {
        journal.append(&done(written, big));
    }
    assert_eq!(all(&journal)[0], first);
}

#[test]
fn what_is_held_back_comes_together_or_not_at_all() {
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::open(&fd).unwrap();
    journal.append(&done(1, 1));
    journal.hold();
    journal.append(&done(2, 1));
    journal.append(&Entry::NewsDelivered { row: 7 });
    assert_eq!(all(&Journal::open(&fd).unwrap()), [done(1, 1)]);
    journal.publish();
    assert_eq!(all(&Journal::open(&fd).unwrap()), [done(1, 1), done(2, 1), Entry::NewsDelivered { row: 7 }]);
    journal.append(&done(3, 1));
    assert_eq!(all(&Journal::open(&fd).unwrap()).len(), 4);
}

#[test]
fn passes_come_back_in_the_order_in_which_they_were_given_and_shown() {
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::open(&fd).unwrap();
    let holder = PlayerId(1).into();
    let of = Wanted {
        holder,
        epoch: 0,
        place: holder,
        address: None,
        checked: false,
        since: Time(0),
        language: None,
        charset: None,
    };
    let said = |n: u8| [PassState::Given, PassState::Shown].map(|state| (n, state));
    let said =
        (0..20).flat_map(said).map(|(n, state)| HeldPass { digest: [n; 16], of: of.clone(), given: Time(0), state });
    let said: Vec<HeldPass> = said.collect();
    for pass in &said {
        journal.append(&Entry::Held(pass.into()));
    }
    assert_eq!(Journal::open(&fd).unwrap().recover().passes, said);
}

#[test]
fn another_format_is_begun_anew() {
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::open(&fd).unwrap();
    journal.append(&done(1, 1));
    journal.set(FORMAT_AT, 99);
    drop(journal);
    assert_eq!(all(&Journal::open(&fd).unwrap()), []);
}

#[test]
fn what_only_a_newer_program_knows_is_passed_over() {
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::open(&fd).unwrap();
    let mut with_more = Vec::new();
    growing::put_with(&mut with_more, &done(3, 5), &("a field", 7u8));
    journal.append(&done(1, 3));
    for unknown in [&[120, 1, 2][..], &[], &[7; 100]] {
        journal.append_bytes(unknown);
    }
    journal.append(&Entry::NewsDelivered { row: 7 });
    journal.append_bytes(&with_more);
    assert_eq!(all(&journal), [done(1, 3), Entry::NewsDelivered { row: 7 }, done(3, 5)]);
    let found = Journal::open(&fd).unwrap().recover();
    let mut requests: Vec<u64> = found.done.into_keys().map(|(_, request)| request).collect();
    requests.sort_unstable();
    assert_eq!((requests, found.news_delivered), (vec![1, 3], 7));
    // It goes like any other, and nobody wants it written again.
    let (_, first, behind) = journal.at(journal.get(TAIL)).unwrap();
    assert_eq!(first, Some(done(1, 3)));
    let (_, unknown, next) = journal.at(behind).unwrap();
    assert_eq!((unknown, next - behind), (None, 16));
}

#[test]
fn a_login_is_on_until_it_has_ended_and_waits_until_it_is_counted() {
    use crate::state::logins::{Ended, Login};
    use ssmglobal_ipc::Time;
    use ssmglobal_store::{PlayerId, Principal, PrincipalKind};
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::open(&fd).unwrap();
    let login = |since| Login { who: PlayerId(7).into(), since: Time(since), warned_of: None };
    let ended = |since| Ended { session: 1, player: PlayerId(7), since: Time(since), lasted: 9 };
    let counted = |since| Entry::LoginCounted { session: 1, since: Time(since) };
    let mut found = |entries: &[Entry]| {
        for entry in entries {
            journal.append(entry);
        }
        let found = journal.recover();
        (found.logins.get(&1).copied(), found.ended.into_values().collect::<Vec<_>>())
    };
    assert_eq!(found(&[Entry::login(1, &login(5))]), (Some(login(5)), vec![]));
    let told = Login { warned_of: Some(Time(60)), ..login(5) };
    assert_eq!(found(&[Entry::login(1, &told)]), (Some(told), vec![]));
    assert_eq!(found(&[ended(5).into()]), (None, vec![ended(5)]));
    assert_eq!(found(&[Entry::login(1, &login(6))]), (Some(login(6)), vec![ended(5)]));
    // Written again at the end, as it is still needed.
    assert_eq!(found(&[ended(5).into()]), (Some(login(6)), vec![ended(5)]));
    assert_eq!(found(&[ended(6).into()]), (None, vec![ended(5), ended(6)]));
    assert_eq!(found(&[counted(5)]), (None, vec![ended(6)]));
    assert_eq!(found(&[counted(6)]), (None, vec![]));
    // A visit on the same connection.
    let visit = Login { who: Principal { kind: PrincipalKind::Visitor, id: 7 }, ..told };
    assert_eq!(found(&[Entry::login(1, &visit)]), (Some(visit), vec![]));
    assert_eq!(found(&[Entry::VisitEnded { session: 1 }]), (None, vec![]));
}

#[test]
fn of_what_is_said_again_and_again_only_the_last_word_stays() {
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::open(&fd).unwrap();
    let said = [
        |n| Entry::Linked { session: n % 2 },
        |n| Entry::Channel { id: n % 2, name: "chat".into(), number: n },
        |n| Entry::Revoked { session: n % 2, upto: Time(n as i64) },
        |n| Entry::NewsDelivered { row: n as i64 },
        |n| Entry::NoWorld { id: n % 2 },
        |n| Entry::Epoch { id: n % 2, epoch: n, begun: 7 },
    ];
    let newest = [8, 9].into_iter().flat_map(|n| said.map(|entry| entry(n)));
    let newest: Vec<Entry> = newest.filter(|entry| *entry != Entry::NewsDelivered { row: 8 }).collect();
    for n in 0..10 {
        for entry in said {
            journal.append(&entry(n));
        }
    }
    // So that all of it is old.
    journal.append(&done(1, 2 * PIECE));
    // As the event loop does it, where everything is still needed that a change in memory has said.
    fn once_around(journal: &mut Journal) -> Vec<Entry> {
        let (end, mut again) = (journal.head(), Vec::new());
        while journal.get(TAIL) < end
            && let Some(mut oldest) = journal.oldest()
        {
            if let Some(entry) = oldest.entry.take().filter(|entry| entry.subject().is_some()) {
                journal.append(&entry);
                again.push(entry);
            }
            journal.forget_oldest(&oldest);
        }
        again
    }
    assert_eq!(once_around(&mut journal), newest);
    assert_eq!(all(&journal), newest);
    // The next handler knows it as well, and what is dropped for good leaves nothing behind.
    let mut journal = Journal::open(&fd).unwrap();
    let subjects = journal.last_words.len();
    assert_eq!(subjects, 11);
    journal.append(&done(20, 2 * PIECE));
    while let Some(oldest) = journal.oldest() {
        journal.forget_oldest(&oldest);
    }
    assert_eq!((journal.last_words.len(), all(&journal)), (0, vec![]));
}

#[test]
fn it_is_known_whether_a_handler_that_does_not_know_all_entries_has_let_go_of_any() {
    let fd = memory::make("test").unwrap();
    let mut journal = Journal::open(&fd).unwrap();
    let behind = [1, 2, 3].map(|n| journal.append(&done(n, 1)))[2];
    journal.forget(behind);
    let mut journal = Journal::open(&fd).unwrap();
    assert!(journal.is_whole());
    // As one does it that knows nothing of this.
    journal.set(TAIL, journal.head());
    let mut journal = Journal::open(&fd).unwrap();
    assert!(!journal.is_whole() && !Journal::open(&fd).unwrap().is_whole());
    journal.is_whole_again();
    assert!(Journal::open(&fd).unwrap().is_whole());
}
