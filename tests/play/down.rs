//! A world goes down and comes back.

use super::{Played, played_with, wide};
use crate::harness::worlds::{Cut, Kind, StrictClient};

const DOWN: &str = "zoo is down.";

/// A world with one player in it has gone.
fn gone(kind: Kind, name: &str) -> (Played, StrictClient) {
    let played = played_with(kind, "", "");
    let mut client = played.inside(name, wide());
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.until("> ");
    (played, client)
}

#[test]
fn a_player_is_back_and_logged_in_when_his_world_is_and_what_he_typed_meanwhile_goes_there() {
    for kind in [Kind::Mush, Kind::Evennia] {
        let (mut played, mut client) = gone(kind, "bob");
        client.types("echo one");
        client.until("1 line kept for zoo.");
        client.types("//hw");
        client.until("Hello, world!");
        client.types("echo two");
        client.until("2 lines kept for zoo.");
        played.world.starts();
        let shown = client.until("What you typed is sent: 2 lines.");
        assert!(!shown.contains("<password>"), "the login screen is not shown again: {shown}");
        client.until("one\n");
        client.until("two\n");
        client.types("echo three");
        client.until("three\n");
        assert_eq!(played.world.fault(), None);
    }
}

#[test]
fn it_works_more_than_once_in_a_row() {
    let (mut played, mut client) = gone(Kind::Mush, "bob");
    for round in 0..3 {
        played.world.starts();
        client.until("you are in it as before.");
        client.types(&format!("echo round {round}"));
        client.until(&format!("round {round}\n"));
        played.world.crashes(if round % 2 == 0 { Cut::Reset } else { Cut::Fin });
        client.until(DOWN);
    }
}

#[test]
fn who_quits_has_left_and_the_door_says_what_then() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    client.types("quit");
    let last = client.rest();
    assert!(!last.contains("down"), "{last}");
    let played = played_with(Kind::Mush, "", "quit = \"prompt\"");
    let mut client = played.inside("bob", wide());
    client.types("quit");
    client.until("You have left zoo.");
    client.types("HW");
    client.until("Hello, world!");
}

#[test]
fn what_is_typed_for_a_world_that_is_down_can_be_dropped_and_who_leaves_does_not_come_back() {
    let (mut played, mut client) = gone(Kind::Mush, "bob");
    client.types("echo one");
    client.until("1 line kept for zoo.");
    client.types("//drop");
    client.until("1 line forgotten.");
    played.world.starts();
    client.until("zoo is back, and you are in it as before.");
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.types("//quit");
    client.rest();
}

#[test]
fn a_password_is_not_kept_and_who_was_not_in_is_shown_the_login_screen() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.client(wide());
    client.until("<password>");
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.types("connect bob secret-of-bob");
    client.until("That was not kept, since it may be a password.");
    client.types("echo later");
    client.until("1 line kept for zoo.");
    let mut played = played;
    played.world.starts();
    client.until("zoo is back.");
    client.until("<password>");
    client.types("connect bob secret-of-bob");
    client.until("later\n");
}

#[test]
fn a_login_that_is_not_taken_any_more_shows_why_and_the_login_screen() {
    let (mut played, mut client) = gone(Kind::Mush, "bob");
    played.world.sets_password("bob", "another");
    played.world.starts();
    let shown = client.until("Log in as usual.");
    assert!(shown.contains("did not log you in: Either that player does not exist"), "{shown}");
    client.until("<password>");
    client.types("connect bob another");
    client.until("Limbo\n");
}

#[test]
fn a_farewell_is_shown_before_the_word_that_the_world_is_down() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    played.world.shuts_down("The zoo closes.\r\n");
    let shown = client.until(DOWN);
    assert!(shown.contains("The zoo closes.\n"), "{shown}");
}

#[test]
fn a_world_that_is_down_when_somebody_comes_lets_him_in_as_soon_as_it_is_there() {
    let mut played = played_with(Kind::Mush, "", "");
    played.world.crashes(Cut::Reset);
    let mut client = played.client(wide());
    client.until("zoo is not there at the moment.");
    played.world.starts();
    client.until("<password>");
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
}
