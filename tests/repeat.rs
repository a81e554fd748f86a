//! What a program has to say again: after a death of the handler nothing, after a restart of everything all that its connection
//! stood for. The page names it: "What must be said again".

use crate::harness::{Backend, GameServer, Program, Wire, has, places};
use serde_json::{Value, json};

/// The page, which names all that is tried here.
const PAGE: &str = include_str!("../docs/protocol.md");

/// A game server with a world and a player, and a program that watches all that can be watched.
struct Scene {
    backend: Backend,
    password: String,
    arena: GameServer,
    desert: GameServer,
    alice: Program,
    bob: Program,
    round: i64,
}

impl Scene {
    fn new() -> Scene {
        let backend = Backend::start();
        let [alice, bob] = ["alice", "bob"].map(|name| backend.player(name));
        let [arena, desert] = ["arena", "desert"].map(|name| backend.game_server(name));
        backend.ctl(&["board", "define", "sprint", "--unit", "ms", "--better", "higher"]);
        let password = backend.world("Zoo", "bob");
        Scene { backend, password, arena, desert, alice, bob, round: 0 }
    }

    /// All that the page says is to be said again, but for who one is.
    fn says_all(&mut self) {
        let Scene { arena, alice, bob, .. } = self;
        let arena_says = [
            ("STATUS SET", json!({"map": "dunes", "players": 1, "max": 8})),
            ("RELAY JOIN", json!({"channel": "lobby"})),
            ("HOST START", json!({"world": "Zoo", "password": self.password, "port": 7777})),
            ("ENTER", json!({"player": "alice"})),
        ];
        let alice_says = [
            ("RECORD WATCH", json!({"board": "sprint"})),
            ("UNIVERSE WATCH", json!({})),
            ("LIST WATCH", json!({"list": "worlds"})),
            ("PROPERTY WATCH", json!({"of": "bob"})),
        ];
        for (who, said) in [(&mut **arena, arena_says), (alice, alice_says)] {
            for (cmd, args) in said {
                assert!(PAGE.contains(&format!("`{cmd}`")), "{cmd} is not on the page");
                who.ok(cmd, args);
            }
        }
        arena.lets_in(bob, "zoo");
    }

    /// Whether all of it holds, or nothing.
    fn check(&mut self, holds: bool) {
        let Scene { backend, arena, desert, alice, bob, round, .. } = self;
        *round += 1;
        let is_listed = |list: &Value, name| list.as_array().expect("a list").iter().any(|row| row["name"] == name);
        let worlds = alice.ok("WORLDS", json!({}));
        for world in ["arena", "Zoo"] {
            assert_eq!(is_listed(&worlds["worlds"], world), holds, "{world}: {worlds}");
        }
        let at = |who: &mut Program, name, place: &str| places(who, name).contains(&place.to_owned());
        assert_eq!((at(bob, "alice", "on arena"), at(bob, "bob", "on Zoo")), (holds, holds));
        // What is told.
        desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "Hello"}));
        desert.ok("RECORD SUBMIT", json!({"board": "sprint", "player": "bob", "score": *round}));
        backend.ctl(&["universe", "set", "name", &format!("round {round}")]);
        bob.ok("PROPERTY SET", json!({"of": "bob", "name": "motto", "value": round.to_string(), "push": true}));
        desert.ok("STATUS SET", json!({"map": "dunes", "players": *round, "max": 8}));
        if holds {
            has(&arena.expect_event("relay"), json!({"from": "server:desert", "body": "Hello"}));
            for event in ["record", "universe", "property", "list"] {
                alice.expect_event(event);
            }
        }
        arena.expect_no_event("relay");
        for event in ["record", "universe", "property"] {
            alice.expect_no_event(event);
        }
    }
}

#[test]
fn nothing_is_said_again_after_a_death_of_the_handler_and_all_after_a_restart_of_everything() {
    let mut scene = Scene::new();
    scene.check(false);
    scene.says_all();
    scene.check(true);
    scene.backend.kill_handler();
    scene.check(true);
    // Whoever was connected is told that it ends; he comes again, and only says who he is.
    scene.backend.stop();
    for program in [&mut *scene.arena, &mut scene.alice] {
        program.expect_event("notice");
    }
    scene.backend.start_again();
    let mut nobody = scene.backend.program();
    assert_eq!(nobody.fails("MAIL LIST", json!({})), "not_logged_in");
    scene.arena = scene.arena.again(&scene.backend);
    scene.desert = scene.desert.again(&scene.backend);
    [scene.alice, scene.bob] = ["alice", "bob"].map(|name| scene.backend.player_again(name));
    scene.check(false);
    scene.says_all();
    scene.check(true);
}

#[test]
fn what_has_no_disk_is_gone_with_everything_and_what_is_kept_is_not() {
    let mut scene = Scene::new();
    let Scene { backend, password, arena, desert, bob, .. } = &mut scene;
    arena.ok("HOST START", json!({"world": "Zoo", "password": password, "port": 7777}));
    let pass = bob.pass_for("zoo");
    let submit = json!({"board": "sprint", "player": "bob", "score": 7});
    let say = json!({"channel": "lobby", "body": "Once?"});
    let kept = arena.ask_under("a", "RECORD SUBMIT", &submit)["data"].clone();
    let sent = arena.ask_under("b", "RELAY SEND", &say)["data"].clone();
    let list = bob.ok("LIST WORLDS", json!({}));
    let joined = desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
    let zed = backend.visitor("zed");
    backend.see_off(zed.wire);
    let from_elsewhere = |backend: &Backend| Program::over(Wire::from("127.0.0.3", backend.at()), "CLIENT");
    assert_eq!(from_elsewhere(backend).fails("VISITOR", json!({"name": "zed"})), "exists");
    backend.restart();
    from_elsewhere(backend).ok("VISITOR", json!({"name": "zed"}));
    let (mut arena, mut desert) = (arena.again(backend), desert.again(backend));
    let mut bob = backend.player_again("bob");
    // The same under the same key was done, and is not done again, also what is told and not kept.
    assert_eq!(arena.ask_under("a", "RECORD SUBMIT", &submit)["data"], kept);
    assert_eq!(arena.ask_under("b", "RELAY SEND", &say)["data"], sent);
    // What was said on the channel is gone, and nobody knows how much.
    let since = json!({"channel": "lobby", "since": joined["number"], "epoch": joined["epoch"]});
    has(&desert.ok("RELAY JOIN", since), json!({"missed": null, "waiting": 0}));
    // The world is free, and a pass that was not shown is none any more.
    let hosted = arena.ok("HOST START", json!({"world": "Zoo", "password": password, "port": 7777}));
    has(&hosted, json!({"resumed": false}));
    assert_eq!(arena.fails("PASS REDEEM", json!({"pass": pass, "world": "zoo"})), "not_found");
    assert_eq!(arena.fails("ENTER", json!({"player": "bob", "world": "zoo"})), "denied");
    // A list comes as a whole.
    let args = json!({"epoch": list["epoch"], "serial": list["serial"]});
    assert_eq!(bob.ok("LIST WORLDS", args)["whole"], true);
}
