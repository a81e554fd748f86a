//! Which end of a connection a machine is, and what only that end does. Runs in the worker.

use serde::{Deserialize, Serialize};

use crate::charset::Stand;
use crate::client::Client;
use crate::negotiation::{Party, Side};
use crate::server::Server;

/// Which end of the connection a [`Telnet`](crate::Telnet) is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The one that was connected to: it offers options, and asks for the facts of the terminal.
    #[default]
    Server,
    /// The one that has connected, to a game server: it offers nothing, agrees to what it knows, and tells the facts.
    Client,
}

/// What only one of the ends has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum End {
    Server(Server),
    Client(Client),
}

impl End {
    pub(crate) fn new(role: Role) -> Self {
        match role {
            Role::Server => Self::Server(Server::default()),
            Role::Client => Self::Client(Client::default()),
        }
    }

    pub(crate) fn role(&self) -> Role {
        match self {
            Self::Server(_) => Role::Server,
            Self::Client(_) => Role::Client,
        }
    }

    /// How this end stands to CHARSET.
    pub(crate) fn stand(&self) -> Stand<'_> {
        match self {
            Self::Server(_) => Stand { gives_way: false, takes_utf8: true, takes: &[] },
            Self::Client(client) => client.stand(),
        }
    }

    /// The state of an option that only this end supports.
    pub(crate) fn side(&self, party: Party, option: u8) -> Option<&Side> {
        match self {
            Self::Server(server) => server.own_side(party, option),
            Self::Client(client) => client.own_side(party, option),
        }
    }

    /// The same, to change it.
    pub(crate) fn side_mut(&mut self, party: Party, option: u8) -> Option<&mut Side> {
        match self {
            Self::Server(server) => server.own_side_mut(party, option),
            Self::Client(client) => client.own_side_mut(party, option),
        }
    }
}

impl Default for End {
    fn default() -> Self {
        Self::new(Role::default())
    }
}
