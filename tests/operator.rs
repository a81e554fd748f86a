//! `ssmglobal ctl` and what else an operator types.

use crate::harness::{Backend, GameServer, Output, Person, Program, program, run};
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
fn players() {
    let backend = Backend::start();
    let mut program = Program::at(&backend);
    for name in ["alice", "bob", "carol"] {
        program
            .ok("REGISTER", json!({"name": name, "password": "correct-horse", "email": format!("{name}@example.org")}));
    }
    let page = backend.ctl(&["player", "list", "--limit", "2"]);
    assert_eq!((&page["players"][1]["player"], &page["next"]), (&"bob".into(), &"bob".into()));
    let page = backend.ctl(&["player", "list", "--after", "bob"]);
    assert_eq!((page["players"].as_array().map(Vec::len), &page["next"]), (Some(1), &Value::Null));
    let shown = backend.ctl(&["player", "show", "CAROL"]);
    assert_eq!((&shown["email"], &shown["sessions"]), (&"carol@example.org".into(), &1.into()));
    assert!(!shown.to_string().contains("argon2"), "{shown}");
    assert_eq!(backend.ctl_fails(&["player", "show", "nobody"]), "not_found");
}

#[test]
fn a_disabled_player_is_logged_out_and_stays_out() {
    let backend = Backend::start();
    let mut mallory = Person::at(&backend).register("mallory");
    let mut program = Program::logged_in(&backend, "mallory");
    backend.ctl(&["player", "disable", "mallory", "--reason", "Three warnings."]);
    mallory.expect("Three warnings.");
    program.expect_event("notice");
    assert_eq!(program.fails("MAIL LIST", json!({})), "not_logged_in");
    let reply = program.ask("LOGIN", json!({"name": "mallory", "password": "secret-of-mallory"}));
    assert_eq!(reply["code"], "denied");
    assert!(reply["msg"].as_str().is_some_and(|msg| msg.contains("Three warnings.")), "{reply}");
    // Who does not know the password does not learn of it either.
    assert_eq!(program.fails("LOGIN", json!({"name": "mallory", "password": "wrong-guess"})), "bad_login");
    assert_eq!(backend.ctl(&["player", "show", "mallory"])["disabled"], "Three warnings.");
    backend.ctl(&["player", "enable", "mallory"]);
    program.login("mallory");
    assert_eq!(backend.ctl_fails(&["player", "disable", "nobody"]), "not_found");
}

#[test]
fn a_disabled_player_keeps_his_scores_and_gets_nothing_new() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut mallory = Program::registered(&backend, "mallory");
    let mut alice = Program::registered(&backend, "alice");
    let mut arena = GameServer::added(&backend, "arena");
    mallory.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 5}));
    mallory.ok("MAIL SEND", json!({"to": "alice", "body": "hello"}));
    backend.ctl(&["player", "disable", "mallory", "--reason", "Three warnings."]);
    let refused = |program: &mut Program, cmd: &str, args: Value| {
        let reply = program.ask(cmd, args);
        assert!(
            reply["code"] == "denied" && reply["msg"].to_string().contains("mallory is disabled"),
            "{cmd}: {reply}"
        );
    };
    refused(&mut arena, "RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "mallory"}));
    refused(&mut arena, "MAIL SEND", json!({"to": "mallory", "body": "hello"}));
    refused(&mut alice, "MAIL SEND", json!({"to": "mallory", "body": "hello"}));
    refused(&mut alice, "MAIL REPLY", json!({"id": 1, "body": "hello"}));
    refused(&mut alice, "MAIL FORWARD", json!({"id": 1, "to": "mallory"}));
    refused(&mut alice, "TELL", json!({"to": "mallory", "body": "hello"}));
    backend.kill_handler();
    refused(&mut arena, "RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "mallory"}));
    let show = json!({"board": "sprint", "player": "mallory"});
    assert_eq!(alice.ok("RECORD SHOW", show.clone())["score"], 5);
    backend.ctl(&["player", "enable", "mallory"]);
    arena.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1, "player": "mallory"}));
    assert_eq!(alice.ok("RECORD SHOW", show)["score"], 1);
    alice.ok("MAIL SEND", json!({"to": "mallory", "body": "hello"}));
    assert_eq!(alice.fails("TELL", json!({"to": "mallory", "body": "hello"})), "not_found");
}

#[test]
fn a_password_is_set_from_standard_input() {
    let backend = Backend::start();
    drop(Program::registered(&backend, "alice"));
    let set = |name: &str, input: &[u8]| -> Output {
        run(&mut backend.ctl_command(&["--json", "player", "set-password", name]), input)
    };
    assert_eq!(set("alice", b"battery-staple\n").code, 0);
    let mut alice = Program::at(&backend);
    assert_eq!(alice.fails("LOGIN", json!({"name": "alice", "password": "secret-of-alice"})), "bad_login");
    alice.ok("LOGIN", json!({"name": "alice", "password": "battery-staple"}));
    for (name, input) in [("alice", &b""[..]), ("alice", b"\n"), ("alice", b"short\n"), ("nobody", b"battery-staple\n")]
    {
        let output = set(name, input);
        assert_eq!(output.code, 1, "{output:?}");
        assert!(!output.out.contains("short\""), "{output:?}");
    }
    let words = ["player", "set-password", "alice", "on-the-command-line"];
    assert_eq!(run(&mut backend.ctl_command(&words), b"").code, 2);
}

#[test]
fn boards() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut alice = Program::registered(&backend, "alice");
    let mut bob = Program::registered(&backend, "bob");
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1}));
    bob.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 2}));
    let row = backend.ctl(&["board", "list"])[0].clone();
    assert_eq!((&row["board"], &row["better"], &row["total"]), (&"sprint".into(), &"lower".into(), &2.into()));
    // What stands on it would lose its meaning.
    let change = ["board", "define", "sprint", "--unit", "ms", "--better", "higher"];
    assert_eq!(backend.ctl_fails(&change), "denied");
    backend.ctl(&["board", "define", "sprint", "--unit", "s", "--better", "lower"]);
    assert_eq!(alice.fails("RECORD SUBMIT", json!({"board": "sprint", "score": 0})), "denied");

    backend.ctl(&["board", "withdraw", "sprint", "alice", "--reason", "cheated"]);
    assert_eq!(bob.ok("RECORD SHOW", json!({"board": "sprint"}))["rank"], 1);
    assert_eq!(bob.fails("RECORD SHOW", json!({"board": "sprint", "player": "alice"})), "not_found");
    let again = |player: &str| backend.ctl_fails(&["board", "withdraw", "sprint", player, "--reason", "x"]);
    assert_eq!((&*again("alice"), &*again("nobody")), ("not_found", "not_found"));
}

#[test]
fn what_was_withdrawn_stays_withdrawn() {
    let mut backend = Backend::start();
    backend.board("sprint");
    Program::registered(&backend, "alice").ok("RECORD SUBMIT", json!({"board": "sprint", "score": 1}));
    backend.ctl(&["board", "withdraw", "sprint", "alice", "--reason", "cheated"]);
    backend.restart();
    let mut alice = Program::logged_in(&backend, "alice");
    assert_eq!(alice.ok("RECORD TOP", json!({"board": "sprint"}))["total"], 0);
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 5}));
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sprint"}))["score"], 5);
}

fn pid_of(backend: &Backend, matches: impl Fn(&Value) -> bool) -> String {
    let sessions = backend.ctl(&["sessions", "list"]);
    let found = sessions.as_array().unwrap().iter().find(|row| matches(row));
    found.unwrap_or_else(|| panic!("{sessions}"))["pid"].to_string()
}

#[test]
fn sessions_are_listed_and_ended() {
    let backend = Backend::start();
    let mut alice = Person::at(&backend).register("alice");
    let mut bob = Program::registered(&backend, "bob");
    let sessions = backend.ctl(&["sessions", "list"]);
    let row = sessions.as_array().unwrap().iter().find(|row| row["who"] == "alice").unwrap();
    assert_eq!(
        (&row["mode"], row["address"].as_str().map(|it| it.starts_with("127.0.0.1:"))),
        (&"HUMAN".into(), Some(true))
    );
    let pid = row["pid"].to_string();
    backend.ctl(&["sessions", "kick", &pid, "--reason", "Time for bed."]);
    alice.expect("Time for bed.");
    alice.wire.rest();
    bob.ok("PING", json!({}));
    assert_eq!(backend.ctl_fails(&["sessions", "kick", "1"]), "not_found");
    assert_eq!(bob.ok("WHO", json!({}))["total"], 1);
}

#[test]
fn who_has_not_asked_for_anything_yet_is_told_why_as_well() {
    let backend = Backend::start();
    let mut silent = Program::at(&backend);
    let pid = pid_of(&backend, |_| true);
    backend.ctl(&["sessions", "kick", &pid, "--reason", "Time for bed."]);
    let said = silent.wire.rest();
    assert!(!said.contains("going down"), "it is told that the backend ends, which it does not: {said}");
    assert!(said.contains("Time for bed."), "{said}");
}

#[test]
fn a_backup_while_others_write() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut writers: Vec<Program> = (0..3).map(|n| Program::registered(&backend, &format!("writer-{n}"))).collect();
    let file = backend.file("backup.db");
    std::thread::scope(|scope| {
        for writer in &mut writers {
            scope.spawn(move || {
                for number in 0..300 {
                    writer.ok("SETTING SET", json!({"key": format!("k{number}"), "value": "x".repeat(1000)}));
                }
            });
        }
        let made = backend.ctl(&["backup", &file.display().to_string()]);
        assert!(made["bytes"].as_u64() > Some(4096), "{made}");
    });
    let verified = backend.ctl(&["verify", &file.display().to_string()]);
    assert_eq!((&verified["ok"], &verified["players"]), (&true.into(), &3.into()), "{verified}");
    let live = backend.ctl(&["verify"]);
    assert_eq!((&live["ok"], &live["settings"]), (&true.into(), &900.into()), "{live}");
    // What is there is not overwritten.
    assert_eq!(backend.ctl_fails(&["backup", &file.display().to_string()]), "exists");
    let nowhere = backend.file("no/such/directory/backup.db");
    assert_eq!(backend.ctl_fails(&["backup", &nowhere.display().to_string()]), "unavailable");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "a backup that others can read");
}

#[test]
fn a_backup_can_be_run_with() {
    let mut backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "before"}));
    let file = backend.file("backup.db");
    backend.ctl(&["backup", &file.display().to_string()]);
    alice.ok("SETTING SET", json!({"key": "k", "value": "after"}));
    backend.stop();
    for name in ["ssmglobal.db", "ssmglobal.db-wal", "ssmglobal.db-shm"] {
        // The journals are gone already after an orderly end.
        let _ = std::fs::remove_file(backend.data().join(name));
    }
    std::fs::copy(&file, backend.data().join("ssmglobal.db")).unwrap();
    backend.start_again();
    assert_eq!(Program::logged_in(&backend, "alice").ok("SETTING GET", json!({"key": "k"}))["value"], "before");
}

#[test]
fn damage_is_found() {
    let backend = Backend::start();
    drop(Program::registered(&backend, "alice"));
    let good = backend.file("good.db");
    backend.ctl(&["backup", &good.display().to_string()]);
    let bytes = std::fs::read(&good).unwrap();
    let verify = |name: &str, bytes: &[u8]| -> (i32, Value) {
        let file = backend.file(name);
        std::fs::write(&file, bytes).unwrap();
        let output = run(&mut backend.ctl_command(&["--json", "verify", &file.display().to_string()]), b"");
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "it has changed the file");
        (output.code, serde_json::from_str(&output.out).unwrap())
    };
    let (code, verified) = verify("same.db", &bytes);
    assert_eq!((code, &verified["ok"]), (0, &true.into()), "{verified}");
    let mut torn = bytes.clone();
    torn.iter_mut().skip(4096).step_by(7).for_each(|byte| *byte ^= 0x55);
    let other = b"CREATE TABLE shopping (item TEXT);".repeat(200);
    for (name, bytes) in [("torn.db", &torn[..]), ("short.db", &bytes[..5000]), ("other.db", &other), ("empty.db", b"")]
    {
        let (code, verified) = verify(name, bytes);
        assert_eq!(code, 1, "{name}: {verified}");
        let told = verified["problems"].as_array().is_some_and(|list| !list.is_empty());
        assert!(verified["ok"] == false && told || verified["state"] == "ERROR", "{name}: {verified}");
    }
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
    let missing = backend.file("missing.db").display().to_string();
    assert_eq!(run(&mut backend.ctl_command(&["verify", &missing]), b"").code, 1);
    assert!(!backend.file("missing.db").exists());
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
fn the_data_is_for_its_user_alone() {
    let backend = Backend::start();
    let mode = |name: &str| backend.data().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("run"), mode("run/ctl.sock")), (0o700, 0o700, 0o600));
    assert_eq!(mode("ssmglobal.db") & 0o077, 0);
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
        assert!(!output.out.contains("--rendezvous"), "{shell} completes what is not to be typed");
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
