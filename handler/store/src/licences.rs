//! Licences of worlds in the store.

use crate::{KeyHash, PlayerId, Result, WorldId};
use ssmglobal_ipc::{Secret, Time, Version};

/// A licence as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLicence {
    /// The world's number, which outlives the licence where the next one of its name comes in time.
    pub id: WorldId,
    /// The world's name, as it is shown.
    pub name: String,
    /// The name with case taken away; of those that are not gone unique.
    pub folded: String,
    /// The name as the eye sees it; of those that are not gone unique.
    pub skeleton: String,
    /// What is kept of the hosting password, which is itself random.
    pub password: KeyHash,
    /// Whose world it is.
    pub owner: PlayerId,
    /// Users at the most.
    pub users: u32,
    /// How large it may be.
    pub size: u32,
    /// The owner's e-mail address.
    pub email: Option<String>,
    /// What everybody is told of the world.
    pub comment: String,
    /// When it was granted.
    pub created: Time,
    /// When it ends; nothing: never.
    pub expires: Option<Time>,
    /// Why it is refused, if it is.
    pub disabled: Option<String>,
    /// When the world was last started.
    pub last_started: Option<Time>,
    /// Where its host was then.
    pub last_address: Option<String>,
    /// Since when the world is not hosted any more, where that was seen since.
    pub stopped: Option<Time>,
    /// Whether it is in lists.
    pub listed: bool,
    /// Whether visitors are let in.
    pub visitors: bool,
    /// Whether there is voice.
    pub voice: bool,
    /// Whether there are plugins.
    pub plugins: bool,
    /// Whether a ticket counts only at the address that it was given to.
    pub check_address: bool,
    /// The least version of a client.
    pub client: Version,
    /// When it was deleted: what is kept of the world waits for the next licence of its name.
    pub gone: Option<Time>,
}

impl KeptLicence {
    /// Since when the world is not hosted any more, if it ever was. Where nobody saw it stop, as when the machine itself has failed,
    /// it is its start.
    pub fn last_seen(&self) -> Option<Time> {
        self.stopped.or(self.last_started)
    }

    /// Whether it has ended by itself.
    pub fn has_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

/// Reading licences.
pub trait ReadLicences {
    /// All that are not gone, in any order.
    fn licences(&self, each: &mut dyn FnMut(KeptLicence)) -> Result<()>;
    /// One, also when it is gone.
    fn licence(&self, id: WorldId) -> Result<Option<KeptLicence>>;
    /// Those with this folded name, or with one that looks the same, also when they are gone; the newest first.
    fn licences_like(&self, folded: &str, skeleton: &str) -> Result<Vec<KeptLicence>>;
    /// Those that are gone since before a time, the oldest first.
    fn licences_gone(&self, before: Time, limit: u32) -> Result<Vec<WorldId>>;
    /// What was set of how worlds are played, also of those whose licences are gone, by world and key.
    fn played(&self, each: &mut dyn FnMut(WorldId, String, Secret)) -> Result<()>;
    /// The same of one world, by key.
    fn played_of(&self, world: WorldId) -> Result<Vec<(String, Secret)>>;
}
