//! A world that is left, or lost, leaves nothing of its own behind.

use crate::program::Program;
use crate::talk::Talk;
use ssmglobal_telnet::{Party, Standing, option};

fn playing(program: Program, world: &str) -> Talk {
    let mut talk = Talk::new(program);
    talk.connect();
    talk.world(world);
    talk.player_hears();
    talk
}

#[test]
fn what_a_world_has_set_is_as_before() {
    let mut talk = playing(
        Program::mudlet(),
        "WILL EOR / WILL SGA / DO NAWS / WILL GMCP / WILL MSDP / WILL MXP / WILL MSP / WILL ATCP / WILL ECHO / \"\\x1b[31mPassword: \"",
    );
    for name in ["SGA", "GMCP", "MSDP", "MXP", "MSP", "ATCP", "ECHO", "EOR", "NAWS"] {
        assert!(talk.player_has(name), "{name}");
    }
    talk.leave();
    assert_eq!(
        talk.player_hears(),
        "WONT ECHO / \"\\x1b[7z\\x1b[0m\" / WONT SGA / WONT MSDP / WONT MSP / WONT MXP / WONT ATCP"
    );
    for name in ["SGA", "MSDP", "MXP", "MSP", "ATCP", "ECHO"] {
        assert!(!talk.player_has(name), "{name}");
    }
    for name in ["GMCP", "EOR", "NAWS", "TTYPE"] {
        assert!(talk.player_has(name), "{name} stays");
    }
    talk.leave();
    assert_eq!(talk.player_hears(), "", "it was left");
    assert_eq!(talk.player(b"\xff\xfa\xc9Char.Items {}\xff\xf0"), "", "there is nobody who would hear it");
}

#[test]
fn a_new_world_is_told_what_the_program_had_said_of_itself() {
    let mut talk = playing(Program::mudlet(), "WILL GMCP");
    talk.player(b"\xff\xfa\xc9Core.Supports.Add [\"Comm 1\"]\xff\xf0");
    talk.leave();
    talk.connect();
    assert_eq!(
        talk.world("WILL GMCP"),
        "DO GMCP / SB GMCP Core.Hello {\\\"client\\\":\\\"Mudlet\\\"} / \
         SB GMCP Core.Supports.Set [\\\"Char 1\\\", \\\"Room 1\\\", \\\"Comm 1\\\"]"
    );
    assert_eq!(talk.player_hears(), "", "for the player nothing has happened");
}

#[test]
fn what_is_switched_off_is_switched_on_again_by_the_next_world() {
    let mut talk = playing(Program::mudlet(), "WILL MSDP / WILL MXP");
    talk.leave();
    talk.player_hears();
    talk.connect();
    assert_eq!(talk.world("WILL MSDP / WILL MXP"), "DO MSDP / DO MXP");
    assert_eq!(talk.player_hears(), "WILL MSDP / WILL MXP");
}

#[test]
fn a_connection_that_is_replaced_is_left_first() {
    let mut talk = playing(Program::mudlet(), "WILL MXP / WILL ECHO");
    talk.connect();
    assert_eq!(talk.player_hears(), "WONT ECHO / \"\\x1b[7z\" / WONT MXP");
    assert!(!talk.bridge.hides_input() && talk.bridge.charset().is_none());
}

#[test]
fn an_end_in_the_middle_of_the_negotiation_leaves_nothing_open() {
    let mut talk = Talk::new(Program::mudlet());
    talk.connect();
    talk.world_bytes(b"\xff\xfb\x5b\xff\xfb\xc9");
    // Both questions are on their way.
    talk.leave();
    assert_eq!(talk.player.standing(Party::Us, option::MXP), Standing::Off);
    assert!(!talk.player_has("MXP") && talk.player_has("GMCP"));
    talk.connect();
    let heard = talk.world("WILL MXP / WILL GMCP");
    assert!(heard.starts_with("DO GMCP / SB GMCP Core.Hello") && heard.ends_with("DO MXP"), "{heard}");
}

#[test]
fn what_the_player_proposes_while_there_is_no_world_is_refused() {
    let mut talk = playing(Program::tintin(), "DO NAWS");
    talk.leave();
    talk.player(b"\xff\xfb\x96\xff\xfd\x97");
    assert_eq!(talk.player_hears(), "DONT 150 / WONT 151");
}

#[test]
fn colours_are_reset_where_there_may_be_any() {
    for (program, world, heard) in [
        (Program::tintin(), "\"\\x1b[31mred\"", "\\x1b[0m"),
        (Program::tintin(), "\"plain\"", ""),
        (Program::nc(), "\"\\x1b[31mred\"", "\\x1b[0m"),
        (Program::nc(), "\"plain\"", ""),
    ] {
        let mut talk = Talk::new(program);
        talk.connect();
        talk.world(world);
        talk.program.shown.clear();
        talk.leave();
        assert_eq!(talk.program.shown.escape_ascii().to_string(), heard, "{world}");
    }
    // TinyFugue tells its name and nothing of colours.
    let mut talk = playing(Program::tf5(), "\"\\x1b[31mred\"");
    assert!(!talk.player.terminal().colour());
    talk.leave();
    assert_eq!(talk.player_hears(), "");
}

#[test]
fn who_speaks_no_telnet_hears_none_at_the_end_either() {
    let mut talk = playing(Program::nc(), "WILL ECHO / WILL GMCP / DO LINEMODE / \"bye\\r\\n\"");
    talk.give_up_waiting();
    talk.leave();
    assert_eq!(talk.program.shown, b"bye\r\n");
}
