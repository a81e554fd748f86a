//! What is known about the terminal that a screen is drawn for. Runs in a worker.

use ssmglobal_ipc::Preference;

/// What is known about a person's terminal, and what he has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns; 0 when it was not told.
    pub width: u16,
    /// Lines; 0 when it was not told.
    pub height: u16,
    /// Whether it said that it has colours.
    pub colour: bool,
    /// Whether it gets UTF-8, as it does until it says that it takes none; if not, what is not ASCII is shown as `?`.
    pub utf8: bool,
    /// Whether long output stops where the terminal is full.
    pub pager: bool,
    /// Whether what is shown is for a shell, where arguments are options, and not for a session.
    pub shell: bool,
    /// Whether what is shown is read aloud: `label: value` instead of tables, and nothing that only the eye needs, which is
    /// colours, padding, tabs and text that was cut.
    pub plain: bool,
}

impl Default for Look {
    /// A terminal that has said nothing.
    fn default() -> Look {
        Look { width: 80, height: 0, colour: false, utf8: true, pager: true, shell: false, plain: false }
    }
}

impl Look {
    /// Columns to fill; never too few for a table.
    pub(super) fn columns(self) -> usize {
        if self.width == 0 { 80 } else { usize::from(self.width).max(20) }
    }
}

/// Letters that a terminal can be written to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// All of them.
    Utf8,
    /// Those of western Europe, a byte each.
    Latin1,
    /// English ones.
    Ascii,
}

impl Charset {
    /// As SET names it.
    pub fn name(self) -> &'static str {
        match self {
            Charset::Utf8 => "UTF-8",
            Charset::Latin1 => "LATIN-1",
            Charset::Ascii => "ASCII",
        }
    }

    /// What people mean by a word.
    pub fn named(word: &str) -> Option<Charset> {
        let letters: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.to_ascii_uppercase().as_str() {
            "UTF8" => Some(Charset::Utf8),
            "LATIN1" | "ISO88591" => Some(Charset::Latin1),
            "ASCII" | "USASCII" => Some(Charset::Ascii),
            _ => None,
        }
    }
}

/// Of what a terminal has told something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How wide it is.
    pub width: bool,
    /// How high it is.
    pub height: bool,
    /// Whether it has colours.
    pub colour: bool,
    /// In which letters it writes.
    pub charset: bool,
    /// Whether it is read aloud.
    pub screen_reader: bool,
}

impl Told {
    /// Whether it has told this.
    pub fn has(self, preference: Preference) -> bool {
        match preference {
            Preference::Width => self.width,
            Preference::Height => self.height,
            Preference::Colour => self.colour,
            Preference::Charset => self.charset,
            Preference::ScreenReader => self.screen_reader,
            Preference::TimeZone | Preference::Pager => false,
        }
    }
}
