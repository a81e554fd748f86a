//! What is known about the terminal that a screen is drawn for. Runs in a worker.

use super::Charset;
use ssmglobal_ipc::Preference;

/// What is known about a person's terminal, and what he has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns; 0 when it was not told.
    pub width: u16,
    /// Lines; 0 when it was not told.
    pub height: u16,
    /// Whether what is longer than the terminal is high is shown page by page.
    pub pager: bool,
    /// Whether it said that it has colours.
    pub colour: bool,
    /// The characters that it has; what it lacks is written with those.
    pub charset: Charset,
    /// Whether what is shown is for a shell, where arguments are options, and not for a session.
    pub shell: bool,
    /// Whether it stands between the lines of a world that is played: there we have no prompt.
    pub in_world: bool,
    /// Whether what is shown is read aloud: `label: value` instead of tables, and nothing that only the eye needs, which is
    /// colours, padding, tabs and text that was cut.
    pub plain: bool,
}

impl Default for Look {
    /// A terminal that has said nothing.
    fn default() -> Look {
        Look {
            width: 80,
            height: 0,
            pager: true,
            colour: false,
            charset: Charset::Utf8,
            shell: false,
            in_world: false,
            plain: false,
        }
    }
}

impl Look {
    /// How many lines a page has, with one below it for the prompt; nothing where all is shown at once.
    pub fn page(self) -> Option<usize> {
        /// Less is no page.
        const LEAST: u16 = 2;
        (self.pager && self.height >= LEAST).then(|| usize::from(self.height) - 1)
    }

    /// Columns to fill; never too few for a table.
    pub(super) fn columns(self) -> usize {
        if self.width == 0 { 80 } else { usize::from(self.width).max(20) }
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
