//! How a world is played through us: its terms, with everything resolved. The handler connects by them; a worker gets them as
//! JSON with its connection. Plain data in every process.

use crate::words::words;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

words! {
    /// How a world is told where its players come from.
    RealAddress {
        /// Not at all: it sees our address.
        None = "none",
        /// PROXY protocol, version 1: a line before all else.
        ProxyV1 = "proxy-v1",
        /// PROXY protocol, version 2: bytes before all else.
        ProxyV2 = "proxy-v2",
        /// A line `@remotehost HOST=SECONDS`, with the time of the first connection since 1970.
        RemoteHost = "remotehost",
        /// A line `IP^HOST`, as PennMUSH takes it on its Unix socket.
        IpHost = "ip-host",
        /// `IPADDRESS` of MNES, over telnet.
        Mnes = "mnes",
    }
}

words! {
    /// A set of characters.
    Charset {
        /// Unicode.
        Utf8 = "utf-8",
        /// ISO 8859-1.
        Latin1 = "latin-1",
        /// That of the first PCs.
        Cp437 = "cp437",
        /// Cyrillic, of Windows.
        Cp1251 = "cp1251",
        /// Cyrillic, of Unix.
        Koi8R = "koi8-r",
        /// None beyond 7 bits: letters are replaced by those that look alike.
        Ascii = "ascii",
    }
}

words! {
    /// By what it is known that a world lives.
    Liveness {
        /// Its own connection as a game server of the same name.
        Server = "server",
        /// A connection that is kept to it for that alone.
        Heartbeat = "heartbeat",
        /// Whether it accepts a connection.
        Tcp = "tcp",
    }
}

words! {
    /// What becomes of a player who comes to a world on a second connection.
    Sessions {
        /// The new connection goes on where the old one was.
        One = "one",
        /// Both see the same.
        Shared = "shared",
        /// Each plays for itself.
        Many = "many",
    }
}

words! {
    /// What becomes of players when a world is at a better address again.
    FailBack {
        /// All stay where they are.
        Never = "never",
        /// Who comes from now on is connected there.
        New = "new",
        /// All are connected there.
        All = "all",
    }
}

/// Where a world listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WorldAddress {
    /// TCP.
    At(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// How a world is played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Where it listens, in order of preference. Workers are not told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub play: Vec<WorldAddress>,
    /// How it is told where players come from.
    pub real_address: RealAddress,
    /// Its characters, where telnet agrees on no others.
    pub charset: Charset,
    /// What a line looks like that logs somebody in: a regular expression with one group each, `name` and `password`.
    pub login: Option<String>,
    /// Whether it asks for name and password one after the other.
    pub prompts: bool,
    /// What shows that a login has worked; regular expressions, each for one line.
    pub success: Vec<String>,
    /// What shows that a login has failed.
    pub failure: Vec<String>,
    /// Which lines behind a login are not shown when it is done again.
    pub hide: Vec<String>,
    /// By what it is known that it lives: any of these.
    pub liveness: Vec<Liveness>,
    /// What the connection of a heartbeat says first, such as a login; nothing: it only stays. Workers are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<String>,
    /// What becomes of a player's second connection.
    pub sessions: Sessions,
    /// Seconds for which a player's connection to it is kept when his own has broken.
    pub grace_seconds: u64,
    /// Players a second who are brought back, at the most.
    pub rate: u32,
    /// Seconds without an address after which the next one is tried.
    pub failover_seconds: u64,
    /// What becomes of players when a better address is back.
    pub failback: FailBack,
    /// Seconds for which a better address must have been there before.
    pub healthy_seconds: u64,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            play: Vec::new(),
            real_address: RealAddress::None,
            charset: Charset::Utf8,
            login: None,
            prompts: false,
            success: Vec::new(),
            failure: Vec::new(),
            hide: Vec::new(),
            liveness: vec![Liveness::Tcp],
            heartbeat: None,
            sessions: Sessions::Many,
            grace_seconds: 600,
            rate: 500,
            failover_seconds: 10,
            failback: FailBack::New,
            healthy_seconds: 60,
        }
    }
}

impl Terms {
    /// What a worker is told of them: nothing of where the world is.
    #[must_use]
    pub fn for_workers(&self) -> Terms {
        Terms { play: Vec::new(), heartbeat: None, ..self.clone() }
    }
}
