//! What holds whatever is said: the reads do not matter, nothing is said for ever, data arrives as it was, and both sides end with
//! the same options.

use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_telnet::{Bridge, FromWorld, Role, Telnet, option};

use crate::program::Program;
use crate::talk::{Talk, terms};

fn options() -> impl Strategy<Value = u8> {
    let known = vec![0_u8, 1, 3, 6, 24, 25, 31, 34, 39, 42, 69, 70, 86, 87, 90, 91, 150, 151, 200, 201];
    // Two numbers are line ends, and no options.
    let any = any::<u8>().prop_filter("a line end", |option| !matches!(option, 10 | 13));
    prop_oneof![6 => prop::sample::select(known), 1 => any]
}

fn subnegotiation() -> impl Strategy<Value = Vec<u8>> {
    let bodies: [&[u8]; 10] = [
        b"",
        b"\x01",
        b"\x00XTERM",
        b"\x00MTTS 13",
        b"\x00\x50\x00\x18",
        b"\x01;UTF-8;KOI8-R",
        b"\x02UTF-8",
        b"\x01\x00MTTS\x00X",
        b"Core.Hello {}",
        b"Core.Supports.Set [\"A 1\"]\r\n",
    ];
    // Where an option stands, 255 begins a command.
    let option = options().prop_filter("a command", |option| *option != 255);
    (option, prop_oneof![prop::sample::select(bodies.to_vec()).prop_map(<[u8]>::to_vec), vec(any::<u8>(), 0..9)])
        .prop_map(|(option, body)| {
            let doubled: Vec<u8> = body.iter().flat_map(|byte| vec![*byte; if *byte == 255 { 2 } else { 1 }]).collect();
            [&[255, 250, option][..], &doubled, &[255, 240]].concat()
        })
}

/// A piece of what may come from either side. Compression is left out: what follows it is for somebody else.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-zé ]{0,9}".prop_map(String::into_bytes),
        3 => prop::sample::select(vec![&b"\r\n"[..], b"\r\0", b"\r", b"\n", b"\xff\xff", b"\x1b[1m", b"\0"]).prop_map(<[u8]>::to_vec),
        6 => (251_u8..=254, options()).prop_map(|(verb, option)| vec![255, verb, option]),
        4 => subnegotiation(),
        1 => (236_u8..=249).prop_map(|command| vec![255, command]),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    World(Vec<u8>),
    Player(Vec<u8>),
    GiveUp,
    Leave,
    Connect,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(piece(), 0..8).prop_map(|pieces| Step::World(pieces.concat())),
        4 => vec(piece(), 0..5).prop_map(|pieces| Step::Player(pieces.concat())),
        1 => Just(Step::GiveUp),
        1 => Just(Step::Leave),
        1 => Just(Step::Connect),
    ]
}

fn program() -> impl Strategy<Value = fn() -> Program> {
    let all: Vec<fn() -> Program> = vec![Program::nc, Program::tintin, Program::mudlet, Program::tf5, Program::telnet];
    prop::sample::select(all)
}

/// All that comes of these steps.
fn outcome(program: Program, steps: &[Step], read: usize, moves: bool) -> (Vec<u8>, Vec<u8>, Vec<String>, String) {
    let mut talk = Talk::with(program, read, moves);
    let mut to_world = Vec::new();
    talk.connect();
    for step in steps {
        match step {
            Step::World(bytes) => talk.world_bytes(bytes),
            Step::Player(bytes) => talk.player_bytes(bytes),
            Step::GiveUp => talk.bridge.give_up_waiting(&mut talk.player, &mut talk.to_player, &mut talk.to_world),
            Step::Leave => talk.bridge.leave(&mut talk.player, &mut talk.to_player),
            Step::Connect => talk.bridge.connect(&mut talk.player, &mut talk.to_player),
        }
        talk.settle_quietly();
        to_world.append(&mut talk.to_world);
    }
    let state = serde_json::to_string(&talk.bridge).unwrap();
    (talk.program.heard.clone(), to_world, talk.told(), state)
}

/// Answers every command in `ours` with the verbs that the table has for it, about the same option.
fn contrary(ours: &[u8], table: &[Vec<u8>]) -> Vec<u8> {
    let mut theirs = Vec::new();
    for command in ours.windows(3) {
        let &[255, verb @ 251..=254, option] = command else { continue };
        // A mark is answered whenever it comes.
        if option != 6 {
            let verbs = table.get(usize::from(verb - 251)).into_iter().flatten();
            verbs.for_each(|answer| theirs.extend_from_slice(&[255, *answer, option]));
        }
    }
    theirs
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn reads_may_be_split_anywhere(program in program(), steps in vec(step(), 0..12), read in 1_usize..9) {
        prop_assert_eq!(outcome(program(), &steps, read, false), outcome(program(), &steps, usize::MAX, false));
    }

    #[test]
    fn everything_goes_on_elsewhere_at_every_byte(program in program(), steps in vec(step(), 0..5)) {
        prop_assert_eq!(outcome(program(), &steps, 1, true), outcome(program(), &steps, 1, false));
    }

    /// Whatever two peers say to what they hear, each with its own table, for ever.
    #[test]
    fn no_two_peers_can_keep_us_talking(
        first in vec((251_u8..=254, options()), 0..20),
        tables in prop::array::uniform2(vec(vec(251_u8..=254, 0..3), 4)),
    ) {
        let mut talk = Talk::new(Program::nc());
        talk.connect();
        let mut player = talk.player_offer();
        let mut world: Vec<u8> = first.into_iter().flat_map(|(verb, option)| [255, verb, option]).collect();
        let mut said = 0;
        while !player.is_empty() || !world.is_empty() {
            said += player.len() + world.len();
            prop_assert!(said < 300_000, "no end");
            talk.world_bytes(&std::mem::take(&mut world));
            talk.player_bytes(&contrary(&std::mem::take(&mut player), &tables[1]));
            player = std::mem::take(&mut talk.to_player);
            world = contrary(&std::mem::take(&mut talk.to_world), &tables[0]);
        }
    }

    #[test]
    fn who_never_spoke_telnet_sees_what_the_world_has_written_and_nothing_else(
        pieces in vec(piece(), 0..40),
        read in 1_usize..30,
    ) {
        let mut talk = Talk::with(Program::nc(), read, false);
        talk.connect();
        // A line end in a subnegotiation is one, except from a world that has shown that it speaks telnet.
        talk.world_bytes(b"\xff\xf1");
        talk.world_bytes(&pieces.concat());
        let (player, to_player, to_world) = (&mut talk.player, &mut talk.to_player, &mut talk.to_world);
        talk.bridge.give_up_waiting(player, to_player, to_world);
        let binary = pieces.iter().any(|piece| piece == b"\xff\xfb\x00");
        prop_assume!(!binary);
        prop_assert_eq!(&talk.to_player, &text(&pieces));
        prop_assert!(!talk.is_waiting());
    }

    /// A world and a program that both negotiate as they should.
    #[test]
    fn both_sides_end_with_the_same_options(
        program in program(),
        offers in vec(options(), 0..12),
        wants in vec(options(), 0..12),
        read in 1_usize..40,
    ) {
        let mut talk = Talk::with(program(), read, false);
        talk.connect();
        let mut world = Program::world(&offers, &wants);
        let mut coming = world.offer();
        for _ in 0..20 {
            talk.world_bytes(&coming);
            talk.settle_quietly();
            coming = world.hear(&std::mem::take(&mut talk.to_world));
        }
        prop_assert!(coming.is_empty(), "they talk for ever");
        talk.bridge.give_up_waiting(&mut talk.player, &mut talk.to_player, &mut talk.to_world);
        talk.settle_quietly();
        world.hear(&std::mem::take(&mut talk.to_world));
        for option in 0..=255 {
            let (there, here) = (world.does.contains(&option), talk.program.has.contains(&option));
            match option {
                // Ended on each side.
                option::BINARY | option::CHARSET | option::MSSP | option::MCCP2 | option::MCCP3 | option::TIMING_MARK => {}
                option::ECHO => prop_assert!(!here || there),
                // We have it for our own prompts.
                option::EOR => prop_assert!(!there || here),
                _ => prop_assert_eq!(there, here, "{} of the world", option),
            }
            let (there, here) = (world.has.contains(&option), talk.program.does.contains(&option));
            match option {
                option::BINARY | option::CHARSET | option::MSSP | option::MCCP2 | option::MCCP3 | option::TIMING_MARK => {}
                option::NAWS | option::TTYPE | option::NEW_ENVIRON => prop_assert!(!there || here),
                _ => prop_assert_eq!(there, here, "{} of the player", option),
            }
        }
        talk.bridge.leave(&mut talk.player, &mut talk.to_player);
        talk.settle_quietly();
        let kept = [option::BINARY, option::EOR, option::CHARSET, option::GMCP, option::MSSP];
        prop_assert!(talk.program.has.iter().all(|option| kept.contains(option)), "{:?}", talk.program.has);
        let kept = [option::BINARY, option::NAWS, option::TTYPE, option::NEW_ENVIRON, option::CHARSET];
        prop_assert!(talk.program.does.iter().all(|option| kept.contains(option)), "{:?}", talk.program.does);
    }

    #[test]
    fn memory_and_answers_have_a_bound(pieces in vec(prop_oneof![any::<u8>(), 236_u8..=255, Just(255)], 0..3000)) {
        let mut talk = Talk::new(Program::nc());
        talk.connect();
        talk.world_bytes(&pieces);
        prop_assert!(talk.bridge.capacity() <= 64 * 1024);
        prop_assert!(talk.to_world.len() <= 4096 + 8 * pieces.len());
        prop_assert!(serde_json::to_string(&talk.bridge).unwrap().len() <= 16_000 + 4 * pieces.len());
    }
}

/// What of these pieces is text, without the NUL that belongs to a return.
fn text(pieces: &[Vec<u8>]) -> Vec<u8> {
    let (mut text, mut returned) = (Vec::new(), false);
    for piece in pieces {
        let bytes: &[u8] = match piece.as_slice() {
            [255, 255] => &[255],
            [255, ..] => {
                returned = false;
                continue;
            }
            piece => piece,
        };
        for byte in bytes {
            if !(std::mem::take(&mut returned) && *byte == 0) {
                text.push(*byte);
            }
            returned = *byte == b'\r';
        }
    }
    text
}

#[test]
fn a_stream_goes_through_in_pieces_as_large_as_they_are() {
    let (mut player, mut bridge) = (Telnet::new(Role::Server), Bridge::new());
    let (mut to_player, mut to_world) = (Vec::new(), Vec::new());
    bridge.connect(&mut player, &mut to_player);
    bridge.present(terms(), &mut player, &mut to_player, &mut to_world);
    let text = b"a line of a world that prints without end\r\n".repeat(1000);
    let mut input = text.as_slice();
    let first = bridge.from_world(&mut player, &mut input, &mut to_player, &mut to_world);
    assert_eq!(first, Some(FromWorld::Data(&text)));
    assert!(input.is_empty() && to_player.is_empty() && to_world.is_empty());
}
