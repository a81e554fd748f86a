//! SET: how somebody wants what he is shown, kept with the player, whatever dies.

use crate::harness::{Backend, MOVED, has};
use serde_json::json;

#[test]
fn what_a_player_sets_holds_at_once_and_at_every_login() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    alice.says("SET").sees("WIDTH").sees("80").sees("usual").sees("TIMEZONE");
    alice.says("SET COLOR yes").sees("COLOUR is ON, and stays so.");
    alice.says("SET COLOUR").sees("\u{1b}[1mCOLOUR").sees("ON (you said)");
    alice.says("set width 40").sees("WIDTH is 40");
    alice.says("SET TIMEZONE vienna").sees("Europe/Vienna");
    alice.says("SET WIDTH").sees("40").sees("you said");
    // Of another player, and of nobody, nothing is known.
    backend.person("bob").says("SET WIDTH").sees("80");
    let mut again = backend.terminal();
    again.says("SET COLOUR").sees("OFF");
    again.says("LOGIN alice secret-of-alice").sees("Logged in as alice");
    again.says("SET COLOUR").sees("\u{1b}[1m").sees("you said");
    again.says("LOGOUT").sees_no("\u{1b}[");
    again.says("SET WIDTH").sees("80").sees("usual");
    alice.says("SET WIDTH auto").sees("what your terminal says");
    alice.says("SET WIDTH").sees("80").sees("usual");
}

#[test]
fn what_was_set_outlives_everything() {
    let mut backend = Backend::start();
    let mut alice = backend.person("alice");
    alice.says("SET COLOUR ON").sees("stays so");
    let mut nobody = backend.terminal();
    nobody.says("SET COLOUR ON").sees("on this connection");
    backend.kill_handler();
    alice.says("WHO").sees("\u{1b}[1m");
    nobody.says("WHO").sees("\u{1b}[1m");
    let mark = backend.log().mark();
    backend.upgrade_to("9.8.7");
    backend.log().find_after(mark, "two moves", |text| (text.matches(MOVED).count() >= 2).then_some(()));
    alice.says("WHO").sees("\u{1b}[1m");
    nobody.says("WHO").sees("\u{1b}[1m");
    backend.restart();
    let mut alice = backend.person_again("alice");
    alice.says("WHO").sees("\u{1b}[1m");
}

#[test]
fn what_somebody_sets_before_he_registers_is_kept_for_him() {
    let backend = Backend::start();
    let mut dave = backend.terminal();
    dave.says("SET SCREENREADER ON").sees("on this connection").sees("REGISTER first");
    dave.says("REGISTER dave secret-of-dave").sees("registered");
    dave.says("SET SCREENREADER").sees("SCREENREADER: ON (you said)\r\n");
    let mut again = backend.person_again("dave");
    again.says("SET SCREENREADER").sees("SCREENREADER: ON (you said)\r\n");
}

#[test]
fn what_cannot_be_set_is_said_kindly() {
    let backend = Backend::start();
    let mut alice = backend.terminal();
    for (typed, answer) in [
        ("SET WIDHT 60", "Did you mean SET WIDTH?"),
        ("SET SCREEN ON", "Did you mean SET SCREENREADER?"),
        ("SET MOOD good", "There are WIDTH, HEIGHT, COLOUR"),
        ("SET WIDTH 5000", "WIDTH must be a number from 20 to 500, or AUTO."),
        ("SET PAGER maybe", "PAGER must be ON, OFF or AUTO."),
        ("SET TIMEZONE Europe/Viena", "Did you mean Europe/Vienna?"),
    ] {
        alice.says(typed).sees(answer);
    }
}

#[test]
fn a_program_may_set_and_ask_what_its_player_wants() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    let set = bob.ok("SET", json!({"name": "width", "value": 60}));
    has(&set, json!({"name": "WIDTH", "value": "60", "kept": true}));
    has(&bob.ok("SET", json!({"name": "PAGER", "value": false})), json!({"value": "OFF"}));
    let only = json!({"preferences": [{"name": "WIDTH", "value": "60", "from": "kept"}]});
    assert_eq!(bob.ok("SET", json!({"name": "WIDTH"})), only);
    assert_eq!(bob.ok("SET", json!({}))["preferences"].as_array().map(Vec::len), Some(7));
    assert_eq!(bob.fails("SET", json!({"name": "WIDTH", "value": "wide"})), "invalid");
    // What a program is told stays as it was.
    assert_eq!(
        bob.ask("LOGIN", json!({"name": "bob", "password": "secret-of-bob"}))["data"]["preferences"],
        json!(null)
    );
}

#[test]
fn a_player_reads_times_in_his_zone_and_his_program_in_utc() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    backend.player("bob").ok("MAIL SEND", json!({"to": "alice", "body": "hi"}));
    alice.expect("(MAIL READ 1)");
    alice.answer();
    alice.says("MAIL READ 1").sees(" UTC");
    alice.says("SET TIMEZONE Asia/Kathmandu").sees("Asia/Kathmandu");
    alice.says("MAIL READ 1").sees(" +0545").sees_no("UTC");
    backend.person_again("alice");
    // In the very answer to his login.
    let mut again = backend.terminal();
    again.says("LOGIN alice secret-of-alice").sees("Last login: ").sees(" +0545.");
    let mail = backend.player_again("alice").ok("MAIL READ", json!({"id": 1}));
    assert!(mail["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{mail}");
}
