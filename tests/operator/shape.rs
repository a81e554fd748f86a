//! The one shape of JSON that every command of `ctl` prints, and its errors.

use crate::harness::worlds::{Kind, World};
use crate::harness::{Backend, Output, program, run};
use serde_json::Value;
use std::collections::BTreeSet;
use tempfile::TempDir;

/// Every command with words that succeed, in an order in which they do; `F` is a file that is not there yet, `W` where a world is.
const COMMANDS: &[(&str, &str)] = &[
    ("status", ""),
    ("metrics", ""),
    ("penalty list", ""),
    ("penalty clear", "all"),
    ("server add", "arena"),
    ("server list", ""),
    ("server rotate-key", "arena"),
    ("server disable", "arena"),
    ("server enable", "arena"),
    ("server allow", "arena login-check"),
    ("server forbid", "arena login-check"),
    ("server rename", "arena forum"),
    ("server delete", "forum --yes"),
    ("player add", "alice"),
    ("player list", ""),
    ("player search", "ali"),
    ("player show", "alice"),
    ("player set-password", "alice"),
    ("player disable", "alice"),
    ("player enable", "alice"),
    ("player limit", "alice 90"),
    ("board define", "race --unit ms --better lower"),
    ("board list", ""),
    ("board rename", "race sprint"),
    ("board withdraw", "sprint bob --reason cheated"),
    ("board reset", "sprint --yes"),
    ("board delete", "sprint --yes"),
    ("world add", "Zoo alice"),
    ("world show", "Zoo"),
    ("world list", ""),
    ("world change", "Zoo --users 7"),
    ("world play", "Zoo play W"),
    ("world played", ""),
    ("world probe", "Zoo"),
    ("world failover", "Zoo"),
    ("world disable", "Zoo --reason x"),
    ("world enable", "Zoo"),
    ("world password", "Zoo"),
    ("property set", "bob motto hi"),
    ("property get", "bob"),
    ("property delete", "bob motto"),
    ("world delete", "Zoo"),
    ("right grant", "alice operator"),
    ("right list", "alice"),
    ("right revoke", "alice operator"),
    ("universe set", "users off"),
    ("universe show", ""),
    ("universe reset", "users"),
    ("broadcast", "Down at eight"),
    ("sessions list", ""),
    ("sessions kick", "bob"),
    ("log", "-n 5"),
    ("reload", ""),
    ("backup", "F"),
    ("verify", ""),
    ("upgrade", ""),
    ("stop", "--yes"),
];

/// The commands that there are, as the man pages name them: those that have none below them.
fn commands() -> BTreeSet<String> {
    let dir = TempDir::new().expect("a directory");
    run(program().arg("man").arg(dir.path()), b"").succeeds();
    let names = std::fs::read_dir(dir.path()).expect("a directory").flatten().map(|file| file.file_name());
    let names = names.filter_map(|name| {
        let name = name.to_string_lossy().into_owned();
        name.strip_prefix("ssmglobal-ctl-").map(|name| name.trim_end_matches(".1").to_owned())
    });
    let names: BTreeSet<String> = names.collect();
    // A word of a group, whose own page has the name in front; `rotate-key` is one word.
    let group_of = |name: &str| {
        let (group, word) = name.split_once('-')?;
        names.contains(group).then(|| (group.to_owned(), word.to_owned()))
    };
    let groups: BTreeSet<String> = names.iter().filter_map(|name| group_of(name)).map(|(group, _)| group).collect();
    let alone = names.iter().filter(|name| !groups.contains(*name));
    alone.map(|name| group_of(name).map_or(name.clone(), |(group, word)| format!("{group} {word}"))).collect()
}

/// One object on one line, in the shape of the wire: `state`, `msg`, for an error `code`, and `data`.
#[track_caller]
fn object(words: &[&str], output: &Output) -> Value {
    assert!(output.err.is_empty() && output.out.lines().count() == 1, "{words:?}: {output:?}");
    let told: Value =
        serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{words:?}: {error}: {output:?}"));
    let members = told.as_object().unwrap_or_else(|| panic!("{words:?}: no object: {told}"));
    let known = ["state", "msg", "code", "data"];
    assert!(members.keys().all(|name| known.contains(&&**name)), "{words:?}: {told}");
    assert!(told["msg"].as_str().is_some_and(|msg| !msg.is_empty()), "{words:?}: {told}");
    let ok = output.code == 0;
    assert_eq!(told["state"], if ok { "OK" } else { "ERROR" }, "{words:?}: {told}");
    assert_eq!(told["code"].is_string(), !ok, "{words:?}: {told}");
    assert!(told.get("data").is_none_or(Value::is_object), "{words:?}: {told}");
    times(words, &told);
    told
}

/// Times are written in one form, wherever they stand.
#[track_caller]
fn times(words: &[&str], value: &Value) {
    const TIMES: [&str; 12] = [
        "at",
        "since",
        "added",
        "last_auth",
        "registered",
        "last_login",
        "created",
        "expires",
        "last_started",
        "stopped",
        "goes",
        "now",
    ];
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            if TIMES.contains(&&**name) {
                let is_time = |text: &str| text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
                assert!(value.is_null() || value.as_str().is_some_and(is_time), "{words:?}: {name} is {value}");
            }
            times(words, value);
        }),
        Value::Array(values) => values.iter().for_each(|value| times(words, value)),
        _ => {}
    }
}

#[test]
fn every_command_is_in_the_table() {
    // What is live is for people.
    let all = COMMANDS.iter().map(|(command, _)| *command).chain(["top"]);
    let table: BTreeSet<String> = all.map(str::to_owned).collect();
    assert_eq!(table, commands());
}

#[test]
fn every_answer_and_every_error_has_the_shape_of_the_wire() {
    let mut backend = Backend::start();
    let mut bob = backend.player("bob");
    let file = backend.file("backup.db").display().to_string();
    let world = World::start(Kind::Mush);
    let address = world.address();
    for (command, more) in COMMANDS {
        let words: Vec<&str> = command.split(' ').chain(more.split(' ').filter(|word| !word.is_empty())).collect();
        let meant = |word| match word {
            "F" => &file,
            "W" => &address,
            word => word,
        };
        let words: Vec<&str> = words.into_iter().map(meant).collect();
        let ask = |words: &[&str]| run(backend.ctl_command(words).arg("--json"), b"secret-of-alice\n");
        // Something is wrong with the line, and then it is right.
        let wrong = [&words[..], &["--no-such-option"]].concat();
        let told = object(&wrong, &ask(&wrong).ends_with(2));
        assert_eq!(told["code"], "usage", "{wrong:?}: {told}");
        let asks_back = words.iter().position(|word| *word == "--yes");
        if let Some(at) = asks_back {
            let told = object(&words[..at], &ask(&words[..at]).ends_with(2));
            assert_eq!(told["code"], "usage", "{words:?}: {told}");
        }
        if *command == "board withdraw" {
            use serde_json::json;
            backend.ctl(&["board", "define", "sprint", "--unit", "ms", "--better", "lower", "--submit", "players"]);
            bob.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 7}));
        }
        let told = object(&words, &ask(&words).succeeds());
        // A list has a name, and says where it goes on.
        let data = &told["data"];
        if command.ends_with("list") && *command != "right list" || *command == "player search" {
            let lists = data.as_object().expect("data").values().filter(|value| value.is_array()).count();
            assert!(lists >= 1 && data.get("next").is_some(), "{words:?}: {told}");
        }
    }
    assert_eq!(backend.wait(), Some(0));
    for (command, more) in COMMANDS {
        let words: Vec<&str> = command.split(' ').chain(more.split(' ').filter(|word| !word.is_empty())).collect();
        let told = object(&words, &run(backend.ctl_command(&words).arg("--json"), b"").ends_with(3));
        assert_eq!(told["code"], "unavailable", "{words:?}: {told}");
    }
}

#[test]
fn errors_of_the_backend_have_the_shape_too() {
    let backend = Backend::start();
    for (words, code) in [
        (&["player", "show", "nobody"][..], "not_found"),
        (&["server", "rotate-key", "nobody"], "not_found"),
        (&["board", "reset", "nobody", "--yes"], "not_found"),
        (&["world", "show", "nobody"], "not_found"),
        (&["board", "define", "a b", "--unit", "ms", "--better", "lower"], "invalid"),
        (&["verify", "/nowhere/at/all"], "unavailable"),
        (&["verify", "/etc/passwd"], "invalid"),
    ] {
        let told = object(words, &run(backend.ctl_command(words).arg("--json"), b"").ends_with(1));
        assert_eq!(told["code"], code, "{words:?}: {told}");
    }
}
