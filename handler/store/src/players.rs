//! Players in the store.

use crate::{PlayerId, Result};
use ssmglobal_ipc::{Rating, Secret, Time};
use std::net::IpAddr;

/// A player as kept, without the password's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    /// Its number.
    pub id: PlayerId,
    /// As registered.
    pub name: String,
    /// The e-mail address as it was given.
    pub email: Option<String>,
    /// When the player was registered.
    pub registered: Time,
    /// The last login, of which registering is the first; nothing when there was none.
    pub last_login: Option<Time>,
    /// Why the login is refused, if it is.
    pub disabled: Option<String>,
    /// What was proved under a smaller one holds no longer.
    pub epoch: u32,
    /// How many minutes one login may last; nothing: any number.
    pub session_minutes: Option<u32>,
    /// Logins; registering is the first.
    pub times_on: u64,
    /// Milliseconds of all logins that have ended.
    pub milliseconds_on: u64,
}

/// What is kept of a password. `Debug` shows nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHash {
    /// In PHC format.
    pub hash: Secret,
    /// The player's epoch.
    pub epoch: u32,
}

/// From where a player was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// What counts as one address.
    pub network: IpAddr,
    /// When he was last in from there.
    pub at: Time,
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
    /// The e-mail address as it was given.
    pub email: Option<String>,
    /// The moment of registering.
    pub registered: Time,
}

/// How a player is called, and reached.
#[derive(Clone, Copy, Debug)]
pub struct NamesOf<'a> {
    /// As registered.
    pub name: &'a str,
    /// The name with case taken away.
    pub folded: &'a str,
    /// As the eye sees it.
    pub skeleton: &'a str,
    /// What he has given as his e-mail address.
    pub email: Option<&'a str>,
}

/// Reading players.
pub trait ReadPlayers {
    /// All names with their numbers, in any order, for the directory in memory: (id, name, folded, skeleton).
    fn player_names(&self, each: &mut dyn FnMut(PlayerId, NamesOf<'_>)) -> Result<()>;
    /// Those whose login is refused.
    fn players_disabled(&self) -> Result<Vec<PlayerId>>;
    /// How many there are.
    fn player_count(&self) -> Result<u64>;
    /// One player.
    fn player(&self, id: PlayerId) -> Result<Option<Player>>;
    /// What is kept of the password.
    fn player_hash(&self, id: PlayerId) -> Result<Option<KeptHash>>;
    /// The epochs of those who have another than 0.
    fn player_epochs(&self) -> Result<Vec<(PlayerId, u32)>>;
    /// The limits of those who have said for whom the worlds may be that they are let into.
    fn player_ratings(&self) -> Result<Vec<(PlayerId, Rating)>>;

    /// The minutes that one login may last, of those for whom there is a bound.
    fn player_limits(&self) -> Result<Vec<(PlayerId, u32)>>;
    /// From where a player was in, in any order.
    fn player_networks(&self, id: PlayerId) -> Result<Vec<Network>>;
    /// Who was in from where and not since a time, the oldest first.
    fn networks_before(&self, before: Time, limit: u32) -> Result<Vec<(PlayerId, IpAddr)>>;
    /// From where everybody was in, in any order.
    fn networks(&self, each: &mut dyn FnMut(PlayerId, Network)) -> Result<()>;
    /// Whether somebody has this folded name, or one that looks the same.
    fn player_name_taken(&self, folded: &str, skeleton: &str) -> Result<bool>;
    /// By folded name, those behind the folded name `after`.
    fn players(&self, after: Option<&str>, limit: u32) -> Result<Vec<Player>>;
}
