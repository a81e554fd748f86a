//! What is known about the terminal that a screen is drawn for. Runs in a worker.

use super::Charset;

/// What is known about a person's terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns; 0 when it was not told.
    pub width: u16,
    /// Whether it said that it has colours.
    pub colour: bool,
    /// The characters that it has; what it lacks is written with those.
    pub charset: Charset,
    /// Whether what is shown is for a shell, where arguments are options, and not for a session.
    pub shell: bool,
    /// Whether what is shown is read aloud: `label: value` instead of tables, and nothing that only the eye needs, which is
    /// colours, padding, tabs and text that was cut.
    pub plain: bool,
}

impl Default for Look {
    /// A terminal that has said nothing.
    fn default() -> Look {
        Look { width: 80, colour: false, charset: Charset::Utf8, shell: false, plain: false }
    }
}

impl Look {
    /// Columns to fill; never too few for a table.
    pub(super) fn columns(self) -> usize {
        if self.width == 0 { 80 } else { usize::from(self.width).max(20) }
    }
}
