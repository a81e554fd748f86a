//! What is pushed to a worker without being asked for.

use crate::{
    ForGuest, ForGuests, GuestClosed, GuestOut, GuestRegistered, GuestRights, HostTerms, ListChanged, Party, PlayOrder,
    PlayReady, PlayReturn, PropertyChanged, RelayMessage, Rights, Ticket, Time, Universe, WorldStopped,
};
use serde::{Deserialize, Serialize};

/// A push from the handler. The first group goes on to the client, the second is for the worker itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A mail has arrived.
    Mail(MailArrived),
    /// Another player says something.
    Tell(TellArrived),
    /// A message for this server alone.
    Relay(RelayMessage),
    /// A board that is watched has a new first place.
    Record(RecordArrived),
    /// A word from the backend or its operator.
    Notice(Notice),
    /// The session ends: tell the client and close.
    Close(Notice),
    /// The login was taken back (player or server disabled): tell the client and go on without.
    LoggedOut(Notice),
    /// For the worker: with this it proves from now on whose session it has.
    Ticket(Ticket),
    /// A mail was refused, because the mailbox is full.
    MailRefused(MailRefused),
    /// A world is hosted by this connection no longer.
    WorldStopped(WorldStopped),
    /// What a licence says to who hosts the world is another thing now.
    WorldChanged(HostTerms),
    /// For somebody who is on this game server and has no connection of his own.
    ForGuest(ForGuest),
    /// Somebody in a world has closed his last connection.
    GuestClosed(GuestClosed),
    /// For several who are on this game server and have no connections of their own.
    ForGuests(ForGuests),
    /// A visitor in a world has registered.
    GuestRegistered(GuestRegistered),
    /// Somebody in a world has other rights.
    GuestRights(GuestRights),
    /// The client has other rights.
    Rights(Rights),
    /// The same player or visitor is on another connection now: tell the client and go on as nobody.
    TakenOver(Notice),
    /// A word to everyone.
    Broadcast(TellArrived),
    /// Settings of the universe have changed; this is how they all are now.
    Universe(Universe),
    /// A property has another value, or is gone.
    Property(PropertyChanged),
    /// A list that is watched has changed.
    List(ListChanged),
    /// Somebody in a world may not be on any more.
    GuestOut(GuestOut),
    /// For the worker: the world that its client waits for listens.
    PlayReady(PlayReady),
    /// For the worker: what to do with its connection to a world.
    PlayOrder(PlayOrder),
    /// For the worker: its player has a connection to a world that is kept for him.
    PlayReturn(PlayReturn),
}

/// A mail has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailArrived {
    /// For `MAIL READ`.
    pub id: u64,
    /// Who wrote it.
    pub from: Party,
    /// One line, may be empty.
    pub subject: String,
    /// Mails not read yet, with this one.
    pub unread: u32,
}

/// A mail was refused, because the mailbox is full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRefused {
    /// Who wrote it.
    pub from: Party,
    /// How many the mailbox holds.
    pub limit: u32,
}

/// Another player says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellArrived {
    /// Who says it.
    pub from: Party,
    /// What is said: one line.
    pub body: String,
    /// When the handler took it.
    pub at: Time,
}

/// A new first place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordArrived {
    /// On which board.
    pub board: String,
    /// In what unit.
    pub unit: String,
    /// Who leads now.
    pub player: String,
    /// The new first score, in the board's unit.
    pub score: i64,
    /// Who led before.
    pub previous: Option<String>,
}

/// A sentence for the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// One line.
    pub msg: String,
}
