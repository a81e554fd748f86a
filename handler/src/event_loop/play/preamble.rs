//! What a world is told before all else, so that it knows where its player comes from. Pure. Part of the event loop.

use ssmglobal_config::play::RealAddress;
use ssmglobal_ipc::Time;
use std::net::{IpAddr, SocketAddr};

/// What every header of the PROXY protocol, version 2, begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The bytes for a player who comes from `from` and first came at `since`; nothing where the world is told by other means, or not
/// at all, or where nobody knows from where he comes. `to`: where the world listens, where that is an address.
pub fn of_player(how: RealAddress, from: Option<SocketAddr>, to: Option<SocketAddr>, since: Time) -> Vec<u8> {
    let Some(from) = from.map(|from| SocketAddr::new(from.ip().to_canonical(), from.port())) else {
        return of_nobody(how);
    };
    match how {
        RealAddress::None | RealAddress::Mnes => Vec::new(),
        RealAddress::ProxyV1 => proxy_v1(from, to),
        RealAddress::ProxyV2 => proxy_v2(from, to),
        RealAddress::RemoteHost => {
            format!("@remotehost {}={}\r\n", from.ip(), since.0.max(0).unsigned_abs() / 1000).into_bytes()
        }
        RealAddress::IpHost => format!("{0}^{0}\r\n", from.ip()).into_bytes(),
    }
}

/// The bytes for a connection that is no player's: a world that waits for a header would say nothing without one.
pub fn of_nobody(how: RealAddress) -> Vec<u8> {
    match how {
        RealAddress::ProxyV1 => b"PROXY UNKNOWN\r\n".to_vec(),
        // LOCAL, and no addresses.
        RealAddress::ProxyV2 => [SIGNATURE, &[0x20, 0, 0, 0]].concat(),
        RealAddress::None | RealAddress::Mnes | RealAddress::RemoteHost | RealAddress::IpHost => Vec::new(),
    }
}

/// Where the connection leads as the header says it, which names two addresses of one kind.
fn of_one_kind(from: SocketAddr, to: Option<SocketAddr>) -> SocketAddr {
    match (from.ip(), to) {
        (IpAddr::V4(_), Some(to @ SocketAddr::V4(_))) | (IpAddr::V6(_), Some(to @ SocketAddr::V6(_))) => to,
        (IpAddr::V4(_), to) => SocketAddr::from(([127, 0, 0, 1], to.map_or(0, |to| to.port()))),
        (IpAddr::V6(_), to) => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], to.map_or(0, |to| to.port()))),
    }
}

fn proxy_v1(from: SocketAddr, to: Option<SocketAddr>) -> Vec<u8> {
    let to = of_one_kind(from, to);
    let kind = if from.is_ipv4() { "TCP4" } else { "TCP6" };
    format!("PROXY {kind} {} {} {} {}\r\n", from.ip(), to.ip(), from.port(), to.port()).into_bytes()
}

fn proxy_v2(from: SocketAddr, to: Option<SocketAddr>) -> Vec<u8> {
    let to = of_one_kind(from, to);
    let mut addresses = Vec::new();
    for ip in [from.ip(), to.ip()] {
        match ip {
            IpAddr::V4(ip) => addresses.extend_from_slice(&ip.octets()),
            IpAddr::V6(ip) => addresses.extend_from_slice(&ip.octets()),
        }
    }
    for port in [from.port(), to.port()] {
        addresses.extend_from_slice(&port.to_be_bytes());
    }
    // PROXY; a stream of that kind of addresses.
    let kind = if from.is_ipv4() { 0x11 } else { 0x21 };
    let length = u16::try_from(addresses.len()).unwrap_or_default();
    [SIGNATURE, &[0x21, kind], &length.to_be_bytes(), &addresses].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Time = Time(1_700_000_000_999);

    fn told(how: RealAddress, from: &str, to: &str) -> Vec<u8> {
        of_player(how, Some(from.parse().unwrap()), Some(to.parse().unwrap()), SINCE)
    }

    #[test]
    fn each_way_says_the_address_as_it_is_specified() {
        let lines = [
            (RealAddress::ProxyV1, "203.0.113.7:4000", "PROXY TCP4 203.0.113.7 10.0.0.2 4000 2860\r\n"),
            (RealAddress::ProxyV1, "[2001:db8::7]:4000", "PROXY TCP6 2001:db8::7 ::1 4000 2860\r\n"),
            (RealAddress::ProxyV1, "[::ffff:203.0.113.7]:9", "PROXY TCP4 203.0.113.7 10.0.0.2 9 2860\r\n"),
            (RealAddress::RemoteHost, "203.0.113.7:4000", "@remotehost 203.0.113.7=1700000000\r\n"),
            (RealAddress::IpHost, "203.0.113.7:4000", "203.0.113.7^203.0.113.7\r\n"),
            (RealAddress::None, "203.0.113.7:4000", ""),
            (RealAddress::Mnes, "203.0.113.7:4000", ""),
        ];
        for (how, from, line) in lines {
            assert_eq!(String::from_utf8(told(how, from, "10.0.0.2:2860")).unwrap(), line);
        }
        let v4 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\x0a\x00\x00\x02\x0f\xa0\x0b\x2c";
        assert_eq!(told(RealAddress::ProxyV2, "203.0.113.7:4000", "10.0.0.2:2860"), v4);
        let v6 = told(RealAddress::ProxyV2, "[2001:db8::7]:4000", "[2001:db8::2]:2860");
        assert_eq!((v6.len(), v6[13], v6[15]), (16 + 36, 0x21, 36));
        assert_eq!((&v6[16..20], &v6[48..]), (&[0x20, 1, 0x0d, 0xb8][..], &[0x0f, 0xa0, 0x0b, 0x2c][..]));
    }

    #[test]
    fn who_is_no_player_says_that_there_is_none() {
        assert_eq!(of_nobody(RealAddress::ProxyV1), b"PROXY UNKNOWN\r\n");
        assert_eq!(of_nobody(RealAddress::ProxyV2), b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00");
        assert_eq!(of_player(RealAddress::ProxyV2, None, None, SINCE), of_nobody(RealAddress::ProxyV2));
        assert_eq!(of_nobody(RealAddress::RemoteHost), b"");
    }
}
