//! A player's own connection breaks: his game waits for him.

use super::secrets::talkative;
use super::{Played, played_with, wide};
use crate::harness::worlds::{Cut, Kind, Profile, StrictClient};

/// What the log says of it.
const KEPT: &str = "his place in zoo is kept";

/// In front of the word by which somebody goes on.
const WORD: &str = "type within 10 minutes: //resume ";

/// One who comes to the world's door, and goes on by his word.
fn resumed(played: &Played, word: &str) -> StrictClient {
    let mut client = played.client(wide());
    client.until("<password>");
    client.types(&format!("//resume {word}"));
    client.until("You are back in zoo.");
    client
}

/// The word by which somebody goes on.
fn word(client: &mut StrictClient) -> String {
    client.types("//resume");
    client.until(WORD);
    let word = client.line();
    assert!(word.len() >= 12, "{word}");
    word
}

#[test]
fn who_logs_in_again_is_where_he_was_with_what_he_has_missed() {
    let played = played_with(Kind::Mush, "", "");
    let client = played.known(wide());
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
    let mut known = played.known(wide());
    let told = played.world.player_from(1, "bob");
    known.types("//quit");
    known.until("You have left zoo.");
    told.ends();
}

#[test]
fn after_the_grace_the_place_is_given_up() {
    let played = played_with(Kind::Mush, "grace_seconds = 1", "");
    let client = played.known(wide());
    let told = played.world.player("bob");
    client.hangs_up();
    told.ends();
}

#[test]
fn a_second_connection_of_the_same_player_goes_on_in_place_of_the_first() {
    let played = played_with(Kind::Mush, "sessions = \"one\"", "");
    let mut first = played.known(wide());
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

/// What the door says for the word to be shown.
const SHOWN: &str = "resume = \"shown\"";

/// What is seen of a text.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |seen, part| seen + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// How often he was told a word so far.
fn told(client: &StrictClient) -> usize {
    client.shown().matches("//resume ").count()
}

#[test]
fn where_the_door_says_so_a_player_is_told_the_word_once_when_he_is_in_and_has_his_place_kept() {
    let mut played = talkative(Kind::Mush, SHOWN);
    let mut client = played.client(wide());
    client.until("<password>");
    client.types("connect bob wrong");
    client.until("different password.");
    assert_eq!(told(&client), 0, "he is not in yet");
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
    let before = client.until(WORD);
    assert_eq!(without_colours(before.trim_start_matches('\n')), format!("[notice] Should you be cut off, {WORD}"));
    let word = client.line();
    client.types("echo once");
    client.until("once\n");
    // The same word is told once, whatever breaks.
    played.world.crashes(Cut::Reset);
    client.until("zoo is down.");
    played.world.starts();
    client.until("you are in it as before.");
    client.types("echo twice");
    client.until("twice\n");
    assert_eq!(told(&client), 1, "{}", client.shown());
    client.hangs_up();
    played.backend.log().wait(KEPT);
    let mut again = resumed(&played, &word);
    // That was the other connection's.
    again.until(WORD);
    let other = again.line();
    assert_ne!(other, word);
    again.types("echo still here");
    again.until("still here\n");
    again.hangs_up();
    let mut last = played.client(wide());
    last.until("<password>");
    played.backend.log().wait(KEPT);
    last.types(&format!("//resume {other}"));
    last.until("You are back in zoo.");
    let log = played.backend.log().text();
    assert!(!log.contains(&word) && !log.contains(&other), "{log}");
}

#[test]
fn a_world_that_nobody_logs_in_to_is_entered_at_once() {
    let played = played_with(Kind::Mush, "login = \"\"", SHOWN);
    let mut client = played.client(wide());
    client.until(WORD);
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
    client.types("echo here");
    client.until("here\n");
    assert_eq!(told(&client), 1);
}

#[test]
fn at_other_doors_he_is_told_it_when_something_has_broken() {
    let mut played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    client.types("echo before");
    client.until("before\n");
    assert_eq!(told(&client), 0);
    for _ in 0..2 {
        played.world.crashes(Cut::Reset);
        client.until("zoo is down.");
        played.world.starts();
        client.until("you are in it as before.");
        client.types("echo after");
        client.until("after\n");
    }
    assert_eq!(told(&client), 1, "{}", client.shown());
    let shown = client.shown();
    let word = shown.split(WORD).nth(1).and_then(|rest| rest.lines().next()).unwrap();
    client.hangs_up();
    played.backend.log().wait(KEPT);
    let mut again = resumed(&played, word);
    again.until(WORD);
}

#[test]
fn nobody_is_told_a_word_who_wants_to_see_nothing_of_ours_could_not_use_it_or_needs_none() {
    for (keys, door) in [
        ("", "clean = true\nresume = \"shown\""),
        ("", "escape = \"\"\nresume = \"shown\""),
        ("grace_seconds = 0", SHOWN),
    ] {
        let mut played = played_with(Kind::Mush, keys, door);
        let mut client = played.inside("bob", wide());
        played.world.crashes(Cut::Reset);
        client.until("zoo is down.");
        played.world.starts();
        client.until("you are in it as before.");
        client.types("echo here");
        client.until("here\n");
        assert!(!client.shown().contains("cut off"), "{door}: {}", client.shown());
    }
    // He comes back by LOGIN.
    let mut played = played_with(Kind::Mush, "", "");
    let mut client = played.known(wide());
    played.world.crashes(Cut::Reset);
    client.until("zoo is down.");
    played.world.starts();
    client.until("you are in it as before.");
    client.types("echo here");
    client.until("here\n");
    assert!(!client.shown().contains("cut off"), "{}", client.shown());
}

#[test]
fn the_word_is_whole_on_terminals_of_every_width_and_where_it_is_read_aloud() {
    let played = played_with(Kind::Mush, "", SHOWN);
    for (profile, lines) in
        [(Profile::tintin().sized(80, 24), 1), (Profile::tintin().sized(40, 24), 3), (Profile::screen_reader(), 1)]
    {
        let width = profile.window.0;
        let mut client = played.inside("bob", profile);
        client.types("echo here");
        client.until("here\n");
        let shown = without_colours(&client.shown());
        let ours: Vec<&str> =
            shown.lines().skip_while(|line| !line.contains("Should you be cut off")).take(lines).collect();
        assert!(ours.iter().all(|line| line.chars().count() <= width.into()), "{ours:?}");
        let word = ours.last().and_then(|line| line.rsplit(' ').next()).unwrap_or_default();
        assert_eq!((word.len(), word.matches('-').count()), (14, 2), "{shown}");
    }
}

#[test]
fn nothing_of_ours_is_coloured_before_the_terminal_has_told_what_it_is() {
    let played = played_with(Kind::Mush, "", SHOWN);
    for (profile, colours) in [(Profile::screen_reader(), false), (wide(), true)] {
        let mut client = played.inside("bob", profile.telling_late());
        // The strict client sees to it that one who reads text alone gets nothing else.
        client.until(WORD);
        client.until("\n");
        assert!(!client.shown().contains('\u{1b}'), "{}", client.shown());
        client.tells_on();
        client.types("//resume");
        client.until(WORD);
        client.types("echo here");
        client.until("here\n");
        assert_eq!(client.shown().contains('\u{1b}'), colours, "{}", client.shown());
    }
}
