//! Lists that clients mirror: worlds and users, read and watched, over changes, reconnects and deaths of the handler.

mod storm;
mod watched;

use crate::harness::{Backend, GameServer, Program, has};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
        let [bob, alice, olga] = ["bob", "alice", "olga"].map(|name| backend.player(name));
        backend.ctl(&["right", "grant", "olga", "operator"]);
        let mut arena = backend.game_server("arena");
        let password = backend.world("Zoo", "bob");
        arena.hosts("zoo", &password);
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
    has(&page, json!({"whole": false, "more": false}));
    assert_eq!(mirror.rows["Zoo"], zoo("restricted", 7, 40, "PG", "feeding time"));
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    scene.change(&["--users", "41"]);
    mirror.read(&mut scene.alice, 10);
    assert_eq!(mirror.rows["Zoo"], zoo("stopped", 0, 41, "PG", "animals"));
    // A game server that shows itself.
    scene.arena.ok("STATUS SET", json!({"map": "harbour", "players": 3, "max": 16, "text": "come in"}));
    mirror.read(&mut scene.alice, 10);
    let arena = &mirror.rows["arena"];
    has(arena, json!({"users": 3, "max": 16, "description": "come in"}));
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
    scene.arena.lets_in(&mut scene.alice, "zoo");
    all.read(&mut scene.bob, 1);
    assert_eq!(all.rows["alice"]["world"], "Zoo");
    scene.alice.closes(&scene.backend);
    operators.read(&mut scene.olga, 1);
    has(&operators.rows["alice"], json!({"world": "Zoo", "address": null}));
    scene.arena.ok("HOST STOP", json!({"world": "zoo"}));
    assert_eq!(names(&all.page(&mut scene.bob, 100)["gone"]), ["alice"]);
    assert_eq!(all.wholes, 1);
    // What somebody has given as his e-mail address, also when another handler shows it.
    let mut zoe = scene.backend.program();
    zoe.ok("REGISTER", json!({"name": "zoe", "password": "secret-of-zoe", "email": "zoe@example.org"}));
    operators.read(&mut scene.olga, 1);
    assert_eq!(
        (&operators.rows["zoe"]["email"], &operators.rows["olga"]["email"]),
        (&"zoe@example.org".into(), &Value::Null)
    );
    let mut person = scene.backend.person_again("olga");
    person.says("LIST USERS").sees("zoe@example.org");
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
    let _carol = scene.backend.player("carol");
    while !operators.names().contains(&"carol") {
        operators.hear(&mut scene.olga);
    }
    scene.bob.expect_no_event("list");
    // He goes on where he was.
    scene.backend.ctl(&["universe", "reset", "users"]);
    assert_eq!(names(&his.hear(&mut scene.bob)["rows"]), ["carol"]);
    assert_eq!(his.wholes, 1);
}
