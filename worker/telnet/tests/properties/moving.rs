//! A state that is put away at any byte is gone on with as if nothing had been.

use crate::session::{Peer, SUBNEGOTIATION_LIMIT, Session, lines, moved, peer, presented, text, transcript, whole};
use proptest::collection::vec;
use proptest::prelude::*;
use ssmglobal_telnet::Telnet;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn both_machines_go_on_at_every_byte(peer in peer(), bytes in transcript()) {
        let mut session = Session::new(peer);
        for byte in bytes.chunks(1) {
            session.go_on_elsewhere();
            session.read(byte);
        }
        session.go_on_elsewhere();
        prop_assert_eq!(session.outcome(), whole(peer, &bytes));
    }

    #[test]
    fn telnet_alone_goes_on_at_every_byte(peer in peer(), bytes in transcript(), hide in 0_usize..100) {
        let talk = |put_away: bool| {
            let (mut telnet, mut out, mut events) = (Telnet::new(peer.role()), Vec::new(), Vec::new());
            telnet.present(presented(), &mut out);
            for (at, mut byte) in bytes.chunks(1).enumerate() {
                if put_away {
                    telnet = moved(&telnet);
                }
                if at == hide {
                    telnet.hide_input(true, &mut out);
                }
                while let Some(event) = telnet.next(&mut byte, &mut out) {
                    events.push(format!("{event:?}"));
                }
                assert!(telnet.capacity() <= SUBNEGOTIATION_LIMIT);
            }
            (events, out, serde_json::to_string(&telnet).unwrap())
        };
        prop_assert_eq!(talk(true), talk(false));
    }

    #[test]
    fn lines_alone_go_on_at_every_byte(people: bool, bytes in vec(prop_oneof![
        Just(b'a'), Just(b' '), Just(b'\r'), Just(b'\n'), Just(0), Just(8), Just(0x17), Just(0x15), Just(0x1b), Just(b'['), any::<u8>(),
    ], 0..200), limit in 0_usize..12) {
        let read = |put_away: bool| {
            let (mut lines, mut found) = (lines(people, limit), Vec::new());
            for mut byte in bytes.chunks(1) {
                if put_away {
                    lines = moved(&lines);
                }
                while let Some(line) = lines.next(&mut byte) {
                    found.push(text(line));
                }
                assert!(lines.capacity() <= limit + 1);
            }
            (found, lines.is_partial(), serde_json::to_string(&lines).unwrap())
        };
        prop_assert_eq!(read(true), read(false));
    }
}

#[test]
fn a_line_that_was_handed_out_does_not_move() {
    let mut lines = lines(true, 100);
    assert!(lines.next(&mut &b"sec"[..]).is_none());
    assert!(lines.next(&mut &b"ret\n"[..]).is_some());
    let fresh = serde_json::to_string(&self::lines(true, 100)).unwrap();
    assert_eq!(serde_json::to_string(&lines).unwrap(), fresh, "it may be a password");
}

#[test]
fn quiet_is_who_holds_nothing_that_could_be_data_yet() {
    let quiet = |bytes: &[u8]| {
        let mut session = Session::new(Peer::Person);
        session.read(bytes);
        session.telnet.is_quiet()
    };
    for bytes in
        [&b""[..], b"text", b"text\r", b"\r\n", b"\xff\xff", b"\xff\xf1", b"\xff\xfb\x1f", b"\xff\xfa\x18\0x\xff\xf0"]
    {
        assert!(quiet(bytes), "{bytes:?}");
    }
    for bytes in [&b"\xff"[..], b"text\xff", b"\xff\xfb", b"\xff\xfa", b"\xff\xfa\x18\0x", b"\xff\xfa\x18\0x\xff"] {
        assert!(!quiet(bytes), "{bytes:?}");
    }
}
