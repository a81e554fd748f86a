//! Requests as programs write them: one JSON object per line. Runs in a worker.
//!
//! A line is gone over once for its members and once more for the arguments, always with borrowed text; what is
//! nested is skipped without recursion.

use super::lookup::by_name;
use super::parsed::Value;
use super::{ArgKind, Parsed, State, no_mode, number, parse_words, permitted, words};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use ssmglobal_ipc::{Code, Failure, nearest};
use std::borrow::Cow;
use std::fmt;

/// The longest `id` and `key`, bytes as they stand in the line.
pub(super) const MAX_ID: usize = 128;

/// One line from a program.
#[derive(Debug)]
pub struct Line<'a> {
    /// The request's `id` as it stands in the line: JSON, to be repeated letter for letter.
    pub id: Option<&'a str>,
    /// The request's `key`, by which a program will be able to repeat it.
    pub key: Option<Cow<'a, str>>,
    /// The command, or why there is none.
    pub parsed: Result<Parsed<'a>, Failure>,
}

/// Reads one line that is not empty.
///
/// # Errors
/// In `parsed`: `invalid_json`, `unknown_command`, `usage`, `invalid` (an `id` that cannot be repeated). The `id`
/// is there also then, if it could be read.
pub fn parse_json(line: &str) -> Line<'_> {
    let mut envelope = Envelope::default();
    let whole = envelope.read(line);
    let (id, id_fits) = envelope.id();
    let (key, key_fits) = envelope.key();
    let parsed = if whole.is_err() {
        Err(invalid_json())
    } else if !id_fits {
        Err(Failure::new(Code::Invalid, format!("id must be a number or a string of {MAX_ID} bytes at the most.")))
    } else if !key_fits {
        Err(Failure::new(Code::Invalid, format!("key must be a string of {MAX_ID} bytes at the most.")))
    } else {
        envelope.parse()
    };
    Line { id, key, parsed }
}

/// Reads the line with which a connection without a mode begins: words, or JSON. All but `MODE` is `no_mode`.
pub fn parse_first(line: &str) -> Line<'_> {
    if !line.trim_start().starts_with('{') {
        return Line { id: None, key: None, parsed: parse_words(line, State::New).and_then(only_mode) };
    }
    let read = parse_json(line);
    let parsed = match read.parsed {
        Err(failure) if matches!(failure.code, Code::InvalidJson | Code::UnknownCommand) => Err(no_mode()),
        parsed => parsed.and_then(only_mode),
    };
    Line { parsed, ..read }
}

fn only_mode(parsed: Parsed<'_>) -> Result<Parsed<'_>, Failure> {
    permitted(parsed.command, State::New, "").map(|()| parsed)
}

fn invalid_json() -> Failure {
    Failure::new(Code::InvalidJson, "Invalid JSON.")
}

/// The line is an object, and names no command.
fn no_command() -> Failure {
    Failure::new(Code::InvalidJson, "cmd must be a string, the name of a command: {\"cmd\": \"HELP\"} lists them.")
}

/// A request's members, not looked into.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    id: Option<&'a RawValue>,
    key: Option<&'a RawValue>,
    cmd: Option<&'a RawValue>,
    args: Option<&'a RawValue>,
    /// There were others.
    more: bool,
}

impl<'a> Envelope<'a> {
    /// Takes the line apart. What was found before an error stays.
    pub(super) fn read(&mut self, line: &'a str) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(line);
        self.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    /// The `id`, and whether what was given can be one.
    fn id(&self) -> (Option<&'a str>, bool) {
        let raw = self.id.map_or("null", RawValue::get);
        match raw.as_bytes().first() {
            Some(b'n') => (None, true),
            Some(b'"' | b'-' | b'0'..=b'9') if raw.len() <= MAX_ID + 2 => (Some(raw), true),
            _ => (None, false),
        }
    }

    /// The `id`, if it is a number.
    pub(super) fn number(&self) -> Option<&'a str> {
        self.id().0.filter(|id| !id.starts_with('"'))
    }

    /// Whether there is anything else than this `id`, `cmd` and `args`.
    pub(super) fn has_more_than(&self, id: Option<&str>) -> bool {
        self.more || self.key.is_some() || self.id.is_some() != id.is_some()
    }

    /// The `key`, and whether what was given can be one.
    fn key(&self) -> (Option<Cow<'a, str>>, bool) {
        match self.key.map(|raw| (raw.get().len(), scalar(raw))) {
            None | Some((_, Some(Scalar::Null))) => (None, true),
            Some((length, Some(Scalar::Value(Value::Text(key))))) if length <= MAX_ID + 2 => (Some(key), true),
            Some(_) => (None, false),
        }
    }

    pub(super) fn cmd(&self) -> Option<Cow<'a, str>> {
        match self.cmd.and_then(scalar) {
            Some(Scalar::Value(Value::Text(cmd))) => Some(cmd),
            _ => None,
        }
    }

    pub(super) fn parse(&self) -> Result<Parsed<'a>, Failure> {
        let cmd = match self.cmd.map(scalar) {
            Some(Some(Scalar::Value(Value::Text(cmd)))) => cmd,
            Some(None) => return Err(invalid_json()),
            _ => return Err(no_command()),
        };
        let command = by_name(&cmd).ok_or_else(|| Failure::new(Code::UnknownCommand, "Command not found."))?;
        let mut parsed = Parsed::new(command).in_json();
        if let Some(args) = self.args {
            fill(&mut parsed, args)?;
        }
        Ok(parsed)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Envelope<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Envelope<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Text)? {
            let member = match &*name {
                "id" => &mut self.id,
                "cmd" => &mut self.cmd,
                "args" => &mut self.args,
                "key" => &mut self.key,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    self.more = true;
                    continue;
                }
            };
            if member.is_some() {
                return Err(A::Error::custom("a member stands there twice"));
            }
            *member = Some(map.next_value()?);
        }
        Ok(())
    }
}

/// A string, borrowed where it has no escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

enum Scalar<'a> {
    Value(Value<'a>),
    Null,
    Nested,
}

/// What valid JSON holds; nothing for a string with an escape that means no character.
fn scalar(raw: &RawValue) -> Option<Scalar<'_>> {
    let text = raw.get();
    Some(match text.as_bytes().first()? {
        b'"' if text.contains('\\') => Scalar::Value(Value::Text(Cow::Owned(serde_json::from_str(text).ok()?))),
        b'"' => Scalar::Value(Value::Text(Cow::Borrowed(text.strip_prefix('"')?.strip_suffix('"')?))),
        b't' => Scalar::Value(Value::Bool(true)),
        b'f' => Scalar::Value(Value::Bool(false)),
        b'n' => Scalar::Null,
        b'{' | b'[' => Scalar::Nested,
        _ => Scalar::Value(Value::Number(Cow::Borrowed(text))),
    })
}

/// Reads `args`: a string of words, a list, or an object.
pub(super) fn fill<'a>(parsed: &mut Parsed<'a>, args: &'a RawValue) -> Result<(), Failure> {
    match scalar(args).ok_or_else(invalid_json)? {
        Scalar::Null => Ok(()),
        Scalar::Value(Value::Text(Cow::Borrowed(text))) => words::fill(parsed, text),
        Scalar::Value(Value::Text(Cow::Owned(text))) => {
            let mut short = Parsed::new(parsed.command).in_json();
            words::fill(&mut short, &text)?;
            *parsed = short.into_owned();
            Ok(())
        }
        Scalar::Value(_) => Err(parsed.usage_failure("args must be an object, a list or a string.")),
        Scalar::Nested => {
            let mut arguments = Arguments { parsed, failure: None };
            let mut deserializer = serde_json::Deserializer::from_str(args.get());
            let read = deserializer.deserialize_any(&mut arguments);
            match (arguments.failure, read) {
                (Some(failure), _) => Err(failure),
                (None, Err(_)) => Err(invalid_json()),
                (None, Ok(())) => Ok(()),
            }
        }
    }
}

/// A list of names, as it would be in words; nothing for a list of something else.
fn names(raw: &RawValue) -> Option<String> {
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
    let name = |raw: &&RawValue| match scalar(raw)? {
        Scalar::Value(Value::Text(name)) => Some(name.into_owned()),
        Scalar::Value(Value::Number(name)) => Some(number::whole(&name)?.to_string()),
        Scalar::Value(Value::Bool(_)) | Scalar::Null | Scalar::Nested => None,
    };
    let list: Vec<String> = list.iter().map(name).collect::<Option<_>>()?;
    let is_name = |name: &String| !name.is_empty() && !name.contains(char::is_whitespace);
    list.iter().all(is_name).then(|| list.join(" "))
}

/// Puts the members of a list or an object in their places; the first that does not fit ends it.
struct Arguments<'p, 'a> {
    parsed: &'p mut Parsed<'a>,
    failure: Option<Failure>,
}

impl<'a> Arguments<'_, 'a> {
    fn put(&mut self, index: usize, raw: &'a RawValue) -> Result<(), Failure> {
        match scalar(raw).ok_or_else(invalid_json)? {
            Scalar::Value(value) => self.parsed.set(index, value),
            Scalar::Null => Ok(()),
            Scalar::Nested => {
                let arg = self.parsed.command.args.get(index);
                let takes_names = arg.is_some_and(|arg| arg.kind == ArgKind::Names);
                if let Some(names) = names(raw).filter(|_| takes_names) {
                    return self.parsed.set(index, Value::Text(Cow::Owned(names)));
                }
                let must =
                    if takes_names { "a string or a list of names" } else { "a string, a number, true or false" };
                let why = format!("{} must be {must}.", arg.map_or("an argument", |arg| arg.name));
                Err(self.parsed.usage_failure(&why))
            }
        }
    }

    fn place(&mut self, name: &str) -> Result<usize, Failure> {
        let command = self.parsed.command;
        let Some(index) = command.args.iter().position(|arg| arg.name == name) else {
            let shown: String = name.chars().take(32).collect();
            let near = nearest(name, command.args.iter().map(|arg| arg.name));
            let near = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
            return Err(self.parsed.usage_failure(&format!("There is no argument {shown:?}.{near}")));
        };
        if self.parsed.slot(index).is_some_and(|slot| slot.is_some()) {
            return Err(self.parsed.usage_failure(&format!("{name} stands there twice.")));
        }
        Ok(index)
    }

    fn noted<T, E: serde::de::Error>(&mut self, result: Result<T, Failure>) -> Result<T, E> {
        result.map_err(|failure| {
            self.failure = Some(failure);
            E::custom("an argument does not fit")
        })
    }
}

impl<'de> Visitor<'de> for &mut Arguments<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(raw) = list.next_element::<&'de RawValue>()? {
            let put = self.put(index, raw);
            self.noted(put)?;
            index += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Text)? {
            let place = self.place(&name);
            let index = self.noted(place)?;
            let raw = map.next_value::<&'de RawValue>()?;
            let put = self.put(index, raw);
            self.noted(put)?;
        }
        Ok(())
    }
}
