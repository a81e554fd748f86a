//! Texts of several lines, as people type and mend them.

use super::super::{Lines, Outcome, Prompt};
use super::drawing::drawn;
use super::{USUAL, s};
use proptest::prelude::*;

/// What a person sees when he types this.
fn typed(lines: &mut Lines, line: &str) -> String {
    drawn(&lines.take(line).1, USUAL)
}

/// Put away and taken out again, as when a session moves.
fn moved(lines: &Lines) -> Lines {
    serde_json::from_str(&serde_json::to_string(lines).unwrap()).unwrap()
}

#[test]
fn lines_until_a_dot_are_a_text() {
    let mut lines = Lines::new(100);
    assert!(drawn(&lines.start(), USUAL).ends_with("\r\n1: "));
    assert_eq!(typed(&mut lines, "Dear bob,"), "2: ");
    assert_eq!(typed(&mut lines, ""), "3: ");
    assert_eq!(typed(&mut lines, "  see you. "), "4: ");
    let (outcome, screen) = lines.take(".");
    assert_eq!(outcome, Outcome::Done(s("Dear bob,\n\n  see you. ")));
    assert_eq!((drawn(&screen, USUAL), lines.prompt()), (s(""), Prompt::Line(1)));
    let (outcome, screen) = Lines::new(100).take(".");
    assert_eq!(outcome, Outcome::GivenUp, "a text that nobody has written is none");
    assert_eq!(drawn(&screen, USUAL), "Nothing was written, nothing was done.\r\n");
}

#[test]
fn a_text_is_shown_and_mended() {
    let mut lines = Lines::new(100);
    assert_eq!(typed(&mut lines, "~p"), "There is no line yet.\r\n1: ");
    for line in ["one", "two", "three"] {
        typed(&mut lines, line);
    }
    assert_eq!(typed(&mut lines, "~e 2  zwei zwei "), "Line 2 is replaced.\r\n4: ");
    assert_eq!(typed(&mut lines, "~d 1"), "Line 1 is deleted.\r\n3: ");
    assert_eq!(typed(&mut lines, "~p"), "1:  zwei zwei \r\n2: three\r\n3: ");
    assert_eq!(typed(&mut lines, "~d 3"), "ERROR: There is no line 3: the text has 2 lines.\r\n3: ");
    assert_eq!(typed(&mut lines, "~e 0 x"), "ERROR: There is no line 0: the text has 2 lines.\r\n3: ");
    assert_eq!(lines.take(".").0, Outcome::Done(s(" zwei zwei \nthree")));
}

#[test]
fn two_tildes_begin_a_line_with_one_and_a_dot_can_be_put_in() {
    let mut lines = Lines::new(100);
    for line in ["~~q", "~~~", "x", "~e 3 ."] {
        typed(&mut lines, line);
    }
    assert_eq!(lines.take(". ").0, Outcome::Done(s("~q\n~~\n.")));
}

#[test]
fn a_command_that_there_is_not_is_explained_and_is_no_text() {
    let mut lines = Lines::new(100);
    let help = typed(&mut lines, "~?");
    assert!(help.contains("~p shows it") && help.ends_with("\r\n1: "), "{help}");
    for unknown in ["~", "~pp", "~q now", "~e", "~e 1", "~e x", "~d", "~d 1 2", "~d x", "~E 1", "~é"] {
        assert_eq!(typed(&mut lines, unknown), help, "{unknown}");
    }
}

#[test]
fn who_gives_up_leaves_nothing_behind() {
    let mut lines = Lines::new(100);
    typed(&mut lines, "one");
    let (outcome, screen) = lines.take("~q");
    assert_eq!((outcome, drawn(&screen, USUAL)), (Outcome::GivenUp, s("Given up.\r\n")));
    assert_eq!(lines, Lines::new(100));
}

#[test]
fn a_text_has_as_many_bytes_as_it_may_and_no_more() {
    let mut lines = Lines::new(7);
    assert_eq!(lines.take("abc").0, Outcome::GoOn);
    let (outcome, screen) = lines.take("défg");
    assert_eq!(outcome, Outcome::TooLong);
    let wanted = "ERROR: The text would be too long by 2 bytes: this line was not taken.\r\n2: ";
    assert_eq!(drawn(&screen, USUAL), wanted);
    assert_eq!(lines.take("def").0, Outcome::GoOn);
    assert_eq!([lines.take("").0, lines.take("~e 1 abcd").0], [Outcome::TooLong, Outcome::TooLong]);
    assert_eq!(lines.take("~e 1 xyz").0, Outcome::GoOn);
    assert_eq!(lines.take(".").0, Outcome::Done(s("xyz\ndef")));
}

#[test]
fn what_is_typed_reaches_no_log() {
    let mut lines = Lines::new(100);
    typed(&mut lines, "secret");
    assert_eq!(format!("{lines:?} {:?}", lines.clone().take(".").0), "Lines { bytes: 6, most: 100, .. } Done(6 bytes)");
}

/// A line of text, or a command, or what is nearly one.
fn line() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ~.日]{0,12}", "~[epdqx~]{0,2} ?[0-9]{0,3}( [a-z~.]{0,8})?", Just(s("~p")), Just(s("."))]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_without_commands_come_out_as_they_were_typed(all in prop::collection::vec("[^~.\r\n][^\r\n]{0,20}", 1..20)) {
        let mut lines = Lines::new(1 << 16);
        for line in &all {
            prop_assert_eq!(lines.take(line).0, Outcome::GoOn);
            lines = moved(&lines);
        }
        prop_assert_eq!(lines.take(".").0, Outcome::Done(all.join("\n")));
    }

    #[test]
    fn one_that_is_put_away_after_every_line_goes_on_as_one_that_is_not(
        all in prop::collection::vec(line(), 0..40), most in 0usize..60
    ) {
        let (mut stays, mut moves) = (Lines::new(most), Lines::new(most));
        for line in &all {
            moves = moved(&moves);
            let ((outcome, screen), (other, shown)) = (stays.take(line), moves.take(line));
            prop_assert_eq!(&outcome, &other);
            prop_assert_eq!(drawn(&screen, USUAL), drawn(&shown, USUAL));
            prop_assert_eq!(&stays, &moves);
            let goes_on = matches!(outcome, Outcome::GoOn | Outcome::TooLong);
            prop_assert_eq!(screen.prompt().cloned(), goes_on.then(|| stays.prompt()));
            if let Outcome::Done(text) = outcome {
                prop_assert!(text.len() <= most);
            }
        }
    }
}
