//! Doors behind a proxy: who its clients are is what the proxy says, and nobody else may say it.

mod deaths;
mod haproxy;
mod lies;

use crate::harness::worlds::{Cut, Kind, Preamble, Profile, StrictClient, World};
use crate::harness::{Backend, GREETING, Program, Wire, event};
use nix::sys::signal::Signal;
use serde_json::json;
use std::net::{IpAddr, SocketAddr};

/// From where the tests connect, if they say nothing else.
const PROXY: &str = "127.0.0.1";

/// A backend with a door behind a proxy.
struct Proxied {
    backend: Backend,
    /// Where the door is.
    at: SocketAddr,
}

/// The door's lines in the config.
fn door(address: &str, mode: &str, more: &str) -> String {
    format!("[[door]]\naddress = \"{address}\"\nmode = \"{mode}\"\nproxy = [\"{PROXY}/32\", \"2001:db8::/32\"]\n{more}")
}

fn proxied(mode: &str, settings: &str, more: &str) -> Proxied {
    // Not any port: two doors of which the settings say the same are one to a program that follows.
    with_door(settings, |address| door(&format!("{address}:4301"), mode, more))
}

/// With these lines for the door, which follow from the address.
fn with_door(settings: &str, door: impl FnOnce(&str) -> String) -> Proxied {
    let plan = Backend::plan();
    let door = door(plan.address());
    let backend = plan.config(settings).config(&door).start();
    let at = backend.doors()[1];
    Proxied { backend, at }
}

/// Version 1.
fn line(client: SocketAddr) -> Vec<u8> {
    let family = if client.is_ipv4() { "TCP4" } else { "TCP6" };
    let ours = if client.is_ipv4() { "192.0.2.1" } else { "2001:db8::1" };
    format!("PROXY {family} {} {ours} {} 4201\r\n", client.ip(), client.port()).into_bytes()
}

/// Version 2, with this behind the addresses.
fn binary(client: SocketAddr, more: &[u8]) -> Vec<u8> {
    let mut rest = match client.ip() {
        IpAddr::V4(ip) => [ip.octets(), [192, 0, 2, 1]].concat(),
        IpAddr::V6(ip) => [ip.octets(), ip.octets()].concat(),
    };
    rest.extend(client.port().to_be_bytes());
    rest.extend(4201_u16.to_be_bytes());
    rest.extend(more);
    second(0x21, if client.is_ipv4() { 0x11 } else { 0x21 }, &rest)
}

fn second(kind: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[kind, family][..], &length, rest].concat()
}

fn client(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Proxied {
    /// A connection for this client, which was let in.
    fn wire(&self, client: SocketAddr) -> Wire {
        let mut wire = Wire::to(self.at);
        wire.send(line(client));
        wire
    }

    /// A program that speaks for this client.
    fn program(&self, client: SocketAddr) -> Program {
        Program::over(self.wire(client), "CLIENT")
    }

    /// The addresses that the operator sees, that of the oldest connection first.
    fn addresses(&self) -> Vec<String> {
        addresses(&self.backend)
    }

    /// Nothing in the log is of the proxy.
    fn says_nothing_of_the_proxy(&self) {
        let log = self.backend.log().text();
        assert!(!log.contains(&format!("address={PROXY} ")), "{log}");
    }
}

fn addresses(backend: &Backend) -> Vec<String> {
    let list = backend.ctl(&["sessions", "list"]);
    let rows = list["sessions"].as_array().expect("a list");
    rows.iter().map(|row| row["address"].as_str().expect("an address").to_owned()).collect()
}

#[test]
fn the_clients_address_is_everywhere_and_the_proxys_nowhere() {
    let proxied = proxied("ask", "", "");
    let clients = ["203.0.113.7:35712", "[2001:db8:7::1]:1", "203.0.113.8:2", "198.51.100.9:65535"].map(client);
    let [first, second, third, fourth] = clients;
    let more = [0xea; 1024 - 12];
    let headers = [line(first), line(second), binary(third, &[]), binary(fourth, &more)];
    let mut programs: Vec<Program> = Vec::new();
    for (header, client) in headers.into_iter().zip(clients) {
        let mut wire = Wire::to(proxied.at);
        wire.send(header);
        programs.push(Program::over(wire, "CLIENT"));
        proxied.backend.log().wait(&event("connect", client));
    }
    assert_eq!(proxied.addresses(), clients.map(|client| client.to_string()));
    let titles: Vec<String> =
        proxied.backend.workers().iter().map(|worker| crate::harness::Process(worker.pid).title()).collect();
    for (title, client) in titles.iter().zip(clients) {
        assert!(title.starts_with(&format!("ssmglobal: worker {} CLIENT", client.ip())), "{titles:?}");
    }
    let [alice, bob, ..] = &mut programs[..] else { unreachable!() };
    alice.ok("REGISTER", json!({"name": "alice", "password": "secret-of-alice"}));
    assert_eq!(bob.fails("LOGIN", json!({"name": "alice", "password": "wrong-one"})), "bad_login");
    proxied.backend.log().wait(&event("register", first));
    proxied.backend.log().wait(&event("login-failed", second));
    assert_eq!(alice.ok("WHOAMI", json!({}))["address"], first.to_string());
    proxied.backend.ctl(&["right", "grant", "alice", "operator"]);
    let users = alice.ok("LIST USERS", json!({}));
    assert_eq!(users["rows"][0]["address"], "203.0.113.7", "{users}");
    drop(programs);
    for client in clients {
        proxied.backend.log().wait(&event("disconnect", client));
    }
    proxied.says_nothing_of_the_proxy();
}

#[test]
fn however_a_header_comes_what_stands_behind_it_is_the_clients() {
    let proxied = proxied("client", "", "");
    let from = client("203.0.113.7:35712");
    let asks = b"{\"cmd\": \"HW\"}\r\n{\"cmd\": \"WHO";
    for header in [line(from), binary(from, &[3, 0, 4, 1, 2, 3, 4])] {
        for size in [1, 7, usize::MAX] {
            let mut wire = Wire::to(proxied.at);
            let all = [&header[..], asks].concat();
            all.chunks(size.min(all.len())).for_each(|part| wire.send(part));
            wire.expect(GREETING);
            wire.expect("{\"state\": \"OK\", \"msg\": \"Hello, world!\"}\r\n");
            wire.send("AMI\"}\r\n");
            assert!(wire.line().contains("\"OK\""));
        }
    }
    proxied.says_nothing_of_the_proxy();
}

#[test]
fn people_are_greeted_by_their_worker() {
    let proxied = proxied("human", "", "welcome = \"Welcome, traveller.\"\n");
    let mut wire = proxied.wire(client("203.0.113.7:35712"));
    wire.expect("Welcome, traveller.\r\n> ");
    // A second header is as strange as anywhere.
    let mut wire = proxied.wire(client("203.0.113.7:35713"));
    wire.until("> ");
    wire.send(line(client("203.0.113.9:1")));
    assert!(wire.rest().contains("PROXY"));
    proxied.backend.log().wait(&event("sent-away", client("203.0.113.7:35713")));
}

#[test]
fn a_world_behind_a_door_behind_a_proxy_is_told_the_players_address() {
    let mut world = World::plan(Kind::Mush).behind(Preamble::Proxy1).start();
    let settings =
        format!("[world.zoo]\nplay = [\"{}\"]\nkind = \"tinymux\"\nreal_address = \"proxy-v1\"\n", world.address());
    let proxied = proxied("human", &settings, "world = \"zoo\"\n");
    let (first, second) = (client("203.0.113.7:35712"), client("[2001:db8:7::1]:2"));
    let mut players = Vec::new();
    for (name, from, header) in [("bob", first, binary(first, &[0xea; 40])), ("zed", second, line(second))] {
        let mut wire = Wire::to(proxied.at);
        // What he types before the world says anything is the world's.
        wire.send([header, format!("connect {name} secret-of-{name}\r\n").into_bytes()].concat());
        let mut player = StrictClient::over(wire.stream, Profile::tintin());
        player.until("Limbo\n");
        assert_eq!(world.player(name).real_address(), from.ip().to_string());
        proxied.backend.log().wait(&event("connect", from));
        players.push(player);
    }
    assert_eq!(proxied.addresses(), [first, second].map(|from| from.to_string()));
    // Who is brought back to it comes from there as well.
    world.crashes(Cut::Fin);
    for player in &mut players {
        player.until("zoo is down.");
    }
    world.starts();
    for (name, from) in [("bob", first), ("zed", second)] {
        assert_eq!(world.player_from(2, name).real_address(), from.ip().to_string());
    }
    proxied.says_nothing_of_the_proxy();
}

#[test]
fn a_proxy_that_does_not_say_for_whom_it_comes_is_sent_away_with_a_line_in_the_log() {
    let proxied = proxied("ask", "", "");
    let too_long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(107));
    let huge = second(0x21, 0x11, &[0; 1025]);
    let half = &line(client("203.0.113.7:35712"))[..20];
    let wrong: [&[u8]; 5] = [b"MODE CLIENT\r\n", b"PROXY TCP4 1.2.3.4 5\r\n", too_long.as_bytes(), &huge, half];
    for header in wrong {
        let mut wire = Wire::to(proxied.at);
        wire.send(header);
        if header == half {
            wire.finish();
        }
        let peer = wire.stream.local_addr().unwrap();
        wire.expect_end();
        proxied.backend.log().wait(&(event("refused", peer) + "session=- door=1 who=- reason=no-header"));
    }
    assert_eq!(proxied.backend.log().text().matches("event=refused").count(), wrong.len());
    // It costs the proxy nothing.
    proxied.program(client("203.0.113.7:35712"));
    proxied.backend.operator(&["penalty", "list"]).succeeds().prints("Nobody has to wait.");
}

#[test]
fn a_header_has_to_come_in_time() {
    let proxied = proxied("ask", "", "");
    let (mut silent, mut slow) = (Wire::to(proxied.at), Wire::to(proxied.at));
    slow.send("PROXY TCP4 203.0.113.7 ");
    for wire in [&mut silent, &mut slow] {
        let peer = wire.stream.local_addr().unwrap();
        wire.expect_end();
        proxied.backend.log().wait(&event("refused", peer));
    }
}

#[test]
fn whoever_is_no_proxy_does_not_come_in_whatever_he_says() {
    let proxied = proxied("ask", "", "");
    let mut peers = Vec::new();
    for _ in 0..30 {
        let mut wire = Wire::from("127.0.0.2", proxied.at);
        peers.push(wire.stream.local_addr().unwrap());
        // It may be closed already.
        let _ = std::io::Write::write_all(&mut wire.stream, &line(client("203.0.113.7:35712")));
        wire.expect_end();
    }
    proxied.backend.log().wait(&(event("refused", peers[0]) + "session=- door=1 who=- reason=no-proxy"));
    proxied.program(client("203.0.113.8:1"));
    proxied.backend.log().wait("event=connect");
    let log = proxied.backend.log().text();
    // Of what a stranger repeats there are so many lines in a minute; and no worker was made for him.
    assert_eq!(log.matches("reason=no-proxy").count(), 20);
    assert!(log.contains("session=1 door=1") && !log.contains("203.0.113.7"), "{log}");
}

#[test]
fn a_health_check_is_answered_and_leaves_no_trace() {
    let proxied = proxied("ask", "limits.clients_per_address = 1\n", "");
    for header in [second(0x20, 0, &[]), second(0x20, 0x11, &[0; 12]), b"PROXY UNKNOWN\r\n".to_vec()] {
        let mut wire = Wire::to(proxied.at);
        wire.send(header);
        wire.expect(GREETING);
        wire.expect_end();
    }
    // So are haproxy's of version 1, which name their own end of the connection.
    let mut wire = Wire::to(proxied.at);
    wire.send(line(wire.stream.local_addr().unwrap()));
    wire.expect(GREETING);
    wire.expect_end();
    // Some only look whether a connection can be made.
    for _ in 0..3 {
        drop(Wire::to(proxied.at));
        let mut wire = Wire::to(proxied.at);
        wire.finish();
        wire.expect_end();
    }
    proxied.program(client("203.0.113.7:35712"));
    proxied.backend.log().wait("event=connect");
    proxied.says_nothing_of_the_proxy();
    proxied.backend.operator(&["penalty", "list"]).succeeds().prints("Nobody has to wait.");
    // It has no session, and so no number.
    assert!(proxied.backend.log().text().contains("session=1 door=1"));
}

#[test]
fn limits_hold_for_the_clients_address() {
    let proxied = proxied("ask", "", "clients_per_address = 1\nclients = 2\n");
    let [first, second, third] = ["203.0.113.7:1", "203.0.113.7:2", "[2001:db8:7::1]:3"].map(client);
    let kept = proxied.program(first);
    assert!(proxied.wire(second).rest().contains("Too many connections."));
    let refused = event("refused", second) + "session=- door=1 who=- reason=address";
    proxied.backend.log().wait(&refused);
    let _other = proxied.program(third);
    assert!(proxied.wire(client("198.51.100.1:4")).rest().contains("Server full."));
    assert_eq!(proxied.backend.ctl(&["status"])["clients"], 2);
    drop(kept);
    proxied.backend.log().wait(&event("disconnect", first));
    proxied.program(second);
    proxied.says_nothing_of_the_proxy();
}

#[test]
fn a_penalty_hits_the_client_and_nobody_else_behind_the_proxy() {
    let proxied = proxied("ask", "players.failures_per_connection = 2\nlimits.penalty_seconds = 60\n", "");
    let [bad, again, good] = ["203.0.113.7:1", "203.0.113.7:2", "203.0.113.8:3"].map(client);
    let mut guesses = proxied.program(bad);
    for _ in 0..2 {
        guesses.send_line(json!({"cmd": "LOGIN", "args": ["alice", "wrong-one"]}).to_string());
    }
    guesses.wire.rest();
    proxied.backend.log().wait("event=blocked address=203.0.113.7 ");
    assert!(proxied.wire(again).rest().contains("Too many failures from your address."));
    proxied.program(good);
    proxied.backend.operator(&["penalty", "list"]).succeeds().prints("203.0.113.7");
    proxied.backend.ctl(&["penalty", "clear", "203.0.113.7"]);
    proxied.program(again);
    proxied.says_nothing_of_the_proxy();
}

#[test]
fn guessing_slows_down_the_client_and_nobody_else_behind_the_proxy() {
    let proxied = proxied("ask", "players.failures = 1\nlimits.penalty_seconds = 0\n", "");
    let [bad, again, good] = ["203.0.113.7:1", "203.0.113.7:2", "203.0.113.8:3"].map(client);
    let mut guesses = proxied.program(bad);
    for code in ["bad_login", "slow_down"] {
        assert_eq!(guesses.fails("LOGIN", json!({"name": "alice", "password": "wrong-one"})), code);
    }
    proxied.backend.log().wait(&event("slow-down", bad));
    assert_eq!(proxied.program(again).fails("LOGIN", json!({"name": "bob", "password": "wrong-one"})), "slow_down");
    assert_eq!(proxied.program(good).fails("LOGIN", json!({"name": "bob", "password": "wrong-one"})), "bad_login");
}

#[test]
fn proxies_that_say_nothing_hold_back_others_only_for_their_time() {
    let proxied = proxied("ask", "", "");
    let mut silent: Vec<Wire> = (0..256).map(|_| Wire::to(proxied.at)).collect();
    let mut waits = proxied.wire(client("203.0.113.7:1"));
    let mut elsewhere = proxied.backend.program();
    elsewhere.ok("PING", json!({}));
    // One goes, and the next has its place.
    drop(silent.pop());
    waits.expect(GREETING);
    proxied.backend.log().wait(&event("connect", client("203.0.113.7:1")));
    assert_eq!(proxied.backend.ctl(&["status"])["clients"], 2);
}

#[test]
fn the_backend_stops_while_a_proxy_has_not_spoken() {
    let mut proxied = proxied("ask", "", "");
    let mut silent = Wire::to(proxied.at);
    let mut named = proxied.program(client("203.0.113.7:1"));
    proxied.backend.signal(Signal::SIGTERM);
    silent.expect_end();
    assert!(named.wire.rest().contains("going down"));
    assert_eq!(proxied.backend.wait(), Some(0));
}

#[test]
fn a_door_may_come_behind_a_proxy_while_all_runs() {
    let backend = Backend::plan().start();
    let at = backend.at();
    let address = crate::harness::own_address();
    let second = client(&format!("{address}:4201"));
    backend.reload(&format!("[[door]]\naddress = \"{second}\"\nmode = \"ask\"\n"));
    let mut plain = Program::over(Wire::to(second), "CLIENT");
    backend.reload(&door(&second.to_string(), "ask", ""));
    plain.ok("PING", json!({}));
    let proxied = Proxied { backend, at: second };
    let from = client("203.0.113.7:1");
    proxied.program(from).ok("PING", json!({}));
    proxied.backend.log().wait(&event("connect", from));
    Program::over(Wire::to(at), "CLIENT").ok("PING", json!({}));
}
