//! What a game server has sent itself: nothing of it comes back, however it listens.

use super::{join, on_lobby, send};
use crate::harness::{Backend, GameServer, has};
use serde_json::json;

/// Another server says something, so that whatever was sent before would be in front of it.
fn hears_next(server: &mut GameServer, number: u64) {
    has(&server.expect_event("relay"), json!({"number": number, "from": "server:desert"}));
    server.expect_no_event("relay");
}

#[test]
fn a_game_server_gets_nothing_of_its_own_back_on_no_connection_and_by_no_way() {
    let mut backend = Backend::start();
    let [mut arena, mut desert] = on_lobby(&backend, ["arena", "desert"]);
    let mut second = arena.again(&backend);
    join(&mut second, None);
    // Live, on the connection that has sent it and on the other one.
    let sent = arena.ok("RELAY SEND", json!({"body": "one", "channel": "lobby"}));
    assert_eq!(sent["receivers"], 1, "the desert's");
    has(&desert.expect_event("relay"), json!({"number": 1, "from": "server:arena", "body": "one"}));
    assert_eq!(send(&mut desert, "two"), 2);
    hears_next(&mut arena, 2);
    hears_next(&mut second, 2);
    // By since, on one that was not there, also when the one that has sent it is gone.
    backend.see_off(arena.into_wire());
    let mut third = second.again(&backend);
    has(&join(&mut third, Some(0)), json!({"waiting": 1, "missed": 0, "number": 2}));
    hears_next(&mut third, 2);
    // Over the death of the handler, where what came meanwhile is fetched.
    backend.over_the_death_of_the_handler(|| {
        second.send_line(json!({"cmd": "RELAY SEND", "args": {"body": "three", "channel": "lobby"}}).to_string());
    });
    has(&second.reply(), json!({"state": "OK"}));
    assert_eq!(desert.expect_event("relay")["number"], 3);
    assert_eq!(send(&mut desert, "four"), 4);
    hears_next(&mut second, 4);
    hears_next(&mut third, 4);
    // After a restart of everything there is nothing of it to come back.
    backend.restart();
    let mut again = second.again(&backend);
    has(&join(&mut again, Some(4)), json!({"waiting": 0}));
    again.expect_no_event("relay");
}

#[test]
fn what_a_game_server_sends_to_itself_by_name_comes_to_all_its_connections() {
    let backend = Backend::start();
    let mut arena = backend.game_server("arena");
    let mut second = arena.again(&backend);
    assert_eq!(arena.ok("RELAY SEND", json!({"body": "psst", "to": "server:arena"}))["receivers"], 2);
    for connection in [&mut arena, &mut second] {
        has(&connection.expect_event("relay"), json!({"channel": null, "from": "server:arena", "body": "psst"}));
        connection.expect_no_event("relay");
    }
}
