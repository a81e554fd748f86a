//! The door of `metrics.address`: HTTP by a locked worker.

use super::{busy, value};
use crate::harness::{Backend, Hostile, Link, Listener, Process, Wire, ZYGOTE, processes_of};
use nix::sys::signal::Signal;
use serde_json::json;
use ssmglobal_ipc::control::{Client, METRICS_DOOR, ToHandler};
use ssmglobal_ipc::ctl::Answer;
use ssmglobal_ipc::frame::FrameReader;
use ssmglobal_ipc::{Mode, Request, Time, rendezvous};
use std::io::Read;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

fn with_door(more: &str) -> Backend {
    Backend::plan().config(&format!("metrics.address = \"127.0.0.1:0\"\n{more}")).start()
}

fn door(backend: &Backend) -> SocketAddr {
    *backend.doors().last().expect("a door")
}

/// Head and body of the answer to this.
fn says(at: SocketAddr, text: &str) -> (String, String) {
    let mut wire = Wire::to(at);
    wire.send(text);
    let all = wire.rest();
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}: {all:?}"));
    (head.to_owned(), body.to_owned())
}

fn get(at: SocketAddr, path: &str) -> (String, String) {
    says(at, &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\n\r\n"))
}

#[test]
fn prometheus_reads_the_numbers_and_is_no_client() {
    let backend = with_door("");
    let _both = busy(&backend);
    let (head, page) = get(door(&backend), "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", page.len())), "{head}");
    assert!(page.ends_with("# EOF\n"), "{page}");
    assert_eq!(value(&page, "ssmglobal_requests_total{command=\"WHO\"}"), 40.0);
    assert_eq!(value(&page, "ssmglobal_connections"), 2.0);
    // Of who only reads, the log has no line.
    let log = backend.log().text();
    assert_eq!(log.matches("Connected (").count(), 2, "{log}");
}

#[test]
fn what_is_not_done_there_is_answered_with_its_status() {
    let backend = with_door("");
    let at = door(&backend);
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(9000));
    let body = format!("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n{}", "x".repeat(90_000));
    for (text, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"),
        (&body, "405 Method Not Allowed"),
        ("MODE HUMAN\r\n\r\n", "400 Bad Request"),
        ("GET /metrics HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (&long, "431 Request Header Fields Too Large"),
    ] {
        let (head, body) = says(at, text);
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{text:.40}: {head}");
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{text:.40}: {head}");
    }
    let (head, body) = says(at, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK") && !head.contains("Content-Length: 0") && body.is_empty(), "{head}");
}

#[test]
fn a_head_in_pieces_is_one_and_half_of_one_is_none() {
    let backend = with_door("");
    let mut wire = Wire::to(door(&backend));
    for piece in ["GET /heal", "thz HTTP/1.1\r", "\nHost: a\r\n\r", "\n"] {
        wire.send(piece);
    }
    assert!(wire.rest().starts_with("HTTP/1.1 200 OK"));
    let mut half = Wire::to(door(&backend));
    half.send("GET /healthz HTTP/1.1\r\n");
    half.finish();
    assert!(half.rest().starts_with("HTTP/1.1 400 Bad Request"));
    let mut silent = Wire::to(door(&backend));
    silent.finish();
    silent.expect_end();
}

#[test]
fn all_is_well_until_the_handler_does_not_answer() {
    let backend = with_door("");
    let at = door(&backend);
    let (head, body) = get(at, "/healthz");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body, "ok\n");
    let (head, body) = backend.while_the_handler_stands_still(|| get(at, "/healthz"));
    assert!(head.starts_with("HTTP/1.1 503 Service Unavailable"), "{head}");
    assert_eq!(body, "the handler does not answer\n");
    assert!(get(at, "/healthz").0.starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn whoever_asks_while_the_handler_dies_is_answered_by_the_next_one() {
    let backend = with_door("");
    let mut wire = Wire::to(door(&backend));
    backend.over_the_death_of_the_handler(|| wire.send("GET /metrics HTTP/1.0\r\n\r\n"));
    assert_eq!(value(&wire.rest(), "ssmglobal_handler_deaths_total"), 1.0);
}

#[test]
fn a_full_backend_can_be_looked_at_and_one_address_not_too_often() {
    let backend = with_door("limits.clients = 1\n");
    let _alice = backend.player("alice");
    let at = door(&backend);
    assert_eq!(value(&get(at, "/metrics").1, "ssmglobal_connections"), 1.0);
    let waiting: Vec<Wire> = (0..8).map(|_| Wire::to(at)).collect();
    let mut more = Wire::to(at);
    let refusal = more.rest();
    assert!(refusal.starts_with("HTTP/1.1 503 ") && refusal.ends_with("Too many connections.\n"), "{refusal}");
    drop(waiting);
}

/// The workers, where there is no client besides.
fn workers(backend: &Backend) -> Vec<Process> {
    let others = [backend.pid(), backend.handler()];
    let all = processes_of(backend.pid()).into_iter();
    all.filter(|process| !others.contains(&process.0) && process.title() != ZYGOTE).collect()
}

#[test]
fn its_worker_is_locked_in_and_ends_when_it_is_told_to() {
    let mut backend = with_door("");
    let mut wire = Wire::to(door(&backend));
    // Once it has answered, it lets its client take that.
    wire.send("MODE HUMAN\r\n");
    wire.until("this is no HTTP\n");
    let [worker] = workers(&backend)[..] else { panic!("more than one worker") };
    assert_eq!(worker.title(), format!("ssmglobal: worker {} METRICS", wire.stream.local_addr().unwrap().ip()));
    assert_eq!(worker.status("NoNewPrivs"), "1");
    assert_eq!(worker.status("Seccomp"), "2");
    assert_eq!(worker.status("CapEff"), "0000000000000000");
    assert_eq!(backend.ctl(&["sessions", "list"])["sessions"], json!([]));
    backend.stop();
    wire.expect_end();
}

#[test]
fn signals_that_are_for_sessions_end_nobody_who_reads() {
    let backend = with_door("");
    let mut wire = Wire::to(door(&backend));
    wire.send("GET /healthz HTTP/1.1\r\n");
    // Whoever comes behind is answered: so this one has its worker.
    assert!(get(door(&backend), "/healthz").0.starts_with("HTTP/1.1 200 OK"));
    for worker in workers(&backend) {
        for signal in [Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGHUP, Signal::SIGINT] {
            // The other one is just ending, perhaps.
            let _ = nix::sys::signal::kill(worker.0, signal);
        }
    }
    wire.send("Host: a\r\n\r\n");
    assert!(wire.rest().starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn it_opens_and_closes_with_the_settings_and_stays_open_over_upgrades_and_deaths() {
    let mut backend = Backend::start();
    let free = std::net::TcpListener::bind((backend.at().ip(), 0)).unwrap().local_addr().unwrap();
    backend.reload(&format!("metrics.address = \"{free}\"\n"));
    let well = || assert!(get(free, "/healthz").0.starts_with("HTTP/1.1 200 OK"));
    well();
    backend.ctl(&["upgrade"]);
    well();
    backend.kill_waiting_listener();
    backend.next_listener();
    well();
    backend.reload("");
    assert!(std::net::TcpStream::connect(free).is_err());
}

#[test]
fn an_address_may_become_another_doors_and_its_own_again() {
    let backend = Backend::start();
    let free = std::net::TcpListener::bind((backend.at().ip(), 0)).unwrap().local_addr().unwrap();
    let metrics = format!("metrics.address = \"{free}\"\n");
    let people = format!("[[door]]\naddress = \"{free}\"\nmode = \"human\"\n");
    for _ in 0..2 {
        backend.reload(&metrics);
        assert!(get(free, "/healthz").0.starts_with("HTTP/1.1 200 OK"));
        backend.reload(&people);
        let mut person = Wire::to(free);
        person.until("> ");
        person.send("HW\r\n");
        person.until("Hello, world!");
        assert_eq!(backend.ctl(&["status"])["clients"], 1);
        drop(person);
        backend.log().wait("Disconnected (0/");
    }
}

/// Asks a handler for the numbers as a worker of the metrics' door does; gives where they come.
fn asks_for_numbers(worker: &Hostile) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    worker.hand_over(&rendezvous::numbers(worker.session), &[theirs.as_fd()]);
    ours.set_read_timeout(Some(crate::harness::PATIENCE)).unwrap();
    ours
}

/// What comes there; nothing when it ends.
fn comes(mut stream: UnixStream) -> Option<Answer> {
    let mut reader = FrameReader::new();
    loop {
        if let Some(frame) = reader.next_frame().unwrap() {
            return Some(frame.control().unwrap());
        }
        if reader.fill(|buffer| stream.read(buffer)).unwrap().0 == 0 {
            return None;
        }
    }
}

/// The listener says that a client of this worker's came in by the metrics' door.
fn joins(listener: &mut Listener, worker: &mut Hostile) {
    worker.session = 1000;
    worker.address = "198.51.100.77:4000".parse().unwrap();
    let (pid, address) = (worker.pid().as_raw(), worker.address);
    let client = Client { pid, session: worker.session, door: METRICS_DOOR, address, at: Time::now() };
    listener.tell(&ToHandler::Joined { client, count: 1, max: 1000 });
}

#[test]
fn only_a_worker_of_that_door_is_told_the_numbers_and_it_has_no_session() {
    let mut listener = Listener::start();
    let mut worker = listener.worker();
    // Of another door.
    let answers = asks_for_numbers(&worker);
    listener.ended(&worker, "it asks for what is told at another door");
    assert!(comes(answers).is_none());

    // Before the listener has spoken of it, it waits; whoever had its process id before is not taken for it.
    listener.end(&worker);
    worker.session = 999;
    let stale = asks_for_numbers(&worker);
    worker.session = 1000;
    let answers = asks_for_numbers(&worker);
    joins(&mut listener, &mut worker);
    assert!(comes(stale).is_none());
    assert!(matches!(comes(answers), Some(Answer::Numbers(numbers)) if numbers.status.clients == 0));

    let mut link: Link = worker.link();
    let frame = link.frame(&Request::Open(worker.open(Mode::Client)));
    link.send(&frame);
    listener.ended(&worker, "it came in where nobody has a session");
    assert!(comes(asks_for_numbers(&worker)).is_none());
}

#[test]
fn a_worker_that_asks_again_and_again_is_not_listened_to_any_more() {
    let mut listener = Listener::start();
    let mut worker = listener.worker();
    listener.end(&worker);
    joins(&mut listener, &mut worker);
    let asked: Vec<UnixStream> = (0..64).map(|_| asks_for_numbers(&worker)).collect();
    listener.ended(&worker, "it links up again and again");
    let told = asked.into_iter().filter_map(comes).count();
    assert_eq!(told, 63);
}
