//! Which names there can be, and when two of them are the same.

use crate::harness::{Backend, Program};
use serde_json::json;

fn register(program: &mut Program, name: &str) -> serde_json::Value {
    program.ask("REGISTER", json!({"name": name, "password": "correct-horse"}))
}

#[test]
fn what_is_a_name() {
    let backend = Backend::start();
    let mut program = backend.program();
    for name in ["al", "b2", "x-y_z.w", "Zoë", "日本語", "Пётр", "12345678901234567890"] {
        let reply = register(&mut program, name);
        assert_eq!(reply["state"], "OK", "{name}: {reply}");
    }
    // An empty word counts as left out.
    assert_eq!(register(&mut program, "")["code"], "usage");
    let bad = [
        "0",
        "a",
        "a b",
        "a\tb",
        "a\u{0}b",
        "-ab",
        ".ab",
        "_ab",
        "a@b",
        "a/b",
        "a:b",
        "server:x",
        "a\u{301}\u{301}\u{301}",
        "123456789012345678901",
        "al\u{200b}ice",
        "al\u{202e}ice",
        "\u{1b}[31m",
        "a\u{ad}b",
        "a*b",
        "a\"b",
    ];
    for name in bad {
        let reply = register(&mut program, name);
        assert_eq!(reply["code"], "invalid", "{name:?}: {reply}");
    }
}

#[test]
fn the_case_makes_no_difference() {
    let backend = Backend::start();
    let mut program = backend.program();
    for (name, same) in [("Alice", "ALICE"), ("Zoë", "zoË"), ("Пётр", "ПЁТР"), ("Straße", "straße")] {
        assert_eq!(register(&mut program, name)["state"], "OK", "{name}");
        assert_eq!(register(&mut program, same)["code"], "exists", "{same}");
        let data = program.ok("LOGIN", json!({"name": same, "password": "correct-horse"}));
        assert_eq!(data["player"], name);
        assert_eq!(program.ok("FINGER", json!({"player": same}))["player"], name);
    }
}

#[test]
fn composed_and_decomposed_letters_are_the_same() {
    let backend = Backend::start();
    let mut program = backend.program();
    assert_eq!(register(&mut program, "Zo\u{eb}")["state"], "OK");
    // The dots alone are no letter; who types them behind one is understood all the same.
    assert_eq!(register(&mut program, "Zoe\u{308}")["code"], "invalid");
    let data = program.ok("LOGIN", json!({"name": "Zoe\u{308}", "password": "correct-horse"}));
    assert_eq!(data["player"], "Zo\u{eb}");
}

#[test]
fn letters_that_look_alike_do_not_make_another_name() {
    let backend = Backend::start();
    let mut program = backend.program();
    let pairs = [
        ("alice", "\u{430}lice"),
        ("scope", "\u{455}\u{441}\u{43e}\u{440}\u{435}"),
        ("paypal", "paypa1"),
        ("mario", "rnario"),
        ("Bob", "\u{412}ob"),
    ];
    for (name, alike) in pairs {
        assert_eq!(register(&mut program, name)["state"], "OK", "{name}");
        assert_eq!(register(&mut program, alike)["code"], "exists", "{alike}");
        // And it is no way to log in either.
        let login = json!({"name": alike, "password": "correct-horse"});
        assert_eq!(program.fails("LOGIN", login), "bad_login", "{alike}");
    }
    // Wide letters are the same letters, as a keyboard for Japanese types them.
    let wide = "\u{ff46}\u{ff55}\u{ff4c}\u{ff4c}";
    assert_eq!(register(&mut program, "full")["state"], "OK");
    assert_eq!(register(&mut program, wide)["code"], "exists");
    assert_eq!(program.ok("LOGIN", json!({"name": wide, "password": "correct-horse"}))["player"], "full");
}

#[test]
fn nobody_is_called_like_a_game_server_nor_with_what_looks_like_a_colon() {
    let backend = Backend::start();
    backend.ctl(&["server", "add", "Arena"]);
    let mut program = backend.program();
    for name in ["arena", "ARENA", "\u{430}rena"] {
        assert_eq!(register(&mut program, name)["code"], "exists", "{name}");
    }
    for colon in ["\u{2d0}", "\u{a4fd}", "\u{903}", "\u{a83}"] {
        assert_eq!(register(&mut program, &format!("server{colon}arena"))["code"], "invalid", "{colon}");
    }
    assert_eq!(register(&mut program, "castle")["state"], "OK");
    for name in ["castle", "CASTLE", "cast1e"] {
        assert_eq!(backend.ctl_fails(&["server", "add", name]), "exists", "{name}");
    }
    assert_eq!(backend.ctl_fails(&["server", "add", "arena"]), "exists");
    backend.ctl(&["server", "add", "desert"]);
}

#[test]
fn reserved_words_are_nobodys_name_but_who_has_one_keeps_it() {
    let mut backend = Backend::plan().config("players.reserved_names = \"\"\n").start();
    let mut program = backend.program();
    assert_eq!(register(&mut program, "admin")["state"], "OK");
    let key = backend.ctl(&["server", "add", "operator"])["key"].clone();
    drop(program);
    backend.stop();
    backend.write_config("");
    backend.start_again();
    let mut program = backend.program();
    for name in ["Backend", "ADMlN", "nu11", "S\u{435}rver", "n0body", "SYSTEM"] {
        assert_eq!(register(&mut program, name)["code"], "invalid", "{name}");
    }
    for name in ["server", "Nobody", "nu11"] {
        assert_eq!(backend.ctl_fails(&["server", "add", name]), "invalid", "{name}");
    }
    program.ok("LOGIN", json!({"name": "admin", "password": "correct-horse"}));
    Program::in_mode(backend.at(), "SERVER").ok("AUTH", json!({"name": "operator", "key": key}));
    backend.ctl(&["server", "rotate-key", "operator"]);
}

#[test]
fn look_alikes_at_the_same_moment() {
    let backend = Backend::start();
    let mut programs: Vec<Program> = (0..6).map(|_| backend.program()).collect();
    for (program, name) in programs.iter_mut().zip(["alice", "\u{430}lice"].iter().cycle()) {
        program.send_line(json!({"cmd": "REGISTER", "args": {"name": name, "password": "correct-horse"}}).to_string());
    }
    let states: Vec<bool> = programs.iter_mut().map(|program| program.reply()["state"] == "OK").collect();
    assert_eq!(states.iter().filter(|ok| **ok).count(), 1, "{states:?}");
}

#[test]
fn names_of_boards_servers_and_channels() {
    let backend = Backend::start();
    for bad in ["", "a b", "ä", "a/b", &"x".repeat(65)] {
        let words = ["board", "define", bad, "--unit", "ms", "--better", "lower"];
        assert_eq!(backend.ctl_fails(&words), "invalid", "{bad:?}");
        assert_eq!(backend.ctl_fails(&["server", "add", bad]), "invalid", "{bad:?}");
    }
    backend.ctl(&["server", "add", "Arena"]);
    assert_eq!(backend.ctl_fails(&["server", "add", "arena"]), "exists");
    backend.board("Sprint");
    backend.board("sprint");
    assert_eq!(backend.ctl(&["board", "list"])["boards"].as_array().map(Vec::len), Some(1));
}
