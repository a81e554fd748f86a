//! A client's address outlives whatever dies, and whatever follows.

use super::{Proxied, addresses, client, line, proxied};
use crate::harness::{GREETING, MOVED, Program, Wire, event};
use serde_json::json;
use std::net::SocketAddr;

/// Each address once.
const LIMIT: &str = "clients_per_address = 1\n";

/// Nobody else of this client's address comes in, it is shown, and the worker's title has it.
fn is_known(proxied: &Proxied, from: SocketAddr, program: &mut Program) {
    program.ok("PING", json!({}));
    assert_eq!(proxied.addresses(), [from.to_string()]);
    let title = proxied.backend.only_worker().title();
    assert!(title.starts_with(&format!("ssmglobal: worker {} CLIENT", from.ip())), "{title}");
    let other = SocketAddr::new(from.ip(), from.port() + 1);
    assert!(proxied.wire(other).rest().contains("Too many connections."));
}

#[test]
fn the_clients_address_outlives_handler_listener_and_program() {
    let mut proxied = proxied("ask", "", LIMIT);
    let from = client("203.0.113.7:35712");
    let mut program = proxied.program(from);
    program.ok("REGISTER", json!({"name": "alice", "password": "secret-of-alice"}));
    is_known(&proxied, from, &mut program);
    proxied.backend.kill_handler();
    is_known(&proxied, from, &mut program);
    proxied.backend.kill_listener();
    assert_eq!(proxied.addresses(), [from.to_string()]);
    proxied.backend.next_listener();
    is_known(&proxied, from, &mut program);
    let mark = proxied.backend.log().mark();
    proxied.backend.upgrade_to("9.8.7");
    proxied.backend.log().wait_after(mark, MOVED);
    is_known(&proxied, from, &mut program);
    program.fails("LOGIN", json!({"name": "alice", "password": "wrong-one"}));
    proxied.backend.log().wait(&event("login-failed", from));
    drop(program);
    proxied.backend.log().wait(&event("disconnect", from));
    proxied.says_nothing_of_the_proxy();
    proxied.program(from);
}

/// A proxy that has said half of it, and a worker that waits for the rest.
fn half_said(proxied: &Proxied, from: SocketAddr) -> (Wire, Vec<u8>) {
    let mut header = line(from);
    let rest = header.split_off(20);
    let mut wire = Wire::to(proxied.at);
    wire.send(&header);
    // Whoever comes behind it is there when it is.
    let behind = proxied.program(client("198.51.100.1:1"));
    drop(behind);
    proxied.backend.log().wait(&event("disconnect", client("198.51.100.1:1")));
    (wire, rest)
}

#[test]
fn who_was_about_to_be_named_when_the_listener_died_is_named_to_the_next() {
    let mut proxied = proxied("ask", "", LIMIT);
    let from = client("203.0.113.7:35712");
    let (mut wire, rest) = half_said(&proxied, from);
    proxied.backend.kill_listener();
    wire.send(rest);
    proxied.backend.next_listener();
    let mut program = Program::over(wire, "CLIENT");
    is_known(&proxied, from, &mut program);
    // It is watched as all others are.
    proxied.backend.kill_listener();
    proxied.backend.next_listener();
    is_known(&proxied, from, &mut program);
    drop(program);
    proxied.backend.log().wait(&event("disconnect", from));
    proxied.program(from);
    proxied.says_nothing_of_the_proxy();
}

#[test]
fn who_was_about_to_be_named_is_named_to_another_program_and_followed_by_it() {
    let proxied = proxied("ask", "", LIMIT);
    let from = client("203.0.113.7:35712");
    let (mut wire, rest) = half_said(&proxied, from);
    proxied.backend.upgrade_to("9.8.7");
    let mark = proxied.backend.log().mark();
    wire.send(rest);
    let mut program = Program::over(wire, "CLIENT");
    proxied.backend.log().wait_after(mark, MOVED);
    is_known(&proxied, from, &mut program);
    assert_eq!(proxied.backend.versions(), ["9.8.7"]);
    // A listener that starts next knows of it as well.
    proxied.backend.kill_handler();
    is_known(&proxied, from, &mut program);
    proxied.says_nothing_of_the_proxy();
}

#[test]
fn clients_come_in_while_the_handler_is_dead() {
    let proxied = proxied("ask", "", "");
    let from = client("203.0.113.7:35712");
    let mut program = proxied.backend.while_the_handler_stands_still(|| {
        let mut wire = proxied.wire(from);
        wire.expect(GREETING);
        wire
    });
    program.send("MODE CLIENT\r\n");
    program.until("Mode: CLIENT");
    proxied.backend.kill_handler();
    program.send("{\"cmd\": \"PING\"}\r\n");
    program.until("\"OK\"");
    assert_eq!(addresses(&proxied.backend), [from.to_string()]);
}
