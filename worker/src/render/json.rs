//! Answers and events as JSON lines for programs. Runs in a worker.
//!
//! Members stand in this order: `state`, `msg`, `id`, `code`, `data`. An old client that sends no `id` gets the
//! three errors that the original had, letter for letter, without a `code`; everything else has one.

use super::shown::{Asked, Json, pushed, shown};
use serde::Serialize;
use ssmglobal_ipc::{Code, Event, Failure, Reply};
use std::fmt::{self, Write};

/// Appends what the handler answered. `id` is JSON and is repeated as it is.
pub fn reply(out: &mut Vec<u8>, id: Option<&str>, asked: Asked, reply: &Reply) {
    match shown(reply) {
        Err(failed) => failure(out, id, failed),
        Ok(None) => ok(out, id, asked.done),
        Ok(Some(shown)) => success(out, id, |f| shown.say(f, asked.kind), Some(&|out| shown.data(out))),
    }
}

/// Appends a success that is only a sentence.
pub fn ok(out: &mut Vec<u8>, id: Option<&str>, msg: &str) {
    success(out, id, |f| f.write_str(msg), None);
}

/// Appends something.
type Put<'p> = &'p dyn Fn(&mut Vec<u8>);

/// Appends a success. `say` writes its sentence, `data` its data if there are any.
pub(crate) fn success(
    out: &mut Vec<u8>,
    id: Option<&str>,
    say: impl FnOnce(&mut dyn Write) -> fmt::Result,
    data: Option<Put<'_>>,
) {
    begin(out, "OK");
    // A `Vec` takes everything.
    _ = say(&mut Escaped(out));
    middle(out, id);
    if let Some(data) = data {
        out.extend_from_slice(DATA);
        data(out);
    }
    end(out);
}

/// Appends an error.
pub fn failure(out: &mut Vec<u8>, id: Option<&str>, failure: &Failure) {
    #[derive(Serialize)]
    struct More {
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    }

    begin(out, "ERROR");
    _ = Escaped(out).write_str(&failure.msg);
    middle(out, id);
    if id.is_some() || !original(failure.code) {
        out.extend_from_slice(b", \"code\": \"");
        out.extend_from_slice(failure.code.as_str().as_bytes());
        out.push(b'"');
    }
    if failure.version.is_some() || failure.retry_after.is_some() {
        out.extend_from_slice(DATA);
        More { version: failure.version, retry_after: failure.retry_after }.put(out);
    }
    end(out);
}

/// Whether the original had this error: old clients get it as it was.
fn original(code: Code) -> bool {
    matches!(code, Code::UnknownCommand | Code::InvalidJson | Code::NoMode)
}

/// Appends one line about something that was pushed.
pub fn event(out: &mut Vec<u8>, event: &Event) {
    let Some((name, pushed)) = pushed(event) else { return };
    pushed.line(name, out);
    out.extend_from_slice(b"\r\n");
}

const DATA: &[u8] = b", \"data\": ";

fn begin(out: &mut Vec<u8>, state: &str) {
    out.extend_from_slice(b"{\"state\": \"");
    out.extend_from_slice(state.as_bytes());
    out.extend_from_slice(b"\", \"msg\": \"");
}

fn middle(out: &mut Vec<u8>, id: Option<&str>) {
    out.push(b'"');
    if let Some(id) = id {
        out.extend_from_slice(b", \"id\": ");
        out.extend_from_slice(id.as_bytes());
    }
}

fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"}\r\n");
}

/// Appends text as the inside of a JSON string, piece by piece, so that a sentence needs no string of its own.
struct Escaped<'o>(&'o mut Vec<u8>);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
            let (plain, special) = rest.split_at(at);
            self.0.extend_from_slice(plain);
            let Some((&byte, behind)) = special.split_first() else { break };
            match byte {
                b'"' | b'\\' => self.0.extend_from_slice(&[b'\\', byte]),
                b'\n' => self.0.extend_from_slice(b"\\n"),
                b'\r' => self.0.extend_from_slice(b"\\r"),
                b'\t' => self.0.extend_from_slice(b"\\t"),
                _ => {
                    let hex = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
                    self.0.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
                }
            }
            rest = behind;
        }
        self.0.extend_from_slice(rest);
        Ok(())
    }
}
