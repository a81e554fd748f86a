//! What holds for every input: splits do not matter, memory and output are bounded, negotiation ends.

use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_telnet::{Event, Line, LineReader, Telnet, Terminal};

const LIMIT: usize = 40;
const SUBNEGOTIATION_LIMIT: usize = 512;

/// Both machines as a worker joins them, and everything they said.
struct Session {
    telnet: Telnet,
    lines: LineReader,
    events: Vec<String>,
    data: Vec<u8>,
    out: Vec<u8>,
}

/// What must not depend on the reads.
type Outcome = (Vec<String>, Vec<u8>, Terminal, bool, bool);

impl Session {
    fn new(people: bool) -> Self {
        let (mut telnet, mut out) = (Telnet::new(), Vec::new());
        let mut lines = LineReader::new();
        lines.set_limit(LIMIT);
        lines.set_editing(people);
        lines.set_return_ends_line(people);
        if people {
            telnet.offer(&mut out);
        }
        Self { telnet, lines, events: Vec::new(), data: Vec::new(), out }
    }

    /// Takes one event and the line it may end. False when the input is used up.
    fn step(&mut self, input: &mut &[u8]) -> bool {
        let Some(event) = self.telnet.next(input, &mut self.out) else { return false };
        match event {
            Event::Data(mut data) => {
                self.data.extend_from_slice(data);
                let before = self.events.len();
                while let Some(line) = self.lines.next(&mut data) {
                    self.events.push(text(line));
                }
                assert!(self.events.len() <= before + 1, "one piece of data ends one line");
                assert!(data.is_empty());
                return true;
            }
            Event::Interrupt => self.lines.clear(),
            Event::EraseCharacter => self.lines.erase_character(),
            Event::EraseLine => self.lines.erase_line(),
            Event::Terminal | Event::Alive => {}
        }
        self.events.push(format!("{event:?} after {:?}", self.data));
        true
    }

    fn read(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while self.step(&mut input) {
            assert!(self.lines.capacity() <= LIMIT + 1);
            assert!(self.telnet.capacity() <= SUBNEGOTIATION_LIMIT);
        }
        assert!(input.is_empty());
    }

    fn outcome(mut self) -> Outcome {
        self.events.push(format!("{:?}", self.data));
        let partial = self.lines.is_partial();
        (self.events, self.out, self.telnet.terminal().clone(), self.telnet.speaks_telnet(), partial)
    }
}

fn text(line: Line<'_>) -> String {
    match line {
        Line::Text(text) => format!("={text}"),
        other => format!("{other:?}"),
    }
}

/// Options that mean something here, and some that do not.
fn option() -> impl Strategy<Value = u8> {
    prop_oneof![4 => prop::sample::select(vec![1_u8, 3, 6, 24, 25, 31, 39, 42]), 1 => any::<u8>()]
}

fn subnegotiation() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        vec(any::<u8>(), 0..8),
        Just(b"\x00\x50\x00\x18".to_vec()),
        Just(b"\x00\xff\xff\x00\x18".to_vec()),
        Just(b"\x00XTERM".to_vec()),
        Just(b"\x00MTTS 13".to_vec()),
        Just(b"\x01;ASCII;UTF-8".to_vec()),
        Just(b"\x02UTF-8".to_vec()),
        Just(b"\x03".to_vec()),
        Just(vec![b'x'; SUBNEGOTIATION_LIMIT]),
    ];
    let end = prop_oneof![8 => Just(&b"\xff\xf0"[..]), 1 => Just(&b"\xff\xfb"[..]), 1 => Just(&b""[..])];
    (option(), body, end).prop_map(|(option, body, end)| [&[255, 250, option], &body[..], end].concat())
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let ends = [&b"\n"[..], b"\r\n", b"\r\0", b"\r", b"\0", b"\xff\xff", b"\xff", b"\x08", b"\x17", b"\x15"];
    prop_oneof![
        4 => "[a-zé€ ]{0,12}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..60),
        6 => prop::sample::select(ends.to_vec()).prop_map(<[u8]>::to_vec),
        2 => (236_u8..=250).prop_map(|command| vec![255, command]),
        4 => (251_u8..=254, option()).prop_map(|(verb, option)| vec![255, verb, option]),
        3 => subnegotiation(),
    ]
}

fn transcript() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..30).prop_map(|pieces| pieces.concat())
}

fn whole(people: bool, bytes: &[u8]) -> Outcome {
    let mut session = Session::new(people);
    session.read(bytes);
    session.outcome()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn reads_may_be_split_anywhere(people: bool, bytes in transcript(), sizes in vec(1_usize..9, 1..20)) {
        let mut session = Session::new(people);
        let (mut rest, mut sizes) = (&bytes[..], sizes.iter().cycle());
        while !rest.is_empty() {
            let size = sizes.next().map_or(1, |size| *size.min(&rest.len()));
            let (read, later) = rest.split_at(size);
            session.read(read);
            rest = later;
        }
        prop_assert_eq!(session.outcome(), whole(people, &bytes));
    }

    #[test]
    fn every_single_split_gives_the_same(people: bool, bytes in transcript()) {
        let expected = whole(people, &bytes);
        for at in 0..=bytes.len().min(200) {
            let mut session = Session::new(people);
            let (first, second) = bytes.split_at(at);
            session.read(first);
            session.read(second);
            prop_assert_eq!(&session.outcome(), &expected);
        }
    }

    #[test]
    fn lines_alone_may_be_split_anywhere(people: bool, bytes in vec(prop_oneof![
        Just(b'a'), Just(b' '), Just(b'\r'), Just(b'\n'), Just(0), Just(8), Just(0x17), Just(0x15), any::<u8>(),
    ], 0..300), limit in 0_usize..12, size in 1_usize..20) {
        let read_all = |size: usize| {
            let mut lines = LineReader::new();
            lines.set_limit(limit);
            lines.set_editing(people);
            lines.set_return_ends_line(people);
            let mut found = Vec::new();
            for read in bytes.chunks(size) {
                let mut input = read;
                while let Some(line) = lines.next(&mut input) {
                    found.push(text(line));
                }
                assert!(lines.capacity() <= limit + 1);
            }
            (found, lines.is_partial())
        };
        prop_assert_eq!(read_all(size), read_all(1000));
        prop_assert_eq!(read_all(1), read_all(1000));
    }

    #[test]
    fn an_owner_that_stops_loses_nothing(bytes in transcript(), sizes in vec(1_usize..50, 1..10)) {
        // One event per turn; what is left waits in a queue that reads are added to.
        let mut session = Session::new(true);
        let (mut queue, mut rest, mut sizes) = (Vec::new(), &bytes[..], sizes.iter().cycle());
        while !rest.is_empty() || !queue.is_empty() {
            let size = sizes.next().map_or(1, |size| *size.min(&rest.len()));
            let (read, later) = rest.split_at(size);
            queue.extend_from_slice(read);
            rest = later;
            let mut input = queue.as_slice();
            session.step(&mut input);
            queue = input.to_vec();
        }
        prop_assert_eq!(session.outcome(), whole(true, &bytes));
    }

    /// Nor is one that was cut anywhere; what it lacks may be anything but an end.
    #[test]
    fn no_line_is_lost_behind_a_sequence_without_an_end(option in option(), body in vec(0_u8..255, 0..600)) {
        prop_assume!(option != 255);
        let bytes = [&[255, 250, option][..], &body, b"\r\nHW\r\n"].concat();
        let (lines, _, _, _, partial) = whole(true, &bytes);
        prop_assert_eq!(lines.iter().rev().nth(1).map(String::as_str), Some("=HW"), "{:?}", lines);
        prop_assert!(!partial);
    }

    #[test]
    fn anything_may_come(people: bool, bytes in vec(prop_oneof![any::<u8>(), 236_u8..=255, Just(255)], 0..3000)) {
        let mut session = Session::new(people);
        let offers = session.out.len();
        session.read(&bytes);
        prop_assert!(session.out.len() <= offers + 5 * bytes.len());
    }

    #[test]
    fn output_is_bounded_by_input(bytes in transcript()) {
        let mut session = Session::new(false);
        session.read(&bytes);
        prop_assert!(session.out.len() <= 5 * bytes.len());
        let commands = session.telnet.speaks_telnet();
        prop_assert!(commands || session.out.is_empty());
    }

    /// A peer that answers each of our commands with whatever it likes, several times, for ever.
    #[test]
    fn no_peer_can_keep_us_answering(table in vec(vec(251_u8..=254, 0..3), 4), owner in vec(any::<bool>(), 0..6)) {
        let (mut telnet, mut ours) = (Telnet::new(), Vec::new());
        telnet.offer(&mut ours);
        for hidden in owner {
            telnet.hide_input(hidden, &mut ours);
        }
        let mut said = 0;
        while !ours.is_empty() {
            said += ours.len();
            prop_assert!(said < 20_000, "no end");
            let theirs = contrary(&ours, &table);
            ours.clear();
            let mut input = theirs.as_slice();
            while telnet.next(&mut input, &mut ours).is_some() {}
        }
    }
}

/// Answers every command in `ours` with the verbs that the table has for it, about the same option.
fn contrary(ours: &[u8], table: &[Vec<u8>]) -> Vec<u8> {
    let mut theirs = Vec::new();
    for command in ours.windows(3) {
        let &[255, verb @ 251..=254, option] = command else { continue };
        for answer in table.get(usize::from(verb - 251)).into_iter().flatten() {
            theirs.extend_from_slice(&[255, *answer, option]);
        }
    }
    theirs
}
