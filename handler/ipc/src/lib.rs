//! What the processes say to each other: typed messages, their numbers, and the frames that carry them.
//!
//! Used in the worker and the handler (requests, replies, events), between listener and handler
//! ([`control`]) and between the operator's command and the handler ([`ctl`]).
//!
//! Everything here is only ever appended to: a variant is never edited, moved or removed, because a worker of an older
//! binary may still be talking to a newer handler. postcard writes variants by position and fields in order without
//! names; how a message gains a field all the same is in [`growing`].

#![forbid(unsafe_code)]

mod clean;
pub mod control;
pub mod ctl;
mod decode;
mod describe;
mod end;
mod entry;
mod event;
mod failure;
pub mod frame;
pub mod growing;
pub mod handover;
mod hosting;
pub mod json;
mod length;
mod licences;
mod lists;
mod logged;
mod mail;
mod mssp;
pub mod naming;
mod nearest;
pub mod numbers;
mod open;
mod play;
mod played;
mod players;
mod preferences;
mod properties;
mod records;
mod relay;
pub mod rendezvous;
mod request;
mod rights;
mod secret;
mod settings;
mod state;
mod status;
mod terms;
mod time;
mod universe;

pub use clean::{clean, harmful};
pub use decode::DecodeError;
pub use describe::{AskedBy, Description, Does, Lane, Others, Right};
pub use end::WorkerEnd;
pub use entry::*;
pub use event::*;
pub use failure::{Code, Failure};
pub use hosting::*;
pub use length::*;
pub use licences::*;
pub use lists::*;
pub use mail::*;
pub use mssp::*;
pub use nearest::nearest;
pub use open::*;
pub use play::*;
pub use played::*;
pub use players::*;
pub use preferences::*;
pub use properties::*;
pub use records::*;
pub use relay::*;
pub use request::{Done, Kind, LogLine, Reply, ReplyKind, Request, SetMode, Welcome};
pub use rights::*;
pub use secret::Secret;
pub use settings::*;
pub use ssmglobal_config::{NoVersion, Version};
pub use state::{State, States};
pub use status::*;
pub use terms::*;
pub use time::Time;
pub use universe::*;

use serde::{Deserialize, Serialize};

/// In one place of the program's file, where it can be found without running it.
static STAMP: &str = concat!("ssmglobal version ", env!("CARGO_PKG_VERSION"));

/// The program's version.
pub fn version() -> &'static str {
    // Not known before it runs: somebody may look for the stamp in the file, or put another one there.
    let stamp = std::hint::black_box(STAMP);
    stamp.rsplit(' ').next().unwrap_or(stamp)
}

/// How a connection speaks; chosen by `MODE` or by its door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Nothing chosen yet: only `MODE` is understood.
    Ask,
    /// A person at a terminal: words in, text out.
    Human,
    /// A program for one player: JSON lines.
    Client,
    /// A game or world server: JSON lines, after `AUTH`.
    Server,
}

impl Mode {
    /// The word on the wire and in `ps`.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Ask => "ASK",
            Mode::Human => "HUMAN",
            Mode::Client => "CLIENT",
            Mode::Server => "SERVER",
        }
    }
}

/// A player, a game server or a world, where any of them may stand (the sender of a mail, the owner of a setting, the holder of a
/// property).
///
/// Written `bob` for a player, `server:arena` for a game server, `visitor:bob` for a visitor, `world:zoo` for a world that has a
/// licence and `the backend` for this program itself; a player's name holds neither a colon nor a blank.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// A registered player, by name.
    Player(String),
    /// A game server, by name.
    Server(String),
    /// Somebody who has not registered, by the name that he goes by.
    Visitor(String),
    /// A world that has a licence, by name.
    World(String),
    /// This program itself.
    Backend,
}

impl Party {
    pub(crate) const SERVER: &'static str = "server:";
    const VISITOR: &'static str = "visitor:";
    const WORLD: &'static str = "world:";
    const BACKEND: &'static str = "the backend";

    /// Reads what a person wrote: `server:NAME` is a game server, `world:NAME` a world, all else a player.
    pub fn parse(text: &str) -> Party {
        if text.eq_ignore_ascii_case(Self::BACKEND) {
            return Party::Backend;
        }
        let behind = |front: &str| {
            let (before, name) = text.split_at_checked(front.len())?;
            before.eq_ignore_ascii_case(front).then(|| name.to_owned())
        };
        let server = behind(Self::SERVER).map(Party::Server);
        let visitor = || behind(Self::VISITOR).map(Party::Visitor);
        let world = || behind(Self::WORLD).map(Party::World);
        server.or_else(visitor).or_else(world).unwrap_or_else(|| Party::Player(text.to_owned()))
    }

    /// As people see him: a visitor in quotes, so that nobody takes him for who has that name.
    pub fn for_people(&self) -> String {
        match self {
            Party::Visitor(name) => format!("\"{name}\""),
            other => other.to_string(),
        }
    }
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Party::Player(name) => f.write_str(name),
            Party::Server(name) => write!(f, "{}{name}", Self::SERVER),
            Party::Visitor(name) => write!(f, "{}{name}", Self::VISITOR),
            Party::World(name) => write!(f, "{}{name}", Self::WORLD),
            Party::Backend => f.write_str(Self::BACKEND),
        }
    }
}

impl Serialize for Party {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Party, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok(Party::parse(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_game_server_is_known_by_its_prefix() {
        for (text, party) in [
            ("bob", Party::Player("bob".into())),
            ("server:arena", Party::Server("arena".into())),
            ("SerVer:Arena", Party::Server("Arena".into())),
            ("server:", Party::Server(String::new())),
            ("server", Party::Player("server".into())),
            ("world:zoo", Party::World("zoo".into())),
            ("World:Zoo", Party::World("Zoo".into())),
            ("world", Party::Player("world".into())),
            ("servér:x", Party::Player("servér:x".into())),
            ("serve日", Party::Player("serve日".into())),
            ("", Party::Player(String::new())),
            ("Visitor:Bob", Party::Visitor("Bob".into())),
            ("visitor", Party::Player("visitor".into())),
            ("the backend", Party::Backend),
            ("backend", Party::Player("backend".into())),
        ] {
            assert_eq!(Party::parse(text), party);
        }
        assert_eq!(Party::parse("SERVER:Arena").to_string(), "server:Arena");
        assert_eq!(serde_json::from_str::<Party>(r#""server:a\u0062""#).unwrap(), Party::Server("ab".into()));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed(name in "[^:]*", other in any::<String>()) {
            let others = [Party::Server(other.clone()), Party::Visitor(other.clone()), Party::World(other)];
            for party in [Party::Player(name)].into_iter().chain(others) {
                prop_assert_eq!(&Party::parse(&party.to_string()), &party);
                let json = serde_json::to_string(&party).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Party>(&json).unwrap(), &party);
                let bytes = postcard::to_allocvec(&party).unwrap();
                prop_assert_eq!(&postcard::from_bytes::<Party>(&bytes).unwrap(), &party);
            }
        }
    }

    #[test]
    fn modes_are_written_as_their_words() {
        for mode in [Mode::Ask, Mode::Human, Mode::Client, Mode::Server] {
            assert_eq!(serde_json::to_string(&mode).unwrap(), format!("\"{}\"", mode.as_str()));
        }
    }
}
