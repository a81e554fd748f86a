//! The settings of a backend that runs: read again, and what stands above what.

use crate::harness::{Backend, Program, Wire};
use nix::sys::signal::Signal;
use serde_json::json;

#[test]
fn a_reload_changes_limits_and_doors() {
    let backend = Backend::plan().config("limits.clients_per_address = 1\n").start();
    let _first = backend.program();
    assert!(Wire::to(backend.at()).rest().contains("Too many connections."));

    let wire = Wire::from("127.0.0.9", backend.at());
    let door = wire.stream.local_addr().unwrap();
    // A worker that has not run yet would still hold the doors of the moment it was forked at.
    backend.see_off(wire);
    let address = format!("{}:{}", backend.at().ip(), door.port());
    let lines = format!("limits.clients_per_address = 8\n[[door]]\naddress = \"{address}\"\nmode = \"human\"\n");
    reload(&backend, &lines);
    backend.program();
    let mut person = Wire::to(address.parse().unwrap());
    person.until("Welcome to serversquared");

    reload(&backend, "limits.clients_per_address = 8\n");
    assert!(std::net::TcpStream::connect(&address).is_err(), "the door is still open");
    // Who came in by it stays.
    person.send("HW\r\n");
    person.until("Hello, world!");
}

fn reload(backend: &Backend, lines: &str) {
    backend.reload(lines);
}

#[test]
fn options_stay_above_the_file_when_it_is_read_again() {
    let backend = Backend::plan().options(&["-c", "1"]).start();
    let _first = backend.program();
    reload(&backend, "limits.clients_per_address = 8\n");
    assert!(Wire::to(backend.at()).rest().contains("Too many connections."));
}

#[test]
fn a_broken_file_changes_nothing_and_is_told() {
    let backend = Backend::plan().config("limits.clients_per_address = 2\n").start();
    let mut first = backend.program();
    let mark = backend.log().mark();
    backend.write_config("limits.clients_per_address = 1\nlimits.clints = 3\n");
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "settings not changed");
    backend.log().wait_after(mark, "limits.clints");
    backend.see_off(backend.program().wire);
    first.ok("PING", json!({}));
    // A door that cannot be opened changes nothing either.
    let mark = backend.log().mark();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    backend.write_config(&format!(
        "limits.clients = 5\nlimits.clients_per_address = 1\n[[door]]\naddress = \"{address}\"\nmode = \"human\"\n"
    ));
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "not changed");
    assert_eq!(backend.ctl(&["status"])["clients_max"], 4096);
    backend.see_off(first.wire);
    let _second = backend.program();
    backend.program();
}

#[test]
fn who_came_in_by_a_door_that_is_gone_does_not_count_at_another() {
    let plan = Backend::plan();
    let host = plan.address().to_owned();
    // Ports that are free now, and to be taken again: no other test has this address.
    let free = || std::net::TcpListener::bind((&*host, 0)).unwrap().local_addr().unwrap().to_string();
    let (one, two) = (free(), free());
    let door = |address: &str| format!("[[door]]\naddress = \"{address}\"\nmode = \"ask\"\nclients_per_address = 1\n");
    let backend = plan.config(&(door(&one) + &door(&two))).start();
    let _stays = Program::over(Wire::to(one.parse().unwrap()), "CLIENT");
    reload(&backend, &door(&two));
    let _first = Program::over(Wire::to(two.parse().unwrap()), "CLIENT");
    assert!(Wire::to(two.parse().unwrap()).rest().contains("Too many connections."));
}

#[test]
fn the_environment_stands_between_the_file_and_the_options() {
    let plan = || Backend::plan().config("limits.clients = 5\n").environment("SSMGLOBAL_LIMITS_CLIENTS", "6");
    assert_eq!(plan().start().ctl(&["status"])["clients_max"], 6);
    assert_eq!(plan().options(&["-m", "7"]).start().ctl(&["status"])["clients_max"], 7);
}
