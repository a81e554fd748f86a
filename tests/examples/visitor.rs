//! The visitor's client, and what somebody types into it.

use super::way::Way;
use super::{CONNECTED, LONG, Scene, interpreter};
use crate::harness::{Backend, Running, has};
use nix::sys::signal::Signal;
use serde_json::json;
use std::io::{PipeWriter, Write, pipe};
use std::net::SocketAddr;
use std::process::Stdio;

/// Somebody at the visitor's client.
struct Visitor {
    client: Running,
    keyboard: PipeWriter,
}

impl Visitor {
    fn types(&mut self, text: impl AsRef<[u8]>) {
        self.keyboard.write_all(text.as_ref()).expect("it reads");
    }

    /// Waits until this is on the screen.
    fn sees(&self, text: &str) {
        self.client.stdout.wait(text);
    }

    /// Waits until this is on the screen, behind `mark`.
    fn sees_after(&self, mark: usize, text: &str) {
        self.client.stdout.wait_after(mark, text);
    }
}

/// The visitor's client, connected by this name.
fn visitor(at: SocketAddr, name: &str, password: Option<&str>) -> Visitor {
    let (theirs, keyboard) = pipe().expect("a pipe");
    let mut command = interpreter("visitor.py").expect("it was there");
    command.args([name, &at.to_string()]).env_remove("SSMGLOBAL_PASSWORD");
    command.envs(password.map(|password| ("SSMGLOBAL_PASSWORD", password)));
    let client = Running::on_terminal(command.stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let visitor = Visitor { client, keyboard };
    visitor.sees(CONNECTED);
    visitor
}

#[test]
fn what_a_player_tells_over_a_broken_connection_is_heard_once() {
    if interpreter("visitor.py").is_none() {
        return;
    }
    let backend = Backend::start();
    let (mut alice, _bob) = (backend.player("alice"), backend.player("Bob"));
    let way = Way::to(backend.at());
    let mut bob = visitor(way.at, "bob", Some("secret-of-Bob"));
    way.lose("\"to\": \"alice\"");
    bob.types(b"tell alice Hello\n");
    bob.sees("no connection");
    bob.sees("outbox: TELL: ");
    assert_eq!(alice.expect_event("tell")["body"], "Hello");
    alice.expect_no_event("tell");
    assert!(!bob.client.stdout.text().contains("secret-of-Bob"));
}

#[test]
fn a_player_tells_what_is_behind_something_that_is_too_long() {
    if interpreter("visitor.py").is_none() {
        return;
    }
    let backend = Backend::start();
    let (mut alice, _bob) = (backend.player("alice"), backend.player("Bob"));
    let mut bob = visitor(backend.at(), "bob", Some("secret-of-Bob"));
    // With \u for each of them it would not fit into a line. As UTF-8 it does, and is too long for words to somebody.
    let tell = |count| format!("tell alice {}\n", "\u{e9}".repeat(count));
    bob.types(tell(1500));
    bob.sees("outbox: TELL: ");
    bob.types(tell(LONG));
    bob.sees("That is too long for the backend.");
    bob.types(b"tell alice Caf\xff\ntell alice Short\n");
    for body in ["Caf\u{fffd}", "Short"] {
        assert_eq!(alice.expect_event("tell")["body"], body);
    }
    // What is not put into the outbox, but asked at once, is answered too.
    bob.types(format!("enter {}\nenter nowhere\n", "x".repeat(LONG)));
    bob.sees("nowhere");
}

#[test]
fn a_visitor_comes_in_and_talks_and_comes_back_after_a_restart() {
    let Some(mut scene) = Scene::new("host.py") else { return };
    let mut zed = visitor(scene.backend.at(), "zed", None);
    zed.types(b"worlds\nenter zoo\n");
    zed.sees("Zoo: 0 of 50");
    zed.sees("Zoo: Welcome to Zoo, visitor:zed.");
    let mut alice = scene.alice();
    alice.ok("TELL", json!({"to": "visitor:zed", "body": "Hello"}));
    zed.sees("[tell] alice: Hello");
    scene.backend.over_the_death_of_the_handler(|| {
        zed.types(b"tell alice Good evening\n");
        zed.sees("outbox: TELL waits");
    });
    let event = alice.expect_event("tell");
    has(&event, json!({"from": "visitor:zed", "body": "Good evening"}));
    zed.sees("outbox: TELL: ");
    // What he says to the world goes there; the host sends this as a mail.
    zed.types(b"mail alice See you at eight\n");
    assert_eq!(alice.expect_event("mail")["subject"], "From visitor:zed");
    // What he says while nobody is there is said afterwards.
    let (mark, hosted) = (zed.client.stdout.mark(), scene.host.stdout.mark());
    scene.backend.stop();
    zed.sees_after(mark, "no connection");
    zed.types(b"tell bob Are you there?\n");
    scene.backend.start_again();
    zed.sees_after(mark, "you are on as zed");
    zed.sees_after(mark, "outbox: TELL: ");
    zed.sees_after(mark, "you have left Zoo");
    scene.host.stdout.wait_after(hosted, "Zoo is open");
    scene.host.stdout.wait_after(hosted, CONNECTED);
    let mark = zed.client.stdout.mark();
    zed.types(b"enter zoo\n");
    zed.sees_after(mark, "Welcome to Zoo, visitor:zed.");
    zed.types(b"quit\n");
    assert_eq!(zed.client.wait().and_then(|status| status.code()), Some(0));
    // A host that ends in order says so, and its worlds are gone at once.
    scene.host.signal(Signal::SIGTERM);
    assert_eq!(scene.host.wait().and_then(|status| status.code()), Some(0), "{}", scene.host.stderr.text());
    assert_eq!(scene.alice().ok("WORLDS", json!({}))["total"], 0);
}
