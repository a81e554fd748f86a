//! Clients' addresses: how they are counted and how they are written. Used by listener and handler; pure.

use std::net::{IpAddr, SocketAddr};

/// What counts as one address for limits: an IPv6 one with its whole /64, which is what one customer gets; IPv4 that
/// came in over IPv6 as IPv4.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// An address as people write it; IPv4 that came in over IPv6 as IPv4.
pub fn shown(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_counts_by_network() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn ipv4_is_written_as_such() {
        assert_eq!(shown("[::ffff:192.0.2.1]:7".parse().unwrap()), "192.0.2.1:7");
    }
}
