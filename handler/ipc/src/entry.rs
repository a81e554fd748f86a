//! How a game server lets players in, and says who is there.

use crate::growing::grown;
use crate::{Party, Rating, Secret, Time, Version};
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
    /// The world that he came to, where one game server has several.
    pub world: Option<String>,
}

grown! { PassRedeem { pass, address } then { world } }

/// The answer to `PASS REDEEM` and `LOGIN CHECK`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassRedeemed {
    /// The player, as registered.
    pub player: String,
    /// His number, which never is another's.
    pub number: u32,
    /// What he is.
    pub kind: HolderKind,
    /// What he may do beyond others.
    pub rights: Vec<String>,
    /// The world that the pass was for; nothing where it was for a game server.
    pub world: Option<String>,
    /// What he speaks, where he has said so.
    pub language: Option<String>,
    /// In which letters, where he has said so.
    pub charset: Option<String>,
    /// Since when he is on; nothing where he is not.
    pub since: Option<Time>,
}

grown! { PassRedeemed { player, number } then { kind, rights, world, language, charset, since } }

/// What somebody is who comes to a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HolderKind {
    /// A registered player.
    #[default]
    #[serde(rename = "player")]
    Player,
    /// Somebody who has not registered.
    #[serde(rename = "visitor")]
    Visitor,
    /// A program that acts under a name of its own.
    #[serde(rename = "bot")]
    Bot,
}

/// `WORLD ENTER`: where a world is, and a pass for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldEnter {
    /// Its name, in any case; empty: the start world of the universe.
    pub world: String,
    /// The version of the program that is to go there.
    pub version: Option<Version>,
    /// What its user speaks, for the world.
    pub language: Option<String>,
    /// In which letters.
    pub charset: Option<String>,
}

/// The answer to `WORLD ENTER`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldEntered {
    /// The world, as it is written.
    pub world: String,
    /// Its number, which never is another's.
    pub number: u32,
    /// Where it is: a name or an address.
    pub address: String,
    /// The port.
    pub port: u16,
    /// To be shown there, good once.
    pub pass: Secret,
    /// How long it is good.
    pub seconds: u32,
}

/// `RATING`: for whom the worlds may be that a player is let into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingLimit {
    /// At the most; nothing: any.
    pub rating: Option<Rating>,
}

/// To a game server: something for somebody who is on it, and has no connection to the backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForGuest {
    /// The world that he is in; nothing where the game server has none.
    pub world: Option<String>,
    /// For whom.
    pub to: Party,
    /// What he is to be shown.
    pub event: Box<crate::Event>,
}

/// The same for several at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForGuests {
    /// The world that they are in; nothing where the game server has none.
    pub world: Option<String>,
    /// For whom.
    pub to: Vec<Party>,
    /// What they are to be shown.
    pub event: Box<crate::Event>,
}

/// To the host of a world: a visitor in it has become a player, and stays where he is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestRegistered {
    /// The world; nothing where the game server has none.
    pub world: Option<String>,
    /// Who he was.
    pub visitor: Party,
    /// Who he is.
    pub player: String,
    /// His number, which never is another's.
    pub number: u32,
}

/// To the host of a world: somebody in it has other rights than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestRights {
    /// The world; nothing where the game server has none.
    pub world: Option<String>,
    /// The player whose rights have changed.
    pub player: Party,
    /// All that he has now.
    pub rights: Vec<String>,
}

/// To the host of a world: somebody who is in it has closed his last connection to the backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestClosed {
    /// The world.
    pub world: String,
    /// The player or visitor who has no connection to the backend any more.
    pub player: Party,
}

/// To whoever says that somebody is there: he may not be on any more, and is not shown there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestOut {
    /// The world; nothing where the game server has none.
    pub world: Option<String>,
    /// The player or visitor who may not be on.
    pub player: Party,
    /// Why, as he is told it.
    pub msg: String,
}

/// `ENTER` and `LEAVE`: a player is on this game server, or is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// His name, in any case; or the pass that he has shown.
    pub player: String,
    /// The world that he is in; nothing where the game server has none.
    pub world: Option<String>,
}

grown! { Visit { player } then { world } }

/// `PRESENT`: all who are on this game server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Their names, in any case.
    pub players: Vec<String>,
    /// The world that they are in; nothing where the game server has none.
    pub world: Option<String>,
}

grown! { Present { players } then { world } }

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
