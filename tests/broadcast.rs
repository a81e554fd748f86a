//! A word to everyone, wherever he is, and what somebody and his world hear of other rights.

use crate::harness::{Backend, has};
use serde_json::json;

#[test]
fn a_broadcast_reaches_everyone_once() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    let mut alice = backend.player("alice");
    let mut carol = backend.player("carol");
    let mut nobody = backend.program();
    let mut person = backend.person("dora");
    let mut zed = backend.visitor("zed");
    let mut arena = backend.game_server("arena");
    arena.hosts("zoo", &backend.world("Zoo", "alice"));
    // Carol and zed are in the world; she has no connection any more.
    for guest in [&mut carol, &mut zed] {
        arena.lets_in(guest, "zoo");
    }
    backend.see_off(carol.wire);
    assert_eq!(bob.fails("BROADCAST", json!({"body": "hi"})), "denied");
    backend.ctl(&["right", "grant", "bob", "broadcast"]);
    assert_eq!(bob.expect_event("rights")["rights"], json!(["broadcast"]));
    let sent = bob.ok("BROADCAST", json!({"body": "Down at eight"}));
    assert_eq!(sent["receivers"], 5, "bob, alice, dora, zed, and the world");
    nobody.expect_no_event("broadcast");
    for program in [&mut bob, &mut alice, &mut zed] {
        let heard = program.expect_event("broadcast");
        has(&heard, json!({"from": "bob", "body": "Down at eight"}));
        program.expect_no_event("broadcast");
    }
    person.expect("[broadcast] bob: Down at eight");
    let heard = arena.expect_event("broadcast");
    assert_eq!(heard["to"], json!(["carol"]), "zed has heard it himself");
    assert_eq!(heard["world"], "Zoo");
    arena.expect_no_event("broadcast");
    // From the operator, and over a death of the handler once.
    backend.ctl(&["broadcast", "Soon"]);
    assert_eq!(alice.expect_event("broadcast")["from"], "the backend");
    let said = bob.ask_over_death(&backend, "BROADCAST", &json!({"body": "third"}));
    assert_eq!(said["state"], "OK");
    assert_eq!(alice.expect_event("broadcast")["body"], "third");
    alice.expect_no_event("broadcast");
    assert_eq!(bob.fails("BROADCAST", json!({"body": "x".repeat(5000)})), "too_long");
    // Something in it, and lines as everywhere.
    for body in ["", "   ", "\n", "a\rb"] {
        assert_eq!(bob.fails("BROADCAST", json!({"body": body})), "invalid", "{body:?}");
        assert_eq!(bob.fails("TELL", json!({"to": "alice", "body": body})), "invalid", "{body:?}");
        let output = backend.operator(&["broadcast", body]);
        assert_ne!(output.code, 0, "{body:?}");
    }
    alice.expect_no_event("broadcast");
    alice.expect_no_event("tell");
}

#[test]
fn other_rights_are_told_to_the_player_and_to_the_world_that_he_is_in() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    let mut arena = backend.game_server("arena");
    arena.hosts("zoo", &backend.world("Zoo", "bob"));
    arena.lets_in(&mut bob, "zoo");
    backend.ctl(&["right", "grant", "bob", "build"]);
    assert_eq!(bob.expect_event("rights")["rights"], json!(["build"]));
    let told = arena.expect_event("guest_rights");
    has(&told, json!({"world": "Zoo", "player": "bob", "rights": ["build"]}));
    backend.ctl(&["right", "revoke", "bob", "build"]);
    assert_eq!(bob.expect_event("rights")["rights"], json!([]));
    assert_eq!(arena.expect_event("guest_rights")["rights"], json!([]));
}
