//! One direction of a telnet connection, taken apart to the last byte, and the other, put together. Either may be compressed.

use super::codes::{EOR_MARK, IAC, SB, SE, Verb};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// How far a subnegotiation may go, in bytes.
const LONGEST: usize = 64 << 10;

/// What bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Text; 255 stands for itself.
    Text(Vec<u8>),
    /// A command without an option.
    Command(u8),
    /// A word about an option.
    Negotiation(Verb, u8),
    /// A subnegotiation, and what is in it; 255 stands for itself.
    Sub(u8, Vec<u8>),
}

/// What comes in.
#[derive(Default)]
pub struct Incoming {
    came: Vec<u8>,
    inflate: Option<Decompress>,
}

impl Incoming {
    /// More has come.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        loop {
            let Some(machine) = &mut self.inflate else {
                self.came.extend_from_slice(bytes);
                return Ok(());
            };
            self.came.reserve(bytes.len() + 4096);
            let before = machine.total_in();
            let status = machine.decompress_vec(bytes, &mut self.came, FlushDecompress::Sync);
            let status = status.map_err(|error| format!("what is compressed is not sound: {error}"))?;
            let taken = usize::try_from(machine.total_in() - before).expect("not more than there is");
            bytes = &bytes[taken..];
            match status {
                Status::StreamEnd => self.inflate = None,
                // With room left there is nothing more to be made of it.
                _ if bytes.is_empty() && self.came.len() < self.came.capacity() => return Ok(()),
                _ => {}
            }
        }
    }

    /// All that is behind the token that was taken last is compressed.
    pub fn compressed_from_here(&mut self) -> Result<(), String> {
        if self.inflate.is_some() {
            return Err("compressed twice".to_owned());
        }
        self.inflate = Some(Decompress::new(true));
        let rest = std::mem::take(&mut self.came);
        self.feed(&rest)
    }

    /// Whether what comes is compressed.
    pub fn is_compressed(&self) -> bool {
        self.inflate.is_some()
    }

    /// Whether nothing is half there.
    pub fn is_whole(&self) -> bool {
        self.came.is_empty()
    }

    /// The next token, when all of it has come.
    pub fn next(&mut self) -> Result<Option<Token>, String> {
        let text = unescaped(&self.came);
        if text.0 > 0 {
            self.came.drain(..text.0);
            return Ok(Some(Token::Text(text.1)));
        }
        let (length, token) = match self.came[..] {
            [IAC, SB, option, ..] => match self.subnegotiation()? {
                Some((length, body)) => (length, Token::Sub(option, body)),
                None => return Ok(None),
            },
            [IAC, verb @ 251..=254, option, ..] => {
                (3, Token::Negotiation(Verb::of(verb).expect("one of the four"), option))
            }
            [] | [IAC] | [IAC, 250..=254, ..] => return Ok(None),
            [IAC, command @ EOR_MARK..=249, ..] if command != SE => (2, Token::Command(command)),
            [IAC, other, ..] => return Err(format!("255 {other} is no command")),
            [..] => return Ok(None),
        };
        self.came.drain(..length);
        Ok(Some(token))
    }

    /// The subnegotiation that it begins with: its length and what is in it.
    fn subnegotiation(&self) -> Result<Option<(usize, Vec<u8>)>, String> {
        let (length, body) = unescaped(&self.came[3..]);
        let end = 3 + length;
        match self.came[end..] {
            [IAC, SE, ..] => Ok(Some((end + 2, body))),
            [IAC, other, ..] => Err(format!("255 {other} in a subnegotiation")),
            [..] if length > LONGEST => Err("a subnegotiation without an end".to_owned()),
            [..] => Ok(None),
        }
    }
}

/// What is in front of the first command, and how long it is where it is written.
fn unescaped(bytes: &[u8]) -> (usize, Vec<u8>) {
    let mut text = Vec::new();
    let mut at = 0;
    loop {
        match bytes[at..] {
            [IAC, IAC, ..] => at += 2,
            [IAC, ..] | [] => return (at, text),
            [..] => at += 1,
        }
        text.push(bytes[at - 1]);
    }
}

/// What goes out, up to the socket.
#[derive(Default)]
pub struct Outgoing {
    deflate: Option<Compress>,
}

impl Outgoing {
    /// These bytes as they go over the connection.
    pub fn put(&mut self, bytes: &[u8]) -> Vec<u8> {
        match &mut self.deflate {
            Some(machine) => deflated(machine, bytes, FlushCompress::Sync),
            None => bytes.to_vec(),
        }
    }

    /// All that is put from now on is compressed.
    pub fn compress(&mut self) {
        self.deflate = Some(Compress::new(Compression::default(), true));
    }

    /// The end of what is compressed, where anything is.
    pub fn end_compression(&mut self) -> Vec<u8> {
        let end = |mut machine: Compress| deflated(&mut machine, b"", FlushCompress::Finish);
        self.deflate.take().map(end).unwrap_or_default()
    }
}

fn deflated(machine: &mut Compress, mut bytes: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        out.reserve(bytes.len() + 4096);
        let before = machine.total_in();
        machine.compress_vec(bytes, &mut out, flush).expect("it takes everything");
        bytes = &bytes[usize::try_from(machine.total_in() - before).expect("not more than there is")..];
        if bytes.is_empty() && out.len() < out.capacity() {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_tokens_however_they_are_split() {
        let bytes = b"a\xff\xffb\xff\xfd\x1f\xff\xfa\x18\x00x\xff\xffy\xff\xf0\xff\xf9end";
        let whole = [
            Token::Text(b"a\xffb".to_vec()),
            Token::Negotiation(Verb::Do, 31),
            Token::Sub(24, b"\x00x\xffy".to_vec()),
            Token::Command(249),
            Token::Text(b"end".to_vec()),
        ];
        for at in 0..=bytes.len() {
            let (mut incoming, mut tokens) = (Incoming::default(), Vec::new());
            for part in [&bytes[..at], &bytes[at..]] {
                incoming.feed(part).unwrap();
                while let Some(token) = incoming.next().unwrap() {
                    match (tokens.last_mut(), token) {
                        (Some(Token::Text(before)), Token::Text(more)) => before.extend(more),
                        (_, token) => tokens.push(token),
                    }
                }
            }
            assert_eq!(tokens, whole, "split at {at}");
        }
    }

    #[test]
    fn what_is_compressed_begins_and_ends_between_two_bytes() {
        let mut outgoing = Outgoing::default();
        let mut bytes = outgoing.put(b"\xff\xfa\x56\xff\xf0");
        outgoing.compress();
        bytes.extend(outgoing.put(b"hidden"));
        bytes.extend(outgoing.end_compression());
        bytes.extend(outgoing.put(b" open"));
        for size in [1, 2, 5, bytes.len()] {
            let (mut incoming, mut text) = (Incoming::default(), Vec::new());
            for part in bytes.chunks(size) {
                incoming.feed(part).unwrap();
                while let Some(token) = incoming.next().unwrap() {
                    match token {
                        Token::Text(more) => text.extend(more),
                        _ => incoming.compressed_from_here().unwrap(),
                    }
                }
            }
            assert_eq!(
                (text.as_slice(), incoming.is_compressed()),
                (&b"hidden open"[..], false),
                "in pieces of {size}"
            );
        }
    }

    #[test]
    fn what_is_no_telnet_is_an_error() {
        for wrong in [&b"\xff\x01"[..], b"\xff\xf0", b"\xff\xfa\x18a\xff\xf1"] {
            let mut incoming = Incoming::default();
            incoming.feed(wrong).unwrap();
            assert!(incoming.next().is_err(), "{wrong:?}");
        }
        let mut incoming = Incoming::default();
        incoming.compressed_from_here().unwrap();
        assert!(incoming.feed(b"not at all").is_err());
    }
}
