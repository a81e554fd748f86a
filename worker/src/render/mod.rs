//! What clients see: replies and events as JSON lines for programs and as text for people. Pure code without
//! I/O; runs in a worker. What a capability's replies say stands in the capability's own file, beside its commands.

pub mod human;
pub mod json;
mod parts;
mod screen;
#[cfg(test)]
mod tests;

pub(crate) use parts::{idle, minute, plural};
pub use screen::Look;
pub(crate) use screen::{Column, Row, Screen};
pub use ssmglobal_ipc::clean;

use crate::commands::{Command, mail, players, records, relay, settings, status};
use ssmglobal_ipc::{Event, Reply};
use std::fmt::{self, Write};

/// One sentence for every reply: `msg` of a program's, the first line of a person's.
pub(crate) fn sentence(f: &mut dyn Write, command: Option<&Command>, reply: &Reply) -> fmt::Result {
    match reply {
        Reply::Failed(failure) => f.write_str(&failure.msg),
        Reply::Done(_) | Reply::RelayFetched(_) => f.write_str(command.map_or("Done.", |command| command.done)),
        Reply::Welcome(_) => f.write_str("Welcome."),
        Reply::LoggedIn(reply) => players::say_logged_in(f, command, reply),
        Reply::Whoami(reply) => players::say_whoami(f, reply),
        Reply::Who(reply) => players::say_who(f, reply),
        Reply::Fingered(reply) => players::say_fingered(f, reply),
        Reply::RecordSubmitted(reply) => records::say_submitted(f, reply),
        Reply::RecordPage(reply) => records::say_page(f, reply),
        Reply::RecordShown(reply) => records::say_shown(f, reply),
        Reply::Boards(reply) => records::say_boards(f, reply),
        Reply::Setting(reply) => settings::say_setting(f, reply),
        Reply::SettingVersion(reply) => settings::say_version(f, reply),
        Reply::Settings(reply) => settings::say_settings(f, reply),
        Reply::MailSent(reply) => mail::say_sent(f, reply),
        Reply::MailPage(reply) => mail::say_page(f, command, reply),
        Reply::Mail(reply) => mail::say_mail(f, reply),
        Reply::Blocks(reply) => mail::say_blocks(f, reply),
        Reply::Told(reply) => mail::say_told(f, reply),
        Reply::Authed(reply) => relay::say_authed(f, reply),
        Reply::RelayJoined(reply) => relay::say_joined(f, reply),
        Reply::RelaySent(reply) => relay::say_sent(f, reply),
        Reply::Channels(reply) => relay::say_channels(f, reply),
        Reply::Worlds(reply) => status::say_worlds(f, reply),
    }
}

/// What kind of event it is, as programs see it; nothing of one that is for the worker alone.
pub(crate) fn event_name(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Mail(_) => "mail",
        Event::Tell(_) => "tell",
        Event::Relay(_) => "relay",
        Event::Record(_) => "record",
        Event::Notice(_) | Event::Close(_) | Event::LoggedOut(_) => "notice",
        Event::Ticket(_) => return None,
    })
}
