//! What older programs have left of a telnet machine is read: postcard, without the names of fields.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

use ssmglobal_telnet::{Agreed, Role, Telnet, TelnetBefore};

/// One with whom everything was agreed, in the middle of a terminal type. As the first program wrote it.
const IN_THE_MIDDLE: &str = "04071800787465726d000101000000000000000200000100000000000200000200000000000000000000000000010\
    10000000164012800000000";

/// One that takes no UTF-8. Written by the first program for which this was another thing than not to have spoken of it.
const WITHOUT_UTF8: &str =
    "00022a030001010000000000000001000002000000000001000001000000000000000000000000000000000200000000000002";

/// One with all that there was to have: everything agreed on, other options refused, input hidden again before the client has
/// answered that it was shown, and in the middle of a command.
const FULL: &str = "0300092a013b4b4f49382d5200010101010200020100020000020000020100020000020000020100200000000000008002030\
    000020101780128010854494e54494e2b2b010e787465726d2d323536636f6c6f72018d0201";

/// One on which nothing was said, and the last of a state.
const NEW: &str = "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

fn read(hex: &str) -> Telnet {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    let (before, rest) = postcard::take_from_bytes::<TelnetBefore>(&bytes).unwrap();
    assert!(rest.is_empty(), "all of it is read");
    assert_eq!(format!("{before:?}"), "TelnetBefore { .. }", "what was typed may be in it");
    let telnet = Telnet::from(before);
    assert_eq!(telnet.role(), Role::Server);
    telnet
}

fn say(telnet: &mut Telnet, mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while telnet.next(&mut bytes, &mut out).is_some() {}
    out
}

#[test]
fn a_machine_goes_on_in_the_middle_of_a_word() {
    let (mut telnet, mut out) = (read(IN_THE_MIDDLE), Vec::new());
    telnet.offer(&mut out);
    assert!(out.is_empty(), "what was offered once is not offered again");
    assert_eq!(say(&mut telnet, b"-256color\xff\xf0"), b"\xff\xfa\x18\x01\xff\xf0");
    let terminal = telnet.terminal();
    assert_eq!((terminal.width(), terminal.height()), (Some(100), Some(40)));
    assert_eq!((terminal.name(), terminal.utf8()), (Some("xterm-256color"), Agreed::Unknown));
    telnet.prompt_end(&mut out);
    assert_eq!(out, b"\xff\xef");
}

#[test]
fn who_takes_no_utf8_takes_none_after_it() {
    let telnet = read(WITHOUT_UTF8);
    assert!(telnet.speaks_telnet());
    assert_eq!(telnet.terminal().utf8(), Agreed::No);
}

#[test]
fn everything_that_was_agreed_on_and_refused_stays_so() {
    let (mut telnet, mut out) = (read(FULL), Vec::new());
    let terminal = telnet.terminal();
    assert_eq!((terminal.width(), terminal.height(), terminal.mtts()), (Some(120), Some(40), Some(269)));
    assert_eq!((terminal.client(), terminal.name()), (Some("TINTIN++"), Some("xterm-256color")));
    assert_eq!(terminal.utf8(), Agreed::Yes);
    assert_eq!(say(&mut telnet, b"\xc8\xff\xfd\x05"), b"", "both were refused before");
    assert_eq!(say(&mut telnet, b"\xff\xfb\x03\xff\xfd\x03\xff\xfd\x19\xff\xfb\x1f\xff\xfb\x18\xff\xfd\x2a"), b"");
    assert_eq!(say(&mut telnet, b"\xff\xfe\x01\xff\xfd\x01"), b"", "ECHO is answered, twice");
    telnet.hide_input(true, &mut out);
    assert!(out.is_empty(), "it is hidden");
    telnet.hide_input(false, &mut out);
    assert_eq!(out, b"\xff\xfc\x01");
}

#[test]
fn a_new_one_is_a_new_one() {
    let state = |telnet: &Telnet| serde_json::to_string(telnet).unwrap();
    assert_eq!(state(&read(NEW)), state(&Telnet::default()));
}
