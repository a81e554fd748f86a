//! How a game server lets players in.

use crate::harness::{Backend, GameServer, Program, has, is_slowed_down};
use serde_json::{Value, json};

fn pass(program: &mut Program, server: &str) -> String {
    program.ok("PASS", json!({"server": server}))["pass"].as_str().unwrap().to_owned()
}

fn redeem(server: &mut GameServer, pass: &str) -> Value {
    server.ok("PASS REDEEM", json!({"pass": pass}))
}

#[test]
fn a_player_shows_a_pass_and_the_game_server_learns_once_who_he_is() {
    let backend = Backend::start();
    let mut alice = backend.player("Alice");
    let (mut arena, mut castle) = (backend.game_server("Arena"), backend.game_server("castle"));
    let data = alice.ok("PASS", json!({"server": "arena"}));
    has(&data, json!({"server": "Arena", "seconds": 60}));
    let word = data["pass"].as_str().unwrap();
    assert_eq!(castle.fails("PASS REDEEM", json!({"pass": word})), "other_place", "it is for another");
    // As a player may type it into a game's console.
    let data = redeem(&mut arena, &word.to_uppercase().replace('-', " "));
    assert_eq!(data["player"], "Alice");
    assert!(data["number"].as_u64().is_some_and(|number| number > 0));
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": word})), "used", "it was used");
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": "pass-0000-0000-0000"})), "not_found");
    assert_eq!(alice.fails("PASS", json!({"server": "nowhere"})), "not_found");
    backend.ctl(&["server", "disable", "castle"]);
    assert_eq!(alice.fails("PASS", json!({"server": "castle"})), "denied");
}

#[test]
fn it_ends_with_a_newer_one_with_logging_out_and_with_the_player_but_not_with_his_connection() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut alice = backend.player("alice");
    let (old, new) = (pass(&mut alice, "arena"), pass(&mut alice, "arena"));
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": old})), "not_found");
    alice.ok("LOGOUT", json!({}));
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": new})), "expired");
    let mut bob = backend.player("bob");
    let word = pass(&mut bob, "arena");
    backend.see_off(bob.wire);
    assert_eq!(redeem(&mut arena, &word)["player"], "bob");
    // Another password ends it as well: who has it may have stolen it.
    let mut dora = backend.player("dora");
    let word = pass(&mut dora, "arena");
    backend.see_off(dora.wire);
    backend.ctl(&["player", "disable", "dora", "--reason", "wait"]);
    backend.ctl(&["player", "enable", "dora"]);
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": word})), "denied");
    let mut carol = backend.player("carol");
    let word = pass(&mut carol, "arena");
    backend.ctl(&["player", "disable", "carol", "--reason", "spam"]);
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": word})), "denied");
}

#[test]
fn an_address_that_the_game_server_gives_has_to_be_the_players() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut alice = backend.player("alice");
    let word = pass(&mut alice, "arena");
    let here = alice.wire.stream.local_addr().unwrap().ip().to_string();
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": word, "address": "192.0.2.7"})), "other_address");
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": word, "address": "here"})), "invalid");
    let data = arena.ok("PASS REDEEM", json!({"pass": word, "address": format!("::ffff:{here}")}));
    assert_eq!(data["player"], "alice");
}

#[test]
fn it_outlives_the_death_of_the_handler_and_an_upgrade_and_is_still_good_once() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut alice = backend.player("alice");
    let word = pass(&mut alice, "arena");
    backend.kill_handler();
    // It dies over the question too: the answer is the first one, once.
    let reply = arena.ask_over_death(&backend, "PASS REDEEM", &json!({"pass": word}));
    assert_eq!(reply["data"]["player"], "alice", "{reply}");
    let other = pass(&mut alice, "arena");
    backend.ctl(&["upgrade"]);
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": word})), "used");
    assert_eq!(redeem(&mut arena, &other)["player"], "alice");
}

#[test]
fn who_guesses_has_to_wait_and_nobody_else() {
    let backend = Backend::start();
    let (mut arena, mut castle) = (backend.game_server("arena"), backend.game_server("castle"));
    let mut alice = backend.player("alice");
    let (here, there) = (pass(&mut alice, "arena"), pass(&mut alice, "castle"));
    for n in 0..20 {
        assert_eq!(arena.fails("PASS REDEEM", json!({"pass": format!("pass-{n:04}-0000-0000")})), "not_found");
    }
    let reply = arena.ask("PASS REDEEM", json!({"pass": here}));
    is_slowed_down(&reply, 60);
    backend.log().wait("who=arena command=\"PASS REDEEM\"");
    assert_eq!(redeem(&mut castle, &there)["player"], "alice");
}

#[test]
fn a_person_is_told_what_to_do_with_it_and_no_log_has_it() {
    let backend = Backend::plan().config("log.level = \"debug\"\n").start();
    let mut arena = backend.game_server("arena");
    let mut bob = backend.person("bob");
    // A game server may be called as what a game server asks.
    backend.ctl(&["server", "add", "redeem"]);
    bob.says("PASS redeem").sees("A pass for redeem: ");
    let text = bob.ask("PASS arena");
    let word = text.split_whitespace().find(|word| word.starts_with("pass-")).unwrap().to_owned();
    assert!(text.contains("within 60 seconds") && text.lines().all(|line| line.len() <= 80), "{text}");
    assert_eq!(redeem(&mut arena, &word)["player"], "bob");
    arena.ok("PING", json!({}));
    backend.log().wait("\"PASS REDEEM\"");
    let secret = word.trim_start_matches("pass-");
    assert!(!backend.log().text().contains(secret), "{}", backend.log().text());
}

/// Who is where, as WHO tells a program.
fn places(program: &mut Program) -> Vec<(String, String)> {
    let data = program.ok("WHO", json!({}));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    data["players"].as_array().unwrap().iter().map(|row| (text(&row["player"]), text(&row["where"]))).collect()
}

fn rows<const N: usize>(wanted: [(&str, &str); N]) -> Vec<(String, String)> {
    wanted.map(|(player, place)| (player.to_owned(), place.to_owned())).into()
}

#[test]
fn others_see_on_which_game_server_a_player_is_whether_he_is_connected_here_or_not() {
    let backend = Backend::start();
    let (mut arena, mut castle) = (backend.game_server("Arena"), backend.game_server("castle"));
    let mut watcher = backend.program();
    let mut alice = backend.person("Alice");
    let bob = backend.player("bob");
    backend.see_off(bob.wire);
    arena.ok("ENTER", json!({"player": "alice"}));
    arena.ok("ENTER", json!({"player": "ALICE"}));
    arena.ok("ENTER", json!({"player": "bob"}));
    castle.ok("ENTER", json!({"player": "bob"}));
    assert_eq!(
        places(&mut watcher),
        rows([("Alice", "on Arena"), ("Alice", "terminal"), ("bob", "on Arena"), ("bob", "on castle")])
    );
    assert_eq!(watcher.ok("WHO", json!({}))["total"], 2);
    assert_eq!(watcher.ok("FINGER", json!({"player": "bob"}))["worlds"], json!(["Arena", "castle"]));
    alice.says("FINGER bob").sees("bob is on Arena and castle");
    let text = alice.ask("WHO");
    assert!(text.contains("on Arena") && text.lines().all(|line| line.len() <= 80), "{text}");
    castle.ok("LEAVE", json!({"player": "bob"}));
    castle.ok("LEAVE", json!({"player": "alice"}));
    // All at once: who is not named is not there.
    arena.ok("PRESENT", json!({"players": ["alice", "bob"]}));
    assert_eq!(places(&mut watcher).len(), 3);
    assert_eq!(arena.fails("PRESENT", json!({"players": ["alice", 7]})), "not_found", "nobody is called 7");
    for wrong in [json!(["alice", true]), json!(["a b"]), json!([[]]), json!({"a": 1})] {
        assert_eq!(arena.fails("PRESENT", json!({"players": wrong})), "usage");
    }
    arena.ok("PRESENT", json!({"players": "bob"}));
    assert_eq!(places(&mut watcher), rows([("Alice", "terminal"), ("bob", "on Arena")]));
    assert_eq!(arena.fails("PRESENT", json!({"players": "alice nobody"})), "not_found");
    assert_eq!(places(&mut watcher).len(), 2, "nothing was changed");
    arena.ok("PRESENT", json!({}));
    assert_eq!(places(&mut watcher), rows([("Alice", "terminal")]));
    assert_eq!(arena.fails("ENTER", json!({"player": "nobody"})), "not_found");
    backend.ctl(&["player", "disable", "bob", "--reason", "spam"]);
    assert_eq!(arena.fails("ENTER", json!({"player": "bob"})), "denied");
}

#[test]
fn a_page_of_who_may_end_between_two_places_of_one_player() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut castle = backend.game_server("castle");
    let mut bob = backend.player("bob");
    arena.ok("ENTER", json!({"player": "bob"}));
    castle.ok("ENTER", json!({"player": "bob"}));
    let pages = bob.pages("WHO", json!({"limit": 1}));
    assert!(pages.iter().all(|page| page["players"].as_array().map(Vec::len) == Some(1)), "{pages:?}");
    let seen: Vec<&Value> = pages.iter().map(|page| &page["players"][0]["where"]).collect();
    assert_eq!(seen, ["on arena", "on castle", "client"]);
}

#[test]
fn who_is_there_outlives_the_handler_and_an_upgrade_and_ends_with_the_game_servers_connection() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut bob = backend.player("bob");
    arena.ok("ENTER", json!({"player": "bob"}));
    let there = rows([("bob", "on arena"), ("bob", "client")]);
    backend.kill_handler();
    assert_eq!(places(&mut bob), there);
    backend.ctl(&["upgrade"]);
    assert_eq!(places(&mut bob), there);
    // What is said after that still counts.
    arena.ok("LEAVE", json!({"player": "bob"}));
    backend.kill_handler();
    assert_eq!(places(&mut bob), rows([("bob", "client")]));
    arena.ok("ENTER", json!({"player": "bob"}));
    backend.see_off(arena.into_wire());
    assert_eq!(places(&mut bob), rows([("bob", "client")]));
}

fn check(server: &mut GameServer, name: &str, password: &str, address: &str) -> Value {
    server.ask("LOGIN CHECK", json!({"name": name, "password": password, "address": address}))
}

#[test]
fn a_game_server_checks_a_password_only_by_the_operators_leave() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let alice = backend.player("Alice");
    backend.see_off(alice.wire);
    let reply = check(&mut arena, "alice", "secret-of-Alice", "192.0.2.7");
    assert_eq!(reply["code"], "denied", "{reply}");
    backend.ctl(&["server", "allow", "arena", "login-check"]);
    let reply = check(&mut arena, "alice", "secret-of-Alice", "192.0.2.7");
    assert_eq!(reply["state"], "OK", "{reply}");
    assert_eq!(reply["data"]["player"], "Alice", "{reply}");
    // Nobody is anybody by it.
    assert_eq!(arena.ok("WHOAMI", json!({}))["server"], "arena");
    assert_eq!(arena.ok("WHO", json!({}))["total"], 0);
    // As LOGIN answers, and alike whether there is such a player or not.
    let wrong = check(&mut arena, "alice", "another", "192.0.2.7");
    let nobody = check(&mut arena, "nobody", "another", "192.0.2.7");
    has(&wrong, json!({"code": nobody["code"], "msg": nobody["msg"]}));
    assert_eq!(wrong["code"], "bad_login");
    assert_eq!(check(&mut arena, "alice", "secret-of-Alice", "here")["code"], "invalid");
    backend.ctl(&["player", "disable", "alice", "--reason", "spam"]);
    let reply = check(&mut arena, "alice", "secret-of-Alice", "192.0.2.7");
    assert_eq!((&reply["code"], reply["msg"].as_str().unwrap().contains("spam")), (&"denied".into(), true), "{reply}");
    // It holds over a restart of everything, until it is taken back.
    let mut backend = backend;
    let key = arena.key.clone();
    drop(arena);
    backend.restart();
    let mut arena = GameServer::with_key(&backend, "arena", key);
    backend.ctl(&["player", "enable", "alice"]);
    assert_eq!(check(&mut arena, "alice", "secret-of-Alice", "192.0.2.7")["state"], "OK");
    backend.ctl(&["server", "forbid", "arena", "login-check"]);
    assert_eq!(check(&mut arena, "alice", "secret-of-Alice", "192.0.2.7")["code"], "denied");
}

#[test]
fn what_is_tried_at_a_game_server_counts_for_the_players_address_there() {
    let backend = Backend::plan().config("players.failures = 3\n").start();
    let mut arena = backend.game_server("arena");
    backend.ctl(&["server", "allow", "arena", "login-check"]);
    drop(backend.player("alice"));
    drop(backend.player("bob"));
    for _ in 0..3 {
        assert_eq!(check(&mut arena, "alice", "wrong", "192.0.2.7")["code"], "bad_login");
    }
    let reply = check(&mut arena, "bob", "secret-of-bob", "192.0.2.7");
    assert_eq!(reply["code"], "slow_down", "{reply}");
    // Others are let in, and so are those who come to the backend itself.
    assert_eq!(check(&mut arena, "alice", "secret-of-alice", "198.51.100.7")["state"], "OK");
    backend.player_again("alice");
    // No secret of it is in the log.
    assert!(!backend.log().text().contains("secret-of-"));
}

#[test]
fn a_check_outlives_the_death_of_the_handler() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    backend.ctl(&["server", "allow", "arena", "login-check"]);
    drop(backend.player("alice"));
    let args = json!({"name": "alice", "password": "secret-of-alice", "address": "192.0.2.7"});
    let reply = arena.ask_over_death(&backend, "LOGIN CHECK", &args);
    assert_eq!(reply["data"]["player"], "alice", "{reply}");
}
