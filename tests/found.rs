//! The backend that an operator means who has not said which, and the one that does not serve yet.

use crate::harness::{Backend, Machine, Output, Terminal, program};
use nix::sys::signal::Signal;
use serde_json::Value;
use ssmglobal_ipc::ctl::Answer;
use ssmglobal_ipc::frame::put_control;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::Path;

fn database(output: &Output) -> String {
    let status: Value = serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    status["data"]["database"].as_str().expect("a path").to_owned()
}

#[test]
fn the_service_of_the_machine_is_found_from_anywhere() {
    let Some(machine) = Machine::new() else { return };
    let (home, elsewhere) = (machine.folder("home"), machine.folder("elsewhere"));
    // Nobody at all: what is missing is named as ever.
    machine.ctl(&home, &["status"]).ends_with(3).complains("home/data/run/ctl.sock. Start it");
    let standard = machine.backend(&home, &["--data", "/var/lib/ssmglobal"]);
    let found = machine.ctl(&home, &["--json", "status"]).succeeds();
    assert_eq!((database(&found).as_str(), found.err.as_str()), ("/var/lib/ssmglobal/ssmglobal.db", ""));
    // The config of the machine names another, which counts for more.
    let other = elsewhere.join("data").display().to_string();
    machine.write_config(&format!("data = \"{other}\"\n"));
    let found = machine.ctl(&home, &["--json", "status"]).succeeds();
    assert_eq!(database(&found), "/var/lib/ssmglobal/ssmglobal.db");
    assert!(found.err.contains("the one that runs"), "{found:?}");
    let of_config = machine.backend(&home, &[]);
    assert!(of_config.stderr.text().contains("settings      /etc/ssmglobal.toml"), "{}", of_config.stderr.text());
    let found = machine.ctl(&home, &["--json", "status"]).succeeds().complains("another in /var/lib/ssmglobal");
    assert_eq!(database(&found), format!("{other}/ssmglobal.db"));
    // In a place with a backend of its own that one is meant, and the machine's config is not its.
    let here = machine.folder("here");
    std::fs::create_dir(here.join("config")).unwrap();
    std::fs::write(here.join("config/ssmglobal.toml"), "limits.clients = 7\n").unwrap();
    let _own = machine.backend(&here, &[]);
    let found = machine.ctl(&here, &["--json", "status"]).succeeds().complains("a backend runs in data");
    assert!(database(&found).ends_with("data/ssmglobal.db"));
    // Named, there is nothing to say.
    let named = machine.ctl(&here, &["--json", "--data", "/var/lib/ssmglobal", "status"]).succeeds();
    assert_eq!((database(&named).as_str(), named.err.as_str()), ("/var/lib/ssmglobal/ssmglobal.db", ""));
    for mut running in [standard, of_config] {
        running.signal(Signal::SIGTERM);
        assert!(running.wait().is_some());
    }
    std::fs::remove_dir_all(here.join("data")).unwrap();
    machine.ctl(&home, &["status"]).ends_with(3).complains(", nor at /var/lib/ssmglobal/run/ctl.sock");
}

#[test]
fn what_names_its_data_does_not_read_the_config_of_the_machine() {
    let Some(machine) = Machine::new() else { return };
    let home = machine.folder("home");
    machine.write_config("limits.clients = 7\n");
    for options in [&["--data", "own"][..], &["--data", "/var/lib/other"]] {
        let running = machine.backend(&home, options);
        assert!(running.stderr.text().contains("settings      the defaults"), "{}", running.stderr.text());
    }
    // A config that somebody else can change is none for root.
    std::os::unix::fs::chown(machine.etc("ssmglobal.toml"), Some(4242), None).unwrap();
    machine.ctl(&home, &["status"]).ends_with(1).complains("belongs to user 4242");
    machine.runs(&home, &["-p", "0"]).ends_with(1).complains("root does not believe it");
}

#[test]
fn a_config_that_is_wrong_now_does_not_hide_the_backend_that_runs_here() {
    let Some(machine) = Machine::new() else { return };
    let home = machine.folder("home");
    std::fs::create_dir(home.join("config")).unwrap();
    let write = |text: &str| std::fs::write(home.join("config/ssmglobal.toml"), text).unwrap();
    write("limits.clients = 9\n");
    let running = machine.backend(&home, &[]);
    write("limits.clints = 9\n");
    machine.ctl(&home, &["status"]).succeeds().complains("the backend in data is asked");
    machine.ctl(&home, &["reload"]).ends_with(1).complains("limits.clints");
    drop(running);
}

/// The operator asks at a terminal, and is told to wait.
fn asks(data: &Path, words: &[&str]) -> Terminal {
    let mut command = program();
    command.arg("--data").arg(data).arg("ctl").args(words);
    let terminal = Terminal::of(command);
    terminal.screen.wait("does not serve yet; waiting for it");
    terminal
}

fn ended(mut terminal: Terminal, code: i32) {
    assert_eq!(terminal.running.wait().and_then(|status| status.code()), Some(code), "{}", terminal.screen.text());
}

#[test]
fn one_that_is_to_come_is_waited_for() {
    let mut backend = Backend::start();
    backend.stop();
    // Nothing tells of one: the answer comes at once.
    backend.operator(&["status"]).ends_with(3);
    let asks_data = asks(&backend.data(), &["--wait", "60", "status"]);
    backend.start_again();
    asks_data.screen.wait("writable:         yes");
    ended(asks_data, 0);
    backend.stop();
    // Not even its directory is there.
    std::fs::remove_dir_all(backend.data()).unwrap();
    let early = asks(&backend.data(), &["--wait", "60", "status"]);
    backend.start_again();
    early.screen.wait("writable:         yes");
    ended(early, 0);
}

#[test]
fn one_that_has_the_database_open_and_does_not_serve_yet_is_waited_for_by_itself() {
    let mut backend = Backend::start();
    backend.stop();
    let data = backend.data();
    // This process stands for it.
    let begins = || {
        let lock = std::fs::File::options().write(true).open(data.join("ssmglobal.db.lock")).unwrap();
        lock.lock().unwrap();
        lock
    };
    let lock = begins();
    let waits = asks(&data, &["status"]);
    std::fs::remove_file(data.join("run/ctl.sock")).unwrap();
    let socket = UnixListener::bind(data.join("run/ctl.sock")).unwrap();
    let (mut stream, _) = socket.accept().unwrap();
    let mut answer = Vec::new();
    put_control(&mut answer, &Answer::Done);
    stream.write_all(&answer).unwrap();
    waits.screen.wait("Done.");
    ended(waits, 0);
    drop((lock, socket, stream));
    std::fs::remove_file(data.join("run/ctl.sock")).unwrap();
    // One that gives up is not waited for to the end of the time.
    let lock = begins();
    let waits = asks(&data, &["status"]);
    drop(lock);
    ended(waits, 3);
}
