//! How values stand in a line of the log. Pure.

use ssmglobal_ipc::{Kind, clean};
use std::fmt::Write as _;
use std::net::IpAddr;

/// What can stand behind `key=`.
pub trait Field {
    /// Appends ` key=value`.
    fn put(&self, key: &str, line: &mut String);
}

macro_rules! plain {
    ($($type:ty),*) => {
        $(impl Field for $type {
            fn put(&self, key: &str, line: &mut String) {
                _ = write!(line, " {key}={self}");
            }
        })*
    };
}

plain!(u16, u32, u64, IpAddr);

impl Field for str {
    fn put(&self, key: &str, line: &mut String) {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '+');
        let shown = match !self.is_empty() && self != "-" && self.chars().all(is_word) {
            true => self.to_owned(),
            false => quoted(self),
        };
        _ = write!(line, " {key}={shown}");
    }
}

impl Field for String {
    fn put(&self, key: &str, line: &mut String) {
        self.as_str().put(key, line);
    }
}

impl Field for Kind {
    fn put(&self, key: &str, line: &mut String) {
        command(*self).put(key, line);
    }
}

impl<F: Field + ?Sized> Field for &F {
    fn put(&self, key: &str, line: &mut String) {
        (**self).put(key, line);
    }
}

impl<F: Field> Field for Option<F> {
    fn put(&self, key: &str, line: &mut String) {
        match self {
            Some(value) => value.put(key, line),
            None => _ = write!(line, " {key}=-"),
        }
    }
}

/// In quotes, from which nothing comes out.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", clean(&text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The command that asks for a request, as it is typed: `MAIL SEND`.
pub fn command(kind: Kind) -> String {
    let mut words = String::new();
    for c in kind.name().chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_uppercase());
    }
    words
}
