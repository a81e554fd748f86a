//! How a world is played through us, as the operator and its owner set it.

use crate::Secret;
use crate::growing::grown;
use crate::hosting::words;
use serde::{Deserialize, Serialize};

/// `WORLD PLAY`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldPlay {
    /// Which, in any case.
    pub name: String,
    /// A key of the config's `[world.NAME]`; nothing: it is only shown how all are set.
    pub key: Option<String>,
    /// What it is set to, as it was written; nothing: it is as the config file or the kind says. One of them may hold a password.
    pub value: Option<Secret>,
}

words! {
    /// Who says how a world is played.
    SaidBy {
        /// Its kind: nobody has set that.
        #[default]
        Kind = "kind",
        /// The config file, which counts over all others.
        File = "file",
        /// The licence, by `WORLD PLAY`.
        Licence = "licence",
    }
}

/// One key of how a world is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayTerm {
    /// Its name.
    pub key: String,
    /// As it can be given again; empty: none. What may hold a password is not shown.
    pub value: String,
    /// Who says so.
    pub said_by: SaidBy,
}

/// The answer to `WORLD PLAY`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldPlayed {
    /// The world, as it is written.
    pub world: String,
    /// All keys that whoever asks may see, in the order of the config.
    pub terms: Vec<PlayTerm>,
    /// Which of its addresses is used; for operators.
    pub in_use: Option<String>,
}

grown! { WorldPlayed { world, terms } then { in_use } }
