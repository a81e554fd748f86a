//! The shape of the table of keys. Plain data in every process.

use crate::pattern;
use crate::rule::Rule;
use crate::value::Value;

/// What the names of all our variables begin with.
pub(crate) const PREFIX: &str = "SSMGLOBAL_";

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

    /// The variable that sets it, as in `SSMGLOBAL_LIMITS_CLIENTS`. The keys of a door and of a world have none.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.replace('.', "_").to_ascii_uppercase())
    }

    /// The value that holds when nobody sets it; none for what a door or a world takes from elsewhere.
    pub fn default_value(&self) -> Option<Value> {
        (self.get)(&T::default())
    }

    /// Sets it to what somebody has written for it, outside of the file.
    ///
    /// # Errors
    /// What is wrong with that and what is allowed, as one clause.
    pub fn set_to(&self, settings: &mut T, text: &str) -> Result<(), String> {
        let allowed = || match &self.rule {
            // In the file it stands in quotes.
            Rule::Version => "give a version, as 4 or 4.2.1".to_owned(),
            rule => rule.allowed(),
        };
        let value = self.rule.plain(text).map_err(|fault| format!("{}; {}", fault.wrong, allowed()))?;
        if (self.set)(settings, value) { Ok(()) } else { Err(allowed()) }
    }

    /// What it is set to, as [`Key::set_to`] takes it; none for what a door takes from elsewhere.
    pub fn text(&self, settings: &T) -> Option<String> {
        Some(match (self.get)(settings)? {
            Value::Text(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Address(address) => address.to_string(),
            Value::Addresses(list) => list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Value::Texts(list) if self.rule == Rule::Patterns => pattern::joined(&list),
            Value::Texts(list) => list.join(" "),
        })
    }
}
