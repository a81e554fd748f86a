//! Mail to registered players, and TELL to those who are on.

use crate::{Party, Time};
use serde::{Deserialize, Serialize};

/// `MAIL SEND`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSend {
    /// A registered player.
    pub to: String,
    /// 4 KiB at the most, unless the settings say otherwise.
    pub body: String,
    /// One line.
    pub subject: Option<String>,
}

/// `MAIL READ` and `MAIL DELETE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailId {
    /// As the list shows it.
    pub id: u64,
}

/// `MAIL REPLY`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailReply {
    /// The mail that is answered; its sender is the receiver.
    pub id: u64,
    /// 4 KiB at the most, unless the settings say otherwise.
    pub body: String,
}

/// `MAIL FORWARD`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailForward {
    /// The mail that is passed on, by its number in one's own mailbox.
    pub id: u64,
    /// A registered player.
    pub to: String,
}

/// `MAIL BLOCK` and `MAIL UNBLOCK`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailBlock {
    /// Whose mails and tells are refused from now on.
    pub player: Party,
}

/// `TELL`: a line to somebody who is on now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tell {
    /// A player or a visitor who is on, anywhere.
    pub to: String,
    /// One line.
    pub body: String,
}

/// The answer to `MAIL SEND` and `MAIL REPLY`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSent {
    /// The mail's number.
    pub id: u64,
    /// The receiver's name as registered.
    pub to: String,
}

/// One row of `MAIL LIST` and `MAIL SENT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRow {
    /// For READ, REPLY and DELETE.
    pub id: u64,
    /// Who wrote it.
    pub from: Party,
    /// Who gets it.
    pub to: String,
    /// One line, may be empty.
    pub subject: String,
    /// When it was sent.
    pub at: Time,
    /// Whether the receiver has read it.
    pub read: bool,
}

/// The answer to `MAIL LIST` and `MAIL SENT`: newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPage {
    /// The rows.
    pub mails: Vec<MailRow>,
    /// Not read yet, of all.
    pub unread: u32,
    /// How many there are altogether.
    pub total: u32,
    /// How many the box holds at the most.
    pub limit: u32,
    /// Give this as `after` for the next page.
    pub next: Option<String>,
}

/// The answer to `MAIL READ`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Its number in the reader's own box.
    pub id: u64,
    /// Who wrote it.
    pub from: Party,
    /// Who gets it.
    pub to: String,
    /// One line, may be empty.
    pub subject: String,
    /// The text.
    pub body: String,
    /// When it was sent.
    pub at: Time,
}

/// The answer to `MAIL BLOCKS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocks {
    /// Sorted by name.
    pub players: Vec<Party>,
}

/// `BROADCAST`: a word to everyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// One line.
    pub body: String,
}

/// The answer to `BROADCAST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcasted {
    /// How many connections it went to, those of worlds with guests among them.
    pub receivers: u32,
}

/// The answer to `TELL`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellDelivered {
    /// The receiver's name as registered.
    pub to: String,
}
