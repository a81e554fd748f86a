//! Who somebody is, as it stands in the tables.

use super::*;

/// As they stand in databases.
const NUMBERS: &[(PrincipalKind, u8)] = &[
    (PrincipalKind::Player, 1),
    (PrincipalKind::Server, 2),
    (PrincipalKind::World, 3),
    (PrincipalKind::Visitor, 4),
    (PrincipalKind::Bot, 5),
    (PrincipalKind::Channel, 6),
    (PrincipalKind::Backend, 7),
];

#[test]
fn the_number_of_a_kind_stays() {
    let now: Vec<(PrincipalKind, u8)> = PrincipalKind::ALL.iter().map(|kind| (*kind, kind.number())).collect();
    assert_eq!(now, NUMBERS);
    for number in 0..=u8::MAX {
        let expected = NUMBERS.iter().find(|(_, known)| *known == number).map(|(kind, _)| *kind);
        assert_eq!(PrincipalKind::from_number(number), expected, "{number}");
    }
}

#[test]
fn somebody_of_any_kind_owns_and_sends() {
    let place = Place::new();
    let mut writer = place.writer();
    put(&mut *writer, &player(1, "alice"));
    let (to, at) = (PlayerId(1), Time(0));
    for (number, kind) in (1..).zip(PrincipalKind::ALL) {
        let owner = Principal { kind: *kind, id: 1_000 + number };
        let setting = KeptSetting { value: Some(number.to_string()), version: 1, public: false, at };
        let kept = Keyed { digest: [0; 32], at, answer: vec![1] };
        let letter = NewLetter {
            from: owner,
            from_number: 1,
            in_sent: false,
            let_go: 0,
            to,
            to_number: number.into(),
            unread: 0,
            subject: String::new(),
            body: String::new(),
            at,
        };
        commit(&mut *writer, |tx| {
            tx.put(&Row::Setting { owner, key: "key".into(), setting }).unwrap();
            tx.put(&Row::Keyed { owner, key: "key".into(), kept }).unwrap();
            tx.put(&Row::Blocked { player: to, from: owner }).unwrap();
            tx.put(&Row::Letter(letter)).unwrap();
        });
        let reader = place.reader();
        assert_eq!(reader.setting(owner, "key").unwrap().unwrap().value, Some(number.to_string()));
        assert_eq!(reader.letter(to, number.into()).unwrap().unwrap().from, owner);
        assert!(reader.blocks(to, owner).unwrap() && reader.blocked(to).unwrap().contains(&owner));
        assert!(reader.keyed(owner, "key").unwrap().is_some());
        assert!(reader.keyed_counts().unwrap().contains(&(owner, 1)));
    }
    assert_eq!(place.reader().blocked(to).unwrap().len(), NUMBERS.len());
}

#[test]
fn a_kind_that_is_not_known_is_damage() {
    for kind in [0, 8, 255, 256, 257, -1] {
        let place = Place::new();
        let mut writer = place.store.sqlite_writer().unwrap();
        put(&mut writer, &player(1, "alice"));
        let rows = format!(
            "INSERT INTO block VALUES (1, {kind}, 1);
             INSERT INTO mail VALUES (1, {kind}, 1, 1, 1, 1, 1, 0, 0, NULL, '', '');
             INSERT INTO keyed VALUES ({kind}, 1, 'key', zeroblob(32), 0, x'');"
        );
        writer.db.conn.execute_batch(&rows).unwrap();
        let reader = place.reader();
        let failed = [
            reader.blocked(PlayerId(1)).err(),
            reader.letters(PlayerId(1), None, 10).err(),
            reader.letter(PlayerId(1), 1).err(),
            reader.keyed_counts().err(),
            commit(&mut writer, |tx| tx.keyed_expire(Time(1)).err()),
        ];
        for error in failed {
            assert!(matches!(error, Some(StoreError::Corrupt(_))), "{kind}: {error:?}");
        }
        assert_eq!(reader.mailbox(PlayerId(1)).unwrap(), (1, 1), "what does not name it goes on");
    }
}
