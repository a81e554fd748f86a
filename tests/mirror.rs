//! Lists that clients mirror: worlds and users, read and watched, over changes, reconnects and deaths of the handler.

use crate::harness::{Backend, GameServer, Person, Program, program_of_version};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// A list as a client keeps it, which does what the page says.
pub struct Mirror {
    list: &'static str,
    at: Option<(u64, u64)>,
    /// By name.
    pub rows: BTreeMap<String, Value>,
    /// How often all of it has come.
    pub wholes: u32,
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a number: {value}"))
}

fn names(values: &Value) -> Vec<&str> {
    let name = |value: &'_ Value| value.as_str().is_some();
    let values = values.as_array().expect("a list");
    values.iter().map(|value| if name(value) { value } else { &value["name"] }.as_str().expect("a name")).collect()
}

impl Mirror {
    fn of(list: &'static str) -> Mirror {
        Mirror { list, at: None, rows: BTreeMap::new(), wholes: 0 }
    }

    fn args(&self) -> Value {
        match self.at {
            Some((epoch, serial)) => json!({"epoch": epoch, "serial": serial}),
            None => json!({}),
        }
    }

    /// One page.
    fn page(&mut self, program: &mut Program, limit: u32) -> Value {
        let mut args = self.args();
        args["limit"] = limit.into();
        let data = program.ok(&format!("LIST {}", self.list.to_uppercase()), args);
        if data["whole"] == true {
            self.rows.clear();
            self.wholes += 1;
        }
        self.take(&data);
        data
    }

    /// Up to the end.
    fn read(&mut self, program: &mut Program, limit: u32) {
        while self.page(program, limit)["more"] == true {}
    }

    fn take(&mut self, data: &Value) {
        for name in names(&data["gone"]) {
            self.rows.remove(name);
        }
        for row in data["rows"].as_array().expect("rows") {
            self.rows.insert(row["name"].as_str().expect("a name").to_owned(), row.clone());
        }
        self.at = Some((number(&data["epoch"]), number(&data["serial"])));
    }

    /// Watches from here on.
    pub fn watch(&mut self, program: &mut Program) {
        let mut args = self.args();
        args["list"] = self.list.into();
        let data = program.ok("LIST WATCH", args);
        let at = Some((number(&data["epoch"]), number(&data["serial"])));
        if at != self.at {
            self.read(program, 100);
        }
    }

    /// Takes over the next event; gives it.
    pub fn hear(&mut self, program: &mut Program) -> Value {
        let event = program.expect_event("list");
        assert_eq!(event["list"], self.list);
        match self.at == Some((number(&event["epoch"]), number(&event["from"]))) {
            true => self.take(&event),
            false => self.read(program, 100),
        }
        event
    }

    fn names(&self) -> Vec<&str> {
        self.rows.keys().map(String::as_str).collect()
    }
}

/// All of a list, as it is now.
pub fn fresh(program: &mut Program, list: &'static str) -> Mirror {
    let mut mirror = Mirror::of(list);
    mirror.read(program, 1000);
    assert_eq!(mirror.wholes, 1);
    mirror
}

fn licensed(backend: &Backend, world: &str, owner: &str) -> String {
    backend.ctl(&["world", "add", world, owner])["password"].as_str().expect("a password").to_owned()
}

fn host(server: &mut GameServer, world: &str, password: &str) {
    server.ok("HOST START", json!({"world": world, "password": password, "port": 7777}));
}

/// A backend with bob and alice, an operator, and a game server that hosts bob's Zoo.
struct Scene {
    backend: Backend,
    bob: Program,
    alice: Program,
    olga: Program,
    arena: GameServer,
    password: String,
}

impl Scene {
    fn new() -> Scene {
        let backend = Backend::start();
        let [bob, alice, olga] = ["bob", "alice", "olga"].map(|name| Program::registered(&backend, name));
        backend.ctl(&["right", "grant", "olga", "operator"]);
        let mut arena = GameServer::added(&backend, "arena");
        let password = licensed(&backend, "Zoo", "bob");
        host(&mut arena, "zoo", &password);
        Scene { backend, bob, alice, olga, arena, password }
    }

    fn change(&self, words: &[&str]) {
        self.backend.ctl(&[&["world", "change", "zoo"], words].concat());
    }
}

#[test]
fn worlds_are_there_as_long_as_they_are_and_a_day_longer() {
    let mut scene = Scene::new();
    let mut mirror = fresh(&mut scene.alice, "worlds");
    let zoo = |status: &str, users: u32, max: u32, rating: &str, description: &str| {
        json!({
            "name": "Zoo", "status": status, "users": users, "max": max, "rating": rating,
            "description": description, "listed": true,
        })
    };
    assert_eq!(mirror.rows["Zoo"], zoo("public", 0, 50, "G", ""));
    let said = json!({"world": "zoo", "users": 7, "restricted": true, "rating": "PG", "text": "feeding time"});
    scene.arena.ok("HOST SAY", said);
    scene.change(&["--users", "40", "--comment", "animals"]);
    let page = mirror.page(&mut scene.alice, 10);
    assert_eq!((&page["whole"], &page["more"]), (&false.into(), &false.into()));
    assert_eq!(mirror.rows["Zoo"], zoo("restricted", 7, 40, "PG", "feeding time"));
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    scene.change(&["--users", "41"]);
    mirror.read(&mut scene.alice, 10);
    assert_eq!(mirror.rows["Zoo"], zoo("stopped", 0, 41, "PG", "animals"));
    // A game server that shows itself.
    scene.arena.ok("STATUS SET", json!({"map": "harbour", "players": 3, "max": 16, "text": "come in"}));
    mirror.read(&mut scene.alice, 10);
    let arena = &mirror.rows["arena"];
    assert_eq!((&arena["users"], &arena["max"], &arena["description"]), (&3.into(), &16.into(), &"come in".into()));
    scene.arena.ok("STATUS CLEAR", json!({}));
    scene.backend.ctl(&["world", "delete", "zoo"]);
    let page = mirror.page(&mut scene.alice, 10);
    assert_eq!((names(&page["gone"]), names(&page["rows"]).len()), (vec!["arena", "Zoo"], 0));
    assert_eq!((mirror.rows.len(), mirror.wholes), (0, 1));
}

#[test]
fn a_hidden_world_is_its_owners_and_the_operators() {
    let mut scene = Scene::new();
    let mut mirrors = [(); 3].map(|()| Mirror::of("worlds"));
    let mut read = |scene: &mut Scene| {
        let programs = [&mut scene.alice, &mut scene.bob, &mut scene.olga];
        let pages = programs.into_iter().zip(&mut mirrors).map(|(program, mirror)| {
            let page = mirror.page(program, 100);
            let gone = page["gone"].as_array().expect("a list").len();
            (mirror.rows.contains_key("Zoo"), gone, mirror.wholes)
        });
        <[(bool, usize, u32); 3]>::try_from(pages.collect::<Vec<_>>()).expect("three")
    };
    assert_eq!(read(&mut scene), [(true, 0, 1); 3]);
    scene.change(&["--hidden"]);
    // Its owner has something of his own to see now.
    assert_eq!(read(&mut scene), [(false, 1, 1), (true, 0, 2), (true, 0, 1)]);
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 5}));
    assert_eq!(read(&mut scene), [(false, 0, 1), (true, 0, 2), (true, 0, 1)]);
    assert_eq!(fresh(&mut scene.alice, "worlds").names(), [""; 0]);
    scene.change(&["--listed"]);
    assert_eq!(read(&mut scene), [(true, 0, 1), (true, 0, 3), (true, 0, 1)]);
    // A game server sees what everybody sees.
    scene.change(&["--hidden"]);
    assert_eq!(fresh(&mut scene.arena, "worlds").names(), [""; 0]);
    // Another owner, and nobody is one any more who logs out.
    scene.change(&["--owner", "alice"]);
    assert_eq!(read(&mut scene), [(true, 0, 2), (false, 0, 4), (true, 0, 1)]);
    scene.alice.ok("LOGOUT", json!({}));
    assert_eq!(read(&mut scene), [(false, 0, 3), (false, 0, 4), (true, 0, 1)]);
}

#[test]
fn users_are_those_who_are_on_and_operators_see_more_of_them() {
    let mut scene = Scene::new();
    let mut all = fresh(&mut scene.bob, "users");
    assert_eq!(all.names(), ["alice", "bob", "olga"]);
    let keys: Vec<&String> = all.rows["alice"].as_object().expect("a row").keys().collect();
    assert_eq!(keys, ["name", "number", "state", "world"]);
    let mut operators = fresh(&mut scene.olga, "users");
    let here = scene.alice.wire.stream.local_addr().expect("an address").ip().to_string();
    assert_eq!(
        (&operators.rows["alice"]["address"], &operators.rows["olga"]["rights"]),
        (&here.into(), &json!(["operator"]))
    );
    scene.backend.ctl(&["right", "grant", "alice", "vip"]);
    operators.read(&mut scene.olga, 100);
    assert_eq!((&operators.rows["alice"]["rights"], operators.wholes), (&json!(["vip"]), 1));
    // In a world, and in the world alone.
    let entered = scene.alice.ok("WORLD ENTER", json!({"world": "zoo"}));
    scene.arena.ok("PASS REDEEM", json!({"pass": entered["pass"], "world": "zoo"}));
    scene.arena.ok("ENTER", json!({"player": "alice", "world": "zoo"}));
    all.read(&mut scene.bob, 1);
    assert_eq!(all.rows["alice"]["world"], "Zoo");
    let nobody = Program::at(&scene.backend);
    scene.backend.see_off(std::mem::replace(&mut scene.alice, nobody).wire);
    operators.read(&mut scene.olga, 1);
    assert_eq!((&operators.rows["alice"]["world"], &operators.rows["alice"]["address"]), (&"Zoo".into(), &Value::Null));
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(names(&all.page(&mut scene.bob, 100)["gone"]), ["alice"]);
    assert_eq!(all.wholes, 1);
    // What somebody has given as his e-mail address, also when another handler shows it.
    let mut zoe = Program::at(&scene.backend);
    zoe.ok("REGISTER", json!({"name": "zoe", "password": "secret-of-zoe", "email": "zoe@example.org"}));
    operators.read(&mut scene.olga, 1);
    assert_eq!(
        (&operators.rows["zoe"]["email"], &operators.rows["olga"]["email"]),
        (&"zoe@example.org".into(), &Value::Null)
    );
    let mut person = Person::at(&scene.backend);
    person.ask("LOGIN olga secret-of-olga");
    assert!(person.ask("LIST USERS").contains("zoe@example.org"));
    scene.backend.see_off(person.wire);
    scene.backend.kill_handler();
    assert_eq!(fresh(&mut scene.olga, "users").rows, operators.rows);
    all.read(&mut scene.bob, 100);
    assert_eq!(all.rows["zoe"].get("email"), None);
    // Who is an operator no longer sees no more than others.
    scene.backend.ctl(&["right", "revoke", "olga", "operator"]);
    operators.read(&mut scene.olga, 100);
    assert_eq!((operators.wholes, operators.rows), (2, all.rows));
}

#[test]
fn without_a_user_list_only_operators_and_game_servers_read_and_hear_it() {
    let mut scene = Scene::new();
    let (mut his, mut operators) = (fresh(&mut scene.bob, "users"), fresh(&mut scene.olga, "users"));
    his.watch(&mut scene.bob);
    operators.watch(&mut scene.olga);
    scene.backend.ctl(&["universe", "set", "users", "off"]);
    for (cmd, args) in [("LIST USERS", json!({})), ("LIST WATCH", json!({"list": "users"}))] {
        assert_eq!(scene.alice.fails(cmd, args.clone()), "denied");
        scene.arena.ok(cmd, args);
    }
    let _carol = Program::registered(&scene.backend, "carol");
    while !operators.names().contains(&"carol") {
        operators.hear(&mut scene.olga);
    }
    scene.bob.expect_no_event("list");
    // He goes on where he was.
    scene.backend.ctl(&["universe", "reset", "users"]);
    assert_eq!(names(&his.hear(&mut scene.bob)["rows"]), ["carol"]);
    assert_eq!(his.wholes, 1);
}

#[test]
fn who_watches_hears_the_first_change_at_once_and_then_the_latest_state_of_each_row() {
    let mut scene = Scene::new();
    let mut mirror = fresh(&mut scene.bob, "worlds");
    mirror.watch(&mut scene.bob);
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 1}));
    let event = mirror.hear(&mut scene.bob);
    assert_eq!((&event["rows"][0]["users"], names(&event["rows"]).len()), (&1.into(), 1));
    for users in 2..=200 {
        scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": users}));
    }
    let last = fresh(&mut scene.alice, "worlds");
    let mut events = 0;
    while mirror.at < last.at {
        let event = mirror.hear(&mut scene.bob);
        assert_eq!(names(&event["rows"]), ["Zoo"]);
        events += 1;
    }
    assert!(events < 100, "{events}");
    assert_eq!((mirror.rows["Zoo"]["users"].as_u64(), mirror.wholes), (Some(200), 1));
    scene.bob.ok("LIST UNWATCH", json!({"list": "WORLDS"}));
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 0}));
    scene.bob.expect_no_event("list");
    // Who comes back with what he has is told the rest at once.
    mirror.watch(&mut scene.bob);
    mirror.hear(&mut scene.bob);
    assert_eq!((mirror.rows["Zoo"]["users"].as_u64(), mirror.wholes), (Some(0), 1));
    // A list that looks another way for him is told to be one.
    scene.bob.ok("LIST WATCH", json!({"list": "users"}));
    scene.change(&["--hidden"]);
    mirror.hear(&mut scene.bob);
    assert_eq!((mirror.names(), mirror.wholes), (vec!["Zoo"], 2));
    assert_eq!(scene.bob.fails("LIST WATCH", json!({"list": "boards"})), "invalid");
}

#[test]
fn serials_go_on_over_deaths_and_upgrades_of_the_handler() {
    let mut scene = Scene::new();
    let mut carol = Program::registered(&scene.backend, "carol");
    let (mut worlds, mut users) = (fresh(&mut scene.bob, "worlds"), fresh(&mut scene.bob, "users"));
    worlds.watch(&mut scene.bob);
    users.watch(&mut scene.bob);
    let asks = |users: &Mirror| Mirror { at: users.at, rows: users.rows.clone(), ..Mirror::of("users") };
    let mut asker = asks(&users);
    scene.backend.kill_handler();
    let page = asker.page(&mut scene.alice, 100);
    assert_eq!((&page["whole"], names(&page["rows"]).len() + names(&page["gone"]).len()), (&false.into(), 0), "{page}");
    carol.ok("LOGOUT", json!({}));
    assert_eq!(names(&users.hear(&mut scene.bob)["gone"]), ["carol"]);
    scene.backend.kill_handler();
    let page = asker.page(&mut scene.alice, 100);
    assert_eq!((names(&page["gone"]), names(&page["rows"]).len()), (vec!["carol"], 0));
    let path = scene.backend.file("other");
    program_of_version("9.8.7", &path);
    scene.backend.ctl(&["upgrade", "--binary", path.to_str().expect("a path")]);
    scene.arena.ok("HOST SAY", json!({"world": "zoo", "users": 9}));
    assert_eq!(worlds.hear(&mut scene.bob)["rows"][0]["users"], 9);
    carol.login("carol");
    assert_eq!(names(&users.hear(&mut scene.bob)["rows"]), ["carol"]);
    assert_eq!(names(&asker.page(&mut scene.alice, 100)["rows"]), ["carol"]);
    assert_eq!((worlds.wholes, users.wholes, asker.wholes), (1, 1, 0));
    // When everything was stopped it is another list.
    let key = scene.arena.key.clone();
    scene.backend.restart();
    let mut alice = Program::logged_in(&scene.backend, "alice");
    let mut arena = GameServer::with_key(&scene.backend, "arena", key);
    asker.read(&mut alice, 100);
    assert_eq!((asker.names(), asker.wholes), (vec!["alice"], 1));
    host(&mut arena, "zoo", &scene.password);
    worlds.read(&mut alice, 100);
    assert_eq!((worlds.names(), worlds.wholes), (vec!["Zoo"], 2));
}

#[test]
fn worlds_that_were_there_before_everything_was_stopped_stay_for_their_day() {
    let mut scene = Scene::new();
    let moon = licensed(&scene.backend, "Moon", "bob");
    host(&mut scene.arena, "moon", &moon);
    scene.arena.ok("HOST STOP", json!({"world": "moon"}));
    licensed(&scene.backend, "Mars", "bob");
    let status = |backend: &Backend| {
        let rows = fresh(&mut Program::logged_in(backend, "bob"), "worlds").rows;
        rows.into_iter().map(|(name, row)| (name, row["status"].as_str().unwrap_or_default().to_owned())).collect()
    };
    let stopped = |names: &[&str]| -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), "stopped".to_owned())).collect()
    };
    let key = scene.arena.key.clone();
    scene.backend.stop();
    let store = ssmglobal_store::open(&scene.backend.data().join("ssmglobal.db"), Duration::ZERO).expect("a database");
    let mut ended = Vec::new();
    let reader = store.reader().expect("a reader");
    reader.licences(&mut |licence| ended.extend(licence.stopped.map(|_| licence.name))).expect("it reads");
    ended.sort();
    assert_eq!(ended, ["Moon", "Zoo"], "the one by a word, and the other with the backend");
    drop((reader, store));
    scene.backend.start_again();
    let there: Vec<(String, String)> = status(&scene.backend);
    assert_eq!(there, stopped(&["Moon", "Zoo"]));
    // Where nobody saw them stop they were there when they were started.
    let mut arena = GameServer::with_key(&scene.backend, "arena", key);
    host(&mut arena, "zoo", &scene.password);
    scene.backend.signal_all(Signal::SIGKILL);
    scene.backend.wait();
    scene.backend.start_again();
    let there: Vec<(String, String)> = status(&scene.backend);
    assert_eq!(there, stopped(&["Moon", "Zoo"]));
    assert_eq!(scene.backend.ctl(&["verify"])["ok"], true);
}

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const WORLDS: [&str; 4] = ["Zoo", "Moon", "Mars", "Reef"];

/// What changes lists, at random.
struct Storm {
    scene: Scene,
    dice: Dice,
    castle: GameServer,
    passwords: Vec<String>,
    guests: Vec<Program>,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let scene = Scene::new();
        let castle = GameServer::added(&scene.backend, "castle");
        let further = WORLDS[1..].iter().map(|world| licensed(&scene.backend, world, "alice"));
        let passwords = [scene.password.clone()].into_iter().chain(further).collect();
        let guests = (0..4).map(|n| Program::registered(&scene.backend, &format!("guest{n}"))).collect();
        Storm { scene, dice: Dice(seed), castle, passwords, guests }
    }

    fn step(&mut self) {
        let which = self.dice.roll(4) as usize;
        let (world, guest) = (WORLDS[which], &mut self.guests[which]);
        let (some, arena, backend) = (self.dice.roll(50), &mut self.scene.arena, &self.scene.backend);
        match self.dice.roll(24) {
            0..=3 => host(arena, world, &self.passwords[which]),
            4..=10 => drop(arena.ask("HOST SAY", json!({"world": world, "users": some, "restricted": some > 25}))),
            11 => arena.ok("HOST STOP", json!({"world": world})).as_null().unwrap_or(()),
            12..=14 => drop(self.castle.ok("STATUS SET", json!({"map": "m", "players": some, "max": 50}))),
            15 => drop(self.castle.ok("STATUS CLEAR", json!({}))),
            16 => drop(backend.ctl(&["world", "change", world, if some > 25 { "--hidden" } else { "--listed" }])),
            17 => drop(guest.ask("LOGOUT", json!({}))),
            18..=19 => drop(guest.login(&format!("guest{which}"))),
            20 => {
                let args = json!({"player": format!("guest{which}")});
                drop(self.castle.ask(if some > 25 { "ENTER" } else { "LEAVE" }, args));
            }
            21 => {
                let new = Program::at(backend);
                backend.see_off(std::mem::replace(guest, new).wire);
            }
            22 if some > 40 => backend.kill_handler(),
            _ => {
                let key = self.castle.key.clone();
                let new = GameServer::with_key(backend, "castle", key);
                backend.see_off(std::mem::replace(&mut self.castle, new).into_wire());
            }
        }
    }

    /// Many changes, sent ahead of their answers, over the handler's death where it is to die.
    fn burst(&mut self, count: usize, dies: bool) {
        for _ in 0..count {
            let which = self.dice.roll(4) as usize;
            let (world, guest, some) = (WORLDS[which], format!("guest{which}"), self.dice.roll(50));
            let (server, cmd, args) = match self.dice.roll(8) {
                0..=3 => (0, "HOST SAY", json!({"world": world, "users": some, "restricted": some > 25})),
                4 => (1, "STATUS SET", json!({"map": "m", "players": some, "max": 50})),
                5 => (1, "ENTER", json!({"player": guest})),
                6 => (1, "LEAVE", json!({"player": guest})),
                _ => (0, if some > 25 { "ENTER" } else { "LEAVE" }, json!({"player": guest, "world": world})),
            };
            let server = if server == 0 { &mut self.scene.arena } else { &mut self.castle };
            server.send_line(json!({"id": 1, "cmd": cmd, "args": args}).to_string());
        }
        if dies {
            self.scene.backend.kill_handler();
        }
        // What was asked last is answered last.
        for server in [&mut self.scene.arena, &mut self.castle] {
            server.send_line(r#"{"id": 2, "cmd": "WHOAMI"}"#);
            while server.reply()["id"] != 2 {}
        }
    }
}

#[test]
fn mirrors_are_what_the_lists_are_after_ten_thousand_changes_reconnects_and_deaths() {
    let mut storm = Storm::new(7);
    let lists = ["worlds", "users"];
    // One that asks now and then, over connections that change; one that watches; an operator who watches.
    let mut asks = lists.map(Mirror::of);
    let mut watchers = [Program::at(&storm.scene.backend), Program::logged_in(&storm.scene.backend, "olga")];
    let mut watches = [(); 2].map(|()| lists.map(Mirror::of));
    for (program, mirrors) in watchers.iter_mut().zip(&mut watches) {
        mirrors.iter_mut().for_each(|mirror| mirror.watch(program));
    }
    for round in 0..25 {
        for _ in 0..14 {
            storm.step();
        }
        storm.burst(700, round % 5 == 4);
        let mut other = Program::at(&storm.scene.backend);
        for mirror in &mut asks {
            mirror.read(&mut other, 1 + round % 4);
            let truth = fresh(&mut other, mirror.list);
            assert_eq!((&mirror.rows, mirror.at), (&truth.rows, truth.at), "round {round}");
        }
        let olgas = lists.map(|list| fresh(&mut storm.scene.olga, list));
        let (everybodys, hers) = ([&asks[0], &asks[1]], [&olgas[0], &olgas[1]]);
        for (program, (mirrors, truth)) in watchers.iter_mut().zip(watches.iter_mut().zip([everybodys, hers])) {
            hear_all(program, mirrors, truth);
        }
        is_the_truth(&mut other, &asks);
    }
    let changes: u64 = asks.iter().filter_map(|mirror| Some(mirror.at?.1)).sum();
    assert!(changes >= 10_000, "{changes}");
    assert_eq!(asks.map(|mirror| mirror.wholes), [1, 1]);
    assert_eq!(watches.map(|mirrors| mirrors.map(|mirror| mirror.wholes)), [[1, 1]; 2]);
}

/// Both lists are watched on one connection, and what is heard follows on what was heard before, until both are what they are to be.
fn hear_all(program: &mut Program, mirrors: &mut [Mirror; 2], truth: [&Mirror; 2]) {
    while (0..2).any(|list| mirrors[list].rows != truth[list].rows) {
        let event = program.expect_event("list");
        let mirror = mirrors.iter_mut().find(|mirror| event["list"] == mirror.list).expect("a list");
        assert_eq!(mirror.at, Some((number(&event["epoch"]), number(&event["from"]))), "{event}");
        mirror.take(&event);
    }
}

/// What other commands say of the same.
fn is_the_truth(program: &mut Program, mirrors: &[Mirror; 2]) {
    let worlds = program.ok("WORLDS", json!({"limit": 100}));
    let open = mirrors[0].rows.values().filter(|row| row["status"] != "stopped");
    let open: Vec<(&str, &Value)> = open.map(|row| (row["name"].as_str().expect("a name"), &row["users"])).collect();
    let mut said: Vec<(&str, &Value)> = names(&worlds["worlds"])
        .into_iter()
        .zip(worlds["worlds"].as_array().expect("worlds").iter().map(|row| &row["players"]))
        .collect();
    said.sort_by_key(|(name, _)| *name);
    assert_eq!(open, said);
    let who = program.ok("WHO", json!({"limit": 100}));
    let mut there: Vec<&str> =
        who["players"].as_array().expect("players").iter().map(|row| row["player"].as_str().expect("a name")).collect();
    there.sort_unstable();
    there.dedup();
    assert_eq!(mirrors[1].names(), there);
}
