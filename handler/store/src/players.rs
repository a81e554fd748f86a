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
#[derive(Clone, Debug)]
pub struct NewPlayer {
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
    /// By folded name, those behind `after` (a name as shown or folded by the caller: give the folded one).
    fn players(&self, after: Option<&str>, limit: u32) -> Result<Vec<Player>>;
}

/// Changing players.
pub trait WritePlayers {
    /// Adds one. [`StoreError::Exists`](crate::StoreError::Exists) when folded name or skeleton is taken; the transaction lives on.
    fn player_add(&mut self, player: &NewPlayer) -> Result<PlayerId>;
    /// Another hash.
    fn player_set_hash(&mut self, id: PlayerId, hash: &Secret) -> Result<()>;
    /// A login has happened; gives the one before.
    fn player_logged_in(&mut self, id: PlayerId, at: Time) -> Result<Option<Time>>;
    /// Refuses the login with a reason, or takes it again.
    fn player_disable(&mut self, id: PlayerId, reason: Option<&str>) -> Result<()>;
}
