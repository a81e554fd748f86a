//! What the log says of who comes and goes, who proves himself and who is refused: one line each, of one shape, for people and
//! for programs such as fail2ban. Part of the event loop; the clock comes from outside.
//!
//! `event=login address=203.0.113.7 port=35712 session=12 door=0 who=bob failures=0 msg="bob logged in."`: the first six are
//! always there and in this order, `-` where there is none; then what the event has besides; `msg` is last. A value that is more
//! than a word is in quotes, in which quotes, backslashes and control characters are written out. So nobody forges a line.

mod event;
mod field;
#[cfg(test)]
mod tests;

pub use event::Happened;
pub use field::{Field, command};

use super::log_limit::LogLimit;
use field::quoted;
use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Of whom a line is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// From where the client comes, as the listener says; of a line about an IPv6 network that network.
    pub address: Option<IpAddr>,
    /// And from which port.
    pub port: Option<u16>,
    /// The number of its session; 0 where there is none.
    pub session: u64,
    /// The number of the door that it has come in by: 0 is the main one.
    pub door: Option<u32>,
    /// The player, visitor or game server.
    pub who: Option<String>,
}

impl Whose {
    /// Somebody who need not be connected.
    pub fn named(who: impl Into<String>) -> Whose {
        Whose { who: Some(who.into()), ..Whose::default() }
    }

    /// A client at this address.
    pub fn at(client: SocketAddr) -> Whose {
        Whose { address: Some(client.ip().to_canonical()), port: Some(client.port()), ..Whose::default() }
    }

    fn put(&self, line: &mut String) {
        self.address.put("address", line);
        self.port.put("port", line);
        Some(self.session).filter(|number| *number != 0).put("session", line);
        self.door.put("door", line);
        self.who.as_deref().put("who", line);
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.who.as_deref().unwrap_or("somebody"))
    }
}

/// What stands in the words of a line alone: no field shows it.
#[derive(Clone, Debug)]
pub struct Words(pub String);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Field for Words {
    fn put(&self, _: &str, _: &mut String) {}
}

/// A line, without time and level. `left_out`: so many before it were not written.
pub fn line(whose: &Whose, event: &Happened, left_out: u32) -> String {
    let mut line = format!("event={}", event.described().name);
    whose.put(&mut line);
    event.put(&mut line);
    if left_out > 0 {
        left_out.put("left_out", &mut line);
    }
    _ = write!(line, " msg={}", quoted(&event.words(whose)));
    line
}

/// Writes the lines. A stranger's are bounded, for each event by itself: what he repeats hides nothing else.
#[derive(Debug)]
pub struct Audit {
    /// In the order of [`Happened::ALL`].
    limits: Vec<LogLimit>,
}

impl Default for Audit {
    fn default() -> Audit {
        Audit { limits: Happened::ALL.iter().map(|event| LogLimit::new(event.most)).collect() }
    }
}

impl Audit {
    /// Something has happened.
    pub fn note(&mut self, whose: &Whose, event: &Happened, now: Instant) {
        let described = event.described();
        let limit = self.limits.get_mut(event.place()).filter(|_| described.most > 0);
        let left_out = match whose.address.zip(limit) {
            Some((address, limit)) => limit.may_log(address, now),
            None => Some(0),
        };
        if let Some(left_out) = left_out {
            log::log!(described.level, "{}", line(whose, event, left_out));
        }
    }
}
