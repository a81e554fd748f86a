//! A header says the same however it comes, and nothing behind it is taken.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// A header of version 2.
fn second(kind: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[kind, family], &length, rest].concat()
}

/// Addresses of version 2: 203.0.113.7:35712, to 192.0.2.1:4201.
const V4: [u8; 12] = [203, 0, 113, 7, 192, 0, 2, 1, 0x8b, 0x80, 0x10, 0x69];

fn v6() -> Vec<u8> {
    let [source, ours]: [Ipv6Addr; 2] = ["2001:db8::7", "2001:db8::1"].map(|text| text.parse().unwrap());
    [&source.octets()[..], &ours.octets(), &[0x8b, 0x80, 0x10, 0x69]].concat()
}

fn client(text: &str) -> Option<Speaks> {
    Some(Speaks::For(text.parse().unwrap()))
}

/// What is read when it comes in these parts, and how much of all was taken; nothing when it is no header, or not whole.
fn read<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (Option<Speaks>, usize) {
    let (mut header, mut taken) = (Header::default(), 0);
    for part in parts {
        let mut input = part;
        let opened = header.open(&mut input);
        taken += part.len() - input.len();
        assert!(header.bytes.len() == taken && taken <= LONGEST);
        match opened {
            Opened::More => assert!(input.is_empty(), "what is not used was waited for"),
            Opened::Data(speaks) => return (Some(speaks), taken),
            _ => return (None, taken),
        }
    }
    (None, taken)
}

/// The same, for every place where it may be split in two, and byte by byte; behind it stands what is a client's.
fn reads(header: &[u8], wanted: Option<Speaks>) {
    let all = [header, b"LOGIN bob secret\r\n"].concat();
    for cut in 0..=all.len() {
        let (front, back) = all.split_at(cut);
        let (speaks, taken) = read([front, back].into_iter());
        assert_eq!(speaks, wanted, "{header:?} at {cut}");
        assert!(taken <= header.len() || wanted.is_none(), "{header:?} at {cut}: {taken}");
    }
    let (speaks, taken) = read(all.chunks(1));
    assert_eq!(speaks, wanted, "{header:?}");
    if wanted.is_some() {
        assert_eq!(taken, header.len());
        // Not before its last byte.
        assert_eq!(read(header[..header.len() - 1].chunks(1)), (None, header.len() - 1));
    }
}

#[test]
fn a_line_says_for_whom_a_proxy_speaks() {
    reads(b"PROXY TCP4 203.0.113.7 192.0.2.1 35712 4201\r\n", client("203.0.113.7:35712"));
    reads(b"PROXY TCP6 2001:db8::7 2001:db8::1 35712 4201\r\n", client("[2001:db8::7]:35712"));
    reads(b"PROXY TCP6 ::ffff:203.0.113.7 ::1 0 65535\r\n", client("203.0.113.7:0"));
    reads(b"PROXY UNKNOWN\r\n", Some(Speaks::ForItself));
    reads(b"PROXY UNKNOWN ffff::1 what ever\r\n", Some(Speaks::ForItself));
    let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let line = format!("PROXY UNKNOWN {longest} {longest} 65535 65535\r\n");
    assert_eq!(line.len(), LINE);
    reads(line.as_bytes(), Some(Speaks::ForItself));
}

#[test]
fn the_second_version_says_it_in_binary_and_may_append_more() {
    reads(&second(0x21, 0x11, &V4), client("203.0.113.7:35712"));
    reads(&second(0x21, 0x21, &v6()), client("[2001:db8::7]:35712"));
    for more in [1, 3, 200, REST - V4.len()] {
        let rest = [&V4[..], &vec![b'\n'; more]].concat();
        reads(&second(0x21, 0x11, &rest), client("203.0.113.7:35712"));
    }
    // A health check, with or without the addresses of the proxy; no address, datagrams, a Unix socket.
    for (kind, family, rest) in [
        (0x20, 0, &[][..]),
        (0x20, 0x11, &V4),
        (0x20, 0xff, b"x"),
        (0x21, 0, b""),
        (0x21, 0x12, &V4),
        (0x21, 0x31, &[0; 216]),
    ] {
        reads(&second(kind, family, rest), Some(Speaks::ForItself));
    }
}

#[test]
fn what_is_no_header_is_broken() {
    for line in [
        "PROXY TCP4 203.0.113.7 192.0.2.1 35712\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 35712 4201 1\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 35712 4201\n",
        "PROXY TCP4 203.0.113.7  192.0.2.1 35712 4201\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 35712 4201\r\n",
        "PROXY TCP6 203.0.113.7 192.0.2.1 35712 4201\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 65536 4201\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 +35712 4201\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 35712 x\r\n",
        "PROXY TCP4 203.0.113.256 192.0.2.1 35712 4201\r\n",
        "PROXY UDP4 203.0.113.7 192.0.2.1 35712 4201\r\n",
        "PROXY \r\n",
        "PROXY\r\n",
        "proxy TCP4 203.0.113.7 192.0.2.1 35712 4201\r\n",
        "GET / HTTP/1.1\r\n",
        "MODE CLIENT\r\n",
        "\r\n\r\nHELP\r\n",
    ] {
        reads(line.as_bytes(), None);
    }
    let too_long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LINE));
    assert_eq!(read(too_long.as_bytes().chunks(1)), (None, LINE));
    for (kind, family, rest) in [
        // Another version, another command, another family, too short, too long.
        (0x11, 0x11, &V4[..]),
        (0x22, 0x11, &V4),
        (0x21, 0x41, &V4),
        (0x21, 0x13, &V4),
        (0x21, 0x11, &V4[..11]),
        (0x21, 0x21, &V4),
        (0x21, 0x11, &[0; REST + 1]),
    ] {
        reads(&second(kind, family, rest), None);
    }
}

proptest! {
    #[test]
    fn it_does_not_matter_how_it_is_split(
        bytes in prop_oneof![
            vec(any::<u8>(), 0..200),
            (0x20..=0x22u8, any::<u8>(), vec(any::<u8>(), 0..200)).prop_map(|(kind, family, rest)| second(kind, family, &rest)),
            "PROXY (TCP4|TCP6|UNKNOWN)( [0-9a-f.:]{1,12}){0,5}(\r\n|\n|)".prop_map(String::into_bytes),
        ],
        size in 1..64usize,
    ) {
        let whole = read(std::iter::once(&bytes[..]));
        let split = read(bytes.chunks(size));
        prop_assert_eq!(whole.0, split.0);
        if whole.0.is_some() {
            prop_assert_eq!(whole.1, split.1);
        }
    }

    #[test]
    fn every_address_is_read_as_it_was_written(address in any::<SocketAddr>()) {
        let wanted = Speaks::For(SocketAddr::new(address.ip().to_canonical(), address.port()));
        let family = if address.is_ipv4() { "TCP4" } else { "TCP6" };
        let line = format!("PROXY {family} {ip} {ip} {port} {port}\r\n", ip = address.ip(), port = address.port());
        prop_assert_eq!(read(std::iter::once(line.as_bytes())), (Some(wanted), line.len()));
    }
}
