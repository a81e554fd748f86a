//! Players and game servers.

use super::*;

#[test]
fn a_player_is_kept_as_given() {
    let place = Place::new();
    let mut writer = place.writer();
    let alice = commit(&mut *writer, |tx| {
        tx.player_add(&NewPlayer { email: Some("a@example.org".into()), ..new_player("Alice") }).unwrap()
    });
    let reader = place.reader();
    let expected = Player {
        id: alice,
        name: "Alice".into(),
        email: Some("a@example.org".into()),
        registered: Time(1_000),
        last_login: None,
        disabled: None,
    };
    assert_eq!(reader.player(alice).unwrap(), Some(expected));
    assert_eq!(reader.player(PlayerId(99)).unwrap(), None);
    assert_eq!(reader.player_hash(alice).unwrap().unwrap().expose(), "$argon2id$");
    assert!(reader.player_hash(PlayerId(99)).unwrap().is_none());

    commit(&mut *writer, |tx| {
        assert_eq!(tx.player_logged_in(alice, Time(2_000)).unwrap(), None);
        assert_eq!(tx.player_logged_in(alice, Time(3_000)).unwrap(), Some(Time(2_000)));
        tx.player_set_hash(alice, &Secret::new("other")).unwrap();
        tx.player_disable(alice, Some("cheating")).unwrap();
    });
    let found = reader.player(alice).unwrap().unwrap();
    assert_eq!((found.last_login, found.disabled.as_deref()), (Some(Time(3_000)), Some("cheating")));
    assert_eq!(reader.player_hash(alice).unwrap().unwrap().expose(), "other");
    commit(&mut *writer, |tx| tx.player_disable(alice, None).unwrap());
    assert_eq!(reader.player(alice).unwrap().unwrap().disabled, None);
}

#[test]
fn a_taken_name_leaves_the_transaction_usable() {
    let place = Place::new();
    let mut writer = place.writer();
    commit(&mut *writer, |tx| {
        tx.player_add(&new_player("bob")).unwrap();
        assert!(matches!(tx.player_add(&new_player("BOB")), Err(StoreError::Exists)));
        assert!(matches!(tx.player_add(&new_player("b0b")), Err(StoreError::Exists)), "looks the same");
        tx.player_add(&new_player("carol")).unwrap();
    });
    assert_eq!(place.reader().player_count().unwrap(), 2);
}

#[test]
fn players_are_listed_by_folded_name_in_pages() {
    let place = Place::new();
    commit(&mut *place.writer(), |tx| {
        for name in ["Delta", "alpha", "Charlie", "bravo"] {
            tx.player_add(&new_player(name)).unwrap();
        }
    });
    let reader = place.reader();
    let names = |after, limit| -> Vec<String> {
        reader.players(after, limit).unwrap().into_iter().map(|player| player.name).collect()
    };
    assert_eq!(names(None, 3), ["alpha", "bravo", "Charlie"]);
    assert_eq!(names(Some("charlie"), 3), ["Delta"]);
    let mut all = Vec::new();
    reader.player_names(&mut |id, name, folded| all.push((id, name.to_owned(), folded.to_owned()))).unwrap();
    assert_eq!(all.len(), 4);
    assert!(all.contains(&(PlayerId(1), "Delta".into(), "delta".into())));
}

#[test]
fn game_servers_come_and_are_refused() {
    let place = Place::new();
    let mut writer = place.writer();
    let arena = commit(&mut *writer, |tx| {
        let arena = tx.server_add("Arena", &[7; 32], Time(5)).unwrap();
        tx.server_add("another", &[8; 32], Time(6)).unwrap();
        assert!(matches!(tx.server_add("ARENA", &[9; 32], Time(7)), Err(StoreError::Exists)));
        arena
    });
    let reader = place.reader();
    let (server, key) = reader.server_by_name("arena").unwrap().unwrap();
    assert_eq!((server.id, server.name.as_str(), server.added, key), (arena, "Arena", Time(5), [7; 32]));
    assert_eq!((server.last_auth, server.disabled), (None, false));
    assert!(reader.server_by_name("nobody").unwrap().is_none());

    commit(&mut *writer, |tx| {
        tx.server_set_key(arena, &[1; 32]).unwrap();
        tx.server_disable(arena, true).unwrap();
        tx.server_authed(arena, Time(9)).unwrap();
    });
    let (server, key) = reader.server_by_name("Arena").unwrap().unwrap();
    assert_eq!((server.last_auth, server.disabled, key), (Some(Time(9)), true, [1; 32]));
    let names: Vec<_> = reader.servers().unwrap().into_iter().map(|server| server.name).collect();
    assert_eq!(names, ["another", "Arena"]);
}
