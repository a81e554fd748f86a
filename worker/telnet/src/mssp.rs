//! MSSP, the Mud Server Status Protocol: what a server tells about itself, by names and values. Runs in the worker.

use serde::{Deserialize, Serialize};

use crate::codes::{option, write_subnegotiation};

const VAR: u8 = 1;
const VAL: u8 = 2;

/// Variables of a table that are kept, and values of one.
const MOST: usize = 128;
/// Bytes of a name or a value that are kept.
const LONGEST: usize = 256;
/// Bytes of all names and values together.
const ALL: usize = 8 * 1024;

/// What a world has told about itself: at most 128 names with as many values, 8 KiB together. What is beyond is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mssp {
    variables: Vec<(Box<str>, Vec<Box<str>>)>,
}

impl Mssp {
    /// Reads the body of a subnegotiation. What is no UTF-8 is taken for Latin-1; control characters are left out.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let mut table = Self::default();
        let mut left = ALL;
        let mut rest = body;
        while let Some((&kind, tail)) = rest.split_first() {
            let end = tail.iter().position(|byte| matches!(*byte, VAR | VAL)).unwrap_or(tail.len());
            let (word, tail) = tail.split_at(end);
            rest = tail;
            let word = text(word);
            let Some(space) = left.checked_sub(word.len()) else { break };
            let count = table.variables.len();
            match (kind, table.variables.last_mut()) {
                (VAR, _) if count < MOST => table.variables.push((word, Vec::new())),
                (VAL, Some((_, values))) if values.len() < MOST => values.push(word),
                (VAR, _) => break,
                _ => continue,
            }
            left = space;
        }
        table.variables.retain(|(name, values)| !name.is_empty() && !values.is_empty());
        table
    }

    /// The first value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, values) = self.variables.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        values.first().map(AsRef::as_ref)
    }

    /// All names with each of their values, in the order in which they were told.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().flat_map(|(name, values)| values.iter().map(|value| (&**name, &**value)))
    }
}

/// Writes a table. A name that stands there again, right behind itself, has several values.
pub(crate) fn write(table: &[(&str, &str)], out: &mut Vec<u8>) {
    let mut body = Vec::new();
    let mut last = None;
    for (name, value) in table {
        if last.replace(name) != Some(name) {
            body.push(VAR);
            body.extend(allowed(name));
        }
        body.push(VAL);
        body.extend(allowed(value));
    }
    write_subnegotiation(out, option::MSSP, &[&body]);
}

/// MSSP allows neither NUL nor its own marks in a text.
fn allowed(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(|byte| !matches!(*byte, 0 | VAR | VAL))
}

fn text(word: &[u8]) -> Box<str> {
    let printable = |text: &str| text.chars().filter(|character| !character.is_control()).collect::<String>();
    let text = match std::str::from_utf8(word) {
        Ok(text) => printable(text),
        Err(_) => printable(&word.iter().map(|byte| char::from(*byte)).collect::<String>()),
    };
    let longest = text.len().min(LONGEST);
    let end = (0..=longest).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text.get(..end).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let table = [("NAME", "M\u{fc}d"), ("PLAYERS", "7"), ("PORT", "4000"), ("PORT", "4001"), ("UPTIME", "1")];
        let mut out = Vec::new();
        write(&table, &mut out);
        let body = out.strip_prefix(b"\xff\xfa\x46").and_then(|rest| rest.strip_suffix(b"\xff\xf0")).unwrap();
        assert_eq!(body, "\x01NAME\x02M\u{fc}d\x01PLAYERS\x027\x01PORT\x024000\x024001\x01UPTIME\x021".as_bytes());
        let read = Mssp::read(body);
        assert_eq!(read.iter().collect::<Vec<_>>(), table);
        assert_eq!((read.get("players"), read.get("PORT"), read.get("HOST")), (Some("7"), Some("4000"), None));
    }

    #[test]
    fn what_is_not_allowed_in_a_table_is_left_out() {
        let mut out = Vec::new();
        write(&[("A\x01B", "x\x02\0y")], &mut out);
        assert_eq!(out, b"\xff\xfa\x46\x01AB\x02xy\xff\xf0");
        let table = Mssp::read(b"\x02lost\x01\x02nameless\x01EMPTY\x01NAME\x02a\x1b[1m\xff");
        assert_eq!(table.iter().collect::<Vec<_>>(), [("NAME", "a[1m\u{ff}")]);
    }

    #[test]
    fn a_table_without_an_end_takes_little() {
        for body in [b"\x01N\x02v".repeat(20_000), [&b"\x01N"[..], &b"\x02v".repeat(20_000)].concat(), vec![1; 60_000]]
        {
            let table = Mssp::read(&body);
            assert!(table.iter().count() <= MOST);
        }
        let long = [&b"\x01N\x02"[..], &[b'x'; 60_000]].concat();
        assert_eq!(Mssp::read(&long).get("N").map(str::len), Some(LONGEST));
        let many: Vec<u8> = (0..100).flat_map(|_| [&b"\x01N\x02"[..], &[b'x'; 300]].concat()).collect();
        assert!(Mssp::read(&many).iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= ALL);
    }
}
