//! A world that is hosted, its owner and another player: where scenes of worlds begin.

use super::{Backend, GameServer, Program};
use serde_json::json;

/// A backend with the players Bob and alice, and the game server arena, which hosts Bob's world Zoo.
pub struct Zoo {
    /// With all the others.
    pub backend: Backend,
    /// Who owns the world.
    pub bob: Program,
    /// Another player.
    pub alice: Program,
    /// Who hosts the world.
    pub arena: GameServer,
    /// The hosting password of the world.
    pub password: String,
}

impl Zoo {
    /// One with the defaults.
    pub fn open() -> Zoo {
        let backend = Backend::start();
        let [bob, alice] = ["Bob", "alice"].map(|name| backend.player(name));
        let arena = backend.game_server("arena");
        let password = backend.world("Zoo", "bob");
        let mut zoo = Zoo { backend, bob, alice, arena, password };
        zoo.is_hosted();
        zoo
    }

    /// The game server hosts the world, also after it has stopped it. Clients reach it at zoo.example.org.
    pub fn is_hosted(&mut self) {
        let place = json!({"world": "zoo", "password": self.password, "port": 7777, "address": "zoo.example.org"});
        self.arena.ok("HOST START", place);
    }

    /// Bob goes into the world; gives the pass that he has shown.
    pub fn bob_enters(&mut self) -> String {
        self.arena.lets_in(&mut self.bob, "zoo")
    }

    /// Bob closes his connection; in its place is one of nobody.
    pub fn bob_closes(&mut self) {
        self.bob.closes(&self.backend);
    }
}
