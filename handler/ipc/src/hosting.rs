//! How a game server hosts worlds that have a licence.

use crate::{Secret, Time, Version};
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// All the words.
            pub const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// Which is meant by a word, in any case.
            pub fn parse(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.as_str().eq_ignore_ascii_case(word))
            }
        }
    };
}

pub(crate) use words;

words! {
    /// For whom a world is. The greater ones are for fewer.
    Rating {
        /// For everybody.
        #[default]
        G = "G",
        /// With parents.
        Pg = "PG",
        /// From 13 years on.
        Pg13 = "PG13",
        /// From 17 years on.
        R = "R",
        /// For adults.
        X = "X",
    }
}

words! {
    /// How a world is.
    WorldStatus {
        /// Anybody may enter.
        #[default]
        Public = "public",
        /// Not everybody may.
        Restricted = "restricted",
        /// Nobody hosts it.
        Stopped = "stopped",
    }
}

words! {
    /// Why a world is not hosted by a connection any more.
    Stop {
        /// Its host has said so.
        #[default]
        Said = "stopped",
        /// The licence was disabled.
        Disabled = "disabled",
        /// The licence has ended.
        Expired = "expired",
        /// The licence is gone.
        Deleted = "deleted",
        /// There is another password.
        Password = "password_changed",
        /// The same host has registered it on another connection.
        TakenOver = "taken_over",
        /// Its host has not come back.
        Lost = "lost",
        /// The operator has shut its host out.
        HostDisabled = "host_disabled",
    }
}

/// `HOST START`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStart {
    /// The world's name, in any case.
    pub world: String,
    /// Its hosting password.
    pub password: Secret,
    /// By which programs of one game server are told apart; empty when there is only one.
    pub instance: Option<String>,
    /// Where clients connect to, an address or a name; where the connection comes from when left out.
    pub address: Option<String>,
    /// The port that they connect to.
    pub port: u16,
    /// The version of the program that hosts.
    pub version: Option<Version>,
}

/// What a licence says to whoever hosts the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostTerms {
    /// The world, as it is written.
    pub world: String,
    /// Its number, which never is another's.
    pub number: u32,
    /// Users at the most.
    pub users: u32,
    /// How large it may be.
    pub size: u32,
    /// Whether visitors are let in.
    pub visitors: bool,
    /// Whether there is voice.
    pub voice: bool,
    /// Whether there are plugins.
    pub plugins: bool,
    /// The least version of a client; 0: any.
    pub client: Version,
    /// When the licence ends; nothing: never.
    pub expires: Option<Time>,
}

/// The answer to `HOST START`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosted {
    /// What the licence says.
    pub terms: HostTerms,
    /// Where clients are sent to.
    pub address: String,
    /// Since when the world runs: a host that comes back in time goes on with it.
    pub since: Time,
    /// It ran already, and goes on as it was.
    pub resumed: bool,
}

/// `HOST SAY`. What is left out stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSay {
    /// The world's name, in any case.
    pub world: String,
    /// How many are there.
    pub users: Option<u32>,
    /// Not everybody may enter.
    pub restricted: Option<bool>,
    /// For whom it is.
    pub rating: Option<Rating>,
    /// What is played there.
    pub map: Option<String>,
    /// Free text; an empty one takes it away.
    pub text: Option<String>,
    /// Whether it wants to hear when somebody in the world closes his last connection.
    pub closings: Option<bool>,
}

/// `HOST STOP`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStop {
    /// The world's name, in any case.
    pub world: String,
}

/// One row of `HOST LIST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedRow {
    /// The world's name.
    pub world: String,
    /// How it is.
    pub status: WorldStatus,
    /// How many are there, as its host says.
    pub users: u32,
    /// How many fit.
    pub max: u32,
    /// Where clients are sent to.
    pub address: String,
    /// Since when it runs.
    pub since: Time,
}

/// The answer to `HOST LIST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedList {
    /// Those that this connection hosts, sorted by name.
    pub worlds: Vec<HostedRow>,
    /// How many there are altogether.
    pub total: u32,
    /// Give this as `after` for the next page.
    pub next: Option<String>,
}

/// To a host: it hosts a world no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldStopped {
    /// The world.
    pub world: String,
    /// Why, for programs.
    pub reason: Stop,
    /// Why, for people.
    pub msg: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood_in_any_case() {
        assert_eq!(
            (Rating::parse("pg13"), Rating::parse("PG"), Rating::parse("PG-13")),
            (Some(Rating::Pg13), Some(Rating::Pg), None)
        );
        assert!(Rating::G < Rating::Pg && Rating::R < Rating::X);
        assert_eq!((Rating::WORDS, WorldStatus::WORDS.len()), (&["G", "PG", "PG13", "R", "X"][..], 3));
        for stop in Stop::ALL {
            assert_eq!(serde_json::to_string(stop).unwrap(), format!("\"{}\"", stop.as_str()));
        }
    }
}
