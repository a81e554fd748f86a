//! A session goes on with the next handler as if nothing had been: whatever is asked before, after or while the handler
//! dies is answered once, in its turn, with what it would have been answered otherwise.

use crate::harness::{Backend, Program, has};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use std::sync::mpsc::{Sender, channel};

/// Sends all of them ahead and gives the replies, which must come in the order of the requests.
fn drive(client: &mut Program, requests: &[(&'static str, Value)], told: &Sender<()>) -> Vec<Value> {
    client.drive(requests.len(), told, |place| requests[place].clone())
}

/// Reads and changes of one key, one after the other, and what each must come to.
fn on_one_key(count: usize) -> (Vec<(&'static str, Value)>, Vec<Option<String>>) {
    let (mut requests, mut expected, mut now) = (Vec::new(), Vec::new(), None::<String>);
    for number in 0..count {
        match number % 5 {
            0 | 2 => {
                now = Some(number.to_string());
                requests.push(("SETTING SET", json!({"key": "k", "value": number.to_string()})));
            }
            1 => requests.push(("SETTING GET", json!({"key": "k"}))),
            // The second one fails, and must also fail when it is asked again.
            3 => requests.push(("SETTING DELETE", json!({"key": "k"}))),
            _ => requests.push((["SETTING DELETE", "SETTING GET"][number % 2], json!({"key": "k"}))),
        }
        expected.push(now.clone());
        if number % 5 == 3 {
            now = None;
            expected[number].clone_from(&Some("OK".to_owned()));
        }
    }
    (requests, expected)
}

fn check_one_key(requests: &[(&str, Value)], expected: &[Option<String>], replies: &[Value]) {
    for (number, ((request, reply), expected)) in requests.iter().zip(replies).zip(expected).enumerate() {
        match (request.0, expected) {
            ("SETTING GET", Some(value)) => assert_eq!(reply["data"]["value"], *value, "{number}: {reply}"),
            (_, None) => assert_eq!(reply["code"], "not_found", "{number} {}: {reply}", request.0),
            _ => assert_eq!(reply["state"], "OK", "{number} {}: {reply}", request.0),
        }
    }
}

#[test]
fn reads_and_changes_sent_ahead_come_to_what_they_would_one_after_the_other() {
    const EACH: usize = 1500;
    let backend = Backend::start();
    let clients: Vec<Program> = (0..4).map(|n| backend.player(&format!("player-{n}"))).collect();
    let (tell, answered) = channel();
    let (requests, expected) = on_one_key(EACH);
    std::thread::scope(|scope| {
        for mut client in clients {
            let (tell, requests, expected) = (tell.clone(), &requests, &expected);
            scope.spawn(move || check_one_key(requests, expected, &drive(&mut client, requests, &tell)));
        }
        drop(tell);
        backend.kill_handler_while_they_work(&answered, 12, 4 * EACH / 13);
    });
}

/// The answers lie in a handler that cannot get rid of them, and die with it.
#[test]
fn answers_that_a_slow_worker_had_not_taken_are_given_as_they_were() {
    let backend = Backend::plan().config("limits.delay_notice_seconds = 1\n").start();
    let mut watcher = backend.player("watcher");
    let mut alice = backend.player("alice");
    alice.ok("SETTING SET", json!({"key": "big", "value": "x".repeat(8000)}));
    let mut requests = vec![("SETTING GET", json!({"key": "big"})); 40];
    let (changes, expected) = on_one_key(20);
    requests.extend(changes);
    requests.push(("MAIL SEND", json!({"to": "watcher", "body": "all done"})));
    let (first, worker) = (backend.handler_process(), backend.worker_of("alice"));
    kill(first, Signal::SIGSTOP).unwrap();
    for (id, (cmd, args)) in requests.iter().enumerate() {
        alice.send_line(json!({"id": id, "cmd": cmd, "args": args}).to_string());
    }
    // Then everything is on its way.
    alice.expect_event("notice");
    kill(worker, Signal::SIGSTOP).unwrap();
    kill(first, Signal::SIGCONT).unwrap();
    // As many, one after the other: meanwhile all that can be done of the others is done.
    for _ in 0..2 * requests.len() {
        watcher.ok("WHOAMI", json!({}));
    }
    let mark = backend.log().mark();
    kill(first, Signal::SIGKILL).unwrap();
    kill(worker, Signal::SIGCONT).unwrap();
    backend.log().wait_after(mark, "ready: ");
    let replies: Vec<Value> = requests.iter().map(|_| alice.reply()).collect();
    assert!(replies.iter().enumerate().all(|(id, reply)| reply["id"] == id));
    check_one_key(&requests[40..60], &expected, &replies[40..60]);
}

#[test]
fn every_command_of_a_player_goes_on() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut bob = backend.player("bob");
    let mut alice = backend.player("alice");
    bob.ok("MAIL SEND", json!({"to": "alice", "body": "first", "subject": "s"}));
    bob.ok("MAIL SEND", json!({"to": "alice", "body": "second"}));
    bob.ok("MAIL SEND", json!({"to": "alice", "body": "third"}));
    let requests = [
        ("WHOAMI", json!({})),
        ("HELP", json!({})),
        ("PING", json!({})),
        ("HW", json!({})),
        ("WHO", json!({})),
        ("FINGER", json!({"player": "bob"})),
        ("RECORD SUBMIT", json!({"board": "sprint", "score": 7})),
        ("RECORD TOP", json!({"board": "sprint"})),
        ("RECORD AROUND", json!({"board": "sprint"})),
        ("RECORD SHOW", json!({"board": "sprint", "player": "alice"})),
        ("RECORD BOARDS", json!({})),
        ("RECORD WATCH", json!({"board": "sprint"})),
        ("RECORD UNWATCH", json!({"board": "sprint"})),
        ("SETTING SET", json!({"key": "a", "value": "1"})),
        ("SETTING GET", json!({"key": "a"})),
        ("SETTING LIST", json!({})),
        ("SETTING DELETE", json!({"key": "a"})),
        ("MAIL LIST", json!({})),
        ("MAIL READ", json!({"id": 1})),
        ("MAIL REPLY", json!({"id": 2, "body": "an answer"})),
        ("MAIL DELETE", json!({"id": 3})),
        ("MAIL SENT", json!({})),
        ("MAIL BLOCK", json!({"player": "bob"})),
        ("MAIL BLOCKS", json!({})),
        ("MAIL UNBLOCK", json!({"player": "bob"})),
        ("MAIL SEND", json!({"to": "bob", "body": "one more"})),
        ("TELL", json!({"to": "bob", "body": "psst"})),
        ("WORLDS", json!({})),
        ("MODE", json!({"mode": "LIST"})),
    ];
    backend.over_the_death_of_the_handler(|| {
        for (id, (cmd, args)) in requests.iter().enumerate() {
            alice.send_line(json!({"id": id, "cmd": cmd, "args": args}).to_string());
        }
    });
    let mut data = Vec::new();
    for (id, (cmd, _)) in requests.iter().enumerate() {
        let reply = alice.reply();
        assert_eq!(reply["id"], id, "{cmd}: {reply}");
        assert_eq!(reply["state"], "OK", "{cmd}: {reply}");
        data.push(reply["data"].clone());
    }
    let of = |cmd: &str| &data[requests.iter().position(|(other, _)| *other == cmd).unwrap()];
    assert_eq!(of("WHOAMI")["player"], "alice");
    assert_eq!(of("WHO")["total"], 2);
    assert_eq!(of("FINGER")["online"], true);
    assert_eq!(of("RECORD SHOW")["rank"], 1);
    assert_eq!((&of("SETTING GET")["value"], &of("SETTING GET")["version"]), (&"1".into(), &1.into()));
    assert_eq!(of("MAIL READ")["body"], "first");
    assert_eq!(of("MAIL SENT")["mails"].as_array().map(Vec::len), Some(1));
    let numbers = [bob.expect_event("mail")["id"].clone(), bob.expect_event("mail")["id"].clone()];
    assert_eq!([&of("MAIL REPLY")["id"], &of("MAIL SEND")["id"]], [&numbers[0], &numbers[1]]);
    assert_eq!(bob.expect_event("tell")["body"], "psst");
    for event in ["mail", "tell", "notice"] {
        bob.expect_no_event(event);
    }
    assert_eq!(bob.ok("MAIL LIST", json!({}))["total"], 2);
    assert_eq!(alice.ok("MAIL LIST", json!({}))["total"], 2);
}

#[test]
fn every_command_of_a_game_server_goes_on() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut bob = backend.player("bob");
    let (mut arena, mut desert) = (backend.game_server("arena"), backend.game_server("desert"));
    desert.ok("RELAY JOIN", json!({"channel": "lobby"}));
    let requests = [
        ("WHOAMI", json!({})),
        ("RELAY JOIN", json!({"channel": "lobby"})),
        ("RELAY SEND", json!({"channel": "lobby", "body": "one"})),
        ("RELAY SEND", json!({"to": "desert", "body": "two"})),
        ("RELAY CHANNELS", json!({})),
        ("RELAY LEAVE", json!({"channel": "lobby"})),
        ("STATUS SET", json!({"map": "dunes", "players": 1, "max": 2})),
        ("WORLDS", json!({})),
        ("STATUS CLEAR", json!({})),
        ("RECORD SUBMIT", json!({"board": "sprint", "score": 7, "player": "bob"})),
        ("SETTING SET", json!({"key": "a", "value": "1"})),
        ("SETTING GET", json!({"key": "a"})),
        ("SETTING LIST", json!({})),
        ("SETTING DELETE", json!({"key": "a"})),
        ("MAIL SEND", json!({"to": "bob", "body": "from a server"})),
        ("WHO", json!({})),
    ];
    backend.over_the_death_of_the_handler(|| {
        for (id, (cmd, args)) in requests.iter().enumerate() {
            arena.send_line(json!({"id": id, "cmd": cmd, "args": args}).to_string());
        }
    });
    let mut data = Vec::new();
    for (id, (cmd, _)) in requests.iter().enumerate() {
        let reply = arena.reply();
        assert_eq!(reply["id"], id, "{cmd}: {reply}");
        assert_eq!(reply["state"], "OK", "{cmd}: {reply}");
        data.push(reply["data"].clone());
    }
    has(&data[2], json!({"number": 1, "receivers": 1}));
    assert_eq!(data[3]["receivers"], 1);
    assert_eq!(data[4]["channels"][0]["servers"], 2);
    assert_eq!(data[7]["worlds"][0]["map"], "dunes");
    let mut bodies = [desert.expect_event("relay")["body"].clone(), desert.expect_event("relay")["body"].clone()];
    bodies.sort_by_key(|body| body.as_str() == Some("two"));
    assert_eq!(bodies, ["one", "two"]);
    desert.expect_no_event("relay");
    // It has left the channel.
    desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "not for arena"}));
    arena.expect_no_event("relay");
    assert_eq!(bob.expect_event("mail")["from"], "server:arena");
    bob.expect_no_event("mail");
}

#[test]
fn a_channel_that_is_left_while_the_handler_dies_is_left() {
    let backend = Backend::start();
    let (mut arena, mut desert) = (backend.game_server("arena"), backend.game_server("desert"));
    let lobby = json!({"channel": "lobby"});
    for server in [&mut arena, &mut desert] {
        server.ok("RELAY JOIN", lobby.clone());
    }
    let mut send = |body: &str| desert.ok("RELAY SEND", json!({"channel": "lobby", "body": body}));
    // That it was on it the next handler knows from its worker alone.
    let reply = arena.ask_over_death(&backend, "RELAY LEAVE", &json!({"channel": "LOBBY"}));
    assert_eq!(reply["state"], "OK", "{reply}");
    send("not for arena");
    arena.expect_no_event("relay");
    assert_eq!(arena.fails("RELAY LEAVE", lobby.clone()), "not_found");
    // Left, and joined again.
    arena.ok("RELAY JOIN", lobby.clone());
    backend.over_the_death_of_the_handler(|| {
        for cmd in ["RELAY LEAVE", "RELAY JOIN"] {
            arena.send_line(json!({"cmd": cmd, "args": lobby.clone()}).to_string());
        }
    });
    for _ in 0..2 {
        assert_eq!(arena.reply()["state"], "OK");
    }
    backend.kill_handler();
    send("for arena");
    assert_eq!(arena.expect_event("relay")["body"], "for arena");
    arena.expect_no_event("relay");
    arena.expect_no_event("notice");
}

#[test]
fn a_person_goes_on() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut bob = backend.person("bob");
    let mut alice = backend.person("alice");
    for (line, answer) in [
        ("WHOAMI", "alice"),
        ("WHO", "bob"),
        ("FINGER bob", "bob"),
        ("RECORD SUBMIT sprint 12", "sprint"),
        ("TOP sprint", "alice"),
        ("SETTING SET colour red", "colour"),
        ("SETTING GET colour", "red"),
        ("MAIL SEND bob hello there", "bob"),
        ("MAIL SENT", "bob"),
        ("TELL bob psst", "bob"),
        ("WORLDS", ""),
    ] {
        backend.over_the_death_of_the_handler(|| alice.type_line(line));
        let text = alice.answer();
        assert!(text.contains(answer) && !text.contains("ERROR") && !text.contains('['), "{line}: {text}");
    }
    bob.expect("[mail] alice");
    bob.expect("[tell] alice: psst");
    // Asked for a password while it dies.
    alice.type_line("PASSWORD");
    alice.expect(": ");
    backend.kill_handler();
    for secret in ["secret-of-alice", "another-secret"] {
        alice.type_line(secret);
        alice.expect(": ");
    }
    alice.says("another-secret").sees_no("ERROR");
    let mut again = backend.terminal();
    again.says("LOGIN alice another-secret").sees_no("ERROR");
}

#[test]
fn who_waits_for_long_is_told_once() {
    let backend = Backend::plan().config("limits.delay_notice_seconds = 1\n").start();
    let mut alice = backend.person("alice");
    let mut bob = backend.player("bob");
    backend.while_the_handler_stands_still(|| {
        alice.type_line("WHOAMI");
        for id in 0..2 {
            bob.send_line(json!({"id": id, "cmd": "WHOAMI"}).to_string());
        }
        let text = alice.expect("will come.");
        assert!(text.lines().count() <= 2 && !text.contains("ERROR"), "{text:?}");
        let event = bob.expect_event("notice");
        assert!(event["msg"].as_str().is_some_and(|msg| msg.contains("Nothing is lost")), "{event}");
    });
    assert!(alice.answer().contains("alice"));
    for id in 0..2 {
        assert_eq!(bob.next()["id"], id);
    }
    bob.expect_no_event("notice");
}

#[test]
fn a_request_over_which_every_handler_dies_is_given_up() {
    let hard = "players.hash_memory_kib = 262144\nplayers.hash_passes = 100\nlimits.delay_notice_seconds = 0\n";
    let backend = Backend::start();
    let mut bob = backend.player("bob");
    std::fs::write(backend.file("config.toml"), hard).unwrap();
    backend.signal(Signal::SIGHUP);
    backend.log().wait("settings were read again");
    let mut eve = backend.program();
    eve.ok("WHOAMI", json!({}));
    // Hashed for so long that no handler comes to an end with it.
    eve.send_line(
        json!({"id": 1, "cmd": "REGISTER", "args": {"name": "eve", "password": "secret-of-eve"}}).to_string(),
    );
    // One more than it takes: the first may die before it has read the request.
    for _ in 0..6 {
        // Answered only when eve's session is there as well.
        assert_eq!(bob.ok("WHO", json!({}))["total"], 1);
        backend.kill_handler_at_work();
    }
    let reply = eve.reply();
    has(&reply, json!({"id": 1, "code": "unavailable"}));
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], Value::Null);
    assert_eq!(bob.ok("WHOAMI", json!({}))["player"], "bob");
}

#[test]
fn kept_answers_go_when_they_are_not_needed_any_more() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut bob = backend.player("bob");
    let requests: Vec<_> =
        (0..2000).map(|n| ("RECORD SUBMIT", json!({"board": "sprint", "score": 5000 - n}))).collect();
    drive(&mut bob, &requests, &channel().0);
    backend.see_off(bob.wire);
    // One transaction more, in which the end is noted, and one in which the rows go.
    let mut alice = backend.player("alice");
    for _ in 0..3 {
        alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    }
    let file = backend.file("copy.db");
    backend.ctl(&["backup", file.to_str().unwrap()]);
    let counted = std::process::Command::new("sqlite3").arg(&file).arg("SELECT count(*) FROM result").output();
    let Ok(counted) = counted else {
        eprintln!("skipped: there is no sqlite3");
        return;
    };
    let count: u32 = String::from_utf8_lossy(&counted.stdout).trim().parse().expect("a number");
    assert!(count <= 2, "{count} rows");
}
