//! How a world is played through us: its terms, with everything resolved. The handler connects by them; a worker gets them as
//! JSON with its connection. Plain data in every process.

use crate::problem::shown;
use crate::words::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;

/// Bytes of the path of a Unix socket; what the kernel takes.
const SOCKET_MAX: usize = 107;

/// What stands for the pass in the line of a ticket …
pub(crate) const TICKET_PASS: &str = "{pass}";
/// … and what for the player's name.
const TICKET_PLAYER: &str = "{player}";

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
    #[derive(Default)]
    Charset {
        /// Unicode.
        #[default]
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
    /// Where a player is who has left his world.
    Quit {
        /// At our prompt.
        Prompt = "prompt",
        /// Gone: his connection ends.
        Close = "close",
    }
}

words! {
    /// When a player is told the word by which he goes on after his connection has broken.
    Resume {
        /// When he has asked for it, or something has broken.
        Asked = "asked",
        /// Once he is in his world.
        Shown = "shown",
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
///
/// Written as `IP:PORT`, `[IPv6]:PORT`, `/path` or `unix:/path`. Travels as its text, which keeps the scope of a link-local address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WorldAddress {
    /// TCP.
    At(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for WorldAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<WorldAddress> for String {
    fn from(address: WorldAddress) -> String {
        address.to_string()
    }
}

impl TryFrom<String> for WorldAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

/// Why a text is no address of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    /// What is wrong, to be shown to the operator.
    pub wrong: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wrong)
    }
}

impl std::error::Error for AddressError {}

impl FromStr for WorldAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |what: &str, meant: Option<String>| AddressError {
            wrong: format!("{} {what}", shown(text)),
            suggestion: meant,
        };
        let path = text.strip_prefix("unix:").unwrap_or(text);
        if path.starts_with('/') {
            return match path {
                _ if path.len() > SOCKET_MAX => Err(error("is too long for the path of a Unix socket", None)),
                _ if path.contains(unfit) => Err(error("has a character that no list of addresses can hold", None)),
                _ => Ok(Self::Unix(PathBuf::from(path))),
            };
        }
        if path != text {
            return Err(error("names no socket by its whole path", Some(format!("unix:/{path}"))));
        }
        let here = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Ok(address) = text.parse::<SocketAddr>() {
            return match address {
                _ if address.port() == 0 => Err(error("has no port from 1 to 65535", None)),
                // Where something listens so, it is found at this machine's own address.
                _ if address.ip().is_unspecified() => {
                    Err(error("is no address to connect to", Some(here(address.port()).to_string())))
                }
                _ => Ok(Self::At(address)),
            };
        }
        if let Ok(port) = text.trim_start_matches([':', '*']).parse::<u16>() {
            return Err(error("is only a port", Some(here(port).to_string())));
        }
        let bracketed =
            |(host, port): (&str, &str)| Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?).to_string());
        if text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok() {
            // What is behind the last colon of an IPv6 address may have been meant as its port.
            return Err(error("has no port", text.rsplit_once(':').and_then(bracketed)));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(error("is neither an IP address with a port nor the path of a socket", None));
        };
        let Ok(port) = port.parse::<u16>() else {
            return Err(error("has no port from 1 to 65535", None));
        };
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Err(error("lacks the brackets of IPv6", Some(SocketAddr::new(ip, port).to_string())));
        }
        let meant = (host == "localhost").then(|| here(port).to_string());
        Err(error("holds a name, and names are not looked up: `getent hosts NAME` shows its address", meant))
    }
}

/// What parts the addresses of a list that is written as one text, and what a terminal may act on.
fn unfit(c: char) -> bool {
    c == ',' || c.is_whitespace() || c.is_control() || c == '\u{fffd}'
}

/// What a connection says first. It may hold a password, so that `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Opening(String);

impl From<String> for Opening {
    fn from(text: String) -> Opening {
        Opening(text)
    }
}

impl AsRef<str> for Opening {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Deref for Opening {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
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
    pub heartbeat: Option<Opening>,
    /// The line by which it lets a player in whom we know, with `{pass}` and `{player}` in it; nothing: there is none. Workers are
    /// told the line of their player alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
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
            ticket: None,
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
    /// The line that logs a player in by a pass, where there is one.
    #[must_use]
    pub fn ticket_of(&self, player: &str, pass: &str) -> Option<String> {
        let ticket = self.ticket.as_ref()?;
        // What stands for one of them is not looked into for the other.
        let parts = ticket.split(TICKET_PASS).map(|part| part.replace(TICKET_PLAYER, player));
        Some(parts.collect::<Vec<_>>().join(pass))
    }

    /// What a worker is told of them: nothing of where the world is.
    #[must_use]
    pub fn for_workers(&self) -> Terms {
        Terms { play: Vec::new(), heartbeat: None, ticket: None, ..self.clone() }
    }
}
