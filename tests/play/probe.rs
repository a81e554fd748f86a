//! `ctl world probe`: what it finds of each kind of world, and what it says is to be set.

use super::kind_of;
use crate::harness::worlds::codes::option::{GMCP, MCCP2};
use crate::harness::worlds::{End, Kind, Preamble, TinyMux, Told, World};
use crate::harness::{Backend, Output, run};
use serde_json::{Value, json};

/// A backend that plays a world with these keys.
fn plays(keys: &str) -> Backend {
    Backend::plan().config(&format!("[world.zoo]\n{keys}\n")).start()
}

fn plays_at(world: &World, keys: &str) -> Backend {
    plays(&format!("play = \"{}\"\n{keys}", world.address()))
}

/// What is found, for programs; a password is said where it is asked for.
#[track_caller]
fn probed(backend: &Backend, more: &[&str], password: &str, code: i32) -> Value {
    let words = [&["--json", "world", "probe", "zoo"], more].concat();
    let output = run(&mut backend.ctl_command(&words), format!("{password}\n").as_bytes()).ends_with(code);
    assert!(!output.out.contains(password) && !output.err.contains(password), "{output:?}");
    serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[track_caller]
fn probe(backend: &Backend) -> Value {
    probed(backend, &[], "nobody asks", 0)["data"].clone()
}

fn text(backend: &Backend) -> Output {
    backend.operator(&["world", "probe", "zoo"])
}

/// What is found at an address about this.
#[track_caller]
fn about(data: &Value, address: usize, about: &str) -> Value {
    let findings = data["addresses"][address]["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["about"] == about);
    found.unwrap_or_else(|| panic!("nothing about {about}: {data:#}")).clone()
}

#[track_caller]
fn is(data: &Value, what: &str, is: &str) {
    let finding = about(data, 0, what);
    assert_eq!((&finding["is"], &finding["set"]), (&json!(is), &Value::Null), "{finding:#}");
}

/// Something is to be set.
#[track_caller]
fn sets(data: &Value, what: &str, key: &str, value: &str) {
    let finding = about(data, 0, what);
    assert_eq!(finding["set"], json!({"key": key, "value": value}), "{finding:#}");
}

#[test]
fn each_kind_that_is_set_right_is_found_to_be_so_with_what_it_offers_and_what_a_player_types() {
    for (kind, offers, asks, types) in [
        (Kind::Mush, "EOR", "NAWS", "connect NAME PASSWORD"),
        (Kind::Evennia, "GMCP", "NAWS", "connect NAME PASSWORD"),
        (Kind::Diku, "MCCP2", "TTYPE", "with his name, then with his password"),
        (Kind::Silent, "SGA", "LINEMODE", "connect NAME PASSWORD"),
    ] {
        let world = World::start(kind);
        let backend = plays_at(&world, &format!("kind = \"{}\"", kind_of(kind)));
        let data = probe(&backend);
        let at = &data["addresses"][0];
        assert_eq!((&at["answers"], &at["address"]), (&json!(true), &json!(world.address())));
        assert!(at["first_word_ms"].as_f64().is_some_and(|time| time > 0.0 && time < 3000.0), "{at:#}");
        for (list, option) in [("offers", offers), ("asks", asks)] {
            assert!(at[list].as_array().is_some_and(|all| all.contains(&json!(option))), "{kind:?}: {at:#}");
        }
        for what in ["answer", "telnet", "kind", "login"] {
            is(&data, what, "good");
        }
        assert!(about(&data, 0, "login")["says"].as_str().is_some_and(|says| says.contains(types)), "{data:#}");
        text(&backend).succeeds().prints("zoo answers. It is set as").prints(types);
        assert_eq!(world.fault(), None);
    }
}

#[test]
fn what_a_world_tells_about_itself_and_where_its_prompts_end_is_found() {
    let world = World::start(Kind::Diku);
    let data = probe(&plays_at(&world, "kind = \"diku\""));
    is(&data, "mssp", "good");
    let told = data["addresses"][0]["mssp"].as_array().expect("a table");
    assert!(told.contains(&json!({"name": "PLAYERS", "value": "3"})), "{data:#}");
    assert_eq!(data["addresses"][0]["prompt_mark"], "EOR");
    // It had no chance to compress, nor to say what nobody reads.
    let connection = world.connection(0);
    for option in [MCCP2, GMCP] {
        assert!(!connection.told().contains(&Told::Agreed(End::Ours, option, true)), "{option}");
    }
}

#[test]
fn where_nobody_answers_it_says_why_and_ends_with_1() {
    let mut world = World::plan(Kind::Mush).make();
    let backend = plays_at(&world, "kind = \"tinymux\"");
    let told = probed(&backend, &[], "nobody asks", 1);
    assert_eq!((&told["state"], &told["code"]), (&json!("ERROR"), &json!("unavailable")), "{told:#}");
    assert!(
        about(&told["data"], 0, "answer")["says"].as_str().is_some_and(|says| says.contains("refused")),
        "{told:#}"
    );
    text(&backend).ends_with(1).prints("zoo does not answer.").prints("nobody listens there");
    world.starts();
    text(&backend).succeeds().prints("zoo answers.");
    assert_eq!(backend.ctl_fails(&["world", "probe", "zo"]), "not_found");
}

#[test]
fn each_address_is_looked_at_by_itself() {
    let (world, directory) = (World::start(Kind::Mush), tempfile::tempdir().unwrap());
    let path = directory.path().join("game.sock");
    let there = World::plan(Kind::Mush).at_path(&path).start();
    let (one, nobody) = (world.address(), directory.path().join("nobody.sock"));
    let keys = format!("kind = \"tinymux\"\nplay = [\"{}\", \"{one}\", \"{}\"]", nobody.display(), path.display());
    let told = probed(&plays(&keys), &[], "nobody asks", 0);
    assert_eq!(told["msg"], "zoo answers at 2 of its 3 addresses.");
    let answers: Vec<bool> = (0..3).filter_map(|at| told["data"]["addresses"][at]["answers"].as_bool()).collect();
    assert_eq!(answers, [false, true, true]);
    assert!(about(&told["data"], 0, "answer")["says"].as_str().is_some_and(|says| says.contains("no such socket")));
    drop(there);
}

#[test]
fn another_kind_is_named_where_it_fits_better_and_how_it_is_set() {
    let world = World::start(Kind::Diku);
    let backend = plays_at(&world, "kind = \"tinymux\"");
    sets(&probe(&backend), "kind", "kind", "diku");
    text(&backend).succeeds().prints("Below [world.zoo] in the config").prints("  kind = \"diku\"\n");
    let world = World::start(Kind::Mush);
    let backend = Backend::start();
    drop(backend.player("alice"));
    backend.ctl(&["world", "add", "zoo", "alice"]);
    backend.ctl(&["world", "play", "zoo", "play", &world.address()]);
    backend.ctl(&["world", "play", "zoo", "kind", "lpmud"]);
    text(&backend).succeeds().prints("  ssmglobal ctl world play zoo kind tinymux\n");
}

#[test]
fn a_header_that_the_world_takes_for_something_typed_is_found() {
    for kind in [Kind::Mush, Kind::Diku, Kind::Evennia] {
        let world = World::start(kind);
        let backend = plays_at(&world, &format!("kind = \"{}\"\nreal_address = \"proxy-v1\"", kind_of(kind)));
        let data = probe(&backend);
        sets(&data, "real_address", "real_address", "none");
        assert_eq!(about(&data, 0, "real_address")["is"], "bad", "{kind:?}: {data:#}");
    }
}

#[test]
fn a_header_that_the_world_waits_for_is_found_to_be_right_and_one_that_lacks_is_named() {
    for (preamble, how) in [(Preamble::Proxy1, "proxy-v1"), (Preamble::Proxy2, "proxy-v2")] {
        let world = World::plan(Kind::Mush).behind(preamble).start();
        let right = plays_at(&world, &format!("kind = \"tinymux\"\nreal_address = \"{how}\""));
        is(&probe(&right), "real_address", "good");
        assert_eq!(world.connection(0).real_address(), "127.0.0.1", "from where it is typed");
        assert_eq!(world.fault(), None);
        let wrong = plays_at(&world, "kind = \"tinymux\"");
        sets(&probe(&wrong), "real_address", "real_address", how);
        // The other header was tried first.
        assert_eq!(world.fault().is_some(), how == "proxy-v2");
    }
}

#[test]
fn characters_that_are_others_than_what_is_set_are_found() {
    for (said, set, wanted) in [
        (&b"Die H\xf6hle f\xfcr G\xe4ste.\r\n"[..], "utf-8", Some("latin-1")),
        ("Die H\u{f6}hle.\r\n".as_bytes(), "latin-1", Some("utf-8")),
        (b"Die H\xf6hle f\xfcr G\xe4ste.\r\n", "latin-1", None),
    ] {
        let world = World::plan(Kind::Diku).asleep().start();
        let backend = plays_at(&world, &format!("kind = \"diku\"\ncharset = \"{set}\""));
        let data = std::thread::scope(|scope| {
            scope.spawn(|| {
                world.says(&world.connection(0), said);
                world.wakes();
            });
            probe(&backend)
        });
        match wanted {
            Some(wanted) => sets(&data, "charset", "charset", wanted),
            None => is(&data, "charset", "good"),
        }
    }
    // By telnet both agree.
    let world = World::start(Kind::Mush);
    let data = probe(&plays_at(&world, "kind = \"tinymux\""));
    assert_eq!(data["addresses"][0]["charset"], "UTF-8");
    is(&data, "charset", "good");
}

#[test]
fn a_login_on_trial_shows_whether_the_patterns_see_what_comes_of_it() {
    // Nobody types what a Diku asks for behind the password: its page has to do.
    let page = "success = ['^\\*\\*\\* PRESS RETURN']";
    for (kind, keys, line) in [
        (Kind::Mush, "", "Last connect was from"),
        (Kind::Diku, page, "*** PRESS RETURN"),
        (Kind::Evennia, "", "You become bob"),
    ] {
        let world = World::start(kind);
        let backend = plays_at(&world, &format!("kind = \"{}\"\n{keys}", kind_of(kind)));
        let login = |password: &str| probed(&backend, &["--login", "bob"], password, 0)["data"]["login"].clone();
        let good = login("secret-of-bob");
        assert_eq!((&good["worked"], &good["name"]), (&json!(true), &json!("bob")), "{kind:?}: {good:#}");
        assert!(good["line"].as_str().is_some_and(|found| found.starts_with(line)), "{kind:?}: {good:#}");
        let bad = login("a-wrong-one");
        assert_eq!(bad["worked"], false, "{kind:?}: {bad:#}");
        assert!(bad["pattern"].is_string() && bad["lines"].is_array(), "{kind:?}: {bad:#}");
        assert_eq!(world.fault(), None);
    }
}

#[test]
fn patterns_that_match_nothing_are_found_with_the_lines_that_they_could_match() {
    let world = World::start(Kind::Mush);
    let keys = "kind = \"tinymux\"\nsuccess = [\"^Never said\"]\nfailure = [\"^Nor this\"]";
    let backend = plays_at(&world, keys);
    let login = probed(&backend, &["--login", "bob"], "secret-of-bob", 0)["data"]["login"].clone();
    assert_eq!((&login["worked"], &login["why"]), (&Value::Null, &Value::Null), "{login:#}");
    assert!(login["lines"].as_array().is_some_and(|lines| lines.contains(&json!("Limbo"))), "{login:#}");
}

#[test]
fn what_a_heartbeat_says_is_not_told_to_who_asks() {
    let world = World::start(Kind::Mush);
    let backend = plays_at(&world, "kind = \"tinymux\"\nheartbeat = \"connect Robot s3cret\"");
    let output = run(&mut backend.ctl_command(&["--json", "world", "probe", "zoo"]), b"").succeeds();
    assert!(!output.out.contains("s3cret"), "{output:?}");
}

#[test]
fn a_real_mush_is_found_to_be_one() {
    let Some(mux) = TinyMux::start() else { return };
    mux.has(&["Bob"]);
    let backend = plays(&format!("play = \"{}\"\nkind = \"tinymux\"", mux.at()));
    let data = probed(&backend, &["--login", "Bob"], "secret-of-Bob", 0)["data"].clone();
    for what in ["answer", "telnet", "charset", "kind", "login"] {
        is(&data, what, "good");
    }
    assert_eq!(data["login"]["worked"], true, "{data:#}");
    let wrong = plays(&format!("play = \"{}\"\nkind = \"diku\"\nreal_address = \"proxy-v1\"", mux.at()));
    sets(&probe(&wrong), "real_address", "real_address", "none");
}
