//! A screen as bytes for a terminal. Runs in a worker.
//!
//! All text goes through [`clean`] here and nowhere else, so that nothing foreign can reach a terminal as it is;
//! colours are added behind it.

use super::clean;
use super::fit::{broken, fitted};
use super::markup::pieces;
use super::screen::{Block, Entry, Prompt, Screen, Style};
use super::table::{Column, GAP, Table, fit};
use super::wrap::wrapped;
use super::{Look, plural};
use std::borrow::Cow;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// What stands before each command.
const PROMPT: &str = "> ";

/// Where a tab leads to.
pub(super) const TAB: usize = 8;

/// By how much the lines behind the first of a sentence are indented that holds somebody else's words.
const HANG: usize = 2;

/// What stands in place of a tab on a narrow terminal.
const INDENT: usize = 2;

/// Narrower than this a terminal is narrow, columns.
const NARROW: usize = 60;

/// Less room than this beside a name is none, columns.
const BESIDE: usize = 20;

/// Appends what the terminal is to be sent. Whoever marks the end of a prompt, or hides what is typed, learns from
/// [`Screen::prompt`] whether there is one.
pub fn draw(out: &mut Vec<u8>, screen: &Screen, look: Look) {
    draw_blocks(out, screen, look);
    if let Some(prompt) = screen.prompt() {
        Pen { out, look }.prompt(prompt);
    }
}

/// The same without the prompt: whole lines.
pub(super) fn draw_blocks(out: &mut Vec<u8>, screen: &Screen, look: Look) {
    let mut pen = Pen { out, look };
    screen.blocks().iter().for_each(|block| pen.block(block));
}

fn code(style: Style) -> &'static str {
    match style {
        Style::Plain => "",
        Style::Bold => "\x1b[1m",
        Style::Dim => "\x1b[2m",
        Style::Red => "\x1b[31m",
        Style::Cyan => "\x1b[36m",
        Style::Green => "\x1b[32m",
        Style::Yellow => "\x1b[33m",
        Style::Blue => "\x1b[34m",
        Style::Magenta => "\x1b[35m",
    }
}

/// What draws for one terminal.
struct Pen<'o> {
    out: &'o mut Vec<u8>,
    look: Look,
}

impl Pen<'_> {
    fn block(&mut self, block: &Block) {
        let plain = self.look.plain;
        match block {
            Block::Line(parts) => self.line(parts.iter().map(|(style, text)| (*style, text.as_str()))),
            Block::Heading(text) => self.line([(Style::Bold, text.as_str())]),
            Block::Hint(text) => self.line([(Style::Dim, text.as_str())]),
            Block::Page { of_many, next } => self.page(of_many.as_deref(), next.as_ref()),
            Block::Facts(facts) => facts.iter().for_each(|(name, value)| self.labelled(name, value)),
            Block::Entry(entry) if plain => self.labelled(&entry.name, &entry.about),
            Block::Entry(entry) => self.entry(entry),
            Block::Text { indent, text, marked: true } if !self.look.shell => {
                let mut style = Style::Plain;
                for line in text.lines() {
                    let parts = pieces(line, &mut style);
                    self.indented(*indent, 0, parts.iter().map(|(style, piece)| (*style, &**piece)));
                }
            }
            Block::Text { indent, text, .. } => self.text(*indent, text),
            Block::Table(table) if plain => self.stacked(table),
            Block::Table(table) => self.table(table),
            Block::Notice { tag, parts } => {
                let front = if plain { format!("{tag}: ") } else { format!("[{tag}]") };
                let blank = if plain { "" } else { " " };
                let parts = parts.iter().map(|(style, text)| (*style, text.as_str()));
                self.indented(0, HANG, [(Style::Cyan, front.as_str()), (Style::Plain, blank)].into_iter().chain(parts));
            }
            Block::Error(text) => {
                self.line([(Style::Red, "ERROR:"), (Style::Plain, " "), (Style::Plain, text.as_str())]);
            }
        }
    }

    fn prompt(&mut self, prompt: &Prompt) {
        match prompt {
            Prompt::Command => self.put(PROMPT),
            Prompt::Secret(question) => self.put(question),
            Prompt::Word(name) => self.put(&format!("{name}: ")),
            Prompt::Line(number) => self.put(&format!("{number}: ")),
            Prompt::Page(left) if self.look.plain => {
                self.put(&format!("{} more: press return, or q to end. ", plural(*left, "line")));
            }
            Prompt::Page(left) => {
                self.styled(Style::Dim, &format!("-- {} more: return, or q to end --", plural(*left, "line")));
            }
        }
    }

    /// Text as the terminal can show it: cleaned, and with the characters that it has. Before it is measured: another
    /// character may be as wide as two, and be written with five.
    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        // A tab in somebody's text is some blanks: what it comes to on a terminal depends on where it stands.
        let cleaned = match text.contains('\t') {
            true => Cow::Owned(clean(&text.replace('\t', if self.look.plain { " " } else { "    " })).into_owned()),
            false => clean(text),
        };
        self.look.charset.written(cleaned)
    }

    fn put(&mut self, text: &str) {
        let shown = self.shown(text);
        self.look.charset.put(self.out, &shown);
    }

    fn styled(&mut self, style: Style, text: &str) {
        let coloured = self.look.colour && !self.look.plain && style != Style::Plain && !text.is_empty();
        if coloured {
            self.out.extend_from_slice(code(style).as_bytes());
        }
        self.put(text);
        if coloured {
            self.out.extend_from_slice(b"\x1b[0m");
        }
    }

    fn blanks(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(b' ', count));
    }

    fn end(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }

    fn ellipsis(&self) -> char {
        self.look.charset.ellipsis()
    }

    /// A sentence, in as many lines as it takes. Where it is read aloud a line is what is heard at once.
    fn line<'t>(&mut self, parts: impl IntoIterator<Item = (Style, &'t str)>) {
        self.indented(0, 0, parts);
    }

    /// The same, indented, and what comes behind the first line by `hang` more: no words of somebody else stand where a line of ours
    /// might begin.
    fn indented<'t>(&mut self, indent: usize, hang: usize, parts: impl IntoIterator<Item = (Style, &'t str)>) {
        let mut text = String::new();
        let mut styles = Vec::new();
        for (style, part) in parts {
            text.push_str(&self.shown(part));
            styles.push((style, text.len()));
        }
        if self.look.plain {
            self.put(text.trim_matches(' '));
            return self.end();
        }
        for line in wrapped(&text, self.look.columns().saturating_sub(indent), hang) {
            let mut from = line.start;
            let width = text.get(line.clone()).unwrap_or_default().width();
            // A long word is not to be broken for that.
            let hang = if from == 0 || indent + hang + width > self.look.columns() { 0 } else { hang };
            self.blanks(if line.is_empty() { 0 } else { indent + hang });
            for (style, upto) in &styles {
                let upto = (*upto).min(line.end);
                if let Some(piece) = text.get(from..upto).filter(|piece| !piece.is_empty()) {
                    self.styled(*style, piece);
                    from = upto;
                }
            }
            self.end();
        }
    }

    /// `20 of 53 mails; MAIL LIST 20 AFTER 12 goes on.`
    fn page(&mut self, of_many: Option<&str>, next: Option<&(String, String)>) {
        let shown = of_many.unwrap_or("There are more");
        let text = match next {
            Some((_, next)) if self.look.shell => format!("{shown}: add --after {next} to go on."),
            Some((command, _)) => format!("{shown}; {command} goes on."),
            None => format!("{shown}; these are the last."),
        };
        self.line([(Style::Dim, text.as_str())]);
    }

    /// `label: value`, or what there is of the two.
    fn labelled(&mut self, label: &str, value: &str) {
        let between = if label.is_empty() || value.is_empty() { "" } else { ": " };
        self.indented(0, HANG, [(Style::Bold, label), (Style::Bold, between), (Style::Plain, value)]);
    }

    /// The name, and beside it what there is to say about it; below it where there is little room.
    fn entry(&mut self, Entry { name, name_width, about }: &Entry) {
        let (name, about) = (self.shown(name), self.shown(about));
        let columns = self.look.columns();
        let indent = if columns < NARROW { INDENT } else { TAB };
        let beside = indent + name_width + GAP;
        let is_below = columns < beside + BESIDE && !about.is_empty();
        let column = if is_below { 2 * indent } else { beside };
        let mut lines = wrapped(&about, columns.saturating_sub(column).max(BESIDE / 2), 0).into_iter();
        self.indent(indent);
        self.styled(Style::Bold, &name);
        if !is_below && let Some(line) = lines.next().filter(|line| !line.is_empty()) {
            self.blanks((name_width + GAP).saturating_sub(name.width()));
            self.put(about.get(line).unwrap_or_default());
        }
        self.end();
        for line in lines {
            self.indent(indent);
            self.blanks(column - indent);
            self.put(about.get(line).unwrap_or_default());
            self.end();
        }
    }

    /// The beginning of a line that belongs to a heading.
    fn indent(&mut self, indent: usize) {
        if indent == TAB { self.out.push(b'\t') } else { self.blanks(indent) }
    }

    fn text(&mut self, indent: usize, text: &str) {
        if self.look.plain {
            // The blank is not read aloud, and tells it from lines of ours.
            return text.lines().for_each(|line| {
                self.blanks(indent.min(1));
                self.put(line);
                self.end();
            });
        }
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

    /// A table without columns, to be heard, or where there is no room for them: a line for each cell that says something, and an
    /// empty one behind each row.
    fn stacked(&mut self, table: &Table) {
        for row in &table.rows {
            for (column, cell) in table.columns.iter().zip(&row.cells).filter(|(_, cell)| !cell.is_empty()) {
                let (label, value) = column.labelled(cell);
                self.labelled(label, value);
            }
            self.end();
        }
    }

    /// A table as wide as the terminal at the most.
    fn table(&mut self, table: &Table) {
        let Table { columns, rows } = table;
        let heads: Vec<Cow<'_, str>> = columns.iter().map(|column| self.shown(column.heading())).collect();
        let cells: Vec<Vec<Cow<'_, str>>> =
            rows.iter().map(|row| row.cells.iter().map(|cell| self.shown(cell)).collect()).collect();
        let natural = heads.iter().enumerate().map(|(index, head)| {
            let widest = cells.iter().filter_map(|row| row.get(index)).map(|cell| cell.width()).max();
            widest.filter(|widest| *widest > 0).map_or(0, |widest| widest.max(head.width()))
        });
        let Some(widths) = fit(columns, natural.collect(), self.look.columns()) else { return self.stacked(table) };
        self.row(columns, &widths, &heads, Style::Bold);
        for (row, cells) in rows.iter().zip(&cells) {
            self.row(columns, &widths, cells, if row.bold { Style::Bold } else { Style::Plain });
        }
    }

    fn row(&mut self, columns: &[Column], widths: &[usize], cells: &[Cow<'_, str>], style: Style) {
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
