//! How a game server lets players in, and says who is there.

use crate::Secret;
use serde::{Deserialize, Serialize};

/// `PASS`: a word by which a game server learns who comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// The game server that it is for.
    pub server: String,
}

/// The answer to `PASS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassGiven {
    /// The word, good once.
    pub pass: Secret,
    /// The game server, as it was added.
    pub server: String,
    /// How long it is good.
    pub seconds: u32,
}

/// `PASS REDEEM`: whose a pass is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassRedeem {
    /// As the player has shown it.
    pub pass: Secret,
    /// Where he comes from; nothing when that does not count.
    pub address: Option<String>,
}

/// The answer to `PASS REDEEM` and `LOGIN CHECK`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassRedeemed {
    /// The player, as registered.
    pub player: String,
    /// His number, which never is another's.
    pub number: u32,
}

/// `ENTER` and `LEAVE`: a player is on this game server, or is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// His name, in any case.
    pub player: String,
}

/// `PRESENT`: all who are on this game server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Their names, in any case.
    pub players: Vec<String>,
}

/// `LOGIN CHECK`: whether a player's password is right, who has typed it at a game server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginCheck {
    /// The player's name, in any case.
    pub name: String,
    /// The password to compare.
    pub password: Secret,
    /// Where he comes from: tries are counted by that.
    pub address: String,
}
