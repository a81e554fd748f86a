//! Another version of the program takes over: nobody loses a connection, nobody is refused, and a program that could not
//! do it leaves everything as it was.

use crate::harness::{
    Backend, GREETING, Process, Program, Running, Wire, has, processes_of, program, program_of_version, write_program,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::path::Path;
use std::sync::mpsc::{TryRecvError, channel};

/// Another version: as long as this one's, since it is written over it.
const OTHER: &str = "9.8.7";
const THIS: &str = env!("CARGO_PKG_VERSION");

/// A shell script.
fn script(path: &Path, lines: &str) {
    write_program(path, format!("#!/bin/sh\n{lines}\n").as_bytes());
}

/// A program that passes the check and then does something else.
fn fit_but(path: &Path, lines: &str) {
    let real = program().get_program().to_owned();
    let real = real.to_str().expect("a path");
    script(path, &format!("if [ \"$1\" = resume-check ]; then {lines}; exec {real} \"$@\"; fi\nexit 7"));
}

/// What the operator is told.
fn refused(backend: &Backend, path: &Path) -> String {
    let output = backend
        .operator(&["upgrade", "--binary", path.to_str().expect("a path")])
        .ends_with(1)
        .complains("nothing has changed");
    output.err
}

#[test]
fn each_worker_says_which_version_it_is() {
    let mut backend = Backend::start();
    // Whoever is in the middle of a line stays with his worker.
    let typing = |backend: &Backend| {
        let mut program = backend.program();
        program.wire.send("{\"cmd\": \"WHO\"}\r\n{");
        program.reply();
        program
    };
    let mut all = vec![typing(&backend)];
    backend.upgrade_to(OTHER);
    all.push(typing(&backend));
    assert_eq!(backend.versions(), [THIS, OTHER]);
    // The next handler and the next listener know it too.
    backend.kill_handler();
    assert_eq!(backend.versions(), [THIS, OTHER]);
    backend.kill_listener();
    backend.next_listener();
    backend.log().wait("ready: ");
    all.push(backend.program());
    assert_eq!(backend.versions(), [THIS, OTHER, THIS]);
    let table = backend.operator(&["sessions", "list"]).out;
    assert!(table.contains("VERSION") && table.contains(OTHER), "{table}");
}

#[test]
fn clients_notice_nothing() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    let (mut arena, mut desert) = (backend.game_server("arena"), backend.game_server("desert"));
    for server in [&mut arena, &mut desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let (listener, handler) = (backend.pid(), backend.handler());
    for version in [OTHER, THIS] {
        // He is typing.
        alice.wire.send("TELL bob half");
        let from = if version == THIS { OTHER } else { THIS };
        assert_eq!(backend.upgrade_to(version), json!({"from": from, "to": version}));
        // Who is spoken to is on again.
        bob.ok("WHOAMI", json!({}));
        arena.ok("WHOAMI", json!({}));
        alice.wire.send(" typed\r\n");
        assert_eq!(bob.expect_event("tell")["body"], "half typed");
        alice.answer();

        let status = backend.ctl(&["status"]);
        has(&status, json!({"version": version, "listener": listener.as_raw()}));
        assert_eq!(status["clients"], 5);
        assert_ne!(status["handler"], handler.as_raw());
        assert_eq!(bob.ok("WHOAMI", json!({}))["player"], "bob");
        desert.ok("RELAY SEND", json!({"channel": "lobby", "body": version}));
        assert_eq!(arena.expect_event("relay")["body"], version);
        backend.program().ok("WHO", json!({}));
    }
    silent.send("MODE CLIENT\r\n{\"cmd\": \"WHO\"}\r\n");
    silent.until("alice");
    let workers = processes_of(listener).into_iter().filter(|process| process.title().contains("worker"));
    assert!(workers.count() >= 5, "a worker is not the listener's child any more");
}

#[test]
fn ends_of_workers_of_the_version_before_are_counted() {
    let backend = Backend::start();
    let clients: Vec<Program> = (0..20).map(|_| backend.program()).collect();
    backend.ctl(&["upgrade"]);
    let last = backend.program();
    drop(clients);
    backend.log().wait("Disconnected (1/");
    backend.see_off(last.wire);
    let left: Vec<String> = processes_of(backend.pid()).into_iter().map(Process::title).collect();
    // The listener, the handler and its own zygote.
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn a_package_has_put_another_file_in_its_place() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("ssmglobal");
    program_of_version(THIS, &path);
    let mut backend = Backend::plan().binary(&path).start();
    let mut alice = backend.player("alice");
    program_of_version(OTHER, &path);
    // What runs is of the file that was there, whoever is started by it.
    backend.kill_handler();
    assert_eq!(backend.ctl(&["status"])["version"], THIS);
    backend.signal(Signal::SIGUSR2);
    backend.log().wait(&format!("upgraded from version {THIS} to {OTHER}"));
    assert_eq!(backend.ctl(&["status"])["version"], OTHER);
    alice.ok("PING", json!({}));
    // Once more, with the file that it knows.
    program_of_version(THIS, &path);
    assert_eq!(backend.ctl(&["upgrade"]), json!({"from": OTHER, "to": THIS}));
    // Who finds a living handler of another version takes everything over but the handler.
    program_of_version(OTHER, &path);
    backend.kill_listener();
    backend.next_listener();
    backend.log().wait("ready: ");
    assert_eq!(backend.ctl(&["status"])["version"], OTHER);
    alice.ok("PING", json!({}));
    assert_eq!(backend.ctl(&["status"])["clients"], 1);
    backend.stop();
}

#[test]
fn a_program_that_could_not_take_over_changes_nothing() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let (listener, handler) = (backend.pid(), backend.handler());
    let path = backend.file("other");
    let still = |why: &str| {
        assert_eq!(
            (backend.ctl(&["status"])["listener"].clone(), backend.handler()),
            (listener.as_raw().into(), handler)
        );
        let left = processes_of(listener).len();
        assert_eq!(left, 4, "{why}: a process was left behind");
    };
    let before = Process(listener).descriptors().len();
    assert!(refused(&backend, &path).contains("No such file"));
    still("nothing there");
    std::fs::write(&path, "x").unwrap();
    assert!(refused(&backend, &path).contains("Permission denied"));
    still("not executable");
    write_program(&path, b"\x7fELF nonsense");
    assert!(refused(&backend, &path).contains("Exec format error"));
    still("no program");
    script(&path, "exit 3");
    assert!(refused(&backend, &path).contains("exit code 3"));
    still("exits at once");
    assert!(refused(&backend, Path::new("/bin/true")).contains("it says nothing"));
    still("says nothing");
    script(&path, "echo something about a library >&2; kill -SEGV $$");
    let why = refused(&backend, &path);
    assert!(why.contains("something about a library") && why.contains("SIGSEGV"), "{why}");
    still("crashes");
    // Fit, and then it is not there any more.
    fit_but(&path, "rm \"$0\"");
    assert!(refused(&backend, &path).contains("No such file"));
    still("gone after the check");
    backend.write_config("limits.clints = 5\n");
    backend.operator(&["upgrade"]).ends_with(1).complains("limits.clints");
    still("a config that does not hold");
    alice.ok("PING", json!({}));
    assert_eq!(Process(listener).descriptors().len(), before);
    backend.program();
}

#[test]
fn a_program_that_hangs_in_its_check_is_given_up() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let (path, fifo) = (backend.file("other"), backend.file("fifo"));
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // It tells that it runs, and then waits for ever; so does what it has started.
    script(&path, &format!("echo > {}; sleep 1000 & wait", fifo.display()));
    let mut asked = Running::start(&mut backend.ctl_command(&["upgrade", "--binary", path.to_str().unwrap()]));
    std::fs::read(&fifo).unwrap();
    // Everything goes on, but for a second upgrade.
    alice.ok("PING", json!({}));
    backend.program().ok("WHO", json!({}));
    assert_eq!(backend.ctl_fails(&["upgrade"]), "busy");
    assert_eq!(asked.wait().and_then(|status| status.code()), Some(1));
    assert!(asked.stderr.to_the_end().contains("within 10 seconds"));
    alice.ok("PING", json!({}));
    assert_eq!(backend.ctl(&["upgrade"])["to"], THIS);
}

#[test]
fn a_program_that_dies_after_its_check_leaves_a_living_handler() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let handler = backend.handler();
    let path = backend.file("other");
    fit_but(&path, "true");
    backend.operator(&["upgrade", "--binary", path.to_str().unwrap()]).ends_with(1);
    assert_eq!(backend.wait(), Some(7));
    alice.ok("PING", json!({}));
    let mut early = Wire::to(backend.at());
    // The supervisor starts the program that is installed.
    backend.next_listener();
    early.expect(GREETING);
    assert_eq!(backend.handler(), handler);
    assert_eq!(backend.ctl(&["status"])["clients"], 3);
    alice.ok("PING", json!({}));
    backend.see_off(silent);
    backend.stop();
}

#[test]
fn nobody_is_refused_and_nobody_waits_for_an_answer_in_vain() {
    let backend = Backend::plan().config("limits.clients_per_address = 1000\n").start();
    let at = backend.at();
    let mut alice = backend.player("alice");
    let (stop, stopped) = channel::<()>();
    let knocking = std::thread::spawn(move || {
        let mut greeted = 0;
        while let Err(TryRecvError::Empty) = stopped.try_recv() {
            Wire::to(at).expect(GREETING);
            greeted += 1;
        }
        greeted
    });
    let descriptors = Process(backend.pid()).descriptors().len();
    for round in 1..=10 {
        alice.send_line(json!({"id": round, "cmd": "SETTING SET", "args": {"key": "k", "value": "v"}}).to_string());
        backend.ctl(&["upgrade"]);
        let reply = alice.reply();
        assert_eq!(reply["id"], round, "{reply}");
        assert_eq!(reply["data"]["version"], round, "{reply}");
    }
    drop(stop);
    assert!(knocking.join().expect("nobody is refused") > 10);
    // Every end was noticed, also in the moment of an upgrade.
    let mark = backend.log().mark();
    backend.see_off(Wire::to(at));
    backend.log().find_after(mark, "the last one's end", |text| text.contains("Disconnected (1/").then_some(()));
    // One may be just coming in.
    let after = Process(backend.pid()).descriptors();
    assert!(after.len() <= descriptors + 1, "{after:?}");
    assert_eq!(Process(backend.pid()).threads(), 1);
}

#[test]
fn a_handler_that_is_killed_while_it_hands_over_is_followed_all_the_same() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let (path, fifo) = (backend.file("other"), backend.file("fifo"));
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let real = program().get_program().to_str().expect("a path").to_owned();
    // Each time that it is run it waits until that is seen.
    script(&path, &format!("echo > {}; exec {real} \"$@\"", fifo.display()));
    for _ in 0..3 {
        let handler = backend.handler();
        let mut asked = Running::start(&mut backend.ctl_command(&["upgrade", "--binary", path.to_str().unwrap()]));
        // It is checked, and then the listener has become it and has told the handler nothing yet.
        for _ in 0..2 {
            std::fs::read(&fifo).unwrap();
        }
        kill(handler, Signal::SIGKILL).expect("it hands over");
        assert_eq!(asked.wait().and_then(|status| status.code()), Some(0), "{}", asked.stderr.text());
        alice.ok("PING", json!({}));
        assert_ne!(backend.handler(), handler);
    }
}

#[test]
fn an_upgraded_backend_stops_in_order_and_reloads() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    backend.ctl(&["upgrade"]);
    backend.write_config("limits.clients_per_address = 1\n");
    let mark = backend.log().mark();
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "settings were read again");
    assert!(Wire::to(backend.at()).rest().contains("Too many connections."));
    let handler = Process(Pid::from_raw(backend.handler().as_raw()));
    backend.stop();
    assert!(alice.wire.rest().contains("The backend is going down."));
    assert_eq!(handler.title(), "");
}
