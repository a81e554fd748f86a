//! The same stream, read by our machine and by another implementation: what is data, what is negotiated, and what is answered.
//!
//! What the other one is known to do otherwise is left out of the streams, or of the comparison:
//!
//! - of commands without an option it knows GA, EOR and NOP, and takes any other with the byte behind it for a negotiation;
//! - a doubled 255 in data it takes for a command, and loses what follows; one before SE in a subnegotiation it takes for its end;
//! - it hands bodies out as they came, with a 255 doubled, and CR NUL as two bytes;
//! - DO switches on what the other side performs as well;
//! - it refuses over and over, and answers nothing that repeats itself; our client refuses once, and confirms what a game that was
//!   restarted warmly offers again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails its test")]

use libmudtelnet::Parser;
use libmudtelnet::compatibility::CompatibilityTable;
use libmudtelnet::events::TelnetEvents;
use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_telnet::{Event, Party, Role, Standing, Telnet};

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

fn ours(role: Role, stream: &[u8]) -> (Vec<Heard>, Vec<u8>) {
    let (mut telnet, mut out, mut heard) = (Telnet::new(role), Vec::new(), Vec::new());
    telnet.set_relaying(true, &mut out);
    let mut input = stream;
    while let Some(event) = telnet.next(&mut input, &mut out) {
        match event {
            Event::Data(data) => push(&mut heard, data),
            Event::Command(239 | 249) | Event::PromptEnd => heard.push(Heard::Command(0)),
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
        for role in [Role::Server, Role::Client] {
            let stream = if role == Role::Client { without_repeats(&pieces) } else { stream.clone() };
            let ((our_heard, our_out), (their_heard, their_out)) = (ours(role, &stream), theirs(&stream));
            prop_assert_eq!(our_heard, their_heard, "{:?}", role);
            prop_assert_eq!(our_out, their_out, "{:?}", role);
        }
    }

    /// We are the client, the other one is a game server: both come to the same, whatever it begins with, and however often it changes
    /// its mind.
    #[test]
    fn as_client_and_server_they_agree(
        steps in vec((0_u8..4, prop::sample::select([&OURS[..], &THEIRS, &NOBODYS].concat())), 0..30),
        cut in 1_usize..9,
    ) {
        let mut table = CompatibilityTable::default();
        // What we perform it lets us, and performs what we let it: all but what nobody does. It can do more than we take.
        OURS.iter().for_each(|option| table.support_remote(*option));
        [&THEIRS[..], &NOBODYS].concat().iter().for_each(|option| table.support_local(*option));
        let mut server = Parser::with_support(table);
        let (mut telnet, mut out) = (Telnet::new(Role::Client), Vec::new());
        telnet.set_relaying(true, &mut out);
        prop_assert!(out.is_empty(), "a client begins nothing");
        let mut refused = Vec::new();
        for (what, option) in steps {
            if NOBODYS.contains(&option) && what % 2 == 0 {
                if refused.contains(&(what, option)) {
                    continue;
                }
                refused.push((what, option));
            }
            let said = match what {
                0 => server._will(option),
                1 => server._wont(option),
                2 => server._do(option),
                _ => server._dont(option),
            };
            talk(&mut server, &mut telnet, said, cut);
            for option in [&OURS[..], &THEIRS, &NOBODYS].concat() {
                let theirs = server.options.get_option(option);
                let stands = |party| telnet.standing(party, option) == Standing::On;
                prop_assert_eq!((theirs.remote_state, theirs.local_state), (stands(Party::Us), stands(Party::Them)), "{}", option);
            }
        }
    }
}

/// A stream that says of no option what it has said of it last.
fn without_repeats(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = b"\xff\xf1".to_vec();
    let mut last: Vec<(bool, u8, u8)> = Vec::new();
    for piece in pieces {
        if let [255, verb @ 251..=254, option] = **piece {
            let party = verb < 253;
            if last.contains(&(party, option, verb)) {
                continue;
            }
            last.retain(|(side, of, _)| (*side, *of) != (party, option));
            last.push((party, option, verb));
        }
        stream.extend_from_slice(piece);
    }
    stream
}

/// The server has said this; both speak until neither has anything to say.
fn talk(server: &mut Parser, telnet: &mut Telnet, said: Option<TelnetEvents>, cut: usize) {
    let mut to_client: Vec<u8> = said.map(|event| event.to_bytes().to_vec()).unwrap_or_default();
    for _ in 0..10 {
        let mut answer = Vec::new();
        for mut piece in to_client.chunks(cut) {
            while let Some(event) = telnet.next(&mut piece, &mut answer) {
                if let Event::Wants { party, option } = event {
                    let able: &[u8] = if party == Party::Us { &OURS } else { &THEIRS };
                    telnet.answer(party, option, able.contains(&option), &mut answer);
                }
            }
        }
        to_client = server.receive(&answer).into_iter().filter_map(sent).flatten().collect();
        if to_client.is_empty() {
            return;
        }
    }
    panic!("they talk for ever");
}

fn sent(event: TelnetEvents) -> Option<Vec<u8>> {
    match event {
        TelnetEvents::DataSend(bytes) => Some(bytes.to_vec()),
        _ => None,
    }
}
