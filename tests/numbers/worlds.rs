//! Worlds that are played are counted, each by itself, and shown beside all else.

use super::value;
use crate::harness::worlds::{Cut, Kind, Profile, StrictClient, World};
use crate::harness::{Backend, has};
use serde_json::{Value, json};

/// A world with a door, and one that nobody comes to.
fn two_worlds() -> (Backend, World) {
    let world = World::start(Kind::Mush);
    let plan = Backend::plan();
    let address = plan.address().to_owned();
    let config = format!(
        "[world.zoo]\nplay = \"{}\"\nkind = \"tinymux\"\n[world.Moon]\nplay = \"{address}:1\"\n\
         [[door]]\naddress = \"{address}:4201\"\nworld = \"zoo\"\n",
        world.address()
    );
    (plan.config(&config).start(), world)
}

fn page(backend: &Backend) -> String {
    backend.operator(&["metrics"]).succeeds().out
}

fn of(page: &str, name: &str, world: &str) -> f64 {
    value(page, &format!("ssmglobal_world_{name}{{world=\"{world}\"}}"))
}

fn inside(backend: &Backend, name: &str) -> StrictClient {
    let mut client = StrictClient::to(backend.doors()[1], Profile::tintin().sized(250, 50));
    client.until("<password>");
    client.types(&format!("connect {name} secret-of-{name}"));
    client.until("Limbo\n");
    client
}

#[test]
fn a_world_that_goes_and_comes_back_is_counted_with_those_who_play_it_and_wait_for_it() {
    let (backend, mut world) = two_worlds();
    let before = page(&backend);
    assert_eq!(["playing", "waiting", "alone", "downs_total"].map(|name| of(&before, name, "zoo")), [0.0; 4]);
    assert!(!before.contains("ssmglobal_world_up{"), "nobody has come to one yet: {before}");
    let mut both = ["alice", "bob"].map(|name| inside(&backend, name));
    let up = page(&backend);
    assert_eq!(["up", "playing", "waiting"].map(|name| of(&up, name, "zoo")), [1.0, 2.0, 0.0]);
    assert_eq!(of(&up, "playing", "Moon"), 0.0);
    world.crashes(Cut::Reset);
    both.iter_mut().for_each(|client| drop(client.until("zoo is down.")));
    let down = page(&backend);
    let names = ["up", "playing", "waiting", "downs_total", "returns_total"];
    assert_eq!(names.map(|name| of(&down, name, "zoo")), [0.0, 0.0, 2.0, 1.0, 0.0]);
    world.starts();
    both.iter_mut().for_each(|client| drop(client.until("you are in it as before.")));
    let back = page(&backend);
    assert_eq!(names.map(|name| of(&back, name, "zoo")), [1.0, 2.0, 0.0, 1.0, 2.0]);
}

#[test]
fn status_and_the_list_of_worlds_show_which_are_played_where_and_by_how_many() {
    let (backend, world) = two_worlds();
    let nobody = backend.player("alice");
    backend.ctl(&["world", "add", "Zoo", "alice"]);
    let mut bob = inside(&backend, "bob");
    for words in [&["status"][..], &["world", "list"]] {
        let text = backend.operator(words).succeeds().out;
        let row = text.lines().find(|line| line.starts_with("Zoo ") && line.contains(&world.address()));
        assert!(row.is_some_and(|row| row.contains(" up ")), "{words:?}: {text}");
        assert!(text.lines().any(|line| line.starts_with("Moon ") && line.contains(" unknown ")), "{words:?}: {text}");
    }
    let counts = |up: u32, down: u32, playing: u32, waiting: u32| json!({"worlds_up": up, "worlds_down": down, "playing": playing, "waiting": waiting, "alone": 0});
    has(&backend.ctl(&["status"]), counts(1, 0, 1, 0));
    world.crashes(Cut::Reset);
    bob.until("Zoo is down.");
    has(&backend.ctl(&["status"]), counts(0, 1, 0, 1));
    drop(nobody);
}

#[test]
fn operators_see_which_address_of_a_world_is_used_and_its_owner_does_not() {
    let (backend, world) = two_worlds();
    let mut alice = backend.player("alice");
    backend.ctl(&["world", "add", "Zoo", "alice"]);
    let shown = |backend: &Backend| backend.ctl(&["world", "play", "zoo"])["in_use"].clone();
    assert_eq!(shown(&backend), Value::Null, "nobody has come to it yet");
    let _bob = inside(&backend, "bob");
    assert_eq!(shown(&backend), json!(world.address()));
    backend.operator(&["world", "play", "zoo"]).succeeds().prints(&format!("{} is used now.", world.address()));
    assert_eq!(alice.ok("WORLD PLAY", json!({"name": "zoo"}))["in_use"], Value::Null);
}
