//! What is kept: the [`Store`] trait, and SQLite behind it. Runs in the handler only; nothing outside this
//! crate knows SQL.
//!
//! Changes go through one [`Tx`] at a time, many requests in one transaction (group commit); reads may come
//! from any number of threads, each with a [`Reader`] of its own. Inside a transaction every change is a check
//! followed by at most one statement that changes something, so that a request that is refused leaves nothing
//! behind and needs no savepoint. Methods that need more than one changing statement say so and use one.

#![forbid(unsafe_code)]

mod mail;
mod players;
mod records;
mod results;
mod servers;
mod settings;
pub mod sqlite;

pub use mail::*;
pub use players::*;
pub use records::*;
pub use results::*;
pub use servers::*;
pub use settings::*;

use std::path::{Path, PathBuf};

/// A registered player's number; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlayerId(pub u32);

/// A game server's number; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(pub u32);

/// A board's number; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BoardId(pub u32);

/// Who sends a mail or owns a setting, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// A player.
    Player(PlayerId),
    /// A game server.
    Server(ServerId),
}

/// What can go wrong with the store itself; that something is not there is no error.
#[derive(Debug)]
pub enum StoreError {
    /// The file is there and is not a database of ours; it was not touched.
    NotADatabase(PathBuf),
    /// The database was made by a newer program: its schema and the newest this program knows.
    TooNew(u32, u32),
    /// Another process has the database open for itself.
    Locked(PathBuf),
    /// A name that must be unique is taken.
    Exists,
    /// The disk is full or the file cannot be written; reads go on, and a later try may work.
    Unavailable(String),
    /// The database is damaged.
    Corrupt(String),
    /// All else, in the words of the database.
    Other(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreError::NotADatabase(path) => {
                write!(f, "{} is not an ssmglobal database; it was left as it is", path.display())
            }
            StoreError::TooNew(found, known) => {
                write!(f, "the database has schema {found}, this program knows up to {known}: use the newer program")
            }
            StoreError::Locked(path) => write!(f, "{} is in use by another process", path.display()),
            StoreError::Exists => f.write_str("the name is taken"),
            StoreError::Unavailable(why) => write!(f, "cannot write: {why}"),
            StoreError::Corrupt(why) => write!(f, "the database is damaged: {why}"),
            StoreError::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StoreError {}

/// Short for results of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A database that is open. Cheap to share between threads.
pub trait Store: Send + Sync {
    /// The one writer. A second call fails with [`StoreError::Locked`].
    fn writer(&self) -> Result<Box<dyn Writer>>;

    /// A reader for one thread. Sees everything that was committed when a method is called.
    fn reader(&self) -> Result<Box<dyn Reader>>;

    /// Moves what was committed into the main file, without hindering writer or readers for long. Called from a
    /// thread of its own when [`Writer::commit`] says that it is due.
    fn checkpoint(&self) -> Result<()>;

    /// Copies the database as it is now to a file that must not exist yet, while it is in use; `progress` gets
    /// (pages done, pages altogether) now and then. The copy is whole or not there. Gives its length in bytes.
    fn backup(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64>;

    /// Where the database is.
    fn path(&self) -> &Path;
}

/// Opens a database file read-only and looks for damage: structure, foreign keys, schema version.
pub trait Verify {
    /// What was found.
    fn verify(file: &Path) -> Result<Verification>;
}

/// The outcome of a [`Verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What is wrong, a line each; empty when nothing is.
    pub problems: Vec<String>,
    /// The schema's version.
    pub schema: u32,
    /// Players in it.
    pub players: u64,
    /// Mails in it.
    pub mails: u64,
    /// Standing scores in it.
    pub records: u64,
    /// Settings in it.
    pub settings: u64,
}

impl Verification {
    /// As the operator is told it.
    pub fn told(self, file: &Path) -> ssmglobal_ipc::ctl::Verified {
        ssmglobal_ipc::ctl::Verified {
            file: file.display().to_string(),
            ok: self.problems.is_empty(),
            problems: self.problems,
            schema: self.schema,
            players: self.players,
            mails: self.mails,
            records: self.records,
            settings: self.settings,
        }
    }
}

/// The one that changes things. One transaction at a time: `begin`, any number of [`Tx`] calls, `commit`.
pub trait Writer: Send {
    /// Starts a transaction.
    fn begin(&mut self) -> Result<()>;

    /// What can be done inside a transaction.
    fn tx(&mut self) -> &mut dyn Tx;

    /// Ends it: all of it is on disk when this returns `Ok`. Tells whether a checkpoint is due.
    ///
    /// # Errors
    /// Nothing of the transaction was kept.
    fn commit(&mut self) -> Result<CheckpointDue>;

    /// Gives it up; also after an error, to be ready for the next `begin`.
    fn rollback(&mut self);

    /// A portion of the same work inside the running transaction, as its last part: about `rows` rows. Under load this
    /// spares transactions of its own, which would each wait for the disk.
    ///
    /// # Errors
    /// As of every change: give the transaction up.
    fn tidy_along(&mut self, rows: usize) -> Result<()>;

    /// Work that can wait, in small portions, called when nothing else is to do:
    /// folds logged scores into their table (outside of `begin`/`commit`; it has a transaction of its own).
    /// Gives whether more is waiting. While scores keep coming it does nothing until many are logged; when none
    /// came since the last call it takes what is there. One call takes a few milliseconds.
    ///
    /// # Errors
    /// Nothing is lost; a later call goes on.
    fn tidy(&mut self) -> Result<bool>;

    /// Whether a checkpoint is due now; `commit` tells by itself, `tidy` does not. It is told once, and again when
    /// the log has grown much further.
    fn checkpoint_due(&mut self) -> CheckpointDue {
        CheckpointDue::No
    }
}

/// Whether [`Store::checkpoint`] should be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointDue {
    /// Not yet.
    No,
    /// Yes.
    Yes,
}

/// Everything that can be read.
pub trait Reader: ReadPlayers + ReadServers + ReadRecords + ReadSettings + ReadMail + ReadResults + Send {}

/// Everything that can be changed, and read as changed so far.
pub trait Tx: Reader + WritePlayers + WriteServers + WriteRecords + WriteSettings + WriteMail + WriteResults {}
