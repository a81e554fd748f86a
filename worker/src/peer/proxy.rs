//! The header of the PROXY protocol, versions 1 and 2, by which a proxy says for whom it has connected. Runs in a worker; pure.
//!
//! It is the first thing on a connection, and what stands behind it is the client's: never a byte more than the header is
//! taken. What version 2 may append (TLVs) is passed over. <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>

use super::layer::Opened;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// What version 2 begins with.
pub const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What version 1 begins with.
const WORD: &[u8; 6] = b"PROXY ";

/// Bytes of a header of version 1, with its end of line.
const LINE: usize = 107;

/// Bytes of version 2 up to the addresses: signature, version and command, family, length of the rest.
const FIXED: usize = 16;

/// Bytes of the rest.
const REST: usize = 1024;

/// Bytes of a header at the most.
pub const LONGEST: usize = FIXED + REST;

/// For whom a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// A client, who has connected to it from there.
    For(SocketAddr),
    /// Itself (it looks whether we are well), or one who has no IP address.
    ForItself,
}

/// A header, as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct Header {
    bytes: Vec<u8>,
}

impl Header {
    /// Whether nothing has come yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes from `input` what belongs to the header. `Data` when it is whole, `Broken` when it is none; otherwise all of the input
    /// is used, and `More` is to come.
    pub fn open(&mut self, input: &mut &[u8]) -> Opened<Speaks> {
        loop {
            match self.lacks() {
                None => return Opened::Broken,
                Some(0) => return self.says().map_or(Opened::Broken, Opened::Data),
                Some(count) => {
                    let Some((part, rest)) = input.split_at_checked(count.min(input.len())) else {
                        return Opened::More;
                    };
                    if part.is_empty() {
                        return Opened::More;
                    }
                    self.bytes.extend_from_slice(part);
                    *input = rest;
                }
            }
        }
    }

    /// How many bytes surely belong to it that have not come; none when it is no header.
    fn lacks(&self) -> Option<usize> {
        let bytes = &self.bytes[..];
        if begins(bytes, WORD) {
            let ends = bytes.ends_with(b"\n");
            return match bytes.len() {
                _ if ends => bytes.ends_with(b"\r\n").then_some(0),
                ..LINE => Some(1),
                _ => None,
            };
        }
        if !begins(bytes, SIGNATURE) {
            return None;
        }
        let (Some(kind), Some(length)) = (bytes.get(12), number(bytes, 14)) else {
            return Some(FIXED.saturating_sub(bytes.len()));
        };
        let length = usize::from(length);
        (kind >> 4 == 2 && length <= REST).then(|| (FIXED + length).saturating_sub(bytes.len()))
    }

    /// What a whole one says.
    fn says(&self) -> Option<Speaks> {
        match self.bytes.strip_prefix(WORD) {
            Some(line) => words(std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?),
            None => binary(&self.bytes),
        }
    }
}

/// Whether this may be the beginning of what begins so.
fn begins(bytes: &[u8], front: &[u8]) -> bool {
    bytes.iter().zip(front).all(|(byte, wanted)| byte == wanted)
}

/// Two bytes as a number.
fn number(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// What a line of version 1 says, without its first word: `TCP4 192.0.2.1 198.51.100.1 5000 4201`.
fn words(line: &str) -> Option<Speaks> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        // The rest is to be passed over, whatever it is.
        ["UNKNOWN", ..] => Some(Speaks::ForItself),
        ["TCP4", source, ours, port, our_port] => ends::<Ipv4Addr>([source, ours], [port, our_port]),
        ["TCP6", source, ours, port, our_port] => ends::<Ipv6Addr>([source, ours], [port, our_port]),
        _ => None,
    }
}

/// The client's end, where both are well written.
fn ends<Ip: FromStr + Into<IpAddr>>([source, ours]: [&str; 2], ports: [&str; 2]) -> Option<Speaks> {
    let [address, _] = [source.parse::<Ip>().ok()?.into(), ours.parse::<Ip>().ok()?.into()];
    let [port, _] = [port_of(ports[0])?, port_of(ports[1])?];
    Some(Speaks::For(SocketAddr::new(address.to_canonical(), port)))
}

/// A port, in digits alone: without a sign.
fn port_of(word: &str) -> Option<u16> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

/// What a whole header of version 2 says.
fn binary(bytes: &[u8]) -> Option<Speaks> {
    let (command, family, addresses) = (bytes.get(12)? & 0x0f, *bytes.get(13)?, bytes.get(FIXED..)?);
    let client = |address: IpAddr, port| Some(Speaks::For(SocketAddr::new(address.to_canonical(), port?)));
    match (command, family >> 4, family & 0x0f) {
        // Whatever else it says then.
        (0, _, _) => Some(Speaks::ForItself),
        // Over TCP: both addresses, then both ports.
        (1, 1, 1) => {
            let (source, port) = (*addresses.first_chunk::<4>()?, number(addresses, 8));
            number(addresses, 10)?;
            client(Ipv4Addr::from(source).into(), port)
        }
        (1, 2, 1) => {
            let (source, port) = (*addresses.first_chunk::<16>()?, number(addresses, 32));
            number(addresses, 34)?;
            client(Ipv6Addr::from(source).into(), port)
        }
        // Not said, datagrams, Unix sockets.
        (1, 0..=3, 0..=2) => Some(Speaks::ForItself),
        _ => None,
    }
}
