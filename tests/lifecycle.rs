//! Starting, reloading and ending, as a person and as a supervisor do it.

mod log;
mod refused;
mod reload;
mod watchdog;

use crate::harness::{Backend, GREETING, Program, Wire, processes_of};
use nix::sys::signal::{Signal, kill};
use serde_json::json;
use std::time::{Duration, Instant};

const GOODBYE: &str = "The backend is going down. Everything is saved; please come back soon.";

#[test]
fn it_says_where_it_listens_where_the_data_is_and_what_to_type() {
    let backend = Backend::start();
    let text = backend.log().text();
    let port = backend.at().port().to_string();
    for part in [&*backend.at().to_string(), &*backend.data().display().to_string(), &port, "MODE HUMAN", "Ctrl-C"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert!(backend.data().join("ssmglobal.db").exists());
    let ways = text.lines().find(|line| line.contains("telnet")).unwrap_or_default();
    // What it says to type has to work: where it listens at one address only, that address.
    assert!(ways.contains(&backend.at().ip().to_string()), "{ways}");
}

/// Clients of every kind, and what each is told at the end.
fn everybody_is_told(mut backend: Backend, end: impl Fn(&Backend)) {
    let mut alice = backend.person("alice");
    let mut stranger = backend.terminal();
    let mut bob = backend.player("bob");
    let mut server = Program::in_mode(backend.at(), "SERVER");
    let all = processes_of(backend.pid());
    // The listener, the handler, the zygote, and a worker for each.
    assert_eq!(all.len(), 7);
    end(&backend);
    assert_eq!(backend.wait(), Some(0), "{}", backend.log().text());

    let line = json!({"event": "notice", "msg": GOODBYE});
    for program in [&mut bob.wire, &mut server.wire] {
        let said = program.rest();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap(), line);
    }
    for person in [&mut alice.wire, &mut stranger.wire] {
        let said = person.rest();
        let words: Vec<&str> = said.lines().filter(|line| !line.is_empty() && *line != "> ").collect();
        assert_eq!(words, [format!("[notice] {GOODBYE}")], "{said:?}");
    }
    for process in all {
        assert_eq!(process.title(), "", "it is still there");
    }
    assert!(!backend.log().text().contains("ERROR"), "{}", backend.log().text());
}

#[test]
fn a_supervisor_ends_it() {
    everybody_is_told(Backend::start(), |backend| backend.signal(Signal::SIGTERM));
}

#[test]
fn a_supervisor_that_tells_every_process_ends_it() {
    everybody_is_told(Backend::start(), |backend| backend.signal_all(Signal::SIGTERM));
}

#[test]
fn ctrl_c_ends_it() {
    // A terminal sends the signal to every process there is.
    everybody_is_told(Backend::start(), |backend| backend.signal_all(Signal::SIGINT));
}

#[test]
fn who_has_only_just_come_is_told_as_well() {
    for _ in 0..5 {
        let mut backend = Backend::start();
        let mut clients: Vec<Wire> = (0..4).map(|_| Wire::to(backend.at())).collect();
        clients.iter_mut().for_each(|client| client.expect(GREETING));
        backend.stop();
        for mut client in clients {
            assert!(client.rest().contains(GOODBYE), "a client was not told that it is the end");
        }
    }
}

#[test]
fn ended_twice_it_ends_once() {
    let mut backend = Backend::start();
    let mut alice = backend.person("alice");
    // As long as the handler does nothing, it cannot come to its end.
    backend.while_the_handler_stands_still(|| {
        backend.signal(Signal::SIGTERM);
        assert!(alice.wire.rest().contains(GOODBYE));
        backend.signal(Signal::SIGTERM);
    });
    assert_eq!(backend.wait(), Some(0));
}

#[test]
fn clients_that_leave_at_the_same_moment_do_not_hold_up_its_end() {
    for _ in 0..5 {
        let mut backend = Backend::start();
        let mut clients: Vec<Program> = (0..4).map(|_| backend.program()).collect();
        // One more comes and goes: by then it has let go of the others' sockets, which it could not while it is stopped.
        drop(backend.program());
        backend.log().wait("Disconnected (4/");
        // The listener learns of their ends and of its own in one turn.
        backend.signal(Signal::SIGSTOP);
        for client in &mut clients {
            client.send_line("{\"cmd\": \"QUIT\"}");
            client.wire.expect_end();
        }
        backend.signal(Signal::SIGTERM);
        // Takes long enough for the workers to be gone, and shows that the handler works.
        assert_eq!(backend.ctl(&["status"])["clients"], 4);
        let begun = Instant::now();
        backend.signal(Signal::SIGCONT);
        assert_eq!(backend.wait(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(4), "it waited for workers that were gone");
    }
}

#[test]
fn it_ends_also_while_the_handler_is_being_started_again() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    kill(backend.handler(), Signal::SIGKILL).unwrap();
    backend.signal(Signal::SIGTERM);
    assert_eq!(backend.wait(), Some(0), "{}", backend.log().text());
    assert!(alice.wire.rest().contains(GOODBYE));
}

#[test]
fn it_starts_again_at_once_where_it_was() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    for _ in 0..3 {
        backend.restart();
        assert!(alice.wire.rest().contains("notice"));
        alice = backend.player_again("alice");
    }
}

#[test]
fn after_a_crash_of_everything_it_starts_again() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    backend.signal_all(Signal::SIGKILL);
    backend.wait();
    backend.start_again();
    let mut alice = backend.player_again("alice");
    assert_eq!(alice.ok("SETTING GET", json!({"key": "k"}))["value"], "v");
}

#[test]
fn the_options_of_the_original_are_taken() {
    let backend =
        Backend::plan().options(&["-b", "2048", "-t", "60", "-m", "7", "-c", "3", "-D", "0.02", "-A", "300"]).start();
    assert_eq!(backend.ctl(&["status"])["clients_max"], 7);
    let mut program = backend.program();
    assert_eq!(program.say("x".repeat(2049))["code"], "too_long");
    let log = backend.log();
    for option in ["-D", "-A"] {
        log.find_after(0, option, |text| text.lines().any(|line| line.contains(option)).then_some(()));
    }
}
