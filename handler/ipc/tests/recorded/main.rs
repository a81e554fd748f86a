//! The bytes of every message as the first release has written them: an older program may be at the other end.
//!
//! `2.txt` has one line for each message: its name and its frame in hex; the number is that of the frames'
//! version. Lines are only ever added, by `UPDATE=1 cargo test -p ssmglobal-ipc --test recorded`.

// To panic is how a test fails, also outside of the functions that are marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// One sample of every variant. The match has no wildcard, so that a new variant does not compile without a sample.
macro_rules! samples {
    ($make:ident $enum:ident { $($variant:ident: $sample:expr;)* }) => {
        pub fn $make() -> Vec<(&'static str, $enum)> {
            let samples = vec![$((concat!(stringify!($enum), "::", stringify!($variant)), $sample)),*];
            for (name, sample) in &samples {
                let variant = match sample {
                    $($enum::$variant { .. } => concat!(stringify!($enum), "::", stringify!($variant)),)*
                };
                assert_eq!(*name, variant);
            }
            samples
        }
    };
}

// Behind the macro, which they use.
mod control;
mod enums;
mod events;
mod operator;
mod replies;
mod requests;
mod values;

use control::{items, to_handler, to_listener};
use enums::{
    betters, list_rows, lists, modes, operators, parties, play_dos, play_ends, play_hows, play_states, states,
    submitters, topics,
};
use events::events;
use operator::{answers, asks, grown_answers};
use replies::{grown_again, grown_replies, replies};
use requests::{grown_requests, requests};
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::frame::{self, Frame, FrameReader, HEADER};
use ssmglobal_ipc::*;
use std::fmt::{Debug, Write};
use values::{some, text};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/2.txt");

const NUMBER: u64 = 0x0102_0304_0506_0708;

/// Reads a frame and compares it with a sample.
type Reads = dyn Fn(&Frame<'_>) -> Result<bool, DecodeError>;

/// A sample's frame, and what reads such a frame.
struct Sample {
    name: String,
    /// Bytes of the payload as far as it was so from the first release on; nothing where it has gained no field.
    first: Option<usize>,
    /// The same up to what it has gained for a second time.
    second: Option<usize>,
    bytes: Vec<u8>,
    reads: Box<Reads>,
}

fn sample<T: PartialEq + Debug + 'static>(
    name: &str,
    value: T,
    put: impl Fn(&mut Vec<u8>, &T),
    read: impl Fn(&Frame<'_>) -> Result<T, DecodeError> + 'static,
) -> Sample {
    let mut bytes = Vec::new();
    put(&mut bytes, &value);
    Sample {
        name: name.to_owned(),
        first: None,
        second: None,
        bytes,
        reads: Box::new(move |frame| Ok(read(frame)? == value)),
    }
}

/// A message with what it has gained, beside the same as it was first.
fn grown(name: &str, first: &[Sample], sample: Sample) -> Sample {
    let before = first.iter().find(|sample| sample.name == name).expect("the same as it was first");
    let length = before.bytes.len() - HEADER;
    assert_eq!(
        before.bytes[HEADER..],
        sample.bytes[HEADER..][..length],
        "an older program reads what it knows of {name}"
    );
    Sample { name: format!("{name}-grown"), first: Some(length), ..sample }
}

/// A message with what it has gained since that.
fn grown_twice(name: &str, all: &[Sample], sample: Sample) -> Sample {
    let once = all.iter().find(|sample| sample.name == format!("{name}-grown")).expect("the same as it was before");
    let (first, second) = (once.first.expect("it has grown"), once.bytes.len() - HEADER);
    let (before, now) = (&once.bytes[HEADER..], &sample.bytes[HEADER..]);
    let same = |part: std::ops::Range<usize>| before[part.clone()] == now[part];
    // But for the length of the block.
    assert!(same(0..first + 1) && same(first + 2..second), "an older program reads what it knows of {name}");
    Sample { name: format!("{name}-grown-again"), first: Some(first), second: Some(second), ..sample }
}

fn request(frame: &Frame<'_>) -> Result<Request, DecodeError> {
    Request::decode(frame.request_kind().ok_or(DecodeError::Payload)?, frame.payload)
}

fn change(frame: &Frame<'_>) -> Result<(Carried, Request), DecodeError> {
    let (carried, payload) = frame.carried()?;
    Ok((carried, Request::decode(frame.request_kind().ok_or(DecodeError::Payload)?, payload)?))
}

/// What carries descriptors is announced.
fn with_descriptors() -> [Sample; 2] {
    let (reply, event) = (Reply::Done(Done {}), Event::Notice(Notice { msg: text("hi") }));
    [
        sample(
            "Reply-with-descriptors",
            (2, reply),
            |out, (count, reply)| frame::put_with_descriptors(out, *count, |out| frame::put_reply(out, NUMBER, reply)),
            |frame| Ok((frame.descriptors, frame.reply()?)),
        ),
        sample(
            "Event-with-descriptors",
            (frame::MOST_DESCRIPTORS, event),
            |out, (count, event)| frame::put_with_descriptors(out, *count, |out| frame::put_event(out, 0, event)),
            |frame| Ok((frame.descriptors, frame.event()?)),
        ),
    ]
}

fn all() -> Vec<Sample> {
    let mut all = Vec::new();
    for (name, value) in requests() {
        all.push(sample(name, value, |out, value| frame::put_request(out, NUMBER, value), request));
    }
    for (name, value) in replies() {
        all.push(sample(name, value, |out, value| frame::put_reply(out, NUMBER, value), |frame| frame.reply()));
    }
    for (name, value) in events() {
        all.push(sample(name, value, |out, value| frame::put_event(out, 0, value), |frame| frame.event()));
    }
    for (name, value) in grown_requests() {
        let with_more = sample(name, value, |out, value| frame::put_request(out, NUMBER, value), request);
        all.push(grown(name, &all, with_more));
    }
    for (name, value) in grown_replies() {
        let with_more = sample(name, value, |out, value| frame::put_reply(out, NUMBER, value), |frame| frame.reply());
        all.push(grown(name, &all, with_more));
    }
    for (name, value) in grown_again() {
        let with_more = sample(name, value, |out, value| frame::put_reply(out, NUMBER, value), |frame| frame.reply());
        all.push(grown_twice(name, &all, with_more));
    }
    macro_rules! control {
        ($($make:ident)*) => {
            $(for (name, value) in $make() {
                all.push(sample(name, value, frame::put_control, |frame| frame.control()));
            })*
        };
    }
    for (name, key) in [("Carried", None), ("Carried with key", some("k"))] {
        let value = (Carried { acked: 6, key }, Request::MailDelete(MailId { id: 7 }));
        let name = name.replace(' ', "-");
        all.push(sample(&name, value, |out, (carried, value)| frame::put_change(out, NUMBER, carried, value), change));
    }
    all.extend(with_descriptors());
    control!(to_handler to_listener items asks answers modes betters operators submitters parties topics lists list_rows states play_hows play_ends play_states play_dos);
    for (name, value) in grown_answers() {
        let with_more = sample(name, value, |out, value: &Answer| value.put(out), Answer::of_frame);
        all.push(grown(name, &all, with_more));
    }
    // Its own table knows all of them.
    for (code, word, _) in Code::ALL {
        let name = format!("Code::{word}");
        all.push(sample(&name, *code, frame::put_control, |frame| frame.control()));
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// What `use_it` makes of the one frame in `bytes`.
fn with_frame<T>(mut bytes: &[u8], use_it: impl FnOnce(&Frame<'_>) -> T) -> T {
    let mut reader = FrameReader::new();
    while !bytes.is_empty() {
        let read = |buffer: &mut [u8]| std::io::Read::read(&mut bytes, buffer);
        reader.fill(read).unwrap();
    }
    use_it(&reader.next_frame().unwrap().expect("a whole frame"))
}

#[test]
fn the_bytes_are_as_recorded() {
    let samples = all();
    let mut recorded = std::fs::read_to_string(RECORDED).unwrap_or_default();
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        let known: Vec<String> = recorded.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
        for sample in samples.iter().filter(|sample| !known.contains(&sample.name)) {
            writeln!(recorded, "{} {}", sample.name, hex(&sample.bytes)).unwrap();
        }
        std::fs::create_dir_all(std::path::Path::new(RECORDED).parent().unwrap()).unwrap();
        std::fs::write(RECORDED, &recorded).unwrap();
    }
    let mut names = Vec::new();
    for line in recorded.lines() {
        let (name, bytes) = line.split_once(' ').expect("a name and hex");
        let sample = samples.iter().find(|sample| sample.name == name);
        let sample = sample.unwrap_or_else(|| panic!("{name} is gone, and an older program may still send it"));
        let same = with_frame(&from_hex(bytes), |frame| (sample.reads)(frame));
        assert_eq!(same, Ok(true), "what an older program sends as {name} is not understood any more");
        assert_eq!(hex(&sample.bytes), bytes, "what is sent as {name} would not be understood by an older program");
        assert!(!names.contains(&name), "{name} is recorded twice");
        names.push(name);
    }
    for sample in &samples {
        assert!(names.contains(&sample.name.as_str()), "{} is not recorded; UPDATE=1 adds it", sample.name);
    }
}

#[test]
fn every_number_has_a_sample() {
    assert!(requests().iter().map(|(_, value)| value.kind()).eq(Kind::ALL.iter().copied()));
    assert!(replies().iter().map(|(_, value)| value.kind()).eq(ReplyKind::ALL.iter().copied()));
    for (name, value) in requests() {
        assert_eq!(name, format!("Request::{}", value.kind().name()));
    }
    for (name, value) in replies() {
        assert_eq!(name, format!("Reply::{}", value.kind().name()));
    }
    for number in 0..=u16::MAX {
        assert!(Kind::from_number(number).is_none_or(|kind| kind as u16 == number));
        assert!(ReplyKind::from_number(number).is_none_or(|kind| kind as u16 == number));
    }
}

#[test]
fn a_payload_cut_short_or_with_a_rest_is_refused() {
    for sample in all() {
        with_frame(&sample.bytes, |frame| {
            for length in 0..frame.payload.len() {
                let cut = Frame { payload: &frame.payload[..length], ..*frame };
                if sample.first == Some(length) {
                    assert_eq!((sample.reads)(&cut), Ok(false), "{} as it was first", sample.name);
                    continue;
                }
                assert_eq!((sample.reads)(&cut), Err(DecodeError::Payload), "{} cut at {length}", sample.name);
            }
            for rest in [0, 1, 255] {
                let mut payload = frame.payload.to_vec();
                payload.push(rest);
                let longer = Frame { payload: &payload, ..*frame };
                assert_eq!((sample.reads)(&longer), Err(DecodeError::Payload), "{} with a rest", sample.name);
            }
        });
    }
}

/// A newer program may have added fields to any message: they are passed over.
#[test]
fn a_message_that_has_gained_a_field_is_read_as_before() {
    let all = all();
    let is = |name: &str| all.iter().any(|other| other.name == name);
    let has_grown = |sample: &Sample| ["-grown", "-again"].iter().any(|end| is(&format!("{}{end}", sample.name)));
    // As it was first it cannot have gained something else.
    for sample in all.iter().filter(|sample| !has_grown(sample)) {
        with_frame(&sample.bytes, |frame| {
            let mut payload = frame.payload.to_vec();
            payload.extend([0xe7, 3, 1, b'x', 7]);
            for block in sample.first.into_iter().chain(sample.second) {
                // Inside of the block that is there, whose length is one byte.
                assert_eq!(payload[block], 0xe7);
                payload[block + 1] += 5;
            }
            let newer = Frame { payload: &payload, ..*frame };
            assert_eq!((sample.reads)(&newer), Ok(true), "{} with a further field", sample.name);
        });
    }
}

#[test]
fn an_unknown_kind_is_a_frame_like_any_other() {
    let mut bytes = Vec::new();
    frame::put_request(&mut bytes, 7, &Request::Tell(Tell { to: text("bob"), body: text("hello") }));
    bytes[6..8].copy_from_slice(&60_000u16.to_le_bytes());
    let length = bytes.len();
    frame::put_request(&mut bytes, 8, &Request::Whoami);
    with_frame(&bytes, |frame| {
        assert_eq!((frame.kind, frame.number, frame.payload.len()), (60_000, 7, length - HEADER));
        assert_eq!(frame.request_kind(), None);
        assert_eq!(frame.reply(), Err(DecodeError::Payload));
    });
    with_frame(&bytes[length..], |frame| assert_eq!(request(frame), Ok(Request::Whoami)));
}

#[test]
fn an_unknown_variant_is_refused() {
    with_frame(&all()[0].bytes, |frame| {
        let unknown = Frame { payload: &[120], ..*frame };
        assert_eq!(unknown.event(), Err(DecodeError::Payload));
        assert_eq!(unknown.control::<ToHandler>(), Err(DecodeError::Payload));
        assert_eq!(unknown.control::<Ask>(), Err(DecodeError::Payload));
    });
}
