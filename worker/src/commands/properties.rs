//! Properties: small values of players and worlds. Runs in a worker.

use super::{Arg, Command, Group, Parsed};
use crate::render::{Counted, Pushed, Screen, Shown, plural};
use ssmglobal_ipc::{
    Base64, Code, Failure, FingerProperty, Kind, Properties, Property, PropertyAccess, PropertyChanged, PropertyDelete,
    PropertyGet, PropertySet, PropertyTerms, PropertyValue, PropertyVersion, PropertyWatch, Request,
};
use std::fmt::{self, Write};

const OF: Arg = Arg::word("of", "whose: a player, or `world:NAME`");
const NAME: Arg = Arg::word("name", "a number from 1 to 255, or 1-64 bytes without blanks");

pub(super) static GROUP: Group = Group {
    title: "Properties",
    word: Some("PROPERTY"),
    commands: &[
        Command {
            name: "PROPERTY GET",
            summary: "Read properties of a player or a world",
            args: &[
                OF,
                Arg::names("names", "which, with blanks between; all that you may read when left out").optional(),
                Arg::limit().keyword("LIMIT"),
                Arg::word("after", "`next` of the page before").optional().keyword("AFTER"),
            ],
            example: "PROPERTY GET bob 12 motto",
            returns: "`of`, `properties` (each with `name`, `value`, or `base64` where it is no text, `version`, `finger`, \
                      `push`, `kept`, `write`, `read`, `at`), `next`",
            codes: &[Code::NotFound, Code::Invalid],
            ..Command::request(Kind::PropertyGet, |parsed| {
                let names = parsed.opt_string("names")?.unwrap_or_default();
                Ok(Request::PropertyGet(PropertyGet {
                    of: parsed.party("of")?,
                    names: names.split_whitespace().map(str::to_owned).collect(),
                    limit: parsed.opt_number("limit")?,
                    after: parsed.opt_string("after")?,
                }))
            })
        },
        Command {
            name: "PROPERTY SET",
            summary: "Write a property",
            args: &[
                OF,
                NAME,
                Arg::text("value", "up to 4 KiB"),
                Arg::int("version", 0, u64::MAX, "only if this is the present version; 0: only if there is none")
                    .optional()
                    .keyword("IF"),
                Arg::flag(
                    "finger",
                    "FINGER",
                    "NO-FINGER",
                    "whether FINGER, or WORLD SHOW of a world, shows it; at first not",
                ),
                Arg::flag("push", "PUSH", "NO-PUSH", "whether changes of it are told; at first not"),
                Arg::flag("kept", "KEPT", "WHILE-ON", "whether it stays when its holder is not on; at first it does"),
                Arg::word("write", "who may write it: everyone, owner, world or property; at first owner")
                    .optional()
                    .keyword("WRITE"),
                Arg::word("read", "who may read it, by the same words; at first everyone").optional().keyword("READ"),
                Arg::word("base64", "bytes, in place of `value`, which is left out then or empty")
                    .optional()
                    .keyword("BASE64")
                    .instead_of("value"),
            ],
            example: "PROPERTY SET bob motto IF VERSION 3 FINGER PUSH Be kind",
            returns: "`of`, `name`, `version`",
            codes: &[Code::NotFound, Code::Conflict, Code::Denied, Code::Invalid, Code::TooLong, Code::Limit],
            ..Command::request(Kind::PropertySet, |parsed| {
                Ok(Request::PropertySet(PropertySet {
                    of: parsed.party("of")?,
                    name: parsed.word_or_number("name")?,
                    value: value(parsed)?,
                    version: parsed.opt_number("version")?,
                    terms: terms(parsed)?,
                }))
            })
        },
        Command {
            name: "PROPERTY DELETE",
            summary: "Delete a property",
            args: &[
                OF,
                NAME,
                Arg::int("version", 0, u64::MAX, "only if this is the present version").optional().keyword("IF"),
            ],
            done: "Property deleted.",
            example: "PROPERTY DELETE bob motto",
            codes: &[Code::NotFound, Code::Conflict, Code::Denied, Code::Invalid],
            ..Command::request(Kind::PropertyDelete, |parsed| {
                Ok(Request::PropertyDelete(PropertyDelete {
                    of: parsed.party("of")?,
                    name: parsed.word_or_number("name")?,
                    version: parsed.opt_number("version")?,
                }))
            })
        },
        Command {
            name: "PROPERTY WATCH",
            summary: "Be told of changes that are pushed",
            args: &[OF],
            done: "You will be told of what is pushed of it, as far as you may read it.",
            example: "PROPERTY WATCH world:atlantis",
            codes: &[Code::NotFound, Code::Invalid, Code::Limit],
            ..Command::request(Kind::PropertyWatch, |parsed| {
                Ok(Request::PropertyWatch(PropertyWatch { of: parsed.party("of")? }))
            })
        },
        Command {
            name: "PROPERTY UNWATCH",
            summary: "Be told no longer",
            args: &[OF],
            done: "You will no longer be told.",
            example: "PROPERTY UNWATCH world:atlantis",
            codes: &[Code::NotFound, Code::Invalid],
            ..Command::request(Kind::PropertyUnwatch, |parsed| {
                Ok(Request::PropertyUnwatch(PropertyWatch { of: parsed.party("of")? }))
            })
        },
    ],
};

/// A text, or bytes: one of the two. In words, where `value` has its place in front, it may be there and empty.
fn value(parsed: &mut Parsed<'_>) -> Result<PropertyValue, Failure> {
    let Some(base64) = parsed.opt_string("base64")? else { return parsed.string("value").map(PropertyValue::Text) };
    if parsed.opt_string("value")?.is_some_and(|value| !value.is_empty()) {
        return Err(Failure::new(Code::Invalid, "Give value or base64, not both."));
    }
    let unreadable = || Failure::new(Code::Invalid, "That is not base64: letters, digits, + and /, filled up with =.");
    Base64::parse(&base64).map(|bytes| PropertyValue::Binary(bytes.0)).ok_or_else(unreadable)
}

fn access(parsed: &mut Parsed<'_>, name: &str) -> Result<Option<PropertyAccess>, Failure> {
    let unknown = || Failure::new(Code::Invalid, format!("{name} is {}.", PropertyAccess::WORDS.join(", ")));
    let word = parsed.opt_string(name)?;
    word.map(|word| PropertyAccess::parse(&word).ok_or_else(unknown)).transpose()
}

fn terms(parsed: &mut Parsed<'_>) -> Result<PropertyTerms, Failure> {
    Ok(PropertyTerms {
        finger: parsed.opt_flag("finger")?,
        push: parsed.opt_flag("push")?,
        kept: parsed.opt_flag("kept")?,
        write: access(parsed, "write")?,
        read: access(parsed, "read")?,
    })
}

fn binary(bytes: &Base64) -> String {
    format!("({})", plural(bytes.0.len(), "byte"))
}

/// A name and what it says: in one line, or below it where it has several.
fn show_value(screen: &mut Screen, name: &str, value: Option<&str>, base64: Option<&Base64>) {
    match (value, base64) {
        (Some(value), _) if value.contains('\n') => {
            screen.heading(&format!("{name}:"));
            screen.block(2, value);
        }
        (Some(value), _) => screen.line(format!("{name}: {value}")),
        (None, bytes) => screen.line(format!("{name}: {}", bytes.map(binary).unwrap_or_default())),
    }
}

/// Those that are shown with their holder.
pub(super) fn show_properties(screen: &mut Screen, properties: &[FingerProperty]) {
    for property in properties {
        show_value(screen, &property.name, property.value.as_deref(), property.base64.as_ref());
    }
}

fn used(property: &Property) -> String {
    let Property { version, finger, push, kept, write, read, .. } = property;
    let word = |is: bool, word: &str| if is { format!(" {word},") } else { String::new() };
    format!(
        "  version {version},{}{}{} write {}, read {}",
        word(*finger, "finger"),
        word(*push, "push"),
        word(!*kept, "while on"),
        write.as_str(),
        read.as_str()
    )
}

impl Shown for Properties {
    fn say(&self, f: &mut dyn Write, _: Kind) -> fmt::Result {
        match (self.properties.len(), &self.next) {
            (0, _) => write!(f, "There are no properties of {} for you.", self.of),
            (1, None) => write!(f, "1 property of {}.", self.of),
            (count, None) => write!(f, "{count} properties of {}.", self.of),
            (count, Some(_)) => write!(f, "{count} properties of {}, and there are more.", self.of),
        }
    }

    fn show(&self, screen: &mut Screen, _: Kind) {
        for property in &self.properties {
            show_value(screen, &property.name, property.value.as_deref(), property.base64.as_ref());
            screen.hint(used(property));
        }
        if self.properties.is_empty() {
            screen.hint(format!("PROPERTY SET {} name value makes one.", self.of));
        }
        // How many there are for whoever asks is not known before all were looked at.
        let counted = Counted { shown: self.properties.len(), total: None, what: "properties" };
        screen.page(counted, &format!("PROPERTY GET {}", self.of), self.next.as_deref());
    }
}

impl Shown for PropertyVersion {
    fn say(&self, f: &mut dyn Write, _: Kind) -> fmt::Result {
        write!(f, "{} of {} is now version {}.", self.name, self.of, self.version)
    }
}

impl Pushed for PropertyChanged {
    fn say(&self, f: &mut dyn Write) -> fmt::Result {
        let PropertyChanged { of, name, value, base64, .. } = self;
        match (value, base64) {
            (Some(value), _) => write!(f, "{name} of {of}: {value}"),
            (None, Some(bytes)) => write!(f, "{name} of {of}: {}", binary(bytes)),
            (None, None) => write!(f, "{name} of {of} is gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::Action;
    use crate::commands::tests::{json, words};
    use ssmglobal_ipc::{Code, PropertyValue, Request};

    fn asked(line: &str) -> Result<PropertyValue, Code> {
        let parsed = if line.starts_with('{') { json(line) } else { words(line) };
        match parsed {
            Ok(Action::Request(Request::PropertySet(set))) => Ok(set.value),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => Err(failure.code),
        }
    }

    fn in_json(args: &str) -> Result<PropertyValue, Code> {
        asked(&format!(r#"{{"cmd": "PROPERTY SET", "args": {{"of": "bob", "name": 12, {args}}}}}"#))
    }

    #[test]
    fn a_value_is_a_text_or_base64_and_not_both() {
        let text = |text: &str| Ok(PropertyValue::Text(text.to_owned()));
        let bytes = |bytes: &[u8]| Ok(PropertyValue::Binary(bytes.to_vec()));
        assert_eq!(in_json(r#""value": "red""#), text("red"));
        assert_eq!(in_json(r#""value": """#), text(""));
        assert_eq!(in_json(r#""base64": "AAH/""#), bytes(&[0, 1, 255]));
        assert_eq!(in_json(r#""base64": "AAH/", "value": null"#), bytes(&[0, 1, 255]));
        assert_eq!(in_json(r#""base64": "AAH/", "value": "x""#), Err(Code::Invalid));
        assert_eq!(in_json(r#""base64": "AAH_""#), Err(Code::Invalid));
        assert_eq!(in_json(r#""version": 3"#), Err(Code::Usage));
        assert_eq!(in_json(r#""value": "x", "write": "nobody""#), Err(Code::Invalid));
        assert_eq!(asked("PROPERTY SET bob 12 PUSH the button"), text("the button"));
        assert_eq!(asked("PROPERTY SET bob 12 Push the button"), text("Push the button"));
        assert_eq!(asked("PROPERTY SET bob 12 BASE64 AAH/"), bytes(&[0, 1, 255]));
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let name = |name: &str| {
            let line = format!(r#"{{"cmd": "PROPERTY DELETE", "args": {{"of": "bob", "name": {name}}}}}"#);
            match json(&line) {
                Ok(Action::Request(Request::PropertyDelete(delete))) => Ok(delete.name),
                Ok(other) => panic!("{other:?}"),
                Err(failure) => Err(failure.code),
            }
        };
        for written in ["12", "12.0", "\"12\"", "1.2e1"] {
            assert_eq!(name(written).as_deref(), Ok("12"), "{written}");
        }
        assert_eq!((name("1.5"), name("true"), name("\"\"")), (Err(Code::Usage), Err(Code::Usage), Err(Code::Usage)));
        let line = r#"{"cmd": "PROPERTY GET", "args": {"of": "bob", "names": [7, "motto", 12.0]}}"#;
        let Ok(Action::Request(Request::PropertyGet(get))) = json(line) else { panic!("{line}") };
        assert_eq!(get.names, ["7", "motto", "12"]);
    }
}
