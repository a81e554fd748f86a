//! Properties: who may write and delete them, what becomes of versions, of how they are used, and of whoever is not on.

use super::*;
use crate::capability::properties::{Delete, Forget, Set};
use crate::state::properties::Standing;
use crate::testing::licence;
use ssmglobal_ipc::{Party, PropertyAccess, PropertyTerms, PropertyValue, PropertyVersion};
use ssmglobal_store::{KeptProperty, WorldId};

const ZOO: WorldId = WorldId(1);

fn by(player: PlayerId) -> Standing {
    Standing { player: Some(player), ..Standing::default() }
}

fn world() -> Standing {
    Standing { is_server: true, is_world: true, ..Standing::default() }
}

fn keeper() -> Standing {
    Standing { is_keeper: true, ..by(CAROL) }
}

/// Alice has the world Zoo.
fn zoo() -> Model {
    let mut model = people();
    model.put(&Row::Licence(Box::new(licence(1, "Zoo", ALICE))));
    model.put(&Row::Granted { player: CAROL, right: "property".into() });
    model
}

fn terms(write: PropertyAccess) -> PropertyTerms {
    PropertyTerms { write: Some(write), ..PropertyTerms::default() }
}

fn set(holder: impl Into<Principal>, name: &str, by: Standing) -> Set {
    Set {
        holder: holder.into(),
        of: Party::Player("bob".into()),
        name: name.into(),
        value: PropertyValue::Text("new".into()),
        version: None,
        terms: PropertyTerms::default(),
        by,
        session: Some(7),
        is_there: true,
    }
}

fn delete(holder: impl Into<Principal>, name: &str, by: Standing) -> Delete {
    Delete { holder: holder.into(), name: name.into(), version: None, by, session: Some(7) }
}

fn at(model: &Model, holder: impl Into<Principal>, name: &str) -> KeptProperty {
    model.properties[&(holder.into(), name.to_owned())].clone()
}

fn kept(version: u64) -> KeptProperty {
    KeptProperty {
        value: Some(PropertyValue::Text("new".into())),
        version,
        finger: false,
        push: false,
        kept: true,
        write: PropertyAccess::Owner,
        read: PropertyAccess::Everyone,
        at: NOW,
    }
}

#[test]
fn a_new_one_is_the_owners_and_everybody_reads_it() {
    let mut model = zoo();
    let decided = decided(&mut model, set(BOB, "motto", by(BOB)));
    let row = Row::Property { holder: BOB.into(), name: "motto".into(), property: kept(1), by: Some(7) };
    let reply = PropertyVersion { of: Party::Player("bob".into()), name: "motto".into(), version: 1 };
    assert_eq!(decided, Decided::new(vec![row], Reply::PropertyVersion(reply)));
}

#[test]
fn who_may_write_all_of_them_by_a_right_must_have_it_when_that_is_decided() {
    let mut model = zoo();
    let by_carol = |is_keeper| Standing { is_keeper, ..by(CAROL) };
    done(&mut model, set(BOB, "motto", by_carol(false)));
    model.put(&Row::Revoked { player: CAROL, right: "property".into() });
    assert_eq!(code(&mut model, set(BOB, "motto", by_carol(true))), Code::Denied);
    assert_eq!(code(&mut model, set(BOB, "new", by_carol(true))), Code::Denied);
    assert_eq!(code(&mut model, delete(BOB, "motto", by_carol(true))), Code::Denied);
    model.put(&Row::Granted { player: CAROL, right: "operator".into() });
    done(&mut model, delete(BOB, "motto", by_carol(true)));
    // The operator at his own socket has no rights, and needs none.
    done(&mut model, set(BOB, "motto", Standing { is_keeper: true, ..Standing::default() }));
}

#[test]
fn how_it_is_used_stays_until_it_is_said_otherwise() {
    let mut model = zoo();
    let all = PropertyTerms {
        finger: Some(true),
        push: Some(true),
        kept: Some(false),
        write: Some(PropertyAccess::World),
        read: Some(PropertyAccess::Property),
    };
    done(&mut model, Set { terms: all, ..set(BOB, "motto", by(BOB)) });
    done(&mut model, set(BOB, "motto", world()));
    let now = at(&model, BOB, "motto");
    assert_eq!((now.version, now.finger, now.push, now.kept), (2, true, true, false));
    assert_eq!((now.write, now.read), (PropertyAccess::World, PropertyAccess::Property));
    let less = PropertyTerms { push: Some(false), ..PropertyTerms::default() };
    done(&mut model, Set { terms: less, ..set(BOB, "motto", world()) });
    let now = at(&model, BOB, "motto");
    assert_eq!((now.finger, now.push, now.kept), (true, false, false));
}

#[test]
fn versions_are_as_those_of_settings() {
    let mut model = zoo();
    let with = |version| Set { version: Some(version), ..set(BOB, "motto", by(BOB)) };
    assert_eq!(refused(&mut model, with(1)).version, Some(0));
    done(&mut model, with(0));
    let conflict = refused(&mut model, with(0));
    assert_eq!((conflict.code, conflict.version), (Code::Conflict, Some(1)));
    done(&mut model, with(1));
    assert_eq!(refused(&mut model, with(1)).version, Some(2));
    let gone = |version| Delete { version: Some(version), ..delete(BOB, "motto", by(BOB)) };
    assert_eq!(code(&mut model, gone(1)), Code::Conflict);
    done(&mut model, gone(2));
    assert_eq!((at(&model, BOB, "motto").value, at(&model, BOB, "motto").version), (None, 3));
    assert_eq!(code(&mut model, delete(BOB, "motto", by(BOB))), Code::NotFound);
    assert_eq!(code(&mut model, gone(3)), Code::Conflict);
    done(&mut model, with(0));
    assert_eq!(at(&model, BOB, "motto").version, 4, "also across a delete");
}

#[test]
fn who_may_write_stands_in_it() {
    use PropertyAccess::{Everyone, Owner, Property, World};
    let server = Standing { is_server: true, ..Standing::default() };
    let all = [("owner", by(ALICE)), ("player", by(BOB)), ("world", world()), ("server", server), ("keeper", keeper())];
    for (write, writers, deleters) in [
        (Everyone, "owner player world server keeper", "owner player world server keeper"),
        (Owner, "owner keeper", "owner keeper"),
        (World, "world keeper", "owner world keeper"),
        (Property, "keeper", "owner keeper"),
    ] {
        for holder in [Principal::from(ALICE), ZOO.into()] {
            let mut model = zoo();
            done(&mut model, Set { terms: terms(write), ..set(holder, "x", keeper()) });
            for (name, by) in all {
                let is_in = |list: &str| list.split(' ').any(|other| other == name);
                let wrote = set(holder, "x", by);
                if is_in(writers) {
                    decided(&mut model, wrote);
                } else {
                    assert_eq!(code(&mut model, wrote), Code::Denied, "{write:?} by {name}");
                }
                if is_in(deleters) {
                    decided(&mut model, delete(holder, "x", by));
                } else {
                    assert_eq!(code(&mut model, delete(holder, "x", by)), Code::Denied, "{write:?} by {name}");
                }
            }
        }
    }
}

#[test]
fn whoever_is_not_involved_makes_none_and_shuts_nobody_out() {
    let mut model = zoo();
    for who in [by(BOB), Standing { is_server: true, ..Standing::default() }] {
        for holder in [Principal::from(ALICE), ZOO.into()] {
            let made = Set { terms: terms(PropertyAccess::Everyone), ..set(holder, "x", who) };
            assert_eq!(code(&mut model, made), Code::Denied);
        }
    }
    for who in [by(ALICE), world(), keeper()] {
        decided(&mut model, set(ZOO, "x", who));
    }
    done(&mut model, Set { terms: terms(PropertyAccess::Everyone), ..set(ALICE, "x", by(ALICE)) });
    // As it is used already nothing changes.
    done(&mut model, Set { terms: terms(PropertyAccess::Everyone), ..set(ALICE, "x", by(BOB)) });
    assert_eq!(code(&mut model, Set { terms: terms(PropertyAccess::Owner), ..set(ALICE, "x", by(BOB)) }), Code::Denied);
    done(&mut model, Set { terms: terms(PropertyAccess::Owner), ..set(ALICE, "x", by(ALICE)) });
}

#[test]
fn the_owner_of_a_world_is_who_its_licence_says_at_that_moment() {
    let mut model = zoo();
    done(&mut model, set(ZOO, "gate", by(ALICE)));
    model.put(&Row::Licence(Box::new(licence(1, "Zoo", BOB))));
    assert_eq!(code(&mut model, set(ZOO, "gate", by(ALICE))), Code::Denied);
    done(&mut model, set(ZOO, "gate", by(BOB)));
    model.put(&Row::LicenceGone { world: ZOO, at: NOW });
    assert_eq!(code(&mut model, set(ZOO, "gate", keeper())), Code::NotFound);
    assert_eq!(code(&mut model, delete(ZOO, "gate", keeper())), Code::NotFound);
    assert!(at(&model, ZOO, "gate").value.is_some(), "it waits for the next licence");
    model.put(&Row::WorldPurged { world: ZOO });
    assert!(model.properties.is_empty());
}

#[test]
fn a_holder_has_so_many_and_no_more() {
    let mut model = zoo();
    for number in 0..256 {
        done(&mut model, set(BOB, &format!("p{number}"), by(BOB)));
    }
    assert_eq!(code(&mut model, set(BOB, "more", by(BOB))), Code::Limit);
    done(&mut model, set(BOB, "p7", by(BOB)));
    done(&mut model, set(ALICE, "more", by(ALICE)));
    done(&mut model, delete(BOB, "p7", by(BOB)));
    done(&mut model, set(BOB, "more", by(BOB)));
}

#[test]
fn what_is_there_while_somebody_is_on_goes_with_him() {
    let mut model = zoo();
    let while_on = PropertyTerms { kept: Some(false), ..PropertyTerms::default() };
    let away = |name: &str| Set { is_there: false, ..set(BOB, name, by(BOB)) };
    assert_eq!(code(&mut model, Set { terms: while_on, ..away("mood") }), Code::Invalid);
    done(&mut model, Set { terms: while_on, ..set(BOB, "mood", by(BOB)) });
    done(&mut model, Set { terms: while_on, ..set(BOB, "seat", by(BOB)) });
    done(&mut model, set(BOB, "motto", by(BOB)));
    // It is as if it were gone already, and so is what has stood in it.
    let mut then = model.clone();
    done(&mut then, Set { version: Some(0), ..away("mood") });
    assert_eq!((at(&then, BOB, "mood").version, at(&then, BOB, "mood").kept), (2, true));
    let rows = decided(&mut model, Forget { holder: BOB.into() }).rows;
    assert_eq!(rows.len(), 2);
    done(&mut model, Forget { holder: BOB.into() });
    assert_eq!((at(&model, BOB, "mood").value, at(&model, BOB, "seat").version), (None, 2));
    assert!(at(&model, BOB, "motto").value.is_some());
    assert_eq!(decided(&mut model, Forget { holder: BOB.into() }).rows, [], "once");
}
