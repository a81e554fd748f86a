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
    /// Whole lines, as they are sent: in the characters that the terminal has.
    rest: Vec<u8>,
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
        Pages { rest: out, columns: look.columns() }
    }

    /// The next lines, as many as there is room for on a terminal of `height` lines, one at the least. The
    /// [`prompt`](Pages::prompt) below them needs a line more.
    pub fn next_page(&mut self, height: usize) -> Vec<u8> {
        let (mut used, mut end) = (0, 0);
        for line in lines(&self.rest) {
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
        lines(&self.rest).map(|line| height_of(line, self.columns)).sum()
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

fn lines(drawn: &[u8]) -> impl Iterator<Item = &[u8]> {
    drawn.split_inclusive(|byte| *byte == b'\n')
}

/// How many lines of the terminal a drawn line takes. What is no UTF-8 is Latin-1, and as wide as what stands in its place here.
fn height_of(line: &[u8], columns: usize) -> usize {
    let (mut height, mut column) = (1, 0);
    let text = String::from_utf8_lossy(line);
    let mut chars = text.chars();
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
        let height_of = |line: &str, columns| height_of(line.as_bytes(), columns);
        let heights = ["\r\n", "12345678901234567890\r\n", "123456789012345678901\r\n", "\t1234567890123\r\n"];
        assert_eq!(heights.map(|line| height_of(line, 20)), [1, 1, 2, 2]);
        let coloured = "\x1b[31m1234567890\x1b[0m1234567890\r\n";
        assert_eq!(height_of(coloured, 20), 1, "colours take no room");
        // The last of the first line does not fit behind the 19 columns before it.
        assert_eq!(super::height_of(b"12345678901234567\xe4\xf6\xfc\r\n", 20), 1, "Latin-1");
        assert_eq!(height_of("1日本日本日本日本日本\r\n", 20), 2);
    }
}
