//! A player's program, the bridge with both machines, and a world that says what the test wants.

use serde::{Serialize, de::DeserializeOwned};
use ssmglobal_telnet::{Bridge, Event, FromWorld, Role, Telnet, Terms};

use crate::program::Program;
use crate::words::{bytes, option, words};

pub struct Talk {
    pub program: Program,
    pub player: Telnet,
    pub bridge: Bridge,
    /// What is on its way to each.
    pub to_player: Vec<u8>,
    pub to_world: Vec<u8>,
    /// What the owner was told.
    pub told: Vec<String>,
    /// Reads have at most so many bytes.
    read: usize,
    /// Everything is put away and gone on with between two reads.
    moves: bool,
}

pub fn terms() -> Terms {
    Terms { charsets: ["UTF-8".into(), "ISO-8859-1".into()].into(), ..Terms::default() }
}

impl Talk {
    /// The program has come to a door, and everything was offered to it.
    pub fn new(program: Program) -> Self {
        Self::with(program, usize::MAX, false)
    }

    pub fn with(program: Program, read: usize, moves: bool) -> Self {
        let mut talk = Self {
            program,
            player: Telnet::new(Role::Server),
            bridge: Bridge::new(),
            to_player: Vec::new(),
            to_world: Vec::new(),
            told: Vec::new(),
            read,
            moves,
        };
        if talk.program.speaks {
            talk.player.offer_all(&mut talk.to_player);
        }
        talk.settle();
        talk.program.heard.clear();
        talk
    }

    /// A connection to a world begins.
    pub fn connect(&mut self) {
        self.connect_with(terms());
    }

    pub fn connect_with(&mut self, terms: Terms) {
        self.bridge.connect(&mut self.player, &mut self.to_player);
        self.bridge.present(terms, &mut self.player, &mut self.to_player, &mut self.to_world);
        self.settle();
    }

    /// The world says this, and all is said that follows from it. Returns what the world hears.
    pub fn world(&mut self, says: &str) -> String {
        self.world_bytes(&bytes(says));
        self.settle();
        self.world_hears()
    }

    /// The same, but the player has not heard yet of anything.
    pub fn world_at_once(&mut self, says: &str) -> String {
        self.world_bytes(&bytes(says));
        self.world_hears()
    }

    /// The world says these bytes; gives those that it hears.
    pub fn world_says(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.world_bytes(bytes);
        self.settle();
        std::mem::take(&mut self.to_world)
    }

    /// The player's program says this.
    pub fn player(&mut self, says: &[u8]) -> String {
        self.player_bytes(says);
        self.settle();
        self.world_hears()
    }

    pub fn give_up_waiting(&mut self) -> String {
        self.bridge.give_up_waiting(&mut self.player, &mut self.to_player, &mut self.to_world);
        self.settle();
        self.world_hears()
    }

    pub fn leave(&mut self) {
        self.bridge.leave(&mut self.player, &mut self.to_player);
        self.settle();
    }

    pub fn is_waiting(&self) -> bool {
        self.bridge.is_waiting(&self.player)
    }

    /// What the program was sent since the last look.
    pub fn player_hears(&mut self) -> String {
        words(&std::mem::take(&mut self.program.heard))
    }

    pub fn player_has(&self, name: &str) -> bool {
        self.program.has.contains(&option(name)) || self.program.does.contains(&option(name))
    }

    pub fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// Lets the program hear and answer.
    pub fn settle_quietly(&mut self) {
        self.settle();
    }

    /// All is offered to a player whose answers the test makes.
    pub fn player_offer(&mut self) -> Vec<u8> {
        self.player.offer_all(&mut self.to_player);
        std::mem::take(&mut self.to_player)
    }

    fn world_hears(&mut self) -> String {
        words(&std::mem::take(&mut self.to_world))
    }

    /// Lets the program hear and answer until it has nothing more to say.
    fn settle(&mut self) {
        for _ in 0..50 {
            let coming = std::mem::take(&mut self.to_player);
            let answer = self.program.hear(&coming);
            if answer.is_empty() && self.to_player.is_empty() {
                return;
            }
            self.player_bytes(&answer);
        }
        panic!("they talk for ever");
    }

    pub fn world_bytes(&mut self, bytes: &[u8]) {
        for mut read in bytes.chunks(self.read) {
            self.go_on_elsewhere();
            let (player, bridge) = (&mut self.player, &mut self.bridge);
            while let Some(event) = bridge.from_world(player, &mut read, &mut self.to_player, &mut self.to_world) {
                match event {
                    FromWorld::Data(data) => {
                        let from = self.to_player.len();
                        self.to_player.extend_from_slice(data);
                        player.seal(&mut self.to_player, from);
                        continue;
                    }
                    FromWorld::PromptEnd => player.prompt_end(&mut self.to_player),
                    _ => {}
                }
                self.told.push(format!("{event:?}"));
            }
        }
    }

    pub fn player_bytes(&mut self, bytes: &[u8]) {
        for mut read in bytes.chunks(self.read) {
            self.go_on_elsewhere();
            while let Some(event) = self.player.next(&mut read, &mut self.to_player) {
                if let Event::Data(data) = event {
                    let from = self.to_world.len();
                    self.to_world.extend_from_slice(data);
                    self.bridge.seal_to_world(&mut self.to_world, from);
                    continue;
                }
                self.bridge.from_player(&mut self.player, event, &mut self.to_player, &mut self.to_world);
            }
        }
    }

    fn go_on_elsewhere(&mut self) {
        if self.moves {
            (self.player, self.bridge) = (moved(&self.player), moved(&self.bridge));
        }
    }
}

/// What another program makes of a state that it was left.
fn moved<T: Serialize + DeserializeOwned>(machine: &T) -> T {
    serde_json::from_str(&serde_json::to_string(machine).unwrap()).unwrap()
}
