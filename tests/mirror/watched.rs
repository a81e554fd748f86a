//! Lists that are watched, and how a list goes on over deaths, upgrades and stops.

use super::{Mirror, Scene, fresh, names};
use crate::harness::{Backend, GameServer};
use nix::sys::signal::Signal;
use serde_json::json;
use std::time::Duration;

#[test]
fn who_watches_hears_the_first_change_at_once_and_then_the_latest_state_of_each_row() {
    let mut scene = Scene::new();
    let mut mirror = fresh(&mut scene.bob, "worlds");
    mirror.watch(&mut scene.bob);
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 1}));
    let event = mirror.hear(&mut scene.bob);
    assert_eq!((&event["rows"][0]["users"], names(&event["rows"]).len()), (&1.into(), 1));
    for users in 2..=200 {
        scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": users}));
    }
    let last = fresh(&mut scene.alice, "worlds");
    let mut events = 0;
    while mirror.at < last.at {
        let event = mirror.hear(&mut scene.bob);
        assert_eq!(names(&event["rows"]), ["Zoo"]);
        events += 1;
    }
    assert!(events < 100, "{events}");
    assert_eq!((mirror.rows["Zoo"]["users"].as_u64(), mirror.wholes), (Some(200), 1));
    scene.bob.ok("LIST UNWATCH", json!({"list": "WORLDS"}));
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 0}));
    scene.bob.expect_no_event("list");
    // Who comes back with what he has is told the rest at once.
    mirror.watch(&mut scene.bob);
    mirror.hear(&mut scene.bob);
    assert_eq!((mirror.rows["Zoo"]["users"].as_u64(), mirror.wholes), (Some(0), 1));
    // A list that looks another way for him is told to be one.
    scene.bob.ok("LIST WATCH", json!({"list": "users"}));
    scene.change(&["--hidden"]);
    mirror.hear(&mut scene.bob);
    assert_eq!((mirror.names(), mirror.wholes), (vec!["Zoo"], 2));
    assert_eq!(scene.bob.fails("LIST WATCH", json!({"list": "boards"})), "invalid");
}

#[test]
fn serials_go_on_over_deaths_and_upgrades_of_the_handler() {
    let mut scene = Scene::new();
    let mut carol = scene.backend.player("carol");
    let (mut worlds, mut users) = (fresh(&mut scene.bob, "worlds"), fresh(&mut scene.bob, "users"));
    worlds.watch(&mut scene.bob);
    users.watch(&mut scene.bob);
    let asks = |users: &Mirror| Mirror { at: users.at, rows: users.rows.clone(), ..Mirror::of("users") };
    let mut asker = asks(&users);
    scene.backend.kill_handler();
    let page = asker.page(&mut scene.alice, 100);
    assert_eq!((&page["whole"], names(&page["rows"]).len() + names(&page["gone"]).len()), (&false.into(), 0), "{page}");
    carol.ok("LOGOUT", json!({}));
    assert_eq!(names(&users.hear(&mut scene.bob)["gone"]), ["carol"]);
    scene.backend.kill_handler();
    let page = asker.page(&mut scene.alice, 100);
    assert_eq!((names(&page["gone"]), names(&page["rows"]).len()), (vec!["carol"], 0));
    scene.backend.upgrade_to("9.8.7");
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 9}));
    assert_eq!(worlds.hear(&mut scene.bob)["rows"][0]["users"], 9);
    carol.login("carol");
    assert_eq!(names(&users.hear(&mut scene.bob)["rows"]), ["carol"]);
    assert_eq!(names(&asker.page(&mut scene.alice, 100)["rows"]), ["carol"]);
    assert_eq!((worlds.wholes, users.wholes, asker.wholes), (1, 1, 0));
    // When everything was stopped it is another list.
    let key = scene.arena.key.clone();
    scene.backend.restart();
    let mut alice = scene.backend.player_again("alice");
    let mut arena = GameServer::with_key(&scene.backend, "arena", key);
    asker.read(&mut alice, 100);
    assert_eq!((asker.names(), asker.wholes), (vec!["alice"], 1));
    arena.hosts("zoo", &scene.password);
    worlds.read(&mut alice, 100);
    assert_eq!((worlds.names(), worlds.wholes), (vec!["Zoo"], 2));
}

#[test]
fn worlds_that_were_there_before_everything_was_stopped_stay_for_their_day() {
    let mut scene = Scene::new();
    let moon = scene.backend.world("Moon", "bob");
    scene.arena.hosts("moon", &moon);
    scene.arena.ok("HOST STOP", json!({"world": "moon"}));
    scene.backend.world("Mars", "bob");
    let status = |backend: &Backend| {
        let rows = fresh(&mut backend.player_again("bob"), "worlds").rows;
        rows.into_iter().map(|(name, row)| (name, row["status"].as_str().unwrap_or_default().to_owned())).collect()
    };
    let stopped = |names: &[&str]| -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), "stopped".to_owned())).collect()
    };
    let key = scene.arena.key.clone();
    scene.backend.stop();
    let store = ssmglobal_store::open(&scene.backend.data().join("ssmglobal.db"), Duration::ZERO).expect("a database");
    let mut ended = Vec::new();
    let reader = store.reader().expect("a reader");
    reader.licences(&mut |licence| ended.extend(licence.stopped.map(|_| licence.name))).expect("it reads");
    ended.sort();
    assert_eq!(ended, ["Moon", "Zoo"], "the one by a word, and the other with the backend");
    drop((reader, store));
    scene.backend.start_again();
    let there: Vec<(String, String)> = status(&scene.backend);
    assert_eq!(there, stopped(&["Moon", "Zoo"]));
    // Where nobody saw them stop they were there when they were started.
    let mut arena = GameServer::with_key(&scene.backend, "arena", key);
    arena.hosts("zoo", &scene.password);
    scene.backend.signal_all(Signal::SIGKILL);
    scene.backend.wait();
    scene.backend.start_again();
    let there: Vec<(String, String)> = status(&scene.backend);
    assert_eq!(there, stopped(&["Moon", "Zoo"]));
    assert_eq!(scene.backend.ctl(&["verify"])["ok"], true);
}
