//! Mail in the store. One row a letter; it goes away when receiver and sender have both let it go.
//!
//! Everybody numbers his own letters, received and sent, from 1: a letter has a number in its receiver's mailbox and
//! one in its sender's. One that somebody has sent to himself has the same number twice.

use crate::{PlayerId, Principal, Result};
use ssmglobal_ipc::Time;

/// A letter to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLetter {
    /// Who writes.
    pub from: Principal,
    /// Its number among the sender's letters.
    pub from_number: u64,
    /// The sender has a mailbox and keeps it there.
    pub in_sent: bool,
    /// So many of the oldest that the sender has kept go, to make room.
    pub let_go: u32,
    /// Who gets it.
    pub to: PlayerId,
    /// Its number among the receiver's letters.
    pub to_number: u64,
    /// How many are not read in the receiver's mailbox, with this one. Not kept.
    pub unread: u32,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// When it was sent.
    pub at: Time,
}

/// A letter as one of its two sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number in the mailbox of who looks.
    pub number: u64,
    /// Who wrote it.
    pub from: Principal,
    /// Who gets it.
    pub to: PlayerId,
    /// One line, may be empty.
    pub subject: String,
    /// The text.
    pub body: String,
    /// When it was sent.
    pub at: Time,
}

/// A letter in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// Its number in the mailbox of who looks.
    pub number: u64,
    /// Who wrote it.
    pub from: Principal,
    /// Who gets it.
    pub to: PlayerId,
    /// One line, may be empty.
    pub subject: String,
    /// When it was sent.
    pub at: Time,
    /// Whether the receiver has read it.
    pub read: bool,
}

/// Reading mail.
pub trait ReadMail {
    /// How many are in a player's box, and how many of them are not read.
    fn mailbox(&self, player: PlayerId) -> Result<(u32, u32)>;
    /// A player's box, newest first, behind (older than) the number `after`.
    fn letters(&self, player: PlayerId, after: Option<u64>, limit: u32) -> Result<Vec<LetterRow>>;
    /// What a player has sent, newest first, behind the number `after`.
    fn letters_sent(&self, player: PlayerId, after: Option<u64>, limit: u32) -> Result<Vec<LetterRow>>;
    /// How many of what a player has sent are still kept for him.
    fn sent_count(&self, player: PlayerId) -> Result<u32>;
    /// The letter that has this number in a player's mailbox, if he has not let it go.
    fn letter(&self, player: PlayerId, number: u64) -> Result<Option<Letter>>;
    /// When a player was told last that a letter from somebody was refused because his mailbox was full, as far as that is
    /// still known.
    fn refused(&self, player: PlayerId, from: Principal) -> Result<Option<Time>>;
    /// Of how many senders he was told so, since then.
    fn refused_count(&self, player: PlayerId, since: Time) -> Result<u32>;
    /// Whether `player` blocks `from`.
    fn blocks(&self, player: PlayerId, from: Principal) -> Result<bool>;
    /// Whom a player blocks, in any order.
    fn blocked(&self, player: PlayerId) -> Result<Vec<Principal>>;
}
