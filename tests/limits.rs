//! Bad input and too much of everything: an error and the connection lives, or a clear end.

use crate::harness::{Backend, GREETING, Program, WELCOME, Wire, own_address};
use serde_json::json;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

const TOO_MANY: &str = "{\"state\": \"ERROR\", \"msg\": \"Too many connections.\"}\r\n";
const FULL: &str = "{\"state\": \"ERROR\", \"msg\": \"Server full.\"}\r\n";

#[test]
fn too_many_from_one_address() {
    let backend = Backend::plan().options(&["-c", "2"]).start();
    let first = backend.program();
    let _second = backend.program();
    let mut third = Wire::to(backend.at());
    assert_eq!(third.rest(), TOO_MANY);
    // Others come in, and so does this address when there is room again.
    Program::over(Wire::from("127.0.0.2", backend.at()), "CLIENT");
    backend.see_off(first.wire);
    backend.program();
}

#[test]
fn a_full_server() {
    let backend = Backend::plan().options(&["-m", "2"]).start();
    let _first = backend.program();
    let second = Program::over(Wire::from("127.0.0.2", backend.at()), "CLIENT");
    let mut third = Wire::from("127.0.0.3", backend.at());
    assert_eq!(third.rest(), FULL);
    backend.log().wait("reason=full");
    backend.see_off(second.wire);
    backend.program();
}

#[test]
fn a_line_that_is_too_long() {
    let backend = Backend::plan().options(&["-b", "1024"]).start();
    let mut program = backend.program();
    for length in [1025, 5_000, 1 << 20] {
        assert_eq!(program.say("x".repeat(length))["code"], "too_long", "{length}");
    }
    assert_eq!(program.say("x".repeat(1024))["state"], "ERROR");
    program.ok("PING", json!({}));
    let mut person = backend.terminal();
    person.says(&"x".repeat(2000)).sees("at most 1024 bytes");
    assert_eq!(person.ask("HW"), "Hello, world!\r\n");
}

#[test]
fn a_game_server_may_send_longer_lines_once_it_is_known() {
    let backend = Backend::start();
    let mut stranger = Program::in_mode(backend.at(), "SERVER");
    assert_eq!(stranger.say("x".repeat(20_000))["code"], "too_long");
    let mut arena = backend.game_server("arena");
    arena.ok("RELAY JOIN", json!({"channel": "lobby"}));
    arena.ok("RELAY SEND", json!({"channel": "lobby", "body": "x".repeat(16 << 10)}));
    let code = arena.fails("RELAY SEND", json!({"channel": "lobby", "body": "x".repeat((16 << 10) + 1)}));
    assert_eq!(code, "too_long");
    assert_eq!(arena.say("x".repeat(70_000))["code"], "too_long");
    arena.ok("PING", json!({}));
}

#[test]
fn bytes_that_are_not_utf8() {
    let backend = Backend::start();
    let mut program = backend.program();
    for bytes in [&b"\xff\xfe"[..], b"{\"cmd\": \"HW\xc3\"}", b"\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"] {
        assert_eq!(program.say(bytes)["code"], "invalid", "{bytes:x?}");
    }
    program.ok("PING", json!({}));
    let mut person = backend.terminal();
    person.wire.send(b"HW \xc3\x28\r\n");
    assert!(person.answer().starts_with("ERROR: "));
    assert_eq!(person.ask("HW"), "Hello, world!\r\n");
}

#[test]
fn json_that_is_nested_deeply() {
    let backend = Backend::plan().config("limits.line = 65536\n").start();
    let mut program = backend.program();
    for depth in [100, 9_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(program.say(&nested)["state"], "ERROR", "{depth}");
            assert_eq!(program.say(format!("{{\"cmd\": \"HW\", \"args\": {nested}}}"))["state"], "ERROR", "{depth}");
            // Members that nobody knows are ignored, whatever is in them.
            let reply = program.say(format!("{{\"id\": 5, \"cmd\": \"HW\", \"more\": {nested}}}"));
            assert_eq!(reply["state"], "OK", "{depth}: {reply}");
        }
        program.say("[".repeat(depth));
        program.ok("PING", json!({}));
    }
}

#[test]
fn a_hundred_thousand_commands_at_once_are_answered_in_order() {
    const COMMANDS: usize = 100_000;
    let backend = Backend::start();
    let mut program = backend.program();
    let mut sender = program.wire.stream.try_clone().unwrap();
    let sent = std::thread::spawn(move || {
        let mut text = Vec::new();
        for id in 0..COMMANDS {
            let cmd = if id % 4 == 0 { "WORLDS" } else { "PING" };
            writeln!(text, "{{\"id\": {id}, \"cmd\": \"{cmd}\"}}\r").unwrap();
        }
        sender.write_all(&text)
    });
    // Small reads: the answers pile up, and the backend has to read on slowly.
    let mut came = Vec::new();
    let mut buffer = [0; 700];
    let mut next = 0;
    program.wire.stream.set_read_timeout(Some(crate::harness::PATIENCE)).unwrap();
    while next < COMMANDS {
        let count = program.wire.stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the end came after {next}");
        came.extend_from_slice(&buffer[..count]);
        while let Some(end) = came.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = came.drain(..=end).collect();
            let line = String::from_utf8(line).unwrap();
            assert!(line.contains("\"state\": \"OK\"") && line.contains(&format!("\"id\": {next}")), "{next}: {line}");
            next += 1;
        }
    }
    sent.join().unwrap().unwrap();
    program.ok("PING", json!({}));
}

#[test]
fn a_client_that_never_reads_is_dropped_and_holds_up_nobody() {
    let backend = Backend::plan().config("limits.queue = 65536\n").start();
    let _deaf = backend.player("deaf");
    let mut alice = backend.player("alice");
    let tell = json!({"cmd": "TELL", "args": {"to": "deaf", "body": "x".repeat(2000)}}).to_string();
    // The kernel's own buffers take some megabytes first.
    let mut gone = false;
    for _ in 0..400 {
        for _ in 0..50 {
            alice.send_line(&tell);
        }
        for _ in 0..50 {
            gone |= alice.reply()["code"] == "not_found";
        }
        if gone {
            break;
        }
    }
    assert!(gone, "20,000 tells were taken for somebody who reads none");
    backend.log().wait("reason=not-reading");
    alice.ok("PING", json!({}));
    backend.player_again("deaf");
}

#[test]
fn a_telnet_subnegotiation_without_an_end() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    person.wire.send([255, 250, 24]);
    person.wire.send(vec![b'x'; 1 << 20]);
    person.wire.send([255, 240]);
    person.type_line("HW");
    // What the backend has to say about telnet stands around it.
    person.expect("Hello, world!\r\n> ");
    let kib = backend.only_worker().memory();
    assert!(kib < 1500, "the worker has grown to {kib} KiB");
}

#[test]
fn half_a_command_and_then_silence() {
    let backend = Backend::plan().options(&["-t", "1"]).start();
    let mut person = backend.terminal();
    let mut program = backend.program();
    person.wire.send("HEL");
    program.wire.send("{\"cmd\": \"HW");
    let said = person.wire.rest();
    assert!(said.contains("No whole line came for 1 seconds; the connection is closed."), "{said}");
    let said = program.wire.rest();
    assert!(said.starts_with("{\"event\": \"notice\"") && said.lines().count() == 1, "{said}");
}

#[test]
fn silence_before_a_mode_is_chosen() {
    let backend = Backend::plan().config("limits.first_mode_seconds = 1\n").start();
    let mut wire = Wire::to(backend.at());
    wire.expect(GREETING);
    wire.send("MODE HUM");
    assert_eq!(wire.rest(), "{\"state\": \"ERROR\", \"msg\": \"No mode set.\"}\r\n");
    // Once a mode is set, silence is longer.
    let mut person = backend.terminal();
    assert_eq!(person.wire.listen(Duration::from_millis(1500)), "");
    assert_eq!(person.ask("HW"), "Hello, world!\r\n");
}

#[test]
fn no_timeout_at_all() {
    let backend = Backend::plan().options(&["-t", "0"]).start();
    let mut wire = Wire::to(backend.at());
    wire.expect(GREETING);
    assert_eq!(wire.listen(Duration::from_millis(1200)), "");
    wire.send("MODE HUMAN\r\n");
    wire.expect(WELCOME);
}

/// It is told that its silence is about to end the connection.
fn expect_told(program: &mut Program) {
    let told = program.expect_event("notice")["msg"].as_str().expect("words").to_owned();
    assert!(told.contains("this connection ends in ") && told.contains("STAY"), "{told}");
}

/// It is closed now, and nothing else is said to it.
fn expect_closed(mut program: Program, seconds: u64) {
    let closed = format!("No whole line came for {seconds} seconds; the connection is closed.");
    assert_eq!(program.next()["msg"], closed);
    program.wire.expect_end();
}

#[test]
fn a_program_that_only_asks_is_told_and_then_closed() {
    let backend = Backend::plan().config("limits.anonymous_seconds = 4\n").start();
    let begun = Instant::now();
    let mut silent = backend.program();
    let mut asker = backend.program();
    expect_told(&mut silent);
    assert!(begun.elapsed() >= Duration::from_secs(3));
    // A question begins it anew. A visitor's is one like others.
    expect_told(&mut asker);
    asker.ok("VISITOR", json!({"name": "zed"}));
    expect_closed(silent, 4);
    expect_told(&mut asker);
    expect_closed(asker, 4);
    assert!(begun.elapsed() >= Duration::from_secs(7));
    backend.log().wait("Disconnected (0/");
}

#[test]
fn whoever_stays_watches_is_somebody_or_a_person_is_not_closed() {
    let backend = Backend::plan().config("limits.anonymous_seconds = 3\n").start();
    backend.board("race");
    let mut person = backend.terminal();
    let mut arena = backend.game_server("arena");
    let mut alice = backend.player("alice");
    let mut watcher = backend.program();
    watcher.ok("RECORD WATCH", json!({"board": "race"}));
    let mut staying = backend.program();
    staying.ok("STAY", json!({}));
    let mut late = backend.program();
    expect_told(&mut late);
    late.ok("STAY", json!({}));
    let mut asker = backend.program();
    expect_told(&mut asker);
    expect_closed(asker, 3);
    for program in [&mut alice, &mut watcher, &mut staying, &mut late, &mut arena] {
        program.expect_no_event("notice");
    }
    assert_eq!(person.ask("STAY"), "This connection stays: it may be silent as long as one that is logged in.\r\n");
    // What kept them does so no longer, but for a word that was given.
    alice.ok("LOGOUT", json!({}));
    watcher.ok("RECORD UNWATCH", json!({"board": "race"}));
    staying.wire.send("{\"cmd\": \"MODE\", \"args\": \"HUMAN\"}\r\nMODE CLIENT\r\n");
    staying.wire.until("{\"state\": \"OK\", \"msg\": \"Mode: CLIENT\"}\r\n");
    for mut program in [alice, watcher] {
        expect_told(&mut program);
        expect_closed(program, 3);
    }
    late.expect_no_event("notice");
    staying.expect_no_event("notice");
}

#[test]
fn what_is_not_answered_yet_is_no_silence() {
    let seconds = "limits.anonymous_seconds = 2\nlimits.delay_notice_seconds = 0\n";
    let backend = Backend::plan().config(seconds).start();
    let mut waiting = backend.program();
    let mut asker = backend.program();
    backend.while_the_handler_stands_still(|| {
        waiting.send_line("{\"cmd\": \"WHO\"}");
        // Longer than any may be silent.
        asker.ok("PING", json!({}));
        expect_told(&mut asker);
        expect_closed(asker, 2);
    });
    assert_eq!(waiting.next()["state"], "OK");
    expect_told(&mut waiting);
    assert!(waiting.next()["msg"].as_str().is_some_and(|msg| msg.contains("the connection is closed")));
    waiting.wire.expect_end();
}

#[test]
fn the_time_of_a_door_holds_where_it_is_less() {
    let door =
        |idle: u64| format!("[[door]]\naddress = \"{}:0\"\nmode = \"client\"\nidle_seconds = {idle}\n", own_address());
    let doors = ["limits.anonymous_seconds = 2\n".to_owned(), door(1), door(0)].concat();
    let backend = Backend::plan().config(&doors).start();
    let mut wires = [1, 2].map(|door| Wire::to(backend.doors()[door]));
    let [less, for_ever] = wires.each_mut().map(|wire| {
        wire.expect(GREETING);
        wire.rest()
    });
    assert!(less.contains("for 1 seconds; the connection is closed.") && less.lines().count() == 1, "{less}");
    assert!(for_ever.contains("ends in less than a second") && for_ever.lines().count() == 2, "{for_ever}");
    // Without a time of its own it is as for everybody.
    let backend = Backend::plan().config("limits.anonymous_seconds = 0\nlimits.idle_seconds = 1\n").start();
    expect_closed(backend.program(), 1);
}

#[test]
fn a_silent_game_server_is_pinged_and_then_dropped() {
    let seconds = "limits.server_ping_seconds = 1\nlimits.server_drop_seconds = 2\n";
    let backend = Backend::plan().config(seconds).start();
    let mut arena = backend.game_server("arena");
    arena.ok("STATUS SET", json!({"map": "harbour", "players": 0, "max": 2}));
    let mut alice = backend.program();
    assert_eq!(arena.next()["event"], "ping");
    // Whoever answers stays.
    arena.ok("PING", json!({}));
    assert_eq!(arena.next()["event"], "ping");
    assert_eq!(arena.next()["event"], "notice");
    assert_eq!(arena.wire.rest(), "");
    backend.log().wait("Disconnected (1/");
    assert_eq!(alice.ok("WORLDS", json!({}))["total"], 0);
}

#[test]
fn ipv6() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    let backend = Backend::plan().at("::1").start();
    let mut program = backend.program();
    assert_eq!(program.ok("WHOAMI", json!({}))["address"].as_str().map(|it| it.starts_with("[::1]:")), Some(true));
    let everywhere = Backend::plan().at("::").start();
    let port = everywhere.at().port();
    Program::over(Wire::to(([127, 0, 0, 1], port).into()), "CLIENT");
    Program::over(Wire::to(format!("[::1]:{port}").parse().unwrap()), "CLIENT");
}
