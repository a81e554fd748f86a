//! What was said does not depend on how it arrived, nor on how often another process has gone on with it.

use crate::peer::layer::{Layer, Opened};
use crate::peer::speech::Speech;
use crate::peer::strangers::Protocol;
use crate::peer::transport::Transport;
use crate::peer::{Input, Stack};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::Mode;

const LIMIT: usize = 40;

/// A transport that has everything a layer may have: records that are not plain, ends of messages, an end of its own,
/// answers of its own, and bytes that it does not understand. A record is a kind, a length, and as many bytes.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Records {
    have: Vec<u8>,
}

const DATA: u8 = 0;
const END: u8 = 1;
const ASKS: u8 = 2;
const CLOSES: u8 = 3;

fn veiled(byte: u8) -> u8 {
    byte ^ 0x55
}

fn record(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    [kind, length].into_iter().chain(bytes.iter().copied().map(veiled)).collect()
}

impl Layer for Records {
    type Up = Vec<u8>;
    type Found = ();

    fn open(&mut self, input: &mut &[u8], up: &mut Vec<u8>, out: &mut Vec<u8>) -> Opened {
        while let Some((byte, rest)) = input.split_first() {
            self.have.push(*byte);
            *input = rest;
            let [kind, length, bytes @ ..] = self.have.as_slice() else { continue };
            if bytes.len() < usize::from(*length) {
                continue;
            }
            let kind = *kind;
            if kind == DATA {
                up.extend(bytes.iter().copied().map(veiled));
            }
            self.have.clear();
            match kind {
                DATA if up.is_empty() => {}
                DATA => return Opened::Data(()),
                END => return Opened::End,
                ASKS => out.extend(record(ASKS, b"!")),
                CLOSES => return Opened::Closed,
                _ => return Opened::Broken,
            }
        }
        Opened::More
    }

    fn seal(&mut self, out: &mut Vec<u8>, from: usize) {
        let text = out.split_off(from);
        text.chunks(200).for_each(|part| out.extend(record(DATA, part)));
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        out.extend(record(CLOSES, b""));
    }

    fn is_quiet(&self) -> bool {
        true
    }
}

/// What somebody has found in a connection: inputs with their lines, how reading has ended, and what was written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    inputs: Vec<(Input, String)>,
    over: Option<Opened<()>>,
    out: Vec<u8>,
}

fn put_away_and_go_on<T: Serialize + DeserializeOwned>(value: T) -> T {
    serde_json::from_slice(&serde_json::to_vec(&value).unwrap()).unwrap()
}

/// Reads these bytes in such portions, and goes on in another process after each.
fn found<T>(mut stack: Stack<T>, mode: Mode, bytes: &[u8], portions: &[usize], moves: bool) -> Found
where
    T: Layer<Up = Vec<u8>, Found = ()> + Default,
{
    let (mut found, mut left, mut line) = (Found::default(), bytes, String::new());
    let mut portions = portions.iter().cycle();
    match mode {
        Mode::Human => stack.speech().offer_soon(),
        Mode::Ask | Mode::Client | Mode::Server => stack.signal(|speech, out| speech.offer(out)),
    }
    stack.write(|out| out.extend_from_slice("héllo".as_bytes()));
    stack.signal(|speech, out| speech.prompt_end(out));
    while !left.is_empty() && found.over.is_none() {
        let count = portions.next().map_or(left.len(), |count| (*count).min(left.len()));
        let (mut portion, rest) = left.split_at(count);
        left = rest;
        loop {
            match stack.open(&mut portion, &mut line) {
                Opened::Data(input) => {
                    let line = if input == Input::Line { line.clone() } else { String::new() };
                    found.inputs.push((input, line));
                    stack.write(|out| out.extend_from_slice(b"ok\r\n"));
                }
                Opened::More => break,
                Opened::End => panic!("ends of messages are the stack's own affair"),
                Opened::Closed => found.over = Some(Opened::Closed),
                Opened::Broken => found.over = Some(Opened::Broken),
            }
            if found.over.is_some() {
                break;
            }
        }
        found.out.extend_from_slice(stack.out().rest());
        stack.out().clear();
        if moves {
            stack = put_away_and_go_on(stack);
            stack.speech().listen(mode, LIMIT);
        }
    }
    stack.close();
    stack.close();
    found.out.extend_from_slice(stack.out().rest());
    found
}

/// Pieces of what clients say: telnet whole and cut, keys, lines of all kinds, strangers.
fn said() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"WHO\r\n",
        b"tell bob hi\n",
        b"\r",
        b"\n",
        b"\0",
        b"h\x08H\x7f\x15\x17",
        b"caf\xc3\xa9\r\n",
        b"caf\xe9\r\n",
        b"\xef\xbb\xbf{\"cmd\": \"HW\"}\r\n",
        b"\xff\xfb\x1f\xff\xfa\x1f\x00\x28\x00\x18\xff\xf0",
        b"\xff\xfa\x18\x00xterm\xff\xf0",
        b"\xff\xfd\x2a\xff\xfa\x2a\x03\xff\xf0",
        b"\xff\xfa",
        b"\xff\xf1",
        b"\xff\xf6",
        b"\xff\xff",
        b"\xff",
        b"\xff\xf4",
        b"\xff\xfb\x00\xff\xfd\x00",
        b"\x1b[A",
        b"\x1b",
        b"zo\xc3\xff\xf3n\n",
        b"GET / HTTP/1.1\r\n",
        b"x x x x x x x x x x x x x x x x x x x x x x x x x",
    ];
    let piece =
        prop_oneof![4 => proptest::sample::select(pieces).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..6)];
    vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn modes() -> impl Strategy<Value = Mode> {
    proptest::sample::select(vec![Mode::Ask, Mode::Human, Mode::Client, Mode::Server])
}

proptest! {
    #[test]
    fn every_split_and_every_move_is_the_same_over_plain_tcp(
        bytes in said(), mode in modes(), portions in vec(1..30_usize, 1..6), strangers: bool,
    ) {
        let stack = || Stack::new(Transport::Plain, Speech::new(mode, LIMIT, strangers));
        let whole = found(stack(), mode, &bytes, &[bytes.len().max(1)], false);
        prop_assert_eq!(&found(stack(), mode, &bytes, &portions, false), &whole);
        prop_assert_eq!(&found(stack(), mode, &bytes, &portions, true), &whole);
        prop_assert_eq!(&found(stack(), mode, &bytes, &[1], true), &whole);
    }

    #[test]
    fn every_split_and_every_move_is_the_same_over_a_transport_with_records(
        messages in vec((0..4_u8, said()), 0..8), mode in modes(), portions in vec(1..30_usize, 1..6),
    ) {
        let kind = |kind: u8| [DATA, DATA, END, ASKS][usize::from(kind)];
        let bytes: Vec<u8> = messages
            .iter()
            .flat_map(|(is, said)| record(kind(*is), said.get(..said.len().min(255)).unwrap_or_default()))
            .collect();
        let stack = || Stack::new(Records::default(), Speech::new(mode, LIMIT, false));
        let whole = found(stack(), mode, &bytes, &[bytes.len().max(1)], false);
        prop_assert_eq!(&found(stack(), mode, &bytes, &portions, false), &whole);
        prop_assert_eq!(&found(stack(), mode, &bytes, &portions, true), &whole);
        prop_assert_eq!(&found(stack(), mode, &bytes, &[1], true), &whole);
    }
}

fn lines_of(stack: Stack<Records>, bytes: &[u8]) -> Found {
    found(stack, Mode::Client, bytes, &[bytes.len()], false)
}

fn over_records() -> Stack<Records> {
    Stack::new(Records::default(), Speech::new(Mode::Client, LIMIT, false))
}

#[test]
fn the_end_of_a_message_ends_its_line_and_no_other() {
    let bytes = [record(DATA, b"HW\r\nWHO"), record(END, b""), record(END, b""), record(DATA, b"HELP\n")].concat();
    let lines = lines_of(over_records(), &bytes).inputs;
    assert_eq!(lines, ["HW", "WHO", "HELP"].map(|line| (Input::Line, line.to_owned())));
}

#[test]
fn nothing_is_read_behind_an_end_or_behind_what_cannot_be() {
    for (kind, over) in [(CLOSES, Opened::Closed), (9, Opened::Broken)] {
        let bytes = [record(DATA, b"HW\n"), record(kind, b""), record(DATA, b"WHO\n")].concat();
        let found = lines_of(over_records(), &bytes);
        assert_eq!((found.inputs.len(), found.over), (1, Some(over)));
    }
}

#[test]
fn all_that_goes_down_is_sealed_once_and_the_end_is_said_once() {
    let found = lines_of(over_records(), &[record(ASKS, b""), record(DATA, b"HW\n")].concat());
    let offered = b"\xff\xfd\x00\xff\xfb\x00\xff\xfd\x1f\xff\xfd\x18\xff\xfb\x19\xff\xfb\x2a";
    let all = [
        record(DATA, offered),
        record(DATA, "héllo".as_bytes()),
        record(ASKS, b"!"),
        record(DATA, b"ok\r\n"),
        record(CLOSES, b""),
    ];
    assert_eq!(found.out, all.concat());
}

#[test]
fn a_copy_of_what_is_said_is_kept_where_it_is_wanted_before_it_is_sealed() {
    let mut stack = over_records();
    stack.write(|out| out.extend_from_slice(b"before"));
    assert_eq!(stack.take_copy(), b"");
    stack.keep_copy();
    stack.write(|out| out.extend_from_slice(b"one"));
    stack.signal(|speech, out| speech.hide_input(true, out));
    stack.write(|out| out.extend_from_slice(b"two"));
    assert_eq!((stack.take_copy(), stack.take_copy()), (b"onetwo".to_vec(), Vec::new()));
}

#[test]
fn quiet_is_who_has_begun_nothing() {
    let mut stack = Stack::new(Transport::Plain, Speech::new(Mode::Human, LIMIT, false));
    let mut line = String::new();
    assert!(stack.is_quiet());
    assert_eq!(stack.open(&mut &b"WH"[..], &mut line), Opened::More);
    assert!(!stack.is_quiet(), "half a line");
    let mut input: &[u8] = b"O\r\nHW\r\n";
    assert_eq!(stack.open(&mut input, &mut line), Opened::Data(Input::Line));
    assert_eq!(line, "WHO");
    assert!(!stack.is_quiet() && stack.has_unread(), "a line that was not taken");
    assert_eq!(stack.open(&mut input, &mut line), Opened::Data(Input::Line));
    assert_eq!(stack.open(&mut input, &mut line), Opened::More);
    assert!(stack.is_quiet());
    stack.write(|out| out.push(b'x'));
    assert!(!stack.is_quiet(), "something to write");
    stack.out().has_written(1);
    assert!(stack.is_quiet());
    stack.close();
    assert!(!stack.is_quiet(), "it has said that it is done");
}

#[test]
fn a_stranger_is_known_by_his_first_bytes_or_his_first_line_and_only_at_a_door_with_a_mode() {
    let first = |bytes: &[u8], strangers: bool| {
        let mut stack = Stack::new(Transport::Plain, Speech::new(Mode::Client, LIMIT, strangers));
        let mut line = String::new();
        stack.open(&mut &bytes[..], &mut line)
    };
    let stranger = |protocol| Opened::Data(Input::Stranger(protocol));
    assert_eq!(first(b"\x16\x03\x01\x02", true), stranger(Protocol::Tls));
    assert_eq!(first(b"GET / HTTP/1.1\r\n", true), stranger(Protocol::Http));
    assert_eq!(first(b"GET /caf\xe9 HTTP/1.1\r\n", true), stranger(Protocol::Http));
    assert_eq!(first(b"GET / HTTP/1.1\r\n", false), Opened::Data(Input::Line));
    assert_eq!(first(b"\x16\x03\x01\x02", false), Opened::More);
    assert_eq!(first(b"HW\r\nGET / HTTP/1.1\r\n", true), Opened::Data(Input::Line));
}

#[test]
fn socks_is_known_before_an_end_of_a_line_in_its_port_or_address_however_it_is_split() {
    // 10.0.0.1, port 80; 192.168.0.1, port 2573; 13.10.0.1, port 3338.
    for bytes in [
        &b"\x04\x01\x00\x50\x0a\x00\x00\x01bob\0"[..],
        b"\x04\x02\x0a\x0d\xc0\xa8\x00\x01\0",
        b"\x04\x01\x0d\x0a\x0d\x0a\x00\x01\0",
    ] {
        for mode in [Mode::Human, Mode::Client] {
            for at in 0..bytes.len() {
                let mut stack = Stack::new(Transport::Plain, Speech::new(mode, LIMIT, true));
                let (first, second) = bytes.split_at(at);
                let mut line = String::new();
                // Either part gives nothing else before it.
                let found = [first, second].into_iter().map(|mut part| stack.open(&mut part, &mut line));
                let found = found.into_iter().find(|found| *found != Opened::More);
                assert_eq!(found, Some(Opened::Data(Input::Stranger(Protocol::Socks))), "{bytes:?} at {at}");
            }
            let mut stack = Stack::new(Transport::Plain, Speech::new(mode, LIMIT, true));
            let found = bytes.iter().map(|byte| stack.open(&mut &[*byte][..], &mut String::new()));
            let found = found.into_iter().find(|found| *found != Opened::More);
            assert_eq!(found, Some(Opened::Data(Input::Stranger(Protocol::Socks))), "{bytes:?} byte by byte");
        }
    }
}

/// A person's connection that has said this, and all that was written to it; each line is answered with `ok`.
fn at_door(said: &[u8]) -> (Stack<Transport>, Vec<u8>) {
    let mut stack = Stack::new(Transport::Plain, Speech::new(Mode::Human, LIMIT, true));
    stack.speech().offer_soon();
    let (mut left, mut line, mut all) = (said, String::new(), Vec::new());
    while let Opened::Data(_) = stack.open(&mut left, &mut line) {
        stack.write(|out| out.extend_from_slice(b"ok\r\n> "));
        stack.signal(|speech, out| speech.prompt_end(out));
    }
    all.extend_from_slice(stack.out().rest());
    stack.out().clear();
    (stack, all)
}

/// What is sent to hide a password.
fn hiding(stack: &mut Stack<Transport>) -> Vec<u8> {
    stack.signal(|speech, out| speech.hide_input(true, out));
    stack.out().rest().to_vec()
}

const OFFERS: &[u8] = b"\xff\xfd\x00\xff\xfb\x00\xff\xfd\x1f\xff\xfd\x18\xff\xfb\x19\xff\xfb\x2a\xff\xfb\x46";

#[test]
fn who_ends_lines_with_lf_sees_no_telnet_before_he_has_spoken_it() {
    let (mut stack, out) = at_door(b"one\ntwo\n");
    assert_eq!(out, b"ok\r\n> ok\r\n> ");
    assert_eq!(hiding(&mut stack), b"");
    let (mut stack, out) = at_door(b"\xff\xf1one\n");
    assert!(out.starts_with(OFFERS));
    assert_eq!(hiding(&mut stack), b"\xff\xfb\x01");
}

#[test]
fn telnet_is_offered_once_with_the_first_line_that_ends_as_those_of_telnet_do() {
    for (end, more) in [(&b"\r\n"[..], &b"\r\n"[..]), (b"\r\0", b"\r\0"), (b"\r", b"\r"), (b"\r\n", b"\n")] {
        let (mut stack, out) = at_door(&[b"\r\none", end, b"two", more].concat());
        let wanted = [b"ok\r\n> ", OFFERS, b"ok\r\n> \xff\xf9", b"ok\r\n> "].concat();
        assert_eq!(out, wanted, "nothing for an empty line, and one prompt marked before the answer: {end:?}");
        assert_eq!(hiding(&mut stack).is_empty(), more == b"\n");
    }
    let (_, out) = at_door(b"GET / HTTP/1.1\r\n");
    assert!(!out.contains(&0xff), "a stranger is offered nothing");
}

#[test]
fn a_terminal_that_takes_all_as_it_is_gets_a_return_before_what_follows_a_line() {
    let (_, out) = at_door(b"\xff\xfd\x00one\ntwo\r\n");
    assert!(out.ends_with(b"\rok\r\n> \xff\xf9\rok\r\n> \xff\xf9"), "{out:?}");
    let (_, out) = at_door(b"\xff\xfe\x00one\n");
    assert!(out.ends_with(b"\xff\xfb\x46ok\r\n> \xff\xf9"), "{out:?}");
}
