//! The programs that people use, each at a terminal of its own, at the door of a world.

use super::{Played, played_with};
use crate::harness::worlds::{Cut, End, Kind, Profile, StrictClient, TinyMux, codes::option::ECHO};
use crate::harness::{Backend, Client};

const ALL: [&str; 5] = ["tt++", "tf5", "KBtin", "telnet", "nc"];

/// It says something, and reads what the world makes of it, which it cannot have typed itself.
fn plays(client: &mut Client, played: &Played, name: &str, connection: usize, what: &str) {
    client.types(&format!("say {what}"));
    let told = played.world.player_from(connection, name);
    told.hears(&format!("say {what}"));
    played.world.says(&told, format!("heard-{what}\r\n").as_bytes());
    client.sees(&format!("heard-{what}"));
}

#[test]
fn each_plays_a_mush_over_the_death_of_the_world() {
    for name in ALL {
        let mut played = played_with(Kind::Mush, "", "");
        let Some(mut client) = Client::at(name, played.door) else { continue };
        client.sees("connect <name>");
        client.types("connect bob secret-of-bob");
        client.sees("Limbo");
        plays(&mut client, &played, "bob", 0, "hello");
        if client.has_telnet() {
            let told = played.world.player("bob");
            let before = told.wait("a window", |_| told.window());
            client.terminal.resizes(100, 30);
            played.world.player("bob").wait("another window", |_| told.window().filter(|window| *window != before));
        }
        client.types_for_us("//who");
        client.sees("Nobody is on.");
        plays(&mut client, &played, "bob", 0, "again");
        played.world.crashes(Cut::Reset);
        client.sees("zoo is down.");
        client.types("say kept");
        client.sees("1 line kept");
        played.world.starts();
        client.sees("zoo is back");
        played.world.player_from(1, "bob").hears("say kept");
        plays(&mut client, &played, "bob", 1, "here");
        client.types_for_us("//hw");
        client.sees("Hello, world!");
        client.types("quit");
        client.sees("*** Disconnected ***");
        played.world.player_from(1, "bob").hears("quit");
        client.is_clean();
    }
}

#[test]
fn each_plays_a_diku_and_its_password_is_not_shown() {
    for name in ALL {
        let mut played = played_with(Kind::Diku, "", "");
        let Some(mut client) = Client::at(name, played.door) else { continue };
        client.sees("known?");
        client.types("Bob");
        client.sees("Password:");
        client.types("secret-of-Bob");
        client.sees("RETURN:");
        client.types("");
        client.sees("choice:");
        client.types("1");
        client.sees("The Temple");
        plays(&mut client, &played, "Bob", 0, "hello");
        if client.has_telnet() {
            assert!(!client.terminal.screen.text().contains("secret-of-Bob"), "{name}");
        }
        played.world.crashes(Cut::Reset);
        client.sees("zoo is down.");
        client.types("say kept");
        client.sees("1 line kept");
        played.world.starts();
        client.sees("The Temple");
        plays(&mut client, &played, "Bob", 1, "here");
        assert_eq!(played.world.player_from(1, "Bob").lines()[..5], ["Bob", "secret-of-Bob", "", "1", "say kept"]);
        client.is_clean();
    }
}

#[test]
fn each_plays_a_real_mush_over_its_death() {
    let Some(mut mux) = TinyMux::start() else { return };
    mux.has(&["Bob"]);
    let plan = Backend::plan();
    let config = format!(
        "[world.mymush]\nplay = [\"{}\"]\nkind = \"tinymux\"\n[[door]]\naddress = \"{}:4201\"\nworld = \"mymush\"\n",
        mux.at(),
        plan.address()
    );
    let backend = plan.config(&config).start();
    let mut all: Vec<Client> = ALL.into_iter().filter_map(|name| Client::at(name, backend.doors()[1])).collect();
    for client in &mut all {
        client.sees("connect");
        client.types("connect Bob secret-of-Bob");
        client.sees("Limbo");
        client.types("say hello");
        client.sees("You say, ");
    }
    mux.is_killed();
    for client in &mut all {
        client.sees("mymush is down.");
        client.types("say kept");
        client.sees("1 line kept");
    }
    mux.starts();
    for client in &mut all {
        client.sees("mymush is back");
        client.sees("You say, ");
        client.types("QUIT");
        client.sees("*** TinyMUX Disconnected ***");
        client.is_clean();
    }
}

/// One looks at every byte for clients with narrow and wide windows, and for one that reads aloud.
#[test]
fn not_a_byte_is_stray_at_any_width_nor_for_one_that_is_read_aloud() {
    for profile in [
        Profile::tintin().sized(40, 24),
        Profile::tintin().sized(80, 24),
        Profile::telnet().sized(40, 24),
        Profile::screen_reader().sized(80, 24),
    ] {
        let (width, aloud) = (usize::from(profile.window.0), profile.bare);
        let mut played = played_with(Kind::Diku, "", "");
        let mut client = StrictClient::to(played.door, profile);
        for (asked, answer) in
            [("known? ", "Bob"), ("Password: ", "secret-of-Bob"), ("RETURN: ", ""), ("choice: ", "1")]
        {
            client.until(asked);
            if answer.starts_with("secret") {
                client.agreed(End::Theirs, ECHO, true);
            }
            client.types(answer);
        }
        client.until("The Temple\n");
        client.until("> ");
        for line in ["//who", "//hw", "//help play", "//nonsense"] {
            client.types(line);
            client.until("> ");
        }
        client.types("echo hi");
        client.until("hi\n");
        played.world.crashes(Cut::Reset);
        client.until("leaves.");
        client.types("echo kept");
        client.until("kept for zoo.");
        played.world.starts();
        client.until("kept\n");
        client.types("//quit");
        client.rest();
        let shown = client.shown();
        // What is read aloud is not broken.
        for line in shown.lines().filter(|line| !aloud && !line.starts_with("Welcome to the tests")) {
            assert!(line.chars().filter(|letter| !letter.is_control()).count() <= width + 8, "{width}: {line:?}");
        }
    }
}
