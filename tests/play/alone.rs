//! A player's own connection breaks: his game waits for him.

use super::{Played, played_with, wide};
use crate::harness::worlds::{Cut, Kind, StrictClient};

/// What the log says of it.
const KEPT: &str = "his place in zoo is kept";

/// One who has logged in to us, and plays.
fn known(played: &Played) -> StrictClient {
    let mut client = StrictClient::to(played.prompt, wide());
    client.until("> ");
    client.types("REGISTER bob secret-of-bob");
    client.until("> ");
    client.types("PLAY zoo");
    client.until("<password>");
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
    client
}

/// The word by which somebody goes on.
fn word(client: &mut StrictClient) -> String {
    client.types("//resume");
    client.until("and type: //resume ");
    let word = client.line();
    assert!(word.len() >= 12, "{word}");
    word
}

#[test]
fn who_logs_in_again_is_where_he_was_with_what_he_has_missed() {
    let played = played_with(Kind::Mush, "", "");
    let client = known(&played);
    let told = played.world.player("bob");
    client.hangs_up();
    drop(client);
    played.backend.log().wait(KEPT);
    played.world.says(&told, b"you missed this\r\n");
    let mut again = StrictClient::to(played.prompt, wide());
    again.until("> ");
    again.types("LOGIN bob secret-of-bob");
    again.until("This is what you have missed:");
    again.until("you missed this\n");
    again.types("echo still here");
    again.until("still here\n");
    assert_eq!(played.world.count(), 1, "it is the same connection to the world");
    played.world.crashes(Cut::Reset);
    again.until("zoo is down.");
    let mut played = played;
    played.world.starts();
    again.until("you are in it as before.");
}

#[test]
fn at_a_door_of_the_world_he_goes_on_by_the_word_that_he_was_shown() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    let word = word(&mut client);
    let told = played.world.player("bob");
    client.hangs_up();
    played.backend.log().wait(KEPT);
    played.world.says(&told, b"you missed this\r\n");
    let mut again = played.client(wide());
    again.until("<password>");
    again.types(&format!("//resume {word}"));
    again.until("This is what you have missed:");
    again.until("you missed this\n");
    again.types("echo still here");
    again.until("still here\n");
    told.hears("echo still here");
}

#[test]
fn a_wrong_word_gives_nothing() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    word(&mut client);
    client.hangs_up();
    played.backend.log().wait(KEPT);
    let mut other = played.client(wide());
    other.until("<password>");
    other.types("//resume aaaa-bbbb-cccc");
    other.until("No game goes on by that word.");
    other.until("<password>");
    other.types("//hw");
    other.until("Hello, world!");
}

#[test]
fn nobody_keeps_the_place_of_one_who_cannot_come_back_or_who_has_quit() {
    let played = played_with(Kind::Mush, "", "");
    let client = played.inside("bob", wide());
    let told = played.world.player("bob");
    client.hangs_up();
    told.ends();
    let mut known = known(&played);
    let told = played.world.player_from(1, "bob");
    known.types("//quit");
    known.until("You have left zoo.");
    told.ends();
}

#[test]
fn after_the_grace_the_place_is_given_up() {
    let played = played_with(Kind::Mush, "grace_seconds = 1", "");
    let client = known(&played);
    let told = played.world.player("bob");
    client.hangs_up();
    told.ends();
}

#[test]
fn a_second_connection_of_the_same_player_goes_on_in_place_of_the_first() {
    let played = played_with(Kind::Mush, "sessions = \"one\"", "");
    let mut first = known(&played);
    let mut second = StrictClient::to(played.prompt, wide());
    second.until("> ");
    second.types("LOGIN bob secret-of-bob");
    second.until("> ");
    second.types("PLAY zoo");
    second.until("You go on in zoo here.");
    second.types("echo here now");
    second.until("here now\n");
    first.until("You go on in zoo from another connection.");
    assert_eq!(played.world.count(), 1);
}
