//! What goes between a player and a world: text, telnet, characters.

use super::played_with;
use crate::harness::worlds::codes::option::{ECHO, GMCP};
use crate::harness::worlds::{End, Kind, Letters, Profile, StrictClient, Told};

/// A client with its name.
fn clients() -> [(&'static str, Profile); 4] {
    [
        ("tintin", Profile::tintin()),
        ("tf", Profile::tf5()),
        ("telnet", Profile::telnet()),
        ("reader", Profile::screen_reader()),
    ]
}

#[test]
fn each_client_plays_each_world_and_gets_nothing_that_he_does_not_understand() {
    for (kind, farewell) in [(Kind::Mush, "*** Disconnected ***"), (Kind::Evennia, "Disconnecting.")] {
        let played = played_with(kind, "", "");
        for (name, profile) in clients() {
            let mut client = played.inside(name, profile);
            client.types("echo hello");
            client.until("hello\n");
            client.types("quit");
            client.until(farewell);
            client.rest();
        }
        assert_eq!(played.world.fault(), None);
    }
}

#[test]
fn who_speaks_no_telnet_plays_from_our_prompt_and_sees_none() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = StrictClient::to(played.prompt, Profile::none());
    client.until("> ");
    client.sends(b"VISITOR zed\n");
    client.until("> ");
    client.sends(b"PLAY zoo\n");
    client.until("<password>");
    client.sends(b"connect zed secret-of-zed\n");
    client.until("Limbo\n");
    client.sends(b"quit\n");
    client.until("You have left zoo.\n> ");
}

#[test]
fn a_password_is_hidden_by_the_world_and_shown_again_behind_it() {
    let played = played_with(Kind::Diku, "", "");
    let mut client = played.client(Profile::tintin());
    client.until("By what name do you wish to be known? ");
    client.types("Bob");
    client.until("Password: ");
    client.agreed(End::Theirs, ECHO, true);
    client.types("secret-of-Bob");
    client.until("PRESS RETURN: ");
    client.agreed(End::Theirs, ECHO, false);
    client.types("");
    client.until("Make your choice: ");
    client.types("1");
    client.until("> ");
    assert_eq!(played.world.player("Bob").lines(), ["Bob", "secret-of-Bob", "", "1"]);
}

#[test]
fn the_world_knows_the_terminal_as_the_client_has_it_and_follows_it() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", Profile::tintin().sized(100, 30));
    let told = played.world.player("bob");
    told.sees_window(100, 30);
    client.resizes(132, 43);
    told.sees_window(132, 43);
    told.wait("the name of the terminal", |_| (told.terminals().first()? == "TINTIN++").then_some(()));
}

#[test]
fn gmcp_goes_through_where_both_want_it() {
    let played = played_with(Kind::Evennia, "", "");
    let client = played.inside("bob", Profile::screen_reader());
    client.agreed(End::Theirs, GMCP, true);
    played.world.player("bob").wait_after(0, &Told::Agreed(End::Ours, GMCP, true));
    let without = played.inside("al", Profile::telnet());
    without.agreed(End::Theirs, GMCP, false);
    assert_eq!(played.world.fault(), None);
}

#[test]
fn letters_are_those_of_each_side_and_none_is_lost() {
    let played = played_with(Kind::Silent, "charset = \"latin-1\"", "");
    let mut client = played.client(Profile::telnet());
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
    let told = played.world.player("bob");
    played.world.sends(&told, b"caf\xe9 \xff\xff\r\n");
    client.until("café ÿ\n");
    client.types("echo zoë ÿ");
    client.until("zoë ÿ\n");
    let mut latin1 = played.client(Profile::telnet().reading(Letters::Latin1));
    latin1.sends(b"connect al secret-of-al\r\n");
    latin1.until("Limbo\n");
}

#[test]
fn what_begins_with_the_escape_is_for_us_and_twice_of_it_is_once_for_the_world() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", Profile::tintin());
    client.types("//hw");
    client.until("Hello, world!\n");
    client.types("////hello");
    client.types("echo behind");
    client.until("behind\n");
    let lines = played.world.player("bob").lines();
    assert_eq!(lines[1..], ["//hello", "echo behind"]);
    client.types("//quit");
    client.rest();
}

#[test]
fn a_door_may_have_another_escape_or_none() {
    let played = played_with(Kind::Mush, "", "escape = \"#:\"");
    let mut client = played.inside("bob", Profile::tintin());
    client.types("//hw");
    client.types("#:hw");
    client.until("Hello, world!\n");
    played.world.player("bob").hears("//hw");
    let played = played_with(Kind::Mush, "", "escape = \"\"");
    let mut client = played.inside("bob", Profile::tintin());
    client.types("//hw");
    client.types("echo behind");
    client.until("behind\n");
    assert_eq!(played.world.player("bob").lines()[1..], ["//hw", "echo behind"]);
}
