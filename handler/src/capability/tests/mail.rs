//! Letters, and who may write.

use super::*;
use crate::capability::mail::{Block, Delete, Forward, Read, Respond, Send, Unblock};
use crate::capability::players::Disable;
use ssmglobal_ipc::{Mail, MailSent, Party};
use ssmglobal_store::{NewLetter, Sequence};

pub(super) fn send(from: impl Into<Principal>, to: PlayerId, mailbox: u32) -> Send {
    Send { from: from.into(), to, subject: "hi".into(), body: "one\ntwo".into(), mailbox }
}

fn answer(me: PlayerId, number: u64) -> Respond {
    Respond { me, number, body: "thanks".into(), subject: 20, mailbox: 10 }
}

fn sent(id: u64, to: &str) -> Reply {
    Reply::MailSent(MailSent { id, to: to.into() })
}

/// The letter that a change writes.
fn letter(model: &mut Model, change: impl Into<Change>) -> NewLetter {
    let Decided { rows, proves: None, .. } = decided(model, change) else { panic!("it proves something") };
    let [Row::Letter(letter)] = &rows[..] else { panic!("{rows:?}") };
    letter.clone()
}

#[test]
fn a_letter_has_a_number_on_each_side_and_says_how_many_are_not_read() {
    let mut model = people();
    assert_eq!(done(&mut model, send(CAROL, ALICE, 10)), sent(1, "alice"));
    assert_eq!(done(&mut model, send(BOB, CAROL, 10)), sent(1, "carol"));
    let expected = NewLetter {
        from: BOB.into(),
        from_number: 2,
        in_sent: true,
        let_go: 0,
        to: ALICE,
        to_number: 2,
        unread: 2,
        subject: "hi".into(),
        body: "one\ntwo".into(),
        at: NOW,
    };
    let expected = Decided { rows: vec![Row::Letter(expected)], reply: sent(2, "alice"), proves: None };
    assert_eq!(decided(&mut model, send(BOB, ALICE, 10)), expected);
    assert_eq!(asked(&mut model, send(BOB, ALICE, 10)), 2);
    // What was read does not count.
    done(&mut model, Read { me: ALICE, number: 1 });
    assert_eq!(letter(&mut model, send(BOB, ALICE, 10)).unread, 1);
}

#[test]
fn a_letter_to_oneself_has_one_number() {
    let mut model = people();
    assert_eq!(asked(&mut model, send(ALICE, ALICE, 10)), 1);
    let to_myself = letter(&mut model, send(ALICE, ALICE, 10));
    assert_eq!((to_myself.from_number, to_myself.to_number), (2, 2));
    assert!(to_myself.in_sent);
}

#[test]
fn a_game_server_has_no_mailbox_for_what_it_sends() {
    let mut model = people();
    for number in 1..=3 {
        let from_arena = letter(&mut model, send(ARENA, BOB, 1));
        assert_eq!((from_arena.in_sent, from_arena.let_go), (false, 0));
        assert_eq!((from_arena.from_number, from_arena.to_number), (number, number), "it counts all the same");
    }
    assert_eq!(model.sequences[&Sequence::Letters(ARENA.into())], 3);
}

#[test]
fn what_was_sent_long_ago_makes_room() {
    let mut model = people();
    for expected in [0, 0, 0, 1] {
        let change = send(ALICE, BOB, 3);
        assert_eq!(letter(&mut model, change.clone()).let_go, expected);
        done(&mut model, change);
        let number = model.sequences[&Sequence::Letters(BOB.into())];
        done(&mut model, Delete { me: BOB, number });
    }
    let kept: Vec<u64> = model.letters.iter().map(|kept| kept.letter.from_number).collect();
    assert_eq!(kept.len(), 3);
    assert!(kept.is_sorted() && kept[0] > 1, "the oldest one went: {kept:?}");
    assert_eq!(letter(&mut model, send(ALICE, BOB, 1)).let_go, 3, "a smaller mailbox holds from the next letter on");
    assert_eq!(letter(&mut model, send(ARENA, BOB, 1)).let_go, 0);
}

#[test]
fn who_is_blocked_is_denied_before_anything_else() {
    let mut model = people();
    done(&mut model, Block { me: ALICE, from: BOB.into() });
    for mailbox in [10, 0] {
        let failure = refused(&mut model, send(BOB, ALICE, mailbox));
        assert_eq!((failure.code, &*failure.msg), (Code::Denied, "alice does not take mail from you."));
    }
    assert_eq!(done(&mut model, send(CAROL, ALICE, 10)), sent(1, "alice"));
    assert_eq!(done(&mut model, send(ARENA, ALICE, 10)), sent(1, "alice"));
    assert_eq!(done(&mut model, send(ALICE, BOB, 10)), sent(3, "bob"), "the other way it is open");
    // A game server and a player of the same number are two.
    done(&mut model, Block { me: BOB, from: ARENA.into() });
    assert_eq!(code(&mut model, send(ARENA, BOB, 10)), Code::Denied);
    assert_eq!(done(&mut model, send(ALICE, BOB, 10)), sent(4, "bob"));
}

#[test]
fn a_full_box_takes_nothing() {
    let mut model = people();
    done(&mut model, send(BOB, ALICE, 2));
    done(&mut model, send(ALICE, ALICE, 2));
    let failure = refused(&mut model, send(BOB, ALICE, 2));
    let msg = "alice's mailbox is full (2 letters). Nothing was sent; try again later.";
    assert_eq!((failure.code, &*failure.msg), (Code::Limit, msg));
    // Read or not, it takes room; what was let go does not.
    done(&mut model, Read { me: ALICE, number: 1 });
    assert_eq!(code(&mut model, send(BOB, ALICE, 2)), Code::Limit);
    done(&mut model, Delete { me: ALICE, number: 1 });
    assert_eq!(done(&mut model, send(BOB, ALICE, 2)), sent(2, "alice"));
    assert_eq!(code(&mut model, send(BOB, CAROL, 0)), Code::Limit);
}

/// Of whom the owner of a mailbox is told by a letter that is refused.
fn letter_of_refusal(model: &mut Model, change: impl Into<Change>, now: Time) -> Option<(PlayerId, Principal, u32)> {
    let decided = match change.into().decide(model, Stamp { now }) {
        Ok(decided) => decided,
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Failure(Failure { code: Code::Limit, .. })), "{refusal:?}");
            return None;
        }
    };
    assert!(matches!(decided.reply, Reply::Failed(Failure { code: Code::Limit, .. })), "{decided:?}");
    let [row @ Row::LetterRefused { player, from, mailbox, at, .. }] = &decided.rows[..] else { panic!("{decided:?}") };
    assert_eq!(*at, now);
    model.put(row);
    Some((*player, *from, *mailbox))
}

#[test]
fn the_owner_of_a_full_box_is_told_once_a_day_and_sender() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let mut model = people();
    done(&mut model, send(BOB, ALICE, 1));
    done(&mut model, send(BOB, CAROL, 1));
    let after = |milliseconds: i64| Time(NOW.0 + milliseconds);
    let bobs = (ALICE, BOB.into(), 1);
    assert_eq!(letter_of_refusal(&mut model, send(BOB, ALICE, 1), NOW), Some(bobs));
    assert_eq!(letter_of_refusal(&mut model, send(BOB, ALICE, 1), after(1)), None);
    // Everybody else's is another one, and each box by itself; by whatever command.
    assert_eq!(letter_of_refusal(&mut model, send(ARENA, ALICE, 1), after(2)), Some((ALICE, ARENA.into(), 1)));
    assert_eq!(letter_of_refusal(&mut model, send(BOB, CAROL, 1), after(3)), Some((CAROL, BOB.into(), 1)));
    let forward = Forward { me: ALICE, number: 1, to: CAROL, limits: (999, 99), mailbox: 1 };
    assert_eq!(letter_of_refusal(&mut model, forward, after(4)), Some((CAROL, ALICE.into(), 1)));
    let respond = Respond { me: CAROL, number: 1, body: "x".into(), subject: 9, mailbox: 0 };
    assert_eq!(letter_of_refusal(&mut model, respond, after(5)), Some((BOB, CAROL.into(), 0)));
    // Who writes to himself hears it anyway.
    assert_eq!(letter_of_refusal(&mut model, send(ALICE, ALICE, 1), NOW), None);
    assert_eq!(letter_of_refusal(&mut model, send(BOB, ALICE, 1), after(DAY)), None);
    assert_eq!(letter_of_refusal(&mut model, send(BOB, ALICE, 1), after(DAY + 1)), Some(bobs));
    assert_eq!(letter_of_refusal(&mut model, send(BOB, ALICE, 1), after(DAY + 2)), None);
    // And when there was room in between, it is the same day.
    done(&mut model, Delete { me: ALICE, number: 1 });
    done(&mut model, send(BOB, ALICE, 1));
    assert_eq!(letter_of_refusal(&mut model, send(BOB, ALICE, 1), after(DAY + 3)), None);
}

#[test]
fn so_many_senders_a_day_are_told_of_and_no_more() {
    let mut model = people();
    done(&mut model, send(BOB, ALICE, 1));
    let of = |id: u32| ServerId(1_000 + id);
    (0..150).for_each(|id| model.put(&crate::testing::server(1_000 + id, &format!("server-{id}"))));
    let letters = (0..150).filter(|id| letter_of_refusal(&mut model, send(of(*id), ALICE, 1), NOW).is_some()).count();
    assert_eq!(letters, 100);
    let later = Time(NOW.0 + 24 * 60 * 60 * 1000 + 1);
    assert!(letter_of_refusal(&mut model, send(of(7), ALICE, 1), later).is_some());
}

#[test]
fn an_answer_goes_to_who_has_written_and_to_who_was_written_to() {
    let mut model = people();
    done(&mut model, send(BOB, ALICE, 10));
    let to_bob = letter(&mut model, answer(ALICE, 1));
    assert_eq!((to_bob.from, to_bob.to, &*to_bob.subject), (ALICE.into(), BOB, "Re: hi"));
    assert_eq!((&*to_bob.body, to_bob.at, to_bob.unread), ("thanks", NOW, 1));
    // Bob adds something to his own.
    let to_alice = letter(&mut model, answer(BOB, 1));
    assert_eq!((to_alice.from, to_alice.to, to_alice.unread), (BOB.into(), ALICE, 2));
    assert_eq!(done(&mut model, answer(ALICE, 1)), sent(4, "bob"));
}

#[test]
fn a_subject_is_marked_once_and_cut_at_a_letters_edge() {
    for (subject, limit, expected) in [
        ("hi", 20, "Re: hi"),
        ("re: hi", 20, "re: hi"),
        ("RE:hi", 20, "RE:hi"),
        ("Re", 20, "Re: Re"),
        ("", 20, "Re: your mail"),
        ("", 5, "Re: y"),
        ("abcdef", 6, "Re: ab"),
        ("aéé", 6, "Re: a"),
        ("aéé", 7, "Re: aé"),
        ("日", 20, "Re: 日"),
        ("hi", 0, ""),
    ] {
        let mut model = people();
        done(&mut model, Send { subject: subject.into(), ..send(BOB, ALICE, 10) });
        let change = Respond { subject: limit, ..answer(ALICE, 1) };
        assert_eq!(letter(&mut model, change).subject, expected, "{subject:?} in {limit}");
    }
}

#[test]
fn an_answer_is_refused_as_a_letter_is() {
    let mut model = people();
    let failure = refused(&mut model, answer(ALICE, 1));
    let msg = "There is no mail 1 in your box. MAIL LIST shows it.";
    assert_eq!((failure.code, &*failure.msg), (Code::NotFound, msg));
    done(&mut model, send(ARENA, ALICE, 10));
    assert_eq!(code(&mut model, answer(ALICE, 1)), Code::Denied, "a game server has no mailbox");
    done(&mut model, send(BOB, ALICE, 10));
    done(&mut model, Block { me: BOB, from: ALICE.into() });
    assert_eq!(code(&mut model, answer(ALICE, 2)), Code::Denied);
    done(&mut model, Unblock { me: BOB, from: ALICE.into() });
    assert_eq!(code(&mut model, Respond { mailbox: 0, ..answer(ALICE, 2) }), Code::Limit);
    assert_eq!(done(&mut model, answer(ALICE, 2)), sent(3, "bob"));
}

#[test]
fn a_letter_is_read_by_both_and_marked_for_its_receiver() {
    let mut model = people();
    done(&mut model, send(BOB, CAROL, 10));
    done(&mut model, send(BOB, ALICE, 10));
    done(&mut model, send(ARENA, ALICE, 10));
    let mail = |id, from| {
        let (to, subject, body) = ("alice".into(), "hi".into(), "one\ntwo".into());
        Reply::Mail(Mail { id, from, to, subject, body, at: NOW })
    };
    for (me, number, from) in [
        (ALICE, 1, Party::Player("bob".into())),
        (ALICE, 2, Party::Server("Arena".into())),
        (BOB, 2, Party::Player("bob".into())),
    ] {
        let row = Row::LetterRead { player: me, number, at: NOW };
        let expected = Decided { rows: vec![row], reply: mail(number, from), proves: None };
        assert_eq!(decided(&mut model, Read { me, number }), expected);
    }
    // That the sender looks at it does not mark it.
    done(&mut model, Read { me: BOB, number: 2 });
    assert_eq!(letter(&mut model, send(CAROL, ALICE, 10)).unread, 3);
    done(&mut model, Read { me: ALICE, number: 1 });
    assert_eq!(letter(&mut model, send(CAROL, ALICE, 10)).unread, 2);
}

#[test]
fn a_letter_is_let_go_by_each_for_himself() {
    let mut model = people();
    done(&mut model, send(BOB, CAROL, 10));
    done(&mut model, send(BOB, ALICE, 10));
    let gone = |me, number| only(Row::LetterGone { player: me, number });
    assert_eq!(decided(&mut model, Delete { me: ALICE, number: 1 }), gone(ALICE, 1));
    assert_eq!(decided(&mut model, Delete { me: BOB, number: 2 }), gone(BOB, 2));
    done(&mut model, Delete { me: ALICE, number: 1 });
    for change in [Change::from(Delete { me: ALICE, number: 1 }), Read { me: ALICE, number: 1 }.into()] {
        assert_eq!(code(&mut model, change), Code::NotFound);
    }
    assert_eq!(decided(&mut model, Delete { me: BOB, number: 2 }), gone(BOB, 2), "the sender has it still");
    assert_eq!(code(&mut model, Delete { me: CAROL, number: 2 }), Code::NotFound, "it is none of hers");
    assert_eq!(code(&mut model, Read { me: CAROL, number: u64::MAX }), Code::NotFound);
}

#[test]
fn blocks_are_made_and_lifted_and_are_not_without_number() {
    let mut model = people();
    let row = Row::Blocked { player: ALICE, from: ARENA.into() };
    assert_eq!(decided(&mut model, Block { me: ALICE, from: ARENA.into() }), only(row));
    assert_eq!(code(&mut model, Unblock { me: ALICE, from: ARENA.into() }), Code::NotFound);
    for id in 0..1000 {
        done(&mut model, Block { me: ALICE, from: PlayerId(1000 + id).into() });
    }
    let failure = refused(&mut model, Block { me: ALICE, from: BOB.into() });
    assert_eq!((failure.code, failure.msg.contains("1000")), (Code::Limit, true));
    done(&mut model, Block { me: BOB, from: ALICE.into() });
    assert_eq!(code(&mut model, Unblock { me: ALICE, from: BOB.into() }), Code::NotFound);
    let row = Row::Unblocked { player: ALICE, from: PlayerId(1500).into() };
    assert_eq!(decided(&mut model, Unblock { me: ALICE, from: PlayerId(1500).into() }), only(row));
    done(&mut model, Unblock { me: ALICE, from: PlayerId(1500).into() });
    done(&mut model, Block { me: ALICE, from: BOB.into() });
}

#[test]
fn a_disabled_player_gets_no_mail_from_anybody_in_any_way() {
    let mut model = people();
    let send = |from: Principal, to| Send { from, to, subject: String::new(), body: "x".into(), mailbox: 9 };
    done(&mut model, send(BOB.into(), ALICE));
    done(&mut model, Disable { player: BOB, reason: Some("spam".into()) });
    let changes: Vec<Change> = vec![
        send(ALICE.into(), BOB).into(),
        send(ARENA.into(), BOB).into(),
        Respond { me: ALICE, number: 1, body: "x".into(), subject: 9, mailbox: 9 }.into(),
        Forward { me: ALICE, number: 1, to: BOB, limits: (999, 9), mailbox: 9 }.into(),
    ];
    for change in changes {
        let failure = refused(&mut model, change);
        assert_eq!((failure.code, &*failure.msg), (Code::Denied, "bob is disabled and gets no mail."));
    }
    done(&mut model, Disable { player: BOB, reason: None });
    done(&mut model, send(ALICE.into(), BOB));
}
