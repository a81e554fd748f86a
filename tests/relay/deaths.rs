//! The handler dies again and again while messages are on their way.

use super::on_lobby;
use crate::harness::{Backend, GameServer, Program};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::mpsc;

/// What a receiver gets on the channel: every number once, in order, or told to be missed; its own are left out.
struct Received {
    last: u64,
    missed: u64,
    bodies: Vec<(u64, String)>,
}

impl Received {
    fn new() -> Received {
        Received { last: 0, missed: 0, bodies: Vec::new() }
    }

    fn take(&mut self, who: &str, event: &Value, own: &[u64]) {
        if let Some(count) = event["missed"].as_u64() {
            (self.last, self.missed) = (self.last + count, self.missed + count);
            return;
        }
        let number = event["number"].as_u64().expect("a number");
        while own.contains(&(self.last + 1)) {
            self.last += 1;
        }
        assert_eq!(number, self.last + 1, "{who}: neither the next one nor told to be missed");
        self.last = number;
        self.bodies.push((number, event["body"].as_str().expect("a body")[..20].trim().to_owned()));
    }
}

/// Messages of each sender, bytes of each, and all of them.
const EACH: usize = 500;
const SIZE: usize = 1200;
const ALL: u64 = 3 * EACH as u64;

/// What a sender has sent, and what it got of the others.
struct Sender {
    name: &'static str,
    numbers: Vec<u64>,
    got: Received,
}

/// Sends all of its own, of each of which somebody is told, and then takes those of the others.
fn send_and_take(name: &'static str, mut server: GameServer, told: mpsc::Sender<()>) -> Sender {
    let body = |sent| format!("{:<SIZE$}", format!("{name} {sent}"));
    let data = server.drive_well(EACH, &told, |sent| ("RELAY SEND", json!({"channel": "lobby", "body": body(sent)})));
    drop(told);
    let numbers: Vec<u64> = data.iter().map(|data| data["number"].as_u64().expect("a number")).collect();
    let mut got = Received::new();
    while numbers.contains(&(got.last + 1)) || got.last < ALL {
        while numbers.contains(&(got.last + 1)) {
            got.last += 1;
        }
        if got.last < ALL {
            got.take(name, &server.expect_event("relay"), &numbers);
        }
    }
    server.expect_no_event("relay");
    Sender { name, numbers, got }
}

/// Takes all of them on one connection.
fn take_all(name: &str, server: &mut GameServer) -> Received {
    let mut got = Received::new();
    while got.last < ALL {
        got.take(name, &server.expect_event("relay"), &[]);
    }
    server.expect_no_event("relay");
    got
}

/// Takes all of them on connection after connection, a hundred on each.
fn come_and_go(at: SocketAddr, key: &str) -> Received {
    let mut got = Received::new();
    while got.last < ALL {
        let mut server = Program::in_mode(at, "SERVER");
        server.ok("AUTH", json!({"name": "coming", "key": key}));
        let data = server.ok("RELAY JOIN", json!({"channel": "lobby", "since": got.last}));
        let missed = data["missed"].as_u64().expect("a number");
        (got.last, got.missed) = (got.last + missed, got.missed + missed);
        for _ in 0..100 {
            if got.last < ALL {
                got.take("coming", &server.expect_event("relay"), &[]);
            }
        }
    }
    got
}

#[test]
fn numbers_go_on_and_everybody_gets_everything_however_often_the_handler_dies() {
    let backend = Backend::start();
    let names = ["s0", "s1", "s2"];
    let servers = on_lobby(&backend, names);
    let [mut quick, mut slow, coming] = on_lobby(&backend, ["quick", "slow", "coming"]);
    let (at, key) = (backend.at(), coming.key.clone());
    drop(coming);
    let (tell, answered) = mpsc::channel();
    let (senders, quick, coming) = std::thread::scope(|scope| {
        let senders = names.into_iter().zip(servers).map(|(name, server)| {
            let tell = tell.clone();
            scope.spawn(move || send_and_take(name, server, tell))
        });
        let senders: Vec<_> = senders.collect();
        drop(tell);
        let quick = scope.spawn(move || take_all("quick", &mut quick));
        let coming = scope.spawn(move || come_and_go(at, &key));
        backend.kill_handler_while_they_work(&answered, 10, 3 * EACH / 11);
        let senders: Vec<Sender> = senders.into_iter().map(|sender| sender.join().expect("it goes well")).collect();
        (senders, quick.join().expect("it goes well"), coming.join().expect("it goes well"))
    });
    let slow = take_all("slow", &mut slow);
    let mut all: Vec<(u64, String)> = Vec::new();
    for Sender { name, numbers, .. } in &senders {
        assert!(numbers.is_sorted_by(|a, b| a < b), "{name}");
        all.extend(numbers.iter().enumerate().map(|(place, number)| (*number, format!("{name} {place}"))));
    }
    all.sort_unstable();
    assert!(all.iter().map(|(number, _)| *number).eq(1..=ALL), "each number once");
    for got in [&quick, &coming, &slow].into_iter().chain(senders.iter().map(|sender| &sender.got)) {
        assert!(got.bodies.iter().all(|had| all.binary_search(had).is_ok()), "a number on another message");
    }
    for got in [quick, coming, slow] {
        assert_eq!(got.bodies.len() as u64 + got.missed, ALL);
    }
}

#[test]
fn what_is_for_one_arrives_once_however_often_the_handler_dies() {
    const EACH: usize = 300;
    let backend = Backend::plan().config("mail.mailbox = 100000\n").start();
    let mut receiver = backend.game_server("receiver");
    let mut bob = backend.player("bob");
    let mut alice = backend.player("alice");
    let mut server = backend.game_server("sender");
    for (cmd, to) in [("TELL", "bob"), ("MAIL SEND", "bob"), ("RELAY SEND", "receiver")] {
        let client = if cmd == "RELAY SEND" { &mut *server } else { &mut alice };
        let (tell, answered) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                client.drive_well(EACH, &tell, |sent| (cmd, json!({"to": to, "body": sent.to_string()})))
            });
            backend.kill_handler_while_they_work(&answered, 5, EACH / 6);
        });
    }
    for number in 0..EACH {
        assert_eq!(receiver.expect_event("relay")["body"], number.to_string());
        assert_eq!(bob.expect_event("tell")["body"], number.to_string());
        assert_eq!(bob.expect_event("mail")["id"], number + 1);
    }
    receiver.expect_no_event("relay");
    bob.expect_no_event("tell");
    bob.expect_no_event("mail");
}
