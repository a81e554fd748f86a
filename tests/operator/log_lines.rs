//! `ctl log`: what was logged of late, and what is logged from now on, whatever dies.

use crate::harness::{Backend, Running};
use serde_json::{Value, json};

/// `ctl log WORDS`, which goes on.
fn follow(backend: &Backend, words: &[&str]) -> Running {
    Running::start(&mut backend.ctl_command(&[&["log", "-f"][..], words].concat()))
}

fn texts(backend: &Backend, words: &[&str]) -> Vec<String> {
    let told = backend.ctl(&[&["log"][..], words].concat());
    let lines = told["lines"].as_array().expect("lines").iter();
    lines.map(|line| line["text"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn what_was_logged_of_late_is_shown() {
    let backend = Backend::plan().config("log.level = \"debug\"\n").start();
    let alice = backend.player("alice");
    let session = backend.ctl(&["sessions", "list"])["sessions"][0].take();
    let address = session["address"].as_str().expect("an address").to_owned();
    let (ip, port) = address.rsplit_once(':').expect("a port");
    let as_field = format!(" address={ip} port={port} ");
    let is_of_hers = |line: &String| line.starts_with(&address) || line.contains(&as_field);
    let of_hers = texts(&backend, &["--session", &session["session"].to_string(), "-n", "5000"]);
    assert!(of_hers.len() > 2 && of_hers.iter().all(is_of_hers), "{of_hers:?}");
    assert!(!of_hers.iter().any(|line| line.contains("secret-of-alice")), "{of_hers:?}");
    backend.see_off(alice.wire);
    let ended = texts(&backend, &["--session", &session["session"].to_string(), "-n", "5000"]);
    assert!(ended.iter().any(|line| line.starts_with("event=disconnect")), "{ended:?}");
    let hers = texts(&backend, &["--player", "alice", "-n", "5000"]);
    assert!(hers.iter().any(|line| line.contains("Disconnected")), "{hers:?}");
    assert!(!hers.iter().any(|line| line.starts_with("ready")), "{hers:?}");
    assert_eq!(texts(&backend, &["-n", "1"]).len(), 1);
    let severe = backend.ctl(&["log", "--level", "warn", "-n", "5000"]);
    assert_eq!(severe["level"], "debug", "what the backend logs at");
    for line in severe["lines"].as_array().expect("lines") {
        assert!(line["level"] == "warn" || line["level"] == "error", "{line}");
    }
    assert_eq!(backend.ctl_fails(&["log", "--session", "99"]), "not_found");
    assert_eq!(backend.ctl_fails(&["log", "--player", "nobody"]), "not_found");
    backend.operator(&["log", "--level", "loud"]).ends_with(2);
    backend.operator(&["log", "-n", "3"]).succeeds().prints(" INFO  ");
}

#[test]
fn who_follows_goes_on_over_the_death_of_the_handler_and_an_upgrade_until_the_backend_ends() {
    let mut backend = Backend::start();
    backend.see_off(backend.player("alice").wire);
    let mut all = follow(&backend, &[]);
    let mut hers = follow(&backend, &["--player", "alice", "--json"]);
    all.stdout.wait("ready: ");
    let marks = [all.stdout.mark(), hers.stdout.mark()];
    drop(backend.player_again("alice"));
    all.stdout.wait_after(marks[0], "alice logged in.");
    hers.stdout.wait_after(marks[1], "alice logged in.");
    hers.stdout.wait_after(marks[1], "Disconnected");
    let mark = all.stdout.mark();
    backend.kill_handler();
    all.stdout.wait_after(mark, "ready: 1 players");
    let mark = all.stdout.mark();
    backend.upgrade_to("9.9.9");
    all.stdout.wait_after(mark, "upgraded from version");
    let bob = backend.player("bob");
    all.stdout.wait(" who=bob ");
    drop(bob);
    drop(backend.player_again("alice"));
    let mark = hers.stdout.text().rfind("Disconnected").unwrap();
    hers.stdout.wait_after(mark, "alice logged in.");
    backend.stop();
    for followed in [&mut all, &mut hers] {
        assert!(followed.wait().is_some_and(|status| status.success()));
        assert!(followed.stderr.to_the_end().contains("The backend has ended."));
    }
    assert!(!hers.stdout.text().contains("bob"), "{}", hers.stdout.text());
    for line in hers.stdout.text().lines() {
        let told: Value = serde_json::from_str(line).expect("one object a line");
        assert_eq!((&told["state"], told["data"]["lines"].is_array()), (&json!("OK"), true), "{told}");
    }
}

#[test]
fn who_follows_and_reads_no_more_holds_up_nobody() {
    let backend = Backend::plan().config("log.level = \"debug\"\n").start();
    let follower = follow(&backend, &[]);
    follower.stdout.wait("ready: ");
    follower.signal(nix::sys::signal::Signal::SIGSTOP);
    let mut alice = backend.player("alice");
    // Numbers are logged as they were sent: more than the pipe, the socket, the bound of what waits, and memory hold together.
    let long = format!("{{\"cmd\": \"MAIL READ\", \"args\": {{\"id\": {}}}}}", "1".repeat(3000));
    for _ in 0..40 {
        (0..40).for_each(|_| alice.send_line(&long));
        for _ in 0..40 {
            assert_eq!(alice.reply()["state"], "ERROR");
        }
    }
    follower.signal(nix::sys::signal::Signal::SIGCONT);
    follower.stdout.wait(" lines were left out)");
    let mark = follower.stdout.text().rfind(" lines were left out)").expect("it is there");
    drop(alice);
    follower.stdout.wait_after(mark, "Disconnected");
}
