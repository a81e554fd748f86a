//! The way into a world: who is let in and who is told why not, how he proves to the world who he is, and how what is for him
//! reaches him there.

use crate::harness::{GameServer, Zoo, has, places};
use serde_json::{Value, json};

/// The operator changes the licence of the world.
fn change(scene: &Zoo, words: &[&str]) {
    scene.backend.ctl(&[&["world", "change", "zoo"], words].concat());
}

#[test]
fn a_player_is_let_in_and_the_world_learns_who_he_is() {
    let mut scene = Zoo::open();
    scene.backend.ctl(&["right", "grant", "bob", "game.admin"]);
    let asked = json!({"world": "ZOO", "version": "4", "language": "de", "charset": "utf-8"});
    let entered = scene.bob.ok("WORLD ENTER", asked);
    has(&entered, json!({"world": "Zoo", "address": "zoo.example.org", "port": 7777, "seconds": 60}));
    let told = scene.arena.ok("PASS REDEEM", json!({"pass": entered["pass"], "world": "zoo"}));
    has(
        &told,
        json!({"player": "Bob", "kind": "player", "rights": ["game.admin"], "world": "Zoo", "language": "de", "charset": "utf-8"}),
    );
    assert_eq!(told["since"], scene.bob.ok("WHO", json!({}))["players"][1]["since"]);
    scene.arena.ok("ENTER", json!({"player": entered["pass"], "world": "zoo"}));
    assert_eq!(places(&mut scene.alice, "Bob"), ["client", "on Zoo"]);
    assert_eq!(scene.alice.ok("FINGER", json!({"player": "bob"}))["worlds"], json!(["Zoo"]));
    scene.arena.ok("LEAVE", json!({"player": "bob", "world": "zoo"}));
    assert_eq!(places(&mut scene.alice, "Bob"), ["client"]);
}

#[test]
fn who_is_not_let_in_is_told_why_in_this_order() {
    let mut scene = Zoo::open();
    let enters =
        |scene: &mut Zoo, version: Value| scene.bob.ask("WORLD ENTER", json!({"world": "zoo", "version": version}));
    let code = |scene: &mut Zoo| enters(scene, Value::Null)["code"].as_str().unwrap_or("let in").to_owned();
    assert_eq!(scene.bob.fails("WORLD ENTER", json!({"world": "nowhere"})), "not_found");
    // Everything is wrong with it, and one after the other is mended.
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 7, "rating": "R"}));
    change(&scene, &["--users", "7", "--client", "4.2", "--no-visitors"]);
    scene.bob.ok("RATING", json!({"rating": "PG"}));
    assert_eq!(scene.bob.ok("WHOAMI", json!({}))["rating"], "PG");
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(code(&mut scene), "not_running");
    scene.is_hosted();
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 7, "rating": "R"}));
    assert_eq!(code(&mut scene), "too_old", "a player is no visitor");
    assert_eq!(enters(&mut scene, "4.1.9".into())["code"], "too_old");
    assert_eq!(enters(&mut scene, "4.2".into())["code"], "full");
    // With the right he enters where there is no room.
    scene.backend.ctl(&["right", "grant", "bob", "vip"]);
    let reply = enters(&mut scene, "4.2".into());
    assert_eq!(reply["code"], "rated");
    assert!(reply.get("data").is_none() && !reply["msg"].as_str().expect("words").contains("example"), "{reply}");
    scene.bob.ok("RATING", json!({"rating": "R"}));
    assert_eq!(enters(&mut scene, "5".into())["data"]["world"], "Zoo");
    scene.backend.ctl(&["right", "revoke", "bob", "vip"]);
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 6, "rating": "X"}));
    assert_eq!(enters(&mut scene, "5".into())["code"], "rated");
    // Any at all, and that outlives a restart of the handler.
    let reply = scene.bob.ask("RATING", json!({}));
    assert_eq!(reply["msg"], "Worlds of any rating let you in now.");
    assert_eq!(scene.bob.ask("RATING", json!({"rating": ""}))["msg"], reply["msg"]);
    assert_eq!(scene.bob.ok("WHOAMI", json!({}))["rating"], Value::Null);
    scene.backend.kill_handler();
    assert_eq!(enters(&mut scene, "5".into())["state"], "OK");
    // Also where it is written as it is elsewhere.
    assert_eq!(scene.bob.ok("WORLD ENTER", json!({"world": "world:ZOO", "version": "5"}))["world"], "Zoo");
    assert_eq!(scene.bob.ok("WORLD SHOW", json!({"name": "world:zoo"}))["name"], "Zoo");
    assert_eq!(scene.bob.ok("PASS", json!({"server": "Server:arena"}))["server"], "arena");
    assert_eq!(scene.bob.fails("WORLD SHOW", json!({"name": "server:zoo"})), "not_found");
    scene.backend.ctl(&["universe", "set", "start", "world:zoo"]);
    assert_eq!(scene.bob.ok("UNIVERSE SHOW", json!({}))["start"], "Zoo");
    assert_eq!(scene.backend.ctl_fails(&["world", "delete", "world:moon", "--purge"]), "not_found");
    // A hidden world is found by its name.
    change(&scene, &["--hidden"]);
    assert_eq!(enters(&mut scene, "5".into())["state"], "OK");
    assert_eq!(scene.bob.fails("RATING", json!({"rating": "PG14"})), "invalid");
}

#[test]
fn a_language_and_a_charset_are_each_told_what_they_may_be() {
    let mut scene = Zoo::open();
    for (name, called) in [("language", "A language"), ("charset", "A charset")] {
        let mut refused = |value: String| scene.bob.ask("WORLD ENTER", json!({"world": "zoo", name: value}));
        let (control, long) = (refused("d\u{1}e".to_owned()), refused("x".repeat(36)));
        let msg = format!("{called} holds no control characters.");
        has(&control, json!({"code": "invalid", "msg": msg}));
        let msg = format!("{called} has at most 35 bytes; this one has 36. Give a shorter one.");
        has(&long, json!({"code": "too_long", "msg": msg}));
        scene.bob.ok("WORLD ENTER", json!({"world": "zoo", name: "x".repeat(35)}));
    }
}

#[test]
fn a_pass_for_a_world_is_good_once_there_and_for_whom_it_was_given() {
    let mut scene = Zoo::open();
    let mars = scene.backend.world("mars", "bob");
    scene.arena.hosts("mars", &mars);
    let mut castle = scene.backend.game_server("castle");
    let word = scene.bob.pass_for("zoo");
    let redeem = |server: &mut GameServer, word: &str, world: Value| {
        let reply = server.ask("PASS REDEEM", json!({"pass": word, "world": world}));
        reply["code"].as_str().map(str::to_owned).unwrap_or_else(|| reply["data"]["player"].to_string())
    };
    assert_eq!(redeem(&mut castle, &word, Value::Null), "other_place");
    assert_eq!(redeem(&mut castle, &word, "zoo".into()), "denied", "it does not host it");
    assert_eq!(redeem(&mut scene.arena, &word, "mars".into()), "other_place");
    assert_eq!(redeem(&mut scene.arena, "pass-0000-0000-0000", "zoo".into()), "not_found");
    assert_eq!(redeem(&mut scene.arena, &word, "zoo".into()), "\"Bob\"");
    assert_eq!(redeem(&mut scene.arena, &word, "zoo".into()), "used");
    // Without a name, as long as one connection hosts it.
    let word = scene.bob.pass_for("zoo");
    assert_eq!(redeem(&mut scene.arena, &word, Value::Null), "\"Bob\"");
    // It ends with his logging out, not with his connection, and outlives the handler.
    let word = scene.bob.pass_for("zoo");
    scene.bob.ok("LOGOUT", json!({}));
    assert_eq!(redeem(&mut scene.arena, &word, "zoo".into()), "expired");
    scene.bob.login("Bob");
    let word = scene.bob.pass_for("zoo");
    scene.bob_closes();
    scene.backend.kill_handler();
    assert_eq!(redeem(&mut scene.arena, &word, "zoo".into()), "\"Bob\"");
    scene.backend.kill_handler();
    assert_eq!(redeem(&mut scene.arena, &word, "zoo".into()), "used");
}

#[test]
fn the_address_counts_where_the_licence_says_so_and_only_there() {
    let mut scene = Zoo::open();
    let here = scene.bob.wire.stream.local_addr().expect("an address").ip().to_string();
    let word = scene.bob.pass_for("zoo");
    scene.arena.ok("PASS REDEEM", json!({"pass": word, "address": "192.0.2.7"}));
    change(&scene, &["--check-address"]);
    let word = scene.bob.pass_for("zoo");
    assert_eq!(scene.arena.fails("PASS REDEEM", json!({"pass": word})), "invalid");
    assert_eq!(scene.arena.fails("PASS REDEEM", json!({"pass": word, "address": "192.0.2.7"})), "other_address");
    scene.arena.ok("PASS REDEEM", json!({"pass": word, "address": here}));
}

#[test]
fn many_wrong_passes_cost_the_rest_of_the_minute() {
    let mut scene = Zoo::open();
    for _ in 0..20 {
        assert_eq!(scene.arena.fails("PASS REDEEM", json!({"pass": "pass-1", "world": "zoo"})), "not_found");
    }
    let word = scene.bob.pass_for("zoo");
    assert_eq!(scene.arena.fails("PASS REDEEM", json!({"pass": word, "world": "zoo"})), "slow_down");
    scene.backend.log().wait("who=arena command=\"PASS REDEEM\"");
}

#[test]
fn only_who_has_identified_himself_is_in_a_world() {
    let mut scene = Zoo::open();
    let there = |player: &str| json!({"player": player, "world": "zoo"});
    assert_eq!(scene.arena.fails("ENTER", there("alice")), "denied");
    assert_eq!(scene.arena.fails("ENTER", there("pass-1777-7777-7777")), "not_found");
    assert_eq!(scene.arena.fails("PRESENT", json!({"players": ["alice"], "world": "zoo"})), "denied");
    // A pass that was not shown yet says nothing.
    let word = scene.bob.pass_for("zoo");
    assert_eq!(scene.arena.fails("ENTER", there(&word)), "not_found");
    assert_eq!(scene.arena.fails("ENTER", there("bob")), "denied");
    scene.bob_enters();
    // All at once, as after a restart of the world.
    let word = scene.alice.pass_for("zoo");
    scene.arena.ok("PASS REDEEM", json!({"pass": word}));
    scene.arena.ok("PRESENT", json!({"players": ["alice"], "world": "zoo"}));
    assert_eq!((places(&mut scene.alice, "Bob").len(), places(&mut scene.bob, "alice").len()), (1, 2));
    scene.arena.ok("PRESENT", json!({"players": "bob alice", "world": "zoo"}));
    assert_eq!(places(&mut scene.alice, "Bob"), ["client", "on Zoo"]);
    // With another password he is somebody who has to identify himself anew.
    scene.arena.ok("LEAVE", there("bob"));
    scene.bob.ok("PASSWORD", json!({"old": "secret-of-Bob", "new": "longer-still"}));
    assert_eq!(scene.arena.fails("ENTER", there("bob")), "denied");
    // A password that was typed there does as well, where the operator allows it.
    scene.backend.ctl(&["server", "allow", "arena", "login-check"]);
    scene.arena.ok("LOGIN CHECK", json!({"name": "bob", "password": "longer-still", "address": "192.0.2.7"}));
    scene.arena.ok("ENTER", there("bob"));
    // Nobody is in a world that another connection hosts.
    let mut castle = scene.backend.game_server("castle");
    assert_eq!(castle.fails("ENTER", there("alice")), "denied");
}

#[test]
fn who_is_in_a_world_stays_there_whatever_becomes_of_connections() {
    let mut scene = Zoo::open();
    scene.bob_enters();
    scene.bob_closes();
    // Presence by the world alone counts as being on.
    assert_eq!(places(&mut scene.alice, "Bob"), ["on Zoo"]);
    scene.backend.kill_handler();
    assert_eq!(places(&mut scene.alice, "Bob"), ["on Zoo"]);
    scene.backend.upgrade_to("9.8.7");
    assert_eq!(places(&mut scene.alice, "Bob"), ["on Zoo"]);
    let key = scene.arena.key.clone();
    scene.backend.see_off(scene.arena.into_wire());
    assert_eq!(places(&mut scene.alice, "Bob"), ["on Zoo"], "its host may come back");
    scene.backend.kill_handler();
    let mut arena = GameServer::with_key(&scene.backend, "arena", key);
    arena.hosts("zoo", &scene.password);
    assert_eq!(places(&mut scene.alice, "Bob"), ["on Zoo"]);
    arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(places(&mut scene.alice, "Bob"), [""; 0], "with the world they are gone");
    arena.hosts("zoo", &scene.password);
    assert_eq!(places(&mut scene.alice, "Bob"), [""; 0]);
    // He has identified himself there, and that is still known.
    arena.ok("PRESENT", json!({"players": ["bob"], "world": "zoo"}));
    assert_eq!(places(&mut scene.alice, "Bob"), ["on Zoo"]);
}

#[test]
fn what_is_for_a_player_reaches_him_once_where_he_is() {
    let mut scene = Zoo::open();
    scene.bob_enters();
    let tell = |scene: &mut Zoo, body: &str| scene.alice.ask("TELL", json!({"to": "bob", "body": body}));
    // Through the connection that he has, and not through the world as well.
    tell(&mut scene, "first");
    assert_eq!(scene.bob.expect_event("tell")["body"], "first");
    scene.arena.expect_no_event("tell");
    scene.bob_closes();
    assert_eq!(tell(&mut scene, "second")["state"], "OK");
    let event = scene.arena.expect_event("tell");
    has(&event, json!({"to": "Bob", "world": "Zoo", "from": "alice", "body": "second"}));
    scene.alice.ok("MAIL SEND", json!({"to": "bob", "body": "hi", "subject": "Tonight"}));
    let event = scene.arena.expect_event("mail");
    has(&event, json!({"to": "Bob", "subject": "Tonight"}));
    // What the handler has died over is told by the next one, once.
    let args = json!({"to": "bob", "body": "third"});
    assert_eq!(scene.alice.ask_over_death(&scene.backend, "TELL", &args)["state"], "OK");
    assert_eq!(scene.arena.expect_event("tell")["body"], "third");
    scene.arena.expect_no_event("tell");
    // Nobody is told what is for somebody who never came there.
    scene.arena.ok("LEAVE", json!({"player": "bob", "world": "zoo"}));
    assert_eq!(tell(&mut scene, "fourth")["code"], "not_found");
    scene.arena.ok("ENTER", json!({"player": "bob"}));
    assert_eq!(tell(&mut scene, "fifth")["code"], "not_found", "a game server's word is not his");
}

#[test]
fn a_world_hears_that_somebody_has_closed_his_connection_if_it_wants_to() {
    let mut scene = Zoo::open();
    scene.bob_enters();
    let mut second = scene.backend.player_again("Bob");
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "closings": true}));
    scene.bob_closes();
    scene.arena.expect_no_event("guest_closed");
    // Neither is a death of the handler one.
    scene.backend.kill_handler();
    assert_eq!(second.ok("WHOAMI", json!({}))["player"], "Bob");
    scene.arena.expect_no_event("guest_closed");
    scene.backend.see_off(second.wire);
    let event = scene.arena.expect_event("guest_closed");
    has(&event, json!({"world": "Zoo", "player": "Bob"}));
    assert_eq!(places(&mut scene.alice, "Bob"), ["on Zoo"], "he may well stay");
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "closings": false}));
    let third = scene.backend.player_again("Bob");
    scene.backend.see_off(third.wire);
    scene.arena.expect_no_event("guest_closed");
}
