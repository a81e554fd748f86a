//! Workers are locked in, and what comes of a worker that ends in a way that it should not.

use crate::harness::{
    Backend, GREETING, Listener, Process, Program, Wire, ZYGOTE, is_root, is_root_beside, processes_of, zygote_of,
};
use nix::sys::signal::{Signal, kill};
use serde_json::json;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

const NOBODY: u32 = 65534;
/// Another user who need not be listed.
const KEEPER: u32 = 64123;

#[test]
fn a_worker_is_locked_in_before_its_client_says_anything() {
    let backend = Backend::start();
    let mut client = Wire::to(backend.at());
    client.expect(GREETING);
    backend.log().wait("Connected (1/");
    // It waits for the first word behind its lock; what it does before takes no time that a client could use.
    client.send("MODE CLIENT\r\n");
    client.until("Mode: CLIENT");
    let worker = backend.only_worker();
    assert_eq!(worker.status("NoNewPrivs"), "1");
    assert_eq!(worker.status("Seccomp"), "2");
    assert_eq!(worker.status("CapEff"), "0000000000000000");
    assert_eq!(worker.limit("Max processes"), "0");
    assert_eq!(worker.limit("Max core file size"), "0");
    assert!(worker.limit("Max open files").parse::<u32>().unwrap() < 5000);
    // So is the process that has made it, but that it may fork.
    let zygote = zygote_of(backend.pid());
    for field in ["NoNewPrivs", "Seccomp", "Seccomp_filters", "CapEff", "Uid", "Groups"] {
        assert_eq!(zygote.status(field), worker.status(field), "{field}");
    }
    assert_ne!(zygote.limit("Max processes"), "0");
    // Listener and handler keep what they need.
    for process in [Process(backend.pid()), Process(backend.handler())] {
        assert_eq!(process.status("Seccomp"), "0", "{}", process.title());
        assert_ne!(process.limit("Max processes"), "0", "{}", process.title());
        assert!(process.limit("Max open files").parse::<u32>().unwrap() > 5000, "{}", process.title());
    }
}

#[test]
fn started_by_root_workers_are_somebody_else() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    let _client = backend.program();
    let worker = backend.only_worker();
    assert_eq!(worker.status("Uid"), "65534\t65534\t65534\t65534");
    assert_eq!(worker.status("Groups").trim(), "");
    // Nobody can put anything into a directory that is gone.
    let root = std::fs::read_link(format!("/proc/{}/root", worker.0)).unwrap();
    assert!(root.display().to_string().ends_with(" (deleted)"), "{root:?}");
    // The standard streams lead nowhere.
    let streams = [0, 1, 2].map(|fd| std::fs::read_link(format!("/proc/{}/fd/{fd}", worker.0)).unwrap());
    assert!(streams.iter().all(|stream| stream.as_os_str() == "/dev/null"), "{streams:?}");
    // The data belongs to root, and so the handler stays root; that is said.
    assert!(Process(backend.handler()).status("Uid").starts_with("0\t"));
    backend.log().wait("the handler runs as root");
}

#[test]
fn started_by_root_the_handler_can_be_somebody_else() {
    if !is_root() {
        return;
    }
    let mut backend = Backend::plan().config(&format!("processes.handler_user = \"{KEEPER}\"\n")).start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 50}));
    let keeper = format!("{KEEPER}\t{KEEPER}\t{KEEPER}\t{KEEPER}");
    assert_eq!(Process(backend.handler()).status("Uid"), keeper);
    assert_eq!(backend.data().join("ssmglobal.db").metadata().unwrap().uid(), KEEPER);
    assert!(!backend.log().text().contains("runs as root"), "{}", backend.log().text());
    // The next handler is the same user, and so is that of the next start.
    backend.kill_handler();
    assert_eq!(Process(backend.handler()).status("Uid"), keeper);
    backend.restart();
    let mut again = backend.player_again("alice");
    assert_eq!(again.ok("RECORD SHOW", json!({"board": "sprint"}))["score"], 50);
}

#[test]
fn the_owner_of_the_data_is_the_handler() {
    if !is_root() {
        return;
    }
    let plan = Backend::plan().data_of(KEEPER);
    let backend = plan.start();
    let _alice = backend.player("alice");
    assert!(Process(backend.handler()).status("Uid").starts_with(&KEEPER.to_string()));
}

#[test]
fn users_that_cannot_be_are_refused() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    for (lines, word) in [
        ("processes.worker_user = \"root\"\n", "worker_user is root"),
        ("processes.worker_user = \"no-such-user\"\n", "no user \"no-such-user\""),
        ("processes.handler_user = \"65534\"\n", "both run as \"nobody\""),
    ] {
        backend.write_config(lines);
        backend.another(0, &backend.file("other")).ends_with(1).complains(word);
    }
}

#[test]
fn an_ordinary_user_has_the_whole_backend() {
    if !is_root_beside(NOBODY) {
        return;
    }
    let mut backend = Backend::plan().started_by(NOBODY).start();
    let mut alice = backend.person("alice");
    let mut arena = backend.game_server("arena");
    let mut harbour = backend.game_server("harbour");
    for server in [&mut arena, &mut harbour] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    arena.ok("RELAY SEND", json!({"channel": "lobby", "body": "hello"}));
    assert_eq!(harbour.expect_event("relay")["body"], "hello");
    alice.says("WHO").sees("alice");
    for process in processes_of(backend.pid()) {
        assert!(process.status("Uid").starts_with("65534\t"), "{}", process.title());
        let locked = process.title().starts_with("ssmglobal: worker") || process.title() == ZYGOTE;
        assert_eq!(process.status("Seccomp"), if locked { "2" } else { "0" }, "{}", process.title());
    }
    let text = backend.log().text();
    assert!(!text.contains("not allow") && !text.contains("runs as root"), "{text}");
    backend.stop();
}

#[test]
fn without_the_lock_it_says_so_loudly() {
    let backend = Backend::plan().config("processes.sandbox = false\n").start();
    backend.log().wait("ERROR listener: THE WORKERS ARE NOT LOCKED IN");
    let _client = backend.program();
    assert_eq!(backend.only_worker().status("Seccomp"), "0");
}

#[test]
fn a_worker_that_was_stopped_goes_on() {
    let backend = Backend::start();
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    backend.log().wait("Connected (1/");
    let worker = backend.only_worker();
    for signal in [Signal::SIGSTOP, Signal::SIGCONT] {
        kill(worker.0, signal).unwrap();
    }
    silent.send("MODE CLIENT\r\n");
    silent.until("Mode: CLIENT");
}

#[test]
fn a_crash_is_told_in_words_and_costs_its_address_a_waiting_time() {
    let backend = Backend::plan().config("limits.penalty_seconds = 1\n").start();
    let mut client = Program::over(Wire::from("127.0.0.2", backend.at()), "CLIENT");
    client.ok("PING", json!({}));
    let worker = backend.only_worker();
    kill(worker.0, Signal::SIGSYS).unwrap();
    client.wire.expect_end();
    backend.log().wait("event=blocked address=127.0.0.2 ");
    backend.log().wait("Nothing is taken from there for 1 s: killed by SIGSYS");
    backend.log().wait(&format!("worker {} has ended: killed by SIGSYS: it tried something that no worker", worker.0));
    let mut early = Wire::from("127.0.0.2", backend.at());
    let told = early.rest();
    assert!(told.contains("\"msg\": \"Too many failures from your address. Please try again in a second.\""), "{told}");
    // Others come in meanwhile, and this address when it has waited.
    let mut other = backend.program();
    assert_eq!(other.wire.listen(Duration::from_millis(1100)), "");
    Program::over(Wire::from("127.0.0.2", backend.at()), "CLIENT");
}

#[test]
fn who_was_ended_by_the_operator_need_not_wait() {
    let backend = Backend::start();
    let client = backend.program();
    kill(backend.only_worker().0, Signal::SIGKILL).unwrap();
    backend.see_off(client.wire);
    backend.log().wait("killed by SIGKILL: somebody ended it");
    backend.program();
}

#[test]
fn too_many_failed_logins_end_the_connection_and_cost_a_waiting_time() {
    let backend = Backend::plan().config("players.failures_per_connection = 3\n").start();
    backend.player("alice");
    let mut guesser = Program::over(Wire::from("127.0.0.2", backend.at()), "CLIENT");
    for _ in 0..3 {
        assert_eq!(guesser.fails("LOGIN", json!({"name": "alice", "password": "wrong-guess"})), "bad_login");
    }
    assert_eq!(guesser.expect_event("notice")["msg"], "Too many tries; the connection is closed.");
    guesser.wire.expect_end();
    backend.log().wait("reason=failed-logins");
    let told = Wire::from("127.0.0.2", backend.at()).rest();
    let seconds = told.split_once("Please try again in ").and_then(|(_, rest)| rest.split_once(" seconds."));
    let seconds: u32 = seconds.and_then(|(seconds, _)| seconds.parse().ok()).unwrap_or_else(|| panic!("{told}"));
    assert!((1..=10).contains(&seconds), "{told}");
    backend.player_again("alice");
}

#[test]
fn a_panic_is_in_the_log_with_its_place_and_its_address_and_once() {
    let mut listener = Listener::start();
    let worker = listener.worker();
    for text in [&b"Pworker/src/some.rs:12:5\x1b[2J"[..], b"Pagain.rs:1:1", b"?", b""] {
        worker.hand_over(text, &[]);
    }
    let log = listener.handler.stderr.clone();
    log.wait(&format!("ERROR worker: {}: worker ", worker.address));
    log.wait(" panicked at worker/src/some.rs:12:5\\x1b[2J. Please report it.");
    listener.end_with(&worker, 101);
    listener.stop_handler();
    let text = log.to_the_end();
    assert!(text.contains("has ended: it panicked (exit code 101)"), "{text}");
    assert!(!text.contains("again.rs"), "{text}");
}
