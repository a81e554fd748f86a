//! With haproxy in front, set up as docs/operating.md says.

use super::{PROXY, Proxied, client, with_door};
use crate::harness::{GREETING, Program, Running, Wire, event, installed};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::Command;

const PAGE: &str = include_str!("../../docs/operating.md");

/// haproxy in front of a door.
struct Front {
    proxied: Proxied,
    haproxy: Running,
    /// Where players connect.
    at: SocketAddr,
}

impl Drop for Front {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- haproxy wrote:\n{}{}---", self.haproxy.stdout.text(), self.haproxy.stderr.text());
        }
    }
}

/// The example of the page: its door, and haproxy's file.
fn example() -> [&'static str; 2] {
    let blocks = || PAGE.split("\n```").skip(1).step_by(2);
    let found = |text: &str| blocks().find(|block| block.contains(text)).and_then(|block| block.split_once('\n'));
    ["proxy = [", "send-proxy-v2"].map(|text| found(text).unwrap_or_else(|| panic!("no {text} in the page")).1)
}

/// As the page has it, with what is given here in place of the last word on the server's line; nothing where haproxy is not installed.
fn front(sends: &str) -> Option<Front> {
    let program = installed("haproxy")?;
    let [door, file] = example();
    let proxied = with_door("", |address| door.replace("127.0.0.1:4301", &format!("{address}:4301")));
    // It is listening before haproxy is there to look at it.
    let socket = TcpListener::bind((proxied.at.ip(), 0)).unwrap();
    let at = socket.local_addr().unwrap();
    for (text, once) in [("bind :4201", 1), ("127.0.0.1:4301", 1), ("send-proxy-v2", 1), ("inter 5s", 1)] {
        assert_eq!(file.matches(text).count(), once, "{text} in {file}");
    }
    let file = file.replace("bind :4201", "bind fd@0").replace("127.0.0.1:4301", &proxied.at.to_string());
    let file = file.replace("send-proxy-v2", sends).replace("inter 5s", "inter 100ms");
    let path = proxied.backend.file("haproxy.cfg");
    std::fs::write(&path, file + "\n").unwrap();
    let mut command = Command::new(program);
    command.args(["-db", "-f"]).arg(path).stdin(OwnedFd::from(socket));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let haproxy = Running::on_terminal(&mut command);
    Some(Front { proxied, haproxy, at })
}

fn works_behind(sends: &str) {
    let Some(front) = front(sends) else { return };
    let Front { proxied, haproxy, at } = &front;
    let wire = Wire::from("127.0.0.9", *at);
    let from = wire.stream.local_addr().unwrap();
    let mut program = Program::over(wire, "CLIENT");
    program.ok("REGISTER", json!({"name": "alice", "password": "secret-of-alice"}));
    proxied.backend.log().wait(&event("connect", from));
    proxied.backend.log().wait(&event("register", from));
    assert_eq!(proxied.addresses(), [from.to_string()]);
    // It has looked whether we are well, more than once.
    haproxy.stdout.wait("Health check for server ssmglobal/one succeeded");
    let mut forged = Wire::from("127.0.0.9", *at);
    let liar = forged.stream.local_addr().unwrap();
    forged.expect(GREETING);
    // What a client says behind the header is no header.
    forged.send(super::line(client("203.0.113.7:1")));
    forged.until("\"ERROR\"");
    proxied.backend.log().wait(&event("connect", liar));
    assert!(!proxied.backend.log().text().contains("203.0.113.7"));
    drop(program);
    proxied.backend.log().wait(&event("disconnect", from));
    proxied.says_nothing_of_the_proxy();
    assert_eq!(PROXY, "127.0.0.1");
}

#[test]
fn a_client_of_haproxy_is_known_by_the_second_version() {
    works_behind("send-proxy-v2");
}

#[test]
fn a_client_of_haproxy_is_known_by_the_first_version() {
    works_behind("send-proxy");
}

#[test]
fn what_haproxy_appends_to_the_second_version_is_passed_over() {
    works_behind("send-proxy-v2 proxy-v2-options crc32c,unique-id");
}
