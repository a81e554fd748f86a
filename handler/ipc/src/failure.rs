//! Why a request was not done: a stable code for programs, a sentence for people.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal,)*) => {
        /// The short, stable list of error codes; the word is what stands in `"code"`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[doc = $doc])* #[serde(rename = $word)] $name,)*
        }

        impl Code {
            /// Every code with its word and meaning, in the order of the reference page.
            pub const ALL: &'static [(Code, &'static str, &'static str)] =
                &[$((Code::$name, $word, concat!($($doc),*)),)*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $word,)* }
            }
        }
    };
}

codes! {
    /// The arguments do not fit the command; `msg` shows the usage.
    Usage = "usage",
    /// There is no such command.
    UnknownCommand = "unknown_command",
    /// The line is not a JSON object with a `cmd`.
    InvalidJson = "invalid_json",
    /// A value is not allowed (a name with a space, text that is not UTF-8, a number out of range).
    Invalid = "invalid",
    /// A mode must be chosen first.
    NoMode = "no_mode",
    /// Log in first (a game server: AUTH first).
    NotLoggedIn = "not_logged_in",
    /// Name and password (or name and key) do not belong together.
    BadLogin = "bad_login",
    /// You may not do this.
    Denied = "denied",
    /// There is no such player, mail, board, setting, channel or server.
    NotFound = "not_found",
    /// The name is taken.
    Exists = "exists",
    /// Another wrote in between; `data.version` is the present version.
    Conflict = "conflict",
    /// A bound is reached (a full mailbox, too many settings).
    Limit = "limit",
    /// A line or a value is longer than allowed.
    TooLong = "too_long",
    /// Too many tries; `data.retry_after` says in how many seconds to try again.
    SlowDown = "slow_down",
    /// Too much is waiting already; try again in a moment.
    Busy = "busy",
    /// The backend cannot do this now (a full disk: nothing was changed; a restart: look whether it was done). Try again.
    Unavailable = "unavailable",
    /// The operator has shut it out; `msg` has his reason.
    Disabled = "disabled",
    /// Its time is over: that of a licence, of a pass.
    Expired = "expired",
    /// Somebody else hosts this world, or had it until a moment ago.
    Elsewhere = "hosted_elsewhere",
    /// The program is older than is let in here.
    TooOld = "too_old",
    /// Nobody hosts this world at the moment.
    NotRunning = "not_running",
    /// Visitors are not let in; who registers is.
    NoVisitors = "no_visitors",
    /// There is no room.
    Full = "full",
    /// The world is for others than you have said you want to meet.
    Rated = "rated",
    /// It was shown before.
    Used = "used",
    /// It is for another game server or world.
    OtherPlace = "other_place",
    /// It was given to somebody at another address.
    OtherAddress = "other_address",
    /// This player is on already, on another connection.
    AlreadyOn = "already_on",
}

/// An error as it travels from the handler to the worker, and on to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For programs.
    pub code: Code,
    /// For people: what happened and what to do next. Holds no secret.
    pub msg: String,
    /// With [`Code::Conflict`]: the version that is there now.
    pub version: Option<u64>,
    /// With [`Code::SlowDown`]: seconds to wait.
    pub retry_after: Option<u32>,
}

impl Failure {
    /// A failure with nothing beside code and sentence.
    pub fn new(code: Code, msg: impl Into<String>) -> Failure {
        Failure { code, msg: msg.into(), version: None, retry_after: None }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    /// Programs compare with these words: new ones come at the end.
    const WORDS: &[&str] = &[
        "usage",
        "unknown_command",
        "invalid_json",
        "invalid",
        "no_mode",
        "not_logged_in",
        "bad_login",
        "denied",
        "not_found",
        "exists",
        "conflict",
        "limit",
        "too_long",
        "slow_down",
        "busy",
        "unavailable",
        "disabled",
        "expired",
        "hosted_elsewhere",
        "too_old",
        "not_running",
        "no_visitors",
        "full",
        "rated",
        "used",
        "other_place",
        "other_address",
        "already_on",
    ];

    #[test]
    fn the_words_stay() {
        let words: Vec<&str> = Code::ALL.iter().map(|(_, word, _)| *word).collect();
        assert_eq!(words, WORDS);
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len());
        for (code, word, meaning) in Code::ALL {
            assert_eq!(code.as_str(), *word);
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{word}\""));
            assert!(meaning.trim().ends_with('.'));
        }
    }
}
