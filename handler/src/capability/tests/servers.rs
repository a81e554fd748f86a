//! Game servers: proving who they are, and what the operator does with them.

use super::players::register;
use super::*;
use crate::capability::records::Submit;
use crate::capability::servers::{Add, Allow, Auth, Delete, Disable, Rename, RotateKey};
use crate::state::names::Name;
use crate::state::session::Proof;
use crate::work::passwords::key_hash;
use ssmglobal_ipc::{Authed, Secret};
use ssmglobal_store::{Better, BoardId, NewServer, Operator, Sequence};

/// Arena has this key.
fn keyed() -> Model {
    let mut model = people();
    done(&mut model, RotateKey { name: "ARENA".into(), key: key_hash(&Secret::new("right")) });
    model
}

fn auth(name: &str, key: &str) -> Auth {
    Auth { name: name.into(), key: Secret::new(key) }
}

#[test]
fn the_right_key_proves_who_it_is_in_any_case() {
    let mut model = keyed();
    for (name, key) in [("Arena", "right"), ("aRENA", " right\n")] {
        let rows = vec![Row::ServerAuthed { server: ARENA, at: NOW }];
        let reply = Reply::Authed(Authed { server: "Arena".into() });
        let expected = Decided { rows, reply, proves: Some(Proof { who: ARENA.into(), epoch: 1 }) };
        assert_eq!(decided(&mut model, auth(name, key)), expected);
    }
}

#[test]
fn a_wrong_key_says_nothing_of_the_server() {
    let mut model = keyed();
    let wrong = [auth("arena", "wrong"), auth("nobody", "right"), auth("castle", "right")];
    let [first, others @ ..] = wrong.map(|change| refused(&mut model, change));
    assert_eq!(first.code, Code::BadLogin);
    assert_eq!(others, [first.clone(), first.clone()]);
    done(&mut model, Disable { name: "arena".into(), disabled: true });
    assert_eq!(refused(&mut model, auth("arena", "wrong")), first);
    assert_eq!(code(&mut model, auth("arena", "right")), Code::Denied);
    done(&mut model, Disable { name: "Arena".into(), disabled: false });
    done(&mut model, auth("arena", "right"));
}

fn named(name: &str) -> std::sync::Arc<Name> {
    Name::of_server(name).into()
}

#[test]
fn a_game_server_is_added_once() {
    let mut model = people();
    model.sequences.insert(Sequence::Server, 2);
    let tower = Add { name: named("Tower"), key: [7; 32] };
    let new = NewServer { id: ServerId(3), name: "Tower".into(), key: [7; 32], added: NOW };
    assert_eq!(decided(&mut model, tower.clone()), only(Row::Server(new)));
    assert_eq!(asked(&mut model, tower.clone()), 1);
    done(&mut model, tower.clone());
    for name in ["Tower", "tOWER", "arena"] {
        let failure = refused(&mut model, Add { name: named(name), ..tower.clone() });
        assert_eq!((failure.code, failure.msg.contains(name)), (Code::Exists, true));
    }
}

#[test]
fn a_game_server_is_not_called_like_a_player_nor_a_player_like_a_game_server() {
    let mut model = people();
    model.sequences.insert(Sequence::Player, 3);
    done(&mut model, register("P\u{430}ul"));
    for name in ["alice", "BOB", "Paul", "ca5tle", "cast1e"] {
        let taken = name != "ca5tle";
        let change = Change::from(Add { name: named(name), key: [7; 32] });
        assert_eq!(change.decide(&mut model, Stamp { now: NOW }).is_err(), taken, "{name}");
    }
    for name in ["arena", "ARENA", "\u{430}rena", "Castle"] {
        assert_eq!(code(&mut model, register(name)), Code::Exists, "{name}");
    }
}

#[test]
fn keys_and_who_is_refused_are_set_by_name_and_put_out_who_is_on() {
    let mut model = people();
    let (name, key) = ("ARENA".to_owned(), [9; 32]);
    let out = |reason: &str| Row::Epoch { who: ARENA.into(), epoch: 1, reason: reason.into() };
    let both = |row, reason| Decided::new(vec![row, out(reason)], Reply::Done(Done {}));
    let reason = "The key of this game server was changed by the operator. AUTH with the new one.";
    let rotated = both(Row::ServerKey { server: ARENA, key }, reason);
    assert_eq!(decided(&mut model, RotateKey { name: name.clone(), key }), rotated);
    let row = |disabled| Row::ServerDisabled { server: ARENA, disabled };
    let disable = |disabled| Disable { name: name.clone(), disabled };
    let reason = "This game server was disabled by the operator.";
    assert_eq!(decided(&mut model, disable(true)), both(row(true), reason));
    assert_eq!(decided(&mut model, disable(false)), only(row(false)));
    let nobody = || "nobody".to_owned();
    for change in [Change::from(RotateKey { name: nobody(), key }), Disable { name: nobody(), disabled: true }.into()] {
        let failure = refused(&mut model, change);
        assert_eq!((failure.code, &*failure.msg), (Code::NotFound, "There is no game server nobody."));
    }
}

#[test]
fn who_may_check_passwords_is_the_operators_word() {
    let mut model = people();
    for login_check in [true, false] {
        let row = Row::ServerAllowed { server: ARENA, login_check };
        assert_eq!(decided(&mut model, Allow { name: "ARENA".into(), login_check }), only(row));
    }
    assert_eq!(code(&mut model, Allow { name: "tower".into(), login_check: true }), Code::NotFound);
}

#[test]
fn a_game_server_is_called_otherwise_and_keeps_its_key() {
    let mut model = keyed();
    let rename = |name: &str, new: &str| Rename { name: name.into(), new: named(new) };
    assert_eq!(
        decided(&mut model, rename("ARENA", "Forum")),
        only(Row::ServerNamed { server: ARENA, name: "Forum".into() })
    );
    // Its own name in other letters is free, those of others are not.
    done(&mut model, rename("arena", "ARENA"));
    for taken in ["castle", "ca5tle", "Alice"] {
        let taken_by = Change::from(rename("arena", taken)).decide(&mut model, Stamp { now: NOW }).is_err();
        assert_eq!(taken_by, taken != "ca5tle", "{taken}");
    }
    assert_eq!(code(&mut model, rename("nobody", "forum")), Code::NotFound);
    done(&mut model, rename("arena", "forum"));
    done(&mut model, auth("forum", "right"));
    assert_eq!(code(&mut model, auth("arena", "right")), Code::BadLogin);
}

#[test]
fn a_game_server_that_is_deleted_is_out_and_nothing_is_kept_of_it_any_more() {
    let mut model = keyed();
    let out =
        Row::Epoch { who: ARENA.into(), epoch: 2, reason: "This game server was deleted by the operator.".into() };
    let rows = vec![out, Row::ServerGone { server: ARENA }];
    assert_eq!(decided(&mut model, Delete { name: "ARENA".into() }), Decided::new(rows, Reply::Done(Done {})));
    done(&mut model, Delete { name: "arena".into() });
    assert_eq!(code(&mut model, Delete { name: "arena".into() }), Code::NotFound);
    // What it had asked before is decided after.
    let send = mail::send(ARENA, ALICE, 9);
    let asked_before = model.asked;
    assert_eq!(code(&mut model, send), Code::Denied);
    assert_eq!(model.asked, asked_before, "no number is given for it");
    model.put(&Row::Board(crate::testing::board(1, "race", Operator::Best, Better::Lower)));
    let submit = Submit { board: BoardId(1), player: ALICE, score: 1, by: Some(ARENA), note: None };
    assert_eq!(code(&mut model, submit), Code::Denied);
}
