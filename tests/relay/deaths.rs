//! The handler dies again and again while messages are on their way.

use super::on_lobby;
use crate::harness::{Backend, Program};
use serde_json::{Value, json};
use std::sync::mpsc::channel;

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

#[test]
fn numbers_go_on_and_everybody_gets_everything_however_often_the_handler_dies() {
    const EACH: usize = 500;
    const SIZE: usize = 1200;
    const ALL: u64 = 3 * EACH as u64;
    let backend = Backend::start();
    let names = ["s0", "s1", "s2"];
    let senders = names.into_iter().zip(on_lobby(&backend, names));
    let [mut quick, mut slow, comes_and_goes] = on_lobby(&backend, ["quick", "slow", "coming"]);
    let (at, key) = (backend.at(), comes_and_goes.key.clone());
    drop(comes_and_goes);
    let (tell, answered) = channel();
    let sent = std::thread::scope(|scope| {
        let senders: Vec<_> = senders
            .map(|(name, mut server)| {
                let tell = tell.clone();
                scope.spawn(move || {
                    let body = |sent| format!("{:<SIZE$}", format!("{name} {sent}"));
                    let send = |sent| ("RELAY SEND", json!({"channel": "lobby", "body": body(sent)}));
                    let data = server.drive_well(EACH, &tell, send);
                    let numbers: Vec<u64> =
                        data.iter().map(|data| data["number"].as_u64().expect("a number")).collect();
                    drop(tell);
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
                    (name, numbers, got)
                })
            })
            .collect();
        drop(tell);
        let quick = scope.spawn(move || {
            let mut got = Received::new();
            while got.last < ALL {
                got.take("quick", &quick.expect_event("relay"), &[]);
            }
            quick.expect_no_event("relay");
            got
        });
        let coming = scope.spawn(move || {
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
        });
        backend.kill_handler_while_they_work(&answered, 10, 3 * EACH / 11);
        let sent: Vec<_> = senders.into_iter().map(|sender| sender.join().expect("it goes well")).collect();
        (sent, quick.join().expect("it goes well"), coming.join().expect("it goes well"))
    });
    let (senders, quick, coming) = sent;
    let mut all: Vec<(u64, String)> = Vec::new();
    for (name, numbers, _) in &senders {
        assert!(numbers.is_sorted_by(|a, b| a < b), "{name}");
        all.extend(numbers.iter().enumerate().map(|(place, number)| (*number, format!("{name} {place}"))));
    }
    all.sort_unstable();
    assert!(all.iter().map(|(number, _)| *number).eq(1..=ALL), "each number once");
    let mut got = Received::new();
    while got.last < ALL {
        got.take("slow", &slow.expect_event("relay"), &[]);
    }
    slow.expect_no_event("relay");
    for got in [&quick, &coming, &got].into_iter().chain(senders.iter().map(|(_, _, got)| got)) {
        assert!(got.bodies.iter().all(|had| all.binary_search(had).is_ok()), "a number on another message");
    }
    for got in [&quick, &coming, &got] {
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
        let (tell, answered) = channel();
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
