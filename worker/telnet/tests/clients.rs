//! Conversations with the clients people use: what each sends at the start and answers to our offers.

mod conversation;

use conversation::{events, say};
use ssmglobal_telnet::{Agreed, Event, Role, Telnet};

const OFFERS: &[u8] = b"\xff\xfd\x00\xff\xfb\x00\xff\xfd\x1f\xff\xfd\x18\xff\xfb\x19\xff\xfb\x2a";
const SEND_TYPE: &[u8] = b"\xff\xfa\x18\x01\xff\xf0";
const REQUEST_UTF8: &[u8] = b"\xff\xfa\x2a\x01;UTF-8\xff\xf0";

fn offered() -> Telnet {
    let (mut telnet, mut out) = (Telnet::new(Role::Server), Vec::new());
    telnet.offer(&mut out);
    assert_eq!(out, OFFERS);
    telnet
}

fn hide(telnet: &mut Telnet, hidden: bool) -> Vec<u8> {
    let mut out = Vec::new();
    telnet.hide_input(hidden, &mut out);
    out
}

fn prompt_end(telnet: &Telnet) -> Vec<u8> {
    let mut out = Vec::new();
    telnet.prompt_end(&mut out);
    out
}

fn subnegotiation(option: u8, body: &[u8]) -> Vec<u8> {
    [&[255, 250, option], body, &[255, 240]].concat()
}

fn terminal_is(text: &str) -> Vec<u8> {
    subnegotiation(24, &[&[0], text.as_bytes()].concat())
}

#[test]
fn a_program_or_nc_sees_no_telnet() {
    let mut telnet = Telnet::new(Role::Server);
    assert_eq!(say(&mut telnet, b"MODE CLIENT\r\n{\"cmd\":\"HW\"}\n"), b"");
    assert!(!telnet.speaks_telnet());
    assert_eq!(prompt_end(&telnet), b"");
    let mut out = Vec::new();
    out.extend_from_slice(b"a\xffb");
    telnet.seal(&mut out, 0);
    assert_eq!(out, b"a\xffb");
}

#[test]
fn nc_at_the_door_for_people() {
    let mut telnet = offered();
    assert_eq!(say(&mut telnet, b"help\n"), b"");
    assert!(!telnet.speaks_telnet());
    assert_eq!(prompt_end(&telnet), b"");
}

/// Recorded: GNU inetutils 2.4, `TERM=xterm-256color`, a window of unknown size, on a port other than 23.
#[test]
fn inetutils_telnet() {
    let mut telnet = offered();
    let answers = b"\xff\xfb\x00\xff\xfd\x00\
        \xff\xfb\x1f\xff\xfa\x1f\x00\x00\x00\x00\xff\xf0\xff\xfb\x18\xff\xfe\x19\xff\xfe\x2a";
    assert_eq!(say(&mut telnet, answers), SEND_TYPE);
    assert_eq!(telnet.terminal().width(), None);
    assert!(telnet.sends_binary(), "from then on its lines end with LF");
    assert_eq!(say(&mut telnet, &terminal_is("XTERM-256COLOR")), SEND_TYPE);
    assert_eq!(say(&mut telnet, &terminal_is("XTERM-256COLOR")), b"");
    assert!(telnet.terminal().colour());
    assert_eq!(telnet.terminal().utf8(), Agreed::Unknown, "it knows no CHARSET: that says nothing of UTF-8");
    assert_eq!(prompt_end(&telnet), b"\xff\xf9");

    assert_eq!(hide(&mut telnet, true), b"\xff\xfb\x01");
    assert_eq!(say(&mut telnet, b"\xff\xfd\x01secret\r\n"), b"");
    assert_eq!(hide(&mut telnet, false), b"\xff\xfc\x01");
    assert_eq!(say(&mut telnet, b"\xff\xfe\x01"), b"");

    // Control-C: it discards our output until the mark comes.
    assert_eq!(events(&mut telnet, b"hal\xff\xf4"), ["Data(3 bytes)", "Interrupt"]);
    assert_eq!(say(&mut telnet, b"\xff\xfd\x06"), b"\xff\xfb\x06");
    assert_eq!(say(&mut telnet, b"\xff\xfd\x06"), b"\xff\xfb\x06");
}

/// What the BSD family sends at once on port 23.
#[test]
fn bsd_telnet_that_begins() {
    let mut telnet = Telnet::new(Role::Server);
    let start = b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x21\xff\xfb\x22\xff\xfb\x27\xff\xfd\x05";
    let answers = [
        &b"\xff\xfb\x03\xff\xfd\x18"[..],
        SEND_TYPE,
        b"\xff\xfd\x1f\xff\xfe\x20\xff\xfe\x21\xff\xfe\x22\xff\xfe\x27\xff\xfc\x05",
    ];
    assert_eq!(say(&mut telnet, start), answers.concat());
    assert!(telnet.speaks_telnet());
    let mut out = Vec::new();
    telnet.offer(&mut out);
    telnet.offer(&mut out);
    assert_eq!(out, b"\xff\xfd\x00\xff\xfb\x00\xff\xfb\x19\xff\xfb\x2a", "only what was not said yet, once");
    assert_eq!(say(&mut telnet, b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"), b"");
    assert_eq!((telnet.terminal().width(), telnet.terminal().height()), (Some(80), Some(24)));
    assert_eq!(prompt_end(&telnet), b"", "go ahead is suppressed");
}

#[test]
fn putty() {
    let mut telnet = offered();
    let start = b"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03";
    let answers = [b"\xff\xfe\x20", SEND_TYPE, b"\xff\xfe\x27\xff\xfc\x01\xff\xfd\x03\xff\xfb\x03"];
    assert_eq!(say(&mut telnet, start), answers.concat());
    assert_eq!(say(&mut telnet, b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfe\x19\xff\xfe\x2a"), b"");
    assert_eq!(say(&mut telnet, &terminal_is("XTERM")), SEND_TYPE);
    assert_eq!(say(&mut telnet, &terminal_is("XTERM")), b"");
    assert_eq!(telnet.terminal().name(), Some("XTERM"));
    assert_eq!(hide(&mut telnet, true), b"\xff\xfb\x01", "asked for and refused before, and now needed");
    assert_eq!(say(&mut telnet, b"\xff\xfd\x01"), b"");
}

#[test]
fn tintin() {
    let mut telnet = offered();
    let answers =
        b"\xff\xfc\x00\xff\xfe\x00\xff\xfb\x1f\xff\xfa\x1f\x00\x78\x00\x28\xff\xf0\xff\xfb\x18\xff\xfd\x19\xff\xfd\x2a";
    assert_eq!(say(&mut telnet, answers), [SEND_TYPE, REQUEST_UTF8].concat());
    assert_eq!(say(&mut telnet, &terminal_is("TINTIN++")), SEND_TYPE);
    assert_eq!(say(&mut telnet, &terminal_is("xterm-256color")), SEND_TYPE);
    assert_eq!(say(&mut telnet, &terminal_is("MTTS 269")), b"");
    assert_eq!(say(&mut telnet, b"\xff\xfa\x2a\x02UTF-8\xff\xf0"), b"");
    let terminal = telnet.terminal();
    assert_eq!((terminal.width(), terminal.height()), (Some(120), Some(40)));
    assert_eq!((terminal.client(), terminal.name()), (Some("TINTIN++"), Some("xterm-256color")));
    assert!(terminal.utf8() == Agreed::Yes && terminal.colour());
    assert_eq!(prompt_end(&telnet), b"\xff\xef");
    assert!(!telnet.sends_binary());
}

/// Recorded: tinyfugue 5.0 beta 8.
#[test]
fn tinyfugue() {
    let mut telnet = offered();
    let answers = b"\xff\xfb\x1f\xff\xfb\x00\xff\xfd\x00\
        \xff\xfa\x1f\x00\x4f\x00\x14\xff\xf0\xff\xfb\x18\xff\xfd\x19\xff\xfe\x2a";
    assert_eq!(say(&mut telnet, answers), SEND_TYPE);
    assert_eq!(say(&mut telnet, &terminal_is("TINYFUGUE")), SEND_TYPE);
    assert_eq!(say(&mut telnet, &terminal_is("ANSI-ATTR")), SEND_TYPE);
    assert_eq!(say(&mut telnet, &terminal_is("ANSI")), b"");
    assert_eq!((telnet.terminal().width(), telnet.terminal().utf8()), (Some(79), Agreed::Unknown));
    assert!(telnet.sends_binary());
    assert_eq!(prompt_end(&telnet), b"\xff\xef");
}

/// Recorded: KBtin 2.1.
#[test]
fn kbtin() {
    let mut telnet = offered();
    let answers = b"\xff\xfc\x00\xff\xfe\x00\
        \xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x17\xff\xf0\xff\xfb\x18\xff\xfd\x19\xff\xfe\x2a";
    assert_eq!(say(&mut telnet, answers), SEND_TYPE);
    for name in ["KBtin", "hardcopy"] {
        assert_eq!(say(&mut telnet, &terminal_is(name)), SEND_TYPE);
    }
    assert_eq!(say(&mut telnet, &terminal_is("unknown")), b"");
    assert!(!telnet.terminal().colour() && !telnet.sends_binary());
    assert_eq!(prompt_end(&telnet), b"\xff\xef");
}

/// Mudlet, as a screen reader uses it: what it is called tells nothing of that.
#[test]
fn nothing_is_coloured_before_it_is_known_whether_it_is_read_aloud() {
    for (bits, colours) in [("MTTS 333", true), ("MTTS 271", true), ("MTTS 68", false)] {
        let mut telnet = offered();
        assert_eq!(say(&mut telnet, b"\xff\xfb\x18"), SEND_TYPE);
        for name in ["MUDLET", "ANSI-256COLOR"] {
            assert!(!telnet.may_colour());
            assert_eq!(say(&mut telnet, &terminal_is(name)), SEND_TYPE);
            assert!(telnet.terminal().colour() && !telnet.may_colour(), "{name}");
        }
        say(&mut telnet, &terminal_is(bits));
        assert_eq!(telnet.may_colour(), colours, "{bits}");
    }
}

#[test]
fn who_types_on_and_tells_no_more_is_not_waited_for() {
    let lines = "look\r\n".repeat(8);
    for size in [1, 5, lines.len()] {
        let mut telnet = offered();
        say(&mut telnet, b"\xff\xfb\x18");
        say(&mut telnet, &terminal_is("XTERM"));
        for part in lines.as_bytes().chunks(size) {
            assert!(!telnet.may_colour());
            say(&mut telnet, part);
        }
        assert!(telnet.may_colour(), "{size}");
        // What comes all the same counts.
        say(&mut telnet, &terminal_is("ANSI"));
        assert!(!telnet.may_colour());
        say(&mut telnet, &terminal_is("MTTS 64"));
        assert!(!telnet.may_colour() && telnet.terminal().screen_reader());
    }
}

#[test]
fn binary_is_agreed_on_each_way_by_itself() {
    for (answers, sends) in [(&b"\xff\xfb\x00\xff\xfe\x00"[..], false), (b"\xff\xfc\x00\xff\xfd\x00", true)] {
        let mut telnet = offered();
        assert_eq!(say(&mut telnet, answers), b"");
        assert_eq!(telnet.sends_binary(), sends);
    }
    // It may be asked for by the client, and ended by it.
    let mut telnet = Telnet::new(Role::Server);
    assert_eq!(say(&mut telnet, b"\xff\xfd\x00\xff\xfb\x00"), b"\xff\xfb\x00\xff\xfd\x00");
    assert_eq!(events(&mut telnet, b"a\r\0b\n"), ["Data(2 bytes)", "Data(3 bytes)"]);
    assert_eq!(say(&mut telnet, b"\xff\xfe\x00\xff\xfc\x00"), b"\xff\xfc\x00\xff\xfe\x00");
    assert_eq!(events(&mut telnet, b"a\r\0b\n"), ["Data(2 bytes)", "Data(2 bytes)"]);
    assert!(!telnet.sends_binary());
}

#[test]
fn who_is_to_be_offered_all_is_with_the_first_command_and_not_before() {
    let mut telnet = Telnet::new(Role::Server);
    telnet.set_offering(true);
    assert_eq!(say(&mut telnet, b"help\r\n\xff\xff"), b"");
    let said = say(&mut telnet, b"\xff\xfb\x1f\xff\xf1");
    assert_eq!(said, b"\xff\xfd\x1f\xff\xfd\x00\xff\xfb\x00\xff\xfd\x18\xff\xfb\x19\xff\xfb\x2a");
    assert_eq!(say(&mut telnet, b"\xff\xf1"), b"", "once");
}

#[test]
fn mudlet() {
    let mut telnet = offered();
    let answers = b"\xff\xfb\x1f\xff\xfa\x1f\x00\x64\x00\x32\xff\xf0\xff\xfb\x18\xff\xfd\x19\xff\xfd\x2a";
    assert_eq!(say(&mut telnet, answers), [SEND_TYPE, REQUEST_UTF8].concat());
    for answer in ["MUDLET", "ANSI-TRUECOLOR", "MTTS 2349"] {
        say(&mut telnet, &terminal_is(answer));
    }
    assert_eq!(say(&mut telnet, b"\xff\xfa\x2a\x03\xff\xf0"), b"", "a profile that is not set to UTF-8");
    assert_eq!(telnet.terminal().client(), Some("MUDLET"));
    assert_eq!(telnet.terminal().utf8(), Agreed::No, "whatever its MTTS bits say");
    assert_eq!(hide(&mut telnet, true), b"\xff\xfb\x01");
    assert_eq!(say(&mut telnet, b"\xff\xfd\x01pw\r\n"), b"");
    assert_eq!(hide(&mut telnet, false), b"\xff\xfc\x01");
    assert_eq!(say(&mut telnet, b"\xff\xfe\x01"), b"");
}

#[test]
fn a_client_that_requests_the_charset_itself() {
    let mut telnet = Telnet::new(Role::Server);
    assert_eq!(say(&mut telnet, b"\xff\xfb\x2a"), b"\xff\xfd\x2a");
    let request = subnegotiation(42, b"\x01 UTF-8 ISO-8859-1");
    assert_eq!(say(&mut telnet, &request), b"\xff\xfa\x2a\x02UTF-8\xff\xf0");
    assert_eq!(telnet.terminal().utf8(), Agreed::Yes);
}

#[test]
fn are_you_there() {
    assert_eq!(say(&mut Telnet::new(Role::Server), b"\xff\xf6"), b"\r\n[Yes]\r\n");
}

#[test]
fn what_only_shows_that_the_client_lives_is_told() {
    assert_eq!(events(&mut Telnet::new(Role::Server), b"\xff\xf1\xff\xf6\xff\xf9"), ["Alive", "Alive"]);
}

#[test]
fn editing_commands_are_events() {
    let mut telnet = Telnet::new(Role::Server);
    assert_eq!(
        events(&mut telnet, b"\xff\xf7\xff\xf8\xff\xf3\xff\xee"),
        ["EraseCharacter", "EraseLine", "Interrupt", "Interrupt"]
    );
    assert!(events(&mut telnet, b"\xff\xf2\xff\xf5\xff\xf9\xff\xf0\xff\xef\xff\xec").is_empty());
}

#[test]
fn iac_is_doubled_for_who_speaks_telnet() {
    let mut telnet = Telnet::new(Role::Server);
    say(&mut telnet, b"\xff\xf1");
    let mut out = b"\xff\xf1a\xffb\xff".to_vec();
    telnet.seal(&mut out, 2);
    assert_eq!(out, b"\xff\xf1a\xff\xffb\xff\xff", "what stood there before stays");
    telnet.seal(&mut out, 100);
    assert_eq!(out.len(), 8, "there is nothing behind the end");
}

#[test]
fn a_window_that_was_not_agreed_on_is_ignored() {
    let mut telnet = Telnet::new(Role::Server);
    assert!(events(&mut telnet, b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0").is_empty());
    assert_eq!(telnet.terminal().width(), None);
}

#[test]
fn a_window_that_is_not_told_any_more_has_no_size() {
    let mut telnet = offered();
    say(&mut telnet, b"\xff\xfb\x1f\xff\xfa\x1f\x00\x28\x00\x18\xff\xf0");
    assert_eq!(telnet.terminal().width(), Some(40));
    assert_eq!(events(&mut telnet, b"\xff\xfc\x1f"), ["Terminal"]);
    assert_eq!((telnet.terminal().width(), telnet.terminal().height()), (None, None));
}

#[test]
fn news_of_the_terminal_is_told_once() {
    let mut telnet = offered();
    let size = b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0";
    assert_eq!(events(&mut telnet, size), ["Terminal"]);
    assert!(events(&mut telnet, size).is_empty());
}

#[test]
fn what_is_typed_is_not_shown_by_debug() {
    assert_eq!(format!("{:?}", Event::Data(b"secret")), "Data(6 bytes)");
}
