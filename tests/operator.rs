//! `ssmglobal ctl` and what else an operator types.

mod database;
mod people;

use crate::harness::{Backend, GameServer, Program, program, run};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use tempfile::TempDir;

#[test]
fn status_tells_how_it_is() {
    let backend = Backend::start();
    backend.board("sprint");
    let _alice = Program::registered(&backend, "alice");
    let _arena = GameServer::added(&backend, "arena");
    let _silent = Program::at(&backend);
    let status = backend.ctl(&["status"]);
    let expected = [("clients", 3), ("linked", 2), ("players_on", 1), ("servers_on", 1), ("players", 1), ("boards", 1)];
    for (name, count) in expected {
        assert_eq!(status[name], count, "{name}: {status}");
    }
    assert_eq!((&status["listener"], &status["writable"]), (&backend.pid().as_raw().into(), &true.into()));
    let text = run(&mut backend.ctl_command(&["status"]), b"");
    assert!(text.code == 0 && text.out.contains("players on") && text.err.is_empty(), "{text:?}");
}

#[test]
fn for_people_it_prints_text() {
    let backend = Backend::start();
    let ctl = |words: &[&str]| run(&mut backend.ctl_command(words), b"");
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
    assert_eq!(ctl(&["nonsense"]).code, 2);
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
        assert_eq!((&told["state"], &told["code"]), (&"ERROR".into(), &"usage".into()), "{words:?}");
        let msg = told["msg"].as_str().expect("words");
        assert!(msg.contains(part) && !msg.contains("error:") && !msg.contains("Usage"), "{words:?}: {msg}");
        // For people as before, and never with the usage of a session.
        let output = run(&mut backend.ctl_command(words), b"");
        assert!(output.code == 2 && output.out.is_empty() && !output.err.contains("EXPIRES 2030"), "{output:?}");
    }
    let output = run(&mut backend.ctl_command(&["--json", "world"]), b"");
    assert!(output.code == 2 && output.out.contains("a command is missing"), "{output:?}");
    let help = run(backend.ctl_command(&["world", "--help"]).arg("--json"), b"");
    assert!(help.code == 0 && help.out.contains("Usage:"), "{help:?}");
}

#[test]
fn game_servers() {
    let backend = Backend::start();
    let mut arena = GameServer::added(&backend, "arena");
    assert_eq!(backend.ctl_fails(&["server", "add", "Arena"]), "exists");
    let row = backend.ctl(&["server", "list"])[0].clone();
    assert_eq!((&row["server"], &row["disabled"], &row["sessions"]), (&"arena".into(), &false.into(), &1.into()));
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
    assert_eq!(backend.ctl(&["server", "list"])[0]["disabled"], true);
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
    drop(Program::registered(&backend, "alice"));
    backend.stop();
    let output = run(&mut backend.ctl_command(&["status"]), b"");
    assert!(output.code == 3 && output.err.contains("does not run") && output.err.contains("--data"), "{output:?}");
    let output = run(&mut backend.ctl_command(&["status", "--json"]), b"");
    assert_eq!(serde_json::from_str::<Value>(&output.out).unwrap()["code"], "unavailable");
    let database = backend.data().join("ssmglobal.db").display().to_string();
    assert_eq!(backend.ctl(&["verify", &database])["players"], 1);
}

#[test]
fn another_user_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can become another user");
        return;
    }
    let backend = Backend::start();
    let data = backend.data();
    let as_nobody = || run(backend.ctl_command(&["status", "--json"]).uid(65534).gid(65534), b"");
    let output = as_nobody();
    assert_eq!(output.code, 1, "{output:?}");
    // Even where the files let him through.
    let open = |path: &std::path::Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(data.parent().unwrap(), 0o755);
    open(&data, 0o755);
    open(&data.join("run"), 0o755);
    open(&data.join("run/ctl.sock"), 0o666);
    let output = as_nobody();
    assert_eq!(output.code, 1, "{output:?}");
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
    let output = check("[limits]\nclients = 10\n", &[]);
    assert!(output.code == 0 && output.out.contains("fine"), "{output:?}");
    let output = check("[limits]\nclints = 1\nclients = 0\n[log]\nlevel = \"loud\"\n", &[]);
    assert_eq!(output.code, 1);
    for place in ["a.toml:2:1", "a.toml:3:11", "a.toml:5:9", "3 things are wrong"] {
        assert!(output.out.contains(place), "{place}: {output:?}");
    }
    let output = check("[limits\n", &["--json"]);
    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!((output.code, &report["ok"], &report["problems"][0]["line"]), (1, &false.into(), &1.into()), "{report}");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/ssmglobal.toml");
    assert_eq!(run(program().args(["check", example]), b"").code, 0);
    assert_eq!(run(program().args(["check", "/nonexistent.toml"]), b"").code, 1);
}

#[test]
fn completions_and_man_pages() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(program().args(["completions", shell]), b"");
        assert!(output.code == 0 && output.out.contains("rotate-key") && output.out.contains("restore"), "{shell}");
        assert!(!output.out.contains("--desk"), "{shell} completes what is not to be typed");
    }
    let output = run(program().arg("man"), b"");
    assert!(output.code == 0 && output.out.contains(".TH ssmglobal 1"), "{output:?}");
    let dir = TempDir::new().unwrap();
    assert_eq!(run(program().arg("man").arg(dir.path()), b"").code, 0);
    let pages: Vec<_> = std::fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    for page in
        ["ssmglobal.1", "ssmglobal-ctl.1", "ssmglobal-ctl-server-add.1", "ssmglobal-check.1", "ssmglobal-restore.1"]
    {
        assert!(pages.iter().any(|name| name == page), "{page} is not in {pages:?}");
    }
}
