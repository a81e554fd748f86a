//! A world that speaks our protocol: who is logged in here types no password there.

use super::{Played, played_with, wide};
use crate::harness::worlds::{Cut, Kind, Profile, StrictClient};
use crate::harness::{GameServer, PATIENCE};
use serde_json::json;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

const KEYS: &str =
    "ticket = \"pass {pass}\"\nfailure = ['^That pass is not good', '^Either that player does not exist']";

const DOWN: &str = "zoo is down.";

/// The passes that a world was shown.
type Shown = Arc<Mutex<Vec<String>>>;

fn with_tickets() -> Played {
    played_with(Kind::Mush, KEYS, "")
}

/// The world asks its game server whose a pass is, for itself or as the host of a licence.
fn takes_passes(played: &Played, mut server: GameServer, licence: Option<&'static str>) -> Shown {
    let shown = Shown::default();
    let seen = shown.clone();
    played.world.takes_passes(move |pass| {
        seen.lock().expect("nobody has died").push(pass.to_owned());
        let reply = server.ask("PASS REDEEM", json!({"pass": pass, "world": licence}));
        reply["data"]["player"].as_str().map(str::to_owned)
    });
    shown
}

/// A world whose game server is connected.
fn served() -> (Played, Shown) {
    let played = with_tickets();
    let shown = takes_passes(&played, played.backend.game_server("zoo"), None);
    (played, shown)
}

/// Somebody at our prompt.
fn at_prompt(played: &Played, says: &str) -> StrictClient {
    let mut client = StrictClient::to(played.prompt, wide());
    client.until("> ");
    client.types(says);
    client.until("> ");
    client
}

/// One who has just registered with us, and wants to play.
fn plays(played: &Played) -> StrictClient {
    let mut client = at_prompt(played, "REGISTER bob secret-of-bob");
    client.types("PLAY zoo");
    client
}

/// Waits until he is in, and has seen nothing of how.
fn is_in(client: &mut StrictClient) {
    let seen = client.until("Limbo\n");
    for noise in ["<password>", "pass", "Last connect"] {
        assert!(!seen.contains(noise), "{noise}: {seen}");
    }
}

/// He logs in by himself.
fn logs_in(client: &mut StrictClient) {
    client.until("<password>");
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
}

fn goes_down(played: &Played, client: &mut StrictClient) {
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.until("> ");
}

#[test]
fn a_player_is_in_at_once_and_again_when_his_world_is_back_without_a_password() {
    let (mut played, shown) = served();
    let mut client = plays(&played);
    is_in(&mut client);
    client.types("echo first");
    client.until("first\n");
    for round in 1..3 {
        goes_down(&played, &mut client);
        client.types("echo kept");
        client.until("1 line kept for zoo.");
        played.world.starts();
        client.until("zoo is back, and you are in it. What you typed is sent: 1 line.");
        is_in(&mut client);
        client.until("kept\n");
        let passes = shown.lock().unwrap().clone();
        assert_eq!(passes.len(), round + 1, "one for each time: {passes:?}");
    }
    let told = played.world.player("bob");
    assert!(told.lines()[0].starts_with("pass pass-"), "{:?}", told.lines());
    let log = played.backend.log().text();
    for pass in shown.lock().unwrap().iter() {
        assert!(!log.contains(pass.as_str()), "a pass in the log: {log}");
    }
}

#[test]
fn a_world_that_does_not_take_it_is_logged_in_to_as_before_or_by_hand() {
    let mut played = with_tickets();
    let _server = played.backend.game_server("zoo");
    played.world.takes_passes(|_| None);
    let mut client = plays(&played);
    client.until("zoo did not log you in by itself: That pass is not good. Log in as usual.");
    logs_in(&mut client);
    goes_down(&played, &mut client);
    played.world.starts();
    let seen = client.until("zoo is back, and you are in it as before.");
    assert!(!seen.contains("pass"), "{seen}");
    let told = played.world.player_from(1, "bob");
    let lines = told.lines();
    assert!(lines[0].starts_with("pass pass-") && lines[1] == "connect bob secret-of-bob", "{lines:?}");
    is_in(&mut client);
}

#[test]
fn a_world_that_knows_nothing_of_passes_shows_its_login_screen() {
    let played = with_tickets();
    let _server = played.backend.game_server("zoo");
    let mut client = plays(&played);
    client.until("zoo did not log you in by itself: it has not shown that it takes your pass.");
    logs_in(&mut client);
}

#[test]
fn without_its_game_server_a_world_gets_no_ticket_and_with_it_nobody_but_players() {
    let mut played = with_tickets();
    let mut client = plays(&played);
    logs_in(&mut client);
    let shown = takes_passes(&played, played.backend.game_server("zoo"), None);
    let mut nobody = played.client(Profile::tintin());
    nobody.until("<password>");
    goes_down(&played, &mut client);
    played.world.starts();
    // Now it is there.
    client.until("zoo is back, and you are in it.");
    nobody.until("zoo is back.");
    nobody.until("<password>");
    assert_eq!(shown.lock().unwrap().len(), 1);
    client.types("//logout");
    client.until("Logged out");
    goes_down(&played, &mut client);
    played.world.starts();
    // What he has typed before lets him in, since he is nobody here.
    client.until("zoo is back, and you are in it as before.");
    assert_eq!(shown.lock().unwrap().len(), 1);
}

#[test]
fn each_connection_of_a_player_is_back_by_a_ticket_of_its_own() {
    let (mut played, shown) = served();
    let mut first = plays(&played);
    is_in(&mut first);
    let mut second = at_prompt(&played, "LOGIN bob secret-of-bob");
    second.types("PLAY zoo");
    is_in(&mut second);
    goes_down(&played, &mut first);
    second.until(DOWN);
    played.world.starts();
    for client in [&mut first, &mut second] {
        client.until("zoo is back, and you are in it.");
        is_in(client);
    }
    assert_eq!(shown.lock().unwrap().len(), 4);
}

#[test]
fn a_world_with_a_licence_is_told_by_its_host_and_by_nobody_who_only_has_its_name() {
    let mut played = with_tickets();
    let mut client = at_prompt(&played, "REGISTER bob secret-of-bob");
    let password = played.backend.world("zoo", "bob");
    let _other = played.backend.game_server("zoo");
    client.types("PLAY zoo");
    client.until("<password>");
    let mut host = played.backend.game_server("arena");
    host.hosts("zoo", &password);
    let shown = takes_passes(&played, host, Some("zoo"));
    goes_down(&played, &mut client);
    played.world.starts();
    client.until("zoo is back, and you are in it.");
    is_in(&mut client);
    assert_eq!(shown.lock().unwrap().len(), 1);
}

#[test]
fn a_ticket_that_is_under_way_when_the_handler_dies_is_good_for_the_next_one() {
    let mut played = with_tickets();
    let mut server = played.backend.game_server("zoo");
    let (tell, told) = channel();
    let (go_on, waits) = channel();
    played.world.takes_passes(move |pass| {
        tell.send(()).expect("the test goes on");
        waits.recv_timeout(PATIENCE).expect("the test goes on");
        let reply = server.ask("PASS REDEEM", json!({"pass": pass}));
        reply["data"]["player"].as_str().map(str::to_owned)
    });
    let mut client = plays(&played);
    told.recv_timeout(PATIENCE).expect("a ticket");
    played.backend.kill_handler();
    go_on.send(()).expect("the world lives");
    is_in(&mut client);
    // And the next one gives others.
    goes_down(&played, &mut client);
    played.world.starts();
    told.recv_timeout(PATIENCE).expect("a ticket");
    go_on.send(()).expect("the world lives");
    client.until("zoo is back, and you are in it.");
    is_in(&mut client);
}
