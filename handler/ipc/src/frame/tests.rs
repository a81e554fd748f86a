//! Frames: how they are put, cut into reads and taken, and what is refused.

use super::*;
use crate::control::{ToHandler, ToListener};
use crate::ctl::{Answer, Ask};
use proptest::collection::vec;
use proptest::prelude::*;

/// class, kind, number, descriptors, payload.
type Owned = (u8, u16, u64, usize, Vec<u8>);

fn written(frames: &[Owned]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (class, kind, number, descriptors, payload) in frames {
        let class = Class::from_number(*class).unwrap();
        let frame = |out: &mut Vec<u8>| put(out, class, *kind, *number, |out| out.extend_from_slice(payload));
        put_with_descriptors(&mut bytes, *descriptors, frame);
    }
    bytes
}

/// An announcement with this payload.
fn announcement(payload: &[u8]) -> Vec<u8> {
    written(&[(4, ANNOUNCEMENT, 0, 0, payload.to_vec())])
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
        frames.push((frame.class as u8, frame.kind, frame.number, frame.descriptors, frame.payload.to_vec()));
    }
    Ok(())
}

fn some_frames(most: usize, longest: usize) -> impl Strategy<Value = Vec<Owned>> {
    let descriptors = prop_oneof![Just(0), 0..=MOST_DESCRIPTORS];
    let frame = (1u8..=5, any::<u16>(), any::<u64>(), descriptors, vec(any::<u8>(), 0..longest));
    let frame = frame.prop_map(|(class, kind, number, descriptors, payload)| match class {
        4 => (class, if kind == ANNOUNCEMENT { 0 } else { kind }, number, 0, payload),
        _ => (class, kind, number, descriptors, payload),
    });
    vec(frame, 0..most)
}

fn nothing_panics(kind: u16, payload: &[u8]) {
    let frame = Frame { class: Class::Request, kind, number: 0, descriptors: 0, payload };
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
    fn any_bytes_are_frames_or_an_error(
        bytes in vec(any::<u8>(), 0..200),
        version in any::<bool>(),
        announced in any::<bool>(),
    ) {
        let mut bytes = bytes;
        // Half of them get past the first check.
        if version && let Some(place) = bytes.get_mut(2..6) {
            place.copy_from_slice(&[0, 0, VERSION, 1]);
        }
        if announced {
            bytes.splice(0..0, announcement(&[2]));
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
        let mut header = written(&[(1, 14, 7, 0, Vec::new())]);
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
    let frames = vec![(4, 0, 0, 0, vec![7; MAX_PAYLOAD]), (4, 0, 1, 0, Vec::new())];
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
    let frames = vec![(1, 14, 7, 0, vec![1, 2, 3]), (2, 1, 8, 2, vec![4; 100])];
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

#[test]
fn an_announcement_stays_until_its_frame_is_whole() {
    let bytes = written(&[(2, 1, 7, 8, vec![1, 2, 3])]);
    let (mut reader, mut got) = (FrameReader::new(), Vec::new());
    let (front, last) = bytes.split_at(bytes.len() - 1);
    feed(&mut reader, front, &mut got).unwrap();
    assert_eq!((got.len(), reader.rest()), (0, front));
    feed(&mut reader, last, &mut got).unwrap();
    assert_eq!((got.len(), reader.rest().len()), (1, 0));
}

#[test]
fn an_announcement_that_cannot_be_is_refused_at_once() {
    let refused = |bytes: &[u8]| {
        let mut got = Vec::new();
        let result = feed(&mut FrameReader::new(), bytes, &mut got);
        assert!(got.is_empty());
        result
    };
    let wrong = Err(DecodeError::Descriptors);
    for count in [0, MOST_DESCRIPTORS as u8 + 1, u8::MAX] {
        assert_eq!(refused(&announcement(&[count])), wrong);
    }
    assert_eq!(refused(&written(&[(2, 1, 7, MOST_DESCRIPTORS + 1, Vec::new())])), wrong);
    assert_eq!(refused(&written(&[(2, 1, 7, 1 << 10, Vec::new())])), wrong);
    assert_eq!(refused(&announcement(&[])), Err(DecodeError::Payload));
    // Of what stands behind one, the header is enough.
    let (ours, long) = (announcement(&[2]), written(&[(4, 0, 0, 0, vec![0; 1 << 10])]));
    assert_eq!(refused(&[&ours[..], &ours[..HEADER]].concat()), wrong);
    assert_eq!(refused(&[&ours[..], &long[..HEADER]].concat()), wrong);
    let long = announcement(&[0; LONGEST_ANNOUNCEMENT + 1]);
    assert_eq!(refused(&long[..HEADER]), wrong);
}

#[test]
fn an_announcement_may_gain_fields() {
    let mut payload = vec![2, 0xe7, LONGEST_ANNOUNCEMENT as u8 - 3];
    payload.resize(LONGEST_ANNOUNCEMENT, 9);
    let (frame, mut got) = ((3, 0, 7, 0, vec![1, 2, 3]), Vec::new());
    let bytes = [announcement(&payload), written(std::slice::from_ref(&frame))].concat();
    feed(&mut FrameReader::new(), &bytes, &mut got).unwrap();
    assert_eq!(got, [(3, 0, 7, 2, vec![1, 2, 3])]);
}

#[test]
fn a_control_frame_in_room_that_is_there_is_the_same_or_none() {
    let message = ToHandler::Exited { pid: 77, status: -9, count: 3, max: 4096 };
    let mut whole = Vec::new();
    put_control(&mut whole, &message);
    assert_eq!(control_within(&mut [0xff; 64], &message), Some(&whole[..]));
    for room in 0..whole.len() {
        assert_eq!(control_within(&mut vec![0; room], &message), None, "{room}");
    }
}
