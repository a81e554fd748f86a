//! Licences of worlds: the operator grants them, their owners change some of them, everybody sees a little.

use crate::harness::{Backend, Program, has, run};
use serde_json::{Value, json};

fn licences(asker: &mut Program) -> Vec<Value> {
    asker.ok("WORLD LIST", json!({}))["licences"].as_array().expect("a list").clone()
}

fn names(licences: &[Value]) -> Vec<&str> {
    licences.iter().map(|licence| licence["name"].as_str().expect("a name")).collect()
}

#[test]
fn the_operator_grants_what_its_owner_and_everybody_see() {
    let backend = Backend::start();
    let (mut bob, mut alice) = (backend.player("Bob"), backend.player("alice"));
    let terms = ["--users", "100", "--size", "3275", "--email", "b@example.org", "--expires", "2099-01-31"];
    let more = ["--client", "4.2", "--no-visitors", "--voice", "--hidden", "--comment", "Under water"];
    let key = backend.ctl(&[&["world", "add", "Atlantis", "bob"], &terms[..], &more].concat());
    assert_eq!(key["world"], "Atlantis");
    assert!(key["password"].as_str().is_some_and(|password| password.len() >= 32), "{key}");

    let licence = &licences(&mut bob)[0];
    assert_eq!(backend.ctl(&["world", "show", "atlantis"])["licence"], *licence);
    let said = json!({
        "name": "Atlantis", "owner": "Bob", "users": 100, "size": 3275, "email": "b@example.org",
        "comment": "Under water", "expires": "2099-01-31T00:00:00Z", "disabled": null, "last_started": null,
        "last_address": null, "listed": false, "visitors": false, "voice": true, "plugins": false, "client": "4.2",
        "check_address": false, "status": "stopped", "host": null,
    });
    for (name, value) in said.as_object().expect("an object") {
        assert_eq!(licence[name], *value, "{name}");
    }
    // Everybody else: name, description, status, users.
    for stranger in [&mut alice, &mut backend.program()] {
        let shown = stranger.ok("WORLD SHOW", json!({"name": "ATLANTIS"}));
        let public = json!({
            "name": "Atlantis", "description": "Under water", "status": "stopped", "users": 0, "max": 100,
            "rating": "G", "licence": null, "properties": [], "played": false, "play": [],
        });
        assert_eq!(shown, public);
        assert_eq!(stranger.fails("WORLD SHOW", json!({"name": "nowhere"})), "not_found");
    }
    assert_eq!(licences(&mut alice), [Value::Null; 0]);
    // What never ends is null, and no moment is taken for it.
    backend.world("Moon", "bob");
    assert_eq!(licences(&mut bob)[1]["expires"], Value::Null);
    for (end, code, why) in [
        ("0", 2, "give never"),
        ("tomorrow", 2, "give never"),
        ("1970-01-01", 1, "over already"),
        ("9999-12-31", 2, "up to 9999-12-30T22:00:00Z"),
    ] {
        let output = backend.operator(&["world", "change", "moon", "--expires", end]);
        assert!(output.code == code && output.err.contains(why), "{output:?}");
    }
    backend.ctl(&["world", "change", "moon", "--expires", "9999-12-30T22:00:00Z"]);
    assert_eq!(licences(&mut bob)[1]["expires"], "9999-12-30T22:00:00Z");
    backend.ctl(&["world", "change", "atlantis", "--expires", "never", "--email", ""]);
    let licence = &licences(&mut bob)[0];
    has(licence, json!({"expires": null, "email": null}));
}

#[test]
fn what_a_licence_may_say_has_bounds() {
    let backend = Backend::start();
    let _bob = backend.player("bob");
    for terms in [&["--users", "1"], &["--users", "1024"], &["--size", "1"], &["--size", "3275"]] {
        let name = format!("w{}", terms.join(""));
        backend.ctl(&[&["world", "add", &name.replace("--", ""), "bob"], &terms[..]].concat());
    }
    let refused = |name: &str, owner: &str, code: i32| {
        let output = backend.operator(&["world", "add", name, owner]);
        assert_eq!(output.code, code, "{name}: {output:?}");
    };
    for name in ["x", "seventeen-letters", "has blank", ".dot", "a:b", "operator", "0perator"] {
        refused(name, "bob", 1);
    }
    refused("zoo", "nobody-like-that", 1);
    for terms in [["--users", "0"], ["--users", "1025"], ["--size", "3276"], ["--client", "x"]] {
        let output = backend.operator(&[&["world", "add", "zoo", "bob"], &terms[..]].concat());
        assert_eq!(output.code, 2, "{terms:?}: {output:?}");
    }
    run(backend.ctl_command(&["world", "add", "zoo", "bob", "--email", "x\ny"]).arg("--json"), b"")
        .ends_with(1)
        .prints("\"code\": \"invalid\"");
    backend.world("Zoo", "bob");
    assert_eq!(backend.ctl_fails(&["world", "change", "zoo", "--email", "x\u{9b}y"]), "invalid");
    for name in ["zoo", "ZOO", "z\u{43e}o"] {
        refused(name, "bob", 1);
    }
}

#[test]
fn the_owner_changes_three_things_and_the_password_and_an_operator_the_rest() {
    let backend = Backend::start();
    let (mut bob, mut alice) = (backend.player("bob"), backend.player("alice"));
    let first = backend.world("zoo", "bob");
    bob.ok("WORLD CHANGE", json!({"name": "zoo", "comment": "Lions", "listed": false, "visitors": false}));
    let licence = &licences(&mut bob)[0];
    has(licence, json!({"comment": "Lions", "listed": false}));
    for (name, value) in [
        ("users", json!(7)),
        ("size", json!(7)),
        ("email", json!("x")),
        ("expires", json!("never")),
        ("voice", json!(true)),
        ("plugins", json!(true)),
        ("client", json!("4")),
        ("check_address", json!(true)),
        ("owner", json!("alice")),
    ] {
        assert_eq!(bob.fails("WORLD CHANGE", json!({"name": "zoo", name: value})), "denied", "{name}");
        assert_eq!(licences(&mut bob)[0], *licence, "{name}");
    }
    assert_eq!(bob.fails("WORLD CHANGE", json!({"name": "zoo"})), "usage");
    // Nobody else may, whoever it is.
    assert_eq!(alice.fails("WORLD CHANGE", json!({"name": "zoo", "comment": "mine"})), "denied");
    assert_eq!(alice.fails("WORLD PASSWORD", json!({"name": "zoo"})), "denied");
    for (cmd, args) in [
        ("WORLD ADD", json!({"name": "moon", "owner": "bob"})),
        ("WORLD DISABLE", json!({"name": "zoo"})),
        ("WORLD ENABLE", json!({"name": "zoo"})),
        ("WORLD DELETE", json!({"name": "zoo"})),
        ("RIGHT GRANT", json!({"player": "bob", "right": "operator"})),
    ] {
        assert_eq!(bob.fails(cmd, args), "denied", "{cmd}");
    }
    let second = bob.ok("WORLD PASSWORD", json!({"name": "zoo"}))["password"].clone();
    let mut arena = backend.game_server("arena");
    let start = |password: Value| json!({"world": "zoo", "password": password, "port": 7});
    assert_eq!(arena.fails("HOST START", start(first.into())), "bad_login");
    arena.ok("HOST START", start(second));

    // At once, also on a connection that is there, and no longer than that.
    backend.ctl(&["right", "grant", "alice", "operator"]);
    assert_eq!(alice.ok("RIGHT LIST", json!({}))["rights"], json!(["operator"]));
    alice.ok("WORLD ADD", json!({"name": "moon", "owner": "alice", "users": 7}));
    alice.ok("WORLD CHANGE", json!({"name": "zoo", "owner": "alice"}));
    assert_eq!(names(&licences(&mut alice)), ["moon", "zoo"]);
    assert_eq!(bob.fails("WORLD CHANGE", json!({"name": "zoo", "comment": "mine"})), "denied", "it is alice's now");
    backend.ctl(&["right", "revoke", "alice", "operator"]);
    assert_eq!(alice.fails("WORLD ADD", json!({"name": "sun", "owner": "alice"})), "denied");
    assert_eq!(alice.fails("RIGHT LIST", json!({"player": "bob"})), "denied");
}

#[test]
fn rights_are_known_words_or_a_games_own() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    for right in ["build", "broadcast", "property", "moderate", "VIP", "guest-of-honour", "game.admin", "game.a.b-1"] {
        backend.ctl(&["right", "grant", "bob", right]);
    }
    let wanted = ["broadcast", "build", "game.a.b-1", "game.admin", "guest-of-honour", "moderate", "property", "vip"];
    assert_eq!(bob.ok("RIGHT LIST", json!({}))["rights"], json!(wanted));
    let long = format!("game.{}", "x".repeat(28));
    for right in ["admin", "game.", "game.a b", "gamer", &long] {
        backend.ctl_fails(&["right", "grant", "bob", right]);
    }
    backend.ctl_fails(&["right", "revoke", "bob", "operator"]);
    backend.ctl_fails(&["right", "grant", "nobody-like-that", "vip"]);
    assert_eq!(backend.ctl(&["right", "list", "bob"])["rights"], json!(wanted));
}

#[test]
fn a_hosting_password_is_shown_once_and_is_in_no_file() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    backend.ctl(&["right", "grant", "alice", "operator"]);
    let asked = r#"{"cmd": "WORLD ADD", "args": {"name": "zoo", "owner": "alice"}, "key": "k", "id": 1}"#;
    let first = alice.say(asked);
    let password = first["data"]["password"].as_str().expect("a password").to_owned();
    // Again under its key, and asked of the next handler: it was done, and the password is gone.
    for _ in 0..2 {
        let again = alice.say(asked);
        assert_eq!(again["state"], "OK", "{again}");
        assert_eq!(again["data"]["password"], Value::Null, "{again}");
        assert!(again["msg"].as_str().is_some_and(|msg| msg.contains("WORLD PASSWORD zoo")), "{again}");
        backend.kill_handler();
    }
    let other = alice.ok("WORLD PASSWORD", json!({"name": "zoo"}))["password"].clone();
    backend.stop();
    let log = backend.log().text();
    for password in [&*password, other.as_str().expect("a password")] {
        assert!(!log.contains(password), "it is in the log");
        for file in std::fs::read_dir(backend.data()).expect("a folder") {
            let path = file.expect("a file").path();
            let bytes = std::fs::read(&path).unwrap_or_default();
            let found = bytes.windows(password.len()).any(|part| part == password.as_bytes());
            assert!(!found, "it is in {}", path.display());
        }
    }
}

#[test]
fn a_licence_outlives_everything_until_it_is_deleted() {
    let mut backend = Backend::start();
    let bob = backend.player("bob");
    backend.world("zoo", "bob");
    let number = backend.ctl(&["world", "show", "zoo"])["licence"]["number"].clone();
    backend.see_off(bob.wire);
    backend.restart();
    let before = backend.ctl(&["world", "show", "zoo"]);
    backend.ctl(&["world", "disable", "zoo", "--reason", "Not paid."]);
    assert_eq!(backend.ctl(&["world", "show", "zoo"])["licence"]["disabled"], "Not paid.");
    // Nothing as a reason is none.
    for reason in [&[][..], &["--reason", ""], &["--reason", " "]] {
        backend.ctl(&[&["world", "disable", "zoo"], reason].concat());
        let shown = backend.ctl(&["world", "show", "zoo"])["licence"]["disabled"].clone();
        assert_eq!(shown, "The operator has disabled this world.");
    }
    backend.ctl(&["world", "enable", "zoo"]);
    assert_eq!(backend.ctl(&["world", "show", "zoo"]), before);
    backend.ctl(&["world", "delete", "zoo"]);
    backend.ctl_fails(&["world", "show", "zoo"]);
    // It is the same world again, and another one when all of it went.
    let same = |backend: &Backend| {
        backend.world("Zoo", "bob");
        backend.ctl(&["world", "show", "zoo"])["licence"]["number"] == number
    };
    assert!(same(&backend));
    backend.ctl(&["world", "delete", "zoo", "--purge"]);
    assert!(!same(&backend));
    // Also when it was deleted before.
    let number = backend.ctl(&["world", "show", "zoo"])["licence"]["number"].clone();
    backend.ctl(&["world", "delete", "zoo"]);
    backend.operator(&["world", "delete", "zoo", "--purge"]).succeeds().prints("all that was kept");
    assert_eq!(backend.ctl_fails(&["world", "delete", "zoo", "--purge"]), "not_found");
    backend.world("Zoo", "bob");
    assert_ne!(backend.ctl(&["world", "show", "zoo"])["licence"]["number"], number);
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
}

#[test]
fn many_licences_come_in_pages() {
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    for number in 0..25 {
        backend.world(&format!("world-{number:02}"), "bob");
    }
    let first = bob.ok("WORLD LIST", json!({"limit": 20}));
    assert_eq!((first["licences"].as_array().map(Vec::len), &first["total"]), (Some(20), &25.into()));
    let second = bob.ok("WORLD LIST", json!({"after": first["next"]}));
    assert_eq!(names(second["licences"].as_array().expect("a list"))[0], "world-20");
    assert_eq!(second["next"], Value::Null);
    backend.operator(&["world", "list"]).prints("25 licences");
    assert_eq!(
        backend.ctl(&["world", "list", "--limit", "3", "--after", "world-03"])["licences"][0]["name"],
        "world-04"
    );
}

#[test]
fn a_person_reads_it_in_words() {
    let backend = Backend::start();
    let mut bob = backend.person("bob");
    bob.says("WORLD LIST").sees("No licences of worlds.");
    backend.world("Atlantis", "bob");
    bob.says("world list").sees("1 licence.").sees("Atlantis  stopped");
    bob.says("WORLD CHANGE atlantis HIDDEN COMMENT Closed for the winter").sees("The licence is changed");
    let shown = bob.ask("WORLD SHOW atlantis");
    for line in ["Atlantis is stopped.", "Closed for the winter", "Owner: bob", "Expires: never", "In lists: no"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    bob.says("WORLD ADD moon bob").sees("ERROR: Only an operator may do that.");
    // HELP leaves out what is for operators, and explains it to who asks.
    bob.says("HELP").sees_no("WORLD ADD");
    bob.says("HELP WORLD").sees("WORLD ADD").sees("WORLD SHOW");
    bob.says("HELP WORLD ADD").sees("For: operators; also ssmglobal ctl");
    backend.ctl(&["right", "grant", "bob", "operator"]);
    assert!(bob.answer().contains("[rights] You have these rights now: operator."));
    bob.says("WORLD ADD Moon bob USERS 7 EXPIRES 2099-01-31")
        .sees("Moon has a licence.")
        .sees("HOST START Moon password port");
}
