//! One connection, with the few ways in which the capabilities next door use it.

use super::Shared;
use crate::{Owner, PlayerId, Result, ServerId, StoreError};
use rusqlite::{Connection, Params, Row};
use std::sync::Arc;

/// A reader, or the inside of the writer.
pub(super) struct Db {
    // Closed before `_shared`, which holds the lock file.
    pub(super) conn: Connection,
    /// Rows that the present transaction has added to the log of scores.
    pub(super) logged: u64,
    _shared: Arc<Shared>,
}

impl Db {
    pub(super) fn new(conn: Connection, shared: Arc<Shared>) -> Db {
        Db { conn, logged: 0, _shared: shared }
    }

    /// Runs one statement that changes something, inside the writer's transaction; gives how many rows it met.
    pub(super) fn change(&self, sql: &str, params: impl Params) -> Result<usize> {
        // A full disk may make SQLite give a transaction up by itself; what came after would then be kept on its own.
        if self.conn.is_autocommit() {
            return Err(no_transaction());
        }
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }

    /// As [`Db::change`] for an INSERT; gives the new row's number.
    pub(super) fn insert(&self, sql: &str, params: impl Params) -> Result<i64> {
        self.change(sql, params)?;
        Ok(self.conn.last_insert_rowid())
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
pub(super) fn owner_to_sql(owner: Owner) -> (i64, u32) {
    match owner {
        Owner::Player(id) => (1, id.0),
        Owner::Server(id) => (2, id.0),
    }
}

/// The way back.
pub(super) fn owner_from_sql(kind: i64, id: u32) -> Result<Owner> {
    match kind {
        1 => Ok(Owner::Player(PlayerId(id))),
        2 => Ok(Owner::Server(ServerId(id))),
        _ => Err(StoreError::Corrupt(format!("{kind} is no kind of owner"))),
    }
}
