//! Tests of the grammar.

use super::*;

/// Tokens as text, with neighbouring data joined.
fn tokens(reads: &[&[u8]]) -> Vec<String> {
    let mut parser = Parser::default();
    let mut found = Vec::new();
    let mut data = Vec::new();
    for read in reads {
        let mut input = *read;
        while let Some(token) = parser.next(&mut input) {
            let text = match token {
                Token::Data(bytes) => {
                    data.extend_from_slice(bytes);
                    continue;
                }
                Token::Command(byte) => format!("command {byte}"),
                Token::Negotiation(verb, option) => format!("{verb:?} {option}"),
                Token::Subnegotiation => format!("sub {:?}", parser.subnegotiation()),
            };
            if !data.is_empty() {
                found.push(format!("{:?}", std::mem::take(&mut data)));
            }
            found.push(text);
        }
    }
    if !data.is_empty() {
        found.push(format!("{data:?}"));
    }
    found
}

#[test]
fn data_and_commands_are_separated() {
    assert_eq!(tokens(&[b"a\xff\xfd\x1fb\xff\xf6"]), ["[97]", "Do 31", "[98]", "command 246"]);
}

#[test]
fn doubled_iac_is_one_byte_and_no_command() {
    let mut parser = Parser::default();
    let mut input: &[u8] = b"\xff\xff";
    assert_eq!(parser.next(&mut input), Some(Token::Data(&[IAC])));
    assert_eq!(parser.next(&mut input), None);
    assert!(!parser.seen_command());
}

#[test]
fn lone_iac_is_data_and_swallows_nothing() {
    assert_eq!(tokens(&[b"\xff\n"]), ["[255, 10]"]);
    assert_eq!(tokens(&[b"\xff", b"\n"]), ["[255, 10]"]);
}

#[test]
fn iac_may_be_split_anywhere() {
    let sub: &[&[u8]] = &[b"\xff", b"\xfa", b"\x1f", b"\x00", b"\xff", b"\xff", b"\x00\x18\xff", b"\xf0"];
    assert_eq!(tokens(sub), ["sub [31, 0, 255, 0, 24]"]);
    assert_eq!(tokens(&[b"\xff", b"\xfb", b"\x18"]), ["Will 24"]);
}

#[test]
fn return_nul_is_a_return() {
    assert_eq!(tokens(&[b"a\r\0b"]), ["[97, 13, 98]"]);
    assert_eq!(tokens(&[b"a\r", b"\0b"]), ["[97, 13, 98]"]);
    assert_eq!(tokens(&[b"a\0b"]), ["[97, 0, 98]"]);
}

#[test]
fn a_piece_of_data_ends_with_its_line() {
    let mut parser = Parser::default();
    let mut input: &[u8] = b"one\r\ntwo\nthree\rfour";
    for piece in [&b"one\r\n"[..], b"two\n", b"three\r", b"four"] {
        assert_eq!(parser.next(&mut input), Some(Token::Data(piece)));
    }
}

#[test]
fn a_subnegotiation_of_the_limit_is_kept_and_a_longer_one_is_not() {
    for (length, kept) in [(SUBNEGOTIATION_LIMIT, 1), (SUBNEGOTIATION_LIMIT + 1, 0)] {
        let bytes = [b"\xff\xfa".to_vec(), vec![b'x'; length], b"\xff\xf0".to_vec()].concat();
        assert_eq!(tokens(&[&bytes]).len(), kept);
    }
}

#[test]
fn an_endless_subnegotiation_takes_no_memory() {
    let mut parser = Parser::default();
    let mut input: &[u8] = b"\xff\xfa\x18";
    parser.next(&mut input);
    for _ in 0..1000 {
        let mut input: &[u8] = &[b'x'; 1000];
        assert_eq!(parser.next(&mut input), None);
        assert!(parser.capacity() <= SUBNEGOTIATION_LIMIT);
    }
    let mut input: &[u8] = b"\xff\xf0ok";
    assert_eq!(parser.next(&mut input), Some(Token::Data(b"ok")));
}

#[test]
fn a_name_without_an_end_loses_no_line_behind_it() {
    for end in [&b"\r\n"[..], b"\n", b"\r"] {
        for body in [&b""[..], b"\x18", b"\x18\0xterm", b"\x18\0x\xff", b"\x2a\x02UTF-8", b"\xc9{}", b"\x18\0\xff\xff"]
        {
            let bytes = [b"\xff\xfa", body, end, b"HW", end].concat();
            let read = format!("{:?}", [end, b"HW", end].concat());
            assert_eq!(tokens(&[&bytes]), [read.as_str()], "{bytes:?}");
            assert_eq!(tokens(&bytes.chunks(1).collect::<Vec<_>>()), [read], "{bytes:?}");
        }
    }
}

#[test]
fn a_size_without_an_end_loses_no_line_behind_it() {
    // Whole ones, cut ones, and ones that have taken the end for a 255 of theirs.
    let sizes: [&[u8]; 7] = [b"", b"\0", b"\0\x50", b"\0\x50\0", b"\0\x50\0\x18", b"\0\x50\0\xff\xff", b"\0\xff"];
    for size in sizes {
        for (end, shown) in [(&b"\r\n"[..], "13, 10"), (b"\n", "10"), (b"\r", "13")] {
            let bytes = [b"a\xff\xfa\x1f", size, end, b"HW", end].concat();
            for chunk in [1, bytes.len()] {
                let found = tokens(&bytes.chunks(chunk).collect::<Vec<_>>()).concat();
                assert_eq!(found, format!("[97, 192, 128, {shown}, 72, 87, {shown}]"), "{bytes:?}");
            }
        }
    }
}

#[test]
fn a_size_may_hold_the_bytes_of_a_line_end() {
    assert_eq!(tokens(&[b"\xff\xfa\x1f\0\r\0\n\xff\xf0"]), ["sub [31, 0, 13, 0, 10]"]);
    assert_eq!(tokens(&[b"\xff\xfa\x1f\0\n", b"\0\r\xff", b"\xf0"]), ["sub [31, 0, 10, 0, 13]"]);
}

#[test]
fn a_line_with_a_hole_is_not_taken_for_another_one() {
    // An overlong NUL is no text, in whatever characters: the line is refused.
    assert_eq!(tokens(&[b"pay \xff\xfa50\r\nHW\r\n"]), ["[112, 97, 121, 32, 192, 128, 13, 10, 72, 87, 13, 10]"]);
    assert_eq!(tokens(&[b"\xff\xff\xff\xfa\n"]), ["[255, 192, 128, 10]"]);
}

#[test]
fn an_option_that_is_a_line_end_is_none() {
    assert_eq!(tokens(&[b"caf\xff\xfb\nHW\n"]), ["[99, 97, 102, 192, 128, 10, 72, 87, 10]"]);
    assert_eq!(tokens(&[b"\xff\xfd", b"\r\nHW\r\n"]), ["[13, 10, 72, 87, 13, 10]"]);
}

#[test]
fn in_binary_a_return_has_nothing_behind_it_that_belongs_to_it() {
    for chunk in [1, 5] {
        let mut parser = Parser::default();
        let all = |parser: &mut Parser| {
            let mut data = Vec::new();
            for mut part in b"a\r\0b\r".chunks(chunk) {
                while let Some(token) = parser.next(&mut part) {
                    let Token::Data(bytes) = token else { panic!("{token:?}") };
                    data.extend_from_slice(bytes);
                }
            }
            data
        };
        assert_eq!(all(&mut parser), b"a\rb\r");
        parser.set_binary(true);
        assert_eq!(all(&mut parser), b"a\r\0b\r", "in reads of {chunk}");
    }
}

#[test]
fn two_bytes_in_a_text_are_no_evidence_of_telnet() {
    let mut parser = Parser::default();
    let mut input: &[u8] = b"\xff\xfa\r\n\xff\xfb\r\n";
    while parser.next(&mut input).is_some() {}
    assert!(!parser.seen_command());
}

#[test]
fn a_command_aborts_a_subnegotiation() {
    assert_eq!(tokens(&[b"\xff\xfa\x18\x00xterm\xff\xfb\x1fhi"]), ["Will 31", "[104, 105]"]);
    assert_eq!(tokens(&[b"\xff\xfa\x18\x00x\xff\xfa\x1f\xff\xf0"]), ["sub [31]"]);
}

#[test]
fn a_window_of_255_columns_or_rows_needs_no_doubling() {
    assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\xff\x00\x18\xff\xf0"]), ["sub [31, 0, 255, 0, 24]"]);
    assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\x50\x00\xff\xff\xf0HW"]), ["sub [31, 0, 80, 0, 255]", "[72, 87]"]);
    assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\xff\x00\xff\xff", b"\xf0"]), ["sub [31, 0, 255, 0, 255]"]);
    assert_eq!(tokens(&[b"\xff\xfa\x1f\x00\x50\x00\xff\xff\xff\xf0"]), ["sub [31, 0, 80, 0, 255]"]);
}

#[test]
fn a_size_that_was_whole_has_no_part_in_what_comes_after_it() {
    for size in [&b"\x00\x50\x00\x0d"[..], b"\x00\x0a\x00\x18"] {
        let bytes = [b"\xff\xfa\x1f", size, b"\xff\xf0a\xff\xfb\nHW\n"].concat();
        for chunk in [1, bytes.len()] {
            let found = tokens(&bytes.chunks(chunk).collect::<Vec<_>>());
            assert_eq!(found[1..].concat(), "[97, 192, 128, 10, 72, 87, 10]", "{size:?} by {chunk}");
        }
    }
}
