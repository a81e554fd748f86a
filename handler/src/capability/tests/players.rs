//! Registering, logging in, passwords, who is refused.

use super::*;
use crate::capability::mail::Send;
use crate::capability::players::{Disable, Login, Register, SetPassword, set_password};
use crate::state::names;
use ssmglobal_ipc::{LoggedIn, Secret};
use ssmglobal_store::{KeptHash, Network, NewPlayer};
use std::net::IpAddr;

pub fn register(name: &str) -> Register {
    let name = names::check(name, 2, 20).unwrap();
    Register { name, hash: Secret::new("$hash"), email: Some("d@example.org".into()), from: None }
}

/// What is kept of a player who was never asked for another password.
fn first() -> KeptHash {
    KeptHash { hash: Secret::new("$argon2id$"), epoch: 0 }
}

fn login(player: PlayerId, again: Option<&str>) -> Login {
    Login { player, verified: first(), again: again.map(Secret::new), from: None }
}

fn logged_in(player: &str, unread: u32, last_login: Option<Time>) -> Reply {
    Reply::LoggedIn(LoggedIn { player: player.into(), unread, last_login })
}

#[test]
fn a_new_player_is_who_the_session_is_from_then_on() {
    let mut model = people();
    model.sequences.insert(ssmglobal_store::Sequence::Player, 3);
    let player = NewPlayer {
        id: PlayerId(4),
        name: "Dave".into(),
        folded: "dave".into(),
        skeleton: register("Dave").name.skeleton,
        hash: Secret::new("$hash"),
        email: Some("d@example.org".into()),
        registered: NOW,
    };
    let (rows, reply) = (vec![Row::Player(player)], logged_in("Dave", 0, None));
    let expected = Decided { rows, reply, proves: Some(PlayerId(4).into()) };
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
    let first = Decided { rows: vec![at.clone()], reply: logged_in("alice", 0, None), proves: Some(ALICE.into()) };
    assert_eq!(decided(&mut model, login(None)), first);
    assert_eq!(asked(&mut model, login(None)), 0);
    done(&mut model, login(None));
    let (subject, body) = (String::new(), "x".to_owned());
    done(&mut model, Send { from: BOB.into(), to: ALICE, subject, body, mailbox: 9 });
    let rows = vec![Row::PlayerHash { player: ALICE, hash: Secret::new("$dearer") }, at];
    let again = Decided { rows, reply: logged_in("alice", 1, Some(NOW)), proves: Some(ALICE.into()) };
    assert_eq!(decided(&mut model, login(Some("$dearer"))), again, "hashed anew");
}

#[test]
fn an_old_password_is_not_put_back_by_a_login_that_hashes_it_anew() {
    let mut model = people();
    done(&mut model, SetPassword { player: ALICE, hash: Secret::new("$second"), verified: Some(first()) });
    let hashed = |model: &mut Model, again| {
        let rows = decided(model, again).rows;
        rows.into_iter().filter(|row| matches!(row, Row::PlayerHash { .. })).count()
    };
    assert_eq!(hashed(&mut model, login(ALICE, Some("$first at another cost"))), 0);
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
fn who_is_disabled_or_not_there_does_not_log_in() {
    let mut model = people();
    done(&mut model, Disable { player: ALICE, reason: Some("spam".into()) });
    let failure = refused(&mut model, login(ALICE, Some("$new")));
    assert_eq!((failure.code, &*failure.msg), (Code::Denied, "This player is disabled: spam"));
    done(&mut model, Disable { player: ALICE, reason: None });
    assert_eq!(done(&mut model, login(ALICE, None)), logged_in("alice", 0, None));
    assert_eq!(code(&mut model, login(PlayerId(9), None)), Code::BadLogin);
}

#[test]
fn a_password_and_whether_a_login_is_taken_are_set() {
    let mut model = people();
    let hash = || Secret::new("$new");
    let row = Row::PlayerHash { player: BOB, hash: hash() };
    assert_eq!(decided(&mut model, SetPassword { player: BOB, hash: hash(), verified: None }), only(row.clone()));
    assert_eq!(decided(&mut model, set_password(BOB, Some(hash()), None).unwrap()), only(row));
    for reason in [Some("spam".to_owned()), None] {
        let row = Row::PlayerDisabled { player: BOB, reason: reason.clone() };
        assert_eq!(decided(&mut model, Disable { player: BOB, reason }), only(row));
    }
    assert_eq!(set_password(BOB, None, None).unwrap_err().code, Code::Unavailable, "nothing was hashed");
}
