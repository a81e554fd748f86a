//! What is in the log, and what never is.

use crate::harness::{Backend, Log, Program, Running, event, program};
use nix::sys::signal::Signal;
use serde_json::json;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

#[test]
fn secrets_reach_no_log() {
    let backend = Backend::plan().config("log.level = \"trace\"\n").start();
    let mut alice = backend.terminal();
    alice.ask("REGISTER alice Plain-Secret-1 alice@example.org");
    alice.type_line("LOGIN alice");
    alice.expect("assword");
    alice.type_line("Plain-Secret-1");
    alice.expect("> ");
    alice.ask("PASSWORD Plain-Secret-1 Plain-Secret-2");
    alice.ask("register bob Plain-Secret-3");
    alice.ask("LOGIM alice Plain-Secret-4");
    alice.ask("LOGOUT");
    // A word alone where a command belongs, and a name where a password does.
    alice.ask("LOGIN alice wrong-guess");
    for line in
        ["Plain-Secret-7", "\u{feff}Plain-Secret-7", "LOGIN Plain-Secret-7 alice", "LOGIN(alice,Plain-Secret-7)"]
    {
        alice.says(line).sees("ERROR: ");
    }
    for line in
        ["FINGER Plain-Secret-7", "HELP Plain-Secret-7", "MODE Plain-Secret-7", "HELP LOGIN alice Plain-Secret-7"]
    {
        alice.says(line).sees("ERROR: ");
    }
    let mut program = backend.program();
    program.say(r#"{"cmd": "LOGIN", "args": {"name": "alice", "password": "Plain-Secret-2"}}"#);
    program.say(r#"{"cmd": "LOGIN", "args": "alice Plain-Secret-2"}"#);
    program.say(r#"{"cmd": "LOGIN", "args": ["alice", "Plain-Secret-2"]}"#);
    program.say(r#"{"cmd": "LOGIN", "args": {"name": "alice", "pasword": "Plain-Secret-5"}}"#);
    program.say(r#"{"cmd": "LOGIN", "args": {"name": "alice", "password": "Plain-Secret-6"}"#);
    program.say(r#"["LOGIN","alice","Plain-Secret-8"]"#);
    program.say("\u{feff}{\"cmd\":\"LOGIN\",\"args\":[\"alice\",\"Plain-Secret-8\"]}");
    program.say("LOGIN alice Plain-Secret-8");
    program.say(r#"{"cmd": "Plain-Secret-8"}"#);
    program.say(r#"{"cmd": "PING", "id": "Plain-Secret-8"}"#);
    let key = backend.ctl(&["server", "add", "arena"])["key"].as_str().unwrap().to_owned();
    let mut server = Program::in_mode(backend.at(), "SERVER");
    for args in [json!([key]), json!([key, "arena"]), json!({"name": key}), json!({"name": "arena", "keys": key})] {
        server.fails("AUTH", args);
    }
    server.ok("AUTH", json!({"name": "arena", "key": key}));
    // Everything before it is in the log when the next line is.
    backend.see_off(server.wire);
    let log = backend.log().text();
    assert!(!log.contains("Plain-Secret"), "{log}");
    assert!(!log.contains(&key), "{log}");
    // What was said of them is there.
    for shown in ["-> REGISTER ***(5) ***(14) ***(17)", "-> ***(14)", "-> LOGIN ***(22)", "<- ERROR: ***("] {
        assert!(log.contains(shown), "{shown}: {log}");
    }
    assert!(log.contains(r#"-> {"id": 5, "cmd": "AUTH", "args": {"name": "***(5)", "key": "***("#), "{log}");
}

#[test]
fn what_somebody_typed_is_harmless_in_the_log() {
    let backend = Backend::plan().config("log.level = \"debug\"\n").start();
    let mut person = backend.terminal();
    person.ask("HW \x1b[31mred\x07\u{9b}2J \u{202e}backwards");
    person.ask("HW 1");
    backend.log().wait("-> HW 1");
    let log = backend.log().text();
    let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!log.contains(bad), "{log:?}");
}

#[test]
fn under_journald_a_line_has_a_priority_and_no_time() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("journal");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Open for both, so that neither end waits for the other.
    let journal = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let about = journal.metadata().unwrap();
    let mut command = program();
    command.args(["-a", "127.0.0.1", "-p", "0"]).arg("--data").arg(dir.path().join("data"));
    command.env("JOURNAL_STREAM", format!("{}:{}", about.dev(), about.ino()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(journal.try_clone().unwrap());
    let backend = Running::on_terminal(&mut command);
    drop(command);
    let log = Log::collect(journal);
    log.wait("is ready");
    log.find_after(0, "a line with a priority", |text| {
        text.lines().any(|line| line.starts_with("<6>handler: ")).then_some(())
    });
    backend.signal(Signal::SIGTERM);
    log.wait("<6>handler: everything is saved");
}

#[test]
fn the_log_tells_who_came_what_was_said_and_who_went() {
    let backend = Backend::plan().config("log.level = \"debug\"\n").start();
    let mut program = backend.program();
    let address = program.wire.stream.local_addr().unwrap();
    program.send_line(r#"{"cmd": "HW"}"#);
    program.reply();
    drop(program);
    for text in [
        event("connect", address),
        format!("{address} -> {{\"cmd\": \"HW\"}}"),
        format!("{address} <- {{\"state\": \"OK\", ***("),
        event("disconnect", address),
    ] {
        backend.log().wait(&text);
    }
}
