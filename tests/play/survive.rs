//! Who plays notices nothing of what becomes of the backend: handler and listener killed, everything upgraded, all of it gone.

use super::{Played, played_with, wide};
use crate::harness::MOVED;
use crate::harness::worlds::{Cut, Kind, StrictClient};
use nix::sys::signal::{Signal, kill};

/// Says so many lines to the world, and hears each once and in order.
fn plays_on(client: &mut StrictClient, from: u32, count: u32) {
    for number in from..from + count {
        client.types(&format!("echo line {number}"));
        assert_eq!(client.until(&format!("line {number}\n")), format!("line {number}\n"));
    }
}

/// One who plays.
fn playing() -> (Played, StrictClient) {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    plays_on(&mut client, 0, 3);
    (played, client)
}

#[test]
fn the_handler_dies_and_lines_go_on_in_the_meantime_and_behind_it() {
    let (mut played, mut client) = playing();
    played.backend.while_the_handler_stands_still(|| plays_on(&mut client, 3, 20));
    played.backend.kill_handler();
    plays_on(&mut client, 23, 20);
    // The next one knows that he plays, and brings him back.
    played.world.crashes(Cut::Reset);
    client.until("zoo is down.");
    played.backend.kill_handler();
    client.types("echo kept");
    client.until("1 line kept for zoo.");
    played.world.starts();
    client.until("you are in it as before.");
    client.until("kept\n");
}

#[test]
fn the_listener_dies_and_who_plays_notices_nothing() {
    let (mut played, mut client) = playing();
    played.backend.kill_listener();
    plays_on(&mut client, 3, 20);
    played.backend.next_listener();
    plays_on(&mut client, 23, 20);
}

#[test]
fn a_world_is_played_on_when_all_of_the_backend_is_gone_but_the_worker() {
    let (mut played, mut client) = playing();
    let handler = played.backend.handler();
    played.backend.kill_listener();
    kill(handler, Signal::SIGKILL).unwrap();
    plays_on(&mut client, 3, 20);
    client.types("//who");
    client.until("connect again to go on.\n");
    plays_on(&mut client, 23, 5);
    client.types("quit");
    let last = client.rest();
    assert!(last.contains("*** Disconnected ***"), "{last}");
}

#[test]
fn everything_is_upgraded_while_somebody_plays_and_the_new_worker_logs_him_in_again() {
    let (mut played, mut client) = playing();
    let before = played.backend.only_worker().0;
    played.backend.upgrade_to("9.9.9");
    plays_on(&mut client, 3, 20);
    played.backend.log().wait(MOVED);
    assert_ne!(played.backend.only_worker().0, before);
    plays_on(&mut client, 23, 20);
    client.resizes(132, 43);
    played.world.player("bob").sees_window(132, 43);
    played.world.crashes(Cut::Reset);
    client.until("zoo is down.");
    played.world.starts();
    client.until("you are in it");
    client.until("Limbo\n");
    // After a break he is told by which word he goes on.
    client.until("//resume ");
    client.until("\n");
    plays_on(&mut client, 43, 3);
}

#[test]
fn who_waits_for_his_world_moves_too_with_what_he_typed() {
    let (mut played, mut client) = playing();
    played.world.crashes(Cut::Reset);
    client.until("zoo is down.");
    client.types("echo kept");
    client.until("1 line kept for zoo.");
    played.backend.upgrade_to("9.9.9");
    played.backend.log().wait(MOVED);
    played.world.starts();
    client.until("you are in it");
    client.until("kept\n");
}
