//! Lines and tables for a person's terminal. Runs in a worker.
//!
//! All text goes through [`clean`] here and nowhere else, so that nothing foreign can reach a terminal as it is;
//! colours are added behind it.

use super::clean;
use std::borrow::Cow;
use std::fmt::{self, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What is known about a person's terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns; 0 when it was not told.
    pub width: u16,
    /// Whether it said that it has colours.
    pub colour: bool,
    /// Whether it gets UTF-8, as it does until it says that it takes none; if not, what is not ASCII is shown as `?`.
    pub utf8: bool,
    /// Whether what is shown is for a shell, where arguments are options, and not for a session.
    pub shell: bool,
}

impl Default for Look {
    /// A terminal that has said nothing.
    fn default() -> Look {
        Look { width: 80, colour: false, utf8: true, shell: false }
    }
}

impl Look {
    /// Columns to fill; never too few for a table.
    fn columns(self) -> usize {
        if self.width == 0 { 80 } else { usize::from(self.width).max(20) }
    }
}

/// How a line stands out where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Red,
    Cyan,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Bold => "\x1b[1m",
            Style::Dim => "\x1b[2m",
            Style::Red => "\x1b[31m",
            Style::Cyan => "\x1b[36m",
        }
    }
}

/// A column of a table.
pub(crate) struct Column<'a> {
    head: &'a str,
    right: bool,
    fixed: bool,
}

impl<'a> Column<'a> {
    pub(crate) fn left(head: &'a str) -> Column<'a> {
        Column { head, right: false, fixed: false }
    }

    /// For numbers.
    pub(crate) fn right(head: &'a str) -> Column<'a> {
        Column { head, right: true, fixed: false }
    }

    /// Keeps its width as long as others can give.
    pub(crate) fn fixed(self) -> Column<'a> {
        Column { fixed: true, ..self }
    }
}

/// A row of a table.
pub(crate) struct Row {
    cells: Vec<String>,
    bold: bool,
}

impl Row {
    pub(crate) fn new<const N: usize>(cells: [String; N]) -> Row {
        Row { cells: cells.into(), bold: false }
    }

    pub(crate) fn bold(self, bold: bool) -> Row {
        Row { bold, ..self }
    }
}

/// Where text for a person is collected.
pub(crate) struct Screen<'o> {
    out: &'o mut Vec<u8>,
    look: Look,
}

impl<'o> Screen<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>, look: Look) -> Screen<'o> {
        Screen { out, look }
    }

    /// Appends text of ours, or what [`Screen::shown`] has made of another's.
    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(self.ascii(text.into()).as_bytes());
    }

    /// Text as the terminal can show it: cleaned, with `?` for what it cannot. Before it is measured: another character may
    /// be as wide as two.
    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.ascii(clean(text))
    }

    fn ascii<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        if self.look.utf8 || text.is_ascii() {
            return text;
        }
        text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
    }

    fn styled(&mut self, style: Style, text: &str) {
        let coloured = self.look.colour && style != Style::Plain && !text.is_empty();
        if coloured {
            self.out.extend_from_slice(style.code().as_bytes());
        }
        self.put(text);
        if coloured {
            self.out.extend_from_slice(b"\x1b[0m");
        }
    }

    fn end(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// One line.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.parts(&[(Style::Plain, text.as_ref())]);
    }

    /// One line of several parts.
    pub(crate) fn parts(&mut self, parts: &[(Style, &str)]) {
        for (style, text) in parts {
            let text = self.shown(text);
            self.styled(*style, &text);
        }
        self.end();
    }

    /// A line above what belongs to it.
    pub(crate) fn heading(&mut self, text: &str) {
        self.parts(&[(Style::Bold, text)]);
    }

    /// What to do next.
    pub(crate) fn hint(&mut self, text: impl AsRef<str>) {
        self.parts(&[(Style::Dim, text.as_ref())]);
    }

    /// The line that shows the next page.
    pub(crate) fn more(&mut self, command: fmt::Arguments<'_>) {
        self.hint(format!("More: {command}"));
    }

    /// The line that shows the next page of a list, whose command takes how many and where to go on.
    pub(crate) fn next_page(&mut self, command: &str, count: usize, next: &str) {
        match self.look.shell {
            true => self.hint(format!("There are more: add --after {next}")),
            false => self.more(format_args!("{command} {count} {next}")),
        }
    }

    /// The same, where the command takes where to go on behind a keyword.
    pub(crate) fn page_after(&mut self, command: &str, next: &str) {
        match self.look.shell {
            true => self.hint(format!("There are more: add --after {next}")),
            false => self.more(format_args!("{command} AFTER {next}")),
        }
    }

    /// Facts, a line each, those that say something.
    pub(crate) fn facts(&mut self, facts: &[(&str, String)]) {
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            self.parts(&[(Style::Bold, name), (Style::Bold, ": "), (Style::Plain, value)]);
        }
    }

    /// A tab, a name, and about it what fits into the line.
    pub(crate) fn entry(&mut self, name: &str, name_width: usize, about: &str) {
        let left = self.look.columns().saturating_sub(TAB + name_width + GAP);
        let about = fitted(about, left, self.ellipsis());
        self.named(name, name_width, &about);
    }

    /// A tab, a name, and all about it, in as many lines as it takes.
    pub(crate) fn described(&mut self, name: &str, name_width: usize, about: &str) {
        let width = self.look.columns().saturating_sub(TAB + name_width + GAP).max(10);
        let (mut now, mut later) = broken(about, width);
        self.named(name, name_width, now);
        while !later.is_empty() {
            (now, later) = broken(later, width);
            self.named("", name_width, now);
        }
    }

    fn named(&mut self, name: &str, name_width: usize, about: &str) {
        self.out.push(b'\t');
        self.styled(Style::Bold, name);
        self.blanks(if about.is_empty() { 0 } else { (name_width + GAP).saturating_sub(name.width()) });
        self.put(about);
        self.end();
    }

    /// Text of several lines, indented, broken at blanks.
    pub(crate) fn block(&mut self, indent: usize, text: &str) {
        let width = self.look.columns().saturating_sub(indent).max(10);
        for line in text.lines() {
            let line = self.shown(line);
            let mut rest: &str = &line;
            loop {
                let (now, later) = broken(rest, width);
                if !now.is_empty() {
                    self.blanks(indent);
                }
                self.put(now);
                self.end();
                if later.is_empty() {
                    break;
                }
                rest = later;
            }
        }
    }

    fn blanks(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(b' ', count));
    }

    fn ellipsis(&self) -> char {
        if self.look.utf8 { '…' } else { '~' }
    }

    /// A table with its heads, as wide as the terminal at the most. Columns without any text are left out.
    pub(crate) fn table(&mut self, columns: &[Column<'_>], mut rows: Vec<Row>) {
        for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
            if let Cow::Owned(shown) = self.shown(cell) {
                *cell = shown;
            }
        }
        let natural = columns.iter().enumerate().map(|(index, column)| {
            let cells = rows.iter().filter_map(|row| row.cells.get(index)).map(|cell| cell.width());
            match cells.max() {
                None | Some(0) => 0,
                Some(widest) => widest.max(column.head.width()),
            }
        });
        let widths = fit(columns, natural.collect(), self.look.columns());
        let heads: Vec<String> = columns.iter().map(|column| clean(column.head).into_owned()).collect();
        self.row(columns, &widths, &heads, Style::Bold);
        for row in &rows {
            self.row(columns, &widths, &row.cells, if row.bold { Style::Bold } else { Style::Plain });
        }
    }

    fn row(&mut self, columns: &[Column<'_>], widths: &[usize], cells: &[String], style: Style) {
        let mut text = String::new();
        let mut owed = 0;
        for ((column, width), cell) in columns.iter().zip(widths).zip(cells).filter(|((_, width), _)| **width > 0) {
            let cell = fitted(cell, *width, self.ellipsis());
            let pad = width - cell.width().min(*width);
            // Blanks are owed until something follows them, so that no line ends in them.
            let before = owed + if column.right { pad } else { 0 };
            if !cell.is_empty() {
                _ = write!(text, "{:before$}{cell}", "");
                owed = 0;
            } else {
                owed = before;
            }
            owed += GAP + if column.right { 0 } else { pad };
        }
        self.styled(style, &text);
        self.end();
    }
}

/// Where a tab leads to.
const TAB: usize = 8;

/// Blanks between columns.
const GAP: usize = 2;

/// Narrower than this no column gets.
const NARROWEST: usize = 4;

/// Makes columns narrower, always the widest that can give, until all fit.
fn fit(columns: &[Column<'_>], mut widths: Vec<usize>, total: usize) -> Vec<usize> {
    for width in &mut widths {
        *width = (*width).min(total);
    }
    let used = |widths: &[usize]| widths.iter().filter(|w| **w > 0).map(|w| w + GAP).sum::<usize>().saturating_sub(GAP);
    for may_shrink_fixed in [false, true] {
        while used(&widths) > total {
            let giving = widths
                .iter_mut()
                .zip(columns)
                .filter(|(w, column)| **w > NARROWEST && (may_shrink_fixed || !column.fixed));
            match giving.max_by_key(|(width, _)| **width) {
                Some((width, _)) => *width -= 1,
                None => break,
            }
        }
    }
    widths
}

/// The text, or as much of it as fits with a mark that there is more.
fn fitted(text: &str, width: usize, ellipsis: char) -> String {
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
fn broken(text: &str, width: usize) -> (&str, &str) {
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
