//! What SQLite says, in the store's terms. No value that was to be stored is ever part of an error. Runs in the
//! handler.

use super::file::Unknown;
use crate::StoreError;
use rusqlite::{Error, ErrorCode, ffi};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

impl From<Error> for StoreError {
    fn from(error: Error) -> StoreError {
        let text = error.to_string();
        match &error {
            Error::SqliteFailure(inner, _) => by_code(inner, text),
            // What cannot be read as what it was written as was not written by us.
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => StoreError::Corrupt(text),
            _ => StoreError::Other(text),
        }
    }
}

fn by_code(error: &ffi::Error, text: String) -> StoreError {
    match error.code {
        ErrorCode::DiskFull => StoreError::Unavailable(FULL.into()),
        ErrorCode::SystemIoFailure
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::OutOfMemory
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => StoreError::Unavailable(text),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(text),
        ErrorCode::ConstraintViolation
            if matches!(error.extended_code, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) =>
        {
            StoreError::Exists
        }
        _ => StoreError::Other(text),
    }
}

/// The words for it.
const FULL: &str = "the disk is full; make room on it";

/// Bytes that a disk with room takes.
const ROOM: usize = 64 << 10;

/// The same error, told in the words of a full disk if that is what it is: SQLite does not always see it, where the shared
/// memory beside a write-ahead log cannot grow for one.
pub(super) fn explained(error: StoreError, database: &Path) -> StoreError {
    match error {
        StoreError::Unavailable(why) if why != FULL && is_full(database) => StoreError::Unavailable(FULL.into()),
        other => other,
    }
}

/// Whether there is no room where the database is: tried with a file that is gone at once.
fn is_full(database: &Path) -> bool {
    let written = Unknown::make(database, ".room").and_then(|room| {
        let write = room.file().write_all_at(&[0; ROOM], 0).and_then(|()| room.file().sync_all());
        write.map_err(|e| io("cannot write", room.path(), &e))
    });
    matches!(written, Err(StoreError::Unavailable(why)) if why == FULL)
}

/// A file operation that failed, with what it was for.
pub(super) fn io(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return StoreError::Unavailable(FULL.into());
    }
    StoreError::Unavailable(format!("{what} {}: {error}", path.display()))
}
