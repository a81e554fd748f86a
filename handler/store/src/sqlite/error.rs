//! What SQLite says, in the store's terms. No value that was to be stored is ever part of an error. Runs in the
//! handler.

use crate::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

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
        ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
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

/// A file operation that failed, with what it was for.
pub(super) fn io(what: &str, path: &std::path::Path, error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("{what} {}: {error}", path.display()))
}
