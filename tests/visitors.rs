//! Visitors: how somebody is on without registering, what his name is worth, and how he goes into worlds, talks, and becomes a
//! player.

use crate::harness::{Backend, GameServer, Program, has, places};
use serde_json::{Value, json};

/// A backend with alice, a game server that hosts Zoo, and a visitor.
struct Scene {
    backend: Backend,
    alice: Program,
    arena: GameServer,
    zed: Program,
}

impl Scene {
    fn new() -> Scene {
        Scene::with("")
    }

    fn with(config: &str) -> Scene {
        let backend = Backend::plan().config(config).start();
        let alice = backend.player("alice");
        let mut arena = backend.game_server("arena");
        arena.hosts("zoo", &backend.world("Zoo", "alice"));
        let zed = backend.visitor("Zed");
        Scene { backend, alice, arena, zed }
    }
}

#[test]
fn a_visitor_is_on_under_his_name_and_may_do_little() {
    let mut scene = Scene::new();
    assert_eq!(scene.zed.ok("WHOAMI", json!({}))["player"], "visitor:Zed");
    assert_eq!(places(&mut scene.alice, "visitor:Zed"), ["client"]);
    let sessions = scene.backend.ctl(&["sessions", "list"])["sessions"].take();
    let who: Vec<&Value> = sessions.as_array().expect("a list").iter().map(|row| &row["who"]).collect();
    assert_eq!(who, ["alice", "arena", "visitor:Zed"]);
    let table = scene.backend.operator(&["sessions", "list"]).out;
    assert!(table.contains(" \"Zed\" ") && !table.contains("visitor:"), "{table}");
    // Nothing of his is kept.
    let kept = scene.alice.ask("MAIL SEND", json!({"to": "visitor:zed", "body": "hi"}));
    has(&kept, json!({"code": "not_found", "msg": "That is a visitor: nothing is kept for him."}));
    scene.backend.board("sprint");
    let score = json!({"board": "sprint", "player": "visitor:zed", "score": 7});
    assert_eq!(scene.arena.ask("RECORD SUBMIT", score)["msg"], kept["msg"]);
    let listed = scene.alice.ok("LIST USERS", json!({}));
    let names: Vec<&Value> = listed["rows"].as_array().expect("rows").iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["alice", "visitor:Zed"]);
    let fingered = scene.alice.ok("FINGER", json!({"player": "visitor:zed"}));
    has(&fingered, json!({"player": "visitor:Zed", "online": true}));
    assert_eq!(fingered.get("registered"), Some(&Value::Null), "he has not");
    assert!(scene.alice.ok("FINGER", json!({"player": "alice"}))["registered"].is_string());
    assert_eq!(scene.alice.fails("FINGER", json!({"player": "zed"})), "not_found", "he is no player");
    for (cmd, args) in [
        ("MAIL SEND", json!({"to": "alice", "body": "hi"})),
        ("MAIL LIST", json!({})),
        ("SETTING SET", json!({"key": "colour", "value": "red"})),
        ("RECORD SUBMIT", json!({"board": "sprint", "score": 1})),
        ("PASS", json!({"server": "arena"})),
        ("WORLD LIST", json!({})),
    ] {
        assert_eq!(scene.zed.fails(cmd, args), "not_logged_in", "{cmd}");
    }
    // Another name in the place of the first, which is free then.
    scene.zed.ok("VISITOR", json!({"name": "zoe"}));
    assert!(places(&mut scene.alice, "visitor:Zed").is_empty());
    assert_eq!(places(&mut scene.alice, "visitor:zoe"), ["client"]);
    scene.backend.visitor("zed");
    assert_eq!(scene.alice.fails("VISITOR", json!({"name": "al"})), "denied", "a player is one already");
}

#[test]
fn people_see_a_visitor_in_quotes() {
    let scene = Scene::new();
    let mut person = scene.backend.terminal();
    person.says("visitor guest-1").sees("You are \"guest-1\", a visitor");
    person.says("whoami").sees("You are \"guest-1\", a visitor, from 127.0.0.1");
    person.says("who").sees("\"Zed\"").sees("\"guest-1\"").sees("alice");
    person.says("list users").sees("\"Zed\"");
    // Who leaves out what he is is told.
    for line in ["finger zed", "tell zed Hello"] {
        person.says(line).sees("There is no player zed. There is a visitor of that name: visitor:Zed.");
    }
    person.says("finger nobody-here").sees_no("visitor");
    person.says("finger visitor:zed").sees("\"Zed\" is a visitor, on.");
    person.says("tell visitor:zed Hello").sees("Told \"Zed\".");
    let mut watcher = scene.backend.terminal();
    watcher.ask("list watch users");
    let mut mo = scene.backend.visitor("mo");
    watcher.expect("[list] users: \"mo\"");
    mo.ok("VISITOR", json!({"name": "moe"}));
    watcher.expect("gone: \"mo\"");
    let Scene { mut alice, backend: _backend, .. } = scene;
    assert_eq!(alice.ok("TELL", json!({"to": "visitor:guest-1", "body": "You there"}))["to"], "visitor:guest-1");
    person.expect("[tell] alice: You there");
}

#[test]
fn a_name_that_is_taken_or_looks_so_is_refused() {
    let mut scene = Scene::new();
    let mut other = scene.backend.program();
    // Of a player, of a game server, with other letters that look the same; of the operator; too short; none at all.
    for (name, code) in [
        ("Alice", "exists"),
        ("arena", "exists"),
        ("\u{430}lice", "exists"),
        ("operator", "invalid"),
        ("a", "invalid"),
        ("visitor:al", "invalid"),
    ] {
        assert_eq!(other.fails("VISITOR", json!({"name": name})), code, "{name}");
    }
    // A visitor's holds for players as well: who registers cannot take it while he is on.
    assert_eq!(other.fails("REGISTER", json!({"name": "zed", "password": "long-enough"})), "exists");
    assert_eq!(other.fails("REGISTER", json!({"name": "Z\u{435}d", "password": "long-enough"})), "exists");
    // He himself can.
    scene.zed.ok("REGISTER", json!({"name": "zed", "password": "long-enough"}));
    assert_eq!(other.fails("VISITOR", json!({"name": "zed"})), "exists");
}

#[test]
fn of_a_registration_and_a_visitor_of_the_same_name_at_the_same_time_one_is_refused() {
    let backend = Backend::plan().config("players.registrations_per_address = 1000\n").start();
    let (mut player, mut visitor) = (backend.program(), backend.program());
    for round in 0..60 {
        let (name, like) = (format!("paul{round}"), format!("p\u{430}ul{round}"));
        let register = json!({"cmd": "REGISTER", "args": {"name": name, "password": "long-enough"}});
        let visit = json!({"cmd": "VISITOR", "args": {"name": if round % 2 == 0 { &name } else { &like }}});
        player.send_line(register.to_string());
        let replies = [visitor.say(visit.to_string()), player.reply()];
        let refused: Vec<&Value> = replies.iter().filter(|reply| reply["state"] != "OK").collect();
        assert_eq!((refused.len(), &refused[0]["code"]), (1, &"exists".into()), "{replies:?}");
        player = backend.program();
    }
}

#[test]
fn nobody_takes_over_a_name_that_only_looks_like_his() {
    let scene = Scene::new();
    let cyrillic = "p\u{430}ul";
    let mut other = scene.backend.visitor(cyrillic);
    assert_eq!(other.fails("VISITOR", json!({"name": "paul"})), "exists", "he is called that already");
    scene.backend.see_off(other.wire);
    let mut paul = scene.backend.program();
    // From the same address, while the name is kept.
    assert_eq!(paul.fails("VISITOR", json!({"name": "paul"})), "exists");
    assert_eq!(paul.fails("REGISTER", json!({"name": "paul", "password": "long-enough"})), "exists");
    assert_eq!(paul.ok("VISITOR", json!({"name": cyrillic}))["visitor"], format!("visitor:{cyrillic}"));
    // A game server gets neither.
    for name in ["paul", "zed"] {
        assert_eq!(scene.backend.ctl_fails(&["server", "add", name]), "exists", "{name}");
    }
}

#[test]
fn the_operator_lets_no_visitors_in_or_lets_them_not_talk() {
    let mut scene = Scene::with("worlds.visitors_talk = false\n");
    assert_eq!(scene.zed.fails("TELL", json!({"to": "alice", "body": "hi"})), "denied");
    scene.alice.ok("TELL", json!({"to": "visitor:zed", "body": "hi"}));
    assert_eq!(scene.zed.expect_event("tell")["body"], "hi");
    scene.backend.ctl(&["universe", "set", "registration", "closed"]);
    let refused = scene.zed.ask("TELL", json!({"to": "alice", "body": "hi"}));
    assert!(!refused["msg"].as_str().expect("a sentence").contains("REGISTER"), "{refused}");
    let mut nobody = scene.backend.program();
    assert_eq!(nobody.fails("TELL", json!({"to": "alice", "body": "hi"})), "not_logged_in");
    let closed = Backend::plan().config("worlds.visitors = false\n").start();
    let mut nobody = closed.program();
    let refused = nobody.ask("VISITOR", json!({"name": "zed"}));
    assert_eq!(refused["code"], "no_visitors");
    assert_eq!(refused["msg"], "Visitors are not let in here. REGISTER makes you a player.");
    closed.ctl(&["universe", "set", "registration", "closed"]);
    let refused = nobody.ask("VISITOR", json!({"name": "zed"}));
    assert!(!refused["msg"].as_str().expect("a sentence").contains("REGISTER"), "{refused}");
}

#[test]
fn a_visitor_goes_into_a_world_and_is_reached_there() {
    let mut scene = Scene::new();
    let mut nobody = scene.backend.program();
    assert_eq!(nobody.fails("WORLD ENTER", json!({"world": "zoo"})), "not_logged_in");
    let entered = scene.zed.ok("WORLD ENTER", json!({"world": "zoo", "language": "en"}));
    let told = scene.arena.ok("PASS REDEEM", json!({"pass": entered["pass"], "world": "zoo"}));
    has(&told, json!({"player": "visitor:Zed", "kind": "visitor", "rights": [], "language": "en"}));
    assert_eq!(scene.arena.fails("ENTER", json!({"player": "visitor:nemo", "world": "zoo"})), "not_found");
    scene.arena.ok("ENTER", json!({"player": "visitor:zed", "world": "zoo"}));
    assert_eq!(places(&mut scene.alice, "visitor:Zed"), ["client", "on Zoo"]);
    // By his connection as long as he has one, then by the world, once, also over a death of the handler.
    scene.alice.ok("TELL", json!({"to": "visitor:zed", "body": "one"}));
    assert_eq!(scene.zed.expect_event("tell")["from"], "alice");
    scene.zed.closes(&scene.backend);
    scene.backend.kill_handler();
    scene.alice.ok("TELL", json!({"to": "visitor:zed", "body": "two"}));
    let heard = scene.arena.expect_event("tell");
    has(&heard, json!({"to": "visitor:Zed", "world": "Zoo", "body": "two"}));
    scene.arena.expect_no_event("tell");
    // He is on as long as he is there.
    assert_eq!(scene.alice.ok("FINGER", json!({"player": "visitor:zed"}))["worlds"], json!(["Zoo"]));
    scene.arena.ok("LEAVE", json!({"player": "visitor:zed", "world": "zoo"}));
    assert_eq!(scene.alice.fails("TELL", json!({"to": "visitor:zed", "body": "three"})), "not_found");
}

#[test]
fn a_world_that_takes_no_visitors_refuses_them() {
    let mut scene = Scene::new();
    scene.backend.ctl(&["world", "change", "zoo", "--no-visitors"]);
    let refused = scene.zed.ask("WORLD ENTER", json!({"world": "zoo"}));
    has(&refused, json!({"code": "no_visitors", "msg": "Zoo lets no visitors in. REGISTER makes you a player."}));
    scene.alice.ok("WORLD ENTER", json!({"world": "zoo"}));
    // Where it is not the world's doing, the world is not named.
    scene.backend.ctl(&["world", "change", "zoo", "--visitors"]);
    scene.backend.ctl(&["universe", "set", "visitors", "no"]);
    let refused = scene.zed.ask("WORLD ENTER", json!({"world": "zoo"}));
    has(&refused, json!({"code": "no_visitors", "msg": "Visitors are not let in here. REGISTER makes you a player."}));
}

#[test]
fn a_visitor_who_registers_stays_where_he_is() {
    let mut scene = Scene::new();
    scene.arena.lets_in(&mut scene.zed, "zoo");
    scene.zed.ok("REGISTER", json!({"name": "Zora", "password": "long-enough"}));
    let event = scene.arena.expect_event("guest_registered");
    has(&event, json!({"visitor": "visitor:Zed", "player": "Zora", "world": "Zoo"}));
    assert!(event["number"].is_u64());
    assert_eq!(places(&mut scene.alice, "Zora"), ["client", "on Zoo"]);
    assert!(places(&mut scene.alice, "visitor:Zed").is_empty());
    // It holds over a death of the handler, and what is for him comes there under his name.
    scene.backend.kill_handler();
    assert_eq!(places(&mut scene.alice, "Zora"), ["client", "on Zoo"]);
    scene.zed.closes(&scene.backend);
    scene.alice.ok("TELL", json!({"to": "zora", "body": "hi"}));
    assert_eq!(scene.arena.expect_event("tell")["to"], "Zora");
    scene.backend.visitor("zed");
}

#[test]
fn a_visitor_keeps_his_name_over_a_broken_connection() {
    let mut scene = Scene::new();
    scene.zed.closes(&scene.backend);
    scene.backend.kill_handler();
    // It is kept for him, and he comes back by his address.
    let mut again = scene.backend.visitor("Zed");
    // As he was called before.
    let mut third = scene.backend.program();
    assert_eq!(third.ok("VISITOR", json!({"name": "ZED"}))["visitor"], "visitor:Zed");
    assert_eq!(again.expect_event("taken_over")["msg"], "You are on by another connection now.");
    assert_eq!(again.ok("WHOAMI", json!({}))["player"], json!(null));
    assert_eq!(places(&mut scene.alice, "visitor:Zed"), ["client"]);
    // A visitor lives through the death of the handler, and of all that he is nothing is on the disk.
    scene.backend.kill_handler();
    assert_eq!(third.ok("WHOAMI", json!({}))["player"], "visitor:Zed");
    scene.alice.ok("TELL", json!({"to": "visitor:zed", "body": "hi"}));
    assert_eq!(third.expect_event("tell")["body"], "hi");
}

#[test]
fn a_visitor_is_nothing_any_more_when_he_logs_in_or_changes_the_mode() {
    let mut scene = Scene::new();
    scene.zed.login("alice");
    assert!(places(&mut scene.alice, "visitor:Zed").is_empty());
    let mut other = scene.backend.visitor("zed");
    assert_eq!(other.say(r#"{"cmd": "MODE", "args": "SERVER"}"#)["state"], "OK");
    // What comes behind that waits until the handler knows.
    assert_eq!(other.fails("HW", json!({})), "not_logged_in");
    assert!(places(&mut scene.alice, "visitor:zed").is_empty());
}

#[test]
fn every_step_of_the_way_in_outlives_the_handler() {
    let Scene { backend, mut alice, mut arena, .. } = Scene::new();
    let done = |program: &mut Program, cmd: &str, args: Value| {
        let reply = program.ask_over_death(&backend, cmd, &args);
        assert_eq!(reply["state"], "OK", "{cmd}: {reply}");
        reply["data"].clone()
    };
    let password = backend.world("Mars", "alice");
    let started = done(&mut arena, "HOST START", json!({"world": "mars", "password": password, "port": 7778}));
    assert_eq!(started["resumed"], false, "{started}");
    done(&mut arena, "HOST SAY", json!({"world": "mars", "users": 1, "closings": true}));
    let mut mo = backend.program();
    assert_eq!(done(&mut mo, "VISITOR", json!({"name": "mo"}))["visitor"], "visitor:mo");
    let entered = done(&mut mo, "WORLD ENTER", json!({"world": "mars"}));
    let told = done(&mut arena, "PASS REDEEM", json!({"pass": entered["pass"], "world": "mars"}));
    has(&told, json!({"player": "visitor:mo", "kind": "visitor"}));
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": entered["pass"], "world": "mars"})), "used");
    done(&mut arena, "ENTER", json!({"player": "visitor:mo", "world": "mars"}));
    assert_eq!(places(&mut alice, "visitor:mo"), ["client", "on Mars"]);
    done(&mut alice, "TELL", json!({"to": "visitor:mo", "body": "hi"}));
    assert_eq!(mo.expect_event("tell")["body"], "hi");
    mo.expect_no_event("tell");
    done(&mut mo, "REGISTER", json!({"name": "Mona", "password": "long-enough"}));
    assert_eq!(arena.expect_event("guest_registered")["player"], "Mona");
    arena.expect_no_event("guest_registered");
    assert_eq!(places(&mut alice, "Mona"), ["client", "on Mars"]);
    done(&mut arena, "LEAVE", json!({"player": "mona", "world": "mars"}));
    assert_eq!(places(&mut alice, "Mona"), ["client"]);
    done(&mut arena, "HOST STOP", json!({"world": "mars"}));
    assert_eq!(mo.fails("WORLD ENTER", json!({"world": "mars"})), "not_running");
}
