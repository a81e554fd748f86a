//! The door for people that is there when nobody has said where to listen.

use crate::harness::{Backend, GREETING, Person, WELCOME, Wire, run};
use nix::sys::signal::Signal;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Its port.
const PORT: u16 = 4201;

fn door_of(backend: &Backend) -> SocketAddr {
    SocketAddr::new(backend.at().ip(), PORT)
}

/// Somebody comes in by it, and is asked for nothing before.
fn come_in(backend: &Backend) -> Person {
    let mut wire = Wire::to(door_of(backend));
    wire.until("Welcome to serversquared");
    wire.until("> ");
    Person { wire }
}

fn is_closed(backend: &Backend) -> bool {
    TcpStream::connect(door_of(backend)).is_err()
}

/// What the announcement says first.
fn way_in(backend: &Backend) -> String {
    let text = backend.log().text();
    let after = text.rsplit("is ready.\n").next().unwrap_or_default();
    after.lines().next().unwrap_or_default().trim().to_owned()
}

fn takes_it(address: &str) -> TcpListener {
    TcpListener::bind((address, PORT)).expect("nobody else has this address")
}

#[test]
fn it_is_what_the_announcement_says_first_and_the_main_door_is_as_it_was() {
    let backend = Backend::plan().at_default_ports().start();
    assert_eq!(backend.at().port(), 53450);
    assert_eq!(way_in(&backend), format!("come in       telnet {} {PORT}", backend.at().ip()));
    let mut bob = come_in(&backend);
    bob.type_line("REGISTER bob secret-of-bob");
    bob.expect("registered and logged in");
    let mut main = Wire::to(backend.at());
    main.expect(GREETING);
    main.send("MODE HUMAN\r\n");
    main.expect(WELCOME);
}

#[test]
fn a_port_alone_is_all_that_is_opened() {
    let backend = Backend::start();
    assert_eq!(backend.doors().len(), 1);
    let port = backend.at().port();
    let typed = format!("come in       telnet {} {port}   then type: MODE HUMAN", backend.at().ip());
    assert_eq!(way_in(&backend), typed);
}

#[test]
fn where_its_port_is_taken_the_rest_runs_and_says_so() {
    let plan = Backend::plan().at_default_ports();
    let taken = takes_it(plan.address());
    let mut backend = plan.start();
    backend.log().wait("WARN  listener: the door for people at");
    assert!(way_in(&backend).contains("MODE HUMAN   (the door at"), "{}", way_in(&backend));
    backend.program();
    // What the message says.
    drop(taken);
    backend.signal(Signal::SIGHUP);
    backend.log().wait("people have a door at");
    let mut alice = come_in(&backend);
    // The next listener has it from the one before.
    backend.kill_listener();
    backend.next_listener();
    assert_eq!(way_in(&backend), format!("come in       telnet {} {PORT}", backend.at().ip()));
    come_in(&backend);
    alice.type_line("HW");
    alice.expect("Hello, world!");
    backend.restart();
    come_in(&backend);
}

#[test]
fn whoever_says_where_to_listen_closes_it_at_the_next_reload_and_back() {
    let plan = Backend::plan().at_default_ports();
    let address = plan.address().to_owned();
    let backend = plan.start();
    let mut stays = come_in(&backend);
    // The same place, named: whoever comes meanwhile notices nothing.
    backend.reload(&format!("[[door]]\naddress = \"{address}:{PORT}\"\nmode = \"human\"\nwelcome = \"Ours.\"\n"));
    Wire::to(door_of(&backend)).until("Ours.\r\n");
    backend.reload(&format!("listen = [\"{address}:53450\"]\n"));
    assert!(is_closed(&backend));
    stays.type_line("HW");
    stays.expect("Hello, world!");
    backend.reload("");
    come_in(&backend);
}

#[test]
fn a_program_that_opens_it_follows_one_that_did_not() {
    let plan = Backend::plan().at_default_ports();
    let address = plan.address().to_owned();
    // As a build from before there was such a door: it holds the main one alone.
    let backend = plan.config(&format!("listen = [\"{address}:53450\"]\n")).start();
    assert!(is_closed(&backend));
    let mut alice = backend.player("alice");
    backend.write_config("");
    let taken = takes_it(&address);
    backend.upgrade_to("9.8.7");
    backend.log().wait("WARN  listener: the door for people at");
    backend.log().wait("MODE HUMAN   (the door at");
    drop(taken);
    backend.upgrade_to("9.8.6");
    backend.log().wait("people have a door at");
    come_in(&backend);
    alice.ok("PING", serde_json::json!({}));
    // Nor is one lost that was open.
    let mut bob = come_in(&backend);
    backend.upgrade_to("9.8.5");
    bob.type_line("HW");
    bob.expect("Hello, world!");
    come_in(&backend);
}

#[test]
fn a_second_backend_at_the_same_place_says_that_the_main_door_is_taken() {
    let backend = Backend::plan().at_default_ports().start();
    let address = backend.at().ip().to_string();
    let mut second = crate::harness::program();
    second.arg("--data").arg(backend.file("other")).args(["-a", &address]).current_dir(backend.file(""));
    run(&mut second, b"").ends_with(1).complains(&format!("cannot listen on {address}:53450"));
    come_in(&backend);
}
