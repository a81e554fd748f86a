//! What is fuzzed: each function takes any bytes, must come back, and checks what must hold for all of them. The fuzzer
//! calls them, and so does an ordinary test, with everything in `corpus/` and with changes of it.

use ssmglobal_ipc::frame::{
    Class, FrameReader, MOST_DESCRIPTORS, put_change, put_control, put_request, put_with_descriptors,
};
use ssmglobal_ipc::naming::{Name, Named};
use ssmglobal_ipc::{Request, control, ctl, handover};
use ssmglobal_telnet::{Bridge, Event, FromWorld, Inflater, Line, LineReader, Role, Telnet, Terms};
use ssmglobal_worker::commands::{Parsed, State, masked, masked_answer, parse_first, parse_json, parse_words};
use ssmglobal_worker::metrics::http::Head;
use ssmglobal_worker::peer::layer::Opened;
use ssmglobal_worker::peer::proxy::{self, Header};
use ssmglobal_worker::{metrics, moved};

/// What a worker may send to the handler, and the handler to a worker: frames, and messages in them.
pub fn frames(mut bytes: &[u8]) {
    let mut reader = FrameReader::new();
    while matches!(reader.fill(|buffer| std::io::Read::read(&mut bytes, buffer)), Ok((1.., _))) {
        while let Ok(Some(frame)) = reader.next_frame() {
            assert!(frame.descriptors <= MOST_DESCRIPTORS);
            let _ = (frame.reply(), frame.event());
            let _ = (frame.control::<control::ToHandler>(), frame.control::<control::ToListener>());
            let _ = (frame.control::<ctl::Ask>(), frame.control::<ctl::Answer>());
            let (carried, payload) = match frame.class {
                Class::Change => match frame.carried() {
                    Ok((carried, payload)) => (Some(carried), payload),
                    Err(_) => continue,
                },
                _ => (None, frame.payload),
            };
            let Some(Ok(request)) = frame.request_kind().map(|kind| Request::decode(kind, payload)) else { continue };
            // What was understood is written as it was meant.
            let mut written = Vec::new();
            put_with_descriptors(&mut written, frame.descriptors, |out| match &carried {
                Some(carried) => put_change(out, frame.number, carried, &request),
                None => put_request(out, frame.number, &request),
            });
            let descriptors = frame.descriptors;
            let mut again = FrameReader::new();
            let mut rest = &written[..];
            while !rest.is_empty() {
                again.fill(|buffer| std::io::Read::read(&mut rest, buffer)).expect("a slice can be read");
            }
            let frame = again.next_frame().expect("a frame").expect("a whole one");
            assert_eq!(frame.descriptors, descriptors);
            let payload = frame.carried().map_or(frame.payload, |(_, payload)| payload);
            let payload = if carried.is_some() { payload } else { frame.payload };
            assert_eq!(Request::decode(request.kind(), payload), Ok(request));
        }
    }
}

/// The longest line that [`lines`] takes.
const LIMIT: usize = 64;

/// What a client may send: telnet, and lines in it. The first byte says where the reads are split, and whether a person
/// types.
pub fn lines(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let (people, split) = (first & 1 == 1, 1 + usize::from(first >> 1));
    let whole = read_lines(people, bytes.chunks(bytes.len().max(1)));
    assert_eq!(read_lines(people, bytes.chunks(split)), whole, "split every {split} bytes");
}

fn read_lines<'a>(people: bool, reads: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, Vec<u8>) {
    let (mut telnet, mut lines) = (Telnet::new(Role::Server), LineReader::new());
    lines.set_limit(LIMIT);
    lines.set_editing(people);
    lines.set_return_ends_line(people);
    lines.set_swallowing(people);
    let (mut found, mut out) = (Vec::new(), Vec::new());
    for mut input in reads {
        while let Some(event) = telnet.next(&mut input, &mut out) {
            match event {
                Event::Data(mut data) => {
                    while let Some(line) = lines.next(&mut data) {
                        found.push(match line {
                            Line::Text(text) => text.to_owned(),
                            Line::TooLong => "too long".to_owned(),
                            Line::NotUtf8(_) => "not text".to_owned(),
                            Line::Cut => "cut".to_owned(),
                        });
                    }
                }
                Event::Interrupt => lines.interrupt(),
                Event::EraseCharacter => lines.erase_character(),
                Event::EraseLine => lines.erase_line(),
                _ => {}
            }
        }
        assert!(telnet.capacity() <= 4096 && lines.capacity() <= 16 * LIMIT, "memory has a bound");
    }
    assert!(found.iter().all(|line| line.len() <= LIMIT));
    (found, out)
}

/// What a world and a player may send to the bridge between them. The first byte says where the reads are split; then, over and
/// over, one byte says who speaks, or what happens, and how much of what follows is said.
pub fn bridge(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let whole = bridge_said(bytes, usize::MAX);
    assert_eq!(bridge_said(bytes, 1 + usize::from(*first)), whole, "split every {} bytes", 1 + usize::from(*first));
}

/// All that is sent to the player and to the world.
fn bridge_said(mut bytes: &[u8], read: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut player, mut bridge) = (Telnet::new(Role::Server), Bridge::new());
    let (mut to_player, mut to_world) = (Vec::new(), Vec::new());
    let terms = Terms { charsets: ["UTF-8".into()].into(), address: Some("192.0.2.1".into()), ..Terms::default() };
    bridge.connect(&mut player, &mut to_player);
    bridge.present(terms, &mut player, &mut to_player, &mut to_world);
    let all = bytes.len();
    while let Some((&what, rest)) = bytes.split_first() {
        let (said, rest) = rest.split_at(rest.len().min(usize::from(what >> 2)));
        bytes = rest;
        for mut input in said.chunks(read) {
            match what & 3 {
                0 | 1 => {
                    while let Some(event) = bridge.from_world(&mut player, &mut input, &mut to_player, &mut to_world) {
                        if let FromWorld::Data(data) = event {
                            let from = to_player.len();
                            to_player.extend_from_slice(data);
                            player.seal(&mut to_player, from);
                        }
                    }
                }
                _ => {
                    while let Some(event) = player.next(&mut input, &mut to_player) {
                        bridge.from_player(&mut player, event, &mut to_player, &mut to_world);
                    }
                }
            }
        }
        match what {
            0 => bridge.give_up_waiting(&mut player, &mut to_player, &mut to_world),
            1 => bridge.leave(&mut player, &mut to_player),
            2 => bridge.connect(&mut player, &mut to_player),
            3 => player.offer_all(&mut to_player),
            _ => {}
        }
        assert!(bridge.capacity() <= 64 * 1024 && player.capacity() <= 64 * 1024, "memory has a bound");
    }
    assert!(to_player.len() + to_world.len() <= 64 * 1024 + 64 * all, "what is said has a bound");
    (to_player, to_world)
}

/// What is said to be compressed: whatever it is, it is read a little at a time, and as well in any pieces.
pub fn inflate(bytes: &[u8]) {
    const MOST: usize = 1000;
    let Some((first, bytes)) = bytes.split_first() else { return };
    let read = |pieces: usize| {
        let (mut inflater, mut out) = (Inflater::new(), Vec::new());
        for mut input in bytes.chunks(pieces) {
            loop {
                let before = out.len();
                let inflated = inflater.next(&mut input, &mut out, MOST);
                assert!(out.len() <= before + MOST);
                match inflated {
                    Ok(ssmglobal_telnet::Inflated::More) if out.len() < 100_000 => {}
                    Ok(ssmglobal_telnet::Inflated::Used) => break,
                    _ => return out,
                }
            }
        }
        out
    };
    let (whole, split) = (read(bytes.len().max(1)), read(1 + usize::from(*first)));
    assert!(whole.starts_with(&split) || split.starts_with(&whole));
}

/// A line of a program, or of a person: whatever it is, there is a request or a failure with words, and something for the log.
pub fn json(bytes: &[u8]) {
    let Ok(line) = std::str::from_utf8(bytes) else { return };
    let states = [State::New, State::Anonymous, State::Player, State::Server];
    let words = states.map(|state| parse_words(line, state));
    let lines = [parse_json(line).parsed, parse_first(line).parsed];
    for parsed in lines.into_iter().chain(words) {
        if let Err(failure) = parsed.and_then(Parsed::action) {
            assert!(!failure.msg.is_empty());
        }
    }
    let _ = (masked(line), masked_answer(line, true), masked_answer(line, false));
}

/// A config file. What is wrong with it is told with a place in it.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match ssmglobal_config::check(text, "fuzzed.toml") {
        Ok(_) => {}
        Err(problems) => assert!(!problems.is_empty() && problems.iter().all(|it| !it.to_string().is_empty())),
    }
}

/// What a worker leaves to its successor, which goes on with the telnet machine that lies in it, whatever was done to that.
pub fn moved(bytes: &[u8]) {
    let Ok(mut left) = moved::read(bytes) else { return };
    // What was understood is written so that it is understood again.
    let written = left.bytes().expect("it is as long as it was");
    assert!(moved::read(&written).is_ok());
    for kept in &mut left.peers {
        let mut line = String::new();
        kept.stack.signal(|speech, out| {
            speech.offer(out);
            speech.hide_input(true, out);
        });
        for mut input in bytes.chunks(7) {
            while let Opened::Data(_) = kept.stack.open(&mut input, &mut line) {}
        }
        kept.stack.write(|text| text.extend_from_slice(b"text"));
        kept.stack.signal(|speech, out| speech.prompt_end(out));
        let answered = kept.stack.out().rest().len();
        assert!(answered <= 4096 + 32 * bytes.len(), "what is answered has a bound");
    }
}

/// What a listener leaves to the next one.
pub fn handover(bytes: &[u8]) {
    let Ok(items) = handover::items(bytes) else { return };
    let mut state = handover::State::new("1.2.3");
    items.iter().for_each(|item| state.put(item));
    assert_eq!(handover::items(&state.into_bytes()), Ok(items));
}

/// What comes in by the operator's socket, and what his command reads from it.
pub fn operator(mut bytes: &[u8]) {
    let mut reader = FrameReader::new();
    while matches!(reader.fill(|buffer| std::io::Read::read(&mut bytes, buffer)), Ok((1.., _))) {
        while let Ok(Some(frame)) = reader.next_frame() {
            if let Ok(ask) = frame.control::<ctl::Ask>() {
                assert_eq!(said(&ask), ask);
            }
            if let Ok(answer) = frame.control::<ctl::Answer>() {
                assert_eq!(said(&answer), answer);
            }
        }
    }
}

/// A control message as the other side understands it.
fn said<T: serde::Serialize + serde::de::DeserializeOwned>(message: &T) -> T {
    let mut bytes = Vec::new();
    put_control(&mut bytes, message);
    let (mut reader, mut rest) = (FrameReader::new(), &bytes[..]);
    while !rest.is_empty() {
        reader.fill(|buffer| std::io::Read::read(&mut rest, buffer)).expect("a slice can be read");
    }
    reader.next_frame().expect("a frame").expect("a whole one").control().expect("what was put into it")
}

/// What comes at the door where numbers are read over HTTP.
pub fn http(bytes: &[u8]) {
    let whole = metrics::http::read(bytes);
    assert!(whole.is_some() || bytes.len() < metrics::http::LONGEST);
    // What was whole is not read otherwise when less of it has come: either it was whole already, or it is not yet.
    for cut in 0..bytes.len().min(200) {
        let part = metrics::http::read(&bytes[..cut]);
        if let (Some((Head::Asks { page, .. }, _)), Some((Head::Asks { page: other, .. }, _))) = (&part, &whole) {
            assert_eq!(page, other);
        }
    }
    let _ = metrics::http::ended(bytes);
}

/// What a proxy says first, and what a worker makes of it for the listener. The first byte says where the reads are split.
pub fn proxy(bytes: &[u8]) {
    if let Some(name) = Name::of(bytes) {
        assert_eq!(Name::of(&name.bytes()), Some(name));
    }
    if let Some(named) = Named::of(bytes) {
        assert_eq!(Named::of(&named.bytes()), Some(named));
    }
    let Some((split, bytes)) = bytes.split_first() else { return };
    let whole = header(bytes.chunks(bytes.len().max(1)));
    let split = header(bytes.chunks(1 + usize::from(*split)));
    assert_eq!(split.0, whole.0);
    if matches!(whole.0, Opened::Data(_)) {
        assert_eq!(split.1, whole.1, "nothing behind it is taken");
    }
}

/// What a header says, and how much was taken for it.
fn header<'a>(reads: impl Iterator<Item = &'a [u8]>) -> (Opened<proxy::Speaks>, usize) {
    let (mut header, mut taken) = (Header::default(), 0);
    for read in reads {
        let mut input = read;
        let opened = header.open(&mut input);
        taken += read.len() - input.len();
        assert!(taken <= proxy::LONGEST, "it has a bound");
        if opened != Opened::More {
            return (opened, taken);
        }
        assert!(input.is_empty(), "what waits for more has used everything");
    }
    (Opened::More, taken)
}
