//! The list of worlds.

use crate::harness::{Backend, GameServer, Process, Program, has};
use serde_json::{Value, json};

fn names(program: &mut Program) -> Vec<String> {
    let data = program.ok("WORLDS", json!({}));
    data["worlds"].as_array().unwrap().iter().map(|world| world["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_world_is_there_as_long_as_its_server() {
    let backend = Backend::start();
    let mut program = backend.program();
    assert!(names(&mut program).is_empty());
    let mut arena = backend.game_server("Arena");
    assert!(names(&mut program).is_empty(), "it has not opted in");
    arena.ok("STATUS SET", json!({"map": "harbour", "players": 3, "max": 16}));
    let data = program.ok("WORLDS", json!({}));
    let world = &data["worlds"][0];
    has(world, json!({"name": "Arena", "map": "harbour", "players": 3, "max": 16}));
    assert!(world["address"].as_str().is_some_and(|address| address.starts_with("127.0.0.1")), "{world}");
    arena.ok(
        "STATUS SET",
        json!({"map": "dunes", "players": 4, "max": 16, "text": "hi", "address": "play.example:27015"}),
    );
    let data = program.ok("WORLDS", json!({}));
    assert_eq!(data["total"], 1);
    assert_eq!(data["worlds"][0]["address"], "play.example:27015");
    arena.ok("STATUS CLEAR", json!({}));
    assert!(names(&mut program).is_empty());
    arena.ok("STATUS CLEAR", json!({}));
    arena.ok("STATUS SET", json!({"map": "dunes", "players": 4, "max": 16}));
    backend.see_off(arena.into_wire());
    assert!(names(&mut program).is_empty());
}

#[test]
fn one_connection_of_a_server_does_not_end_the_entry_of_another() {
    let backend = Backend::start();
    let mut old = backend.game_server("arena");
    old.ok("STATUS SET", json!({"map": "old", "players": 1, "max": 2}));
    let mut new = old.again(&backend);
    new.ok("STATUS SET", json!({"map": "new", "players": 1, "max": 2}));
    let mut program = backend.program();
    backend.see_off(old.into_wire());
    assert_eq!(program.ok("WORLDS", json!({}))["worlds"][0]["map"], "new");
}

/// What is shown of the one world.
fn map(program: &mut Program) -> Value {
    let data = program.ok("WORLDS", json!({}));
    assert_eq!((&data["total"], data["worlds"].as_array().map(Vec::len)), (&1.into(), Some(1)), "{data}");
    data["worlds"][0]["map"].clone()
}

fn say(server: &mut GameServer, map: &str) {
    server.ok("STATUS SET", json!({"map": map, "players": 1, "max": 2}));
}

#[test]
fn when_the_newest_connection_of_a_server_closes_what_another_one_said_is_shown_again() {
    let backend = Backend::start();
    let mut old = backend.game_server("arena");
    say(&mut old, "old");
    let mut new = old.again(&backend);
    say(&mut new, "new");
    let mut program = backend.program();
    assert_eq!(map(&mut program), "new");
    backend.see_off(new.into_wire());
    assert_eq!(map(&mut program), "old");
    // One that has become something else takes its word along, too.
    let mut newer = old.again(&backend);
    say(&mut newer, "newer");
    newer.ok("MODE", json!({"mode": "CLIENT"}));
    assert_eq!(map(&mut program), "old");
    backend.see_off(old.into_wire());
    assert!(names(&mut program).is_empty());
}

#[test]
fn status_clear_takes_back_what_its_own_connection_said_and_no_more() {
    let backend = Backend::start();
    let mut first = backend.game_server("arena");
    let mut servers = [(); 2].map(|()| first.again(&backend));
    let mut program = backend.program();
    say(&mut first, "first");
    servers[0].ok("STATUS CLEAR", json!({}));
    assert_eq!(map(&mut program), "first", "it has said nothing itself");
    say(&mut servers[0], "second");
    say(&mut servers[1], "third");
    say(&mut first, "first again");
    assert_eq!(map(&mut program), "first again");
    first.ok("STATUS CLEAR", json!({}));
    assert_eq!(map(&mut program), "third");
    servers[0].ok("STATUS CLEAR", json!({}));
    assert_eq!(map(&mut program), "third");
    servers[1].ok("STATUS CLEAR", json!({}));
    assert!(names(&mut program).is_empty());
}

#[test]
fn which_word_is_the_newest_outlives_the_handler() {
    let backend = Backend::start();
    let mut old = backend.game_server("arena");
    let mut new = old.again(&backend);
    say(&mut new, "first");
    say(&mut old, "old");
    say(&mut new, "new");
    let mut program = backend.program();
    backend.kill_handler();
    assert_eq!(map(&mut program), "new");
    new.ok("STATUS CLEAR", json!({}));
    assert_eq!(map(&mut program), "old");
    say(&mut new, "new again");
    backend.kill_handler();
    assert_eq!(map(&mut program), "new again");
    backend.see_off(new.into_wire());
    assert_eq!(map(&mut program), "old");
}

#[test]
fn for_a_person_it_is_a_table() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    let nothing = person.ask("WORLDS");
    assert!(!nothing.is_empty() && !nothing.contains("ERROR"), "{nothing}");
    let mut arena = backend.game_server("arena");
    arena.ok("STATUS SET", json!({"map": "\u{1b}[31mred", "players": 3, "max": 16, "text": "line\nbreak\u{7}"}));
    let text = person.ask("WORLDS");
    assert!(text.contains("arena") && text.contains("3/16"), "{text}");
    assert!(!text.contains(|c: char| c.is_control() && c != '\r' && c != '\n'), "{text:?}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| line.len() <= 80), "{text}");
}

/// A text of this name may have so many bytes, and what is refused with one more says so.
fn has_at_most(name: &str, called: &str, most: usize) {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut said = json!({"map": "m", "players": 0, "max": 1});
    said[name] = "x".repeat(most).into();
    arena.ok("STATUS SET", said.clone());
    said[name] = "x".repeat(most + 1).into();
    let refused = arena.ask("STATUS SET", said);
    let msg = format!("{called} has at most {most} bytes; this one has {}. Give a shorter one.", most + 1);
    has(&refused, json!({"code": "too_long", "msg": msg}));
}

#[test]
fn a_map_that_is_too_long_is_refused_and_told_how_long_it_may_be() {
    has_at_most("map", "A map", 128);
}

#[test]
fn an_address_that_is_too_long_is_refused_and_told_how_long_it_may_be() {
    has_at_most("address", "An address", 255);
}

#[test]
fn a_text_that_is_too_long_is_refused_and_told_how_long_it_may_be() {
    has_at_most("text", "A text", 1024);
}

#[test]
fn bounds_and_pages() {
    let backend = Backend::start();
    let mut servers: Vec<GameServer> = (0..3).map(|n| backend.game_server(&format!("world-{n}"))).collect();
    for server in &mut servers {
        server.ok("STATUS SET", json!({"map": "m", "players": 0, "max": 0}));
    }
    let arena = &mut servers[0];
    for (players, code) in
        [(json!(-1), "invalid"), (json!("x"), "usage"), (json!(1u64 << 40), "invalid"), (json!(1.5), "usage")]
    {
        let said = json!({"map": "m", "players": players, "max": 1});
        assert_eq!(arena.fails("STATUS SET", said), code, "{players}");
    }
    let mut program = backend.program();
    let page = program.ok("WORLDS", json!({"limit": 2}));
    assert_eq!(page["total"], 3);
    assert_eq!(page["worlds"][1]["name"], "world-1");
    let page = program.ok("WORLDS", json!({"limit": 2, "after": page["next"]}));
    assert_eq!(page["worlds"][0]["name"], "world-2");
    assert_eq!(page["next"], Value::Null);
}

#[test]
fn a_server_that_says_how_it_is_for_years_costs_the_room_of_its_last_word() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let said = |n: u32| json!({"map": "m", "players": n, "max": 9, "text": "t".repeat(1000)});
    // Some 20 MiB of them.
    for burst in 0..200 {
        for n in 0..100 {
            arena.send_line(json!({"cmd": "STATUS SET", "args": said(burst * 100 + n)}).to_string());
        }
        for _ in 0..100 {
            assert_eq!(arena.reply()["state"], "OK");
        }
    }
    let journal = Process(backend.pid()).memory_behind("journal");
    assert!(journal < 6 << 20, "{journal} bytes");
    // Neither is it forgotten.
    backend.kill_handler();
    let world = backend.program().ok("WORLDS", json!({}))["worlds"][0].clone();
    has(&world, json!({"name": "arena", "players": 19_999}));
}
