//! Licences of worlds, rights of players, settings of the universe.

use super::*;
use crate::KeptLicence;
use ssmglobal_ipc::Version;

fn licence(id: u32, name: &str, owner: PlayerId) -> KeptLicence {
    KeptLicence {
        id: WorldId(id),
        name: name.into(),
        folded: name.to_lowercase(),
        skeleton: name.to_lowercase().replace('1', "l"),
        password: [7; 32],
        owner,
        users: 50,
        size: 100,
        email: Some("a@example.org".into()),
        comment: "under water".into(),
        created: Time(1000),
        expires: None,
        disabled: None,
        last_started: None,
        last_address: None,
        stopped: None,
        listed: true,
        visitors: false,
        voice: true,
        plugins: false,
        check_address: true,
        client: Version(u64::MAX),
        gone: None,
    }
}

fn row(licence: &KeptLicence) -> Row {
    Row::Licence(Box::new(licence.clone()))
}

fn numbers(licences: &[KeptLicence]) -> Vec<u32> {
    licences.iter().map(|licence| licence.id.0).collect()
}

#[test]
fn a_licence_is_kept_as_it_is_and_goes_with_what_belongs_to_its_world_or_without() {
    let place = Place::new();
    let mut writer = place.store.writer().unwrap();
    let alice = PlayerId(1);
    super::put(&mut *writer, &player(1, "alice"));
    let atlantis = licence(1, "Atlantis", alice);
    let setting = KeptSetting { value: Some("deep".into()), version: 1, public: true, at: Time(1) };
    commit(&mut *writer, |tx| {
        assert_eq!([Sequence::World; 2].map(|sequence| tx.next_number(sequence).unwrap()), [1, 2]);
        tx.put(&row(&atlantis)).unwrap();
        tx.put(&Row::Setting { owner: WorldId(1).into(), key: "sea".into(), setting: setting.clone() }).unwrap();
    });
    let reader = place.store.reader().unwrap();
    assert_eq!(reader.licence(WorldId(1)).unwrap(), Some(atlantis.clone()));
    // It is found by its name and by what looks like it.
    for (folded, skeleton, found) in [("atlantis", "?", vec![1]), ("?", "atlantis", vec![1]), ("x", "y", vec![])] {
        assert_eq!(numbers(&reader.licences_like(folded, skeleton).unwrap()), found);
    }
    // Nobody else gets the name, and the row that has it stays.
    let second = licence(2, "at1antis", alice);
    writer.begin().unwrap();
    assert!(writer.tx().put(&row(&second)).is_err());
    writer.rollback();

    let changed = KeptLicence { expires: Some(Time(9)), disabled: Some("no".into()), ..atlantis.clone() };
    let by =
        crate::StartedBy { session: 1, server: ServerId(1), instance: String::new(), address: "x".into(), port: 1 };
    let by = Box::new(by);
    commit(&mut *writer, |tx| {
        tx.put(&row(&changed)).unwrap();
        tx.put(&Row::WorldStarted { world: WorldId(1), at: Time(5), address: "192.0.2.1".into(), by }).unwrap();
    });
    let started = KeptLicence { last_started: Some(Time(5)), last_address: Some("192.0.2.1".into()), ..changed };
    assert_eq!(reader.licence(WorldId(1)).unwrap(), Some(started.clone()));
    assert_eq!(started.last_seen(), Some(Time(5)));
    put(&mut *writer, &Row::WorldStopped { world: WorldId(1), at: Time(6) });
    let stopped = KeptLicence { stopped: Some(Time(6)), ..started.clone() };
    assert_eq!((reader.licence(WorldId(1)).unwrap(), stopped.last_seen()), (Some(stopped), Some(Time(6))));
    let by =
        crate::StartedBy { session: 1, server: ServerId(1), instance: String::new(), address: "x".into(), port: 1 };
    put(
        &mut *writer,
        &Row::WorldStarted { world: WorldId(1), at: Time(5), address: "192.0.2.1".into(), by: Box::new(by) },
    );
    assert_eq!(reader.licence(WorldId(1)).unwrap(), Some(started.clone()));
    assert_eq!((started.has_expired(Time(8)), started.has_expired(Time(9))), (false, true));
    assert!(!atlantis.has_expired(Time(i64::MAX)), "never");

    commit(&mut *writer, |tx| {
        tx.put(&Row::LicenceGone { world: WorldId(1), at: Time(20) }).unwrap();
        tx.put(&row(&second)).unwrap();
    });
    let mut there = Vec::new();
    reader.licences(&mut |licence| there.push(licence)).unwrap();
    assert_eq!(there, [second]);
    assert_eq!(numbers(&reader.licences_like("atlantis", "atlantis").unwrap()), [2, 1], "the newest first");
    assert_eq!(
        (reader.licences_gone(Time(20), 9).unwrap(), reader.licences_gone(Time(21), 9).unwrap()),
        (vec![], vec![WorldId(1)])
    );
    assert!(reader.setting(WorldId(1).into(), "sea").unwrap().is_some(), "what is kept of it waits");
    commit(&mut *writer, |tx| tx.put(&Row::WorldPurged { world: WorldId(1) }).unwrap());
    assert_eq!((reader.licence(WorldId(1)).unwrap(), reader.setting(WorldId(1).into(), "sea").unwrap()), (None, None));
    drop((reader, writer));
    assert_eq!(verified(place.store.path()).problems, Vec::<String>::new());
}

#[test]
fn rights_are_there_once() {
    let place = Place::new();
    let mut writer = place.store.writer().unwrap();
    let alice = PlayerId(1);
    super::put(&mut *writer, &player(1, "alice"));
    let right = |right: &str| Row::Granted { player: alice, right: right.into() };
    commit(&mut *writer, |tx| {
        for row in [right("vip"), right("build"), right("vip"), Row::Revoked { player: alice, right: "none".into() }] {
            tx.put(&row).unwrap();
        }
    });
    let reader = place.store.reader().unwrap();
    assert_eq!(reader.rights().unwrap(), [(alice, "build".into()), (alice, "vip".into())]);
    commit(&mut *writer, |tx| tx.put(&Row::Revoked { player: alice, right: "vip".into() }).unwrap());
    assert_eq!(reader.rights().unwrap(), [(alice, "build".into())]);
}

#[test]
fn what_was_set_of_the_universe_is_there_until_it_is_reset() {
    let place = Place::new();
    let mut writer = place.store.writer().unwrap();
    let row = |key: &str, value: Option<&str>| Row::Universe { key: key.into(), value: value.map(str::to_owned) };
    let mut kept = |rows: &[Row]| {
        commit(&mut *writer, |tx| rows.iter().for_each(|row| tx.put(row).unwrap()));
        place.store.reader().unwrap().universe().unwrap()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        kept(&[row("start", Some("")), row("name", Some("a")), row("name", Some("b"))]),
        [pair("name", "b"), pair("start", "")]
    );
    assert_eq!(kept(&[row("name", None), row("none", None)]), [pair("start", "")]);
    drop(writer);
    assert_eq!(verified(place.store.path()).problems, Vec::<String>::new());
}

#[test]
fn a_preference_is_there_until_it_is_as_usual() {
    let place = Place::new();
    let mut writer = place.store.writer().unwrap();
    super::put(&mut *writer, &player(1, "alice"));
    super::put(&mut *writer, &player(2, "bob"));
    let row = |player: u32, name: &str, value: Option<&str>| Row::Preference {
        player: PlayerId(player),
        name: name.into(),
        value: value.map(str::to_owned),
    };
    let mut kept = |rows: &[Row]| {
        commit(&mut *writer, |tx| rows.iter().for_each(|row| tx.put(row).unwrap()));
        [1, 2].map(|player| place.store.reader().unwrap().preferences(PlayerId(player)).unwrap())
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let set = [row(1, "WIDTH", Some("60")), row(1, "PAGER", Some("ON")), row(1, "WIDTH", Some("40"))];
    assert_eq!(kept(&set), [vec![pair("PAGER", "ON"), pair("WIDTH", "40")], vec![]]);
    assert_eq!(kept(&[row(1, "PAGER", None), row(2, "WIDTH", None)]), [vec![pair("WIDTH", "40")], vec![]]);
    drop(writer);
    assert_eq!(verified(place.store.path()).problems, Vec::<String>::new());
}

#[test]
fn how_a_world_is_played_is_there_until_it_is_set_back_or_all_of_the_world_goes() {
    let place = Place::new();
    let mut writer = place.store.writer().unwrap();
    super::put(&mut *writer, &player(1, "alice"));
    commit(&mut *writer, |tx| {
        for id in [1, 2] {
            assert_eq!(tx.next_number(Sequence::World).unwrap(), u64::from(id));
            tx.put(&row(&licence(id, &format!("world{id}"), PlayerId(1)))).unwrap();
        }
    });
    let set = |world: u32, key: &str, value: Option<&str>| Row::WorldPlayed {
        world: WorldId(world),
        key: key.into(),
        value: value.map(Secret::new),
    };
    let mut kept = |rows: &[Row]| {
        commit(&mut *writer, |tx| rows.iter().for_each(|row| tx.put(row).unwrap()));
        let mut all = Vec::new();
        let reader = place.store.reader().unwrap();
        reader.played(&mut |world, key, value| all.push((world.0, key, value.expose().to_owned()))).unwrap();
        let of_second: Vec<_> = reader.played_of(WorldId(2)).unwrap();
        assert_eq!(of_second.len(), all.iter().filter(|(world, ..)| *world == 2).count());
        all
    };
    let is = |world: u32, key: &str, value: &str| (world, key.to_owned(), value.to_owned());
    let rows = [
        set(2, "play", Some("[::1]:5")),
        set(1, "rate", Some("6")),
        set(2, "kind", Some("moo")),
        set(1, "rate", Some("7")),
    ];
    assert_eq!(kept(&rows), [is(1, "rate", "7"), is(2, "kind", "moo"), is(2, "play", "[::1]:5")]);
    assert_eq!(kept(&[set(2, "kind", None), set(1, "kind", None)]), [is(1, "rate", "7"), is(2, "play", "[::1]:5")]);
    // A licence that is gone waits for the next one of its name, with what was set.
    assert_eq!(kept(&[Row::LicenceGone { world: WorldId(2), at: Time(9) }]).len(), 2);
    assert_eq!(kept(&[Row::WorldPurged { world: WorldId(2) }]), [is(1, "rate", "7")]);
    drop(writer);
    assert_eq!(verified(place.store.path()).problems, Vec::<String>::new());
}
