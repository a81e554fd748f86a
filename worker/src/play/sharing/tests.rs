use super::*;
use crate::peer::between::Between;
use proptest::prelude::*;
use ssmglobal_ipc::{PlayHow, PlayStarted, Secret};

/// What was said to a telnet client, without telnet; and what that has heard besides.
#[derive(Default)]
struct Seen {
    text: Vec<u8>,
    hidden: Option<bool>,
    prompts: usize,
}

/// All that waits for one of them, as its worker reads it.
fn seen(sharers: &mut Sharers, number: usize, client: &mut Telnet) -> Seen {
    let mut seen = Seen::default();
    let mut answers = Vec::new();
    let out = std::mem::take(sharers.out(number).unwrap().bytes());
    let mut input = out.as_slice();
    while let Some(event) = client.next(&mut input, &mut answers) {
        match event {
            Event::Data(text) => seen.text.extend_from_slice(text),
            Event::HideInput(hidden) => seen.hidden = Some(hidden),
            Event::PromptEnd => seen.prompts += 1,
            _ => {}
        }
    }
    sharers.heard(number, &answers);
    seen
}

fn client() -> Telnet {
    Telnet::new(ssmglobal_telnet::Role::Client)
}

/// A game that is played, in which the world has said this.
fn played(said: &[u8]) -> (Play, Stack) {
    let (mut play, mut stack) = (Play::default(), Stack::default());
    stack.play(Some(Between::new(false)));
    play.connected(true, &mut stack, &mut Vec::new(), Instant::now());
    play.said(&mut &*said, &mut stack, &mut Vec::new(), Instant::now());
    (play, stack)
}

fn typed(play: &mut Play, number: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while play.has_shared(number) {
        play.take_shared(number, &mut out, Instant::now());
    }
    out
}

#[test]
fn who_comes_later_sees_the_end_of_what_was_said_and_then_what_is_said() {
    let (mut play, mut stack) = played(b"first\r\nsecond\r\n> ");
    assert!(play.share(&mut stack));
    let mut client = client();
    assert_eq!(seen(play.sharers(), 0, &mut client).text, b"first\r\nsecond\r\n> ");
    play.said(&mut "größer\r\n".as_bytes(), &mut stack, &mut Vec::new(), Instant::now());
    assert_eq!(seen(play.sharers(), 0, &mut client).text, "größer\r\n".as_bytes());
    // What was said over another connection to the world is not shown again.
    play.connected(true, &mut stack, &mut Vec::new(), Instant::now());
    assert!(play.share(&mut stack));
    assert_eq!(seen(play.sharers(), 1, &mut super::tests::client()).text, b"");
}

#[test]
fn no_more_share_a_game_than_may() {
    let (mut play, mut stack) = played(b"");
    for _ in 0..MOST {
        assert!(play.share(&mut stack));
    }
    assert!(!play.share(&mut stack));
    play.unshare(3);
    assert!(play.share(&mut stack));
    play.unshare_all();
    assert!(!play.is_shared());
}

#[test]
fn hidden_input_and_prompts_are_theirs_too() {
    let (mut play, mut stack) = played(b"\xff\xfb\x01Password: ");
    assert!(play.share(&mut stack));
    let mut client = client();
    assert_eq!(seen(play.sharers(), 0, &mut client).hidden, Some(true));
    play.said(&mut &b"\xff\xfc\x01\r\n> \xff\xf9"[..], &mut stack, &mut Vec::new(), Instant::now());
    let seen = seen(play.sharers(), 0, &mut client);
    assert_eq!((seen.hidden, seen.prompts, seen.text.as_slice()), (Some(false), 1, &b"\r\n> "[..]));
}

#[test]
fn a_byte_that_is_telnets_own_is_doubled_before_anything_was_answered() {
    let mut sharers = Sharers::default();
    sharers.add(b"a\xff\xffb", false, false);
    sharers.shows(b"\xffc", Charset::Utf8);
    assert_eq!(seen(&mut sharers, 0, &mut client()).text, b"a\xff\xffb\xffc");
}

#[test]
fn lines_go_to_the_world_in_its_characters_and_none_of_them_is_for_us() {
    let (mut play, mut stack) = played(b"");
    play.outward = Converter::new(Charset::Utf8, Charset::Latin1);
    play.share(&mut stack);
    play.sharers().heard(0, "look\r\n//größer\r\nhal".as_bytes());
    assert_eq!(typed(&mut play, 0), b"look\r\n//gr\xf6\xdfer\r\n");
    play.sharers().heard(0, b"f\n");
    assert_eq!(typed(&mut play, 0), b"half\r\n");
}

#[test]
fn a_line_that_is_too_long_does_not_go_and_its_sender_is_told() {
    let (mut play, mut stack) = played(b"");
    play.share(&mut stack);
    let mut client = client();
    seen(play.sharers(), 0, &mut client);
    let long = [vec![b'x'; 3 * super::super::gate::LIMIT], b"\r\nlook\r\n".to_vec()].concat();
    play.sharers().heard(0, &long);
    assert_eq!(typed(&mut play, 0), b"look\r\n");
    assert_eq!(seen(play.sharers(), 0, &mut client).text, format!("{}\r\n", words::TOO_LONG).as_bytes());
}

#[test]
fn one_who_does_not_read_is_waited_for_for_a_time_from_when_there_is_too_much() {
    let (mut waited, mut out, now) = (Waited::default(), Outbox::default(), Instant::now());
    out.bytes().extend_from_slice(b"abc");
    waited.has_written(&out, 3, now);
    assert_eq!(waited.due_at(), None);
    out.bytes().extend_from_slice(b"d");
    waited.has_written(&out, 3, now);
    // A little that was read does not begin it anew.
    out.has_written(1);
    waited.has_written(&out, 3, now + PATIENCE / 2);
    assert_eq!(waited.due_at(), Some(now + PATIENCE));
    assert!(!waited.look(now + PATIENCE / 2) && waited.look(now + PATIENCE) && waited.is_given_up());
    assert!(!waited.look(now + 2 * PATIENCE) && waited.due_at().is_none());
    out.has_written(3);
    waited.has_written(&out, 3, now);
    assert!(!waited.is_given_up());
}

fn started(how: PlayHow) -> PlayStarted {
    let terms = r#"{"grace_seconds": 600, "sessions": "shared"}"#;
    PlayStarted { world: "zoo".to_owned(), terms: terms.to_owned(), how, word: Secret::new("aaaa"), ticket: None }
}

#[test]
fn a_game_is_kept_as_long_as_others_see_it_and_then_for_the_grace_of_one_who_can_come_back() {
    for known in [true, false] {
        let (mut play, mut stack) = played(b"");
        play.started(&started(PlayHow::New));
        play.share(&mut stack);
        play.leaves_to_sharers(known);
        let later = Instant::now() + Duration::from_secs(3600);
        assert!(play.is_alone() && !play.is_over(later));
        play.unshare(0);
        assert_eq!((play.is_over(Instant::now()), play.is_over(later)), (!known, true));
    }
}

#[test]
fn one_who_shares_a_game_is_not_kept_and_shares_the_next_connection_too() {
    let (mut play, mut stack) = played(b"");
    play.started(&started(PlayHow::Shared));
    assert!(!play.stays_alone(true, 0, &mut stack));
    play.started(&started(PlayHow::Waits));
    assert!(!play.asks().again);
    play.started(&started(PlayHow::New));
    assert!(play.asks().again);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_the_same_however_they_come_and_whoever_goes_on(
        pieces in prop::collection::vec(prop::collection::vec(
            prop::sample::select(&b"ab/\r\n\0\xff\xf1\xc3\xb6"[..]), 0..12), 0..12),
    ) {
        let (mut whole, mut stack) = played(b"");
        whole.share(&mut stack);
        let (mut split, mut other) = played(b"");
        split.share(&mut other);
        whole.sharers().heard(0, &pieces.concat());
        let mut lines = Vec::new();
        for piece in &pieces {
            split.sharers().heard(0, piece);
            let moved = serde_json::to_string(split.sharers()).unwrap();
            *split.sharers() = serde_json::from_str(&moved).unwrap();
            lines.extend(typed(&mut split, 0));
        }
        prop_assert_eq!(typed(&mut whole, 0), lines);
    }
}
