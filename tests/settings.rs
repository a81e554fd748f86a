//! Settings: versions, conflicts, who may read.

use crate::harness::{Backend, Program};
use serde_json::{Value, json};

#[test]
fn versions_count_on() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    for version in 1..=3 {
        let data = alice.ok("SETTING SET", json!({"key": "colour", "value": format!("v{version}")}));
        assert_eq!(data["version"], version);
    }
    alice.ok("SETTING DELETE", json!({"key": "colour"}));
    assert_eq!(alice.fails("SETTING GET", json!({"key": "colour"})), "not_found");
    assert_eq!(alice.fails("SETTING DELETE", json!({"key": "colour"})), "not_found");
    // A version is never given twice, or somebody who has not seen the deletion would overwrite.
    let version = alice.ok("SETTING SET", json!({"key": "colour", "value": "new"}))["version"].as_u64();
    assert!(version > Some(3), "{version:?}");
    backend.restart();
    let mut alice = backend.player_again("alice");
    let data = alice.ok("SETTING GET", json!({"key": "colour"}));
    assert_eq!((&data["value"], data["version"].as_u64()), (&"new".into(), version));
}

#[test]
fn another_who_wrote_in_between_is_not_overwritten() {
    let backend = Backend::start();
    let mut one = backend.player("alice");
    let mut two = backend.player_again("alice");
    let set = |version: u64, value: &str| json!({"key": "k", "value": value, "version": version});
    let conflict = |reply: Value, version: u64| {
        assert_eq!(reply["code"], "conflict", "{reply}");
        assert_eq!(reply["data"]["version"], version, "{reply}");
    };
    conflict(one.ask("SETTING SET", set(1, "a")), 0);
    assert_eq!(one.ok("SETTING SET", set(0, "a"))["version"], 1);
    conflict(two.ask("SETTING SET", set(0, "b")), 1);
    assert_eq!(two.ok("SETTING SET", set(1, "b"))["version"], 2);
    conflict(one.ask("SETTING SET", set(1, "c")), 2);
    conflict(one.ask("SETTING DELETE", json!({"key": "k", "version": 1})), 2);
    assert_eq!(one.ok("SETTING GET", json!({"key": "k"}))["value"], "b");
    one.ok("SETTING DELETE", json!({"key": "k", "version": 2}));
    conflict(two.ask("SETTING SET", set(2, "d")), 0);
}

#[test]
fn of_many_who_write_at_once_one_wins() {
    let backend = Backend::start();
    let mut all = vec![backend.player("alice")];
    all.extend((0..7).map(|_| backend.player_again("alice")));
    for round in 0..10 {
        for program in &mut all {
            let args = json!({"key": "k", "value": "v", "version": round});
            program.send_line(json!({"cmd": "SETTING SET", "args": args}).to_string());
        }
        let won = all.iter_mut().map(Program::reply).filter(|reply| reply["state"] == "OK").count();
        assert_eq!(won, 1, "round {round}");
    }
}

#[test]
fn others_read_what_is_public() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let mut arena = backend.game_server("arena");
    let mut stranger = backend.program();
    alice.ok("SETTING SET", json!({"key": "hidden", "value": "1"}));
    alice.ok("SETTING SET", json!({"key": "shown", "value": "2", "public": true}));
    arena.ok("SETTING SET", json!({"key": "motd", "value": "3", "public": true}));
    for reader in [&mut bob, &mut stranger, &mut *arena] {
        assert_eq!(reader.fails("SETTING GET", json!({"key": "hidden", "of": "alice"})), "not_found");
        assert_eq!(reader.fails("SETTING GET", json!({"key": "missing", "of": "alice"})), "not_found");
        assert_eq!(reader.ok("SETTING GET", json!({"key": "shown", "of": "ALICE"}))["value"], "2");
        assert_eq!(reader.ok("SETTING GET", json!({"key": "motd", "of": "server:Arena"}))["of"], "server:arena");
    }
    assert_eq!(alice.ok("SETTING GET", json!({"key": "hidden", "of": "alice"}))["value"], "1");
    assert_eq!(stranger.fails("SETTING GET", json!({"key": "shown"})), "not_logged_in");
    // It stays public when the next write does not say.
    assert_eq!(alice.ok("SETTING SET", json!({"key": "shown", "value": "4"}))["public"], true);
    assert_eq!(alice.ok("SETTING SET", json!({"key": "shown", "value": "5", "public": false}))["public"], false);
    assert_eq!(bob.fails("SETTING GET", json!({"key": "shown", "of": "alice"})), "not_found");
    // What was deleted does not come back in public.
    alice.ok("SETTING SET", json!({"key": "shown", "value": "6", "public": true}));
    alice.ok("SETTING DELETE", json!({"key": "shown"}));
    assert_eq!(alice.ok("SETTING SET", json!({"key": "shown", "value": "7"}))["public"], false);
}

#[test]
fn a_player_and_a_server_of_the_same_number_are_two() {
    let backend = Backend::start();
    // Each is the first of its kind.
    let mut player = backend.player("alice");
    let mut server = backend.game_server("arena");
    player.ok("SETTING SET", json!({"key": "k", "value": "player", "public": true}));
    server.ok("SETTING SET", json!({"key": "k", "value": "server", "public": true}));
    assert_eq!(server.ok("SETTING GET", json!({"key": "k"}))["value"], "server");
    assert_eq!(server.ok("SETTING GET", json!({"key": "k", "of": "alice"}))["value"], "player");
    assert_eq!(player.ok("SETTING GET", json!({"key": "k", "of": "server:arena"}))["value"], "server");
}

#[test]
fn bounds() {
    let backend = Backend::plan().config("settings.keys_per_owner = 3\nlimits.line = 32768\n").start();
    let mut alice = backend.player("alice");
    alice.ok("SETTING SET", json!({"key": "k".repeat(64), "value": "x".repeat(8192)}));
    // An empty word counts as left out.
    assert_eq!(alice.fails("SETTING SET", json!({"key": "", "value": "v"})), "usage");
    for key in ["a b", "a\nb", &"k".repeat(65)] {
        assert_eq!(alice.fails("SETTING SET", json!({"key": key, "value": "v"})), "invalid", "{key:?}");
    }
    assert_eq!(alice.fails("SETTING SET", json!({"key": "b", "value": "x".repeat(8193)})), "too_long");
    let value = "\u{0}\u{1b}\r\n\"\\ é 日本 \u{1f600}";
    alice.ok("SETTING SET", json!({"key": "b", "value": value}));
    assert_eq!(alice.ok("SETTING GET", json!({"key": "b"}))["value"], value);
    alice.ok("SETTING SET", json!({"key": "c", "value": ""}));
    assert_eq!(alice.ok("SETTING GET", json!({"key": "c"}))["value"], "");
    assert_eq!(alice.fails("SETTING SET", json!({"key": "d", "value": "v"})), "limit");
    alice.ok("SETTING SET", json!({"key": "c", "value": "again"}));
    alice.ok("SETTING DELETE", json!({"key": "b"}));
    alice.ok("SETTING SET", json!({"key": "d", "value": "v"}));
    let page = alice.ok("SETTING LIST", json!({"limit": 2}));
    let rest = alice.ok("SETTING LIST", json!({"limit": 2, "after": page["next"]}));
    let keys = |page: &Value| page["settings"].as_array().unwrap().len();
    assert_eq!((keys(&page), keys(&rest), &rest["next"]), (2, 1, &Value::Null));
}

#[test]
fn a_game_server_sets_values_of_the_full_length_without_further_ado() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    arena.ok("SETTING SET", json!({"key": "k", "value": "x".repeat(8192)}));
}

#[test]
fn in_words() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    alice.says("SETTING SET colour PUBLIC dark red").sees("public");
    alice.says("SETTING GET colour").sees("dark red");
    // The value is the rest of the line, whatever it says.
    alice.says("SETTING SET colour blue IF VERSION 7").sees("colour");
    alice.says("SETTING GET colour").sees("blue IF VERSION 7");
    alice.says("SETTING SET colour IF VERSION 7 blue").sees("ERROR");
    alice.says("SETTING SET colour PRIVATE \"light\" blue").sees("private");
    alice.says("SETTING GET colour").sees("  \"light\" blue");
    alice.says("SETTING LIST").sees("colour");
    let mut bob = backend.person("bob");
    bob.says("SETTING GET colour OF alice").sees("ERROR");
}
