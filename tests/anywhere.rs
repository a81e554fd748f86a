//! Clients whose workers are exchanged at any point of what they say: in the middle of a line, of telnet's words, of a question.
//! Each has a twin on a backend where nothing happens, and gets the same bytes as that.

use crate::harness::{Backend, Dice, MOVED, Wire};
use std::path::PathBuf;

/// Another version: as long as this one's, since it is written over it.
const OTHER: &str = "9.8.7";

/// What somebody does, cut anywhere.
struct Act {
    bytes: &'static [u8],
    /// A part of it is half a line, whose worker stays; telnet can be gone on with at any byte.
    is_line: bool,
    /// He is asked for this then, and answers that.
    asks: Option<(&'static str, &'static [u8])>,
    /// What the handler answers, who is slower than the worker: it is waited for, so that what comes then comes behind it.
    answer: &'static str,
}

const fn telnet(bytes: &'static [u8]) -> Act {
    Act { bytes, is_line: false, asks: None, answer: "" }
}

/// A line that the worker answers by itself.
const fn line(bytes: &'static [u8]) -> Act {
    Act { is_line: true, ..telnet(bytes) }
}

/// A line that the handler answers so.
const fn request(bytes: &'static [u8], answer: &'static str) -> Act {
    Act { answer, ..line(bytes) }
}

/// What people do at a terminal.
const PERSON: [Act; 17] = [
    telnet(b"\xff\xfb\x1f\xff\xfa\x1f\x00\x28\x00\x18\xff\xf0"),
    telnet(b"\xff\xfa\x1f\x00\x64\x00\x0d\xff\xf0"),
    telnet(b"\xff\xfb\x18\xff\xfa\x18\x00xterm-256color\xff\xf0"),
    telnet(b"\xff\xfd\x19\xff\xfd\x03"),
    telnet(b"\xff\xfd\x2a\xff\xfa\x2a\x03\xff\xf0"),
    telnet(b"\xff\xfa\x2a\x01;UTF-8\xff\xf0"),
    telnet(b"\xff\xf1\xff\xf6"),
    line(b"HELP TELL\r\n"),
    line(b"help mail\r"),
    line(b"\n"),
    line(b"caf\xc3\xa9 \xff\xff\r\n"),
    line(b"he\x08\x08HELP\xff\xf7P UNIVERSE\r\n"),
    line(b"STAY\r\n"),
    request(b"UNIVERSE WATCH\r\n", "You will be told when"),
    request(b"BOARDS\r\0", "board define"),
    Act { asks: Some(("player: ", b"nobody\r\n")), ..request(b"FINGER\r\n", "no player nobody") },
    Act {
        asks: Some(("Password: ", b"hunter22\r\n")),
        ..request(b"LOGIN nobody\r\n", "Name and password do not belong")
    },
];

/// What programs say.
const PROGRAM: [Act; 8] = [
    line(b"{\"cmd\": \"PING\", \"id\": 1}\r\n"),
    line(b"{\"cmd\": \"HW\"}\n"),
    line(b"not JSON at all \xff\xfb\x1f\r\n"),
    line(b"\xef\xbb\xbf{\"cmd\": \"HELP\", \"args\": {\"topic\": \"TELL\"}}\r\n"),
    line(b"{\"cmd\": \"STAY\"}\r\n"),
    request(b"{\"cmd\": \"MODE\", \"args\": {\"mode\": \"CLIENT\"}}\r\n", "Mode: CLIENT"),
    request(b"{\"cmd\": \"UNIVERSE WATCH\", \"id\": \"u\"}\r\n", "\"u\""),
    request(b"{\"cmd\": \"UNIVERSE SHOW\", \"id\": \"s\"}\r\n", "\"s\""),
];

/// A connection, and all that came over it.
struct Seen {
    wire: Wire,
    text: String,
}

impl Seen {
    fn at(backend: &Backend) -> Seen {
        Seen { wire: Wire::to(backend.at()), text: String::new() }
    }

    /// Reads up to this text.
    fn wait(&mut self, text: &str) {
        self.text += &self.wire.until(text);
    }

    /// Reads to the end.
    fn all(&mut self) -> &str {
        self.text += &self.wire.rest();
        &self.text
    }
}

/// Two who do the same, one of whom gets another worker now and then.
struct Twins {
    backend: Backend,
    quiet_backend: Backend,
    moves: Seen,
    stays: Seen,
    programs: [PathBuf; 2],
    upgrades: usize,
}

impl Twins {
    fn new() -> Twins {
        let start = || Backend::plan().config("players.failures_per_connection = 0\n").start();
        let (backend, quiet_backend) = (start(), start());
        let programs = [OTHER, env!("CARGO_PKG_VERSION")].map(|version| backend.of_version(version));
        let (moves, stays) = (Seen::at(&backend), Seen::at(&quiet_backend));
        Twins { backend, quiet_backend, moves, stays, programs, upgrades: 0 }
    }

    fn meet_again(&mut self) {
        (self.moves, self.stays) = (Seen::at(&self.backend), Seen::at(&self.quiet_backend));
    }

    fn send(&mut self, bytes: &[u8]) {
        self.moves.wire.send(bytes);
        self.stays.wire.send(bytes);
    }

    fn wait(&mut self, text: &str) {
        self.moves.wait(text);
        self.stays.wait(text);
    }

    /// Workers are exchanged; the one that is quiet goes on in another process before this comes back.
    fn upgrade(&mut self, is_quiet: bool) {
        let path = &self.programs[self.upgrades % 2];
        self.upgrades += 1;
        let mark = self.backend.log().mark();
        self.backend.ctl(&["upgrade", "--binary", path.to_str().expect("a path")]);
        if is_quiet {
            self.backend.log().wait_after(mark, MOVED);
        }
    }

    /// Both say these things, with an exchange here and there.
    fn act(&mut self, acts: &[Act], dice: &mut Dice) {
        for _ in 0..10 {
            let act = &acts[dice.roll(acts.len())];
            let (first, rest) = act.bytes.split_at(dice.roll(act.bytes.len()));
            let (second, third) = rest.split_at(dice.roll(rest.len() + 1));
            let mut said = 0;
            for part in [first, second, third].into_iter().filter(|part| !part.is_empty()) {
                self.send(part);
                said += part.len();
                let is_whole = said == act.bytes.len();
                if dice.roll(4) == 0 {
                    self.upgrade(if is_whole { act.asks.is_none() } else { !act.is_line });
                }
            }
            if let Some((question, answer)) = act.asks {
                self.wait(question);
                self.send(answer);
            }
            if !act.answer.is_empty() {
                self.wait(act.answer);
            }
        }
    }

    fn compare(&mut self, seed: u64) {
        self.send(b"\r\nQUIT\r\n{\"cmd\": \"QUIT\"}\r\n");
        let (moved, stayed) = (self.moves.all(), self.stays.all());
        assert_eq!(moved, stayed, "seed {seed}");
    }
}

/// Twins who begin so do all kinds of these things, and see the same.
fn check(acts: &[Act], begin: impl Fn(&mut Twins)) {
    let mut twins = Twins::new();
    for seed in 1..=12 {
        begin(&mut twins);
        twins.act(acts, &mut Dice(seed));
        twins.compare(seed);
        twins.meet_again();
    }
    assert!(twins.upgrades > 30, "{}", twins.upgrades);
}

#[test]
fn people_notice_nothing_wherever_they_were_in_what_they_said() {
    check(&PERSON, |twins| {
        // With the first word of telnet he is offered more, behind all that came together with that.
        twins.send(b"MODE HUMAN\r\n\xff\xf1HW\r\n");
        twins.wait("Hello, world!");
    });
}

#[test]
fn programs_notice_nothing_wherever_they_were_in_what_they_said() {
    check(&PROGRAM, |twins| twins.send(b"MODE CLIENT\r\n"));
}
