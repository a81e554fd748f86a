//! Compressed streams: whoever reads them gets what was said, however it was split, and whichever processes it went through.

use crate::peer::layer::Opened;
use crate::peer::speech::Speech;
use crate::peer::transport::Transport;
use crate::peer::{Input, Stack};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_ipc::Mode;

const LIMIT: usize = 200;
const DO_MCCP2: &[u8] = b"\xff\xfd\x56";
const DONT_MCCP2: &[u8] = b"\xff\xfe\x56";
const DO_MCCP3: &[u8] = b"\xff\xfd\x57";
const MCCP2_BEGINS: &[u8] = b"\xff\xfa\x56\xff\xf0";
const MCCP3_BEGINS: &[u8] = b"\xff\xfa\x57\xff\xf0";

/// One who reads what is sent to him: each stream behind its mark is inflated up to its end, and nothing else.
#[derive(Default)]
struct Reader {
    stream: Option<Decompress>,
    plain: Vec<u8>,
    streams: usize,
    ended: usize,
}

impl Reader {
    fn read(&mut self, bytes: &[u8]) {
        let mut left = bytes;
        while !left.is_empty() {
            let Some(stream) = &mut self.stream else {
                self.plain.push(left[0]);
                left = &left[1..];
                if self.plain.ends_with(MCCP2_BEGINS) {
                    self.plain.truncate(self.plain.len() - MCCP2_BEGINS.len());
                    self.stream = Some(Decompress::new(true));
                    self.streams += 1;
                }
                continue;
            };
            let mut room = [0; 512];
            let (read, written) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(left, &mut room, FlushDecompress::Sync).expect("a sound stream");
            self.plain.extend_from_slice(&room[..usize::try_from(stream.total_out() - written).unwrap()]);
            left = &left[usize::try_from(stream.total_in() - read).unwrap()..];
            if status == Status::StreamEnd {
                self.stream = None;
                self.ended += 1;
            }
        }
        // All that comes of what has come: it is flushed.
        while let Some(stream) = &mut self.stream {
            let (mut room, written) = ([0; 512], stream.total_out());
            let _ = stream.decompress(&[], &mut room, FlushDecompress::Sync);
            let count = usize::try_from(stream.total_out() - written).unwrap();
            self.plain.extend_from_slice(&room[..count]);
            if count < room.len() {
                break;
            }
        }
    }
}

fn stack() -> Stack {
    let mut stack = Stack::new(Transport::Plain, Speech::new(Mode::Human, LIMIT, false));
    stack.set_compressing(true);
    stack
}

fn in_another_process(mut stack: Stack) -> Stack {
    stack.let_go();
    let mut stack: Stack = serde_json::from_slice(&serde_json::to_vec(&stack).unwrap()).unwrap();
    stack.speech().listen(Mode::Human, LIMIT);
    stack.set_compressing(true);
    stack
}

/// Hears this; gives the lines in it. Each is answered at once.
fn hear(stack: &mut Stack, said: &[u8]) -> Vec<String> {
    let (mut left, mut line, mut lines) = (said, String::new(), Vec::new());
    while let Opened::Data(input) = stack.open(&mut left, &mut line) {
        if input == Input::Line {
            lines.push(line.clone());
            stack.write(|out| out.extend_from_slice(format!("{line} it is\r\n").as_bytes()));
        }
    }
    lines
}

/// What goes over the wire at the end of a turn.
fn sent(stack: &mut Stack) -> Vec<u8> {
    stack.end_turn();
    let bytes = stack.out().rest().to_vec();
    stack.out().clear();
    bytes
}

fn compressed(lines: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(lines.len() + 1024);
    Compress::new(Compression::new(6), true).compress_vec(lines, &mut bytes, flush).unwrap();
    bytes
}

#[test]
fn compression_is_offered_last_and_only_where_it_may_be() {
    let mut stack = stack();
    stack.signal(|speech, out| speech.offer(out));
    assert!(sent(&mut stack).ends_with(b"\xff\xfb\x2a\xff\xfb\x46\xff\xfb\x56\xff\xfb\x57"));
    let mut without = Stack::new(Transport::Plain, Speech::new(Mode::Human, LIMIT, false));
    without.signal(|speech, out| speech.offer(out));
    assert!(sent(&mut without).ends_with(b"\xff\xfb\x2a\xff\xfb\x46"));
    hear(&mut without, &[DO_MCCP2, DO_MCCP3, MCCP3_BEGINS, b"who\r\n"].concat());
    let out = sent(&mut without);
    assert!(out.ends_with(b"\xff\xfc\x56\xff\xfc\x57who it is\r\n"), "{out:?}");
}

#[test]
fn all_of_a_turn_goes_with_one_flush_behind_the_mark_and_telnets_words_too() {
    let mut stack = stack();
    stack.signal(|speech, out| speech.offer(out));
    sent(&mut stack);
    hear(&mut stack, DO_MCCP2);
    assert_eq!(sent(&mut stack), MCCP2_BEGINS);
    let mut reader = Reader::default();
    reader.read(MCCP2_BEGINS);
    for _ in 0..50 {
        stack.write(|out| out.extend_from_slice(b"a line of many \xff\r\n"));
        stack.signal(|speech, out| speech.hide_input(true, out));
        stack.signal(|speech, out| speech.hide_input(false, out));
        stack.signal(|speech, out| speech.keep_alive(out));
    }
    let out = sent(&mut stack);
    let flushes = out.windows(4).filter(|part| part == b"\0\0\xff\xff").count();
    assert!(out.len() < 150 && flushes == 1, "{} bytes, {flushes} flushes", out.len());
    reader.read(&out);
    let line = b"a line of many \xff\xff\r\n";
    assert!(reader.plain.starts_with(line) && reader.plain.ends_with(b"\xff\xf1"));
    assert_eq!(reader.plain.windows(line.len()).filter(|part| part == line).count(), 50);
    assert_eq!(sent(&mut stack), b"", "a turn in which nothing was said");
}

#[test]
fn a_stream_ends_when_the_other_side_wants_it_no_more_and_before_the_connection_does() {
    let mut stack = stack();
    let mut reader = Reader::default();
    hear(&mut stack, DO_MCCP2);
    reader.read(&sent(&mut stack));
    hear(&mut stack, b"one\r\n");
    reader.read(&sent(&mut stack));
    hear(&mut stack, &[DONT_MCCP2, b"two\r\n"].concat());
    reader.read(&sent(&mut stack));
    assert_eq!((reader.streams, reader.ended), (1, 1));
    hear(&mut stack, b"three\r\n");
    assert_eq!(sent(&mut stack), b"three it is\r\n");
    hear(&mut stack, &[DO_MCCP2, b"four\r\n"].concat());
    reader.read(&sent(&mut stack));
    stack.write(|out| out.extend_from_slice(b"goodbye\r\n"));
    stack.close();
    reader.read(&sent(&mut stack));
    assert_eq!((reader.streams, reader.ended), (2, 2));
    assert!(reader.plain.ends_with(b"goodbye\r\n"));
    let mut begun = super::compression::stack();
    hear(&mut begun, DO_MCCP2);
    let mut reader = Reader::default();
    reader.read(&sent(&mut begun));
    begun.close();
    reader.read(&sent(&mut begun));
    assert_eq!((reader.streams, reader.ended), (1, 1), "of a stream in which nothing was said too");
}

#[test]
fn what_is_damaged_or_becomes_too_much_ends_the_connection_and_never_takes_much_memory() {
    let mut line = String::new();
    for damaged in [b"no stream at all".to_vec(), {
        let mut bytes = compressed(b"who\r\n", FlushCompress::Sync);
        bytes.extend_from_slice(b"\xff\xff\xff\xff\xff");
        bytes
    }] {
        let mut stack = stack();
        let said = [DO_MCCP3, MCCP3_BEGINS, &damaged].concat();
        let mut left = &said[..];
        let end = loop {
            match stack.open(&mut left, &mut line) {
                Opened::Data(_) => {}
                end => break end,
            }
        };
        assert_eq!(end, Opened::Broken);
        assert!(!stack.has_unread());
        assert_eq!(line, if damaged.starts_with(b"no") { "" } else { "who" }, "what stands before it was read");
    }
    let bomb = compressed(&vec![b' '; 16 << 20], FlushCompress::Sync);
    let said = [DO_MCCP3, MCCP3_BEGINS, &bomb].concat();
    let mut stack = stack();
    let mut left = &said[..];
    let end = loop {
        match stack.open(&mut left, &mut line) {
            Opened::Data(_) => assert!(line.len() <= LIMIT),
            end => break end,
        }
    };
    assert_eq!(end, Opened::Broken);
}

#[test]
fn within_a_block_anybody_goes_on_where_no_line_is_begun() {
    let mut stack = stack();
    // One block of 65,535 bytes as they are.
    hear(&mut stack, &[DO_MCCP3, MCCP3_BEGINS, b"\x78\x01\x00\xff\xff\x00\x00"].concat());
    for round in 0..3 {
        sent(&mut stack);
        assert!(stack.is_quiet());
        stack = in_another_process(stack);
        assert_eq!(hear(&mut stack, format!("hello {round}\r\nhe").as_bytes()), [format!("hello {round}")]);
        sent(&mut stack);
        assert!(!stack.is_quiet(), "a line is begun");
        assert_eq!(hear(&mut stack, b"llo\r\n"), ["hello"]);
    }
}

#[test]
fn who_plays_is_read_a_piece_at_a_time() {
    let text = b"0123456789abcdef\r\n".repeat(4096);
    let said = [DO_MCCP3, MCCP3_BEGINS, &compressed(&text, FlushCompress::Sync)].concat();
    let mut stack = stack();
    stack.play(Some(Default::default()));
    let (mut left, mut typed, mut largest) = (&said[..], Vec::new(), 0);
    loop {
        let before = typed.len();
        let opened = stack.open_playing(&mut left, |_, event, _| {
            if let ssmglobal_telnet::Event::Data(data) = event {
                typed.extend_from_slice(data);
            }
        });
        largest = largest.max(typed.len() - before);
        assert!(matches!(opened, Opened::Data(()) | Opened::More));
        if !stack.has_unread() {
            break;
        }
    }
    assert_eq!(typed, text);
    assert!(largest <= 32 << 10, "{largest}");
}

#[test]
fn another_process_goes_on_in_the_stream_and_says_not_a_byte_of_its_own() {
    let (mut stack, mut reader) = (stack(), Reader::default());
    hear(&mut stack, DO_MCCP2);
    stack = in_another_process(stack);
    reader.read(&sent(&mut stack));
    stack = in_another_process(stack);
    for round in ["one", "two", "three"] {
        assert_eq!(sent(&mut stack), b"");
        stack.write(|out| out.extend_from_slice(round.as_bytes()));
        reader.read(&sent(&mut stack));
        stack = in_another_process(stack);
    }
    // The operator wants no more of it: for who comes.
    stack.set_compressing(false);
    assert_eq!(sent(&mut stack), b"");
    // Said in the turn in which it moves.
    stack.write(|out| out.extend_from_slice(b"four"));
    stack = in_another_process(stack);
    reader.read(&sent(&mut stack));
    assert!(reader.plain.ends_with(b"onetwothreefour"));
    stack.close();
    reader.read(&sent(&mut stack));
    assert_eq!((reader.streams, reader.ended), (1, 1));
}

#[test]
fn a_stream_that_a_program_before_has_ended_begins_when_its_reader_has_said_something() {
    let mut stack = stack();
    hear(&mut stack, DO_MCCP2);
    sent(&mut stack);
    let mut left = serde_json::to_value(&stack).unwrap();
    left["compression"] = serde_json::json!({"rests": true, "inward": null});
    let mut stack = in_another_process(serde_json::from_value(left).unwrap());
    stack.write(|out| out.extend_from_slice(b"plain"));
    assert_eq!(sent(&mut stack), b"plain");
    hear(&mut stack, b"\xff\xf1");
    assert_eq!(sent(&mut stack), MCCP2_BEGINS);
}

/// What somebody does who compresses what he sends.
#[derive(Clone, Debug)]
enum Step {
    Line(String),
    /// The stream that he sends ends, and another one begins.
    Anew,
    Mccp2(bool),
    Nop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => "[a-zé]{1,30}".prop_map(Step::Line),
        1 => Just(Step::Anew),
        1 => any::<bool>().prop_map(Step::Mccp2),
        1 => Just(Step::Nop),
    ];
    vec(step, 0..24)
}

/// The bytes of that, and the lines in them.
fn typed(steps: &[Step]) -> (Vec<u8>, Vec<String>) {
    let mut bytes = [DO_MCCP2, DO_MCCP3, MCCP3_BEGINS].concat();
    let mut lines = Vec::new();
    let mut stream = Compress::new(Compression::new(6), true);
    for step in steps {
        let (said, flush) = match step {
            Step::Line(line) => {
                lines.push(line.clone());
                (format!("{line}\r\n").into_bytes(), FlushCompress::Sync)
            }
            Step::Anew => (Vec::new(), FlushCompress::Finish),
            Step::Mccp2(on) => (if *on { DO_MCCP2 } else { DONT_MCCP2 }.to_vec(), FlushCompress::Partial),
            Step::Nop => (b"\xff\xf1".to_vec(), FlushCompress::Sync),
        };
        bytes.reserve(4096);
        stream.compress_vec(&said, &mut bytes, flush).unwrap();
        if flush == FlushCompress::Finish {
            bytes.extend_from_slice(MCCP3_BEGINS);
            stream = Compress::new(Compression::new(6), true);
        }
    }
    (bytes, lines)
}

proptest! {
    #[test]
    fn every_split_and_every_move_gives_the_same_lines_and_the_same_answers(
        steps in steps(), portions in vec(1..40_usize, 1..6), moves: bool,
    ) {
        let (bytes, lines) = typed(&steps);
        let (mut stack, mut reader, mut heard, mut left) = (stack(), Reader::default(), Vec::new(), &bytes[..]);
        for portion in portions.iter().cycle() {
            let (now, later) = left.split_at((*portion).min(left.len()));
            left = later;
            heard.extend(hear(&mut stack, now));
            reader.read(&sent(&mut stack));
            if moves && stack.is_quiet() {
                stack = in_another_process(stack);
                reader.read(&sent(&mut stack));
            }
            if left.is_empty() {
                break;
            }
        }
        stack.close();
        reader.read(&sent(&mut stack));
        prop_assert_eq!(&heard, &lines);
        prop_assert_eq!(reader.streams, reader.ended);
        let said = String::from_utf8_lossy(&reader.plain).into_owned();
        let answers: Vec<_> = said.split("\r\n").filter_map(|line| {
            let text = line.strip_suffix(" it is")?;
            Some(text.rsplit(|c: char| c == '\u{fffd}' || c.is_ascii_uppercase() || c.is_ascii_control() || c == '*')
                .next().unwrap_or_default().to_owned())
        }).collect();
        prop_assert_eq!(answers.len(), lines.len(), "{}", said);
    }
}
