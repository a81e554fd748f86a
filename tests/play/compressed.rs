//! Worlds that compress what they say, and clients that have it compressed too: nobody sees anything of that.

use super::{Played, played_with, wide};
use crate::harness::MOVED;
use crate::harness::worlds::codes::option::MCCP2;
use crate::harness::worlds::{Connection, Cut, End, Kind, StrictClient, Told};
use crate::moving::OTHER;

const DOWN: &str = "zoo is down.";
const BACK: &str = "you are in it as before.";

/// Whether the world has ever compressed anything over this connection.
fn compresses(told: &Connection) -> bool {
    told.told().contains(&Told::Agreed(End::Ours, MCCP2, true))
}

fn echoes(client: &mut StrictClient, text: &str) {
    client.types(&format!("echo {text}"));
    client.until(&format!("{text}\n"));
}

/// It gets so many lines, each once and in order.
#[track_caller]
fn sees_all_lines(client: &mut StrictClient, count: usize) {
    let text = client.until(&format!("line {count} of {count}\n"));
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("line ")).collect();
    let expected: Vec<String> = (1..=count).map(|number| format!("line {number} of {count}")).collect();
    assert_eq!(lines, expected);
}

/// Bob in a world that compresses from its first word on, as he has it from us too.
fn inside() -> (Played, StrictClient, Connection) {
    let played = played_with(Kind::Evennia, "", "");
    let client = played.inside("bob", wide());
    let told = played.world.player("bob");
    assert!(compresses(&told));
    client.agreed(End::Theirs, MCCP2, true);
    (played, client, told)
}

/// Bob and everything that he has move.
fn moves(played: &Played) {
    let mark = played.backend.log().mark();
    played.backend.upgrade_to(OTHER);
    played.backend.log().wait_after(mark, MOVED);
}

#[test]
fn what_a_world_compresses_is_shown_as_it_is() {
    let (_played, mut client, _) = inside();
    echoes(&mut client, "größer");
    client.types("spam 20000");
    sees_all_lines(&mut client, 20_000);
    echoes(&mut client, "here");
}

#[test]
fn a_world_may_begin_and_end_at_any_time() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    let told = played.world.player("bob");
    for round in 0..3 {
        played.world.compresses(&told, true);
        echoes(&mut client, &format!("compressed {round}"));
        if round == 1 {
            played.world.ends_stream(&told);
            echoes(&mut client, "at an end");
        }
        played.world.compresses(&told, false);
        echoes(&mut client, &format!("plain {round}"));
    }
    assert_eq!(played.world.count(), 1);
}

#[test]
fn where_it_is_switched_off_no_world_compresses() {
    let played = played_with(Kind::Evennia, "", "[limits]\ntelnet_compression = false\n");
    let mut client = played.inside("bob", wide());
    echoes(&mut client, "here");
    assert!(!compresses(&played.world.player("bob")));
}

#[test]
fn what_nobody_can_read_costs_one_connection_and_the_next_one_is_not_compressed() {
    let (played, mut client, told) = inside();
    played.world.says(&told, b"The last word.\r\n");
    played.world.sends_uncompressed(&told, b"\xff\xff this is no block \xff\xff");
    client.until("The last word.\n");
    client.until(BACK);
    echoes(&mut client, "here");
    let second = played.world.player_from(1, "bob");
    assert!(!compresses(&second) && played.world.count() > 1);
    played.backend.log().wait("What zoo has sent compressed could not be read");
    client.types("quit");
    client.until("Disconnecting.");
    client.rest();
    assert!(!client.shown().contains(DOWN), "{}", client.shown());
}

#[test]
fn a_world_that_dies_within_a_block_compresses_again_when_it_is_back() {
    for cut in [Cut::Reset, Cut::Fin] {
        let (mut played, mut client, told) = inside();
        played.world.begins_to_say(&told, b"This is never said to its end, to its end, to its end.\r\n");
        played.world.crashes(cut);
        client.until(DOWN);
        client.types("echo kept");
        client.until("1 line kept for zoo.");
        played.world.starts();
        client.until(BACK);
        client.until("kept\n");
        assert!(compresses(&played.world.player_from(1, "bob")));
    }
}

#[test]
fn everything_is_upgraded_within_a_block_and_between_two() {
    let (played, mut client, told) = inside();
    for round in 0..3 {
        let text = format!("All of this comes in two halves, in round {round}.\r\n");
        played.world.begins_to_say(&told, text.as_bytes());
        moves_and_back(&played, round);
        played.world.ends_saying(&told);
        client.until(text.trim_end());
        echoes(&mut client, "between");
        moves_and_back(&played, round + 1);
        echoes(&mut client, "behind");
    }
    client.types("spam 5000");
    sees_all_lines(&mut client, 5000);
    let shown = client.shown();
    for round in 0..3 {
        assert!(shown.contains(&format!("\nAll of this comes in two halves, in round {round}.\nbetween\n")), "{shown}");
    }
    assert_eq!(shown.matches("All of this").count(), 3, "{shown}");
    assert_eq!(played.world.count(), 1);
}

/// As [`moves`], to one version and then to the other.
fn moves_and_back(played: &Played, round: usize) {
    if round.is_multiple_of(2) {
        return moves(played);
    }
    let mark = played.backend.log().mark();
    played.backend.upgrade_to(env!("CARGO_PKG_VERSION"));
    played.backend.log().wait_after(mark, MOVED);
}

/// Bob, known to us, in a world that compresses.
fn known(keys: &str) -> (Played, StrictClient, Connection) {
    let played = played_with(Kind::Evennia, keys, "");
    let first = played.known(wide());
    let told = played.world.player("bob");
    (played, first, told)
}

fn logs_in(played: &Played) -> StrictClient {
    let mut client = StrictClient::to(played.prompt, wide());
    client.until("> ");
    client.types("LOGIN bob secret-of-bob");
    client
}

#[test]
fn who_comes_back_or_from_elsewhere_goes_on_within_a_block() {
    let (played, first, told) = known("sessions = \"one\"");
    first.hangs_up();
    played.backend.log().wait("his place in zoo is kept");
    played.world.begins_to_say(&told, b"This was said when nobody was there.\r\n");
    let mut second = logs_in(&played);
    second.until("You are back in zoo.");
    played.world.ends_saying(&told);
    second.until("nobody was there.\n");
    echoes(&mut second, "back");
    played.world.begins_to_say(&told, b"This was said to one, and heard by another.\r\n");
    let mut third = logs_in(&played);
    third.until("> ");
    third.types("PLAY zoo");
    third.until("You go on in zoo here.");
    played.world.ends_saying(&told);
    third.until("heard by another.\n");
    echoes(&mut third, "here");
    assert_eq!((played.world.count(), compresses(&told)), (1, true));
}

#[test]
fn who_shares_a_game_sees_what_is_compressed_and_moves_with_it() {
    let (played, mut first, told) = known("sessions = \"shared\"");
    let mut second = logs_in(&played);
    second.until("> ");
    second.types("PLAY zoo");
    second.until("Limbo\n");
    played.world.begins_to_say(&told, b"This is for both of you.\r\n");
    played.backend.upgrade_to(OTHER);
    played.backend.log().find_after(0, "two moves", |text| (text.matches(MOVED).count() >= 2).then_some(()));
    played.world.ends_saying(&told);
    second.types("spam 3000");
    for client in [&mut first, &mut second] {
        client.until("for both of you.\n");
        sees_all_lines(client, 3000);
    }
    assert_eq!(played.world.count(), 1);
}
