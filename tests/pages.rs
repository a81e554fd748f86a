//! Every list in pages: never more rows than asked for, and `next` leads to each of them.

use crate::harness::{Backend, Program};
use serde_json::{Value, json};

/// All rows of a list, in pages of so many rows at the most.
fn walk(program: &mut Program, cmd: &str, args: &Value, rows: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut after, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let mut args = args.clone();
        (args["limit"], args["after"]) = (limit.into(), after);
        let data = program.ok(cmd, args);
        let page = data[rows].as_array().expect("rows").clone();
        assert!(page.len() <= limit, "{cmd} by {limit}: {data}");
        all.extend(page);
        after = data["next"].clone();
        pages += 1;
        if after.is_null() {
            assert!(pages <= all.len().max(1), "{cmd} by {limit}: an empty page");
            return all;
        }
    }
}

#[test]
fn no_list_has_more_rows_than_asked_for_and_its_pages_reach_every_one() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let _others = [backend.player("zoe"), backend.player("carol")];
    // Windows of one player, in the middle and at the end of the list.
    let _windows = ["carol", "alice", "carol", "zoe", "zoe"].map(|name| backend.player_again(name));
    let mut arena = backend.game_server("arena");
    let mut servers = ["desert", "tundra"].map(|name| backend.game_server(name));
    for number in 0..3 {
        backend.board(&format!("board-{number}"));
        alice.ok("SETTING SET", json!({"key": format!("key-{number}"), "value": "x"}));
        alice.ok("MAIL SEND", json!({"to": "alice", "body": "x"}));
        arena.ok("SETTING SET", json!({"key": format!("key-{number}"), "value": "x"}));
        arena.ok("RELAY JOIN", json!({"channel": format!("channel-{number}")}));
    }
    for server in servers.iter_mut().chain([&mut arena]) {
        server.ok("STATUS SET", json!({"map": "m", "players": 0, "max": 0}));
    }
    for name in ["alice", "carol", "zoe"] {
        arena.ok("RECORD SUBMIT", json!({"board": "board-0", "score": 7, "player": name}));
    }
    let lists = [
        ("WHO", "players", json!({}), 8),
        ("RECORD BOARDS", "boards", json!({}), 3),
        ("RECORD TOP", "records", json!({"board": "board-0"}), 3),
        ("SETTING LIST", "settings", json!({}), 3),
        ("MAIL LIST", "mails", json!({}), 3),
        ("MAIL SENT", "mails", json!({}), 3),
        ("WORLDS", "worlds", json!({}), 3),
        ("RELAY CHANNELS", "channels", json!({}), 3),
    ];
    for (cmd, rows, args, count) in lists {
        let program: &mut Program = if cmd.starts_with("RELAY") { &mut arena } else { &mut alice };
        let all = walk(program, cmd, &args, rows, 100);
        assert_eq!(all.len(), count, "{cmd}");
        for limit in 1..=count {
            let mut paged = walk(program, cmd, &args, rows, limit);
            let mut all = all.clone();
            // Those go on meanwhile.
            for row in paged.iter_mut().chain(&mut all).filter(|row| !row["idle"].is_null()) {
                row["idle"] = 0.into();
            }
            assert_eq!(paged, all, "{cmd} by {limit}");
        }
    }
}

#[test]
fn who_goes_on_behind_a_window_that_is_gone_and_for_a_person_as_it_says() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let windows = [(); 3].map(|()| backend.player_again("alice"));
    let _zoe = backend.player("zoe");
    let page = alice.ok("WHO", json!({"limit": 2}));
    let next = page["next"].as_str().expect("more").to_owned();
    let [first, second, third] = windows;
    backend.see_off(first.wire);
    let names = |data: &Value| {
        let rows = data["players"].as_array().unwrap();
        rows.iter().map(|row| row["player"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&alice.ok("WHO", json!({"after": next}))), ["alice", "alice", "zoe"]);
    backend.see_off(second.wire);
    backend.see_off(third.wire);
    assert_eq!(names(&alice.ok("WHO", json!({"after": next}))), ["zoe"]);
    // A name is behind all rows of its player, whoever he is.
    for (after, there) in [("alice", 1), ("ALICE", 1), ("aaron", 2), ("zoe", 0), ("alice:x", 1), ("zoe:0", 1)] {
        assert_eq!(names(&alice.ok("WHO", json!({"after": after}))).len(), there, "{after}");
    }
    let mut person = backend.terminal();
    let _again = backend.player_again("alice");
    let shown = person.ask("WHO 1");
    let more = shown.lines().find_map(|line| line.strip_prefix("1 of 2 who are on; ")?.strip_suffix(" goes on."));
    let more = more.unwrap_or_else(|| panic!("{shown}")).to_owned();
    assert!(more.starts_with("WHO 1 AFTER alice:"), "{shown}");
    person.says(&more).sees("1 of 2 who are on; WHO 1 AFTER alice goes on.\r\n");
    person.says("WHO 1 alice").sees("zoe").sees("1 of 2 who are on; these are the last.");
    person.says("WHO AFTER alice").sees("zoe").sees_no("alice");
}
