//! What a key can hold, and how it reaches the fields of the settings. Plain data in every process.

use std::fmt;
use std::path::PathBuf;

use crate::listen::{Listen, OptionalListen};
use crate::network::Network;
use crate::play::{Liveness, Opening, WorldAddress};

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
    /// Several texts: words, patterns, networks, addresses of a world.
    Texts(Vec<String>),
}

/// As it would be written in the file.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => write!(f, "\"{}\"", text.escape_debug()),
            Self::Address(address) => write!(f, "\"{address}\""),
            Self::Addresses(list) => quoted(f, list),
            Self::Texts(list) => quoted(f, list.iter().map(|text| text.escape_debug())),
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, list: impl IntoIterator<Item = impl fmt::Display>) -> fmt::Result {
    f.write_str("[")?;
    for (i, one) in list.into_iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}\"{one}\"")?;
    }
    f.write_str("]")
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

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl Field for Vec<$type> {
            fn value(&self) -> Option<Value> {
                Some(Value::Texts(self.iter().map(ToString::to_string).collect()))
            }

            fn take(value: Value) -> Option<Self> {
                match value {
                    Value::Texts(list) => list.iter().map(|text| text.parse().ok()).collect(),
                    _ => None,
                }
            }
        }
    )+};
}
texts!(String, Network, WorldAddress, Liveness);

impl Field for Opening {
    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_ref().to_owned()))
    }

    fn take(value: Value) -> Option<Self> {
        String::take(value).map(Self::from)
    }
}

impl Field for PathBuf {
    fn value(&self) -> Option<Value> {
        self.to_str().map(|path| Value::Text(path.to_owned()))
    }

    fn take(value: Value) -> Option<Self> {
        String::take(value).map(Self::from)
    }
}

/// None is an empty text, so that it can be written.
impl Field for OptionalListen {
    fn value(&self) -> Option<Value> {
        Some(self.0.clone().map_or_else(|| Value::Text(String::new()), Value::Address))
    }

    fn take(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) if text.is_empty() => Some(OptionalListen(None)),
            Value::Address(address) => Some(OptionalListen(Some(address))),
            _ => None,
        }
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
