//! What strangers send: sequences without an end.

use crate::harness::{Backend, GREETING, Person, WELCOME, Wire};

const NO_MODE: &str = "{\"state\": \"ERROR\", \"msg\": \"No mode set.\"}\r\n";
const HELLO: &str = "Hello, world!\r\n";

/// Subnegotiations that lack their end, and what stands for one.
const WITHOUT_END: [&[u8]; 6] = [
    b"\xff\xfa\x18\x00xterm",
    b"\xff\xfa\x1f\x00\x50\x00\xff\xff\xf0\xff\xfa\x1f\x00\x50\x00",
    b"\xff\xfa\x1f",
    b"\xff\xfa\x2a\x02UTF-8",
    b"\xff\xfa",
    b"\xff\xfb",
];

#[test]
fn a_subnegotiation_without_an_end_swallows_no_line_of_a_person() {
    let backend = Backend::start();
    for sequence in WITHOUT_END {
        for end in ["\r\n", "\n", "\r\0"] {
            for in_line in ["", "caf"] {
                let mut person = Person::at(&backend);
                let bytes = [in_line.as_bytes(), sequence, format!("{end}HW{end}").as_bytes()].concat();
                person.wire.send(&bytes);
                person.wire.until(HELLO);
                // Also byte by byte.
                bytes.iter().for_each(|byte| person.wire.send([*byte]));
                person.wire.until(HELLO);
            }
        }
    }
}

#[test]
fn a_line_with_a_hole_in_it_is_refused_and_not_done() {
    let backend = Backend::start();
    let mut alice = Person::at(&backend).register("alice");
    alice.wire.send(b"MAIL SEND alice Give him \xff\xfa 50 and not 500\r\n");
    assert!(alice.answer().contains("ERROR: That line was not UTF-8."));
    let list = alice.ask("MAIL LIST");
    assert!(list.contains("You have no mail."), "{list}");
}

#[test]
fn a_subnegotiation_without_an_end_swallows_no_line_before_a_mode_is_chosen() {
    let backend = Backend::start();
    for sequence in WITHOUT_END {
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send([sequence, b"\r\nMODE HUMAN\r\n"].concat());
        wire.until(WELCOME);
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send([sequence, b"\r\nHW\r\n"].concat());
        assert!(wire.rest().ends_with(NO_MODE));
    }
}

#[test]
fn a_window_may_be_as_wide_as_a_line_end_is() {
    let backend = Backend::start();
    let mut person = Person::at(&backend);
    person.wire.send(b"\xff\xfb\x1f\xff\xfa\x1f\0\x0d\0\x0a\xff\xf0HELP TELL\r\n");
    // 20 columns are the least.
    let help = person.wire.until("Example: ");
    assert!(help.lines().filter(|line| line.starts_with('\t')).all(|line| line.trim().len() <= 20 + 8), "{help}");
    assert!(help.contains("TELL <to> <body>"), "{help}");
}
