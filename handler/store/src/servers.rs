//! Game servers in the store.

use crate::{Result, ServerId};
use ssmglobal_ipc::Time;

/// A hash of a key that is itself random, so a plain digest is enough.
pub type KeyHash = [u8; 32];

/// A game server as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its number.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub added: Time,
    /// When it last proved who it is.
    pub last_auth: Option<Time>,
    /// Whether it is refused.
    pub disabled: bool,
    /// What was proved under a smaller one holds no longer.
    pub epoch: u32,
    /// Whether it may check players' passwords.
    pub login_check: bool,
}

/// A game server to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewServer {
    /// Its number.
    pub id: ServerId,
    /// Its name; unique without regard to ASCII case.
    pub name: String,
    /// What is kept of its key.
    pub key: KeyHash,
    /// The moment of adding.
    pub added: Time,
}

/// Reading game servers.
pub trait ReadServers {
    /// All, by name.
    fn servers(&self) -> Result<Vec<Server>>;
    /// One, by name without regard to ASCII case, with its key's hash.
    fn server_by_name(&self, name: &str) -> Result<Option<(Server, KeyHash)>>;
}
