//! Properties as the store keeps them: whose they are, what goes with a world, and that versions outlive a delete.

use super::*;
use ssmglobal_ipc::{PropertyAccess, PropertyValue};

const ALICE: Principal = Principal { kind: PrincipalKind::Player, id: 1 };
/// The same number, another kind.
const ZOO: Principal = Principal { kind: PrincipalKind::World, id: 1 };

fn text(text: &str) -> Option<PropertyValue> {
    Some(PropertyValue::Text(text.into()))
}

fn kept(value: Option<PropertyValue>, version: u64) -> KeptProperty {
    KeptProperty {
        value,
        version,
        finger: version == 2,
        push: version.is_multiple_of(2),
        kept: true,
        write: PropertyAccess::World,
        read: PropertyAccess::Property,
        at: Time(version as i64),
    }
}

fn property(holder: Principal, name: &str, property: KeptProperty) -> Row {
    Row::Property { holder, name: name.into(), property, by: Some(7) }
}

fn names(found: Vec<(String, KeptProperty)>) -> Vec<String> {
    found.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_property_is_a_text_or_bytes_and_its_holders() {
    let place = Place::new();
    let mut writer = place.writer();
    let bytes = || Some(PropertyValue::Binary(vec![0, 0xff, 0xfe, b'a']));
    // What is no text is not taken for one, and the other way round.
    let plain = || Some(PropertyValue::Binary(b"plain".to_vec()));
    commit(&mut *writer, |tx| {
        tx.put(&property(ALICE, "7", kept(text("one"), 1))).unwrap();
        tx.put(&property(ALICE, "7", kept(bytes(), 2))).unwrap();
        tx.put(&property(ZOO, "7", kept(text(""), 3))).unwrap();
        tx.put(&property(ZOO, "8", kept(plain(), 4))).unwrap();
    });
    let reader = place.reader();
    assert_eq!(reader.property(ALICE, "7").unwrap(), Some(kept(bytes(), 2)));
    assert_eq!(reader.property(ZOO, "7").unwrap(), Some(kept(text(""), 3)));
    assert_eq!(reader.property(ZOO, "8").unwrap(), Some(kept(plain(), 4)));
    assert_eq!(reader.property(ALICE, "8").unwrap(), None);
    assert_eq!((reader.property_count(ALICE).unwrap(), reader.property_count(ZOO).unwrap()), (1, 2));
}

#[test]
fn those_of_a_world_go_with_what_is_kept_of_it() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        tx.put(&property(ALICE, "7", kept(text("one"), 1))).unwrap();
        tx.put(&property(ZOO, "7", kept(text("one"), 1))).unwrap();
        tx.put(&property(ZOO, "8", kept(None, 2))).unwrap();
        tx.put(&Row::WorldPurged { world: WorldId(1) }).unwrap();
    });
    let reader = place.reader();
    assert_eq!((reader.property(ZOO, "7").unwrap(), reader.property(ZOO, "8").unwrap()), (None, None));
    assert_eq!(reader.property_count(ALICE).unwrap(), 1);
}

#[test]
fn a_deleted_property_keeps_its_version_and_is_not_listed() {
    let place = Place::new();
    let mut writer = place.writer();
    let while_on = |version| KeptProperty { kept: false, ..kept(text("x"), version) };
    commit(&mut *writer, |tx| {
        for (name, row) in
            [("b", kept(text("x"), 2)), ("a", kept(text("x"), 1)), ("c", while_on(2)), ("d", while_on(2))]
        {
            tx.put(&property(ALICE, name, row)).unwrap();
        }
        tx.put(&property(ALICE, "d", kept(None, 3))).unwrap();
        tx.put(&property(ZOO, "z", while_on(1))).unwrap();
    });
    let reader = place.reader();
    assert_eq!(reader.property(ALICE, "d").unwrap(), Some(kept(None, 3)));
    assert_eq!(names(reader.properties(ALICE).unwrap()), ["a", "b", "c"]);
    assert_eq!(names(reader.properties_for_finger(ALICE).unwrap()), ["b", "c"]);
    assert_eq!(reader.property_count(ALICE).unwrap(), 3);
    assert_eq!(reader.properties_while_on().unwrap(), [(ALICE, "c".to_owned()), (ZOO, "z".to_owned())]);
}
