//! The shape of the table of keys, and how its entries reach the fields of the settings.

use std::fmt;
use std::path::PathBuf;

use crate::listen::Listen;
use crate::rule::Rule;

/// One key of the file: an entry of the table that everything else is derived from.
#[derive(Debug)]
pub struct Key<T: 'static> {
    /// Its whole name, as in `limits.clients`.
    pub path: &'static str,
    /// What values it takes.
    pub rule: Rule,
    /// What it is for, with its unit.
    doc: &'static str,
    pub(crate) get: fn(&T) -> Option<Value>,
    pub(crate) set: fn(&mut T, Value) -> bool,
}

impl<T: Default> Key<T> {
    pub(crate) const fn new(
        path: &'static str,
        rule: Rule,
        doc: &'static str,
        get: fn(&T) -> Option<Value>,
        set: fn(&mut T, Value) -> bool,
    ) -> Self {
        Self { path, rule, doc, get, set }
    }

    /// What it is for, with its unit; one line.
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// The table that it stands in; empty for a key above all tables.
    pub fn table(&self) -> &'static str {
        self.path.split_once('.').map_or("", |(table, _)| table)
    }

    /// Its name inside its table.
    pub fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }

    /// The variable that sets it, as in `SSMGLOBAL_LIMITS_CLIENTS`. The keys of a door have none.
    pub fn variable(&self) -> String {
        format!("{}{}", crate::load::PREFIX, self.path.replace('.', "_").to_ascii_uppercase())
    }

    /// The value that holds when nobody sets it; none for what a door takes from elsewhere.
    pub fn default_value(&self) -> Option<Value> {
        (self.get)(&T::default())
    }
}

/// What a key can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Number(u64),
    /// `true` or `false`.
    Flag(bool),
    /// A text, a path or a word.
    Text(String),
    /// One address.
    Address(Listen),
    /// Several addresses.
    Addresses(Vec<Listen>),
}

/// As it would be written in the file.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => write!(f, "\"{}\"", text.escape_debug()),
            Self::Address(address) => write!(f, "\"{address}\""),
            Self::Addresses(list) => {
                f.write_str("[")?;
                for (i, address) in list.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}\"{address}\"")?;
                }
                f.write_str("]")
            }
        }
    }
}

/// A field of the settings that a key can fill.
pub(crate) trait Field: Sized {
    fn value(&self) -> Option<Value>;
    /// `None` when the value is of another type, which a key's rule has ruled out before.
    fn take(value: Value) -> Option<Self>;
}

macro_rules! number {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn value(&self) -> Option<Value> {
                u64::try_from(*self).ok().map(Value::Number)
            }

            fn take(value: Value) -> Option<Self> {
                match value {
                    Value::Number(number) => number.try_into().ok(),
                    _ => None,
                }
            }
        }
    )+};
}
number!(u32, u64, usize);

macro_rules! plain {
    ($($type:ty: $variant:ident),+) => {$(
        impl Field for $type {
            fn value(&self) -> Option<Value> {
                Some(Value::$variant(self.clone()))
            }

            fn take(value: Value) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }
        }
    )+};
}
plain!(bool: Flag, String: Text, Listen: Address, Vec<Listen>: Addresses);

impl Field for PathBuf {
    fn value(&self) -> Option<Value> {
        self.to_str().map(|path| Value::Text(path.to_owned()))
    }

    fn take(value: Value) -> Option<Self> {
        String::take(value).map(Self::from)
    }
}

impl<T: Field> Field for Option<T> {
    fn value(&self) -> Option<Value> {
        self.as_ref().and_then(T::value)
    }

    fn take(value: Value) -> Option<Self> {
        T::take(value).map(Some)
    }
}
