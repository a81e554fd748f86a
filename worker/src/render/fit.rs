//! Text that is longer than its place: cut, or broken into lines. Runs in a worker.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text, or as much of it as fits with a mark that there is more.
pub(super) fn fitted(text: &str, width: usize, ellipsis: char) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut fitted = String::with_capacity(width + 4);
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        fitted.push(c);
    }
    fitted.push(ellipsis);
    fitted
}

/// Splits at the last blank that fits, or in the middle of a word that is longer than a line.
pub(super) fn broken(text: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    let mut blank = None;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width && at > 0 {
            let at = if c == ' ' { at } else { blank.unwrap_or(at) };
            let (now, later) = text.split_at(at);
            return (now.trim_end_matches(' '), later.trim_start_matches(' '));
        }
        if c == ' ' && at > 0 {
            blank = Some(at);
        }
    }
    (text, "")
}
