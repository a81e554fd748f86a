//! Players in the store.

use crate::{PlayerId, Result};
use ssmglobal_ipc::{Secret, Time};

/// A player as kept, without the password's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    /// Its number.
    pub id: PlayerId,
    /// As registered.
    pub name: String,
    /// As given.
    pub email: Option<String>,
    /// When.
    pub registered: Time,
    /// When.
    pub last_login: Option<Time>,
    /// Why the login is refused, if it is.
    pub disabled: Option<String>,
}

/// A player to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlayer {
    /// Its number.
    pub id: PlayerId,
    /// As it is to be shown.
    pub name: String,
    /// The name with case taken away; unique.
    pub folded: String,
    /// The name as the eye sees it (confusable skeleton); unique.
    pub skeleton: String,
    /// The password's hash, in PHC format.
    pub hash: Secret,
    /// As given.
    pub email: Option<String>,
    /// Now.
    pub registered: Time,
}

/// Reading players.
pub trait ReadPlayers {
    /// All names with their numbers, in any order, for the directory in memory: (id, name, folded).
    fn player_names(&self, each: &mut dyn FnMut(PlayerId, &str, &str)) -> Result<()>;
    /// Those whose login is refused.
    fn players_disabled(&self) -> Result<Vec<PlayerId>>;
    /// How many there are.
    fn player_count(&self) -> Result<u64>;
    /// One player.
    fn player(&self, id: PlayerId) -> Result<Option<Player>>;
    /// The password's hash.
    fn player_hash(&self, id: PlayerId) -> Result<Option<Secret>>;
    /// Whether somebody has this folded name, or one that looks the same.
    fn player_name_taken(&self, folded: &str, skeleton: &str) -> Result<bool>;
    /// By folded name, those behind the folded name `after`.
    fn players(&self, after: Option<&str>, limit: u32) -> Result<Vec<Player>>;
}
