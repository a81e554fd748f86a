//! Worlds that take a login in one line.

use super::*;

fn mush() -> LoginTerms {
    LoginTerms {
        login: Some(r"^\s*(?i:connect|co|con|cd|ch|cv)\s+\S".to_owned()),
        success: texts(&["^Last connect was from"]),
        failure: texts(&[
            "^Either that player does not exist",
            "^Sorry, there is a limit",
            "^Connections are disabled",
        ]),
        hide: texts(&["^MAIL: You have no mail", "^$", "^-+$"]),
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
            Says("connect \"Bob the Builder\" hunter2"),
            World("**** 1 failed connect since your last successful connect. ****\r\n"),
            World("Last connect was from 127.0.0.1 on Thu Nov 26 17:35:58.410127 2026.\r\n\r\n"),
            World("MAIL: You have no mail.\r\n\r\nLimbo(#0)\r\nYou see nothing special.\r\n"),
            Pass(150),
            In("Limbo(#0)\r\nYou see nothing special.\r\n"),
        ],
    );
}

#[test]
fn pennmush_says_nothing_until_it_has_heard_something() {
    let script = [
        Pass(300),
        Says("ch bob hunter2"),
        World("\r\nWelcome to PennMUSH!\r\n\r\nLast connect was from localhost on Thu.\r\n\r\nRoom Zero\r\n"),
        Pass(150),
        In("Room Zero\r\n"),
    ];
    let typed = [Types("ch bob hunter2"), World("Welcome to PennMUSH!\r\nLast connect was from localhost.\r\n")];
    conversation(&mush(), &typed, &script);
}

#[test]
fn evennia() {
    let terms = LoginTerms {
        login: Some("^(?i:connect|conn?|co) ".to_owned()),
        success: texts(&["^You become "]),
        failure: texts(&["^Username and/or password is incorrect"]),
        ..LoginTerms::default()
    };
    let screen = "======\r\n Welcome to Mygame\r\n======\r\n";
    conversation(
        &terms,
        &[World(screen), Types("connect bob hunter2"), World("\r\nYou become \x1b[36mBob\x1b[0m.\r\n")],
        &[
            World(screen),
            Pass(150),
            Says("connect bob hunter2"),
            World("\r\nYou become Bob.\r\n\r\nLimbo\r\nWelcome!\r\n"),
            In("\r\nLimbo\r\nWelcome!\r\n"),
        ],
    );
}

/// Recorded: its Portal listens and offers telnet seconds before the game is there, loses what it hears till then, and tells who is
/// one too many in a second to wait. Who had to wait is shown the screen, who had not only what the game says to all.
#[test]
fn evennia_is_spoken_to_when_the_game_is_there_and_not_when_its_portal_is() {
    let terms = LoginTerms {
        login: Some("^connect ".to_owned()),
        success: texts(&["^You become "]),
        hide: texts(&["^You become ", r"DoS protection is active\.\s*You are queued"]),
        ..LoginTerms::default()
    };
    let typed = [World("Welcome\r\n"), Types("connect bob hunter2"), World("You become Bob.\r\n")];
    let queued = World("mygame DoS protection is active.You are queued to connect in 1.0 seconds ...\x1b[0m\r\n");
    let inside =
        [Says("connect bob hunter2"), World("\r\nYou become Bob.\r\n\r\nLimbo\r\n"), Pass(150), In("\r\nLimbo\r\n")];
    let restarted = World(" ... Server restarted.\x1b[0m\r\n");
    conversation(&terms, &typed, &[&[Offers, Pass(6000), restarted][..], &inside].concat());
    let screen = World("\r\n=====\r\n Welcome to mygame\r\n");
    conversation(&terms, &typed, &[&[Offers, queued, Pass(6000), screen][..], &inside].concat());
    conversation(&terms, &typed, &[&[queued, Offers, Pass(40), screen][..], &inside].concat());
    // One that has nothing to show at all.
    let mute = [Offers, Pass(30_000), Says("connect bob hunter2"), Pass(9900), World("You become Bob.\r\n")];
    conversation(&terms, &typed, &[&mute[..], &[Pass(150), In("")]].concat());
    conversation(&terms, &typed, &[Offers, Pass(30_000), Says("connect bob hunter2"), Pass(10_000), TimedOut]);
}

#[test]
fn a_world_that_does_not_stop_talking_is_spoken_to_all_the_same() {
    let typed = [Types("connect bob hunter2"), World("Last connect was from localhost.\r\n")];
    let noise = World("A long story.\r\n");
    let script = [noise, Pass(100), noise, Pass(100), noise, Pass(100), Says("connect bob hunter2")];
    conversation(
        &mush(),
        &typed,
        &[&script[..], &[World("Last connect was from here.\r\n"), Pass(150), In("")]].concat(),
    );
    // Nor does it hold up what is behind success.
    let script = [Pass(300), Says("connect bob hunter2"), World("Last connect was from here.\r\n")];
    let mut script = script.to_vec();
    (0..10).for_each(|_| script.extend([World("Chat.\r\n"), Pass(100)]));
    let chat = "Chat.\r\n".repeat(10);
    script.push(In(&chat));
    conversation(&mush(), &typed, &script);
}

#[test]
fn a_password_that_was_wrong_is_forgotten() {
    for piece in PIECES {
        let mut login = login(&mush());
        watched(&mut login, piece, &[World(TINYMUX), Types("connect bob wrong"), World(REFUSED)]);
        assert!(!login.is_kept());
        watched(
            &mut login,
            piece,
            &[
                Types("connect bob wrong"),
                World(REFUSED),
                Types("connect bob hunter2"),
                World("Last connect was from here.\r\n"),
                Types("say connect alice secret"),
                World("You say \"connect alice secret\"\r\n"),
            ],
        );
        assert_eq!(kept(&login), [("connect bob hunter2".to_owned(), false)]);
        assert!(!login.page().unwrap().bytes().windows(5).any(|bytes| bytes == b"wrong"));
    }
}

#[test]
fn who_logs_out_and_in_as_another_is_the_other_from_then_on() {
    let success = World("Last connect was from here.\r\n");
    let mut login = login(&mush());
    watched(
        &mut login,
        3,
        &[
            Types("cd bob hunter2"),
            success,
            Types("LOGOUT"),
            World(TINYMUX),
            Types("connect alice wrong"),
            World(REFUSED),
        ],
    );
    assert_eq!(lines_kept(&login), ["cd bob hunter2"]);
    watched(&mut login, 3, &[Types("connect alice secret"), success]);
    assert_eq!(lines_kept(&login), ["connect alice secret"]);
    // What looks like it in the game, and is none, is forgotten after a while.
    watched(&mut login, 3, &[Types("connect the dots"), World("Huh?\r\n"), Pass(30_000), success]);
    assert_eq!(lines_kept(&login), ["connect alice secret"]);
}

#[test]
fn without_words_of_success_it_has_worked_when_the_world_has_answered_and_stays() {
    let terms = LoginTerms { success: Vec::new(), ..mush() };
    for piece in PIECES {
        let mut plain = login(&terms);
        watched(&mut plain, piece, &[Types("connect bob hunter2"), Pass(60_000)]);
        assert!(!plain.is_kept(), "it has not answered");
        watched(&mut plain, piece, &[Types("connect bob wrong"), World(REFUSED), Pass(60_000)]);
        assert!(!plain.is_kept(), "it has refused");
        watched(&mut plain, piece, &[Types("connect bob hunter2"), World("Hello.\r\n"), Pass(1900)]);
        assert!(!plain.is_kept(), "it was gone before");
        watched(&mut plain, piece, &[Types("connect bob hunter2"), World("Hello.\r\n"), Pass(2000)]);
        assert!(plain.is_kept());
        again(
            &plain,
            piece,
            &[
                World(TINYMUX),
                Mark,
                Says("connect bob hunter2"),
                World("Hello.\r\n-----\r\n> "),
                Pass(150),
                In("Hello.\r\n> "),
            ],
        );
        again(
            &plain,
            piece,
            &[World(TINYMUX), Mark, Says("connect bob hunter2"), World(REFUSED), Failed(REFUSED.trim_end())],
        );
    }
}

#[test]
fn a_login_that_is_refused_now_shows_why() {
    let taken = "Sorry, there is a limit of one connection.\x07";
    let shown = "Sorry, there is a limit of one connection.";
    for (words, reason) in [(REFUSED.trim_end(), REFUSED.trim_end()), (taken, shown)] {
        let words = format!("{words}\r\n> ");
        conversation(
            &mush(),
            &[Types("connect bob hunter2"), World("Last connect was from here.\r\n")],
            &[World(TINYMUX), Mark, Says("connect bob hunter2"), World(&words), Failed(reason)],
        );
    }
}

#[test]
fn a_world_that_neither_takes_nor_refuses_it_is_given_ten_seconds() {
    for piece in PIECES {
        let mut login = login(&mush());
        watched(&mut login, piece, &[Types("connect bob hunter2"), World("Last connect was from here.\r\n")]);
        let time = again(
            &login,
            piece,
            &[
                World(TINYMUX),
                Pass(150),
                Says("connect bob hunter2"),
                World("Please wait.\r\n"),
                Pass(9849),
                World("Please wait.\r\n"),
                Pass(1),
                TimedOut,
            ],
        );
        assert!(piece == MOVED || time == Duration::from_secs(10), "{time:?}");
        again(&login, piece, &[Pass(300), Says("connect bob hunter2"), Pass(9700), TimedOut]);
    }
}
