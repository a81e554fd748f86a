//! Both machines as an owner joins them, and what may be said to them.

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use ssmglobal_telnet::{Event, Line, LineReader, Presented, Role, Telnet, Terminal};

pub const LIMIT: usize = 40;
pub const SUBNEGOTIATION_LIMIT: usize = 512;

/// Who the owner has at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A program: lines are not edited, and nothing is offered.
    Program,
    /// A person at a terminal.
    Person,
    /// A game server, of which we are a client.
    Game,
}

impl Peer {
    pub fn role(self) -> Role {
        if self == Self::Game { Role::Client } else { Role::Server }
    }
}

pub fn peer() -> impl Strategy<Value = Peer> {
    prop::sample::select(vec![Peer::Program, Peer::Person, Peer::Game])
}

/// What we tell a game server, in which the longest answers lie.
pub fn presented() -> Presented {
    let name = |letter: &str| Some(letter.repeat(50).into());
    Presented {
        width: Some(255),
        height: Some(511),
        client: name("C"),
        name: name("T"),
        mtts: Some(u32::MAX),
        utf8: true,
        ..Presented::default()
    }
}

/// Both machines, and everything they said.
pub struct Session {
    pub telnet: Telnet,
    lines: LineReader,
    events: Vec<String>,
    data: Vec<u8>,
    pub out: Vec<u8>,
}

/// What must not depend on the reads.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub events: Vec<String>,
    pub out: Vec<u8>,
    terminal: Terminal,
    speaks_telnet: bool,
    hides_input: bool,
    pub partial: bool,
    quiet: bool,
}

impl Session {
    pub fn new(peer: Peer) -> Self {
        let (mut telnet, mut out) = (Telnet::new(peer.role()), Vec::new());
        if peer != Peer::Program {
            telnet.offer(&mut out);
        }
        telnet.present(presented(), &mut out);
        let lines = lines(peer == Peer::Person, LIMIT);
        Self { telnet, lines, events: Vec::new(), data: Vec::new(), out }
    }

    /// Takes one event and the line it may end. False when the input is used up.
    pub fn step(&mut self, input: &mut &[u8]) -> bool {
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
            Event::Interrupt => self.lines.interrupt(),
            Event::EraseCharacter => self.lines.erase_character(),
            Event::EraseLine => self.lines.erase_line(),
            _ => {}
        }
        self.events.push(format!("{event:?} after {:?}", self.data));
        true
    }

    pub fn read(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while self.step(&mut input) {
            assert!(self.lines.capacity() <= LIMIT + 1);
            assert!(self.telnet.capacity() <= SUBNEGOTIATION_LIMIT);
        }
        assert!(input.is_empty());
    }

    /// Goes on as another program does that was left the states.
    pub fn go_on_elsewhere(&mut self) {
        self.telnet = moved(&self.telnet);
        self.lines = moved(&self.lines);
    }

    pub fn outcome(mut self) -> Outcome {
        self.events.push(format!("{:?}", self.data));
        Outcome {
            terminal: self.telnet.terminal().clone(),
            speaks_telnet: self.telnet.speaks_telnet(),
            hides_input: self.telnet.hides_input(),
            partial: self.lines.is_partial(),
            quiet: self.telnet.is_quiet() && self.lines.is_quiet(),
            events: self.events,
            out: self.out,
        }
    }
}

/// What comes of these bytes in one read.
pub fn whole(peer: Peer, bytes: &[u8]) -> Outcome {
    let mut session = Session::new(peer);
    session.read(bytes);
    session.outcome()
}

/// A reader as people or programs have it.
pub fn lines(people: bool, limit: usize) -> LineReader {
    let mut lines = LineReader::new();
    lines.set_limit(limit);
    lines.set_editing(people);
    lines.set_return_ends_line(people);
    lines.set_swallowing(people);
    lines
}

pub fn text(line: Line<'_>) -> String {
    match line {
        Line::Text(text) => format!("={text}"),
        Line::NotUtf8(bytes) => format!("not UTF-8: {bytes:?}"),
        other => format!("{other:?}"),
    }
}

/// What another program makes of a state that it was left.
pub fn moved<T: Serialize + DeserializeOwned>(machine: &T) -> T {
    serde_json::from_str(&serde_json::to_string(machine).unwrap()).unwrap()
}

/// Options that mean something here, and some that do not.
pub fn option() -> impl Strategy<Value = u8> {
    prop_oneof![4 => prop::sample::select(vec![0_u8, 1, 3, 6, 24, 25, 31, 39, 42]), 1 => any::<u8>()]
}

fn subnegotiation() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        vec(any::<u8>(), 0..8),
        Just(b"\x00\x50\x00\x18".to_vec()),
        Just(b"\x00\xff\xff\x00\x18".to_vec()),
        Just(b"\x00XTERM".to_vec()),
        Just(b"\x01".to_vec()),
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
    let keys =
        [&b"\x1b"[..], b"\x1b[", b"\x1b[D", b"\x1bOA", b"\x1b[3~", b"\x1b[[A", b"\x1b\xc3\xbc", b"\xc3", b"\x1b[1;5"];
    prop_oneof![
        4 => "[a-zé€ ]{0,12}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..60),
        6 => prop::sample::select(ends.to_vec()).prop_map(<[u8]>::to_vec),
        2 => prop::sample::select(keys.to_vec()).prop_map(<[u8]>::to_vec),
        2 => (236_u8..=250).prop_map(|command| vec![255, command]),
        4 => (251_u8..=254, option()).prop_map(|(verb, option)| vec![255, verb, option]),
        3 => subnegotiation(),
        1 => Just(b"\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0\xff\xfd\x1f".to_vec()),
        1 => Just(b"\xff\xfd\x2a\xff\xfb\x2a\xff\xfa\x2a\x01;UTF-8\xff\xf0".to_vec()),
    ]
}

pub fn transcript() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..30).prop_map(|pieces| pieces.concat())
}
