//! Worlds that ask for one thing after the other.

use super::*;

fn diku() -> LoginTerms {
    LoginTerms {
        success: texts(&["^Welcome to (tbaMUD|our land)!", "^Reconnecting", "^You take over your own body"]),
        failure: texts(&["^Wrong password", "^Invalid name", "name is already taken"]),
        prompts: true,
        ..LoginTerms::default()
    }
}

const NAME: &str = "\r\n  tbaMUD\r\n\r\nBy what name do you wish to be known? ";
const MENU: &str = "\x1b[H\x1b[J0) Exit from tbaMUD.\r\n1) Enter the game.\r\n\r\n   Make your choice: ";
const INSIDE: &str = "\r\nWelcome to tbaMUD!  May your visit here be... Interesting.\r\n\r\nThe Temple\r\n23H > ";

/// A first login, without marks behind prompts.
fn typed() -> Vec<Do<'static>> {
    let name = [World(NAME), Types("Bob"), World("Password: "), Hide(true), Types("hunter2"), Hide(false)];
    let rest = [World("\r\nNews!\r\n*** PRESS RETURN: "), Types(""), World(MENU), Types("1"), World(INSIDE)];
    [&name[..], &rest].concat()
}

fn lines() -> Vec<(String, bool)> {
    [("Bob", false), ("hunter2", true), ("", false), ("1", false)]
        .map(|(line, secret)| (line.to_owned(), secret))
        .into()
}

#[test]
fn tbamud() {
    for piece in PIECES {
        let mut diku = login(&diku());
        watched(&mut diku, piece, &[&typed()[..], &[Types("look"), World("The Temple\r\n23H > ")]].concat());
        assert_eq!(kept(&diku), lines());
    }
    conversation(
        &diku(),
        &typed(),
        &[
            World(NAME),
            Pass(150),
            Says("Bob"),
            World("Password: "),
            Hide(true),
            Says("hunter2"),
            Pass(500),
            Hide(false),
            World("\r\nNews!\r\n*** PRESS RETURN: "),
            Pass(150),
            Says(""),
            World(MENU),
            Pass(150),
            Says("1"),
            World(INSIDE),
            In("\r\nThe Temple\r\n23H > "),
        ],
    );
}

/// Recorded: a tbaMUD of today finds out what the client is, for a second and a half, and loses a name that it hears meanwhile.
#[test]
fn tbamud_is_told_a_name_when_it_asks_for_one() {
    let then = [Pass(150), Says("Bob"), World("Password: "), Hide(true), Says("hunter2"), Hide(false)];
    let detects = [World("\r\nAttempting to Detect Client, Please Wait...\r\n"), Pass(1500), World(NAME)];
    let back = [World("\r\nReconnecting.\r\n23H > "), In("23H > ")];
    conversation(&diku(), &typed(), &[&detects[..], &then, &back].concat());
    // One whose question has an end is answered too.
    let lines = [World("Who are you?\r\n"), Pass(3000), Says("Bob"), World("Password: "), Hide(true), Says("hunter2")];
    conversation(&diku(), &typed(), &[&lines[..], &[Hide(false)], &back].concat());
}

#[test]
fn one_that_marks_its_prompts_is_not_waited_for() {
    for piece in PIECES {
        let mut diku = login(&diku());
        watched(&mut diku, piece, &typed());
        let script = [
            World(NAME),
            Mark,
            Says("Bob"),
            Mark,
            // It hides before it asks.
            Hide(true),
            Says("hunter2"),
            World("Password: "),
            Mark,
            Hide(false),
            World("*** PRESS RETURN: "),
            Mark,
            Says(""),
            World(MENU),
            Mark,
            Says("1"),
            World(INSIDE),
            In("\r\nThe Temple\r\n23H > "),
        ];
        assert_eq!(again(&diku, piece, &script), Duration::ZERO);
    }
}

#[test]
fn who_is_still_in_the_game_is_in_before_all_is_typed() {
    conversation(
        &diku(),
        &typed(),
        &[
            World(NAME),
            Mark,
            Says("Bob"),
            World("Password: "),
            Hide(true),
            Says("hunter2"),
            Hide(false),
            World("\r\nReconnecting.\r\n23H > "),
            In("23H > "),
        ],
    );
}

#[test]
fn words_of_success_may_be_a_prompt() {
    let terms = LoginTerms { success: texts(&["^[0-9]+H "]), ..diku() };
    let (name, password) = ([World("Name: "), Mark], [World("Password: "), Hide(true)]);
    let inside = [Hide(false), World("The Temple\r\n\x1b[1m23H\x1b[0m > "), Mark];
    conversation(
        &terms,
        &[&name[..], &[Types("Bob")], &password, &[Types("hunter2")], &inside].concat(),
        &[&name[..], &[Says("Bob")], &password, &[Says("hunter2")], &inside, &[In("\x1b[1m23H\x1b[0m > ")]].concat(),
    );
}

#[test]
fn a_wrong_password_at_first_is_no_part_of_the_login() {
    let wrong = [Types("wrong"), Hide(false), World("Wrong password.\r\nPassword: "), Hide(true)];
    let rest =
        [Types("hunter2"), Hide(false), World("*** PRESS RETURN: "), Types(""), World(MENU), Types("1"), World(INSIDE)];
    let asks = [World(NAME), Types("Bob"), World("Password: "), Hide(true)];
    for piece in PIECES {
        let mut diku = login(&diku());
        watched(&mut diku, piece, &[&asks[..], &wrong, &wrong, &rest].concat());
        assert_eq!(kept(&diku), lines());
        assert!(!diku.page().unwrap().bytes().windows(5).any(|bytes| bytes == b"wrong"));
        // One that asks for the name once more, and one that has no such words.
        let invalid = [World(NAME), Types("Bop"), World("Invalid name, please try another.\r\nName: "), Types("Bob")];
        watched(&mut diku, piece, &[&invalid[..], &[World("Password: "), Hide(true)], &rest].concat());
        assert_eq!(kept(&diku), lines());
        let silent = [Types("wrong"), World("Nope. Password: ")];
        watched(&mut diku, piece, &[&asks[..], &silent, &rest].concat());
        assert_eq!(kept(&diku), lines());
    }
}

#[test]
fn a_password_that_is_wrong_now_shows_the_login_screen_and_why() {
    let asked = [World(NAME), Mark, Says("Bob"), World("Password: "), Hide(true), Says("hunter2"), Hide(false)];
    let wrong = [World("\r\nWrong password.\r\nPassword: "), Failed("Wrong password.")];
    conversation(&diku(), &typed(), &[&asked[..], &wrong].concat());
    let nothing_said = [World("\r\nPassword: "), Hide(true), Failed("it asks for the password once more")];
    conversation(&diku(), &typed(), &[&asked[..], &nothing_said].concat());
}

#[test]
fn a_name_that_was_taken_meanwhile_shows_why_and_the_password_is_not_said() {
    conversation(
        &diku(),
        &typed(),
        &[
            World(NAME),
            Mark,
            Says("Bob"),
            World("That name is already taken.\r\nName: "),
            Failed("That name is already taken."),
        ],
    );
    // Nor is it said where anybody would see it.
    conversation(
        &diku(),
        &typed(),
        &[World(NAME), Mark, Says("Bob"), World("Did I get that right, Bob (Y/N)? "), Pass(10_000), TimedOut],
    );
}

#[test]
fn a_password_that_is_not_hidden_is_known_by_its_prompt() {
    let asked = [World("Name: "), Mark, Says("Bob"), World("Your Password? "), Mark, Says("hunter2")];
    let inside = [World("\r\nReconnecting.\r\n"), In("")];
    for piece in PIECES {
        let mut open = login(&diku());
        let script =
            [World("Name: "), Types("Bob"), World("Your Password? "), Types("hunter2"), World("\r\nReconnecting.\r\n")];
        watched(&mut open, piece, &script);
        assert_eq!(kept(&open), [("Bob".to_owned(), false), ("hunter2".to_owned(), true)]);
        again(&open, piece, &[&asked[..], &inside].concat());
    }
}

#[test]
fn without_words_of_success_the_password_is_the_end_of_it() {
    let terms = LoginTerms { success: Vec::new(), ..diku() };
    let asks = [World("Name: "), Types("Bob"), World("Password: "), Hide(true), Pass(60_000)];
    for piece in PIECES {
        let mut plain = login(&terms);
        let wrong = [Types("wrong"), World("\r\nNo. Password: "), Pass(60_000)];
        watched(&mut plain, piece, &[&asks[..], &wrong].concat());
        assert!(!plain.is_kept(), "it asks once more");
        watched(
            &mut plain,
            piece,
            &[&asks[..], &wrong, &[Types("hunter2"), Hide(false), World("Hello\r\n"), Pass(2000)]].concat(),
        );
        assert_eq!(lines_kept(&plain), ["Bob", "hunter2"]);
        let changes = [Hide(true), Types("hunter3"), Hide(false), World("Changed.\r\n"), Pass(2000)];
        let inside = [Types("hunter2"), Hide(false), World("Hello\r\n"), Pass(2000)];
        watched(&mut plain, piece, &[&asks[..], &inside, &changes].concat());
        assert_eq!(lines_kept(&plain), ["Bob", "hunter2"], "what is typed hidden in the game is no login");
    }
}

#[test]
fn who_logs_in_anew_from_the_menu_is_the_other_from_then_on() {
    let leaves =
        [Types("quit"), World(NAME), Types("Alice"), World("Password: "), Hide(true), Types("secret"), Hide(false)];
    let enters = [World("*** PRESS RETURN: "), Types(""), World(MENU), Types("1"), World(INSIDE), Types("look")];
    let mut login = login(&diku());
    watched(&mut login, 3, &[&typed()[..], &leaves, &enters].concat());
    assert_eq!(lines_kept(&login), ["Alice", "secret", "", "1"]);
    // A password that is changed in the game is none.
    let changes =
        [Types("passwd"), Hide(true), Types("old"), Types("new"), Hide(false), Types("look"), World("Done.\r\n")];
    watched(&mut login, 3, &[&typed()[..], &changes, &[Pass(30_000), World(INSIDE)]].concat());
    assert_eq!(kept(&login), lines());
}

#[test]
fn one_that_asks_for_more_than_before_is_gone_on_with_and_all_of_it_is_known_then() {
    let asks = [World(NAME), Mark, Types("Bob"), World("Password: "), Hide(true), Types("hunter2"), Hide(false)];
    let body = [World("\r\nReconnecting.\r\n23H > ")];
    let short = [&asks[..], &body].concat();
    for piece in PIECES {
        let mut diku = login(&diku());
        watched(&mut diku, piece, &short);
        assert_eq!(kept(&diku), lines()[..2]);
        let page = [World("\r\nNews!\r\n*** PRESS RETURN: "), Mark, Pass(1000), AsksMore];
        let said = [World(NAME), Mark, Says("Bob"), World("Password: "), Hide(true), Says("hunter2"), Hide(false)];
        again(&diku, piece, &[&said[..], &page].concat());
        let mut watch = Watch::default();
        watch.begin_behind(&mut diku, 2, false);
        let now = clock();
        watch.typed(&mut diku, b"", false, now);
        watch.said(&mut diku, MENU.as_bytes(), now);
        watch.typed(&mut diku, b"1", false, now);
        watch.said(&mut diku, INSIDE.as_bytes(), now);
        assert_eq!(kept(&diku), lines());
    }
}

#[test]
fn the_name_that_was_typed_again_belongs_to_the_password_that_is_typed_anew() {
    let mut diku = login(&diku());
    watched(&mut diku, 10_000, &typed());
    let mut watch = Watch::default();
    watch.begin_behind(&mut diku, 2, true);
    let now = clock();
    watch.hides(true);
    watch.typed(&mut diku, b"another", false, now);
    watch.hides(false);
    watch.said(&mut diku, b"\r\nReconnecting.\r\n", now);
    assert_eq!(kept(&diku), [("Bob".to_owned(), false), ("another".to_owned(), true)]);
}
