//! Players: registering, logging in, who is on.

use crate::growing::grown;
use crate::{Base64, Rating, Secret, Time};
use serde::{Deserialize, Serialize};

/// `REGISTER`: a new player, who is then logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// 2–20 letters, digits, `_-.` (unless the settings say otherwise); unique without regard to case and to look-alike letters.
    pub name: String,
    /// The password to hash.
    pub password: Secret,
    /// Kept for the operator; shown to nobody else.
    pub email: Option<String>,
}

/// `LOGIN`: to be a registered player from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The player's name, in any case.
    pub name: String,
    /// The password to compare.
    pub password: Secret,
}

/// `PASSWORD`: change one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// The present one.
    pub old: Secret,
    /// The one from now on.
    pub new: Secret,
}

/// A page of a list: how many and after which entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// How many rows at the most; the handler clamps it.
    pub limit: Option<u32>,
    /// The row to continue after, as the list's own `next` gave it.
    pub after: Option<String>,
}

/// `FINGER`: what everybody may know of a player.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finger {
    /// Whom to look up.
    pub player: String,
}

/// The answer to `REGISTER` and `LOGIN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn {
    /// The name as registered.
    pub player: String,
    /// Mails not read yet.
    pub unread: u32,
    /// The login before this one.
    pub last_login: Option<Time>,
    /// Further mails are refused.
    pub mailbox_full: bool,
    /// What he has set of how he is shown things. For his worker alone.
    #[serde(skip)]
    pub preferences: Vec<crate::KeptPreference>,
}

grown! { LoggedIn { player, unread, last_login } then { mailbox_full } then { preferences } }

/// The answer to `WHOAMI`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whoami {
    /// The session's number, as the operator sees it.
    pub session: u64,
    /// Who is logged in.
    pub player: Option<String>,
    /// Which game server this is.
    pub server: Option<String>,
    /// Where the connection comes from.
    pub address: String,
    /// How it speaks.
    pub mode: crate::Mode,
    /// When it was opened.
    pub since: Time,
    /// Mails not read yet.
    pub unread: u32,
    /// Further mails are refused.
    pub mailbox_full: bool,
    /// For whom the worlds may be that he is let into, at the most; nothing: any.
    pub rating: Option<Rating>,
}

grown! { Whoami { session, player, server, address, mode, since, unread } then { mailbox_full } then { rating } }

/// `VISITOR`: to be somebody for a while without registering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitorName {
    /// As a player's name; free of players, game servers and visitors who are on.
    pub name: String,
}

/// The answer to `VISITOR`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visiting {
    /// Who the session is now.
    pub visitor: crate::Party,
}

/// One row of `WHO`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoRow {
    /// The player's name; of a visitor as `visitor:NAME`.
    pub player: String,
    /// How the player is here: `terminal` or `client`; or `on` and a game server that he is on.
    #[serde(rename = "where")]
    pub place: String,
    /// Seconds since the last command; 0 where only the game server knows.
    pub idle: u64,
    /// Since when this session is logged in, or he is there.
    pub since: Time,
}

/// The answer to `WHO`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Sorted by name.
    pub players: Vec<WhoRow>,
    /// How many are on altogether.
    pub total: u32,
    /// Give this as `after` for the next page; nothing at the end.
    pub next: Option<String>,
}

/// The answer to `FINGER`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingered {
    /// The name as registered.
    pub player: String,
    /// When the player was registered.
    pub registered: Time,
    /// The last login; nothing when there was none since registering.
    pub last_login: Option<Time>,
    /// Whether a session is open now.
    pub online: bool,
    /// Seconds since the last command of the busiest session, when online.
    pub idle: Option<u64>,
    /// The best-ranked boards of this player, ten at the most.
    pub records: Vec<FingerRecord>,
    /// The game servers that he is on.
    pub worlds: Vec<String>,
    /// His properties that are shown here and that the asker may read.
    pub properties: Vec<FingerProperty>,
}

grown! { Fingered { player, registered, last_login, online, idle, records } then { worlds } then { properties } }

/// One property in [`Fingered`]: either a text or bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FingerProperty {
    /// Its name.
    pub name: String,
    /// The text.
    pub value: Option<String>,
    /// The bytes.
    pub base64: Option<Base64>,
}

/// One board in [`Fingered`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FingerRecord {
    /// The board's name.
    pub board: String,
    /// In the board's unit.
    pub score: i64,
    /// The board's unit.
    pub unit: String,
    /// 1 is the best.
    pub rank: u32,
}
