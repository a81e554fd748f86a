//! Memory and output are bounded, and negotiation ends.

use crate::session::{Peer, Session, option, peer, presented, transcript};
use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_telnet::{Role, Telnet};

/// How many times as long as what it answers an answer of this role may be.
fn factor(role: Role) -> usize {
    match role {
        Role::Server => 5,
        Role::Client => 8,
    }
}

/// More than all that is ever answered to WILL, WONT, DO and DONT: six bytes for each time that the peer may switch one of the
/// options on and off, with the size of a window for one of them, and a refusal of each of the others on either side.
const EVER: usize = 10 * 33 * 6 + 33 * 13 + 2 * 256 * 3 + 100;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn anything_may_come(peer in peer(), bytes in vec(prop_oneof![any::<u8>(), 236_u8..=255, Just(255)], 0..3000)) {
        let mut session = Session::new(peer);
        let offers = session.out.len();
        session.read(&bytes);
        prop_assert!(session.out.len() <= offers + factor(peer.role()) * bytes.len());
    }

    #[test]
    fn output_is_bounded_by_input(peer in prop::sample::select(vec![Peer::Program, Peer::Game]), bytes in transcript()) {
        let mut session = Session::new(peer);
        session.read(&bytes);
        prop_assert!(session.out.len() <= factor(peer.role()) * bytes.len());
        let commands = session.telnet.speaks_telnet();
        prop_assert!(commands || session.out.is_empty());
    }

    #[test]
    fn verbs_for_ever_are_not_answered_for_ever(peer in peer(), verbs in vec((251_u8..=254, option()), 0..4000)) {
        let mut session = Session::new(peer);
        // A server answers every DO TIMING-MARK, with as much as it is.
        let verbs = verbs.into_iter().filter(|verb| *verb != (253, 6));
        session.read(&verbs.flat_map(|(verb, option)| [255, verb, option]).collect::<Vec<_>>());
        prop_assert!(session.out.len() <= EVER, "{}", session.out.len());
    }

    /// A peer that answers each of our commands with whatever it likes, several times, for ever.
    #[test]
    fn no_peer_can_keep_us_answering(
        peer in peer(),
        first in vec((251_u8..=254, option()), 0..20),
        table in vec(vec(251_u8..=254, 0..3), 4),
        owner in vec(any::<bool>(), 0..6),
    ) {
        let (mut telnet, mut ours) = (Telnet::new(peer.role()), Vec::new());
        telnet.present(presented(), &mut ours);
        telnet.offer(&mut ours);
        for hidden in owner {
            telnet.hide_input(hidden, &mut ours);
        }
        // A mark is answered whenever it comes, so a peer that answers it with a mark goes on by itself.
        let first: Vec<u8> =
            first.into_iter().filter(|verb| verb.1 != 6).flat_map(|(verb, option)| [255, verb, option]).collect();
        let mut input = first.as_slice();
        while telnet.next(&mut input, &mut ours).is_some() {}
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
