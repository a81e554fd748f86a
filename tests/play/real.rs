//! Real worlds that the machine has by chance: Evennia, and a tbaMUD. TinyMUX has a page of its own.

use super::wide;
use crate::harness::worlds::{Circle, Evennia, StrictClient};
use crate::harness::{Backend, MOVED};
use std::net::SocketAddr;

/// A backend with a door to a real world of this kind.
fn door_to(at: SocketAddr, kind: &str) -> (Backend, SocketAddr) {
    let plan = Backend::plan();
    let config = format!(
        "[world.zoo]\nplay = [\"{at}\"]\nkind = \"{kind}\"\n[[door]]\naddress = \"{}:4201\"\nworld = \"zoo\"\n",
        plan.address()
    );
    let backend = plan.config(&config).start();
    let door = backend.doors()[1];
    (backend, door)
}

/// Says something in the world, and hears it.
fn says(client: &mut StrictClient, what: &str) {
    client.types(&format!("say {what}"));
    client.until("You say, ");
    client.until(what);
}

#[test]
fn a_real_evennia_is_reloaded_and_killed_and_its_player_is_back() {
    let Some(evennia) = Evennia::start() else { return };
    evennia.has(&["Bob"]);
    let (backend, door) = door_to(evennia.at(), "evennia");
    backend.operator(&["world", "probe", "zoo"]).succeeds().prints("zoo answers. It is set as evennia.");
    let mut bob = StrictClient::to(door, wide().letting_offer_again());
    bob.until("re-show this screen.");
    bob.types("connect Bob wrong-of-Bob");
    bob.until("Username and/or password is incorrect.");
    bob.types("connect Bob secret-of-Bob");
    bob.until("You become");
    says(&mut bob, "hello");
    // Its own reload keeps the connection.
    evennia.reloads();
    bob.until("... Server restarted.");
    says(&mut bob, "after the reload");
    backend.upgrade_to("9.9.9");
    backend.log().wait(MOVED);
    says(&mut bob, "after the upgrade");
    // The Portal listens again long before the game is there.
    evennia.is_killed();
    bob.until("zoo is down.");
    bob.types("say kept");
    bob.until("1 line kept for zoo.");
    evennia.starts();
    bob.until("you are in it as before.");
    bob.until("You say, ");
    bob.until("kept");
    // Its Server alone: the Portal keeps him, and nobody can see from outside that the game is gone.
    evennia.server_is_killed();
    evennia.starts();
    bob.until("... Server restarted.");
    bob.types("ic");
    bob.until("You become");
    says(&mut bob, "again");
    bob.types("quit");
    bob.rest();
    assert!(!backend.log().text().contains("secret-of-Bob"));
}

#[test]
fn a_real_diku_is_killed_and_its_player_is_back() {
    let Some(mut circle) = Circle::start() else { return };
    circle.has(&["God", "Bob"]);
    let (backend, door) = door_to(circle.at(), "diku");
    backend.operator(&["world", "probe", "zoo"]).succeeds().prints("zoo answers. It is set as diku.");
    let mut bob = StrictClient::to(door, wide().letting_offer_again());
    for (asked, answer) in
        [("known? ", "Bob"), ("Password: ", "of-Wrong"), ("Password: ", "of-Bob"), ("RETURN: ", ""), ("choice: ", "1")]
    {
        bob.until(asked);
        bob.types(answer);
    }
    bob.until("May your visit here be");
    says(&mut bob, "hello");
    backend.upgrade_to("9.9.9");
    backend.log().wait(MOVED);
    for word in ["kept", "again"] {
        circle.is_killed();
        bob.until("zoo is down.");
        bob.types(&format!("say {word}"));
        bob.until("1 line kept for zoo.");
        circle.starts();
        bob.until("you are in it as before.");
        bob.until(&format!("You say, '{word}'"));
    }
    bob.types("quit");
    bob.until("choice: ");
    bob.types("0");
    bob.rest();
    assert!(!backend.log().text().contains("of-Bob"));
}
