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

/// The network that an address is in: of IPv4 a /24, of IPv6 a /48, as they are given out at the least.
pub fn wide_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & !0xff).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !(u128::MAX >> 48)).into()),
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
    fn a_network_is_wider_than_an_address() {
        let wide = |text: &str| wide_network(text.parse().unwrap()).to_string();
        assert_eq!((&*wide("192.0.2.77"), &*wide("::ffff:192.0.2.1")), ("192.0.2.0", "192.0.2.0"));
        assert_eq!(wide("2001:db8:7:ffff:1::9"), "2001:db8:7::");
    }

    #[test]
    fn ipv4_is_written_as_such() {
        assert_eq!(shown("[::ffff:192.0.2.1]:7".parse().unwrap()), "192.0.2.1:7");
    }
}
