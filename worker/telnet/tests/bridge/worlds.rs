//! What the worlds offer that there are, and what comes of it with the programs that people use.

use crate::program::Program;
use crate::talk::{Talk, terms};
use ssmglobal_telnet::Terms;

const TINYMUX: &str = "WILL EOR / DO EOR / WILL SGA / DO TTYPE / DO NAWS / DO NEW-ENVIRON / WILL CHARSET / DO CHARSET";

const EVENNIA: &str =
    "DO LINEMODE / WILL SGA / DO NAWS / DO TTYPE / WILL MCCP2 / WILL MSSP / WILL MSDP / WILL GMCP / WILL MXP";

fn connected(program: Program) -> Talk {
    let mut talk = Talk::new(program);
    talk.connect();
    assert_eq!(talk.player_hears(), "", "a connection says nothing by itself");
    talk
}

/// Sorted, for what may come in any order.
fn sorted(words: &str) -> Vec<&str> {
    let mut list: Vec<&str> = words.split(" / ").filter(|word| !word.is_empty()).collect();
    list.sort_unstable();
    list
}

#[test]
fn tinymux_and_tintin() {
    let mut talk = connected(Program::tintin());
    let heard = talk.world(TINYMUX);
    assert_eq!(
        sorted(&heard),
        sorted(
            "DO EOR / DO SGA / WONT EOR / WILL TTYPE / WILL NAWS / SB NAWS \\x00d\\x00( / WILL NEW-ENVIRON / DO CHARSET / \
             WILL CHARSET / SB CHARSET \\x01;UTF-8;ISO-8859-1"
        )
    );
    assert_eq!(sorted(&talk.player_hears()), sorted("WILL SGA / DO EOR"), "what it has already is not asked for again");
    for name in ["TINTIN++", "XTERM-256COLOR", "MTTS 399", "MTTS 399"] {
        assert_eq!(talk.world("SB TTYPE \\x01"), format!("SB TTYPE \\x00{name}"), "with the bit of a proxy");
    }
    assert_eq!(talk.world("SB CHARSET \\x02UTF-8"), "");
    assert_eq!((talk.told(), talk.bridge.charset()), (vec!["Charset".into()], Some("UTF-8")));
    assert_eq!(
        talk.world("SB NEW-ENVIRON \\x01"),
        "SB NEW-ENVIRON \\x00\\x00CLIENT_NAME\\x01TINTIN++\\x00CLIENT_VERSION\\x012.02.31\\x00CHARSET\\x01UTF-8\\x00MTTS\
         \\x01399\\x00TERMINAL_TYPE\\x01XTERM-256COLOR"
    );
    assert!(!talk.is_waiting());
    assert_eq!(talk.world("\"> \" / EOR"), "");
    assert_eq!(talk.player_hears(), "\"> \" / EOR");
    let resized = talk.program.resize(120, 50);
    assert_eq!(talk.player(&resized), "SB NAWS \\x00x\\x002");
}

#[test]
fn tinymux_and_a_terminal_without_telnet() {
    let mut talk = connected(Program::nc());
    assert_eq!(talk.world(TINYMUX), "DO CHARSET / WILL CHARSET / SB CHARSET \\x01;UTF-8;ISO-8859-1");
    assert!(talk.is_waiting());
    assert_eq!(
        sorted(&talk.give_up_waiting()),
        sorted("DONT EOR / WONT EOR / DONT SGA / WONT TTYPE / WONT NAWS / WONT NEW-ENVIRON")
    );
    assert!(!talk.is_waiting());
    assert_eq!(talk.world("DO LINEMODE / WILL ECHO / \"caf\\xff\\n\" / GA"), "WONT LINEMODE / DO ECHO");
    assert_eq!(talk.program.heard, b"caf\xff\n", "never a byte of telnet, and no letter doubled or lost");
    assert_eq!(talk.told(), ["HideInput(true)", "PromptEnd"]);
}

#[test]
fn pennmush_shows_nothing_until_it_is_answered() {
    let mut talk = connected(Program::telnet());
    assert_eq!(talk.world("DO LINEMODE"), "WILL LINEMODE");
    assert_eq!(talk.player_hears(), "DO LINEMODE");
    assert_eq!(talk.world("SB LINEMODE \\x01\\x03"), "");
    assert_eq!(talk.program.messages, [(34, vec![1, 3])]);

    for program in [Program::tintin(), Program::tf5(), Program::mudlet()] {
        let mut talk = connected(program);
        assert_eq!(talk.world("DO LINEMODE"), "WONT LINEMODE");
    }
    let mut talk = connected(Program::nc());
    assert_eq!(talk.world("DO LINEMODE"), "");
    assert_eq!(talk.give_up_waiting(), "WONT LINEMODE");
}

#[test]
fn evennia_and_mudlet() {
    let mut talk = connected(Program::mudlet());
    let heard = talk.world(EVENNIA);
    assert_eq!(
        sorted(&heard),
        sorted(
            "WONT LINEMODE / DO SGA / WILL NAWS / SB NAWS \\x00Z\\x002 / WILL TTYPE / DONT MCCP2 / DONT MSSP / DO MSDP / DO GMCP / \
             DO MXP / SB GMCP Core.Hello {\\\"client\\\":\\\"Mudlet\\\"} / \
             SB GMCP Core.Supports.Set [\\\"Char 1\\\", \\\"Room 1\\\"]"
        )
    );
    let asked = "DO LINEMODE / WILL SGA / WILL MSDP / WILL GMCP / WILL MXP";
    assert_eq!(sorted(&talk.player_hears()), sorted(asked));
    assert_eq!(talk.world("SB GMCP Char.Vitals {\"hp\":1} / SB MXP / \"\\x1b[6z<b>\""), "");
    assert_eq!(talk.player_hears(), "SB GMCP Char.Vitals {\\\"hp\\\":1} / SB MXP / \"\\x1b[6z<b>\"", "in its order");
    assert_eq!(talk.player(b"\xff\xfa\x45\x01LIST\x02COMMANDS\xff\xf0"), "SB MSDP \\x01LIST\\x02COMMANDS");
}

#[test]
fn evennia_and_tf5() {
    let mut talk = connected(Program::tf5());
    assert_eq!(
        sorted(&talk.world(EVENNIA)),
        sorted(
            "WONT LINEMODE / DO SGA / WILL NAWS / SB NAWS \\x00P\\x00\\x18 / WILL TTYPE / DONT MCCP2 / DONT MSSP / DONT MSDP / \
             DONT GMCP / DONT MXP"
        )
    );
    assert_eq!(talk.world("SB TTYPE \\x01"), "SB TTYPE \\x00TINYFUGUE");
    assert_eq!(talk.world("SB MSDP \\x01A\\x02B"), "", "that was not agreed on");
    assert!(talk.program.messages.is_empty());
}

#[test]
fn a_diku_hides_a_password() {
    let mut talk = connected(Program::tintin());
    assert_eq!(talk.world("WILL MCCP2 / WILL MSSP / WILL GMCP / \"Name: \""), "DONT MCCP2 / DONT MSSP / DONT GMCP");
    talk.player_hears();
    assert_eq!(talk.world("\"Password: \" / WILL ECHO"), "DO ECHO");
    assert_eq!(
        (talk.player_hears(), talk.told()),
        ("\"Password: \" / WILL ECHO".into(), vec!["HideInput(true)".into()])
    );
    assert_eq!(talk.player(b"secret\r\n"), "\"secret\\r\\n\"");
    assert_eq!(talk.world("WONT ECHO / \"\\r\\nWelcome\\r\\n\""), "DONT ECHO");
    assert_eq!(talk.player_hears(), "WONT ECHO / \"\\r\\nWelcome\\r\\n\"");
    assert_eq!(talk.told(), ["HideInput(false)"]);
}

#[test]
fn a_password_is_hidden_as_soon_as_the_player_speaks_telnet() {
    let mut program = Program::telnet();
    program.speaks = false;
    let mut talk = connected(program);
    assert_eq!(talk.world("\"Password: \" / WILL ECHO / DO NAWS"), "DO ECHO");
    assert_eq!(talk.player_hears(), "\"Password: \"");
    talk.program.speaks = true;
    assert_eq!(talk.player(b"\xff\xfd\x03"), "WILL NAWS / SB NAWS \\x00P\\x00\\x18");
    assert_eq!(talk.player_hears(), "WILL SGA / WILL ECHO / DO NAWS");
}

#[test]
fn the_facts_are_waited_for_and_an_answer_that_comes_late_is_told() {
    let mut talk = connected(Program::tintin());
    talk.player = ssmglobal_telnet::Telnet::new(ssmglobal_telnet::Role::Server);
    talk.connect();
    talk.player_bytes(b"\xff\xfd\x03");
    assert_eq!(talk.world_at_once("DO TTYPE / DO NAWS"), "");
    talk.player_bytes(b"\xff\xfb\x18\xff\xfa\x18\x00TINTIN++\xff\xf0\xff\xfa\x18\x00XTERM\xff\xf0\xff\xfb\x1f");
    assert!(talk.is_waiting(), "neither the last of the types nor the size is known");
    assert_eq!(talk.world_at_once(""), "");
    talk.player_bytes(b"\xff\xfa\x18\x00MTTS 9\xff\xf0");
    assert_eq!(talk.world_at_once(""), "WILL TTYPE");
    let (player, to_player, to_world) = (&mut talk.player, &mut talk.to_player, &mut talk.to_world);
    talk.bridge.give_up_waiting(player, to_player, to_world);
    assert_eq!(talk.world_at_once(""), "WILL NAWS / SB NAWS \\x00\\x00\\x00\\x00");
    talk.player_bytes(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0");
    assert_eq!(talk.world_at_once("SB TTYPE \\x01"), "SB NAWS \\x00P\\x00\\x18 / SB TTYPE \\x00TINTIN++");
}

#[test]
fn what_is_agreed_to_late_is_offered_to_a_world_that_had_wanted_it() {
    let mut talk = Talk::new(Program::tintin());
    talk.connect();
    let late = std::mem::replace(&mut talk.program, Program::nc());
    talk.world("WILL GMCP / WILL SGA");
    assert_eq!(talk.give_up_waiting(), "DONT SGA / DONT GMCP");
    talk.program = late;
    assert_eq!(talk.player(b"\xff\xfd\x03\xff\xfe\xc9"), "DO SGA");
    assert_eq!(talk.world("WILL SGA"), "");
    assert_eq!(talk.world("SB GMCP Core.Ping"), "");
}

#[test]
fn what_the_player_switches_off_the_world_loses() {
    let mut talk = connected(Program::mudlet());
    talk.world("WILL GMCP / DO NAWS");
    let off = talk.program.switch_off("GMCP");
    assert_eq!(talk.player(&off), "DONT GMCP");
    assert_eq!(talk.world("WONT GMCP"), "");
    let off = talk.program.switch_off("NAWS");
    assert_eq!(talk.player(&off), "WONT NAWS");
    talk.player_hears();
    assert_eq!(talk.world("DONT NAWS / WILL GMCP"), "DONT GMCP");
    assert_eq!(talk.player_hears(), "", "he has said what he wants");
}

#[test]
fn what_the_world_switches_off_the_player_loses() {
    let mut talk = connected(Program::mudlet());
    talk.world("WILL MXP / WILL GMCP / DO NAWS");
    assert!(talk.player_has("MXP") && talk.player_has("GMCP"));
    talk.player_hears();
    assert_eq!(talk.world("WONT MXP / WONT GMCP / DONT NAWS"), "DONT MXP / DONT GMCP / WONT NAWS");
    assert_eq!(sorted(&talk.player_hears()), sorted("WONT MXP / WONT GMCP"), "the size is for us too");
}

#[test]
fn the_player_may_begin_and_the_world_decides() {
    let mut talk = connected(Program::mudlet());
    talk.world("DO NAWS");
    talk.player_hears();
    talk.program.does.push(150);
    talk.program.has.push(151);
    assert_eq!(talk.player(b"\xff\xfb\x96\xff\xfd\x97"), "WILL 150 / DO 151");
    assert_eq!(talk.player_hears(), "");
    assert_eq!(talk.world("DO 150 / WONT 151"), "");
    assert_eq!(talk.player_hears(), "DO 150 / WONT 151");
    assert_eq!(talk.player(b"\xff\xfa\x96hi\xff\xf0"), "SB 150 hi");
}

#[test]
fn a_world_that_starts_again_behind_an_open_connection_finds_what_it_expects() {
    let mut talk = connected(Program::mudlet());
    let offers = "DO TTYPE / DO NAWS / WILL GMCP / WILL EOR / WILL CHARSET / DO LINEMODE / WILL 150";
    let first = talk.world(offers);
    assert!(first.contains("WONT LINEMODE") && first.contains("DONT 150"), "{first}");
    talk.world("SB CHARSET \\x01;UTF-8");
    talk.player_hears();
    for _ in 0..3 {
        let again = talk.world(offers);
        assert_eq!(sorted(&again), sorted(&first), "all of it is said again, refusals and GMCP's greeting too");
        assert_eq!(talk.world("SB CHARSET \\x01;UTF-8"), "SB CHARSET \\x02UTF-8");
        assert_eq!(talk.world("SB TTYPE \\x01"), "SB TTYPE \\x00MUDLET");
    }
    assert_eq!(talk.player_hears(), "", "and the player hears nothing of it");
}

#[test]
fn a_world_that_starts_again_before_it_has_read_its_answers_ends_in_the_same_state() {
    let mut talk = connected(Program::mudlet());
    let answers = "WILL NAWS / SB NAWS \\x00Z\\x002 / WONT LINEMODE";
    // Twice without an answer: to the worlds before it, and to this one. Which one it answers nobody can tell.
    for _ in 0..2 {
        assert_eq!(sorted(&talk.world("DO NAWS / DO LINEMODE")), sorted(answers));
    }
    // What both have asked for before the player has answered is answered once.
    let mut talk = connected(Program::mudlet());
    assert_eq!(talk.world_at_once("DO LINEMODE / DO LINEMODE"), "");
    assert_eq!(talk.player(b""), "WONT LINEMODE");
}

#[test]
fn the_address_is_told_where_the_owner_gives_it() {
    for program in [Program::tf5(), Program::nc(), Program::tintin()] {
        let mut talk = Talk::new(program);
        talk.connect_with(Terms { address: Some("192.0.2.7".into()), ..terms() });
        assert_eq!(talk.world("DO NEW-ENVIRON"), "WILL NEW-ENVIRON");
        assert_eq!(
            talk.world("SB NEW-ENVIRON \\x01\\x00IPADDRESS"),
            "SB NEW-ENVIRON \\x00\\x00IPADDRESS\\x01192.0.2.7"
        );
    }
    let mut talk = connected(Program::tintin());
    talk.world("DO NEW-ENVIRON");
    assert_eq!(talk.world("SB NEW-ENVIRON \\x01\\x00IPADDRESS"), "SB NEW-ENVIRON \\x00\\x00IPADDRESS");
}

#[test]
fn a_world_tells_about_itself_when_somebody_wants_to_know() {
    let mut talk = connected(Program::tintin());
    assert_eq!(talk.world("WILL MSSP"), "DONT MSSP");
    let mut talk = Talk::new(Program::tintin());
    talk.connect_with(Terms { mssp: true, ..terms() });
    assert_eq!(talk.world("WILL MSSP"), "DO MSSP");
    assert_eq!(talk.world("SB MSSP \\x01NAME\\x02Mud\\x01PLAYERS\\x023"), "");
    assert_eq!((talk.told(), talk.bridge.mssp().get("PLAYERS")), (vec!["Mssp".into()], Some("3")));
    assert!(talk.program.messages.is_empty(), "the owner tells the player");
    // A crawler that asks after the world has offered it in vain.
    let mut talk = connected(Program::tintin());
    talk.world("WILL MSSP");
    assert_eq!(talk.player(b"\xff\xfd\x46"), "DO MSSP");
}

#[test]
fn compression_is_agreed_to_where_the_owner_has_a_stream_for_it() {
    let mut talk = Talk::new(Program::nc());
    talk.connect_with(Terms { compression: true, ..terms() });
    assert_eq!(talk.world("WILL MCCP2"), "DO MCCP2");
    assert_eq!(talk.world("WILL MCCP3 / DO MCCP3"), "DONT MCCP3 / WONT MCCP3");
    talk.world("SB MCCP2");
    assert_eq!(talk.told(), ["Compressed"]);
    assert_eq!(talk.program.heard, b"");
}

#[test]
fn a_letter_of_255_is_doubled_on_both_sides_and_never_lost() {
    let mut talk = connected(Program::tintin());
    assert_eq!(talk.world("\"\\xff\\xff\""), "");
    assert_eq!(talk.program.shown, b"\xff\xff");
    assert_eq!(talk.player(b"\xff\xff\r\n"), "\"\\xff\\r\\n\"");
}

#[test]
fn a_lone_return_has_a_nul_behind_it_for_the_world() {
    let mut talk = connected(Program::nc());
    assert_eq!(talk.player(b"a\rb\r"), "\"a\\r\\x00b\\r\"");
    assert_eq!(talk.player(b"\nc\r"), "\"\\nc\\r\"");
    assert_eq!(talk.player(b"d\r\n"), "\"\\x00d\\r\\n\"");
    talk.world("DO BINARY");
    assert_eq!(talk.player(b"a\rb"), "\"a\\rb\"");
}

#[test]
fn keys_and_other_commands_go_to_a_world_that_speaks_telnet() {
    let mut talk = connected(Program::tintin());
    assert_eq!(talk.player(b"\xff\xf6\xff\xf4"), "");
    assert_eq!(talk.player_hears(), "\"\\r\\n[Yes]\\r\\n\"", "somebody has to answer");
    talk.world("WILL SGA");
    assert_eq!(talk.player(b"\xff\xf6\xff\xf4\xff\xf7\xff\xf5"), "AYT / IP / 247 / AO");
    talk.player_hears();
    assert_eq!(talk.world("AYT / AO / NOP"), "NOP");
    assert_eq!((talk.player_hears(), talk.told()), ("AO".into(), vec!["Alive".into(), "Alive".into()]));
}
