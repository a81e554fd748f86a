//! Who writes and reads properties.

use super::{ZOO, delete, got, pair, set, value};
use crate::harness::{GameServer, Program, Zoo};
use serde_json::{Value, json};

/// Everybody who may ask, by one letter each.
struct All {
    scene: Zoo,
    castle: GameServer,
    carol: Program,
    dave: Program,
    nobody: Program,
}

impl All {
    fn new() -> All {
        let scene = Zoo::open();
        let castle = scene.backend.game_server("castle");
        let (carol, dave) = (scene.backend.player("carol"), scene.backend.player("dave"));
        scene.backend.ctl(&["right", "grant", "carol", "property"]);
        scene.backend.ctl(&["right", "grant", "dave", "operator"]);
        let nobody = scene.backend.program();
        All { scene, castle, carol, dave, nobody }
    }

    /// The letters of those for whom this is done: Bob, alice, arena, castle, carol (property), dave (operator), nobody.
    fn who(&mut self, mut may: impl FnMut(&mut Program) -> bool) -> String {
        let All { scene, castle, carol, dave, nobody } = self;
        let all: [(&mut Program, char); 7] = [
            (&mut scene.bob, 'B'),
            (&mut scene.alice, 'a'),
            (&mut scene.arena, 'r'),
            (castle, 'c'),
            (carol, 'p'),
            (dave, 'o'),
            (nobody, 'n'),
        ];
        all.into_iter().filter_map(|(program, letter)| may(program).then_some(letter)).collect()
    }
}

#[test]
fn who_may_write_and_read_stands_in_it() {
    let mut all = All::new();
    all.scene.bob_enters();
    for (word, writers, readers) in [
        ("everyone", "Barcpo", "Barcpon"),
        ("owner", "Bpo", "Bpo"),
        ("world", "rpo", "Brpo"),
        ("property", "po", "Bpo"),
    ] {
        for of in ["bob", ZOO] {
            let used = json!({"write": word, "read": word});
            assert_eq!(set(&mut all.carol, of, "x", "new", used), "ok");
            assert_eq!(all.who(|asker| value(asker, of, "x") == "new"), readers, "{word} reads of {of}");
            assert_eq!(all.who(|asker| !got(asker, of, Value::Null).is_empty()), readers, "{word} lists of {of}");
            assert_eq!(
                all.who(|asker| set(asker, of, "x", "new", Value::Null) == "ok"),
                writers,
                "{word} writes of {of}"
            );
            // So may the operator at his own socket.
            all.scene.backend.ctl(&["property", "set", of, "x", "operator"]);
            assert_eq!(all.scene.backend.ctl(&["property", "get", of, "x"])["properties"][0]["value"], "operator");
            // The owner deletes it, whoever may write it.
            assert_eq!(delete(&mut all.scene.bob, of, "x"), "ok");
        }
    }
    // Nobody else makes one, whoever may write it then.
    let used = json!({"write": "everyone"});
    for of in ["bob", ZOO] {
        let makers =
            all.who(|asker| set(asker, of, "x", "new", used.clone()) == "ok" && delete(asker, of, "x") == "ok");
        assert_eq!(makers, "Brpo", "makes one of {of}");
    }
    // Who writes because everyone may does not say how it is used.
    assert_eq!(set(&mut all.scene.bob, "bob", "x", "new", used.clone()), "ok");
    assert_eq!(set(&mut all.scene.alice, "bob", "x", "newer", used), "ok");
    assert_eq!(set(&mut all.scene.alice, "bob", "x", "newer", json!({"write": "owner"})), "denied");
    assert_eq!(delete(&mut all.scene.alice, "bob", "x"), "ok");
    // A right holds at once, and no longer than it is granted.
    all.scene.backend.ctl(&["right", "revoke", "carol", "property"]);
    assert_eq!(set(&mut all.carol, "bob", "x", "new", Value::Null), "denied");
}

#[test]
fn a_world_is_whoever_hosts_it_on_that_connection_and_those_in_it_are_its_own() {
    let mut scene = Zoo::open();
    let used = json!({"write": "world", "read": "world"});
    let writes = |asker: &mut Program, of: &str| set(asker, of, "seat", "left", used.clone());
    let mut again = scene.arena.again(&scene.backend);
    assert_eq!((writes(&mut again, ZOO), writes(&mut scene.arena, ZOO)), pair("denied", "ok"), "another connection");
    assert_eq!(writes(&mut scene.arena, "bob"), "denied", "he is not there");
    scene.bob_enters();
    assert_eq!((writes(&mut again, "bob"), writes(&mut scene.arena, "bob")), pair("denied", "ok"));
    assert_eq!(writes(&mut scene.arena, "alice"), "denied");
    assert_eq!(value(&mut scene.arena, "bob", "seat"), "left");
    // Also when he has no connection of his own, and over a death of the handler.
    scene.bob_closes();
    scene.backend.kill_handler();
    assert_eq!((writes(&mut scene.arena, "bob"), writes(&mut scene.arena, ZOO)), pair("ok", "ok"));
    scene.arena.ok("LEAVE", json!({"player": "bob", "world": "zoo"}));
    assert_eq!((writes(&mut scene.arena, "bob"), value(&mut scene.arena, "bob", "seat")), pair("denied", "not_found"));
    // On a game server it is its word alone until he has shown a pass there.
    again.ok("ENTER", json!({"player": "alice"}));
    assert_eq!(writes(&mut again, "alice"), "denied");
    let pass = scene.alice.ok("PASS", json!({"server": "arena"}))["pass"].clone();
    again.ok("PASS REDEEM", json!({"pass": pass}));
    again.ok("ENTER", json!({"player": "alice"}));
    assert_eq!((writes(&mut scene.arena, "alice"), writes(&mut again, "alice")), pair("denied", "ok"));
    // Whoever hosts it no longer is nobody to it.
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(writes(&mut scene.arena, ZOO), "denied");
    // With another owner it is his.
    scene.backend.ctl(&["world", "change", "zoo", "--owner", "alice"]);
    assert_eq!(set(&mut scene.alice, ZOO, "gate", "shut", Value::Null), "ok");
    scene.bob.login("Bob");
    assert_eq!(set(&mut scene.bob, ZOO, "gate", "open", Value::Null), "denied");
}
