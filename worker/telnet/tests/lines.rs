//! The line reader, one behaviour per test.

use ssmglobal_telnet::{Line, LineReader};

fn owned(line: Line<'_>) -> String {
    match line {
        Line::Text(text) => format!("={text}"),
        Line::TooLong => "too long".to_owned(),
        Line::NotUtf8(_) => "not UTF-8".to_owned(),
        Line::Cut => "cut".to_owned(),
    }
}

fn read(reader: &mut LineReader, bytes: &[u8]) -> Vec<String> {
    let mut input = bytes;
    let mut lines = Vec::new();
    while let Some(line) = reader.next(&mut input) {
        lines.push(owned(line));
    }
    assert!(input.is_empty());
    lines
}

/// Reads in one piece and byte by byte, and expects the same.
fn check(new: impl Fn() -> LineReader, bytes: &[u8], expected: &[&str]) {
    assert_eq!(read(&mut new(), bytes), expected, "whole: {bytes:?}");
    let mut reader = new();
    let bytewise: Vec<_> = bytes.chunks(1).flat_map(|byte| read(&mut reader, byte)).collect();
    assert_eq!(bytewise, expected, "byte by byte: {bytes:?}");
}

fn people() -> LineReader {
    let mut reader = LineReader::new();
    reader.set_return_ends_line(true);
    reader.set_editing(true);
    reader
}

fn limited(limit: usize) -> LineReader {
    let mut reader = LineReader::new();
    reader.set_limit(limit);
    reader
}

#[test]
fn lf_and_crlf_end_a_line() {
    check(LineReader::new, b"one\ntwo\r\n\nthree", &["=one", "=two", "="]);
}

#[test]
fn a_lone_return_is_data_to_programs_and_an_end_to_people() {
    check(LineReader::new, b"a\rb\n", &["=a\rb"]);
    check(people, b"a\rb\r\0c\r\nd\n\r\r\n", &["=a", "=b", "=c", "=d", "=", "="]);
}

#[test]
fn a_return_may_be_the_end_of_a_read() {
    let mut reader = people();
    assert_eq!(read(&mut reader, b"one\r"), ["=one"]);
    assert!(!reader.is_partial());
    assert!(read(&mut reader, b"").is_empty());
    assert_eq!(read(&mut reader, b"\ntwo\r\n"), ["=two"]);
    assert_eq!(read(&mut reader, b"three\r"), ["=three"]);
    // The mode of programs begins in the middle of a CR LF.
    reader.set_return_ends_line(false);
    assert_eq!(read(&mut reader, b"\nfour\n"), ["=four"]);
}

#[test]
fn nul_is_dropped() {
    check(LineReader::new, b"\0a\0b\0\n", &["=ab"]);
    check(|| limited(2), b"\0\0\0a\0b\0\r\0\n", &["=ab"]);
}

#[test]
fn the_limit_does_not_count_the_end() {
    check(|| limited(4), b"1234\n1234\r\n", &["=1234", "=1234"]);
    check(|| limited(4), b"12345\nok\n12345\r\nok\n", &["too long", "=ok", "too long", "=ok"]);
    check(|| limited(4), b"1234\r5\nok\n1234\r\r\nok\n", &["too long", "=ok", "too long", "=ok"]);
    check(|| limited(0), b"\n\r\nx\n", &["=", "=", "too long"]);
}

#[test]
fn too_long_is_told_at_once_and_once() {
    let mut reader = limited(4);
    assert!(read(&mut reader, b"1234").is_empty());
    assert_eq!(read(&mut reader, b"5"), ["too long"]);
    assert!(reader.is_partial());
    assert!(read(&mut reader, &[b'x'; 10_000]).is_empty());
    assert_eq!(reader.capacity(), 5);
    assert_eq!(read(&mut reader, b"\nok\n"), ["=ok"]);
}

#[test]
fn a_limit_lowered_under_a_line() {
    let mut reader = LineReader::new();
    assert!(read(&mut reader, b"123456").is_empty());
    reader.set_limit(4);
    assert_eq!(read(&mut reader, b"\nok\n"), ["too long", "=ok"]);
}

#[test]
fn bytes_that_are_not_utf8() {
    check(
        LineReader::new,
        b"caf\xe9\ncaf\xc3\xa9\n\xff\n\xc3\n",
        &["not UTF-8", "=caf\u{e9}", "not UTF-8", "not UTF-8"],
    );
}

#[test]
fn backspace_erases_a_whole_character() {
    check(people, "aé\u{8}b\n€\u{7f}x\n\u{1f600}\u{8}\u{8}y\n".as_bytes(), &["=ab", "=x", "=y"]);
    check(people, b"\x08\x7f\n", &["="]);
    check(people, b"a\x80\x80\x08\x08\n\xc3\x08b\n", &["=a", "=b"]);
}

#[test]
fn control_w_and_control_u() {
    check(people, b"mail send  \x17list\nno no\x15yes\n\x17\x15\n", &["=mail list", "=yes", "="]);
    check(people, b"one two\x17\x17\x17three\n", &["=three"]);
}

#[test]
fn programs_are_not_edited() {
    check(LineReader::new, b"a\x08b\x15\n", &["=a\x08b\x15"]);
}

#[test]
fn editing_from_outside() {
    let mut reader = people();
    read(&mut reader, "one two é".as_bytes());
    reader.erase_character();
    reader.erase_word();
    assert_eq!(read(&mut reader, b"2\n"), ["=one 2"]);
    // What was handed out is gone, not edited.
    reader.erase_character();
    read(&mut reader, b"abc");
    reader.erase_line();
    assert!(!reader.is_partial());
    read(&mut reader, b"abc");
    reader.clear();
    assert_eq!(read(&mut reader, b"x\n"), ["=x"]);
}

#[test]
fn clear_ends_the_skipping_of_a_line() {
    let mut reader = limited(2);
    assert_eq!(read(&mut reader, b"abc"), ["too long"]);
    reader.clear();
    assert!(!reader.is_partial());
    assert_eq!(read(&mut reader, b"x\n"), ["=x"]);
}

#[test]
fn partial_is_said_while_a_line_is_under_way() {
    let mut reader = LineReader::new();
    assert!(!reader.is_partial());
    read(&mut reader, b"a");
    assert!(reader.is_partial());
    let mut input: &[u8] = b"b\nc";
    assert_eq!(reader.next(&mut input).map(owned).as_deref(), Some("=ab"));
    assert!(!reader.is_partial());
    assert!(reader.next(&mut input).is_none());
    assert!(reader.is_partial());
}

#[test]
fn the_owner_may_stop_after_a_line() {
    let mut reader = LineReader::new();
    let mut input: &[u8] = b"one\ntwo\nthr";
    assert!(reader.next(&mut input).is_some());
    assert_eq!(input, b"two\nthr");
}

#[test]
fn a_whole_line_is_borrowed_and_costs_no_memory() {
    let bytes = [vec![b'x'; 5000], b"\r\n".to_vec()].concat();
    let mut reader = LineReader::new();
    let mut input = bytes.as_slice();
    let Some(Line::Text(text)) = reader.next(&mut input) else { panic!("no line") };
    assert_eq!(text.as_ptr(), bytes.as_ptr());
    assert_eq!(reader.capacity(), 0);
}

#[test]
fn memory_of_a_long_line_is_given_back() {
    let mut reader = LineReader::new();
    for byte in [b'x'; LineReader::DEFAULT_LIMIT] {
        assert!(reader.next(&mut &[byte][..]).is_none());
        assert!(reader.capacity() <= LineReader::DEFAULT_LIMIT + 1);
    }
    assert_eq!(read(&mut reader, b"\n").len(), 1);
    assert_eq!(reader.capacity(), 0);
}

#[test]
fn a_line_is_not_shown_by_debug() {
    let mut reader = LineReader::new();
    read(&mut reader, b"secret");
    assert!(!format!("{reader:?}").contains("secret"));
    assert!(!format!("{:?}", Line::Text("secret")).contains("secret"));
}

fn at_terminal() -> LineReader {
    let mut reader = people();
    reader.set_swallowing(true);
    reader
}

#[test]
fn keys_that_are_no_characters_are_swallowed_whole() {
    check(at_terminal, b"\x1b[AWHO\r\n", &["=WHO"]);
    check(at_terminal, b"W\x1b[D\x1bOCH\x1b[3~O\r", &["=WHO"]);
    check(at_terminal, b"\x1b[200~tell bob hi\x1b[201~\n", &["=tell bob hi"]);
    check(at_terminal, "\x1bütell\x1bf bob é\x1b\r\n".as_bytes(), &["=tell bob é"]);
    check(at_terminal, b"\x1b\x1b[Ahi\x1b[1;5\nnext\n", &["=hi", "=next"]);
    check(at_terminal, b"x\x1b\x7fHW\n", &["=HW"]);
    check(people, b"\x1b[Ahi\n", &["=\x1b[Ahi"]);
}

#[test]
fn a_line_tells_whether_keys_were_swallowed_in_it() {
    let mut reader = at_terminal();
    let mut input = &b"\x1b[A\r\nHW\r\n\x1bOA"[..];
    assert_eq!(reader.next(&mut input).map(owned).as_deref(), Some("="));
    assert!(reader.had_keys());
    assert_eq!(reader.next(&mut input).map(owned).as_deref(), Some("=HW"));
    assert!(!reader.had_keys());
    assert!(reader.next(&mut input).is_none());
    assert!(reader.is_partial(), "a key belongs to the line that it has begun");
    reader.clear();
    assert!(!reader.is_partial());
}

#[test]
fn keys_do_not_count_for_the_length_of_a_line() {
    let mut reader = at_terminal();
    reader.set_limit(4);
    let keys = b"\x1b[A".repeat(1000);
    assert_eq!(read(&mut reader, &[&b"1"[..], &keys, b"234\n12345\n"].concat()), ["=1234", "too long"]);
}

#[test]
fn a_line_tells_how_it_has_ended() {
    let mut reader = people();
    for (bytes, with_return) in [(&b"a\n"[..], false), (b"a\r\n", true), (b"a\r\0", true), (b"a\r", true)] {
        let mut input = bytes;
        assert_eq!(reader.next(&mut input).map(owned).as_deref(), Some("=a"));
        assert_eq!(reader.ended_with_return(), with_return, "{bytes:?}");
        // An LF that still comes belongs to the CR.
        assert!(read(&mut reader, b"").is_empty());
        reader.set_after_return(false);
    }
}

#[test]
fn an_interrupt_within_a_letter_is_none_and_the_rest_of_that_line_is_no_line() {
    let mut reader = at_terminal();
    assert!(read(&mut reader, b"tell bob \xc3").is_empty());
    reader.interrupt();
    assert!(reader.is_partial());
    assert!(read(&mut reader, b"quit \xc3").is_empty());
    reader.interrupt();
    assert_eq!(read(&mut reader, b"quit\r\nHW\n"), ["cut", "=HW"]);
    // A key that a person has pressed.
    assert!(read(&mut reader, b"tell bob").is_empty());
    reader.interrupt();
    assert_eq!(read(&mut reader, b"HW\n"), ["=HW"]);
}
