//! `ssmglobal ctl` and what else an operator types.

mod database;
mod deleted;
mod log_lines;
mod people;
mod shape;
mod typed;
mod verbs;

use crate::harness::{Backend, Program, has, is_root, program, run};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use tempfile::TempDir;

#[test]
fn status_tells_how_it_is() {
    let backend = Backend::start();
    backend.board("sprint");
    let _alice = backend.player("alice");
    let _arena = backend.game_server("arena");
    let _silent = backend.program();
    let status = backend.ctl(&["status"]);
    let expected = [("clients", 3), ("linked", 2), ("players_on", 1), ("servers_on", 1), ("players", 1), ("boards", 1)];
    for (name, count) in expected {
        assert_eq!(status[name], count, "{name}: {status}");
    }
    has(&status, json!({"listener": backend.pid().as_raw(), "writable": true}));
    let text = backend.operator(&["status"]);
    assert!(text.code == 0 && text.out.contains("players on") && text.err.is_empty(), "{text:?}");
}

#[test]
fn for_people_it_prints_text() {
    let backend = Backend::start();
    let ctl = |words: &[&str]| backend.operator(words);
    for (words, part) in [
        (&["server", "list"][..], "server add"),
        (&["server", "add", "arena"], "\"AUTH\""),
        (&["server", "list"], "arena"),
        (&["server", "disable", "arena"], "arena"),
        (&["board", "define", "sprint", "--unit", "ms", "--better", "lower"], "sprint"),
        (&["board", "list"], "BOARD"),
        (&["player", "list"], "no such player"),
        (&["sessions", "list"], "Nobody is connected."),
        (&["status"], "listener"),
        (&["verify"], "Nothing is wrong"),
    ] {
        let output = ctl(words);
        assert!(output.code == 0 && output.out.contains(part) && output.err.is_empty(), "{words:?}: {output:?}");
    }
    let output = ctl(&["player", "show", "nobody"]);
    assert!(output.code == 1 && output.out.is_empty() && output.err.contains("nobody"), "{output:?}");
    ctl(&["nonsense"]).ends_with(2);
}

#[test]
fn a_program_gets_json_also_where_the_command_line_makes_no_sense() {
    let backend = Backend::start();
    for (words, part) in [
        (&["world", "add", "Moon", "bob", "--users", "0"][..], "0 is not in 1..=1024"),
        (&["world", "add", "Moon", "bob", "--expires", "0"], "expires: give never"),
        (&["world", "add", "Moon"], "<OWNER>"),
        (&["player", "limit", "bob", "0"], "0 is not in 1..=10080"),
        (&["world", "show", ""], "<NAME>"),
        (&["world", "add", "", "bob"], "<NAME>"),
        (&["nonsense"], "nonsense"),
        (&["world"], "subcommand"),
        (&[], "subcommand"),
    ] {
        let output = run(backend.ctl_command(words).arg("--json"), b"");
        assert!(output.code == 2 && output.err.is_empty() && output.out.lines().count() == 1, "{words:?}: {output:?}");
        let told: Value = serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert_eq!(told["state"], "ERROR", "{words:?}");
        assert_eq!(told["code"], "usage", "{words:?}");
        let msg = told["msg"].as_str().expect("words");
        assert!(msg.contains(part) && !msg.contains("error:") && !msg.contains("Usage"), "{words:?}: {msg}");
        // For people as before, and never with the usage of a session.
        let output = backend.operator(words);
        assert!(output.code == 2 && output.out.is_empty() && !output.err.contains("EXPIRES 2030"), "{output:?}");
    }
    backend.operator(&["--json", "world"]).ends_with(2).prints("a command is missing");
    run(backend.ctl_command(&["world", "--help"]).arg("--json"), b"").succeeds().prints("Usage:");
}

#[test]
fn game_servers() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    assert_eq!(backend.ctl_fails(&["server", "add", "Arena"]), "exists");
    let row = backend.ctl(&["server", "list"])["servers"][0].clone();
    has(&row, json!({"server": "arena", "disabled": false, "sessions": 1}));
    assert!(row["last_auth"].is_string() && row.get("key").is_none(), "{row}");

    let key = backend.ctl(&["server", "rotate-key", "arena"])["key"].as_str().unwrap().to_owned();
    assert_ne!(key, arena.key);
    assert!(arena.expect_event("notice")["msg"].as_str().is_some_and(|msg| msg.contains("key")));
    let mut other = Program::in_mode(backend.at(), "SERVER");
    assert_eq!(other.fails("AUTH", json!({"name": "arena", "key": arena.key})), "bad_login");
    other.ok("AUTH", json!({"name": "arena", "key": key}));

    backend.ctl(&["server", "disable", "arena"]);
    assert!(other.expect_event("notice")["msg"].as_str().is_some_and(|msg| msg.contains("disabled")));
    let mut again = Program::in_mode(backend.at(), "SERVER");
    assert_eq!(again.fails("AUTH", json!({"name": "arena", "key": key})), "denied");
    assert_eq!(backend.ctl(&["server", "list"])["servers"][0]["disabled"], true);
    backend.ctl(&["server", "enable", "server:arena"]);
    assert_eq!(backend.ctl_fails(&["server", "add", "server:castle"]), "invalid", "a name holds no colon");
    let prefixed = json!({"name": "server:arena", "key": key});
    assert_eq!(Program::in_mode(backend.at(), "SERVER").ok("AUTH", prefixed)["server"], "arena");
    again.ok("AUTH", json!({"name": "arena", "key": key}));
    for word in ["rotate-key", "disable", "enable"] {
        assert_eq!(backend.ctl_fails(&["server", word, "nobody"]), "not_found");
    }
}

#[test]
fn without_a_backend() {
    let mut backend = Backend::start();
    drop(backend.player("alice"));
    backend.stop();
    backend.operator(&["status"]).ends_with(3).complains("does not run").complains("--data");
    let output = backend.operator(&["status", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&output.out).unwrap()["code"], "unavailable");
    let database = backend.data().join("ssmglobal.db").display().to_string();
    assert_eq!(backend.ctl(&["verify", &database])["players"], 1);
}

#[test]
fn another_user_is_refused() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    let data = backend.data();
    let as_nobody = || run(backend.ctl_command(&["status", "--json"]).uid(65534).gid(65534), b"");
    as_nobody().ends_with(1);
    // Even where the files let him through.
    let open = |path: &std::path::Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(data.parent().unwrap(), 0o755);
    open(&data, 0o755);
    open(&data.join("run"), 0o755);
    open(&data.join("run/ctl.sock"), 0o666);
    let output = as_nobody().ends_with(1);
    assert_eq!(serde_json::from_str::<Value>(&output.out).unwrap()["code"], "denied", "{output:?}");
    backend.log().wait("another user tried");
}

#[test]
fn a_config_file_is_checked() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("a.toml");
    let check = |text: &str, words: &[&str]| {
        std::fs::write(&file, text).unwrap();
        run(program().arg("check").arg(&file).args(words), b"")
    };
    check("[limits]\nclients = 10\n", &[]).succeeds().prints("fine");
    let output = check("[limits]\nclints = 1\nclients = 0\n[log]\nlevel = \"loud\"\n", &[]).ends_with(1);
    for place in ["a.toml:2:1", "a.toml:3:11", "a.toml:5:9", "3 things are wrong"] {
        assert!(output.out.contains(place), "{place}: {output:?}");
    }
    let output = check("[limits\n", &["--json"]);
    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!((output.code, &report["ok"], &report["problems"][0]["line"]), (1, &false.into(), &1.into()), "{report}");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/ssmglobal.toml");
    run(program().args(["check", example]), b"").succeeds();
    run(program().args(["check", "/nonexistent.toml"]), b"").ends_with(1);
}

#[test]
fn completions_and_man_pages() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(program().args(["completions", shell]), b"");
        assert!(output.code == 0 && output.out.contains("rotate-key") && output.out.contains("restore"), "{shell}");
        assert!(!output.out.contains("--rendezvous"), "{shell} completes what is not to be typed");
    }
    run(program().arg("man"), b"").succeeds().prints(".TH ssmglobal 1");
    let dir = TempDir::new().unwrap();
    run(program().arg("man").arg(dir.path()), b"").succeeds();
    let pages: Vec<_> = std::fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    for page in
        ["ssmglobal.1", "ssmglobal-ctl.1", "ssmglobal-ctl-server-add.1", "ssmglobal-check.1", "ssmglobal-restore.1"]
    {
        assert!(pages.iter().any(|name| name == page), "{page} is not in {pages:?}");
    }
}
