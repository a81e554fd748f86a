//! Settings: compare and set.

use super::*;
use crate::capability::settings::{Delete, Set};
use ssmglobal_ipc::SettingVersion;
use ssmglobal_store::KeptSetting;

fn set(version: Option<u64>, public: Option<bool>) -> Set {
    Set { owner: ALICE.into(), key: "color".into(), value: "blue".into(), version, public, most: 3 }
}

fn delete(version: Option<u64>) -> Delete {
    Delete { owner: ALICE.into(), key: "color".into(), version }
}

fn row(value: Option<&str>, version: u64, public: bool) -> Row {
    let setting = KeptSetting { value: value.map(str::to_owned), version, public, at: NOW };
    Row::Setting { owner: ALICE.into(), key: "color".into(), setting }
}

/// What a write decides.
fn written(version: u64, public: bool) -> Decided {
    let reply = Reply::SettingVersion(SettingVersion { key: "color".into(), version, public });
    Decided { rows: vec![row(Some("blue"), version, public)], reply, proves: None }
}

#[test]
fn a_version_grows_with_every_write_also_across_a_delete() {
    let mut model = people();
    for (change, expected) in [
        (set(None, None).into(), written(1, false)),
        (set(Some(1), Some(true)).into(), written(2, true)),
        (set(None, None).into(), written(3, true)),
        (set(Some(3), Some(false)).into(), written(4, false)),
        (set(None, Some(true)).into(), written(5, true)),
        (Change::from(delete(Some(5))), only(row(None, 6, false))),
        // Whether others may read it is forgotten with it.
        (set(Some(0), None).into(), written(7, false)),
        (delete(None).into(), only(row(None, 8, false))),
        (set(None, Some(true)).into(), written(9, true)),
    ] {
        assert_eq!(decided(&mut model, change.clone()), expected);
        assert_eq!(asked(&mut model, change.clone()), 0);
        done(&mut model, change);
    }
}

#[test]
fn another_version_than_expected_is_a_conflict_that_tells_the_present_one() {
    let mut model = people();
    let conflict = |model: &mut Model, change: Change| {
        let failure = refused(model, change);
        assert_eq!(failure.code, Code::Conflict);
        failure.version
    };
    for change in [Change::from(set(Some(1), None)), delete(Some(1)).into()] {
        assert_eq!(conflict(&mut model, change), Some(0), "there is nothing");
    }
    done(&mut model, set(Some(0), None));
    for wrong in [0, 2, u64::MAX] {
        for change in [Change::from(set(Some(wrong), None)), delete(Some(wrong)).into()] {
            assert_eq!(conflict(&mut model, change), Some(1), "{wrong}");
        }
    }
    done(&mut model, delete(Some(1)));
    for wrong in [1, 2] {
        for change in [Change::from(set(Some(wrong), None)), delete(Some(wrong)).into()] {
            assert_eq!(conflict(&mut model, change), Some(0), "{wrong}, and it is gone");
        }
    }
}

#[test]
fn what_is_not_there_cannot_be_deleted() {
    let mut model = people();
    for version in [None, Some(0)] {
        assert_eq!(code(&mut model, delete(version)), Code::NotFound);
    }
    done(&mut model, set(None, None));
    done(&mut model, delete(None));
    for version in [None, Some(0)] {
        assert_eq!(code(&mut model, delete(version)), Code::NotFound);
    }
    done(&mut model, set(None, None));
    assert_eq!(code(&mut model, Delete { owner: BOB.into(), ..delete(None) }), Code::NotFound);
}

#[test]
fn an_owner_has_so_many_and_no_more() {
    let mut model = people();
    let named = |key: &str, owner: Principal| Set { key: key.into(), owner, ..set(None, None) };
    for key in ["a", "b", "c"] {
        done(&mut model, named(key, ALICE.into()));
    }
    let failure = refused(&mut model, named("d", ALICE.into()));
    assert_eq!((failure.code, failure.msg.contains('3')), (Code::Limit, true));
    done(&mut model, named("c", ALICE.into()));
    done(&mut model, named("d", BOB.into()));
    // A player and a game server of the same number are two.
    done(&mut model, named("d", ARENA.into()));
    // What was deleted does not count, and comes back as a new one does.
    done(&mut model, Delete { key: "a".into(), ..delete(None) });
    done(&mut model, named("d", ALICE.into()));
    assert_eq!(code(&mut model, named("a", ALICE.into())), Code::Limit);
}
