//! A screen that is longer than the terminal is high, given out page by page. Pure; runs in a worker.

use super::draw::{TAB, draw_blocks};
use super::{Look, Prompt, Screen};
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_width::UnicodeWidthChar;

/// What of a screen has not been shown yet. It was drawn whole, so that what is counted is what the terminal shows, and can be
/// put away between two pages: a session that moves to another worker takes it along.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// Whole lines, as they are sent.
    rest: String,
    /// Where the terminal breaks a line that is longer.
    columns: usize,
}

/// Shows how much there is, not what it says: it may be a password.
impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("bytes", &self.rest.len()).finish_non_exhaustive()
    }
}

impl Pages {
    /// All of these screens but their prompts, which are for whoever shows the last page.
    pub fn new(screens: impl Iterator<Item = Screen>, look: Look) -> Pages {
        let mut out = Vec::new();
        screens.for_each(|screen| draw_blocks(&mut out, &screen, look));
        // What is drawn of text is text.
        Pages { rest: String::from_utf8(out).unwrap_or_default(), columns: look.columns() }
    }

    /// The next lines, as many as there is room for on a terminal of `height` lines, one at the least. The
    /// [`prompt`](Pages::prompt) below them needs a line more.
    pub fn next_page(&mut self, height: usize) -> String {
        let (mut used, mut end) = (0, 0);
        for line in self.rest.split_inclusive('\n') {
            used += height_of(line, self.columns);
            if used > height && end > 0 {
                break;
            }
            end += line.len();
        }
        self.rest.drain(..end).collect()
    }

    /// How many lines of the terminal are left to show.
    pub fn lines_left(&self) -> usize {
        self.rest.split_inclusive('\n').map(|line| height_of(line, self.columns)).sum()
    }

    /// Whether all was shown.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is asked for below a page, unless it was the last.
    pub fn prompt(&self) -> Option<Prompt> {
        (!self.is_done()).then(|| Prompt::Page(self.lines_left()))
    }
}

/// How many lines of the terminal a drawn line takes.
fn height_of(line: &str, columns: usize) -> usize {
    let (mut height, mut column) = (1, 0);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            // A colour: nothing else begins so in what was drawn.
            '\x1b' => _ = chars.find(|c| *c == 'm'),
            '\t' => column = (column / TAB + 1) * TAB,
            c => {
                let width = c.width().unwrap_or(0);
                if column + width > columns {
                    (height, column) = (height + 1, 0);
                }
                column += width;
            }
        }
    }
    height
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_as_many_lines_of_the_terminal_as_it_needs() {
        let heights = ["\r\n", "12345678901234567890\r\n", "123456789012345678901\r\n", "\t1234567890123\r\n"];
        assert_eq!(heights.map(|line| height_of(line, 20)), [1, 1, 2, 2]);
        let coloured = "\x1b[31m1234567890\x1b[0m1234567890\r\n";
        assert_eq!(height_of(coloured, 20), 1, "colours take no room");
        // The last of the first line does not fit behind the 19 columns before it.
        assert_eq!(height_of("1日本日本日本日本日本\r\n", 20), 2);
    }
}
