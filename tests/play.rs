//! Worlds that are played through us: small ones in the tests, and a real one.

mod address;
mod alone;
mod between;
mod clients;
mod compressed;
mod diku;
mod down;
mod front;
mod many;
mod moves;
mod probe;
mod real;
mod secrets;
mod shared;
mod survive;
mod ticket;
mod tinymux;
mod wire;

use crate::harness::Backend;
use crate::harness::worlds::{Kind, Profile, StrictClient, World};
use std::net::SocketAddr;

/// A world behind a backend, with a door that leads to it and one to our own prompt.
struct Played {
    backend: Backend,
    world: World,
    /// Where the world's door is.
    door: SocketAddr,
    /// Where our own prompt is.
    prompt: SocketAddr,
}

/// A client that shows a sentence of ours in one line.
fn wide() -> Profile {
    Profile::tintin().sized(250, 50)
}

/// How a world of this kind is called in the settings.
fn kind_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Diku => "diku",
        Kind::Evennia => "evennia",
        Kind::Mush => "tinymux",
        Kind::Silent => "pennmush",
    }
}

/// A world that is played, with more keys of its own and of its door.
fn played_with(kind: Kind, keys: &str, door: &str) -> Played {
    played(World::start(kind), kind, keys, door)
}

fn played(world: World, kind: Kind, keys: &str, door: &str) -> Played {
    let plan = Backend::plan();
    let address = plan.address().to_owned();
    let config = format!(
        "[world.zoo]\nplay = [\"{}\"]\nkind = \"{}\"\n{keys}\n\
         [[door]]\naddress = \"{address}:4201\"\nworld = \"zoo\"\n{door}\n\
         [[door]]\naddress = \"{address}:4202\"\nmode = \"human\"\n",
        world.address(),
        kind_of(kind)
    );
    let backend = plan.config(&config).start();
    let doors = backend.doors();
    Played { world, door: doors[1], prompt: doors[2], backend }
}

impl Played {
    /// A client at the world's door.
    fn client(&self, profile: Profile) -> StrictClient {
        StrictClient::to(self.door, profile)
    }

    /// One who has logged in to a world that takes one line for that.
    fn inside(&self, name: &str, profile: Profile) -> StrictClient {
        let mut client = self.client(profile);
        client.until("<password>");
        client.types(&format!("connect {name} secret-of-{name}"));
        client.until("Limbo\n");
        client
    }

    /// Bob, who has registered with us, and has logged in to such a world from our prompt.
    fn known(&self, profile: Profile) -> StrictClient {
        let mut client = StrictClient::to(self.prompt, profile);
        for (asked, typed) in
            [("> ", "REGISTER bob secret-of-bob"), ("> ", "PLAY zoo"), ("<password>", "connect bob secret-of-bob")]
        {
            client.until(asked);
            client.types(typed);
        }
        client.until("Limbo\n");
        client
    }
}
