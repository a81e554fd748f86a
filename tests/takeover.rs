//! The listener may die: nobody is dropped, nobody is refused, and the next one goes on with everything.

use crate::harness::{Backend, GREETING, PATIENCE, Process, Program, Wire, is_root, own_address};
use nix::sys::signal::{Signal, kill};
use serde_json::json;
use std::sync::mpsc::{TryRecvError, channel};
use std::time::Duration;

const GOODBYE: &str = "The backend is going down.";

#[test]
fn clients_notice_nothing_and_whoever_comes_meanwhile_waits() {
    let mut backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    let mut arena = backend.game_server("arena");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let (handler, before) = (backend.handler(), backend.workers());
    assert_eq!(before.len(), 4);
    let typed = "TELL bob half";
    alice.wire.send(typed);

    backend.kill_listener();
    assert_eq!(backend.ctl(&["status"])["listener"], 0);
    alice.wire.send(" typed\r\n");
    assert_eq!(bob.expect_event("tell")["body"], "half typed");
    alice.answer();
    bob.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    arena.ok("RELAY SEND", json!({"channel": "lobby", "body": "still here"}));
    silent.send("MODE CLIENT\r\n{\"cmd\": \"WHO\"}\r\n");
    silent.until("alice");
    let mut early = Wire::to(backend.at());
    assert_eq!(early.listen(Duration::from_millis(200)), "", "nobody is there to greet");

    backend.next_listener();
    early.expect(GREETING);
    assert_eq!(
        (backend.handler(), backend.ctl(&["status"])["listener"].clone()),
        (handler, backend.pid().as_raw().into())
    );
    let after = backend.workers();
    assert!(before.iter().all(|pid| after.contains(pid)) && after.len() == 5, "{before:?} {after:?}");
    bob.ok("TELL", json!({"to": "alice", "body": "Did you feel that?"}));
    alice.expect("Did you feel that?");
    assert_eq!(bob.ok("SETTING GET", json!({"key": "k"}))["value"], "v");
    // Ends of those who were there before are counted like all others.
    backend.see_off(silent);
    assert_eq!(backend.ctl(&["status"])["clients"], 4);
    backend.see_off(early);
    assert_eq!(backend.ctl(&["status"])["clients"], 3);
}

#[test]
fn sessions_keep_their_numbers_and_no_number_is_given_twice() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let number = alice.ok("WHOAMI", json!({}))["session"].clone();
    backend.kill_listener();
    backend.next_listener();
    assert_eq!(alice.ok("WHOAMI", json!({}))["session"], number);
    let mut bob = backend.player("bob");
    assert!(bob.ok("WHOAMI", json!({}))["session"].as_u64() > number.as_u64());
}

#[test]
fn limits_count_who_was_there_before() {
    let mut backend = Backend::plan().config("limits.clients_per_address = 2\n").start();
    let first = backend.program();
    let _second = backend.program();
    backend.kill_listener();
    backend.next_listener();
    assert!(Wire::to(backend.at()).rest().contains("Too many connections."));
    backend.see_off(first.wire);
    backend.program();
}

#[test]
fn who_left_while_there_was_no_listener_does_not_count() {
    let mut backend = Backend::plan().config("limits.clients_per_address = 2\n").start();
    let (first, second) = (backend.program(), backend.program());
    backend.kill_listener();
    backend.see_off(first.wire);
    backend.next_listener();
    let third = backend.program();
    assert_eq!(backend.ctl(&["status"])["clients"], 2);
    drop((second, third));
}

#[test]
fn it_may_die_again_and_again() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let handler = backend.handler();
    let mut others = Vec::new();
    for round in 1..=3 {
        backend.kill_listener();
        backend.next_listener();
        alice.ok("SETTING SET", json!({"key": "round", "value": round.to_string()}));
        others.push(backend.program());
    }
    assert_eq!(backend.handler(), handler);
    // A listener that dies in the moment that it makes a worker has told nobody: that one tells by itself.
    for other in &mut others {
        other.ok("WHO", json!({}));
    }
    assert_eq!(backend.workers().len(), 4);
    drop(others);
    backend.log().wait("Disconnected (1/");
    assert_eq!(backend.workers().len(), 1);
}

#[test]
fn a_handler_that_dies_after_it_is_followed_by_the_next() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let silent = backend.program();
    backend.kill_listener();
    backend.next_listener();
    backend.kill_handler();
    assert_eq!(backend.workers().len(), 2);
    alice.ok("PING", json!({}));
    // The next handler watches them as the one before did.
    backend.see_off(silent.wire);
    assert_eq!(backend.ctl(&["status"])["clients"], 1);
}

#[test]
fn an_orderly_stop_ends_everybody_also_those_of_the_listener_before() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let mut all: Vec<Process> = backend.workers().iter().map(|worker| Process(worker.pid)).collect();
    all.push(Process(backend.handler()));
    backend.kill_listener();
    backend.next_listener();
    backend.stop();
    for wire in [&mut alice.wire, &mut silent] {
        assert!(wire.rest().contains(GOODBYE), "a client was not told that it is the end");
    }
    backend.log().wait("everything is saved");
    for process in all {
        assert!(!process.title().starts_with("ssmglobal"), "{} is still there", process.title());
    }
    // And everything is there after a start.
    backend.start_again();
    backend.player_again("alice");
}

#[test]
fn the_handler_ends_in_order_when_it_is_asked_to_and_there_is_no_listener() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    let handler = backend.handler();
    backend.kill_listener();
    kill(handler, Signal::SIGTERM).unwrap();
    backend.log().wait("everything is saved");
    // There is nobody to adopt: it starts as ever, and whoever is left has a backend again.
    backend.next_listener();
    assert_ne!(backend.handler(), handler);
    assert_eq!(backend.player_again("alice").ok("SETTING GET", json!({"key": "k"}))["value"], "v");
}

#[test]
fn a_second_one_is_refused_while_the_first_is_well() {
    let mut backend = Backend::start();
    let _alice = backend.player("alice");
    for round in 0..2 {
        backend
            .another(backend.at().port(), &backend.data())
            .ends_with(1)
            .complains("runs already")
            .complains(&backend.pid().to_string());
        assert_eq!(backend.ctl(&["status"])["listener"], backend.pid().as_raw());
        if round == 0 {
            backend.kill_listener();
            backend.next_listener();
        }
    }
}

#[test]
fn its_descriptors_do_not_grow_with_who_is_adopted() {
    let mut backend = Backend::start();
    let clients: Vec<Program> = (0..20).map(|_| backend.program()).collect();
    let before = Process(backend.pid()).descriptors().len();
    for _ in 0..2 {
        backend.kill_listener();
        backend.next_listener();
        let after = Process(backend.pid());
        // The adopted handler's end is told by a descriptor of its own.
        assert!(after.descriptors().len() <= before + 1, "{:?}", after.descriptors());
        assert_eq!(after.threads(), 1);
    }
    drop(clients);
}

#[test]
fn doors_that_the_settings_have_gained_and_lost_meanwhile() {
    let plan = Backend::plan();
    let host = plan.address().to_owned();
    let free = || std::net::TcpListener::bind((&*host, 0)).unwrap().local_addr().unwrap().to_string();
    let (one, two) = (free(), free());
    let door = |address: &str| format!("[[door]]\naddress = \"{address}\"\nmode = \"human\"\n");
    let mut backend = plan.config(&door(&one)).start();
    let mut stays = Wire::to(one.parse().unwrap());
    stays.until("Welcome");
    backend.kill_listener();
    backend.write_config(&door(&two));
    backend.next_listener();
    Wire::to(two.parse().unwrap()).until("Welcome");
    assert!(std::net::TcpStream::connect_timeout(&one.parse().unwrap(), PATIENCE).is_err(), "the door is still open");
    stays.send("HW\r\n");
    stays.until("Hello, world!");
}

#[test]
fn nobody_is_refused_while_listeners_die() {
    let mut backend = Backend::start();
    let at = backend.at();
    // Nobody else comes from there: it is by the address that a worker is known of whom nobody could tell.
    let source = own_address();
    let (stop, stopped) = channel::<()>();
    let (greeted, greetings) = channel();
    let knocking = std::thread::spawn(move || {
        let mut cut = 0;
        while let Err(TryRecvError::Empty) = stopped.try_recv() {
            let mut wire = Wire::from(&source, at);
            match wire.line_or_end().as_str() {
                "" => cut += 1,
                line => {
                    assert_eq!(format!("{line}\r\n"), GREETING);
                    greeted.send(()).expect("somebody counts");
                }
            }
        }
        cut
    });
    for _ in 0..5 {
        backend.kill_waiting_listener();
        backend.next_listener();
        // Whoever came before and after.
        greetings.iter().take(20).for_each(drop);
    }
    drop(stop);
    let cut: usize = knocking.join().expect("nobody is refused");
    assert_eq!(cut, 0, "some were taken and dropped");
}

#[test]
fn with_users_of_their_own() {
    const NOBODY: u32 = 65534;
    const KEEPER: u32 = 4242;
    if !is_root() {
        return;
    }
    // The handler is its data's owner; everything is an ordinary user's.
    for plan in [Backend::plan().data_of(KEEPER), Backend::plan().started_by(NOBODY)] {
        let mut backend = plan.start();
        let mut alice = backend.player("alice");
        let mut silent = Wire::to(backend.at());
        silent.expect(GREETING);
        let handler = backend.handler();
        backend.kill_listener();
        alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
        backend.next_listener();
        assert_eq!(backend.handler(), handler);
        assert_eq!(backend.workers().len(), 2);
        backend.see_off(silent);
        backend.ctl(&["upgrade"]);
        assert_ne!(backend.handler(), handler);
        assert_eq!(alice.ok("SETTING GET", json!({"key": "k"}))["value"], "v");
        backend.program().ok("WHO", json!({}));
        backend.stop();
        assert!(alice.wire.rest().contains(GOODBYE));
    }
}

#[test]
fn where_listener_and_handler_are_gone_everybody_is_told_and_let_go() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.person("bob");
    // Have asked nothing yet, and so have no link that could end.
    let (mut carol, mut dave) = (backend.program(), backend.terminal());
    // Whoever was here before a listener died, or the program was upgraded, knows of it as well.
    backend.kill_listener();
    backend.next_listener();
    backend.ctl(&["upgrade"]);
    let mut late = backend.program();
    backend.kill_handler();
    let handler = backend.handler();
    backend.kill_listener();
    kill(handler, Signal::SIGKILL).unwrap();
    let gone = "The backend is gone.";
    for program in [&mut alice, &mut carol, &mut late] {
        let told = program.next();
        let msg = told["msg"].as_str().unwrap_or_default();
        assert_eq!((&told["event"], msg.starts_with(gone)), (&"notice".into(), true), "{told}");
        assert_eq!(program.wire.rest(), "");
    }
    for person in [&mut bob, &mut dave] {
        assert!(person.wire.rest().contains(gone));
    }
    // There is nobody to adopt: it begins as ever.
    backend.next_listener();
    backend.player_again("alice");
}
