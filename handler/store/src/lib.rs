//! What is kept: the [`Store`] trait, and SQLite behind it. Runs in the handler only; nothing outside this
//! crate knows SQL.
//!
//! Changes go through one [`Tx`] at a time, many requests in one transaction (group commit); reads may come from any
//! number of threads, each with a [`Reader`] of its own. What a request changes is decided before anything of it is
//! written, so that one that is refused leaves nothing behind.

#![forbid(unsafe_code)]

mod licences;
mod mail;
mod players;
mod preferences;
mod principal;
mod properties;
mod records;
mod relay;
mod results;
mod rights;
mod rows;
mod servers;
mod settings;
mod sqlite;
mod universe;

pub use licences::*;
pub use mail::*;
pub use players::*;
pub use preferences::*;
pub use principal::*;
pub use properties::*;
pub use records::*;
pub use relay::*;
pub use results::*;
pub use rights::*;
pub use rows::*;
pub use servers::*;
pub use settings::*;
pub use sqlite::{BackupFile, Source};
pub use universe::*;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What can go wrong with the store itself; that something is not there is no error.
#[derive(Debug)]
pub enum StoreError {
    /// The file is there and is not a database of ours; it was not touched.
    NotADatabase(PathBuf),
    /// The database was made by a newer program: its schema and the newest this program knows.
    TooNew(u32, u32),
    /// The database is from before the first release: its schema and the oldest that this program knows.
    TooOld(u32, u32),
    /// What lies beside the database and is not its own; nothing was touched.
    Beside {
        /// The file that is not the database's own.
        file: PathBuf,
        /// Beside which database.
        of: PathBuf,
        /// How that is known.
        why: String,
    },
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
            StoreError::TooOld(found, known) => write!(
                f,
                "the database has schema {found}, from before the first release; this program begins with {known}: \
                 move the file away, and a new one is made"
            ),
            StoreError::Beside { file, of, why } => write!(
                f,
                "{file} does not belong to {of}: {why}. Nothing was touched. To go back to the database that it belongs \
                 to, put that one beside it; to go on with {of}, move {file} to another directory; a backup is put in \
                 place with `ssmglobal restore FILE`",
                file = file.display(),
                of = of.display(),
            ),
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

/// Opens the database in `path`, and makes it, readable for this user only, when there is no such file; where another
/// process has it open that is about to be gone, waits so long for that.
///
/// # Errors
/// [`StoreError::Locked`] while another one has it open; [`StoreError::NotADatabase`], [`StoreError::TooNew`] and
/// [`StoreError::TooOld`] leave the file as it was; [`StoreError::Unavailable`] when the file system refuses.
pub fn open(path: &Path, patience: Duration) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(sqlite::SqliteStore::open_within(path, patience)?))
}

/// Whether this program could open the database in a file, which another process may have in use; changes nothing.
///
/// # Errors
/// Why it could not.
pub fn fits(file: &Path) -> Result<()> {
    sqlite::SqliteStore::fits(file)
}

/// Opens a database file read-only, which this process has not in use, and looks for damage: what lies beside it, structure,
/// schema, the checksum of a copy, and what rows say about each other.
///
/// # Errors
/// The file cannot be looked at. What is wrong with it is no error but a finding.
pub fn verify(file: &Path) -> Result<Verification> {
    sqlite::SqliteStore::verify(file)
}

/// Puts a copy in the place of the database in `path`, which nobody may have in use: looked through before, brought to disk,
/// without what belongs to the run that it was made in. What was there gets names with the time. A death in the middle leaves
/// the old one, or what the next start goes on with to the new one.
///
/// # Errors
/// [`StoreError::Locked`] while it is in use; others for a source that is no database of ours. What is wrong with one is no
/// error but a finding, and then nothing has changed.
pub fn restore(source: &Source, path: &Path) -> Result<Restored> {
    sqlite::restore(source, path)
}

/// A database that is open. Cheap to share between threads.
pub trait Store: Send + Sync {
    /// The one writer. A second call fails with [`StoreError::Locked`].
    fn writer(&self) -> Result<Box<dyn Writer>>;

    /// A reader for one thread. Sees everything that was committed when a method is called.
    fn reader(&self) -> Result<Box<dyn Reader>>;

    /// What can be done with a database that is a file; nothing when this one is none.
    fn upkeep(&self) -> Option<&dyn Upkeep>;
}

/// What an operator does with a database that is a file.
pub trait Upkeep {
    /// Where it is.
    fn path(&self) -> &Path;

    /// As [`verify`], of this database while it is in use.
    fn verify(&self) -> Result<Verification>;

    /// Copies it as it is now to a file that must not exist yet, while it is in use; `progress` gets (pages done, pages
    /// altogether) now and then. The copy is whole or not there. Gives its length in bytes.
    fn backup(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64>;

    /// As [`Upkeep::backup`], to a file that has no name any more and can only be read; it takes room beside the database
    /// until it is closed. `wanted` gets what `progress` does there, and says whether somebody still wants it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also where there is too little room for it, or when it is not wanted any more.
    fn copy(&self, wanted: &mut dyn FnMut(u64, u64) -> bool) -> Result<std::fs::File>;
}

/// The outcome of [`verify`].
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

/// The outcome of [`restore`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What was found in the source; with problems, nothing was changed.
    pub found: Verification,
    /// What was in its place, under the names that it has now.
    pub aside: Vec<PathBuf>,
}

/// The one that changes things. One transaction at a time: `begin`, any number of [`Tx`] calls, `commit`. What the
/// database wants done beside that (to move its log along, say) it does along with `commit` and in `idle`, or by
/// itself.
pub trait Writer: Send {
    /// Starts a transaction.
    fn begin(&mut self) -> Result<()>;

    /// What can be done inside a transaction.
    fn tx(&mut self) -> &mut dyn Tx;

    /// Ends it: all of it is on disk when this returns `Ok`.
    ///
    /// # Errors
    /// Nothing of the transaction was kept. When only what was done along with it has failed, a second try goes without
    /// that.
    fn commit(&mut self) -> Result<()>;

    /// Gives it up; also after an error, to be ready for the next `begin`.
    fn rollback(&mut self);

    /// Work that can wait, in small portions of a few milliseconds, called when nothing else is to do. Gives whether
    /// more is waiting.
    ///
    /// # Errors
    /// Nothing is lost; a later call goes on.
    fn idle(&mut self) -> Result<bool>;
}

/// Everything that can be read.
pub trait Reader:
    ReadPlayers
    + ReadServers
    + ReadRecords
    + ReadSettings
    + ReadProperties
    + ReadMail
    + ReadRelay
    + ReadResults
    + ReadLicences
    + ReadRights
    + ReadUniverse
    + ReadPreferences
    + Send
{
}

/// Everything that can be changed, and read as changed so far.
pub trait Tx: Reader + WriteResults {
    /// Writes a row.
    ///
    /// # Errors
    /// The transaction is to be given up.
    fn put(&mut self, row: &Row) -> Result<()>;

    /// Writes something that changes nothing, to find out whether changes can be written.
    ///
    /// # Errors
    /// The transaction is to be given up.
    fn touch(&mut self) -> Result<()>;

    /// The next number of a sequence, the first of which is 1. A transaction that is given up may leave a gap, or give
    /// the same again to the next one; none that was committed is ever given again.
    ///
    /// # Errors
    /// The transaction is to be given up.
    fn next_number(&mut self, sequence: Sequence) -> Result<u64>;
}
