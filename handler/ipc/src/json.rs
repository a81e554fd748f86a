//! JSON as it stands on the wire: one object, `", "` and `": "` between things as the original wrote them,
//! never a line end inside. Used by workers for replies and events, and by the handler for relay lines, which
//! are made once for all who get them.

use crate::RelayMessage;
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
    missed: u64,
}

/// Appends `{"event": name, …fields of value…}` without a line end.
pub fn put_event<T: Serialize>(out: &mut Vec<u8>, name: &str, value: &T) {
    put(out, &Tagged { event: name, fields: value });
}

/// Appends a relay message as game servers see it, without a line end.
pub fn put_relay(out: &mut Vec<u8>, message: &RelayMessage) {
    put_event(out, "relay", message);
}

/// Appends `{"event": "relay", "channel": …, "missed": n}`: so many messages are gone for this receiver.
pub fn put_missed(out: &mut Vec<u8>, channel: &str, missed: u64) {
    put_event(out, "relay", &Missed { channel, missed });
}
