//! The filter for fail2ban finds the lines that the program really writes, and no others.

use super::{at, from, tries};
use crate::harness::{Backend, Program, Wire, run};
use regex::Regex;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fail2ban").join(name)
}

/// The patterns of the filter, as fail2ban puts them together. It takes the time away before it looks.
fn patterns() -> Vec<Regex> {
    let text = std::fs::read_to_string(config("filter.d/ssmglobal.conf")).unwrap();
    let value = |key: &str| text.split_once(&format!("\n{key} = ")).map(|(_, rest)| rest).unwrap();
    let front = value("front").lines().next().unwrap();
    let lines = value("failregex").lines().take_while(|line| !line.trim().is_empty());
    let address = r"(?P<address>[0-9a-f.:]+)";
    lines
        .map(|line| line.trim().replace("%(front)s", front).replace("<ADDR>", address))
        .map(|line| Regex::new(&line).unwrap())
        .collect()
}

/// How often each address is found in a log.
fn found(log: &str) -> BTreeMap<String, usize> {
    let patterns = patterns();
    let time = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    let mut found = BTreeMap::new();
    for line in log.lines() {
        let line = time.replace(line, "");
        let address = patterns.iter().find_map(|pattern| Some(pattern.captures(&line)?["address"].to_owned()));
        if let Some(address) = address {
            *found.entry(address).or_default() += 1;
        }
    }
    found
}

/// An evening with all that is in a log: what is to be found, and what is not.
fn evening() -> Backend {
    let backend = Backend::plan()
        .config("log.level = \"debug\"\n[[door]]\naddress = \"127.0.0.1:0\"\nmode = \"human\"\n")
        .start();
    let mut alice = backend.player("alice");
    alice.ok("LOGOUT", json!({}));
    alice.login("alice");
    backend.game_server("arena");
    // Words of a client that look like a line.
    let forged = "x\nevent=login-failed address=192.0.2.66 port=1 session=1 door=0";
    for name in [forged, "handler: event=login-failed address=192.0.2.66 port=1 session="] {
        let mut forger = from("127.0.0.5", &backend);
        assert_eq!(tries(&mut forger, name, forged), "bad_login");
        assert_eq!(forger.fails("FINGER", json!({"player": name})), "not_found");
    }
    let mut guesser = from("127.0.0.2", &backend);
    for name in ["alice", "alice", "nobody"] {
        assert_eq!(tries(&mut guesser, name, "wrong-guess"), "bad_login");
    }
    let mut server = Program::over(Wire::from("127.0.0.3", backend.at()), "SERVER");
    for name in ["arena", "castle"] {
        assert_eq!(server.fails("AUTH", json!({"name": name, "key": "wrong"})), "bad_login");
    }
    let mut browser = Wire::from("127.0.0.4", backend.doors()[1]);
    browser.send("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    browser.rest();
    // Of a game server that is shut out the key is right: that is no guess.
    let key = backend.ctl(&["server", "add", "tower"])["key"].as_str().unwrap().to_owned();
    backend.operator(&["server", "disable", "tower"]).succeeds();
    let mut tower = Program::over(Wire::from("127.0.0.6", backend.at()), "SERVER");
    assert_eq!(tower.fails("AUTH", json!({"name": "tower", "key": key})), "denied");
    let reason = "handler: event=login-failed address=192.0.2.66 port=1 session=1";
    backend.operator(&["player", "disable", "alice", "--reason", reason]).succeeds();
    backend.log().wait("event=sent-away address=127.0.0.4 ");
    backend.log().wait("server=tower reason=disabled");
    alice.closes(&backend);
    assert_eq!(at(&guesser).ip().to_string(), "127.0.0.2");
    backend
}

fn expected() -> BTreeMap<String, usize> {
    let found = [("127.0.0.2", 3), ("127.0.0.3", 2), ("127.0.0.4", 1), ("127.0.0.5", 2)];
    found.map(|(address, count)| (address.to_owned(), count)).into()
}

#[test]
fn the_filter_finds_what_the_program_has_written_and_nothing_else() {
    let log = evening().log().text();
    assert_eq!(found(&log), expected(), "{log}");
    // The journal and syslog have their own front, and no level.
    let journal: Vec<String> = log
        .lines()
        .filter_map(|line| line.split_once("handler: "))
        .map(|(_, rest)| format!("backend ssmglobal[4711]: handler: {rest}"))
        .collect();
    assert_eq!(found(&journal.join("\n")), expected());
}

#[test]
fn fail2ban_itself_finds_the_same_and_takes_the_jail() {
    if run(Command::new("sh").args(["-c", "command -v fail2ban-regex fail2ban-client"]), b"").code != 0 {
        eprintln!("left out: fail2ban is not installed");
        return;
    }
    let backend = evening();
    let log = backend.file("the.log");
    std::fs::write(&log, backend.log().text()).unwrap();
    let filter = config("filter.d/ssmglobal.conf");
    let output = run(Command::new("fail2ban-regex").args(["-o", "ip"]).arg(&log).arg(&filter), b"");
    let mut found = BTreeMap::new();
    for address in output.out.lines().filter(|line| !line.is_empty()) {
        *found.entry(address.to_owned()).or_insert(0) += 1;
    }
    assert_eq!(found, expected(), "{output:?}");

    let all = backend.file("fail2ban");
    for folder in ["filter.d", "jail.d", "action.d"] {
        std::fs::create_dir_all(all.join(folder)).unwrap();
    }
    std::fs::write(all.join("fail2ban.conf"), "[Definition]\n").unwrap();
    std::fs::write(all.join("jail.conf"), "[DEFAULT]\nlogencoding = auto\n").unwrap();
    for file in ["filter.d/ssmglobal.conf", "jail.d/ssmglobal.conf"] {
        std::fs::copy(config(file), all.join(file)).unwrap();
    }
    let output = run(Command::new("fail2ban-client").arg("-c").arg(&all).arg("-t"), b"");
    assert_eq!(output.code, 0, "{output:?}");
}
