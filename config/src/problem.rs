//! What is said to the operator about a wrong setting, and where in the file it stands.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A place in the file.
    File {
        /// The file's name as the operator gave it.
        name: Arc<str>,
        /// Line, counted from 1.
        line: usize,
        /// Column in characters, counted from 1.
        column: usize,
    },
    /// The file as a whole.
    WholeFile(Arc<str>),
    /// A variable of the environment.
    Variable(String),
    /// An option of the command line.
    Option(&'static str),
    /// Set by nobody.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => {
                write!(f, "{}:{line}:{column}", name.escape_debug())
            }
            Self::WholeFile(name) => write!(f, "{}", name.escape_debug()),
            Self::Variable(name) => write!(f, "environment {}", name.escape_debug()),
            Self::Option(name) => write!(f, "option {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong, and that stops the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// The key, as in `limits.clients`; empty where no key is concerned.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What is allowed, as an order: `give a number from 1 to 10`; may be empty.
    pub allowed: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// One line, as a compiler would say it.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.wrong)?;
        if !self.allowed.is_empty() {
            write!(f, "; {}", self.allowed)?;
        }
        match &self.suggestion {
            Some(meant) => write!(f, "; did you mean {meant}?"),
            None => Ok(()),
        }
    }
}

/// Something that works, though probably not as the operator wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub place: Place,
    /// What it is, and what to do about it.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Default => write!(f, "warning: {}", self.text),
            place => write!(f, "{place}: warning: {}", self.text),
        }
    }
}

/// A text from the operator in quotes, harmless to a terminal and not too long for a line.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let short: String = text.chars().take(LONGEST).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("\"{}{dots}\"", short.escape_debug())
}

/// Turns offsets in a file into lines and columns.
pub(crate) struct Lines<'a> {
    name: Arc<str>,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(name: &str, text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self { name: Arc::from(name), text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The place of a byte offset; one beyond the end counts as the end.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let offset = span.start.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied();
        let before = self.text.get(start.unwrap_or(0)..offset);
        // The mark that some editors put first is no column.
        let before = before.unwrap_or_default().trim_start_matches('\u{feff}');
        let column = before.chars().count() + 1;
        Place::File { name: Arc::clone(&self.name), line, column }
    }
}
