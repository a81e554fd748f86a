//! The same stream, read by our machine and by another implementation: what is data, what is negotiated, and what is answered.
//!
//! What the other one is known to do otherwise is left out of the streams, or of the comparison:
//!
//! - of commands without an option it knows GA, EOR and NOP, and takes any other with the byte behind it for a negotiation;
//! - a doubled 255 in data it takes for a command, and loses what follows; one before SE in a subnegotiation it takes for its end;
//! - it hands bodies out as they came, with a 255 doubled, and CR NUL as two bytes;
//! - DO switches on what the other side performs as well;
//! - it refuses over and over, and answers nothing that repeats itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails its test")]

use libmudtelnet::Parser;
use libmudtelnet::compatibility::CompatibilityTable;
use libmudtelnet::events::TelnetEvents;
use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_telnet::{Event, Party, Role, Telnet};

/// Performed by us, by the other side, and by nobody. None is in two of them.
const OURS: [u8; 3] = [34, 150, 151];
const THEIRS: [u8; 4] = [69, 91, 152, 201];
const NOBODYS: [u8; 3] = [90, 153, 200];

#[derive(Debug, PartialEq)]
enum Heard {
    Data(Vec<u8>),
    Command(u8),
    Message(u8, Vec<u8>),
}

fn push(heard: &mut Vec<Heard>, data: &[u8]) {
    match heard.last_mut() {
        Some(Heard::Data(last)) => last.extend_from_slice(data),
        _ => heard.push(Heard::Data(data.to_vec())),
    }
}

fn ours(stream: &[u8]) -> (Vec<Heard>, Vec<u8>) {
    let (mut telnet, mut out, mut heard) = (Telnet::new(Role::Server), Vec::new(), Vec::new());
    telnet.set_relaying(true, &mut out);
    let mut input = stream;
    while let Some(event) = telnet.next(&mut input, &mut out) {
        match event {
            Event::Data(data) => push(&mut heard, data),
            Event::Command(239 | 249) => heard.push(Heard::Command(0)),
            Event::Alive => heard.push(Heard::Command(241)),
            Event::Subnegotiation { option } => {
                heard.push(Heard::Message(option, telnet.subnegotiation().to_vec()));
            }
            Event::Wants { party, option } => {
                let able: &[u8] = if party == Party::Us { &OURS } else { &THEIRS };
                telnet.answer(party, option, able.contains(&option), &mut out);
            }
            Event::Agreed { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    (heard, out)
}

fn theirs(stream: &[u8]) -> (Vec<Heard>, Vec<u8>) {
    let mut table = CompatibilityTable::default();
    OURS.iter().for_each(|option| table.support_local(*option));
    THEIRS.iter().for_each(|option| table.support_remote(*option));
    let (mut out, mut heard) = (Vec::new(), Vec::new());
    let mut refused = Vec::new();
    for event in Parser::with_support(table).receive(stream) {
        match event {
            TelnetEvents::DataReceive(data) => push(&mut heard, &data),
            TelnetEvents::IAC(command) if command.command == 241 => heard.push(Heard::Command(241)),
            TelnetEvents::IAC(_) => heard.push(Heard::Command(0)),
            TelnetEvents::Subnegotiation(message) => {
                heard.push(Heard::Message(message.option, Parser::unescape_iac(message.buffer).to_vec()));
            }
            TelnetEvents::DataSend(answer) => {
                let nobodys = answer.get(2).is_some_and(|option| !OURS.contains(option) && !THEIRS.contains(option));
                if !nobodys || !refused.contains(&answer) {
                    out.extend_from_slice(&answer);
                    refused.push(answer);
                }
            }
            TelnetEvents::Negotiation(_) => {}
            other => panic!("{other:?}"),
        }
    }
    (heard, out)
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let of = |options: &'static [u8]| prop::sample::select(options);
    prop_oneof![
        4 => "[a-zäÿ ]{1,9}(\r\n)?".prop_map(String::into_bytes),
        1 => prop::sample::select(vec![249_u8, 239, 241]).prop_map(|command| vec![255, command]),
        2 => (prop::sample::select(vec![253_u8, 254]), of(&OURS)).prop_map(|(verb, option)| vec![255, verb, option]),
        2 => (prop::sample::select(vec![251_u8, 252]), of(&THEIRS)).prop_map(|(verb, option)| vec![255, verb, option]),
        1 => (prop::sample::select(vec![251_u8, 253]), of(&NOBODYS)).prop_map(|(verb, option)| vec![255, verb, option]),
        2 => (of(&OURS), "[a-z\r\n]{0,9}(ÿ[a-z])?").prop_map(|(option, body)| {
            let body: Vec<u8> = body.chars().flat_map(|letter| if letter == 'ÿ' { vec![255, 255] } else { vec![letter as u8] }).collect();
            [&[255, 250, option][..], &body, &[255, 240]].concat()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn both_read_the_same_and_answer_the_same(pieces in vec(piece(), 0..30)) {
        // The first command shows that the world speaks telnet.
        let stream = [b"\xff\xf1".to_vec(), pieces.concat()].concat();
        let ((our_heard, our_out), (their_heard, their_out)) = (ours(&stream), theirs(&stream));
        prop_assert_eq!(our_heard, their_heard);
        prop_assert_eq!(our_out, their_out);
    }
}
