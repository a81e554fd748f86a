//! The visitor's client, and what somebody types into it.

use super::way::Way;
use super::{CONNECTED, LONG, Scene, interpreter};
use crate::harness::{Backend, Running, has};
use nix::sys::signal::Signal;
use serde_json::json;
use std::io::{PipeWriter, Write, pipe};
use std::net::SocketAddr;
use std::process::Stdio;

/// The visitor's client, and what is typed into it.
fn visitor(at: SocketAddr, name: &str, password: Option<&str>) -> (Running, PipeWriter) {
    let (theirs, ours) = pipe().expect("a pipe");
    let mut command = interpreter("visitor.py").expect("it was there");
    command.args([name, &at.to_string()]).env_remove("SSMGLOBAL_PASSWORD");
    command.envs(password.map(|password| ("SSMGLOBAL_PASSWORD", password)));
    let running = Running::on_terminal(command.stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::piped()));
    running.stdout.wait(CONNECTED);
    (running, ours)
}

#[test]
fn what_a_player_tells_over_a_broken_connection_is_heard_once() {
    if interpreter("visitor.py").is_none() {
        return;
    }
    let backend = Backend::start();
    let (mut alice, _bob) = (backend.player("alice"), backend.player("Bob"));
    let way = Way::to(backend.at());
    let (bob, mut keyboard) = visitor(way.at, "bob", Some("secret-of-Bob"));
    way.lose("\"to\": \"alice\"");
    keyboard.write_all(b"tell alice Hello\n").expect("it reads");
    bob.stdout.wait("no connection");
    bob.stdout.wait("outbox: TELL: ");
    assert_eq!(alice.expect_event("tell")["body"], "Hello");
    alice.expect_no_event("tell");
    assert!(!bob.stdout.text().contains("secret-of-Bob"));
}

#[test]
fn a_player_tells_what_is_behind_something_that_is_too_long() {
    if interpreter("visitor.py").is_none() {
        return;
    }
    let backend = Backend::start();
    let (mut alice, _bob) = (backend.player("alice"), backend.player("Bob"));
    let (bob, mut keyboard) = visitor(backend.at(), "bob", Some("secret-of-Bob"));
    // With \u for each of them it would not fit into a line. As UTF-8 it does, and is too long for words to somebody.
    let tell = |count| format!("tell alice {}\n", "\u{e9}".repeat(count));
    keyboard.write_all(tell(1500).as_bytes()).expect("it reads");
    bob.stdout.wait("outbox: TELL: ");
    keyboard.write_all(tell(LONG).as_bytes()).expect("it reads");
    bob.stdout.wait("That is too long for the backend.");
    keyboard.write_all(b"tell alice Caf\xff\ntell alice Short\n").expect("it reads");
    for body in ["Caf\u{fffd}", "Short"] {
        assert_eq!(alice.expect_event("tell")["body"], body);
    }
    // What is not put into the outbox, but asked at once, is answered too.
    keyboard.write_all(format!("enter {}\nenter nowhere\n", "x".repeat(LONG)).as_bytes()).expect("it reads");
    bob.stdout.wait("nowhere");
}

#[test]
fn a_visitor_comes_in_and_talks_and_comes_back_after_a_restart() {
    let Some(mut scene) = Scene::new("host.py") else { return };
    let (mut zed, mut keyboard) = visitor(scene.backend.at(), "zed", None);
    keyboard.write_all(b"worlds\nenter zoo\n").expect("it reads");
    zed.stdout.wait("Zoo: 0 of 50");
    zed.stdout.wait("Zoo: Welcome to Zoo, visitor:zed.");
    let mut alice = scene.alice();
    alice.ok("TELL", json!({"to": "visitor:zed", "body": "Hello"}));
    zed.stdout.wait("[tell] alice: Hello");
    scene.backend.over_the_death_of_the_handler(|| {
        keyboard.write_all(b"tell alice Good evening\n").expect("it reads");
        zed.stdout.wait("outbox: TELL waits");
    });
    let event = alice.expect_event("tell");
    has(&event, json!({"from": "visitor:zed", "body": "Good evening"}));
    zed.stdout.wait("outbox: TELL: ");
    // What he says to the world goes there; the host sends this as a mail.
    keyboard.write_all(b"mail alice See you at eight\n").expect("it reads");
    assert_eq!(alice.expect_event("mail")["subject"], "From visitor:zed");
    // What he says while nobody is there is said afterwards.
    let (mark, hosted) = (zed.stdout.mark(), scene.host.stdout.mark());
    scene.backend.stop();
    zed.stdout.wait_after(mark, "no connection");
    keyboard.write_all(b"tell bob Are you there?\n").expect("it reads");
    scene.backend.start_again();
    zed.stdout.wait_after(mark, "you are on as zed");
    zed.stdout.wait_after(mark, "outbox: TELL: ");
    zed.stdout.wait_after(mark, "you have left Zoo");
    scene.host.stdout.wait_after(hosted, "Zoo is open");
    scene.host.stdout.wait_after(hosted, CONNECTED);
    let mark = zed.stdout.mark();
    keyboard.write_all(b"enter zoo\n").expect("it reads");
    zed.stdout.wait_after(mark, "Welcome to Zoo, visitor:zed.");
    keyboard.write_all(b"quit\n").expect("it reads");
    assert_eq!(zed.wait().and_then(|status| status.code()), Some(0));
    // A host that ends in order says so, and its worlds are gone at once.
    scene.host.signal(Signal::SIGTERM);
    assert_eq!(scene.host.wait().and_then(|status| status.code()), Some(0), "{}", scene.host.stderr.text());
    assert_eq!(scene.alice().ok("WORLDS", json!({}))["total"], 0);
}
