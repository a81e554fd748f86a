//! A sentence in lines that fit the terminal. Runs in a worker.

use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// Where the lines of a text begin and end: the first no wider than `width`, those behind it narrower by `hang`. Words are whole: one that is wider than a line has one
/// for itself, which the terminal breaks so that it can still be copied.
pub(super) fn wrapped(text: &str, width: usize, hang: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (mut start, mut end) = (0, 0);
    let mut used = 0;
    let mut at = 0;
    for word in text.split(' ') {
        let behind = at + word.len();
        let more = text.get(end..behind).unwrap_or_default().width();
        if !word.is_empty() {
            let width = if lines.is_empty() { width } else { width.saturating_sub(hang) };
            if used + more > width && text.get(start..end).is_some_and(|line| !line.trim_matches(' ').is_empty()) {
                lines.push(start..end);
                start = at;
                used = word.width();
            } else {
                used += more;
            }
            end = behind;
        }
        at = behind + 1;
    }
    let rest = if lines.is_empty() { text.len() } else { end };
    lines.push(start..rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, width: usize) -> Vec<&str> {
        wrapped(text, width, 0).into_iter().map(|line| &text[line]).collect()
    }

    #[test]
    fn words_are_whole_and_blanks_stay_but_at_the_end_of_a_line() {
        assert_eq!(lines("", 20), [""]);
        assert_eq!(lines("  one  two three", 9), ["  one", "two three"]);
        assert_eq!(lines("one  two ", 20), ["one  two "]);
        assert_eq!(
            lines("see https://example.org/a/long/way now", 10),
            ["see", "https://example.org/a/long/way", "now"]
        );
        assert_eq!(lines("日本 日本 x", 9), ["日本 日本", "x"]);
        assert_eq!(wrapped("one two three", 7, 2), [0..7, 8..13]);
        assert_eq!(wrapped("one two three", 3, 1), [0..3, 4..7, 8..13]);
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost_and_no_line_is_too_wide(text in "[a-f日é ]{0,120}", width in 1usize..40) {
            let lines = lines(&text, width);
            let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&lines.join(" ")), words(&text));
            for line in lines {
                prop_assert!(line.trim_matches(' ').width() <= width || words(line).len() == 1, "{:?}", line);
            }
        }
    }
}
