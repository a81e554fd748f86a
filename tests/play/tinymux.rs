//! A real world, where it is installed: TinyMUX.

use super::{kind_of, wide};
use crate::harness::worlds::{Kind, StrictClient, TinyMux};
use crate::harness::{Backend, MOVED};
use std::net::SocketAddr;

/// A TinyMUX that is played through a backend; none where there is none.
fn mux() -> Option<(TinyMux, Backend, SocketAddr)> {
    let mux = TinyMux::start()?;
    mux.has(&["Bob", "Eve"]);
    let plan = Backend::plan();
    let config = format!(
        "[world.mymush]\nplay = [\"{}\"]\nkind = \"{}\"\n[[door]]\naddress = \"{}:4201\"\nworld = \"mymush\"\n",
        mux.at(),
        kind_of(Kind::Mush),
        plan.address()
    );
    let backend = plan.config(&config).start();
    let door = backend.doors()[1];
    Some((mux, backend, door))
}

/// One who has logged in.
fn inside(door: SocketAddr, name: &str) -> StrictClient {
    let mut client = StrictClient::to(door, wide().letting_offer_again());
    client.until("connect");
    client.types(&format!("connect {name} secret-of-{name}"));
    client.until("Limbo");
    client
}

/// Says something in the world, and hears it.
fn says(client: &mut StrictClient, what: &str) {
    client.types(&format!("say {what}"));
    client.until(&format!("You say, “{what}”\n"));
}

#[test]
fn a_real_mush_is_killed_and_shut_down_and_restarted_and_its_player_is_back_each_time() {
    let Some((mut mux, backend, door)) = mux() else { return };
    let mut bob = inside(door, "Bob");
    says(&mut bob, "hello");
    // Its own warm restart keeps the connection.
    mux.restarts();
    says(&mut bob, "after the restart");
    mux.is_killed();
    bob.until("mymush is down.");
    bob.types("say kept");
    bob.until("1 line kept for mymush.");
    mux.starts();
    bob.until("you are in it as before.");
    bob.until("You say, “kept”\n");
    backend.upgrade_to("9.9.9");
    backend.log().wait(MOVED);
    says(&mut bob, "after the upgrade");
    mux.shuts_down();
    bob.until("mymush is down.");
    mux.starts();
    bob.until("you are in it as before.");
    says(&mut bob, "again");
    bob.types("QUIT");
    bob.rest();
}
