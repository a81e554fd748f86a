//! Frames on a stream: a fixed header, then a postcard payload. Pure: bytes in, frames out.
//!
//! ```text
//! length u32 | version u8 | class u8 | kind u16 | number u64 | payload (length bytes)
//! ```
//! All little-endian. The header stays as it is for ever, so that whatever a stranger sends can be
//! answered or refused without decoding it.
//!
//! A reply or an event may carry descriptors. The header has no room for their count, so an announcement stands in front
//! of such a frame: a control frame of its own kind, with the count. A reader takes both as one frame; a worker from
//! before there were announcements passes over control frames.

use crate::{Carried, DecodeError, Event, Kind, Reply, Request, growing};
use serde::{Serialize, de::DeserializeOwned};
use std::io;

/// Raised when a message changes in a way that appending cannot express.
pub const VERSION: u8 = 2;

/// Bytes of a header.
pub const HEADER: usize = 16;

/// The longest payload that is taken, bytes. A longer one ends the link.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// The most descriptors that one frame carries.
pub const MOST_DESCRIPTORS: usize = 8;

/// The kind of the control frame that announces descriptors; that of all others is 0.
const ANNOUNCEMENT: u16 = 1;

/// The longest announcement, bytes: room for what it may gain.
const LONGEST_ANNOUNCEMENT: usize = 64;

/// Bytes that the first reads ask for: an idle link is to stay small …
const FIRST_READ: usize = 1 << 10;

/// … and those do that come after a full one.
const READ: usize = 32 << 10;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// From a worker; wants an answer with the same number (except `Log`). Numbers go on over all links of a session.
    Request = 1,
    /// The answer.
    Reply = 2,
    /// From the handler, unasked; has the push's number, or 0.
    Event = 3,
    /// Between listener and handler, and between the operator's command and the handler.
    Control = 4,
    /// A request that changes something: [`Carried`] stands in front of its payload.
    Change = 5,
}

impl Class {
    fn from_number(number: u8) -> Option<Class> {
        match number {
            1 => Some(Class::Request),
            2 => Some(Class::Reply),
            3 => Some(Class::Event),
            4 => Some(Class::Control),
            5 => Some(Class::Change),
            _ => None,
        }
    }
}

/// A frame that lies in a reader's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub class: Class,
    /// Which message of its class.
    pub kind: u16,
    /// The request's number; repeated in the reply.
    pub number: u64,
    /// How many descriptors came with its first byte. A handler from before there were announcements sends them without
    /// one, and here it is 0: nobody takes them, so a client is told that the channel cannot be received.
    pub descriptors: usize,
    /// The message, as postcard writes it.
    pub payload: &'a [u8],
}

/// What stands in front of a payload.
#[derive(Clone, Copy)]
struct Header {
    class: Class,
    kind: u16,
    number: u64,
    length: usize,
}

impl Header {
    /// The header that the bytes begin with, and what stands behind it; nothing while it is not whole.
    fn first(bytes: &[u8]) -> Result<Option<(Header, &[u8])>, DecodeError> {
        let Some((header, after)) = bytes.split_first_chunk::<HEADER>() else { return Ok(None) };
        let [l0, l1, l2, l3, version, class, k0, k1, number @ ..] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let class = Class::from_number(class).ok_or(DecodeError::Class(class))?;
        if length as usize > MAX_PAYLOAD {
            return Err(DecodeError::TooLong(length));
        }
        let (kind, number) = (u16::from_le_bytes([k0, k1]), u64::from_le_bytes(number));
        Ok(Some((Header { class, kind, number, length: length as usize }, after)))
    }

    /// How many descriptors it announces, if it does, and what stands behind that; nothing while it is not whole.
    fn announced<'a>(&self, after: &'a [u8]) -> Result<Option<(usize, &'a [u8])>, DecodeError> {
        if (self.class, self.kind) != (Class::Control, ANNOUNCEMENT) {
            return Ok(Some((0, after)));
        }
        if self.length > LONGEST_ANNOUNCEMENT {
            return Err(DecodeError::Descriptors);
        }
        let Some((payload, after)) = after.split_at_checked(self.length) else { return Ok(None) };
        match usize::from(growing::get::<u8>(payload)?) {
            count @ 1..=MOST_DESCRIPTORS => Ok(Some((count, after))),
            _ => Err(DecodeError::Descriptors),
        }
    }
}

/// Appends one frame; `body` appends its payload.
fn put(out: &mut Vec<u8>, class: Class, kind: u16, number: u64, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    body(out);
    let length = out.len().saturating_sub(start + HEADER);
    if let Some(front) = out.get_mut(start..).and_then(|frame| frame.first_chunk_mut()) {
        *front = header(length, class, kind, number);
    }
}

/// What stands in front of a payload.
fn header(length: usize, class: Class, kind: u16, number: u64) -> [u8; HEADER] {
    let [l0, l1, l2, l3] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let ([k0, k1], [n0, n1, n2, n3, n4, n5, n6, n7]) = (kind.to_le_bytes(), number.to_le_bytes());
    [l0, l1, l2, l3, VERSION, class as u8, k0, k1, n0, n1, n2, n3, n4, n5, n6, n7]
}

/// Appends a request frame.
pub fn put_request(out: &mut Vec<u8>, number: u64, request: &Request) {
    put(out, Class::Request, request.kind() as u16, number, |out| request.put(out));
}

/// Appends the frame of a request that changes something.
pub fn put_change(out: &mut Vec<u8>, number: u64, carried: &Carried, request: &Request) {
    put(out, Class::Change, request.kind() as u16, number, |out| {
        // With its length, so that it can gain a field.
        let mut front = Vec::new();
        growing::put(&mut front, carried);
        growing::put(out, &front);
        request.put(out);
    });
}

/// Appends a reply frame.
pub fn put_reply(out: &mut Vec<u8>, number: u64, reply: &Reply) {
    put(out, Class::Reply, reply.kind() as u16, number, |out| reply.put(out));
}

/// Appends the frame of a reply whose kind and payload are at hand.
pub fn put_packed_reply(out: &mut Vec<u8>, number: u64, kind: u16, payload: &[u8]) {
    put(out, Class::Reply, kind, number, |out| out.extend_from_slice(payload));
}

/// Appends an event frame; see [`Class::Event`] for `number`.
pub fn put_event(out: &mut Vec<u8>, number: u64, event: &Event) {
    put(out, Class::Event, 0, number, |out| growing::put(out, event));
}

/// Appends what `frame` appends: one reply or event, which carries so many descriptors, [`MOST_DESCRIPTORS`] at the most.
/// They are sent with the first byte of this.
pub fn put_with_descriptors(out: &mut Vec<u8>, descriptors: usize, frame: impl FnOnce(&mut Vec<u8>)) {
    if descriptors > 0 {
        let count = u8::try_from(descriptors).unwrap_or(u8::MAX);
        put(out, Class::Control, ANNOUNCEMENT, 0, |out| growing::put(out, &count));
    }
    frame(out);
}

/// Appends a frame between listener, handler and the operator's command.
pub fn put_control<T: Serialize>(out: &mut Vec<u8>, message: &T) {
    put(out, Class::Control, 0, 0, |out| growing::put(out, message));
}

/// The same in room that is there; nothing where it does not fit.
pub fn control_within<'a, T: Serialize>(room: &'a mut [u8], message: &T) -> Option<&'a [u8]> {
    let (front, behind) = room.split_first_chunk_mut::<HEADER>()?;
    let length = postcard::to_slice(message, behind).ok()?.len();
    *front = header(length, Class::Control, 0, 0);
    room.get(..HEADER + length)
}

/// As [`put_control`], with what the message has gained since; an older program passes over that.
pub fn put_control_with<T: Serialize, M: Serialize + Default + PartialEq>(out: &mut Vec<u8>, message: &T, more: &M) {
    put(out, Class::Control, 0, 0, |out| growing::put_grown(out, message, more));
}

impl Frame<'_> {
    /// The request's kind; nothing when a newer worker made it up, which is answered and not fatal.
    pub fn request_kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind)
    }

    /// What stands in front of the payload of a [`Class::Change`], and the payload.
    pub fn carried(&self) -> Result<(Carried, &[u8]), DecodeError> {
        let (front, payload) = postcard::take_from_bytes::<&[u8]>(self.payload).map_err(|_| DecodeError::Payload)?;
        Ok((growing::get(front)?, payload))
    }

    /// Decodes a reply.
    pub fn reply(&self) -> Result<Reply, DecodeError> {
        let kind = crate::ReplyKind::from_number(self.kind).ok_or(DecodeError::Payload)?;
        Reply::decode(kind, self.payload)
    }

    /// Decodes an event.
    pub fn event(&self) -> Result<Event, DecodeError> {
        Ok(growing::get(self.payload)?)
    }

    /// Decodes what [`put_control`] wrote.
    pub fn control<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        Ok(growing::get(self.payload)?)
    }

    /// Decodes what [`put_control_with`] wrote; from an older program, with the defaults.
    pub fn control_with<T: DeserializeOwned, M: DeserializeOwned + Default>(&self) -> Result<(T, M), DecodeError> {
        Ok(growing::get_with(self.payload)?)
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
        if self.bytes.is_empty() && self.bytes.capacity() > 2 * READ {
            self.bytes = Vec::new();
        }
        let length = self.bytes.len();
        let want = if self.busy { READ } else { FIRST_READ };
        self.bytes.resize(length + want, 0);
        let result = read(self.bytes.get_mut(length..).unwrap_or_default());
        let count = *result.as_ref().unwrap_or(&0);
        self.bytes.truncate(length + count);
        self.busy = count == want || (self.busy && count > FIRST_READ);
        result.map(|count| (count, count == want))
    }

    /// What has come and was not given yet.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The next whole frame, if there is one. What announces its descriptors is no frame for itself, and stays with the
    /// rest until both are whole.
    ///
    /// # Errors
    /// A header or an announcement that cannot be; the stream is lost after it.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, DecodeError> {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let Some((mut header, after)) = Header::first(rest)? else { return Ok(None) };
        let Some((descriptors, mut after)) = header.announced(after)? else { return Ok(None) };
        if descriptors > 0 {
            let Some(next) = Header::first(after)? else { return Ok(None) };
            (header, after) = next;
            // Those name the descriptors that belong to them in what they say.
            if header.class == Class::Control {
                return Err(DecodeError::Descriptors);
            }
        }
        let Some((payload, after)) = after.split_at_checked(header.length) else { return Ok(None) };
        self.start = self.bytes.len() - after.len();
        let Header { class, kind, number, .. } = header;
        Ok(Some(Frame { class, kind, number, descriptors, payload }))
    }
}

#[cfg(test)]
mod tests;
