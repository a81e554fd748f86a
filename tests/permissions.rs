//! Every command in every state that does not permit it: refused with a code that says why, and the connection lives.

use crate::harness::{Backend, Program, Wire};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Who may use a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Always,
    Anyone,
    Person,
    Stranger,
    Player,
    Server,
    PlayerOrServer,
    Unproved,
}

use Who::{Always, Anyone, Person, Player, PlayerOrServer, Server, Stranger, Unproved};

/// Every command with arguments that are fine.
fn commands() -> Vec<(&'static str, Value, Who)> {
    vec![
        ("MODE", json!({"mode": "LIST"}), Always),
        ("HELP", json!({}), Anyone),
        ("HW", json!({}), Anyone),
        ("PING", json!({}), Anyone),
        ("STAY", json!({}), Anyone),
        ("MORE", json!({}), Anyone),
        ("QUIT", json!({}), Always),
        ("REGISTER", json!({"name": "newcomer", "password": "long-enough"}), Person),
        ("LOGIN", json!({"name": "nobody", "password": "long-enough"}), Person),
        ("VISITOR", json!({"name": "guest-7"}), Stranger),
        ("SET", json!({"name": "WIDTH", "value": "60"}), Person),
        ("PLAY", json!({"world": "Zoo"}), Person),
        ("RESUME", json!({}), Person),
        ("DROP", json!({}), Person),
        ("LOGOUT", json!({}), Player),
        ("PASSWORD", json!({"old": "long-enough", "new": "longer-still"}), Player),
        ("WHOAMI", json!({}), Anyone),
        ("WHO", json!({}), Anyone),
        ("FINGER", json!({"player": "alice"}), Anyone),
        ("RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "alice"}), PlayerOrServer),
        ("RECORD TOP", json!({"board": "sprint"}), Anyone),
        ("RECORD AROUND", json!({"board": "sprint", "player": "alice"}), Anyone),
        ("RECORD SHOW", json!({"board": "sprint", "player": "alice"}), Anyone),
        ("RECORD BOARDS", json!({}), Anyone),
        ("RECORD WATCH", json!({"board": "sprint"}), Anyone),
        ("RECORD UNWATCH", json!({"board": "sprint"}), Anyone),
        ("SETTING GET", json!({"key": "colour", "of": "alice"}), Anyone),
        ("SETTING SET", json!({"key": "colour", "value": "red"}), PlayerOrServer),
        ("SETTING LIST", json!({}), PlayerOrServer),
        ("SETTING DELETE", json!({"key": "colour"}), PlayerOrServer),
        ("PROPERTY GET", json!({"of": "alice"}), Anyone),
        ("PROPERTY SET", json!({"of": "alice", "name": 1, "value": "x"}), PlayerOrServer),
        ("PROPERTY DELETE", json!({"of": "alice", "name": 1}), PlayerOrServer),
        ("PROPERTY WATCH", json!({"of": "alice"}), Anyone),
        ("PROPERTY UNWATCH", json!({"of": "alice"}), Anyone),
        ("MAIL SEND", json!({"to": "alice", "body": "hi"}), PlayerOrServer),
        ("MAIL LIST", json!({}), Player),
        ("MAIL READ", json!({"id": 1}), Player),
        ("MAIL REPLY", json!({"id": 1, "body": "hi"}), Player),
        ("MAIL FORWARD", json!({"id": 1, "to": "alice"}), Player),
        ("MAIL DELETE", json!({"id": 1}), Player),
        ("MAIL SENT", json!({}), Player),
        ("MAIL BLOCK", json!({"player": "alice"}), Player),
        ("MAIL UNBLOCK", json!({"player": "alice"}), Player),
        ("MAIL BLOCKS", json!({}), Player),
        ("TELL", json!({"to": "alice", "body": "hi"}), Person),
        ("BROADCAST", json!({"body": "hi"}), Player),
        ("AUTH", json!({"name": "arena", "key": "0"}), Unproved),
        ("RELAY JOIN", json!({"channel": "lobby"}), Server),
        ("RELAY LEAVE", json!({"channel": "lobby"}), Server),
        ("RELAY SEND", json!({"body": "hi", "channel": "lobby"}), Server),
        ("RELAY CHANNELS", json!({}), Server),
        ("WORLDS", json!({}), Anyone),
        ("STATUS SET", json!({"map": "harbour", "players": 0, "max": 1}), Server),
        ("STATUS CLEAR", json!({}), Server),
        ("PASS", json!({"server": "arena"}), Player),
        ("PASS REDEEM", json!({"pass": "pass-1"}), Server),
        ("LOGIN CHECK", json!({"name": "alice", "password": "x", "address": "192.0.2.7"}), Server),
        ("ENTER", json!({"player": "alice"}), Server),
        ("LEAVE", json!({"player": "alice"}), Server),
        ("PRESENT", json!({"players": "alice"}), Server),
        ("WORLD ENTER", json!({"world": "zoo"}), Person),
        ("RATING", json!({}), Player),
        ("WORLD SHOW", json!({"name": "zoo"}), Anyone),
        ("WORLD LIST", json!({}), Player),
        ("WORLD ADD", json!({"name": "zoo", "owner": "alice"}), Player),
        ("WORLD CHANGE", json!({"name": "zoo", "comment": "x"}), Player),
        ("WORLD PLAY", json!({"name": "zoo"}), Player),
        ("WORLD PASSWORD", json!({"name": "zoo"}), Player),
        ("WORLD DISABLE", json!({"name": "zoo"}), Player),
        ("WORLD ENABLE", json!({"name": "zoo"}), Player),
        ("WORLD DELETE", json!({"name": "zoo"}), Player),
        ("RIGHT LIST", json!({}), Player),
        ("RIGHT GRANT", json!({"player": "alice", "right": "vip"}), Player),
        ("RIGHT REVOKE", json!({"player": "alice", "right": "vip"}), Player),
        ("HOST START", json!({"world": "zoo", "password": "x", "port": 7}), Server),
        ("HOST SAY", json!({"world": "zoo", "users": 1}), Server),
        ("HOST STOP", json!({"world": "zoo"}), Server),
        ("HOST LIST", json!({}), Server),
        ("PLAYER LIMIT", json!({"player": "alice", "minutes": 90}), Player),
        ("UNIVERSE SHOW", json!({}), Anyone),
        ("UNIVERSE SET", json!({"key": "name", "value": "x"}), Player),
        ("UNIVERSE RESET", json!({"key": "name"}), Player),
        ("UNIVERSE WATCH", json!({}), Anyone),
        ("UNIVERSE UNWATCH", json!({}), Anyone),
        ("LIST WORLDS", json!({}), Anyone),
        ("LIST USERS", json!({}), Anyone),
        ("LIST WATCH", json!({"list": "worlds"}), Anyone),
        ("LIST UNWATCH", json!({"list": "worlds"}), Anyone),
    ]
}

/// Each command that `refused` gives a code for is refused with it; after all of them the connection still answers.
fn all_refused(program: &mut Program, refused: impl Fn(Who) -> Option<&'static str>) {
    let mut tried = 0;
    for (cmd, args, who) in commands() {
        if let Some(code) = refused(who) {
            assert_eq!(program.fails(cmd, args), code, "{cmd}");
            tried += 1;
        }
    }
    assert!(tried > 0);
    assert_eq!(program.say(r#"{"cmd": "MODE", "args": "LIST"}"#)["msg"], "SERVER CLIENT HUMAN");
}

#[test]
fn a_program_that_is_not_logged_in() {
    let backend = Backend::start();
    all_refused(&mut backend.program(), |who| match who {
        Player | PlayerOrServer => Some("not_logged_in"),
        Server | Unproved => Some("denied"),
        Always | Anyone | Person | Stranger => None,
    });
}

#[test]
fn a_player() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    all_refused(&mut alice, |who| matches!(who, Server | Stranger | Unproved).then_some("denied"));
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "alice");
}

#[test]
fn a_game_server_before_it_has_proved_itself() {
    let backend = Backend::start();
    let mut server = Program::in_mode(backend.at(), "SERVER");
    all_refused(&mut server, |who| (!matches!(who, Always | Unproved)).then_some("not_logged_in"));
}

#[test]
fn a_game_server() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    all_refused(&mut arena, |who| matches!(who, Person | Stranger | Player | Unproved).then_some("denied"));
    assert_eq!(arena.ok("WHOAMI", json!({}))["server"], "arena");
}

#[test]
fn before_a_mode_is_chosen_everything_else_ends_the_connection() {
    let backend = Backend::start();
    for (cmd, args, _) in commands().into_iter().filter(|(cmd, ..)| *cmd != "MODE") {
        let mut wire = Wire::to(backend.at());
        wire.line();
        wire.send(format!("{}\r\n", json!({"id": 1, "cmd": cmd, "args": args})));
        let reply = wire.rest();
        assert!(reply.contains("\"no_mode\"") && reply.contains("No mode set."), "{cmd}: {reply}");
    }
}

#[test]
fn a_login_ends_with_the_mode_that_it_was_for() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    assert_eq!(alice.say("{\"cmd\": \"MODE\", \"args\": \"SERVER\"}")["state"], "OK");
    assert_eq!(alice.fails("MAIL LIST", json!({})), "not_logged_in");
    assert_eq!(alice.say("{\"cmd\": \"MODE\", \"args\": \"CLIENT\"}")["state"], "OK");
    assert_eq!(alice.fails("MAIL LIST", json!({})), "not_logged_in");
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], Value::Null);
}

#[test]
fn a_game_server_that_turns_into_a_player_leaves_its_rights_behind() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    arena.ok("STATUS SET", json!({"map": "harbour", "players": 1, "max": 2}));
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    assert_eq!(arena.say("{\"cmd\": \"MODE\", \"args\": \"CLIENT\"}")["state"], "OK");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "hi", "channel": "lobby"})), "denied");
    assert_eq!(arena.ok("WORLDS", json!({}))["total"], 0);
    let mut desert = backend.game_server("desert");
    desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
    assert_eq!(desert.ok("RELAY SEND", json!({"body": "anyone?", "channel": "lobby"}))["receivers"], 0);
    arena.expect_no_event("relay");
}

#[test]
fn every_command_of_the_reference_page_is_in_this_table() {
    let page = include_str!("../docs/protocol.md");
    let (_, commands_part) = page.split_once("## Commands").expect("a chapter");
    let documented: BTreeSet<&str> = commands_part.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let tried: BTreeSet<&str> = commands().iter().map(|(cmd, ..)| *cmd).collect();
    assert_eq!(documented, tried);
}
