//! What values a key takes, and how it says no.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeArray, DeValue};

use crate::listen::{Listen, ListenError};
use crate::mssp;
use crate::network::Network;
use crate::pattern::{self, LENGTH_MAX, PATTERNS_MAX};
use crate::play::WorldAddress;
use crate::problem::shown;
use crate::value::Value;
use crate::version::Version;

/// Addresses in one list: each costs the listener a descriptor for ever.
const ADDRESSES_MAX: usize = 16;
/// Networks in one list: each connection is compared with all of them.
const NETWORKS_MAX: usize = 64;
/// Bytes of a path; what the kernel takes.
const PATH_MAX: usize = 4095;

/// What values a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A whole number, both ends allowed.
    Number {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// `true` or `false`.
    Flag,
    /// One line of text.
    Line {
        /// Bytes, at the most.
        max: usize,
    },
    /// One line of text, or nothing.
    LineOrNone {
        /// Bytes, at the most.
        max: usize,
    },
    /// Text of any number of lines; may be empty.
    Text {
        /// Bytes, at the most.
        max: usize,
    },
    /// A path in UTF-8.
    Path,
    /// One word of these.
    Word(&'static [&'static str]),
    /// A version: one to four numbers with points between them.
    Version,
    /// One address with its port.
    Address,
    /// One address with its port, or nothing.
    AddressOrNone,
    /// One address or several.
    Addresses,
    /// Any number of networks.
    Networks,
    /// Where a world listens: one address or several.
    WorldAddresses,
    /// The name of a world.
    World,
    /// A regular expression; may be empty, for none.
    Pattern,
    /// Regular expressions; may be none.
    Patterns,
    /// One or several words of these.
    Words(&'static [&'static str]),
    /// What a line begins with that is for us; may be empty, for nothing.
    Escape,
    /// Lines that each say a name and what it is; may be none.
    Variables,
}

/// Addresses of one world: those that do not answer are tried again and again.
const WORLD_ADDRESSES_MAX: usize = 8;
/// Characters of a world's name.
const WORLD: RangeInclusive<usize> = 2..=16;
/// Characters of an escape.
const ESCAPE_MAX: usize = 3;

/// Bytes of a misspelt word; nothing that is longer resembles a key.
const TYPED_MAX: usize = 64;

/// Why a value was refused.
pub(crate) struct Fault {
    pub(crate) wrong: String,
    pub(crate) suggestion: Option<String>,
}

impl Fault {
    fn new(wrong: impl Into<String>) -> Self {
        Self { wrong: wrong.into(), suggestion: None }
    }

    /// With what was probably meant.
    fn meant(wrong: String, meant: Option<String>) -> Self {
        Self { wrong, suggestion: meant.map(|meant| shown(&meant)) }
    }
}

impl Rule {
    /// What is allowed, as an order to the operator: `give a number from 1 to 10`.
    pub fn allowed(&self) -> String {
        match self {
            Self::Number { min, max } => format!("give a number from {min} to {max}"),
            Self::Flag => "give true or false".to_owned(),
            Self::Line { max } => format!("give one line of 1 to {max} bytes"),
            Self::LineOrNone { max } => format!("give one line of at most {max} bytes, or \"\" for none"),
            Self::Text { max } => format!("give a text of at most {max} bytes"),
            Self::Path => "give a path".to_owned(),
            Self::Word(words) => format!("give one of {}", words.join(", ")),
            Self::Version => "give a version in quotes, as \"4\" or \"4.2.1\"".to_owned(),
            Self::Address => "give an IP address and a port, as \"[::]:53450\"".to_owned(),
            Self::AddressOrNone => "give an IP address and a port, as \"127.0.0.1:9464\", or \"\" for none".to_owned(),
            Self::Addresses => {
                format!("give a list of 1 to {ADDRESSES_MAX} addresses, as [\"[::]:53450\"]")
            }
            Self::Networks => format!("give a list of up to {NETWORKS_MAX} networks, as [\"10.0.0.0/8\", \"::1\"]"),
            Self::WorldAddresses => format!(
                "give 1 to {WORLD_ADDRESSES_MAX} addresses with ports, or paths of sockets, as \"127.0.0.1:2860\" or \
                 \"unix:/run/game.sock\""
            ),
            Self::World => {
                format!("give {} to {} letters, digits, _ - . with a letter or digit first", WORLD.start(), WORLD.end())
            }
            Self::Pattern => format!("give a regular expression of at most {LENGTH_MAX} bytes, or \"\" for none"),
            Self::Patterns => {
                format!("give at most {PATTERNS_MAX} regular expressions, each of 1 to {LENGTH_MAX} bytes")
            }
            Self::Words(words) => format!("give one or several of {}", words.join(", ")),
            Self::Variables => {
                format!("give lines as \"GENRE=Fantasy\", of at most {} bytes together, or \"\" for none", mssp::BYTES)
            }
            Self::Escape => {
                format!("give 1 to {ESCAPE_MAX} signs that are no letters or digits, as \"//\", or \"\" for none")
            }
        }
    }

    /// Reads what stands in a variable or an option.
    pub(crate) fn plain(&self, text: &str) -> Result<Value, Fault> {
        match self {
            Self::Number { .. } => match text.trim().parse() {
                Ok(number) => self.number(number),
                Err(_) => Err(Fault::new(format!("{} is not a whole number", shown(text)))),
            },
            Self::Flag => match text.trim() {
                "true" => Ok(Value::Flag(true)),
                "false" => Ok(Value::Flag(false)),
                _ => Err(Fault::new(format!("{} is neither", shown(text)))),
            },
            Self::Addresses => parts(text).map(address).collect::<Result<_, _>>().and_then(addresses),
            Self::WorldAddresses | Self::Words(_) | Self::Networks => {
                self.listed(parts(text).map(|part| self.item(part)).collect::<Result<_, Fault>>()?)
            }
            Self::Patterns if text.is_empty() => self.listed(Vec::new()),
            Self::Patterns => self.listed(vec![self.item(text)?]),
            _ => self.text(text),
        }
    }

    /// Reads what stands in the file. Each fault comes with its place there.
    pub(crate) fn toml(&self, given: &Spanned<DeValue<'_>>) -> Result<Value, Vec<(Range<usize>, Fault)>> {
        let one = |fault| vec![(given.span(), fault)];
        match (self, given.get_ref()) {
            (Self::Number { .. }, DeValue::Integer(digits)) => {
                match i128::from_str_radix(digits.as_str(), digits.radix()) {
                    Ok(number) => self.number(number).map_err(one),
                    Err(_) => Err(one(Fault::new("this number is not allowed"))),
                }
            }
            (Self::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
            (Self::Addresses, DeValue::Array(list)) => items(list, ADDRESSES_MAX, "an address in quotes", address)
                .and_then(|list| addresses(list).map_err(one)),
            (Self::WorldAddresses | Self::Words(_) | Self::Patterns | Self::Networks, DeValue::Array(list)) => {
                items(list, *self.count().end(), "a text in quotes", |text| self.item(text))
                    .and_then(|list| self.listed(list).map_err(one))
            }
            (Self::WorldAddresses | Self::Words(_) | Self::Patterns | Self::Networks, DeValue::String(text)) => {
                self.plain(text).map_err(one)
            }
            (_, DeValue::String(text)) => self.text(text).map_err(one),
            (_, other) => Err(one(mistyped(other, self.wants()))),
        }
    }

    fn wants(&self) -> &'static str {
        match self {
            Self::Number { .. } => "a whole number without quotes",
            Self::Flag => "true or false without quotes",
            Self::Addresses => "a list",
            Self::WorldAddresses | Self::Words(_) | Self::Patterns | Self::Networks => "a list of texts in quotes",
            _ => "a text in quotes",
        }
    }

    /// Takes a number, or says that it is out of range.
    pub(crate) fn number(&self, number: i128) -> Result<Value, Fault> {
        let refused = || Fault::new(format!("{number} is not allowed"));
        match (self, u64::try_from(number)) {
            (Self::Number { min, max }, Ok(number)) if (*min..=*max).contains(&number) => Ok(Value::Number(number)),
            _ => Err(refused()),
        }
    }

    /// Takes a text, a path, a word or an address.
    pub(crate) fn text(&self, text: &str) -> Result<Value, Fault> {
        let taken = || Ok(Value::Text(text.to_owned()));
        match self {
            Self::Word(words) if words.contains(&text) => taken(),
            Self::Word(words) => Err(Fault {
                wrong: format!("{} is not known", shown(text)),
                suggestion: nearest(text, words.iter().copied()).map(shown),
            }),
            Self::Version if text.parse::<Version>().is_ok() => taken(),
            Self::Version => Err(Fault::new(format!("{} is no version", shown(text)))),
            Self::Address => address(text).map(Value::Address),
            Self::AddressOrNone if text.is_empty() => taken(),
            Self::AddressOrNone => address(text).map(Value::Address),
            Self::Path if text.is_empty() => Err(Fault::new("is empty")),
            Self::Path if text.len() > PATH_MAX => Err(Fault::new("is too long for a path")),
            // U+FFFD is what is left of a name in another encoding.
            Self::Path if text.contains(['\0', '\u{fffd}']) => {
                Err(Fault::new(format!("{} is no path in UTF-8", shown(text))))
            }
            Self::Path => taken(),
            Self::Line { .. } if text.is_empty() => Err(Fault::new("is empty")),
            Self::Line { max } | Self::LineOrNone { max } | Self::Text { max } if text.len() > *max => {
                Err(Fault::new(format!("has {} bytes", text.len())))
            }
            Self::Line { .. } | Self::LineOrNone { .. } if text.contains(['\n', '\r']) => {
                Err(Fault::new("has several lines"))
            }
            Self::Line { .. } | Self::Text { .. } if text.contains('\x1b') => {
                Err(Fault::new("holds control characters; a colour is written as {red}words{/}"))
            }
            Self::Line { .. } | Self::LineOrNone { .. } | Self::Text { .. } if text.chars().any(unwelcome) => {
                Err(Fault::new("holds control characters"))
            }
            Self::Line { .. } | Self::LineOrNone { .. } | Self::Text { .. } => taken(),
            Self::World if is_world(text) => taken(),
            Self::World => Err(Fault::new(format!("{} is no name of a world", shown(text)))),
            Self::Pattern if text.is_empty() => taken(),
            Self::Pattern => self.item(text).map(Value::Text),
            Self::Escape if text.len() <= ESCAPE_MAX && text.chars().all(|c| c.is_ascii_punctuation()) => taken(),
            Self::Escape => Err(Fault::new(format!("{} is none", shown(text)))),
            Self::Variables if text.len() > mssp::BYTES => Err(Fault::new(format!("has {} bytes", text.len()))),
            Self::Variables => match mssp::first_wrong(text) {
                None => taken(),
                Some(line) => Err(Fault::new(format!("{} is no line as NAME=value", shown(line)))),
            },
            Self::Number { .. }
            | Self::Flag
            | Self::Addresses
            | Self::WorldAddresses
            | Self::Words(_)
            | Self::Patterns
            | Self::Networks => Err(Fault::new(format!("{} is not {}", shown(text), self.wants()))),
        }
    }

    /// Takes one text of a list, as it is kept.
    fn item(&self, text: &str) -> Result<String, Fault> {
        match self {
            Self::WorldAddresses => match text.parse::<WorldAddress>() {
                Ok(address) => Ok(address.to_string()),
                Err(error) => Err(Fault::meant(error.wrong, error.suggestion)),
            },
            Self::Networks => match text.parse::<Network>() {
                Ok(network) => Ok(network.to_string()),
                Err(error) => Err(Fault::meant(error.wrong, error.suggestion)),
            },
            Self::Words(words) => Self::Word(words).text(text).map(|_| text.to_owned()),
            _ if text.is_empty() => Err(Fault::new("is empty, and would be found in every line")),
            _ if text.len() > LENGTH_MAX => Err(Fault::new(format!("has {} bytes", text.len()))),
            _ if text.chars().any(char::is_control) => Err(Fault::new("holds control characters")),
            _ => match pattern::pattern(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err(Fault::new(format!("{} is no regular expression: {error}", shown(text)))),
            },
        }
    }

    /// How many texts a list has.
    fn count(&self) -> RangeInclusive<usize> {
        match self {
            Self::WorldAddresses => 1..=WORLD_ADDRESSES_MAX,
            Self::Words(words) => 1..=words.len(),
            Self::Networks => 0..=NETWORKS_MAX,
            _ => 0..=PATTERNS_MAX,
        }
    }

    /// Takes the texts of a list together.
    fn listed(&self, mut list: Vec<String>) -> Result<Value, Fault> {
        let count = self.count();
        // Before what stands there twice is dropped: behind so many, nothing was read.
        match list.len() {
            none if none < *count.start() => return Err(Fault::new("names none")),
            many if many > *count.end() => return Err(Fault::new("names more")),
            _ => {}
        }
        let mut seen = BTreeSet::new();
        list.retain(|text| seen.insert(text.clone()));
        Ok(Value::Texts(list))
    }
}

/// Whether a world could be called so. The backend's rules for names are stricter still.
fn is_world(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    WORLD.contains(&text.chars().count()) && text.chars().all(fits) && text.starts_with(char::is_alphanumeric)
}

/// A terminal may act on control characters.
fn unwelcome(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

fn address(text: &str) -> Result<Listen, Fault> {
    text.parse().map_err(|error: ListenError| Fault::meant(error.wrong, error.suggestion))
}

/// What stands in a list of a variable or an option.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ']).filter(|part| !part.is_empty())
}

/// Reads each text of a list; one more than allowed is enough to know that there are too many.
fn items<T>(
    list: &DeArray<'_>,
    most: usize,
    wanted: &str,
    read: impl Fn(&str) -> Result<T, Fault>,
) -> Result<Vec<T>, Vec<(Range<usize>, Fault)>> {
    let (mut good, mut faults) = (Vec::new(), Vec::new());
    for item in list.iter().take(most + 1) {
        let read = match item.get_ref() {
            DeValue::String(text) => read(text),
            other => Err(mistyped(other, wanted)),
        };
        match read {
            Ok(value) => good.push(value),
            Err(fault) => faults.push((item.span(), fault)),
        }
    }
    if faults.is_empty() { Ok(good) } else { Err(faults) }
}

fn addresses(list: Vec<Listen>) -> Result<Value, Fault> {
    if list.is_empty() {
        return Err(Fault::new("names no address"));
    }
    if list.len() > ADDRESSES_MAX {
        return Err(Fault::new("names more"));
    }
    Ok(Value::Addresses(list))
}

fn mistyped(given: &DeValue<'_>, wanted: &str) -> Fault {
    let what = match given {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Fault::new(format!("is {what}, not {wanted}"))
}

/// The known word that a misspelt one most resembles, if any does.
pub(crate) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if typed.len() > TYPED_MAX {
        return None;
    }
    let typed = typed.to_lowercase();
    let tail = |path: &str| path.rsplit('.').next().map(str::to_owned).unwrap_or_default();
    // A right name in a wrong table is a likelier slip than two wrong letters.
    let distance = |word: &str| {
        let whole = strsim::osa_distance(&typed, word);
        let name = strsim::osa_distance(&tail(&typed), &tail(word));
        whole.min(name + usize::from(typed != word))
    };
    let bound = (tail(&typed).chars().count() / 3).clamp(1, 3);
    known
        .map(|word| (distance(word), word))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
