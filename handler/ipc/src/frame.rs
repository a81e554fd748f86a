//! Frames on a stream: a fixed header, then a postcard payload. Pure: bytes in, frames out.
//!
//! ```text
//! length u32 | version u8 | class u8 | kind u16 | number u64 | payload (length bytes)
//! ```
//! All little-endian. The header stays as it is for ever, so that whatever a stranger sends can be
//! answered or refused without decoding it.

use crate::{Event, Kind, Reply, Request};
use serde::{Serialize, de::DeserializeOwned};
use std::io;

/// Raised when a message changes in a way that appending cannot express.
pub const VERSION: u8 = 1;

/// Bytes of a header.
pub const HEADER: usize = 16;

/// The longest payload that is taken, bytes. A longer one ends the link.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// Bytes that the first reads ask for: an idle link is to stay small …
const FIRST_READ: usize = 1 << 10;

/// … and those do that come after a full one.
const READ: usize = 32 << 10;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// From a worker; wants an answer with the same number (except `Log`).
    Request = 1,
    /// The answer.
    Reply = 2,
    /// From the handler, unasked; number 0.
    Event = 3,
    /// Between listener and handler, and between the operator's command and the handler.
    Control = 4,
}

impl Class {
    fn from_number(number: u8) -> Option<Class> {
        match number {
            1 => Some(Class::Request),
            2 => Some(Class::Reply),
            3 => Some(Class::Event),
            4 => Some(Class::Control),
            _ => None,
        }
    }
}

/// What is wrong with received bytes. Never holds any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The header announces more than [`MAX_PAYLOAD`].
    TooLong(u32),
    /// The sender speaks another version of the frames.
    Version(u8),
    /// No such class.
    Class(u8),
    /// The payload is not what its kind says.
    Payload,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DecodeError::TooLong(length) => write!(f, "a frame of {length} bytes"),
            DecodeError::Version(version) => write!(f, "frame version {version}"),
            DecodeError::Class(class) => write!(f, "frame class {class}"),
            DecodeError::Payload => f.write_str("a payload that does not fit its kind"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// A frame that lies in a reader's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub class: Class,
    /// Which message of its class.
    pub kind: u16,
    /// The request's number; repeated in the reply.
    pub number: u64,
    /// postcard.
    pub payload: &'a [u8],
}

/// A borrowed end of a buffer, because postcard wants to own what it extends.
struct Tail<'a>(&'a mut Vec<u8>);

impl Extend<u8> for Tail<'_> {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        self.0.extend(bytes);
    }
}

pub(crate) fn put_payload<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    let start = out.len();
    if postcard::to_extend(value, Tail(out)).is_err() {
        // Only a `Serialize` that fails by itself can get here, and none of ours does; a payload cut
        // short is refused by whoever reads it.
        out.truncate(start);
    }
}

pub(crate) fn get_payload<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(DecodeError::Payload),
    }
}

pub(crate) fn get_nothing(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.is_empty() { Ok(()) } else { Err(DecodeError::Payload) }
}

/// Appends one frame; `body` appends its payload.
fn put(out: &mut Vec<u8>, class: Class, kind: u16, number: u64, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, VERSION, class as u8]);
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    body(out);
    let length = u32::try_from(out.len().saturating_sub(start + HEADER)).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Appends a request frame.
pub fn put_request(out: &mut Vec<u8>, number: u64, request: &Request) {
    put(out, Class::Request, request.kind() as u16, number, |out| request.put(out));
}

/// Appends a reply frame.
pub fn put_reply(out: &mut Vec<u8>, number: u64, reply: &Reply) {
    put(out, Class::Reply, reply.kind() as u16, number, |out| reply.put(out));
}

/// Appends an event frame.
pub fn put_event(out: &mut Vec<u8>, event: &Event) {
    put(out, Class::Event, 0, 0, |out| put_payload(event, out));
}

/// Appends a frame between listener, handler and the operator's command.
pub fn put_control<T: Serialize>(out: &mut Vec<u8>, message: &T) {
    put(out, Class::Control, 0, 0, |out| put_payload(message, out));
}

impl Frame<'_> {
    /// The request's kind; nothing when a newer worker made it up, which is answered and not fatal.
    pub fn request_kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind)
    }

    /// Decodes a reply.
    pub fn reply(&self) -> Result<Reply, DecodeError> {
        let kind = crate::request::ReplyKind::from_number(self.kind).ok_or(DecodeError::Payload)?;
        Reply::decode(kind, self.payload)
    }

    /// Decodes an event.
    pub fn event(&self) -> Result<Event, DecodeError> {
        get_payload(self.payload)
    }

    /// Decodes what [`put_control`] wrote.
    pub fn control<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        get_payload(self.payload)
    }
}

/// Collects bytes and gives frames. Its memory follows what is in flight, up to one frame of [`MAX_PAYLOAD`]
/// and one read.
#[derive(Debug, Default)]
pub struct FrameReader {
    bytes: Vec<u8>,
    start: usize,
    /// The last read was full.
    busy: bool,
}

impl FrameReader {
    /// An empty reader; takes no memory until the first read.
    pub fn new() -> FrameReader {
        FrameReader::default()
    }

    /// Asks `read` once for more bytes; gives how many came (0: the other end has closed) and whether the
    /// read was full, so that there may be more.
    ///
    /// # Errors
    /// Those of `read`; nothing is lost by them.
    pub fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<(usize, bool)> {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        let length = self.bytes.len();
        let want = if self.busy { READ } else { FIRST_READ };
        self.bytes.resize(length + want, 0);
        let result = read(self.bytes.get_mut(length..).unwrap_or_default());
        let count = *result.as_ref().unwrap_or(&0);
        self.bytes.truncate(length + count);
        self.busy = count == want || (self.busy && count > FIRST_READ);
        if self.bytes.is_empty() && self.bytes.capacity() > 2 * READ {
            self.bytes = Vec::new();
        }
        result.map(|count| (count, count == want))
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// A header that cannot be; the stream is lost after it.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, DecodeError> {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let Some((header, after)) = rest.split_first_chunk::<HEADER>() else { return Ok(None) };
        let [l0, l1, l2, l3, version, class, k0, k1, number @ ..] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let class = Class::from_number(class).ok_or(DecodeError::Class(class))?;
        if length as usize > MAX_PAYLOAD {
            return Err(DecodeError::TooLong(length));
        }
        let Some(payload) = after.get(..length as usize) else { return Ok(None) };
        self.start += HEADER + payload.len();
        Ok(Some(Frame { class, kind: u16::from_le_bytes([k0, k1]), number: u64::from_le_bytes(number), payload }))
    }
}
