//! Screens given out page by page.

use super::super::{Look, Pages, Prompt, Screen};
use super::USUAL;
use super::drawing::{drawn, piece};
use proptest::prelude::*;

fn numbered(count: usize) -> Screen {
    let mut screen = Screen::new();
    (1..=count).for_each(|number| screen.line(format!("line {number}")));
    screen.ask(Prompt::Command);
    screen
}

/// Put away and taken out again, as when a session moves.
/// The next page, as text.
fn page(pages: &mut Pages, height: usize) -> String {
    String::from_utf8(pages.next_page(height)).unwrap()
}

fn moved(pages: &Pages) -> Pages {
    serde_json::from_str(&serde_json::to_string(pages).unwrap()).unwrap()
}

#[test]
fn a_screen_comes_in_pages_and_its_prompt_is_for_who_shows_the_last() {
    let mut pages = Pages::new(std::iter::once(numbered(5)), USUAL);
    assert_eq!(page(&mut pages, 2), "line 1\r\nline 2\r\n");
    assert_eq!((pages.lines_left(), pages.prompt()), (3, Some(Prompt::Page(3))));
    assert_eq!(page(&mut pages, 2), "line 3\r\nline 4\r\n");
    assert!(!pages.is_done());
    assert_eq!(page(&mut pages, 2), "line 5\r\n");
    assert_eq!((pages.is_done(), pages.lines_left(), pages.prompt()), (true, 0, None));
    assert_eq!(page(&mut pages, 2), "");
}

#[test]
fn a_screen_that_fits_is_one_page() {
    let mut pages = Pages::new(std::iter::once(numbered(24)), USUAL);
    assert_eq!(page(&mut pages, 24).lines().count(), 24);
    assert!(pages.is_done());
}

#[test]
fn a_line_that_the_terminal_breaks_counts_as_often_as_it_does() {
    let mut screen = Screen::new();
    screen.line("x".repeat(81));
    screen.line("short");
    screen.line("y".repeat(800));
    let mut pages = Pages::new(std::iter::once(screen), USUAL);
    assert_eq!(pages.lines_left(), 13);
    assert_eq!(page(&mut pages, 2).lines().count(), 1);
    assert_eq!(page(&mut pages, 5), "short\r\n");
    assert_eq!(page(&mut pages, 5).len(), 802, "a line that is higher than the terminal comes alone");
}

#[test]
fn a_terminal_without_a_height_gets_line_by_line() {
    let mut pages = Pages::new(std::iter::once(numbered(2)), USUAL);
    assert_eq!([page(&mut pages, 0), page(&mut pages, 0)], ["line 1\r\n", "line 2\r\n"]);
}

#[test]
fn pages_tell_a_log_nothing_of_what_they_show() {
    assert_eq!(format!("{:?}", Pages::new(std::iter::once(numbered(1)), USUAL)), "Pages { bytes: 8, .. }");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_pages_together_are_the_screen(
        pieces in prop::collection::vec(piece(), 0..8),
        heights in prop::collection::vec(1usize..30, 1..4),
        width in 0u16..200,
        (colour, plain) in any::<(bool, bool)>(),
    ) {
        let look = Look { width, colour, plain, ..USUAL };
        let mut screen = Screen::new();
        pieces.iter().for_each(|piece| piece.put(&mut screen));
        let whole = drawn(&screen, look);
        let mut pages = Pages::new(std::iter::once(screen), look);
        let mut together = String::new();
        for height in heights.into_iter().cycle() {
            if pages.is_done() {
                break;
            }
            prop_assert_eq!(pages.prompt(), Some(Prompt::Page(pages.lines_left())));
            let before = pages.lines_left();
            let page = page(&mut pages, height);
            let shown = before - pages.lines_left();
            prop_assert!(page.ends_with("\r\n") && (shown <= height || page.matches('\n').count() == 1));
            together.push_str(&page);
            pages = moved(&pages);
        }
        prop_assert_eq!(together, whole);
        prop_assert_eq!(pages.prompt(), None);
    }
}
