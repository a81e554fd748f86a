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
}

/// Reading game servers.
pub trait ReadServers {
    /// All, by name.
    fn servers(&self) -> Result<Vec<Server>>;
    /// One, by name without regard to ASCII case, with its key's hash.
    fn server_by_name(&self, name: &str) -> Result<Option<(Server, KeyHash)>>;
}

/// Changing game servers.
pub trait WriteServers {
    /// Adds one. [`StoreError::Exists`](crate::StoreError::Exists) when the name is taken.
    fn server_add(&mut self, name: &str, key: &KeyHash, at: Time) -> Result<ServerId>;
    /// Another key.
    fn server_set_key(&mut self, id: ServerId, key: &KeyHash) -> Result<()>;
    /// Refused from now on, or not.
    fn server_disable(&mut self, id: ServerId, disabled: bool) -> Result<()>;
    /// It has proved who it is.
    fn server_authed(&mut self, id: ServerId, at: Time) -> Result<()>;
}
