//! Doors with everything resolved: what the listener opens and what a worker obeys.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::listen::{Listen, PEOPLE_PORT};
use crate::network::Network;
use crate::play::{Quit, Resume};
use crate::settings::Settings;
use crate::words::DoorMode;

/// What a line begins with that is for us while somebody plays.
const ESCAPE: &str = "//";

/// Programs that may read numbers at once, …
const READERS: u32 = 32;

/// … and from one address (IPv6: from one /64).
const READERS_PER_ADDRESS: u32 = 8;

/// A door: addresses, how it receives a client, and the limits that hold there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Door {
    /// Where it stands; several addresses only at the main door.
    pub listen: Vec<Listen>,
    /// Left closed, with a word, where its address is taken: nobody has asked for it.
    pub optional: bool,
    /// How it receives a client.
    pub mode: DoorMode,
    /// What a HUMAN reads first.
    pub welcome: String,
    /// Clients at once at this door; never more than `limits.clients`, which all doors share.
    pub clients: u32,
    /// Clients at once at this door from one address (IPv6: from one /64).
    pub clients_per_address: u32,
    /// Seconds that a HUMAN or CLIENT may be silent; 0 = for ever.
    pub idle_seconds: u64,
    /// Bytes of one line.
    pub line: usize,
    /// Bytes of one line from a game server that has proved who it is; never less than `line`.
    pub server_line: usize,
    /// Who may come in here, and has to say by the PROXY protocol for whom; empty: everybody, for himself.
    pub proxy: Vec<Network>,
    /// The world that it leads to; none: to our own prompt.
    pub world: Option<String>,
    /// What a line begins with that is for us while somebody plays; empty: no line is.
    pub escape: String,
    /// While somebody plays he sees nothing of ours between the lines of the world but what he has asked for.
    pub clean: bool,
    /// A player who has left his world is not shown our prompt: the connection ends.
    pub quit_closes: bool,
    /// A player is told the word by which he goes on as soon as he is in his world.
    #[serde(default)]
    pub shows_word: bool,
    /// What crawlers are told here before all else, as [`crate::mssp::variables`] reads it; may be empty.
    pub mssp: String,
}

impl Door {
    /// Whether a proxy in front of it says who its clients are.
    pub fn is_behind_proxy(&self) -> bool {
        !self.proxy.is_empty()
    }

    /// Whether one who connects from here is such a proxy.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.proxy.iter().any(|network| network.contains(peer))
    }
}

impl Settings {
    /// All doors: the main one first, then those of the file in their order, or the one for people that nobody has asked for; then the
    /// one of `metrics.address`.
    pub fn doors(&self) -> Vec<Door> {
        let limits = &self.limits;
        let main = Door {
            listen: self.listen.clone(),
            optional: false,
            mode: DoorMode::Ask,
            welcome: self.texts.welcome.clone(),
            clients: limits.clients,
            clients_per_address: limits.clients_per_address,
            idle_seconds: limits.idle_seconds,
            line: limits.line,
            server_line: limits.server_line.max(limits.line),
            proxy: Vec::new(),
            world: None,
            escape: ESCAPE.to_owned(),
            clean: false,
            quit_closes: false,
            shows_word: false,
            mssp: String::new(),
        };
        let others = self.door.iter().map(|door| {
            let line = door.line.unwrap_or(main.line);
            // Who comes straight to a world sees nothing of us, and may be silent there for as long as the world lets him.
            let (welcome, idle_seconds) = match door.world {
                Some(_) => (String::new(), 0),
                None => (main.welcome.clone(), main.idle_seconds),
            };
            Door {
                listen: vec![door.address.clone()],
                optional: false,
                mode: door.mode,
                welcome: door.welcome.clone().unwrap_or(welcome),
                clients: door.clients.unwrap_or(main.clients).min(limits.clients),
                clients_per_address: door.clients_per_address.unwrap_or(main.clients_per_address),
                idle_seconds: door.idle_seconds.unwrap_or(idle_seconds),
                line,
                server_line: limits.server_line.max(line),
                proxy: door.proxy.clone().unwrap_or_default(),
                world: door.world.clone(),
                escape: door.escape.clone().unwrap_or(main.escape.clone()),
                clean: door.clean.unwrap_or(main.clean),
                quit_closes: door.quit.map_or(door.world.is_some(), |quit| quit == Quit::Close),
                shows_word: door.resume == Some(Resume::Shown),
                mssp: door.mssp.clone().unwrap_or_default(),
            }
        });
        let others: Vec<Door> = others.collect();
        let metrics = self.metrics.address.0.iter().map(|address| Door {
            listen: vec![address.clone()],
            mode: DoorMode::Metrics,
            clients: READERS,
            clients_per_address: READERS_PER_ADDRESS,
            ..main.clone()
        });
        let metrics: Vec<Door> = metrics.collect();
        // Where the main one is, so that one address to listen at is the only one.
        let for_people = self.listen.first().filter(|_| self.door_for_people).into_iter().map(|main_at| Door {
            listen: vec![main_at.with_port(PEOPLE_PORT)],
            optional: true,
            mode: DoorMode::Human,
            ..main.clone()
        });
        let for_people: Vec<Door> = for_people.collect();
        std::iter::once(main).chain(others).chain(for_people).chain(metrics).collect()
    }
}
