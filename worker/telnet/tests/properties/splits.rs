//! The reads do not matter: however the bytes were split, the same comes of them.

use crate::session::{Peer, Session, lines, option, peer, text, transcript, whole};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn reads_may_be_split_anywhere(peer in peer(), bytes in transcript(), sizes in vec(1_usize..9, 1..20)) {
        let mut session = Session::new(peer);
        let (mut rest, mut sizes) = (&bytes[..], sizes.iter().cycle());
        while !rest.is_empty() {
            let size = sizes.next().map_or(1, |size| *size.min(&rest.len()));
            let (read, later) = rest.split_at(size);
            session.read(read);
            rest = later;
        }
        prop_assert_eq!(session.outcome(), whole(peer, &bytes));
    }

    #[test]
    fn every_single_split_gives_the_same(peer in peer(), bytes in transcript()) {
        let expected = whole(peer, &bytes);
        for at in 0..=bytes.len().min(200) {
            let mut session = Session::new(peer);
            let (first, second) = bytes.split_at(at);
            session.read(first);
            session.read(second);
            prop_assert_eq!(&session.outcome(), &expected);
        }
    }

    #[test]
    fn lines_alone_may_be_split_anywhere(people: bool, bytes in vec(prop_oneof![
        Just(b'a'), Just(b' '), Just(b'\r'), Just(b'\n'), Just(0), Just(8), Just(0x17), Just(0x15), Just(0x1b), Just(b'['), any::<u8>(),
    ], 0..300), limit in 0_usize..12, size in 1_usize..20) {
        let read_all = |size: usize| {
            let mut lines = lines(people, limit);
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
        let mut session = Session::new(Peer::Person);
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
        prop_assert_eq!(session.outcome(), whole(Peer::Person, &bytes));
    }

    /// Nor is one that was cut anywhere; what it lacks may be anything but an end.
    #[test]
    fn no_line_is_lost_behind_a_sequence_without_an_end(option in option(), body in vec(0_u8..255, 0..600)) {
        prop_assume!(option != 255);
        let bytes = [&[255, 250, option][..], &body, b"\r\nHW\r\n"].concat();
        let outcome = whole(Peer::Person, &bytes);
        prop_assert_eq!(outcome.events.iter().rev().nth(1).map(String::as_str), Some("=HW"), "{:?}", outcome.events);
        prop_assert!(!outcome.partial);
    }
}
