//! Replies and events as JSON lines for programs. Runs in a worker.
//!
//! Members stand in this order: `state`, `msg`, `id`, `code`, `data`. An old client that sends no `id` gets the
//! three errors that the original had, letter for letter, without a `code`; everything else has one.

use super::{event_name, sentence};
use crate::commands::{self, Command, CommandHelp, HELLO, HelpTopic, Local, ModeChoice, State, relay};
use serde::Serialize;
use ssmglobal_ipc::json::{put, put_event, put_relay};
use ssmglobal_ipc::{Code, Event, Failure, Reply};
use std::fmt::{self, Write};

/// Appends what the handler answered. `id` is JSON and is repeated as it is.
pub fn reply(out: &mut Vec<u8>, id: Option<&str>, command: Option<&Command>, reply: &Reply) {
    if let Reply::Failed(failed) = reply {
        return failure(out, id, failed);
    }
    begin(out, "OK");
    // A `Vec` takes everything.
    _ = sentence(&mut Escaped(out), command, reply);
    middle(out, id);
    match reply {
        Reply::Failed(_) | Reply::Done(_) | Reply::Welcome(_) | Reply::RelayFetched(_) => {}
        Reply::LoggedIn(reply) => data(out, reply),
        Reply::Whoami(reply) => data(out, reply),
        Reply::Who(reply) => data(out, reply),
        Reply::Fingered(reply) => data(out, reply),
        Reply::RecordSubmitted(reply) => data(out, reply),
        Reply::RecordPage(reply) => data(out, reply),
        Reply::RecordShown(reply) => data(out, reply),
        Reply::Boards(reply) => data(out, reply),
        Reply::Setting(reply) => data(out, reply),
        Reply::SettingVersion(reply) => data(out, reply),
        Reply::Settings(reply) => data(out, reply),
        Reply::MailSent(reply) => data(out, reply),
        Reply::MailPage(reply) => data(out, reply),
        Reply::Mail(reply) => data(out, reply),
        Reply::Blocks(reply) => data(out, reply),
        Reply::Told(reply) => data(out, reply),
        Reply::Authed(reply) => data(out, reply),
        Reply::RelayJoined(reply) => data(out, &relay::Joined::from(reply)),
        Reply::RelaySent(reply) => data(out, reply),
        Reply::Channels(reply) => data(out, reply),
        Reply::Worlds(reply) => data(out, reply),
    }
    end(out);
}

/// Appends a success that is only a sentence.
pub fn ok(out: &mut Vec<u8>, id: Option<&str>, msg: &str) {
    begin(out, "OK");
    _ = Escaped(out).write_str(msg);
    middle(out, id);
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
        data(out, &More { version: failure.version, retry_after: failure.retry_after });
    }
    end(out);
}

/// Whether the original had this error: old clients get it as it was.
fn original(code: Code) -> bool {
    matches!(code, Code::UnknownCommand | Code::InvalidJson | Code::NoMode)
}

/// Appends one line about something that was pushed.
pub fn event(out: &mut Vec<u8>, event: &Event) {
    let Some(name) = event_name(event) else { return };
    match event {
        Event::Mail(event) => put_event(out, name, event),
        Event::Tell(event) => put_event(out, name, event),
        Event::Relay(event) => put_relay(out, event),
        Event::Record(event) => put_event(out, name, event),
        Event::Notice(notice) | Event::Close(notice) | Event::LoggedOut(notice) => put_event(out, name, notice),
        Event::Ticket(_) => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends what the worker answers by itself. After a change of mode this is called for the new mode.
pub fn local(out: &mut Vec<u8>, id: Option<&str>, local: &Local, state: State) {
    match local {
        Local::Mode(ModeChoice::List) => ok(out, id, "SERVER CLIENT HUMAN"),
        Local::Mode(ModeChoice::Set(mode)) => ok(out, id, &format!("Mode: {}", mode.as_str())),
        Local::Help(topic) => help(out, id, *topic, state),
        Local::Hello(times) => {
            begin(out, "OK");
            for time in 0..*times {
                out.extend_from_slice(if time == 0 { b"" } else { b" " });
                out.extend_from_slice(HELLO.as_bytes());
            }
            middle(out, id);
            end(out);
        }
        Local::Ping => ok(out, id, "Pong."),
        Local::Quit => {}
    }
}

fn help(out: &mut Vec<u8>, id: Option<&str>, topic: HelpTopic, state: State) {
    #[derive(Serialize)]
    struct Entry {
        name: &'static str,
        summary: &'static str,
    }
    #[derive(Serialize)]
    struct List {
        commands: Vec<Entry>,
    }

    begin(out, "OK");
    if let HelpTopic::Command(command) = topic {
        _ = Escaped(out).write_str(&command.usage());
        middle(out, id);
        data(out, &CommandHelp::new(command));
        return end(out);
    }
    let commands = commands::entries(topic, state).flat_map(|(_, commands)| commands);
    let commands: Vec<Entry> = commands.map(|c| Entry { name: c.name, summary: c.summary }).collect();
    for (index, entry) in commands.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"" } else { b" " });
        out.extend_from_slice(entry.name.as_bytes());
    }
    middle(out, id);
    data(out, &List { commands });
    end(out);
}

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

fn data<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    out.extend_from_slice(b", \"data\": ");
    put(out, value);
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
