//! Frames on a stream: a fixed header, then a postcard payload. Pure: bytes in, frames out.
//!
//! ```text
//! length u32 | version u8 | class u8 | kind u16 | number u64 | payload (length bytes)
//! ```
//! All little-endian. The header stays as it is for ever, so that whatever a stranger sends can be
//! answered or refused without decoding it.

use crate::{Carried, DecodeError, Event, Kind, Reply, Request, growing};
use serde::{Serialize, de::DeserializeOwned};
use std::io;

/// Raised when a message changes in a way that appending cannot express.
pub const VERSION: u8 = 2;

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
    /// The message, as postcard writes it.
    pub payload: &'a [u8],
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

/// Appends a frame between listener, handler and the operator's command.
pub fn put_control<T: Serialize>(out: &mut Vec<u8>, message: &T) {
    put(out, Class::Control, 0, 0, |out| growing::put(out, message));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{ToHandler, ToListener};
    use crate::ctl::{Answer, Ask};
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// class, kind, number, payload.
    type Owned = (u8, u16, u64, Vec<u8>);

    fn written(frames: &[Owned]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (class, kind, number, payload) in frames {
            let class = Class::from_number(*class).unwrap();
            put(&mut bytes, class, *kind, *number, |out| out.extend_from_slice(payload));
        }
        bytes
    }

    /// Reads all of `bytes`, a fill as often as needed, and takes every whole frame out after each.
    fn feed(reader: &mut FrameReader, mut bytes: &[u8], frames: &mut Vec<Owned>) -> Result<(), DecodeError> {
        while !bytes.is_empty() {
            let (count, full) = reader.fill(|buffer| io::Read::read(&mut bytes, buffer)).unwrap();
            assert!(count > 0);
            assert!(full || bytes.is_empty());
            take(reader, frames)?;
        }
        Ok(())
    }

    fn take(reader: &mut FrameReader, frames: &mut Vec<Owned>) -> Result<(), DecodeError> {
        while let Some(frame) = reader.next_frame()? {
            frames.push((frame.class as u8, frame.kind, frame.number, frame.payload.to_vec()));
        }
        Ok(())
    }

    fn some_frames(most: usize, longest: usize) -> impl Strategy<Value = Vec<Owned>> {
        vec((1u8..=5, any::<u16>(), any::<u64>(), vec(any::<u8>(), 0..longest)), 0..most)
    }

    fn nothing_panics(kind: u16, payload: &[u8]) {
        let frame = Frame { class: Class::Request, kind, number: 0, payload };
        if let Some(kind) = frame.request_kind() {
            let _ = Request::decode(kind, payload);
        }
        let _ = (frame.reply(), frame.event());
        let _ = (frame.control::<ToHandler>(), frame.control::<ToListener>());
        let _ = (frame.control::<Ask>(), frame.control::<Answer>());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_split_at_any_byte_changes_nothing(frames in some_frames(6, 40)) {
            let bytes = written(&frames);
            for split in 0..=bytes.len() {
                let (mut reader, mut got) = (FrameReader::new(), Vec::new());
                let (front, back) = bytes.split_at(split);
                feed(&mut reader, front, &mut got).unwrap();
                feed(&mut reader, back, &mut got).unwrap();
                prop_assert_eq!(&got, &frames);
            }
        }

        #[test]
        fn portions_of_any_size_change_nothing(frames in some_frames(12, 9000), sizes in vec(1usize..5000, 1..20)) {
            let bytes = written(&frames);
            let (mut reader, mut got, mut rest) = (FrameReader::new(), Vec::new(), &bytes[..]);
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (portion, later) = rest.split_at((*size).min(rest.len()));
                feed(&mut reader, portion, &mut got).unwrap();
                rest = later;
            }
            prop_assert_eq!(got, frames);
        }

        #[test]
        fn any_bytes_are_frames_or_an_error(bytes in vec(any::<u8>(), 0..200), version in any::<bool>()) {
            let mut bytes = bytes;
            // Half of them get past the first check.
            if version && let Some(place) = bytes.get_mut(2..6) {
                place.copy_from_slice(&[0, 0, VERSION, 1]);
            }
            let mut reader = FrameReader::new();
            let _ = feed(&mut reader, &bytes, &mut Vec::new());
            prop_assert!(reader.bytes.capacity() <= 2 * FIRST_READ);
        }

        #[test]
        fn any_payload_is_a_message_or_an_error(kind in 0u16..80, payload in vec(any::<u8>(), 0..60)) {
            nothing_panics(kind, &payload);
        }

        #[test]
        fn a_length_that_lies_takes_no_memory(kind in 0u16..80, front in vec(0u8..20, 0..4)) {
            // Behind a few fields that may fit: a length of 2^64 - 1, and nothing.
            let mut payload = front;
            payload.extend([0xff; 9]);
            payload.push(1);
            nothing_panics(kind, &payload);
        }
    }

    #[test]
    fn a_header_that_cannot_be_is_refused_at_once() {
        let refused = |place: usize, bytes: &[u8]| {
            let mut header = written(&[(1, 14, 7, Vec::new())]);
            header[place..place + bytes.len()].copy_from_slice(bytes);
            let mut reader = FrameReader::new();
            let result = feed(&mut reader, &header, &mut Vec::new());
            assert!(reader.bytes.capacity() <= 2 * FIRST_READ);
            result
        };
        let most = MAX_PAYLOAD as u32;
        assert_eq!(refused(0, &u32::MAX.to_le_bytes()), Err(DecodeError::TooLong(u32::MAX)));
        assert_eq!(refused(0, &(most + 1).to_le_bytes()), Err(DecodeError::TooLong(most + 1)));
        assert_eq!(refused(0, &most.to_le_bytes()), Ok(()));
        assert_eq!(refused(4, &[VERSION + 1]), Err(DecodeError::Version(VERSION + 1)));
        assert_eq!(refused(5, &[0]), Err(DecodeError::Class(0)));
        assert_eq!(refused(5, &[6]), Err(DecodeError::Class(6)));
    }

    #[test]
    fn the_longest_payload_is_taken_and_its_memory_given_back() {
        let frames = vec![(4, 0, 0, vec![7; MAX_PAYLOAD]), (4, 1, 1, Vec::new())];
        let (mut reader, mut got) = (FrameReader::new(), Vec::new());
        feed(&mut reader, &written(&frames), &mut got).unwrap();
        assert!(got == frames);
        // A growing buffer may double.
        assert!(reader.bytes.capacity() <= 2 * (MAX_PAYLOAD + HEADER + READ));
        assert!(reader.fill(|_| Err(io::ErrorKind::WouldBlock.into())).is_err());
        assert!(reader.bytes.capacity() <= 2 * READ);
    }

    #[test]
    fn an_error_of_the_read_loses_nothing() {
        let frames = vec![(1, 14, 7, vec![1, 2, 3]), (2, 1, 8, vec![4; 100])];
        let bytes = written(&frames);
        let (mut reader, mut got) = (FrameReader::new(), Vec::new());
        for portion in bytes.chunks(5) {
            for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted, io::ErrorKind::ConnectionReset] {
                // What a read leaves in the buffer before it fails is no part of the stream.
                let failing = |buffer: &mut [u8]| {
                    buffer.fill(0xee);
                    Err(kind.into())
                };
                assert_eq!(reader.fill(failing).unwrap_err().kind(), kind);
                take(&mut reader, &mut got).unwrap();
            }
            feed(&mut reader, portion, &mut got).unwrap();
        }
        assert_eq!(reader.fill(|_| Ok(0)).unwrap(), (0, false));
        assert_eq!(got, frames);
    }
}
