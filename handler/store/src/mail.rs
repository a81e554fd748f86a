//! Mail in the store. One row a letter; it goes away when receiver and sender have both let it go.

use crate::{Owner, PlayerId, Result};
use ssmglobal_ipc::{Mail, MailRow, Party, Time};

/// A letter to be.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// Who writes.
    pub from: Owner,
    /// Who gets it.
    pub to: PlayerId,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Now.
    pub at: Time,
}

/// Reading mail.
pub trait ReadMail {
    /// How many are in a player's box, and how many of them are not read.
    fn mailbox(&self, player: PlayerId) -> Result<(u32, u32)>;
    /// A player's box, newest first, behind (older than) the id `after`.
    fn mails(&self, player: PlayerId, after: Option<u64>, limit: u32) -> Result<Vec<MailRow>>;
    /// What a player has sent, newest first.
    fn mails_sent(&self, player: PlayerId, after: Option<u64>, limit: u32) -> Result<Vec<MailRow>>;
    /// How many of what a player has sent are still kept for him.
    fn sent_count(&self, player: PlayerId) -> Result<u32>;
    /// A letter that this player has received, or sent, and not let go.
    fn mail(&self, player: PlayerId, id: u64) -> Result<Option<Mail>>;
    /// Whether `player` blocks `from`.
    fn blocks(&self, player: PlayerId, from: Owner) -> Result<bool>;
    /// Whom a player blocks, by name.
    fn blocked(&self, player: PlayerId) -> Result<Vec<Party>>;
}

/// Changing mail.
pub trait WriteMail {
    /// Keeps a letter, and lets the oldest of the sender's own sent ones go above `sent_limit`. Gives its number.
    /// Two changes, both or none.
    fn mail_add(&mut self, mail: &NewMail, sent_limit: u32) -> Result<u64>;
    /// Marks as read, if this player is the receiver.
    fn mail_mark_read(&mut self, player: PlayerId, id: u64, at: Time) -> Result<()>;
    /// Lets go of a letter, as receiver or as sender (as both, of a letter to oneself). Gives whether there was one.
    fn mail_delete(&mut self, player: PlayerId, id: u64) -> Result<bool>;
    /// Blocks a sender; gives whether that is new.
    fn block_add(&mut self, player: PlayerId, from: Owner) -> Result<bool>;
    /// Lifts a block; gives whether there was one.
    fn block_remove(&mut self, player: PlayerId, from: Owner) -> Result<bool>;
}
