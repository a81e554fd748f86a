//! A line that named a known command, and its arguments on the way to a typed request. Runs in a worker.

use super::{Arg, ArgKind, Asks, Command, Local, PlayWish, number};
use ssmglobal_ipc::{Code, Failure, Page, Party, Request, Secret};
use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;
use zeroize::Zeroize;

/// What a command leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// The handler is asked.
    Request(Request),
    /// The worker does it by itself.
    Local(Local),
    /// It is about a world that is played through us.
    Play(PlayWish),
}

/// An argument as it was written.
#[derive(Clone)]
pub(super) enum Value<'a> {
    /// A word, or a JSON string.
    Text(Cow<'a, str>),
    /// A JSON number, as written.
    Number(Cow<'a, str>),
    /// A JSON truth value.
    Bool(bool),
}

impl Value<'_> {
    /// As it was written, without quotes.
    pub(super) fn as_text(&self) -> &str {
        match self {
            Value::Text(text) | Value::Number(text) => text,
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
        }
    }
}

/// A known command with the arguments that were given. Those that are needed, and their values, are checked
/// by [`Parsed::action`].
pub struct Parsed<'a> {
    /// The table's entry.
    pub command: &'static Command,
    /// One for each argument of the command, in its order.
    values: Vec<Option<Value<'a>>>,
    /// It was written by a program, which is told in JSON what does not fit.
    json: bool,
}

impl std::fmt::Debug for Parsed<'_> {
    /// Without arguments: there may be secrets among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parsed").field("command", &self.command.name).finish_non_exhaustive()
    }
}

impl Drop for Parsed<'_> {
    fn drop(&mut self) {
        for (arg, value) in self.command.args.iter().zip(&mut self.values) {
            if let (true, Some(Value::Text(Cow::Owned(text)))) = (arg.is_secret(), value) {
                text.zeroize();
            }
        }
    }
}

impl<'a> Parsed<'a> {
    /// A command with these arguments, by their places, as they would be typed.
    ///
    /// # Errors
    /// `usage` when there is no such place.
    pub fn given(
        command: &'static Command,
        values: impl IntoIterator<Item = (usize, String)>,
    ) -> Result<Parsed<'static>, Failure> {
        let mut parsed = Parsed::new(command);
        for (index, value) in values {
            parsed.set(index, Value::Text(Cow::Owned(value)))?;
        }
        Ok(parsed)
    }

    pub(super) fn new(command: &'static Command) -> Parsed<'a> {
        Parsed { command, values: command.args.iter().map(|_| None).collect(), json: false }
    }

    /// What was given for each argument that was, as it would be typed: what a session takes along that moves.
    pub fn typed(&self) -> impl Iterator<Item = (usize, &str)> {
        self.values.iter().enumerate().filter_map(|(index, value)| Some((index, value.as_ref()?.as_text())))
    }

    /// The same, written by a program.
    pub(super) fn in_json(mut self) -> Parsed<'a> {
        self.json = true;
        self
    }

    /// The typed request, or what the worker does by itself.
    ///
    /// # Errors
    /// `usage` when an argument is missing or of the wrong kind, `invalid` when a number is out of range.
    pub fn action(mut self) -> Result<Action, Failure> {
        match self.command.asks {
            Asks::Request(_, make) => make(&mut self).map(Action::Request),
            Asks::Local(_, make) => make(&mut self).map(Action::Local),
            Asks::Play(_, make) => make(&mut self).map(Action::Play),
            Asks::Either(_, make) => make(&mut self),
        }
    }

    /// Keeps the arguments beyond the life of the line, as it is needed while a person is asked for a password.
    pub fn into_owned(mut self) -> Parsed<'static> {
        let owned = |value| match value {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Number(text) => Value::Number(Cow::Owned(text.into_owned())),
            Value::Bool(value) => Value::Bool(value),
        };
        let values = std::mem::take(&mut self.values).into_iter().map(|value| value.map(owned)).collect();
        Parsed { command: self.command, values, json: self.json }
    }

    /// The first argument that is needed and was not given: the words in their order, and then the text.
    pub fn missing(&self) -> Option<(usize, &'static Arg)> {
        let missing = || self.values().enumerate().filter(|(_, (arg, value))| !arg.optional && value.is_none());
        let given_otherwise =
            |arg: &Arg| self.values().any(|(other, value)| value.is_some() && other.instead_of == Some(arg.name));
        let needed = || missing().map(|(index, (arg, _))| (index, arg)).filter(|(_, arg)| !given_otherwise(arg));
        needed().find(|(_, arg)| !arg.is_text()).or_else(|| needed().next())
    }

    /// Whether its text is still to come.
    pub(super) fn waits_for_text(&self) -> bool {
        self.values().any(|(arg, value)| arg.is_text() && value.is_none())
    }

    /// Takes what a person has typed for this argument, where he was asked for it alone.
    ///
    /// # Errors
    /// `invalid` when it cannot be one; nothing was taken then.
    pub fn answer(&mut self, index: usize, typed: String) -> Result<(), Failure> {
        let value = Value::Text(Cow::Owned(typed));
        let Some(arg) = self.command.args.get(index) else { return Ok(()) };
        if arg.kind == ArgKind::Word && value.as_text().contains(char::is_whitespace) {
            let msg = format!("{} must be one word, or stand in quotes.", arg.name);
            return Err(Failure::new(Code::Invalid, msg));
        }
        let is_number = matches!(arg.kind, ArgKind::Int { .. } | ArgKind::Score);
        if is_number && whole(&value).is_none() {
            return Err(Failure::new(Code::Invalid, format!("{} must be a whole number.", arg.name)));
        }
        if let ArgKind::Int { min, max } = arg.kind {
            within::<u64>(self, arg, &value, min, max)?;
        }
        self.set(index, value)
    }

    pub(super) fn slot(&mut self, index: usize) -> Option<&mut Option<Value<'a>>> {
        self.values.get_mut(index)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = (&'static Arg, Option<&Value<'a>>)> {
        self.command.args.iter().zip(self.values.iter().map(Option::as_ref))
    }

    /// The arguments do not fit; `reason` is a sentence about which and why.
    pub(super) fn usage_failure(&self, reason: &str) -> Failure {
        self.command.usage_failure(reason, self.json)
    }

    /// Puts a value in its place in the order of the table.
    pub(super) fn set(&mut self, index: usize, value: Value<'a>) -> Result<(), Failure> {
        match self.slot(index) {
            Some(slot) => {
                *slot = Some(value);
                Ok(())
            }
            None => Err(self.usage_failure("There are too many arguments.")),
        }
    }

    /// Which argument the next word in words is, or the text: the first that was not given yet, up to the text.
    pub(super) fn next_free(&self) -> Option<(usize, &'static Arg)> {
        let text = self.command.args.iter().position(Arg::is_text);
        let up_to_text = text.map_or(usize::MAX, |text| text + 1);
        let mut free = self.values().enumerate().take(up_to_text).filter(|(_, (_, value))| value.is_none());
        free.find(|(_, (arg, _))| text.is_none() || arg.keyword.is_none()).map(|(index, (arg, _))| (index, arg))
    }

    fn take(&mut self, name: &str) -> Option<(&'static Arg, Value<'a>)> {
        let index = self.command.args.iter().position(|arg| arg.name == name)?;
        let arg = self.command.args.get(index)?;
        let value = self.values.get_mut(index)?.take()?;
        let empty = matches!(&value, Value::Text(text) if text.is_empty());
        let says_nothing = match arg.kind {
            ArgKind::Word | ArgKind::Secret { .. } => true,
            // An empty text is one, and no number or truth value is empty.
            ArgKind::Text | ArgKind::Names | ArgKind::Int { .. } | ArgKind::Score | ArgKind::Flag { .. } => false,
        };
        (!empty || !says_nothing).then_some((arg, value))
    }

    fn needed<T>(&self, name: &str, value: Option<T>) -> Result<T, Failure> {
        value.ok_or_else(|| self.usage_failure(&format!("{name} is missing.")))
    }

    fn wrong(&self, arg: &Arg, must: &str) -> Failure {
        self.usage_failure(&format!("{} must be {must}.", arg.name))
    }

    /// An optional word or text.
    pub(super) fn opt_string(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some((_, Value::Text(text) | Value::Number(text))) => Ok(Some(text.into_owned())),
            Some((arg, Value::Bool(_))) => Err(self.wrong(arg, "a string")),
        }
    }

    /// A word or text.
    pub(super) fn string(&mut self, name: &str) -> Result<String, Failure> {
        let value = self.opt_string(name)?;
        self.needed(name, value)
    }

    /// A word that may be a number, however that is written.
    pub(super) fn word_or_number(&mut self, name: &str) -> Result<String, Failure> {
        let taken = self.take(name);
        let (arg, value) = self.needed(name, taken)?;
        match value {
            Value::Text(text) => Ok(text.into_owned()),
            Value::Number(text) => match number::whole(&text) {
                Some(number) => Ok(number.to_string()),
                None => Err(self.wrong(arg, "a name or a whole number")),
            },
            Value::Bool(_) => Err(self.wrong(arg, "a name or a whole number")),
        }
    }

    /// An optional word or text of which nothing is as good as any other.
    pub(super) fn opt_text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let is_empty = |value: &Value<'_>| matches!(value, Value::Text(text) if text.is_empty());
        let index = self.command.args.iter().position(|arg| arg.name == name);
        match index.and_then(|index| self.values.get_mut(index)?.take_if(|value| is_empty(value))) {
            Some(_) => Ok(Some(String::new())),
            None => self.opt_string(name),
        }
    }

    /// Text as it was written, whatever it means: also a number or a truth value.
    pub(super) fn written(&mut self, name: &str) -> Result<String, Failure> {
        let value = self.opt_written(name);
        self.needed(name, value)
    }

    /// The same, where it may be left out.
    pub(super) fn opt_written(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|(_, value)| value.as_text().to_owned())
    }

    /// An optional word that is read as something else.
    pub(super) fn opt_parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        let text = self.opt_string(name)?;
        let read = |text: String| text.parse().map_err(|why: T::Err| self.usage_failure(&format!("{name}: {why}.")));
        text.map(read).transpose()
    }

    /// A password or key.
    pub(super) fn secret(&mut self, name: &str) -> Result<Secret, Failure> {
        self.string(name).map(Secret::new)
    }

    /// A password or key, where it may be left out.
    pub(super) fn opt_secret(&mut self, name: &str) -> Result<Option<Secret>, Failure> {
        Ok(self.opt_string(name)?.map(Secret::new))
    }

    /// Optionally a player, a game server or a world.
    pub(super) fn opt_party(&mut self, name: &str) -> Result<Option<Party>, Failure> {
        Ok(self.opt_string(name)?.map(|text| Party::parse(&text)))
    }

    /// A player, a game server or a world.
    pub(super) fn party(&mut self, name: &str) -> Result<Party, Failure> {
        self.string(name).map(|text| Party::parse(&text))
    }

    /// An optional whole number within the bounds of the table.
    pub(super) fn opt_number<T: TryFrom<u64>>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        let Some((arg, value)) = self.take(name) else { return Ok(None) };
        let (min, max) = match arg.kind {
            ArgKind::Int { min, max } => (min, max),
            _ => (0, u64::MAX),
        };
        within(self, arg, &value, min, max).map(Some)
    }

    /// A whole number within the bounds of the table.
    pub(super) fn number<T: TryFrom<u64>>(&mut self, name: &str) -> Result<T, Failure> {
        let value = self.opt_number(name)?;
        self.needed(name, value)
    }

    /// A signed 64-bit whole number.
    pub(super) fn score(&mut self, name: &str) -> Result<i64, Failure> {
        let taken = self.take(name);
        let (arg, value) = self.needed(name, taken)?;
        let Some(number) = whole(&value) else { return Err(self.wrong(arg, "a whole number")) };
        i64::try_from(number).map_err(|_| {
            Failure::new(Code::Invalid, format!("{} must be from {} to {}.", arg.name, i64::MIN, i64::MAX))
        })
    }

    /// `limit` and `after`, as all lists have them.
    pub(super) fn page(&mut self) -> Result<Page, Failure> {
        Ok(Page { limit: self.opt_number("limit")?, after: self.opt_string("after")? })
    }

    /// An optional truth value.
    pub(super) fn opt_flag(&mut self, name: &str) -> Result<Option<bool>, Failure> {
        let Some((arg, value)) = self.take(name) else { return Ok(None) };
        match &value {
            Value::Bool(value) => Ok(Some(*value)),
            Value::Text(text) | Value::Number(text) => {
                flag(arg, text).map(Some).ok_or_else(|| self.wrong(arg, "true or false"))
            }
        }
    }
}

/// A number within these bounds.
fn within<T: TryFrom<u64>>(
    parsed: &Parsed<'_>,
    arg: &Arg,
    value: &Value<'_>,
    min: u64,
    max: u64,
) -> Result<T, Failure> {
    let Some(number) = whole(value) else { return Err(parsed.wrong(arg, "a whole number")) };
    let number = u64::try_from(number).ok().filter(|number| (min..=max).contains(number));
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| Failure::new(Code::Invalid, format!("{} must be from {min} to {max}.", arg.name)))
}

/// Reads a flag in words.
pub(super) fn flag(arg: &Arg, text: &str) -> Option<bool> {
    let ArgKind::Flag { yes, no } = arg.kind else { return None };
    let is = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is([yes, "true", "yes", "1"]) {
        Some(true)
    } else if is([no, "false", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// A whole number, however it is written: some programs write `5.0` for 5.
fn whole(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Text(text) | Value::Number(text) => number::whole(text),
        Value::Bool(_) => None,
    }
}
