//! MCCP2 and MCCP3 as streams: whole, split, put away, damaged, and without an end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails its test")]

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib;
use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_telnet::{Damaged, Deflater, Inflated, Inflater};

const MOST: usize = 4096;

/// Lines as a player types them, each compressed by itself, and the end of the stream.
fn stream(lines: &[Vec<u8>]) -> Vec<u8> {
    let (mut deflater, mut out) = (Deflater::new(), Vec::new());
    lines.iter().for_each(|line| deflater.write(line, &mut out));
    deflater.finish(&mut out);
    out
}

/// Reads all of the input, a little at a time.
fn read(inflater: &mut Inflater, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Inflated, Damaged> {
    loop {
        let before = out.len();
        let inflated = inflater.next(input, out, MOST)?;
        assert!(out.len() <= before + MOST);
        if inflated != Inflated::More {
            return Ok(inflated);
        }
    }
}

fn moved<T: serde::Serialize + serde::de::DeserializeOwned>(machine: &T) -> T {
    serde_json::from_str(&serde_json::to_string(machine).unwrap()).unwrap()
}

/// Text that repeats itself, and text that does not.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "(north|south|look|say hello|kill orc|\n){0,30}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..300),
        (any::<u8>(), 0_usize..9000).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn what_was_compressed_is_read_in_whatever_pieces(
        lines in vec(line(), 0..20),
        sizes in vec(1_usize..50, 1..8),
        behind in vec(any::<u8>(), 0..9),
    ) {
        let bytes = [stream(&lines), behind.clone()].concat();
        let (mut inflater, mut out, mut rest) = (Inflater::new(), Vec::new(), bytes.as_slice());
        for size in sizes.iter().cycle() {
            let (mut piece, later) = rest.split_at(*size.min(&rest.len()));
            let inflated = read(&mut inflater, &mut piece, &mut out).unwrap();
            rest = later;
            if inflated == Inflated::Ended {
                let left = [piece, later].concat();
                prop_assert_eq!(left, behind, "what is behind the end was not touched");
                break;
            }
            prop_assert!(piece.is_empty());
        }
        prop_assert_eq!(out, lines.concat());
    }

    #[test]
    fn another_library_reads_what_was_written_and_writes_what_is_read(lines in vec(line(), 0..9), level in 0_u8..10) {
        let text = lines.concat();
        prop_assert_eq!(decompress_to_vec_zlib(&stream(&lines)).unwrap(), text.clone());
        let (mut inflater, mut out) = (Inflater::new(), Vec::new());
        let written = compress_to_vec_zlib(&text, level);
        prop_assert_eq!(read(&mut inflater, &mut written.as_slice(), &mut out), Ok(Inflated::Ended));
        prop_assert_eq!(out, text);
    }

    #[test]
    fn a_reader_goes_on_elsewhere_behind_each_write(lines in vec(line(), 1..30)) {
        let (mut deflater, mut inflater) = (Deflater::new(), Inflater::new());
        for line in &lines {
            let (mut bytes, mut out) = (Vec::new(), Vec::new());
            deflater.write(line, &mut bytes);
            inflater = moved(&inflater);
            for (at, mut byte) in bytes.chunks(1).enumerate() {
                // Within a block too, though not at each byte: that takes its time.
                if at % 64 == 7 {
                    inflater = moved(&inflater);
                }
                prop_assert_eq!(read(&mut inflater, &mut byte, &mut out), Ok(Inflated::Used));
            }
            prop_assert!(inflater.is_quiet(), "a write ends a block");
            prop_assert_eq!(&out, line);
        }
    }

    #[test]
    fn a_writer_goes_on_elsewhere_in_the_same_stream(lines in vec((line(), any::<bool>()), 0..30)) {
        let (mut deflater, mut bytes) = (Deflater::new(), Vec::new());
        for (line, moves) in &lines {
            if *moves {
                deflater = moved(&deflater);
            }
            deflater.write(line, &mut bytes);
        }
        moved(&deflater).finish(&mut bytes);
        let text: Vec<u8> = lines.into_iter().flat_map(|(line, _)| line).collect();
        // With the right sum at its end.
        prop_assert_eq!(decompress_to_vec_zlib(&bytes).unwrap(), text);
    }

    #[test]
    fn whatever_comes_the_reader_comes_back(bytes in vec(any::<u8>(), 0..500), begun: bool, size in 1_usize..40) {
        let bytes = if begun { [&b"\x78\x9c"[..], &bytes].concat() } else { bytes };
        let (mut inflater, mut out) = (Inflater::new(), Vec::new());
        for mut piece in bytes.chunks(size) {
            if read(&mut inflater, &mut piece, &mut out).is_err() {
                prop_assert_eq!(inflater.next(&mut piece, &mut out, MOST), Err(Damaged), "it stays so");
                prop_assert!(moved(&inflater).next(&mut piece, &mut out, MOST).is_err());
                break;
            }
        }
    }

    #[test]
    fn a_state_that_was_changed_does_no_harm(bits in any::<u8>(), buffer in any::<u8>(), header in any::<[u32; 2]>(),
                                              window in vec(any::<u8>(), 0..100), input in vec(any::<u8>(), 0..100)) {
        let state = serde_json::json!({
            "place": {"Between": {"bits": bits, "buffer": buffer, "header": header, "sum": 1}}, "window": window,
        });
        let mut inflater: Inflater = serde_json::from_value(state).unwrap();
        let inflated = read(&mut inflater, &mut input.as_slice(), &mut Vec::new());
        prop_assert!(bits < 8 || inflated.is_err());
    }
}

#[test]
fn a_little_that_becomes_much_comes_a_part_at_a_time() {
    let bomb = compress_to_vec_zlib(&vec![0; 10_000_000], 9);
    assert!(bomb.len() < 20_000);
    let (mut inflater, mut input, mut all) = (Inflater::new(), bomb.as_slice(), 0);
    loop {
        let mut out = Vec::new();
        let inflated = inflater.next(&mut input, &mut out, MOST).unwrap();
        assert!(out.len() <= MOST && out.capacity() <= 2 * MOST);
        all += out.len();
        if inflated == Inflated::Ended {
            break;
        }
        assert_eq!(inflated, Inflated::More);
    }
    assert_eq!(all, 10_000_000);
}

#[test]
fn a_damaged_stream_is_told_and_stays_damaged() {
    let mut bytes = stream(&[b"hello hello hello\n".to_vec()]);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let (mut inflater, mut out) = (Inflater::new(), Vec::new());
    assert_eq!(read(&mut inflater, &mut bytes.as_slice(), &mut out), Err(Damaged), "the sum is wrong");
    assert_eq!(inflater.next(&mut &b"x"[..], &mut out, MOST), Err(Damaged));
}

/// What a block is made of.
#[derive(Clone, Copy)]
enum Part<'a> {
    Text(&'a [u8]),
    /// 258 bytes as they stand so many before.
    Back(usize),
}
use Part::{Back, Text};

/// Bits in the order of RFC 1951.
#[derive(Default)]
struct Bits(Vec<u8>, u8);

impl Bits {
    fn put(&mut self, value: usize, count: u32) {
        for bit in 0..count {
            if self.1 == 0 {
                self.0.push(0);
            }
            *self.0.last_mut().unwrap() |= u8::try_from(value >> bit & 1).unwrap() << self.1;
            self.1 = (self.1 + 1) % 8;
        }
    }

    fn code(&mut self, code: usize, count: u32) {
        (0..count).rev().for_each(|bit| self.put(code >> bit, 1));
    }
}

/// A stream of one block, as by somebody who ends none, and what is in it.
fn one_block(parts: &[Part<'_>]) -> (Vec<u8>, Vec<u8>) {
    let (mut bits, mut text) = (Bits(vec![0x78, 0x01], 0), Vec::new());
    bits.put(0b011, 3);
    for part in parts {
        match *part {
            Text(more) => {
                for byte in more.iter().map(|byte| usize::from(*byte)) {
                    if byte < 144 { bits.code(0x30 + byte, 8) } else { bits.code(0x190 + byte - 144, 9) }
                }
                text.extend_from_slice(more);
            }
            Back(distance) => {
                let (far, extra) = (distance - 1, (distance - 1).max(2).ilog2() - 1);
                bits.code(0xc5, 8);
                bits.code(if far < 2 { far } else { 2 * (extra as usize + 1) + (far >> extra & 1) }, 5);
                bits.put(far, extra);
                (0..258).for_each(|_| text.push(text[text.len() - distance]));
            }
        }
    }
    bits.code(0, 7);
    let sum = text.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65521;
        (low, (high + low) % 65521)
    });
    ([&bits.0[..], &(sum.1 << 16 | sum.0).to_be_bytes()].concat(), text)
}

/// One block that refers to all of the window, and behind what another one has made of it.
fn endless() -> (Vec<u8>, Vec<u8>) {
    let text = words(1000);
    let all = [Text(&text), Back(1), Back(2000), Back(300), Text(b"\xff end\r\n"), Back(4000), Text(b"of it")];
    one_block(&[&all[..], &[Back(4000); 120], &[Back(32_768); 60], &all[..4]].concat())
}

/// Words, many of which come again.
fn words(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| format!("{} {} ", number * number % 977, number % 31).into_bytes()).collect()
}

#[test]
fn who_moves_within_a_block_reads_on_at_any_byte() {
    let text = words(300);
    let lines: Vec<Vec<u8>> = text.chunks(300).map(<[u8]>::to_vec).collect();
    let (tail, all) = one_block(&[Text(&text), Back(1), Back(1900), Text(b"\xff end\r\n"), Back(300), Text(b"of it")]);
    for (bytes, text) in [(tail, all), (stream(&lines), text.clone()), (compress_to_vec_zlib(&text, 0), text)] {
        for step in [23, 500] {
            let (mut inflater, mut out, mut ended) = (Inflater::new(), Vec::new(), false);
            for mut piece in bytes.chunks(step) {
                assert!(inflater.is_quiet());
                inflater = moved(&inflater);
                ended |= read(&mut inflater, &mut piece, &mut out) == Ok(Inflated::Ended);
            }
            assert!(ended && out == text, "in steps of {step}");
        }
    }
}

#[test]
fn who_moves_when_less_was_read_than_has_come_reads_the_rest() {
    let (bytes, text) = endless();
    for most in [999, 5000] {
        let (mut inflater, mut out, mut input) = (Inflater::new(), Vec::new(), bytes.as_slice());
        while inflater.next(&mut input, &mut out, most).unwrap() != Inflated::Ended {
            inflater = moved(&inflater);
        }
        assert!(out == text, "{most} at once");
    }
}

#[test]
fn of_a_block_that_is_too_long_nobody_goes_on_before_it_ends() {
    let (of_input, of_output) = (words(20_000), [Back(1); 5000]);
    for (bytes, text) in [one_block(&[Text(&of_input)]), one_block(&[&[Text(b"x")][..], &of_output].concat())] {
        let (mut inflater, mut out, mut input) = (Inflater::new(), Vec::new(), bytes.as_slice());
        let mut was_quiet = (0, 0);
        while inflater.is_quiet() {
            was_quiet = (bytes.len() - input.len(), out.len());
            assert_ne!(inflater.next(&mut input, &mut out, 1024), Ok(Inflated::Ended));
        }
        let near = |count: usize, bound: usize| count <= bound && count + 2048 > bound;
        assert!(near(was_quiet.0, 64 << 10) || near(was_quiet.1, 1 << 20), "{was_quiet:?}");
        let mut other = moved(&inflater);
        assert_eq!(other.next(&mut input.to_vec().as_slice(), &mut Vec::new(), 1024), Err(Damaged));
        assert_eq!(read(&mut inflater, &mut input, &mut out), Ok(Inflated::Ended), "the one that has it reads on");
        assert!(out == text && inflater.is_quiet());
    }
}

/// What the first program wrote that put one away, behind `hello hello`.
const FIRST: &str = r#"{"place": {"Between": {"bits": 0, "buffer": 0, "header": [120, 1], "sum": 501482579}},
    "window": [104, 101, 108, 108, 111, 32, 104, 101, 108, 108, 111, 10]}"#;

#[test]
fn a_state_is_read_as_it_was_first_and_what_that_program_does_not_know_has_a_name_of_its_own() {
    let mut inflater: Inflater = serde_json::from_str(FIRST).unwrap();
    let (rest, mut out) = (b"\x03\x93\x0a\x89\xe9\x89\x99\x79\x5c\x00\x6f\x49\x08\x91", Vec::new());
    let first: serde_json::Value = serde_json::from_str(FIRST).unwrap();
    assert_eq!(serde_json::to_value(&inflater).unwrap(), first, "it is still written so");
    let (mut head, mut tail) = rest.split_at(5);
    assert_eq!(read(&mut inflater, &mut head, &mut out), Ok(Inflated::Used));
    let within = serde_json::to_value(&inflater).unwrap();
    assert!(within["place"].get("Within").is_some(), "{within}");
    assert_eq!(read(&mut moved(&inflater), &mut tail, &mut out), Ok(Inflated::Ended));
    assert_eq!(out, b"hello again\n");
}

#[test]
fn a_stream_is_finished_and_another_one_begun() {
    let mut out = b"plain".to_vec();
    let mut deflater = Deflater::new();
    out.extend_from_slice(b"one");
    deflater.seal(&mut out, 5);
    deflater.finish(&mut out);
    let first = out.len();
    let mut deflater = Deflater::new();
    deflater.write(b"", &mut out);
    assert_eq!(out.len(), first, "nothing is written for nothing");
    deflater.write(b"two", &mut out);
    let mut input = out.strip_prefix(b"plain").unwrap();
    let mut read_out = Vec::new();
    assert_eq!(read(&mut Inflater::new(), &mut input, &mut read_out), Ok(Inflated::Ended));
    assert_eq!(read(&mut Inflater::new(), &mut input, &mut read_out), Ok(Inflated::Used));
    assert_eq!(read_out, b"onetwo");
}
