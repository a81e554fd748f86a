//! Registering, logging in, passwords, who is refused.

use super::*;
use crate::capability::mail::Send;
use crate::capability::players::{Disable, Login, LoginCheck, Register, SetBy, SetPassword, set_password};
use crate::state::names;
use crate::state::session::Proof;
use ssmglobal_ipc::{HolderKind, LoggedIn, PassRedeemed, Secret};
use ssmglobal_store::{KeptHash, Network, NewLetter, NewPlayer};
use std::net::IpAddr;

pub fn register(name: &str) -> Register {
    let name = names::check(name, 2, 20).unwrap().into();
    Register { name, hash: Secret::new("$hash"), email: Some("d@example.org".into()), from: None, is_in: true }
}

/// What is kept of a player who was never asked for another password.
fn first() -> KeptHash {
    KeptHash { hash: Secret::new("$argon2id$"), epoch: 0 }
}

fn login(player: PlayerId, again: Option<&str>) -> Login {
    Login { player, verified: first(), again: again.map(Secret::new), from: None, mailbox: 2 }
}

fn logged_in(player: &str, unread: u32, last_login: Option<Time>) -> Reply {
    Reply::LoggedIn(LoggedIn {
        player: player.into(),
        unread,
        last_login,
        mailbox_full: false,
        preferences: Vec::new(),
    })
}

#[test]
fn a_new_player_is_who_the_session_is_from_then_on() {
    let mut model = people();
    model.sequences.insert(ssmglobal_store::Sequence::Player, 3);
    let player = NewPlayer {
        id: PlayerId(4),
        name: "Dave".into(),
        folded: "dave".into(),
        skeleton: register("Dave").name.skeleton.clone(),
        hash: Secret::new("$hash"),
        email: Some("d@example.org".into()),
        registered: NOW,
    };
    let first_login = Row::PlayerLogin { player: player.id, at: NOW };
    let (rows, reply) = (vec![Row::Player(player), first_login], logged_in("Dave", 0, None));
    let expected = Decided { rows, reply, proves: Some(Proof { who: PlayerId(4).into(), epoch: 0 }) };
    assert_eq!(decided(&mut model, register("Dave")), expected);
    assert_eq!(asked(&mut model, register("Dave")), 1);
}

#[test]
fn a_name_that_is_taken_or_looks_like_one_is_refused() {
    let mut model = Model::default();
    done(&mut model, register("Alice"));
    for name in ["Alice", "aLICE", "\u{430}lice"] {
        let failure = refused(&mut model, register(name));
        assert_eq!((failure.code, failure.msg.contains(name)), (Code::Exists, true), "{name}");
    }
    done(&mut model, register("alicf"));
}

#[test]
fn a_login_tells_of_the_one_before_and_of_letters_that_wait() {
    let mut model = people();
    let login = |again| login(ALICE, again);
    let at = Row::PlayerLogin { player: ALICE, at: NOW };
    let first = Decided {
        rows: vec![at.clone()],
        reply: logged_in("alice", 0, None),
        proves: Some(Proof { who: ALICE.into(), epoch: 0 }),
    };
    assert_eq!(decided(&mut model, login(None)), first);
    assert_eq!(asked(&mut model, login(None)), 0);
    done(&mut model, login(None));
    let (subject, body) = (String::new(), "x".to_owned());
    done(&mut model, Send { from: BOB.into(), to: ALICE, subject, body, mailbox: 9 });
    let rows = vec![Row::PlayerHash { player: ALICE, hash: Secret::new("$dearer") }, at];
    let again =
        Decided { rows, reply: logged_in("alice", 1, Some(NOW)), proves: Some(Proof { who: ALICE.into(), epoch: 0 }) };
    assert_eq!(decided(&mut model, login(Some("$dearer"))), again, "hashed anew");
    // Two are all that there is room for.
    let (subject, body) = (String::new(), "x".to_owned());
    done(&mut model, Send { from: ALICE.into(), to: ALICE, subject, body, mailbox: 9 });
    let Reply::LoggedIn(full) = decided(&mut model, login(None)).reply else { panic!("another answer") };
    assert_eq!((full.unread, full.mailbox_full), (2, true));
}

#[test]
fn an_old_password_is_not_put_back_by_a_login_that_hashes_it_anew() {
    let mut model = people();
    done(&mut model, login(ALICE, Some("$first, dearer")));
    let hashed = |model: &mut Model, again| {
        let rows = decided(model, again).rows;
        rows.into_iter().filter(|row| matches!(row, Row::PlayerHash { .. })).count()
    };
    assert_eq!(hashed(&mut model, login(ALICE, Some("$first, at another cost"))), 0, "it was hashed anew meanwhile");
    let dearer = KeptHash { hash: Secret::new("$first, dearer"), epoch: 0 };
    done(&mut model, set(ALICE, "$second", dearer));
    for verified in [first(), KeptHash { hash: Secret::new("$first, dearer"), epoch: 0 }] {
        let old = Login { verified, ..login(ALICE, Some("$first, at another cost")) };
        assert_eq!(code(&mut model, old), Code::BadLogin, "it is another one now");
    }
    let second = KeptHash { hash: Secret::new("$second"), epoch: model.players[&ALICE].player.epoch };
    assert_eq!(hashed(&mut model, Login { verified: second, ..login(ALICE, Some("$second, dearer")) }), 1);
}

#[test]
fn from_where_somebody_was_in_is_noted_with_his_login_and_his_registration() {
    let mut model = people();
    model.sequences.insert(ssmglobal_store::Sequence::Player, 3);
    let from = |number: u8| -> IpAddr { [192, 0, 2, number].into() };
    let seen = |player, number| Row::PlayerSeen { player, network: Network { network: from(number), at: NOW } };
    let noted = |decided: Decided| -> Vec<Row> {
        decided
            .rows
            .into_iter()
            .filter(|row| matches!(row, Row::PlayerSeen { .. } | Row::PlayerUnseen { .. }))
            .collect()
    };
    let login = |number| Login { from: Some(from(number)), ..login(ALICE, None) };
    assert_eq!(
        noted(decided(&mut model, Register { from: Some(from(1)), ..register("Dave") })),
        [seen(PlayerId(4), 1)]
    );
    assert_eq!(noted(decided(&mut model, login(1))), [seen(ALICE, 1)]);
    for number in 1..=17 {
        done(&mut model, login(number));
        assert_eq!(noted(decided(&mut model, login(number))), [], "once a day");
    }
    assert_eq!(model.networks.of(ALICE).len(), 16, "there is a bound");
    assert!(!model.networks.knows(ALICE, from(1), NOW) && model.networks.knows(ALICE, from(17), NOW));
}

#[test]
fn from_where_somebody_was_in_is_forgotten_after_a_month_also_if_he_never_comes_back() {
    let mut model = people();
    let from = |number: u8| -> IpAddr { [192, 0, 2, number].into() };
    let day = |days: i64| Time(NOW.0 + days * 24 * 3600 * 1000);
    let login = |player, number| Login { from: Some(from(number)), ..login(player, None) };
    let log_in = |model: &mut Model, at, player, number| {
        let Decided { rows, .. } = Change::from(login(player, number)).decide(model, Stamp { now: at }).unwrap();
        rows.iter().for_each(|row| model.put(row));
    };
    for number in 1..=3 {
        log_in(&mut model, NOW, BOB, number);
    }
    log_in(&mut model, NOW, ALICE, 9);
    log_in(&mut model, day(30), CAROL, 5);
    assert_eq!((model.networks.of(BOB).len(), model.networks.of(ALICE).len()), (3, 1));
    // Alice comes back from where she was; two that are too old go with that, and then the others.
    log_in(&mut model, day(31), ALICE, 9);
    assert_eq!((model.networks.of(BOB).len(), model.networks.of(ALICE).len()), (2, 1));
    log_in(&mut model, day(31), CAROL, 6);
    assert_eq!(
        (model.networks.of(BOB).len(), model.networks.of(ALICE).len(), model.networks.of(CAROL).len()),
        (0, 1, 2)
    );
}

#[test]
fn who_is_disabled_or_not_there_does_not_log_in() {
    let mut model = people();
    done(&mut model, Disable { player: ALICE, reason: Some("spam".into()) });
    let failure = refused(&mut model, login(ALICE, Some("$new")));
    assert_eq!((failure.code, &*failure.msg), (Code::Denied, "This player is disabled: spam"));
    done(&mut model, Disable { player: ALICE, reason: None });
    assert_eq!(done(&mut model, login(ALICE, None)), logged_in("alice", 0, None));
    assert_eq!(code(&mut model, login(PlayerId(9), None)), Code::BadLogin);
}

/// Who knows the present password sets another one.
fn set(player: PlayerId, hash: &str, verified: KeptHash) -> SetPassword {
    let by = SetBy::Player { verified, from: "192.0.2.7".into() };
    SetPassword { player, hash: Secret::new(hash), by, mailbox: 5 }
}

/// What is to be told to whoever is out, if any is.
fn out(decided: &Decided) -> Option<(Principal, u32, &str)> {
    decided.rows.iter().find_map(|row| match row {
        Row::Epoch { who, epoch, reason } => Some((*who, *epoch, reason.as_str())),
        _ => None,
    })
}

/// The letter that comes of it.
fn letter(decided: &Decided) -> Option<&NewLetter> {
    decided.rows.iter().find_map(|row| if let Row::Letter(letter) = row { Some(letter) } else { None })
}

#[test]
fn another_password_puts_everybody_out_but_who_has_set_it_and_the_owner_gets_a_letter() {
    let mut model = people();
    let by_himself = decided(&mut model, set(BOB, "$new", first()));
    let row = Row::PlayerHash { player: BOB, hash: Secret::new("$new") };
    assert_eq!((&by_himself.rows[0], by_himself.rows.len()), (&row, 3));
    assert_eq!(by_himself.proves, Some(Proof { who: BOB.into(), epoch: 1 }));
    let reason = "Your password was changed on another connection. Log in with the new one.";
    assert_eq!(out(&by_himself), Some((BOB.into(), 1, reason)));
    let told = letter(&by_himself).unwrap();
    assert_eq!((told.from, told.to, told.in_sent), (Principal::BACKEND, BOB, false));
    assert!(told.body.contains("192.0.2.7") && told.body.contains(&NOW.to_string()), "{}", told.body);
    done(&mut model, set(BOB, "$new", first()));
    // It is another one now, and what was compared before does not count.
    assert_eq!(code(&mut model, set(BOB, "$third", first())), Code::BadLogin);
    assert_eq!(code(&mut model, login(BOB, None)), Code::BadLogin);
    let by_operator = SetPassword { by: SetBy::Operator, ..set(BOB, "$third", first()) };
    let decided = decided(&mut model, by_operator);
    assert_eq!(decided.proves, None, "nobody is let in by it");
    let reason = "Your password was changed by the operator. Log in with the new one.";
    assert_eq!(out(&decided), Some((BOB.into(), 2, reason)));
    assert!(letter(&decided).is_some_and(|letter| letter.body.contains("by the operator")));
    assert_eq!(set_password(BOB, None, SetBy::Operator, 5).unwrap_err().code, Code::Unavailable, "nothing was hashed");
}

#[test]
fn letters_of_the_backend_go_into_a_full_mailbox_and_into_one_that_is_more_than_full_no_more() {
    let mut model = people();
    let (from, subject, body) = (ALICE.into(), String::new(), "x".to_owned());
    for _ in 0..5 {
        done(&mut model, Send { from, to: BOB, subject: subject.clone(), body: body.clone(), mailbox: 5 });
    }
    for times in 0..15 {
        let by_operator = SetPassword { by: SetBy::Operator, ..set(BOB, "$new", first()) };
        assert_eq!(letter(&decided(&mut model, by_operator.clone())).is_some(), times < 10, "{times}");
        done(&mut model, by_operator);
    }
}

#[test]
fn who_is_disabled_is_out_and_whether_a_login_is_taken_is_set() {
    let mut model = people();
    let disable = |reason: Option<&str>| Disable { player: BOB, reason: reason.map(str::to_owned) };
    let disabled = decided(&mut model, disable(Some("spam")));
    assert_eq!(disabled.rows[0], Row::PlayerDisabled { player: BOB, reason: Some("spam".into()) });
    assert_eq!(out(&disabled), Some((BOB.into(), 1, "You were logged out by the operator: spam")));
    done(&mut model, disable(Some("spam")));
    // A change of his own that was on its way does not let him in again.
    assert_eq!(code(&mut model, set(BOB, "$new", first())), Code::Denied);
    let enabled = decided(&mut model, disable(None));
    assert_eq!(enabled, only(Row::PlayerDisabled { player: BOB, reason: None }));
    done(&mut model, disable(None));
    // The password is the same, so it is right; what it proves, it proves from now on.
    assert_eq!(decided(&mut model, login(BOB, None)).proves, Some(Proof { who: BOB.into(), epoch: 1 }));
    let nobody = Disable { player: PlayerId(9), ..disable(None) };
    assert_eq!(code(&mut model, nobody), Code::NotFound);
}

#[test]
fn a_password_that_was_typed_at_a_game_server_is_checked_as_for_a_login_and_proves_nothing() {
    let mut model = people();
    let right = |right: &str| Row::Granted { player: ALICE, right: right.into() };
    model.put(&right("vip"));
    let check = |player, verified| LoginCheck { player, verified, from: [192, 0, 2, 7].into() };
    let right = decided(&mut model, check(ALICE, first()));
    assert_eq!(
        right.reply,
        Reply::PassRedeemed(PassRedeemed {
            player: "alice".into(),
            number: 1,
            kind: HolderKind::Player,
            rights: vec!["vip".into()],
            world: None,
            language: None,
            charset: None,
            since: None,
        })
    );
    assert_eq!((right.proves, right.rows.len()), (None, 1), "from where he came is noted");
    assert_eq!(code(&mut model, check(PlayerId(9), first())), Code::BadLogin);
    done(&mut model, set(BOB, "$new", first()));
    assert_eq!(code(&mut model, check(BOB, first())), Code::BadLogin, "it is another one by now");
    done(&mut model, Disable { player: ALICE, reason: Some("spam".into()) });
    let failure = refused(&mut model, check(ALICE, first()));
    assert_eq!((failure.code, &*failure.msg), (Code::Denied, "This player is disabled: spam"));
}
