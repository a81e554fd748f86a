//! One connection, with the few ways in which the capabilities next door use it. Runs in the handler.

use super::Shared;
use crate::{Principal, PrincipalKind, Result, StoreError};
use rusqlite::{Connection, Params, Row};
use std::sync::Arc;

/// A reader, or the inside of the writer.
pub(super) struct Db {
    // Closed before `_shared`, which holds the lock file.
    pub(super) conn: Connection,
    /// Rows that the present transaction has added to the log of scores.
    pub(super) logged: u64,
    /// Rows that it has taken out of that log, but for those that were folded.
    pub(super) unlogged: u64,
    /// The highest order of a score that was ever given, in the writer's. Rolling back leaves it, so that it never goes
    /// back.
    pub(super) order: u64,
    _shared: Arc<Shared>,
}

impl Db {
    pub(super) fn new(conn: Connection, shared: Arc<Shared>) -> Db {
        Db { conn, logged: 0, unlogged: 0, order: 0, _shared: shared }
    }

    /// Whether a change would be part of the writer's transaction. A full disk may make SQLite give a transaction up by
    /// itself; what came after would then be kept on its own.
    pub(super) fn in_transaction(&self) -> Result<()> {
        if self.conn.is_autocommit() { Err(no_transaction()) } else { Ok(()) }
    }

    /// Runs one statement that changes something, inside the writer's transaction; gives how many rows it met.
    pub(super) fn change(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.in_transaction()?;
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// The one row of a statement that always has one.
    pub(super) fn row<T>(&self, sql: &str, params: impl Params, read: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<T> {
        self.one(sql, params, read)?.ok_or_else(|| StoreError::Corrupt("a row is missing".into()))
    }

    /// Every row, one at a time.
    pub(super) fn each(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            read(row)?;
        }
        Ok(())
    }

    /// All rows, for statements that limit themselves.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Several statements of which either all or none take effect; the transaction around them lives on.
    pub(super) fn together<T>(&self, work: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        self.change("SAVEPOINT together", [])?;
        let outcome = work(self);
        if outcome.is_err() && !self.conn.is_autocommit() {
            self.change("ROLLBACK TO together", [])?;
        }
        if !self.conn.is_autocommit() {
            self.change("RELEASE together", [])?;
        }
        outcome
    }

    /// Several reads of one moment.
    pub(super) fn at_one_moment<T>(&self, work: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        if !self.conn.is_autocommit() {
            return work(self);
        }
        // Ends when it goes out of scope.
        let _snapshot = self.conn.unchecked_transaction()?;
        work(self)
    }
}

pub(super) fn no_transaction() -> StoreError {
    StoreError::Unavailable("there is no transaction, or the database gave it up".into())
}

/// SQLite's integers are signed; numbers of ours that do not fit cannot have been given out by us.
pub(super) fn to_sql(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| StoreError::Other(format!("{number} is too large a number")))
}

/// The way back.
pub(super) fn from_sql<T: TryFrom<i64>>(number: i64) -> Result<T> {
    T::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} cannot stand where it was found")))
}

/// (kind, id), as in the schema.
pub(super) fn principal_to_sql(somebody: Principal) -> (u8, u32) {
    (somebody.kind.number(), somebody.id)
}

/// The way back.
pub(super) fn principal_from_sql(kind: i64, id: u32) -> Result<Principal> {
    let known = u8::try_from(kind).ok().and_then(PrincipalKind::from_number);
    let kind =
        known.ok_or_else(|| StoreError::Corrupt(format!("{kind} is no kind of principal that this program knows")))?;
    Ok(Principal { kind, id })
}
