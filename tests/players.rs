//! Registering, logging in and out, passwords, who is on.

use crate::harness::{Backend, Program, Wire, has, is_slowed_down};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

#[test]
fn registering_logs_in_and_the_name_is_taken_then() {
    let backend = Backend::start();
    let mut alice = backend.program();
    let email = json!({"name": "Alice", "password": "correct-horse", "email": "a\n@example.org"});
    assert_eq!(alice.fails("REGISTER", email), "invalid");
    let data = alice.ok("REGISTER", json!({"name": "Alice", "password": "correct-horse", "email": "a@example.org"}));
    has(&data, json!({"player": "Alice", "unread": 0}));
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "Alice");
    let mut other = backend.program();
    let again = json!({"name": "aLICE", "password": "battery-staple"});
    assert_eq!(other.fails("REGISTER", again), "exists");
    let data = other.ok("LOGIN", json!({"name": "ALICE", "password": "correct-horse"}));
    assert_eq!(data["player"], "Alice");
    assert_eq!(other.ok("WHO", json!({}))["total"], 1);
}

#[test]
fn two_who_register_the_same_name_at_once() {
    let backend = Backend::start();
    let mut programs: Vec<Program> = (0..8).map(|_| backend.program()).collect();
    for program in &mut programs {
        program.send_line(r#"{"cmd": "REGISTER", "args": {"name": "alice", "password": "correct-horse"}}"#);
    }
    let replies: Vec<Value> = programs.iter_mut().map(Program::reply).collect();
    let (registered, refused): (Vec<Value>, Vec<Value>) = replies.into_iter().partition(|reply| reply["state"] == "OK");
    assert_eq!((registered.len(), refused.len()), (1, 7), "{refused:?}");
    assert!(refused.iter().all(|reply| reply["code"] == "exists"), "{refused:?}");
}

#[test]
fn a_wrong_name_and_a_wrong_password_get_the_same_answer() {
    let backend = Backend::start();
    let _alice = backend.player("alice");
    let mut program = backend.program();
    let wrong_name = program.say(r#"{"cmd": "LOGIN", "args": {"name": "alicia", "password": "secret-of-alice"}}"#);
    let wrong_password = program.say(r#"{"cmd": "LOGIN", "args": {"name": "alice", "password": "secret-of-bob"}}"#);
    let no_name = program.say(r#"{"cmd": "LOGIN", "args": {"name": "@", "password": "secret-of-bob"}}"#);
    assert_eq!(wrong_name["code"], "bad_login");
    assert_eq!(wrong_name, wrong_password);
    assert_eq!(wrong_name, no_name);
}

/// A program whose client has this address.
fn from(address: &str, backend: &Backend) -> Program {
    Program::over(Wire::from(address, backend.at()), "CLIENT")
}

#[test]
fn who_fails_too_often_is_slowed_down() {
    let backend = Backend::start();
    let _alice = backend.player("alice");
    let mut guesser = backend.program();
    for _ in 0..10 {
        assert_eq!(guesser.fails("LOGIN", json!({"name": "alice", "password": "wrong-guess"})), "bad_login");
    }
    let reply = guesser.ask("LOGIN", json!({"name": "alice", "password": "secret-of-alice"}));
    is_slowed_down(&reply, 60);
    // The same address has to wait with other names as well, and nobody else with this one.
    assert_eq!(guesser.fails("LOGIN", json!({"name": "bob", "password": "wrong-guess"})), "slow_down");
    let mut elsewhere = from("127.0.0.2", &backend);
    elsewhere.ok("LOGIN", json!({"name": "Alice", "password": "secret-of-alice"}));
    assert_eq!(elsewhere.fails("LOGIN", json!({"name": "bob", "password": "wrong-guess"})), "bad_login");
    let mut person = backend.terminal();
    person.says("LOGIN alice wrong-guess").sees("Try again in");
}

#[test]
fn strangers_close_a_name_for_strangers_and_not_for_its_owner() {
    let mut backend = Backend::start();
    drop(backend.player("alice"));
    drop(backend.player("bob"));
    from("127.0.0.9", &backend).login("alice");
    let guess = |backend: &Backend| {
        for number in 0..20 {
            let mut stranger = from(&format!("127.0.1.{number}"), backend);
            let code = stranger.fails("LOGIN", json!({"name": "ALICE", "password": "wrong-guess"}));
            assert_eq!(code, "bad_login", "{number}");
        }
        let mut late = from("127.0.2.1", backend);
        let reply = late.ask("LOGIN", json!({"name": "alice", "password": "secret-of-alice"}));
        is_slowed_down(&reply, 60);
        late.login("bob");
        // From where she was in: where she has registered, and where she has logged in.
        backend.player_again("alice");
        from("127.0.0.9", backend).login("alice");
    };
    guess(&backend);
    backend.restart();
    guess(&backend);
}

#[test]
fn wrong_keys_from_anywhere_keep_no_game_server_out() {
    let backend = Backend::start();
    let key = backend.ctl(&["server", "add", "arena"])["key"].clone();
    let in_server_mode = |address: &str| Program::over(Wire::from(address, backend.at()), "SERVER");
    let mut guesser = in_server_mode("127.0.0.2");
    for _ in 0..10 {
        assert_eq!(guesser.fails("AUTH", json!({"name": "arena", "key": "wrong"})), "bad_login");
    }
    assert_eq!(guesser.fails("AUTH", json!({"name": "arena", "key": key})), "slow_down");
    for number in 0..30 {
        let mut guesser = in_server_mode(&format!("127.0.1.{number}"));
        assert_eq!(guesser.fails("AUTH", json!({"name": "arena", "key": "wrong"})), "bad_login");
    }
    in_server_mode("127.0.0.3").ok("AUTH", json!({"name": "arena", "key": key}));
}

#[test]
fn a_login_does_not_wait_for_all_newcomers_that_were_there_before() {
    let plan = Backend::plan().environment("SSMGLOBAL_PLAYERS_HASH_MEMORY_KIB", "16384");
    let backend = plan.environment("SSMGLOBAL_PLAYERS_HASH_THREADS", "1").start();
    drop(backend.player("alice"));
    let mut newcomers: Vec<Program> = (0..30).map(|_| backend.program()).collect();
    let mut alice = backend.program();
    // All have their links, and the handler finds what they say at once.
    newcomers.iter_mut().chain([&mut alice]).for_each(|program| drop(program.ok("WHO", json!({}))));
    let mark = backend.log().mark();
    backend.while_the_handler_stands_still(|| {
        for (number, newcomer) in newcomers.iter_mut().enumerate() {
            let args = json!({"name": format!("player-{number}"), "password": "correct-horse"});
            newcomer.send_line(json!({"cmd": "REGISTER", "args": args}).to_string());
        }
        alice.send_line(r#"{"cmd": "LOGIN", "args": ["alice", "secret-of-alice"]}"#);
    });
    for program in newcomers.iter_mut().chain([&mut alice]) {
        assert_eq!(program.reply()["state"], "OK");
    }
    // One thread hashes, one after the other, and so they come in.
    let log = backend
        .log()
        .find_after(mark, "everybody", |log| (log.matches(" logged in.").count() == 31).then(|| log.to_owned()));
    let place = log.lines().filter(|line| line.contains(" logged in.")).position(|line| line.contains("alice"));
    assert!(place.is_some_and(|place| place < 15), "{place:?} were before her: {log}");
}

#[test]
fn newcomers_of_one_address_have_to_wait_after_the_fifth() {
    let bound = "SSMGLOBAL_PLAYERS_REGISTRATIONS_PER_ADDRESS";
    let backend = Backend::plan().environment(bound, "5").start();
    for name in ["player-1", "player-2", "player-3", "player-4", "player-5"] {
        drop(backend.player(name));
    }
    let mut program = backend.program();
    let reply = program.ask("REGISTER", json!({"name": "player-6", "password": "correct-horse"}));
    is_slowed_down(&reply, 600);
    // What need not be hashed does not count, and logging in is something else.
    assert_eq!(program.fails("REGISTER", json!({"name": "player-1", "password": "correct-horse"})), "exists");
    program.login("player-5");
    let mut person = backend.terminal();
    person.says("REGISTER player-6 correct-horse").sees("Too many new players from your address.");
    from("127.0.0.2", &backend).ok("REGISTER", json!({"name": "player-6", "password": "correct-horse"}));
}

#[test]
fn newcomers_of_one_network_and_all_together_have_to_wait_as_well() {
    let bounds = [("PER_NETWORK", "3"), ("ALTOGETHER", "5")];
    let plan = bounds.iter().fold(Backend::plan(), |plan, (name, most)| {
        plan.environment(&format!("SSMGLOBAL_PLAYERS_REGISTRATIONS_{name}"), most)
    });
    let backend = plan.start();
    let register = |address: &str, name: &str| {
        from(address, &backend).ask("REGISTER", json!({"name": name, "password": "correct-horse"}))
    };
    for (address, name) in [("127.0.1.1", "a1"), ("127.0.1.2", "a2"), ("127.0.1.3", "a3")] {
        assert_eq!(register(address, name)["state"], "OK", "{name}");
    }
    let refused = register("127.0.1.4", "a4");
    assert!(refused["code"] == "slow_down" && refused["msg"].to_string().contains("network"), "{refused}");
    for (address, name) in [("127.0.2.1", "b1"), ("127.0.3.1", "c1")] {
        assert_eq!(register(address, name)["state"], "OK", "{name}");
    }
    let refused = register("127.0.4.1", "d1");
    assert!(refused["code"] == "slow_down" && refused["msg"].to_string().contains("at the moment"), "{refused}");
}

#[test]
fn good_logins_and_changes_of_password_are_no_failures() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    for _ in 0..15 {
        alice.login("alice");
    }
    for round in 0..15 {
        let (old, new) = if round % 2 == 0 { ("secret-of-alice", "other") } else { ("other", "secret-of-alice") };
        let long = |word: &str| format!("{word}-long-enough");
        let old = if round == 0 { "secret-of-alice".to_owned() } else { long(old) };
        alice.ok("PASSWORD", json!({"old": old, "new": long(new)}));
    }
}

#[test]
fn a_school_that_comes_back_all_at_once_is_let_in() {
    let backend = Backend::start();
    let mut pupils: Vec<Program> = (0..25).map(|n| backend.player(&format!("pupil-{n}"))).collect();
    for (number, pupil) in pupils.iter_mut().enumerate() {
        let name = format!("pupil-{number}");
        let args = json!({"name": name, "password": format!("secret-of-{name}")});
        pupil.send_line(json!({"cmd": "LOGIN", "args": args}).to_string());
    }
    for pupil in &mut pupils {
        let reply = pupil.reply();
        assert_eq!(reply["state"], "OK", "nobody has failed: {reply}");
    }
}

#[test]
fn the_password_can_be_changed_by_who_knows_it() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    assert_eq!(alice.fails("PASSWORD", json!({"old": "wrong-one", "new": "battery-staple"})), "bad_login");
    assert_eq!(alice.fails("PASSWORD", json!({"old": "secret-of-alice", "new": "short"})), "invalid");
    alice.ok("PASSWORD", json!({"old": "secret-of-alice", "new": "battery-staple"}));
    let mut again = backend.program();
    assert_eq!(again.fails("LOGIN", json!({"name": "alice", "password": "secret-of-alice"})), "bad_login");
    again.ok("LOGIN", json!({"name": "alice", "password": "battery-staple"}));
}

#[test]
fn passwords_have_bounds() {
    let backend = Backend::start();
    let mut program = backend.program();
    let register = |password: String| json!({"name": "alice", "password": password});
    // An empty word counts as left out.
    assert_eq!(program.fails("REGISTER", register(String::new())), "usage");
    for password in ["short", &"x".repeat(257)] {
        assert_eq!(program.fails("REGISTER", register(password.to_owned())), "invalid", "{password}");
    }
    let long = "ü".repeat(256);
    program.ok("REGISTER", register(long.clone()));
    backend.program().ok("LOGIN", register(long));
}

#[test]
fn what_is_longer_than_a_password_may_be_is_a_wrong_one_and_never_hashed() {
    let mut backend = Backend::start();
    drop(backend.player("alice"));
    let mut early = backend.player("bob");
    early.ok("PASSWORD", json!({"old": "secret-of-bob", "new": "short-one"}));
    drop(early);
    backend.stop();
    // What was let in before is right, and would be found so if it were looked at.
    backend.write_config("players.password_max = 10\n");
    backend.start_again();
    let mut program = backend.program();
    let wrong = program.say(r#"{"cmd": "LOGIN", "args": ["alice", "wrong-one"]}"#);
    assert_eq!(program.say(r#"{"cmd": "LOGIN", "args": ["alice", "secret-of-alice"]}"#), wrong);
    assert_eq!(program.say(r#"{"cmd": "LOGIN", "args": ["nobody-at-all", "secret-of-alice"]}"#), wrong);
    program.ok("LOGIN", json!({"name": "bob", "password": "short-one"}));
    let long = "x".repeat(8000);
    assert_eq!(program.fails("PASSWORD", json!({"old": long, "new": "another-1"})), "bad_login");
    assert_eq!(program.fails("PASSWORD", json!({"old": "short-one", "new": "longer-than-ten"})), "invalid");
    assert_eq!(program.fails("REGISTER", json!({"name": "carol", "password": "longer-than-ten"})), "invalid");
}

#[test]
fn a_login_at_the_same_moment_does_not_put_the_old_password_back() {
    let backend = Backend::start();
    let names: Vec<String> = (0..12).map(|number| format!("player-{number}")).collect();
    let mut changing: Vec<Program> = names.iter().map(|name| backend.player(name)).collect();
    let mut entering: Vec<Program> = names.iter().map(|_| backend.program()).collect();
    let mark = backend.log().mark();
    let harder = "players.hash_memory_kib = 128\nplayers.hash_passes = 2\n";
    std::fs::write(backend.file("config.toml"), harder).unwrap();
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "settings were read again");
    for ((name, changing), entering) in names.iter().zip(&mut changing).zip(&mut entering) {
        let args = json!({"old": format!("secret-of-{name}"), "new": "another-secret"});
        changing.send_line(json!({"cmd": "PASSWORD", "args": args}).to_string());
        let args = json!({"name": name, "password": format!("secret-of-{name}")});
        entering.send_line(json!({"cmd": "LOGIN", "args": args}).to_string());
    }
    for ((name, changing), entering) in names.iter().zip(&mut changing).zip(&mut entering) {
        assert_eq!(changing.reply()["state"], "OK");
        entering.reply();
        let mut again = backend.program();
        let old = json!({"name": name, "password": format!("secret-of-{name}")});
        assert_eq!(again.fails("LOGIN", old), "bad_login", "{name}");
        again.ok("LOGIN", json!({"name": name, "password": "another-secret"}));
    }
}

#[test]
fn logging_out_and_in_as_somebody_else() {
    let backend = Backend::start();
    let _bob = backend.player("bob");
    let mut alice = backend.player("alice");
    alice.ok("LOGOUT", json!({}));
    assert_eq!(alice.ok("WHO", json!({}))["total"], 1);
    assert_eq!(alice.fails("LOGOUT", json!({})), "not_logged_in");
    alice.login("alice");
    // Without a word in between.
    alice.login("bob");
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "bob");
    let data = alice.ok("WHO", json!({}));
    assert_eq!((&data["total"], data["players"].as_array().map(Vec::len)), (&1.into(), Some(2)));
}

#[test]
fn what_is_sent_ahead_of_a_login_waits_for_it() {
    let backend = Backend::start();
    drop(backend.player("alice"));
    let mut program = backend.program();
    let lines = [
        r#"{"id": 1, "cmd": "LOGIN", "args": ["alice", "secret-of-alice"]}"#,
        r#"{"id": 2, "cmd": "SETTING SET", "args": ["k", "v"]}"#,
        r#"{"id": 3, "cmd": "LOGOUT"}"#,
        r#"{"id": 4, "cmd": "SETTING GET", "args": ["k"]}"#,
        r#"{"id": 5, "cmd": "LOGIN", "args": "alice secret-of-alice"}"#,
        r#"{"id": 6, "cmd": "SETTING GET", "args": "k"}"#,
        r#"{"id": 7, "cmd": "HW"}"#,
    ];
    program.wire.send(lines.join("\r\n") + "\r\n");
    let replies: Vec<Value> = lines.iter().map(|_| program.reply()).collect();
    for (reply, id) in replies.iter().zip(1..) {
        assert_eq!(reply["id"], id, "{replies:?}");
        assert_eq!(reply["state"] == "OK", id != 4, "{reply}");
    }
    assert_eq!(replies[5]["data"]["value"], "v");
}

#[test]
fn who_and_finger() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    backend.see_off(backend.player("carol").wire);
    let data = bob.ok("WHO", json!({"limit": 1}));
    assert_eq!(
        (&data["total"], &data["players"][0]["player"], &data["next"]),
        (&2.into(), &"alice".into(), &"alice".into())
    );
    let data = bob.ok("WHO", json!({"limit": 1, "after": data["next"]}));
    assert_eq!(data["players"][0]["player"], "bob");
    assert_eq!(data["next"], Value::Null);
    let data = bob.ok("FINGER", json!({"player": "ALICE"}));
    has(&data, json!({"player": "alice", "online": true}));
    let data = bob.ok("FINGER", json!({"player": "carol"}));
    has(&data, json!({"online": false, "idle": null}));
    assert_eq!(bob.fails("FINGER", json!({"player": "nobody"})), "not_found");
    let text = alice.ask("WHO");
    assert!(text.contains("2 are on.") && text.contains("bob"), "{text}");
    // An address is for the operator.
    assert!(!data.to_string().contains("127.0.0.1") && !text.contains("127.0.0.1"));
}

#[test]
fn the_door_can_be_closed_to_newcomers() {
    let backend = Backend::plan().config("players.registration = true\n").start();
    drop(backend.player("alice"));
    backend.reload("players.registration = false\n");
    let mut program = backend.program();
    // The listener and the handler learn of it one after the other; this answer comes from the handler.
    program.ok("WHO", json!({}));
    assert_eq!(program.fails("REGISTER", json!({"name": "bob", "password": "correct-horse"})), "denied");
    program.login("alice");
}

#[test]
fn a_password_is_hashed_anew_when_that_became_harder() {
    let backend = Backend::start();
    drop(backend.player("alice"));
    let mark = backend.log().mark();
    let harder = "players.hash_memory_kib = 128\nplayers.hash_passes = 2\n";
    std::fs::write(backend.file("config.toml"), harder).unwrap();
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "settings were read again");
    let mut alice = backend.player_again("alice");
    // The answer to a login does not wait for the new hash, that to a change of settings comes behind it.
    alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    alice.login("alice");
    let mut person = backend.terminal();
    person.says("LOGIN alice secret-of-alice").sees("Logged in as alice.");
}
