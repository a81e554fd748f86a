//! Settings that are one word out of a few. Used by all processes.

macro_rules! words {
    ($(#[$about:meta])+ $name:ident { $($(#[$doc:meta])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])+ $variant,)+
        }

        impl $name {
            /// All the words, as they are written in the file.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word for it in the file.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::value::Field for $name {
            fn value(&self) -> Option<$crate::value::Value> {
                Some($crate::value::Value::Text(self.as_str().to_owned()))
            }

            fn take(value: $crate::value::Value) -> Option<Self> {
                match value {
                    $crate::value::Value::Text(word) => word.parse().ok(),
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// How much is logged; each level contains those before it.
    Level {
        /// What needs the operator.
        Error = "error",
        /// What the operator should look at.
        Warn = "warn",
        /// One line for each thing that happens.
        Info = "info",
        /// For finding a fault.
        Debug = "debug",
        /// All that happens, also what is of no interest unless a fault is sought in it.
        Trace = "trace",
    }
}

words! {
    /// What becomes of a player who is on and logs in on another connection.
    Identity {
        /// The new connection takes over; the old one stays, as nobody's.
        Takeover = "takeover",
        /// The new one is refused as long as the old one shows that it lives.
        Refuse = "refuse",
        /// Both stay.
        Many = "many",
    }
}

words! {
    /// How a door receives a client.
    DoorMode {
        /// The JSON greeting, then the client says `MODE …`.
        Ask = "ask",
        /// A welcome text and a prompt at once.
        Human = "human",
        /// The JSON greeting, then one JSON object per line.
        Client = "client",
        /// The JSON greeting, then nothing but `AUTH` until the game server has proved who it is.
        Server = "server",
        /// HTTP for programs of the operator's that read numbers; no `[[door]]` has it, but `metrics.address`.
        Metrics = "metrics",
    }
}

impl DoorMode {
    /// The words that a `[[door]]` may have.
    pub const OF_CLIENTS: &[&str] = match Self::WORDS.split_last() {
        Some((_, rest)) => rest,
        None => &[],
    };
}
