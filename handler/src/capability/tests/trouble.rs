//! A database that fails, which is no answer of ours: the transaction is given up, and the change decided again.
//! Numbers that are used up.

use super::*;
use crate::capability::licences::{Keeper, NewPassword};
use crate::capability::{
    boards, hosting, length, licences, mail, players, properties, records, rights, servers, settings,
};
use crate::state::names;
use crate::state::properties::Standing;
use crate::testing::{KINDS, board};
use ssmglobal_ipc::{Party, PropertyTerms, PropertyValue, Secret, WorldTerms};
use ssmglobal_store::{BoardId, KeptHash, Sequence, StartedBy, WorldId};

const ZOO: WorldId = WorldId(1);

#[test]
fn a_store_that_fails_refuses_nobody() {
    let (owner, from, board_id) = (Principal::from(BOB), Principal::from(BOB), BoardId(1));
    let (name, key, value) = (|| "x".to_owned(), || "k".to_owned(), || "v".to_owned());
    let (operator, better) = KINDS[0];
    let defined = board(1, "race", operator, better);
    let verified = KeptHash { hash: Secret::default(), epoch: 0 };
    let (password, terms) = (|| NewPassword::of("x"), WorldTerms::default);
    let started_by = || StartedBy { session: 1, server: ARENA, instance: name(), address: name(), port: 7 };
    let changes: Vec<Change> = vec![
        mail::Send { from, to: ALICE, subject: name(), body: name(), mailbox: 9 }.into(),
        mail::Respond { me: ALICE, number: 1, body: name(), subject: 9, mailbox: 9 }.into(),
        mail::Read { me: ALICE, number: 1 }.into(),
        mail::Delete { me: ALICE, number: 1 }.into(),
        mail::Block { me: ALICE, from }.into(),
        mail::Unblock { me: ALICE, from }.into(),
        players::Register {
            name: names::check("dave", 2, 20).unwrap().into(),
            hash: Secret::default(),
            email: None,
            from: None,
            is_in: true,
        }
        .into(),
        players::Login { player: ALICE, verified, again: None, from: None, mailbox: 9 }.into(),
        players::LoginCheck {
            player: ALICE,
            verified: KeptHash { hash: Secret::default(), epoch: 0 },
            from: [192, 0, 2, 7].into(),
        }
        .into(),
        servers::Allow { name: name(), login_check: true }.into(),
        servers::Auth { name: name(), key: Secret::default() }.into(),
        servers::Add { name: names::Name::of_server("arena").into(), key: [0; 32] }.into(),
        servers::RotateKey { name: name(), key: [0; 32] }.into(),
        servers::Disable { name: name(), disabled: true }.into(),
        settings::Set { owner, key: key(), value: value(), version: None, public: None, most: 9 }.into(),
        settings::Delete { owner, key: key(), version: None }.into(),
        properties::Set {
            holder: ZOO.into(),
            of: Party::World(name()),
            name: name(),
            value: PropertyValue::Text(value()),
            version: None,
            terms: PropertyTerms::default(),
            by: Standing { is_keeper: true, ..Standing::default() },
            session: None,
            is_there: true,
        }
        .into(),
        properties::Delete { holder: owner, name: name(), version: None, by: Standing::default(), session: None }
            .into(),
        properties::Forget { holder: owner }.into(),
        records::Submit { board: board_id, player: ALICE, score: 5, by: None, note: None }.into(),
        records::Withdraw { board: board_id, player: BOB, reason: name() }.into(),
        boards::DefineBoard { board: board(0, "jump", operator, better), most: 9 }.into(),
        licences::Add { name: names::check("moon", 2, 16).unwrap(), password: password(), owner: BOB, terms: terms() }
            .into(),
        licences::Change { world: ZOO, by: Keeper::Operator, owner: None, terms: terms() }.into(),
        licences::Disable { world: ZOO, reason: None }.into(),
        licences::Delete { world: ZOO, purge: false }.into(),
        licences::SetPassword { world: ZOO, by: Keeper::Operator, password: password() }.into(),
        hosting::Start { world: ZOO, password: Secret::default(), from: name(), by: started_by() }.into(),
        rights::Grant { player: BOB, right: name() }.into(),
        length::Limit { player: BOB, minutes: None }.into(),
    ];
    let mut model = people();
    model.put(&Row::Board(defined));
    model.put(&Row::Standing { board: board_id, standing: crate::testing::standing(2, 7, 1) });
    model.broken = true;
    for change in changes {
        let outcome = change.decide(&mut model, Stamp { now: NOW });
        assert!(matches!(outcome, Err(Refusal::Store(_))), "{change:?}: {outcome:?}");
    }
}

/// That a number does not fit is known when it was given, not before.
#[test]
fn nobody_gets_a_number_that_does_not_fit() {
    let (operator, better) = KINDS[0];
    let register = |name: &str| {
        let name = names::check(name, 2, 20).unwrap().into();
        Change::from(players::Register { name, hash: Secret::default(), email: None, from: None, is_in: true })
    };
    let add = |name: &str| Change::from(servers::Add { name: names::Name::of_server(name).into(), key: [0; 32] });
    let define = |name: &str| Change::from(boards::DefineBoard { board: board(0, name, operator, better), most: 9 });
    type Make<'a> = &'a dyn Fn(&str) -> Change;
    let makes: [(Sequence, Make<'_>, Code); 3] = [
        (Sequence::Player, &register, Code::Unavailable),
        (Sequence::Server, &add, Code::Limit),
        (Sequence::Board, &define, Code::Limit),
    ];
    for (sequence, make, code) in makes {
        let mut model = people();
        model.sequences.insert(sequence, u64::from(u32::MAX) - 1);
        done(&mut model, make("last"));
        match make("more").decide(&mut model, Stamp { now: NOW }) {
            Err(Refusal::Failure(failure)) => assert_eq!(failure.code, code),
            outcome => panic!("{outcome:?}"),
        }
    }
}
