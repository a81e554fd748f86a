//! Addresses to listen on, as the operator writes them. Used by all processes; does no I/O.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::problem::shown;

/// The port that the original listens on and that is the default here.
pub const DEFAULT_PORT: u16 = 53450;

/// Where a door stands. Port 0 means any free port.
///
/// Travels as its text: serde's own form of a socket address loses the scope of a link-local one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Listen {
    /// All addresses of the machine, IPv6 and IPv4 (IPv4 alone where there is no IPv6). Written
    /// `[::]:PORT` or `*:PORT`.
    All {
        /// TCP port.
        port: u16,
    },
    /// One address. `0.0.0.0` is every IPv4 address and no IPv6.
    At(SocketAddr),
}

impl Listen {
    /// What this address and port mean; `::` is all addresses.
    pub fn new(ip: IpAddr, port: u16) -> Self {
        Self::from(SocketAddr::new(ip, port))
    }

    /// The TCP port; 0 means any free one.
    pub fn port(&self) -> u16 {
        match self {
            Self::All { port } => *port,
            Self::At(address) => address.port(),
        }
    }

    /// The same address with another port.
    pub fn with_port(&self, port: u16) -> Self {
        match self {
            Self::All { .. } => Self::All { port },
            Self::At(address) => {
                let mut address = *address;
                address.set_port(port);
                Self::At(address)
            }
        }
    }

    /// Whether the kernel would refuse to listen on both at once.
    pub fn clashes(&self, other: &Self) -> bool {
        if self.port() != other.port() || self.port() == 0 {
            return false;
        }
        match (self, other) {
            (Self::All { .. }, _) | (_, Self::All { .. }) => true,
            (Self::At(a), Self::At(b)) => {
                let (x, y) = (a.ip().to_canonical(), b.ip().to_canonical());
                match (x, y) {
                    (IpAddr::V4(x), IpAddr::V4(y)) => x == y || x.is_unspecified() || y.is_unspecified(),
                    // Two links may carry the same link-local address.
                    (IpAddr::V6(x), IpAddr::V6(y)) => x == y && scope(a) == scope(b),
                    _ => false,
                }
            }
        }
    }
}

fn scope(address: &SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(address) => address.scope_id(),
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            Self::All { port: address.port() }
        } else {
            Self::At(address)
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All { port } => write!(f, "[::]:{port}"),
            Self::At(address) => address.fmt(f),
        }
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

impl TryFrom<String> for Listen {
    type Error = ListenError;

    fn try_from(text: String) -> Result<Self, ListenError> {
        text.parse()
    }
}

/// Where a door stands that need not be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionalListen(pub Option<Listen>);

/// Why a text is no address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenError {
    /// What is wrong, to be shown to the operator.
    pub wrong: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wrong)
    }
}

impl std::error::Error for ListenError {}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self::from(address));
        }
        let error = |what: &str, suggestion: Option<String>| ListenError {
            wrong: format!("{} {what}", shown(text)),
            suggestion,
        };
        if let Some(port) = text.strip_prefix("*:") {
            return match port.parse() {
                Ok(port) => Ok(Self::All { port }),
                Err(_) => Err(error("has no port from 0 to 65535", None)),
            };
        }
        if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse::<u16>() {
            let all = Self::All { port };
            return Err(error("is only a port", Some(all.to_string())));
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = bare.parse::<IpAddr>() {
            let full = Self::new(ip, DEFAULT_PORT);
            return Err(error("has no port", Some(full.to_string())));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(error("is not an IP address and a port", None));
        };
        let Ok(port) = port.parse::<u16>() else {
            return Err(error("has no port from 0 to 65535", None));
        };
        if let Ok(ip) = host.parse::<IpAddr>() {
            let full = Self::new(ip, port);
            return Err(error("lacks the brackets of IPv6", Some(full.to_string())));
        }
        let meant = (host == "localhost").then(|| format!("127.0.0.1:{port}"));
        Err(error("holds no IP address (names are not looked up)", meant))
    }
}
