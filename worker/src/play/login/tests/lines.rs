//! Worlds that take a login in one line.

use super::*;

fn mush() -> LoginTerms {
    LoginTerms {
        login: Some(r"^\s*(?i:connect|co|con|cd|ch|cv)\s+\S".to_owned()),
        success: texts(&["^Last connect was from"]),
        failure: texts(&["^Either that player does not exist", "^Sorry, there is a limit", "^Connections are disabled"]),
        hide: texts(&[r"^There (was|were|have been) \d+ failed", "^-+$"]),
        prompts: false,
    }
}

const TINYMUX: &str = "\r\n----------\r\n  TinyMUX\r\n----------\r\n\"connect <name> <password>\" connects you.\r\n";
const REFUSED: &str = "Either that player does not exist, or has a different password.\r\n";

#[test]
fn tinymux() {
    conversation(
        &mush(),
        &[
            World(TINYMUX),
            Types("WHO"),
            World("Player Name  On For Idle  Doing\r\n0 Players logged in.\r\n"),
            Types("connect \"Bob the Builder\" hunter2"),
            World("\x1b[1mLast connect\x1b[0m was from 127.0.0.1 on Thu.\r\nLimbo(#0)\r\n"),
            Types("connect the dots"),
            World("Huh?  (Type \"help\" for help.)\r\n"),
        ],
        &[
            World(TINYMUX),
            Mark,
            Typed("connect \"Bob the Builder\" hunter2"),
            World("Last connect was from 127.0.0.1 on Fri.\r\n"),
            World("There was 1 failed connect since.\r\nLimbo(#0)\r\nYou see nothing special.\r\n"),
            Pass(150),
            In("Limbo(#0)\r\nYou see nothing special.\r\n"),
            World("Alice waves.\r\n"),
            In_later(),
        ],
    );
}
