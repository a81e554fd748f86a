//! How worlds are played through us: what the operator, an owner and the config file say of it.

use crate::harness::{Backend, has};
use serde_json::{Value, json};

/// A key of how a world is played, as the operator sees it: its value, and who says so.
fn term(backend: &Backend, world: &str, key: &str) -> (String, String) {
    let shown = backend.ctl(&["world", "play", world]);
    let terms = shown["terms"].as_array().expect("a list");
    let term = terms.iter().find(|term| term["key"] == key).expect("a key");
    let text = |name: &str| term[name].as_str().expect("a text").to_owned();
    (text("value"), text("said_by"))
}

fn is(value: &str, said_by: &str) -> (String, String) {
    (value.to_owned(), said_by.to_owned())
}

#[test]
fn the_operator_says_how_a_world_is_played_and_takes_it_back() {
    let mut backend = Backend::start();
    let mut bob = backend.player("bob");
    backend.world("Zoo", "bob");
    assert_eq!(term(&backend, "zoo", "play"), is("", "kind"));
    let shown = backend.ctl(&["world", "show", "zoo"]);
    has(&shown, json!({"played": false, "play": []}));
    backend.ctl(&["world", "play", "zoo", "play", "127.0.0.1:2860 unix:/run/zoo.sock"]);
    let answer = backend.ctl(&["world", "play", "ZOO", "kind", "tinymux"]);
    assert_eq!(answer["world"], "Zoo");
    assert_eq!(term(&backend, "zoo", "play"), is("127.0.0.1:2860 unix:/run/zoo.sock", "licence"));
    assert_eq!(term(&backend, "zoo", "charset"), is("utf-8", "kind"));
    // Everybody sees that it is played here, and operators where.
    has(
        &backend.ctl(&["world", "show", "zoo"]),
        json!({"played": true, "play": ["127.0.0.1:2860", "unix:/run/zoo.sock"]}),
    );
    has(&bob.ok("WORLD SHOW", json!({"name": "zoo"})), json!({"played": true, "play": []}));
    // What does not go is refused, and changes nothing.
    for (key, value, why) in [
        ("play", "zoo.example.org:1", "names are not looked up"),
        ("kind", "tinymax", "not known"),
        ("rate", "0", "give a number from 1"),
        ("success", "(", "no regular expression"),
        ("login", "(?P<name>.*)", "has no group `password`"),
        ("real_address", "ip-host", "on a Unix socket alone"),
        ("colour", "red", "There is no such key"),
    ] {
        let output = backend.operator(&["world", "play", "zoo", key, value]);
        assert!(output.code == 1 && output.err.contains(why), "{output:?}");
    }
    backend.ctl(&["world", "play", "zoo", "heartbeat", "connect Robot s3cret"]);
    assert_eq!(term(&backend, "zoo", "heartbeat"), is("(not shown)", "licence"));
    let log = backend.log().text();
    assert!(log.contains("set heartbeat of how the world zoo is played"), "{log}");
    assert!(!log.contains("s3cret"), "a secret in the log");
    // It is kept, and goes back to what its kind says.
    backend.restart();
    assert_eq!(term(&backend, "zoo", "kind"), is("tinymux", "licence"));
    backend.ctl(&["world", "play", "zoo", "kind"]);
    assert_eq!(term(&backend, "zoo", "charset"), is("utf-8", "kind"));
    // The next licence of its name finds it, and after all of it has gone nothing.
    backend.ctl(&["world", "delete", "zoo"]);
    assert_eq!(backend.operator(&["world", "play", "zoo"]).code, 1);
    backend.world("Zoo", "bob");
    assert_eq!(term(&backend, "zoo", "play"), is("127.0.0.1:2860 unix:/run/zoo.sock", "licence"));
    backend.ctl(&["world", "delete", "zoo", "--purge"]);
    backend.world("Zoo", "bob");
    assert_eq!(term(&backend, "zoo", "play"), is("", "kind"));
}

#[test]
fn an_owner_says_all_but_where_his_world_is() {
    let backend = Backend::start();
    let (mut bob, mut alice) = (backend.player("bob"), backend.player("alice"));
    backend.world("Zoo", "bob");
    let set = |key: &str, value: &str| json!({"name": "zoo", "key": key, "value": value});
    let answer = bob.ok("WORLD PLAY", set("charset", "latin-1"));
    let terms = answer["terms"].as_array().expect("a list");
    assert!(terms.contains(&json!({"key": "charset", "value": "latin-1", "said_by": "licence"})), "{answer}");
    assert!(terms.iter().all(|term| term["key"] != "play"), "{answer}");
    let refused = bob.ask("WORLD PLAY", set("play", "127.0.0.1:22"));
    has(
        &refused,
        json!({"code": "denied", "msg": "Where your world is, the operator says; the rest you set yourself."}),
    );
    for args in [set("charset", "ascii"), json!({"name": "zoo"})] {
        assert_eq!(alice.fails("WORLD PLAY", args), "denied");
    }
    backend.ctl(&["right", "grant", "alice", "operator"]);
    alice.ok("WORLD PLAY", set("play", "127.0.0.1:2860"));
    assert_eq!(term(&backend, "zoo", "play"), is("127.0.0.1:2860", "licence"));
    assert_eq!(bob.ok("WORLD PLAY", json!({"name": "zoo"}))["terms"].as_array().map(Vec::len), Some(17));
}

#[test]
fn the_file_counts_over_the_licence_and_is_read_again() {
    let backend = Backend::start();
    backend.player("bob");
    backend.world("Zoo", "bob");
    backend.ctl(&["world", "play", "zoo", "kind", "tinymux"]);
    backend.ctl(&["world", "play", "zoo", "play", "127.0.0.1:1"]);
    backend.reload("[world.ZOO]\nplay = \"127.0.0.1:2\"\n[world.moon]\nplay = \"127.0.0.1:3\"\nkind = \"moo\"\n");
    assert_eq!(term(&backend, "zoo", "play"), is("127.0.0.1:2", "file"));
    assert_eq!(term(&backend, "zoo", "kind"), is("tinymux", "licence"));
    // What is in the file alone needs no licence, and is changed there.
    assert_eq!(term(&backend, "MOON", "charset"), is("ascii", "kind"));
    let output = backend.operator(&["world", "play", "moon", "kind", "diku"]);
    assert!(output.err.contains("moon has no licence: how it is played is set in the config file."), "{output:?}");
    backend.reload("");
    assert_eq!(term(&backend, "zoo", "play"), is("127.0.0.1:1", "licence"));
    assert_eq!(backend.operator(&["world", "play", "moon"]).code, 1);
    assert_ne!(backend.ctl(&["world", "show", "zoo"])["play"], Value::Null);
}
