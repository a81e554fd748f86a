//! What an operator is asked when something went wrong, and what the log and `ctl` tell him of it.

mod fail2ban;

use crate::harness::{Backend, GREETING, Program, Wire, event, run};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A program that comes from this address.
fn from(address: &str, backend: &Backend) -> Program {
    Program::over(Wire::from(address, backend.at()), "CLIENT")
}

fn at(program: &Program) -> SocketAddr {
    program.wire.stream.local_addr().unwrap()
}

fn tries(program: &mut Program, name: &str, password: &str) -> String {
    program.fails("LOGIN", json!({"name": name, "password": password}))
}

/// Waits for the line of an event of this client; gives it from there on.
fn line(backend: &Backend, name: &str, client: SocketAddr) -> String {
    let begins = event(name, client);
    backend.log().find_after(0, &begins, |text| {
        let line = text.split(&begins).nth(1)?;
        line.split_once('\n').map(|(line, _)| line.to_owned())
    })
}

#[test]
fn a_whole_visit_is_in_the_log_a_line_for_each_step() {
    let backend = Backend::start();
    let mut alice = backend.program();
    let client = at(&alice);
    alice.ok("REGISTER", json!({"name": "alice", "password": "secret-of-alice"}));
    alice.ok("LOGOUT", json!({}));
    assert_eq!(tries(&mut alice, "ALICE", "wrong-one"), "bad_login");
    assert_eq!(tries(&mut alice, "alise", "wrong-one"), "bad_login");
    alice.login("alice");
    alice.ok("PASSWORD", json!({"old": "secret-of-alice", "new": "another-of-alice"}));
    assert_eq!(alice.fails("WORLD ADD", json!({"name": "Atlantis", "owner": "alice"})), "denied");
    alice.send_line(r#"{"cmd": "QUIT"}"#);
    alice.wire.expect_end();
    line(&backend, "disconnect", client);
    let begin = format!("address={} port={} session=1 door=0 ", client.ip(), client.port());
    let log = backend.log().text();
    let mine = log.lines().filter_map(|line| {
        let (_, event) = line.split_once("INFO  handler: event=")?;
        let (name, rest) = event.split_once(' ')?;
        let rest = rest.strip_prefix(begin.as_str())?;
        Some(format!("{name} {}", rest.split_once(" msg=")?.0))
    });
    assert_eq!(
        mine.collect::<Vec<_>>(),
        [
            "connect who=- clients=1 most=4096",
            "register who=alice",
            "logout who=alice reason=asked",
            "login-failed who=- command=LOGIN player=alice failures=1",
            "login-failed who=- command=LOGIN player=- failures=0",
            "login who=alice failures=1",
            "password who=alice",
            "denied who=alice command=\"WORLD ADD\" right=operator",
            "disconnect who=alice reason=quit seconds=0 clients=0 most=4096",
        ]
    );
    assert!(!log.contains("alise") && !log.contains("wrong-one"), "{log}");
}

#[test]
fn the_reason_of_each_end_is_told() {
    let backend = Backend::plan().config("limits.anonymous_seconds = 1\n").start();
    let reason = |client| {
        let line = line(&backend, "disconnect", client);
        line.split("reason=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned()
    };
    let alice = backend.player("alice");
    let client = at(&alice);
    drop(alice);
    assert_eq!(reason(client), "closed");

    let silent = backend.program();
    assert_eq!(reason(at(&silent)), "silence");

    let bob = backend.player("bob");
    backend.operator(&["sessions", "kick", &at(&bob).to_string(), "--reason", "No \"more\"."]).succeeds();
    assert_eq!(reason(at(&bob)), "kicked");
    let kick = line(&backend, "kick", at(&bob));
    assert!(kick.contains(r#"who=bob by=operator reason="No \"more\"." msg="the operator kicked session "#), "{kick}");
    assert!(kick.ends_with(" (bob)\""), "{kick}");

    let carol = backend.player("carol");
    kill(backend.worker_of("carol"), Signal::SIGTERM).unwrap();
    assert_eq!(reason(at(&carol)), "stop");

    let dave = backend.player("dave");
    kill(backend.worker_of("dave"), Signal::SIGKILL).unwrap();
    assert_eq!(reason(at(&dave)), "killed");

    let mut lost = Wire::to(backend.at());
    lost.expect(GREETING);
    lost.send("hello\r\n");
    lost.rest();
    assert_eq!(reason(lost.stream.local_addr().unwrap()), "no-mode");

    let erin = backend.player("erin");
    let client = at(&erin);
    socket2::SockRef::from(&erin.wire.stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(erin);
    assert_eq!(reason(client), "lost");
}

#[test]
fn who_is_not_let_in_is_told_with_the_reason() {
    let backend = Backend::plan().config("limits.clients = 2\nlimits.clients_per_address = 1\n").start();
    let _one = backend.program();
    let refused = Wire::to(backend.at());
    let line_of = |client: &Wire| line(&backend, "refused", client.stream.local_addr().unwrap());
    assert!(line_of(&refused).starts_with("session=- door=0 who=- reason=address seconds=- "));
    let _other = from("127.0.0.2", &backend);
    let refused = Wire::from("127.0.0.3", backend.at());
    assert!(line_of(&refused).starts_with("session=- door=0 who=- reason=full seconds=- "));
}

#[test]
fn what_the_operator_does_is_told_in_words() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    backend.operator(&["world", "add", "Atlantis", "alice", "--comment", "No-tea-for-you"]).succeeds();
    backend.operator(&["player", "disable", "alice", "--reason", "Tea."]).succeeds();
    alice.expect_event("notice");
    assert_eq!(tries(&mut alice, "alice", "secret-of-alice"), "denied");
    backend.operator(&["player", "enable", "alice"]).succeeds();
    backend.operator(&["right", "grant", "alice", "operator"]).succeeds();
    assert_eq!(backend.ctl_fails(&["player", "disable", "bob"]), "not_found");
    backend.operator(&["broadcast", "No-tea-for-anybody"]).succeeds();
    alice.login("alice");
    alice.ok("WORLD DISABLE", json!({"name": "Atlantis", "reason": "No-tea-either"}));
    for told in [
        "by=operator result=done msg=\"the operator added the world Atlantis of alice\"",
        "event=disable address=- port=- session=- door=- who=alice by=operator kind=player msg=\"the operator disabled the player",
        "event=enable address=- port=- session=- door=- who=alice by=operator kind=player ",
        "msg=\"the operator gave alice the right operator\"",
        "result=not_found msg=\"not done: the operator disabled the player bob\"",
        "msg=\"the operator told everybody something\"",
        "who=alice by=alice result=asked msg=\"alice asked for this: disabled the world Atlantis\"",
    ] {
        backend.log().wait(told);
    }
    backend.upgrade_to("9.8.7");
    backend.log().wait("by=operator result=asked msg=\"the operator asked for this: had the program ");
    assert!(line(&backend, "login-refused", at(&alice)).contains("player=alice reason=disabled "));
    assert!(line(&backend, "logout", at(&alice)).contains("who=alice reason=put-out "));
    let log = backend.log().text();
    assert!(!log.contains("No-tea") && !log.contains("Ask {") && !log.contains(" { name"), "{log}");
}

#[test]
fn why_she_cannot_log_in_is_shown_with_her() {
    let backend = Backend::plan().config("players.failures = 3\nlimits.penalty_seconds = 0\n").start();
    let mut alice = backend.player("alice");
    let show = || backend.ctl(&["player", "show", "alice"]);
    let home = at(&alice).ip().to_string();
    let first = show();
    assert_eq!((&first["failures"], &first["slowed_until"]), (&json!(0), &Value::Null));
    assert_eq!(first["last_address"], home);
    let mut guesser = from("127.0.0.2", &backend);
    for _ in 0..3 {
        assert_eq!(tries(&mut guesser, "alice", "wrong-guess"), "bad_login");
    }
    assert_eq!(tries(&mut guesser, "alice", "wrong-guess"), "slow_down");
    let after = show();
    assert_eq!((&after["failures"], &after["failed_from"]), (&json!(3), &json!("127.0.0.2")));
    assert_eq!(after["slowed_from"], "127.0.0.2");
    assert!(after["slowed_until"].is_string() && after["last_failure"].is_string(), "{after}");
    let text = backend.operator(&["player", "show", "alice"]).succeeds();
    text.prints("failed logins:  3 since the last login, at ").prints("slowed down:    until ");
    assert!(line(&backend, "slow-down", at(&guesser)).contains("who=- command=LOGIN player=alice seconds="));
    // She herself is not kept out, and then it is over.
    alice.ok("LOGOUT", json!({}));
    alice.login("alice");
    assert_eq!(show()["failures"], 0);
    // What the handler knew by itself is gone with it; from where she was in is kept.
    backend.kill_handler();
    assert_eq!(show()["last_address"], home);
}

#[test]
fn penalties_are_shown_and_cleared() {
    let lines = "players.failures = 2\nplayers.failures_per_connection = 3\n";
    let plan = Backend::plan().config(lines).environment("SSMGLOBAL_PLAYERS_REGISTRATIONS_PER_ADDRESS", "1");
    let backend = plan.start();
    backend.operator(&["penalty", "list"]).succeeds().prints("Nobody has to wait.");
    backend.player("alice");
    backend.operator(&["penalty", "list"]).succeeds().prints("registrations  -");
    let mut guesser = from("127.0.0.2", &backend);
    for _ in 0..2 {
        assert_eq!(tries(&mut guesser, "alice", "wrong-guess"), "bad_login");
    }
    assert_eq!(tries(&mut guesser, "a-password", "wrong-guess"), "slow_down");
    let stops = || -> Vec<(String, String, Value)> {
        let rows = backend.ctl(&["penalty", "list"])["penalties"].take();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| (text(row, "address"), text(row, "stops"), row["player"].clone()))
            .collect()
    };
    let slowed = |player: Value| ("127.0.0.2".to_owned(), "logins".to_owned(), player);
    assert!(stops().contains(&slowed(Value::Null)) && stops().contains(&slowed(json!("alice"))));
    backend.operator(&["penalty", "clear", "127.0.0.2"]).succeeds().prints("2 waiting times have ended.");
    assert_eq!(tries(&mut guesser, "alice", "wrong-guess"), "bad_login");
    guesser.wire.rest();
    assert!(!backend.ctl(&["penalty", "list"]).to_string().contains("a-password"));
    backend.log().wait("event=blocked address=127.0.0.2 port=- ");
    let blocked = ("127.0.0.2".to_owned(), "connections".to_owned(), Value::Null);
    assert_eq!(stops().into_iter().filter(|(_, stops, _)| stops == "connections").collect::<Vec<_>>(), [blocked]);
    assert!(Wire::from("127.0.0.2", backend.at()).rest().contains("Too many failures from your address."));
    assert_eq!(backend.ctl(&["penalty", "clear", "all"]), json!({"cleared": 2}));
    from("127.0.0.2", &backend);
    backend.operator(&["penalty", "list"]).succeeds().prints("Nobody has to wait.");
    backend.log().wait("the operator cleared the penalties of 127.0.0.2");
}

#[test]
fn who_may_not_do_something_is_told_wherever_that_is_found_out() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    backend.operator(&["world", "add", "Zoo", "bob"]).succeeds();
    // It is not hers, as the writer finds out; and under a key, as he says for others.
    assert_eq!(alice.fails("WORLD CHANGE", json!({"name": "Zoo", "comment": "mine"})), "denied");
    let key = json!({"name": "Atlantis", "owner": "bob"});
    assert_eq!(bob.ask_under("once", "WORLD ADD", &key)["code"], "denied");
    assert!(line(&backend, "denied", at(&bob)).contains("who=bob command=\"WORLD ADD\" right=operator "));
    assert!(line(&backend, "denied", at(&alice)).contains("who=alice command=\"WORLD CHANGE\" right=operator "));
}

#[test]
fn what_one_address_repeats_is_bounded() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    for _ in 0..30 {
        assert_eq!(alice.fails("WORLD ADD", json!({"name": "Atlantis", "owner": "alice"})), "denied");
    }
    let client = at(&alice);
    alice.closes(&backend);
    assert_eq!(backend.log().text().matches(&event("denied", client)).count(), 20);
}

#[test]
fn what_is_to_be_typed_in_an_incident_makes_sense() {
    let backend = Backend::start();
    backend.player("alice");
    let page = include_str!("../docs/operating.md");
    let five = page.split("\n## Five incidents").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let typed = five.lines().filter_map(|line| line.strip_prefix("$ ssmglobal ctl "));
    let inline = five.split('`').skip(1).step_by(2).filter_map(|text| text.strip_prefix("ctl "));
    let mut seen = 0;
    for words in typed.chain(inline).filter(|words| !words.contains("set-password") && !words.contains("backup")) {
        let (front, reason) =
            words.split_once(" --reason \"").map_or((words, None), |(front, rest)| (front, Some(rest)));
        let reason = reason.map(|reason| reason.trim_end_matches('"'));
        let words: Vec<&str> = front.split(' ').chain(reason.iter().flat_map(|reason| ["--reason", *reason])).collect();
        let output = run(&mut backend.ctl_command(&words), b"");
        assert!(output.code == 0 || output.code == 1, "{words:?}: {output:?}");
        seen += 1;
    }
    assert!(seen >= 8, "{seen}");
}
