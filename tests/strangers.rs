//! What strangers send: sequences without an end, other protocols at a door for people or programs, first lines that are none.

use crate::harness::{Backend, GREETING, Program, WELCOME, Wire};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

const NO_MODE: &str = "{\"state\": \"ERROR\", \"msg\": \"No mode set.\"}\r\n";
const HELLO: &str = "Hello, world!\r\n";

/// Subnegotiations that lack their end, and what stands for one.
const WITHOUT_END: [&[u8]; 6] = [
    b"\xff\xfa\x18\x00xterm",
    b"\xff\xfa\x1f\x00\x50\x00\xff\xff\xf0\xff\xfa\x1f\x00\x50\x00",
    b"\xff\xfa\x1f",
    b"\xff\xfa\x2a\x02UTF-8",
    b"\xff\xfa",
    b"\xff\xfb",
];

#[test]
fn a_subnegotiation_without_an_end_swallows_no_line_of_a_person() {
    let backend = Backend::start();
    for sequence in WITHOUT_END {
        for end in ["\r\n", "\n", "\r\0"] {
            for in_line in ["", "caf"] {
                let mut person = backend.terminal();
                let bytes = [in_line.as_bytes(), sequence, format!("{end}HW{end}").as_bytes()].concat();
                person.wire.send(&bytes);
                person.wire.until(HELLO);
                // Also byte by byte.
                bytes.iter().for_each(|byte| person.wire.send([*byte]));
                person.wire.until(HELLO);
            }
        }
    }
}

#[test]
fn a_line_with_a_hole_in_it_is_refused_and_not_done() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    alice.wire.send(b"MAIL SEND alice Give him \xff\xfa 50 and not 500\r\n");
    assert!(alice.answer().contains("ERROR: That line was not UTF-8."));
    alice.says("MAIL LIST").sees("You have no mail.");
}

#[test]
fn a_subnegotiation_without_an_end_swallows_no_line_before_a_mode_is_chosen() {
    let backend = Backend::start();
    for sequence in WITHOUT_END {
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send([sequence, b"\r\nMODE HUMAN\r\n"].concat());
        wire.until(WELCOME);
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send([sequence, b"\r\nHW\r\n"].concat());
        assert!(wire.rest().ends_with(NO_MODE));
    }
}

#[test]
fn a_window_may_be_as_wide_as_a_line_end_is() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    person.wire.send(b"\xff\xfb\x1f\xff\xfa\x1f\0\x0d\0\x0a\xff\xf0HELP TELL\r\nMORE\r\n");
    // 20 columns are the least.
    let help = person.wire.until("Example: ");
    let mut ours = help.lines().filter(|line| line.starts_with("  "));
    assert!(ours.all(|line| line.len() <= 20), "{help}");
    assert!(help.contains("TELL <to> <body>"), "{help}");
}

/// A backend with a door for people, one for programs and one for game servers.
struct WithDoors {
    backend: Backend,
    people: SocketAddr,
    programs: SocketAddr,
    servers: SocketAddr,
}

fn with_doors() -> WithDoors {
    let plan = Backend::plan();
    let address = plan.address().to_owned();
    let door = |mode: &str| format!("[[door]]\naddress = \"{address}:0\"\nmode = \"{mode}\"\nwelcome = \"Hello.\"\n");
    let backend = plan.config(&["human", "client", "server"].map(door).concat()).start();
    let [people, programs, servers] = [1, 2, 3].map(|index| backend.doors()[index]);
    WithDoors { backend, people, programs, servers }
}

/// Beginnings of other protocols, with what they bring along.
fn beginnings() -> Vec<(&'static str, Vec<u8>)> {
    let http = |line: &str, body: &str| {
        let head = format!("{line}\r\nHost: example.org\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        head.into_bytes()
    };
    let long = format!("GET /{} HTTP/1.1", "x".repeat(10_000));
    vec![
        ("HTTP", http("POST / HTTP/1.1", "REGISTER webbot hunter22\r\n")),
        ("HTTP", http("POST / HTTP/1.0", "{\"cmd\": \"REGISTER\", \"args\": [\"webbot\", \"hunter22\"]}\r\n")),
        ("HTTP", http("BREW /pot HTTP/1.1", "REGISTER webbot hunter22\r\n")),
        ("HTTP", http("CONNECT example.org:25 HTTP/1.1", "REGISTER webbot hunter22\r\n")),
        ("HTTP", http(&long, "REGISTER webbot hunter22\r\n")),
        ("HTTP", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nREGISTER webbot hunter22\r\n".to_vec()),
        ("HTTP", b"GET /\r\nREGISTER webbot hunter22\r\n".to_vec()),
        ("HTTP", b"GET /caf\xe9 HTTP/1.1\r\n\r\nREGISTER webbot hunter22\r\n".to_vec()),
        ("HTTP", b"\r\nGET / HTTP/1.1\r\n\r\nREGISTER webbot hunter22\r\n".to_vec()),
        ("HTTP", b"\xef\xbb\xbfGET / HTTP/1.1\r\n\r\nREGISTER webbot hunter22\r\n".to_vec()),
        ("TLS", b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03".to_vec()),
        ("SSH", b"SSH-2.0-OpenSSH_9.2\r\nREGISTER webbot hunter22\r\n".to_vec()),
        ("SOCKS", b"\x05\x01\x00".to_vec()),
        ("SOCKS", b"\x04\x01\x00\x50\x0a\x00\x00\x01bob\0".to_vec()),
        ("the PROXY protocol", b"PROXY TCP4 192.0.2.1 192.0.2.2 5 6\r\nREGISTER webbot hunter22\r\n".to_vec()),
        (
            "the PROXY protocol",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x05\0\x06".to_vec(),
        ),
    ]
}

/// What a client that comes with this is told, without what everybody is told.
fn told(at: SocketAddr, bytes: &[u8]) -> String {
    let mut wire = Wire::to(at);
    wire.until("\r\n");
    wire.send(bytes);
    let said = wire.rest();
    said.strip_prefix("> ").unwrap_or(&said).to_owned()
}

#[test]
fn who_speaks_another_protocol_at_a_door_gets_one_line_and_the_end() {
    let WithDoors { backend, people, programs, servers } = with_doors();
    for (protocol, bytes) in beginnings() {
        for (at, beginning) in
            [(people, "ERROR: "), (programs, "{\"state\": \"ERROR\""), (servers, "{\"state\": \"ERROR\"")]
        {
            let said = told(at, &bytes);
            // Whoever begins with an empty line is a person for so long, and gets a prompt.
            let said = said.trim_start_matches("> ");
            assert!(
                said.starts_with(beginning) && said.contains("HTTP, TLS, SSH, SOCKS or PROXY"),
                "{protocol}: {said}"
            );
            assert_eq!(said.matches("\r\n").count(), 1, "{protocol}: {said}");
        }
    }
    backend.program().fails("FINGER", json!({"player": "webbot"}));
}

#[test]
fn another_protocol_is_known_however_it_is_split() {
    let WithDoors { backend: _backend, people, programs, .. } = with_doors();
    for (protocol, bytes) in beginnings().into_iter().filter(|(_, bytes)| bytes.len() < 1000) {
        for at in [people, programs] {
            let mut wire = Wire::to(at);
            wire.until("\r\n");
            // As much as is needed and no more: what is sent behind the end meets a closed door.
            let needed = match (protocol, bytes.first()) {
                ("TLS", _) | ("SOCKS", Some(5)) => 3,
                ("SOCKS", _) => 2,
                (_, Some(b'\r')) if protocol != "HTTP" => 12,
                _ => bytes.windows(4).position(|at| at[2..] == *b"\r\n" && at[0] != b'\r').unwrap() + 4,
            };
            bytes[..needed].iter().for_each(|byte| wire.send([*byte]));
            let said = wire.rest();
            assert!(said.ends_with("\r\n") && said.contains("HTTP, TLS, SSH, SOCKS or PROXY"), "{protocol}: {said}");
        }
    }
}

#[test]
fn the_log_tells_of_them_once_a_minute_and_address() {
    let WithDoors { backend, people, programs, .. } = with_doors();
    let get = b"GET / HTTP/1.1\r\n\r\n";
    for at in [people, programs, people] {
        told(at, get);
    }
    let mut other = Wire::from("127.0.0.3", people);
    other.send(b"SSH-2.0-x\r\n");
    other.rest();
    backend.log().wait("it spoke SSH");
    // What comes behind their ends is behind whatever is said of them.
    let last = backend.program();
    backend.see_off(last.wire);
    let log = backend.log().text();
    assert_eq!(log.matches("sent away: it spoke HTTP").count(), 1, "{log}");
    assert_eq!(log.matches("sent away").count(), 2, "{log}");
    assert!(!log.contains("has ended: "), "{log}");
}

#[test]
fn what_looks_like_another_protocol_is_none_later_on() {
    let WithDoors { backend, people, programs, .. } = with_doors();
    let mut wire = Wire::to(people);
    wire.until("> ");
    wire.send("HW\r\nGET / HTTP/1.1\r\nHW\r\n");
    wire.until(HELLO);
    wire.until("Command not found.");
    wire.until(HELLO);
    let mut wire = Wire::to(programs);
    wire.expect(GREETING);
    wire.send("{\"cmd\": \"PING\"}\r\nGET / HTTP/1.1\r\n{\"cmd\": \"PING\"}\r\n");
    assert!(wire.line().contains("Pong"));
    assert!(wire.line().contains("Invalid JSON."));
    assert!(wire.line().contains("Pong"));
    // The main door has the words of the original.
    for (_, bytes) in beginnings().into_iter().filter(|(protocol, bytes)| *protocol == "HTTP" && bytes[0] != b'\r') {
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send(bytes);
        assert_eq!(wire.rest(), NO_MODE);
    }
}

#[test]
fn a_first_line_that_is_none_ends_the_connection_at_the_main_door() {
    let backend = Backend::start();
    for line in [b"caf\xe9\r\n".to_vec(), vec![b'x'; 8193], [vec![b' '; 9000], b"MODE HUMAN\r\n".to_vec()].concat()] {
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send(&line);
        assert_eq!(wire.rest(), NO_MODE);
    }
    // Empty ones are none.
    let mut wire = Wire::to(backend.at());
    wire.expect(GREETING);
    wire.send("\r\n \r\n\u{feff}\r\nMODE HUMAN\r\n");
    wire.expect(WELCOME);
}

#[test]
fn a_byte_order_mark_before_a_line_is_passed_over_in_every_mode() {
    let backend = Backend::start();
    let mark = "\u{feff}";
    for first in ["MODE HUMAN", "mode human", "{\"cmd\": \"MODE\", \"args\": \"HUMAN\"}"] {
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send(format!("{mark}{first}\r\n"));
        wire.expect(WELCOME);
        wire.send(format!("{mark}HW\r\n"));
        wire.expect(HELLO);
    }
    let mut program = backend.program();
    assert_eq!(program.say(format!("{mark}{{\"cmd\": \"HW\"}}"))["state"], "OK");
    let mut arena = backend.game_server("arena");
    assert_eq!(arena.say(format!("{mark}{{\"cmd\": \"PING\"}}"))["state"], "OK");
}

/// How long a client is silent between two things that it says, and how often it says them: longer than it may be silent.
const PAUSE: Duration = Duration::from_millis(250);
const ROUNDS: usize = 14;

#[test]
fn a_client_that_shows_that_it_lives_stays() {
    let backend = Backend::plan().config("limits.idle_seconds = 2\n").start();
    for (sign, answer) in [(&b"\xff\xf1"[..], ""), (b"\xff\xf6", "\r\n[Yes]\r\n")] {
        let mut person = backend.terminal();
        person.wire.send(sign);
        // The last of what is offered to whom speaks telnet.
        person.wire.take("the offers", |came| came.ends_with(b"\xff\xfb\x57").then_some(came.len()));
        for _ in 0..ROUNDS {
            person.wire.send(sign);
            person.wire.expect(answer);
            assert_eq!(person.wire.listen(PAUSE), "");
        }
        let said = person.wire.rest();
        assert!(said.contains("[notice] No whole line came for 2 seconds; the connection is closed."), "{said}");
    }
}

/// Says this again and again; gives what is said before the end, which must come.
fn end_of_one_who_says(mut wire: Wire, bytes: &[u8]) -> String {
    for _ in 0..2 * ROUNDS {
        // The other end may be closed already.
        let sent = std::io::Write::write_all(&mut wire.stream, bytes);
        let said = wire.listen(PAUSE);
        if sent.is_err() || !said.is_empty() {
            return said + &wire.rest();
        }
    }
    panic!("it is not ended");
}

#[test]
fn bytes_without_a_line_end_are_no_sign_of_life() {
    let backend = Backend::plan().config("limits.idle_seconds = 2\n").start();
    let said = end_of_one_who_says(backend.terminal().wire, b"x");
    assert!(said.contains("No whole line came for 2 seconds"), "{said}");
    let said = end_of_one_who_says(backend.program().wire, b"x");
    assert!(said.contains("No whole line came for 2 seconds"), "{said}");
}

#[test]
fn a_game_server_has_so_long_in_all_to_prove_who_it_is() {
    let backend = Backend::plan().config("limits.first_mode_seconds = 2\n").start();
    for line in ["\r\n", "{\"cmd\": \"PING\"}x"] {
        let said = end_of_one_who_says(Program::in_mode(backend.at(), "SERVER").wire, line.as_bytes());
        assert!(said.contains("AUTH did not succeed within 2 seconds; the connection is closed."), "{said}");
    }
    // Who has done it may be silent.
    let mut arena = backend.game_server("arena");
    assert_eq!(arena.wire.listen(Duration::from_millis(2500)), "");
    arena.ok("PING", json!({}));
}
