//! Settings as the store keeps them: whose they are, and that versions outlive a delete.

use super::*;

const ALICE: Principal = Principal { kind: PrincipalKind::Player, id: 1 };
/// The same number, another kind.
const ARENA: Principal = Principal { kind: PrincipalKind::Server, id: 1 };

fn kept(value: Option<&str>, version: u64) -> KeptSetting {
    KeptSetting { value: value.map(Into::into), version, public: version.is_multiple_of(2), at: Time(version as i64) }
}

fn setting(owner: Principal, key: &str, setting: KeptSetting) -> Row {
    Row::Setting { owner, key: key.into(), setting }
}

#[test]
fn a_setting_is_kept_for_its_owner() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        tx.put(&setting(ALICE, "fov", kept(Some("90"), 1))).unwrap();
        tx.put(&setting(ALICE, "fov", kept(Some("100"), 2))).unwrap();
        tx.put(&setting(ARENA, "fov", kept(Some(""), 7))).unwrap();
    });
    let reader = place.reader();
    assert_eq!(reader.setting(ALICE, "fov").unwrap(), Some(kept(Some("100"), 2)));
    assert_eq!(reader.setting(ARENA, "fov").unwrap(), Some(kept(Some(""), 7)));
    assert_eq!(reader.setting(ALICE, "FOV").unwrap(), None, "keys have a case");
    assert_eq!(reader.setting_count(ALICE).unwrap(), 1);
}

#[test]
fn a_deleted_setting_keeps_its_version_and_is_not_listed() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        for key in ["c", "a", "d", "b"] {
            tx.put(&setting(ALICE, key, kept(Some("väl"), 1))).unwrap();
        }
        tx.put(&setting(ALICE, "b", kept(None, 2))).unwrap();
    });
    let reader = place.reader();
    assert_eq!(reader.setting(ALICE, "b").unwrap(), Some(kept(None, 2)));
    assert_eq!(reader.setting_count(ALICE).unwrap(), 3);
    let keys = |after, limit| -> Vec<String> {
        reader.settings(ALICE, after, limit).unwrap().into_iter().map(|row| row.key).collect()
    };
    assert_eq!(keys(None, 10), ["a", "c", "d"]);
    assert_eq!(keys(None, 2), ["a", "c"]);
    assert_eq!(keys(Some("c"), 2), ["d"]);
    assert_eq!(reader.settings(ALICE, None, 1).unwrap()[0].bytes, 4, "bytes, not letters");
    commit(&mut *writer, |tx| tx.put(&setting(ALICE, "b", kept(Some("again"), 3))).unwrap());
    assert_eq!(reader.setting_count(ALICE).unwrap(), 4);
}
