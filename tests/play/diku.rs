//! A world that asks for a name, a password, a return and a choice, and hides what is typed meanwhile.

use super::{Played, played_with, wide};
use crate::harness::worlds::codes::option::{ECHO, GMCP, MXP};
use crate::harness::worlds::codes::subnegotiation;
use crate::harness::worlds::{Connection, Cut, End, Kind, Profile, StrictClient, Told};

const DOWN: &str = "zoo is down.";

/// A client of whom the password is asked.
fn asked(played: &Played) -> StrictClient {
    let mut client = played.client(wide());
    client.until("known? ");
    client.types("Bob");
    client.until("Password: ");
    client.agreed(End::Theirs, ECHO, true);
    client
}

/// Goes on from there, with this password.
fn enters(client: &mut StrictClient, password: &str) {
    client.types(password);
    client.until("PRESS RETURN: ");
    client.agreed(End::Theirs, ECHO, false);
    client.types("");
    client.until("choice: ");
    client.types("1");
    client.until("The Temple\n");
    client.until("> ");
}

/// One who plays in a Diku.
fn inside(played: &Played) -> StrictClient {
    let mut client = asked(played);
    enters(&mut client, "secret-of-Bob");
    client
}

/// Whether the world had hidden what is typed when this line came.
fn was_hidden(told: &Connection, line: &str) -> bool {
    let all = told.told();
    let at = all.iter().position(|told| *told == Told::Line(line.as_bytes().to_vec())).expect("the line");
    let echo = |told: &Told| match told {
        Told::Agreed(End::Ours, ECHO, on) => Some(*on),
        _ => None,
    };
    all[..at].iter().rev().find_map(echo).unwrap_or(false)
}

#[test]
fn name_password_return_and_choice_are_typed_again_in_their_order_and_the_password_only_while_it_is_hidden() {
    let mut played = played_with(Kind::Diku, "", "");
    let mut client = inside(&played);
    for round in 1..3 {
        played.world.crashes(Cut::Reset);
        client.until(DOWN);
        client.types("echo kept");
        client.until("1 line kept for zoo.");
        played.world.starts();
        let shown = client.until("What you typed is sent: 1 line.");
        assert!(!shown.contains("Password") && !shown.contains("secret") && !shown.contains("RETURN"), "{shown}");
        client.until("The Temple\n");
        client.until("kept\n");
        client.until("> ");
        let told = played.world.player_from(round, "Bob");
        assert_eq!(told.lines(), ["Bob", "secret-of-Bob", "", "1", "echo kept"]);
        assert!(was_hidden(&told, "secret-of-Bob"));
        client.agreed(End::Theirs, ECHO, false);
    }
}

#[test]
fn a_password_that_was_changed_meanwhile_is_asked_for_and_known_from_then_on() {
    let mut played = played_with(Kind::Diku, "", "");
    let mut client = inside(&played);
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    played.world.sets_password("Bob", "another");
    client.types("echo kept");
    client.until("1 line kept for zoo.");
    played.world.starts();
    client.until("did not log you in: Wrong password.");
    client.until("sent when you have logged in.");
    client.until("Password: ");
    client.agreed(End::Theirs, ECHO, true);
    enters(&mut client, "another");
    client.until("kept\n");
    assert_eq!(played.world.player_from(1, "Bob").lines(), ["Bob", "secret-of-Bob", "another", "", "1", "echo kept"]);
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    played.world.starts();
    client.until("you are in it as before.");
    assert_eq!(played.world.player_from(2, "Bob").lines(), ["Bob", "another", "", "1"]);
    assert!(!client.shown().contains(".."), "{}", client.shown());
}

#[test]
fn a_death_at_the_password_shows_what_is_typed_again_and_keeps_nothing_of_it() {
    let mut played = played_with(Kind::Diku, "", "");
    let mut client = asked(&played);
    // Half of it was typed when the world died; the rest comes behind.
    client.sends(b"secret-");
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.agreed(End::Theirs, ECHO, false);
    client.types("of-Bob");
    client.until("That was not kept, since it may be a password.");
    client.types("echo later");
    client.until("1 line kept for zoo.");
    played.world.starts();
    client.until("zoo is back.");
    client.until("known? ");
    client.types("Bob");
    client.until("Password: ");
    client.agreed(End::Theirs, ECHO, true);
    enters(&mut client, "secret-of-Bob");
    client.until("later\n");
    assert!(!client.shown().contains("secret"));
    assert_eq!(played.world.player_from(1, "Bob").lines(), ["Bob", "secret-of-Bob", "", "1", "echo later"]);
}

#[test]
fn who_types_his_password_just_when_the_world_has_died_has_it_kept_nowhere() {
    let mut played = played_with(Kind::Diku, "", "");
    let mut client = asked(&played);
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.types("secret-of-Bob");
    client.until("That was not kept, since it may be a password.");
    client.types("echo later");
    client.until("1 line kept for zoo.");
    played.world.starts();
    client.until("known? ");
}

#[test]
fn a_wrong_password_is_asked_for_again_and_the_right_one_is_the_one_that_is_typed_again() {
    let mut played = played_with(Kind::Diku, "", "");
    let mut client = asked(&played);
    client.types("not-this-one");
    client.until("Wrong password.\n");
    client.until("Password: ");
    enters(&mut client, "secret-of-Bob");
    played.world.crashes(Cut::Fin);
    client.until(DOWN);
    played.world.starts();
    client.until("you are in it as before.");
    assert_eq!(played.world.player_from(1, "Bob").lines(), ["Bob", "secret-of-Bob", "", "1"]);
}

#[test]
fn who_finds_his_body_there_still_is_in_it_with_less_typing() {
    // The way to the world breaks, not the world: his body stays.
    let played = played_with(Kind::Diku, "", "");
    let mut client = inside(&played);
    client.types("//quit");
    client.rest();
    played.world.player("Bob").ends();
    let mut client = asked(&played);
    client.types("secret-of-Bob");
    client.until("You take over your own body");
    client.until("> ");
    client.types("echo here");
    client.until("here\n");
    let mut played = played;
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.types("echo kept");
    client.until("1 line kept for zoo.");
    played.world.starts();
    // It wants more of him now than before.
    client.until("did not log you in: it asks for more than before.");
    client.until("PRESS RETURN: ");
    client.types("");
    client.until("choice: ");
    client.types("1");
    client.until("kept\n");
    // Which is known the next time.
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    played.world.starts();
    client.until("you are in it as before.");
}

const HELLO: &str = r#"Core.Hello {"client": "x"}"#;
const SUPPORTS: &str = r#"Core.Supports.Set ["Room 1"]"#;

/// A client with markup and messages, and with colours.
fn with_all() -> Profile {
    Profile { lets: Profile::screen_reader().lets, ..wide() }
}

/// A world that is played from our own prompt, with all that is sent beside the text.
fn evennia() -> (Played, StrictClient) {
    let played = played_with(Kind::Evennia, "", "quit = \"prompt\"");
    let mut client = played.client(with_all());
    client.until("<password>");
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
    client.agreed(End::Theirs, GMCP, true);
    client.agreed(End::Theirs, MXP, true);
    for message in [HELLO, SUPPORTS] {
        client.sends_raw(&subnegotiation(GMCP, message.as_bytes()));
    }
    let told = played.world.player("bob");
    told.wait("what he has", |_| (told.messages() == [HELLO, SUPPORTS]).then_some(()));
    played.world.says(&told, b"\x1b[1z\x1b[1;31mall is red");
    client.until("all is red");
    (played, client)
}

#[test]
fn what_a_world_has_set_is_as_before_when_it_dies() {
    let (mut played, mut client) = evennia();
    played.world.crashes(Cut::Reset);
    let shown = client.until(DOWN);
    assert!(shown.contains("\u{1b}[0m"), "the colour ends: {shown:?}");
    assert!(shown.contains("\u{1b}[7z"), "what follows is no markup: {shown:?}");
    played.world.starts();
    client.until("you are in it as before.");
    // The next one is told what the first one was.
    let told = played.world.player_from(1, "bob");
    told.wait("what he has", |_| (told.messages() == [HELLO, SUPPORTS]).then_some(()));
    client.types("echo as before");
    client.until("as before\n");
}

#[test]
fn what_a_world_has_set_is_as_before_when_it_is_left() {
    let (played, mut client) = evennia();
    client.types("//quit");
    let shown = client.until("You have left zoo.");
    assert!(shown.contains("\u{1b}[0m"), "the colour ends: {shown:?}");
    assert!(shown.contains("\u{1b}[7z"), "what follows is no markup: {shown:?}");
    assert!(shown.ends_with("\u{1b}[0mYou have left zoo."), "{shown:?}");
    client.types("HW");
    client.until("Hello, world!");
    played.world.player("bob").ends();
}

#[test]
fn who_leaves_at_the_question_for_a_password_sees_what_he_types_again() {
    let played = played_with(Kind::Diku, "", "quit = \"prompt\"");
    let mut client = asked(&played);
    let told = played.world.connection(0);
    played.world.ends(&told, "Too slow.\r\n");
    client.until("Too slow.\n");
    client.until("You have left zoo.");
    client.agreed(End::Theirs, ECHO, false);
    client.types("HW");
    client.until("Hello, world!");
}
