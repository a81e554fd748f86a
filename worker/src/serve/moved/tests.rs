//! States: as they are written now, as every program before has written them, and what is none.

use super::*;
use crate::peer::stack::Stack;
use crate::render::Charset;
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_ipc::{Mode, State, Topic};

/// Items as the programs that had them wrote them: everything that one session may have …
const ALL: &str = "0200000002040000000000000000000000020b00000002040000000000000000000001ac02010002045a6f\
    c3ab030000000204000000000000000000000207050500000002040000000000000000000003030102ff0900000002040000\
    00000000000000000400047261636500000b0000000204000000000000000000000401056c6f626279039003060000000204\
    0000000000000000000005c8dc03f40304000000020400000000000000000000060101023b00000002040000000000000000\
    00000704071800787465726d0001010000000000000002000001000000000002000002000000000000000000000000000101\
    0000000164012800000000";

/// … a client that takes no UTF-8, and one that has said nothing yet …
const SINCE: &str = "020000000204000000000000000000000002340000000204000000000000000000000700022a03000101000000\
    000000000100000200000000000100000100000000000000000000000000000000020000000000000204000000\
    02040000000000000000000008020d0a";

/// … and manners with what they have gained.
const MANNERS: &str = "0200000002040000000000000000000000020a00000002040000000000000000000006000100e7040101ac02";

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn client(left: &mut Left) -> &mut Stack {
    &mut left.peers.first_mut().unwrap().stack
}

fn heard(stack: &mut Stack, mut said: &[u8]) -> Vec<u8> {
    stack.out().clear();
    let mut line = String::new();
    stack.open(&mut said, &mut line);
    stack.out().rest().to_vec()
}

#[test]
fn what_an_older_program_has_put_away_is_all_there() {
    let mut left = read(&bytes(ALL)).unwrap();
    let session = &left.session;
    assert_eq!((session.number(), session.who(), session.mode()), (300, "Zoë", Mode::Human));
    assert_eq!((session.confirmed_mode(), session.state), (Mode::Ask, State::Player));
    assert_eq!((session.last_push(), session.failures), (5, 2));
    assert_eq!(session.ticket().unwrap().sealed(), [1, 2, 255]);
    assert_eq!(left.session.asked().next(), 7);
    let topics: Vec<_> = left.subscriptions.iter().map(|subscription| subscription.topic.clone()).collect();
    assert_eq!(topics, [Topic::Board("race".into()), Topic::Channel("lobby".into())]);
    assert_eq!(left.subscriptions.iter().last().unwrap().cursor.number, 400);
    let silent = left.peers[0].contact.last_line.elapsed().as_secs();
    assert!((61..71).contains(&silent), "{silent}");
    assert!(left.link, "the descriptors tell");
    // A LF belongs to the CR before; telnet goes on in the middle of a word, and offers nothing again.
    let stack = client(&mut left);
    stack.speech().listen(Mode::Human, 80);
    assert_eq!(stack.look().width, 100);
    assert_eq!(heard(stack, b"-256color\xff\xf0"), b"\xff\xfa\x18\x01\xff\xf0");
    stack.signal(|speech, out| speech.offer(out));
    assert!(!stack.look().colour, "not all is told");
    assert_eq!(heard(stack, b"\xff\xfa\x18\x00xterm-256color\xff\xf0"), b"");
    assert!(stack.look().colour);
    stack.out().clear();
    stack.signal(|speech, out| speech.prompt_end(out));
    assert_eq!(stack.out().rest(), b"\xff\xef");
}

#[test]
fn what_was_added_to_items_is_there_too() {
    let mut left = read(&bytes(SINCE)).unwrap();
    let kept = serde_json::to_value(&left).unwrap();
    assert_eq!(kept["peers"][0]["stack"]["speech"]["beginning"]["seen"], serde_json::json!([13, 10]));
    assert_eq!(client(&mut left).look().charset, Charset::Ascii);
    let left = read(&bytes(MANNERS)).unwrap();
    assert!(left.session.stays);
    let warned = left.session.warned.unwrap().elapsed().as_millis();
    assert!((300..10_300).contains(&warned), "{warned}");
}

/// A state of this format as the first program that had it wrote it.
const FIRST: &str = include_str!("first.json");

#[test]
fn a_state_is_read_as_the_first_program_of_this_format_wrote_it() {
    let mut left = read(&written(FIRST.trim_end().as_bytes())).unwrap();
    let session = &left.session;
    assert_eq!((session.number(), session.who(), session.mode()), (300, "Zoë", Mode::Human));
    assert_eq!((session.state, session.last_push(), session.failures), (State::Player, 5, 2));
    assert_eq!(session.ticket().unwrap().sealed(), [1, 2, 255]);
    assert!(session.stays && session.warned.is_none() && left.link);
    assert_eq!(left.session.asked().next(), 7);
    assert_eq!(left.subscriptions.iter().count(), 2);
    let stack = client(&mut left);
    stack.speech().listen(Mode::Human, 80);
    assert_eq!((stack.look().width, stack.look().charset), (100, Charset::Utf8));
    assert_eq!(heard(stack, b"-256color\xff\xf0"), b"\xff\xfa\x18\x01\xff\xf0");
}

#[test]
fn what_is_there_now_is_written_so_that_nothing_of_it_is_missing() {
    // Each name of the first state is there still, or this program reads something else in its place.
    fn names(value: &serde_json::Value, at: &str, into: &mut Vec<String>) {
        if let Some(object) = value.as_object() {
            for (name, value) in object {
                into.push(format!("{at}.{name}"));
                names(value, &format!("{at}.{name}"), into);
            }
        }
        value.as_array().into_iter().flatten().for_each(|value| names(value, &format!("{at}[]"), into));
    }
    let (mut first, mut now) = (Vec::new(), Vec::new());
    names(&serde_json::from_str(FIRST).unwrap(), "", &mut first);
    names(&serde_json::to_value(read(&written(FIRST.trim_end().as_bytes())).unwrap()).unwrap(), "", &mut now);
    let missing: Vec<_> = first.iter().filter(|name| !now.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_an_older_program_leaves_out_has_its_default_and_what_a_newer_one_adds_is_passed_over() {
    let mut left = read(&written(br#"{"session": {"number": 7, "dreams": [1]}, "peers": [{}], "more": {}}"#)).unwrap();
    assert_eq!((left.session.number(), left.session.mode(), left.session.asked().next()), (7, Mode::Ask, 1));
    assert!(!left.link && client(&mut left).is_quiet() && left.session.is_quiet());
}

#[test]
fn an_older_program_sees_at_once_that_it_does_not_know_it() {
    let bytes = written(FIRST.trim_end().as_bytes());
    let (mut reader, mut left) = (FrameReader::new(), &bytes[..]);
    reader.fill(|buffer| io::Read::read(&mut left, buffer)).unwrap();
    let first = reader.next_frame().unwrap().unwrap().control::<Item>().unwrap();
    assert!(matches!(first, Item::Format { format } if format != before::FORMAT));
}

#[test]
fn a_state_goes_through_sealed_memory_unchanged() {
    let left = read(&written(FIRST.trim_end().as_bytes())).unwrap();
    let memory = left.put_away().unwrap();
    let again = Left::read(&memory).unwrap();
    // But for the time that has passed.
    let timeless = |left: &Left| {
        let mut value = serde_json::to_value(left).unwrap();
        value["session"]["alive"] = 0.into();
        value["peers"][0]["contact"]["last_line"] = 0.into();
        value
    };
    assert_eq!(timeless(&again), timeless(&left));
}

#[test]
fn in_the_middle_of_a_stream_it_has_a_format_that_programs_before_refuse() {
    let mut left = read(&written(FIRST.trim_end().as_bytes())).unwrap();
    let format = |left: &Left| before::format(&left.bytes().unwrap()).unwrap().0;
    assert_eq!(format(&left), FORMAT, "they go on with whoever has none");
    let stack = client(&mut left);
    stack.speech().listen(Mode::Human, 80);
    stack.set_compressing(true);
    heard(stack, b"-256color\xff\xf0\xff\xfd\x56");
    stack.end_turn();
    assert_eq!(format(&left), COMPRESSED);
    let mut again = read(&left.bytes().unwrap()).unwrap();
    assert!(client(&mut again).is_compressing());
}

#[test]
fn damage_another_format_and_what_could_be_changed_are_refused() {
    let refused = |bytes: &[u8]| assert!(Left::read(sealed("test", bytes).unwrap()).is_err());
    for whole in [bytes(ALL), written(FIRST.trim_end().as_bytes())] {
        for cut in 0..whole.len() {
            // Cut between two items it is a shorter one, in which something is missing.
            let _ = read(&whole[..cut]);
            let mut flipped = whole.clone();
            flipped[cut] ^= 0xff;
            let _ = read(&flipped);
        }
    }
    let whole = written(FIRST.trim_end().as_bytes());
    (0..whole.len()).for_each(|cut| refused(&whole[..cut]));
    let mut other = Vec::new();
    put_control(&mut other, &Item::<()>::Format { format: COMPRESSED + 1 });
    refused(&other);
    refused(&vec![0; MOST + 1]);
    assert!(Left::read(std::fs::File::open("/dev/null").unwrap()).is_err());
    let mut long: Left = Left::default();
    long.session.who = "x".repeat(MOST);
    assert!(long.put_away().is_err());
}

#[test]
fn there_is_a_bound_to_what_goes_with_it() {
    let descriptors = |count: usize| (0..count).map(|_| std::fs::File::open("/dev/null").unwrap().into()).collect();
    assert!(Moved::of(descriptors(1)).is_none());
    assert!(Moved::of(descriptors(MOST_DESCRIPTORS + 1)).is_none());
    let most = Moved::of(descriptors(MOST_DESCRIPTORS)).unwrap();
    assert_eq!((most.rest.len(), most.descriptors().count()), (MOST_DESCRIPTORS - 2, MOST_DESCRIPTORS));
}
