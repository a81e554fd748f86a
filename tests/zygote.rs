//! The process that makes workers: whatever becomes of it, whoever comes gets one worker, and its end is noticed.

use crate::harness::{Backend, GREETING, Process, Wire, ZYGOTE, processes_of, zygote_of};
use nix::sys::signal::{Signal, kill};
use serde_json::json;
use std::net::SocketAddr;

/// How the listener says that it is gone.
const KILLED: &str = "the process that makes workers has ended (killed by SIGKILL)";

/// A client of its own that is served by one worker: by two, one of them would say something else, or twice.
fn is_served(at: SocketAddr) {
    let mut wire = Wire::to(at);
    wire.send("MODE CLIENT\r\n{\"id\": 1, \"cmd\": \"WHO\"}\r\n{\"id\": 2, \"cmd\": \"PING\"}\r\n");
    wire.finish();
    let said = wire.rest();
    let [greeting, mode, who, ping] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert_eq!(greeting, GREETING.trim_end());
    assert!(mode.contains("Mode: CLIENT") && who.contains("\"id\": 1") && ping.contains("\"id\": 2"), "{said}");
}

/// All that ever came have gone, and nobody is left.
fn nobody_is_left(backend: &Backend) {
    backend.log().wait("Disconnected (0/");
    assert_eq!(backend.ctl(&["status"])["clients"], 0);
    assert_eq!(backend.workers().len(), 0);
}

#[test]
fn whoever_comes_and_goes_at_once_leaves_nothing_behind() {
    let backend = Backend::start();
    for round in 0..20 {
        // From one address only so many are let in.
        let from = format!("127.0.7.{round}");
        let clients: Vec<Wire> = (0..40).map(|_| Wire::from(&from, backend.at())).collect();
        drop(clients);
    }
    // It is let in behind all of them.
    is_served(backend.at());
    backend.log().find_after(0, "801 ends", |text| {
        let [came, gone] = ["event=connect ", "event=disconnect "].map(|what| text.matches(what).count());
        (came == 801 && gone == 801).then_some(())
    });
    nobody_is_left(&backend);
}

#[test]
fn one_that_is_killed_is_followed_by_another() {
    let backend = Backend::start();
    let mut stays = backend.player("alice");
    let first = zygote_of(backend.pid());
    kill(first.0, Signal::SIGKILL).unwrap();
    backend.log().wait(KILLED);
    assert!(processes_of(backend.pid()).iter().all(|process| process.title() != ZYGOTE));
    is_served(backend.at());
    let second = zygote_of(backend.pid());
    assert_ne!(first, second);
    // Its workers are nobody's concern.
    stays.ok("WHO", json!({}));
    drop(stays);
    nobody_is_left(&backend);
}

#[test]
fn whoever_comes_while_it_is_killed_again_and_again_has_one_worker() {
    let backend = Backend::start();
    is_served(backend.at());
    let at = backend.at();
    let clients: Vec<_> = (0..4).map(|_| std::thread::spawn(move || (0..50).for_each(|_| is_served(at)))).collect();
    for _ in 0..20 {
        is_served(at);
        let mark = backend.log().mark();
        kill(zygote_of(backend.pid()).0, Signal::SIGKILL).unwrap();
        backend.log().wait_after(mark, KILLED);
    }
    clients.into_iter().for_each(|client| client.join().unwrap());
    nobody_is_left(&backend);
}

#[test]
fn one_that_is_stopped_is_not_waited_for_without_end() {
    let backend = Backend::start();
    is_served(backend.at());
    kill(zygote_of(backend.pid()).0, Signal::SIGSTOP).unwrap();
    // More than may be ordered before one is done.
    let clients: Vec<_> = (0..20).map(|_| backend.at()).map(|at| std::thread::spawn(move || is_served(at))).collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    backend.log().wait(KILLED);
    nobody_is_left(&backend);
    kill(zygote_of(backend.pid()).0, Signal::SIGSTOP).unwrap();
    is_served(backend.at());
}

#[test]
fn it_ends_with_the_listener_and_who_waited_for_it_is_served_by_the_next() {
    let mut backend = Backend::start();
    let mut stays = backend.player("alice");
    let zygote = zygote_of(backend.pid());
    kill(zygote.0, Signal::SIGSTOP).unwrap();
    let mut waiting: Vec<Wire> = (0..5).map(|_| Wire::to(backend.at())).collect();
    waiting.iter_mut().for_each(|client| client.expect(GREETING));
    let mark = backend.log().mark();
    backend.kill_waiting_listener();
    backend.log().wait_after(mark, "the listener has died");
    zygote.ends();
    backend.next_listener();
    for client in &mut waiting {
        client.send("MODE CLIENT\r\n{\"cmd\": \"WHO\"}\r\n");
        client.until("alice");
    }
    stays.ok("WHO", json!({}));
    drop((stays, waiting));
    nobody_is_left(&backend);
}

#[test]
fn what_is_read_again_holds_for_the_next_worker_and_an_upgrade_brings_its_own() {
    let backend = Backend::start();
    let _stays = backend.player("alice");
    let first = zygote_of(backend.pid());
    backend.reload("texts.welcome = \"Something else.\"\n");
    let mut wire = Wire::to(backend.at());
    wire.send("MODE HUMAN\r\n");
    wire.until("Something else.");
    let second = zygote_of(backend.pid());
    assert_ne!(first, second);
    backend.ctl(&["upgrade"]);
    is_served(backend.at());
    let third = zygote_of(backend.pid());
    assert!(third != first && third != second);
    for gone in [first, second] {
        assert_ne!(Process(gone.0).title(), ZYGOTE);
    }
}

#[test]
fn an_upgrade_and_an_end_leave_out_nobody_who_waits_for_his_worker() {
    let mut backend = Backend::start();
    is_served(backend.at());
    let orders = |backend: &Backend| -> Vec<Wire> {
        kill(zygote_of(backend.pid()).0, Signal::SIGSTOP).unwrap();
        let mut clients: Vec<Wire> = (0..5).map(|_| Wire::to(backend.at())).collect();
        clients.iter_mut().for_each(|client| client.expect(GREETING));
        clients
    };
    let clients = orders(&backend);
    backend.ctl(&["upgrade"]);
    for mut client in clients {
        client.send("MODE CLIENT\r\n{\"cmd\": \"WHO\"}\r\n");
        client.until("\"total\": 0");
    }
    is_served(backend.at());
    let clients = orders(&backend);
    backend.stop();
    for mut client in clients {
        assert!(client.rest().contains("going down"));
    }
}
