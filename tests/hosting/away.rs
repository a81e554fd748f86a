//! Hosts that are gone: they come back, are followed by another, or lose the world; and what becomes of it over deaths.

use super::{Scene, names, shown, start};
use crate::harness::{GameServer, has, is_slowed_down};
use nix::sys::signal::Signal;
use serde_json::json;

#[test]
fn a_host_comes_back_within_the_grace_and_nobody_else_meanwhile() {
    let mut scene = Scene::hosted("");
    let (before, started) = (shown(&mut scene.bob), scene.licence()["last_started"].clone());
    let mut castle = scene.backend.game_server("castle");
    let key = scene.arena.key.clone();
    scene.backend.see_off(scene.arena.into_wire());
    assert_eq!(shown(&mut scene.bob), before, "the list shows nothing of it");
    let reply = castle.ask("HOST START", start("zoo", &scene.password));
    assert_eq!(reply["code"], "hosted_elsewhere");
    assert!(reply["msg"].as_str().is_some_and(|msg| msg.contains("may come back within")), "{reply}");
    // Nor may another program of the same game server.
    let mut arena = GameServer::with_key(&scene.backend, "arena", key.clone());
    let other = json!({"world": "zoo", "password": scene.password, "port": 1, "instance": "two"});
    assert_eq!(arena.fails("HOST START", other), "hosted_elsewhere");
    let data = arena.hosts("zoo", &scene.password);
    has(&data, json!({"resumed": true, "since": started}));
    assert_eq!(shown(&mut scene.bob), before);
    arena.ok("HOST SAY", json!({"world": "zoo", "users": 18}));

    // The grace is counted over a death of the handler.
    scene.backend.see_off(arena.into_wire());
    scene.backend.kill_handler();
    assert_eq!(castle.fails("HOST START", start("zoo", &scene.password)), "hosted_elsewhere");
    let mut arena = GameServer::with_key(&scene.backend, "arena", key);
    assert_eq!(arena.hosts("zoo", &scene.password)["resumed"], true);
}

#[test]
fn who_does_not_come_back_in_time_makes_room() {
    let mut scene = Scene::hosted("[worlds]\ngrace_seconds = 1");
    let mut castle = scene.backend.game_server("castle");
    scene.backend.see_off(scene.arena.into_wire());
    scene.backend.log().wait("the world Zoo stops: lost");
    assert_eq!(names(&mut scene.bob), [""; 0]);
    castle.hosts("zoo", &scene.password);
}

#[test]
fn a_host_whose_machine_has_vanished_is_noticed_by_its_silence() {
    let limits = "[limits]\nserver_ping_seconds = 1\nserver_drop_seconds = 2\n[worlds]\ngrace_seconds = 0";
    let mut scene = Scene::hosted(limits);
    scene.arena.wire.cut_off();
    scene.backend.log().wait("the world Zoo stops: lost");
    assert_eq!(names(&mut scene.bob), [""; 0]);
}

#[test]
fn the_same_host_takes_over_and_two_that_fight_are_slowed_down() {
    let mut scene = Scene::hosted("");
    let password = scene.password.clone();
    let mut hosts = [scene.arena_again(), scene.arena_again()];
    for turn in 0..5 {
        let (host, data) = (&mut hosts[turn % 2], start("zoo", &password));
        let data = host.ok("HOST START", data);
        assert_eq!(data["resumed"], true, "as within the grace");
        let before = if turn == 0 { &mut scene.arena } else { &mut hosts[(turn + 1) % 2] };
        assert_eq!(before.expect_event("world_stopped")["reason"], "taken_over");
        assert_eq!(shown(&mut scene.bob)[0]["players"], 17, "all of it goes along");
    }
    let reply = hosts[1].ask("HOST START", start("zoo", &password));
    is_slowed_down(&reply, 60);
    // It stays whose it is, who may say it again as often as he likes.
    for _ in 0..9 {
        assert_eq!(hosts[0].hosts("zoo", &password)["resumed"], true);
    }
    // A world of its own has a count of its own.
    let moon = scene.backend.world("moon", "bob");
    hosts[1].hosts("moon", &moon);
}

#[test]
fn hosting_is_done_once_over_the_death_of_the_handler() {
    let mut scene = Scene::new();
    let args = start("zoo", &scene.password);
    let reply = scene.arena.ask_over_death(&scene.backend, "HOST START", &args);
    assert_eq!(reply["state"], "OK", "{reply}");
    let said = json!({"world": "zoo", "users": 17});
    assert_eq!(scene.arena.ask_over_death(&scene.backend, "HOST SAY", &said)["state"], "OK");
    assert_eq!(shown(&mut scene.bob)[0]["players"], 17);
    let gone = json!({"world": "zoo"});
    assert_eq!(scene.arena.ask_over_death(&scene.backend, "HOST STOP", &gone)["state"], "OK");
    assert_eq!(names(&mut scene.bob), [""; 0]);
    // It was on disk, and the handler that was to take it into memory has died: again and again.
    for _ in 0..5 {
        scene.arena.hosts("zoo", &scene.password);
        scene.backend.kill_handler();
        assert_eq!(names(&mut scene.bob), ["Zoo"]);
        assert_eq!(scene.arena.ok("HOST LIST", json!({}))["total"], 1);
        scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
        scene.backend.kill_handler();
        assert_eq!(names(&mut scene.bob), [""; 0]);
    }
}

#[test]
fn no_world_blinks_and_no_host_registers_again() {
    let mut scene = Scene::hosted("");
    let (mut looker, before) = (scene.backend.program(), shown(&mut scene.bob));
    let mut still = |arena: &mut GameServer, users: u32| {
        assert_eq!(arena.ok("HOST LIST", json!({}))["total"], 1);
        assert_eq!(shown(&mut looker)[0]["players"], users);
        arena.ok("HOST SAY", json!({"world": "zoo", "users": users + 1}));
        arena.expect_no_event("world_stopped");
    };
    assert_eq!(before.len(), 1);
    scene.backend.kill_handler();
    still(&mut scene.arena, 17);
    scene.backend.upgrade_to("9.8.7");
    still(&mut scene.arena, 18);
    scene.backend.kill_listener();
    scene.backend.next_listener();
    still(&mut scene.arena, 19);
    // Its own worker dies: that is a connection that has ended, and the world stays.
    let worker = scene.backend.worker_of("arena");
    nix::sys::signal::kill(worker, Signal::SIGKILL).expect("a worker");
    scene.arena.wire.rest();
    let mut again = scene.arena_again();
    assert_eq!(again.hosts("zoo", &scene.password)["resumed"], true);
    assert_eq!(shown(&mut scene.bob)[0]["players"], 20);
}

#[test]
fn a_game_server_that_is_shut_out_hosts_nothing_and_one_with_another_key_has_its_grace() {
    let mut scene = Scene::hosted("");
    let key = scene.backend.ctl(&["server", "rotate-key", "arena"])["key"].as_str().expect("a key").to_owned();
    scene.arena.expect_event("notice");
    assert_eq!(names(&mut scene.bob), ["Zoo"]);
    scene.arena.ok("AUTH", json!({"name": "arena", "key": key}));
    assert_eq!(scene.arena.hosts("zoo", &scene.password)["resumed"], true);
    scene.backend.ctl(&["server", "disable", "arena"]);
    scene.arena.expect_event("notice");
    assert_eq!(names(&mut scene.bob), [""; 0]);
}
