//! Relay between game servers: numbered messages on channels, or to one server.

use crate::growing::grown;
use crate::{Party, Secret, Time};
use serde::{Deserialize, Serialize};

/// `AUTH`: a game server proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// As the operator added it.
    pub name: String,
    /// As the operator was shown it, once.
    pub key: Secret,
}

/// The answer to `AUTH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authed {
    /// The name as added.
    pub server: String,
}

/// `RELAY JOIN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayJoin {
    /// 1–64 letters, digits, `_-.`; made when the first server joins it or sends to it.
    pub channel: String,
    /// The last number this server has seen: what came after it is sent first.
    pub since: Option<u64>,
    /// The epoch in which it was seen; the present one when left out, or 0.
    pub epoch: Option<u64>,
}

grown! { RelayJoin { channel, since } then { epoch } }

/// `RELAY LEAVE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayLeave {
    /// The channel's name.
    pub channel: String,
}

/// `RELAY SEND`: exactly one of `channel` and `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelaySend {
    /// 16 KiB at the most, unless the settings say otherwise.
    pub body: String,
    /// To all who joined it, but for connections of the sender.
    pub channel: Option<String>,
    /// To one server that is connected.
    pub to: Option<String>,
}

/// From the worker itself, not from the client: kept messages in `(after, upto]`, as many as fit one reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayFetch {
    /// Which channel; must be joined.
    pub channel: String,
    /// Numbers greater than this.
    pub after: u64,
    /// Numbers up to and with this.
    pub upto: u64,
    /// Of which epoch they are; 0: of the present one.
    pub epoch: u64,
}

grown! { RelayFetch { channel, after, upto } then { epoch } }

/// The answer to `RELAY JOIN`. The channel's ring travels beside it as two descriptors: memory, then wake-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayJoined {
    /// The name as first made.
    pub channel: String,
    /// The newest number; what comes later arrives by the ring.
    pub number: u64,
    /// Numbers asked for by `since` that are gone for good, where that is known.
    pub missed: u64,
    /// How many kept messages follow at once.
    pub waiting: u64,
    /// Where in the ring the next message will be written, bytes.
    pub position: u64,
    /// The channel's epoch: as long as it is the same, nothing but what was told to be missed is missed. 0: of an older
    /// handler.
    pub epoch: u64,
    /// What follows at once lies behind this number.
    pub behind: u64,
    /// `since` was of another epoch: all that is kept follows, and nobody knows what is gone.
    pub unknown: bool,
}

impl RelayJoined {
    /// How many messages are gone that were asked for; nothing when nobody knows.
    pub fn missed(&self) -> Option<u64> {
        (!self.unknown).then_some(self.missed)
    }
}

grown! { RelayJoined { channel, number, missed, waiting, position } then { epoch, behind, unknown } }

/// The answer to `RELAY SEND`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelaySent {
    /// The channel, if it went to one.
    pub channel: Option<String>,
    /// The server, if it went to one.
    pub to: Option<String>,
    /// The message's number on its channel; 0 for one server.
    pub number: u64,
    /// How many connections it goes to.
    pub receivers: u32,
}

/// The answer to [`RelayFetch`]: event lines as programs see them, without line ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayFetched {
    /// Number and line, ascending.
    pub lines: Vec<(u64, String)>,
    /// Numbers in the range that are gone meanwhile.
    pub missed: u64,
}

/// One row of `RELAY CHANNELS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRow {
    /// Its name.
    pub channel: String,
    /// Its newest number.
    pub number: u64,
    /// How many servers are on it.
    pub servers: u32,
}

/// The answer to `RELAY CHANNELS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channels {
    /// Sorted by name.
    pub channels: Vec<ChannelRow>,
    /// Give this as `after` for the next page.
    pub next: Option<String>,
    /// How many there are altogether; an older program does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
}

grown! { Channels { channels, next } then { total } }

/// A relay message as game servers see it, before it becomes a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayMessage {
    /// The channel; nothing when it went to this server alone.
    pub channel: Option<String>,
    /// 1, 2, 3 … on its channel; 0 without one.
    pub number: u64,
    /// The game server that sent it; a handler of an older program gives the name alone.
    pub from: Party,
    /// When the handler took it.
    pub at: Time,
    /// The text: one line.
    pub body: String,
}
