//! Clients whose machine or network is gone without a word, and those that only look so.

use crate::harness::{Backend, GREETING, Program, Wire};
use serde_json::json;

const SOON: &str = "limits.vanished_seconds = 2\nlimits.telnet_nop_seconds = 1\n";

const NOP: &[u8] = b"\xff\xf1";

/// Who is on, as somebody else sees it.
fn on(watcher: &mut Program) -> u64 {
    watcher.ok("WHO", json!({}))["total"].as_u64().unwrap()
}

#[test]
fn a_player_whose_network_is_gone_is_gone() {
    let backend = Backend::plan().config(SOON).start();
    let mut watcher = backend.program();
    // Silent and not asked anything; one who speaks telnet; one for whom something is on its way.
    let silent = backend.player("alice");
    let mut telnet = backend.person("bob");
    telnet.wire.send(b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0");
    let mut told = backend.player("carol");
    let mut dora = backend.player("dora");
    told.ok("WHOAMI", json!({}));
    assert_eq!(on(&mut watcher), 4);
    let mark = backend.log().mark();
    for wire in [&silent.wire, &telnet.wire, &told.wire] {
        wire.cut_off();
    }
    dora.ok("TELL", json!({"to": "carol", "body": "are you there?"}));
    for left in (1..4).rev() {
        backend.log().wait_after(mark, &format!("Disconnected ({}/", left + 1));
    }
    assert_eq!(on(&mut watcher), 1);
}

#[test]
fn a_game_server_or_somebody_who_has_not_said_a_word_is_gone_as_well() {
    let backend = Backend::plan().options(&["-t", "0"]).config(SOON).start();
    let arena = backend.game_server("arena").into_wire();
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let mark = backend.log().mark();
    arena.cut_off();
    silent.cut_off();
    backend.log().wait_after(mark, "Disconnected (1/");
    backend.log().wait_after(mark, "Disconnected (0/");
}

#[test]
fn who_has_stopped_his_terminal_answers_and_stays() {
    let backend = Backend::plan().config(SOON).start();
    let mut wire = Wire::with_room(4096, backend.at());
    wire.send("MODE CLIENT\r\n");
    // More than he has room for, and does not read.
    let asked = 300;
    for id in 0..asked {
        wire.send(format!("{{\"id\": {id}, \"cmd\": \"HELP\", \"args\": []}}\r\n"));
    }
    // Some time passes: others vanish, one after the other, each of whom is missed in more than a second.
    for name in ["alice", "bob", "carol"] {
        let gone = backend.player(name);
        let mark = backend.log().mark();
        gone.wire.cut_off();
        backend.log().wait_after(mark, "Disconnected (1/");
    }
    wire.expect(GREETING);
    wire.until("\"id\": 299");
    wire.send("{\"id\": 300, \"cmd\": \"HW\"}\r\n");
    wire.until("\"id\": 300");
}

#[test]
fn who_speaks_telnet_gets_a_nop_in_silence_and_nobody_else_does() {
    let backend = Backend::plan().config(SOON).start();
    let (mut plain, mut program) = (backend.terminal(), backend.program());
    let mut telnet = backend.terminal();
    telnet.wire.send(b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0");
    for _ in 0..2 {
        telnet.wire.take("a NOP", |came| came.windows(2).position(|two| two == NOP).map(|at| at + 2));
    }
    telnet.type_line("HW");
    telnet.wire.until("Hello, world!\r\n");
    assert_eq!(plain.ask("HW"), "Hello, world!\r\n");
    program.ok("HW", json!({}));
}
