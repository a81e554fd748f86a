//! Players and game servers.

use super::*;

#[test]
fn a_player_is_kept_as_given() {
    let place = Place::new();
    let mut writer = place.writer();
    let alice = PlayerId(7);
    put(&mut *writer, &Row::Player(NewPlayer { email: Some("a@example.org".into()), ..new_player(7, "Alice") }));
    let reader = place.reader();
    let expected = Player {
        id: alice,
        name: "Alice".into(),
        email: Some("a@example.org".into()),
        registered: Time(1_000),
        last_login: None,
        disabled: None,
        epoch: 0,
        session_minutes: None,
        times_on: 0,
        milliseconds_on: 0,
    };
    assert_eq!(reader.player(alice).unwrap(), Some(expected));
    let mut emails = Vec::new();
    reader.player_names(&mut |id, of| emails.push((id, of.email.map(str::to_owned)))).unwrap();
    assert_eq!(emails, [(alice, Some("a@example.org".into()))]);
    assert_eq!(reader.player(PlayerId(99)).unwrap(), None);
    assert_eq!(reader.player_hash(alice).unwrap().unwrap().hash.expose(), "$argon2id$");
    assert!(reader.player_hash(PlayerId(99)).unwrap().is_none());

    commit(&mut *writer, |tx| {
        assert_eq!(tx.player(alice).unwrap().unwrap().last_login, None);
        tx.put(&Row::PlayerLogin { player: alice, at: Time(2_000) }).unwrap();
        assert_eq!(tx.player(alice).unwrap().unwrap().last_login, Some(Time(2_000)));
        tx.put(&Row::PlayerLogin { player: alice, at: Time(3_000) }).unwrap();
        tx.put(&Row::PlayerHash { player: alice, hash: Secret::new("other") }).unwrap();
        tx.put(&Row::PlayerDisabled { player: alice, reason: Some("cheating".into()) }).unwrap();
    });
    let found = reader.player(alice).unwrap().unwrap();
    assert_eq!((found.last_login, found.disabled.as_deref()), (Some(Time(3_000)), Some("cheating")));
    assert_eq!(reader.player_hash(alice).unwrap().unwrap().hash.expose(), "other");
    assert_eq!(reader.players_disabled().unwrap(), [alice]);
    put(&mut *writer, &Row::PlayerDisabled { player: alice, reason: None });
    assert_eq!(reader.player(alice).unwrap().unwrap().disabled, None);
    assert_eq!(reader.players_disabled().unwrap(), []);
}

#[test]
fn from_where_a_player_was_in_is_kept_until_it_is_forgotten() {
    let place = Place::new();
    let (mut writer, alice) = (place.writer(), PlayerId(1));
    let network = |text: &str, at| Network { network: text.parse().unwrap(), at: Time(at) };
    let (home, school) = (network("192.0.2.1", 5), network("2001:db8:0:7::", 6));
    commit(&mut *writer, |tx| {
        tx.put(&player(1, "alice")).unwrap();
        for network in [home, school, Network { at: Time(9), ..home }] {
            tx.put(&Row::PlayerSeen { player: alice, network }).unwrap();
        }
    });
    let reader = place.reader();
    let mut found = reader.player_networks(alice).unwrap();
    found.sort_by_key(|network| network.at);
    assert_eq!(found, [school, Network { at: Time(9), ..home }]);
    put(&mut *writer, &Row::PlayerUnseen { player: alice, network: home.network });
    assert_eq!(reader.networks_before(Time(6), 9).unwrap(), []);
    assert_eq!(reader.networks_before(Time(7), 9).unwrap(), [(alice, school.network)]);
    assert_eq!(reader.networks_before(Time(7), 0).unwrap(), []);
    let mut all = Vec::new();
    reader.networks(&mut |player, network| all.push((player, network))).unwrap();
    assert_eq!(all, [(alice, school)]);
    assert_eq!(reader.player_networks(PlayerId(2)).unwrap(), []);
}

#[test]
fn how_long_a_player_is_on_adds_up_and_its_bound_is_kept() {
    let place = Place::new();
    let (mut writer, reader) = (place.writer(), place.reader());
    let (alice, bob) = (PlayerId(1), PlayerId(2));
    let lasted = |lasted| Row::PlayerLasted { player: alice, lasted, session: 9, since: Time(5) };
    commit(&mut *writer, |tx| {
        tx.put(&player(1, "alice")).unwrap();
        tx.put(&player(2, "bob")).unwrap();
        tx.put(&Row::PlayerLogin { player: alice, at: Time(5) }).unwrap();
        for row in [lasted(59_999), lasted(2)] {
            tx.put(&row).unwrap();
        }
        tx.put(&Row::PlayerLimit { player: alice, minutes: Some(90) }).unwrap();
    });
    let of = |id| {
        let player = reader.player(id).unwrap().unwrap();
        (player.session_minutes, player.times_on, player.milliseconds_on)
    };
    assert_eq!((of(alice), of(bob)), ((Some(90), 1, 60_001), (None, 0, 0)));
    assert_eq!(reader.player_limits().unwrap(), [(alice, 90)]);
    put(&mut *writer, &Row::PlayerLimit { player: alice, minutes: None });
    assert_eq!((of(alice).0, reader.player_limits().unwrap()), (None, vec![]));
    // A clock that was set does not make more of it than there is room for.
    for _ in 0..2 {
        put(&mut *writer, &lasted(u64::MAX));
    }
    assert_eq!(of(alice).2, i64::MAX as u64);
}

#[test]
fn an_epoch_is_kept_of_players_and_of_game_servers_and_of_nobody_else() {
    let place = Place::new();
    let (mut writer, reader) = (place.writer(), place.reader());
    let epoch = |who: Principal, epoch| Row::Epoch { who, epoch, reason: "not kept".into() };
    commit(&mut *writer, |tx| {
        for row in [player(1, "alice"), player(2, "bob"), server(1, "arena"), server(2, "castle")] {
            tx.put(&row).unwrap();
        }
        tx.put(&epoch(PlayerId(2).into(), 7)).unwrap();
        tx.put(&epoch(ServerId(1).into(), u32::MAX)).unwrap();
        assert!(tx.put(&epoch(Principal { kind: PrincipalKind::Backend, id: 1 }, 1)).is_err());
    });
    let of = |id| {
        (reader.player(PlayerId(id)).unwrap().unwrap().epoch, reader.player_hash(PlayerId(id)).unwrap().unwrap().epoch)
    };
    assert_eq!((of(1), of(2)), ((0, 0), (7, 7)));
    assert_eq!(reader.player_epochs().unwrap(), [(PlayerId(2), 7)]);
    let servers = reader.servers().unwrap();
    assert_eq!(servers.iter().map(|server| server.epoch).collect::<Vec<_>>(), [u32::MAX, 0]);
    assert_eq!(reader.server_by_name("arena").unwrap().unwrap().0.epoch, u32::MAX);
}

#[test]
fn a_taken_name_leaves_the_transaction_usable() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        assert!(!tx.player_name_taken("bob", "bob").unwrap());
        tx.put(&player(1, "bob")).unwrap();
        assert!(matches!(tx.put(&player(2, "BOB")), Err(StoreError::Exists)));
        assert!(matches!(tx.put(&player(2, "b0b")), Err(StoreError::Exists)), "looks the same");
        assert!(tx.player_name_taken("bob", "other").unwrap() && tx.player_name_taken("b0b", "bob").unwrap());
        assert!(!tx.player_name_taken("b0b", "b0b").unwrap());
        tx.put(&player(2, "carol")).unwrap();
    });
    assert_eq!(place.reader().player_count().unwrap(), 2);
}

#[test]
fn players_are_listed_by_folded_name_in_pages() {
    let place = Place::new();
    commit(&mut *place.writer(), |tx| {
        for (id, name) in (1..).zip(["Delta", "alpha", "Charlie", "bravo"]) {
            tx.put(&player(id, name)).unwrap();
        }
    });
    let reader = place.reader();
    let names = |after, limit| -> Vec<String> {
        reader.players(after, limit).unwrap().into_iter().map(|player| player.name).collect()
    };
    assert_eq!(names(None, 3), ["alpha", "bravo", "Charlie"]);
    assert_eq!(names(Some("charlie"), 3), ["Delta"]);
    let mut all = Vec::new();
    let mut take = |id, of: NamesOf<'_>| all.push((id, of.name.to_owned(), of.folded.to_owned()));
    reader.player_names(&mut take).unwrap();
    assert_eq!(all.len(), 4);
    assert!(all.contains(&(PlayerId(1), "Delta".into(), "delta".into())));
}

#[test]
fn game_servers_come_and_are_refused() {
    let place = Place::new();
    let mut writer = place.writer();
    let arena = ServerId(4);
    commit(&mut *writer, |tx| {
        let new = NewServer { id: arena, name: "Arena".into(), key: [7; 32], added: Time(5) };
        tx.put(&Row::Server(new)).unwrap();
        tx.put(&server(5, "another")).unwrap();
        assert!(matches!(tx.put(&server(6, "ARENA")), Err(StoreError::Exists)));
    });
    let reader = place.reader();
    let (server, key) = reader.server_by_name("arena").unwrap().unwrap();
    assert_eq!((server.id, server.name.as_str(), server.added, key), (arena, "Arena", Time(5), [7; 32]));
    assert_eq!((server.last_auth, server.disabled), (None, false));
    assert!(reader.server_by_name("nobody").unwrap().is_none());

    commit(&mut *writer, |tx| {
        tx.put(&Row::ServerKey { server: arena, key: [1; 32] }).unwrap();
        tx.put(&Row::ServerDisabled { server: arena, disabled: true }).unwrap();
        tx.put(&Row::ServerAuthed { server: arena, at: Time(9) }).unwrap();
    });
    let (server, key) = reader.server_by_name("Arena").unwrap().unwrap();
    assert_eq!((server.last_auth, server.disabled, key), (Some(Time(9)), true, [1; 32]));
    let names: Vec<_> = reader.servers().unwrap().into_iter().map(|server| server.name).collect();
    assert_eq!(names, ["another", "Arena"]);
}
