//! The client's role: what game servers say, and what we answer them.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

mod conversation;

use conversation::{events, say};
use ssmglobal_telnet::{Agreed, Event, Presented, Role, Telnet};

/// What a player has who sits at a MUD client.
fn presented() -> Presented {
    Presented {
        width: Some(120),
        height: Some(40),
        client: Some("SSMGLOBAL".into()),
        name: Some("XTERM-256COLOR".into()),
        mtts: Some(269),
        utf8: true,
        ..Presented::default()
    }
}

fn client(presented: Presented) -> Telnet {
    let (mut telnet, mut out) = (Telnet::new(Role::Client), Vec::new());
    telnet.present(presented, &mut out);
    assert_eq!(out, b"", "nobody has asked");
    telnet
}

fn present(telnet: &mut Telnet, presented: Presented) -> Vec<u8> {
    let mut out = Vec::new();
    telnet.present(presented, &mut out);
    out
}

const SEND_TYPE: &[u8] = b"\xff\xfa\x18\x01\xff\xf0";
const DO_TYPE: &[u8] = b"\xff\xfd\x18";
const DO_SIZE: &[u8] = b"\xff\xfd\x1f";

/// The type that is told when it is asked for.
fn told_type(telnet: &mut Telnet) -> String {
    let answer = say(telnet, SEND_TYPE);
    let name = answer.strip_prefix(b"\xff\xfa\x18\x00").and_then(|rest| rest.strip_suffix(b"\xff\xf0"));
    String::from_utf8(name.unwrap_or_default().to_vec()).unwrap()
}

#[test]
fn a_client_says_nothing_by_itself() {
    let (mut telnet, mut out) = (client(presented()), Vec::new());
    telnet.offer(&mut out);
    telnet.hide_input(true, &mut out);
    telnet.prompt_end(&mut out);
    assert_eq!(out, b"");
    assert_eq!(say(&mut telnet, b"Welcome!\r\nYour name? "), b"");
    assert!(!telnet.speaks_telnet() && telnet.role() == Role::Client);
}

#[test]
fn the_server_hides_a_password_and_shows_what_is_typed_again() {
    let mut telnet = client(presented());
    assert_eq!(events(&mut telnet, b"Password: \xff\xfb\x01"), ["Data(10 bytes)", "HideInput(true)"]);
    assert!(telnet.hides_input());
    assert!(events(&mut telnet, b"\xff\xfb\x01").is_empty(), "it is hidden already");
    assert_eq!(events(&mut telnet, b"\xff\xfc\x01\r\n"), ["HideInput(false)", "Data(2 bytes)"]);
    assert!(!telnet.hides_input());
    assert_eq!(say(&mut client(presented()), b"\xff\xfb\x01\xff\xfb\x01\xff\xfc\x01"), b"\xff\xfd\x01\xff\xfe\x01");
}

#[test]
fn a_password_is_hidden_also_when_no_answer_is_left_for_it() {
    let mut telnet = client(presented());
    for _ in 0..1000 {
        assert_eq!(events(&mut telnet, b"\xff\xfb\x01\xff\xfc\x01"), ["HideInput(true)", "HideInput(false)"]);
    }
    assert_eq!(say(&mut telnet, b"\xff\xfb\x01"), b"");
    assert!(telnet.hides_input());
}

#[test]
fn go_ahead_is_suppressed_both_ways() {
    assert_eq!(say(&mut client(presented()), b"\xff\xfb\x03\xff\xfd\x03"), b"\xff\xfd\x03\xff\xfb\x03");
}

#[test]
fn binary_is_agreed_to_both_ways() {
    let mut telnet = client(presented());
    assert_eq!(say(&mut telnet, b"\xff\xfd\x00\xff\xfb\x00"), b"\xff\xfb\x00\xff\xfd\x00");
    assert!(telnet.sends_binary());
    assert_eq!(events(&mut telnet, b"a\r\0"), ["Data(2 bytes)", "Data(1 bytes)"]);
}

#[test]
fn prompts_are_marked_either_way() {
    let mut telnet = client(presented());
    assert_eq!(events(&mut telnet, b"> \xff\xf9"), ["Data(2 bytes)", "PromptEnd"]);
    assert_eq!(say(&mut telnet, b"\xff\xfb\x19"), b"\xff\xfd\x19");
    assert_eq!(events(&mut telnet, b"> \xff\xef"), ["Data(2 bytes)", "PromptEnd"]);
}

#[test]
fn the_size_is_told_when_it_is_wanted_and_when_it_is_new() {
    let mut telnet = client(presented());
    assert_eq!(say(&mut telnet, DO_SIZE), b"\xff\xfb\x1f\xff\xfa\x1f\x00\x78\x00\x28\xff\xf0");
    assert_eq!(say(&mut telnet, DO_SIZE), b"", "it was told");
    assert_eq!(present(&mut telnet, Presented { utf8: false, ..presented() }), b"", "it is the same");
    let wide = Presented { width: Some(255), height: Some(511), ..presented() };
    assert_eq!(present(&mut telnet, wide.clone()), b"\xff\xfa\x1f\x00\xff\xff\x01\xff\xff\xff\xf0");
    let unknown = Presented { width: None, height: None, ..presented() };
    assert_eq!(present(&mut telnet, unknown), b"\xff\xfa\x1f\x00\x00\x00\x00\xff\xf0");
    assert_eq!(say(&mut telnet, b"\xff\xfe\x1f"), b"\xff\xfc\x1f");
    assert_eq!(present(&mut telnet, wide), b"", "it is not wanted any more");
}

#[test]
fn the_terminal_type_is_told_in_the_order_of_mtts() {
    let mut telnet = client(presented());
    assert_eq!(say(&mut telnet, SEND_TYPE), b"", "that was not agreed on");
    assert_eq!(say(&mut telnet, DO_TYPE), b"\xff\xfb\x18");
    for name in ["SSMGLOBAL", "XTERM-256COLOR", "MTTS 269", "MTTS 269", "MTTS 269"] {
        assert_eq!(told_type(&mut telnet), name);
    }
    assert_eq!(say(&mut telnet, b"\xff\xfe\x18\xff\xfd\x18"), b"\xff\xfc\x18\xff\xfb\x18");
    assert_eq!(told_type(&mut telnet), "SSMGLOBAL", "agreed on again, it begins again");
}

#[test]
fn what_is_not_known_of_a_terminal_is_left_out() {
    let lists: [(Presented, &[&str]); 3] = [
        (Presented::default(), &["UNKNOWN", "UNKNOWN"]),
        (Presented { mtts: Some(1), ..Presented::default() }, &["UNKNOWN", "MTTS 1", "MTTS 1"]),
        (Presented { mtts: None, ..presented() }, &["SSMGLOBAL", "XTERM-256COLOR", "XTERM-256COLOR"]),
    ];
    for (presented, names) in lists {
        let mut telnet = client(presented);
        say(&mut telnet, DO_TYPE);
        for name in names {
            assert_eq!(told_type(&mut telnet), *name);
        }
    }
}

#[test]
fn names_are_told_as_harmless_and_short_as_they_are_taken() {
    let name = |name: &str| Some(name.into());
    let mut telnet =
        client(Presented { client: name(" \u{1b}[1mé\r\nx\u{ff}"), name: name(&"t".repeat(500)), ..presented() });
    say(&mut telnet, DO_TYPE);
    assert_eq!(told_type(&mut telnet), "[1mx");
    assert_eq!(told_type(&mut telnet), "t".repeat(40));
}

#[test]
fn a_server_that_asks_for_ever_is_not_answered_for_ever() {
    let mut telnet = client(presented());
    say(&mut telnet, DO_TYPE);
    assert_eq!((0..1000).filter(|_| !told_type(&mut telnet).is_empty()).count(), 64);
}

const WILL_UTF8: &[u8] = b"\xff\xfb\x2a\xff\xfa\x2a\x01;UTF-8\xff\xf0";
const ACCEPT_UTF8: &[u8] = b"\xff\xfa\x2a\x02UTF-8\xff\xf0";
const REQUEST_UTF8: &[u8] = b"\xff\xfa\x2a\x01;UTF-8\xff\xf0";
const REJECT: &[u8] = b"\xff\xfa\x2a\x03\xff\xf0";

#[test]
fn utf8_is_agreed_on_when_the_server_asks() {
    let mut telnet = client(presented());
    assert_eq!(say(&mut telnet, WILL_UTF8), [b"\xff\xfd\x2a", ACCEPT_UTF8].concat());
    assert_eq!(telnet.terminal().utf8(), Agreed::Yes);
    assert_eq!(events(&mut client(presented()), WILL_UTF8), ["Terminal"]);
}

#[test]
fn utf8_is_asked_for_when_the_server_wants_to_be_asked() {
    for (answer, utf8) in [(ACCEPT_UTF8, Agreed::Yes), (REJECT, Agreed::No)] {
        let mut telnet = client(presented());
        assert_eq!(say(&mut telnet, b"\xff\xfd\x2a"), [b"\xff\xfb\x2a", REQUEST_UTF8].concat());
        assert_eq!(telnet.terminal().utf8(), Agreed::Unknown);
        assert_eq!(say(&mut telnet, answer), b"");
        assert_eq!(telnet.terminal().utf8(), utf8);
    }
}

#[test]
fn when_both_ask_for_utf8_at_once_the_client_answers() {
    let mut telnet = client(presented());
    say(&mut telnet, b"\xff\xfd\x2a");
    assert_eq!(say(&mut telnet, WILL_UTF8), [b"\xff\xfd\x2a", ACCEPT_UTF8].concat());
    assert_eq!(say(&mut telnet, REJECT), b"");
    assert_eq!(telnet.terminal().utf8(), Agreed::Yes, "what the server has rejected was the question, not UTF-8");
}

#[test]
fn who_takes_no_utf8_agrees_on_none() {
    let mut telnet = client(Presented { utf8: false, ..presented() });
    assert_eq!(say(&mut telnet, b"\xff\xfd\x2a"), b"\xff\xfb\x2a");
    assert_eq!(say(&mut telnet, WILL_UTF8), [b"\xff\xfd\x2a", REJECT].concat());
    assert_eq!(telnet.terminal().utf8(), Agreed::No);
}

#[test]
fn everything_else_is_refused_once() {
    let mut telnet = client(presented());
    // TIMING-MARK, NAWS, TTYPE, NEW-ENVIRON, MSDP, MSSP, MCCP, MXP, GMCP.
    for option in [6, 31, 24, 39, 69, 70, 86, 91, 201] {
        assert_eq!(say(&mut telnet, &[255, 251, option]), [255, 254, option]);
        assert_eq!(say(&mut telnet, &[255, 251, option, 255, 252, option]), b"");
    }
    // ECHO, TIMING-MARK, EOR, LINEMODE, NEW-ENVIRON.
    for option in [1, 6, 25, 34, 39] {
        assert_eq!(say(&mut telnet, &[255, 253, option]), [255, 252, option]);
        assert_eq!(say(&mut telnet, &[255, 253, option, 255, 254, option]), b"");
    }
}

#[test]
fn a_server_has_no_keys_and_gets_no_words() {
    let mut telnet = client(presented());
    assert!(events(&mut telnet, b"\xff\xf3\xff\xf4\xff\xee\xff\xf7\xff\xf8\xff\xf2\xff\xf5").is_empty());
    assert_eq!(events(&mut telnet, b"\xff\xf1\xff\xf6"), ["Alive", "Alive"]);
    assert_eq!(say(&mut telnet, b"\xff\xf6"), b"\xff\xf1", "words would be taken for a line");
}

#[test]
fn a_client_doubles_iac_from_the_first_byte() {
    let (telnet, mut out) = (client(presented()), b"say \xff\r\n".to_vec());
    telnet.seal(&mut out, 0);
    assert_eq!(out, b"say \xff\xff\r\n");
}

#[test]
fn a_server_presents_nothing() {
    let mut telnet = Telnet::new(Role::Server);
    assert_eq!(present(&mut telnet, presented()), b"");
    assert_eq!(say(&mut telnet, DO_SIZE), b"\xff\xfc\x1f");
    assert!(events(&mut telnet, b"> \xff\xf9\xff\xef\xff\xfb\x01").iter().all(|event| event == "Data(2 bytes)"));
    assert!(!telnet.hides_input());
    assert_eq!(format!("{:?}", Event::HideInput(true)), "HideInput(true)");
}
