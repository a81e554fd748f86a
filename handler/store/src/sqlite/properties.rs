//! Properties in SQLite. Runs in the handler.

use super::db::{Db, from_sql, principal_from_sql, principal_to_sql, to_sql};
use crate::{KeptProperty, Principal, ReadProperties, Result, StoreError};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Row, params};
use ssmglobal_ipc::{PropertyAccess, PropertyValue, Time};

/// As they are read below, behind the name.
const COLUMNS: &str = "name, value, version, finger, push, kept, write, read, at";

fn value(row: &Row<'_>) -> Result<Option<PropertyValue>> {
    let damaged = || StoreError::Corrupt("a property is neither a text nor bytes".into());
    match row.get_ref(1)? {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => {
            let text = String::from_utf8(text.to_vec()).map_err(|_| damaged())?;
            Ok(Some(PropertyValue::Text(text)))
        }
        ValueRef::Blob(bytes) => Ok(Some(PropertyValue::Binary(bytes.to_vec()))),
        ValueRef::Integer(_) | ValueRef::Real(_) => Err(damaged()),
    }
}

fn access(row: &Row<'_>, column: usize) -> Result<PropertyAccess> {
    let word: String = row.get(column)?;
    let unknown = || StoreError::Corrupt(format!("{word} says of nobody that he may use a property"));
    PropertyAccess::parse(&word).ok_or_else(unknown)
}

fn read(row: &Row<'_>) -> Result<(String, KeptProperty)> {
    let property = KeptProperty {
        value: value(row)?,
        version: from_sql(row.get(2)?)?,
        finger: row.get(3)?,
        push: row.get(4)?,
        kept: row.get(5)?,
        write: access(row, 6)?,
        read: access(row, 7)?,
        at: Time(row.get(8)?),
    };
    Ok((row.get(0)?, property))
}

fn to_value(value: Option<&PropertyValue>) -> ToSqlOutput<'_> {
    match value {
        None => ToSqlOutput::Owned(Value::Null),
        Some(PropertyValue::Text(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Some(PropertyValue::Binary(bytes)) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    }
}

impl ReadProperties for Db {
    fn property(&self, holder: Principal, name: &str) -> Result<Option<KeptProperty>> {
        let (kind, id) = principal_to_sql(holder);
        let found = self.one(
            &format!("SELECT {COLUMNS} FROM property WHERE owner_kind = ?1 AND owner_id = ?2 AND name = ?3"),
            params![kind, id, name],
            read,
        )?;
        Ok(found.map(|(_, property)| property))
    }

    fn properties(&self, holder: Principal) -> Result<Vec<(String, KeptProperty)>> {
        self.all(
            &format!(
                "SELECT {COLUMNS} FROM property WHERE owner_kind = ?1 AND owner_id = ?2 AND value IS NOT NULL
                 ORDER BY name"
            ),
            principal_to_sql(holder),
            read,
        )
    }

    fn properties_for_finger(&self, holder: Principal) -> Result<Vec<(String, KeptProperty)>> {
        self.all(
            &format!(
                "SELECT {COLUMNS} FROM property WHERE owner_kind = ?1 AND owner_id = ?2 AND value IS NOT NULL
                 AND finger = 1 ORDER BY name"
            ),
            principal_to_sql(holder),
            read,
        )
    }

    fn property_count(&self, holder: Principal) -> Result<u32> {
        self.row(
            "SELECT count(*) FROM property WHERE owner_kind = ?1 AND owner_id = ?2 AND value IS NOT NULL",
            principal_to_sql(holder),
            |row| Ok(row.get(0)?),
        )
    }

    fn properties_while_on(&self) -> Result<Vec<(Principal, String)>> {
        self.all(
            "SELECT owner_kind, owner_id, name FROM property WHERE value IS NOT NULL AND kept = 0
             ORDER BY owner_kind, owner_id, name",
            [],
            |row| Ok((principal_from_sql(row.get(0)?, row.get(1)?)?, row.get(2)?)),
        )
    }
}

impl Db {
    pub(super) fn property_put(&self, holder: Principal, name: &str, property: &KeptProperty) -> Result<()> {
        let (kind, id) = principal_to_sql(holder);
        let KeptProperty { value, version, finger, push, kept, write, read, at } = property;
        self.change(
            "INSERT INTO property (owner_kind, owner_id, name, version, finger, push, kept, write, read, at, value)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (owner_kind, owner_id, name) DO UPDATE SET (version, finger, push, kept, write, read, at, value)
             = (?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                kind,
                id,
                name,
                to_sql(*version)?,
                finger,
                push,
                kept,
                write.as_str(),
                read.as_str(),
                at.0,
                to_value(value.as_ref())
            ],
        )?;
        Ok(())
    }
}
