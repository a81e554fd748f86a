//! Crawlers of lists of games: what they are told of the network, and of a world at its door, by telnet and in lines.

use crate::harness::worlds::{Cut, Kind, Profile, StrictClient, World};
use crate::harness::{Backend, Person, WELCOME, Wire, event, installed, run};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

const WILL_MSSP: &[u8] = &[255, 251, 70];
const DO_MSSP: &[u8] = &[255, 253, 70];
const REQUEST: &[u8] = b"MSSP-REQUEST\r\n";
const END: &str = "MSSP-REPLY-END\r\n";

/// What a crawler has learnt: names with their values.
type Table = BTreeMap<String, Vec<String>>;

/// A backend with a door of a world and one to our own prompt.
struct Found {
    backend: Backend,
    world: World,
    door: SocketAddr,
    prompt: SocketAddr,
}

fn found(kind: Kind, keys: &str, door: &str) -> Found {
    let world = World::start(kind);
    let plan = Backend::plan();
    let address = plan.address().to_owned();
    let config = format!(
        "worlds.universe = \"Dunes\"\n{keys}\n[world.zoo]\nplay = [\"{}\"]\nkind = \"evennia\"\n\
         [[door]]\naddress = \"{address}:4202\"\nworld = \"zoo\"\n{door}\n\
         [[door]]\naddress = \"{address}:4201\"\nmode = \"human\"\n",
        world.address(),
    );
    let backend = plan.config(&config).start();
    let doors = backend.doors();
    Found { world, door: doors[1], prompt: doors[2], backend }
}

/// What a crawler learns that says at once that it wants to know, and goes.
fn by_telnet(backend: &Backend, at: SocketAddr) -> Table {
    let mut wire = Wire::to(at);
    wire.send(DO_MSSP);
    let begin = [255, 250, 70];
    let came = wire.take("a table", |came| {
        let from = came.windows(3).position(|part| part == begin)?;
        let length = came[from..].windows(2).position(|part| part == [255, 240])?;
        Some(from + length)
    });
    // The next one is not to count it.
    backend.see_off(wire);
    let from = came.windows(3).position(|part| part == begin).expect("its beginning");
    let mut table = Table::new();
    for variable in String::from_utf8(came[from + 3..].to_vec()).expect("UTF-8").split('\u{1}').skip(1) {
        let mut words = variable.split('\u{2}').map(str::to_owned);
        table.insert(words.next().expect("a name"), words.collect());
    }
    table
}

fn of_lines(text: &str) -> Table {
    let (_, text) = text.split_once("\r\nMSSP-REPLY-START\r\n").unwrap_or_else(|| panic!("no table: {text:?}"));
    let (text, _) = text.split_once("MSSP-REPLY-END\r\n").expect("its end");
    let words = |line: &str| {
        let mut words = line.split('\t').map(str::to_owned);
        (words.next().expect("a name"), words.collect())
    };
    text.split_terminator("\r\n").map(words).collect()
}

/// The same by a line that comes in pieces of so many bytes.
fn by_lines(backend: &Backend, at: SocketAddr, pieces: usize) -> Table {
    let mut wire = Wire::to(at);
    for piece in REQUEST.chunks(pieces) {
        wire.send(piece);
    }
    let text = wire.until(END);
    backend.see_off(wire);
    of_lines(&text)
}

fn is(table: &Table, name: &str, value: &str) {
    assert_eq!(table.get(name).map(|values| values.join(",")).unwrap_or_default(), value, "{name} in {table:?}");
}

fn inside(at: SocketAddr, name: &str) -> StrictClient {
    let mut client = StrictClient::to(at, Profile::tintin());
    client.until("<password>");
    client.types(&format!("connect {name} secret-of-{name}"));
    client.until("Limbo\n");
    client
}

#[test]
fn a_crawler_is_told_of_the_network_at_a_door_for_people() {
    let found = found(Kind::Mush, "", "");
    let alice = found.backend.person("alice");
    let tables = [
        by_telnet(&found.backend, found.prompt),
        by_lines(&found.backend, found.prompt, 100),
        by_lines(&found.backend, found.prompt, 1),
    ];
    for table in &tables {
        is(table, "NAME", "Dunes");
        is(table, "PLAYERS", "1");
        is(table, "PORT", "4201");
        is(table, "FAMILY", "Custom");
        is(table, "CODEBASE", &format!("ssmglobal {}", env!("CARGO_PKG_VERSION")));
        is(table, "HOSTNAME", "");
        assert_eq!(table, &tables[0]);
    }
    drop(alice);
}

#[test]
fn who_listens_is_offered_it_with_all_else_and_at_once_where_the_operator_wants_to_be_found() {
    let found = found(Kind::Mush, "", "");
    let mut wire = Wire::to(found.prompt);
    wire.expect(WELCOME);
    wire.send("HW\r\n");
    wire.take("the offer", |came| came.windows(3).position(|part| part == WILL_MSSP));
    let found = self::found(Kind::Mush, "texts.mssp = \"HOSTNAME=dunes.example.org\"", "");
    let mut wire = Wire::to(found.prompt);
    wire.take("the offer", |came| came.windows(3).position(|part| part == WILL_MSSP));
    let table = by_telnet(&found.backend, found.prompt);
    is(&table, "HOSTNAME", "dunes.example.org");
}

#[test]
fn the_line_is_a_command_like_any_other_when_it_is_not_the_first() {
    let found = found(Kind::Mush, "", "");
    let mut person = Person { wire: Wire::to(found.prompt) };
    person.answer();
    person.wire.send("HW\n");
    person.expect("> ");
    person.wire.send("MSSP-REQUEST\n");
    assert!(!person.answer().contains("MSSP-REPLY"));
}

#[test]
fn a_world_that_tells_of_itself_wins_where_it_is_about_the_game_also_while_it_is_down() {
    let found = found(Kind::Evennia, "texts.mssp = \"HOSTNAME=dunes.example.org\"", "mssp = \"GENRE=Fantasy\"");
    let mut bob = inside(found.door, "bob");
    // What the handler was told before is known by now.
    bob.asks_handler();
    let looks = |table: &Table| {
        is(table, "NAME", "A world of the tests");
        is(table, "PORT", "4202");
        is(table, "HOSTNAME", "dunes.example.org");
        is(table, "GENRE", "Fantasy");
        assert_ne!(table["UPTIME"], ["1767600000"]);
    };
    looks(&by_lines(&found.backend, found.door, 1));
    looks(&by_telnet(&found.backend, found.door));
    found.world.crashes(Cut::Reset);
    bob.until("zoo is down.");
    let table = by_lines(&found.backend, found.door, 100);
    looks(&table);
    // Who waits for it.
    is(&table, "PLAYERS", "1");
}

#[test]
fn a_world_that_tells_nothing_is_told_of_by_us() {
    let found = found(Kind::Mush, "texts.mssp = \"CONTACT=me@example.org\\nGENRE=None\"", "");
    let _bob = inside(found.door, "bob");
    for table in [
        by_telnet(&found.backend, found.door),
        by_lines(&found.backend, found.door, 100),
        by_lines(&found.backend, found.door, 1),
    ] {
        is(&table, "NAME", "zoo");
        is(&table, "PLAYERS", "1");
        is(&table, "CONTACT", "me@example.org");
        is(&table, "GENRE", "");
        is(&table, "CODEBASE", "");
    }
    for at in 0..found.world.count() {
        assert!(!found.world.connection(at).lines().iter().any(|line| line.contains("MSSP")), "the world heard of it");
    }
}

#[test]
fn players_are_counted_over_a_death_of_the_handler_and_it_began_when_it_did() {
    let found = found(Kind::Mush, "", "");
    let _bob = inside(found.door, "bob");
    let _al = inside(found.door, "al");
    let before = by_lines(&found.backend, found.door, 100);
    is(&before, "PLAYERS", "2");
    found.backend.kill_handler();
    assert_eq!(by_lines(&found.backend, found.door, 100), before);
    assert_eq!(by_telnet(&found.backend, found.prompt)["UPTIME"], before["UPTIME"]);
}

#[test]
fn what_a_world_has_told_is_known_to_the_next_handler_from_those_who_play_there() {
    let found = found(Kind::Evennia, "", "");
    let _bob = inside(found.door, "bob");
    is(&by_lines(&found.backend, found.door, 100), "NAME", "A world of the tests");
    found.backend.kill_handler();
    is(&by_lines(&found.backend, found.door, 100), "NAME", "A world of the tests");
}

#[test]
fn a_crawler_leaves_nothing_in_the_log_but_that_it_came_and_went() {
    let found = found(Kind::Mush, "", "");
    for at in [found.prompt, found.door] {
        let mark = found.backend.log().mark();
        let mut wire = Wire::to(at);
        let address = wire.stream.local_addr().expect("an address");
        wire.send(DO_MSSP);
        wire.take("a table", |came| came.windows(3).position(|part| part == [255, 250, 70]));
        drop(wire);
        found.backend.log().wait_after(mark, &event("disconnect", address));
        let log = found.backend.log().text();
        let of_it: Vec<&str> =
            log[mark..].lines().filter(|line| line.contains(&format!("port={}", address.port()))).collect();
        assert_eq!(of_it.len(), 2, "{of_it:#?}");
        // It may come again at once.
        by_telnet(&found.backend, at);
    }
}

#[test]
fn nc_is_answered_also_when_it_closes_at_once() {
    let found = found(Kind::Mush, "", "");
    let Some(nc) = installed("nc") else { return };
    for at in [found.prompt, found.door] {
        let mut command = Command::new(&nc);
        command.args(["-N", &at.ip().to_string(), &at.port().to_string()]);
        let table = of_lines(&run(&mut command, b"MSSP-REQUEST\n").out);
        assert!(table.contains_key("UPTIME"), "{table:?}");
    }
}
