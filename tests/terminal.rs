//! A person at a terminal: telnet where it is spoken, and none of it where it is not.

mod clients;
mod letters;
mod passwords;

use crate::harness::{Backend, GREETING, Terminal, WELCOME, Wire, is_installed};
use serde_json::json;
use std::ops::{Deref, DerefMut};
use std::process::Command;

const IAC: u8 = 255;
const WILL_ECHO: &[u8] = &[IAC, 251, 1];
const WONT_ECHO: &[u8] = &[IAC, 252, 1];
const NAWS: u8 = 31;
const TTYPE: u8 = 24;

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Takes everything up to and with these bytes.
fn until(wire: &mut Wire, part: &[u8]) -> Vec<u8> {
    wire.take(&format!("{part:?}"), |came| position(came, part).map(|at| at + part.len()))
}

#[test]
fn without_telnet_there_is_none_of_it() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    arena.ok("STATUS SET", json!({"map": "harbour", "players": 1, "max": 2, "text": "zoë"}));
    let mut person = backend.person("alice");
    let mut all = String::new();
    for line in
        ["HELP", "HELP MAIL SEND", "WHO", "WORLDS", "MAIL SEND alice hi", "MAIL LIST", "FOO", "WHOAMI", "BOARDS"]
    {
        all += &person.ask(line);
    }
    assert!(!all.contains(['\u{1b}', '\u{fffd}']), "{all:?}");
    assert!(all.contains("zoë"), "{all}");
}

#[test]
fn help_and_a_slip_of_the_pen() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    let help = person.ask("HELP");
    assert!(help.starts_with("Available commands:\r\n"), "{help}");
    for word in ["\tMAIL SEND", "\tREGISTER", "Players", "Mail"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    person.says("help mail send").sees("MAIL SEND <to> [SUBJECT subject] <body>").sees("Example: ");
    person.says("HELP MAIL").sees("MAIL BLOCK");
    person.says("MAIL").sees("MAIL BLOCK");
    for (typed, meant) in [("REGSITER x y", "REGISTER"), ("MIAL SEND", "MAIL"), ("RECORD TPO sprint", "RECORD TOP")] {
        let answer = person.ask(typed);
        assert!(answer.contains("Did you mean") && answer.contains(meant), "{typed}: {answer}");
    }
    person.says("HELP NONSENSE").sees("ERROR");
    person.says("MAIL SEND bob hello").sees("LOGIN");
    person.says("REGISTER alice secret-of-alice").sees("registered and logged in");
    person.says("MAIL READ x").sees("Usage: MAIL READ");
    person.says("MAIL SEND nobody hello").sees("no player nobody");
}

/// A person whose terminal speaks telnet; what it sends at first is given.
fn at_telnet(backend: &Backend, first: &[u8]) -> Wire {
    let mut wire = Wire::to(backend.at());
    wire.expect(GREETING);
    wire.send("MODE HUMAN\r\n");
    wire.expect(WELCOME);
    wire.send(first);
    wire
}

fn ask(wire: &mut Wire, line: &str) -> String {
    // An error that no other answer holds shows where this one ends.
    wire.send(format!("{line}\r\nHELP XYZZY\r\n"));
    wire.until("There is no such command")
}

#[test]
fn the_window_says_how_wide_tables_are() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena-of-the-seven-winds");
    let text = "friendly fire is off and everybody is welcome who has a good word for the others";
    arena.ok("STATUS SET", json!({"map": "harbour-by-night", "players": 3, "max": 16, "text": text}));
    let widest = |columns: u8| {
        let mut wire = at_telnet(&backend, &[IAC, 251, NAWS, IAC, 250, NAWS, 0, columns, 0, 24, IAC, 240]);
        let text = ask(&mut wire, "WORLDS");
        text.lines().filter(|line| line.contains("3/16")).map(|line| line.trim_end().chars().count()).max().unwrap_or(0)
    };
    let (narrow, wide) = (widest(50), widest(200));
    assert!((10..=50).contains(&narrow), "{narrow}");
    assert!(wide > 110, "{wide}");
}

#[test]
fn colours_are_for_terminals_that_said_that_they_have_them() {
    let backend = Backend::start();
    let coloured = |name: &str| {
        let mut answer = vec![IAC, 251, TTYPE];
        for _ in 0..3 {
            answer.extend([IAC, 250, TTYPE, 0]);
            answer.extend(name.bytes());
            answer.extend([IAC, 240]);
        }
        ask(&mut at_telnet(&backend, &answer), "HELP").contains('\u{1b}')
    };
    assert!(coloured("XTERM-256COLOR"));
    assert!(!coloured("DUMB"));
    assert!(!coloured("VT100"));
    assert!(!ask(&mut at_telnet(&backend, b""), "HELP").contains('\u{1b}'));
}

#[test]
fn a_terminal_that_said_that_it_takes_no_utf8_gets_none() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    arena.ok("STATUS SET", json!({"map": "zoë", "players": 1, "max": 2}));
    // Client, terminal, and MTTS bits: colours, but no UTF-8.
    let mut answer = vec![IAC, 251, TTYPE];
    for name in ["OLDCLIENT", "ANSI", "MTTS 1"] {
        answer.extend([IAC, 250, TTYPE, 0]);
        answer.extend(name.bytes());
        answer.extend([IAC, 240]);
    }
    let mut wire = at_telnet(&backend, &answer);
    let text = ask(&mut wire, "WORLDS");
    assert!(text.contains("zoe") && !text.contains("zoë"), "{text}");
}

#[test]
fn a_terminal_that_refused_utf8_gets_none_whatever_it_is_told() {
    const CHARSET: u8 = 42;
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    arena.ok("STATUS SET", json!({"map": "zoë", "players": 1, "max": 2, "text": "日本語"}));
    let mut bob = backend.player("bob");
    let settled = |answer: &[u8]| [&[IAC, 253, CHARSET, IAC, 250, CHARSET][..], answer, &[IAC, 240]].concat();
    for (name, answer, utf8) in [
        ("rejected", settled(b"\x03"), false),
        ("another", settled(b"\x02ISO-8859-1"), false),
        ("agreed", settled(b"\x02UTF-8"), true),
        // It knows nothing of CHARSET, which says nothing of UTF-8.
        ("unknown", vec![IAC, 254, CHARSET], true),
        ("silent", vec![IAC, 241], true),
    ] {
        let mut wire = at_telnet(&backend, &answer);
        let table = ask(&mut wire, "WORLDS");
        let words = ask(&mut wire, &format!("REGISTER {name} secret-of-{name}")) + &ask(&mut wire, "FINGER zoë");
        bob.ok("TELL", json!({"to": name, "body": "zoë, 日本語"}));
        let told = wire.until("[tell] bob: zo") + &wire.until("\r\n");
        let shown = [table, words, told].concat();
        assert_eq!(shown.contains("zoë") && shown.contains("日本語"), utf8, "{name}: {shown}");
        assert_eq!(shown.contains("zoe") && shown.contains("Ri Ben Yu"), !utf8, "{name}: {shown}");
    }
}

#[test]
fn a_client_that_negotiates_before_anything_else() {
    let backend = Backend::start();
    let mut wire = Wire::to(backend.at());
    wire.expect(GREETING);
    wire.send([IAC, 251, NAWS, IAC, 253, 3, IAC, 251, TTYPE]);
    wire.send("MODE HUMAN\r\n");
    wire.until("Welcome to serversquared");
    assert!(ask(&mut wire, "HW").contains("Hello, world!"));
    // Some end their lines with CR NUL.
    wire.send(b"HW 2\r\0");
    wire.until("Hello, world!\r\nHello, world!\r\n");
}

#[test]
fn a_program_is_not_answered_in_telnet() {
    let backend = Backend::start();
    let mut program = backend.program();
    assert_eq!(program.say([b'{', IAC, 253, 1, b'}'])["code"], "invalid");
    program.ok("PING", json!({}));
}

#[test]
fn a_line_can_be_edited_where_the_terminal_sends_its_keys() {
    let backend = Backend::start();
    let mut person = backend.terminal();
    assert_eq!(person.ask("HX\u{8}W 1\u{7f}2"), "Hello, world!\r\nHello, world!\r\n");
}

/// Debian's telnet at a terminal of its own.
struct Telnet(Terminal);

impl Telnet {
    fn at(backend: &Backend) -> Option<Telnet> {
        let mut command = Command::new("telnet");
        command.arg(backend.at().ip().to_string()).arg(backend.at().port().to_string());
        is_installed("telnet").then(|| Telnet(Terminal::of(command)))
    }

    /// Types a line, and waits for this to be shown.
    fn ask(&mut self, line: &str, answer: &str) {
        let mark = self.type_line(line);
        self.screen.wait_after(mark, answer);
        self.screen.find_after(mark, "a prompt", |text| text.contains("\n> ").then_some(()));
    }
}

impl Deref for Telnet {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.0
    }
}

impl DerefMut for Telnet {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.0
    }
}

#[test]
fn with_debians_telnet() {
    let backend = Backend::start();
    let Some(mut telnet) = Telnet::at(&backend) else { return };
    telnet.screen.wait("CONNECTED serversquaredGlobal");
    telnet.ask("MODE HUMAN", "Welcome to serversquared");
    let mark = telnet.type_line("REGISTER alice");
    telnet.screen.wait_after(mark, "assword");
    telnet.screen.find_after(mark, "a question", |text| text.trim_end().ends_with(':').then_some(()));
    let mark = telnet.type_line("secret-of-alice");
    telnet.screen.find_after(mark, "the second question", |text| text.trim_end().ends_with(':').then_some(()));
    let mark = telnet.type_line("secret-of-alice");
    telnet.screen.wait_after(mark, "registered and logged in");
    telnet.ask("MAIL SEND alice SUBJECT List Buy milk", "sent to alice");
    // In colour, as an xterm has it.
    telnet.screen.wait("\u{1b}[36m[mail]\u{1b}[0m alice: List");
    telnet.ask("MAIL READ 1", "Buy milk");
    telnet.ask("HELP MAIL SEND", "MAIL SEND <to> [SUBJECT subject] <body>");
    telnet.ask("WHO", "1 is on.");
    let screen = telnet.screen.text();
    assert!(!screen.contains("secret-of-alice"), "{screen}");
    // What is no secret is shown while it is typed.
    assert!(screen.contains("REGISTER alice") && screen.contains("MAIL READ 1"), "{screen}");
    let mark = telnet.type_line("QUIT");
    telnet.screen.wait_after(mark, "Goodbye.\r\n");
    telnet.screen.wait_after(mark, "Connection closed");
}

/// What a terminal of so many columns says, and one that is read aloud.
fn of_columns(columns: u8) -> Vec<u8> {
    vec![IAC, 251, NAWS, IAC, 250, NAWS, 0, columns, 0, 24, IAC, 240]
}

fn read_aloud() -> Vec<u8> {
    let mut answer = vec![IAC, 251, TTYPE];
    for name in ["BLIND", "XTERM", "MTTS 69"] {
        answer.extend([IAC, 250, TTYPE, 0]);
        answer.extend(name.bytes());
        answer.extend([IAC, 240]);
    }
    answer
}

#[test]
fn what_matters_is_whole_at_forty_columns() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena-of-the-seven-winds");
    let text = "friendly fire is off and everybody is welcome";
    arena.ok(
        "STATUS SET",
        json!({"map": "harbour", "players": 3, "max": 16, "text": text, "address": "203.0.113.129:27015"}),
    );
    let board = "race-around-the-harbour";
    backend.board(board);
    let mut bob = backend.player("bartholomew-the-2nd.");
    arena.ok("RECORD SUBMIT", json!({"board": board, "player": "bartholomew-the-2nd.", "score": 83_250, "note": text}));
    bob.ok("PING", json!({}));
    for columns in [40, 60, 80, 132] {
        let mut wire = at_telnet(&backend, &of_columns(columns));
        // Behind what is offered to whom speaks telnet.
        ask(&mut wire, "PING");
        let shown = ["WORLDS", "BOARDS", &format!("TOP {board}"), "WHO"].map(|line| ask(&mut wire, line)).concat();
        for whole in ["arena-of-the-seven-winds", "203.0.113.129:27015", board, "bartholomew-the-2nd.", "83250", "3/16"]
        {
            assert!(shown.contains(whole), "{columns}: {whole} is not whole in {shown}");
        }
        for line in shown.lines() {
            let width = line.trim_start_matches("> ").chars().count();
            assert!(width <= columns.into(), "{columns}: {line:?}");
        }
    }
}

#[test]
fn who_has_a_screen_read_aloud_gets_labels_and_no_decoration() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut wire = at_telnet(&backend, &read_aloud());
    let who = ask(&mut wire, "WHO");
    assert!(who.contains("Player: alice\r\nWhere: client\r\n"), "{who}");
    let help = ask(&mut wire, "HELP");
    assert!(help.contains("\r\nMAIL SEND: Send a mail to a player, on or not, anywhere\r\n"), "{help}");
    assert!(![who, help].concat().contains(['\u{1b}', '\t', '…']));
    ask(&mut wire, "REGISTER zoe secret-of-zoe");
    alice.ok("TELL", json!({"to": "zoe", "body": "hi"}));
    wire.until("tell: alice: hi\r\n");
    // Whoever knows better says so.
    ask(&mut wire, "SET SCREENREADER OFF");
    assert!(ask(&mut wire, "WHO").contains("Player  Where"));
}

#[test]
fn errors_are_broken_at_blanks() {
    let backend = Backend::start();
    let mut wire = at_telnet(&backend, &of_columns(40));
    let shown = ask(&mut wire, "PROPERTY GET bob LIMIT many");
    let usage = shown.get(shown.find("ERROR: ").expect("an error")..).expect("it is there");
    let (usage, _) = usage.split_once("\r\n> ").expect("a prompt");
    let lines: Vec<&str> = usage.lines().collect();
    assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= 40), "{lines:?}");
    assert!(usage.replace("\r\n", " ").contains("a whole number. Usage: PROPERTY GET <of> [names]"), "{usage}");
}
