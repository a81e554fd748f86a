//! A name that is not there: who may know the one that was probably meant is told, and nobody else.

use crate::harness::{Backend, Program, Zoo};
use serde_json::{Value, json};

/// Why it was refused.
fn refusal(program: &mut Program, cmd: &str, args: Value) -> String {
    let reply = program.ask(cmd, args);
    assert_eq!(reply["code"], "not_found", "{cmd}: {reply}");
    reply["msg"].as_str().expect("a sentence").to_owned()
}

#[test]
fn a_slip_in_a_name_is_told_wherever_names_are_given() {
    let Zoo { backend, mut alice, mut arena, .. } = Zoo::open();
    backend.ctl(&["board", "define", "sprint", "--unit", "ms", "--better", "lower"]);
    let player = "There is no player alcie. Did you mean alice?";
    for (cmd, args) in [
        ("FINGER", json!({"player": "alcie"})),
        ("TELL", json!({"to": "alcie", "body": "Hello"})),
        ("MAIL SEND", json!({"to": "alcie", "body": "Hello"})),
        ("MAIL BLOCK", json!({"player": "alcie"})),
        ("PROPERTY GET", json!({"of": "alcie"})),
        ("RECORD SHOW", json!({"board": "sprint", "player": "alcie"})),
    ] {
        assert_eq!(refusal(&mut alice, cmd, args), player, "{cmd}");
    }
    let board = "There is no board spint. Did you mean sprint? RECORD BOARDS lists them.";
    for cmd in ["RECORD TOP", "RECORD AROUND", "RECORD SHOW", "RECORD WATCH"] {
        assert_eq!(refusal(&mut alice, cmd, json!({"board": "spint"})), board, "{cmd}");
    }
    let world = "There is no world zooo. Did you mean Zoo?";
    for (cmd, arg) in [("WORLD SHOW", "name"), ("WORLD ENTER", "world")] {
        assert_eq!(refusal(&mut alice, cmd, json!({arg: "zooo"})), world, "{cmd}");
    }
    let submit = json!({"board": "sprint", "player": "bbo", "score": 1});
    assert_eq!(refusal(&mut arena, "RECORD SUBMIT", submit), "There is no player bbo. Did you mean Bob?");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    let msg = refusal(&mut arena, "RELAY LEAVE", json!({"channel": "loby"}));
    assert_eq!(msg, "You are not on the channel loby. RELAY JOIN it first. Did you mean lobby?");
    backend.terminal().says("finger alcie").sees("ERROR: There is no player alcie. Did you mean alice?");
    backend.operator(&["player", "show", "alcie"]).complains("Did you mean alice?");
}

#[test]
fn what_is_hidden_is_no_guess() {
    let Zoo { backend, mut bob, mut alice, mut arena, .. } = Zoo::open();
    bob.ok("WORLD CHANGE", json!({"name": "zoo", "listed": false}));
    assert_eq!(refusal(&mut alice, "WORLD SHOW", json!({"name": "zooo"})), "There is no world zooo.");
    // A game server that shows itself to nobody, and one that is not connected.
    let mut desert = backend.game_server("desert");
    assert_eq!(refusal(&mut alice, "PASS", json!({"server": "desrt"})), "There is no such game server.");
    let to_desert = || json!({"body": "x", "to": "desrt"});
    let not_there = "The game server desrt is not connected.";
    assert_eq!(refusal(&mut arena, "RELAY SEND", to_desert()), format!("{not_there} Did you mean desert?"));
    desert.ok("STATUS SET", json!({"map": "dunes", "players": 0, "max": 8}));
    let shown = "There is no such game server. Did you mean desert?";
    assert_eq!(refusal(&mut alice, "PASS", json!({"server": "desrt"})), shown);
    backend.see_off(desert.into_wire());
    assert_eq!(refusal(&mut arena, "RELAY SEND", to_desert()), not_there);
}

#[test]
fn a_login_tells_no_names() {
    let backend = Backend::start();
    backend.player("alice");
    let (mut program, arena) = (backend.program(), backend.game_server("arena"));
    for name in ["alice", "alcie", "nobody"] {
        let reply = program.ask("LOGIN", json!({"name": name, "password": "not-the-right-one"}));
        assert_eq!(reply["msg"], "Name and password do not belong together.", "{name}");
    }
    let mut stranger = Program::in_mode(backend.at(), "SERVER");
    let wrong = stranger.ask("AUTH", json!({"name": "arena", "key": "wrong"}))["msg"].clone();
    assert_eq!(stranger.ask("AUTH", json!({"name": "arean", "key": arena.key}))["msg"], wrong);
}
