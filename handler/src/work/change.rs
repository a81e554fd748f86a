//! Changes of what is kept: data, and pure functions that decide what becomes of them. A decision sees the open transaction and what
//! its batch has changed so far, and the same facts give the same rows and the same answer, whatever the store.

use crate::state::names::Name;
use crate::state::session::Proof;
use ssmglobal_ipc::{Code, Failure, Reply, Secret, Time};
use ssmglobal_store::{
    Board, BoardId, KeptHash, KeptLicence, KeptProperty, KeptSetting, KeyHash, Letter, Network, Player, PlayerId,
    Principal, Result as Stored, Row, Sequence, Server, ServerId, Standing, StoreError, WorldId,
};
use std::net::IpAddr;

/// Why a request was not done.
#[derive(Debug)]
pub enum Refusal {
    /// The request itself; the transaction goes on.
    Failure(Failure),
    /// The database; the transaction is given up.
    Store(StoreError),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::Failure(failure)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::Store(error)
    }
}

/// Short for a refusal with code and sentence.
pub fn refuse<T>(code: Code, msg: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Failure(Failure::new(code, msg)))
}

/// Nothing is kept of a game server that is not there any more, also where it has asked before it was deleted.
///
/// # Errors
/// `denied` when it is gone.
pub fn still_there(facts: &dyn Facts, server: Option<ServerId>) -> Result<(), Refusal> {
    match server {
        Some(server) if !facts.server_exists(server) => refuse(Code::Denied, "This game server was deleted."),
        _ => Ok(()),
    }
}

/// When something is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The moment of the transaction.
    pub now: Time,
}

/// Where time comes from.
pub type Clock = fn() -> Time;

/// What a decision can know, as it is inside the open transaction.
pub trait Facts {
    /// One player.
    fn player(&self, id: PlayerId) -> Stored<Option<Player>>;
    /// What a player has set of how he is shown things, name and value, by name.
    fn preferences(&self, player: PlayerId) -> Stored<Vec<(String, String)>>;
    /// Somebody's name; empty when there is nobody like that.
    fn name(&self, who: Principal) -> String;
    /// Whether a player is disabled.
    fn is_disabled(&self, player: PlayerId) -> Stored<bool>;
    /// Whether a player has a right.
    fn has_right(&self, player: PlayerId, right: &str) -> bool;
    /// A player's rights, by name.
    fn rights(&self, player: PlayerId) -> Vec<String>;
    /// What a setting of the universe was set to.
    fn universe(&self, key: &str) -> Option<String>;
    /// What is kept of a player's password.
    fn player_hash(&self, id: PlayerId) -> Stored<Option<KeptHash>>;
    /// Whether a player or a game server, other than `but`, has this name, or one that looks the same.
    fn name_taken(&self, name: &Name, but: Option<ServerId>) -> Stored<bool>;
    /// Whether there is a game server of this number.
    fn server_exists(&self, server: ServerId) -> bool;
    /// From where a player was in.
    fn networks(&self, player: PlayerId) -> Stored<Vec<Network>>;
    /// Who was in from where and not since a time, the oldest first.
    fn networks_before(&self, before: Time, limit: u32) -> Stored<Vec<(PlayerId, IpAddr)>>;
    /// A game server by name, in any case, with what is kept of its key.
    fn server_by_name(&self, name: &str) -> Stored<Option<(Server, KeyHash)>>;
    /// A board.
    fn board(&self, id: BoardId) -> Option<&Board>;
    /// A board by name, in any case.
    fn board_named(&self, name: &str) -> Option<&Board>;
    /// How many boards there are.
    fn boards(&self) -> usize;
    /// What stands for a player on a board.
    fn standing(&self, board: BoardId, player: PlayerId) -> Option<&Standing>;
    /// How many stand on a board.
    fn total(&self, board: BoardId) -> u32;
    /// The rank that a standing has once it is there, in place of what stands for that player now.
    fn rank(&self, board: BoardId, standing: &Standing) -> u32;
    /// A setting, also one that was deleted.
    fn setting(&self, owner: Principal, key: &str) -> Stored<Option<KeptSetting>>;
    /// How many settings somebody has.
    fn setting_count(&self, owner: Principal) -> Stored<u32>;
    /// A property, also one that was deleted.
    fn property(&self, holder: Principal, name: &str) -> Stored<Option<KeptProperty>>;
    /// Somebody's properties.
    fn properties(&self, holder: Principal) -> Stored<Vec<(String, KeptProperty)>>;
    /// How many properties somebody has.
    fn property_count(&self, holder: Principal) -> Stored<u32>;
    /// How many letters are in a player's box, and how many of them are not read.
    fn mailbox(&self, player: PlayerId) -> Stored<(u32, u32)>;
    /// How many letters are kept that a player has sent.
    fn sent_count(&self, player: PlayerId) -> Stored<u32>;
    /// The letter with this number in a player's mailbox.
    fn letter(&self, player: PlayerId, number: u64) -> Stored<Option<Letter>>;
    /// When a player was told last that a letter from somebody was refused because his mailbox was full.
    fn refused(&self, player: PlayerId, from: Principal) -> Stored<Option<Time>>;
    /// Of how many senders he was told so, since then.
    fn refused_count(&self, player: PlayerId, since: Time) -> Stored<u32>;
    /// Whether a player blocks somebody.
    fn blocks(&self, player: PlayerId, from: Principal) -> Stored<bool>;
    /// Whom a player blocks.
    fn blocked(&self, player: PlayerId) -> Stored<Vec<Principal>>;
    /// A licence, also one that is gone.
    fn licence(&self, id: WorldId) -> Stored<Option<KeptLicence>>;
    /// Licences of this name, or of one that looks the same, also those that are gone; the newest first.
    fn licences_like(&self, name: &Name) -> Stored<Vec<KeptLicence>>;
    /// Those that are gone since before a time, the oldest first.
    fn licences_gone(&self, before: Time, limit: u32) -> Stored<Vec<WorldId>>;
    /// What the licence of a world says of how it is played, by key.
    fn played(&self, world: WorldId) -> Stored<Vec<(String, Secret)>>;
    /// The next number of a sequence. Asked for last, when nothing can be refused any more.
    fn next_number(&mut self, sequence: Sequence) -> Stored<u64>;
}

/// What becomes of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What is written.
    pub rows: Vec<Row>,
    /// What the asker is answered. Also a refusal: then nothing is written but that it was refused.
    pub reply: Reply,
    /// Who the asker's session is from now on.
    pub proves: Option<Proof>,
}

impl Decided {
    /// A change that proves nothing.
    pub fn new(rows: Vec<Row>, reply: Reply) -> Decided {
        Decided { rows, reply, proves: None }
    }

    /// It is done, and there is nothing to say.
    pub fn done(row: Row) -> Decided {
        Decided::new(vec![row], Reply::Done(ssmglobal_ipc::Done {}))
    }
}

/// A change that can be decided. It may be decided again when the transaction that it shared was given up.
pub trait Decide {
    /// What becomes of it.
    ///
    /// # Errors
    /// It is refused, or the database fails.
    fn decide(&self, facts: &mut dyn Facts, stamp: Stamp) -> Result<Decided, Refusal>;

    /// What the asker is shown besides its answer, once: it is in no answer that is kept, and so in no file.
    fn shown_once(&self) -> Option<Secret> {
        None
    }
}

/// One of a capability's changes.
pub trait OneOf: Sized {
    /// All of them.
    type Changes: From<Self>;
}

/// The changes of one capability: an enum over structs, each of which can be decided.
macro_rules! changes {
    ($(#[doc = $doc:literal])* $group:ident: $($name:ident),* $(,)?) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub enum $group { $($name($name),)* }

        impl $crate::work::change::Decide for $group {
            fn decide(
                &self,
                facts: &mut dyn $crate::work::change::Facts,
                stamp: $crate::work::change::Stamp,
            ) -> Result<$crate::work::change::Decided, $crate::work::change::Refusal> {
                match self { $($group::$name(change) => change.decide(facts, stamp),)* }
            }

            fn shown_once(&self) -> Option<ssmglobal_ipc::Secret> {
                match self { $($group::$name(change) => change.shown_once(),)* }
            }
        }

        $(impl From<$name> for $group {
            fn from(change: $name) -> $group {
                $group::$name(change)
            }
        }

        impl $crate::work::change::OneOf for $name {
            type Changes = $group;
        })*
    };
}

pub(crate) use changes;
