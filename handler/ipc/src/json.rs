//! JSON as it stands on the wire: one object, `", "` and `": "` between things as the original wrote them,
//! never a line end inside. Used by workers for replies and events, and by the handler for relay lines, which
//! are made once for all who get them.

use crate::{Party, RelayMessage, Time};
use serde::Serialize;
use std::io::{self, Write};

struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// Appends a value as JSON. What cannot be written as JSON (nothing of ours) is left out.
pub fn put<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Spaced)).is_err() {
        out.truncate(start);
    }
}

/// `event` in front of the fields of a message.
#[derive(Serialize)]
struct Tagged<'a, T> {
    event: &'a str,
    #[serde(flatten)]
    fields: &'a T,
}

#[derive(Serialize)]
struct Missed<'a> {
    channel: &'a str,
    epoch: u64,
    missed: Option<u64>,
}

/// A relay message with the epoch of its number.
#[derive(Serialize)]
struct Numbered<'a> {
    channel: Option<&'a str>,
    epoch: Option<u64>,
    number: u64,
    from: &'a Party,
    at: Time,
    body: &'a str,
}

/// Appends `{"event": name, …fields of value…}` without a line end.
pub fn put_event<T: Serialize>(out: &mut Vec<u8>, name: &str, value: &T) {
    put(out, &Tagged { event: name, fields: value });
}

/// Appends a relay message as game servers see it, without a line end. One for a single server has no epoch.
pub fn put_relay(out: &mut Vec<u8>, message: &RelayMessage, epoch: Option<u64>) {
    let RelayMessage { channel, number, from, at, body } = message;
    let numbered = Numbered { channel: channel.as_deref(), epoch, number: *number, from, at: *at, body };
    put_event(out, "relay", &numbered);
}

/// Whether a line that [`put_relay`] has made is of this game server. A handler of an older program wrote the name alone.
pub fn is_relay_of(line: &[u8], server: &str) -> bool {
    const FROM: &[u8] = b"\"from\": \"";
    // Nothing in front of it has quotes within: the name of a channel is letters, digits and `_-.`.
    let behind = line.windows(FROM.len()).position(|part| part == FROM).and_then(|at| line.get(at + FROM.len()..));
    let sender = behind.and_then(|behind| behind.split(|byte| *byte == b'"').next()).unwrap_or_default();
    let name = sender.strip_prefix(Party::SERVER.as_bytes()).unwrap_or(sender);
    name.eq_ignore_ascii_case(server.as_bytes())
}

/// Appends `{"event": "relay", "channel": …, "epoch": …, "missed": n}`: so many messages are gone for this receiver; `null`:
/// nobody knows how many.
pub fn put_missed(out: &mut Vec<u8>, channel: &str, epoch: u64, missed: Option<u64>) {
    put_event(out, "relay", &Missed { channel, epoch, missed });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Done, Failure};
    use proptest::prelude::*;

    fn text(append: impl FnOnce(&mut Vec<u8>)) -> String {
        // What is there already stays.
        let mut out = b"> ".to_vec();
        append(&mut out);
        String::from_utf8(out).unwrap().strip_prefix("> ").unwrap().to_owned()
    }

    fn message(body: &str) -> RelayMessage {
        let (channel, from, body) = (Some("chat".to_owned()), Party::Server("arena".to_owned()), body.to_owned());
        RelayMessage { channel, number: 7, from, at: Time(1_769_890_500_123), body }
    }

    #[test]
    fn values_are_written_as_they_always_were() {
        assert_eq!(text(|out| put(out, &(1, "a", [true, false], None::<u8>))), r#"[1, "a", [true, false], null]"#);
        assert_eq!(text(|out| put::<[u8]>(out, &[])), "[]");
        assert_eq!(text(|out| put(out, &Done {})), "{}");
        assert_eq!(
            text(|out| put(out, &Failure::new(crate::Code::SlowDown, "Wait."))),
            r#"{"code": "slow_down", "msg": "Wait.", "version": null, "retry_after": null}"#
        );
        assert_eq!(text(|out| put(out, &i64::MIN)), "-9223372036854775808");
    }

    #[test]
    fn what_cannot_be_written_is_left_out() {
        let keys: std::collections::BTreeMap<(), u8> = [((), 1)].into();
        assert_eq!(text(|out| put(out, &("so far", keys))), "");
    }

    #[test]
    fn events_begin_with_their_name() {
        assert_eq!(text(|out| put_event(out, "nothing", &Done {})), r#"{"event": "nothing"}"#);
        assert_eq!(
            text(|out| put_relay(out, &message("hi"), Some(1_769_890_500_000))),
            r#"{"event": "relay", "channel": "chat", "epoch": 1769890500000, "number": 7, "from": "server:arena", "at": "2026-01-31T20:15:00Z", "body": "hi"}"#
        );
        assert_eq!(
            text(|out| put_relay(out, &RelayMessage { channel: None, number: 0, ..message("hi") }, None)),
            r#"{"event": "relay", "channel": null, "epoch": null, "number": 0, "from": "server:arena", "at": "2026-01-31T20:15:00Z", "body": "hi"}"#
        );
        assert_eq!(
            text(|out| put_missed(out, "chat", 9, Some(u64::MAX))),
            r#"{"event": "relay", "channel": "chat", "epoch": 9, "missed": 18446744073709551615}"#
        );
        assert_eq!(
            text(|out| put_missed(out, "chat", 9, None)),
            r#"{"event": "relay", "channel": "chat", "epoch": 9, "missed": null}"#
        );
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(text(|out| put(out, "a\r\n\t\0\x1b\"\\/é")), r#""a\r\n\t\u0000\u001b\"\\/é""#);
        for c in '\0'..' ' {
            let line = text(|out| put_relay(out, &message(&c.to_string()), Some(1)));
            assert!(line.bytes().all(|byte| byte >= b' '), "{line:?}");
        }
    }

    #[test]
    fn whose_message_it_is_stands_in_the_line() {
        let line = text(|out| put_relay(out, &message("\"from\": \"server:desert\""), Some(9)));
        let older = line.replace("server:arena", "arena");
        for line in [line.as_bytes(), older.as_bytes()] {
            assert!(is_relay_of(line, "arena") && is_relay_of(line, "ARENA"));
            assert!(!is_relay_of(line, "desert") && !is_relay_of(line, "aren") && !is_relay_of(line, ""));
        }
        assert!(!is_relay_of(b"", "arena") && !is_relay_of(b"{\"from\": \"", "arena"));
    }

    proptest! {
        #[test]
        fn a_line_has_no_end_inside_and_says_the_same(body in any::<String>()) {
            let line = text(|out| put_relay(out, &message(&body), None));
            prop_assert!(!line.contains(['\n', '\r']));
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(value["body"].as_str(), Some(&*body));
            let mut shown = message(&body);
            shown.at = Time(1_769_890_500_000);
            prop_assert_eq!(serde_json::from_value::<RelayMessage>(value).unwrap(), shown);
        }
    }
}
