//! What the host of a world hears of those who are in it: also what has happened while it was away, and who may not be there any more.

use crate::harness::{Backend, GameServer, Listener, Program, Session, has, places};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use ssmglobal_ipc::*;
use std::mem::replace;

/// A backend with alice, and a game server that hosts bob's Zoo, where he is and a visitor.
struct Scene {
    backend: Backend,
    alice: Program,
    bob: Program,
    zed: Program,
    arena: GameServer,
    password: String,
}

/// Somebody shows a pass, and is not in the world yet.
fn shown(arena: &mut GameServer, program: &mut Program) -> String {
    let word = program.pass_for("zoo");
    arena.ok("PASS REDEEM", json!({"pass": word, "world": "zoo"}));
    word
}

impl Scene {
    fn new() -> Scene {
        let backend = Backend::start();
        let [alice, mut bob] = ["alice", "bob"].map(|name| backend.player(name));
        let mut arena = backend.game_server("arena");
        let password = backend.world("Zoo", "bob");
        arena.hosts("zoo", &password);
        arena.ok("HOST SAY", json!({"world": "zoo", "closings": true}));
        let mut zed = backend.visitor("zed");
        for guest in [&mut bob, &mut zed] {
            arena.lets_in(guest, "zoo");
        }
        Scene { backend, alice, bob, zed, arena, password }
    }

    /// Another connection of the host, which hosts nothing yet; gives the one before.
    fn another_connection(&mut self) -> GameServer {
        let arena = self.arena.again(&self.backend);
        replace(&mut self.arena, arena)
    }

    fn host_leaves(&mut self) {
        let before = self.another_connection();
        self.backend.see_off(before.into_wire());
    }

    fn host_goes_on(&mut self) {
        assert_eq!(self.arena.hosts("zoo", &self.password)["resumed"], true);
    }

    fn finger(&mut self, who: &str) -> Value {
        self.alice.ok("FINGER", json!({"player": who}))
    }
}

#[test]
fn what_a_host_misses_while_it_is_away_it_hears_when_it_is_back() {
    let mut scene = Scene::new();
    scene.host_leaves();
    scene.backend.ctl(&["right", "grant", "bob", "vip"]);
    scene.backend.kill_handler();
    scene.zed.ok("REGISTER", json!({"name": "zed", "password": "secret-of-zed"}));
    scene.bob.closes(&scene.backend);
    scene.backend.ctl(&["property", "set", "world:Zoo", "gate", "open"]);
    scene.backend.ctl(&["broadcast", "Soon."]);
    let reply = scene.alice.ask("TELL", json!({"to": "bob", "body": "Hello"}));
    has(&reply, json!({"code": "unavailable", "state": "ERROR"}));
    assert_eq!(places(&mut scene.alice, "bob"), ["on Zoo"]);
    assert_eq!(scene.finger("bob")["online"], true, "he is in a world");
    scene.host_goes_on();
    // It names them as it knew them.
    scene.arena.ok("PRESENT", json!({"players": ["bob", "visitor:zed"], "world": "zoo"}));
    assert_eq!(scene.arena.expect_event("guest_rights")["rights"], json!(["vip"]));
    assert_eq!(scene.arena.expect_event("guest_registered")["player"], "zed");
    assert_eq!(scene.arena.expect_event("guest_closed")["player"], "bob");
    assert_eq!(scene.arena.expect_event("property")["value"], "open");
    assert_eq!(scene.arena.expect_event("broadcast")["to"], json!(["bob"]));
    assert_eq!(places(&mut scene.alice, "zed"), ["client", "on Zoo"]);
    // Once.
    scene.host_leaves();
    scene.host_goes_on();
    for event in ["guest_rights", "guest_registered", "guest_closed", "property", "broadcast"] {
        scene.arena.expect_no_event(event);
    }
}

#[test]
fn a_host_that_goes_on_by_another_connection_hears_all_as_before() {
    let mut scene = Scene::new();
    let mut before = scene.another_connection();
    scene.host_goes_on();
    assert_eq!(before.expect_event("world_stopped")["reason"], "taken_over");
    assert_eq!(before.fails("HOST STOP", json!({"world": "zoo"})), "denied");
    assert_eq!(places(&mut scene.alice, "visitor:zed"), ["client", "on Zoo"]);
    scene.bob.closes(&scene.backend);
    assert_eq!(scene.arena.expect_event("guest_closed")["player"], "bob");
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
}

#[test]
fn a_connection_that_closes_while_there_is_no_handler_is_told() {
    let mut scene = Scene::new();
    for who in ["bob", "visitor:zed"] {
        let nobody = scene.backend.program();
        let program = replace(if who == "bob" { &mut scene.bob } else { &mut scene.zed }, nobody);
        let worker = scene.backend.worker_of(who);
        scene.backend.over_the_death_of_the_handler(|| kill(worker, Signal::SIGKILL).expect("it lives"));
        drop(program);
        assert_eq!(scene.arena.expect_event("guest_closed")["player"], who);
    }
    // His name is not his for ever.
    assert_eq!(places(&mut scene.alice, "visitor:zed"), ["on Zoo"]);
    scene.arena.ok("LEAVE", json!({"player": "visitor:zed", "world": "zoo"}));
    scene.backend.visitor("zed");
}

/// A game server hosts bob's Zoo, and wants to hear who closes his last connection.
fn host(listener: &mut Listener) -> Session {
    let key = listener.game_server("arena");
    let mut arena = Session::opened(listener, Mode::Server);
    arena.done(&Request::Auth(Auth { name: "arena".into(), key }));
    let added = listener.ctl(&["world", "add", "Zoo", "bob"]);
    let password = Secret::new(added["password"].as_str().expect("a password"));
    let start = HostStart { world: "Zoo".into(), password, instance: None, address: None, port: 7, version: None };
    arena.done(&Request::HostStart(start));
    let say = HostSay {
        world: "Zoo".into(),
        users: None,
        restricted: None,
        rating: None,
        map: None,
        text: None,
        closings: Some(true),
    };
    arena.done(&Request::HostSay(say));
    arena
}

/// Whoever this is comes into the Zoo.
fn comes_in(guest: &mut Session, arena: &mut Session) {
    let enter = WorldEnter { world: "Zoo".into(), version: None, language: None, charset: None };
    let Reply::WorldEntered(entered) = guest.done(&Request::WorldEnter(enter)) else { panic!("a pass") };
    let (player, world) = (entered.pass.expose().to_owned(), Some("Zoo".into()));
    arena.done(&Request::PassRedeem(PassRedeem { pass: entered.pass, address: None, world: world.clone() }));
    arena.done(&Request::Enter(Visit { player, world }));
}

#[test]
fn an_end_that_the_next_handler_hears_with_its_first_words_is_told() {
    let mut listener = Listener::start();
    let [mut bob, mut zed] = [(); 2].map(|()| Session::opened(&mut listener, Mode::Client));
    let (name, password) = ("bob".to_owned(), Secret::new("long enough"));
    bob.done(&Request::Register(Register { name, password, email: None }));
    zed.done(&Request::Visitor(VisitorName { name: "zed".into() }));
    let mut arena = host(&mut listener);
    for (mut guest, who, late) in [(bob, Party::Player("bob".into()), false), (zed, Party::Visitor("zed".into()), true)]
    {
        // To the handler that there is now.
        guest.link_up();
        comes_in(&mut guest, &mut arena);
        // The handler has not taken over what the one before it knew when it hears of it.
        listener.next_handler_with_the_end_of(&guest.worker);
        if late {
            // Nobody is waited for any longer when the game server is back.
            listener.handler.stderr.wait("have not come back yet");
        }
        arena.link_up();
        let closed = Event::GuestClosed(GuestClosed { world: "Zoo".into(), player: who });
        assert_eq!(arena.hear(1), [closed]);
    }
}

#[test]
fn who_is_disabled_is_in_no_world_any_more() {
    let mut scene = Scene::new();
    let word = scene.bob.pass_for("zoo");
    scene.backend.ctl(&["player", "disable", "bob", "--reason", "Enough."]);
    let event = scene.arena.expect_event("guest_out");
    has(&event, json!({"player": "bob", "world": "Zoo", "msg": "You were logged out by the operator: Enough."}));
    assert_eq!(scene.arena.fails("PASS REDEEM", json!({"pass": word, "world": "zoo"})), "denied");
    assert_eq!((places(&mut scene.alice, "bob").len(), &scene.finger("bob")["online"]), (0, &Value::Bool(false)));
    scene.backend.ctl(&["player", "enable", "bob"]);
    assert_eq!(scene.alice.fails("TELL", json!({"to": "bob", "body": "Hello"})), "not_found");
    // Another password leads out of no world, but ends what was not shown.
    let mut bob = scene.backend.player_again("bob");
    scene.arena.lets_in(&mut bob, "zoo");
    let word = bob.pass_for("zoo");
    let mut command = scene.backend.ctl_command(&["player", "set-password", "bob"]);
    crate::harness::run(&mut command, b"another-secret\n").succeeds();
    assert_eq!(scene.arena.fails("PASS REDEEM", json!({"pass": word, "world": "zoo"})), "denied");
    assert_eq!(places(&mut scene.alice, "bob"), ["on Zoo"]);
    scene.arena.expect_no_event("guest_out");
}

#[test]
fn a_pass_that_was_used_is_known_for_that() {
    let mut scene = Scene::new();
    let first = shown(&mut scene.arena, &mut scene.bob);
    shown(&mut scene.arena, &mut scene.bob);
    assert_eq!(scene.arena.fails("PASS REDEEM", json!({"pass": first, "world": "zoo"})), "used");
}

#[test]
fn a_visitor_by_another_name_stays_in_his_world_by_the_first() {
    let mut scene = Scene::new();
    scene.zed.ok("VISITOR", json!({"name": "zoe"}));
    assert_eq!(scene.arena.expect_event("guest_closed")["player"], "visitor:zed");
    assert_eq!(places(&mut scene.alice, "visitor:zed"), ["on Zoo"]);
    assert_eq!(places(&mut scene.alice, "visitor:zoe"), ["client"]);
    scene.alice.ok("TELL", json!({"to": "visitor:zed", "body": "Hello"}));
    assert_eq!(scene.arena.expect_event("tell")["to"], "visitor:zed");
    scene.arena.ok("LEAVE", json!({"player": "visitor:zed", "world": "zoo"}));
    assert!(places(&mut scene.alice, "visitor:zed").is_empty());
}

#[test]
fn a_visitor_logs_out() {
    let mut scene = Scene::new();
    let word = scene.zed.pass_for("zoo");
    scene.zed.ok("LOGOUT", json!({}));
    assert_eq!(scene.arena.fails("PASS REDEEM", json!({"pass": word, "world": "zoo"})), "expired");
    assert_eq!(scene.zed.fails("LOGOUT", json!({})), "not_logged_in");
    assert_eq!(places(&mut scene.alice, "visitor:zed"), ["on Zoo"]);
}

#[test]
fn who_registers_on_his_way_into_a_world_comes_there() {
    let mut scene = Scene::new();
    // With a pass that he has not shown.
    let mut pia = scene.backend.visitor("pia");
    let word = pia.pass_for("zoo");
    pia.ok("REGISTER", json!({"name": "pia", "password": "secret-of-pia"}));
    let data = scene.arena.ok("PASS REDEEM", json!({"pass": word, "world": "zoo"}));
    has(&data, json!({"player": "pia", "kind": "player"}));
    scene.arena.expect_no_event("guest_registered");
    // With one that he has shown, before he is there; the host knows his first name.
    let mut rex = scene.backend.visitor("rex");
    let word = shown(&mut scene.arena, &mut rex);
    rex.ok("REGISTER", json!({"name": "rexy", "password": "secret-of-rex"}));
    let event = scene.arena.expect_event("guest_registered");
    has(&event, json!({"visitor": "visitor:rex", "player": "rexy"}));
    for name in ["visitor:rex", &word] {
        scene.arena.ok("ENTER", json!({"player": name, "world": "zoo"}));
        assert_eq!(places(&mut scene.alice, "rexy"), ["client", "on Zoo"]);
        scene.arena.ok("LEAVE", json!({"player": name, "world": "zoo"}));
        assert_eq!(places(&mut scene.alice, "rexy"), ["client"]);
    }
}

#[test]
fn what_follows_from_a_login_follows_also_when_the_handler_dies_over_it() {
    let mut scene = Scene::new();
    scene.backend.ctl(&["player", "disable", "bob"]);
    let identity = Backend::plan().environment("SSMGLOBAL_PLAYERS_IDENTITY", "takeover").start();
    for n in 0..12 {
        let name = format!("p{n}");
        let mut first = identity.player(&name);
        let mut second = identity.program();
        let args = json!({"name": name, "password": format!("secret-of-{name}")});
        second.send_line(json!({"id": 1, "cmd": "LOGIN", "args": args}).to_string());
        identity.ctl(&["status"]);
        identity.kill_handler_at_work();
        assert_eq!(second.reply()["state"], "OK");
        first.expect_event("taken_over");
        let name = format!("v{n}");
        let mut guest = scene.backend.visitor(&name);
        scene.arena.lets_in(&mut guest, "zoo");
        let args = json!({"name": name, "password": "secret-of-a-guest"});
        guest.send_line(json!({"id": 1, "cmd": "REGISTER", "args": args}).to_string());
        scene.backend.ctl(&["status"]);
        scene.backend.kill_handler_at_work();
        assert_eq!(guest.reply()["state"], "OK");
        assert_eq!(scene.arena.expect_event("guest_registered")["player"], *name);
    }
}

#[test]
fn visitors_that_take_over_from_each_other_are_slowed_down() {
    let backend = Backend::start();
    let mut programs = [backend.program(), backend.program()];
    let fight = json!({"name": "zed"});
    programs[1].ok("VISITOR", fight.clone());
    for turn in 0..5 {
        programs[turn % 2].ok("VISITOR", fight.clone());
        programs[(turn + 1) % 2].expect_event("taken_over");
        programs[(turn + 1) % 2].expect_no_event("taken_over");
    }
    assert_eq!(programs[1].fails("VISITOR", fight.clone()), "slow_down");
    let backend = Backend::plan().environment("SSMGLOBAL_PLAYERS_IDENTITY", "refuse").start();
    let mut programs = [backend.program(), backend.program()];
    programs[0].ok("VISITOR", fight.clone());
    assert_eq!(programs[1].fails("VISITOR", fight), "already_on");
}

#[test]
fn that_somebody_is_in_a_hidden_world_is_for_him_its_owner_and_operators() {
    let mut scene = Scene::new();
    let mut olga = scene.backend.player("olga");
    scene.backend.ctl(&["right", "grant", "olga", "operator"]);
    let world = |asker: &mut Program| {
        let list = asker.ok("LIST USERS", json!({}));
        let rows = list["rows"].as_array().expect("a list").iter();
        rows.filter(|row| row["name"] == "visitor:zed").map(|row| row["world"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((world(&mut scene.alice), world(&mut olga)), (vec![json!("Zoo")], vec![json!("Zoo")]));
    scene.alice.ok("LIST WATCH", json!({"list": "users"}));
    scene.backend.ctl(&["world", "change", "zoo", "--hidden"]);
    let told = scene.alice.expect_event("list");
    assert_eq!(told["rows"].as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!((world(&mut scene.alice), world(&mut olga)), (vec![Value::Null], vec![json!("Zoo")]));
    assert_eq!(places(&mut scene.alice, "visitor:zed"), ["client", "in a world"]);
    assert_eq!(scene.finger("visitor:zed")["worlds"], json!([]));
    for asker in [&mut scene.bob, &mut olga, &mut scene.zed] {
        assert_eq!(places(asker, "visitor:zed"), ["client", "on Zoo"]);
        assert_eq!(asker.ok("FINGER", json!({"player": "visitor:zed"}))["worlds"], json!(["Zoo"]));
    }
}

#[test]
fn what_was_missed_comes_also_where_the_word_to_go_on_had_to_wait() {
    let mut scene = Scene::new();
    scene.host_leaves();
    scene.backend.ctl(&["right", "grant", "bob", "vip"]);
    // The first reads what is kept, and what is behind it waits for that.
    let start = json!({"world": "zoo", "password": scene.password, "port": 7777});
    let asked = [json!({"cmd": "FINGER", "args": {"player": "bob"}}), json!({"cmd": "HOST START", "args": start})];
    scene.arena.send_line(asked.map(|line| line.to_string()).join("\r\n"));
    for _ in 0..2 {
        assert_eq!(scene.arena.reply()["state"], "OK");
    }
    assert_eq!(scene.arena.expect_event("guest_rights")["rights"], json!(["vip"]));
}
