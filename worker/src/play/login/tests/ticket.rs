//! Worlds that are shown a ticket.

use super::*;

const TICKET: &str = "pass pass-k7m2-9qxf-3dpa";
const SCREEN: &str = "\r\nA world.\r\nconnect <name> <password>\r\n";

fn mush() -> LoginTerms {
    LoginTerms {
        login: Some("^connect ".to_owned()),
        success: texts(&["^Last connect was from"]),
        failure: texts(&["^That pass is not good", "^Either that player does not exist"]),
        hide: texts(&["^$"]),
        prompts: false,
    }
}

fn diku() -> LoginTerms {
    LoginTerms {
        success: texts(&["^Welcome to tbaMUD!"]),
        failure: texts(&["^Wrong password", "^That pass is not good"]),
        prompts: true,
        ..LoginTerms::default()
    }
}

/// A ticket is shown to a world, where this was typed before, as far as anything was.
fn shown(terms: &LoginTerms, first: &[Do], second: &[Do]) {
    for piece in PIECES {
        let mut login = login(terms);
        watched(&mut login, piece, first);
        again_with(&login, Some(TICKET), piece, second);
    }
}

const BOB: &[Do] = &[Types("connect bob hunter2"), World("Last connect was from here.\r\n")];

#[test]
fn it_is_said_first_and_what_was_typed_is_not() {
    let taken = [World("Last connect was from here.\r\n\r\nLimbo\r\n"), Pass(150), In("Limbo\r\n")];
    for before in [&[][..], BOB] {
        shown(&mush(), before, &[&[World(SCREEN), Pass(150), Shows(TICKET)][..], &taken].concat());
        shown(&mush(), before, &[&[World(SCREEN), Mark, Shows(TICKET)][..], &taken].concat());
        // One that says nothing before it has heard something.
        shown(&mush(), before, &[&[Pass(300), Shows(TICKET), World(SCREEN)][..], &taken].concat());
    }
}

#[test]
fn what_was_typed_takes_its_place_where_it_is_refused() {
    let refused = [World(SCREEN), Mark, Shows(TICKET), World("That pass is not good.\r\n")];
    let says = [Pass(150), Says("connect bob hunter2")];
    let then = |rest: &[Do<'static>]| [&refused[..], &says, rest].concat();
    shown(&mush(), BOB, &then(&[World("Last connect was from here.\r\nLimbo\r\n"), Pass(150), In("Limbo\r\n")]));
    let either = "Either that player does not exist, or has a different password.";
    let line = "Either that player does not exist, or has a different password.\r\n";
    shown(&mush(), BOB, &then(&[World(line), Failed(either)]));
    shown(&mush(), &[], &[&refused[..], &[Failed("That pass is not good.")]].concat());
}

#[test]
fn a_world_that_shows_nothing_for_it_has_three_seconds() {
    let said = [World(SCREEN), Mark, Shows(TICKET), World("Type \"connect <name> <password>\".\r\n")];
    let none = [Pass(3000), Failed("it has not shown that it takes your pass")];
    shown(&mush(), &[], &[&said[..], &none].concat());
    shown(&mush(), &[], &[&said[..3], &none].concat());
    let typed = [Pass(3150), Says("connect bob hunter2"), World("Last connect was from here.\r\n"), Pass(150), In("")];
    shown(&mush(), BOB, &[&said[..], &typed].concat());
    // Slow is not refused.
    let slow = [Pass(2500), World("Last connect was from here.\r\nLimbo\r\n"), Pass(150), In("Limbo\r\n")];
    shown(&mush(), BOB, &[&said[..], &slow].concat());
}

#[test]
fn a_world_of_which_nothing_is_known_has_taken_it_when_it_answers() {
    let plain = LoginTerms::default();
    shown(
        &plain,
        &[],
        &[World(SCREEN), Mark, Shows(TICKET), World("Hello, bob.\r\n"), Pass(150), In("Hello, bob.\r\n")],
    );
    let none = [Pass(3000), Failed("it has not shown that it takes your pass")];
    shown(&plain, &[], &[&[World(SCREEN), Mark, Shows(TICKET)][..], &none].concat());
}

#[test]
fn one_that_asks_is_shown_it_in_place_of_a_name() {
    let name = [World("By what name? "), Pass(150), Shows(TICKET)];
    let inside = [World("Welcome to tbaMUD!\r\nThe Temple\r\n> "), In("The Temple\r\n> ")];
    let typed =
        [Types("Bob"), World("Password: "), Hide(true), Types("hunter2"), Hide(false), World("Welcome to tbaMUD!\r\n")];
    shown(&diku(), &typed, &[&name[..], &inside].concat());
    // It has taken that for a name.
    let asks = [World("Password: "), Hide(true), Failed("it asks for a password")];
    shown(&diku(), &typed, &[&name[..], &asks].concat());
    let refused = [World("That pass is not good.\r\nName: "), Pass(150), Says("Bob"), World("Password: ")];
    let says = [Hide(true), Says("hunter2"), Hide(false)];
    shown(&diku(), &typed, &[&name[..], &refused, &says, &inside].concat());
}

#[test]
fn nothing_shows_the_line_and_it_is_gone_when_it_was_said() {
    let login = login(&mush());
    let mut again = Again::begin(&login, Some(Secret::new(TICKET)), clock()).expect("a login");
    let step = again.quiet(&login, clock() + SILENCE);
    assert!(!format!("{step:?}").contains("pass-"), "{step:?}");
    assert_eq!(step, Step::Show(Secret::new(TICKET)));
    assert!(!serde_json::to_string(&again).unwrap().contains("pass-"));
    assert!(Again::begin(&login, None, clock()).is_none());
}

const SILENCE: Duration = Duration::from_millis(400);
