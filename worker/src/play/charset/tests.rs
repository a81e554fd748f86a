//! Against what Python's codecs say, and split anywhere.

use super::*;
use proptest::prelude::*;

const ALL: [Charset; 6] =
    [Charset::Utf8, Charset::Latin1, Charset::Cp437, Charset::Cp1251, Charset::Koi8R, Charset::Ascii];

fn converted(from: Charset, to: Charset, pieces: &[&[u8]]) -> Vec<u8> {
    let (mut converter, mut out) = (Converter::new(from, to), Vec::new());
    for piece in pieces {
        converter.convert(piece, &mut out);
        let moved = serde_json::to_string(&converter).unwrap();
        converter = serde_json::from_str(&moved).unwrap();
    }
    converter.finish(&mut out);
    out
}

fn named(name: &str) -> Charset {
    name.parse().unwrap()
}

#[test]
fn every_byte_means_what_python_says() {
    let mut seen = 0;
    for line in include_str!("recorded.txt").lines() {
        let mut words = line.split(' ');
        let (charset, byte) = (named(words.next().unwrap()), u8::from_str_radix(words.next().unwrap(), 16).unwrap());
        // What has no meaning there keeps its number here.
        let number = words.next().unwrap();
        let code = if number == "none" { u32::from(byte) } else { u32::from_str_radix(number, 16).unwrap() };
        let letter = char::from_u32(code).unwrap().to_string();
        assert_eq!(converted(charset, Charset::Utf8, &[&[byte]]), letter.as_bytes(), "{line}");
        assert_eq!(converted(Charset::Utf8, charset, &[letter.as_bytes()]), [byte], "{line}, and back");
        seen += 1;
    }
    assert_eq!(seen, 4 * 128);
}

#[test]
fn the_first_half_is_the_same_everywhere() {
    let ascii: Vec<u8> = (0..128).collect();
    for from in ALL {
        for to in ALL {
            assert_eq!(converted(from, to, &[&ascii]), ascii, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn the_same_characters_are_not_looked_at() {
    let bytes: Vec<u8> = (0..=255).rev().collect();
    for charset in ALL {
        assert!(Converter::new(charset, charset).is_identity());
        assert_eq!(converted(charset, charset, &[&bytes]), bytes, "{charset:?}");
    }
    assert!(!Converter::new(Charset::Ascii, Charset::Utf8).is_identity());
}

#[test]
fn what_is_not_there_becomes_what_looks_like_it() {
    for (text, to, expected) in [
        ("Zoë, Łódź", Charset::Latin1, &b"Zo\xeb, L\xf3dz"[..]),
        ("Zoë ░ ÿ", Charset::Cp437, b"Zo\x89 \xb0 \x98"),
        ("Привет, Zoë", Charset::Cp1251, b"\xcf\xf0\xe8\xe2\xe5\xf2, Zoe"),
        ("Привет", Charset::Koi8R, b"\xf0\xd2\xc9\xd7\xc5\xd4"),
        ("\u{1b}[31mПривет\u{7}", Charset::Ascii, b"\x1b[31mPrivet\x07"),
        ("\u{9b}2J\u{2028}\u{10ffff}", Charset::Ascii, b"?2J??"),
    ] {
        assert_eq!(converted(Charset::Utf8, to, &[text.as_bytes()]), expected, "{text}");
    }
    assert_eq!(converted(Charset::Ascii, Charset::Utf8, &[b"a\xffb"]), b"a?b");
    assert_eq!(converted(Charset::Koi8R, Charset::Cp1251, &[b"\xf0\xa3\x80"]), b"\xcf\xb8-");
}

#[test]
fn what_is_no_utf8_becomes_a_question_mark_and_nothing_behind_it_is_lost() {
    for (bytes, expected) in [
        (&b"a\xffb"[..], &b"a?b"[..]),
        (b"a\xc3", b"a?"),
        (b"\xc3(", b"?("),
        (b"\xe2\x82\xc3\xa9", b"?\xe9"),
        (b"\xf0\x9f\xe9\x0d\x0a", b"??\x0d\x0a"),
        (b"\xed\xa0\x80", b"???"),
    ] {
        assert_eq!(converted(Charset::Utf8, Charset::Latin1, &[bytes]), expected, "{bytes:x?}");
    }
}

#[test]
fn whatever_there_is_becomes_something_that_steers_no_terminal() {
    for c in '\u{80}'..=char::MAX {
        let mut bytes = [0; 4];
        let said = converted(Charset::Utf8, Charset::Ascii, &[c.encode_utf8(&mut bytes).as_bytes()]);
        assert!(said.iter().all(|byte| (b' '..0x7f).contains(byte)), "{c:?}: {said:?}");
    }
}

#[test]
fn a_state_from_elsewhere_does_no_harm() {
    let mut converter: Converter =
        serde_json::from_str(r#"{"from":"Utf8","to":"Latin1","held":[255,128,255],"more":1}"#).unwrap();
    let mut out = Vec::new();
    converter.convert(b"abc", &mut out);
    assert_eq!(out, b"?abc");
    assert_eq!(format!("{converter:?}"), "Converter { from: Utf8, to: Latin1, .. }");
}

fn charset() -> impl Strategy<Value = Charset> {
    prop::sample::select(&ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn split_anywhere_it_is_the_same(from in charset(), to in charset(), text: String, noise: Vec<u8>) {
        for bytes in [[text.as_bytes(), &noise].concat(), noise] {
            let whole = converted(from, to, &[&bytes]);
            for at in 0..=bytes.len() {
                let (first, second) = bytes.split_at(at);
                prop_assert_eq!(&converted(from, to, &[first, second]), &whole);
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&converted(from, to, &single), &whole);
        }
    }

    #[test]
    fn ascii_among_anything_comes_through_in_order(from in charset(), to in charset(), bytes: Vec<u8>) {
        let ascii = |bytes: &[u8]| bytes.iter().copied().filter(|byte| byte.is_ascii_control()).collect::<Vec<u8>>();
        prop_assert_eq!(ascii(&converted(from, to, &[&bytes])), ascii(&bytes));
    }
}
