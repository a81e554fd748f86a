//! Which properties FINGER and WORLD SHOW show, and to whom.

use super::{ZOO, got, names, set};
use crate::harness::{Program, Zoo};
use serde_json::json;

#[test]
fn finger_shows_those_that_are_meant_for_it_also_of_who_is_not_on() {
    let mut scene = Zoo::open();
    let shown = |asker: &mut Program| asker.ok("FINGER", json!({"player": "bob"}))["properties"].clone();
    assert_eq!(shown(&mut scene.alice), json!([]));
    for (name, more) in
        [("motto", json!({"finger": true})), ("hidden", json!({"finger": true, "read": "owner"})), ("quiet", json!({}))]
    {
        assert_eq!(set(&mut scene.bob, "bob", name, "Be kind", more), "ok");
    }
    assert_eq!(set(&mut scene.bob, "bob", "3", "", json!({"value": null, "base64": "AAH/", "finger": true})), "ok");
    let (three, motto) = (
        json!({"name": "3", "value": null, "base64": "AAH/"}),
        json!({"name": "motto", "value": "Be kind", "base64": null}),
    );
    assert_eq!(shown(&mut scene.alice), json!([three, motto]));
    let hidden = json!({"name": "hidden", "value": "Be kind", "base64": null});
    assert_eq!(shown(&mut scene.bob), json!([three, hidden, motto]));
    scene.bob_closes();
    assert_eq!(shown(&mut scene.bob), json!([three, motto]), "nobody asks now");
    let mut person = scene.backend.person("pat");
    person.says("FINGER bob").sees("motto: Be kind").sees("3: (3 bytes)").sees("not on");
}

#[test]
fn world_show_shows_those_of_a_world_to_whoever_may_read_them() {
    let Zoo { backend, mut bob, mut alice, mut arena, .. } = Zoo::open();
    let mut nobody = backend.program();
    let shown = |asker: &mut Program| -> Vec<String> {
        let shown = asker.ok("WORLD SHOW", json!({"name": "zoo"}));
        names(shown["properties"].as_array().expect("a list")).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(shown(&mut nobody), [""; 0]);
    backend.ctl(&["property", "set", "world:Zoo", "gate", "Closed", "--finger"]);
    set(&mut bob, ZOO, "plan", "secret", json!({"finger": true, "read": "owner"}));
    set(&mut bob, ZOO, "7", "seven", json!({"finger": true, "read": "world"}));
    set(&mut bob, ZOO, "hidden", "not here", json!({}));
    assert_eq!(shown(&mut nobody), ["gate"]);
    assert_eq!(
        (shown(&mut alice), shown(&mut bob)),
        (vec!["gate".to_owned()], vec!["7".into(), "gate".into(), "plan".into()])
    );
    assert_eq!(shown(&mut arena), ["7", "gate"], "it hosts the world");
    assert_eq!(backend.ctl(&["world", "show", "zoo"])["properties"].as_array().map(Vec::len), Some(3));
    let gate = &nobody.ok("WORLD SHOW", json!({"name": "zoo"}))["properties"][0];
    assert_eq!(*gate, json!({"name": "gate", "value": "Closed", "base64": null}));
    let mut person = backend.terminal();
    person.says("world show zoo").sees("gate: Closed");
    // What is fingered may be a world.
    person.says("finger world:zoo").sees("Zoo is a world, no player: WORLD SHOW Zoo tells of it.");
    person.says("finger world:nowhere").sees("There is no world nowhere.");
}

#[test]
fn finger_shows_so_many_as_fit_and_get_has_all() {
    let Zoo { mut bob, backend: _backend, .. } = Zoo::open();
    for number in 1..=6 {
        set(&mut bob, "bob", &number.to_string(), &"x".repeat(4096), json!({"finger": true}));
    }
    let shown = bob.ok("FINGER", json!({"player": "bob"}))["properties"].clone();
    assert_eq!(names(shown.as_array().expect("a list")), ["1", "2", "3", "4"]);
    assert_eq!(got(&mut bob, "bob", json!([])).len(), 6);
}
