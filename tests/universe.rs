//! Settings of the universe: what the config file says first, what operators set while everything runs, what each does, and who
//! is told.

use crate::harness::{Backend, GREETING, Program, Wire, has, own_address};
use serde_json::{Value, json};

fn shown(asker: &mut Program) -> Value {
    asker.ok("UNIVERSE SHOW", json!({}))
}

fn set(backend: &Backend, key: &str, value: &str) {
    backend.ctl(&["universe", "set", key, value]);
}

/// The first values, where the config file says nothing.
fn first() -> Value {
    json!({
        "name": "ssmglobal", "welcome": "Welcome to serversquared Modification Global Backend.", "visitors": true,
        "talk": true, "registration": true, "client": "0", "host": "0", "start": null, "users": true, "renames": false,
        "licence": false, "set": [],
    })
}

/// Each key, another value as it is typed, and as it is shown.
fn others() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("name", "Zoë's worlds", json!("Zoë's worlds")),
        ("welcome", "Be kind.\nHave fun.", json!("Be kind.\nHave fun.")),
        ("visitors", "no", json!(false)),
        ("talk", "no", json!(false)),
        ("registration", "closed", json!(false)),
        ("client", "4.2.0", json!("4.2")),
        ("host", "5", json!("5")),
        ("start", "ZOO", json!("Zoo")),
        ("users", "off", json!(false)),
        ("renames", "true", json!(true)),
        ("licence", "on", json!(true)),
    ]
}

/// The next thing that somebody who watches is told.
fn told(watcher: &mut Program) -> Value {
    let mut event = watcher.expect_event("universe");
    event.as_object_mut().expect("an object").remove("event");
    event
}

/// A backend with the player bob and his world Zoo.
struct Scene {
    backend: Backend,
    bob: Program,
}

impl Scene {
    fn new() -> Scene {
        Scene::with("")
    }

    fn with(config: &str) -> Scene {
        let backend = Backend::plan().config(config).start();
        let bob = backend.player("bob");
        backend.world("Zoo", "bob");
        Scene { backend, bob }
    }
}

#[test]
fn each_setting_is_set_shown_told_once_kept_and_reset() {
    let Scene { mut backend, mut bob } = Scene::new();
    let mut watcher = backend.program();
    watcher.ok("UNIVERSE WATCH", json!({}));
    let mut wanted = first();
    assert_eq!(shown(&mut bob), wanted);
    for (key, typed, value) in others() {
        set(&backend, key, typed);
        wanted[key] = value;
        // In their own order, whenever they were set.
        let all = others();
        let set = all.iter().map(|(key, ..)| *key).take_while(|other| *other != key).chain([key]);
        wanted["set"] = set.collect();
        assert_eq!(told(&mut watcher), wanted, "{key}");
        assert_eq!((shown(&mut bob), backend.ctl(&["universe", "show"])), (wanted.clone(), wanted.clone()));
    }
    watcher.expect_no_event("universe");
    backend.kill_handler();
    assert_eq!(shown(&mut bob), wanted);
    watcher.expect_no_event("universe");
    // It goes on listening, and is told once.
    backend.ctl(&["universe", "reset", "name"]);
    assert_eq!(told(&mut watcher)["name"], "ssmglobal");
    set(&backend, "name", "Zoë's worlds");
    assert_eq!(told(&mut watcher), wanted);
    watcher.ok("UNIVERSE UNWATCH", json!({}));
    set(&backend, "name", "Zoë's worlds");
    watcher.expect_no_event("universe");

    backend.restart();
    let mut bob = backend.player_again("bob");
    assert_eq!(shown(&mut bob), wanted);
    for (key, ..) in others() {
        backend.ctl(&["universe", "reset", key]);
        wanted[key] = first()[key].clone();
        assert_eq!(shown(&mut bob)[key], wanted[key]);
    }
    assert_eq!(shown(&mut bob), first());
}

#[test]
fn what_was_not_set_is_as_the_config_says_also_when_it_is_read_again() {
    let lines = "worlds.universe = \"Mine\"\ntexts.welcome = \"Hello.\"\nworlds.visitors = false\n\
                 players.registration = true\nworlds.client_version = \"3\"\nworlds.host_version = \"4\"\n\
                 worlds.start = \"Zoo\"\nworlds.user_list = false\nworlds.renames = true\nworlds.licence_required = true\n";
    let Scene { backend, mut bob } = Scene::with(lines);
    let mut wanted = json!({
        "name": "Mine", "welcome": "Hello.", "visitors": false, "talk": true, "registration": true, "client": "3", "host": "4",
        "start": "Zoo", "users": false, "renames": true, "licence": true, "set": [],
    });
    assert_eq!(shown(&mut bob), wanted);
    set(&backend, "name", "Ours");
    bob.ok("UNIVERSE WATCH", json!({}));
    let reload = |lines: &str| {
        backend.reload(lines);
    };
    reload("worlds.universe = \"Theirs\"\nworlds.client_version = \"5\"\n");
    wanted = first();
    (wanted["name"], wanted["client"], wanted["set"]) = (json!("Ours"), json!("5"), json!(["name"]));
    assert_eq!((told(&mut bob), shown(&mut bob)), (wanted.clone(), wanted));
    // What changes nothing of it is no news.
    reload("worlds.universe = \"Yours\"\nworlds.client_version = \"5\"\nlimits.idle_seconds = 900\n");
    bob.expect_no_event("universe");
    backend.ctl(&["universe", "reset", "name"]);
    assert_eq!(told(&mut bob)["name"], "Yours");
}

#[test]
fn operators_set_it_and_nobody_else() {
    let Scene { backend, mut bob } = Scene::new();
    let (key, text) = (json!({"key": "name"}), json!({"key": "name", "value": "Bob's"}));
    for _ in 0..2 {
        assert_eq!(bob.fails("UNIVERSE SET", text.clone()), "denied");
        assert_eq!(bob.fails("UNIVERSE RESET", key.clone()), "denied");
        backend.ctl(&["right", "grant", "bob", "operator"]);
        bob.ok("UNIVERSE SET", text.clone());
        // As programs write it.
        bob.ok("UNIVERSE SET", json!({"key": "USERS", "value": false}));
        bob.ok("UNIVERSE SET", json!({"key": "client", "value": 4.5}));
        bob.ok("UNIVERSE SET", json!({"key": "start", "value": ""}));
        let now = shown(&mut backend.program());
        has(&now, json!({"name": "Bob's", "client": "4.5", "start": null}));
        bob.ok("UNIVERSE RESET", key.clone());
        backend.ctl(&["right", "revoke", "bob", "operator"]);
    }
    backend.ctl(&["right", "grant", "bob", "operator"]);
    let long = "x".repeat(65);
    for (key, value, code) in [
        ("weather", "fine", "not_found"),
        ("name", "", "invalid"),
        ("name", &long, "invalid"),
        ("name", "one\ntwo", "invalid"),
        ("welcome", "\u{1b}[2J", "invalid"),
        ("visitors", "perhaps", "invalid"),
        ("host", "v4", "invalid"),
        ("start", "nowhere", "not_found"),
    ] {
        assert_eq!(bob.fails("UNIVERSE SET", json!({"key": key, "value": value})), code, "{key} {value}");
    }
    assert_eq!(bob.fails("UNIVERSE RESET", json!({"key": "weather"})), "not_found");
    backend.operator(&["universe", "set", "visitors", "perhaps"]).ends_with(1).complains("give true or false");
    // For people.
    let mut person = backend.terminal();
    person.says("UNIVERSE SHOW").sees("This is ssmglobal.").sees("User list: off");
}

#[test]
fn what_is_set_is_in_force_at_once() {
    let Scene { backend, mut bob } = Scene::new();
    let mut arena = backend.game_server("arena");
    let password = backend.ctl(&["world", "password", "zoo"])["password"].as_str().expect("a password").to_owned();
    let host = |version: &str| json!({"world": "zoo", "password": password, "port": 7777, "version": version});

    set(&backend, "registration", "closed");
    let newcomer = json!({"name": "carol", "password": "correct-horse"});
    assert_eq!(backend.program().fails("REGISTER", newcomer.clone()), "denied");
    backend.ctl(&["universe", "reset", "registration"]);
    let mut carol = backend.program();
    carol.ok("REGISTER", newcomer);

    set(&backend, "host", "4.2");
    assert_eq!(arena.fails("HOST START", host("4.1")), "too_old");
    arena.ok("HOST START", host("4.2"));

    // The greater of what the universe and the licence say.
    let enter = |version: &str| json!({"world": "zoo", "version": version});
    set(&backend, "client", "3");
    assert_eq!(bob.fails("WORLD ENTER", enter("2.9")), "too_old");
    bob.ok("WORLD ENTER", enter("3"));
    backend.ctl(&["world", "change", "zoo", "--client", "3.5"]);
    assert_eq!(bob.fails("WORLD ENTER", enter("3")), "too_old");
    bob.ok("WORLD ENTER", enter("3.5"));

    assert_eq!(bob.fails("WORLD ENTER", json!({"version": "4"})), "not_found");
    set(&backend, "start", "zoo");
    assert_eq!(bob.ok("WORLD ENTER", json!({"version": "4"}))["world"], "Zoo");

    arena.ok("STATUS SET", json!({"map": "harbour", "players": 1, "max": 2}));
    assert_eq!(bob.ok("WORLDS", json!({}))["total"], 2);
    set(&backend, "licence", "yes");
    let worlds = bob.ok("WORLDS", json!({}));
    assert_eq!(worlds["total"], 1);
    assert_eq!(worlds["worlds"][0]["name"], "Zoo");
    assert_eq!(arena.fails("STATUS SET", json!({"map": "harbour", "players": 1, "max": 2})), "denied");
    set(&backend, "licence", "no");
    assert_eq!(bob.ok("WORLDS", json!({}))["total"], 2);

    // The start world may go.
    backend.ctl(&["world", "delete", "zoo"]);
    assert_eq!(bob.fails("WORLD ENTER", json!({"version": "4"})), "not_found");
}

#[test]
fn without_a_user_list_only_operators_and_game_servers_see_who_is_where() {
    let Scene { backend, mut bob } = Scene::new();
    let mut arena = backend.game_server("arena");
    let mut alice = backend.player("alice");
    arena.ok("ENTER", json!({"player": "bob"}));
    let worlds = |asker: &mut Program| asker.ok("FINGER", json!({"player": "bob"}))["worlds"].clone();
    assert_eq!(worlds(&mut alice), json!(["arena"]));
    set(&backend, "users", "off");
    for asker in [&mut alice, &mut bob, &mut backend.program()] {
        assert_eq!(asker.fails("WHO", json!({})), "denied");
        assert_eq!(worlds(asker), json!([]));
    }
    arena.ok("WHO", json!({}));
    assert_eq!(worlds(&mut arena), json!(["arena"]));
    backend.ctl(&["right", "grant", "alice", "operator"]);
    assert_eq!(alice.ok("WHO", json!({}))["total"], 2);
    assert_eq!(worlds(&mut alice), json!(["arena"]));
    backend.ctl(&["universe", "reset", "users"]);
    bob.ok("WHO", json!({}));
}

/// What a person reads first at the main door, at a door for people, and at one with words of its own.
fn read_first(backend: &Backend) -> [String; 3] {
    let words = |mut wire: Wire| {
        let text = wire.until("> ");
        // Behind what is agreed with a terminal.
        let shown = text.rsplit('\u{fffd}').next().unwrap_or_default();
        shown.trim_start_matches(|c: char| !c.is_alphabetic()).trim_end_matches("\r\n> ").to_owned()
    };
    let mut main = Wire::to(backend.at());
    main.expect(GREETING);
    main.send("MODE HUMAN\r\n");
    let doors = backend.doors();
    [words(main), words(Wire::to(doors[1])), words(Wire::to(doors[2]))]
}

#[test]
fn people_read_the_welcome_of_the_universe_where_a_door_has_none_of_its_own() {
    let door = |address: &str, more: &str| format!("[[door]]\naddress = \"{address}:0\"\nmode = \"human\"\n{more}");
    let doors = [door(&own_address(), ""), door(&own_address(), "welcome = \"Own words.\"\n")].concat();
    let lines = |welcome: &str| format!("texts.welcome = \"{welcome}\"\n{doors}");
    let mut backend = Backend::plan().config(&lines("From the file.")).start();
    let all = |welcome: &str| [welcome, welcome, "Own words."].map(str::to_owned);
    assert_eq!(read_first(&backend), all("From the file."));
    set(&backend, "welcome", "Welcome home.");
    assert_eq!(read_first(&backend), all("Welcome home."));
    backend.kill_handler();
    assert_eq!(read_first(&backend), all("Welcome home."));
    backend.reload(&lines("From another file."));
    assert_eq!(read_first(&backend), all("Welcome home."));
    backend.kill_listener();
    backend.next_listener();
    // The handler has told the listener before it answers.
    assert_eq!(backend.ctl(&["universe", "show"])["welcome"], "Welcome home.");
    assert_eq!(read_first(&backend), all("Welcome home."));
    backend.ctl(&["universe", "reset", "welcome"]);
    assert_eq!(read_first(&backend), all("From another file."));
    set(&backend, "welcome", "Welcome back.");
    backend.stop();
    backend.start_again();
    assert_eq!(read_first(&backend), all("Welcome back."));
}
