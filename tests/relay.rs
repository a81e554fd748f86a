//! Messages between game servers: channels with numbers, what was missed, one server alone.

use crate::harness::{Backend, GameServer, Program};
use serde_json::{Value, json};
use std::sync::mpsc::{Sender, channel};

fn send(server: &mut GameServer, body: &str) -> u64 {
    server.ok("RELAY SEND", json!({"body": body, "channel": "lobby"}))["number"].as_u64().expect("a number")
}

fn join(server: &mut GameServer, since: Option<u64>) -> Value {
    server.ok("RELAY JOIN", json!({"channel": "lobby", "since": since}))
}

/// Two servers on the same channel.
fn two(backend: &Backend) -> (GameServer, GameServer) {
    let (mut arena, mut desert) = (GameServer::added(backend, "arena"), GameServer::added(backend, "desert"));
    join(&mut arena, None);
    join(&mut desert, None);
    (arena, desert)
}

#[test]
fn everybody_else_gets_it_in_order() {
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let mut tundra = GameServer::added(&backend, "tundra");
    join(&mut tundra, None);
    for number in 1..=20 {
        let sender = if number % 2 == 0 { &mut arena } else { &mut desert };
        assert_eq!(send(sender, &format!("message {number}")), number);
    }
    for number in 1..=20 {
        let event = tundra.expect_event("relay");
        assert_eq!((&event["number"], &event["body"]), (&number.into(), &format!("message {number}").into()));
        assert_eq!((&event["channel"], &event["from"]), (&"lobby".into(), &["desert", "arena"][1 - number % 2].into()));
    }
    for number in (1..=20).step_by(2) {
        assert_eq!(arena.expect_event("relay")["number"], number);
    }
    arena.expect_no_event("relay");
}

#[test]
fn any_text_arrives_as_it_was() {
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let bodies = [
        "",
        "\"quoted\" \\ back",
        "line\r\nbreak\u{0}\u{1b}",
        "é 日本 \u{1f600}\u{2028}",
        &"x".repeat(16 << 10),
        &"é".repeat(8 << 10),
    ];
    for body in bodies {
        arena.ok("RELAY SEND", json!({"body": body, "channel": "lobby"}));
        assert_eq!(desert.expect_event("relay")["body"], body);
    }
}

#[test]
fn who_comes_back_gets_what_was_missed() {
    let backend = Backend::start();
    let (mut arena, desert) = two(&backend);
    send(&mut arena, "1");
    let key = desert.key.clone();
    drop(desert);
    (2..=50).for_each(|number| assert_eq!(send(&mut arena, &number.to_string()), number));
    let mut desert = GameServer::with_key(&backend, "desert", key);
    let data = join(&mut desert, Some(1));
    assert_eq!((&data["number"], &data["waiting"], &data["missed"]), (&50.into(), &49.into(), &0.into()));
    send(&mut arena, "51");
    for number in 2..=51 {
        let event = desert.expect_event("relay");
        assert_eq!((&event["number"], &event["body"]), (&number.into(), &number.to_string().into()));
    }
    desert.expect_no_event("relay");
}

#[test]
fn a_gap_is_told() {
    let backend = Backend::plan().config("relay.backlog = 5\n").start();
    let (mut arena, desert) = two(&backend);
    let key = desert.key.clone();
    drop(desert);
    (1..=20).for_each(|number| assert_eq!(send(&mut arena, &number.to_string()), number));
    let mut desert = GameServer::with_key(&backend, "desert", key);
    let data = join(&mut desert, Some(3));
    assert_eq!((&data["number"], &data["waiting"], &data["missed"]), (&20.into(), &5.into(), &12.into()));
    let numbers: Vec<Value> = (16..=20).map(|_| desert.expect_event("relay")["number"].clone()).collect();
    assert_eq!(numbers, [16, 17, 18, 19, 20]);
    desert.expect_no_event("relay");
    // Who has everything already gets nothing.
    desert.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    let data = join(&mut desert, Some(20));
    assert_eq!((&data["waiting"], &data["missed"]), (&0.into(), &0.into()));
    desert.expect_no_event("relay");
}

/// Joins with what was seen before, and in which epoch.
fn join_again(server: &mut GameServer, seen: &Value, epoch: &Value) -> Value {
    server.ok("RELAY JOIN", json!({"channel": "lobby", "since": seen, "epoch": epoch}))
}

#[test]
fn after_a_restart_numbers_go_on_and_who_comes_back_learns_that_something_may_be_gone() {
    let mut backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    (1..=10).for_each(|number| assert_eq!(send(&mut arena, "x"), number));
    let seen = (1..=5).map(|_| desert.expect_event("relay")).last().unwrap();
    let (arena_key, desert_key) = (arena.key.clone(), desert.key.clone());
    drop((arena, desert));
    backend.restart();
    let mut arena = GameServer::with_key(&backend, "arena", arena_key);
    join(&mut arena, None);
    let numbers = ["first", "second"].map(|body| send(&mut arena, body));
    assert!(numbers[0] > 10 && numbers[1] == numbers[0] + 1, "{numbers:?}");
    // Whether the epoch is said or not, which it is not by older programs.
    for epoch in [&seen["epoch"], &Value::Null] {
        let mut desert = GameServer::with_key(&backend, "desert", desert_key.clone());
        let data = join_again(&mut desert, &seen["number"], epoch);
        assert_eq!((&data["missed"], &data["waiting"]), (&Value::Null, &2.into()), "{data}");
        assert!(data["epoch"].as_u64() > seen["epoch"].as_u64(), "{data}");
        for (number, body) in numbers.into_iter().zip(["first", "second"]) {
            let event = desert.expect_event("relay");
            assert_eq!((&event["number"], &event["body"]), (&number.into(), &body.into()));
            assert_eq!(event["epoch"], data["epoch"]);
        }
        desert.expect_no_event("relay");
    }
    // In the present epoch it is known what came since, and 0 is nobody's number.
    let mut desert = GameServer::with_key(&backend, "desert", desert_key);
    let present = join(&mut desert, Some(0));
    assert_eq!((&present["missed"], &present["waiting"]), (&0.into(), &2.into()));
    assert_eq!(desert.expect_event("relay")["body"], "first");
    assert_eq!(desert.expect_event("relay")["body"], "second");
    desert.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    let data = join_again(&mut desert, &numbers[0].into(), &present["epoch"]);
    assert_eq!((&data["missed"], &data["waiting"]), (&0.into(), &1.into()));
    assert_eq!(desert.expect_event("relay")["body"], "second");
}

#[test]
fn a_channel_that_made_room_goes_on_with_its_numbers_in_another_epoch() {
    let backend = Backend::plan().config("relay.channels = 1\n").start();
    let mut arena = GameServer::added(&backend, "arena");
    let first = join(&mut arena, None);
    (1..=7).for_each(|number| assert_eq!(send(&mut arena, "x"), number));
    arena.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    arena.ok("RELAY SEND", json!({"channel": "other", "body": "x"}));
    let mut desert = GameServer::added(&backend, "desert");
    let second = join_again(&mut desert, &5.into(), &first["epoch"]);
    assert_eq!((&second["missed"], &second["waiting"]), (&Value::Null, &0.into()), "{second}");
    assert_ne!(first["epoch"], second["epoch"]);
    assert!(send(&mut arena, "again") > 7);
    let event = desert.expect_event("relay");
    assert_eq!((&event["epoch"], &event["body"]), (&second["epoch"], &"again".into()));
}

#[test]
fn the_epoch_stays_when_the_handler_dies() {
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    assert_eq!(send(&mut arena, "before"), 1);
    let before = desert.expect_event("relay");
    backend.kill_handler();
    assert_eq!(send(&mut arena, "behind"), 2);
    let behind = desert.expect_event("relay");
    assert_eq!((&behind["number"], &behind["epoch"]), (&2.into(), &before["epoch"]));
    let mut tundra = GameServer::added(&backend, "tundra");
    let data = join_again(&mut tundra, &1.into(), &before["epoch"]);
    assert_eq!((&data["epoch"], &data["missed"], &data["waiting"]), (&before["epoch"], &0.into(), &1.into()));
    assert_eq!(tundra.expect_event("relay")["body"], "behind");
}

#[test]
fn more_messages_than_the_mark_on_disk_allows_are_all_sent_in_their_order() {
    const MESSAGES: u64 = 3000;
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let line = json!({"cmd": "RELAY SEND", "args": {"body": "x", "channel": "lobby"}}).to_string();
    (0..MESSAGES).for_each(|_| arena.send_line(&line));
    for number in 1..=MESSAGES {
        assert_eq!(arena.reply()["data"]["number"], number);
    }
    for number in 1..=MESSAGES {
        assert_eq!(desert.expect_event("relay")["number"], number);
    }
}

#[test]
fn a_slow_reader_gets_everything_or_is_told_how_much_is_gone() {
    const MESSAGES: usize = 3000;
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let body = "x".repeat(4000);
    let line = json!({"cmd": "RELAY SEND", "args": {"body": body, "channel": "lobby"}}).to_string();
    for _ in 0..MESSAGES / 50 {
        for _ in 0..50 {
            arena.send_line(&line);
        }
        for _ in 0..50 {
            assert_eq!(arena.reply()["state"], "OK");
        }
    }
    let (mut last, mut got, mut missed) = (0, 0, 0);
    while last < MESSAGES as u64 {
        let event = desert.expect_event("relay");
        if let Some(count) = event["missed"].as_u64() {
            (last, missed) = (last + count, missed + count);
        } else {
            assert_eq!(event["number"], last + 1, "a gap that was not told");
            (last, got) = (last + 1, got + 1);
        }
    }
    assert_eq!(got + missed, MESSAGES as u64);
    desert.ok("PING", json!({}));
}

#[test]
fn to_one_server_alone() {
    let backend = Backend::start();
    let (mut arena, mut desert) = two(&backend);
    let mut tundra = GameServer::added(&backend, "tundra");
    let data = arena.ok("RELAY SEND", json!({"body": "psst", "to": "DESERT"}));
    assert_eq!((&data["receivers"], &data["number"]), (&1.into(), &0.into()));
    let event = desert.expect_event("relay");
    assert_eq!((&event["channel"], &event["number"], &event["from"]), (&Value::Null, &0.into(), &"arena".into()));
    tundra.expect_no_event("relay");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "x", "to": "nobody"})), "not_found");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "x"})), "usage");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "x", "to": "desert", "channel": "lobby"})), "usage");
    assert_eq!(arena.fails("RELAY SEND", json!({"body": "x", "channel": "else where"})), "invalid");
    // A channel takes messages from those who do not listen to it, too.
    assert_eq!(arena.ok("RELAY SEND", json!({"body": "x", "channel": "elsewhere"}))["receivers"], 0);
    assert_eq!(tundra.ok("RELAY JOIN", json!({"channel": "elsewhere", "since": 0}))["waiting"], 1);
    assert_eq!(tundra.expect_event("relay")["body"], "x");
}

#[test]
fn joining_and_leaving() {
    let backend = Backend::plan().config("relay.joined_per_server = 2\nrelay.channels = 3\n").start();
    let mut arena = GameServer::added(&backend, "arena");
    for channel in ["Lobby", "LOBBY", "chat"] {
        arena.ok("RELAY JOIN", json!({"channel": channel}));
    }
    assert_eq!(arena.fails("RELAY JOIN", json!({"channel": "third"})), "limit");
    // An empty word counts as left out.
    assert_eq!(arena.fails("RELAY JOIN", json!({"channel": ""})), "usage");
    for bad in ["a b", "ä", &"x".repeat(65)] {
        assert_eq!(arena.fails("RELAY JOIN", json!({"channel": bad})), "invalid", "{bad}");
    }
    let data = arena.ok("RELAY CHANNELS", json!({}));
    let rows: Vec<(&Value, &Value)> =
        data["channels"].as_array().unwrap().iter().map(|row| (&row["channel"], &row["servers"])).collect();
    assert!(rows.contains(&(&"Lobby".into(), &1.into())) && rows.contains(&(&"chat".into(), &1.into())), "{data}");
    arena.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    assert_eq!(arena.fails("RELAY LEAVE", json!({"channel": "lobby"})), "not_found");
    let mut desert = GameServer::added(&backend, "desert");
    desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
    desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "anyone?"}));
    arena.expect_no_event("relay");
    // Sent ahead, without waiting for the answers.
    arena.send_line(r#"{"cmd": "RELAY JOIN", "args": "lobby"}"#);
    arena.send_line(r#"{"cmd": "RELAY SEND", "args": "\"hi\" lobby"}"#);
    assert_eq!(arena.reply()["state"], "OK");
    assert_eq!(arena.reply()["state"], "OK");
    assert_eq!(desert.expect_event("relay")["body"], "hi");
}

#[test]
fn a_channel_that_failed_to_open_takes_no_place() {
    let backend = Backend::plan().config("relay.joined_per_server = 1\nrelay.channels = 2\n").start();
    let mut arena = GameServer::added(&backend, "arena");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    for number in 0..5 {
        assert_eq!(arena.fails("RELAY JOIN", json!({"channel": format!("more-{number}")})), "limit");
    }
    // A refused join must not have used up the channels of everybody else.
    let mut desert = GameServer::added(&backend, "desert");
    desert.ok("RELAY JOIN", json!({"channel": "second"}));
}

#[test]
fn keys_and_names() {
    let backend = Backend::start();
    let arena = GameServer::added(&backend, "arena");
    let mut stranger = Program::in_mode(backend.at(), "SERVER");
    for (name, key) in [("arena", "wrong"), ("nobody", &*arena.key)] {
        assert_eq!(stranger.fails("AUTH", json!({"name": name, "key": key})), "bad_login", "{name}");
    }
    assert_eq!(stranger.fails("AUTH", json!({"name": "arena", "key": ""})), "usage");
    // The same server may be connected twice; both get what is for it.
    let mut again = GameServer::with_key(&backend, "arena", arena.key.clone());
    let mut desert = GameServer::added(&backend, "desert");
    assert_eq!(desert.ok("RELAY SEND", json!({"body": "x", "to": "arena"}))["receivers"], 2);
    again.expect_event("relay");
    drop(arena);
    assert_eq!(again.fails("AUTH", json!({"name": "arena", "key": "x"})), "denied");
}

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

/// Sends so many ahead; gives the number of each.
fn send_many(server: &mut Program, name: &str, count: usize, size: usize, told: &Sender<()>) -> Vec<u64> {
    let (mut numbers, mut sent) = (Vec::new(), 0);
    while numbers.len() < count {
        while sent < count && sent - numbers.len() < 16 {
            let body = format!("{:<size$}", format!("{name} {sent}"));
            server.send_line(
                json!({"id": sent, "cmd": "RELAY SEND", "args": {"channel": "lobby", "body": body}}).to_string(),
            );
            sent += 1;
        }
        let reply = server.reply();
        assert_eq!((&reply["id"], &reply["state"]), (&numbers.len().into(), &"OK".into()), "{reply}");
        numbers.push(reply["data"]["number"].as_u64().expect("a number"));
        // Whoever counts them has enough when it hears no more.
        let _ = told.send(());
    }
    numbers
}

#[test]
fn numbers_go_on_and_everybody_gets_everything_however_often_the_handler_dies() {
    const EACH: usize = 500;
    const SIZE: usize = 1200;
    const ALL: u64 = 3 * EACH as u64;
    let backend = Backend::start();
    let added = |name: &str| {
        let mut server = GameServer::added(&backend, name);
        join(&mut server, None);
        server
    };
    let senders = ["s0", "s1", "s2"].map(|name| (name, added(name)));
    let (mut quick, mut slow, comes_and_goes) = (added("quick"), added("slow"), added("coming"));
    let (at, key) = (backend.at(), comes_and_goes.key.clone());
    drop(comes_and_goes);
    let (tell, answered) = channel();
    let sent = std::thread::scope(|scope| {
        let senders: Vec<_> = senders
            .into_iter()
            .map(|(name, mut server)| {
                let tell = tell.clone();
                scope.spawn(move || {
                    let numbers = send_many(&mut server, name, EACH, SIZE, &tell);
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
    let mut receiver = GameServer::added(&backend, "receiver");
    let mut bob = Program::registered(&backend, "bob");
    let mut alice = Program::registered(&backend, "alice");
    let mut server = GameServer::added(&backend, "sender");
    let (tell, answered) = channel();
    let drive = |client: &mut Program, cmd: &str, args: Value, told: Sender<()>| {
        let (mut sent, mut answered) = (0, 0);
        while answered < EACH {
            while sent < EACH && sent - answered < 16 {
                let mut args = args.clone();
                args["body"] = sent.to_string().into();
                client.send_line(json!({"id": sent, "cmd": cmd, "args": args}).to_string());
                sent += 1;
            }
            let reply = client.reply();
            assert_eq!((&reply["id"], &reply["state"]), (&answered.into(), &"OK".into()), "{cmd}: {reply}");
            answered += 1;
            // Whoever counts them has enough when it hears no more.
            let _ = told.send(());
        }
    };
    let drive = &drive;
    for (cmd, args) in [("TELL", json!({"to": "bob"})), ("MAIL SEND", json!({"to": "bob"}))] {
        std::thread::scope(|scope| {
            let (tell, answered) = channel();
            let alice = &mut alice;
            scope.spawn(move || drive(alice, cmd, args, tell));
            backend.kill_handler_while_they_work(&answered, 5, EACH / 6);
        });
    }
    std::thread::scope(|scope| {
        scope.spawn(|| drive(&mut server, "RELAY SEND", json!({"to": "receiver"}), tell));
        backend.kill_handler_while_they_work(&answered, 5, EACH / 6);
    });
    for number in 0..EACH {
        assert_eq!(receiver.expect_event("relay")["body"], number.to_string());
        assert_eq!(bob.expect_event("tell")["body"], number.to_string());
        assert_eq!(bob.expect_event("mail")["id"], number + 1);
    }
    receiver.expect_no_event("relay");
    bob.expect_no_event("tell");
    bob.expect_no_event("mail");
}
