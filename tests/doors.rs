//! Doors besides the main one: for people, and for programs whose mode is known.

mod people;

use crate::harness::{Backend, GREETING, Person, Program, WELCOME, Wire};
use nix::sys::signal::Signal;
use serde_json::json;
use std::net::SocketAddr;

/// A backend with one more door.
struct WithDoor {
    backend: Backend,
    /// Where the door is.
    at: SocketAddr,
}

fn with_door(mode: &str, more: &str) -> WithDoor {
    let plan = Backend::plan();
    let door = format!("[[door]]\naddress = \"{}:0\"\nmode = \"{mode}\"\n{more}", plan.address());
    let backend = plan.config(&door).start();
    let at = backend.doors()[1];
    WithDoor { backend, at }
}

/// What a telnet client would show, and what it would take as commands.
fn split(bytes: &[u8]) -> (String, Vec<Vec<u8>>) {
    let (mut text, mut commands) = (Vec::new(), Vec::new());
    let mut rest = bytes;
    while let Some((&byte, behind)) = rest.split_first() {
        let length = match (byte, behind.first()) {
            (255, Some(251..=254)) => 3,
            (255, Some(250)) => rest.windows(2).position(|end| end == [255, 240]).map_or(rest.len(), |at| at + 2),
            (255, _) => 2,
            _ => 0,
        };
        if length == 0 {
            text.push(byte);
            rest = behind;
        } else {
            let (command, behind) = rest.split_at(length.min(rest.len()));
            commands.push(command.to_vec());
            rest = behind;
        }
    }
    (String::from_utf8_lossy(&text).into_owned(), commands)
}

#[test]
fn who_quits_is_bidden_farewell_but_for_who_could_be_a_program_of_the_first_version() {
    let WithDoor { backend, at } = with_door("human", "");
    let mut person = Person { wire: Wire::to(at) };
    person.answer();
    // Without a return, as `nc` ends its lines: telnet is not offered then.
    person.wire.send("QUIT\n");
    assert_eq!(person.wire.rest(), "Goodbye.\r\n");
    for (mut person, last) in [(backend.person("alice"), "Goodbye.\r\n"), (backend.terminal(), "")] {
        person.type_line("QUIT");
        assert_eq!(person.wire.rest(), last);
    }
}

#[test]
fn people_get_a_welcome_and_a_prompt_and_no_json() {
    let WithDoor { backend, at } = with_door("human", "welcome = \"Welcome, traveller.\\nType HELP.\"\n");
    let mut wire = Wire::to(at);
    let came = wire.take("the prompt", |came| {
        let at = came.windows(4).position(|part| part == b"\r\n> ")?;
        came.get(at + 4..).is_some().then_some(came.len())
    });
    assert_eq!(String::from_utf8_lossy(&came), "Welcome, traveller.\r\nType HELP.\r\n> ");
    // It offers to respect the terminal as soon as a line has ended as those of telnet clients do: all eight bits, size and
    // type at least.
    wire.send("HW\r\n");
    let said = wire.take("an answer", |came| came.ends_with(b"> \xff\xf9").then_some(came.len()));
    let (text, commands) = split(&said);
    assert_eq!(text, "Hello, world!\r\n> ");
    for (verb, option) in [(253, 0), (251, 0), (253, 31), (253, 24)] {
        assert!(commands.contains(&vec![255, verb, option]), "{verb} {option} is not in {commands:?}");
    }
    let mut person = Person { wire };
    person.type_line("REGISTER alice secret-of-alice");
    person.expect("registered and logged in");
    // The main door is as it was.
    backend.terminal();
}

#[test]
fn its_people_are_one_world_with_everybody_else() {
    let WithDoor { backend, at } = with_door("human", "");
    let mut wire = Wire::to(at);
    wire.until("> ");
    let mut alice = Person { wire };
    alice.type_line("REGISTER alice secret-of-alice");
    alice.expect("registered and logged in");
    let mut bob = backend.player("bob");
    bob.ok("TELL", json!({"to": "alice", "body": "hello"}));
    alice.expect("[tell] bob: hello");
    // The mode is not for ever.
    alice.type_line("MODE CLIENT");
    alice.expect("{\"state\": \"OK\", \"msg\": \"Mode: CLIENT\"}\r\n");
}

#[test]
fn programs_need_no_mode_where_it_is_known() {
    let WithDoor { backend: _backend, at } = with_door("client", "");
    let mut wire = Wire::to(at);
    wire.expect(GREETING);
    wire.send("{\"cmd\": \"HW\"}\r\n");
    wire.expect("{\"state\": \"OK\", \"msg\": \"Hello, world!\"}\r\n");
    // An old client that says MODE all the same is understood.
    wire.send("{\"cmd\": \"MODE\", \"args\": \"CLIENT\"}\r\n");
    wire.expect("{\"state\": \"OK\", \"msg\": \"Mode: CLIENT\"}\r\n");
}

#[test]
fn game_servers_prove_themselves_at_their_door() {
    let WithDoor { backend, at } = with_door("server", "");
    let key = backend.ctl(&["server", "add", "arena"])["key"].as_str().unwrap().to_owned();
    let mut wire = Wire::to(at);
    wire.expect(GREETING);
    wire.send("{\"cmd\": \"WORLDS\"}\r\n");
    assert!(wire.line().contains("\"not_logged_in\""));
    wire.send(format!("{}\r\n", json!({"cmd": "AUTH", "args": ["arena", key]})));
    assert!(wire.line().contains("\"OK\""));
}

#[test]
fn a_door_that_asks() {
    let WithDoor { backend: _backend, at } = with_door("ask", "");
    let mut wire = Wire::to(at);
    wire.expect(GREETING);
    wire.send("MODE HUMAN\r\n");
    wire.expect(WELCOME);
}

#[test]
fn a_door_has_limits_of_its_own() {
    let WithDoor { backend, at } =
        with_door("human", "clients = 2\nclients_per_address = 1\nline = 256\nidle_seconds = 1\n");
    let mut first = Wire::to(at);
    first.until("> ");
    assert_eq!(Wire::to(at).rest(), "ERROR: Too many connections.\r\n");
    let mut second = Wire::from("127.0.0.2", at);
    second.until("> ");
    assert_eq!(Wire::from("127.0.0.3", at).rest(), "ERROR: Server full.\r\n");
    // They do not count against those at the main door.
    let mut elsewhere = backend.program();
    first.send(format!("{}\r\n", "x".repeat(300)));
    first.until("at most 256 bytes");
    assert!(second.rest().contains("closed"));
    elsewhere.ok("PING", json!({}));
}

#[test]
fn several_addresses_at_the_main_door() {
    let plan = Backend::plan();
    let address = plan.address().to_owned();
    let backend = plan.config(&format!("[[door]]\naddress = \"{address}:0\"\nmode = \"ask\"\n")).start();
    for at in backend.doors() {
        Program::over(Wire::to(at), "CLIENT");
    }
    assert_eq!(backend.doors().len(), 2);
}

#[test]
fn the_operators_texts_have_colour_where_the_terminal_has() {
    let lines = "texts.goodbye = \"{red}Closed{/} for today\"\n\
                 texts.welcome = \"\"\"\n{green}Welcome{/}\nto {bold}us\"\"\"\n";
    let mut backend = Backend::plan().config(lines).start();
    let mut program = backend.program();
    assert_eq!(program.ok("UNIVERSE SHOW", json!({}))["welcome"], "Welcome\nto us");
    let mut alice = Wire::to(backend.at());
    alice.until("\n");
    alice.send("MODE HUMAN\r\n");
    alice.until("Welcome\r\nto us\r\n> ");
    alice.send("SET COLOUR ON\r\nMODE HUMAN\r\n");
    alice.until("\u{1b}[32mWelcome\u{1b}[0m\r\nto \u{1b}[1mus\u{1b}[0m\r\n> ");
    backend.signal(Signal::SIGTERM);
    alice.until("\u{1b}[31mClosed\u{1b}[0m for today");
    assert_eq!(program.expect_event("notice")["msg"], "Closed for today");
    assert_eq!(backend.wait(), Some(0));
}
