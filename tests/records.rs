//! Boards: what counts, who may submit, ranks and pages.

use crate::harness::{Backend, GameServer, Program, has};
use serde_json::{Value, json};

fn define(backend: &Backend, name: &str, better: &str, operator: &str) {
    let words = ["--unit", "points", "--better", better, "--operator", operator, "--submit", "players"];
    backend.ctl(&[&["board", "define", name][..], &words].concat());
}

fn submit(program: &mut Program, board: &str, score: i64) -> Value {
    program.ok("RECORD SUBMIT", json!({"board": board, "score": score}))
}

#[test]
fn what_a_further_score_does() {
    let backend = Backend::start();
    for operator in ["best", "last", "sum", "count"] {
        define(&backend, operator, "higher", operator);
    }
    define(&backend, "fast", "lower", "best");
    let mut alice = backend.player("alice");
    for (board, expected) in [("best", 10), ("last", 5), ("sum", 18), ("count", 3), ("fast", 3)] {
        for score in [10, 3, 5] {
            submit(&mut alice, board, score);
        }
        let data = alice.ok("RECORD SHOW", json!({"board": board}));
        has(&data, json!({"score": expected, "rank": 1, "total": 1}));
    }
    let data = submit(&mut alice, "best", 7);
    has(&data, json!({"improved": false, "score": 10}));
}

#[test]
fn scores_are_64_bit_integers() {
    let backend = Backend::start();
    define(&backend, "best", "higher", "best");
    define(&backend, "sum", "higher", "sum");
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    assert_eq!(submit(&mut alice, "best", i64::MIN)["score"], i64::MIN);
    assert_eq!(submit(&mut alice, "best", i64::MAX)["score"], i64::MAX);
    assert_eq!(submit(&mut bob, "best", i64::MAX - 1)["rank"], 2);
    let asked = json!({"board": "best", "score": "-7"});
    assert_eq!(backend.player("carol").ok("RECORD SUBMIT", asked)["score"], -7);
    for (bad, code) in [
        (json!(1.5), "usage"),
        (json!("9223372036854775808"), "invalid"),
        (json!(9223372036854775808u64), "invalid"),
        (json!("x"), "usage"),
        (json!(true), "usage"),
    ] {
        assert_eq!(alice.fails("RECORD SUBMIT", json!({"board": "best", "score": bad})), code, "{bad}");
    }
}

#[test]
fn a_sum_that_has_no_room_is_refused_at_both_ends_and_the_next_step_back_is_right() {
    let backend = Backend::start();
    define(&backend, "sum", "higher", "sum");
    for (name, edge, beyond) in [("alice", i64::MAX, 1), ("bob", i64::MIN, -1)] {
        let mut player = backend.player(name);
        submit(&mut player, "sum", edge);
        for more in [beyond, edge] {
            let reply = player.ask("RECORD SUBMIT", json!({"board": "sum", "score": more}));
            let msg = format!("{edge} stands on sum; with {more} more it would leave 64 bits. Nothing was changed.");
            has(&reply, json!({"code": "limit", "msg": msg}));
        }
        assert_eq!(player.ok("RECORD SHOW", json!({"board": "sum"}))["score"], edge);
        assert_eq!(submit(&mut player, "sum", -beyond)["score"], edge - beyond);
    }
}

#[test]
fn of_equal_scores_the_earlier_one_ranks_first() {
    let mut backend = Backend::start();
    define(&backend, "points", "higher", "best");
    for name in ["first", "second", "third"] {
        submit(&mut backend.player(name), "points", 50);
    }
    // The same again does not make it later.
    submit(&mut backend.player_again("first"), "points", 50);
    let order = |backend: &Backend| -> Vec<String> {
        let data = backend.program().ok("RECORD TOP", json!({"board": "points"}));
        data["records"].as_array().unwrap().iter().map(|row| row["player"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(order(&backend), ["first", "second", "third"]);
    backend.restart();
    assert_eq!(order(&backend), ["first", "second", "third"]);
}

/// A board with players p01 to p25, whose scores are 1 to 25; lower is better.
fn filled(backend: &Backend) -> GameServer {
    backend.board("sprint");
    let mut arena = backend.game_server("arena");
    let mut program = backend.program();
    for number in 1..=25 {
        let name = format!("p{number:02}");
        program.ok("REGISTER", json!({"name": name, "password": "correct-horse"}));
        arena.ok("RECORD SUBMIT", json!({"board": "sprint", "score": number, "player": name}));
    }
    arena
}

fn ranks(page: &Value) -> Vec<u64> {
    page["records"].as_array().unwrap().iter().map(|row| row["rank"].as_u64().unwrap()).collect()
}

#[test]
fn pages_lead_both_ways() {
    let backend = Backend::start();
    let mut arena = filled(&backend);
    let mut top = |args: Value| arena.ok("RECORD TOP", args);
    let first = top(json!({"board": "sprint"}));
    assert_eq!((ranks(&first), &first["prev"], &first["total"]), ((1..=10).collect(), &Value::Null, &25.into()));
    let second = top(json!({"board": "sprint", "after": first["next"]}));
    assert_eq!(ranks(&second), (11..=20).collect::<Vec<_>>());
    let third = top(json!({"board": "sprint", "after": second["next"]}));
    assert_eq!((ranks(&third), &third["next"]), ((21..=25).collect(), &Value::Null));
    let back = top(json!({"board": "sprint", "before": third["prev"]}));
    assert_eq!(back["records"], second["records"]);
    let back = top(json!({"board": "sprint", "before": second["prev"], "limit": 3}));
    assert_eq!(ranks(&back), [8, 9, 10]);
    assert_eq!(ranks(&top(json!({"board": "sprint", "after": 20, "limit": 2}))), [21, 22]);
    assert_eq!(ranks(&top(json!({"board": "sprint", "before": "3"}))), [1, 2]);
    assert_eq!(ranks(&top(json!({"board": "sprint", "after": 25}))), Vec::<u64>::new());
    assert_eq!(ranks(&top(json!({"board": "sprint", "after": 1_000_000}))), Vec::<u64>::new());
    assert_eq!(ranks(&top(json!({"board": "sprint", "limit": 4_000_000_000u32}))).len(), 25);
    assert_eq!(arena.fails("RECORD TOP", json!({"board": "sprint", "after": "x"})), "invalid");
    assert_eq!(arena.fails("RECORD TOP", json!({"board": "sprint", "after": 1, "before": 3})), "usage");
    let mut person = backend.terminal();
    person.says("TOP sprint 3 AFTER 20").sees("p21");
    person.says("TOP sprint").sees("AFTER 10");
}

#[test]
fn around_a_player() {
    let backend = Backend::start();
    let mut arena = filled(&backend);
    let mut around = |args: Value| ranks(&arena.ok("RECORD AROUND", args));
    assert_eq!(around(json!({"board": "sprint", "player": "p13", "limit": 5})), [11, 12, 13, 14, 15]);
    assert_eq!(around(json!({"board": "sprint", "player": "p01", "limit": 3})), [1, 2, 3]);
    assert_eq!(around(json!({"board": "sprint", "player": "p25", "limit": 3})), [23, 24, 25]);
    assert_eq!(around(json!({"board": "sprint", "player": "P13", "limit": 1})), [13]);
    let mut alice = backend.player("alice");
    assert_eq!(alice.fails("RECORD AROUND", json!({"board": "sprint"})), "not_found");
    submit(&mut alice, "sprint", 0);
    assert_eq!(ranks(&alice.ok("RECORD AROUND", json!({"board": "sprint", "limit": 2}))), [1, 2]);
    let mut stranger = backend.program();
    assert_eq!(stranger.fails("RECORD AROUND", json!({"board": "sprint"})), "not_logged_in");
    assert_eq!(stranger.fails("RECORD SHOW", json!({"board": "sprint"})), "not_logged_in");
}

#[test]
fn who_may_submit() {
    let backend = Backend::start();
    backend.ctl(&["board", "define", "official", "--unit", "ms", "--better", "lower"]);
    backend.board("open");
    let mut arena = backend.game_server("arena");
    let mut alice = backend.player("alice");
    let _bob = backend.player("bob");
    let row = |board: &str, player: &str| json!({"board": board, "score": 1, "player": player});
    assert_eq!(alice.fails("RECORD SUBMIT", json!({"board": "official", "score": 1})), "denied");
    assert_eq!(alice.fails("RECORD SUBMIT", row("open", "bob")), "denied");
    assert_eq!(alice.fails("RECORD SUBMIT", row("nowhere", "alice")), "not_found");
    alice.ok("RECORD SUBMIT", row("OPEN", "Alice"));
    arena.ok("RECORD SUBMIT", row("official", "bob"));
    assert_eq!(arena.fails("RECORD SUBMIT", row("official", "nobody")), "not_found");
    assert_eq!(arena.fails("RECORD SUBMIT", json!({"board": "official", "score": 1})), "usage");
    assert_eq!(arena.ok("RECORD SHOW", json!({"board": "official", "player": "bob"}))["server"], "arena");
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "open"}))["server"], Value::Null);
}

#[test]
fn a_note_travels_along() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    let note = "é\u{1b}[31m\"\\\n".repeat(100);
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 5, "note": note}));
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sprint"}))["note"], note);
    let long = json!({"board": "sprint", "score": 4, "note": "x".repeat(1025)});
    assert_eq!(alice.fails("RECORD SUBMIT", long), "too_long");
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sprint"}))["score"], 5);
    let mut person = backend.terminal();
    for line in ["TOP sprint", "SHOW sprint alice"] {
        let text = person.ask(line);
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}

#[test]
fn who_watches_hears_of_first_places_only() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let mut stranger = backend.program();
    for watcher in [&mut alice, &mut stranger] {
        watcher.ok("RECORD WATCH", json!({"board": "sprint"}));
        watcher.ok("RECORD WATCH", json!({"board": "Sprint"}));
    }
    submit(&mut bob, "sprint", 100);
    submit(&mut bob, "sprint", 200);
    submit(&mut bob, "sprint", 90);
    for score in [100, 90] {
        for watcher in [&mut alice, &mut stranger] {
            let event = watcher.expect_event("record");
            has(&event, json!({"player": "bob", "score": score, "unit": "ms"}));
        }
    }
    alice.expect_no_event("record");
    stranger.ok("RECORD UNWATCH", json!({"board": "sprint"}));
    submit(&mut bob, "sprint", 80);
    stranger.expect_no_event("record");
    alice.expect_event("record");
    assert_eq!(alice.fails("RECORD WATCH", json!({"board": "nowhere"})), "not_found");
}

#[test]
fn boards_are_listed() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    person.says("BOARDS").sees("no boards");
    for name in ["alpha", "beta", "gamma"] {
        backend.board(name);
    }
    let mut program = backend.program();
    let page = program.ok("RECORD BOARDS", json!({"limit": 2}));
    assert_eq!(page["boards"][1]["board"], "beta");
    assert_eq!(page["boards"][0]["submit"], "players");
    let page = program.ok("RECORD BOARDS", json!({"limit": 2, "after": page["next"]}));
    assert_eq!(page["boards"][0]["board"], "gamma");
    assert_eq!(page["next"], Value::Null);
}

#[test]
fn a_page_goes_on_where_it_ended_whatever_happens_meanwhile() {
    let backend = Backend::start();
    let mut arena = filled(&backend);
    let first = arena.ok("RECORD TOP", json!({"board": "sprint", "limit": 10}));
    // The last of this page goes, and somebody comes in front of it.
    backend.ctl(&["board", "withdraw", "sprint", "p10", "--reason", "cheated"]);
    arena.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 0, "player": "p25"}));
    let second = arena.ok("RECORD TOP", json!({"board": "sprint", "limit": 10, "after": first["next"]}));
    has(&second["records"][0], json!({"player": "p11", "rank": 11}));
    let back = arena.ok("RECORD TOP", json!({"board": "sprint", "limit": 2, "before": second["prev"]}));
    assert_eq!(back["records"][1]["player"], "p09");
}

#[test]
fn who_falls_back_hands_the_first_place_to_another() {
    let backend = Backend::start();
    define(&backend, "form", "higher", "last");
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    submit(&mut alice, "form", 10);
    submit(&mut bob, "form", 5);
    bob.ok("RECORD WATCH", json!({"board": "form"}));
    assert_eq!(submit(&mut alice, "form", 1)["rank"], 2);
    let event = bob.expect_event("record");
    has(&event, json!({"player": "bob", "score": 5, "previous": "alice"}));
}

#[test]
fn a_worse_score_leaves_the_better_one_as_it_was() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 5, "note": "good"}));
    let before = alice.ok("RECORD SHOW", json!({"board": "sprint"}));
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 9, "note": "bad"}));
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sprint"})), before);
}
