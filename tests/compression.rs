//! Compressed connections (MCCP2, MCCP3) through real processes: nothing is lost, doubled or shown that is not to be seen.

use crate::harness::{Backend, Dice, PATIENCE, Terminal, Wire, installed};
use crate::moving::{OTHER, wait_for_moves};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use nix::pty::Winsize;
use nix::sys::signal::Signal;
use serde_json::json;
use std::io::Read;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

const DO_MCCP2: &[u8] = b"\xff\xfd\x56";
const DO_MCCP3: &[u8] = b"\xff\xfd\x57";
const MCCP2_BEGINS: &[u8] = b"\xff\xfa\x56\xff\xf0";
const MCCP3_BEGINS: &[u8] = b"\xff\xfa\x57\xff\xf0";
const WILL_ECHO: &[u8] = b"\xff\xfb\x01";

const LETTERS: [char; 62] = {
    let (mut letters, mut at) = (['0'; 62], 0);
    while at < 62 {
        let from = if at < 10 {
            b'0'
        } else if at < 36 {
            b'A' - 10
        } else {
            b'a' - 36
        };
        letters[at] = (from + at as u8) as char;
        at += 1;
    }
    letters
};

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// A backend with a door for people.
fn with_door(config: &str) -> (Backend, SocketAddr) {
    let plan = Backend::plan();
    let door = format!("{config}[[door]]\naddress = \"{}:0\"\nmode = \"human\"\n", plan.address());
    let backend = plan.config(&door).start();
    let at = backend.doors()[1];
    (backend, at)
}

/// A client that takes nothing for a stream but what stands behind its mark, up to its end, and sends what it says compressed.
struct Client {
    wire: Wire,
    inward: Option<Decompress>,
    /// How many streams have begun and ended.
    streams: (usize, usize),
    outward: Option<Compress>,
    came: Vec<u8>,
}

impl Client {
    fn to(at: SocketAddr) -> Client {
        Client::over(Wire::to(at))
    }

    fn over(wire: Wire) -> Client {
        Client { wire, inward: None, streams: (0, 0), outward: None, came: Vec::new() }
    }

    /// One that has agreed to both.
    fn compressed(at: SocketAddr) -> Client {
        let mut client = Client::to(at);
        client.until(b"> ");
        client.wire.send(DO_MCCP2);
        client.until(b"\xff\xfb\x57");
        client.compress();
        client.wait_for_stream(1);
        client
    }

    /// All that it says is compressed from here on.
    fn compress(&mut self) {
        self.wire.send([DO_MCCP3, MCCP3_BEGINS].concat());
        self.outward = Some(Compress::new(Compression::new(6), true));
    }

    fn bytes(&mut self, said: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(said.len() + 256);
        match &mut self.outward {
            Some(stream) => drop(stream.compress_vec(said, &mut bytes, flush).unwrap()),
            None => bytes.extend_from_slice(said),
        }
        bytes
    }

    fn types(&mut self, line: &str) {
        let bytes = self.bytes(format!("{line}\r\n").as_bytes(), FlushCompress::Sync);
        self.wire.send(bytes);
    }

    /// What has come by now, as it is to be read.
    fn read(&mut self) {
        let raw = self.wire.take("something", |came| (!came.is_empty()).then_some(came.len()));
        self.take(&raw);
    }

    fn take(&mut self, raw: &[u8]) {
        let mut left = raw;
        loop {
            let Some(stream) = &mut self.inward else {
                let Some((first, rest)) = left.split_first() else { return };
                self.came.push(*first);
                left = rest;
                if self.came.ends_with(MCCP2_BEGINS) {
                    self.came.truncate(self.came.len() - MCCP2_BEGINS.len());
                    self.inward = Some(Decompress::new(true));
                    self.streams.0 += 1;
                }
                continue;
            };
            let (mut room, before) = ([0; 4096], (stream.total_in(), stream.total_out()));
            let status = stream.decompress(left, &mut room, FlushDecompress::Sync).expect("a sound stream");
            let count = usize::try_from(stream.total_out() - before.1).unwrap();
            left = &left[usize::try_from(stream.total_in() - before.0).unwrap()..];
            self.came.extend_from_slice(&room[..count]);
            if status == Status::StreamEnd {
                self.inward = None;
                self.streams.1 += 1;
            } else if left.is_empty() && count < room.len() {
                return;
            }
        }
    }

    /// Takes all up to and with these bytes.
    fn until(&mut self, part: &[u8]) -> String {
        loop {
            if let Some(at) = position(&self.came, part) {
                let bytes: Vec<u8> = self.came.drain(..at + part.len()).collect();
                return String::from_utf8_lossy(&bytes).into_owned();
            }
            self.read();
        }
    }

    fn wait_for_stream(&mut self, count: usize) {
        while self.streams.0 < count {
            self.read();
        }
    }

    fn ask(&mut self, line: &str, answer: &str) -> String {
        self.types(line);
        self.until(answer.as_bytes())
    }

    fn register(&mut self, name: &str) {
        self.ask(&format!("REGISTER {name}"), "Password: ");
        self.ask(&format!("secret-of-{name}"), "Again: ");
        self.ask(&format!("secret-of-{name}"), "registered and logged in");
    }

    /// All that comes up to the end, which ends the stream too.
    fn rest(&mut self) -> String {
        let (mut raw, until) = ([0; 4096], Instant::now() + PATIENCE);
        self.wire.stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        loop {
            assert!(Instant::now() < until, "no end");
            match self.wire.stream.read(&mut raw).unwrap_or(0) {
                0 => break,
                count => self.take(&raw[..count]),
            }
        }
        assert_eq!(self.streams.0, self.streams.1, "each stream has an end");
        String::from_utf8_lossy(&std::mem::take(&mut self.came)).into_owned()
    }
}

#[test]
fn a_person_logs_in_and_reads_long_lists_and_his_stream_ends_before_his_connection() {
    let (backend, at) = with_door("");
    let mut client = Client::compressed(at);
    client.types("REGISTER alice");
    let asked = client.until(b"Password: ");
    assert!(!asked.contains("secret"));
    client.types("secret-of-alice");
    client.until(b"Again: ");
    client.types("secret-of-alice");
    client.until(b"registered and logged in");
    client.ask("HELP", "MAIL SEND");
    for round in 0..50 {
        client.ask(&format!("TELL alice this is round {round}"), &format!("[tell] alice: this is round {round}\r\n"));
    }
    assert_eq!(client.streams, (1, 0));
    client.types("QUIT");
    client.rest();
    assert_eq!(client.streams, (1, 1));
    assert!(!backend.log().text().contains("secret-of-alice"));
}

#[test]
fn a_password_is_asked_for_with_echo_off_within_the_stream() {
    let (_backend, at) = with_door("");
    let mut client = Client::compressed(at);
    client.types("REGISTER bob");
    client.until(WILL_ECHO);
    client.until(b"Password: ");
}

#[test]
fn where_it_is_switched_off_nobody_is_offered_it() {
    let (_backend, at) = with_door("limits.telnet_compression = false\n");
    let mut client = Client::to(at);
    client.until(b"> ");
    client.wire.send([DO_MCCP2, DO_MCCP3].concat());
    let said = client.until(b"\xff\xfc\x57");
    assert!(!said.as_bytes().windows(3).any(|part| part == b"\xff\xfb\x56"));
    client.ask("HW", "Hello, world!");
    assert_eq!(client.streams, (0, 0));
}

/// Goes through three upgrades, behind each of which alice says two things to herself and hears each once.
fn over_upgrades(backend: &Backend, client: &mut Client, each: impl Fn(&Client)) {
    for (round, version) in [OTHER, env!("CARGO_PKG_VERSION"), OTHER].into_iter().enumerate() {
        let mark = backend.log().mark();
        backend.upgrade_to(version);
        wait_for_moves(backend, mark, 1);
        for word in ["one", "two"] {
            let said = client.ask(&format!("TELL alice {word} {round}"), &format!("[tell] alice: {word} {round}\r\n"));
            assert_eq!(said.matches("[tell]").count(), 1, "{said}");
        }
        each(client);
    }
}

#[test]
fn an_upgrade_and_dead_processes_lose_and_double_nothing_of_either_stream() {
    let (mut backend, at) = with_door("");
    let mut client = Client::compressed(at);
    client.register("alice");
    over_upgrades(&backend, &mut client, |client| {
        assert_eq!(client.streams, (1, 0), "each process goes on in the stream of the one before");
    });
    backend.kill_handler();
    client.ask("TELL alice after a handler", "[tell] alice: after a handler\r\n");
    backend.kill_listener();
    client.ask("TELL alice after a listener", "[tell] alice: after a listener\r\n");
    assert_eq!(client.streams, (1, 0), "nobody else has anything to do with it");
    client.types("QUIT");
    client.rest();
}

#[test]
fn who_never_ends_a_block_moves_all_the_same() {
    let (backend, at) = with_door("");
    let mut client = Client::to(at);
    client.until(b"> ");
    client.wire.send(DO_MCCP2);
    client.until(b"\xff\xfb\x57");
    client.wire.send([DO_MCCP3, MCCP3_BEGINS].concat());
    client.wait_for_stream(1);
    // The beginning of a stream, and of a block of 65,535 bytes as they are.
    client.wire.send(b"\x78\x01\x00\xff\xff\x00\x00");
    client.register("alice");
    over_upgrades(&backend, &mut client, |_| {});
    client.types("QUIT");
    client.rest();
    assert!(!backend.log().text().contains("damaged"));
}

#[test]
fn who_has_sent_half_a_line_is_left_alone_until_it_ends() {
    let (backend, at) = with_door("");
    let mut client = Client::compressed(at);
    client.register("alice");
    let bytes = client.bytes(b"TELL alice in two parts\r\n", FlushCompress::Sync);
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    client.wire.send(head);
    let other = Client::compressed(at);
    let mark = backend.log().mark();
    backend.upgrade_to(OTHER);
    wait_for_moves(&backend, mark, 1);
    drop(other);
    client.wire.send(tail);
    client.until(b"[tell] alice: in two parts\r\n");
    wait_for_moves(&backend, mark, 2);
    client.ask("HW", "Hello, world!");
    assert_eq!(client.streams, (1, 0));
}

#[test]
fn damage_and_a_bomb_end_the_connection_with_a_word_in_the_log() {
    let (backend, at) = with_door("");
    let mut client = Client::compressed(at);
    let mark = backend.log().mark();
    client.wire.send(b"this is no zlib stream at all\r\n");
    client.rest();
    backend.log().wait_after(mark, "damaged");
    let mut client = Client::compressed(at);
    let mark = backend.log().mark();
    let bomb = client.bytes(&vec![b' '; 64 << 20], FlushCompress::Sync);
    client.wire.send(bomb);
    client.rest();
    backend.log().wait_after(mark, "damaged");
    Client::compressed(at).ask("HW", "Hello, world!");
}

#[test]
fn who_never_reads_is_dropped_at_the_bound_of_what_is_compressed() {
    let (backend, at) = with_door("limits.queue = 65536\nlimits.line = 8192\n");
    let mut client = Client::over(Wire::with_room(4096, at));
    client.until(b"> ");
    client.wire.send(DO_MCCP2);
    client.wait_for_stream(1);
    client.register("alice");
    let mut bob = backend.player("bob");
    let mark = backend.log().mark();
    let mut dice = Dice(7);
    let until = Instant::now() + PATIENCE;
    while !backend.log().text()[mark..].contains("not-reading") {
        assert!(Instant::now() < until, "he is never dropped");
        // What cannot be made much smaller.
        let body: String = (0..900).map(|_| LETTERS[dice.roll(LETTERS.len())]).collect();
        bob.send_line(json!({"cmd": "TELL", "args": {"to": "alice", "body": body}}).to_string());
        bob.reply();
    }
}

/// A program at a terminal.
fn at_terminal(program: &str, args: &[String], home: &tempfile::TempDir) -> Option<Terminal> {
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let mut command = Command::new(installed(program)?);
    command.args(args).current_dir(home.path()).env("LC_ALL", "C.UTF-8").env("HOME", home.path());
    Some(Terminal::sized(command, Some(&size)))
}

fn ask(terminal: &mut Terminal, line: &str, answer: &str) {
    let mark = terminal.screen.mark();
    terminal.press(&format!("{line}\r"));
    terminal.screen.wait_after(mark, answer);
}

/// What each of the programs does: it reads on when its worker is another one, also all at once what both have said.
fn reads_on(backend: &Backend, terminal: &mut Terminal) {
    terminal.screen.wait("Welcome");
    ask(terminal, "REGISTER alice", "Password: ");
    ask(terminal, "secret-of-alice", "Again: ");
    ask(terminal, "secret-of-alice", "registered and logged in");
    ask(terminal, "TELL alice before", "alice: before");
    for (round, version) in [OTHER, env!("CARGO_PKG_VERSION")].into_iter().enumerate() {
        let mark = backend.log().mark();
        backend.upgrade_to(version);
        wait_for_moves(backend, mark, 1);
        ask(terminal, &format!("TELL alice behind {round}"), &format!("alice: behind {round}"));
        ask(terminal, "HELP MAIL", "MAIL BLOCK");
    }
    let mut bob = backend.player("bob");
    for (round, version) in [OTHER, env!("CARGO_PKG_VERSION")].into_iter().enumerate() {
        terminal.running.signal(Signal::SIGSTOP);
        bob.ok("TELL", json!({"to": "alice", "body": format!("ahead {round}")}));
        let mark = backend.log().mark();
        backend.upgrade_to(version);
        wait_for_moves(backend, mark, 2);
        bob.ok("TELL", json!({"to": "alice", "body": format!("meanwhile {round}")}));
        let mark = terminal.screen.mark();
        terminal.running.signal(Signal::SIGCONT);
        for when in ["ahead", "meanwhile"] {
            terminal.screen.wait_after(mark, &format!("bob: {when} {round}"));
        }
        ask(terminal, &format!("TELL alice again {round}"), &format!("alice: again {round}"));
    }
    let screen = terminal.screen.text();
    assert!(!screen.contains("secret-of-alice") && !screen.contains('\u{fffd}'), "{screen}");
}

#[test]
fn tintin_goes_on_with_both_streams_over_upgrades() {
    let (backend, at) = with_door("");
    let home = tempfile::tempdir().expect("a directory");
    let session = format!("#session a {} {}", at.ip(), at.port());
    let Some(mut tintin) = at_terminal("tt++", &["-G".into(), "-e".into(), session], &home) else { return };
    reads_on(&backend, &mut tintin);
    ask(&mut tintin, "QUIT", "#SESSION 'a' DIED.");
}

#[test]
fn tinyfugue_goes_on_over_upgrades() {
    let (backend, at) = with_door("");
    let home = tempfile::tempdir().expect("a directory");
    let args = ["-n".into(), "-f".into(), at.ip().to_string(), at.port().to_string()];
    let Some(mut tinyfugue) = at_terminal("tf5", &args, &home) else { return };
    reads_on(&backend, &mut tinyfugue);
    ask(&mut tinyfugue, "QUIT", "closed by foreign host");
}

#[test]
fn kbtin_goes_on_over_upgrades() {
    let (backend, at) = with_door("");
    let home = tempfile::tempdir().expect("a directory");
    let settings = home.path().join("settings");
    std::fs::write(&settings, format!("#session {{a}} {{{} {}}}\n", at.ip(), at.port())).expect("a file");
    let Some(mut kbtin) = at_terminal("KBtin", &[settings.display().to_string()], &home) else { return };
    reads_on(&backend, &mut kbtin);
}
