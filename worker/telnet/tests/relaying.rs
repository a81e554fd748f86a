//! Options that the owner decides about, in both roles: what is asked, what is answered, and what the owner hears.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails its test")]

#[path = "conversation/words.rs"]
mod words;

use ssmglobal_telnet::{Event, Mssp, Party, Presented, Role, Standing, Telnet, option};
use words::{bytes, words};

/// A machine that relays, and what it has written and told since the last look.
struct End {
    telnet: Telnet,
    out: Vec<u8>,
    events: Vec<String>,
}

impl End {
    fn new(role: Role) -> Self {
        let mut end = Self { telnet: Telnet::new(role), out: Vec::new(), events: Vec::new() };
        end.telnet.set_relaying(true, &mut end.out);
        end
    }

    fn client(presented: Presented) -> Self {
        let mut end = Self::new(Role::Client);
        end.telnet.present(presented, &mut end.out);
        end
    }

    /// The peer says this; it is answered this, and the owner hears that.
    fn hears(&mut self, said: &str, answer: &str, events: &[&str]) {
        let bytes = bytes(said);
        let mut input = bytes.as_slice();
        while let Some(event) = self.telnet.next(&mut input, &mut self.out) {
            self.events.push(match event {
                Event::Data(data) => format!("\"{}\"", data.escape_ascii()),
                Event::Subnegotiation { option } => {
                    format!("Subnegotiation({option} {})", self.telnet.subnegotiation().escape_ascii())
                }
                event => format!("{event:?}"),
            });
        }
        assert_eq!(words(&std::mem::take(&mut self.out)), answer, "to {said}");
        assert_eq!(std::mem::take(&mut self.events), events, "to {said}");
    }

    fn answers(&mut self, party: Party, option: u8, yes: bool, said: &str) {
        self.telnet.answer(party, option, yes, &mut self.out);
        assert_eq!(words(&std::mem::take(&mut self.out)), said);
    }

    fn asks(&mut self, party: Party, option: u8, on: bool, said: &str) {
        self.telnet.ask(party, option, on, &mut self.out);
        assert_eq!(words(&std::mem::take(&mut self.out)), said);
    }
}

use Party::{Them, Us};

#[test]
fn a_proposal_waits_for_the_owner_and_is_answered_once() {
    for role in [Role::Server, Role::Client] {
        let mut end = End::new(role);
        end.hears("WILL GMCP", "", &["Wants(Them 201)"]);
        end.hears("WILL GMCP", "", &[]);
        assert!(end.telnet.is_proposed(Them, option::GMCP));
        assert_eq!(end.telnet.standing(Them, option::GMCP), Standing::Off);
        end.answers(Them, option::GMCP, true, "DO GMCP");
        end.answers(Them, option::GMCP, true, "");
        assert_eq!(end.telnet.standing(Them, option::GMCP), Standing::On);
        end.hears("DO GMCP", "", &["Wants(Us 201)"]);
        end.answers(Us, option::GMCP, false, "WONT GMCP");
        end.hears("DO GMCP", "", &["Wants(Us 201)"]);
        // A world may have started again, and waits for an answer.
        end.answers(Us, option::GMCP, false, if role == Role::Client { "WONT GMCP" } else { "" });
    }
}

#[test]
fn a_proposal_that_is_withdrawn_is_none() {
    let mut end = End::new(Role::Client);
    end.hears("WILL MXP / WONT MXP", "", &["Wants(Them 91)", "Agreed(Them 91 false)"]);
    end.answers(Them, option::MXP, true, "");
}

#[test]
fn what_is_asked_for_comes_back() {
    let mut end = End::new(Role::Server);
    end.asks(Us, option::GMCP, true, "WILL GMCP");
    end.asks(Us, option::GMCP, true, "");
    assert_eq!(end.telnet.standing(Us, option::GMCP), Standing::Asked);
    end.hears("DO GMCP", "", &["Agreed(Us 201 true)"]);
    end.asks(Them, option::LINEMODE, true, "DO LINEMODE");
    end.hears("WONT LINEMODE", "", &["Agreed(Them 34 false)"]);
    assert_eq!(end.telnet.standing(Them, option::LINEMODE), Standing::Refused);
    end.asks(Us, option::GMCP, false, "WONT GMCP");
    end.hears("DONT GMCP", "", &["Agreed(Us 201 false)"]);
    assert_eq!(end.telnet.standing(Us, option::GMCP), Standing::Off, "that was our wish");
}

#[test]
fn who_changes_his_mind_before_the_answer_comes_says_it_then() {
    let mut end = End::new(Role::Server);
    end.asks(Us, option::MXP, true, "WILL MXP");
    end.asks(Us, option::MXP, false, "");
    end.hears("DO MXP", "WONT MXP", &[]);
    end.asks(Us, option::MXP, true, "");
    end.hears("DONT MXP", "WILL MXP", &[]);
    end.hears("DO MXP", "", &["Agreed(Us 91 true)"]);
}

#[test]
fn to_ask_for_what_is_proposed_is_the_answer() {
    let mut end = End::new(Role::Client);
    end.hears("WILL MSDP / DO TTYPE", "", &["Wants(Them 69)", "Wants(Us 24)"]);
    end.asks(Them, option::MSDP, true, "DO MSDP");
    end.asks(Us, option::TTYPE, false, "WONT TTYPE");
}

#[test]
fn a_peer_that_switches_off_is_obeyed() {
    let mut end = End::new(Role::Server);
    end.hears("WILL 150", "", &["Wants(Them 150)"]);
    end.answers(Them, 150, true, "DO 150");
    end.hears("WONT 150", "DONT 150", &["Agreed(Them 150 false)"]);
    assert_eq!(end.telnet.standing(Them, 150), Standing::Refused);
    end.hears("WILL 150", "", &["Wants(Them 150)"]);
}

#[test]
fn a_server_keeps_what_it_uses_itself_and_tells_of_it() {
    let mut end = End::new(Role::Server);
    end.telnet.offer_all(&mut end.out);
    let offers = "DO BINARY / WILL BINARY / DO NAWS / DO TTYPE / WILL EOR / WILL CHARSET / DO NEW-ENVIRON / WILL MSSP";
    assert_eq!(words(&std::mem::take(&mut end.out)), offers);
    end.telnet.offer_all(&mut end.out);
    assert_eq!(end.out, b"", "once");
    end.hears("WILL NAWS / SB NAWS \\x00\\x64\\x00\\x28", "", &["Agreed(Them 31 true)", "Terminal"]);
    end.hears("WILL TTYPE", "SB TTYPE \\x01", &["Agreed(Them 24 true)"]);
    end.hears("DO EOR / DONT CHARSET", "", &["Agreed(Us 25 true)", "Agreed(Us 42 false)"]);
    end.hears(
        "WILL NEW-ENVIRON",
        "SB NEW-ENVIRON \\x01\\x00CLIENT_NAME\\x00CLIENT_VERSION\\x00CHARSET\\x00MTTS\\x00TERMINAL_TYPE",
        &["Agreed(Them 39 true)"],
    );
    end.hears("SB NEW-ENVIRON \\x00\\x00CLIENT_NAME\\x01Mudlet\\x00CHARSET\\x01UTF-8", "", &["Terminal"]);
    assert_eq!(end.telnet.terminal().client(), Some("Mudlet"));
    end.hears("WONT NAWS", "DONT NAWS", &["Agreed(Them 31 false)"]);
    assert_eq!(end.telnet.terminal().width(), None);
    end.hears("DO SGA / DO ECHO", "WILL SGA / WONT ECHO", &["Agreed(Us 3 true)"]);
}

#[test]
fn a_client_leaves_all_but_echo_and_binary_to_its_owner() {
    let mut end = End::client(Presented { width: Some(80), height: Some(24), ..Presented::default() });
    end.hears(
        "WILL ECHO / DO BINARY / WILL BINARY",
        "DO ECHO / WILL BINARY / DO BINARY",
        &["HideInput(true)", "Agreed(Us 0 true)", "Agreed(Them 0 true)"],
    );
    assert!(end.telnet.hides_input());
    end.hears(
        "DO NAWS / WILL EOR / DO SGA / DO CHARSET",
        "",
        &["Wants(Us 31)", "Wants(Them 25)", "Wants(Us 3)", "Wants(Us 42)"],
    );
    end.answers(Us, option::NAWS, true, "WILL NAWS / SB NAWS \\x00P\\x00\\x18");
    end.answers(Them, option::EOR, true, "DO EOR");
}

#[test]
fn a_world_that_has_forgotten_all_is_told_again_and_not_for_ever() {
    let mut end = End::client(Presented { width: Some(80), height: Some(24), utf8: true, ..Presented::default() });
    end.hears(
        "DO NAWS / DO CHARSET / DO TTYPE / WILL EOR",
        "",
        &["Wants(Us 31)", "Wants(Us 42)", "Wants(Us 24)", "Wants(Them 25)"],
    );
    end.answers(Us, option::NAWS, true, "WILL NAWS / SB NAWS \\x00P\\x00\\x18");
    end.answers(Us, option::CHARSET, true, "WILL CHARSET / SB CHARSET \\x01;UTF-8");
    end.answers(Us, option::TTYPE, true, "WILL TTYPE");
    end.answers(Them, option::EOR, true, "DO EOR");
    end.hears("SB CHARSET \\x02UTF-8 / SB TTYPE \\x01", "SB TTYPE \\x00UNKNOWN", &["Terminal"]);
    end.hears(
        "DO NAWS / DO CHARSET / WILL EOR",
        "WILL NAWS / SB NAWS \\x00P\\x00\\x18 / WILL CHARSET / SB CHARSET \\x01;UTF-8 / DO EOR",
        &["Agreed(Us 31 true)", "Agreed(Us 42 true)", "Agreed(Them 25 true)"],
    );
    let mut answers = 0;
    for _ in 0..1000 {
        while end.telnet.next(&mut &b"\xff\xfb\x19"[..], &mut end.out).is_some() {}
        answers += end.out.drain(..).count() / 3;
    }
    assert_eq!(answers, 30, "with two before, as often as an option may be switched on");
}

#[test]
fn a_world_that_has_forgotten_a_refusal_is_refused_again_and_not_for_ever() {
    let mut end = End::new(Role::Client);
    let mut answers = 0;
    for _ in 0..1000 {
        let mut input = &b"\xff\xfb\x5b"[..];
        while end.telnet.next(&mut input, &mut end.out).is_some() {
            end.telnet.answer(Them, option::MXP, false, &mut end.out);
        }
        let said = words(&end.out);
        assert!(matches!(said.as_str(), "DONT MXP" | ""), "{said}");
        answers += end.out.drain(..).count() / 3;
    }
    assert_eq!(answers, 34, "at first, as often as an option may be switched on, and a last time");
}

#[test]
fn sixteen_unknown_options_have_room_and_those_with_a_name_always() {
    let mut end = End::new(Role::Client);
    for option in 100..116_u8 {
        end.hears(&format!("WILL {option}"), "", &[&format!("Wants(Them {option})")]);
    }
    end.hears("WILL 116", "DONT 116", &[]);
    end.hears("WILL 116", "", &[]);
    end.hears("DO 116", "", &["Wants(Us 116)"]);
    for option in ["LINEMODE", "MSDP", "MSSP", "MXP", "MSP", "ATCP", "GMCP"] {
        end.hears(&format!("WILL {option}"), "", &[&format!("Wants(Them {})", words::option(option))]);
    }
    end.asks(Them, 117, true, "");
    assert_eq!(end.telnet.standing(Them, 117), Standing::Off);
}

#[test]
fn what_would_be_no_telnet_is_never_relayed() {
    for role in [Role::Server, Role::Client] {
        let mut end = End::new(role);
        for option in ["AUTHENTICATION", "ENCRYPT", "START-TLS", "MCCP1", "255"] {
            end.hears(&format!("WILL {option}"), &format!("DONT {option}"), &[]);
            end.hears(&format!("DO {option}"), &format!("WONT {option}"), &[]);
            end.asks(Us, words::option(option), true, "");
        }
    }
}

#[test]
fn a_subnegotiation_is_handed_out_while_its_option_is_in_use() {
    let mut end = End::new(Role::Server);
    end.hears("SB GMCP Core.Ping", "", &[]);
    end.asks(Us, option::GMCP, true, "WILL GMCP");
    end.hears(
        "DO GMCP / SB GMCP a\\r\\n\\xffb / SB GMCP",
        "",
        &["Agreed(Us 201 true)", "Subnegotiation(201 a\\r\\n\\xffb)", "Subnegotiation(201 )"],
    );
    let mut out = Vec::new();
    Telnet::subnegotiate(option::GMCP, b"x\xff", &mut out);
    assert_eq!(out, b"\xff\xfa\xc9x\xff\xff\xff\xf0");
}

#[test]
fn a_long_subnegotiation_has_a_bound_and_leaves_no_memory_behind() {
    const LIMIT: usize = 64 * 1024;
    let mut end = End::new(Role::Client);
    end.hears("WILL GMCP", "", &["Wants(Them 201)"]);
    end.answers(Them, option::GMCP, true, "DO GMCP");
    for (length, expected) in [(LIMIT - 1, 1), (LIMIT, 0)] {
        let body = vec![b'x'; length];
        let mut out = Vec::new();
        Telnet::subnegotiate(option::GMCP, &body, &mut out);
        let mut found = 0;
        for mut read in out.chunks(1000) {
            while let Some(event) = end.telnet.next(&mut read, &mut Vec::new()) {
                assert_eq!((event, end.telnet.subnegotiation()), (Event::Subnegotiation { option: 201 }, &body[..]));
                found += 1;
            }
            assert!(end.telnet.capacity() <= LIMIT);
        }
        assert_eq!(found, expected);
        while end.telnet.next(&mut &b"x"[..], &mut Vec::new()).is_none() {}
        assert!(end.telnet.capacity() <= 512);
    }
}

#[test]
fn commands_are_for_the_owner() {
    let mut server = End::new(Role::Server);
    server.hears(
        "AYT / IP / AO / NOP / GA",
        "",
        &["Command(246)", "Interrupt", "Command(245)", "Alive", "Command(249)"],
    );
    let mut client = End::new(Role::Client);
    client.hears(
        "AYT / IP / AO / NOP / GA / EOR",
        "",
        &["Command(246)", "Command(244)", "Command(245)", "Alive", "PromptEnd", "PromptEnd"],
    );
}

#[test]
fn a_stream_comes_in_large_pieces_without_the_nul_of_a_return() {
    let mut end = End::new(Role::Client);
    end.hears("\"one\\r\\ntwo\\r\\n\"", "", &["\"one\\r\\ntwo\\r\\n\""]);
    end.hears("\"a\\r\\x00b\\x00c\\r\"", "", &["\"a\\r\"", "\"b\\x00c\\r\""]);
    end.hears("\"\\x00d\\xff\"", "", &["\"d\"", "\"\\xff\""]);
    end.hears("WILL BINARY", "DO BINARY", &["Agreed(Them 0 true)"]);
    end.hears("\"a\\r\\x00b\"", "", &["\"a\\r\\x00b\""]);
}

#[test]
fn a_server_is_asked_what_it_is() {
    let mut end = End::new(Role::Server);
    end.telnet.mssp(&[("NAME", "X")], &mut end.out);
    assert_eq!(end.out, b"", "nobody has asked");
    end.hears("DO MSSP", "WILL MSSP", &["WantsMssp"]);
    end.telnet.mssp(&[("NAME", "X"), ("PLAYERS", "3")], &mut end.out);
    let body = end.out.strip_prefix(b"\xff\xfa\x46").unwrap().strip_suffix(b"\xff\xf0").unwrap();
    assert_eq!(Mssp::read(body).get("PLAYERS"), Some("3"));

    let mut end = End::new(Role::Server);
    end.asks(Us, option::MSSP, true, "WILL MSSP");
    end.hears("DO MSSP", "", &["WantsMssp"]);
}

#[test]
fn compression_begins_behind_its_mark_and_only_where_it_was_agreed_on() {
    let mut server = End::new(Role::Server);
    server.telnet.set_compressing(true);
    assert!(!server.telnet.begin_compressing(&mut server.out));
    server.hears("SB MCCP3", "", &[]);
    server.asks(Us, option::MCCP2, true, "WILL MCCP2");
    server.asks(Us, option::MCCP3, true, "WILL MCCP3");
    server.hears("DO MCCP2 / DO MCCP3", "", &["Agreed(Us 86 true)", "Agreed(Us 87 true)"]);
    assert!(server.telnet.begin_compressing(&mut server.out));
    assert_eq!(words(&std::mem::take(&mut server.out)), "SB MCCP2");
    let mut input = &b"\xff\xfa\x57\xff\xf0\xff\xf0\x78\x9c"[..];
    assert_eq!(server.telnet.next(&mut input, &mut server.out), Some(Event::Compressed));
    assert_eq!(input, b"\xff\xf0\x78\x9c", "nothing behind the mark was touched");

    let mut client = End::new(Role::Client);
    client.hears("WILL MCCP2", "", &["Wants(Them 86)"]);
    client.hears("SB MCCP2", "", &[]);
    client.answers(Them, option::MCCP2, true, "DO MCCP2");
    client.hears("SB MCCP2", "", &["Compressed"]);
}

#[test]
fn a_server_offers_compression_only_if_its_owner_has_the_streams_and_decides_about_it_by_itself() {
    let mut server = End::new(Role::Server);
    server.hears("DO MCCP2 / DO MCCP3 / SB MCCP3", "WONT MCCP2 / WONT MCCP3", &[]);
    server.asks(Us, option::MCCP2, true, "");
    server.telnet.offer(&mut server.out);
    assert!(!words(&std::mem::take(&mut server.out)).contains("MCCP"));

    let mut server = End::new(Role::Server);
    server.telnet.set_compressing(true);
    server.telnet.offer(&mut server.out);
    assert!(words(&std::mem::take(&mut server.out)).ends_with("WILL CHARSET / WILL MCCP2 / WILL MCCP3"));
    server.hears("DO MCCP2 / DONT MCCP3", "", &["Agreed(Us 86 true)", "Agreed(Us 87 false)"]);
    server.hears("DONT MCCP2 / DO MCCP3", "WONT MCCP2 / WILL MCCP3", &["Agreed(Us 86 false)", "Agreed(Us 87 true)"]);
}

#[test]
fn what_was_agreed_on_outlasts_the_relaying() {
    let mut end = End::new(Role::Server);
    end.asks(Us, option::GMCP, true, "WILL GMCP");
    end.hears("DO GMCP / WILL 150", "", &["Agreed(Us 201 true)", "Wants(Them 150)"]);
    end.telnet.set_relaying(false, &mut end.out);
    assert_eq!(words(&std::mem::take(&mut end.out)), "DONT 150", "nobody would answer it any more");
    end.hears("DO GMCP / WILL 151 / AYT", "DONT 151 / \"\\r\\n[Yes]\\r\\n\"", &["Alive"]);
    end.hears("DONT GMCP", "WONT GMCP", &[]);
}
