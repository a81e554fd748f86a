//! What a person is shown, as data: the small language between capabilities and the terminal. Runs in a worker.
//!
//! A capability says what is a heading, a fact or a table. What depends on the terminal is decided when the screen is
//! drawn ([`draw()`](super::draw())), so that one screen can be drawn for any of them, or be given out in pages.

use super::clock::Clock;
use super::markup::pieces;
use super::table::{Column, Row, Table};
use ssmglobal_ipc::Time;
use std::borrow::Cow;
use std::fmt;

/// How a part of a line stands out where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As the terminal shows text by itself.
    Plain,
    /// For names and headings.
    Bold,
    /// For what to do next.
    Dim,
    /// For what went wrong.
    Red,
    /// For what comes unasked.
    Cyan,
    /// Where the operator wants it.
    Green,
    /// Where the operator wants it.
    Yellow,
    /// Where the operator wants it.
    Blue,
    /// Where the operator wants it.
    Magenta,
}

/// What a person is asked for at the end of a screen. It is the last thing in its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A command.
    Command,
    /// The answer to this question. Nobody is to see it while it is typed.
    Secret(String),
    /// An argument of a command, by its name.
    Word(String),
    /// A line of a text, with its number from 1; see [`Lines`](super::Lines).
    Line(usize),
    /// The return key, which shows the next page: so many lines are left; see [`Pages`](super::Pages).
    Page(usize),
}

impl Prompt {
    /// Whether what is typed is not to be seen.
    pub fn hides(&self) -> bool {
        matches!(self, Prompt::Secret(_))
    }
}

/// One thing on a screen.
pub(super) enum Block {
    Line(Vec<(Style, String)>),
    Heading(String),
    Hint(String),
    /// How many of how many are shown, and how to go on: the session's command, and where the list goes on for who can only be
    /// told of an option.
    Page {
        of_many: Option<String>,
        next: Option<(String, String)>,
    },
    Facts(Vec<(String, String)>),
    Entry(Entry),
    /// Text of several lines.
    Text {
        indent: usize,
        text: String,
        /// The operator's, in which colours are written as words.
        marked: bool,
    },
    Table(Table),
    Notice {
        tag: String,
        parts: Vec<(Style, String)>,
    },
    Error(String),
}

/// A name, and what there is to say about it.
pub(super) struct Entry {
    pub name: String,
    /// Columns for this name and those beside it.
    pub name_width: usize,
    pub about: String,
}

/// What one piece of text costs beside its bytes.
const PIECE: usize = 64;

impl Block {
    /// What it costs of [`MOST`].
    fn cost(&self) -> usize {
        match self {
            Block::Line(parts) => parts.iter().map(|(_, text)| PIECE + text.len()).sum(),
            Block::Heading(text) | Block::Hint(text) | Block::Error(text) | Block::Text { text, .. } => {
                PIECE + text.len()
            }
            Block::Page { of_many, next } => {
                let next = next.as_ref().map_or(0, |(command, next)| command.len() + next.len());
                2 * PIECE + of_many.as_ref().map_or(0, String::len) + next
            }
            Block::Facts(facts) => facts.iter().map(|(name, value)| 2 * PIECE + name.len() + value.len()).sum(),
            Block::Entry(entry) => 2 * PIECE + entry.name.len() + entry.about.len(),
            Block::Table(Table { columns, rows }) => {
                let heads = columns.iter().map(|column| &column.head);
                heads.chain(rows.iter().flat_map(|row| &row.cells)).map(|text| PIECE + text.len()).sum()
            }
            Block::Notice { tag, parts } => {
                PIECE + tag.len() + parts.iter().map(|(_, text)| PIECE + text.len()).sum::<usize>()
            }
        }
    }
}

fn owned(pieces: Vec<(Style, Cow<'_, str>)>) -> Vec<(Style, String)> {
    pieces.into_iter().map(|(style, piece)| (style, piece.into_owned())).collect()
}

/// What all that is on a screen may cost, bytes: some times what fits into a message from the handler.
const MOST: usize = 8 * ssmglobal_ipc::frame::MAX_PAYLOAD;

/// What is said where a screen ends since it is full.
const FULL: &str = "There is more than can be shown at once. Ask for less.";

/// How much of a list is on a screen.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// Rows on the screen.
    pub shown: usize,
    /// Rows altogether; nothing where that is not known.
    pub total: Option<u32>,
    /// What they are, as of many: `mails`.
    pub what: &'a str,
}

/// What a person is shown: blocks one below the other, and perhaps a prompt.
#[derive(Default)]
pub struct Screen {
    blocks: Vec<Block>,
    prompt: Option<Prompt>,
    cost: usize,
    clock: Clock,
}

/// Shows how much there is, not what it says: it may be a password.
impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("blocks", &self.blocks.len()).finish_non_exhaustive()
    }
}

impl Screen {
    /// One with nothing on it.
    pub fn new() -> Screen {
        Screen::default()
    }

    /// One whose times are told by this clock.
    pub fn told_by(clock: Clock) -> Screen {
        Screen { clock, ..Screen::default() }
    }

    /// By what its times are told.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A time as it stands in a table, where there is no room for the zone.
    pub(crate) fn minute(&self, time: Time) -> String {
        self.clock.minute(time)
    }

    /// A time as it stands in a sentence.
    pub(crate) fn moment(&self, time: Time) -> String {
        self.clock.moment(time)
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// What is asked for at its end, if anything is.
    pub fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }

    /// Asks for something at its end.
    pub fn ask(&mut self, prompt: Prompt) {
        self.prompt = Some(prompt);
    }

    /// Adds a block. In place of the first that finds no room stands that there is more, and nothing comes behind it.
    fn push(&mut self, block: Block) {
        if self.cost > MOST {
            return;
        }
        self.cost = self.cost.saturating_add(block.cost());
        self.blocks.push(if self.cost > MOST { Block::Error(FULL.to_owned()) } else { block });
    }

    /// One line.
    pub fn line(&mut self, text: impl Into<String>) {
        self.push(Block::Line(vec![(Style::Plain, text.into())]));
    }

    /// One line of several parts.
    pub fn parts(&mut self, parts: &[(Style, &str)]) {
        self.push(Block::Line(parts.iter().map(|(style, text)| (*style, (*text).to_owned())).collect()));
    }

    /// A line above what belongs to it.
    pub fn heading(&mut self, text: &str) {
        self.push(Block::Heading(text.to_owned()));
    }

    /// What to do next.
    pub fn hint(&mut self, text: impl Into<String>) {
        self.push(Block::Hint(text.into()));
    }

    /// What a list says below its rows: how many of how many they are, and the command that goes on, behind `next`. Nothing where all
    /// are there.
    pub fn page(&mut self, counted: Counted<'_>, command: &str, next: Option<&str>) {
        let Counted { shown, total, what } = counted;
        let total = total.and_then(|total| usize::try_from(total).ok()).filter(|total| *total > shown);
        if total.is_none() && next.is_none() {
            return;
        }
        let of_many = total.map(|total| format!("{shown} of {total} {what}"));
        let next = next.map(|next| (format!("{command} AFTER {next}"), next.to_owned()));
        self.push(Block::Page { of_many, next });
    }

    /// Facts, a line each, those that say something.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        let facts = facts.iter().filter(|(_, value)| !value.is_empty());
        self.push(Block::Facts(facts.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()));
    }

    /// A name, and what there is to say about it. Names that stand together have one `name_width`, columns.
    pub fn entry(&mut self, name: &str, name_width: usize, about: &str) {
        let (name, about) = (name.to_owned(), about.to_owned());
        self.push(Block::Entry(Entry { name, name_width, about }));
    }

    /// Text of several lines, indented by so many blanks, broken at blanks.
    pub fn block(&mut self, indent: usize, text: &str) {
        self.push(Block::Text { indent, text: text.to_owned(), marked: false });
    }

    /// The same, of the operator: with his colours, or without their words.
    pub fn marked_block(&mut self, indent: usize, text: &str) {
        self.push(Block::Text { indent, text: text.to_owned(), marked: true });
    }

    /// A text of the operator, line by line, with his colours.
    pub fn marked_lines(&mut self, text: &str) {
        let mut style = Style::Plain;
        for line in text.lines() {
            self.push(Block::Line(owned(pieces(line, &mut style))));
        }
    }

    /// A line of the operator that comes unasked.
    pub fn marked_notice(&mut self, tag: &str, text: &str) {
        let parts = owned(pieces(text, &mut Style::Plain));
        self.push(Block::Notice { tag: tag.to_owned(), parts });
    }

    /// A table with its heads. Columns without any text are left out.
    pub fn table(&mut self, columns: &[Column], rows: Vec<Row>) {
        self.push(Block::Table(Table { columns: columns.to_vec(), rows }));
    }

    /// What comes unasked, with what kind of thing it is.
    pub fn notice(&mut self, tag: &str, text: impl Into<String>) {
        self.push(Block::Notice { tag: tag.to_owned(), parts: vec![(Style::Plain, text.into())] });
    }

    /// What went wrong.
    pub fn error(&mut self, text: impl Into<String>) {
        self.push(Block::Error(text.into()));
    }
}
