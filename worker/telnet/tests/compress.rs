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
            for mut byte in bytes.chunks(1) {
                // Put away it is wherever that can be.
                if inflater.is_quiet() {
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

#[test]
fn who_moves_within_a_block_is_damaged() {
    let bytes = stream(&[vec![b'x'; 100]]);
    let (mut inflater, mut out) = (Inflater::new(), Vec::new());
    assert_eq!(read(&mut inflater, &mut &bytes[..4], &mut out), Ok(Inflated::Used));
    assert!(!inflater.is_quiet());
    assert_eq!(moved(&inflater).next(&mut &bytes[4..], &mut out, MOST), Err(Damaged));
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
