//! Networks of IP addresses, as the operator writes them. Used by all processes; does no I/O.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::problem::shown;

/// All addresses that begin with the same bits. One address alone is a network as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The first of its addresses.
    first: IpAddr,
    /// How many bits they have in common: 32 at most, of IPv6 128.
    bits: u8,
}

impl Network {
    /// Whether this address is one of them. IPv4 that came in over IPv6 is IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.bits) == self.first
    }

    /// Whether all addresses of its kind are in it.
    pub fn is_everything(&self) -> bool {
        self.bits == 0
    }
}

/// The first address of the network of so many bits in which this one is.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    let cut = |all: u32| all.saturating_sub(bits.into());
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(cut(32)).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(cut(128)).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = if self.first.is_ipv4() { 32 } else { 128 };
        if self.bits == all { self.first.fmt(f) } else { write!(f, "{}/{}", self.first, self.bits) }
    }
}

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// What is wrong, to be shown to the operator.
    pub wrong: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let error = |what: &str, suggestion: Option<String>| NetworkError {
            wrong: format!("{} {what}", shown(text)),
            suggestion,
        };
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let Ok(address) = address.parse::<IpAddr>() else {
            return Err(error("is no network of IP addresses (names are not looked up)", None));
        };
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits.map(str::parse::<u8>) {
            None => all,
            Some(Ok(bits)) if bits <= all => bits,
            Some(_) => return Err(error(&format!("has no number of bits from 0 to {all}"), None)),
        };
        // A connection shows its address in one way.
        if address != address.to_canonical() {
            return Err(error("is IPv4 inside of IPv6", Some(address.to_canonical().to_string())));
        }
        let network = Network { first: masked(address, bits), bits };
        if network.first != address {
            return Err(error("has bits behind its end", Some(network.to_string())));
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_begins_as_it_does() {
        for (network, within, without) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::a00:1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("::1", "::1", "127.0.0.1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("0.0.0.0/0", "203.0.113.7", "::"),
            ("::/0", "2001:db8::1", "203.0.113.7"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.to_string(), network);
            assert!(parsed.contains(within.parse().unwrap()), "{network} {within}");
            assert!(!parsed.contains(without.parse().unwrap()), "{network} {without}");
            assert_eq!(parsed.is_everything(), network.ends_with("/0"));
        }
    }

    #[test]
    fn what_is_none_is_told_with_what_was_meant() {
        for (text, meant) in [
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("::ffff:10.1.2.3", Some("10.1.2.3")),
            ("10.0.0.0/33", None),
            ("10.0.0.0/", None),
            ("2001:db8::/129", None),
            ("localhost", None),
            ("10.0.0.1:80", None),
            ("", None),
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert_eq!(error.suggestion.as_deref(), meant, "{}", error.wrong);
        }
    }
}
