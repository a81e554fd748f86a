//! Nothing that is typed is lost, doubled or out of order, however it comes and whatever is set meanwhile.

use super::*;
use proptest::prelude::*;

/// What comes of it, to be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Came {
    world: Vec<u8>,
    lines: Vec<(Option<String>, bool)>,
    us: Vec<String>,
    too_long: usize,
    /// All of it, in its order.
    all: Vec<u8>,
}

impl Came {
    fn through(&mut self, gate: &mut Gate, mut input: &[u8]) {
        while let Some(passed) = gate.next(&mut input) {
            match passed {
                Passed::ToWorld(bytes) => {
                    self.world.extend_from_slice(bytes);
                    self.all.extend_from_slice(bytes);
                }
                Passed::Line { rest, line, hidden } => {
                    self.world.extend_from_slice(rest);
                    self.all.extend_from_slice(rest);
                    self.lines.push((line.map(|line| String::from_utf8_lossy(line).into_owned()), hidden));
                }
                Passed::ForUs(text) => {
                    self.all.extend_from_slice(text.as_bytes());
                    self.all.extend_from_slice(END);
                    self.us.push(text);
                }
                Passed::TooLong => self.too_long += 1,
            }
        }
        assert!(input.is_empty());
    }

    fn line(text: &str) -> (Option<String>, bool) {
        (Some(text.to_owned()), false)
    }
}

fn gate() -> Gate {
    Gate::new(Some(&Escape::default()), Charset::Utf8)
}

fn came(gate: &mut Gate, pieces: &[&[u8]]) -> Came {
    let mut came = Came::default();
    pieces.iter().for_each(|piece| came.through(gate, piece));
    came
}

#[test]
fn lines_go_on_whole_and_all_ends_are_one() {
    let mut gate = gate();
    let first = came(&mut gate, &[b"look\r\nsay hi\nsay ho\r\0\rnor", b"th"]);
    assert_eq!(first.world, b"look\r\nsay hi\r\nsay ho\r\n\r\n");
    assert_eq!(first.lines, ["look", "say hi", "say ho", ""].map(Came::line));
    assert!(!gate.line.is_empty());
    let second = came(&mut gate, &[b"\r", b"\n\n"]);
    assert_eq!((second.world.as_slice(), !gate.line.is_empty()), (&b"north\r\n\r\n"[..], false));
}

#[test]
fn what_begins_with_the_escape_is_for_us_and_with_two_of_them_it_is_not() {
    let mut gate = gate();
    let came = came(&mut gate, &[b"//who\r\n////x\r\n/ x\r\n//\r\n //x\r\n///x\r\n"]);
    assert_eq!(came.us, ["who", "", "/x"]);
    assert_eq!(came.world, b"//x\r\n/ x\r\n //x\r\n");
    assert_eq!(came.lines, ["//x", "/ x", " //x"].map(Came::line));
}

#[test]
fn lines_for_us_are_edited_and_read_in_the_players_characters() {
    let mut koi = Gate::new(Escape::new("§").as_ref(), Charset::Latin1);
    assert_eq!(came(&mut koi, &[b"\xa7tell zo\xeb\n\xa7\xa7x\n"]).us, ["tell zoë"]);
    assert_eq!(came(&mut gate(), &[b"//whp\x08o\x1b[A\n//tell zo\xff\n"]).us, ["who", "tell zo\u{fffd}"]);
    let mut off = Gate::new(None, Charset::Utf8);
    assert_eq!(came(&mut off, &[b"//who\n////who\n"]).world, b"//who\r\n////who\r\n");
}

#[test]
fn escapes_are_of_one_to_three_characters_that_can_be_seen() {
    for text in ["/", "//", "%%%", "§"] {
        assert!(Escape::new(text).is_some(), "{text}");
    }
    for text in ["", "////", " /", "\r", "\u{202e}"] {
        assert!(Escape::new(text).is_none(), "{text:?}");
    }
}

#[test]
fn nothing_of_a_password_is_for_us() {
    let mut gate = gate();
    gate.set_hidden(true);
    let hidden = came(&mut gate, &[b"//hunter2\r", b"////\n"]);
    assert_eq!((hidden.world.as_slice(), hidden.us.len()), (&b"//hunter2\r\n////\r\n"[..], 0));
    assert_eq!(hidden.lines, [(Some("//hunter2".to_owned()), true), (Some("////".to_owned()), true)]);
    gate.set_hidden(false);
    assert_eq!(came(&mut gate, &[b"\n//who\n"]).us, ["who"]);
    // Typed ahead of the question.
    came(&mut gate, &[b"//hun"]);
    assert!(gate.is_quiet());
    gate.set_hidden(true);
    assert!(!gate.is_quiet());
    gate.set_hidden(false);
    assert_eq!(came(&mut gate, &[b"ter2\n"]).lines, [(Some("//hunter2".to_owned()), true)]);
}

#[test]
fn every_key_goes_at_once_where_the_world_wants_that() {
    let mut gate = gate();
    assert!(came(&mut gate, &[b"no"]).world.is_empty());
    gate.set_mode(Mode::Character);
    assert_eq!(came(&mut gate, &[b""]).world, b"no");
    assert_eq!(came(&mut gate, &[b"r"]).world, b"r");
    let ended = came(&mut gate, &[b"th\r", b"\n//x\x1b[A"]);
    assert_eq!(ended.world, b"th\r\n//x\x1b[A");
    assert_eq!(ended.lines, [Came::line("north")]);
    gate.set_mode(Mode::Line);
    assert_eq!(came(&mut gate, &[b"y", b"\n//who\n"]).us, ["who"]);
}

#[test]
fn a_line_that_is_for_us_already_stays_ours() {
    let mut gate = gate();
    came(&mut gate, &[b"//wh"]);
    gate.set_mode(Mode::Character);
    let ours = came(&mut gate, &[b"o", b"\r\n//who\r\n"]);
    assert_eq!((ours.us, ours.world.as_slice()), (vec!["who".to_owned()], &b"//who\r\n"[..]));
}

#[test]
fn a_line_over_the_limit_goes_in_parts_and_one_for_us_is_refused() {
    let mut gate = gate();
    gate.set_limit(64);
    let (fits, long) = ("x".repeat(64), "y".repeat(1000));
    let mut limits = came(&mut gate, &[fits.as_bytes(), b"\r\n", long.as_bytes(), b"//z\r\nnext\r\n"]);
    assert_eq!(limits.world, format!("{fits}\r\n{long}//z\r\nnext\r\n").as_bytes());
    assert_eq!(limits.lines, [Came::line(&fits), (None, false), Came::line("next")]);
    limits = came(&mut gate, &[b"//", long.as_bytes(), b"\r\n////", long.as_bytes(), b"\r\n//who\r\n"]);
    assert_eq!((limits.too_long, limits.us), (1, vec!["who".to_owned()]));
    assert_eq!(limits.world, format!("//{long}\r\n").as_bytes());
}

#[test]
fn nothing_that_is_typed_is_shown() {
    let mut gate = gate();
    let mut input: &[u8] = b"hunter2\nhunt";
    assert_eq!(format!("{:?}", gate.next(&mut input)), "Some(Line(9 bytes, hidden: false))");
    assert!(gate.next(&mut input).is_none());
    assert!(!format!("{gate:?}").contains("hunt"));
}

/// All lines' ends become CR LF; half a line stays so.
fn with_ends(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((byte, behind)) = rest.split_first() {
        rest = match byte {
            b'\n' => behind,
            b'\r' => behind.strip_prefix(b"\n").or(behind.strip_prefix(b"\0")).unwrap_or(behind),
            _ => {
                out.push(*byte);
                rest = behind;
                continue;
            }
        };
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn typed() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(&b"ab/"[..]),
        2 => prop::sample::select(&b"\r\n\0"[..]),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..300)
}

/// What happens between two pieces.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Mode(Mode),
    Hidden(bool),
    Move,
    Nothing,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop::sample::select(
        &[
            Turn::Mode(Mode::Line),
            Turn::Mode(Mode::Character),
            Turn::Hidden(true),
            Turn::Hidden(false),
            Turn::Move,
            Turn::Nothing,
        ][..],
    )
}

fn take(turn: Turn, gate: &mut Gate) {
    match turn {
        Turn::Mode(mode) => gate.set_mode(mode),
        Turn::Hidden(hidden) => gate.set_hidden(hidden),
        Turn::Move => {
            let moved = serde_json::to_string(gate).unwrap();
            *gate = serde_json::from_str(&moved).unwrap();
        }
        Turn::Nothing => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn nothing_is_lost_or_out_of_order_whatever_happens(
        pieces in prop::collection::vec((typed(), turn()), 0..12), limit in 64_usize..200,
    ) {
        let mut gate = Gate::new(None, Charset::Utf8);
        gate.set_limit(limit);
        let (mut all, mut came) = (Vec::new(), Came::default());
        for (piece, turn) in &pieces {
            take(*turn, &mut gate);
            came.through(&mut gate, piece);
            all.extend_from_slice(piece);
        }
        gate.set_mode(Mode::Character);
        came.through(&mut gate, b"");
        // The last CR may be half of an end, and is a whole one.
        prop_assert_eq!(came.world, with_ends(&all));
    }

    #[test]
    fn with_an_escape_too_each_line_keeps_its_place(
        pieces in prop::collection::vec((prop::collection::vec(prop::sample::select(&b"abc/\r\n"[..]), 0..40), turn()), 0..12),
    ) {
        let (mut gate, mut all, mut came) = (gate(), Vec::new(), Came::default());
        for (piece, turn) in &pieces {
            take(*turn, &mut gate);
            came.through(&mut gate, piece);
            all.extend_from_slice(piece);
        }
        came.through(&mut gate, b"x\n");
        all.extend_from_slice(b"x\n");
        // Of escapes some are ours; nothing else is.
        let without = |bytes: &[u8]| bytes.iter().copied().filter(|byte| *byte != b'/').collect::<Vec<u8>>();
        prop_assert_eq!(without(&came.all), without(&with_ends(&all)));
    }

    #[test]
    fn split_anywhere_it_is_the_same(bytes in typed(), mode in prop::sample::select(&[Mode::Line, Mode::Character][..]), hidden: bool, limit in 64_usize..100) {
        let start = || {
            let mut gate = Gate::new(Escape::new("/").as_ref(), Charset::Utf8);
            gate.set_limit(limit);
            gate.set_mode(mode);
            gate.set_hidden(hidden);
            gate
        };
        let whole = came(&mut start(), &[&bytes]);
        for at in 0..=bytes.len() {
            let (first, second) = bytes.split_at(at);
            let mut gate = start();
            let mut split = came(&mut gate, &[first]);
            take(Turn::Move, &mut gate);
            split.through(&mut gate, second);
            prop_assert_eq!(&split, &whole);
        }
    }

    #[test]
    fn each_line_goes_to_one_of_the_two(lines in prop::collection::vec("(//?|////)?[a-z]{0,5}", 0..20)) {
        let typed: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let came = came(&mut gate(), &[typed.as_bytes()]);
        let ours = |line: &&String| line.starts_with("//") && !line.starts_with("////");
        let us: Vec<String> = lines.iter().filter(ours).map(|line| line[2..].to_owned()).collect();
        let world: String = lines
            .iter()
            .filter(|line| !ours(line))
            .map(|line| format!("{}\r\n", if line.starts_with("////") { &line[2..] } else { line }))
            .collect();
        prop_assert_eq!((came.us, came.world), (us, world.into_bytes()));
    }
}
